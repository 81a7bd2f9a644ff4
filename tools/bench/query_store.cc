#include "tools/bench/query_store.h"

#include <cstdio>

namespace quire::bench {
namespace {

constexpr std::uint64_t kSecond = 1'000'000;
constexpr std::int64_t kFirstDay = 1'700'000'000'000'000;

std::string numbered(const char* format, std::uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, format, static_cast<unsigned long long>(number));
  return text;
}

std::int64_t some_stock(Random& random) {
  return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(kStock)));
}
std::string some_category(Random& random) { return category_name(random.below(kCategories)); }

}  // namespace

std::string category_name(std::uint64_t number) { return numbered("category-%05llu", number); }
std::string sku_of(std::uint64_t number) { return numbered("sku-%016llx", mix(number)); }

Goods::Goods(std::uint64_t number)
    : id(static_cast<std::int64_t>(number)), sku(sku_of(number)), name(40, ' ') {
  Random random(number * 16 + 1);
  category = some_category(random);
  for (char& letter : name) letter = static_cast<char>('a' + random.below(26));
  price = static_cast<double>(random.below(100'000)) / 100;
  stock = some_stock(random);
  created = kFirstDay + static_cast<std::int64_t>(random.below(100'000'000) * kSecond);
  maker = static_cast<std::int64_t>(random.below(kMakers));
  rating = static_cast<std::int64_t>(random.below(100));
}

const std::vector<GoodsIndex>& goods_indexes() {
  static const std::vector<GoodsIndex> indexes = {
      {"stock", "(stock)", R"({"fields": ["stock"]})"},
      {"sku", "(sku)", R"({"fields": ["sku"], "unique": true})", true},
      {"category_price", "(category, price)", R"({"fields": ["category", "price"]})"},
      {"maker_created", "(maker, created DESC)", R"({"fields": ["maker", "-created"]})"},
      {"created", "(created)", R"({"fields": ["created"]})"},
      {"rating", "(rating)", R"({"fields": ["rating"]})"},
  };
  return indexes;
}

const std::vector<Question>& questions() {
  using Arguments = std::vector<Argument>;
  static const std::vector<Question> all = {
      {"point",
       "one record by a unique index",
       "SELECT id, name, price FROM goods WHERE sku = ?1",
       {.filter = "sku = $1", .select = "id, name, price"},
       [](Random& random, std::uint64_t records) -> Arguments {
         return {sku_of(random.below(records))};
       }},
      {"range",
       "100 records by a range",
       "SELECT id, name FROM goods WHERE stock BETWEEN ?1 AND ?2",
       {.filter = "stock between $1 and $2", .select = "id, name"},
       [](Random& random, std::uint64_t records) -> Arguments {
         const std::int64_t from = some_stock(random);
         return {from, from + static_cast<std::int64_t>(100'000'000 / records)};
       }},
      {"equal",
       "500 records of a category",
       "SELECT id, name FROM goods WHERE category = ?1",
       {.filter = "category = $1", .select = "id, name"},
       [](Random& random, std::uint64_t) -> Arguments { return {some_category(random)}; }},
      {"in",
       "three categories, prices below 1%",
       "SELECT id, name FROM goods WHERE category IN (?1, ?2, ?3) AND price < 10.0",
       {.filter = "category in ($1, $2, $3) and price < 10.0", .select = "id, name"},
       [](Random& random, std::uint64_t) -> Arguments {
         return {some_category(random), some_category(random), some_category(random)};
       }},
      {"filtered",
       "a category and a range of prices, rated over 50",
       "SELECT id, name FROM goods WHERE category = ?1 AND price BETWEEN ?2 AND ?2 + 200 AND "
       "rating "
       "> 50",
       {.filter = "category = $1 and price between $2 and $2 + 200.0 and rating > 50",
        .select = "id, name"},
       [](Random& random, std::uint64_t) -> Arguments {
         return {some_category(random), static_cast<double>(random.below(800))};
       }},
      {"top",
       "top 10 by price of a category, rated over 90",
       "SELECT id, price FROM goods WHERE category = ?1 AND rating > 90 ORDER BY price LIMIT 10",
       {.filter = "category = $1 and rating > 90",
        .select = "id, price",
        .order = "price",
        .limit = 10},
       [](Random& random, std::uint64_t) -> Arguments { return {some_category(random)}; }},
      {"top-sorted",
       "top 10 by name of a category: sorted",
       "SELECT id, name FROM goods WHERE category = ?1 ORDER BY name LIMIT 10",
       {.filter = "category = $1", .select = "id, name", .order = "name", .limit = 10},
       [](Random& random, std::uint64_t) -> Arguments { return {some_category(random)}; }},
      {"newest",
       "20 newest of a maker with a price over 100",
       "SELECT id, name FROM goods WHERE maker = ?1 AND price > 100.0 ORDER BY created DESC LIMIT "
       "20",
       {.filter = "maker = $1 and price > 100.0",
        .select = "id, name",
        .order = "created desc",
        .limit = 20},
       [](Random& random, std::uint64_t) -> Arguments {
         return {static_cast<std::int64_t>(random.below(kMakers))};
       }},
      {"both",
       "two indexes together: a rating and 1% of stock",
       "SELECT id, name FROM goods WHERE rating = ?1 AND stock BETWEEN ?2 AND ?2 + 10000",
       {.filter = "rating = $1 and stock between $2 and $2 + 10000", .select = "id, name"},
       [](Random& random, std::uint64_t) -> Arguments {
         return {static_cast<std::int64_t>(random.below(100)), some_stock(random)};
       }},
      {"either",
       "one of two indexes: a maker, or 100 by stock",
       "SELECT id, name FROM goods WHERE maker = ?1 OR stock BETWEEN ?2 AND ?2 + 100",
       {.filter = "maker = $1 or stock between $2 and $2 + 100", .select = "id, name"},
       [](Random& random, std::uint64_t) -> Arguments {
         return {static_cast<std::int64_t>(random.below(kMakers)), some_stock(random)};
       }},
      {"count",
       "how many lie in a range of a tenth",
       "SELECT count(*) FROM goods WHERE stock BETWEEN ?1 AND ?1 + 100000",
       {.filter = "stock between $1 and $1 + 100000", .select = "count()"},
       [](Random& random, std::uint64_t) -> Arguments { return {some_stock(random)}; }},
      {"offset",
       "10 from the middle of an order",
       "SELECT id FROM goods ORDER BY stock LIMIT 10 OFFSET 400000",
       {.filter = "", .select = "id", .order = "stock", .limit = 10, .offset = 400'000},
       [](Random&, std::uint64_t) -> Arguments { return {}; }},
      {"groups",
       "how many of each category",
       "SELECT count(*), category FROM goods GROUP BY category",
       {.filter = "", .select = "count(), category", .group = "category"},
       [](Random&, std::uint64_t) -> Arguments { return {}; }},
      {"groups-filtered",
       "how many of each rating, of 2% by stock",
       "SELECT count(*), rating FROM goods WHERE stock BETWEEN ?1 AND ?1 + 20000 GROUP BY rating",
       {.filter = "stock between $1 and $1 + 20000",
        .select = "count(), rating",
        .group = "rating"},
       [](Random& random, std::uint64_t) -> Arguments { return {some_stock(random)}; }},
      {"greatest",
       "the greatest price of a category",
       "SELECT CAST(max(price) * 100 AS INTEGER) FROM goods WHERE category = ?1",
       {.filter = "category = $1", .select = "max(price)"},
       [](Random& random, std::uint64_t) -> Arguments { return {some_category(random)}; }},
  };
  return all;
}

}  // namespace quire::bench
