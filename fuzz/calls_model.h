// What the calls of the C interface are compared with: the state of a database, of its transactions
// and cursors, as maps.
#pragma once

#include <quire/quire.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fuzz/calls_table_model.h"
#include "fuzz/fuzz.h"
#include "fuzz/temporary_directory.h"

namespace quire::fuzz {

using Map = std::map<std::string, std::string>;

struct Record {
  std::optional<std::int64_t> number;
  std::string bytes;
  std::optional<std::array<float, 2>> place;
  bool operator==(const Record&) const = default;
};
struct State {
  struct Space {
    std::string name;
    Map entries;
    bool operator==(const Space&) const = default;
  };
  struct Shelf {
    std::string name;
    std::map<std::string, Record> records;
    std::vector<std::string> indexes;  // of their places, by name
    // How many records are somewhere.
    std::uint64_t places() const {
      return static_cast<std::uint64_t>(std::ranges::count_if(
          records, [](const auto& each) { return each.second.place.has_value(); }));
    }
    bool operator==(const Shelf&) const = default;
  };
  std::map<quire_keyspace, Space> spaces;
  std::map<quire_collection, Shelf> shelves;
  std::map<quire_collection, Table> tables;

  quire_keyspace space_named(const std::string& name) const {
    for (const auto& [id, space] : spaces)
      if (space.name == name) return id;
    return 0;
  }
  quire_collection shelf_named(const std::string& name) const {
    for (const auto& [id, shelf] : shelves)
      if (shelf.name == name) return id;
    return 0;
  }
  bool has(std::uint32_t id) const {
    return spaces.contains(id) || shelves.contains(id) || tables.contains(id);
  }
  // With how many records each has.
  std::map<std::string, std::uint64_t> collections() const {
    std::map<std::string, std::uint64_t> all;
    for (const auto& [id, shelf] : shelves) all[shelf.name] = shelf.records.size();
    for (const auto& [id, table] : tables) all[table.name] = table.rows.size();
    return all;
  }
  // Whether it is a collection's.
  bool is_collection(const std::string& name) const {
    for (const auto& [id, table] : tables)
      if (table.name == name) return true;
    return shelf_named(name) != 0;
  }
  bool taken(const std::string& name) const {
    return space_named(name) != 0 || is_collection(name);
  }
};

struct Txn {
  quire_txn* handle = nullptr;
  std::size_t db = 0;
  bool open = false;
  bool write = false;
  State state;
  std::vector<std::pair<std::uint64_t, State>> savepoints;
};

struct Cursor {
  enum Place { kNowhere, kBefore, kOn, kAfter };
  quire_cursor* handle = nullptr;
  std::size_t txn = 0;
  bool closed = false;
  quire_keyspace space = 0;
  std::optional<std::string> low, high, prefix;
  Place place = kNowhere;
  std::string at;

  bool has(const std::string& key) const {
    return (!low || key >= *low) && (!high || key < *high) && (!prefix || key.starts_with(*prefix));
  }
};

inline std::string text(const quire_slice& slice) {
  return {static_cast<const char*>(slice.data), slice.size};
}
inline quire_slice slice(const std::string& bytes) { return {bytes.data(), bytes.size()}; }

// Of a number that the state does not know: NOT_FOUND, or TYPE, for a number that was given in a
// transaction that was undone may have become that of a part of a collection.
inline constexpr int kNotThere = 1;

inline void expect(int code, int expected, const char* call) {
  if (code == expected) return;
  if (expected == kNotThere) {
    if (code == QUIRE_ERR_TYPE) return;
    expected = QUIRE_ERR_NOT_FOUND;
    if (code == expected) return;
  }
  found(std::string(call) + ": " + quire_error_name(code) + ", expected " +
        quire_error_name(expected) + "; the last error was: " + quire_last_error());
}

}  // namespace quire::fuzz
