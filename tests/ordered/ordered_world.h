// A database on a simulated disk that knows sorted indexes, and a collection with a field of each
// kind that they can be on.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "engine/record/array_value.h"
#include "engine/record/collection_change.h"
#include "engine/record/record_reader.h"
#include "engine/record/record_writer.h"
#include "index/ordered/key_range.h"
#include "index/ordered/sorted_kind.h"
#include "index/ordered/sorted_scan.h"
#include "tests/must.h"
#include "tests/record/database_world.h"

namespace quire::test {

using Random = std::mt19937_64;

// A filter for tests: "flag" is the records whose field `flag` is true.
class FlagLanguage final : public FilterLanguage {
 public:
  Result<ByteVector> resolve(const Schema& schema, std::string_view text) const override {
    const std::size_t at = schema.find("flag");
    if (text != "flag" || at == schema.size())
      return fail(ErrorCode::kInvalid, "at 1: 'flag' was expected");
    ByteVector stored;
    ByteWriter(stored).put_varint(schema.field(at).id);
    return stored;
  }
  std::string describe(const Schema&, Bytes) const override { return "flag"; }
  Result<std::unique_ptr<const PartialFilter>> bind(const Schema& schema,
                                                    Bytes stored) const override {
    ByteReader reader(stored);
    const std::size_t at = schema.find_id(static_cast<FieldId>(reader.get_varint()));
    if (at == schema.size()) return fail(ErrorCode::kCorrupt, "no such field");
    return std::make_unique<const Flag>(at);
  }

 private:
  struct Flag final : PartialFilter {
    explicit Flag(std::size_t at) : field(at) {}
    bool matches(const RowView& row) const override {
      return !row.is_null(field) && row.value(field).boolean;
    }
    bool covers(std::size_t other) const noexcept override { return other == field; }
    std::size_t field;
  };
};

inline const FlagLanguage kFlagLanguage;
inline const SortedKind kKindWithFilters(&kFlagLanguage);
inline constexpr std::array<const IndexKind*, 1> kKinds = {&kKindWithFilters};

enum FieldIndex : std::uint32_t {
  kId,
  kSection,
  kSize,
  kPrice,
  kFlag,
  kBlob,
  kTime,
  kTags,
  kCodes,
  kDoc,
  kFieldCount
};

inline Schema shop_schema() {
  return must(
      Schema::make({{"id", FieldType::kText},
                    {"section", FieldType::kText, true},
                    {"size", FieldType::kI64, true},
                    {"price", FieldType::kF64, true},
                    {"flag", FieldType::kBool, true},
                    {"blob", FieldType::kBytes, true},
                    {.name = "time", .type = FieldType::kTimestamp, .nullable = true, .ttl = true},
                    {"tags", FieldType::kArrayText, true},
                    {"codes", FieldType::kArrayI64, true},
                    {"doc", FieldType::kJson, true}},
                   0));
}

// A record that owns its memory.
struct Item {
  std::string id;
  std::optional<std::string> section;
  std::optional<std::int64_t> size;
  std::optional<double> price;
  std::optional<bool> flag;
  std::optional<std::string> blob;
  std::optional<std::int64_t> time;
  std::optional<std::vector<std::string>> tags;
  std::optional<std::vector<std::int64_t>> codes;
  std::optional<std::string> doc;

  // Borrow from this and `arrays`.
  std::vector<Value> values(std::array<ByteVector, 2>& arrays) const {
    std::vector<Value> values(kFieldCount);
    values[kId] = Value::of_text(id);
    if (section) values[kSection] = Value::of_text(*section);
    if (size) values[kSize] = Value::of_i64(*size);
    if (price) values[kPrice] = Value::of_f64(*price);
    if (flag) values[kFlag] = Value::of_bool(*flag);
    if (blob) values[kBlob] = Value::of_bytes(as_bytes(*blob));
    if (time) values[kTime] = Value::of_timestamp(*time);
    arrays = {};
    if (tags) values[kTags] = array_value(FieldType::kArrayText, *tags, arrays[0]);
    if (codes) values[kCodes] = array_value(FieldType::kArrayI64, *codes, arrays[1]);
    if (doc) values[kDoc] = Value::of_json(*doc);
    return values;
  }

 private:
  static Value value_of(const std::string& text) { return Value::of_text(text); }
  static Value value_of(std::int64_t number) { return Value::of_i64(number); }
  template <class Element>
  static Value array_value(FieldType type, const std::vector<Element>& elements, ByteVector& out) {
    std::vector<Value> values;
    values.reserve(elements.size());
    for (const Element& element : elements) values.push_back(value_of(element));
    encode_array(values, out);
    return Value::of_array(type, out);
  }
};

class World : public DatabaseWorld {
 public:
  explicit World(std::uint32_t page_size = 4096, std::uint64_t private_bytes = 0,
                 IndexKinds kinds = kKinds)
      : DatabaseWorld(options_of(page_size, private_bytes, kinds)), kinds_(kinds), cache_(kinds) {
    shop_ = must(Collection::create(txn(), "shop", shop_schema(), kinds_));
  }

  const Collection& shop() const { return *shop_; }
  void set_shop(Collection shop) { shop_ = std::move(shop); }
  // The collection as the transaction has it.
  void reload() { shop_ = must(Collection::open(txn(), "shop", &cache_)); }
  Result<Collection> try_index(std::string_view name, std::string_view options,
                               const ReportProgress& progress = {},
                               std::uint64_t memory_bytes = 64 << 20) {
    return create_index(
        txn(), shop(),
        {.name = name, .kind = "sorted", .options = options, .memory_bytes = memory_bytes}, kinds_,
        progress);
  }
  void add_index(std::string_view name, std::string_view options) {
    shop_ = must(try_index(name, options));
  }
  const SortedIndex& index(std::string_view name) const {
    return *as_sorted(shop().indexes()[shop().definition().find_index(name)].get());
  }

  Status insert(const Item& item) {
    std::array<ByteVector, 2> arrays;
    return insert_record(txn(), shop(), item.values(arrays));
  }
  Status upsert(const Item& item) {
    std::array<ByteVector, 2> arrays;
    return upsert_record(txn(), shop(), item.values(arrays));
  }
  Status erase(const std::string& id) { return erase_record(txn(), shop(), Value::of_text(id)); }

  // What the checks of all indexes tell.
  std::vector<std::string> damages() {
    std::vector<std::string> found;
    for (const auto& index : shop().indexes())
      must(index->check(txn(), shop(),
                        [&](const Error& error) { found.push_back(error.message()); }));
    return found;
  }
  // Keys and values of an index, as they lie.
  std::vector<std::pair<std::string, std::string>> entries(std::string_view name) {
    std::vector<std::pair<std::string, std::string>> found;
    TreeCursor cursor(&txn().reader(), must(txn().tree_root(index(name).tree())));
    must(cursor.first());
    while (cursor.valid()) {
      found.emplace_back(as_text(cursor.key()), as_text(must(cursor.value())));
      must(cursor.next());
    }
    return found;
  }

 private:
  static DatabaseOptions options_of(std::uint32_t page_size, std::uint64_t private_bytes,
                                    IndexKinds kinds) {
    DatabaseOptions options;
    options.page_size = page_size;
    if (private_bytes != 0) options.writer.private_bytes = private_bytes;
    options.index_kinds = kinds;
    return options;
  }

  IndexKinds kinds_;
  CollectionCache cache_;
  std::optional<Collection> shop_;
};

// Keys of the records in a range, in its order.
inline std::vector<std::string> ids(View& view, const SortedIndex& index, KeyRange range,
                                    ScanDirection direction = ScanDirection::kForward) {
  std::vector<std::string> found;
  SortedScan scan = must(SortedScan::open(view, index, std::move(range), direction));
  while (must(scan.next())) found.emplace_back(as_text(scan.primary_key()).substr(1));
  return found;
}

}  // namespace quire::test
