#include "index/kernels/top_k.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "index/kernels/distance.h"
#include "index/kernels/exact_scan.h"

namespace quire {
namespace {

constexpr float kFarthest = std::numeric_limits<float>::infinity();
constexpr float kNoDistance = std::numeric_limits<float>::quiet_NaN();

using Entry = Neighbour<std::uint64_t>;

std::vector<Entry> sorted(TopK<>& top) {
  const auto entries = top.sorted();
  return {entries.begin(), entries.end()};
}

TEST(TopK, IsTheHeadOfTheSortedCandidatesInAnyOrderOfArrival) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    const std::size_t count = random() % 60;
    const std::size_t k = random() % 20;
    std::vector<Entry> candidates;
    for (std::size_t id = 0; id < count; ++id)  // few distances, so that many tie
      candidates.push_back({static_cast<float>(random() % 8) - 3.0F, id});
    std::shuffle(candidates.begin(), candidates.end(), random);
    TopK<> top(k);
    for (const Entry& candidate : candidates) {
      const float bound = top.bound();
      const bool kept = top.offer(candidate.distance, candidate.id);
      EXPECT_TRUE(!kept || candidate.distance <= bound);
      EXPECT_EQ(top.full(), top.size() == k);
    }
    std::sort(candidates.begin(), candidates.end(), nearer<std::uint64_t>);
    candidates.resize(std::min(k, count));
    EXPECT_EQ(sorted(top), candidates);
  }
}

TEST(TopK, KeepsNothingWhenKIsZero) {
  TopK<> top(0);
  EXPECT_FALSE(top.offer(-kFarthest, 1));
  EXPECT_TRUE(top.sorted().empty());
}

TEST(TopK, NanComesLastAndCostsNobodyAPlace) {
  TopK<> top(3);
  top.offer(kNoDistance, 1);
  top.offer(kFarthest, 2);
  top.offer(kNoDistance, 0);
  EXPECT_EQ(top.bound(), kFarthest);
  EXPECT_TRUE(top.offer(5, 3));
  EXPECT_TRUE(top.offer(4, 4));
  EXPECT_FALSE(top.offer(kNoDistance, 5));
  const std::vector<Entry> expected = {{4, 4}, {5, 3}, {kFarthest, 2}};
  EXPECT_EQ(sorted(top), expected);
}

TEST(TopK, ZerosOfBothSignsTie) {
  TopK<> top(2);
  top.offer(0.0F, 1);
  top.offer(-0.0F, 2);
  top.offer(0.0F, 0);
  const auto entries = sorted(top);
  EXPECT_EQ(entries[0].id, 0u);
  EXPECT_EQ(entries[1].id, 1u);
}

TEST(TopK, CanBeUsedAgainAfterReset) {
  TopK<> top(2);
  top.offer(1, 1);
  top.sorted();
  top.reset(1);
  top.offer(3, 3);
  top.offer(2, 2);
  EXPECT_EQ(sorted(top), (std::vector<Entry>{{2, 2}}));
}

TEST(ExactScan, FindsWhatOneByOneFindsAcrossPieces) {
  std::mt19937 random(8);
  std::uniform_int_distribution<int> component(-4, 4);  // integers: exact, with many ties
  constexpr std::size_t kDimension = 19;
  constexpr std::size_t kCount = 333;
  std::vector<float> rows(kCount * kDimension);
  for (float& value : rows) value = static_cast<float>(component(random));
  const std::vector<float> query(rows.begin(), rows.begin() + kDimension);
  const DistanceFunctions distance = distance_kernels().f32.l2;
  TopK<> expected(10);
  for (std::size_t i = 0; i < kCount; ++i)
    expected.offer(distance.one(query.data(), &rows[i * kDimension], kDimension), i);
  TopK<> found(10);
  for (std::size_t begin = 0; begin < kCount;) {
    const std::size_t count = std::min<std::size_t>(1 + random() % 150, kCount - begin);
    scan_rows<std::uint64_t>(distance, query.data(), kDimension,
                             {&rows[begin * kDimension], kDimension * 4, count}, begin, found);
    begin += count;
  }
  EXPECT_EQ(sorted(found), sorted(expected));
}

}  // namespace
}  // namespace quire
