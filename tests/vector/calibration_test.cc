// What an index measures of itself, and what it makes of it.
#include "index/vector/hnsw/hnsw_calibrate.h"
#include "tests/vector/hnsw_world.h"

namespace quire::test {
namespace {

using hnsw::Calibration;

Calibration ladder_of(std::initializer_list<double> recalls) {
  Calibration made{.count = static_cast<std::uint8_t>(recalls.size()), .linked = 5, .nodes = 5};
  std::ranges::transform(recalls, made.recall.begin(), [](double recall) {
    return static_cast<std::uint16_t>(recall * UINT16_MAX);
  });
  return made;
}

TEST(Calibration, GivesTheLeastEfThatReachesATarget) {
  const Calibration made = ladder_of({0.6, 0.8, 0.9, 1.0});  // of 10, 14, 20, 28
  EXPECT_EQ(made.ef_for(0.5, 10), 10u);
  EXPECT_EQ(made.ef_for(0.7, 10), 12u);
  EXPECT_NEAR(static_cast<double>(made.ef_for(0.95, 10)), 24, 1);
  EXPECT_EQ(made.ef_for(0.7, 1), 12u);
  EXPECT_NEAR(static_cast<double>(made.ef_for(0.7, 100)), 120, 1);
  // What none reaches gets the most.
  EXPECT_EQ(ladder_of({0.2, 0.3}).ef_for(0.99, 10), Calibration::kLadder.back());
  EXPECT_EQ(made.ef_for(0.9999, 10'000'000), hnsw::kMostEf);
}

TEST(Calibration, HasUsualValuesBeforeItIsMeasured) {
  const Calibration none;
  EXPECT_EQ(none.ef_for(hnsw::kTargetFast, 10), 64u);
  EXPECT_EQ(none.ef_for(hnsw::kTargetBalanced, 10), 128u);
  EXPECT_EQ(none.ef_for(hnsw::kTargetHigh, 10), 400u);
  EXPECT_EQ(none.ef_for(hnsw::kTargetHigh, 20), 800u);
}

TEST(Calibration, IsReadBackAndRefusedWhereItCannotBe) {
  const auto read = [](const ByteVector& bytes) {
    ByteReader reader(bytes);
    return Calibration::decode(reader);
  };
  const Calibration made = ladder_of({0.6, 0.8, 0.9});
  ByteVector bytes;
  ByteWriter writer(bytes);
  made.encode(writer);
  ASSERT_EQ(bytes.size(), Calibration::kBytes);
  EXPECT_EQ(must(read(bytes)), made);
  ByteVector wrong = bytes;
  wrong[0] = std::byte{16};
  EXPECT_FALSE(read(wrong));
  wrong = bytes;
  wrong[17 + 3] = std::byte{1};  // the second falls below the first
  EXPECT_FALSE(read(wrong));
  wrong = bytes;
  wrong.back() = std::byte{1};
  EXPECT_FALSE(read(wrong));
  wrong.resize(20);
  EXPECT_FALSE(read(wrong));
}

TEST(Calibration, IsMeasuredWhereAQuarterIsNew) {
  HnswWorld world;
  Random random(4);
  world.put_some(0, 900, random);
  world.commit();
  world.flush();
  EXPECT_EQ(must(world.index().backlog(*must(world.database().begin_read()))), 0);
  const auto calibrated = [&] {
    const auto snapshot = must(world.database().begin_read());
    return world.state(*snapshot).head.calibration.nodes;
  };
  EXPECT_EQ(calibrated(), 0u);  // too few
  world.put_some(900, 1100, random);
  world.commit();
  world.flush();
  // While a little waits yet.
  const std::uint64_t first = calibrated();
  EXPECT_GE(first, 1500u);
  world.put_some(2000, 100, random);
  world.commit();
  world.flush();
  EXPECT_EQ(calibrated(), first);
  world.put_some(0, 600, random);  // replaced ones count as well
  world.commit();
  world.flush();
  EXPECT_NE(calibrated(), first);
  const std::uint64_t second = calibrated();
  world.check();
  world.close_and_open();
  EXPECT_EQ(calibrated(), second);
}

TEST(Calibration, SaysWhatSearchesFind) {
  HnswWorld world({.maker = {FieldType::kVectorF32, 24}});
  Random random(5);
  world.put_some(0, 4000, random);
  world.commit();
  world.flush();
  const auto snapshot = must(world.database().begin_read());
  const Calibration measured = world.state(*snapshot).head.calibration;
  ASSERT_GT(measured.count, 3u);
  for (const double target : {0.9, 0.95, 0.99})
    EXPECT_NEAR(world.recall(random, 200, 10, measured.ef_for(target, 10)), target, 0.08) << target;
}

// Every type, metric and kind of code.
TEST(Calibration, MeasuresOverEveryTypeAndMetric) {
  struct Case {
    FieldType type;
    const char* metric;
  };
  for (const Case& each :
       {Case{FieldType::kVectorF32, "cosine"}, Case{FieldType::kVectorF32, "inner_product"},
        Case{FieldType::kVectorF16, "l2"}, Case{FieldType::kVectorI8, "l1"},
        Case{FieldType::kVectorBits, "jaccard"}}) {
    HnswWorld world(
        {.maker = {each.type, 16},
         .options = std::string(R"({"field": "vector", "metric": ")") + each.metric + "\"}"});
    Random random(6);
    world.put_some(0, 1500, random);
    world.commit();
    world.flush();
    EXPECT_GE(world.figure("calibrated at nodes"), 1200u) << each.metric;
    world.check();
  }
}

}  // namespace
}  // namespace quire::test
