// What fields may be (rules, defaults, arrays, keys of several fields), and changes of them.
#include <array>
#include <limits>

#include "capi_world.h"
#include "values.h"

namespace quire::test {
namespace {

class SchemaApi : public World {
 protected:
  void SetUp() override {
    World::SetUp();
    number_.default_kind = QUIRE_DEFAULT_NEXT;
    size_.min = of_i64(0);
    size_.max = of_i64(100);
    size_.default_kind = QUIRE_DEFAULT_VALUE;
    size_.default_value = of_i64(5);
    color_.one_of = colors_.data();
    color_.one_of_count = colors_.size();
    color_.pattern = "[a-z]+";
    color_.min_length = 3;
    color_.max_length = 5;
    fields_ = {{{"number", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, &number_},
                {"size", QUIRE_TYPE_I64, QUIRE_FIELD_NULLABLE, 0, 0, &size_},
                {"color", QUIRE_TYPE_TEXT, QUIRE_FIELD_NULLABLE, 0, 0, &color_}}};
    quire_txn* txn = write();
    ASSERT_OK(quire_collection_create(txn, "goods", fields_.data(), fields_.size(), &goods_));
    ASSERT_OK(quire_commit(txn));
  }
  int insert(quire_txn* txn, quire_value size, quire_value color) {
    const std::array values = {by_default(), size, color};
    return quire_record_insert(txn, goods_, values.data(), values.size());
  }
  // The fields as the collection has them now.
  std::vector<quire_field> now(quire_txn* txn) {
    size_t count = 0;
    EXPECT_OK(quire_collection_field_count(txn, goods_, &count));
    std::vector<quire_field> fields(count);
    for (size_t i = 0; i < count; ++i)
      EXPECT_OK(quire_collection_field(txn, goods_, i, &fields[i]));
    return fields;
  }

  quire_rules number_ = QUIRE_RULES_INIT;
  quire_rules size_ = QUIRE_RULES_INIT;
  quire_rules color_ = QUIRE_RULES_INIT;
  std::array<quire_value, 2> colors_ = {of_text("red"), of_text("green")};
  std::array<quire_field, 3> fields_{};
  quire_collection goods_ = 0;
};

TEST_F(SchemaApi, RulesComeBackAsTheyWereGiven) {
  quire_txn* txn = read();
  const auto fields = now(txn);
  ASSERT_EQ(fields.size(), 3u);
  ASSERT_NE(fields[0].rules, nullptr);
  EXPECT_EQ(fields[0].rules->default_kind, QUIRE_DEFAULT_NEXT);
  ASSERT_NE(fields[1].rules, nullptr);
  EXPECT_EQ(fields[1].rules->default_value.as.i64, 5);
  EXPECT_EQ(fields[1].rules->min.as.i64, 0);
  EXPECT_EQ(fields[1].rules->max.as.i64, 100);
  EXPECT_EQ(fields[1].rules->max_length, UINT64_MAX);
  ASSERT_NE(fields[2].rules, nullptr);
  ASSERT_EQ(fields[2].rules->one_of_count, 2u);
  EXPECT_EQ(text(fields[2].rules->one_of[1].as.bytes), "green");
  EXPECT_STREQ(fields[2].rules->pattern, "[a-z]+");
  EXPECT_EQ(fields[2].rules->min_length, 3u);
  EXPECT_EQ(fields[2].rules->max_length, 5u);
  quire_abort(txn);
}

TEST_F(SchemaApi, RulesAreKept) {
  quire_txn* txn = write();
  EXPECT_OK(insert(txn, by_default(), by_default()));
  EXPECT_OK(insert(txn, of_i64(100), of_text("green")));
  EXPECT_ERROR(insert(txn, of_i64(101), none()), QUIRE_ERR_SCHEMA, "more than the maximum, 100");
  EXPECT_ERROR(insert(txn, of_i64(-1), none()), QUIRE_ERR_SCHEMA, "less than the minimum, 0");
  EXPECT_ERROR(insert(txn, none(), of_text("blue")), QUIRE_ERR_SCHEMA, "none of those");
  EXPECT_ERROR(insert(txn, none(), of_text("re")), QUIRE_ERR_SCHEMA, "2 characters");
  std::array<quire_value, 3> values;
  const quire_value first = of_i64(1);
  ASSERT_OK(quire_record_get(txn, goods_, &first, 1, values.data(), values.size()));
  EXPECT_EQ(values[1].as.i64, 5);
  EXPECT_EQ(values[2].type, static_cast<std::uint32_t>(QUIRE_TYPE_NULL));
  quire_abort(txn);
}

TEST_F(SchemaApi, RulesThatAreWrongNameTheField) {
  quire_txn* txn = write();
  quire_collection id = 0;
  quire_rules rules = QUIRE_RULES_INIT;
  const auto create = [&](std::uint32_t type) {
    const std::array<quire_field, 2> fields = {
        {{"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, nullptr}, {"f", type, 0, 0, 0, &rules}}};
    return quire_collection_create(txn, "c", fields.data(), fields.size(), &id);
  };
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, sizeof(size_t) - 1}) {
    rules.size = size;
    EXPECT_ERROR(create(QUIRE_TYPE_I64), QUIRE_ERR_INVALID, "QUIRE_RULES_INIT");
  }
  rules = QUIRE_RULES_INIT;
  rules.default_kind = 99;
  EXPECT_ERROR(create(QUIRE_TYPE_I64), QUIRE_ERR_INVALID, "field 'f'");
  rules = QUIRE_RULES_INIT;
  rules.pattern = "(";
  EXPECT_ERROR(create(QUIRE_TYPE_TEXT), QUIRE_ERR_INVALID, "regular expression");
  rules = QUIRE_RULES_INIT;
  rules.one_of_count = 1;
  EXPECT_ERROR(create(QUIRE_TYPE_TEXT), QUIRE_ERR_INVALID, "one_of is NULL");
  rules = QUIRE_RULES_INIT;
  rules.min = of_text("a");
  EXPECT_ERROR(create(QUIRE_TYPE_TEXT), QUIRE_ERR_INVALID, "a range");
  rules.min = by_default();
  EXPECT_ERROR(create(QUIRE_TYPE_TEXT), QUIRE_ERR_TYPE, "'f'");
  quire_abort(txn);
}

TEST_F(SchemaApi, GeneratedKeysAreTold) {
  quire_txn* txn = write();
  const std::array values = {by_default(), by_default(), by_default()};
  quire_value key{};
  for (std::int64_t i = 1; i <= 3; ++i) {
    ASSERT_OK(quire_record_insert_key(txn, goods_, values.data(), values.size(), &key));
    EXPECT_EQ(key.as.i64, i);
  }
  EXPECT_CODE(quire_record_insert_key(txn, goods_, values.data(), values.size(), nullptr),
              QUIRE_ERR_INVALID);
  ASSERT_OK(quire_commit(txn));
}

TEST_F(SchemaApi, GeneratedKeysNeedTheirRoom) {
  quire_txn* txn = write();
  const std::array values = {by_default(), by_default(), by_default()};
  std::array<quire_value, 2> key = {of_text("untouched"), of_text("untouched")};
  const auto insert = [&](quire_value* into, size_t room) {
    return quire_record_insert_keyed(txn, goods_, values.data(), values.size(), into, room);
  };
  for (const size_t room : {size_t{0}, size_t{2}, SIZE_MAX - 1})
    EXPECT_ERROR(insert(key.data(), room), QUIRE_ERR_INVALID,
                 "'goods': a key of " + std::to_string(room) + " values, must have 1");
  EXPECT_CODE(insert(key.data(), SIZE_MAX), QUIRE_ERR_INVALID);
  EXPECT_ERROR(insert(nullptr, 1), QUIRE_ERR_INVALID, "key is NULL");
  std::uint64_t records = 7;
  ASSERT_OK(quire_collection_count(txn, goods_, &records));
  EXPECT_EQ(records, 0u) << "nothing was inserted";
  ASSERT_OK(insert(key.data(), 1));
  EXPECT_EQ(key[0].as.i64, 1);
  EXPECT_EQ(key[1].type, static_cast<std::uint32_t>(QUIRE_TYPE_TEXT));
  quire_abort(txn);
}

// What a program that was built with a shorter struct does not say is not asked for.
TEST_F(SchemaApi, RulesOfAnOlderProgramAreFilledUp) {
  quire_txn* txn = write();
  quire_collection id = 0;
  quire_rules rules = QUIRE_RULES_INIT;
  rules.default_kind = QUIRE_DEFAULT_VALUE;
  rules.default_value = of_text("ab");
  rules.min_length = 2;
  rules.max_length = 3;
  rules.one_of = colors_.data();
  rules.one_of_count = colors_.size();
  rules.pattern = "never";
  const auto try_size = [&](std::size_t size, const char* value, int expected) {
    rules.size = size;
    const std::array<quire_field, 2> fields = {
        {{"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, nullptr},
         {"f", QUIRE_TYPE_TEXT, 0, 0, 0, &rules}}};
    ASSERT_OK(quire_collection_create(txn, "c", fields.data(), fields.size(), &id)) << size;
    const std::array values = {of_i64(1), of_text(value)};
    EXPECT_CODE(quire_record_insert(txn, id, values.data(), values.size()), expected) << size;
    ASSERT_OK(quire_collection_drop(txn, id));
  };
  try_size(offsetof(quire_rules, default_kind), "", QUIRE_OK);
  try_size(offsetof(quire_rules, min), "", QUIRE_OK);
  try_size(offsetof(quire_rules, min_length), "", QUIRE_OK);
  try_size(offsetof(quire_rules, max_length), "", QUIRE_ERR_SCHEMA);
  try_size(offsetof(quire_rules, max_length), "longer than three", QUIRE_OK);
  try_size(offsetof(quire_rules, one_of), "longer than three", QUIRE_ERR_SCHEMA);
  try_size(offsetof(quire_rules, one_of), "abc", QUIRE_OK);
  quire_abort(txn);
}

TEST_F(SchemaApi, ACallersFunctionMakesKeys) {
  struct Counter {
    std::int64_t next = 1000;
    bool refuses = false;
  } counter;
  const auto make = [](void* context, quire_value* key) {
    auto* own = static_cast<Counter*>(context);
    *key = of_i64(own->next++);
    return own->refuses ? 1 : 0;
  };
  EXPECT_CODE(quire_set_key_function(db, nullptr, make, &counter), QUIRE_ERR_INVALID);
  ASSERT_OK(quire_set_key_function(db, "goods", make, &counter));
  quire_txn* txn = write();
  const std::array values = {by_default(), by_default(), by_default()};
  quire_value key{};
  ASSERT_OK(quire_record_insert_key(txn, goods_, values.data(), values.size(), &key));
  EXPECT_EQ(key.as.i64, 1000);
  counter.refuses = true;
  EXPECT_CODE(quire_record_insert_key(txn, goods_, values.data(), values.size(), &key),
              QUIRE_ERR_CANCELLED);
  ASSERT_OK(quire_set_key_function(db, "goods", nullptr, nullptr));
  ASSERT_OK(quire_record_insert_key(txn, goods_, values.data(), values.size(), &key));
  EXPECT_EQ(key.as.i64, 1001);
  ASSERT_OK(quire_commit(txn));
}

TEST_F(SchemaApi, FieldsChangeAndRowsStay) {
  quire_txn* txn = write();
  ASSERT_OK(insert(txn, of_i64(7), of_text("red")));
  auto fields = now(txn);
  fields[1].name = "weight";
  quire_rules note = QUIRE_RULES_INIT;
  note.default_kind = QUIRE_DEFAULT_VALUE;
  note.default_value = of_text("nothing");
  fields.push_back({"note", QUIRE_TYPE_TEXT, 0, 0, 0, &note});
  ASSERT_OK(quire_collection_change(txn, goods_, fields.data(), fields.size(), nullptr, nullptr));
  ASSERT_OK(quire_commit(txn));
  txn = write();
  const quire_value key = of_i64(1);
  std::array<quire_value, 4> values;
  ASSERT_OK(quire_record_get(txn, goods_, &key, 1, values.data(), values.size()));
  EXPECT_EQ(values[1].as.i64, 7);
  EXPECT_EQ(text(values[3].as.bytes), "nothing");
  std::uint32_t newest = 0;
  std::uint32_t oldest = 0;
  ASSERT_OK(quire_collection_version(txn, goods_, &newest, &oldest));
  EXPECT_EQ(newest, 2u);
  EXPECT_EQ(oldest, 1u);
  std::uint32_t version = 0;
  ASSERT_OK(quire_record_version(txn, goods_, &key, 1, &version));
  EXPECT_EQ(version, 1u);
  ASSERT_OK(quire_collection_rewrite(txn, goods_, nullptr, nullptr));
  ASSERT_OK(quire_record_version(txn, goods_, &key, 1, &version));
  EXPECT_EQ(version, 2u);
  ASSERT_OK(quire_collection_rename(txn, goods_, "things"));
  EXPECT_ERROR(quire_collection_rename(txn, goods_, "keys"), QUIRE_ERR_EXISTS, "'keys'");
  ASSERT_OK(quire_commit(txn));
  txn = read();
  quire_collection found = 0;
  ASSERT_OK(quire_collection_open(txn, "things", &found));
  EXPECT_EQ(found, goods_);
  quire_abort(txn);
}

TEST_F(SchemaApi, ARefusedChangeChangesNothing) {
  quire_txn* txn = write();
  ASSERT_OK(insert(txn, none(), of_text("red")));
  auto fields = now(txn);
  const auto change = [&] {
    return quire_collection_change(txn, goods_, fields.data(), fields.size(), nullptr, nullptr);
  };
  fields[1].flags = 0;
  EXPECT_ERROR(change(), QUIRE_ERR_SCHEMA, "is null in the record 1");
  fields = now(txn);
  fields[2].flags |= QUIRE_FIELD_KEY;
  EXPECT_ERROR(change(), QUIRE_ERR_INVALID, "'color'");
  fields = now(txn);
  fields[1].type = QUIRE_TYPE_BOOL;
  EXPECT_CODE(change(), QUIRE_ERR_INVALID);
  fields = now(txn);
  fields[1].flags = 0;
  const auto stop = [](void*, std::uint64_t, std::uint64_t) { return 1; };
  EXPECT_CODE(quire_collection_change(txn, goods_, fields.data(), fields.size(), stop, nullptr),
              QUIRE_ERR_CANCELLED);
  EXPECT_CODE(quire_collection_change(txn, goods_, nullptr, 1, nullptr, nullptr),
              QUIRE_ERR_INVALID);
  ASSERT_OK(insert(txn, of_i64(1), of_text("red")));
  ASSERT_OK(quire_commit(txn));
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

TEST_F(SchemaApi, WhatAnApplicationExpectsIsCompared) {
  quire_txn* txn = read();
  EXPECT_OK(quire_collection_expect(txn, goods_, fields_.data(), fields_.size()));
  auto fields = fields_;
  fields[1].type = QUIRE_TYPE_F64;
  fields[2].name = "colour";
  EXPECT_ERROR(quire_collection_expect(txn, goods_, fields.data(), fields.size()), QUIRE_ERR_SCHEMA,
               "size: expected f64, may be null, is i64, may be null");
  EXPECT_NE(std::string(quire_last_error()).find("colour: expected text"), std::string::npos);
  fields = fields_;
  quire_rules other = QUIRE_RULES_INIT;
  fields[1].rules = &other;
  EXPECT_ERROR(quire_collection_expect(txn, goods_, fields.data(), fields.size()), QUIRE_ERR_SCHEMA,
               "its checks are others");
  fields[1].rules = nullptr;
  EXPECT_OK(quire_collection_expect(txn, goods_, fields.data(), fields.size()));
  quire_abort(txn);
}

TEST_F(SchemaApi, ScansOfAChangedCollectionEnd) {
  quire_txn* txn = write();
  ASSERT_OK(insert(txn, of_i64(1), of_text("red")));
  quire_cursor* scan = nullptr;
  ASSERT_OK(quire_scan_open(txn, goods_, nullptr, 0, nullptr, 0, &scan));
  ASSERT_OK(quire_collection_rename(txn, goods_, "others"));
  std::array<quire_value, 3> values;
  EXPECT_CODE(quire_scan_next(scan, values.data(), values.size()), QUIRE_ERR_CLOSED);
  quire_cursor_close(scan);
  quire_abort(txn);
}

TEST_F(SchemaApi, KeysMayHaveSeveralFields) {
  const std::array<quire_field, 3> fields = {
      {{"section", QUIRE_TYPE_TEXT, QUIRE_FIELD_KEY, 0, 0, nullptr},
       {"number", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, nullptr},
       {"place", QUIRE_TYPE_VECTOR_F32, 0, 1, 0, nullptr}}};
  quire_txn* txn = write();
  quire_collection pairs = 0;
  ASSERT_OK(quire_collection_create(txn, "pairs", fields.data(), fields.size(), &pairs));
  const auto vector = [](const float* element) {
    quire_value value{};
    value.type = QUIRE_TYPE_VECTOR_F32;
    value.dimension = 1;
    value.as.vector = element;
    return value;
  };
  const std::array<float, 4> places = {4, 3, 2, 1};
  for (std::int64_t i = 0; i < 4; ++i) {
    const std::array values = {of_text(i % 2 == 0 ? "b" : "a"), of_i64(i), vector(&places[i])};
    ASSERT_OK(quire_record_insert(txn, pairs, values.data(), values.size()));
  }
  const std::array key = {of_text("a"), of_i64(3)};
  std::array<quire_value, 3> found;
  ASSERT_OK(quire_record_get(txn, pairs, key.data(), key.size(), found.data(), found.size()));
  EXPECT_EQ(found[2].as.vector[0], 1.0F);
  quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
  options.field = 2;
  options.vector = places.data() + 3;
  options.dimension = 1;
  options.k = 1;
  quire_hit hit{};
  size_t hits = 0;
  ASSERT_OK(quire_search(txn, pairs, &options, &hit, &hits));
  ASSERT_EQ(hits, 1u);
  EXPECT_EQ(hit.key.type, static_cast<std::uint32_t>(QUIRE_TYPE_NULL));
  ASSERT_OK(quire_record_get_number(txn, pairs, hit.record, found.data(), found.size()));
  EXPECT_EQ(found[1].as.i64, 3);
  EXPECT_CODE(quire_record_get_number(txn, pairs, 99, found.data(), found.size()),
              QUIRE_ERR_NOT_FOUND);
  ASSERT_OK(quire_record_delete(txn, pairs, key.data(), key.size()));
  EXPECT_CODE(quire_record_get_number(txn, pairs, hit.record, found.data(), found.size()),
              QUIRE_ERR_NOT_FOUND);
  quire_abort(txn);
}

TEST_F(SchemaApi, ArraysAreMadeAndTakenApart) {
  const std::array elements = {of_text("a"), of_text(""), of_text("longer")};
  std::array<char, 64> buffer;
  size_t size = buffer.size();
  quire_value array{};
  ASSERT_OK(quire_array_make(QUIRE_TYPE_ARRAY_TEXT, elements.data(), elements.size(), buffer.data(),
                             &size, &array));
  EXPECT_EQ(size, 11u);
  std::uint64_t count = 0;
  ASSERT_OK(quire_array_count(&array, &count));
  EXPECT_EQ(count, 3u);
  std::array<quire_value, 5> out;
  size_t filled = 0;
  ASSERT_OK(quire_array_elements(&array, 1, out.data(), out.size(), &filled));
  ASSERT_EQ(filled, 2u);
  EXPECT_EQ(text(out[1].as.bytes), "longer");
  size = 3;
  EXPECT_CODE(quire_array_make(QUIRE_TYPE_ARRAY_TEXT, elements.data(), elements.size(),
                               buffer.data(), &size, &array),
              QUIRE_ERR_VALUE_SIZE);
  EXPECT_EQ(size, 11u);
  EXPECT_CODE(quire_array_make(QUIRE_TYPE_ARRAY_I64, elements.data(), elements.size(),
                               buffer.data(), &size, &array),
              QUIRE_ERR_TYPE);
  EXPECT_CODE(quire_array_make(QUIRE_TYPE_TEXT, elements.data(), 0, buffer.data(), &size, &array),
              QUIRE_ERR_TYPE);
  array.as.bytes.size -= 1;
  EXPECT_CODE(quire_array_count(&array, &count), QUIRE_ERR_SCHEMA);
  const quire_value no_array = of_i64(1);
  EXPECT_CODE(quire_array_count(&no_array, &count), QUIRE_ERR_TYPE);
  EXPECT_CODE(quire_array_count(nullptr, &count), QUIRE_ERR_INVALID);
}

TEST_F(SchemaApi, IndexesOfKindsThatAreNotKnownAreRefused) {
  quire_txn* txn = write();
  quire_index_options options = QUIRE_INDEX_OPTIONS_INIT;
  options.kind = "miraculous";
  options.options = "{}";
  EXPECT_ERROR(quire_index_create(txn, goods_, "i", &options), QUIRE_ERR_NOT_SUPPORTED,
               "'miraculous'");
  options.kind = nullptr;
  EXPECT_CODE(quire_index_create(txn, goods_, "i", &options), QUIRE_ERR_INVALID);
  EXPECT_ERROR(quire_index_drop(txn, goods_, "i"), QUIRE_ERR_NOT_FOUND, "'i'");
  EXPECT_CODE(quire_index_rename(txn, goods_, "i", "j"), QUIRE_ERR_NOT_FOUND);
  EXPECT_CODE(quire_index_rebuild(txn, goods_, "i", nullptr, nullptr), QUIRE_ERR_NOT_FOUND);
  const auto visit = [](void*, const quire_index_info*) { return 0; };
  EXPECT_OK(quire_index_list(txn, goods_, visit, nullptr));
  EXPECT_CODE(quire_index_list(txn, goods_, nullptr, nullptr), QUIRE_ERR_INVALID);
  quire_abort(txn);
}

}  // namespace
}  // namespace quire::test
