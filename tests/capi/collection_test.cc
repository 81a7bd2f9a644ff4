// Collections: their schemas, and the end of them.
#include "collection_world.h"

namespace quire::test {
namespace {

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

}  // namespace
}  // namespace quire::test
