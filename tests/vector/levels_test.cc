// Levels of places, and where their lists are.
#include "index/vector/hnsw/levels.h"

#include <gtest/gtest.h>

#include <set>

namespace quire::hnsw {
namespace {

TEST(Levels, OfEachGroupOnePlaceIsAtItsLevel) {
  for (const std::uint32_t seed : {0U, 1U, 77U}) {
    for (unsigned level = 1; level <= 4; ++level) {
      const Place size = 1U << (kGroupBits * level);
      for (Place group = 0; group * size < 1U << 17; ++group) {
        unsigned there = 0;
        for (Place place = group * size; place < (group + 1) * size; ++place)
          if (level_of(place, seed) >= level) ++there;
        ASSERT_EQ(there, 1u) << "group " << group << " of level " << level;
      }
    }
  }
}

TEST(Levels, ThePlaceOfAGroupIsTheOneAtItsLevel) {
  for (const std::uint32_t seed : {0U, 3U}) {
    for (Place place = 0; place < 1U << 16; ++place)
      for (unsigned level = 0; level <= level_of(place, seed); ++level)
        ASSERT_EQ(place_of(level, group_of(level, place), seed), place) << level;
    for (Place group = 0; group < 300; ++group)
      ASSERT_GE(level_of(place_of(2, group, seed), seed), 2u);
  }
}

TEST(Levels, SeedsAndGroupsPickDifferently) {
  std::set<Place> picked;
  std::set<Place> of_seeds;
  for (Place place = 0; place < 16 * 64; ++place)
    if (level_of(place, 5) >= 1) picked.insert(place % 16);
  for (std::uint32_t seed = 0; seed < 64; ++seed)
    for (Place place = 16; place < 32; ++place)
      if (level_of(place, seed) >= 1) of_seeds.insert(place);
  EXPECT_GT(picked.size(), 12u);
  EXPECT_GT(of_seeds.size(), 12u);
}

TEST(Levels, EachListAboveHasASlotAndEachSlotAList) {
  std::set<std::uint64_t> slots;
  const Place end = 1U << 16;
  for (Place place = 0; place < end; ++place)
    for (unsigned level = 1; level <= std::min(4U, level_of(place, 3)); ++level)
      ASSERT_TRUE(slots.insert(upper_slot(level, place)).second) << place << " at " << level;
  // 4096 groups of level 1, 256, 16 and 1 of level 4: dense.
  EXPECT_EQ(slots.size(), 4096u + 256 + 16 + 1);
  EXPECT_EQ(*slots.begin(), 0u);
  EXPECT_EQ(*slots.rbegin(), slots.size() - 1);
}

TEST(Levels, TheGreatestPlacesHaveTheirSlots) {
  const Place last = kEndOfPlaces - 1;
  EXPECT_LT(upper_slot(1, last), std::uint64_t{kEndOfPlaces} / 15 + 8);
  EXPECT_GT(upper_slot(kTopLevel, last), upper_slot(1, last));
  EXPECT_LE(level_of(last, 0), kTopLevel);
}

}  // namespace
}  // namespace quire::hnsw
