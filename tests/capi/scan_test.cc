// Scans of records in order of their keys.
#include <limits>

#include "collection_world.h"

namespace quire::test {
namespace {

// Keys of each scalar type are in the order of their values.
TEST_F(CollectionApi, ScansAreInOrderOfTheKeyWithinTheirBounds) {
  quire_txn* txn = write();
  struct Case {
    const char* name;
    std::uint32_t type;
    std::vector<quire_value> ascending;
  };
  const double inf = std::numeric_limits<double>::infinity();
  const std::string long_text(300, 'b');
  const std::vector<Case> cases = {
      {"bools", QUIRE_TYPE_BOOL, {of_bool(false), of_bool(true)}},
      {"ints",
       QUIRE_TYPE_I64,
       {of_i64(INT64_MIN), of_i64(-5), of_i64(-1), of_i64(0), of_i64(300), of_i64(INT64_MAX)}},
      {"reals",
       QUIRE_TYPE_F64,
       {of_f64(-inf), of_f64(-2.5), of_f64(0), of_f64(1e-300), of_f64(7), of_f64(inf)}},
      {"texts",
       QUIRE_TYPE_TEXT,
       {of_text(""), of_text("a"), of_text("aa"), of_text("b"), of_text(long_text), of_text("ü")}},
      {"times",
       QUIRE_TYPE_TIMESTAMP,
       {of_i64(-1, QUIRE_TYPE_TIMESTAMP), of_i64(0, QUIRE_TYPE_TIMESTAMP),
        of_i64(1, QUIRE_TYPE_TIMESTAMP)}},
  };
  const auto same = [](const quire_value& a, const quire_value& b) {
    if (a.type != b.type) return false;
    switch (a.type) {
      case QUIRE_TYPE_BOOL:
        return a.as.boolean == b.as.boolean;
      case QUIRE_TYPE_F64:
        return a.as.f64 == b.as.f64;
      case QUIRE_TYPE_TEXT:
        return text(a.as.bytes) == text(b.as.bytes);
      default:
        return a.as.i64 == b.as.i64;
    }
  };
  for (const Case& one : cases) {
    quire_collection id = 0;
    const quire_field field = {"id", one.type, QUIRE_FIELD_KEY, 0, 0};
    ASSERT_OK(quire_collection_create(txn, one.name, &field, 1, &id));
    for (std::size_t i = one.ascending.size(); i-- > 0;)
      ASSERT_OK(quire_record_insert(txn, id, &one.ascending[i], 1)) << one.name;
    const auto expect = [&](std::size_t from, std::size_t to, const quire_value* low,
                            const quire_value* high) {
      quire_cursor* scan = nullptr;
      ASSERT_OK(quire_scan_open(txn, id, low, low != nullptr ? 1 : 0, high, high != nullptr ? 1 : 0,
                                &scan));
      quire_value got{};
      for (std::size_t i = from; i < to; ++i) {
        ASSERT_OK(quire_scan_next(scan, &got, 1)) << one.name << i;
        EXPECT_TRUE(same(got, one.ascending[i])) << one.name << i;
      }
      EXPECT_CODE(quire_scan_next(scan, &got, 1), QUIRE_ERR_NOT_FOUND);
      EXPECT_CODE(quire_scan_next(scan, &got, 1), QUIRE_ERR_NOT_FOUND);
      quire_cursor_close(scan);
    };
    const std::size_t size = one.ascending.size();
    expect(0, size, nullptr, nullptr);
    expect(1, size, &one.ascending[1], nullptr);
    expect(0, size - 1, nullptr, &one.ascending[size - 1]);
    expect(1, size - 1, &one.ascending[1], &one.ascending[size - 1]);
  }
  quire_cursor* scan = nullptr;
  EXPECT_CODE(quire_scan_open(txn, things, nullptr, 0, nullptr, 0, nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_scan_open(txn, keys, nullptr, 0, nullptr, 0, &scan), QUIRE_ERR_TYPE);
  const quire_value wrong = of_i64(1);
  EXPECT_CODE(quire_scan_open(txn, things, &wrong, 1, nullptr, 0, &scan), QUIRE_ERR_TYPE);
  ASSERT_OK(quire_scan_open(txn, things, nullptr, 0, nullptr, 0, &scan));
  EXPECT_CODE(quire_scan_next(scan, nullptr, 1), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_cursor_next(scan, nullptr, nullptr), QUIRE_ERR_TYPE);
  EXPECT_CODE(quire_cursor_delete(scan), QUIRE_ERR_TYPE);
  quire_cursor_close(scan);
  ASSERT_OK(quire_commit(txn));
}

// A scan of a write transaction goes on behind the record it was at, whatever changes.
TEST_F(CollectionApi, AScanSeesChangesOfItsTransaction) {
  quire_txn* txn = write();
  for (const char* name : {"a", "c", "e"}) {
    values[kId] = of_text(name);
    ASSERT_OK(insert(txn));
  }
  quire_cursor* scan = nullptr;
  ASSERT_OK(quire_scan_open(txn, things, nullptr, 0, nullptr, 0, &scan));
  quire_value got{};
  ASSERT_OK(quire_scan_next(scan, &got, 1));
  EXPECT_EQ(text(got.as.bytes), "a");
  values[kId] = of_text("b");
  ASSERT_OK(insert(txn));
  const quire_value gone = of_text("c");
  ASSERT_OK(quire_record_delete(txn, things, &gone, 1));
  ASSERT_OK(quire_scan_next(scan, &got, 1));
  EXPECT_EQ(text(got.as.bytes), "b");
  ASSERT_OK(quire_scan_next(scan, &got, 1));
  EXPECT_EQ(text(got.as.bytes), "e");
  EXPECT_CODE(quire_scan_next(scan, &got, 1), QUIRE_ERR_NOT_FOUND);
  quire_cursor_close(scan);
  quire_abort(txn);
}

}  // namespace
}  // namespace quire::test
