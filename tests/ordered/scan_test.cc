// Scans: ranges, directions, places to go on from, changes on the way.
#include <algorithm>

#include "tests/ordered/ordered_world.h"

namespace quire {
namespace {

using namespace test;

using Ids = std::vector<std::string>;

class SortedScans : public testing::Test {
 protected:
  SortedScans() {
    world_.add_index("size", R"({"fields": ["size"]})");
    world_.add_index("down", R"({"fields": ["-size"]})");
    world_.add_index("text", R"({"fields": ["section"], "collation": "ascii_nocase"})");
    world_.add_index("both", R"({"fields": ["-section", "-size"]})");
    world_.add_index("doc", R"({"fields": ["doc.a"]})");
    world_.add_index("tag", R"({"fields": ["tags[]"]})");
  }
  void put(std::string id, std::optional<std::int64_t> size,
           std::optional<std::string> section = {}) {
    Item item;
    item.id = std::move(id);
    item.size = size;
    item.section = std::move(section);
    must(world_.upsert(item));
  }
  const SortedForm& form(const char* index) { return world_.index(index).form(); }
  Ids ids_in(const char* index, KeyRange range, ScanDirection direction = ScanDirection::kForward) {
    return ids(world_.txn(), world_.index(index), std::move(range), direction);
  }

  World world_;
};

TEST_F(SortedScans, a_bound_leaves_nulls_out) {
  put("null", std::nullopt);
  put("one", 1);
  put("two", 2);
  const KeyBound two{Value::of_i64(2), false};
  EXPECT_EQ(ids_in("size", must(bounded_range(form("size"), {}, {}, two))), Ids({"one"}));
  EXPECT_EQ(ids_in("down", must(bounded_range(form("down"), {}, {}, two))), Ids({"one"}));
  EXPECT_EQ(ids_in("size", must(not_null_range(form("size"), {}))), Ids({"one", "two"}));
  EXPECT_EQ(ids_in("down", must(not_null_range(form("down"), {}))), Ids({"two", "one"}));
  EXPECT_EQ(ids_in("size", must(equal_range(form("size"), {}))), Ids({"null", "one", "two"}));
  EXPECT_EQ(ids_in("down", must(equal_range(form("down"), {}))), Ids({"two", "one", "null"}));
  const Value null = Value::null();
  EXPECT_EQ(ids_in("down", must(equal_range(form("down"), std::span(&null, 1)))), Ids({"null"}));
}

TEST_F(SortedScans, beginnings_of_texts_are_ranges) {
  int i = 0;
  using namespace std::string_literals;
  for (const std::string& text : {"a"s, "AB"s, "ab\0"s, "abc"s, "b"s, ""s, "ab\xC3\xBF"s})
    put("k" + std::to_string(i++), 1, text);
  put("null", 1);
  EXPECT_EQ(ids_in("text", must(begins_range(form("text"), {}, Value::of_text("aB")))),
            Ids({"k1", "k2", "k3", "k6"}));
  EXPECT_EQ(ids_in("both", must(begins_range(form("both"), {}, Value::of_text("ab")))),
            Ids({"k6", "k3", "k2"}));
  EXPECT_EQ(ids_in("text", must(begins_range(form("text"), {}, Value::of_text("")))).size(), 7U);
}

TEST_F(SortedScans, values_of_another_type_are_refused) {
  const auto range = [&](const char* index, const std::vector<Value>& values) {
    return code_of(equal_range(form(index), values));
  };
  EXPECT_EQ(range("size", {Value::of_f64(1)}), ErrorCode::kType);
  EXPECT_EQ(range("size", {Value::of_i64(1), Value::of_i64(1)}), ErrorCode::kInvalid);
  EXPECT_EQ(range("doc", {Value::of_f64(NAN)}), ErrorCode::kType);
  EXPECT_EQ(range("doc", {Value::of_json("1")}), ErrorCode::kType);
  EXPECT_EQ(range("doc", {Value::of_f64(1)}), ErrorCode::kOk);
  EXPECT_EQ(code_of(begins_range(form("size"), {}, Value::of_text(""))), ErrorCode::kType);
  EXPECT_EQ(code_of(begins_range(form("size"), {}, Value::of_i64(1))), ErrorCode::kType);
  const Value one = Value::of_i64(1);
  EXPECT_EQ(code_of(not_null_range(form("size"), std::span(&one, 1))), ErrorCode::kInvalid);
}

TEST_F(SortedScans, bounds_the_wrong_way_round_hold_nothing) {
  for (int i = 0; i < 10; ++i) put("k" + std::to_string(i), i);
  for (const char* index : {"size", "down"}) {
    const KeyRange range = must(
        bounded_range(form(index), {}, KeyBound{Value::of_i64(7)}, KeyBound{Value::of_i64(3)}));
    for (const auto direction : {ScanDirection::kForward, ScanDirection::kBackward}) {
      SortedScan scan = must(SortedScan::open(world_.txn(), world_.index(index), range, direction));
      EXPECT_EQ(must(scan.count()), 0U);
      EXPECT_EQ(must(scan.skip(3)), 0U);
      EXPECT_FALSE(must(scan.next()));
      EXPECT_FALSE(must(scan.next()));
    }
  }
}

TEST_F(SortedScans, a_record_with_several_elements_in_the_range_comes_several_times) {
  Item item;
  item.id = "one";
  item.tags = {"b", "a", "b", "c"};
  must(world_.insert(item));
  EXPECT_EQ(ids_in("tag", must(not_null_range(form("tag"), {}))), Ids({"one", "one", "one"}));
}

TEST_F(SortedScans, go_on_behind_a_key_in_a_later_state) {
  for (int i = 0; i < 20; ++i) put("k" + std::to_string(10 + i), i);
  const KeyRange range = must(
      bounded_range(form("size"), {}, KeyBound{Value::of_i64(5)}, KeyBound{Value::of_i64(15)}));
  for (const auto direction : {ScanDirection::kForward, ScanDirection::kBackward}) {
    Ids all = ids_in("size", range, direction);
    SortedScan scan = must(SortedScan::open(world_.txn(), world_.index("size"), range, direction));
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(must(scan.next()));
    const ByteVector token = to_vector(scan.key());
    const auto rest = [&] {
      Ids found;
      SortedScan later =
          must(SortedScan::open(world_.txn(), world_.index("size"), range, direction));
      later.seek_after(token);
      while (must(later.next())) found.emplace_back(as_text(later.primary_key()).substr(1));
      return found;
    };
    EXPECT_EQ(rest(), Ids(all.begin() + 4, all.end()));
    must(world_.erase(all[3]));
    must(world_.erase(all[4]));
    EXPECT_EQ(rest(), Ids(all.begin() + 5, all.end()));
    for (int i = 0; i < 20; ++i) put("k" + std::to_string(10 + i), i);
  }
}

TEST_F(SortedScans, keys_outside_the_range_to_go_on_from_are_its_ends) {
  for (int i = 0; i < 5; ++i) put("k" + std::to_string(i), i);
  const KeyRange range =
      must(bounded_range(form("size"), {}, KeyBound{Value::of_i64(1)}, KeyBound{Value::of_i64(3)}));
  const Value four = Value::of_i64(4);
  const EncodedKey high = must(equal_range(form("size"), std::span(&four, 1))).low;
  const auto from = [&](Bytes key, ScanDirection direction) {
    SortedScan scan = must(SortedScan::open(world_.txn(), world_.index("size"), range, direction));
    scan.seek_after(key);
    std::size_t found = 0;
    while (must(scan.next())) ++found;
    return found;
  };
  EXPECT_EQ(from(as_bytes(""), ScanDirection::kForward), 3U);
  EXPECT_EQ(from(as_bytes(""), ScanDirection::kBackward), 0U);
  EXPECT_EQ(from(bytes_of(high), ScanDirection::kForward), 0U);
  EXPECT_EQ(from(bytes_of(high), ScanDirection::kBackward), 3U);
}

TEST_F(SortedScans, see_what_their_transaction_changes_on_the_way) {
  for (const auto direction : {ScanDirection::kForward, ScanDirection::kBackward}) {
    const bool forward = direction == ScanDirection::kForward;
    for (int i = 0; i < 1000; ++i) put("k" + std::to_string(1000 + i), i);
    SortedScan scan = must(SortedScan::open(world_.txn(), world_.index("size"),
                                            must(not_null_range(form("size"), {})), direction));
    Ids found;
    Ids expected;
    for (int i = 0; i < 1000; i += 2)
      expected.push_back("k" + std::to_string(forward ? 1000 + i : 1999 - i));
    while (must(scan.next())) {
      found.emplace_back(as_text(scan.primary_key()).substr(1));
      const int at = std::stoi(found.back().substr(1));
      const int next = forward ? at + 1 : at - 1;
      if (next >= 1000 && next < 2000) must(world_.erase("k" + std::to_string(next)));
      must(world_.erase(found.back()));
    }
    EXPECT_EQ(found, expected);
  }
}

TEST_F(SortedScans, keep_their_place_behind_a_skip_when_the_tree_changes) {
  for (const auto direction : {ScanDirection::kForward, ScanDirection::kBackward}) {
    for (int i = 0; i < 10; ++i) put("k" + std::to_string(i), i);
    SortedScan scan = must(SortedScan::open(world_.txn(), world_.index("size"),
                                            must(not_null_range(form("size"), {})), direction));
    EXPECT_EQ(must(scan.skip(4)), 4U);
    put("other", 100);
    put("other", -100);
    must(world_.erase("other"));
    ASSERT_TRUE(must(scan.next()));
    EXPECT_EQ(as_text(scan.primary_key()).substr(1),
              direction == ScanDirection::kForward ? "k4" : "k5");
    EXPECT_EQ(must(scan.skip(2)), 2U);
    must(world_.erase(direction == ScanDirection::kForward ? "k7" : "k2"));
    ASSERT_TRUE(must(scan.next()));
    EXPECT_EQ(as_text(scan.primary_key()).substr(1),
              direction == ScanDirection::kForward ? "k8" : "k1");
  }
}

TEST_F(SortedScans, read_a_snapshot_while_the_writer_goes_on) {
  for (int i = 0; i < 100; ++i) put("k" + std::to_string(100 + i), i);
  world_.commit();
  const auto snapshot = world_.snapshot();
  for (int i = 0; i < 100; i += 2) must(world_.erase("k" + std::to_string(100 + i)));
  world_.commit();
  SortedScan scan =
      must(SortedScan::open(*snapshot, world_.index("size"), must(equal_range(form("size"), {}))));
  EXPECT_EQ(must(scan.count()), 100U);
  std::size_t found = 0;
  while (must(scan.next())) EXPECT_EQ(must(scan.parts())[0].i64, static_cast<int>(found++));
  EXPECT_EQ(found, 100U);
}

}  // namespace
}  // namespace quire
