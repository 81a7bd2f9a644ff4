// Purges: whose time is over goes, by whatever way it is found, and nothing else does.
#include "index/ordered/purge.h"

#include <set>

#include "engine/record/expiry.h"
#include "tests/ordered/ordered_world.h"

namespace quire {
namespace {

using namespace test;

// The kind with the language of filters that applications have.
const std::array<const IndexKind*, 1>& real_kinds() {
  static const std::array<const IndexKind*, 1> kinds = {&sorted_index_kind()};
  return kinds;
}

class Purge : public testing::Test {
 protected:
  Purge() : cache_(real_kinds()) {}

  // Empty: no field any more.
  void set_ttl(std::string_view name) {
    const auto now = world_.shop().schema().fields();
    std::vector<Field> fields(now.begin(), now.end());
    for (Field& field : fields) field.ttl = field.name == name;
    world_.set_shop(must(change_fields(world_.txn(), world_.shop(), fields, real_kinds())));
  }
  void put(const std::string& id, std::optional<std::int64_t> time, bool flag = false) {
    Item item;
    item.id = id;
    item.time = time;
    item.flag = flag;
    item.tags = {"a", "b", id};
    must(world_.upsert(item));
  }
  // Records "0" to "99", of which each seventh never ends, and the others at 0 to 990, not in
  // order.
  void fill() {
    for (std::int64_t i = 0; i < 100; ++i)
      put(std::to_string(i), i % 7 == 0 ? std::optional<std::int64_t>() : (i * 37 % 100) * 10,
          i % 2 == 0);
  }
  // What a purge has to leave.
  static std::set<std::string> left_at(std::int64_t now_us) {
    std::set<std::string> left;
    for (std::int64_t i = 0; i < 100; ++i)
      if (i % 7 == 0 || (i * 37 % 100) * 10 > now_us) left.insert(std::to_string(i));
    return left;
  }
  std::set<std::string> there(View& view) {
    std::set<std::string> found;
    RecordReader reader(view, world_.shop());
    RecordScan scan = must(RecordScan::open(reader, nullptr, nullptr));
    std::vector<Value> values(1);
    while (must(scan.next(values))) found.emplace(values[0].text());
    return found;
  }
  std::set<std::string> there() { return there(world_.txn()); }
  std::uint64_t purge(std::int64_t now_us, std::uint64_t most = UINT64_MAX) {
    return must(purge_records(world_.txn(), world_.shop(), now_us, most));
  }
  Status in_pieces(const PurgeTerms& terms, std::uint64_t& purged) {
    return purge_in_pieces(world_.database(), world_.shop().id(), &cache_, terms, purged);
  }
  std::string used_index() const {
    const SortedIndex* index = purge_index(world_.shop());
    return index != nullptr ? index->name() : "";
  }

  World world_{4096, 0, real_kinds()};
  CollectionCache cache_;
};

TEST_F(Purge, takes_what_is_over_at_the_moment_or_before_and_never_null) {
  put("before", 9);
  put("now", 10);
  put("later", 11);
  put("never", std::nullopt);
  put("least", INT64_MIN);
  put("greatest", INT64_MAX);
  EXPECT_EQ(used_index(), "");
  EXPECT_EQ(purge(10), 3u);
  EXPECT_EQ(there(), (std::set<std::string>{"greatest", "later", "never"}));
  EXPECT_EQ(purge(10), 0u);
  EXPECT_EQ(purge(INT64_MAX), 2u);
  EXPECT_EQ(there(), (std::set<std::string>{"never"}));
}

TEST_F(Purge, is_the_same_by_each_index_that_has_the_records) {
  for (const char* options : {R"({"fields": ["time"]})", R"({"fields": ["-time"]})",
                              R"({"fields": ["time", "-section"], "covering": ["flag"]})",
                              R"({"fields": ["time", "id"], "unique": true})",
                              R"({"fields": ["time"], "where": "time is not null"})"}) {
    SCOPED_TRACE(options);
    fill();
    world_.add_index("ends", options);
    EXPECT_EQ(used_index(), "ends");
    for (const std::int64_t now : {-1, 0, 405, 410, 2000}) {
      const std::size_t before = there().size();
      EXPECT_EQ(purge(now), before - left_at(now).size()) << now;
      EXPECT_EQ(there(), left_at(now));
      EXPECT_EQ(world_.damages(), std::vector<std::string>{});
    }
    world_.set_shop(must(drop_index(world_.txn(), world_.shop(), "ends", real_kinds())));
  }
}

TEST_F(Purge, does_not_go_by_an_index_that_lacks_records_or_has_them_twice) {
  fill();
  world_.add_index("some", R"({"fields": ["time"], "where": "flag"})");
  world_.add_index("late", R"({"fields": ["time"], "where": "time > '1970-01-02'"})");
  world_.add_index("null", R"({"fields": ["time"], "where": "time is null"})");
  world_.add_index("other", R"({"fields": ["time"], "where": "id is not null"})");
  world_.add_index("second", R"({"fields": ["id", "time"]})");
  world_.add_index("elements", R"({"fields": ["time", "tags[]"]})");
  EXPECT_EQ(used_index(), "");
  purge(410);
  EXPECT_EQ(there(), left_at(410));
  EXPECT_EQ(world_.damages(), std::vector<std::string>{});
}

TEST_F(Purge, stops_at_the_limit_and_goes_on_the_next_time) {
  fill();
  world_.add_index("ends", R"({"fields": ["time"]})");
  EXPECT_EQ(purge(410, 1), 1u);
  // None is over at 0: that is "0", which never ends.
  EXPECT_EQ(there(), left_at(10)) << "the soonest over goes first";
  EXPECT_EQ(purge(410, 5), 5u);
  purge(410, 1000);
  EXPECT_EQ(there(), left_at(410));
}

TEST_F(Purge, goes_by_a_key_that_begins_with_the_field) {
  const Schema schema =
      must(Schema::make({{.name = "ends", .type = FieldType::kTimestamp, .ttl = true},
                         {.name = "id", .type = FieldType::kI64},
                         {.name = "note", .type = FieldType::kText, .nullable = true}},
                        std::array<std::size_t, 2>{0, 1}));
  Collection notes = must(Collection::create(world_.txn(), "notes", schema));
  for (std::int64_t i = 0; i < 50; ++i)
    must(insert_record(world_.txn(), notes,
                       std::array{Value::of_timestamp(i - 10), Value::of_i64(i), Value::null()}));
  PurgePlace place;
  EXPECT_EQ(must(find_over(world_.txn(), notes, 9, 1000, place)).size(), 20u);
  EXPECT_TRUE(place.ended);
  EXPECT_EQ(must(purge_records(world_.txn(), notes, 9, UINT64_MAX)), 20u);
  EXPECT_EQ(must(notes.count(world_.txn())), 30u);
  EXPECT_EQ(must(purge_records(world_.txn(), notes, INT64_MAX, UINT64_MAX)), 30u);
}

TEST_F(Purge, of_what_has_no_such_field_is_refused_by_name) {
  set_ttl("");
  const auto refused = purge_records(world_.txn(), world_.shop(), 0, 1);
  EXPECT_EQ(code_of(refused), ErrorCode::kInvalid);
  EXPECT_EQ(words_of(refused),
            "collection 'shop': has no field that says when a record's time is over");
}

TEST_F(Purge, is_logged_and_carried_out_again) {
  fill();
  world_.add_index("ends", R"({"fields": ["time"]})");
  world_.commit();
  EXPECT_EQ(purge(410, 7), 7u);
  world_.commit();
  const auto before = there();
  world_.abort();
  world_.crash();
  world_.reload();
  EXPECT_EQ(world_.shop().schema().ttl(), std::size_t{kTime});
  EXPECT_EQ(there(), before);
  EXPECT_EQ(world_.damages(), std::vector<std::string>{});
}

TEST_F(Purge, that_is_rolled_back_leaves_all) {
  fill();
  const std::size_t savepoint = must(world_.txn().savepoint());
  purge(1000);
  must(world_.txn().rollback_to(savepoint));
  EXPECT_EQ(there().size(), 100u);
}

TEST_F(Purge, a_reader_sees_what_its_snapshot_has) {
  fill();
  world_.commit();
  const auto snapshot = world_.snapshot();
  purge(1000);
  world_.commit();
  EXPECT_EQ(there(*snapshot).size(), 100u);
  EXPECT_EQ(there(*world_.snapshot()), left_at(1000));
}

TEST_F(Purge, names_an_index_that_is_of_another_mind_than_its_record) {
  put("early", 5);
  put("late", 1000);
  world_.add_index("ends", R"({"fields": ["time"]})");
  const auto entries = world_.entries("ends");
  TreeWriter& tree = *must(world_.txn().tree(world_.index("ends").tree()));
  must(tree.put(as_bytes(entries.at(0).first), as_bytes(entries.at(1).second)));
  const auto wrong = purge_records(world_.txn(), world_.shop(), 10, UINT64_MAX);
  EXPECT_EQ(code_of(wrong), ErrorCode::kCorrupt);
  EXPECT_EQ(words_of(wrong),
            "collection 'shop': an index says that the time of the record with the key 'late' is "
            "over, and the record does not");
  EXPECT_TRUE(there().contains("late"));
  world_.abort();
}

TEST_F(Purge, in_pieces_takes_a_transaction_for_each) {
  for (const bool indexed : {false, true}) {
    SCOPED_TRACE(indexed);
    fill();
    if (indexed) world_.add_index("ends", R"({"fields": ["time"]})");
    world_.commit();
    std::vector<std::uint64_t> told;
    PurgeTerms terms{.now_us = 410, .batch = 10, .durability = Durability::kOs};
    terms.go_on = [&told](std::uint64_t purged) {
      told.push_back(purged);
      return true;
    };
    const TxnNumber before = world_.database().newest().txn;
    std::uint64_t purged = 0;
    must(in_pieces(terms, purged));
    EXPECT_EQ(purged, 100 - left_at(410).size());
    EXPECT_EQ(there(*world_.snapshot()), left_at(410));
    const std::uint64_t pieces = (purged + 9) / 10;
    EXPECT_EQ(world_.database().newest().txn - before, pieces);
    EXPECT_GE(told.size(), pieces);
    EXPECT_EQ(told.at(1), 10u);
    EXPECT_EQ(world_.damages(), std::vector<std::string>{});
  }
}

TEST_F(Purge, in_pieces_stops_at_the_limit_or_when_told) {
  fill();
  world_.commit();
  std::uint64_t purged = 0;
  PurgeTerms terms{.now_us = 1000, .most = 15, .batch = 10, .durability = Durability::kOs};
  must(in_pieces(terms, purged));
  EXPECT_EQ(purged, 15u);
  terms.most = UINT64_MAX;
  terms.go_on = [](std::uint64_t done) { return done < 20; };
  purged = 0;
  const Status stopped = in_pieces(terms, purged);
  EXPECT_EQ(code_of(stopped), ErrorCode::kCancelled);
  EXPECT_EQ(purged, 20u);
  EXPECT_EQ(there().size(), 65u) << "what was committed stays";
}

// Found by a snapshot, and then not over any more, or gone.
TEST_F(Purge, looks_at_each_record_again_before_it_goes) {
  put("kept", 5);
  put("gone", 5);
  put("over", 5);
  world_.commit();
  PurgePlace place;
  const auto keys = must(find_over(*world_.snapshot(), world_.shop(), 10, 100, place));
  ASSERT_EQ(keys.size(), 3u);
  put("kept", 11);
  must(world_.erase("gone"));
  int erased = 0;
  for (const EncodedKey& key : keys)
    erased += must(erase_if_over(world_.txn(), world_.shop(), bytes_of(key), 10)) ? 1 : 0;
  EXPECT_EQ(erased, 1);
  EXPECT_EQ(there(), (std::set<std::string>{"kept"}));
}

// Between its pieces anything may happen to the collection.
TEST_F(Purge, in_pieces_goes_on_when_the_index_goes_or_the_collection) {
  fill();
  world_.add_index("ends", R"({"fields": ["time"]})");
  world_.commit();
  std::uint64_t purged = 0;
  PurgeTerms terms{.now_us = 410, .batch = 10, .durability = Durability::kOs};
  terms.go_on = [this](std::uint64_t done) {
    if (done != 10) return true;
    world_.reload();
    world_.set_shop(must(drop_index(world_.txn(), world_.shop(), "ends", real_kinds())));
    world_.commit();
    return true;
  };
  must(in_pieces(terms, purged));
  EXPECT_EQ(there(), left_at(410));
  world_.abort();

  purged = 0;
  terms.now_us = 1000;
  terms.go_on = [this](std::uint64_t done) {
    if (done != 10) return true;
    world_.reload();
    set_ttl("");
    world_.commit();
    return true;
  };
  must(in_pieces(terms, purged));
  EXPECT_EQ(purged, 10u) << "nothing ends a record any more";
  must(world_.shop().drop(world_.txn()));
  world_.commit();
  terms.go_on = {};
  must(in_pieces(terms, purged));
  EXPECT_EQ(purged, 10u);
}

TEST_F(Purge, of_all_collections_leaves_out_those_without_a_field) {
  fill();
  const Schema other = must(Schema::make({{"time", FieldType::kTimestamp}}, 0));
  const Collection times = must(Collection::create(world_.txn(), "all times", other));
  must(insert_record(world_.txn(), times, std::array{Value::of_timestamp(1)}));
  world_.commit();
  std::uint64_t purged = 0;
  const PurgeTerms terms{.now_us = 1000, .durability = Durability::kOs};
  must(purge_all_in_pieces(world_.database(), &cache_, terms, purged));
  EXPECT_EQ(purged, 100 - left_at(1000).size());
  EXPECT_EQ(must(times.count(world_.txn())), 1u);
}

// More than are read at a time, none of them over but the last.
TEST_F(Purge, in_pieces_reads_on_where_nothing_is_over) {
  const Schema schema = must(
      Schema::make({{"id", FieldType::kI64},
                    {.name = "ends", .type = FieldType::kTimestamp, .nullable = true, .ttl = true}},
                   0));
  const Collection many = must(Collection::create(world_.txn(), "many", schema));
  const auto count = static_cast<std::int64_t>(kPurgeReads) + 100;
  for (std::int64_t i = 0; i < count; ++i)
    must(insert_record(
        world_.txn(), many,
        std::array{Value::of_i64(i), i + 1 == count ? Value::of_timestamp(3) : Value::null()}));
  world_.commit();
  int pieces = 0;
  std::uint64_t purged = 0;
  PurgeTerms terms{.now_us = 5, .durability = Durability::kOs};
  terms.go_on = [&pieces](std::uint64_t) { return ++pieces < 10; };
  must(purge_in_pieces(world_.database(), many.id(), &cache_, terms, purged));
  EXPECT_EQ(purged, 1u);
  EXPECT_EQ(pieces, 2);
}

}  // namespace
}  // namespace quire
