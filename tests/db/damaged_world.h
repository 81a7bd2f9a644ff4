// What the tests of damaged databases have in common: a small one with all there is in it, what can
// be done with it, and what may be said of what fails.
#pragma once

#include <gtest/gtest.h>

#include <span>

#include "tests/db/workload.h"

namespace quire::test::damaging {

using io::SimulatedDisk;
using io::Survival;

inline constexpr std::uint64_t kPage = 512;
inline constexpr int kKeys = 150;
inline constexpr int kRecords = 90;
inline constexpr int kNames = 25;

inline std::string key_of(int i) { return "key" + std::to_string(1000 + i); }
inline std::string value_of(int i) { return std::string(i % 50 == 7 ? 1400 : 30, 'v'); }

// Three vectors: one that every record has, one that some have, one that none has.
inline Schema schema_of_books() {
  return must(Schema::make({{"id", FieldType::kText},
                            {"title", FieldType::kText, true},
                            {"place", FieldType::kVectorF32, false, 4},
                            {"other", FieldType::kVectorF32, true, 6},
                            {"third", FieldType::kVectorF32, true, 2}},
                           0));
}
// Its definition needs several leaves.
inline Schema wide_schema() {
  std::vector<Field> fields = {{"id", FieldType::kI64}};
  for (int i = 0; i < 60; ++i)
    fields.push_back({"a field with a long name " + std::to_string(i), FieldType::kI64, true});
  return must(Schema::make(std::move(fields), 0));
}

struct Book {
  explicit Book(int i, bool other, float x)
      : id(key_of(i)), place{x, 1, 2, static_cast<float>(i)}, others{x, 1, 2, 3, 4, 5} {
    values = {Value::of_text(id), Value::of_text(title), Value::of_vector(place.data(), 4),
              other ? Value::of_vector(others.data(), 6) : Value::null(), Value::null()};
  }
  std::string id;
  std::string title = "a title";
  std::array<float, 4> place;
  std::array<float, 6> others;
  std::array<Value, 5> values;
};

inline Result<Collection> books(View& view) { return Collection::open(view, "books"); }
inline Result<StructureId> goods(View& view) {
  QUIRE_TRY(const auto entry, view.find_name("goods"));
  if (!entry) return fail(ErrorCode::kNotFound, "there is no keyspace goods");
  return entry->id;
}

// Closed in order, with record numbers that are free to be used again.
inline std::unique_ptr<SimulatedDisk> make() {
  auto disk = std::make_unique<SimulatedDisk>(1);
  const auto database = must(Database::open(*disk, kDatabasePath, small_database()));
  const auto commit = [&](const std::function<Status(WriteTxn&)>& change) {
    const auto txn = must(database->begin_write(true));
    must(change(*txn));
    must(database->writer()->commit(*txn, Durability::kBatch));
  };
  commit([](WriteTxn& txn) -> Status {
    const StructureId id = must(txn.create_keyspace("goods"));
    for (int i = 0; i < kKeys; ++i)
      must(txn.put(id, as_bytes(key_of(i)), as_bytes(value_of(i)), TreeWriter::PutMode::kUpsert));
    for (int i = 0; i < kNames; ++i)
      must(txn.create_keyspace("a keyspace with a long name " + std::to_string(i)));
    const Collection made = must(Collection::create(txn, "books", schema_of_books()));
    for (int i = 0; i < kRecords; ++i)
      must(insert_record(txn, made, Book(i, i % 2 == 0, 0).values));
    const Collection wide = must(Collection::create(txn, "wide", wide_schema()));
    std::vector<Value> values(61, Value::null());
    values[0] = Value::of_i64(1);
    return insert_record(txn, wide, values);
  });
  commit([](WriteTxn& txn) -> Status {
    for (int i = 0; i < kRecords; i += 5)
      QUIRE_CHECK(erase_record(txn, must(books(txn)), Book(i, false, 0).values[0]));
    return {};
  });
  must(database->close());
  return disk;
}

inline Status write_in(Database& database, const std::function<Status(WriteTxn&)>& change) {
  QUIRE_TRY(const auto txn, database.begin_write(true));
  if (const Status done = change(*txn); !done) {
    // It refuses to go on only where something was half done; what only read leaves it usable.
    const bool usable = txn->usable().has_value();
    EXPECT_TRUE(usable || WriteTxn::breaks(done.error().code())) << done.error().message();
    return done;
  }
  QUIRE_CHECK(database.writer()->commit(*txn, Durability::kAlways));
  return {};
}

// What can be done with a database.
struct Operation {
  const char* name;
  Status (*run)(Database&);
};
std::span<const Operation> all_operations();

inline void expect_told(const Status& status, bool damaged, const std::string& where) {
  if (status) return;
  const ErrorCode code = status.error().code();
  const bool fits =
      damaged ? code == ErrorCode::kCorrupt
              : code == ErrorCode::kIo || code == ErrorCode::kFull || code == ErrorCode::kPoisoned;
  EXPECT_TRUE(fits) << where << ": " << error_name(code) << ": " << status.error().message();
}

// Small changes, changes that spill, and changes that commit by checkpoint.
inline DatabaseOptions options_of(int kind) {
  DatabaseOptions options = small_database();
  options.create = false;
  if (kind == 1) options.writer.private_bytes = 8 << 10;
  if (kind == 2) options.writer.log_budget_bytes = 600;
  return options;
}

inline ByteVector bytes_of_hex(std::initializer_list<int> numbers) {
  ByteVector bytes;
  for (const int number : numbers) bytes.push_back(static_cast<std::byte>(number));
  return bytes;
}

}  // namespace quire::test::damaging
