// How many values a key has: calls say it, and one that is wrong is refused before a value is read.
#include <array>

#include "capi_world.h"
#include "values.h"

namespace quire::test {
namespace {

// A collection whose key has two numbers, with the records (0, 0), (0, 1) .. (2, 2).
class KeyApi : public World {
 protected:
  static constexpr std::int64_t kSide = 3;

  void SetUp() override {
    World::SetUp();
    const std::array<quire_field, 3> fields = {
        {{"row", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, nullptr},
         {"column", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, nullptr},
         {"sum", QUIRE_TYPE_I64, 0, 0, 0, nullptr}}};
    txn_ = write();
    ASSERT_OK(quire_collection_create(txn_, "board", fields.data(), fields.size(), &board_));
    for (std::int64_t i = 0; i < kSide * kSide; ++i) {
      const std::array values = {of_i64(i / kSide), of_i64(i % kSide), of_i64(i / kSide + i % 3)};
      ASSERT_OK(quire_record_insert(txn_, board_, values.data(), values.size()));
    }
  }
  void TearDown() override {
    quire_abort(txn_);
    World::TearDown();
  }
  // The records between bounds, as "01 02 10".
  std::string between(std::vector<quire_value> low, std::vector<quire_value> high) {
    quire_cursor* scan = nullptr;
    EXPECT_OK(
        quire_scan_open(txn_, board_, low.data(), low.size(), high.data(), high.size(), &scan));
    std::string found;
    std::array<quire_value, 2> key;
    while (scan != nullptr && quire_scan_next(scan, key.data(), key.size()) == QUIRE_OK)
      found += std::to_string(key[0].as.i64) + std::to_string(key[1].as.i64) + " ";
    quire_cursor_close(scan);
    return found;
  }

  quire_txn* txn_ = nullptr;
  quire_collection board_ = 0;
};

TEST_F(KeyApi, AKeyOfAnotherCountIsRefused) {
  const std::array key = {of_i64(1), of_i64(2), of_i64(3)};
  const std::uint32_t field = 2;
  const quire_value sum = of_i64(9);
  std::array<quire_value, 3> found;
  std::uint32_t version = 0;
  // Were the last one believed, the call would read far behind the array.
  for (const size_t count : {size_t{0}, size_t{1}, size_t{3}, SIZE_MAX}) {
    const std::string words =
        "collection 'board': a key of " + std::to_string(count) + " values, must have 2";
    EXPECT_ERROR(quire_record_get(txn_, board_, key.data(), count, found.data(), 3),
                 QUIRE_ERR_INVALID, words);
    EXPECT_ERROR(quire_record_update(txn_, board_, key.data(), count, &field, &sum, 1),
                 QUIRE_ERR_INVALID, words);
    EXPECT_ERROR(quire_record_delete(txn_, board_, key.data(), count), QUIRE_ERR_INVALID, words);
    EXPECT_ERROR(quire_record_version(txn_, board_, key.data(), count, &version), QUIRE_ERR_INVALID,
                 words);
  }
  ASSERT_OK(quire_record_get(txn_, board_, key.data(), 2, found.data(), 3));
  EXPECT_EQ(found[2].as.i64, 3);
  ASSERT_OK(quire_record_update(txn_, board_, key.data(), 2, &field, &sum, 1));
  ASSERT_OK(quire_record_version(txn_, board_, key.data(), 2, &version));
  EXPECT_EQ(version, 1u);
  ASSERT_OK(quire_record_delete(txn_, board_, key.data(), 2));
  EXPECT_CODE(quire_record_get(txn_, board_, key.data(), 2, nullptr, 0), QUIRE_ERR_NOT_FOUND);
}

TEST_F(KeyApi, BoundsMayHaveFewerValuesButNotMore) {
  EXPECT_EQ(between({}, {}), "00 01 02 10 11 12 20 21 22 ");
  EXPECT_EQ(between({of_i64(1)}, {}), "10 11 12 20 21 22 ");
  EXPECT_EQ(between({}, {of_i64(1)}), "00 01 02 ");
  EXPECT_EQ(between({of_i64(0), of_i64(2)}, {of_i64(2)}), "02 10 11 12 ");
  EXPECT_EQ(between({of_i64(1)}, {of_i64(1), of_i64(2)}), "10 11 ");
  const std::array bound = {of_i64(0), of_i64(1), of_i64(2)};
  quire_cursor* scan = nullptr;
  for (const size_t count : {size_t{3}, SIZE_MAX}) {
    const std::string words = "collection 'board': a bound of " + std::to_string(count) +
                              " key values, may have at most 2";
    EXPECT_ERROR(quire_scan_open(txn_, board_, bound.data(), count, nullptr, 0, &scan),
                 QUIRE_ERR_INVALID, words);
    EXPECT_ERROR(quire_scan_open(txn_, board_, nullptr, 0, bound.data(), count, &scan),
                 QUIRE_ERR_INVALID, words);
  }
  EXPECT_CODE(quire_scan_open(txn_, board_, nullptr, 1, nullptr, 0, &scan), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_scan_open(txn_, board_, nullptr, 0, nullptr, 1, &scan), QUIRE_ERR_INVALID);
  EXPECT_EQ(scan, nullptr);
}

}  // namespace
}  // namespace quire::test
