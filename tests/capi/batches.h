// Batches of changes of accounts, and what became of them.
#pragma once

#include "accounts.h"

namespace quire::test {

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

}  // namespace quire::test
