// Changes of what a collection is, and what its records are then: in the transaction, after the
// commit, and after a recovery that carries the log out again.
#include "engine/record/collection_change.h"

#include <gtest/gtest.h>

#include "engine/record/array_value.h"
#include "tests/record/record_world.h"

namespace quire {
namespace {

using test::code_of;
using test::must;
using test::World;

class Changes : public testing::Test {
 protected:
  Changes()
      : goods_(
            must(Collection::create(world_.txn(), "goods",
                                    must(Schema::make({{"id", FieldType::kI64},
                                                       {"name", FieldType::kText},
                                                       {"size", FieldType::kI64, true},
                                                       {"place", FieldType::kVectorF32, true, 2}},
                                                      0))))) {
    for (std::int64_t i = 1; i <= 20; ++i) insert(i);
    world_.commit();
  }

  void insert(std::int64_t i) {
    const std::string name = "name " + std::to_string(i);
    const std::array<float, 2> place = {static_cast<float>(i), 1};
    std::vector<Value> values(goods_.schema().size(), Value::by_default());
    const auto set = [&](const char* field, const Value& value) {
      const std::size_t at = goods_.schema().find(field);
      if (at != values.size() && goods_.schema().field(at).type == value.type) values[at] = value;
    };
    set("id", Value::of_i64(i));
    set("name", Value::of_text(name));
    set("size", i % 4 == 0 ? Value::null() : Value::of_i64(i * 10));
    set("place", i % 3 == 0 ? Value::null() : Value::of_vector(place.data(), 2));
    must(insert_record(world_.txn(), goods_, values));
  }

  std::vector<Field> fields() const {
    return {goods_.schema().fields().begin(), goods_.schema().fields().end()};
  }
  Field& named(std::vector<Field>& fields, std::string_view name) {
    return *std::ranges::find(fields, name, &Field::name);
  }
  void change(std::vector<Field> fields) {
    goods_ = must(change_fields(world_.txn(), goods_, std::move(fields), {}));
  }
  std::vector<Value> get(std::int64_t id) {
    RecordReader reader(world_.txn(), goods_);
    std::vector<Value> values(goods_.schema().size());
    EXPECT_TRUE(must(reader.get(Value::of_i64(id), values))) << id;
    return values;
  }
  Value get(std::int64_t id, std::string_view field) {
    return get(id)[goods_.schema().find(field)];
  }
  std::uint32_t version_of(std::int64_t id) {
    EncodedKey key;
    encode_key(Value::of_i64(id), key);
    return must(find_row(world_.txn(), goods_, bytes_of(key)))->version();
  }
  // Calls `look` now, after the commit, and after a crash.
  template <class Look>
  void each_time(const Look& look) {
    look();
    world_.commit();
    world_.check();
    look();
    world_.abort();
    world_.crash();
    goods_ = must(Collection::open(world_.txn(), goods_.name()));
    look();
    world_.abort();
    world_.check();
  }

  World world_;
  Collection goods_;
};

TEST_F(Changes, AnAddedFieldIsItsDefaultInOldRows) {
  auto now = fields();
  now.push_back({.name = "note", .type = FieldType::kText, .nullable = true});
  Field count{.name = "count", .type = FieldType::kI64};
  count.rules.default_kind = DefaultKind::kValue;
  count.rules.default_value = OwnedValue(Value::of_i64(7));
  now.insert(now.begin(), count);
  Field made{.name = "made", .type = FieldType::kTimestamp};
  made.rules.default_kind = DefaultKind::kNow;
  now.push_back(made);
  change(now);
  insert(21);
  std::optional<std::int64_t> made_then;
  each_time([&] {
    EXPECT_EQ(version_of(3), 1u);
    EXPECT_EQ(version_of(21), 2u);
    EXPECT_EQ(get(3, "count").i64, 7);
    EXPECT_EQ(get(3, "name").text(), "name 3");
    EXPECT_TRUE(get(3, "note").is_null());
    EXPECT_TRUE(get(21, "note").is_null());
    EXPECT_GT(get(3, "made").i64, 0);
    EXPECT_EQ(get(3, "made").i64, made_then.value_or(get(3, "made").i64));
    made_then = get(3, "made").i64;
    EXPECT_EQ(get(4, "place").floats()[0], 4);
  });
}

TEST_F(Changes, ADroppedFieldIsGoneAndItsNameIsFree) {
  auto now = fields();
  std::erase_if(now, [](const Field& field) { return field.name == "size"; });
  change(now);
  now = fields();
  now.push_back({.name = "size", .type = FieldType::kText, .nullable = true});
  change(now);
  insert(30);
  each_time([&] {
    EXPECT_TRUE(get(1, "size").is_null());
    EXPECT_EQ(get(1, "name").text(), "name 1");
    EXPECT_EQ(goods_.schema().version(), 3u);
  });
}

TEST_F(Changes, ADroppedVectorTakesItsArrayWithIt) {
  const StructureId array = goods_.definition().vectors[0];
  auto now = fields();
  std::erase_if(now, [](const Field& field) { return field.name == "place"; });
  change(now);
  EXPECT_FALSE(world_.txn().array_root(array));
  now = fields();
  now.push_back({.name = "place", .type = FieldType::kVectorF32, .nullable = true, .dimension = 2});
  now.push_back({.name = "bits", .type = FieldType::kVectorBits, .nullable = true, .dimension = 9});
  change(now);
  insert(40);
  each_time([&] {
    EXPECT_TRUE(get(1, "place").is_null());
    EXPECT_EQ(get(40, "place").floats()[0], 40);
    EXPECT_TRUE(get(40, "bits").is_null());
    EXPECT_EQ(goods_.schema().field(goods_.schema().find("place")).slot, 1u);
    const NumberSet set = must(numbers_with_vector(world_.txn(), goods_, 0));
    for (RecordNumber number = 0; number < 20; ++number) EXPECT_FALSE(set.has(number));
    EXPECT_TRUE(set.has(20));
  });
}

TEST_F(Changes, WiderTypesAreReadFromOldRows) {
  auto now = fields();
  now.push_back({.name = "done", .type = FieldType::kBool, .nullable = true});
  change(now);
  must(update_record(world_.txn(), goods_, Value::of_i64(5), std::array{4U},
                     std::array{Value::of_bool(true)}));
  now = fields();
  named(now, "done").type = FieldType::kI64;
  named(now, "name").type = FieldType::kBytes;
  named(now, "size").type = FieldType::kF64;
  change(now);
  each_time([&] {
    EXPECT_EQ(get(5, "done").type, FieldType::kI64);
    EXPECT_EQ(get(5, "done").i64, 1);
    EXPECT_EQ(get(5, "name").type, FieldType::kBytes);
    EXPECT_EQ(get(5, "name").text(), "name 5");
    EXPECT_EQ(get(5, "size").f64, 50.0);
    EXPECT_TRUE(get(4, "size").is_null());
  });
}

// The second step was carried out, and the collection could not be read behind the commit: its
// oldest rows had a type that no f64 was said to have had. Found by the fuzzer of calls.
TEST_F(Changes, ABoolThatBecameAnI64AndThenAnF64IsReadFromOldRows) {
  auto now = fields();
  now.push_back({.name = "done", .type = FieldType::kBool, .nullable = true});
  now.back().rules.default_kind = DefaultKind::kValue;
  now.back().rules.default_value = OwnedValue(Value::of_bool(true));
  change(now);
  insert(21);
  for (const FieldType type : {FieldType::kI64, FieldType::kF64}) {
    now = fields();
    Field& done = named(now, "done");
    done.type = type;
    done.rules.default_value = OwnedValue(widened(done.rules.default_value.view(), type));
    change(now);
  }
  each_time([&] {
    EXPECT_EQ(get(3, "done").f64, 1.0);
    EXPECT_EQ(get(21, "done").f64, 1.0);
  });
}

TEST_F(Changes, RefusedOnesNameTheRecordAndChangeNothing) {
  const auto refused = [&](std::vector<Field> now, ErrorCode code, const char* words) {
    const auto made = change_fields(world_.txn(), goods_, std::move(now), {});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code(), code) << made.error().message();
    EXPECT_NE(made.error().message().find(words), std::string::npos) << made.error().message();
    EXPECT_TRUE(world_.txn().usable());
    EXPECT_TRUE(must(Collection::open(world_.txn(), "goods")).schema() == goods_.schema());
  };
  auto now = fields();
  named(now, "size").nullable = false;
  refused(now, ErrorCode::kSchema, "is null in the record 4");
  now = fields();
  named(now, "size").rules.max = OwnedValue(Value::of_i64(180));
  refused(now, ErrorCode::kSchema, "190, more than the maximum, 180 in the record 19");
  now = fields();
  now.push_back({.name = "must", .type = FieldType::kI64});
  refused(now, ErrorCode::kSchema, "'must' can't be null");
  now = fields();
  named(now, "name").type = FieldType::kI64;
  refused(now, ErrorCode::kInvalid, "can't become i64 from text");
  now = fields();
  now.erase(now.begin());
  refused(now, ErrorCode::kInvalid, "is part of the key, and can't go");
  now = fields();
  named(now, "place").dimension = 3;
  refused(now, ErrorCode::kInvalid, "can't become");
  now = fields();
  named(now, "size").id = 77;
  refused(now, ErrorCode::kInvalid, "is none of the collection's");
  must(update_record(world_.txn(), goods_, Value::of_i64(1), std::array{2U},
                     std::array{Value::of_i64((std::int64_t{1} << 53) + 1)}));
  now = fields();
  named(now, "size").type = FieldType::kF64;
  refused(now, ErrorCode::kSchema, "9007199254740993, which no f64 is in the record 1");
}

TEST_F(Changes, ANewNameMovesTheCollection) {
  must(world_.txn().create_keyspace("taken"));
  EXPECT_EQ(code_of(rename_collection(world_.txn(), goods_, "taken", {})), ErrorCode::kExists);
  EXPECT_EQ(code_of(rename_collection(world_.txn(), goods_, "", {})), ErrorCode::kInvalid);
  goods_ = must(rename_collection(world_.txn(), goods_, "things", {}));
  each_time([&] {
    EXPECT_EQ(goods_.name(), "things");
    EXPECT_EQ(code_of(Collection::open(world_.txn(), "goods")), ErrorCode::kNotFound);
    EXPECT_EQ(get(2, "name").text(), "name 2");
  });
}

TEST_F(Changes, RowsAreRewrittenOnRequest) {
  auto now = fields();
  now.push_back({.name = "note", .type = FieldType::kText, .nullable = true});
  change(now);
  insert(21);
  goods_ = must(rewrite_rows(world_.txn(), goods_, {}));
  each_time([&] {
    EXPECT_EQ(goods_.schema().layouts().size(), 1u);
    for (std::int64_t i = 1; i <= 21; ++i) EXPECT_EQ(version_of(i), 2u);
    EXPECT_EQ(get(8, "name").text(), "name 8");
    EXPECT_EQ(get(8, "place").floats()[0], 8);
  });
}

TEST_F(Changes, StopWhenToldTo) {
  auto now = fields();
  named(now, "size").rules.max = OwnedValue(Value::of_i64(1000));
  const auto stop = [](std::uint64_t, std::uint64_t) { return false; };
  EXPECT_EQ(code_of(change_fields(world_.txn(), goods_, now, {}, stop)), ErrorCode::kCancelled);
  now = fields();
  now.push_back({.name = "note", .type = FieldType::kText, .nullable = true});
  change(now);
  EXPECT_EQ(code_of(rewrite_rows(world_.txn(), goods_, {}, stop)), ErrorCode::kCancelled);
  EXPECT_EQ(must(Collection::open(world_.txn(), "goods")).schema().layouts().size(), 2u);
  EXPECT_EQ(get(8, "name").text(), "name 8");
  world_.commit();
  world_.check();
}

// Most of the records have the newest version already, and count all the same.
TEST_F(Changes, TheRewritingOfRowsTellsWhatItHasRead) {
  constexpr std::int64_t kCount = 10'000;
  for (std::int64_t i = 100; i < kCount; ++i) insert(i);
  auto now = fields();
  now.push_back({.name = "note", .type = FieldType::kText, .nullable = true});
  change(now);
  for (std::int64_t i = 100; i + 100 < kCount; ++i)
    must(update_record(world_.txn(), goods_, Value::of_i64(i), std::array{1U},
                       std::array{Value::of_text("newest")}));
  const std::uint64_t total = must(goods_.count(world_.txn()));
  std::vector<std::uint64_t> told;
  const auto note = [&](std::uint64_t done, std::uint64_t of) {
    EXPECT_EQ(of, total);
    told.push_back(done);
    return true;
  };
  must(rewrite_rows(world_.txn(), goods_, {}, note));
  ASSERT_EQ(told.size(), (total + 4095) / 4096);
  for (std::size_t i = 0; i < told.size(); ++i) EXPECT_EQ(told[i], 4096 * i);
  world_.commit();
}

TEST_F(Changes, NumbersGoOnFromTheGreatestThatWasEver) {
  auto now = fields();
  named(now, "id").rules.default_kind = DefaultKind::kNext;
  change(now);
  const auto add = [&] {
    std::vector<Value> values(goods_.schema().size(), Value::by_default());
    values[1] = Value::of_text("new");
    EncodedKey key;
    must(insert_record(world_.txn(), goods_, values, &key));
    return must(decode_single_key(FieldType::kI64, bytes_of(key))).i64;
  };
  EXPECT_EQ(add(), 21);
  must(erase_record(world_.txn(), goods_, Value::of_i64(21)));
  EXPECT_EQ(add(), 22);
  insert(100);
  world_.commit();
  world_.crash();
  goods_ = must(Collection::open(world_.txn(), "goods"));
  EXPECT_EQ(add(), 101);
  world_.commit();
  world_.check();
}

TEST_F(Changes, AManyTimesChangedSchemaAsksForARewrite) {
  for (int round = 0; round < 254; ++round) {
    auto now = fields();
    if (round % 2 == 0)
      now.push_back({.name = "extra", .type = FieldType::kI64, .nullable = true});
    else
      now.pop_back();
    change(now);
  }
  auto now = fields();
  now.push_back({.name = "extra", .type = FieldType::kI64, .nullable = true});
  EXPECT_EQ(code_of(change_fields(world_.txn(), goods_, now, {})), ErrorCode::kTooLarge);
  goods_ = must(rewrite_rows(world_.txn(), goods_, {}));
  change(now);
  EXPECT_EQ(get(7, "name").text(), "name 7");
  world_.commit();
  world_.check();
}

// --- keys of several fields ---

TEST(CompositeKeys, OrderAndFindRecords) {
  World world;
  const std::array<std::size_t, 2> key = {1, 0};
  const Collection pairs = must(Collection::create(
      world.txn(), "pairs",
      must(Schema::make({{"b", FieldType::kI64}, {"a", FieldType::kText}, {"n", FieldType::kI64}},
                        key))));
  const std::string with_zero("a\0b", 3);
  const std::vector<std::string> texts = {"", "a", with_zero, "aa", "b"};
  for (std::size_t t = texts.size(); t-- > 0;)
    for (const std::int64_t b : {5, -5, 0})
      must(insert_record(world.txn(), pairs,
                         std::array{Value::of_i64(b), Value::of_text(texts[t]),
                                    Value::of_i64(static_cast<std::int64_t>(t))}));
  RecordReader reader(world.txn(), pairs);
  std::array<Value, 3> values;
  RecordScan scan = must(RecordScan::open(reader, {}, {}));
  for (std::size_t t = 0; t < texts.size(); ++t)
    for (const std::int64_t b : {-5, 0, 5}) {
      ASSERT_TRUE(must(scan.next(values)));
      EXPECT_EQ(values[1].text(), texts[t]);
      EXPECT_EQ(values[0].i64, b);
    }
  EXPECT_FALSE(must(scan.next(values)));
  const std::array wanted = {Value::of_text(with_zero), Value::of_i64(0)};
  EXPECT_TRUE(must(reader.get(std::span<const Value>(wanted), values)));
  EXPECT_EQ(values[2].i64, 2);
  EXPECT_EQ(code_of(reader.get(Value::of_text("a"), values)), ErrorCode::kInvalid);
  // From the first with a prefix on.
  RecordScan some = must(
      RecordScan::open(reader, std::array{Value::of_text("a")}, std::array{Value::of_text("aa")}));
  int count = 0;
  while (must(some.next(values))) ++count;
  EXPECT_EQ(count, 6);
  const Status twice = insert_record(
      world.txn(), pairs, std::array{Value::of_i64(0), Value::of_text("a"), Value::of_i64(9)});
  EXPECT_EQ(code_of(twice), ErrorCode::kExists);
  EXPECT_NE(twice.error().message().find("('a', 0)"), std::string::npos);
  must(erase_record(world.txn(), pairs, std::span<const Value>(wanted)));
  world.commit();
  world.check();
  world.crash();
  world.check();
}

// --- rules and defaults ---

class Rules : public testing::Test {
 protected:
  Status insert(Field field, const Value& value) {
    World world;
    const Collection made = must(Collection::create(
        world.txn(), "c", must(Schema::make({{"id", FieldType::kI64}, std::move(field)}, 0))));
    const Status status = insert_record(world.txn(), made, std::array{Value::of_i64(1), value});
    EXPECT_EQ(must(made.count(world.txn())), status ? 1u : 0u);
    return status;
  }
  void refuses(const Field& field, const Value& value, const char* words) {
    const Status status = insert(field, value);
    ASSERT_FALSE(status) << words;
    EXPECT_EQ(status.error().code(), ErrorCode::kSchema);
    EXPECT_NE(status.error().message().find(words), std::string::npos) << status.error().message();
    EXPECT_NE(status.error().message().find("field 'f'"), std::string::npos);
  }
};

TEST_F(Rules, OfRangesHold) {
  Field field{.name = "f", .type = FieldType::kF64, .nullable = true};
  field.rules.min = OwnedValue(Value::of_f64(0.5));
  field.rules.max = OwnedValue(Value::of_f64(2));
  EXPECT_TRUE(insert(field, Value::of_f64(0.5)));
  EXPECT_TRUE(insert(field, Value::of_f64(2)));
  EXPECT_TRUE(insert(field, Value::null()));
  refuses(field, Value::of_f64(0.25), "0.25, less than the minimum, 0.5");
  refuses(field, Value::of_f64(2.5), "2.5, more than the maximum, 2");
  refuses(field, Value::of_f64(std::nan("")), "NaN");
}

TEST_F(Rules, OfLengthsCountCharactersBytesAndElements) {
  Field text{.name = "f", .type = FieldType::kText};
  text.rules.min_length = 2;
  text.rules.max_length = 3;
  EXPECT_TRUE(insert(text, Value::of_text("\u00e9\u00e9\u00e9")));
  refuses(text, Value::of_text("\u00e9"), "1 characters, must have at least 2");
  refuses(text, Value::of_text("abcd"), "4 characters, must have at most 3");
  Field bytes{.name = "f", .type = FieldType::kBytes, .rules = text.rules};
  refuses(bytes, Value::of_bytes(as_bytes("\u00e9\u00e9")), "4 bytes, must have at most 3");
  Field array{.name = "f", .type = FieldType::kArrayI64, .rules = text.rules};
  ByteVector one;
  encode_array(std::array{Value::of_i64(1)}, one);
  refuses(array, Value::of_array(FieldType::kArrayI64, one), "1 elements, must have at least 2");
}

TEST_F(Rules, OfListsAndPatternsHoldForElementsOfArrays) {
  Field field{.name = "f", .type = FieldType::kArrayText};
  field.rules.one_of = {OwnedValue(Value::of_text("a")), OwnedValue(Value::of_text("bb"))};
  field.rules.pattern = must(Pattern::compile("[a-z]"));
  ByteVector good;
  encode_array(std::array{Value::of_text("a"), Value::of_text("a")}, good);
  EXPECT_TRUE(insert(field, Value::of_array(FieldType::kArrayText, good)));
  ByteVector bad;
  encode_array(std::array{Value::of_text("a"), Value::of_text("c")}, bad);
  refuses(field, Value::of_array(FieldType::kArrayText, bad), "element 1 is 'c', none of those");
  bad.clear();
  encode_array(std::array{Value::of_text("bb")}, bad);
  refuses(field, Value::of_array(FieldType::kArrayText, bad), "'bb', which does not match '[a-z]'");
}

TEST_F(Rules, OfTypesThatTheyDoNotFitAreRefused) {
  const auto refused = [](Field field, const char* words) {
    const auto made = Schema::make({{"id", FieldType::kI64}, std::move(field)}, 0);
    ASSERT_FALSE(made) << words;
    EXPECT_EQ(made.error().code(), ErrorCode::kInvalid);
    EXPECT_NE(made.error().message().find(words), std::string::npos) << made.error().message();
  };
  Field field{.name = "f", .type = FieldType::kText};
  field.rules.min = OwnedValue(Value::of_text("a"));
  refused(field, "a range does not exist for text");
  field = {.name = "f", .type = FieldType::kI64};
  field.rules.pattern = must(Pattern::compile("a"));
  refused(field, "a pattern does not exist for i64");
  field.rules = {.max_length = 3};
  refused(field, "a length does not exist for i64");
  field.rules = {};
  field.rules.max = OwnedValue(Value::of_f64(1));
  refused(field, "the maximum is f64, must be i64");
  field.rules.max = OwnedValue(Value::of_i64(1));
  field.rules.min = OwnedValue(Value::of_i64(2));
  refused(field, "the minimum is more than the maximum");
  field.rules = {.default_kind = DefaultKind::kUuid};
  refused(field, "the default 'uuid' does not exist for i64");
  field.rules = {.default_kind = DefaultKind::kValue,
                 .default_value = OwnedValue(Value::of_i64(3))};
  field.rules.max = OwnedValue(Value::of_i64(2));
  refused(field, "the default is 3, more than the maximum");
  field = {.name = "f", .type = FieldType::kVectorF32, .dimension = 2};
  field.rules.default_kind = DefaultKind::kValue;
  refused(field, "a default does not exist for vector f32");
  EXPECT_EQ(code_of(Pattern::compile("(")), ErrorCode::kInvalid);
}

TEST_F(Rules, OfDefaultsFillWhatIsMissing) {
  World world;
  Field id{.name = "id", .type = FieldType::kText};
  id.rules.default_kind = DefaultKind::kUuid;
  Field number{.name = "number", .type = FieldType::kI64};
  number.rules.default_kind = DefaultKind::kNext;
  Field time{.name = "time", .type = FieldType::kTimestamp};
  time.rules.default_kind = DefaultKind::kNow;
  const Collection made = must(Collection::create(
      world.txn(), "c", must(Schema::make({id, number, time, {"other", FieldType::kI64}}, 0))));
  std::vector<Value> values(4, Value::by_default());
  const Status missing = insert_record(world.txn(), made, values);
  EXPECT_EQ(code_of(missing), ErrorCode::kSchema);
  EXPECT_NE(missing.error().message().find("'other': is missing, and has no default"),
            std::string::npos);
  values[3] = Value::of_i64(0);
  std::string before;
  for (std::int64_t i = 1; i <= 50; ++i) {
    EncodedKey key;
    must(insert_record(world.txn(), made, values, &key));
    RecordReader reader(world.txn(), made);
    std::array<Value, 4> found;
    const Value own = must(decode_single_key(FieldType::kText, bytes_of(key)));
    ASSERT_TRUE(must(reader.get(own, found)));
    EXPECT_EQ(found[1].i64, i);
    EXPECT_GT(found[2].i64, 0);
    ASSERT_EQ(own.text().size(), 36u);
    EXPECT_EQ(own.text()[14], '7');
    EXPECT_LT(before, own.text());
    before = own.text();
  }
  world.commit();
  world.crash();
  world.check();
}

TEST(Documents, AreCheckedWhenTheyAreWritten) {
  World world;
  const Collection made = must(Collection::create(
      world.txn(), "c",
      must(Schema::make({{"id", FieldType::kI64}, {"doc", FieldType::kJson, true}}, 0))));
  const auto insert = [&](std::int64_t id, std::string_view text) {
    return insert_record(world.txn(), made, std::array{Value::of_i64(id), Value::of_json(text)});
  };
  EXPECT_TRUE(insert(1, R"({"a": [1, 2.5, null, "x"], "b": {"c": true}})"));
  EXPECT_TRUE(insert(2, "17"));
  EXPECT_TRUE(insert(3, "[" + std::string(100'000, ' ') + "]"));
  for (const std::string_view bad :
       {"", "{", "{\"a\":}", "nul", "1 2", "[1,]", "\"\xff\"", "'a'"}) {
    const Status status = insert(9, bad);
    EXPECT_EQ(code_of(status), ErrorCode::kSchema) << bad;
  }
  EXPECT_EQ(code_of(insert(9, std::string(300, '[') + std::string(300, ']'))), ErrorCode::kSchema);
  world.commit();
  world.check();
}

TEST(Arrays, ThatMakeNoSenseAreRefused) {
  const auto check = [](FieldType type, std::string_view bytes) {
    return code_of(check_array(type, as_bytes(bytes)));
  };
  EXPECT_EQ(check(FieldType::kArrayBool, std::string_view("\0", 1)), ErrorCode::kOk);
  EXPECT_EQ(check(FieldType::kArrayBool, "\1\1"), ErrorCode::kOk);
  EXPECT_EQ(check(FieldType::kArrayBool, "\1\2"), ErrorCode::kSchema);
  EXPECT_EQ(check(FieldType::kArrayBool, "\2\1"), ErrorCode::kSchema);
  EXPECT_EQ(check(FieldType::kArrayBool, "\1\1\1"), ErrorCode::kSchema);
  EXPECT_EQ(check(FieldType::kArrayText, "\1\2ab"), ErrorCode::kOk);
  EXPECT_EQ(check(FieldType::kArrayText, "\1\1\xff"), ErrorCode::kSchema);
  EXPECT_EQ(check(FieldType::kArrayBytes, "\1\1\xff"), ErrorCode::kOk);
  EXPECT_EQ(check(FieldType::kArrayI64, "\1abcdefg"), ErrorCode::kSchema);
  EXPECT_EQ(check(FieldType::kArrayI64, ""), ErrorCode::kSchema);
}

TEST(Vectors, OfEachTypeAreKeptAndChecked) {
  World world;
  const Collection made =
      must(Collection::create(world.txn(), "c",
                              must(Schema::make({{"id", FieldType::kI64},
                                                 {"half", FieldType::kVectorF16, false, 3},
                                                 {"byte", FieldType::kVectorI8, false, 5},
                                                 {"bits", FieldType::kVectorBits, false, 11}},
                                                0))));
  const std::array<std::uint16_t, 3> half = {0x3C00, 0xC000, 0x0001};
  const std::array<std::int8_t, 5> byte = {-128, 127, 0, 1, 2};
  const std::array<std::uint8_t, 2> bits = {0xFF, 0x07};
  const auto values = [](const auto& h, const auto& b, const auto& x) {
    return std::array{Value::of_i64(1),
                      Value::of_vector(FieldType::kVectorF16, as_bytes(&h, 6).data(), 3),
                      Value::of_vector(FieldType::kVectorI8, as_bytes(&b, 5).data(), 5),
                      Value::of_vector(FieldType::kVectorBits, as_bytes(&x, 2).data(), 11)};
  };
  auto wrong_half = half;
  wrong_half[1] = 0x7C01;
  EXPECT_EQ(code_of(insert_record(world.txn(), made, values(wrong_half, byte, bits))),
            ErrorCode::kSchema);
  auto wrong_bits = bits;
  wrong_bits[1] = 0x0F;
  EXPECT_EQ(code_of(insert_record(world.txn(), made, values(half, byte, wrong_bits))),
            ErrorCode::kSchema);
  must(insert_record(world.txn(), made, values(half, byte, bits)));
  world.commit();
  world.crash();
  RecordReader reader(world.txn(), made);
  std::array<Value, 4> found;
  ASSERT_TRUE(must(reader.get(Value::of_i64(1), found)));
  EXPECT_TRUE(equal_bytes(found[1].vector_bytes(), as_bytes(&half, 6)));
  EXPECT_TRUE(equal_bytes(found[2].vector_bytes(), as_bytes(&byte, 5)));
  EXPECT_TRUE(equal_bytes(found[3].vector_bytes(), as_bytes(&bits, 2)));
  world.abort();
  world.check();
}

}  // namespace
}  // namespace quire
