// Batches: atomic or in parts, and answered from memory when they come again.
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include "accounts.h"

namespace quire::test {
namespace {

class Batches : public Accounts {
 protected:
  // What a batch is made of; kept, because changes borrow.
  static quire_change insertion(const Record& record) {
    quire_change change{};
    change.kind = QUIRE_CHANGE_INSERT;
    change.values = record.data();
    change.value_count = record.size();
    return change;
  }
  static quire_change upsertion(const Record& record) {
    quire_change change = insertion(record);
    change.kind = QUIRE_CHANGE_UPSERT;
    return change;
  }
  static quire_change deletion(const quire_value& key) {
    quire_change change{};
    change.kind = QUIRE_CHANGE_DELETE;
    change.key = &key;
    change.key_count = 1;
    return change;
  }
  static quire_change setting(const quire_value& key, const quire_value& balance) {
    static constexpr std::uint32_t kField = kBalance;
    quire_change change = deletion(key);
    change.kind = QUIRE_CHANGE_UPDATE;
    change.fields = &kField;
    change.values = &balance;
    change.value_count = 1;
    return change;
  }

  int apply(quire_txn* txn, const std::vector<quire_change>& changes) {
    results_.assign(changes.size(), quire_change_result{77, 77, "untouched"});
    result_ = {};
    result_.size = sizeof result_;
    quire_batch_options options = QUIRE_BATCH_OPTIONS_INIT;
    options.flags = partial_ ? QUIRE_BATCH_PARTIAL : 0;
    if (!key_.empty()) options.key = slice(key_);
    options.remember_s = remember_s_;
    return quire_batch_apply(txn, accounts_, changes.data(), changes.size(), &options,
                             results_.data(), &result_);
  }
  // Commits.
  void apply_and_commit(const std::vector<quire_change>& changes) {
    quire_txn* txn = write();
    EXPECT_OK(apply(txn, changes));
    ASSERT_OK(quire_commit(txn));
  }
  // "ok", or the names of errors.
  std::string codes() const {
    std::string words;
    for (const quire_change_result& one : results_)
      words += std::string(words.empty() ? "" : " ") + quire_error_name(one.code);
    return words;
  }
  std::uint64_t count() {
    quire_txn* txn = read();
    std::uint64_t records = 0;
    EXPECT_OK(quire_collection_count(txn, accounts_, &records));
    quire_abort(txn);
    return records;
  }

  // Puts what quire_recover makes of the database, as a crash would leave it now, in its place.
  void salvage() {
    const std::string damaged = directory / "damaged.quire";
    std::filesystem::remove_all(damaged);
    std::filesystem::copy(path(), damaged, std::filesystem::copy_options::recursive);
    ASSERT_OK(quire_close(db));
    db = nullptr;
    std::filesystem::remove_all(path());
    quire_recover_result totals{};
    totals.size = sizeof totals;
    ASSERT_OK(quire_recover(damaged.c_str(), path().c_str(), nullptr, nullptr, nullptr, &totals));
    EXPECT_EQ(totals.keyspaces, 1u);
    EXPECT_EQ(totals.saved, 1u);
    open();
    quire_txn* txn = read();
    ASSERT_OK(quire_collection_open(txn, "accounts", &accounts_));
    quire_abort(txn);
  }
  std::int64_t version_of_a() {
    quire_txn* txn = read();
    const std::int64_t found = version(txn, "a");
    quire_abort(txn);
    return found;
  }

  bool partial_ = false;
  std::string key_;
  std::uint64_t remember_s_ = 0;
  std::vector<quire_change_result> results_;
  quire_batch_result result_{};
  const Record a_ = record("a", 1);
  const Record b_ = record("b", 2);
  const Record c_ = record("c", 3);
  const quire_value id_a_ = of_text("a");
  const quire_value id_b_ = of_text("b");
  const quire_value id_z_ = of_text("z");
  const quire_value ten_ = of_i64(10);
};

TEST_F(Batches, CarryOutChangesOfEachKindInTheirOrder) {
  quire_txn* txn = write();
  quire_change to_ten = setting(id_a_, ten_);
  const quire_expected one = {kBalance, 0, of_i64(1)};
  to_ten.expected = &one;
  to_ten.expected_count = 1;
  ASSERT_OK(apply(txn, {insertion(a_), to_ten, upsertion(b_), insertion(c_), deletion(id_b_)}));
  EXPECT_EQ(result_.applied, 5u);
  EXPECT_EQ(result_.failed, 0u);
  EXPECT_EQ(result_.first_failed, UINT64_MAX);
  EXPECT_EQ(result_.replayed, 0u);
  EXPECT_EQ(codes(), "ok ok ok ok ok");
  EXPECT_EQ(results_[0].message, nullptr);
  EXPECT_EQ(balance(txn, "a"), 10);
  EXPECT_EQ(version(txn, "a"), 2);
  EXPECT_EQ(balance(txn, "b"), -1);
  EXPECT_EQ(balance(txn, "c"), 3);
  ASSERT_OK(quire_batch_apply(txn, accounts_, nullptr, 0, nullptr, nullptr, nullptr));
  ASSERT_OK(quire_commit(txn));
  EXPECT_EQ(count(), 2u);
}

TEST_F(Batches, AreUndoneAsAWholeWhereOneChangeFails) {
  quire_txn* txn = write();
  ASSERT_OK(insert(txn, c_));
  quire_cursor* scan = nullptr;
  ASSERT_OK(quire_scan_open(txn, accounts_, nullptr, 0, nullptr, 0, &scan));
  EXPECT_ERROR(apply(txn, {insertion(a_), deletion(of_text("c")), insertion(b_),
                           setting(id_z_, ten_), insertion(a_)}),
               QUIRE_ERR_NOT_FOUND, "change 3: collection 'accounts': there is no record");
  EXPECT_EQ(result_.applied, 0u);
  EXPECT_EQ(result_.failed, 1u);
  EXPECT_EQ(result_.first_failed, 3u);
  EXPECT_EQ(codes(), "ok ok ok not_found ok");
  EXPECT_EQ(balance(txn, "a"), -1);
  EXPECT_EQ(balance(txn, "c"), 3);
  quire_value id{};
  ASSERT_OK(quire_scan_next(scan, &id, 1));  // the collection is what it was
  EXPECT_EQ(text(id.as.bytes), "c");
  EXPECT_CODE(quire_scan_next(scan, &id, 1), QUIRE_ERR_NOT_FOUND);
  quire_cursor_close(scan);
  // The first change alone has nothing to undo.
  EXPECT_CODE(apply(txn, {insertion(c_)}), QUIRE_ERR_EXISTS);
  // Savepoints of the caller's are not touched.
  std::uint64_t savepoint = 0;
  ASSERT_OK(quire_savepoint(txn, &savepoint));
  ASSERT_OK(apply(txn, {insertion(a_), insertion(b_)}));
  EXPECT_CODE(apply(txn, {deletion(id_a_), insertion(b_)}), QUIRE_ERR_EXISTS);
  EXPECT_EQ(balance(txn, "a"), 1);
  ASSERT_OK(quire_rollback_to(txn, savepoint));
  ASSERT_OK(quire_commit(txn));
  EXPECT_EQ(count(), 1u);
  reopen();
  EXPECT_EQ(count(), 1u);
}

TEST_F(Batches, InPartsKeepWhatDoesNotFail) {
  partial_ = true;
  quire_txn* txn = write();
  quire_index_options unique = QUIRE_INDEX_OPTIONS_INIT;
  unique.options = R"({"fields": ["balance"], "unique": true})";
  ASSERT_OK(quire_index_create(txn, accounts_, "balances", &unique));
  const Record again = record("d", 2);  // b has this balance
  const quire_value two = of_i64(2);
  quire_change doubtful = deletion(id_a_);
  const quire_expected five = {kBalance, 0, of_i64(5)};
  doubtful.expected = &five;
  doubtful.expected_count = 1;
  ASSERT_OK(apply(txn, {insertion(a_), insertion(b_), insertion(again), setting(id_a_, two),
                        insertion(a_), doubtful, deletion(id_z_), insertion(c_)}));
  EXPECT_EQ(codes(), "ok ok unique unique exists conflict not_found ok");
  EXPECT_EQ(result_.applied, 3u);
  EXPECT_EQ(result_.failed, 5u);
  EXPECT_EQ(result_.first_failed, 2u);
  EXPECT_NE(std::string(results_[2].message).find("'balances'"), std::string::npos);
  EXPECT_NE(std::string(results_[6].message).find("'z'"), std::string::npos);
  EXPECT_EQ(balance(txn, "a"), 1);
  EXPECT_EQ(version(txn, "a"), 1);
  EXPECT_EQ(balance(txn, "d"), -1);
  ASSERT_OK(quire_commit(txn));
  EXPECT_EQ(count(), 3u);
  EXPECT_OK(quire_check(db, nullptr, nullptr));
  reopen();
  EXPECT_EQ(count(), 3u);
}

TEST_F(Batches, OfWhatIsNoChangeAreRefusedAsAWhole) {
  partial_ = true;
  quire_txn* txn = write();
  const quire_change good = insertion(a_);
  const auto refused = [&](quire_change bad, const char* words) {
    EXPECT_ERROR(apply(txn, {good, bad}), QUIRE_ERR_INVALID, words);
    EXPECT_NE(std::string(quire_last_error()).find("change 1: "), std::string::npos);
    EXPECT_EQ(balance(txn, "a"), -1);
  };
  quire_change bad = good;
  bad.kind = 0;
  refused(bad, "kind 0");
  bad.kind = QUIRE_CHANGE_DELETE + 1;
  refused(bad, "kind 5");
  bad = good;
  bad.reserved = 1;
  refused(bad, "reserved");
  bad = good;
  bad.key = &id_a_;
  refused(bad, "in its values");
  bad = good;
  bad.values = nullptr;
  refused(bad, "values is NULL");
  const quire_expected five = {kBalance, 0, of_i64(5)};
  bad = good;
  bad.expected = &five;
  bad.expected_count = 1;
  refused(bad, "an insert expects nothing");
  bad = upsertion(a_);
  bad.expected_count = 1;
  refused(bad, "expected is NULL");
  bad = deletion(id_a_);
  bad.key_count = 2;
  refused(bad, "a key of 2 values, must have 1");
  bad.key = nullptr;
  refused(bad, "the key is NULL");
  bad = setting(id_a_, ten_);
  bad.fields = nullptr;
  refused(bad, "fields is NULL");
  bad = setting(id_a_, ten_);
  bad.kind = QUIRE_CHANGE_DELETE;
  refused(bad, "only an update");
  bad.fields = nullptr;
  refused(bad, "a deletion has no values");
  quire_abort(txn);
}

TEST_F(Batches, RefuseOptionsThatMakeNoSense) {
  quire_txn* txn = write();
  const quire_change one = insertion(a_);
  const auto code = [&](auto&& change) {
    quire_batch_options options = QUIRE_BATCH_OPTIONS_INIT;
    change(options);
    return quire_batch_apply(txn, accounts_, &one, 1, &options, nullptr, nullptr);
  };
  EXPECT_CODE(code([](auto& options) { options.flags = 2; }), QUIRE_ERR_INVALID);
  EXPECT_CODE(code([](auto& options) { options.reserved = 1; }), QUIRE_ERR_INVALID);
  EXPECT_CODE(code([](auto& options) { options.size = 0; }), QUIRE_ERR_INVALID);
  EXPECT_CODE(code([](auto& options) { options.key = {"", 0}; }), QUIRE_ERR_INVALID);
  EXPECT_CODE(code([](auto& options) { options.key = {nullptr, 1}; }), QUIRE_ERR_INVALID);
  const std::string long_key(256, 'k');
  EXPECT_CODE(code([&](auto& options) { options.key = slice(long_key); }), QUIRE_ERR_INVALID);
  EXPECT_CODE(code([](auto& options) {
                options.key = {"k", 1};
                options.remember_s = UINT64_MAX;
              }),
              QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_batch_apply(txn, accounts_, nullptr, 1, nullptr, nullptr, nullptr),
              QUIRE_ERR_INVALID);
  quire_batch_result result{};
  EXPECT_CODE(quire_batch_apply(txn, accounts_, &one, 1, nullptr, nullptr, &result),
              QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_batch_apply(txn, keys, &one, 1, nullptr, nullptr, nullptr), QUIRE_ERR_TYPE);
  EXPECT_EQ(balance(txn, "a"), -1);
  EXPECT_OK(code([&](auto& options) { options.key = {long_key.data(), 255}; }));
  quire_abort(txn);
  txn = read();
  EXPECT_CODE(apply(txn, {one}), QUIRE_ERR_READ_ONLY);
  quire_abort(txn);
}

// ------------------------------------------------------------- idempotency

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
