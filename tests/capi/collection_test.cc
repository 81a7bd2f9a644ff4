// Collections: schemas, records of every type, scans and exact search.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>

#include "capi_world.h"

namespace quire::test {
namespace {

quire_value null_value() {
  quire_value value{};
  return value;
}
quire_value of_bool(bool given) {
  quire_value value{};
  value.type = QUIRE_TYPE_BOOL;
  value.as.boolean = given ? 1 : 0;
  return value;
}
quire_value of_i64(std::int64_t given, std::uint32_t type = QUIRE_TYPE_I64) {
  quire_value value{};
  value.type = type;
  value.as.i64 = given;
  return value;
}
quire_value of_f64(double given) {
  quire_value value{};
  value.type = QUIRE_TYPE_F64;
  value.as.f64 = given;
  return value;
}
quire_value of_text(const std::string& given, std::uint32_t type = QUIRE_TYPE_TEXT) {
  static std::set<std::string> kept;  // what values borrow, so that they may be made of literals
  quire_value value{};
  value.type = type;
  value.as.bytes = slice(*kept.insert(given).first);
  return value;
}
quire_value of_vector(const std::vector<float>& given) {
  quire_value value{};
  value.type = QUIRE_TYPE_VECTOR_F32;
  value.dimension = static_cast<std::uint32_t>(given.size());
  value.as.vector = given.data();
  return value;
}

enum : std::uint32_t { kId, kFlag, kNumber, kReal, kText, kBlob, kTime, kVector, kSecond, kFields };

constexpr std::array<quire_field, kFields> kSchema = {{
    {"id", QUIRE_TYPE_TEXT, QUIRE_FIELD_KEY, 0, 0},
    {"flag", QUIRE_TYPE_BOOL, QUIRE_FIELD_NULLABLE, 0, 0},
    {"number", QUIRE_TYPE_I64, QUIRE_FIELD_NULLABLE, 0, 0},
    {"real", QUIRE_TYPE_F64, QUIRE_FIELD_NULLABLE, 0, 0},
    {"text", QUIRE_TYPE_TEXT, 0, 0, 0},
    {"blob", QUIRE_TYPE_BYTES, QUIRE_FIELD_NULLABLE, 0, 0},
    {"time", QUIRE_TYPE_TIMESTAMP, QUIRE_FIELD_NULLABLE, 0, 0},
    {"vector", QUIRE_TYPE_VECTOR_F32, 0, 4, 0},
    {"second", QUIRE_TYPE_VECTOR_F32, QUIRE_FIELD_NULLABLE, 2, 0},
}};

class CollectionApi : public World {
 protected:
  void SetUp() override {
    World::SetUp();
    quire_txn* txn = write();
    ASSERT_OK(quire_collection_create(txn, "things", kSchema.data(), kFields, &things));
    ASSERT_OK(quire_commit(txn));
    values = {of_text("key"),
              of_bool(true),
              of_i64(-7),
              of_f64(2.5),
              of_text("Größe"),
              of_text(blob, QUIRE_TYPE_BYTES),
              of_i64(1'700'000'000'000'000, QUIRE_TYPE_TIMESTAMP),
              of_vector(vector),
              of_vector(second)};
  }
  int insert(quire_txn* txn) { return quire_record_insert(txn, things, values.data(), kFields); }

  quire_collection things = 0;
  std::string blob = std::string("\0\xFF\x80", 3);
  std::vector<float> vector = {1, 2, 3, 4};
  std::vector<float> second = {-1, 0.5f};
  std::array<quire_value, kFields> values;
};

TEST_F(CollectionApi, TheSchemaIsChecked) {
  quire_txn* txn = write();
  quire_collection id = 0;
  const auto create = [&](std::vector<quire_field> fields, const char* name = "c") {
    return quire_collection_create(txn, name, fields.data(), fields.size(), &id);
  };
  const quire_field key = {"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0};
  EXPECT_CODE(quire_collection_create(txn, nullptr, &key, 1, &id), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_collection_create(txn, "c", nullptr, 1, &id), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_collection_create(txn, "c", &key, 1, nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(create({key}, ""), QUIRE_ERR_INVALID);
  EXPECT_CODE(create({key}, "keys"), QUIRE_ERR_EXISTS);
  EXPECT_CODE(create({key}, "things"), QUIRE_ERR_EXISTS);
  EXPECT_CODE(quire_collection_create(txn, "c", &key, 0, &id), QUIRE_ERR_INVALID);
  EXPECT_CODE(create({{"a", QUIRE_TYPE_I64, 0, 0, 0}}), QUIRE_ERR_INVALID);  // no key
  EXPECT_ERROR(create({{"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY | QUIRE_FIELD_NULLABLE, 0, 0}}),
               QUIRE_ERR_INVALID, "'id'");
  EXPECT_ERROR(create({{"id", QUIRE_TYPE_VECTOR_F32, QUIRE_FIELD_KEY, 4, 0}}), QUIRE_ERR_INVALID,
               "'id'");
  EXPECT_ERROR(create({key, {"id", QUIRE_TYPE_I64, 0, 0, 0}}), QUIRE_ERR_INVALID, "'id'");
  EXPECT_ERROR(create({key, {"x", 99, 0, 0, 0}}), QUIRE_ERR_TYPE, "'x'");
  EXPECT_ERROR(create({key, {"x", QUIRE_TYPE_NULL, 0, 0, 0}}), QUIRE_ERR_TYPE, "'x'");
  EXPECT_ERROR(create({key, {"x", QUIRE_TYPE_VECTOR_F32, 0, 0, 0}}), QUIRE_ERR_INVALID, "'x'");
  EXPECT_ERROR(create({key, {"x", QUIRE_TYPE_VECTOR_F32, 0, 65'536, 0}}), QUIRE_ERR_INVALID, "'x'");
  EXPECT_ERROR(create({key, {"x", QUIRE_TYPE_I64, 0, 3, 0}}), QUIRE_ERR_INVALID, "'x'");
  EXPECT_CODE(create({key, {"x", QUIRE_TYPE_I64, 64, 0, 0}}), QUIRE_ERR_INVALID);
  EXPECT_CODE(create({key, {"x", QUIRE_TYPE_I64, 0, 0, 1}}), QUIRE_ERR_INVALID);
  EXPECT_CODE(create({key, {nullptr, QUIRE_TYPE_I64, 0, 0, 0}}), QUIRE_ERR_INVALID);
  EXPECT_CODE(create({key, {"a\nb", QUIRE_TYPE_I64, 0, 0, 0}}), QUIRE_ERR_INVALID);
  std::vector<std::string> names;
  std::vector<quire_field> many = {key};
  for (int i = 0; i < 1024; ++i) names.push_back("f" + std::to_string(i));
  for (const std::string& name : names) many.push_back({name.c_str(), QUIRE_TYPE_BOOL, 0, 0, 0});
  EXPECT_CODE(create(many), QUIRE_ERR_INVALID);
  many.pop_back();
  EXPECT_OK(create(many));
  EXPECT_OK(create({key, {"x", QUIRE_TYPE_VECTOR_F32, 0, 65'535, 0}}, "wide"));
  ASSERT_OK(quire_commit(txn));
}

TEST_F(CollectionApi, TheSchemaComesBack) {
  reopen();
  quire_txn* txn = read();
  quire_collection id = 0;
  EXPECT_CODE(quire_collection_open(txn, "no", &id), QUIRE_ERR_NOT_FOUND);
  EXPECT_CODE(quire_collection_open(txn, "keys", &id), QUIRE_ERR_TYPE);
  EXPECT_CODE(quire_collection_open(txn, nullptr, &id), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_collection_open(txn, "things", nullptr), QUIRE_ERR_INVALID);
  ASSERT_OK(quire_collection_open(txn, "things", &id));
  EXPECT_EQ(id, things);
  std::size_t count = 0;
  ASSERT_OK(quire_collection_field_count(txn, id, &count));
  ASSERT_EQ(count, kFields);
  for (std::size_t i = 0; i < kFields; ++i) {
    quire_field field{};
    ASSERT_OK(quire_collection_field(txn, id, i, &field));
    EXPECT_STREQ(field.name, kSchema[i].name);
    EXPECT_EQ(field.type, kSchema[i].type);
    EXPECT_EQ(field.flags, kSchema[i].flags);
    EXPECT_EQ(field.dimension, kSchema[i].dimension);
  }
  quire_field field{};
  EXPECT_CODE(quire_collection_field(txn, id, kFields, &field), QUIRE_ERR_NOT_FOUND);
  EXPECT_CODE(quire_collection_field(txn, id, 0, nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_collection_field_count(txn, id, nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_collection_field_count(txn, keys, &count), QUIRE_ERR_TYPE);
  EXPECT_CODE(quire_collection_field_count(txn, 9999, &count), QUIRE_ERR_NOT_FOUND);
  std::uint64_t records = 0;
  EXPECT_CODE(quire_collection_count(txn, id, nullptr), QUIRE_ERR_INVALID);
  EXPECT_OK(quire_collection_count(txn, id, &records));
  EXPECT_EQ(records, 0u);
  std::string seen;
  const auto visit = [](void* context, const char* name, quire_collection, std::uint64_t n) {
    *static_cast<std::string*>(context) += std::string(name) + "=" + std::to_string(n) + " ";
    return 0;
  };
  EXPECT_OK(quire_collection_list(txn, visit, &seen));
  EXPECT_EQ(seen, "things=0 ");
  EXPECT_CODE(quire_collection_list(txn, nullptr, nullptr), QUIRE_ERR_INVALID);
  quire_abort(txn);
}

TEST_F(CollectionApi, ARecordOfEveryTypeComesBack) {
  quire_txn* txn = write();
  ASSERT_OK(insert(txn));
  const auto expect = [&](quire_txn* in) {
    std::array<quire_value, kFields> got{};
    const quire_value key = of_text("key");
    ASSERT_OK(quire_record_get(in, things, &key, 1, got.data(), kFields));
    EXPECT_EQ(text(got[kId].as.bytes), "key");
    EXPECT_EQ(got[kFlag].type, static_cast<std::uint32_t>(QUIRE_TYPE_BOOL));
    EXPECT_EQ(got[kFlag].as.boolean, 1);
    EXPECT_EQ(got[kNumber].as.i64, -7);
    EXPECT_EQ(got[kReal].as.f64, 2.5);
    EXPECT_EQ(text(got[kText].as.bytes), "Größe");
    EXPECT_EQ(text(got[kBlob].as.bytes), blob);
    EXPECT_EQ(got[kBlob].type, static_cast<std::uint32_t>(QUIRE_TYPE_BYTES));
    EXPECT_EQ(got[kTime].as.i64, 1'700'000'000'000'000);
    EXPECT_EQ(got[kTime].type, static_cast<std::uint32_t>(QUIRE_TYPE_TIMESTAMP));
    ASSERT_EQ(got[kVector].dimension, 4u);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(got[kVector].as.vector) % 4, 0u);
    EXPECT_TRUE(std::equal(vector.begin(), vector.end(), got[kVector].as.vector));
    EXPECT_TRUE(std::equal(second.begin(), second.end(), got[kSecond].as.vector));
  };
  expect(txn);
  ASSERT_OK(quire_commit(txn));
  reopen();
  txn = read();
  expect(txn);
  // The first fields only.
  quire_value one{};
  const quire_value key = of_text("key");
  EXPECT_OK(quire_record_get(txn, things, &key, 1, &one, 1));
  EXPECT_EQ(text(one.as.bytes), "key");
  EXPECT_OK(quire_record_get(txn, things, &key, 1, nullptr, 0));
  std::array<quire_value, kFields + 1> more{};
  EXPECT_CODE(quire_record_get(txn, things, &key, 1, more.data(), kFields + 1), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_record_get(txn, things, nullptr, 1, &one, 1), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_record_get(txn, things, &key, 1, nullptr, 1), QUIRE_ERR_INVALID);
  const quire_value other = of_text("other");
  EXPECT_CODE(quire_record_get(txn, things, &other, 1, &one, 1), QUIRE_ERR_NOT_FOUND);
  const quire_value wrong = of_i64(1);
  EXPECT_ERROR(quire_record_get(txn, things, &wrong, 1, &one, 1), QUIRE_ERR_TYPE, "'id'");
  quire_abort(txn);
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

TEST_F(CollectionApi, NullsGoWhereTheyMay) {
  quire_txn* txn = write();
  for (const std::uint32_t field : {kFlag, kNumber, kReal, kBlob, kTime, kSecond})
    values[field] = null_value();
  ASSERT_OK(insert(txn));
  std::array<quire_value, kFields> got{};
  const quire_value key = of_text("key");
  ASSERT_OK(quire_record_get(txn, things, &key, 1, got.data(), kFields));
  for (const std::uint32_t field : {kFlag, kNumber, kReal, kBlob, kTime, kSecond})
    EXPECT_EQ(got[field].type, static_cast<std::uint32_t>(QUIRE_TYPE_NULL)) << field;
  const std::array<quire_value, kFields> good = values;
  for (const std::uint32_t field : {kId, kText, kVector}) {
    values = good;
    values[field] = null_value();
    EXPECT_ERROR(insert(txn), QUIRE_ERR_SCHEMA, std::string("'") + kSchema[field].name + "'");
  }
  ASSERT_OK(quire_commit(txn));
}

TEST_F(CollectionApi, WhatDoesNotFitIsRefusedByFieldAndChangesNothing) {
  quire_txn* txn = write();
  const std::array<quire_value, kFields> good = values;
  const auto refused = [&](std::uint32_t field, quire_value value, int code) {
    values = good;
    values[field] = value;
    const std::string name = std::string("'") + kSchema[field].name + "'";
    EXPECT_ERROR(insert(txn), code, name);
    EXPECT_CODE(quire_record_upsert(txn, things, values.data(), kFields), code);
  };
  refused(kFlag, of_i64(1), QUIRE_ERR_TYPE);
  refused(kNumber, of_f64(1), QUIRE_ERR_TYPE);
  refused(kReal, of_i64(1), QUIRE_ERR_TYPE);
  refused(kText, of_text("x", QUIRE_TYPE_BYTES), QUIRE_ERR_TYPE);
  refused(kBlob, of_text("x"), QUIRE_ERR_TYPE);
  refused(kTime, of_i64(1), QUIRE_ERR_TYPE);
  refused(kVector, of_text("x"), QUIRE_ERR_TYPE);
  refused(kText, of_text("\xC3\x28"), QUIRE_ERR_SCHEMA);
  refused(kId, of_text("\xFF"), QUIRE_ERR_SCHEMA);
  const std::vector<float> short_vector = {1, 2, 3};
  const std::vector<float> nan = {1, std::nanf(""), 3, 4};
  const std::vector<float> infinite = {1, 2, 3, -std::numeric_limits<float>::infinity()};
  refused(kVector, of_vector(short_vector), QUIRE_ERR_SCHEMA);
  refused(kVector, of_vector(nan), QUIRE_ERR_SCHEMA);
  refused(kVector, of_vector(infinite), QUIRE_ERR_SCHEMA);
  const std::string long_key(quire_max_key_size(db) + 1, 'k');
  refused(kId, of_text(long_key), QUIRE_ERR_KEY_SIZE);
  values = good;
  values[kVector].as.vector = nullptr;
  EXPECT_CODE(insert(txn), QUIRE_ERR_INVALID);
  values = good;
  values[kText].as.bytes = {nullptr, 5};
  EXPECT_CODE(insert(txn), QUIRE_ERR_INVALID);
  values = good;
  values[kText].type = 77;
  EXPECT_CODE(insert(txn), QUIRE_ERR_TYPE);
  values = good;
  EXPECT_CODE(quire_record_insert(txn, things, values.data(), kFields - 1), QUIRE_ERR_SCHEMA);
  EXPECT_CODE(quire_record_insert(txn, things, nullptr, kFields), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_record_insert(txn, keys, values.data(), kFields), QUIRE_ERR_TYPE);
  EXPECT_CODE(quire_record_insert(txn, 9999, values.data(), kFields), QUIRE_ERR_NOT_FOUND);
  std::uint64_t records = 1;
  ASSERT_OK(quire_collection_count(txn, things, &records));
  EXPECT_EQ(records, 0u);
  ASSERT_OK(insert(txn));
  EXPECT_ERROR(insert(txn), QUIRE_ERR_EXISTS, "key");
  ASSERT_OK(quire_commit(txn));
  txn = read();
  EXPECT_CODE(insert(txn), QUIRE_ERR_READ_ONLY);
  const quire_value key = of_text("key");
  EXPECT_CODE(quire_record_delete(txn, things, &key, 1), QUIRE_ERR_READ_ONLY);
  quire_abort(txn);
}

TEST_F(CollectionApi, UpsertUpdateAndDelete) {
  quire_txn* txn = write();
  ASSERT_OK(quire_record_upsert(txn, things, values.data(), kFields));
  values[kNumber] = of_i64(8);
  values[kSecond] = null_value();
  ASSERT_OK(quire_record_upsert(txn, things, values.data(), kFields));
  const quire_value key = of_text("key");
  std::array<quire_value, kFields> got{};
  ASSERT_OK(quire_record_get(txn, things, &key, 1, got.data(), kFields));
  EXPECT_EQ(got[kNumber].as.i64, 8);
  EXPECT_EQ(got[kSecond].type, static_cast<std::uint32_t>(QUIRE_TYPE_NULL));

  const std::vector<float> moved = {9, 9, 9, 9};
  const std::uint32_t fields[] = {kVector, kReal, kSecond};
  const quire_value changes[] = {of_vector(moved), null_value(), of_vector(second)};
  ASSERT_OK(quire_record_update(txn, things, &key, 1, fields, changes, 3));
  ASSERT_OK(quire_record_get(txn, things, &key, 1, got.data(), kFields));
  EXPECT_EQ(got[kVector].as.vector[0], 9.f);
  EXPECT_EQ(got[kReal].type, static_cast<std::uint32_t>(QUIRE_TYPE_NULL));
  EXPECT_EQ(got[kSecond].as.vector[1], 0.5f);
  EXPECT_EQ(text(got[kText].as.bytes), "Größe");

  const std::uint32_t id_field[] = {kId};
  const quire_value new_key = of_text("other");
  EXPECT_ERROR(quire_record_update(txn, things, &key, 1, id_field, &new_key, 1), QUIRE_ERR_INVALID,
               "'id'");
  EXPECT_OK(quire_record_update(txn, things, &key, 1, id_field, &key, 1));
  EXPECT_CODE(quire_record_update(txn, things, &new_key, 1, fields, changes, 3),
              QUIRE_ERR_NOT_FOUND);
  const std::uint32_t unknown[] = {kFields};
  EXPECT_CODE(quire_record_update(txn, things, &key, 1, unknown, changes, 1), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_record_update(txn, things, nullptr, 1, fields, changes, 1), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_record_update(txn, things, &key, 1, nullptr, changes, 1), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_record_update(txn, things, &key, 1, fields, nullptr, 1), QUIRE_ERR_INVALID);
  const quire_value wrong = of_bool(true);
  EXPECT_ERROR(quire_record_update(txn, things, &key, 1, fields, &wrong, 1), QUIRE_ERR_TYPE,
               "'vector'");

  EXPECT_CODE(quire_record_delete(txn, things, nullptr, 1), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_record_delete(txn, things, &new_key, 1), QUIRE_ERR_NOT_FOUND);
  EXPECT_OK(quire_record_delete(txn, things, &key, 1));
  EXPECT_CODE(quire_record_delete(txn, things, &key, 1), QUIRE_ERR_NOT_FOUND);
  EXPECT_CODE(quire_record_get(txn, things, &key, 1, got.data(), 1), QUIRE_ERR_NOT_FOUND);
  ASSERT_OK(quire_commit(txn));
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

TEST_F(CollectionApi, DropTakesItsRecordsAndName) {
  quire_txn* txn = write();
  ASSERT_OK(insert(txn));
  ASSERT_OK(quire_commit(txn));
  quire_txn* held = read();
  txn = write();
  quire_cursor* scan = nullptr;
  ASSERT_OK(quire_scan_open(txn, things, nullptr, 0, nullptr, 0, &scan));
  EXPECT_CODE(quire_collection_drop(txn, keys), QUIRE_ERR_TYPE);
  EXPECT_CODE(quire_collection_drop(txn, 9999), QUIRE_ERR_NOT_FOUND);
  ASSERT_OK(quire_collection_drop(txn, things));
  quire_value value{};
  EXPECT_CODE(quire_scan_next(scan, &value, 1), QUIRE_ERR_CLOSED);
  EXPECT_CODE(insert(txn), QUIRE_ERR_NOT_FOUND);
  quire_collection again = 0;
  ASSERT_OK(quire_collection_create(txn, "things", kSchema.data(), kFields, &again));
  EXPECT_NE(again, things);
  ASSERT_OK(quire_commit(txn));
  quire_cursor_close(scan);
  const quire_value key = of_text("key");
  EXPECT_OK(quire_record_get(held, things, &key, 1, &value, 1));
  quire_abort(held);
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

// Keys of each scalar type are in the order of their values.
TEST_F(CollectionApi, ScansAreInOrderOfTheKeyWithinTheirBounds) {
  quire_txn* txn = write();
  struct Case {
    const char* name;
    std::uint32_t type;
    std::vector<quire_value> ascending;
  };
  const double inf = std::numeric_limits<double>::infinity();
  const std::string long_text(300, 'b');
  const std::vector<Case> cases = {
      {"bools", QUIRE_TYPE_BOOL, {of_bool(false), of_bool(true)}},
      {"ints",
       QUIRE_TYPE_I64,
       {of_i64(INT64_MIN), of_i64(-5), of_i64(-1), of_i64(0), of_i64(300), of_i64(INT64_MAX)}},
      {"reals",
       QUIRE_TYPE_F64,
       {of_f64(-inf), of_f64(-2.5), of_f64(0), of_f64(1e-300), of_f64(7), of_f64(inf)}},
      {"texts",
       QUIRE_TYPE_TEXT,
       {of_text(""), of_text("a"), of_text("aa"), of_text("b"), of_text(long_text), of_text("ü")}},
      {"times",
       QUIRE_TYPE_TIMESTAMP,
       {of_i64(-1, QUIRE_TYPE_TIMESTAMP), of_i64(0, QUIRE_TYPE_TIMESTAMP),
        of_i64(1, QUIRE_TYPE_TIMESTAMP)}},
  };
  const auto same = [](const quire_value& a, const quire_value& b) {
    if (a.type != b.type) return false;
    switch (a.type) {
      case QUIRE_TYPE_BOOL:
        return a.as.boolean == b.as.boolean;
      case QUIRE_TYPE_F64:
        return a.as.f64 == b.as.f64;
      case QUIRE_TYPE_TEXT:
        return text(a.as.bytes) == text(b.as.bytes);
      default:
        return a.as.i64 == b.as.i64;
    }
  };
  for (const Case& one : cases) {
    quire_collection id = 0;
    const quire_field field = {"id", one.type, QUIRE_FIELD_KEY, 0, 0};
    ASSERT_OK(quire_collection_create(txn, one.name, &field, 1, &id));
    for (std::size_t i = one.ascending.size(); i-- > 0;)
      ASSERT_OK(quire_record_insert(txn, id, &one.ascending[i], 1)) << one.name;
    const auto expect = [&](std::size_t from, std::size_t to, const quire_value* low,
                            const quire_value* high) {
      quire_cursor* scan = nullptr;
      ASSERT_OK(quire_scan_open(txn, id, low, low != nullptr ? 1 : 0, high, high != nullptr ? 1 : 0,
                                &scan));
      quire_value got{};
      for (std::size_t i = from; i < to; ++i) {
        ASSERT_OK(quire_scan_next(scan, &got, 1)) << one.name << i;
        EXPECT_TRUE(same(got, one.ascending[i])) << one.name << i;
      }
      EXPECT_CODE(quire_scan_next(scan, &got, 1), QUIRE_ERR_NOT_FOUND);
      EXPECT_CODE(quire_scan_next(scan, &got, 1), QUIRE_ERR_NOT_FOUND);
      quire_cursor_close(scan);
    };
    const std::size_t size = one.ascending.size();
    expect(0, size, nullptr, nullptr);
    expect(1, size, &one.ascending[1], nullptr);
    expect(0, size - 1, nullptr, &one.ascending[size - 1]);
    expect(1, size - 1, &one.ascending[1], &one.ascending[size - 1]);
  }
  quire_cursor* scan = nullptr;
  EXPECT_CODE(quire_scan_open(txn, things, nullptr, 0, nullptr, 0, nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_scan_open(txn, keys, nullptr, 0, nullptr, 0, &scan), QUIRE_ERR_TYPE);
  const quire_value wrong = of_i64(1);
  EXPECT_CODE(quire_scan_open(txn, things, &wrong, 1, nullptr, 0, &scan), QUIRE_ERR_TYPE);
  ASSERT_OK(quire_scan_open(txn, things, nullptr, 0, nullptr, 0, &scan));
  EXPECT_CODE(quire_scan_next(scan, nullptr, 1), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_cursor_next(scan, nullptr, nullptr), QUIRE_ERR_TYPE);
  EXPECT_CODE(quire_cursor_delete(scan), QUIRE_ERR_TYPE);
  quire_cursor_close(scan);
  ASSERT_OK(quire_commit(txn));
}

// A scan of a write transaction goes on behind the record it was at, whatever changes.
TEST_F(CollectionApi, AScanSeesChangesOfItsTransaction) {
  quire_txn* txn = write();
  for (const char* name : {"a", "c", "e"}) {
    values[kId] = of_text(name);
    ASSERT_OK(insert(txn));
  }
  quire_cursor* scan = nullptr;
  ASSERT_OK(quire_scan_open(txn, things, nullptr, 0, nullptr, 0, &scan));
  quire_value got{};
  ASSERT_OK(quire_scan_next(scan, &got, 1));
  EXPECT_EQ(text(got.as.bytes), "a");
  values[kId] = of_text("b");
  ASSERT_OK(insert(txn));
  const quire_value gone = of_text("c");
  ASSERT_OK(quire_record_delete(txn, things, &gone, 1));
  ASSERT_OK(quire_scan_next(scan, &got, 1));
  EXPECT_EQ(text(got.as.bytes), "b");
  ASSERT_OK(quire_scan_next(scan, &got, 1));
  EXPECT_EQ(text(got.as.bytes), "e");
  EXPECT_CODE(quire_scan_next(scan, &got, 1), QUIRE_ERR_NOT_FOUND);
  quire_cursor_close(scan);
  quire_abort(txn);
}

// --- search ---

double distance(std::uint32_t metric, const std::vector<float>& a, const std::vector<float>& b) {
  double squares = 0;
  double product = 0;
  double norm_a = 0;
  double norm_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    squares += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    product += double{a[i]} * b[i];
    norm_a += double{a[i]} * a[i];
    norm_b += double{b[i]} * b[i];
  }
  if (metric == QUIRE_METRIC_L2) return squares;
  if (metric == QUIRE_METRIC_IP) return -product;
  return norm_a == 0 || norm_b == 0 ? 1 : 1 - product / std::sqrt(norm_a * norm_b);
}

class Search : public World {
 protected:
  static constexpr std::uint32_t kDimension = 19;
  void SetUp() override {
    World::SetUp();
    quire_txn* txn = write();
    const quire_field fields[] = {
        {"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0},
        {"v", QUIRE_TYPE_VECTOR_F32, QUIRE_FIELD_NULLABLE, kDimension, 0}};
    ASSERT_OK(quire_collection_create(txn, "vectors", fields, 2, &vectors));
    ASSERT_OK(quire_commit(txn));
  }
  std::vector<float> random_vector() {
    std::vector<float> vector(kDimension);
    for (float& element : vector) element = normal(random);
    return vector;
  }
  void store(quire_txn* txn, std::int64_t id, const std::vector<float>& vector) {
    const quire_value record[] = {of_i64(id), vector.empty() ? null_value() : of_vector(vector)};
    ASSERT_OK(quire_record_upsert(txn, vectors, record, 2));
    model[id] = vector;
  }
  void expect_nearest(quire_txn* txn, std::uint32_t metric, const std::vector<float>& query,
                      std::uint32_t k) {
    std::vector<std::pair<double, std::int64_t>> wanted;
    for (const auto& [id, vector] : model)
      if (!vector.empty()) wanted.emplace_back(distance(metric, query, vector), id);
    std::ranges::sort(wanted);
    if (wanted.size() > k) wanted.resize(k);
    quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
    options.metric = metric;
    options.field = 1;
    options.vector = query.data();
    options.dimension = kDimension;
    options.k = k;
    std::vector<quire_hit> hits(k);
    std::size_t found = 0;
    ASSERT_OK(quire_search(txn, vectors, &options, hits.data(), &found));
    ASSERT_EQ(found, wanted.size());
    for (std::size_t i = 0; i < found; ++i) {
      EXPECT_NEAR(hits[i].distance, wanted[i].first, 1e-3) << i;
      const auto& vector = model.at(hits[i].key.as.i64);
      EXPECT_NEAR(distance(metric, query, vector), hits[i].distance, 1e-3) << i;
      EXPECT_GE(hits[i].distance, hits[i == 0 ? 0 : i - 1].distance);
    }
  }

  quire_collection vectors = 0;
  std::mt19937 random{5};
  std::normal_distribution<float> normal;
  std::map<std::int64_t, std::vector<float>> model;
};

TEST_F(Search, FindsWhatBruteForceFinds) {
  quire_txn* txn = write();
  for (int i = 0; i < 700; ++i) store(txn, i, i % 10 == 3 ? std::vector<float>{} : random_vector());
  store(txn, 1000, std::vector<float>(kDimension, 0.f));  // a zero vector: cosine 1
  for (const std::uint32_t metric : {QUIRE_METRIC_L2, QUIRE_METRIC_IP, QUIRE_METRIC_COSINE}) {
    expect_nearest(txn, metric, random_vector(), 1);
    expect_nearest(txn, metric, random_vector(), 10);
    expect_nearest(txn, metric, random_vector(), 2000);  // more than there are
  }
  ASSERT_OK(quire_commit(txn));
  reopen();
  txn = read();
  for (const std::uint32_t metric : {QUIRE_METRIC_L2, QUIRE_METRIC_IP, QUIRE_METRIC_COSINE})
    expect_nearest(txn, metric, random_vector(), 25);
  quire_abort(txn);
}

TEST_F(Search, IsAtTheAgeOfTheTransactionItsOwnChangesIncluded) {
  quire_txn* txn = write();
  for (int i = 0; i < 50; ++i) store(txn, i, random_vector());
  ASSERT_OK(quire_commit(txn));
  quire_txn* held = read();
  const auto before = model;
  txn = write();
  const std::vector<float> query = random_vector();
  store(txn, 7, query);
  store(txn, 99, query);
  const quire_value gone = of_i64(3);
  ASSERT_OK(quire_record_delete(txn, vectors, &gone, 1));
  model.erase(3);
  store(txn, 4, {});
  expect_nearest(txn, QUIRE_METRIC_L2, query, 60);
  std::uint64_t savepoint = 0;
  ASSERT_OK(quire_savepoint(txn, &savepoint));
  const auto at_savepoint = model;
  store(txn, 100, query);
  expect_nearest(txn, QUIRE_METRIC_L2, query, 3);
  ASSERT_OK(quire_rollback_to(txn, savepoint));
  model = at_savepoint;
  expect_nearest(txn, QUIRE_METRIC_L2, query, 60);
  ASSERT_OK(quire_commit(txn));
  const auto after = model;
  model = before;
  expect_nearest(held, QUIRE_METRIC_L2, query, 60);
  ASSERT_OK(quire_renew(held));
  model = after;
  expect_nearest(held, QUIRE_METRIC_L2, query, 60);
  quire_abort(held);
}

TEST_F(Search, RefusesWhatMakesNoSense) {
  quire_txn* txn = read();
  const std::vector<float> query(kDimension, 1.f);
  quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
  options.field = 1;
  options.vector = query.data();
  options.dimension = kDimension;
  options.k = 1;
  const quire_search_options good = options;
  quire_hit hit;
  std::size_t found = 1;
  EXPECT_OK(quire_search(txn, vectors, &options, &hit, &found));
  EXPECT_EQ(found, 0u);
  EXPECT_CODE(quire_search(txn, vectors, nullptr, &hit, &found), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_search(txn, vectors, &options, nullptr, &found), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_search(txn, vectors, &options, &hit, nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_search(txn, keys, &options, &hit, &found), QUIRE_ERR_TYPE);
  EXPECT_CODE(quire_search(txn, 9999, &options, &hit, &found), QUIRE_ERR_NOT_FOUND);
  options.size = 0;
  EXPECT_CODE(quire_search(txn, vectors, &options, &hit, &found), QUIRE_ERR_INVALID);
  options = good;
  options.metric = 17;
  EXPECT_CODE(quire_search(txn, vectors, &options, &hit, &found), QUIRE_ERR_INVALID);
  options = good;
  options.field = 0;
  EXPECT_ERROR(quire_search(txn, vectors, &options, &hit, &found), QUIRE_ERR_TYPE, "'id'");
  options.field = 2;
  EXPECT_CODE(quire_search(txn, vectors, &options, &hit, &found), QUIRE_ERR_INVALID);
  options = good;
  options.k = 0;
  EXPECT_CODE(quire_search(txn, vectors, &options, &hit, &found), QUIRE_ERR_INVALID);
  options.k = 1'000'001;
  EXPECT_CODE(quire_search(txn, vectors, &options, &hit, &found), QUIRE_ERR_INVALID);
  options = good;
  options.vector = nullptr;
  EXPECT_CODE(quire_search(txn, vectors, &options, &hit, &found), QUIRE_ERR_INVALID);
  options = good;
  options.dimension = kDimension - 1;
  EXPECT_ERROR(quire_search(txn, vectors, &options, &hit, &found), QUIRE_ERR_SCHEMA, "'v'");
  std::vector<float> bad = query;
  bad[2] = std::nanf("");
  options = good;
  options.vector = bad.data();
  EXPECT_ERROR(quire_search(txn, vectors, &options, &hit, &found), QUIRE_ERR_SCHEMA, "'v'");
  quire_abort(txn);
}

}  // namespace
}  // namespace quire::test
