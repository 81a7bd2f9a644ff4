// A collection of accounts that counts their changes, for the tests of conditions and batches.
#pragma once

#include <array>
#include <optional>

#include "capi_world.h"
#include "values.h"

namespace quire::test {

inline quire_value of_place(const std::array<float, 2>& place) {
  quire_value value{};
  value.type = QUIRE_TYPE_VECTOR_F32;
  value.dimension = 2;
  value.as.vector = place.data();
  return value;
}

class Accounts : public World {
 protected:
  enum Field : std::uint32_t { kId, kBalance, kRate, kNote, kPlace, kVersion, kFields };
  using Record = std::array<quire_value, kFields>;

  void SetUp() override {
    World::SetUp();
    make();
  }
  void make() {
    version_.default_kind = QUIRE_DEFAULT_VERSION;
    const std::array<quire_field, kFields> fields = {
        {{"id", QUIRE_TYPE_TEXT, QUIRE_FIELD_KEY, 0, 0, nullptr},
         {"balance", QUIRE_TYPE_I64, QUIRE_FIELD_NULLABLE, 0, 0, nullptr},
         {"rate", QUIRE_TYPE_F64, QUIRE_FIELD_NULLABLE, 0, 0, nullptr},
         {"note", QUIRE_TYPE_JSON, QUIRE_FIELD_NULLABLE, 0, 0, nullptr},
         {"place", QUIRE_TYPE_VECTOR_F32, QUIRE_FIELD_NULLABLE, 2, 0, nullptr},
         {"version", QUIRE_TYPE_I64, 0, 0, 0, &version_}}};
    quire_txn* txn = write();
    ASSERT_OK(quire_collection_create(txn, "accounts", fields.data(), fields.size(), &accounts_));
    ASSERT_OK(quire_commit(txn));
  }
  // Its version by default.
  static Record record(const char* id, std::int64_t balance) {
    return {of_text(id), of_i64(balance), none(), none(), none(), by_default()};
  }
  int insert(quire_txn* txn, const Record& values) {
    return quire_record_insert(txn, accounts_, values.data(), values.size());
  }
  // One of its fields, where there is such a record.
  std::optional<quire_value> get(quire_txn* txn, const char* id, Field field) {
    Record found;
    const quire_value key = of_text(id);
    const int code = quire_record_get(txn, accounts_, &key, 1, found.data(), found.size());
    EXPECT_TRUE(code == QUIRE_OK || code == QUIRE_ERR_NOT_FOUND) << quire_last_error();
    if (code != QUIRE_OK) return std::nullopt;
    return found[field];
  }
  // -1 where there is none.
  std::int64_t balance(quire_txn* txn, const char* id) {
    const auto found = get(txn, id, kBalance);
    return found ? found->as.i64 : -1;
  }
  std::int64_t version(quire_txn* txn, const char* id) {
    const auto found = get(txn, id, kVersion);
    return found ? found->as.i64 : -1;
  }

  quire_rules version_ = QUIRE_RULES_INIT;
  quire_collection accounts_ = 0;
};

}  // namespace quire::test
