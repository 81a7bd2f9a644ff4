// The index of vectors beside its records: it has what they have at every state, finds what is
// nearest, and loses nothing to aborts, savepoints, crashes and maintenance.
#include <atomic>
#include <thread>

#include "tests/vector/hnsw_world.h"

namespace quire {
namespace {

using namespace test;
using Setting = HnswWorld::Setting;

constexpr FieldType kF32 = FieldType::kVectorF32;

std::string with(const std::string& more) { return R"({"field": "vector", )" + more + "}"; }

// ---------------------------------------------------------------- what searches find

TEST(HnswIndex, FindsWhatWaitsAndWhatIsLinked) {
  Random random(1);
  HnswWorld world({.maker = {kF32, 16}});
  world.put_some(0, 500, random);
  world.commit();
  EXPECT_EQ(world.figure("tail"), 500u);
  EXPECT_EQ(world.recall(random, 20, 10, 10), 1.0) << "too few for codes: all is exact";
  world.put_some(500, 2500, random);
  world.commit();
  EXPECT_LE(world.figure("tail"), 2 * world.index().form().tail_bound());
  EXPECT_GE(world.recall(random, 40, 10, 100), 0.97);
  world.check();
  world.flush();
  EXPECT_EQ(world.figure("tail"), 0u);
  EXPECT_EQ(world.figure("nodes"), 3000u);
  EXPECT_GE(world.recall(random, 40, 10, 100), 0.97);
  EXPECT_EQ(world.recall(random, 3, 3000, 10), 1.0);
  EXPECT_GE(world.recall(random, 3, 2999, 10), 0.999) << "as many as are asked for";
  world.check();
}

TEST(HnswIndex, OfEveryTypeMetricAndCode) {
  const struct {
    VectorMaker maker;
    const char* options;
  } settings[] = {
      {{kF32, 12}, R"("metric": "cosine")"},
      {{kF32, 12}, R"("metric": "inner_product")"},
      {{kF32, 12}, R"("metric": "l1")"},
      {{kF32, 12}, R"("quantizer": "none")"},
      {{kF32, 12}, R"("quantizer": "f16")"},
      {{kF32, 13}, R"("metric": "cosine", "quantizer": "none", "m": 8)"},
      {{FieldType::kVectorF16, 9}, R"("metric": "l2")"},
      {{FieldType::kVectorI8, 11}, R"("metric": "l2")"},
      {{FieldType::kVectorI8, 11}, R"("metric": "cosine")"},
      {{FieldType::kVectorBits, 70}, R"("metric": "hamming")"},
      {{FieldType::kVectorBits, 70}, R"("metric": "jaccard", "m": 24)"},
  };
  for (const auto& setting : settings) {
    SCOPED_TRACE(setting.options);
    Random random(2);
    HnswWorld world({.maker = setting.maker, .options = with(setting.options)});
    world.put_some(0, 1500, random);
    world.commit();
    world.flush();
    EXPECT_EQ(world.figure("nodes"), 1500u);
    EXPECT_GE(world.recall(random, 30, 10, 200), 0.9);
    world.check();
  }
}

TEST(HnswIndex, SearchesOfItsOwnTransactionSeeItsChanges) {
  Random random(3);
  HnswWorld world;
  world.put_some(0, 1500, random);
  world.commit();
  world.flush();
  const ByteVector mine = world.maker().make(random);
  world.put(9000, mine);
  world.erase(7);
  EXPECT_EQ(world.found(world.txn(), mine, 1, 10), 1u);
  const auto before = must(world.database().begin_read());
  EXPECT_NE(world.exact(*before, mine, 1)[0].distance, 0);
  EXPECT_EQ(world.found(*before, mine, 5, 200), 5u);
  EXPECT_EQ(world.found(world.txn(), world.maker().make(random), 1500, 10), 1500u);
  world.abort();
  world.check();
}

TEST(HnswIndex, OfNothingAndOfNullsFindsNothing) {
  Random random(4);
  HnswWorld world;
  EXPECT_EQ(world.recall(random, 2, 10, 10), 1.0);
  for (int id = 0; id < 20; ++id) world.put(id, std::nullopt);
  world.commit();
  world.flush();
  EXPECT_EQ(world.recall(random, 2, 10, 10), 1.0);
  EXPECT_EQ(world.stat().entries, 0u);
  world.check();
}

TEST(HnswIndex, RefusesWhatNoSearchCanBe) {
  Random random(5);
  HnswWorld world;
  world.put_some(0, 30, random);
  world.commit();
  const auto snapshot = must(world.database().begin_read());
  const auto reader = must(HnswReader::open(*snapshot, world.items(), world.index()));
  const ByteVector query = world.maker().make(random);
  EXPECT_EQ(code_of(reader->search({query.data(), 0, 10})), ErrorCode::kInvalid);
  EXPECT_EQ(code_of(reader->search({query.data(), 10, hnsw::kMostEf + 1})), ErrorCode::kInvalid);
  EXPECT_EQ(must(reader->search({query.data(), 10, 0})).size(), 10u);
}

// ---------------------------------------------------------------- options

TEST(HnswIndex, OptionsThatMakeNoSenseAreRefusedByName) {
  HnswWorld world({.indexed = false});
  const auto refused = [&](const std::string& options, const std::string& words,
                           ErrorCode code = ErrorCode::kInvalid) {
    const auto made = world.try_index(options);
    ASSERT_FALSE(made) << options;
    EXPECT_EQ(made.error().code(), code) << made.error().message();
    EXPECT_NE(made.error().message().find(words), std::string::npos) << made.error().message();
  };
  refused("", "an object in JSON");
  refused("[]", "an object in JSON");
  refused("{}", "option 'field': is missing");
  refused(R"({"field": "other"})", "'other' is no field");
  refused(R"({"field": "note"})", "option 'field': 'note' is of the type i64");
  refused(R"({"field": 3})", "option 'field'");
  refused(R"({"field": "vector", "field": "vector"})", "option 'field': is given twice");
  refused(with(R"("ef": 3)"), "option 'ef': is not one of an HNSW index");
  refused(with(R"("m": 3)"), "option 'm': is a whole number from 4 to 64");
  refused(with(R"("m": 65)"), "option 'm'");
  refused(with(R"("m": "16")"), "option 'm'");
  refused(with(R"("m": -1)"), "option 'm'");
  refused(with(R"("m": 16.5)"), "option 'm'");
  refused(with(R"("m": 20, "ef_construction": 19)"),
          "option 'ef_construction': is less than m, 20");
  refused(with(R"("ef_construction": 10001)"), "option 'ef_construction'");
  refused(with(R"("tail_bytes": 16383)"), "option 'tail_bytes'");
  refused(with(R"("seed": 4294967296)"), "option 'seed'");
  refused(with(R"("metric": "l3")"), "option 'metric'");
  refused(with(R"("metric": "hamming")"), "hamming", ErrorCode::kNotSupported);
  refused(with(R"("quantizer": "pq")"), "option 'quantizer'");
  refused(with(R"("quantizer": "sq8", "metric": "l1")"), "'sq8' are for l2 and cosine",
          ErrorCode::kNotSupported);
  world.add_index();  // nothing was left behind
}

TEST(HnswIndex, OptionsAreDescribedAsTheyAreAskedFor) {
  HnswWorld world({.indexed = false});
  const Schema& schema = world.items().schema();
  for (const std::string& options :
       {std::string(R"({"field": "vector"})"),
        with(
            R"("metric": "cosine", "m": 5, "ef_construction": 77, "tail_bytes": 20000, "seed": 9)"),
        with(R"("metric": "l1")"), with(R"("quantizer": "none")")}) {
    const ByteVector stored = must(hnsw_index_kind().resolve(schema, options));
    EXPECT_EQ(hnsw_index_kind().describe(schema, stored), options);
    for (std::size_t size = 0; size < stored.size(); ++size)
      EXPECT_EQ(code_of(hnsw::HnswOptions::decode(Bytes(stored).first(size))), ErrorCode::kCorrupt);
  }
  EXPECT_EQ(hnsw_index_kind().describe(
                schema, must(hnsw_index_kind().resolve(
                            schema, with(R"("metric": "l2", "quantizer": "sq8", "m": 16)")))),
            R"({"field": "vector"})");
}

// ---------------------------------------------------------------- building, replacing

TEST(HnswIndex, IsBuiltOverRecordsThatAreThere) {
  Random random(6);
  HnswWorld world({.indexed = false});
  world.put_some(0, 2000, random);
  for (int id = 0; id < 2000; id += 3) world.erase(id);
  for (int id = 1; id < 2000; id += 30) world.put(id, std::nullopt);
  world.commit();
  std::uint64_t last = 0;
  auto made =
      world.try_index(R"({"field": "vector"})", [&](std::uint64_t done, std::uint64_t total) {
        EXPECT_GE(done, last);
        EXPECT_LE(done, total);
        last = done;
        return true;
      });
  world.set_items(must(std::move(made)));
  world.commit();
  EXPECT_EQ(world.figure("tail"), 0u);
  EXPECT_GE(world.recall(random, 30, 10, 100), 0.97);
  world.check();
  world.crash();
  EXPECT_GE(world.recall(random, 30, 10, 100), 0.97);
  world.check();
}

TEST(HnswIndex, AMakingThatIsStoppedLeavesNothing) {
  Random random(7);
  HnswWorld world({.indexed = false});
  world.put_some(0, 1500, random);
  world.commit();
  const auto made =
      world.try_index(R"({"field": "vector"})", [](std::uint64_t, std::uint64_t) { return false; });
  EXPECT_EQ(code_of(made), ErrorCode::kCancelled);
  world.abort();
  world.check();
}

TEST(HnswIndex, ALargeBuildIsNotDoneAgainByARecovery) {
  Random random(8);
  HnswWorld world(
      {.maker = {kF32, 4}, .options = with(R"("m": 4, "ef_construction": 8)"), .indexed = false});
  world.put_some(0, 10'500, random);
  world.commit();
  const std::uint64_t checkpoints = must(world.database().stat()).checkpoints;
  world.add_index();
  world.commit();
  EXPECT_EQ(must(world.database().stat()).checkpoints, checkpoints + 1);
  world.crash();
  EXPECT_EQ(world.figure("nodes"), 10'500u);
  world.check();
}

TEST(HnswIndex, ReplacedRecordsTakeThePlacesOfOldOnes) {
  Random random(9);
  HnswWorld world({.maker = {kF32, 16}});
  world.put_some(0, 2000, random);
  world.commit();
  world.flush();
  const double fresh = world.recall(random, 50, 10, 60);
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 200; ++i) {
      const auto id = static_cast<std::int64_t>(random() % 2000);
      world.put(id, world.maker().make(random));
      if (i % 20 == 0) world.commit();
    }
    world.commit();
    world.flush();
    world.check();
  }
  EXPECT_EQ(world.figure("nodes"), 2000u);
  const auto snapshot = must(world.database().begin_read());
  EXPECT_LE(world.state(*snapshot).roots.lists.size, 2600u) << "places are used again";
  EXPECT_GE(world.recall(random, 50, 10, 60), fresh - 0.03);
}

// The id of a collection that was rolled back became a keyspace's, and the commit failed.
TEST(HnswIndex, ACollectionThatWasRolledBackLeavesNoWork) {
  Random random(10);
  HnswWorld world({.indexed = false});
  WriteTxn& txn = world.txn();
  const std::size_t point = must(txn.savepoint());
  Collection other = must(Collection::create(txn, "other", world.items().schema(), kVectorKinds));
  other = must(create_index(txn, other,
                            {.name = "near", .kind = "hnsw", .options = R"({"field": "vector"})"},
                            kVectorKinds));
  const ByteVector vector = world.maker().make(random);
  const Value values[] = {Value::of_i64(1), Value::null(),
                          Value::of_vector(kF32, vector.data(), world.maker().dimension)};
  must(insert_record(txn, other, values));
  must(txn.rollback_to(point));
  EXPECT_EQ(must(txn.create_keyspace("space")), other.id());
  world.commit();
  world.flush();
  world.check();
}

// With nobody beside the commits to do the work.
TEST(HnswIndex, CommitsKeepWhatWaitsWithinBounds) {
  Random random(11);
  HnswWorld world({.options = with(R"("tail_bytes": 16384)")});
  const std::uint64_t bound = 2 * world.index().form().tail_bound();
  for (int i = 0; i < 60; ++i) {
    world.put_some(i * 100, 100, random);
    world.commit();
    if (world.figure("parameters") != 0) {
      EXPECT_LE(world.figure("tail"), bound);
    }
  }
  EXPECT_GT(world.figure("nodes"), 3000u);
  for (int id = 0; id < 6000; ++id) {
    world.erase(id);
    if (id % 100 == 99) world.commit();
    if (id % 1000 == 999) {
      EXPECT_LE(world.figure("dead") - world.figure("repaired"), bound);
      world.check();
    }
  }
  EXPECT_EQ(world.stat().entries, 0u);
}

// ---------------------------------------------------------------- at the same time

// Searches in new snapshots while records come and go and the thread links and repairs: each finds
// what its snapshot has, and nothing else.
TEST(HnswIndex, SearchesSeeTheirSnapshotWhateverGoesOn) {
  Random random(12);
  HnswWorld world({.options = with(R"("tail_bytes": 16384, "m": 6, "ef_construction": 30)"),
                   .background = true});
  world.put_some(0, 1500, random);
  world.commit();
  std::atomic<bool> ends{false};
  std::atomic<int> searches{0};
  const auto search = [&](std::uint64_t seed) {
    Random own(seed);
    while (!ends || searches < 20) {
      const auto snapshot = must(world.database().begin_read());
      const ByteVector query = world.maker().make(own);
      const auto truth = world.exact(*snapshot, query, 5000);
      const auto reader = must(HnswReader::open(*snapshot, world.items(), world.index()));
      ASSERT_EQ(reader->count(), truth.size());
      const auto all = must(reader->search({query.data(), 5000, 10}));
      ASSERT_EQ(all.size(), truth.size());
      for (std::size_t i = 0; i < truth.size(); ++i) ASSERT_EQ(all[i].id, truth[i].number);
      ASSERT_EQ(must(reader->search({query.data(), 10, 50})).size(), 10u);
      ++searches;
    }
  };
  std::vector<std::thread> readers;
  for (const std::uint64_t seed : {1, 2}) readers.emplace_back(search, seed);
  for (int round = 0; round < 60; ++round) {
    world.put_some(1500 + 20 * round, 20, random);
    for (int i = 0; i < 15; ++i) world.erase(15 * round + i);
    world.commit();
    if (round % 20 == 10) world.database().maintenance()->pause();
    if (round % 20 == 15) world.database().maintenance()->resume();
  }
  ends = true;
  for (std::thread& reader : readers) reader.join();
  world.flush();
  EXPECT_EQ(world.figure("tail"), 0u);
  EXPECT_EQ(world.figure("nodes"), 1500u + 60 * 20 - 60 * 15);
  world.check();
}

// ---------------------------------------------------------------- courses of events

// Records, by chance, against a map; the index against the records by check and by exact searches.
class Courses {
 public:
  Courses(const Setting& setting, std::uint64_t seed) : world_(setting), random_(seed) {}

  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) step();
    world_.commit();
    compare();
    world_.flush();
    compare();
  }

 private:
  void step() {
    const std::uint64_t what = random_() % 100;
    if (what < 55) return change();
    if (what < 65) return savepoint();
    if (what < 80) return commit();
    if (what < 84) return abort();
    if (what < 90) return maintain();
    if (what < 92) {
      abort();
      return world_.crash();
    }
    if (what < 93) {
      commit();
      must(world_.database().checkpoint());
      return;
    }
    if (what < 94) {
      abort();
      return world_.close_and_open();
    }
    if (what < 97) return compare();
  }

  // Numbers of ids small enough for the same to come again.
  std::int64_t some_id() { return static_cast<std::int64_t>(random_() % 3000); }

  void change() {
    const std::size_t count = random_() % 16 == 0 ? 400 : random_() % 8;
    for (std::size_t i = 0; i < count; ++i) {
      const std::int64_t id = some_id();
      const std::uint64_t how = random_() % 10;
      if (how < 3 && now_.contains(id)) {
        world_.erase(id);
        now_.erase(id);
      } else if (how == 3) {
        world_.put(id, std::nullopt);
        now_[id] = false;
      } else {
        world_.put(id, world_.maker().make(random_));
        now_[id] = true;
      }
    }
  }
  void savepoint() {
    const auto before = now_;
    const std::size_t point = must(world_.txn().savepoint());
    change();
    if (random_() % 2 == 0) {
      must(world_.txn().rollback_to(point));
      now_ = before;
    }
    must(world_.txn().release(point));
  }
  void commit() {
    world_.commit();
    committed_ = now_;
  }
  void abort() {
    world_.abort();
    now_ = committed_;
  }
  void maintain() {
    commit();
    world_.flush();
  }
  void compare() {
    commit();
    std::uint64_t vectors = 0;
    for (const auto& [id, has] : now_) vectors += has ? 1 : 0;
    EXPECT_EQ(world_.stat().entries, vectors);
    world_.check();
    const auto snapshot = must(world_.database().begin_read());
    const ByteVector query = world_.maker().make(random_);
    const std::size_t k = std::min<std::uint64_t>(10, vectors);
    // Few neighbours and hard data: how good searches are is for other tests.
    EXPECT_GE(2 * world_.found(*snapshot, query, 10, 400), k);
    EXPECT_EQ(world_.found(*snapshot, query, vectors + 1, 10), vectors);
  }

  HnswWorld world_;
  Random random_;
  std::map<std::int64_t, bool> now_;
  std::map<std::int64_t, bool> committed_;
};

TEST(HnswIndex, AgreesWithItsRecordsThroughAnything) {
  const Setting settings[] = {
      {.maker = {kF32, 8},
       .options = with(R"("tail_bytes": 16384, "m": 6, "ef_construction": 40)")},
      {.maker = {FieldType::kVectorBits, 40},
       .options = with(R"("tail_bytes": 16384, "m": 8, "ef_construction": 40)")},
      {.maker = {kF32, 30},
       .options = with(R"("metric": "cosine", "tail_bytes": 16384, "m": 8, "ef_construction": 30)"),
       .page_size = 1024},
      {.maker = {kF32, 8},
       .options = with(R"("tail_bytes": 16384, "m": 6, "ef_construction": 40)"),
       .background = true},
  };
  const int steps = getenv("QUIRE_TEST_LONG") != nullptr ? 4000 : 250;
  std::uint64_t seed = 1;
  for (const Setting& setting : settings) {
    SCOPED_TRACE(setting.options);
    Courses(setting, seed++).run(steps);
  }
}

// Somebody who still names a dead place that was repaired around may link others to it, which then
// was free with a list; found by the fuzz target `hnsw`.
TEST(HnswIndex, APlaceThatBecomesFreeHasNoList) {
  HnswWorld world({.maker = {FieldType::kVectorI8, 8}});
  Random random(21);
  world.put_some(0, 300, random);
  world.commit();
  world.flush();
  for (int id = 0; id < 30; ++id) world.erase(id);
  world.commit();
  world.flush();
  ASSERT_EQ(world.figure("repaired"), 30u);
  const hnsw::HnswStructures& ids = world.index().form().structures;
  const auto dead = load_le<hnsw::Place>(must(must(world.txn().array(ids.dead))->get(0)).data());
  const auto live =
      load_le<hnsw::Place>(must(must(world.txn().array(ids.places))->get(200)).data());
  store_le(must(must(world.txn().array(ids.lists))->touch(dead)), live);
  world.put_some(300, 1, random);  // so that there is something to commit
  world.commit();
  for (int id = 30; id < 70; ++id) world.erase(id);
  world.commit();
  world.flush();
  EXPECT_EQ(world.figure("free"), 70u);
  world.check();
}

// Found by fuzzing: the second of the free places was used before it was looked at.
TEST(HnswIndex, FreePlacesThatNameNoFreeOneNextAreDamage) {
  for (const bool beyond : {true, false}) {
    HnswWorld world({.maker = {FieldType::kVectorI8, 8}});
    Random random(21);
    world.put_some(0, 300, random);
    world.commit();
    world.flush();
    for (int id = 0; id < 70; ++id) world.erase(id);
    world.commit();
    world.flush();
    ASSERT_EQ(world.figure("free"), 70u);
    ArrayWriter& records = *must(world.txn().array(world.index().form().structures.records));
    for (hnsw::Place place = 1; place <= 300; ++place) {
      const hnsw::PlaceUse use{load_le<std::uint32_t>(must(records.get(place)).data())};
      if (use.is_free())
        store_le(must(records.touch(place)), hnsw::PlaceUse::free(beyond ? 5000 : place).value);
    }
    world.put_some(300, 5, random);
    world.commit();
    const Status flushed = world.database().maintenance()->flush();
    ASSERT_FALSE(flushed);
    EXPECT_EQ(flushed.error().code(), ErrorCode::kCorrupt);
    const std::string words =
        beyond ? "there is no place 5000" : "is twice among those that are free";
    EXPECT_NE(flushed.error().message().find(words), std::string::npos)
        << flushed.error().message();
  }
}

}  // namespace
}  // namespace quire
