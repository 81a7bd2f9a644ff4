// What a database should contain: keyspaces as maps, with a log of undo steps, so that savepoints,
// aborts and older states cost what was changed since.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "engine/db/database.h"
#include "engine/io/simulated_disk.h"
#include "tests/must.h"

namespace quire::test {

using Random = std::mt19937_64;
using Keys = std::map<std::string, std::string>;
using State = std::map<std::string, Keys>;  // keyspaces by name

class Model {
 public:
  const State& state() const noexcept { return state_; }
  // A place in the history of changes; those before it can't be undone once forgotten.
  std::size_t mark() const noexcept { return undo_.size(); }
  void forget() { undo_.clear(); }

  void set(const std::string& space, const std::string& key, std::optional<std::string> value) {
    Keys& keys = state_.at(space);
    const auto found = keys.find(key);
    Undo undo{.space = space, .key = key, .value = {}, .whole = {}, .of_key = true};
    if (found != keys.end()) undo.value = std::move(found->second);
    if (value) {
      keys[key] = std::move(*value);
    } else {
      keys.erase(key);
    }
    undo_.push_back(std::move(undo));
  }
  void create(const std::string& space) {
    undo_.push_back({.space = space, .key = {}, .value = {}, .whole = {}, .of_key = false});
    state_[space];
  }
  void drop(const std::string& space) {
    undo_.push_back({.space = space,
                     .key = {},
                     .value = {},
                     .whole = std::move(state_.at(space)),
                     .of_key = false});
    state_.erase(space);
  }
  void roll_back(std::size_t mark) {
    for (; undo_.size() > mark; undo_.pop_back()) undo_one(state_, undo_.back());
  }
  // The state as it was there.
  State at(std::size_t mark) const {
    State state = state_;
    for (std::size_t i = undo_.size(); i > mark; --i) undo_one(state, undo_[i - 1]);
    return state;
  }

 private:
  struct Undo {
    std::string space;
    std::string key;
    std::optional<std::string> value;  // of the key, before
    std::optional<Keys> whole;         // of the keyspace, before
    bool of_key;
  };
  static void undo_one(State& state, const Undo& undo) {
    if (!undo.of_key) {
      state.erase(undo.space);
      if (undo.whole) state[undo.space] = *undo.whole;
    } else if (undo.value) {
      state.at(undo.space)[undo.key] = *undo.value;
    } else {
      state.at(undo.space).erase(undo.key);
    }
  }

  State state_;
  std::vector<Undo> undo_;
};

inline Result<Keys> read_keyspace(View& view, StructureId id) {
  Keys keys;
  QUIRE_TRY(const TreeRoot root, view.keyspace_root(id));
  TreeCursor cursor(&view.reader(), root);
  QUIRE_CHECK(cursor.first());
  while (cursor.valid()) {
    QUIRE_TRY(const Bytes value, cursor.value());
    keys.emplace_hint(keys.end(), as_text(cursor.key()), as_text(value));
    QUIRE_CHECK(cursor.next());
  }
  if (keys.size() != root.count())
    return fail(ErrorCode::kCorrupt, "keyspace %u: %zu keys, its root counts %llu", id, keys.size(),
                static_cast<unsigned long long>(root.count()));
  return keys;
}

// Every keyspace, by scanning it.
inline Result<State> read_all(View& view) {
  State state;
  TreeCursor names(&view.reader(), view.catalog_root());
  QUIRE_CHECK(names.seek(name_key("")));
  while (names.valid() && static_cast<char>(names.key()[0]) == 'n') {
    const std::string name(as_text(names.key().subspan(1)));
    QUIRE_TRY(const Bytes value, names.value());
    QUIRE_TRY(const NameEntry entry, NameEntry::decode(value, name));
    if (entry.kind == NameKind::kKeyspace) {
      QUIRE_TRY(state[name], read_keyspace(view, entry.id));
    }
    QUIRE_CHECK(names.next());
  }
  return state;
}

inline std::string shown(const std::string& text) {
  std::string out;
  for (const char c : text.substr(0, 24)) {
    if (c >= 32 && c < 127) {
      out += c;
    } else {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\%02x", static_cast<unsigned char>(c));
      out += hex;
    }
  }
  return out + "(" + std::to_string(text.size()) + ")";
}

// The first thing in which two states differ; empty when they are equal.
inline std::string difference(const State& expected, const State& found) {
  for (const auto& [name, keys] : expected) {
    const auto other = found.find(name);
    if (other == found.end()) return "keyspace '" + name + "' is missing";
    if (keys == other->second) continue;
    for (const auto& [key, value] : keys) {
      const auto there = other->second.find(key);
      if (there == other->second.end()) return name + ": key " + shown(key) + " is missing";
      if (there->second != value)
        return name + ": key " + shown(key) + " has " + shown(there->second) + ", not " +
               shown(value);
    }
    for (const auto& [key, value] : other->second) {
      if (!keys.contains(key)) return name + ": key " + shown(key) + " should not be there";
    }
  }
  for (const auto& [name, keys] : found) {
    if (!expected.contains(name)) return "keyspace '" + name + "' should not be there";
  }
  return {};
}

// Everything that Database::check finds, and the free map's own check; empty when all is well.
inline std::string damages(Database& database) {
  std::string found;
  const Status status = database.check([&](const std::string& text) {
    found += text + "\n";
    return found.size() < 2000;
  });
  if (!status) found += status.error().message();
  if (database.writer() != nullptr && !database.writer()->free_map().check_invariants())
    found += "\nthe free map's invariants do not hold";
  return found;
}

}  // namespace quire::test
