// A log that lies: records with right checksums that say what nobody asked for. They can't be
// carried out: recovery says so, and changes nothing; salvage takes what came before.
#include <gtest/gtest.h>

#include "engine/db/salvage.h"
#include "engine/record/record_log.h"
#include "tests/db/damaged_world.h"

namespace quire::test::damaging {
namespace {

// The engine's operation, not one of this file.
using Logged = quire::Operation;

TEST(DamagedOperations, ALogThatLiesIsRefusedAndSalvagedUpToThere) {
  const ByteVector garbage = bytes_of_hex({0xFF, 0xFF, 0xFF, 0x7F, 1, 2, 3});
  const ByteVector no_key;
  const std::string long_name(300, 'n');
  const std::string long_key(2000, 'k');
  const auto code = [](int number) { return static_cast<OpCode>(number); };
  const Bytes garbage_bytes(garbage);
  const std::vector<std::pair<const char*, Logged>> lies = {
      {"an operation that is none", {.code = code(40), .id = 1}},
      {"an operation on records that is none", {.code = code(99), .id = 0, .value = garbage_bytes}},
      {"a release without a savepoint", {.code = OpCode::kRelease, .id = 3}},
      {"a rollback without a savepoint", {.code = OpCode::kRollback, .id = 3}},
      {"a put without a key",
       {.code = OpCode::kPut, .id = 0, .key = no_key, .value = garbage_bytes}},
      {"a put under a key that is too long",
       {.code = OpCode::kPut, .id = 0, .key = as_bytes(long_key)}},
      {"an erasure of what is not there",
       {.code = OpCode::kErase, .id = 0, .key = as_bytes("nothing")}},
      {"a put into a keyspace that is not there",
       {.code = OpCode::kPut, .id = 4000, .key = as_bytes("k")}},
      {"a keyspace whose name is too long",
       {.code = OpCode::kCreateKeyspace, .id = 4000, .key = as_bytes(long_name)}},
      {"a keyspace whose name is taken",
       {.code = OpCode::kCreateKeyspace, .id = 4000, .key = as_bytes("goods")}},
      {"a keyspace that is dropped and not there", {.code = OpCode::kDropKeyspace, .id = 4000}},
      {"a collection that makes no sense",
       {.code = kCreateCollection, .id = 4000, .value = garbage_bytes}},
      {"a record that makes no sense", {.code = kPutRecord, .id = 1, .value = garbage_bytes}},
      {"a record that is erased and not there",
       {.code = kEraseRecord, .id = 1, .value = as_bytes("x")}},
      {"a collection that is dropped and not there", {.code = kDropCollection, .id = 4000}},
  };
  for (const auto& [name, lie] : lies) {
    SCOPED_TRACE(name);
    const auto disk = make();
    {
      const auto database = must(Database::open(*disk, kDatabasePath, options_of(0)));
      auto txn = must(database->begin_write(true));
      must(txn->put(must(goods(*txn)), as_bytes("before"), {}, TreeWriter::PutMode::kUpsert));
      must(database->writer()->commit(*txn, Durability::kAlways));
      txn = must(database->begin_write(true));
      must(txn->put(must(goods(*txn)), as_bytes("beside"), {}, TreeWriter::PutMode::kUpsert));
      Logged logged = lie;
      if (logged.id == 0 && logged.code != OpCode::kRelease)
        logged.id =
            logged.code >= OpCode::kFirstOfRecords ? must(books(*txn)).id() : must(goods(*txn));
      if (logged.id == 1 && logged.code >= OpCode::kFirstOfRecords)
        logged.id = must(books(*txn)).id();
      must(txn->log(logged));
      must(database->writer()->commit(*txn, Durability::kAlways));
      database->crash();
    }
    const auto refused =
        Database::open(*disk->survivor(1, Survival::kEverything), kDatabasePath, options_of(0));
    EXPECT_EQ(error_name(code_of(refused)), error_name(ErrorCode::kCorrupt)) << words_of(refused);
    SalvageOptions options;
    options.database = small_database();
    const auto saved = salvage(*disk, kDatabasePath, "/saved.quire", options, {});
    ASSERT_TRUE(saved.has_value()) << words_of(saved);
    const auto database = must(Database::open(*disk, "/saved.quire", options_of(0)));
    EXPECT_EQ(damages(*database), "");
    const auto snapshot = must(database->begin_read());
    const TreeRoot root = must(snapshot->keyspace_root(must(goods(*snapshot))));
    EXPECT_TRUE(must(tree_get(snapshot->reader(), root, as_bytes("before"))).has_value());
  }
}

}  // namespace
}  // namespace quire::test::damaging
