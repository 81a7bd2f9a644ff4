// Queries: their texts, and the plans that are made of them.
//
// What the input is: a byte of flags, two of limit and offset, and the texts of filter, select,
// order and group with a zero byte between them, for a collection with every type, an index of
// every form and 61 records.
//
// What is promised. Of any texts: an error with a sentence, whatever plan may be taken; or rows.
// The plan that is chosen, a scan of all records and a path of pages by token give the same rows,
// each once; rows come in the order that was asked for as far as the limit goes.
#include <algorithm>
#include <map>

#include "engine/db/database.h"
#include "engine/io/simulated_disk.h"
#include "engine/record/array_value.h"
#include "engine/record/collection_change.h"
#include "engine/record/record_writer.h"
#include "fuzz/fuzz.h"
#include "fuzz/input.h"
#include "fuzz/must.h"
#include "index/ordered/sorted_kind.h"
#include "index/query/query_cache.h"

namespace quire::fuzz {
namespace {

constexpr std::int64_t kRecords = 61;

IndexKinds kinds() {
  static const IndexKind* const known[] = {&sorted_index_kind()};
  return known;
}

constexpr const char* kIndexes[][2] = {
    {"n", R"({"fields": ["n"]})"},
    {"tn", R"({"fields": ["t", "-n"], "covering": ["f"]})"},
    {"f", R"({"fields": ["-f"]})"},
    {"tags", R"({"fields": ["tags[]", "n"]})"},
    {"doc", R"({"fields": ["doc.a"]})"},
    {"nocase", R"({"fields": [{"field": "t", "collation": "ascii_nocase"}]})"},
    {"part", R"({"fields": ["w"], "where": "n > 3"})"},
    {"ids", R"({"fields": ["y", "b"], "unique": false})"}};

// Opened once; only read afterwards.
class Shop {
 public:
  Shop() {
    DatabaseOptions options;
    options.writer.background = false;
    options.writer.durability = Durability::kOs;
    options.index_kinds = kinds();
    database_ = must(Database::open(disk_, "/shop.quire", options));
    const auto txn = must(database_->begin_write(true));
    collection_ = must(Collection::create(*txn, "shop",
                                          must(Schema::make({{"id", FieldType::kI64},
                                                             {"n", FieldType::kI64, true},
                                                             {"f", FieldType::kF64, true},
                                                             {"b", FieldType::kBool, true},
                                                             {"t", FieldType::kText, true},
                                                             {"y", FieldType::kBytes, true},
                                                             {"w", FieldType::kTimestamp, true},
                                                             {"tags", FieldType::kArrayText, true},
                                                             {"doc", FieldType::kJson, true}},
                                                            0)),
                                          kinds()));
    for (std::int64_t i = 0; i < kRecords; ++i) insert(*txn, i);
    for (const auto& [name, options_text] : kIndexes) {
      collection_ = must(create_index(*txn, *collection_,
                                      {.name = name, .kind = "sorted", .options = options_text},
                                      kinds(), {}));
    }
    must(database_->writer()->commit(*txn, Durability::kOs));
    snapshot_ = must(database_->begin_read());
  }
  View& view() { return *snapshot_; }
  const Collection& collection() const { return *collection_; }

 private:
  void insert(WriteTxn& txn, std::int64_t i) {
    static constexpr const char* kTexts[] = {"", "a", "A", "ab", "b%", "\xC3\xBC"};
    static constexpr const char* kDocs[] = {
        "{}", R"({"a": 1})", R"({"a": 1.5})", R"({"a": "1"})", R"({"a": [1]})", R"({"a": true})"};
    std::vector<Value> tags;
    for (std::int64_t t = 0; t < i % 4; ++t) tags.push_back(Value::of_text(kTexts[(i + t) % 6]));
    ByteVector encoded;
    encode_array(tags, encoded);
    std::vector<Value> values = {Value::of_i64(i),
                                 Value::of_i64(i % 9 - 2),
                                 Value::of_f64(static_cast<double>(i % 11) / 2 - 1),
                                 Value::of_bool(i % 3 == 0),
                                 Value::of_text(kTexts[i % 6]),
                                 Value::of_bytes(as_bytes(std::string_view(kTexts[i % 5]))),
                                 Value::of_timestamp(i % 7 * 1'000'000),
                                 Value::of_array(FieldType::kArrayText, encoded),
                                 Value::of_json(kDocs[i % 6])};
    for (std::size_t field = 1; field < values.size(); ++field) {
      if ((i + static_cast<std::int64_t>(field)) % 8 == 0) values[field] = Value::null();
    }
    must(insert_record(txn, *collection_, values));
  }

  io::SimulatedDisk disk_;
  std::unique_ptr<Database> database_;
  std::optional<Collection> collection_;
  std::unique_ptr<Snapshot> snapshot_;
};

Shop& shop() {
  static auto* shop = new Shop();
  return *shop;
}

std::string text_of(std::span<const Value> values) {
  std::string row;
  for (const Value& value : values) row += describe_value(value) + "|";
  return row;
}

// What a query gives, or why it gives nothing more.
struct Given {
  std::vector<std::string> rows;
  std::optional<Error> error;
  ByteVector token;
};

// Of one input: what it asks is asked several times, of queries that rested in between.
std::optional<query::QueryCache> cache;

Given run(const QueryRequest& request) {
  Given given;
  const auto query = cache->open(shop().view(), shop().collection(), request);
  if (!query) {
    given.error = query.error();
    demand(!query.error().message().empty(), "a refusal has no words");
    return given;
  }
  auto there = (*query)->next();
  for (; there && *there; there = (*query)->next()) {
    std::string row = text_of((*query)->values());
    if ((*query)->number()) row += std::to_string(*(*query)->number());
    given.rows.push_back(std::move(row));
  }
  if (!there) given.error = there.error();
  if (const auto token = (*query)->token()) given.token = *token;
  demand(!(*query)->explain().empty(), "a query can't be explained");
  return given;
}

std::vector<std::string> sorted(std::vector<std::string> rows) {
  std::ranges::sort(rows);
  return rows;
}

// All rows, a page at a time.
std::vector<std::string> paged(QueryRequest request) {
  std::vector<std::string> rows;
  request.limit = 5;
  ByteVector token;
  for (int page = 0; page <= kRecords; ++page) {
    request.token = token;
    Given given = run(request);
    demand(!given.error.has_value(), "a page of a query fails that goes as a whole");
    if (given.rows.empty()) break;
    std::ranges::move(given.rows, std::back_inserter(rows));
    token = given.token;
  }
  return rows;
}

}  // namespace

void fuzz_one(Bytes bytes) {
  Input input(bytes);
  cache.emplace();
  const std::uint8_t flags = input.byte();
  const std::uint64_t limit = input.byte() % 32;
  const std::uint64_t offset = input.byte() % 32;
  std::string texts[4];
  std::size_t at = 0;
  while (!input.empty() && at < 4) {
    const char letter = static_cast<char>(input.byte());
    if (letter == '\0') {
      ++at;
    } else {
      texts[at] += letter;
    }
  }
  QueryRequest request{.filter = texts[0],
                       .select = texts[1],
                       .group = texts[3],
                       .order = texts[2],
                       .distinct = (flags & 1) != 0};
  const Given whole = run(request);
  QueryRequest plain = request;
  plain.no_index = true;
  const Given read = run(plain);
  demand(whole.error.has_value() == read.error.has_value(), "a plan fails where another goes");
  if (whole.error) return;
  demand(sorted(whole.rows) == sorted(read.rows), "two plans give different rows");
  const bool records = !whole.token.empty();
  if (records) demand(sorted(paged(request)) == sorted(whole.rows), "pages lose rows");
  request.limit = limit;
  request.offset = offset;
  const Given some = run(request);
  const std::size_t behind = whole.rows.size() - std::min<std::size_t>(offset, whole.rows.size());
  demand(some.rows.size() == std::min<std::size_t>(limit, behind), "a limit gives other counts");
  const std::vector<std::string> all = sorted(whole.rows);
  demand(std::ranges::all_of(some.rows,
                             [&](const auto& row) { return std::ranges::binary_search(all, row); }),
         "a limit gives other rows");
}

std::vector<ByteVector> seeds() {
  static constexpr const char* kTexts[][4] = {
      {"n > 3 and t = 'a'", "", "f desc", ""},
      {"t in ('a', 'b') or n = 2", "id, n * 2 as m", "t, n desc", ""},
      {"tags has any ('a', 'ab') and not b", "id", "", ""},
      {"tags has all ('a', 'A')", "t, n", "n", ""},
      {"doc.a > 0 or doc.a is null", "doc.a", "doc.a desc, id", ""},
      {"lower(t) = 'a' or t ilike 'B%'", "count(), min(n), max(f)", "", ""},
      {"n > 3 and w < '1970-01-02'", "t, count()", "count desc, t", "t"},
      {"", "n, count() as c", "c", "n"},
      {"not (n < 3 or f is null)", "t, n", "", ""},
      {"id between 5 and 20 and w >= timestamp '1970-01-01'", "", "id desc", ""}};
  std::vector<ByteVector> all;
  for (std::uint8_t i = 0; const auto& four : kTexts) {
    ByteVector seed = {std::byte{i == 8}, std::byte{7}, std::byte{i}};
    for (const char* text : four) {
      const Bytes part = as_bytes(std::string_view(text));
      seed.insert(seed.end(), part.begin(), part.end());
      seed.push_back(std::byte{0});
    }
    all.push_back(std::move(seed));
    ++i;
  }
  return all;
}

}  // namespace quire::fuzz
