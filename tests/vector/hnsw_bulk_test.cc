// Indexes that are built in memory by several threads, and loads of many records in one
// transaction: they have what the records have, also where memory is short, where they are stopped,
// and after a crash.
#include "tests/vector/hnsw_world.h"

namespace quire {
namespace {

using namespace test;

constexpr FieldType kBulkType = FieldType::kVectorF32;
constexpr const char* kQuick = R"({"field": "vector", "m": 8, "ef_construction": 40, "tail_bytes": 16384})";

TEST(HnswBulk, SeveralThreadsBuildWhatSearchesFind) {
  Random random(1);
  HnswWorld world({.maker = {kBulkType, 16}, .indexed = false, .build_threads = 4});
  world.put_some(0, 5000, random);
  for (int id = 0; id < 5000; id += 9) world.erase(id);
  for (int id = 1; id < 5000; id += 9) world.put(id, std::nullopt);
  world.commit();
  std::uint64_t last = 0;
  world.set_items(must(world.try_index(
      R"({"field": "vector"})", [&](std::uint64_t done, std::uint64_t total) {
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
  EXPECT_EQ(world.found(world.txn(), world.maker().make(random), 10, 100), 10u) << "all in the tail";
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

}  // namespace
}  // namespace quire
