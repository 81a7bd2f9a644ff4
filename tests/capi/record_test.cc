// Records of every type: written, read back, refused.
#include <cmath>
#include <limits>

#include "collection_world.h"

namespace quire::test {
namespace {

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
    values[field] = none();
  ASSERT_OK(insert(txn));
  std::array<quire_value, kFields> got{};
  const quire_value key = of_text("key");
  ASSERT_OK(quire_record_get(txn, things, &key, 1, got.data(), kFields));
  for (const std::uint32_t field : {kFlag, kNumber, kReal, kBlob, kTime, kSecond})
    EXPECT_EQ(got[field].type, static_cast<std::uint32_t>(QUIRE_TYPE_NULL)) << field;
  const std::array<quire_value, kFields> good = values;
  for (const std::uint32_t field : {kId, kText, kVector}) {
    values = good;
    values[field] = none();
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
  values[kSecond] = none();
  ASSERT_OK(quire_record_upsert(txn, things, values.data(), kFields));
  const quire_value key = of_text("key");
  std::array<quire_value, kFields> got{};
  ASSERT_OK(quire_record_get(txn, things, &key, 1, got.data(), kFields));
  EXPECT_EQ(got[kNumber].as.i64, 8);
  EXPECT_EQ(got[kSecond].type, static_cast<std::uint32_t>(QUIRE_TYPE_NULL));

  const std::vector<float> moved = {9, 9, 9, 9};
  const std::uint32_t fields[] = {kVector, kReal, kSecond};
  const quire_value changes[] = {of_vector(moved), none(), of_vector(second)};
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

}  // namespace
}  // namespace quire::test
