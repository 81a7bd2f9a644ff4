// quire.hpp: databases, transactions, keyspaces, files.
#include <stdexcept>

#include "cpp_world.h"

namespace quire::test {
namespace {

class CppDatabase : public Goods {
 protected:
  void SetUp() override {
    Goods::SetUp();
    fill(5);
    txn.commit();
  }
};

TEST_F(CppDatabase, TryWriteDoesNotWait) {
  Transaction first = db.write();
  EXPECT_FALSE(db.try_write());
  first.abort();
  EXPECT_TRUE(db.try_write());
}

TEST_F(CppDatabase, NumbersOfCommitsGrow) {
  const CommitNumbers before = db.latest();
  Transaction change = db.write();
  change.create_keyspace("keys").put("a", "b");
  const std::uint64_t lsn = change.commit();
  EXPECT_GT(db.latest().txn, before.txn);
  EXPECT_EQ(db.latest().lsn, lsn);
  db.wait_durable(lsn);
}

TEST_F(CppDatabase, KeyspacesMayHaveToBeNew) {
  Transaction change = db.write();
  Keyspace keys = change.create_keyspace("keys", QUIRE_MUST_CREATE);
  EXPECT_THROWN(QUIRE_ERR_EXISTS, change.create_keyspace("keys", QUIRE_MUST_CREATE));
  EXPECT_EQ(change.create_keyspace("keys").id(), keys.id());
  EXPECT_THROWN(QUIRE_ERR_NOT_FOUND, keys.put("a", "b", QUIRE_MUST_EXIST));
  ASSERT_EQ(change.keyspaces().size(), 1u);
  EXPECT_EQ(change.keyspaces()[0].name, "keys");
  ASSERT_EQ(change.collections().size(), 1u);
  EXPECT_EQ(change.collections()[0].count, 5u);
}

TEST_F(CppDatabase, AKeyFunctionMakesKeys) {
  struct Maker {
    std::int64_t next = 100;
    static int make(void* context, quire_value* key) {
      *key = i64_value(static_cast<Maker*>(context)->next++);
      return 0;
    }
  } maker;
  db.set_key_function("goods", &Maker::make, &maker);
  Transaction change = db.write();
  Record one = record(0, "tools", 1);
  one[kId] = default_value();
  EXPECT_EQ((*change.find_collection("goods")->insert_key(one))[0].as.i64, 100);
  change.abort();
  db.set_key_function("goods", nullptr);
}

TEST_F(CppDatabase, WhatIsNotThereIsAnAnswerOrAnError) {
  EXPECT_THROWN(QUIRE_ERR_NOT_FOUND, Database::open_read_only(directory / "nope"));
  OpenOptions options;
  EXPECT_THROWN(QUIRE_ERR_NOT_FOUND, Database::open(directory / "nope", options));
  const Transaction now = db.read();
  EXPECT_FALSE(now.find_collection("nope"));
  EXPECT_FALSE(now.find_keyspace("nope"));
  EXPECT_THROWN(QUIRE_ERR_TYPE, now.find_keyspace("goods"));
}

TEST_F(CppDatabase, ADatabaseIsRecoveredAndInspected) {
  db.close();
  EXPECT_NE(inspect(path(), QUIRE_INSPECT_META).find('{'), std::string::npos);
  EXPECT_THROWN(QUIRE_ERR_NOT_FOUND, inspect(directory / "nope", QUIRE_INSPECT_META));
  std::vector<std::string> saved;
  const RecoverResult result =
      recover(path(), directory / "new.quire", 0, [&](const quire_finding& finding) {
        if (finding.kind == QUIRE_FINDING_SAVED) saved.emplace_back(finding.name);
        return true;
      });
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.saved, 5u);
  EXPECT_EQ(result.collections, 1u);
  EXPECT_EQ(saved, std::vector<std::string>{"goods"});
  EXPECT_THROWN(QUIRE_ERR_EXISTS, recover(path(), directory / "new.quire"));
  EXPECT_THROWN(QUIRE_ERR_CANCELLED,
                recover(path(), directory / "x", 0, [](const quire_finding&) { return false; }));
  const auto thrower = [](const quire_finding&) -> bool { throw std::runtime_error("mine"); };
  EXPECT_THROW(recover(path(), directory / "y", 0, thrower), std::runtime_error);
  EXPECT_EQ(Database::open_read_only(directory / "new.quire").read().collections()[0].count, 5u);
}

}  // namespace
}  // namespace quire::test
