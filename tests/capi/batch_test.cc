// Batches: what they carry out, atomic or in parts, and what they refuse.
#include "batches.h"

namespace quire::test {
namespace {

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

}  // namespace
}  // namespace quire::test
