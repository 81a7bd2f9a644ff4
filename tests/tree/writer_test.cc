// What the writer promises beyond the right content: how full nodes are, which pages are left
// alone, errors, catalogs.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "engine/tree/node.h"
#include "tests/tree/tree_world.h"

namespace quire::test {
namespace {

constexpr TreeRoot kEmpty{.root = {}, .id = 5};

std::string numbered(std::uint64_t n) {
  std::string key(8, '\0');
  store_be(reinterpret_cast<std::byte*>(key.data()), n);
  return "row/" + key;
}

class WriterTest : public testing::Test {
 protected:
  void put(std::uint64_t n) { must(writer_.put(as_bytes(numbered(n)), as_bytes(value_))); }

  // Bytes of entries in the leaves, as a share of the leaves' pages.
  double fill() {
    std::uint64_t leaves = 0;
    std::uint64_t used = 0;
    TreeCheck check;
    check.on_page = [&](PageNumber page, PageNumber) -> Status {
      const std::byte* bytes =
          world_.pages().fetch({.checksum = 0, .count = 0, .birth = 1, .page = page});
      const NodeView node(bytes, world_.page_size());
      if (node.is_branch()) return {};
      ++leaves;
      used += node.used();
      return {};
    };
    must(tree_check(world_.pages().reader(), writer_.root(), check));
    return static_cast<double>(used) /
           static_cast<double>(leaves * (world_.page_size() - kNodeFixedSize));
  }

  TreeWorld world_{4096};
  TreeWriter writer_{&world_.pages(), kEmpty};
  std::string value_ = std::string(100, 'v');
};

TEST_F(WriterTest, AscendingKeysFillTheLeaves) {
  for (std::uint64_t n = 0; n < 20000; ++n) put(n);
  EXPECT_GT(fill(), 0.95);
  world_.check(writer_.root());
}

TEST_F(WriterTest, DescendingKeysFillTheLeaves) {
  for (std::uint64_t n = 20000; n > 0; --n) put(n);
  EXPECT_GT(fill(), 0.9);
  world_.check(writer_.root());
}

TEST_F(WriterTest, RunsInTheMiddleFillTheLeaves) {
  for (std::uint64_t n = 0; n < 20; ++n) put(n << 32);
  for (std::uint64_t base = 0; base < 20; ++base)
    for (std::uint64_t n = 1; n < 2000; ++n) put((base << 32) + n);
  EXPECT_GT(fill(), 0.9);
  world_.check(writer_.root());
}

TEST_F(WriterTest, RandomKeysLeaveTwoThirdsFull) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 30000; ++i) put(random());
  EXPECT_GT(fill(), 0.62);
  world_.check(writer_.root());
}

// A branch that began with two children knew no prefix, and searching it compared whole keys.
TEST_F(WriterTest, BranchesThatGrowInPlaceFindTheirPrefix) {
  for (std::uint64_t n = 0; n < 20000; ++n) put(n);
  const auto root_prefix = [&] {
    const NodeView root(world_.pages().fetch(writer_.root().root), world_.page_size());
    EXPECT_TRUE(root.is_branch());
    return root.prefix_size();
  };
  EXPECT_GE(root_prefix(), std::string("row/").size());
  // Keys that do not share it take it away again.
  for (std::uint64_t n = 0; n < 2000; ++n) {
    const std::string number = numbered(n).substr(4);
    must(writer_.put(as_bytes("aaa/" + number), as_bytes(value_)));
    must(writer_.put(as_bytes("zzz/" + number), as_bytes(value_)));
  }
  EXPECT_EQ(root_prefix(), 0U);
  world_.check(writer_.root());
  for (std::uint64_t n = 0; n < 20000; n += 7)
    EXPECT_TRUE(must(writer_.get(as_bytes(numbered(n)))).has_value()) << n;
  for (std::uint64_t n = 0; n < 2000; n += 7)
    EXPECT_TRUE(must(writer_.get(as_bytes("zzz/" + numbered(n).substr(4)))).has_value()) << n;
}

TEST_F(WriterTest, ErasingAlmostAllShrinksTheTree) {
  for (std::uint64_t n = 0; n < 20000; ++n) put(n);
  const std::uint64_t full = world_.check(writer_.root());
  for (std::uint64_t n = 0; n < 20000; ++n) {
    if (n % 40 == 0) continue;
    ASSERT_TRUE(must(writer_.erase(as_bytes(numbered(n)))));
  }
  EXPECT_LT(world_.check(writer_.root()), full / 8);
  EXPECT_EQ(writer_.root().count(), 500u);
  for (std::uint64_t n = 0; n < 20000; n += 40) must(writer_.erase(as_bytes(numbered(n))));
  EXPECT_EQ(writer_.root().height, 0);
  EXPECT_FALSE(writer_.root().root);
}

TEST_F(WriterTest, ARangeIsErasedWithoutReadingWhatItCovers) {
  for (std::uint64_t n = 0; n < 20000; ++n) put(n);
  TreeRoot root = writer_.root();
  world_.commit();
  world_.publish(root);
  TreeWriter writer(&world_.pages(), root);
  EXPECT_EQ(must(writer.erase_range(as_bytes(numbered(10)), as_bytes(numbered(19990)))), 19980u);
  EXPECT_LT(world_.pages().private_bytes(), 16u * 4096);  // the two edges
  EXPECT_LE(writer.root().height, 2);
  world_.check(writer.root());
}

TEST_F(WriterTest, ChangesThatChangeNothingTouchNothing) {
  for (std::uint64_t n = 0; n < 1000; ++n) put(n);
  TreeRoot root = writer_.root();
  world_.commit();
  world_.publish(root);
  TreeWriter writer(&world_.pages(), root);
  const std::uint64_t version = writer.version();
  EXPECT_FALSE(must(writer.erase(as_bytes("none"))));
  EXPECT_EQ(must(writer.erase_range(as_bytes("none"), as_bytes("nones"))), 0u);
  EXPECT_FALSE(writer.put(as_bytes(numbered(5)), as_bytes("x"), TreeWriter::PutMode::kInsert));
  EXPECT_FALSE(writer.put(as_bytes("none"), as_bytes("x"), TreeWriter::PutMode::kUpdate));
  EXPECT_EQ(world_.pages().private_bytes(), 0u);
  EXPECT_EQ(writer.root().root, root.root);
  EXPECT_EQ(writer.version(), version);
}

TEST_F(WriterTest, AKeyAndAValueMayComeFromTheTreeItself) {
  // Small pages and cells of many sizes: most puts move what they copy from.
  TreeWorld world(512);
  TreeWriter writer(&world.pages(), kEmpty);
  std::map<std::string, std::string> model;
  std::mt19937 random(3);
  for (int i = 0; i < 3000; ++i) {
    const std::string to = std::to_string(random() % 300);
    if (i % 3 == 0) {
      model[to] = std::string(random() % 60, static_cast<char>('a' + i % 26)) + to;
      must(writer.put(as_bytes(to), as_bytes(model[to])));
      continue;
    }
    const auto from = std::next(model.begin(), static_cast<int>(random() % model.size()));
    const auto value = must(writer.get(as_bytes(from->first)));
    ASSERT_TRUE(value);
    // A part of it, under its own key or another.
    const std::size_t cut = random() % (value->size() + 1);
    const std::string& key = i % 3 == 1 ? to : from->first;
    const std::string expected = from->second.substr(cut);
    must(writer.put(as_bytes(key), value->subspan(cut)));
    model[key] = expected;
    ASSERT_EQ(as_text(*must(writer.get(as_bytes(key)))), expected) << i;
  }
  world.check(writer.root());
  EXPECT_EQ(writer.root().count(), model.size());
  for (const auto& [key, value] : model)
    EXPECT_EQ(as_text(*must(writer.get(as_bytes(key)))), value);
}

TEST_F(WriterTest, RefusesKeysOfTheWrongSize) {
  const std::string longest(max_key_size(4096), 'k');
  EXPECT_TRUE(writer_.put(as_bytes(longest), {}));
  for (const std::string& key : {std::string(), longest + "k"}) {
    const auto result = writer_.put(as_bytes(key), {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::kKeySize);
  }
  EXPECT_FALSE(must(writer_.erase({})));
  EXPECT_FALSE(must(writer_.get({})));
  EXPECT_EQ(writer_.root().count(), 1u);
}

TEST_F(WriterTest, ValuesGrowIntoOverflowAndBack) {
  for (const std::size_t size : {0u, 10u, 1000u, 5000u, 100000u, 5u, 4096u, 0u}) {
    const std::string value(size, 'x');
    must(writer_.put(as_bytes("key"), as_bytes(value)));
    EXPECT_EQ(as_text(*must(writer_.get(as_bytes("key")))), value);
    world_.check(writer_.root());
  }
  const TreeRoot root = writer_.root();
  world_.commit();
  world_.check_all(root);
}

TEST_F(WriterTest, ACatalogIsOfItsOwnKindAndChangeableInPlace) {
  TreeRoot empty = kEmpty;
  empty.catalog = true;
  TreeWriter writer(&world_.pages(), empty);
  for (std::uint64_t n = 0; n < 10; ++n) must(writer.put(as_bytes(numbered(n)), as_bytes("value")));
  const auto too_long = writer.put(as_bytes("k"), as_bytes(std::string(5000, 'x')));
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code(), ErrorCode::kValueSize);

  PagePtr root = writer.root().root;
  std::byte* page = must(world_.pages().touch(root));
  EXPECT_EQ(NodeView(page, 4096).kind(), PageKind::kCatalogLeaf);
  std::uint64_t n = 0;
  must(tree_for_each_value({page, 4096}, [&](Bytes key, MutableBytes value) -> Status {
    EXPECT_EQ(as_text(key), numbered(n++));
    EXPECT_EQ(as_text(value), "value");
    value[0] = std::byte{'V'};
    return {};
  }));
  EXPECT_EQ(n, 10u);
  EXPECT_EQ(as_text(*must(writer.get(as_bytes(numbered(3))))), "Value");
  // Not a catalog: refused. And the other way, the check minds the kind.
  put(1);
  PagePtr other = writer_.root().root;
  EXPECT_FALSE(tree_for_each_value({must(world_.pages().touch(other)), 4096},
                                   [](Bytes, MutableBytes) -> Status { return {}; }));
  TreeRoot wrong = writer.root();
  wrong.catalog = false;
  EXPECT_FALSE(tree_check(world_.pages().reader(), wrong, {}));
}

TEST_F(WriterTest, CheckFindsWrongCountsAndGoesOn) {
  for (std::uint64_t n = 0; n < 2000; ++n) put(n);
  TreeRoot root = writer_.root();
  std::byte* page = must(world_.pages().touch(root.root));
  Node node(page, 4096);
  ASSERT_TRUE(node.is_branch());
  node.set_child_count(0, node.child_count(0) + 1);
  node.set_child_count(1, node.child_count(1) - 1);
  EXPECT_FALSE(tree_check(world_.pages().reader(), root, {}));
  int reports = 0;
  std::uint64_t entries = 0;
  TreeCheck check;
  check.on_damage = [&](const Error&) { ++reports; };
  check.on_entry = [&](Bytes, Bytes) -> Status {
    ++entries;
    return {};
  };
  EXPECT_TRUE(tree_check(world_.pages().reader(), root, check));
  EXPECT_EQ(reports, 2);
  EXPECT_EQ(entries, 2000u);
}

TEST_F(WriterTest, CursorsOfAnEmptyTreeAreOffTheEnds) {
  TreeCursor cursor(&world_.pages().reader(), kEmpty);
  must(cursor.first());
  EXPECT_FALSE(cursor.valid());
  must(cursor.seek(as_bytes("x")));
  EXPECT_FALSE(cursor.valid());
  must(cursor.seek_rank(0));
  EXPECT_FALSE(cursor.valid());
  must(cursor.next());
  must(cursor.previous());
  EXPECT_FALSE(cursor.valid());
  EXPECT_EQ(must(tree_rank(world_.pages().reader(), kEmpty, as_bytes("x"))), 0u);
}

}  // namespace
}  // namespace quire::test
