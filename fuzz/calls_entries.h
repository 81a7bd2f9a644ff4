// Calls about names of keyspaces and collections, and about entries.
#pragma once

#include "fuzz/calls_world.h"

namespace quire::fuzz {

class EntryCalls : public CallsWorld {
 protected:
  using CallsWorld::CallsWorld;

  // What a call with this keyspace and key returns for them; of two errors either is true.
  int key_code(const State& state, quire_keyspace id, const std::string& key, int code) const {
    const int of_space = space_code(state, id);
    if (key_fits(key) || (of_space != QUIRE_OK && code != QUIRE_ERR_KEY_SIZE)) return of_space;
    return QUIRE_ERR_KEY_SIZE;
  }

  void name_call() {
    Txn& txn = some_txn();
    const std::uint8_t what = input_.byte() % 8;
    if (what < 5) return open_space(txn);
    if (what < 6) return drop(txn);
    list(txn);
  }
  void open_space(Txn& txn) {
    const std::string name = some_name();
    static constexpr std::uint32_t kFlags[] = {0, QUIRE_CREATE, QUIRE_CREATE, QUIRE_MUST_CREATE};
    const std::uint32_t flags = kFlags[input_.byte() % 4];
    quire_keyspace id = 0;
    const int code = quire_keyspace_open(txn.handle, name.c_str(), flags, &id);
    if (!txn.open) return expect(code, QUIRE_ERR_CLOSED, "keyspace_open");
    const quire_keyspace there = txn.state.space_named(name);
    const bool other = txn.state.is_collection(name);
    int expected = there != 0 ? QUIRE_OK : QUIRE_ERR_NOT_FOUND;
    if (flags != 0 && !txn.write) {
      expected = QUIRE_ERR_READ_ONLY;
    } else if (flags == QUIRE_MUST_CREATE && (there != 0 || other)) {
      // Of another kind either is true.
      expected = other && code == QUIRE_ERR_TYPE ? QUIRE_ERR_TYPE : QUIRE_ERR_EXISTS;
    } else if (other) {
      expected = QUIRE_ERR_TYPE;
    } else if (there == 0 && flags != 0) {
      expected = QUIRE_OK;
    }
    expect_change(txn, code, expected, "keyspace_open");
    if (code != QUIRE_OK) return;
    demand(there == 0 || there == id, "a keyspace has another number");
    if (there != 0) return;
    demand(!txn.state.has(id), "a number twice");
    txn.state.spaces[id].name = name;
    ids_.push_back(id);
  }
  void drop(Txn& txn) {
    const std::uint32_t id = some_id();
    int expected = change_code(txn);
    if (input_.flag()) {
      if (expected == QUIRE_OK) expected = space_code(txn.state, id);
      const int code = quire_keyspace_drop(txn.handle, id);
      expect_change(txn, code, expected, "keyspace_drop");
      if (code == QUIRE_OK) txn.state.spaces.erase(id);
    } else {
      if (expected == QUIRE_OK && !txn.state.tables.contains(id))
        expected = shelf_code(txn.state, id);
      const int code = quire_collection_drop(txn.handle, id);
      expect_change(txn, code, expected, "collection_drop");
      if (code != QUIRE_OK) return;
      txn.state.shelves.erase(id);
      txn.state.tables.erase(id);
    }
  }
  void list(Txn& txn) {
    std::map<std::string, std::uint64_t> names;
    const auto visit = [](void* context, const char* name, std::uint32_t, std::uint64_t entries) {
      (*static_cast<std::map<std::string, std::uint64_t>*>(context))[name] = entries;
      return 0;
    };
    const bool spaces = input_.flag();
    const int code = spaces ? quire_keyspace_list(txn.handle, visit, &names)
                            : quire_collection_list(txn.handle, visit, &names);
    expect(code, txn.open ? QUIRE_OK : QUIRE_ERR_CLOSED, "a list");
    if (code != QUIRE_OK) return;
    std::map<std::string, std::uint64_t> expected;
    if (spaces)
      for (const auto& [id, space] : txn.state.spaces) expected[space.name] = space.entries.size();
    else
      expected = txn.state.collections();
    demand(names == expected, "a list has other names or counts");
  }

  void entry_call() {
    Txn& txn = some_txn();
    const quire_keyspace id = some_id();
    switch (input_.byte() % 10) {
      case 0:
      case 1:
      case 2:
        return put(txn, id);
      case 3:
        return erase(txn, id);
      case 4:
        return erase_range(txn, id);
      case 5:
        return count(txn, id);
      case 8:
        return put_many(txn, id);
      default:
        return get(txn, id);
    }
  }
  void put(Txn& txn, quire_keyspace id) {
    const std::string key = some_key();
    const std::string value = some_value();
    static constexpr std::uint32_t kFlags[] = {
        0, 0, QUIRE_NO_OVERWRITE, QUIRE_APPEND, QUIRE_MUST_EXIST, 99};
    const std::uint32_t flags = kFlags[input_.byte() % 6];
    const int code =
        quire_put(txn.handle, id, key.data(), key.size(), value.data(), value.size(), flags);
    int expected = change_code(txn);
    if (expected == QUIRE_OK && flags == 99) expected = QUIRE_ERR_INVALID;
    if (expected == QUIRE_OK) expected = key_code(txn.state, id, key, code);
    if (expected == QUIRE_OK) {
      const Map& entries = txn.state.spaces[id].entries;
      const bool there = entries.contains(key);
      if (flags == QUIRE_NO_OVERWRITE && there) expected = QUIRE_ERR_EXISTS;
      if (flags == QUIRE_MUST_EXIST && !there) expected = QUIRE_ERR_NOT_FOUND;
      if (flags == QUIRE_APPEND && !entries.empty() && entries.rbegin()->first >= key)
        expected = QUIRE_ERR_INVALID;
    }
    expect_change(txn, code, expected, "put");
    if (code == QUIRE_OK) txn.state.spaces[id].entries[key] = value;
  }
  // So that trees get more than one page.
  void put_many(Txn& txn, quire_keyspace id) {
    const std::uint8_t first = input_.byte();
    const std::uint8_t stride = input_.byte() % 7 + 1;
    const std::string value(input_.byte() % 100, 'm');
    int expected = change_code(txn);
    if (expected == QUIRE_OK) expected = space_code(txn.state, id);
    for (unsigned i = 0; i < 60; ++i) {
      const std::string key = "key" + std::to_string((first + i * stride) % 300);
      const int code =
          quire_put(txn.handle, id, key.data(), key.size(), value.data(), value.size(), 0);
      expect_change(txn, code, expected, "one of many puts");
      if (code != QUIRE_OK) return;
      txn.state.spaces[id].entries[key] = value;
    }
  }
  void erase(Txn& txn, quire_keyspace id) {
    const std::string key = some_key();
    const int code = quire_delete(txn.handle, id, key.data(), key.size());
    int expected = change_code(txn);
    if (expected == QUIRE_OK) expected = key_code(txn.state, id, key, code);
    if (expected == QUIRE_OK && txn.state.spaces[id].entries.erase(key) == 0)
      expected = QUIRE_ERR_NOT_FOUND;
    expect_change(txn, code, expected, "delete");
  }
  struct Bounds {
    std::optional<std::string> low, high;
    quire_slice low_slice{}, high_slice{};
    const quire_slice* low_pointer() const { return low ? &low_slice : nullptr; }
    const quire_slice* high_pointer() const { return high ? &high_slice : nullptr; }
  };
  Bounds some_bounds() {
    Bounds bounds;
    const std::uint8_t which = input_.byte();
    if ((which & 1) != 0) bounds.low = some_key();
    if ((which & 2) != 0) bounds.high = some_key();
    if (bounds.low) bounds.low_slice = slice(*bounds.low);
    if (bounds.high) bounds.high_slice = slice(*bounds.high);
    return bounds;
  }
  static std::pair<Map::const_iterator, Map::const_iterator> range_of(const Map& map,
                                                                      const Bounds& bounds) {
    const auto first = bounds.low ? map.lower_bound(*bounds.low) : map.begin();
    if (bounds.low && bounds.high && *bounds.high <= *bounds.low) return {first, first};
    return {first, bounds.high ? map.lower_bound(*bounds.high) : map.end()};
  }
  void erase_range(Txn& txn, quire_keyspace id) {
    const Bounds bounds = some_bounds();
    std::uint64_t deleted = 0;
    const int code =
        quire_delete_range(txn.handle, id, bounds.low_pointer(), bounds.high_pointer(), &deleted);
    int expected = change_code(txn);
    if (expected == QUIRE_OK) expected = space_code(txn.state, id);
    expect_change(txn, code, expected, "delete_range");
    if (code != QUIRE_OK) return;
    Map& entries = txn.state.spaces[id].entries;
    const auto [first, last] = range_of(entries, bounds);
    demand(deleted == static_cast<std::uint64_t>(std::distance(first, last)),
           "delete_range deletes another number");
    entries.erase(first, last);
  }
  void count(Txn& txn, quire_keyspace id) {
    const Bounds bounds = some_bounds();
    const std::string key = some_key();
    std::uint64_t count = 0;
    std::uint64_t rank = 0;
    const int code =
        quire_count(txn.handle, id, bounds.low_pointer(), bounds.high_pointer(), &count);
    const int expected = txn.open ? space_code(txn.state, id) : QUIRE_ERR_CLOSED;
    expect(code, expected, "count");
    expect(quire_rank(txn.handle, id, key.data(), key.size(), &rank), expected, "rank");
    if (code != QUIRE_OK) return;
    const Map& entries = txn.state.spaces[id].entries;
    const auto [first, last] = range_of(entries, bounds);
    demand(count == static_cast<std::uint64_t>(std::distance(first, last)), "a wrong count");
    demand(rank ==
               static_cast<std::uint64_t>(std::distance(entries.begin(), entries.lower_bound(key))),
           "a wrong rank");
  }
  void get(Txn& txn, quire_keyspace id) {
    const std::string key = some_key();
    quire_slice value{};
    const int code = quire_get(txn.handle, id, key.data(), key.size(), &value);
    const int expected_of_key = key_code(txn.state, id, key, code);
    int expected = txn.open ? expected_of_key : QUIRE_ERR_CLOSED;
    const Map* entries = expected == QUIRE_OK ? &txn.state.spaces[id].entries : nullptr;
    if (entries != nullptr && !entries->contains(key)) expected = QUIRE_ERR_NOT_FOUND;
    expect(code, expected, "get");
    if (code == QUIRE_OK) demand(text(value) == entries->at(key), "get gives another value");
  }
};

}  // namespace quire::fuzz
