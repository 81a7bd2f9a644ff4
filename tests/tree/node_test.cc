// One node: searching, changing in place, rebuilding, and what is said of bytes that are none.
#include "engine/tree/node.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include "engine/tree/node_edit.h"
#include "engine/tree/tree.h"

namespace quire {
namespace {

constexpr NodeIdentity kLeafIdentity{PageKind::kLeaf, 0, 7, 12, 3};
constexpr NodeIdentity kBranchIdentity{PageKind::kBranch, 1, 7, 12, 3};

std::string text_of(const KeyBuffer& key) { return std::string(as_text({key.data(), key.size()})); }

class LeafTest : public testing::TestWithParam<std::uint32_t> {
 protected:
  LeafTest() : page_(GetParam()), prefix_("pre") {
    NodeBuilder builder(page_.data(), GetParam(), kLeafIdentity, as_bytes(prefix_));
    builder.add(NewCell::of_value(as_bytes(first_), as_bytes("v")));
    builder.finish();
    node_ = Node(page_.data(), GetParam());
    model_[first_] = "v";
  }

  void expect_model() {
    const Status status = tree_check_node(page_, 7);
    ASSERT_TRUE(status) << status.error().message();
    ASSERT_EQ(node_.count(), model_.size());
    std::uint32_t i = 0;
    KeyBuffer key;
    for (const auto& [expected, value] : model_) {
      node_.key_of(i, key);
      EXPECT_EQ(text_of(key), expected);
      EXPECT_EQ(as_text(node_.inline_value(i)), value);
      ++i;
    }
  }

  void expect_found(const std::string& key) {
    const Found found = node_.find(as_bytes(key));
    EXPECT_FALSE(found.damaged);
    const auto expected = model_.lower_bound(key);
    EXPECT_EQ(found.slot, std::distance(model_.begin(), expected));
    EXPECT_EQ(found.equal, expected != model_.end() && expected->first == key);
  }

  ByteVector page_;
  std::string prefix_;
  std::string first_ = "pre";
  Node node_;
  std::map<std::string, std::string> model_;
};

TEST_P(LeafTest, HoldsWhatAMapHoldsUntilItIsFull) {
  std::mt19937 random(GetParam());
  // Few letters, zero among them: many equal heads, and keys that are prefixes of others.
  const auto some_key = [&] {
    std::string key = prefix_;
    for (auto left = random() % 8; left > 0; --left)
      key += std::string_view("\0a\xFF", 3)[random() % 3];
    return key;
  };
  for (int i = 0; i < 20000; ++i) {
    const std::string key = some_key();
    const std::string value(random() % 12, static_cast<char>('a' + i % 26));
    const Found found = node_.find(as_bytes(key));
    const NodeEdit edit{NewCell::of_value(as_bytes(key), as_bytes(value)), found.slot, found.equal};
    if (random() % 3 == 0 && model_.size() > 2) {
      const std::uint32_t first = static_cast<std::uint32_t>(random() % (model_.size() - 1)) + 1;
      const std::uint32_t last =
          std::min<std::uint32_t>(node_.count(), first + static_cast<std::uint32_t>(random() % 3));
      node_.remove(first, last);
      model_.erase(std::next(model_.begin(), first), std::next(model_.begin(), last));
    } else if (room_for(node_, edit) == NodeRoom::kInPlace) {
      apply_in_place(node_, edit);
      model_[key] = value;
    }
    expect_found(some_key());
    if (i % 500 == 0) expect_model();
    if (HasFatalFailure()) return;
  }
  expect_model();
}

TEST_P(LeafTest, FindsKeysOutsideThePrefix) {
  apply_in_place(node_, {NewCell::of_value(as_bytes("prefix"), as_bytes("w")), 1, false});
  model_["prefix"] = "w";
  for (const char* key :
       {"", "p", "pr", "pra", "prd", "pre", "pref", "prefix", "prefixed", "prf", "q", "a", "zzzz"})
    expect_found(key);
}

TEST_P(LeafTest, TellsZeroBytesFromPadding) {
  const std::string zeros("pre\0\0\0\0\0", 8);
  for (std::size_t size = 4; size <= 8; ++size) {
    const std::string key = zeros.substr(0, size);
    const Found found = node_.find(as_bytes(key));
    EXPECT_FALSE(found.equal);
    apply_in_place(node_, {NewCell::of_value(as_bytes(key), as_bytes(key)), found.slot, false});
    model_[key] = key;
  }
  expect_model();
  for (std::size_t size = 3; size <= 8; ++size) expect_found(zeros.substr(0, size));
}

INSTANTIATE_TEST_SUITE_P(PageSizes, LeafTest, testing::Values(512u, 4096u, 65536u),
                         testing::PrintToStringParamName());

// Fills a page with keys number(i), returns how many fitted.
template <class Number>
std::uint32_t fill(ByteVector& page, Number number) {
  const auto size = static_cast<std::uint32_t>(page.size());
  NodeBuilder builder(page.data(), size, kLeafIdentity, {});
  std::uint32_t count = 0;
  while (true) {
    const std::string key = number(count);
    if (count > 0 && builder.contiguous_free() < kSlotSize + key.size() + kInlineHeader + 4) break;
    builder.add(NewCell::of_value(as_bytes(key), as_bytes("data")));
    ++count;
  }
  builder.finish();
  return count;
}

std::string digits(std::uint32_t n) {
  std::string text = std::to_string(1000000 + n * 7);
  return "shared/" + text.substr(1);
}

TEST(NodeEditTest, ALongerPrefixMakesRoomWithoutASplit) {
  ByteVector page(4096);
  const std::uint32_t count = fill(page, digits);
  Node node(page.data(), 4096);
  const std::string key = digits(count);
  const NodeEdit edit{NewCell::of_value(as_bytes(key), as_bytes("data")), count, false};
  ASSERT_EQ(room_for(node, edit), NodeRoom::kRebuild);
  ByteVector rebuilt(4096);
  write_part(rebuilt.data(), kLeafIdentity, node, edit, 0, count + 1);
  ASSERT_TRUE(tree_check_node(rebuilt, 7));
  const NodeView after(rebuilt.data(), 4096);
  EXPECT_GE(after.prefix_size(), 7u);
  EXPECT_EQ(after.count(), count + 1);
  EXPECT_TRUE(after.find(as_bytes(key)).equal);
}

TEST(NodeEditTest, SplitsNearTheMiddleWithAShortSeparator) {
  ByteVector page(4096);
  // Half way, near enough, the first letter changes: one byte tells the halves apart.
  const auto name = [](std::uint32_t n) {
    std::string text = digits(n);
    text[0] = n < 80 ? 'a' : 'b';
    return text;
  };
  const std::uint32_t count = fill(page, name);
  ASSERT_GT(count, 140u);
  const NodeView node(page.data(), 4096);
  const std::string key = name(10) + "x";
  const NodeEdit edit{NewCell::of_value(as_bytes(key), as_bytes("data")), 11, false};
  ASSERT_EQ(room_for(Node(page.data(), 4096), edit), NodeRoom::kSplit);
  const std::uint32_t at = choose_split(node, edit, false);
  EXPECT_EQ(at, 81u);
  ByteVector separator;
  separator_at(node, edit, at, separator);
  EXPECT_EQ(as_text(separator), "b");
}

TEST(NodeEditTest, ARunSplitsBesideTheNewKey) {
  ByteVector page(4096);
  const std::uint32_t count = fill(page, digits);
  const NodeView node(page.data(), 4096);
  const std::string key = digits(20) + "x";
  const NodeEdit edit{NewCell::of_value(as_bytes(key), as_bytes(std::string(900, 'v'))), 21, false};
  EXPECT_EQ(choose_split(node, edit, true), 22u);
  const NodeEdit last{NewCell::of_value(as_bytes("z"), as_bytes(std::string(900, 'v'))), count,
                      false};
  EXPECT_EQ(choose_split(node, last, true), count);
}

TEST(NodeEditTest, AKeyOutsideALongPrefixAlwaysFindsAPlace) {
  // Without the prefix the entries would fill many pages; the stranger must go alone.
  const std::uint32_t size = 512;
  const std::string prefix(max_key_size(size) - 3, 'm');
  ByteVector page(size);
  NodeBuilder builder(page.data(), size, kLeafIdentity, as_bytes(prefix));
  std::uint32_t count = 0;
  while (builder.contiguous_free() >= kSlotSize + 3 + kInlineHeader) {
    const std::string key = prefix + std::to_string(100 + count++);
    builder.add(NewCell::of_value(as_bytes(key), {}));
  }
  builder.finish();
  ASSERT_TRUE(tree_check_node(page, 7));
  for (const auto& [key, slot] : {std::pair("a", 0u), std::pair("z", count)}) {
    const NodeEdit edit{NewCell::of_value(as_bytes(key), {}), slot, false};
    ASSERT_EQ(room_for(Node(page.data(), size), edit), NodeRoom::kSplit);
    const std::uint32_t at = choose_split(builder, edit, false);
    ByteVector left(size);
    ByteVector right(size);
    write_part(left.data(), kLeafIdentity, builder, edit, 0, at);
    write_part(right.data(), kLeafIdentity, builder, edit, at, count + 1);
    EXPECT_TRUE(tree_check_node(left, 7));
    EXPECT_TRUE(tree_check_node(right, 7));
  }
}

ByteVector sample_branch(std::uint32_t children) {
  ByteVector page(4096);
  NodeBuilder builder(page.data(), 4096, kBranchIdentity, as_bytes("k"));
  for (std::uint32_t i = 0; i < children; ++i) {
    const std::string key = "k" + std::to_string(100 + 2 * i);
    builder.add(NewCell::of_child(i == 0 ? Bytes() : as_bytes(key),
                                  {.checksum = 0, .count = i + 1, .birth = 2, .page = 50 + i}));
  }
  builder.finish();
  return page;
}

TEST(BranchTest, EachKeyHasItsChild) {
  for (const std::uint32_t children : {1u, 2u, 3u, 33u, 60u, 80u}) {
    ByteVector page = sample_branch(children);
    ASSERT_TRUE(tree_check_node(page, 7)) << tree_check_node(page, 7).error().message();
    const NodeView node(page.data(), 4096);
    EXPECT_EQ(node.find_child(as_bytes("a")).slot, 0u);
    EXPECT_EQ(node.find_child(as_bytes("k")).slot, 0u);
    EXPECT_EQ(node.find_child(as_bytes("z")).slot, children - 1);
    for (std::uint32_t i = 0; i < children; ++i) {
      const std::string key = "k" + std::to_string(100 + 2 * i);
      const std::string after = "k" + std::to_string(101 + 2 * i);
      EXPECT_EQ(node.find_child(as_bytes(key)).slot, i);
      EXPECT_EQ(node.find_child(as_bytes(after)).slot, i);
    }
  }
}

TEST(BranchTest, TheFirstChildHasNoKeyWhoeverItIs) {
  ByteVector page = sample_branch(10);
  Node node(page.data(), 4096);
  node.remove(0, 3);
  ASSERT_TRUE(tree_check_node(page, 7));
  EXPECT_EQ(node.child(0).page, 53u);
  EXPECT_EQ(node.find_child(as_bytes("a")).slot, 0u);
  EXPECT_EQ(node.slot(0).size(), 0u);
}

TEST(NodeCheckTest, NoChangedByteBreaksTheReaders) {
  std::mt19937 random(5);
  ByteVector leaf(512);
  fill(leaf, digits);
  for (const ByteVector& good : {leaf, sample_branch(60)}) {
    int found = 0;
    for (int i = 0; i < 20000; ++i) {
      ByteVector page = good;
      for (auto changes = random() % 4 + 1; changes > 0; --changes)
        page[random() % page.size()] = static_cast<std::byte>(random());
      found += tree_check_node(page, 7) ? 0 : 1;
      const NodeView node(page.data(), static_cast<std::uint32_t>(page.size()));
      if (!node.sane(node.level())) continue;
      const Found leaf_slot =
          node.find(as_bytes(digits(static_cast<std::uint32_t>(random() % 100))));
      EXPECT_LE(leaf_slot.slot, node.count());
      if (node.is_branch()) {
        EXPECT_LT(node.find_child(as_bytes("k120")).slot, node.count());
      }
      (void)tree_for_each_pointer(page, [](const ChildRef&) -> Status { return {}; });
      (void)tree_for_each_value(page, [](Bytes, MutableBytes) -> Status { return {}; });
    }
    EXPECT_GT(found, 1000);
  }
}

// Each promise of a node, broken alone.
TEST(NodeCheckTest, FindsEveryBrokenPromise) {
  ByteVector good = sample_branch(60);
  const auto broken = [&](std::size_t at, unsigned value) {
    ByteVector page = good;
    page[at] = static_cast<std::byte>(value);
    return !tree_check_node(page, 7);
  };
  EXPECT_TRUE(tree_check_node(good, 7));
  EXPECT_FALSE(tree_check_node(good, 8));
  EXPECT_TRUE(broken(offsetof(NodeHeader, kind), 1));
  EXPECT_TRUE(broken(offsetof(NodeHeader, level), 0));
  EXPECT_TRUE(broken(offsetof(NodeHeader, count), 61));
  EXPECT_TRUE(broken(offsetof(NodeHeader, count), 59));
  EXPECT_TRUE(broken(offsetof(NodeHeader, prefix_size), 2));
  EXPECT_TRUE(broken(offsetof(NodeHeader, overflow_count), 1));
  EXPECT_TRUE(broken(offsetof(NodeHeader, heap_begin), 1));
  EXPECT_TRUE(broken(offsetof(NodeHeader, garbage), 1));
  EXPECT_TRUE(broken(offsetof(NodeHeader, reserved), 1));
  EXPECT_TRUE(broken(offsetof(NodeHeader, birth_low), 1));  // older than its children
  EXPECT_TRUE(broken(kHintsAt, 0xEE));
  const NodeView node(good.data(), 4096);
  const std::size_t slot = node.slots_begin() + 5 * kSlotSize;
  EXPECT_TRUE(broken(slot, 0xEE));                               // head
  EXPECT_TRUE(broken(slot + offsetof(NodeSlot, offset), 0x01));  // cell
  EXPECT_TRUE(broken(slot + offsetof(NodeSlot, key_size), 9));
  EXPECT_TRUE(broken(node.payload_at(5) + 8, 0));  // child 0
}

}  // namespace
}  // namespace quire
