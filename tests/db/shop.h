// A database with one keyspace of goods, for tests that follow a course of events.
#pragma once

#include <memory>
#include <string>

#include "tests/db/workload.h"

namespace quire::test {

inline constexpr io::Survival kSurvivals[] = {io::Survival::kNothing, io::Survival::kEverything,
                                              io::Survival::kRandom};

class Shop {
 public:
  explicit Shop(io::Disk& disk, DatabaseOptions options = small_database()) : options_(options) {
    database_ = must(Database::open(disk, kDatabasePath, options_));
  }
  ~Shop() { crash(); }

  Database& database() { return *database_; }
  void crash() {
    if (database_) database_->crash();
    database_.reset();
  }
  // `count` keys from `first`, in one transaction; each has the text as its value.
  Result<wal::Lsn> put(int first, int count, const std::string& text,
                       Durability durability = Durability::kAlways) {
    QUIRE_TRY(const auto txn, database_->begin_write(true));
    QUIRE_CHECK(put_in(*txn, first, count, text));
    return database_->writer()->commit(*txn, durability);
  }
  static Status put_in(WriteTxn& txn, int first, int count, const std::string& text) {
    QUIRE_TRY(const auto entry, txn.find_name("goods"));
    StructureId id = entry ? entry->id : 0;
    if (!entry) {
      QUIRE_TRY(id, txn.create_keyspace("goods"));
    }
    for (int i = first; i < first + count; ++i) {
      const std::string key = key_of(i);
      QUIRE_CHECK(txn.put(id, as_bytes(key), as_bytes(text), TreeWriter::PutMode::kUpsert));
    }
    return {};
  }
  static std::string key_of(int number) { return "key" + std::to_string(1000000 + number); }
  State state() {
    const auto snapshot = must(database_->begin_read());
    return must(read_everything(*snapshot));
  }

 private:
  DatabaseOptions options_;
  std::unique_ptr<Database> database_;
};

inline State goods(int count, const std::string& text) {
  State state;
  for (int i = 0; i < count; ++i) state["goods"][Shop::key_of(i)] = text;
  return state;
}

inline DatabaseOptions with_budget(std::uint64_t log_budget_bytes) {
  DatabaseOptions options = small_database();
  options.writer.log_budget_bytes = log_budget_bytes;
  return options;
}

}  // namespace quire::test
