// Indexes built from records that are there.
#include "index/ordered/entry_batch.h"
#include "tests/ordered/ordered_world.h"

namespace quire {
namespace {

using namespace test;

Item numbered(int i) {
  Item item;
  item.id = "key" + std::to_string(1000000 + i);
  item.size = (i * 7919) % 10007;
  item.section = std::string("section ") + static_cast<char>('a' + i % 26);
  item.tags = {"t" + std::to_string(i % 5), "t" + std::to_string(i % 3)};
  return item;
}

void fill(World& world, int records) {
  for (int i = 0; i < records; ++i) must(world.insert(numbered(i)));
}

constexpr const char* kOptions[] = {
    R"({"fields": ["size"], "unique": true, "covering": ["section"]})",
    R"({"fields": ["section", "-size"]})",
    R"({"fields": ["tags[]"]})",
};

TEST(SortedBuild, is_the_same_whatever_memory_there_is) {
  World world;
  for (std::size_t i = 0; i < std::size(kOptions); ++i)
    world.add_index("before" + std::to_string(i), kOptions[i]);
  fill(world, 3000);
  for (const std::uint64_t memory :
       {std::uint64_t{0}, (std::uint64_t{1} << 20) + 20'000, std::uint64_t{64} << 20}) {
    for (std::size_t i = 0; i < std::size(kOptions); ++i) {
      world.set_shop(must(world.try_index("after", kOptions[i], {}, memory)));
      EXPECT_EQ(world.entries("after"), world.entries("before" + std::to_string(i)));
      world.set_shop(must(drop_index(world.txn(), world.shop(), "after", kKinds)));
    }
  }
  EXPECT_TRUE(world.damages().empty());
}

TEST(SortedBuild, fits_in_a_transaction_with_little_memory) {
  World world(4096, 256 << 10);
  fill(world, 10'000);
  world.commit();
  world.add_index("x", kOptions[1]);
  world.add_index("y", kOptions[0]);
  EXPECT_EQ(world.entries("x").size(), 10'000U);
  EXPECT_TRUE(world.damages().empty());
  world.commit();
  world.crash();
  world.reload();
  EXPECT_EQ(world.entries("x").size(), 10'000U);
  EXPECT_TRUE(world.damages().empty());
}

TEST(SortedBuild, of_nothing_is_empty) {
  World world;
  world.add_index("x", kOptions[0]);
  EXPECT_TRUE(world.entries("x").empty());
  must(world.insert(numbered(1)));
  EXPECT_EQ(world.entries("x").size(), 1U);
}

void expect_unchanged(World& world, std::uint64_t records) {
  world.reload();
  EXPECT_TRUE(world.shop().indexes().empty());
  EXPECT_EQ(must(world.shop().count(world.txn())), records);
  world.add_index("x", kOptions[1]);
  EXPECT_EQ(world.entries("x").size(), records);
  EXPECT_TRUE(world.damages().empty());
}

TEST(SortedBuild, that_is_stopped_leaves_everything_as_it_was) {
  for (const int stop_at : {0, 1, 2, 3}) {
    World world;
    fill(world, 6000);
    int calls = 0;
    const auto made =
        world.try_index("x", kOptions[0], [&](std::uint64_t done, std::uint64_t total) {
          EXPECT_EQ(total, 6000U);
          EXPECT_LE(done, total);
          return calls++ != stop_at;
        });
    EXPECT_EQ(code_of(made), ErrorCode::kCancelled);
    expect_unchanged(world, 6000);
  }
}

TEST(SortedBuild, tells_how_far_it_is) {
  World world;
  fill(world, 9000);
  std::uint64_t last = 0;
  int calls = 0;
  must(world.try_index("x", kOptions[1], [&](std::uint64_t done, std::uint64_t total) {
    EXPECT_GE(done, last);
    last = done;
    ++calls;
    return done <= total;
  }));
  EXPECT_EQ(last, 9000U);
  EXPECT_GE(calls, 6);
}

TEST(SortedBuild, that_finds_a_key_twice_names_both_records_and_leaves_everything_as_it_was) {
  for (const std::uint64_t memory : {std::uint64_t{0}, std::uint64_t{64} << 20}) {
    World world;
    fill(world, 300);
    Item item = numbered(1000);
    item.size = numbered(17).size;
    must(world.insert(item));
    const auto made = world.try_index("x", kOptions[0], {}, memory);
    EXPECT_EQ(code_of(made), ErrorCode::kUnique);
    EXPECT_NE(words_of(made).find("both have the key 4532"), std::string::npos);
    EXPECT_NE(words_of(made).find("'key1000017'"), std::string::npos);
    EXPECT_NE(words_of(made).find("'key1001000'"), std::string::npos);
    expect_unchanged(world, 301);
  }
}

TEST(SortedBuild, that_finds_too_long_a_key_leaves_everything_as_it_was) {
  World world;
  fill(world, 100);
  Item item = numbered(50);
  item.section = std::string(2000, 'l');
  must(world.upsert(item));
  const auto made = world.try_index("x", kOptions[1]);
  EXPECT_EQ(code_of(made), ErrorCode::kKeySize);
  EXPECT_NE(words_of(made).find("field 'section': the record 'key1000050'"), std::string::npos);
  item.section = "short";
  must(world.upsert(item));
  expect_unchanged(world, 100);
}

std::string random_key(Random& random, const std::string& shared) {
  std::string key = shared;
  for (std::uint64_t words = random() % 3; words > 0; --words)
    key += random() % 2 == 0 ? "12345678" : "12345679";
  key.append(random() % 14, static_cast<char>(random() % 3));
  return key + static_cast<char>(random() % 3);
}

TEST(EntryBatch, sorts_keys_of_all_lengths) {
  Random random(1);
  for (int round = 0; round < 100; ++round) {
    EntryBatch batch;
    for (int fill = 0; fill < 2; ++fill) {
      std::map<std::string, std::string> model;
      const std::string shared(random() % 12, 's');
      for (int i = 0; i < 400; ++i) {
        const std::string key = random_key(random, shared);
        const std::string value(random() % 50 == 0 ? random() % 200'000 : 3, 'v');
        if (model.emplace(key, value).second) batch.add(as_bytes(key), as_bytes(value));
      }
      batch.sort();
      ASSERT_EQ(batch.size(), model.size());
      std::size_t at = 0;
      for (const auto& [key, value] : model) {
        ASSERT_EQ(as_text(batch.key(at)), key);
        ASSERT_EQ(as_text(batch.value(at++)), value);
      }
      batch.clear();
      EXPECT_LE(batch.memory_bytes(), 2U << 20);
    }
  }
}

}  // namespace
}  // namespace quire
