// A database on a simulated disk, and the one write transaction of a test.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "engine/db/database.h"
#include "engine/io/simulated_disk.h"
#include "tests/must.h"

namespace quire::test {

class DatabaseWorld {
 public:
  explicit DatabaseWorld(DatabaseOptions options) : options_(std::move(options)) {
    options_.writer.background = false;
    options_.writer.durability = Durability::kOs;
    reopen();
  }
  ~DatabaseWorld() {
    txn_.reset();
    if (!database_) return;
    EXPECT_TRUE(database_->close());
  }
  DatabaseWorld(const DatabaseWorld&) = delete;
  DatabaseWorld& operator=(const DatabaseWorld&) = delete;

  Database& database() { return *database_; }
  // The write transaction; begun where there is none.
  WriteTxn& txn() {
    if (!txn_) txn_ = must(database_->begin_write(true));
    return *txn_;
  }
  void commit() {
    if (!txn_) return;
    must(database_->writer()->commit(*txn_, Durability::kOs));
    txn_.reset();
  }
  void abort() { txn_.reset(); }
  std::unique_ptr<Snapshot> snapshot() { return must(database_->begin_read()); }
  // The death of the process, and recovery from the log.
  void crash() {
    txn_.reset();
    database_->crash();
    database_.reset();
    reopen();
  }
  // Everything, in every structure.
  void check() {
    std::string damage;
    const Status status = database_->check([&](const std::string& text) {
      damage += text + "\n";
      return true;
    });
    EXPECT_TRUE(status) << status.error().message() << "\n" << damage;
  }

 private:
  void reopen() { database_ = must(Database::open(disk_, "/shop.quire", options_)); }

  io::SimulatedDisk disk_;
  DatabaseOptions options_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<WriteTxn> txn_;
};

}  // namespace quire::test
