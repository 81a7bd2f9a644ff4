// Searches that are narrowed to some records: whatever way they take, they find what measuring all
// that match would, and never fewer than k where k match.
#include "tests/vector/hnsw_world.h"

namespace quire {
namespace {

using namespace test;
using hnsw::Hops;
using hnsw::SearchRequest;
using hnsw::SearchWay;
using Filter = std::shared_ptr<const RecordFilter>;

constexpr std::int64_t kVectors = 4000;
constexpr FieldType kFilterF32 = FieldType::kVectorF32;

struct WayTaken {
  const char* name;
  SearchWay way;
  Hops hops;
};
constexpr WayTaken kWays[] = {{"any", SearchWay::kAny, Hops::kTwo},
                              {"measure", SearchWay::kMeasure, Hops::kTwo},
                              {"walk", SearchWay::kWalk, Hops::kTwo},
                              {"walk by one hop", SearchWay::kWalk, Hops::kOne}};

// Records 0 to n - 1 have these as their numbers too: none was ever deleted.
class HnswFilter : public testing::Test {
 protected:
  using Wanted = std::function<bool(RecordNumber)>;

  Filter filter(View& view, const Wanted& wanted) {
    NumberSet numbers = must(no_numbers(view, world().items()));
    for (RecordNumber i = 0; i < numbers.size; ++i)
      if (wanted(i)) numbers.add(i);
    return std::make_shared<const RecordFilter>(std::move(numbers), view.tree_version(0) == 0);
  }
  std::vector<VectorHit> exact(View& view, const ByteVector& query, std::size_t k,
                               const RecordFilter& among) {
    const Value vector =
        Value::of_vector(world().maker().type, query.data(), world().maker().dimension);
    return must(exact_search(
        view, world().items(),
        {.field = 2, .metric = world().index().form().options.metric, .vector = vector, .k = k},
        &among.numbers()));
  }
  // How many of the k nearest that match are found. All that is found matches, in order, by its
  // true distance, and as many as can be.
  std::size_t found(View& view, HnswReader& reader, const SearchRequest& request,
                    const ByteVector& query) {
    const auto truth = exact(view, query, request.k, *request.among);
    const auto hits = reader.search(request);
    EXPECT_TRUE(hits) << hits.error().message();
    if (!hits) return 0;
    EXPECT_EQ(hits->size(), truth.size());
    std::size_t right = 0;
    for (std::size_t i = 0; i < hits->size(); ++i) {
      const Neighbour<RecordNumber>& hit = (*hits)[i];
      if (i > 0) {
        EXPECT_TRUE(nearer((*hits)[i - 1], hit));
      }
      EXPECT_TRUE(request.among->has(hit.id));
      if (!truth.empty() && hit.distance <= truth.back().distance) ++right;
      const auto at = std::ranges::find(truth, hit.id, &VectorHit::number);
      if (at != truth.end()) {
        EXPECT_EQ(at->distance, hit.distance);
      }
    }
    return right;
  }
  struct Asked {
    std::size_t k = 10;
    std::size_t ef = 64;
    std::size_t queries = 20;
  };
  double recall(View& view, const Wanted& wanted, const WayTaken& way, Random& random,
                const Asked& asked) {
    const auto reader = must(HnswReader::open(view, world().items(), world().index()));
    const Filter among = filter(view, wanted);
    std::size_t right = 0;
    std::size_t all = 0;
    for (std::size_t i = 0; i < asked.queries; ++i) {
      const ByteVector query = world().maker().make(random);
      right += found(view, *reader,
                     {.vector = query.data(),
                      .k = asked.k,
                      .ef = asked.ef,
                      .among = among,
                      .way = way.way,
                      .hops = way.hops},
                     query);
      all += exact(view, query, asked.k, *among).size();
    }
    return all == 0 ? 1 : static_cast<double>(right) / static_cast<double>(all);
  }
  double recall(View& view, const Wanted& wanted, const WayTaken& way, Random& random) {
    return recall(view, wanted, way, random, Asked());
  }
  HnswWorld& world() { return *world_; }
  void make(const HnswWorld::Setting& setting) { world_ = std::make_unique<HnswWorld>(setting); }
  // The first component of a record's vector.
  float first_of(View& view, RecordNumber number) {
    const ArrayRoot root = must(view.array_root(world().items().definition().vectors[0]));
    ArrayView vectors(view.reader(), root);
    float value = 0;
    std::memcpy(&value, vectors.at(number), sizeof value);
    return value;
  }

 private:
  std::unique_ptr<HnswWorld> world_;
};

TEST_F(HnswFilter, EachWayFindsWhatMatches) {
  Random random(11);
  make({.maker = {kFilterF32, 12}});
  world().put_some(0, kVectors, random);
  world().commit();
  world().flush();
  const auto snapshot = must(world().database().begin_read());
  for (const std::uint64_t percent : {1, 5, 20, 60, 90}) {
    const Wanted wanted = [&](RecordNumber i) { return hnsw::mix_bits(i + 7) % 100 < percent; };
    for (const WayTaken& way : kWays) {
      SCOPED_TRACE(std::to_string(percent) + "%, " + way.name);
      // One hop loses its way where few match: that is what two are for.
      const double part = recall(*snapshot, wanted, way, random);
      if (way.hops == Hops::kTwo) {
        EXPECT_GE(part, 0.95);
      }
      if (way.hops == Hops::kOne && percent == 1) {
        EXPECT_LT(part, 0.9) << "two are not needed";
      }
    }
  }
}

// What matches lies on one side of all vectors: near some queries, far from others.
TEST_F(HnswFilter, MatchesThatLieFarFromTheQueryAreFound) {
  Random random(12);
  make({.maker = {kFilterF32, 8}});
  world().put_some(0, kVectors, random);
  world().commit();
  world().flush();
  const auto snapshot = must(world().database().begin_read());
  for (const float from : {2.5F, 1.5F, 0.5F, -0.5F}) {
    const Wanted wanted = [&](RecordNumber i) { return first_of(*snapshot, i) > from; };
    for (const WayTaken& way : kWays) {
      SCOPED_TRACE(std::to_string(from) + ", " + way.name);
      if (way.hops == Hops::kTwo) {
        EXPECT_GE(recall(*snapshot, wanted, way, random), 0.95);
      }
    }
  }
}

TEST_F(HnswFilter, OfEveryKindOfCode) {
  const struct {
    VectorMaker maker;
    const char* options;
  } settings[] = {
      {{kFilterF32, 12}, R"({"field": "vector", "metric": "cosine"})"},
      {{kFilterF32, 12}, R"({"field": "vector", "metric": "inner_product"})"},
      {{kFilterF32, 12}, R"({"field": "vector", "quantizer": "none", "m": 8})"},
      {{FieldType::kVectorI8, 11}, R"({"field": "vector", "metric": "l2"})"},
      {{FieldType::kVectorBits, 70}, R"({"field": "vector", "metric": "hamming", "m": 64})"},
  };
  for (const auto& setting : settings) {
    SCOPED_TRACE(setting.options);
    Random random(13);
    make({.maker = setting.maker, .options = setting.options});
    world().put_some(0, 1500, random);
    world().commit();
    world().flush();
    const auto snapshot = must(world().database().begin_read());
    for (const WayTaken& way : kWays) {
      SCOPED_TRACE(way.name);
      const Wanted wanted = [](RecordNumber i) { return i % 3 == 0; };
      if (way.hops == Hops::kTwo) {
        EXPECT_GE(recall(*snapshot, wanted, way, random, {.ef = 200}), 0.9);
      }
    }
  }
}

TEST_F(HnswFilter, NeverFewerThanMatch) {
  Random random(14);
  make({.maker = {kFilterF32, 8}});
  world().put_some(0, 3000, random);
  world().commit();
  world().flush();
  const auto snapshot = must(world().database().begin_read());
  for (const WayTaken& way : kWays) {
    SCOPED_TRACE(way.name);
    for (const std::size_t matches : {0, 1, 2, 9, 10, 11, 63, 64, 65, 200}) {
      SCOPED_TRACE(matches);
      const Wanted few = [&](RecordNumber i) { return i % 13 == 5 && i / 13 < matches; };
      // Fewer than k, all, one more; the walk keeps fewer than it is asked for.
      for (const std::size_t k : {1, 10, 64, 199, 200, 500}) {
        const double part = recall(*snapshot, few, way, random, {.k = k, .ef = 1, .queries = 2});
        if (k >= matches) {
          EXPECT_EQ(part, 1.0) << k;
        }
      }
    }
  }
}

TEST_F(HnswFilter, WhatWaitsIsAskedByItsRecord) {
  Random random(15);
  make({.maker = {kFilterF32, 8}});
  world().put_some(0, 2000, random);
  world().commit();
  world().flush();
  world().put_some(2000, 300, random);
  // Of other vectors than their nodes have: these are dead now.
  world().put_some(100, 50, random);
  world().commit();
  ASSERT_EQ(world().figure("tail"), 350u);
  ASSERT_EQ(world().figure("dead"), 50u);
  const auto snapshot = must(world().database().begin_read());
  const Wanted all_waiting = [](RecordNumber i) { return i >= 2000; };
  const Wanted some = [](RecordNumber i) { return i % 7 == 0; };
  const Wanted changed = [](RecordNumber i) { return i >= 100 && i < 150; };
  for (const WayTaken& way : kWays) {
    SCOPED_TRACE(way.name);
    EXPECT_EQ(recall(*snapshot, all_waiting, way, random), 1.0);
    EXPECT_EQ(recall(*snapshot, changed, way, random), 1.0);
    if (way.hops == Hops::kTwo) {
      EXPECT_GE(recall(*snapshot, some, way, random), 0.95);
    }
  }
}

TEST_F(HnswFilter, DeletedRecordsAreNotFoundAndLeadOn) {
  Random random(16);
  make({.maker = {kFilterF32, 8}});
  world().put_some(0, 3000, random);
  world().commit();
  world().flush();
  for (std::int64_t id = 0; id < 3000; id += 2) world().erase(id);
  world().commit();
  ASSERT_GT(world().figure("dead"), 1000u);
  const auto snapshot = must(world().database().begin_read());
  // Deleted ones in the set count for nothing.
  const Wanted wanted = [](RecordNumber i) { return i % 5 < 2; };
  const Wanted gone = [](RecordNumber i) { return i % 2 == 0; };
  for (const WayTaken& way : kWays) {
    SCOPED_TRACE(way.name);
    if (way.hops == Hops::kTwo) {
      EXPECT_GE(recall(*snapshot, wanted, way, random), 0.95);
    }
    EXPECT_EQ(recall(*snapshot, gone, way, random), 1.0) << "nothing is there, and nothing found";
  }
}

TEST_F(HnswFilter, OfATransactionItsOwnChanges) {
  Random random(17);
  make({.maker = {kFilterF32, 8}});
  world().put_some(0, 2000, random);
  world().commit();
  world().flush();
  world().put_some(2000, 40, random);
  for (std::int64_t id = 0; id < 2000; id += 4) world().erase(id);
  const Wanted wanted = [](RecordNumber i) { return i % 3 == 0; };
  for (const WayTaken& way : kWays) {
    SCOPED_TRACE(way.name);
    if (way.hops == Hops::kTwo) {
      EXPECT_GE(recall(world().txn(), wanted, way, random), 0.95);
    }
  }
  world().abort();
}

TEST_F(HnswFilter, TooFewForCodesAreMeasuredExactly) {
  Random random(18);
  make({.maker = {kFilterF32, 8}});
  world().put_some(0, 300, random);
  world().commit();
  const auto snapshot = must(world().database().begin_read());
  const Wanted wanted = [](RecordNumber i) { return i % 4 == 1; };
  for (const WayTaken& way : kWays)
    EXPECT_EQ(recall(*snapshot, wanted, way, random), 1.0) << way.name;
}

// The tests above would pass if everything were measured.
TEST_F(HnswFilter, TellsWhatItDid) {
  Random random(19);
  make({.maker = {kFilterF32, 12}});
  world().put_some(0, kVectors, random);
  world().commit();
  world().flush();
  const auto snapshot = must(world().database().begin_read());
  const auto reader = must(HnswReader::open(*snapshot, world().items(), world().index()));
  const ByteVector query = world().maker().make(random);
  SearchRequest request{.vector = query.data(), .k = 10, .ef = 20};
  const auto figures = [&](std::uint64_t every) {
    request.among = filter(*snapshot, [&](RecordNumber i) { return i % every == 0; });
    EXPECT_TRUE(reader->search(request));
    EXPECT_EQ(reader->figures().matches, (kVectors + every - 1) / every);
    return reader->figures();
  };
  const hnsw::SearchFigures many = figures(1);
  EXPECT_EQ(many.way, SearchWay::kWalk);
  EXPECT_EQ(many.ef, 20u);
  EXPECT_LT(many.measured, 1500u);
  const hnsw::SearchFigures few = figures(40);
  EXPECT_EQ(few.way, SearchWay::kMeasure);
  EXPECT_EQ(few.measured, 100u);
  EXPECT_EQ(few.exact, 15u);
  const hnsw::SearchFigures fewest = figures(100);
  EXPECT_EQ(fewest.way, SearchWay::kMeasure);
  EXPECT_EQ(fewest.measured, 0u) << "exactly";
  EXPECT_EQ(fewest.exact, 40u);
  request.way = SearchWay::kWalk;
  const std::uint64_t two = figures(4).measured;
  request.hops = Hops::kOne;
  EXPECT_LT(figures(4).measured, two);
}

TEST_F(HnswFilter, KnowsOneFilterFromAnother) {
  Random random(20);
  make({.maker = {kFilterF32, 8}});
  world().put_some(0, 1500, random);
  world().commit();
  world().flush();
  const auto snapshot = must(world().database().begin_read());
  const auto reader = must(HnswReader::open(*snapshot, world().items(), world().index()));
  const ByteVector query = world().maker().make(random);
  const Filter odd = filter(*snapshot, [](RecordNumber i) { return i % 2 == 1; });
  const Filter even = filter(*snapshot, [](RecordNumber i) { return i % 2 == 0; });
  for (const Filter& each : {odd, even, odd, odd, Filter(), even}) {
    for (const Neighbour<RecordNumber>& hit : must(reader->search({query.data(), 10, 50, each})))
      EXPECT_TRUE(each == nullptr || each->has(hit.id));
    EXPECT_EQ(reader->figures().matches, each == nullptr ? 1500u : 750u);
  }
  // What it leads to is another thing in a later state.
  world().erase(1);
  world().put(3, world().maker().make(random));
  world().commit();
  const auto later = must(world().database().begin_read());
  const auto again = must(HnswReader::open(*later, world().items(), world().index()));
  EXPECT_EQ(must(again->search({query.data(), 749, 50, odd})).size(), 749u);
  EXPECT_EQ(again->figures().matches, 749u);
}

// A step plans for what is gone when it is carried out: the graph grows, and no record moves.
TEST_F(HnswFilter, AGraphThatGrowsByDeadNodesIsNotTheOneBefore) {
  Random random(22);
  make({.maker = {kFilterF32, 8}});
  world().put_some(0, 2000, random);
  world().commit();
  world().flush();
  world().put_some(5000, 100, random);
  world().commit();
  auto before = must(world().database().begin_read());
  const auto step = must(world().index().prepare(*before, world().items(), 100));
  ASSERT_NE(step, nullptr);
  for (std::int64_t id = 5000; id < 5100; ++id) world().erase(id);
  world().commit();
  const auto first = must(world().database().begin_read());
  const Filter among = filter(*first, [](RecordNumber i) { return i < 2000 && i % 2 == 0; });
  const ByteVector query = world().maker().make(random);
  const SearchRequest request{
      .vector = query.data(), .k = 10, .ef = 200, .among = among, .way = SearchWay::kWalk};
  const auto reader = must(HnswReader::open(*first, world().items(), world().index()));
  EXPECT_TRUE(reader->search(request));
  auto txn = must(world().database().begin_unlogged());
  must(step->apply(*txn, world().items()));
  must(world().database().writer()->commit(*txn, Durability::kOs));
  txn.reset();
  ASSERT_EQ(world().figure("dead"), 100u);
  const auto second = must(world().database().begin_read());
  ASSERT_EQ(world().state(*first).places.root, world().state(*second).places.root);
  const auto later = must(HnswReader::open(*second, world().items(), world().index()));
  EXPECT_EQ(found(*second, *later, request, query), 10u);
}

TEST_F(HnswFilter, PlacesThatCannotBeAreDamage) {
  Random random(21);
  make({.maker = {kFilterF32, 8}});
  world().put_some(0, 1500, random);
  world().commit();
  world().flush();
  std::byte bytes[4];
  store_le<std::uint32_t>(bytes, 1502);
  must(must(world().txn().array(world().index().form().structures.places))->set(9, bytes));
  const auto reader = must(HnswReader::open(world().txn(), world().items(), world().index()));
  const ByteVector query = world().maker().make(random);
  const Filter some = filter(world().txn(), [](RecordNumber i) { return i % 3 == 0; });
  const auto found = reader->search({query.data(), 10, 50, some});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), ErrorCode::kCorrupt);
  EXPECT_NE(found.error().message().find("record 9 at place 1502, there are 1501"),
            std::string::npos)
      << found.error().message();
  const Filter others = filter(world().txn(), [](RecordNumber i) { return i % 3 == 1; });
  EXPECT_TRUE(reader->search({query.data(), 10, 50, others}));
  world().abort();
}

}  // namespace
}  // namespace quire
