// What check tells of an index whose tree was changed behind its back.
#include "tests/ordered/ordered_world.h"

namespace quire {
namespace {

using namespace test;

class SortedCheck : public testing::Test {
 protected:
  SortedCheck() {
    world_.add_index("x", R"({"fields": ["section"], "covering": ["size"]})");
    world_.add_index("u", R"({"fields": ["size"], "unique": true})");
    for (int i = 0; i < 20; ++i) {
      Item item;
      item.id = "key" + std::to_string(10 + i);
      item.section = std::string(1, static_cast<char>('a' + i));
      item.size = i;
      must(world_.insert(item));
    }
  }

  TreeWriter& tree(std::string_view index) {
    return *must(world_.txn().tree(world_.index(index).tree()));
  }
  std::string key(std::string_view index, std::size_t at) {
    return world_.entries(index).at(at).first;
  }
  std::string value(std::string_view index, std::size_t at) {
    return world_.entries(index).at(at).second;
  }
  void expect_damages(const std::vector<std::string>& expected) {
    EXPECT_EQ(world_.damages(), expected);
  }

  World world_;
};

TEST_F(SortedCheck, a_whole_index_has_none) { expect_damages({}); }

TEST_F(SortedCheck, an_entry_that_is_gone) {
  must(tree("x").erase(as_bytes(key("x", 3))));
  expect_damages({"the entry 'd' of the record 'key13' is missing"});
}

TEST_F(SortedCheck, an_entry_that_is_of_no_record) {
  const std::string old_key = key("u", 3);
  const std::string other_value = value("u", 4);
  must(world_.erase("key13"));
  must(tree("u").put(as_bytes(old_key), as_bytes(other_value)));
  expect_damages({"the entry 3 is not one of the record 'key14'"});
}

TEST_F(SortedCheck, an_entry_of_a_record_that_is_gone) {
  const std::string old_key = key("x", 3);
  const std::string old_value = value("x", 3);
  must(world_.erase("key13"));
  must(tree("x").put(as_bytes(old_key), as_bytes(old_value)));
  expect_damages({"the entry 'd' is of the record 'key13', which is not there"});
}

TEST_F(SortedCheck, an_entry_with_another_value) {
  must(tree("x").put(as_bytes(key("x", 3)), as_bytes(value("x", 4))));
  expect_damages({"the entry 'd' of the record 'key13' does not say what the record does",
                  "the entry 'd' is not one of the record 'key14'"});
}

TEST_F(SortedCheck, an_entry_with_another_key) {
  const std::string old_value = value("u", 3);
  must(tree("u").erase(as_bytes(key("u", 3))));
  must(tree("u").put(as_bytes(key("u", 18) + "x"), as_bytes(old_value)));
  expect_damages({"the entry 3 of the record 'key13' is missing", "the entry 19 can't be read"});
}

TEST_F(SortedCheck, what_is_no_entry_at_all) {
  must(tree("x").put(as_bytes("nonsense"), as_bytes("")));
  expect_damages({"the entry (damaged) can't be read"});
}

TEST_F(SortedCheck, a_lost_and_an_added_entry_do_not_make_up_for_one_another) {
  const std::string old_value = value("x", 3);
  std::string old_key = key("x", 3);
  must(tree("x").erase(as_bytes(old_key)));
  old_key[1] = 'z';
  must(tree("x").put(as_bytes(old_key), as_bytes(old_value)));
  expect_damages({"the entry 'd' of the record 'key13' is missing",
                  "the entry 'z' is not one of the record 'key13'"});
}

TEST_F(SortedCheck, a_change_of_a_record_without_its_entry_ends_the_transaction) {
  must(tree("x").erase(as_bytes(key("x", 3))));
  const Status erased = world_.erase("key13");
  EXPECT_EQ(code_of(erased), ErrorCode::kCorrupt);
  EXPECT_NE(words_of(erased).find("index 'x': there is no entry 'd' of the record 'key13'"),
            std::string::npos)
      << words_of(erased);
  EXPECT_FALSE(world_.txn().usable());
}

TEST_F(SortedCheck, a_scan_over_what_is_no_entry_says_so) {
  must(tree("x").put(as_bytes("nonsense"), as_bytes("\x7F")));
  const SortedIndex& index = world_.index("x");
  SortedScan scan = must(SortedScan::open(world_.txn(), index, {.low = "n", .high = {}}));
  const auto next = scan.next();
  EXPECT_EQ(code_of(next), ErrorCode::kCorrupt);
  EXPECT_NE(words_of(next).find("index 'x'"), std::string::npos);
}

}  // namespace
}  // namespace quire
