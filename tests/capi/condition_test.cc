// Changes that are carried out only where a record is what their caller expects, and fields that
// count the changes of their record.
#include <limits>

#include "accounts.h"

namespace quire::test {
namespace {

class Conditions : public Accounts {
 protected:
  void SetUp() override {
    Accounts::SetUp();
    txn_ = write();
    ASSERT_OK(insert(txn_, record("a", 5)));
  }
  void TearDown() override {
    quire_abort(txn_);
    Accounts::TearDown();
  }
  int set_balance(std::int64_t to, std::vector<quire_expected> expected) {
    const std::uint32_t field = kBalance;
    const quire_value value = of_i64(to);
    return quire_record_update_if(txn_, accounts_, &a_, 1, &field, &value, 1, expected.data(),
                                  expected.size());
  }
  // Sets a field to a value, and says whether `expected` is what it then has.
  int matches(Field field, const quire_value& value, const quire_value& expected) {
    const std::uint32_t fields[] = {field};
    EXPECT_OK(quire_record_update(txn_, accounts_, &a_, 1, fields, &value, 1));
    return set_balance(1, {{field, 0, expected}});
  }

  quire_txn* txn_ = nullptr;
  const quire_value a_ = of_text("a");
};

TEST_F(Conditions, AnUpdateIsCarriedOutWhereAllHold) {
  ASSERT_OK(set_balance(6, {{kBalance, 0, of_i64(5)}, {kNote, 0, none()}}));
  EXPECT_EQ(balance(txn_, "a"), 6);
  EXPECT_ERROR(set_balance(7, {{kBalance, 0, of_i64(5)}}), QUIRE_ERR_CONFLICT,
               "collection 'accounts', field 'balance': expected 5, but the record with the key "
               "'a' has 6");
  EXPECT_ERROR(set_balance(7, {{kBalance, 0, of_i64(6)}, {kBalance, 0, none()}}),
               QUIRE_ERR_CONFLICT, "expected null");
  EXPECT_EQ(balance(txn_, "a"), 6);
  EXPECT_EQ(version(txn_, "a"), 2);  // nor did those that failed count
  ASSERT_OK(set_balance(8, {}));
  EXPECT_EQ(balance(txn_, "a"), 8);
}

TEST_F(Conditions, ADeletionAndAnUpsertHaveThemToo) {
  const quire_expected six = {kBalance, 0, of_i64(6)};
  const quire_expected five = {kBalance, 0, of_i64(5)};
  EXPECT_CODE(quire_record_delete_if(txn_, accounts_, &a_, 1, &six, 1), QUIRE_ERR_CONFLICT);
  const Record changed = record("a", 7);
  EXPECT_CODE(quire_record_upsert_if(txn_, accounts_, changed.data(), kFields, &six, 1),
              QUIRE_ERR_CONFLICT);
  EXPECT_EQ(balance(txn_, "a"), 5);
  ASSERT_OK(quire_record_upsert_if(txn_, accounts_, changed.data(), kFields, &five, 1));
  EXPECT_EQ(balance(txn_, "a"), 7);
  EXPECT_CODE(quire_record_delete_if(txn_, accounts_, &a_, 1, &five, 1), QUIRE_ERR_CONFLICT);
  ASSERT_OK(quire_record_delete_if(txn_, accounts_, &a_, 1, nullptr, 0));
  EXPECT_EQ(balance(txn_, "a"), -1);
  // Of a record that is not there, nothing holds.
  EXPECT_ERROR(quire_record_upsert_if(txn_, accounts_, changed.data(), kFields, &five, 1),
               QUIRE_ERR_CONFLICT, "does not exist");
  EXPECT_CODE(quire_record_delete_if(txn_, accounts_, &a_, 1, &five, 1), QUIRE_ERR_NOT_FOUND);
  EXPECT_CODE(set_balance(1, {five}), QUIRE_ERR_NOT_FOUND);
}

TEST_F(Conditions, ValuesAreComparedAsTheirTypesAre) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_OK(matches(kRate, of_f64(0.0), of_f64(-0.0)));
  EXPECT_OK(matches(kRate, of_f64(nan), of_f64(nan)));
  EXPECT_CODE(matches(kRate, of_f64(1), of_f64(nan)), QUIRE_ERR_CONFLICT);
  EXPECT_CODE(matches(kRate, none(), of_f64(0)), QUIRE_ERR_CONFLICT);
  EXPECT_OK(matches(kRate, none(), none()));
  const auto json = [](const char* words) { return of_text(words, QUIRE_TYPE_JSON); };
  EXPECT_OK(matches(kNote, json("[1]"), json("[1]")));
  EXPECT_CODE(matches(kNote, json("[1]"), json("[ 1 ]")), QUIRE_ERR_CONFLICT);
  const std::array<float, 2> here = {1, 2};
  const std::array<float, 2> there = {1, 3};
  EXPECT_OK(matches(kPlace, of_place(here), of_place(here)));
  EXPECT_ERROR(matches(kPlace, of_place(here), of_place(there)), QUIRE_ERR_CONFLICT,
               "another vector");
  EXPECT_CODE(matches(kPlace, of_place(here), none()), QUIRE_ERR_CONFLICT);
  EXPECT_CODE(matches(kPlace, none(), of_place(here)), QUIRE_ERR_CONFLICT);
}

TEST_F(Conditions, OnesThatCanNeverHoldAreRefused) {
  EXPECT_ERROR(set_balance(1, {{kFields, 0, none()}}), QUIRE_ERR_INVALID, "field 6");
  EXPECT_ERROR(set_balance(1, {{kBalance, 0, of_text("5")}}), QUIRE_ERR_TYPE, "'balance'");
  EXPECT_ERROR(set_balance(1, {{kId, 0, none()}}), QUIRE_ERR_SCHEMA, "'id'");
  EXPECT_CODE(set_balance(1, {{kBalance, 1, of_i64(5)}}), QUIRE_ERR_INVALID);
  EXPECT_CODE(set_balance(1, {{kBalance, 0, by_default()}}), QUIRE_ERR_TYPE);
  EXPECT_CODE(quire_record_delete_if(txn_, accounts_, &a_, 1, nullptr, 1), QUIRE_ERR_INVALID);
  EXPECT_EQ(balance(txn_, "a"), 5);
}

TEST_F(Conditions, AVersionIsOneMoreWithEachChange) {
  EXPECT_EQ(version(txn_, "a"), 1);
  ASSERT_OK(set_balance(6, {}));
  EXPECT_EQ(version(txn_, "a"), 2);
  const Record changed = record("a", 7);
  ASSERT_OK(quire_record_upsert(txn_, accounts_, changed.data(), kFields));
  EXPECT_EQ(version(txn_, "a"), 3);
  const std::uint32_t field = kVersion;
  const quire_value anew = by_default();
  ASSERT_OK(quire_record_update(txn_, accounts_, &a_, 1, &field, &anew, 1));
  EXPECT_EQ(version(txn_, "a"), 4);
  ASSERT_OK(quire_commit(txn_));
  reopen();
  txn_ = write();
  EXPECT_EQ(version(txn_, "a"), 4);
  ASSERT_OK(quire_record_delete(txn_, accounts_, &a_, 1));
  ASSERT_OK(insert(txn_, record("a", 1)));
  EXPECT_EQ(version(txn_, "a"), 1);
}

// Whoever upserts what he has read loses nobody's change.
TEST_F(Conditions, AVersionThatIsGivenIsWhatIsExpected) {
  Record mine;
  ASSERT_OK(quire_record_get(txn_, accounts_, &a_, 1, mine.data(), mine.size()));
  ASSERT_OK(set_balance(100, {}));
  mine[kId] = a_;  // what was read is gone with the next change
  mine[kBalance] = of_i64(6);
  EXPECT_ERROR(quire_record_upsert(txn_, accounts_, mine.data(), kFields), QUIRE_ERR_CONFLICT,
               "field 'version': expected 1, but the record with the key 'a' has 2");
  EXPECT_EQ(balance(txn_, "a"), 100);
  mine[kVersion] = of_i64(2);
  ASSERT_OK(quire_record_upsert(txn_, accounts_, mine.data(), kFields));
  EXPECT_EQ(balance(txn_, "a"), 6);
  EXPECT_EQ(version(txn_, "a"), 3);
  const std::uint32_t fields[] = {kBalance, kVersion};
  const quire_value stale[] = {of_i64(7), of_i64(2)};
  const quire_value fresh[] = {of_i64(7), of_i64(3)};
  EXPECT_CODE(quire_record_update(txn_, accounts_, &a_, 1, fields, stale, 2), QUIRE_ERR_CONFLICT);
  ASSERT_OK(quire_record_update(txn_, accounts_, &a_, 1, fields, fresh, 2));
  EXPECT_EQ(version(txn_, "a"), 4);
  const quire_value wrong[] = {of_i64(7), of_text("4")};
  EXPECT_CODE(quire_record_update(txn_, accounts_, &a_, 1, fields, wrong, 2), QUIRE_ERR_TYPE);
  ASSERT_OK(quire_record_delete(txn_, accounts_, &a_, 1));
  EXPECT_ERROR(quire_record_upsert(txn_, accounts_, mine.data(), kFields), QUIRE_ERR_CONFLICT,
               "does not exist");
  // An insert is a copy: it begins where it says.
  mine[kVersion] = of_i64(9);
  ASSERT_OK(insert(txn_, mine));
  EXPECT_EQ(version(txn_, "a"), 9);
  mine[kId] = of_text("b");
  mine[kVersion] = none();
  EXPECT_CODE(insert(txn_, mine), QUIRE_ERR_SCHEMA);
}

TEST_F(Conditions, VersionsEndAndKeepTheirRules) {
  Record last = record("z", 1);
  last[kVersion] = of_i64(INT64_MAX);
  ASSERT_OK(insert(txn_, last));
  last[kVersion] = by_default();
  EXPECT_ERROR(quire_record_upsert(txn_, accounts_, last.data(), kFields), QUIRE_ERR_SCHEMA,
               "used up");
  version_.max = of_i64(2);
  const std::array<quire_field, 2> fields = {
      {{"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, nullptr},
       {"version", QUIRE_TYPE_I64, 0, 0, 0, &version_}}};
  quire_collection few = 0;
  ASSERT_OK(quire_collection_create(txn_, "few", fields.data(), fields.size(), &few));
  const std::array values = {of_i64(1), by_default()};
  ASSERT_OK(quire_record_insert(txn_, few, values.data(), 2));
  ASSERT_OK(quire_record_update(txn_, few, values.data(), 1, nullptr, nullptr, 0));
  EXPECT_ERROR(quire_record_update(txn_, few, values.data(), 1, nullptr, nullptr, 0),
               QUIRE_ERR_SCHEMA, "more than the maximum, 2");
}

TEST_F(Conditions, FieldsThatCanBeNoVersion) {
  quire_rules version = QUIRE_RULES_INIT;
  version.default_kind = QUIRE_DEFAULT_VERSION;
  quire_collection made = 0;
  const auto create = [&](quire_field field) {
    const std::array<quire_field, 2> fields = {
        {{"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, nullptr}, field}};
    return quire_collection_create(txn_, "made", fields.data(), fields.size(), &made);
  };
  EXPECT_CODE(create({"v", QUIRE_TYPE_F64, 0, 0, 0, &version}), QUIRE_ERR_INVALID);
  EXPECT_ERROR(create({"v", QUIRE_TYPE_I64, QUIRE_FIELD_NULLABLE, 0, 0, &version}),
               QUIRE_ERR_INVALID, "'v'");
  EXPECT_ERROR(create({"v", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, &version}), QUIRE_ERR_INVALID,
               "'v'");
  version.default_kind = QUIRE_DEFAULT_VERSION + 1;
  EXPECT_CODE(create({"v", QUIRE_TYPE_I64, 0, 0, 0, &version}), QUIRE_ERR_INVALID);
}

// Records that are older than the field begin at 1 without being written again.
TEST_F(Conditions, AVersionCanBeAddedToACollection) {
  const quire_field id = {"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, nullptr};
  quire_collection old = 0;
  ASSERT_OK(quire_collection_create(txn_, "old", &id, 1, &old));
  const quire_value one = of_i64(1);
  ASSERT_OK(quire_record_insert(txn_, old, &one, 1));
  std::array<quire_field, 2> fields = {{{}, {"version", QUIRE_TYPE_I64, 0, 0, 0, &version_}}};
  ASSERT_OK(quire_collection_field(txn_, old, 0, &fields[0]));
  ASSERT_OK(quire_collection_change(txn_, old, fields.data(), 2, nullptr, nullptr));
  std::array<quire_value, 2> found;
  ASSERT_OK(quire_record_get(txn_, old, &one, 1, found.data(), 2));
  EXPECT_EQ(found[1].as.i64, 1);
  const quire_expected first = {1, 0, of_i64(1)};
  ASSERT_OK(quire_record_update_if(txn_, old, &one, 1, nullptr, nullptr, 0, &first, 1));
  EXPECT_CODE(quire_record_update_if(txn_, old, &one, 1, nullptr, nullptr, 0, &first, 1),
              QUIRE_ERR_CONFLICT);
  ASSERT_OK(quire_record_get(txn_, old, &one, 1, found.data(), 2));
  EXPECT_EQ(found[1].as.i64, 2);
}

// The log has versions as they were resolved: a salvage takes them as they are.
TEST_F(Conditions, ASalvageKeepsVersions) {
  ASSERT_OK(quire_commit(txn_));
  ASSERT_OK(quire_checkpoint(db));
  txn_ = write();
  ASSERT_OK(set_balance(6, {}));
  ASSERT_OK(set_balance(7, {}));
  ASSERT_OK(quire_commit(txn_));
  txn_ = nullptr;
  // As after a crash: with the log.
  const std::string damaged = directory / "damaged.quire";
  std::filesystem::copy(path(), damaged, std::filesystem::copy_options::recursive);
  ASSERT_OK(quire_close(db));
  db = nullptr;
  std::filesystem::remove_all(path());
  ASSERT_OK(quire_recover(damaged.c_str(), path().c_str(), nullptr, nullptr, nullptr, nullptr));
  open();
  txn_ = write();
  ASSERT_OK(quire_collection_open(txn_, "accounts", &accounts_));
  EXPECT_EQ(balance(txn_, "a"), 7);
  EXPECT_EQ(version(txn_, "a"), 3);
}

}  // namespace
}  // namespace quire::test
