// Batches with an idempotency key: answered from memory when they come again.
#include <sys/wait.h>

#include <chrono>
#include <set>
#include <thread>

#include "batches.h"

namespace quire::test {
namespace {

TEST_F(Batches, WithAKeyAreAnsweredFromMemoryTheSecondTime) {
  partial_ = true;
  key_ = "order 1";
  const std::vector<quire_change> batch = {insertion(a_), insertion(a_), deletion(id_z_),
                                           insertion(b_), insertion(b_)};
  apply_and_commit(batch);
  EXPECT_EQ(result_.replayed, 0u);
  EXPECT_EQ(codes(), "ok exists not_found ok exists");
  quire_txn* txn = write();
  ASSERT_OK(quire_record_delete(txn, accounts_, &id_a_, 1));
  ASSERT_OK(apply(txn, batch));
  EXPECT_EQ(result_.replayed, 1u);
  EXPECT_EQ(result_.applied, 2u);
  EXPECT_EQ(result_.failed, 3u);
  EXPECT_EQ(result_.first_failed, 1u);
  EXPECT_EQ(codes(), "ok exists not_found ok exists");
  EXPECT_NE(results_[1].message, nullptr);
  EXPECT_EQ(results_[3].message, nullptr);
  EXPECT_EQ(balance(txn, "a"), -1);  // nothing was carried out
  // Another key, the same changes.
  key_ = "order 2";
  ASSERT_OK(apply(txn, batch));
  EXPECT_EQ(result_.replayed, 0u);
  EXPECT_EQ(balance(txn, "a"), 1);
  // And already in the transaction that carries them out.
  ASSERT_OK(apply(txn, batch));
  EXPECT_EQ(result_.replayed, 1u);
  ASSERT_OK(quire_commit(txn));
}

TEST_F(Batches, WithTheKeyOfAnotherAreRefused) {
  key_ = "order 1";
  const quire_value eleven = of_i64(11);
  apply_and_commit({insertion(a_), setting(id_a_, ten_)});
  quire_txn* txn = write();
  const auto refused = [&](const std::vector<quire_change>& changes) {
    EXPECT_ERROR(apply(txn, changes), QUIRE_ERR_INVALID,
                 "collection 'accounts': the idempotency key 'order 1' was used for another batch");
    EXPECT_EQ(balance(txn, "a"), 10);
  };
  refused({insertion(a_), setting(id_a_, eleven)});
  refused({insertion(a_)});
  refused({setting(id_a_, ten_), insertion(a_)});
  refused({upsertion(a_), setting(id_a_, ten_)});
  quire_change doubtful = setting(id_a_, ten_);
  const quire_expected five = {kBalance, 0, of_i64(5)};
  doubtful.expected = &five;
  doubtful.expected_count = 1;
  refused({insertion(a_), doubtful});
  partial_ = true;
  refused({insertion(a_), setting(id_a_, ten_)});
  // The key of one collection says nothing of another's.
  const quire_field id = {"id", QUIRE_TYPE_TEXT, QUIRE_FIELD_KEY, 0, 0, nullptr};
  ASSERT_OK(quire_collection_create(txn, "others", &id, 1, &accounts_));
  quire_change other = insertion(a_);
  other.value_count = 1;
  ASSERT_OK(apply(txn, {other}));
  EXPECT_EQ(result_.replayed, 0u);
  quire_abort(txn);
}

TEST_F(Batches, ThatFailOrAreUndoneAreNotRemembered) {
  key_ = "order 1";
  quire_txn* txn = write();
  EXPECT_CODE(apply(txn, {insertion(a_), deletion(id_z_)}), QUIRE_ERR_NOT_FOUND);
  ASSERT_OK(apply(txn, {insertion(a_)}));
  EXPECT_EQ(result_.replayed, 0u);
  quire_abort(txn);
  txn = write();
  std::uint64_t savepoint = 0;
  ASSERT_OK(quire_savepoint(txn, &savepoint));
  ASSERT_OK(apply(txn, {insertion(a_)}));
  EXPECT_EQ(result_.replayed, 0u);
  ASSERT_OK(quire_rollback_to(txn, savepoint));
  ASSERT_OK(apply(txn, {insertion(a_)}));
  EXPECT_EQ(result_.replayed, 0u);
  ASSERT_OK(quire_commit(txn));
  EXPECT_EQ(count(), 1u);
}

TEST_F(Batches, AreForgottenWhenTheirTimeIsOver) {
  key_ = "short";
  remember_s_ = 1;
  apply_and_commit({upsertion(a_)});
  key_ = "long";
  remember_s_ = 1000;
  apply_and_commit({upsertion(a_)});
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  apply_and_commit({upsertion(a_)});
  EXPECT_EQ(result_.replayed, 1u);
  key_ = "short";
  remember_s_ = 1000;
  apply_and_commit({upsertion(a_), upsertion(b_)});  // another batch: the key is free again
  EXPECT_EQ(result_.replayed, 0u);
  apply_and_commit({upsertion(a_), upsertion(b_)});
  EXPECT_EQ(result_.replayed, 1u);
}

// The writer dies behind its commit, before anybody has its answer: the batch is sent again.
TEST_F(Batches, AreAnsweredAfterTheReplyWasLost) {
  ASSERT_OK(quire_close(db));
  db = nullptr;
  partial_ = true;
  key_ = "order 1";
  const std::vector<quire_change> batch = {insertion(a_), insertion(a_), insertion(b_)};
  for (const bool replayed : {false, true}) {
    const pid_t child = fork();
    if (child == 0) {
      open();
      quire_txn* txn = write();
      const bool fine = apply(txn, batch) == QUIRE_OK && (result_.replayed != 0) == replayed &&
                        codes() == "ok exists ok" && quire_commit(txn) == QUIRE_OK;
      _exit(fine ? 0 : 1);  // no close: as a kill would leave it
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << replayed;
  }
  open();
  EXPECT_EQ(count(), 2u);
  EXPECT_OK(quire_check(db, nullptr, nullptr));
  apply_and_commit(batch);
  EXPECT_EQ(result_.replayed, 1u);
}

TEST_F(Batches, AreRememberedWhereNobodySeesIt) {
  key_ = std::string("k\0\xFF", 3);
  apply_and_commit({insertion(a_)});
  quire_txn* txn = write();
  std::vector<std::string> names;
  const auto note = [](void* context, const char* name, quire_keyspace, std::uint64_t) {
    static_cast<std::vector<std::string>*>(context)->emplace_back(name);
    return 0;
  };
  ASSERT_OK(quire_keyspace_list(txn, note, &names));
  EXPECT_EQ(names, std::vector<std::string>{"keys"});
  quire_keyspace hidden = 0;
  EXPECT_CODE(quire_keyspace_open(txn,
                                  "\x01"
                                  "batches",
                                  0, &hidden),
              QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_keyspace_open(txn,
                                  "\x01"
                                  "batches",
                                  QUIRE_CREATE, &hidden),
              QUIRE_ERR_INVALID);
  quire_abort(txn);
  quire_stat stat{};
  stat.size = sizeof stat;
  ASSERT_OK(quire_get_stat(db, &stat));
  EXPECT_EQ(stat.keyspaces, 1u);
  EXPECT_EQ(stat.collections, 1u);
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

// Collections have other numbers in the new database: an outcome could be taken for another's.
// Who guesses the id of the library's keyspace could read, change and drop it; found by the fuzz
// target `calls`.
TEST_F(Batches, AreRememberedInAKeyspaceThatNoIdLeadsTo) {
  key_ = "order 1";
  apply_and_commit({insertion(a_)});
  quire_txn* txn = write();
  std::set<quire_keyspace> listed;
  const auto visit = [](void* all, const char*, quire_keyspace id, uint64_t) {
    static_cast<std::set<quire_keyspace>*>(all)->insert(id);
    return 0;
  };
  ASSERT_OK(quire_keyspace_list(txn, visit, &listed));
  for (quire_keyspace id = 0; id < 64; ++id) {
    if (listed.contains(id)) continue;
    EXPECT_NE(quire_put(txn, id, "k", 1, "v", 1, 0), QUIRE_OK) << id;
    EXPECT_NE(quire_delete(txn, id, "k", 1), QUIRE_OK) << id;
    EXPECT_NE(quire_keyspace_drop(txn, id), QUIRE_OK) << id;
    std::uint64_t count = 0;
    EXPECT_NE(quire_count(txn, id, nullptr, nullptr, &count), QUIRE_OK) << id;
    quire_cursor* cursor = nullptr;
    EXPECT_NE(quire_cursor_open(txn, id, nullptr, &cursor), QUIRE_OK) << id;
  }
  ASSERT_OK(apply(txn, {insertion(a_)}));
  EXPECT_EQ(result_.replayed, 1u);
  quire_abort(txn);
}

TEST_F(Batches, AreForgottenByASalvage) {
  key_ = "order 1";
  apply_and_commit({upsertion(a_)});
  salvage();  // the keyspace was made in the log
  EXPECT_EQ(version_of_a(), 1);
  apply_and_commit({upsertion(a_)});
  EXPECT_EQ(result_.replayed, 0u);
  ASSERT_OK(quire_checkpoint(db));
  key_ = "order 2";
  apply_and_commit({upsertion(a_)});
  salvage();  // and here in the pages
  EXPECT_EQ(version_of_a(), 3);
  apply_and_commit({upsertion(a_)});
  EXPECT_EQ(result_.replayed, 0u);
}

TEST_F(Batches, MakeKeysByTheFunctionOfTheCollection) {
  const auto make = [](void* context, quire_value* key) {
    *key = of_text("made");
    return ++*static_cast<int*>(context) > 1 ? 1 : 0;
  };
  int calls = 0;
  ASSERT_OK(quire_set_key_function(db, "accounts", make, &calls));
  partial_ = true;
  key_ = "order 1";
  Record keyless = a_;
  keyless[kId] = by_default();
  apply_and_commit({insertion(keyless), insertion(keyless)});
  EXPECT_EQ(codes(), "ok cancelled");
  apply_and_commit({insertion(keyless), insertion(keyless)});
  EXPECT_EQ(result_.replayed, 1u);
  EXPECT_EQ(calls, 2);
  quire_txn* txn = read();
  EXPECT_EQ(balance(txn, "made"), 1);
  quire_abort(txn);
}

}  // namespace
}  // namespace quire::test
