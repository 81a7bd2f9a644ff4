// A database on a simulated disk, a collection that uses every type, and what its records should
// be.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "engine/record/collection.h"
#include "engine/record/collection_check.h"
#include "engine/record/numbers.h"
#include "engine/record/record_change.h"
#include "engine/record/record_reader.h"
#include "engine/record/record_writer.h"
#include "tests/must.h"
#include "tests/record/database_world.h"

namespace quire::test {

class World : public DatabaseWorld {
 public:
  explicit World(std::uint32_t page_size = 4096) : DatabaseWorld({.page_size = page_size}) {}
};

enum FieldIndex : std::uint32_t {
  kId,
  kCount,
  kTitle,
  kPrice,
  kFlag,
  kBlob,
  kTime,
  kPlace,
  kExtra
};
inline constexpr std::uint32_t kPlaceDimension = 5;
inline constexpr std::uint32_t kExtraDimension = 3;

inline Schema full_schema(FieldType key = FieldType::kText) {
  return must(Schema::make({{"id", key},
                            {"count", FieldType::kI64, true},
                            {"title", FieldType::kText, true},
                            {"price", FieldType::kF64},
                            {"flag", FieldType::kBool, true},
                            {"blob", FieldType::kBytes},
                            {.name = "time", .type = FieldType::kTimestamp, .ttl = true},
                            {"place", FieldType::kVectorF32, false, kPlaceDimension},
                            {"extra", FieldType::kVectorF32, true, kExtraDimension}},
                           0));
}

// A record that owns its memory.
struct Item {
  std::string id;
  std::optional<std::int64_t> count;
  std::optional<std::string> title;
  double price = 0;
  std::optional<bool> flag;
  std::string blob;
  std::int64_t time = 0;
  std::vector<float> place = std::vector<float>(kPlaceDimension);
  std::optional<std::vector<float>> extra;
  bool operator==(const Item&) const = default;

  std::array<Value, 9> values() const {
    return {Value::of_text(id),
            count ? Value::of_i64(*count) : Value::null(),
            title ? Value::of_text(*title) : Value::null(),
            Value::of_f64(price),
            flag ? Value::of_bool(*flag) : Value::null(),
            Value::of_bytes(as_bytes(blob)),
            Value::of_timestamp(time),
            Value::of_vector(place.data(), static_cast<std::uint32_t>(place.size())),
            extra ? Value::of_vector(extra->data(), static_cast<std::uint32_t>(extra->size()))
                  : Value::null()};
  }
  static Item from(std::span<const Value> values) {
    Item item;
    item.id = as_text(values[kId].bytes);
    if (!values[kCount].is_null()) item.count = values[kCount].i64;
    if (!values[kTitle].is_null()) item.title = as_text(values[kTitle].bytes);
    item.price = values[kPrice].f64;
    if (!values[kFlag].is_null()) item.flag = values[kFlag].boolean;
    item.blob = as_text(values[kBlob].bytes);
    item.time = values[kTime].i64;
    item.place.assign(values[kPlace].floats(), values[kPlace].floats() + kPlaceDimension);
    if (!values[kExtra].is_null())
      item.extra.emplace(values[kExtra].floats(), values[kExtra].floats() + kExtraDimension);
    return item;
  }
};

using Random = std::mt19937_64;

inline std::vector<float> random_vector(Random& random, std::size_t dimension) {
  std::vector<float> vector(dimension);
  for (float& element : vector) element = static_cast<float>(random() % 41) - 20;
  return vector;
}

inline Item random_item(Random& random, std::string id) {
  Item item;
  item.id = std::move(id);
  if (random() % 4 != 0) item.count = static_cast<std::int64_t>(random());
  if (random() % 4 != 0)
    item.title = std::string(random() % 60, static_cast<char>('a' + random() % 26));
  item.price = static_cast<double>(random() % 1000) / 8;
  if (random() % 4 != 0) item.flag = random() % 2 == 0;
  // Some rows have ends of two bytes, some go to a run of pages.
  item.blob.assign(random() % 20 == 0 ? random() % 3000 : random() % 30,
                   static_cast<char>(random()));
  item.time = static_cast<std::int64_t>(random() % 1'000'000);
  item.place = random_vector(random, kPlaceDimension);
  if (random() % 2 == 0) item.extra = random_vector(random, kExtraDimension);
  return item;
}

using Model = std::map<std::string, Item>;

// All records, by scanning.
inline Model scan_all(View& view, const Collection& collection) {
  Model found;
  RecordReader reader(view, collection);
  RecordScan scan = must(RecordScan::open(reader, nullptr, nullptr));
  std::array<Value, 9> values;
  while (must(scan.next(values))) {
    Item item = Item::from(values);
    std::string id = item.id;
    EXPECT_TRUE(found.empty() || found.rbegin()->first < id);
    found.emplace(std::move(id), std::move(item));
  }
  return found;
}

// Which record has which number; an empty text for a free one.
inline std::vector<std::string> number_table(View& view, const Collection& collection) {
  std::vector<std::string> table;
  const TreeRoot numbers = must(view.tree_root(collection.definition().numbers));
  for (RecordNumber number = 0; number < numbers.count(); ++number)
    table.emplace_back(as_text(must(read_number(view, collection, number)).key));
  return table;
}

// What a check of the collection reports.
inline std::vector<std::string> damages(View& view, const Collection& collection) {
  std::vector<std::string> found;
  must(check_collection(view, collection,
                        [&](const Error& error) { found.push_back(error.message()); }));
  return found;
}

}  // namespace quire::test
