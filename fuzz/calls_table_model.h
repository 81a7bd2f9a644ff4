// What collections are compared with whose fields change and that have indexes: a naive model of
// one. It knows a field by its id, as the library does, and looks at every record each time.
#pragma once

#include <quire/quire.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fuzz/fuzz.h"

namespace quire::fuzz {

// A value of a field.
struct Cell {
  std::uint32_t type = QUIRE_TYPE_NULL;  // or DEFAULT
  std::int64_t number = 0;               // BOOL, I64, TIMESTAMP
  double fraction = 0;                   // F64
  std::string bytes;                     // TEXT, BYTES, JSON
  std::vector<Cell> elements;            // of an array
  bool operator==(const Cell&) const = default;
  bool is_null() const { return type == QUIRE_TYPE_NULL; }
};

inline Cell number_cell(std::uint32_t type, std::int64_t number) {
  Cell cell;
  cell.type = type;
  cell.number = number;
  return cell;
}
inline Cell bytes_cell(std::uint32_t type, std::string bytes) {
  Cell cell;
  cell.type = type;
  cell.bytes = std::move(bytes);
  return cell;
}
inline Cell fraction_cell(double fraction) {
  Cell cell;
  cell.type = QUIRE_TYPE_F64;
  cell.fraction = fraction;
  return cell;
}
inline bool is_array_type(std::uint32_t type) {
  return type == QUIRE_TYPE_ARRAY_TEXT || type == QUIRE_TYPE_ARRAY_I64;
}
// As a field of another type has it that this one's became.
inline Cell widened(Cell cell, std::uint32_t type) {
  if (cell.is_null() || cell.type == type) return cell;
  if (type == QUIRE_TYPE_F64) return fraction_cell(static_cast<double>(cell.number));
  cell.type = type;
  return cell;
}

// The documents there are, with the scalars at `.a` and at `.b[0]`: what a key of an index has for
// them, and nothing for a null.
struct Document {
  const char* text;
  std::optional<std::string> a, b;
};
inline const std::vector<Document>& documents() {
  static const std::vector<Document> all = {
      {R"({"a": 1, "b": ["x"]})", "1", "'x"},
      {R"({"a": 1.0, "b": []})", "1", std::nullopt},
      {R"({"a": "1", "b": ["X", 2]})", "'1", "'X"},
      {R"({"a": {"b": 1}, "b": [true]})", std::nullopt, "true"},
      {R"({"a": 9007199254740993})", "9007199254740993", std::nullopt},
      {R"({"a": 9007199254740992.0, "a": 3})", "9007199254740992", std::nullopt},
      {R"([{"a": 1}])", std::nullopt, std::nullopt},
      {R"({"b": [null], "a": "\u0061"})", "'a", std::nullopt}};
  return all;
}

struct Column {
  std::uint32_t id = 0;  // 0: new
  std::string name;
  std::uint32_t type = QUIRE_TYPE_I64;
  bool nullable = false;
  bool bounded = false;         // numbers not below 0; at most kMostLong long
  bool ttl = false;             // says when the time of its record is over
  std::optional<Cell> initial;  // its default

  static constexpr std::size_t kMostLong = 6;
  bool allows(const Cell& cell) const {
    if (cell.is_null()) return nullable;
    if (!bounded) return true;
    if (type == QUIRE_TYPE_I64) return cell.number >= 0;
    if (type == QUIRE_TYPE_F64) return cell.fraction >= 0;
    if (type == QUIRE_TYPE_TEXT || type == QUIRE_TYPE_BYTES) return cell.bytes.size() <= kMostLong;
    return true;
  }
};

using Row = std::map<std::uint32_t, Cell>;  // by the id of the field

struct IndexPart {
  std::uint32_t column = 0;  // its id
  enum Source { kWhole, kElements, kPathA, kPathB } source = kWhole;
  bool descending = false;
  bool folded = false;
};

// The filter of a partial index: the field is not null, or it is of its type and not small.
struct Where {
  std::uint32_t column = 0;
  bool compares = false;
};

// A value in a key as text, the same for what is equal there; nothing for a null.
using KeyPart = std::optional<std::string>;

struct TableIndex {
  std::string name;
  std::vector<IndexPart> parts;
  bool unique = false;
  std::vector<std::uint32_t> covering;
  std::optional<Where> where;

  bool uses(std::uint32_t column) const {
    return std::ranges::count(parts, column, &IndexPart::column) != 0 ||
           std::ranges::count(covering, column) != 0 || (where && where->column == column);
  }

  bool takes(const Row& row) const {
    if (!where) return true;
    const Cell& cell = row.at(where->column);
    if (cell.is_null() || !where->compares) return !cell.is_null();
    if (cell.type == QUIRE_TYPE_TEXT) return cell.bytes >= "b";
    if (cell.type == QUIRE_TYPE_F64) return cell.fraction > 1;
    return cell.type == QUIRE_TYPE_BOOL ? cell.number != 0 : cell.number > 1;
  }
  // The keys of the record's entries.
  std::set<std::vector<KeyPart>> keys(const Row& row) const {
    std::set<std::vector<KeyPart>> all;
    if (!takes(row)) return all;
    all.emplace();
    for (const IndexPart& part : parts) {
      std::set<std::vector<KeyPart>> longer;
      for (const KeyPart& value : values(part, row.at(part.column)))
        for (std::vector<KeyPart> key : all) {
          key.push_back(value);
          longer.insert(std::move(key));
        }
      all = std::move(longer);
    }
    return all;
  }
  bool has_long_key(const Row& row) const {
    for (const auto& key : keys(row))
      for (const KeyPart& part : key)
        if (part && part->size() > 100) return true;
    return false;
  }
  bool conflicts(const Row& one, const Row& other) const {
    if (!unique) return false;
    const auto those = keys(other);
    return std::ranges::any_of(keys(one), [&](const std::vector<KeyPart>& key) {
      return std::ranges::count(key, KeyPart()) == 0 && those.contains(key);
    });
  }

 private:
  static std::string fold(std::string text) {
    for (char& letter : text)
      if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    return text;
  }
  static KeyPart value(const IndexPart& part, const Cell& cell) {
    if (cell.is_null()) return std::nullopt;
    if (cell.type == QUIRE_TYPE_F64) return std::to_string(cell.fraction);
    if (cell.type == QUIRE_TYPE_I64 || cell.type == QUIRE_TYPE_BOOL ||
        cell.type == QUIRE_TYPE_TIMESTAMP)
      return std::to_string(cell.number);
    return part.folded ? fold(cell.bytes) : cell.bytes;
  }
  static std::vector<KeyPart> values(const IndexPart& part, const Cell& cell) {
    if (part.source == IndexPart::kWhole) return {value(part, cell)};
    if (part.source == IndexPart::kElements) {
      std::vector<KeyPart> all;
      for (const Cell& element : cell.elements) all.push_back(value(part, element));
      return all.empty() ? std::vector<KeyPart>{std::nullopt} : all;
    }
    for (const Document& document : documents()) {
      if (cell.is_null() || document.text != cell.bytes) continue;
      const KeyPart& found = part.source == IndexPart::kPathA ? document.a : document.b;
      return {found && part.folded ? fold(*found) : found};
    }
    return {std::nullopt};
  }
};

struct Table {
  std::string name;
  std::vector<Column> columns;
  std::uint32_t key = 0;       // id of the key's field
  std::uint32_t greatest = 0;  // id of a field, ever
  std::map<std::int64_t, Row> rows;
  std::vector<TableIndex> indexes;
  int changes = 0;

  const Column* column(std::uint32_t id) const {
    const auto found = std::ranges::find(columns, id, &Column::id);
    return found == columns.end() ? nullptr : &*found;
  }
  // The one that says when a record's time is over.
  const Column* ttl() const {
    const auto found = std::ranges::find(columns, true, &Column::ttl);
    return found == columns.end() ? nullptr : &*found;
  }
  bool ttl_fits() const {
    return std::ranges::count(columns, true, &Column::ttl) <= 1 &&
           (ttl() == nullptr || ttl()->type == QUIRE_TYPE_TIMESTAMP);
  }
  // Keys of the records whose time was over then.
  std::vector<std::int64_t> over(std::int64_t now_us) const {
    std::vector<std::int64_t> keys;
    if (ttl() == nullptr) return keys;
    for (const auto& [key, row] : rows) {
      const Cell& ends = row.at(ttl()->id);
      if (!ends.is_null() && ends.number <= now_us) keys.push_back(key);
    }
    return keys;
  }
  TableIndex* index(const std::string& wanted) {
    const auto found = std::ranges::find(indexes, wanted, &TableIndex::name);
    return found == indexes.end() ? nullptr : &*found;
  }
  std::uint64_t entries(const TableIndex& index) const {
    std::uint64_t count = 0;
    for (const auto& [key, row] : rows) count += index.keys(row).size();
    return count;
  }
  // Codes of why the indexes refuse a record; of several errors either may be told.
  void refusals(std::int64_t key, const Row& row, std::set<int>& codes) const {
    for (const TableIndex& index : indexes) {
      if (index.has_long_key(row)) codes.insert(QUIRE_ERR_KEY_SIZE);
      for (const auto& [other_key, other] : rows)
        if (other_key != key && index.conflicts(row, other)) codes.insert(QUIRE_ERR_UNIQUE);
    }
  }
  // The same for an index over all that is there.
  void refusals_of(const TableIndex& index, std::set<int>& codes) const {
    std::set<std::vector<KeyPart>> seen;
    for (const auto& [key, row] : rows) {
      if (index.has_long_key(row)) codes.insert(QUIRE_ERR_KEY_SIZE);
      if (!index.unique) continue;
      for (const auto& entry : index.keys(row))
        if (std::ranges::count(entry, KeyPart()) == 0 && !seen.insert(entry).second)
          codes.insert(QUIRE_ERR_UNIQUE);
    }
  }
};

}  // namespace quire::fuzz
