// Queries through the C interface: rows, columns, tokens, explain, counts, changes of what is
// found; what they refuse and when they end.
#include <algorithm>
#include <array>

#include "capi_world.h"
#include "values.h"

namespace quire::test {
namespace {

class QueryApi : public World {
 protected:
  void SetUp() override {
    World::SetUp();
    const std::array<quire_field, 3> fields = {
        {{"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, nullptr},
         {"section", QUIRE_TYPE_TEXT, 0, 0, 0, nullptr},
         {"size", QUIRE_TYPE_I64, QUIRE_FIELD_NULLABLE, 0, 0, nullptr}}};
    quire_txn* txn = write();
    ASSERT_OK(quire_collection_create(txn, "goods", fields.data(), fields.size(), &goods));
    for (std::int64_t i = 0; i < 100; ++i) {
      const std::array values = {of_i64(i), of_text(i % 4 == 0 ? "tools" : "games"),
                                 of_i64(i * 10)};
      ASSERT_OK(quire_record_insert(txn, goods, values.data(), values.size()));
    }
    quire_index_options index = QUIRE_INDEX_OPTIONS_INIT;
    index.options = R"({"fields": ["section", "size"]})";
    ASSERT_OK(quire_index_create(txn, goods, "by section", &index));
    ASSERT_OK(quire_commit(txn));
  }

  static quire_query_options filter(const char* text) {
    quire_query_options options = QUIRE_QUERY_OPTIONS_INIT;
    options.filter = text;
    return options;
  }
  // First columns of all rows, as numbers.
  std::vector<std::int64_t> numbers(quire_txn* txn, const quire_query_options& options) {
    quire_query* query = nullptr;
    EXPECT_OK(quire_query_open(txn, goods, &options, &query));
    std::vector<std::int64_t> found;
    quire_value value;
    int code = quire_query_next(query, &value, 1);
    for (; code == QUIRE_OK; code = quire_query_next(query, &value, 1))
      found.push_back(value.as.i64);
    EXPECT_ERROR(code, QUIRE_ERR_NOT_FOUND, "end");
    quire_query_close(query);
    return found;
  }

  quire_collection goods = 0;
};

TEST_F(QueryApi, GivesRowsColumnsAndRecords) {
  quire_txn* txn = read();
  const std::array arguments = {of_text("tools"), of_i64(900)};
  quire_query_options options = filter("section = $1 and size >= $2");
  options.arguments = arguments.data();
  options.argument_count = arguments.size();
  options.select = "id, size + 1 as more";
  options.order = "size desc";
  EXPECT_EQ(numbers(txn, options), (std::vector<std::int64_t>{96, 92}));
  quire_query* query = nullptr;
  ASSERT_OK(quire_query_open(txn, goods, &options, &query));
  size_t columns = 0;
  ASSERT_OK(quire_query_column_count(query, &columns));
  EXPECT_EQ(columns, 2u);
  const char* name = nullptr;
  uint32_t type = 0;
  ASSERT_OK(quire_query_column(query, 1, &name, &type));
  EXPECT_STREQ(name, "more");
  EXPECT_EQ(type, QUIRE_TYPE_I64);
  EXPECT_ERROR(quire_query_column(query, 2, &name, &type), QUIRE_ERR_NOT_FOUND, "column");
  std::array<quire_value, 3> row{};
  EXPECT_ERROR(quire_query_next(query, row.data(), 3), QUIRE_ERR_INVALID, "3 columns of 2");
  uint64_t record = 0;
  EXPECT_ERROR(quire_query_record(query, &record, nullptr, 0), QUIRE_ERR_NOT_FOUND, "no row");
  ASSERT_OK(quire_query_next(query, row.data(), 2));
  EXPECT_EQ(row[1].as.i64, 961);
  quire_value key{};
  ASSERT_OK(quire_query_record(query, &record, &key, 1));
  EXPECT_EQ(key.as.i64, 96);
  EXPECT_ERROR(quire_query_record(query, &record, &key, 2), QUIRE_ERR_INVALID, "1 fields, not 2");
  char* plan = nullptr;
  ASSERT_OK(quire_query_explain(query, &plan));
  EXPECT_NE(std::string(plan).find("\"index\": \"by section\""), std::string::npos) << plan;
  quire_free(plan);
  quire_query_close(query);
  EXPECT_ERROR(quire_query_next(query, row.data(), 2), QUIRE_ERR_CLOSED, "closed");
  quire_abort(txn);
}

TEST_F(QueryApi, TakesArgumentsByName) {
  quire_txn* txn = read();
  const std::array arguments = {of_i64(970), of_text("games")};
  const std::array<const char*, 2> names = {"least", "which"};
  quire_query_options options = filter("section = $which and size > $least");
  options.arguments = arguments.data();
  options.argument_names = names.data();
  options.argument_count = 2;
  options.order = "id";
  EXPECT_EQ(numbers(txn, options), (std::vector<std::int64_t>{98, 99}));
  uint64_t count = 0;
  ASSERT_OK(quire_query_count(txn, goods, &options, &count));
  EXPECT_EQ(count, 2u);
  ASSERT_OK(quire_query_count(txn, goods, nullptr, &count));
  EXPECT_EQ(count, 100u);
  quire_abort(txn);
}

// Its memory is used again in the same transaction, and it answers as a new one.
TEST_F(QueryApi, IsAskedAgainAndAgainInOneTransaction) {
  quire_txn* txn = read();
  quire_query* first = nullptr;
  const auto ask = [&](std::int64_t id, const quire_value* argument, bool other) {
    quire_query_options options = filter(other ? "id = $1 or id = -1" : "id = $1");
    options.arguments = argument;
    options.argument_count = 1;
    options.select = "id, size";
    quire_query* query = nullptr;
    EXPECT_OK(quire_query_open(txn, goods, &options, &query));
    if (first == nullptr) first = query;
    std::array<quire_value, 2> row{};
    const bool there = id >= 0 && id < 100;
    EXPECT_EQ(quire_query_next(query, row.data(), 2), there ? QUIRE_OK : QUIRE_ERR_NOT_FOUND);
    if (there) {
      EXPECT_EQ(row[1].as.i64, id * 10);
    }
    quire_query_close(query);
    // A closed handle is told from others for a long time.
    EXPECT_ERROR(quire_query_next(query, row.data(), 2), QUIRE_ERR_CLOSED, "closed");
  };
  for (std::int64_t i = 0; i < 300; ++i) {
    const quire_value argument = of_i64(i * 7 % 110);
    ask(argument.as.i64, &argument, i % 3 == 0);
  }
  quire_value text = of_text("5");
  quire_query_options wrong = filter("id = $1");
  wrong.arguments = &text;
  wrong.argument_count = 1;
  wrong.select = "id, size";
  quire_query* query = nullptr;
  EXPECT_ERROR(quire_query_open(txn, goods, &wrong, &query), QUIRE_ERR_TYPE, "parameter");
  const quire_value argument = of_i64(42);
  ask(42, &argument, false);
  quire_abort(txn);
  quire_query_close(first);
}

TEST_F(QueryApi, IsAskedAgainAfterItsIndexWasDropped) {
  quire_txn* txn = write();
  const quire_value section = of_text("tools");
  quire_query_options options = filter("section = $1 and size > 900");
  options.arguments = &section;
  options.argument_count = 1;
  const std::vector<std::int64_t> expected = {92, 96};
  const auto found = [&] {
    std::vector<std::int64_t> all = numbers(txn, options);
    std::ranges::sort(all);
    return all;
  };
  EXPECT_EQ(found(), expected);
  EXPECT_EQ(found(), expected);
  uint64_t savepoint = 0;
  ASSERT_OK(quire_savepoint(txn, &savepoint));
  ASSERT_OK(quire_index_drop(txn, goods, "by section"));
  EXPECT_EQ(found(), expected);
  EXPECT_EQ(found(), expected);
  ASSERT_OK(quire_rollback_to(txn, savepoint));
  EXPECT_EQ(found(), expected);
  quire_abort(txn);
}

TEST_F(QueryApi, GoesOnFromATokenInALaterTransaction) {
  quire_query_options options = filter("section = 'tools'");
  options.select = "size";
  options.order = "size";
  options.limit = 10;
  std::vector<std::int64_t> all;
  std::string token(256, '\0');
  options.token = nullptr;
  for (int page = 0; page < 3; ++page) {
    quire_txn* txn = read();
    quire_query* query = nullptr;
    ASSERT_OK(quire_query_open(txn, goods, &options, &query));
    quire_value value{};
    while (quire_query_next(query, &value, 1) == QUIRE_OK) all.push_back(value.as.i64);
    size_t size = 3;
    EXPECT_ERROR(quire_query_token(query, token.data(), &size), QUIRE_ERR_VALUE_SIZE, "room");
    ASSERT_LE(size, 256u);
    ASSERT_OK(quire_query_token(query, token.data(), &size));
    options.token = token.data();
    options.token_size = size;
    quire_query_close(query);
    quire_abort(txn);
  }
  EXPECT_EQ(all.size(), 25u);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
}

TEST_F(QueryApi, ChangesAndDeletesWhatIsFound) {
  quire_txn* txn = write();
  quire_query_options options = filter("section = 'tools' and size < 200");
  const uint32_t field = 2;
  const quire_value grown = of_i64(5000);
  uint64_t changed = 0;
  // The index that finds them has them in another place with each change.
  ASSERT_OK(quire_query_update(txn, goods, &options, &field, &grown, 1, &changed));
  EXPECT_EQ(changed, 5u);
  options = filter("size = 5000");
  options.limit = 2;
  ASSERT_OK(quire_query_delete(txn, goods, &options, &changed));
  EXPECT_EQ(changed, 2u);
  uint64_t count = 0;
  ASSERT_OK(quire_query_count(txn, goods, nullptr, &count));
  EXPECT_EQ(count, 98u);
  options = filter(nullptr);
  options.group = "section";
  EXPECT_ERROR(quire_query_delete(txn, goods, &options, &changed), QUIRE_ERR_NOT_SUPPORTED,
               "groups");
  ASSERT_OK(quire_commit(txn));
  txn = read();
  EXPECT_ERROR(quire_query_delete(txn, goods, nullptr, &changed), QUIRE_ERR_READ_ONLY, "read");
  quire_abort(txn);
}

TEST_F(QueryApi, EndsWithItsStateOfTheDatabase) {
  quire_txn* txn = read();
  quire_query* query = nullptr;
  ASSERT_OK(quire_query_open(txn, goods, nullptr, &query));
  quire_value value{};
  ASSERT_OK(quire_query_next(query, &value, 1));
  ASSERT_OK(quire_renew(txn));
  EXPECT_ERROR(quire_query_next(query, &value, 1), QUIRE_ERR_CLOSED, "has ended");
  quire_query_close(query);
  ASSERT_OK(quire_query_open(txn, goods, nullptr, &query));
  quire_abort(txn);
  EXPECT_ERROR(quire_query_next(query, &value, 1), QUIRE_ERR_CLOSED, "transaction has ended");
  quire_query_close(query);
  quire_query_close(nullptr);
  txn = write();
  ASSERT_OK(quire_query_open(txn, goods, nullptr, &query));
  ASSERT_OK(quire_index_drop(txn, goods, "by section"));
  EXPECT_ERROR(quire_query_next(query, &value, 1), QUIRE_ERR_CLOSED, "has ended");
  quire_query_close(query);
  quire_abort(txn);
}

TEST_F(QueryApi, RefusesWhatMakesNoSense) {
  quire_txn* txn = read();
  quire_query* query = nullptr;
  const auto refused = [&](const quire_query_options& options, int code, const char* words) {
    EXPECT_ERROR(quire_query_open(txn, goods, &options, &query), code, words);
    EXPECT_EQ(query, nullptr);
  };
  refused(filter("size >"), QUIRE_ERR_INVALID, "at 6");
  refused(filter("weight > 1"), QUIRE_ERR_NOT_FOUND, "weight");
  refused(filter("size > 'a'"), QUIRE_ERR_TYPE, "at");
  refused(filter("size > $1"), QUIRE_ERR_INVALID, "parameter");
  quire_query_options options = filter(nullptr);
  options.flags = 64;
  refused(options, QUIRE_ERR_INVALID, "flags");
  options = filter(nullptr);
  options.index = "none";
  refused(options, QUIRE_ERR_NOT_FOUND, "'none'");
  options.flags = QUIRE_QUERY_NO_INDEX;
  refused(options, QUIRE_ERR_INVALID, "NO_INDEX");
  options = filter(nullptr);
  options.argument_count = 1;
  refused(options, QUIRE_ERR_INVALID, "arguments is NULL");
  options = filter(nullptr);
  options.token = "nonsense";
  options.token_size = 8;
  refused(options, QUIRE_ERR_INVALID, "token");
  options = filter(nullptr);
  options.budget_entries = 5;
  ASSERT_OK(quire_query_open(txn, goods, &options, &query));
  quire_value value{};
  for (int i = 0; i < 5; ++i) ASSERT_OK(quire_query_next(query, &value, 1));
  EXPECT_ERROR(quire_query_next(query, &value, 1), QUIRE_ERR_BUDGET, "5 rows were given");
  EXPECT_ERROR(quire_query_next(query, &value, 1), QUIRE_ERR_CLOSED, "budget");
  // Where it stopped is known, and what it did.
  char* plan = nullptr;
  ASSERT_OK(quire_query_explain(query, &plan));
  EXPECT_NE(std::string(plan).find("\"rows\": 5"), std::string::npos) << plan;
  quire_free(plan);
  std::string token(256, '\0');
  size_t size = token.size();
  ASSERT_OK(quire_query_token(query, token.data(), &size));
  quire_query_close(query);
  options = filter(nullptr);
  options.token = token.data();
  options.token_size = size;
  EXPECT_EQ(numbers(txn, options).size(), 95u);
  EXPECT_ERROR(quire_query_open(txn, goods, nullptr, nullptr), QUIRE_ERR_INVALID, "query is NULL");
  EXPECT_ERROR(quire_query_open(txn, goods + 7, nullptr, &query), QUIRE_ERR_NOT_FOUND, "");
  quire_abort(txn);
}

// They were refused: "select, item 1: expected ... the end after 'my', found 'id'".
TEST_F(QueryApi, RecordsWhoseKeyHasANameToBeQuotedAreChangedAndDeleted) {
  const std::array<quire_field, 2> fields = {
      {{"my \"id\"", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, nullptr},
       {"size", QUIRE_TYPE_I64, 0, 0, 0, nullptr}}};
  quire_txn* txn = write();
  quire_collection odd = 0;
  ASSERT_OK(quire_collection_create(txn, "odd", fields.data(), fields.size(), &odd));
  for (std::int64_t i = 0; i < 3; ++i) {
    const std::array values = {of_i64(i), of_i64(i)};
    ASSERT_OK(quire_record_insert(txn, odd, values.data(), values.size()));
  }
  const std::uint32_t size = 1;
  const quire_value seven = of_i64(7);
  std::uint64_t changed = 0;
  quire_query_options options = filter("size > 0");
  EXPECT_OK(quire_query_update(txn, odd, &options, &size, &seven, 1, &changed));
  EXPECT_EQ(changed, 2u);
  options = filter("size = 7");
  EXPECT_OK(quire_query_delete(txn, odd, &options, &changed));
  EXPECT_EQ(changed, 2u);
  quire_abort(txn);
}

}  // namespace
}  // namespace quire::test
