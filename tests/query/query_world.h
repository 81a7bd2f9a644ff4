// Records of every kind, indexes of every kind on them, filters at random, and what queries should
// give: by evaluating the filter for each record.
#pragma once

#include <algorithm>

#include "index/query/query.h"
#include "tests/ordered/ordered_world.h"

namespace quire::test {

inline const std::array<const IndexKind*, 1>& real_kinds() {
  static const std::array<const IndexKind*, 1> kinds = {&sorted_index_kind()};
  return kinds;
}

inline std::uint64_t below(Random& random, std::uint64_t n) { return random() % n; }

inline std::string shop_id(std::uint64_t i) {
  std::string id = std::to_string(i);
  return std::string(7 - id.size(), '0') + id;
}

// `scale`: how many times as many different values there are.
inline Item random_item(Random& random, std::uint64_t i, std::uint64_t scale = 1) {
  Item item;
  item.id = shop_id(i);
  const auto some = [&] { return below(random, 10) != 0; };
  if (some())
    item.section = (below(random, 4) == 0 ? "S" : "s") + std::to_string(below(random, 12 * scale));
  if (some()) item.size = static_cast<std::int64_t>(below(random, 100 * scale)) - 20;
  if (some()) item.price = static_cast<double>(below(random, 400 * scale)) / 4 - 10;
  if (some()) item.flag = below(random, 3) == 0;
  if (some()) item.blob = std::string(1 + below(random, 3), static_cast<char>(below(random, 3)));
  if (some()) item.time = static_cast<std::int64_t>(below(random, 50)) * 86'400'000'000;
  if (some()) {
    item.tags.emplace();
    for (std::uint64_t n = below(random, 4); n > 0; --n)
      item.tags->push_back("t" + std::to_string(below(random, 6)));
  }
  if (some()) {
    item.codes.emplace();
    for (std::uint64_t n = below(random, 4); n > 0; --n)
      item.codes->push_back(static_cast<std::int64_t>(below(random, 8)));
  }
  static constexpr std::array<const char*, 6> kDocs = {"{}",
                                                       "{\"price\": 7, \"name\": \"a\"}",
                                                       "{\"price\": 7.5, \"name\": \"b\"}",
                                                       "{\"price\": \"7\", \"name\": [1]}",
                                                       "{\"price\": {\"net\": 3}, \"name\": null}",
                                                       "{\"price\": -2, \"name\": \"ab\"}"};
  if (some()) item.doc = kDocs[below(random, kDocs.size())];
  return item;
}

// Filters at random over the fields of the shop.
class FilterMaker {
 public:
  explicit FilterMaker(Random& random, std::uint64_t scale = 1) : random_(random), scale_(scale) {}

  std::string make(int depth = 3) {
    if (depth == 0 || pick(3) == 0) return atom();
    switch (pick(5)) {
      case 0:
        return "(" + make(depth - 1) + " or " + make(depth - 1) + ")";
      case 1:
        return "not (" + make(depth - 1) + ")";
      default:
        return "(" + make(depth - 1) + " and " + make(depth - 1) + ")";
    }
  }

 private:
  std::uint64_t pick(std::uint64_t n) { return below(random_, n); }
  std::string op() {
    static constexpr std::array<const char*, 6> kOps = {"=", "<>", "<", "<=", ">", ">="};
    return std::string(" ") + kOps[pick(kOps.size())] + " ";
  }
  std::string number() { return std::to_string(static_cast<int>(pick(110 * scale_)) - 25); }
  std::string real() { return std::to_string((static_cast<double>(pick(500 * scale_)) - 60) / 4); }
  std::string section() {
    return (pick(4) == 0 ? "'S" : "'s") + std::to_string(pick(13 * scale_)) + "'";
  }
  std::string tag() { return "'t" + std::to_string(pick(7)) + "'"; }
  std::string id() { return "'" + shop_id(pick(3100 * scale_)) + "'"; }
  std::string day() {
    static constexpr std::array<const char*, 4> kDays = {"'1970-01-05'", "'1970-01-20'",
                                                         "'1970-02-10T00:00:00Z'", "'1969-01-01'"};
    return kDays[pick(kDays.size())];
  }

  std::string atom() {
    switch (pick(26)) {
      case 0:
        return "section" + op() + section();
      case 1:
        return "section in (" + section() + ", " + section() + ", null)";
      case 2:
        return "section in (" + section() + ", " + section() + ")";
      case 3:
        return "section like 's1%'";
      case 4:
        return "section ilike 'S1%'";
      case 5:
        return "section like '_1'";
      case 6:
        return "lower(section) = " + section();
      case 7:
        return pick(2) == 0 ? "section is null" : "section is not null";
      case 8:
      case 9:
        return "size" + op() + number();
      case 10:
        return "size between " + number() + " and " + number();
      case 11:
        return "size in (" + number() + ", " + number() + ", " + number() + ")";
      case 12:
        return pick(2) == 0 ? "size is null" : "size" + op() + real();
      case 13:
        return "price" + op() + real();
      case 14:
        return "price" + op() + number();
      case 15:
        return pick(2) == 0 ? "flag" : "flag is null";
      case 16:
        return "time" + op() + day();
      case 17:
        return "tags has " + tag();
      case 18:
        return "tags has any (" + tag() + ", " + tag() + ")";
      case 19:
        return "tags has all (" + tag() + ", " + tag() + ")";
      case 20:
        return pick(2) == 0 ? "codes has " + std::to_string(pick(9)) : "tags is null";
      case 21:
        return "doc.price" + op() + std::to_string(pick(9));
      case 22:
        return pick(2) == 0 ? "doc.name like 'a%'" : "doc.price is null";
      case 23:
        return pick(2) == 0 ? "id" + op() + id() : "id in (" + id() + ", " + id() + ")";
      case 24:
        return "id between " + id() + " and " + id();
      default:
        return "size + 1 < price";
    }
  }

  Random& random_;
  std::uint64_t scale_;
};

class QueryWorld {
 public:
  explicit QueryWorld(std::uint64_t records, std::uint64_t seed = 1, std::uint64_t scale = 1)
      : world_(4096, 0, real_kinds()), random_(seed) {
    constexpr std::uint64_t kPerCommit = 10'000;
    for (std::uint64_t i = 0; i < records; ++i) {
      must(world_.insert(random_item(random_, i, scale)));
      if (i % kPerCommit == kPerCommit - 1) world_.commit();
    }
  }

  // Indexes of every form.
  void add_indexes() {
    world_.add_index("section", R"({"fields": ["section"]})");
    world_.add_index("size", R"({"fields": ["-size"]})");
    world_.add_index("both", R"({"fields": ["section", "-size"], "covering": ["price"]})");
    world_.add_index("price", R"({"fields": ["price", "flag"]})");
    world_.add_index("time", R"({"fields": ["time"], "covering": ["flag", "size"]})");
    world_.add_index("tags", R"({"fields": ["tags[]", "size"]})");
    world_.add_index("codes", R"({"fields": ["size", "codes[]"]})");
    world_.add_index("doc", R"({"fields": ["-doc.price"]})");
    world_.add_index("name", R"({"fields": ["doc.name"], "collation": "ascii_nocase"})");
    world_.add_index("folded", R"({"fields": ["section"], "collation": "ascii_nocase"})");
    world_.add_index("large", R"({"fields": ["section", "price"], "where": "size > 40"})");
    world_.add_index("flags", R"({"fields": ["time", "size"], "where": "flag"})");
  }

  World& world() { return world_; }
  // The write transaction, or the snapshot.
  View& view() { return snapshot_ != nullptr ? static_cast<View&>(*snapshot_) : world_.txn(); }
  // Commits; from now on queries read a snapshot.
  void freeze() {
    world_.commit();
    snapshot_ = world_.snapshot();
  }
  const Collection& shop() const { return world_.shop(); }

  // Calls visit(row) for each record for which the filter holds, in order of keys.
  template <class Visit>
  void each_match(std::string_view text, Visit&& visit) {
    const BoundFilter filter = must(must(Filter::prepare(text, shop().schema())).bind());
    RangeScan scan(view(), shop().id(), {});
    while (must(scan.next())) {
      const RowView row = must(RowView::parse(shop().schema(), must(scan.value())));
      if (filter.matches(RowSource(row))) visit(row);
    }
  }
  std::vector<std::string> expected(std::string_view text) {
    std::vector<std::string> ids;
    each_match(text, [&](const RowView& row) { ids.emplace_back(row.value(kId).text()); });
    return ids;
  }

  std::unique_ptr<Query> open(const QueryRequest& request) {
    return must(Query::open(view(), shop(), request));
  }
  // Ids of the records that a query gives, in its order.
  std::vector<std::string> ids(const QueryRequest& request) {
    const auto query = open(request);
    std::vector<std::string> found;
    while (must(query->next())) found.emplace_back(as_text(query->primary_key()).substr(1));
    return found;
  }
  std::vector<std::string> sorted_ids(const QueryRequest& request) {
    std::vector<std::string> found = ids(request);
    std::ranges::sort(found);
    return found;
  }
  // Rows as texts: their values with a bar between them.
  std::vector<std::string> rows(const QueryRequest& request) {
    const auto query = open(request);
    std::vector<std::string> found;
    while (must(query->next())) {
      std::string row;
      for (const Value& value : query->values())
        row += (row.empty() ? "" : "|") + describe_value(value);
      found.push_back(std::move(row));
    }
    return found;
  }
  std::int64_t count(std::string_view filter) {
    const auto query = open({.filter = filter, .select = "count()"});
    EXPECT_TRUE(must(query->next()));
    return query->values()[0].i64;
  }

 private:
  World world_;
  std::unique_ptr<Snapshot> snapshot_;
  Random random_;
};

}  // namespace quire::test
