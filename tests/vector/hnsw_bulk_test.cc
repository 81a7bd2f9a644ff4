// Indexes that are built in memory by several threads, and loads of many records in one
// transaction: they have what the records have, also where memory is short, where they are stopped,
// and after a crash.
#include "tests/vector/hnsw_world.h"

namespace quire {
namespace {

using namespace test;

constexpr FieldType kBulkType = FieldType::kVectorF32;
constexpr const char* kQuick =
    R"({"field": "vector", "m": 8, "ef_construction": 40, "tail_bytes": 16384})";

TEST(HnswBulk, SeveralThreadsBuildWhatSearchesFind) {
  Random random(1);
  HnswWorld world({.maker = {kBulkType, 16}, .indexed = false, .build_threads = 4});
  world.put_some(0, 5000, random);
  for (int id = 0; id < 5000; id += 9) world.erase(id);
  for (int id = 1; id < 5000; id += 9) world.put(id, std::nullopt);
  world.commit();
  std::uint64_t last = 0;
  world.set_items(
      must(world.try_index(R"({"field": "vector"})", [&](std::uint64_t done, std::uint64_t total) {
        EXPECT_GE(done, last);
        EXPECT_LE(done, total);
        last = done;
        return true;
      })));
  world.commit();
  EXPECT_GT(last, 3000u);
  EXPECT_EQ(world.figure("tail"), 0u);
  EXPECT_EQ(world.figure("nodes"), 5000u - 556 - 556);
  EXPECT_GE(world.recall(random, 60, 10, 100), 0.97);
  world.check();
  world.crash();
  EXPECT_GE(world.recall(random, 30, 10, 100), 0.97);
  world.check();
}

TEST(HnswBulk, OfEveryTypeMetricAndCode) {
  const struct {
    VectorMaker maker;
    const char* options;
  } settings[] = {
      {{kBulkType, 12}, R"({"field": "vector", "metric": "cosine"})"},
      {{kBulkType, 12}, R"({"field": "vector", "metric": "inner_product"})"},
      {{kBulkType, 12}, R"({"field": "vector", "quantizer": "none", "m": 5})"},
      {{FieldType::kVectorF16, 9}, R"({"field": "vector"})"},
      {{FieldType::kVectorI8, 11}, R"({"field": "vector", "metric": "cosine"})"},
      {{FieldType::kVectorBits, 70}, R"({"field": "vector"})"},
  };
  for (const auto& setting : settings) {
    SCOPED_TRACE(setting.options);
    Random random(2);
    HnswWorld world({.maker = setting.maker,
                     .options = setting.options,
                     .page_size = 1024,
                     .indexed = false,
                     .build_threads = 2});
    world.put_some(0, 1500, random);
    world.add_index();
    world.commit();
    EXPECT_EQ(world.figure("nodes"), 1500u);
    EXPECT_GE(world.recall(random, 30, 10, 200), 0.9);
    world.check();
  }
}

TEST(HnswBulk, OfFewVectorsTheyWaitUntilThereAreEnoughForCodes) {
  Random random(3);
  for (const std::int64_t count : {0, 1, 1023, 1024}) {
    HnswWorld world({.indexed = false, .build_threads = 2});
    world.put_some(0, count, random);
    world.add_index();
    world.commit();
    const std::uint64_t linked = count < 1024 ? 0 : 1024;
    EXPECT_EQ(world.figure("nodes"), linked);
    EXPECT_EQ(world.figure("tail"), static_cast<std::uint64_t>(count) - linked);
    EXPECT_EQ(world.recall(random, 5, 10, 100), 1.0);
    world.check();
  }
}

// As many as fit at once, the others after them.
TEST(HnswBulk, OfMoreThanMemoryHoldsIsWhole) {
  Random random(4);
  HnswWorld world({.maker = {kBulkType, 8}, .indexed = false, .build_threads = 2});
  world.put_some(0, 4000, random);
  world.commit();
  for (const std::uint64_t kib : {1, 150, 300, 100'000}) {
    SCOPED_TRACE(kib);
    std::uint64_t last = 0;
    auto made = world.try_index(
        kQuick,
        [&](std::uint64_t done, std::uint64_t) {
          EXPECT_GE(done, last);
          last = done;
          return true;
        },
        kib << 10);
    world.set_items(must(std::move(made)));
    world.commit();
    EXPECT_EQ(world.figure("nodes"), 4000u);
    EXPECT_EQ(world.figure("tail"), 0u);
    EXPECT_GE(world.recall(random, 30, 10, 100), 0.95);
    world.check();
    world.set_items(must(drop_index(world.txn(), world.items(), "near", kVectorKinds)));
    world.commit();
  }
}

TEST(HnswBulk, StoppedAtAnyTimeLeavesNothing) {
  Random random(5);
  HnswWorld world({.indexed = false, .build_threads = 4});
  world.put_some(0, 6000, random);
  world.commit();
  const std::uint64_t pages = must(world.database().stat()).pages_total;
  for (int calls = 0; calls < 40; calls += 3) {
    int left = calls;
    const auto made =
        world.try_index(kQuick, [&](std::uint64_t, std::uint64_t) { return left-- > 0; });
    if (made) break;
    EXPECT_EQ(code_of(made), ErrorCode::kCancelled);
    EXPECT_NE(made.error().message().find("index 'near'"), std::string::npos);
    // What was there before in this transaction stays.
    world.put(7000 + calls, world.maker().make(random));
    world.commit();
    world.check();
  }
  EXPECT_LE(must(world.database().stat()).pages_total, 4 * pages);
}

TEST(HnswBulk, IsBuiltAnewBesideTheOldOne) {
  Random random(6);
  HnswWorld world({.maker = {kBulkType, 12}, .build_threads = 3});
  world.put_some(0, 3000, random);
  world.commit();
  world.flush();
  for (int id = 0; id < 3000; id += 4) world.erase(id);
  world.put_some(5000, 300, random);
  const auto before = must(world.database().begin_read());
  world.set_items(must(rebuild_index(world.txn(), world.items(), "near", kVectorKinds)));
  world.commit();
  EXPECT_EQ(world.figure("nodes"), 2550u);
  EXPECT_EQ(world.figure("dead"), 0u);
  EXPECT_EQ(world.figure("tail"), 0u);
  EXPECT_GE(world.recall(random, 30, 10, 100), 0.97);
  world.check();
}

TEST(HnswBulk, ALoadInOneTransactionLeavesNoTail) {
  Random random(7);
  HnswWorld world({.maker = {kBulkType, 8}, .options = kQuick, .build_threads = 4});
  world.put_some(0, 11'000, random);
  EXPECT_EQ(world.found(world.txn(), world.maker().make(random), 10, 100), 10u)
      << "all in the tail";
  const std::uint64_t checkpoints = must(world.database().stat()).checkpoints;
  world.commit();
  EXPECT_EQ(must(world.database().stat()).checkpoints, checkpoints + 1);
  EXPECT_EQ(world.figure("nodes"), 11'000u);
  EXPECT_EQ(world.figure("tail"), 0u);
  EXPECT_GE(world.recall(random, 30, 10, 100), 0.95);
  world.check();
  world.crash();
  EXPECT_EQ(world.figure("nodes"), 11'000u) << "not linked again";
  world.check();
}

// Into a graph that has dead and free places.
TEST(HnswBulk, ALoadUsesFreePlacesAndNamesNoDeadNode) {
  Random random(8);
  HnswWorld world({.maker = {kBulkType, 8}, .options = kQuick, .build_threads = 4});
  world.put_some(0, 6000, random);
  world.commit();
  world.flush();
  for (int id = 0; id < 6000; id += 3) world.erase(id);
  world.commit();
  world.flush();
  const std::uint64_t free = world.figure("free");
  EXPECT_GT(free, 1000u);
  for (int id = 1; id < 3000; id += 3) world.put(id, world.maker().make(random));
  world.put_some(10'000, 7000, random);
  world.commit();
  EXPECT_EQ(world.figure("tail"), 0u);
  EXPECT_EQ(world.figure("free"), 0u);
  EXPECT_EQ(world.figure("nodes"), 11'000u);
  const auto snapshot = must(world.database().begin_read());
  EXPECT_LE(world.state(*snapshot).roots.lists.size, 6000u - free + 8001);
  EXPECT_GE(world.recall(random, 40, 10, 150), 0.93);
  world.check();
  world.flush();
  world.check();
}

TEST(HnswBulk, ARolledBackLoadIsNone) {
  Random random(9);
  HnswWorld world({.maker = {kBulkType, 8}, .options = kQuick, .build_threads = 2});
  world.put_some(0, 1500, random);
  world.commit();
  world.put_some(2000, 5000, random);
  world.abort();
  EXPECT_EQ(world.stat().entries, 1500u);
  const std::size_t point = must(world.txn().savepoint());
  world.put_some(2000, 6000, random);
  must(world.txn().rollback_to(point));
  must(world.txn().release(point));
  world.put_some(9000, 5, random);
  world.commit();
  EXPECT_EQ(world.stat().entries, 1505u);
  world.check();
}

// ---------------------------------------------------------------- pieces

// Of so many codes of 512 bytes a piece is written straight to the file.
constexpr std::int64_t kOverAPiece = 4300;
constexpr const char* kLight = R"({"field": "vector", "m": 4, "ef_construction": 8})";

HnswWorld::Setting wide() {
  return {.maker = {kBulkType, 512}, .options = kLight, .indexed = false, .build_threads = 2};
}

void load_wide(HnswWorld& world) {
  Random random(10);
  world.put_some(0, kOverAPiece, random);
  world.commit();
  must(world.database().checkpoint());
}

// What is there after a loss of power is whole: the records, and the index if its commit was
// promised.
void expect_whole(HnswWorld& world, std::uint64_t seed, bool promised) {
  const auto disk = world.lose_power(seed);
  const auto database = must(Database::open(*disk, "/items.quire", world.options()));
  std::string damage;
  const Status checked = database->check([&](const std::string& text) {
    damage += text + "\n";
    return true;
  });
  EXPECT_TRUE(checked) << damage << checked.error().message();
  {
    const auto snapshot = must(database->begin_read());
    CollectionCache cache(kVectorKinds);
    const Collection items = must(Collection::open(*snapshot, "items", &cache));
    EXPECT_EQ(must(items.count(*snapshot)), static_cast<std::uint64_t>(kOverAPiece));
    if (promised) {
      ASSERT_EQ(items.indexes().size(), 1u);
    }
    for (const auto& index : items.indexes()) {
      EXPECT_EQ(must(index->stat(*snapshot)).entries, static_cast<std::uint64_t>(kOverAPiece));
    }
  }
  EXPECT_TRUE(database->close());
}

TEST(HnswBulk, LossOfPowerAtAnyOperationOfABuildLosesNothing) {
  bool promised = false;
  for (std::uint64_t at = 1; !promised; at += at < 6 ? 1 : 19) {
    SCOPED_TRACE(at);
    ASSERT_LT(at, 2000u);
    HnswWorld world(wide());
    load_wide(world);
    (void)world.txn();  // begun
    world.disk().set_crash_at(world.disk().operations() + at);
    if (world.try_index(kLight)) {
      world.txn().commit_by_checkpoint();
      promised = world.try_commit().has_value();
    }
    expect_whole(world, at, promised);
  }
}

// Each operation of a build in turn; where the device is full a piece is done without.
TEST(HnswBulk, AnOperationThatFailsUndoesABuildOrIsDoneWithout) {
  HnswWorld world(wide());
  load_wide(world);
  (void)world.txn();
  std::uint64_t before = world.disk().operations();
  must(world.try_index(kLight));
  const std::uint64_t operations = world.disk().operations() - before;
  EXPECT_GE(operations, 2u) << "space, and a piece";
  int failed = 0;
  for (std::uint64_t at = 1; at <= operations; at += at < 20 ? 1 : 5) {
    for (const io::FaultKind kind :
         {io::FaultKind::kIo, io::FaultKind::kFull, io::FaultKind::kShortWrite}) {
      SCOPED_TRACE(at);
      world.crash();  // it may be poisoned
      (void)world.txn();
      before = world.disk().operations();
      world.disk().fail_at(before + at, kind);
      failed += world.try_index(kLight) ? 0 : 1;
      ASSERT_GE(world.disk().operations(), before + at);
    }
  }
  EXPECT_GT(failed, 0);
  world.crash();
  ASSERT_EQ(world.damages(), "");
  world.add_index();
  world.commit();
  EXPECT_EQ(world.figure("nodes"), static_cast<std::uint64_t>(kOverAPiece));
  world.check();
}

TEST(HnswBulk, CodesLieInHugePages) {
  HnswWorld world(wide());
  load_wide(world);
  world.add_index();
  world.commit();
  const auto snapshot = must(world.database().begin_read());
  ArrayView codes(snapshot->reader(), world.state(*snapshot).roots.codes);
  const std::byte* const first = codes.at(0);
  EXPECT_EQ(codes.at(4095) - first, 4095 * 512);
}

}  // namespace
}  // namespace quire
