// The tree against a std::map, random operations at page sizes from tiny to largest.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/tree/tree_world.h"

namespace quire::test {
namespace {

using Model = std::map<std::string, std::string>;

struct Shape {
  std::uint32_t page_size;
  int operations;
  int check_every;
  unsigned seed;
  int key_space;
};

std::string name_of(const testing::TestParamInfo<Shape>& info) {
  return "Page" + std::to_string(info.param.page_size) + "Seed" + std::to_string(info.param.seed);
}

class ModelTest : public testing::TestWithParam<Shape> {
 protected:
  ModelTest()
      : shape_(GetParam()),
        world_(shape_.page_size),
        random_(shape_.seed),
        writer_(std::make_unique<TreeWriter>(&world_.pages(), TreeRoot{.root = {}, .id = 7})) {}

  std::uint32_t pick(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

  // Keys of several families: short numbers, shared prefixes, zeros, the longest allowed.
  std::string some_key() {
    const std::uint32_t n = pick(static_cast<std::uint32_t>(shape_.key_space));
    const std::size_t longest = max_key_size(shape_.page_size);
    switch (n % 6) {
      case 0:
        return "key" + std::to_string(n);
      case 1:
        return std::string("a/long/prefix/that/many/share/") + std::to_string(n);
      case 2:
        return std::string(n % 9 + 1, '\0') + std::string(n % 5, '\1');
      case 3: {
        std::string key(longest, static_cast<char>('m' + n % 3));
        const std::string tail = std::to_string(n);
        return key.replace(longest - tail.size(), tail.size(), tail);
      }
      case 4: {
        std::string key(4, '\0');
        store_be(reinterpret_cast<std::byte*>(key.data()), n * 2654435761u);
        return key;
      }
      default:
        return std::string(1 + n % longest, static_cast<char>(0xFE)) + std::string(n % 2, '\0');
    }
  }
  std::string valid_key() {
    std::string key = some_key();
    if (key.size() > max_key_size(shape_.page_size)) key.resize(max_key_size(shape_.page_size));
    return key;
  }

  std::string some_value() {
    const std::uint32_t kind = pick(100);
    std::uint32_t size = pick(24);
    if (kind < 15) size = pick(shape_.page_size / 4 + 20);
    if (kind < 3) size = pick(4 * shape_.page_size);
    std::string value(size, static_cast<char>(pick(256)));
    if (size > 4) value[size / 2] = static_cast<char>(pick(256));
    return value;
  }

  void put() {
    const std::string key = valid_key();
    const std::string value = some_value();
    const auto mode = static_cast<TreeWriter::PutMode>(pick(4));
    const bool there = model_.contains(key);
    const auto result = writer_->put(as_bytes(key), as_bytes(value), mode);
    switch (mode) {
      case TreeWriter::PutMode::kInsert:
        if (there) return expect_error(result, ErrorCode::kExists);
        break;
      case TreeWriter::PutMode::kUpdate:
        if (!there) return expect_error(result, ErrorCode::kNotFound);
        break;
      case TreeWriter::PutMode::kAppend:
        if (!model_.empty() && key <= model_.rbegin()->first)
          return expect_error(result, ErrorCode::kInvalid);
        break;
      default:
        break;
    }
    ASSERT_TRUE(result) << result.error().message();
    EXPECT_EQ(*result, !there);
    model_[key] = value;
  }

  void expect_error(const Result<bool>& result, ErrorCode code) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), code);
  }

  void put_run() {
    const std::string base = valid_key().substr(0, max_key_size(shape_.page_size) / 2);
    const bool falling = pick(2) == 0;
    for (int i = 0; i < 60; ++i) {
      std::string key = base + "xxxx";
      store_be(reinterpret_cast<std::byte*>(key.data() + base.size()), falling ? 1000 - i : i);
      const std::string value = some_value();
      model_[key] = value;
      ASSERT_TRUE(writer_->put(as_bytes(key), as_bytes(value)));
    }
  }

  void erase() {
    std::string key = valid_key();
    if (pick(3) != 0 && !model_.empty()) {
      const auto near = model_.lower_bound(key);
      if (near != model_.end()) key = near->first;
    }
    const auto result = writer_->erase(as_bytes(key));
    ASSERT_TRUE(result) << result.error().message();
    EXPECT_EQ(*result, model_.erase(key) == 1);
  }

  void erase_range() {
    std::string low = valid_key();
    std::string high = valid_key();
    if (high < low && pick(10) != 0) std::swap(low, high);
    // Mostly narrow ranges, so that something is left.
    if (pick(8) != 0) {
      auto end = model_.lower_bound(low);
      for (std::uint32_t i = pick(60); i > 0 && end != model_.end(); --i) ++end;
      high = end == model_.end() ? low : end->first;
    }
    const bool to_end = pick(200) == 0;
    const auto result =
        writer_->erase_range(as_bytes(low), to_end ? std::nullopt : std::optional(as_bytes(high)));
    ASSERT_TRUE(result) << result.error().message();
    const auto first = model_.lower_bound(low);
    const auto last = to_end ? model_.end() : model_.lower_bound(high);
    std::uint64_t expected = 0;
    if (to_end || low < high) {
      expected = static_cast<std::uint64_t>(std::distance(first, last));
      model_.erase(first, last);
    }
    EXPECT_EQ(*result, expected);
  }

  void get() {
    const std::string key = valid_key();
    const auto result = writer_->get(as_bytes(key));
    ASSERT_TRUE(result) << result.error().message();
    const auto expected = model_.find(key);
    ASSERT_EQ(result->has_value(), expected != model_.end());
    if (*result) {
      EXPECT_EQ(as_text(**result), expected->second);
    }
    const auto rank = tree_rank(writer_->reader(), writer_->root(), as_bytes(key));
    ASSERT_TRUE(rank);
    if (pick(20) == 0) {
      EXPECT_EQ(*rank, std::distance(model_.begin(), model_.lower_bound(key)));
      count_from(key);
      get_many();
    }
  }

  void count_from(const std::string& low) {
    const std::string high = valid_key();
    const auto from = model_.lower_bound(low);
    const auto some = tree_count(writer_->reader(), writer_->root(), as_bytes(low), as_bytes(high));
    ASSERT_TRUE(some) << some.error().message();
    EXPECT_EQ(*some, low < high ? std::distance(from, model_.lower_bound(high)) : 0);
    const auto rest = tree_count(writer_->reader(), writer_->root(), as_bytes(low), {});
    ASSERT_TRUE(rest) << rest.error().message();
    EXPECT_EQ(*rest, std::distance(from, model_.end()));
  }

  void get_many() {
    std::vector<std::string> keys(pick(20));
    for (std::string& key : keys) key = valid_key();
    std::vector<Bytes> wanted;
    for (const std::string& key : keys) wanted.push_back(as_bytes(key));
    std::vector<std::optional<Bytes>> values(keys.size());
    const auto read = tree_get_many(writer_->reader(), writer_->root(), wanted, values);
    ASSERT_TRUE(read) << read.error().message();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto expected = model_.find(keys[i]);
      ASSERT_EQ(values[i].has_value(), expected != model_.end());
      if (values[i]) {
        EXPECT_EQ(as_text(*values[i]), expected->second);
      }
    }
  }

  void expect_at(const TreeCursor& cursor, Model::const_iterator expected) {
    ASSERT_EQ(cursor.valid(), expected != model_.end());
    if (!cursor.valid()) return;
    EXPECT_EQ(as_text(cursor.key()), expected->first);
    const auto value = cursor.value();
    ASSERT_TRUE(value) << value.error().message();
    EXPECT_EQ(as_text(*value), expected->second);
  }

  void walk() {
    TreeCursor cursor(&writer_->reader(), writer_->root());
    const std::string key = valid_key();
    Model::const_iterator expected;
    if (pick(2) == 0) {
      ASSERT_TRUE(cursor.seek(as_bytes(key)));
      expected = model_.lower_bound(key);
    } else {
      ASSERT_TRUE(cursor.seek_before(as_bytes(key)));
      expected = model_.lower_bound(key);
      expected = expected == model_.begin() ? model_.end() : std::prev(expected);
    }
    expect_at(cursor, expected);
    for (int i = 0; i < 40 && cursor.valid(); ++i) {
      if (pick(3) != 0) {
        ASSERT_TRUE(cursor.next());
        ++expected;
      } else {
        ASSERT_TRUE(cursor.previous());
        expected = expected == model_.begin() ? model_.end() : std::prev(expected);
      }
      expect_at(cursor, expected);
    }
    walk_by_rank(cursor);
  }

  void walk_by_rank(TreeCursor& cursor) {
    const std::uint32_t n = pick(static_cast<std::uint32_t>(model_.size()) + 2);
    ASSERT_TRUE(cursor.seek_rank(n));
    ASSERT_EQ(cursor.valid(), n < model_.size());
    if (!cursor.valid()) return;
    const auto rank = cursor.rank();
    ASSERT_TRUE(rank);
    EXPECT_EQ(*rank, n);
    if (pick(20) == 0) expect_at(cursor, std::next(model_.begin(), n));
  }

  // A savepoint with changes inside, then back or on.
  void savepoint() {
    const TreeRoot root = writer_->root();
    const Model model = model_;
    const std::size_t mark = world_.pages().mark();
    for (int i = 0; i < 30; ++i) {
      put();
      erase();
      if (i % 10 == 0) erase_range();
    }
    if (pick(2) == 0) {
      world_.pages().rollback(mark);
      writer_->reset(root);
      model_ = model;
      put();  // the mark is still there
    }
    world_.pages().release(mark);
  }

  void commit() {
    TreeRoot root = writer_->root();
    world_.commit();
    if (pick(2) == 0) world_.publish(root);
    writer_ = std::make_unique<TreeWriter>(&world_.pages(), root);
    world_.check_all(root);
    if (pick(6) == 0) {
      put_run();
      erase_range();
      world_.abort();
      writer_ = std::make_unique<TreeWriter>(&world_.pages(), root);
      restore_model();
      world_.check_all(root);
    }
  }

  // Pages leave memory in the middle of a transaction: leaves behind the writer's back, or all,
  // which changes the root.
  void spill() {
    const std::string base = valid_key().substr(0, max_key_size(shape_.page_size) / 2);
    const auto put_near = [&](char last) {
      ASSERT_TRUE(writer_->put(as_bytes(base + last), as_bytes("near")));
      model_[base + last] = "near";
    };
    put_near('a');
    TreeRoot root = writer_->root();
    if (pick(2) == 0) {
      world_.spill(root, std::min<int>(1, root.height - 1));
    } else {
      world_.spill(root, root.height);
      writer_->reset(root);
    }
    scribble();
    put_near('b');
    put_run();
    erase();
  }

  // Makes others use the memory of pages that left it.
  void scribble() {
    std::vector<PagePtr> others(30);
    for (PagePtr& ptr : others) {
      std::byte* page = must(world_.pages().allocate(ptr));
      std::fill_n(page, shape_.page_size, std::byte{0xAB});
    }
    for (const PagePtr& ptr : others) world_.pages().free(ptr);
  }

  void restore_model() {
    model_.clear();
    TreeCursor cursor(&writer_->reader(), writer_->root());
    for (must(cursor.first()); cursor.valid(); must(cursor.next()))
      model_[std::string(as_text(cursor.key()))] = as_text(must(cursor.value()));
  }

  void compare_all() {
    EXPECT_EQ(writer_->root().count(), model_.size());
    TreeCursor cursor(&writer_->reader(), writer_->root());
    ASSERT_TRUE(cursor.first());
    for (auto it = model_.begin(); it != model_.end(); ++it) {
      expect_at(cursor, it);
      ASSERT_TRUE(cursor.next());
    }
    EXPECT_FALSE(cursor.valid());
    ASSERT_TRUE(cursor.last());
    for (auto it = model_.rbegin(); it != model_.rend(); ++it) {
      ASSERT_TRUE(cursor.valid());
      EXPECT_EQ(as_text(cursor.key()), it->first);
      ASSERT_TRUE(cursor.previous());
    }
    EXPECT_FALSE(cursor.valid());
  }

  void step() {
    const std::uint32_t what = pick(1000);
    if (what < 480) return put();
    if (what < 720) return erase();
    if (what < 850) return get();
    if (what < 950) return walk();
    if (what < 970) return put_run();
    if (what < 985) return erase_range();
    if (what < 992) return savepoint();
    if (what < 996) return spill();
    commit();
  }

  Shape shape_;
  TreeWorld world_;
  std::mt19937 random_;
  std::unique_ptr<TreeWriter> writer_;
  Model model_;
};

TEST_P(ModelTest, EveryOperationDoesWhatAMapDoes) {
  for (int i = 0; i < shape_.operations; ++i) {
    step();
    if (i % shape_.check_every == 0) {
      world_.check(writer_->root());
      compare_all();
    }
    if (HasFailure()) FAIL() << "at operation " << i;
  }
  compare_all();
  ASSERT_TRUE(writer_->clear());
  EXPECT_EQ(writer_->root().height, 0);
  world_.commit();
  EXPECT_EQ(world_.free_map().free_pages(), world_.free_map().page_count() - kFirstPage);
}

INSTANTIATE_TEST_SUITE_P(
    PageSizes, ModelTest,
    testing::Values(Shape{512, 60000, 2500, 1, 3000}, Shape{512, 60000, 500, 2, 150},
                    Shape{4096, 60000, 5000, 3, 20000}, Shape{4096, 40000, 1000, 4, 300},
                    Shape{16384, 30000, 3000, 5, 20000}, Shape{65536, 30000, 5000, 6, 40000}),
    name_of);

}  // namespace
}  // namespace quire::test
