// A collection with a field of each scalar type and two vectors, and the values of a record of it.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "capi_world.h"
#include "values.h"

namespace quire::test {

enum : std::uint32_t { kId, kFlag, kNumber, kReal, kText, kBlob, kTime, kVector, kSecond, kFields };

inline constexpr std::array<quire_field, kFields> kSchema = {{
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

}  // namespace quire::test
