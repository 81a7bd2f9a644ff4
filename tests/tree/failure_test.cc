// Running out of pages in the middle of a change.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>

#include "tests/tree/tree_world.h"

namespace quire::test {
namespace {

using Content = std::map<std::string, std::string>;

Content content_of(PageReader& reader, const TreeRoot& root) {
  Content content;
  TreeCursor cursor(&reader, root);
  for (must(cursor.first()); cursor.valid(); must(cursor.next()))
    content[std::string(as_text(cursor.key()))] = as_text(must(cursor.value()));
  return content;
}

// A tree in the file, and a device with exactly so many pages left as the test gives.
class FailureTest : public testing::TestWithParam<std::uint32_t> {
 protected:
  FailureTest() : world_(GetParam(), std::uint64_t{GetParam()} * 6000) {
    TreeWriter writer(&world_.pages(), TreeRoot{.root = {}, .id = 9});
    for (int i = 0; i < 1500; ++i) {
      const std::string key = key_of(static_cast<unsigned>(i) * 7919 % 1500 * 2);
      must(writer.put(as_bytes(key), as_bytes(value_of(static_cast<unsigned>(i)))));
    }
    root_ = writer.root();
    world_.commit();
    world_.publish(root_);
    content_ = content_of(world_.pages().reader(), root_);
    while (auto page = world_.free_map().take(1)) hoard_.push_back(*page);
  }

  static std::string key_of(unsigned n) {
    std::string text = "key/" + std::to_string(100000 + n);
    if (n % 5 == 0) text += std::string(60, 'l');
    return text;
  }
  std::string value_of(unsigned n) const {
    return std::string(n % 40 == 0 ? 2 * GetParam() : n % 30, static_cast<char>('a' + n % 26));
  }

  // Does `change` with 0, 1, 2, ... pages left until it succeeds; each failure must leave the tree
  // as it was. Returns the number of pages that were enough.
  unsigned expect_all_or_nothing(unsigned paths, const std::function<Status(TreeWriter&)>& change) {
    for (unsigned pages = 0; pages < 200; ++pages) {
      world_.begin();
      for (unsigned i = 0; i < pages; ++i) world_.free_map().give_back({hoard_[i], 1});
      TreeWriter writer(&world_.pages(), root_);
      const Status status = change(writer);
      world_.check(writer.root());
      if (!status) {
        EXPECT_EQ(status.error().code(), ErrorCode::kQuota) << status.error().message();
        EXPECT_LE(world_.pages().private_bytes(), paths * root_.height * GetParam());
        EXPECT_TRUE(content_of(world_.pages().reader(), writer.root()) == content_);
      }
      const bool done = status.has_value();
      world_.abort();
      for (unsigned i = 0; i < pages; ++i) EXPECT_TRUE(world_.free_map().take(1));
      world_.check(root_);
      if (done || HasFailure()) return pages;
    }
    ADD_FAILURE() << "never succeeded";
    return 0;
  }

  TreeWorld world_;
  TreeRoot root_;
  Content content_;
  std::vector<PageNumber> hoard_;
};

TEST_P(FailureTest, PutThatSplitsAllTheWayUp) {
  const std::string value(GetParam() / 4, 'x');
  unsigned most = 0;
  for (unsigned n = 1; n < 3000; n += 97) {
    const unsigned needed = expect_all_or_nothing(1, [&](TreeWriter& writer) -> Status {
      const std::string key = key_of(n) + std::string(40, 'm');
      auto result = writer.put(as_bytes(key), as_bytes(value));
      if (!result) return std::unexpected(std::move(result).error());
      return {};
    });
    most = std::max(most, needed);
    if (HasFailure()) return;
  }
  EXPECT_GT(most, root_.height);  // splits were among them
}

TEST_P(FailureTest, PutWithAnOverflowValue) {
  const std::string value(GetParam() * 3 / 2, 'x');
  for (unsigned n = 0; n < 3000; n += 211) {
    // In place of a value of any kind, and new.
    for (const std::string& key : {key_of(n / 2 * 2), key_of(n) + "new"}) {
      expect_all_or_nothing(1, [&](TreeWriter& writer) -> Status {
        auto result = writer.put(as_bytes(key), as_bytes(value));
        if (!result) return std::unexpected(std::move(result).error());
        return {};
      });
      if (HasFailure()) return;
    }
  }
}

TEST_P(FailureTest, Erase) {
  for (unsigned n = 0; n < 3000; n += 250) {
    expect_all_or_nothing(1, [&](TreeWriter& writer) -> Status {
      auto result = writer.erase(as_bytes(key_of(n)));
      if (!result) return std::unexpected(std::move(result).error());
      EXPECT_TRUE(*result);
      return {};
    });
    if (HasFailure()) return;
  }
}

TEST_P(FailureTest, EraseRange) {
  for (unsigned n = 0; n < 1500; n += 170) {
    expect_all_or_nothing(2, [&](TreeWriter& writer) -> Status {
      const std::string low = key_of(n);
      const std::string high = key_of(2 * n + 100);
      auto result = writer.erase_range(as_bytes(low), as_bytes(high));
      if (!result) return std::unexpected(std::move(result).error());
      EXPECT_EQ(*result, std::distance(content_.lower_bound(low), content_.lower_bound(high)));
      return {};
    });
    if (HasFailure()) return;
  }
}

// The root is the last that a page is taken for.
TEST_P(FailureTest, PutThatSplitsTheRoot) {
  const auto fill = [&](int entries) {
    TreeWriter writer(&world_.pages(), TreeRoot{.root = {}, .id = 9});
    for (int i = 0; i < entries; ++i)
      must(writer.put(as_bytes(key_of(static_cast<unsigned>(i))), as_bytes("value")));
    return writer.root();
  };
  for (const PageNumber page : hoard_) world_.free_map().give_back({page, 1});
  int entries = 1;
  while (fill(entries + 1).height == 1) ++entries;
  world_.abort();
  root_ = fill(entries);
  world_.commit();
  world_.publish(root_);
  content_ = content_of(world_.pages().reader(), root_);
  hoard_.clear();
  while (auto page = world_.free_map().take(1)) hoard_.push_back(*page);
  const unsigned needed = expect_all_or_nothing(1, [&](TreeWriter& writer) -> Status {
    auto result = writer.put(as_bytes(key_of(5000)), as_bytes(std::string(40, 'v')));
    if (!result) return std::unexpected(std::move(result).error());
    EXPECT_EQ(writer.root().height, 2);
    return {};
  });
  EXPECT_EQ(needed, 3u);  // the leaf's copy, its right half, the new root
}

INSTANTIATE_TEST_SUITE_P(PageSizes, FailureTest, testing::Values(512u, 4096u),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace quire::test
