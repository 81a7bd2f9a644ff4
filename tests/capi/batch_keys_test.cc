// The keys of the records that a batch wrote: told, and remembered with an idempotency key.
#include <array>

#include "accounts.h"

namespace quire::test {
namespace {

class BatchKeys : public World {
 protected:
  enum Field : std::uint32_t { kShop, kNumber, kNote, kFields };
  using Record = std::array<quire_value, kFields>;

  // A key of two fields, the second of which is the next number.
  void SetUp() override {
    World::SetUp();
    number_.default_kind = QUIRE_DEFAULT_NEXT;
    const std::array<quire_field, kFields> fields = {
        {{"shop", QUIRE_TYPE_TEXT, QUIRE_FIELD_KEY, 0, 0, nullptr},
         {"number", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, &number_},
         {"note", QUIRE_TYPE_TEXT, QUIRE_FIELD_NULLABLE, 0, 0, nullptr}}};
    quire_txn* txn = write();
    ASSERT_OK(quire_collection_create(txn, "orders", fields.data(), fields.size(), &orders_));
    ASSERT_OK(quire_commit(txn));
  }
  quire_change change(std::uint32_t kind, const Record& record) const {
    quire_change made{};
    made.kind = kind;
    if (kind == QUIRE_CHANGE_DELETE) {
      made.key = record.data();
      made.key_count = 2;
    } else {
      made.values = record.data();
      made.value_count = record.size();
    }
    return made;
  }
  // Two new ones, one that is there then, one that is not, one replaced, and one more.
  std::vector<quire_change> batch() const {
    return {change(QUIRE_CHANGE_INSERT, fresh_),  change(QUIRE_CHANGE_INSERT, fresh_),
            change(QUIRE_CHANGE_INSERT, second_), change(QUIRE_CHANGE_DELETE, missing_),
            change(QUIRE_CHANGE_UPSERT, second_), change(QUIRE_CHANGE_UPSERT, fresh_)};
  }
  int apply(quire_txn* txn, const std::vector<quire_change>& changes, const char* key = nullptr) {
    quire_batch_options options = QUIRE_BATCH_OPTIONS_INIT;
    options.flags = flags_;
    if (key != nullptr) options.key = {key, std::strlen(key)};
    keys_.assign(2 * changes.size(), of_i64(77));
    options.keys = asked_ ? keys_.data() : nullptr;
    options.key_room = asked_ ? keys_.size() : 0;
    result_.size = sizeof result_;
    return quire_batch_apply(txn, orders_, changes.data(), changes.size(), &options, nullptr,
                             &result_);
  }
  // "a1 a2 - b7"
  std::string told() const {
    std::string words;
    for (std::size_t i = 0; i < keys_.size(); i += 2) {
      if (i != 0) words += ' ';
      const bool none = keys_[i].type == QUIRE_TYPE_NULL && keys_[i + 1].type == QUIRE_TYPE_NULL;
      words += none ? "-" : text(keys_[i].as.bytes) + std::to_string(keys_[i + 1].as.i64);
    }
    return words;
  }

  quire_rules number_ = QUIRE_RULES_INIT;
  quire_collection orders_ = 0;
  std::uint32_t flags_ = QUIRE_BATCH_PARTIAL;
  bool asked_ = true;
  std::vector<quire_value> keys_;
  quire_batch_result result_{};
  const Record fresh_ = {of_text("a"), by_default(), none()};
  const Record second_ = {of_text("a"), of_i64(2), of_text("two")};
  const Record missing_ = {of_text("z"), of_i64(9), none()};
};

TEST_F(BatchKeys, AreToldOfWhatIsWritten) {
  quire_txn* txn = write();
  ASSERT_OK(apply(txn, batch()));
  EXPECT_EQ(told(), "a1 a2 - - a2 a3");
  quire_value found{};
  ASSERT_OK(quire_record_get(txn, orders_, keys_.data(), 2, &found, 1));
  ASSERT_OK(quire_commit(txn));
}

TEST_F(BatchKeys, AreToldAgainWithTheSameIdempotencyKey) {
  quire_txn* txn = write();
  ASSERT_OK(apply(txn, batch(), "order"));
  EXPECT_EQ(told(), "a1 a2 - - a2 a3");
  ASSERT_OK(quire_commit(txn));
  reopen();
  txn = write();
  ASSERT_OK(apply(txn, batch(), "order"));
  EXPECT_EQ(result_.replayed, 1u);
  EXPECT_EQ(told(), "a1 a2 - - a2 a3");
  // Who does not ask is not told, and it is the same batch.
  asked_ = false;
  ASSERT_OK(apply(txn, batch(), "order"));
  EXPECT_EQ(result_.replayed, 1u);
  ASSERT_OK(quire_commit(txn));
}

TEST_F(BatchKeys, AreNotRememberedWhereTheyWereNotAskedFor) {
  asked_ = false;
  quire_txn* txn = write();
  ASSERT_OK(apply(txn, batch(), "order"));
  asked_ = true;
  ASSERT_OK(apply(txn, batch(), "order"));
  EXPECT_EQ(result_.replayed, 1u);
  EXPECT_EQ(told(), "- - - - - -");
  quire_abort(txn);
}

TEST_F(BatchKeys, OfABatchThatIsUndoneAreNone) {
  flags_ = 0;
  quire_txn* txn = write();
  EXPECT_CODE(apply(txn, batch(), "order"), QUIRE_ERR_EXISTS);
  EXPECT_EQ(told(), "- - - - - -");
  ASSERT_OK(apply(txn, {change(QUIRE_CHANGE_INSERT, fresh_)}));
  EXPECT_EQ(told(), "a1");
  quire_abort(txn);
}

TEST_F(BatchKeys, NeedRoomForAll) {
  quire_txn* txn = write();
  const std::vector<quire_change> changes = batch();
  std::array<quire_value, 12> room{};
  quire_batch_options options = QUIRE_BATCH_OPTIONS_INIT;
  options.flags = QUIRE_BATCH_PARTIAL;
  options.keys = room.data();
  const auto apply_all = [&] {
    return quire_batch_apply(txn, orders_, changes.data(), changes.size(), &options, nullptr,
                             nullptr);
  };
  for (const std::size_t values : {std::size_t{0}, std::size_t{6}, std::size_t{11}}) {
    options.key_room = values;
    EXPECT_ERROR(apply_all(), QUIRE_ERR_INVALID,
                 "keys has room for " + std::to_string(values) + " values: 6 changes have 2 each");
  }
  options.keys = nullptr;
  EXPECT_ERROR(apply_all(), QUIRE_ERR_INVALID, "keys is NULL, its room is 11");
  std::uint64_t records = 7;
  ASSERT_OK(quire_collection_count(txn, orders_, &records));
  EXPECT_EQ(records, 0u) << "nothing was carried out";
  options.keys = room.data();
  options.key_room = SIZE_MAX;
  EXPECT_OK(apply_all());
  EXPECT_EQ(room[11].as.i64, 3);
  quire_abort(txn);
}

// A program that was built before there were keys gives a shorter struct.
TEST_F(BatchKeys, OfAnOlderProgramAreNotAskedFor) {
  quire_txn* txn = write();
  const std::vector<quire_change> changes = batch();
  quire_batch_options options = QUIRE_BATCH_OPTIONS_INIT;
  options.size = offsetof(quire_batch_options, keys);
  options.flags = QUIRE_BATCH_PARTIAL;
  options.keys = reinterpret_cast<quire_value*>(8);  // not its own any more
  EXPECT_OK(
      quire_batch_apply(txn, orders_, changes.data(), changes.size(), &options, nullptr, nullptr));
  quire_abort(txn);
}

// Of more keys than are remembered the first are.
TEST_F(BatchKeys, AreRememberedAsFarAsTheRoomGoes) {
  const std::string long_note(900, 'k');
  std::vector<std::string> shops;
  std::vector<Record> records;
  constexpr std::size_t kCount = 1400;  // of 900 bytes each, in which they differ from the first on
  for (std::size_t i = 0; i < kCount; ++i) shops.push_back(std::to_string(i) + long_note);
  for (const std::string& shop : shops)
    records.push_back({of_text(shop.c_str()), of_i64(1), none()});
  std::vector<quire_change> changes;
  for (const Record& record : records) changes.push_back(change(QUIRE_CHANGE_INSERT, record));
  quire_txn* txn = write();
  ASSERT_OK(apply(txn, changes, "many"));
  const std::string all = told();
  EXPECT_EQ(all.find('-'), std::string::npos);
  ASSERT_OK(apply(txn, changes, "many"));
  EXPECT_EQ(result_.replayed, 1u);
  const std::string first = told();
  const std::size_t end = first.find(" -");
  ASSERT_NE(end, std::string::npos);
  EXPECT_EQ(first.substr(0, end), all.substr(0, end));
  EXPECT_EQ(first.find_first_not_of(" -", end), std::string::npos) << "none behind the first null";
  EXPECT_GT(end, std::size_t{1000} * 1000);
  quire_abort(txn);
}

}  // namespace
}  // namespace quire::test
