// What is lost, range by range of keys, and what becomes of that as the log is carried out.
// Internal to salvage.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/db/salvage.h"
#include "engine/record/collection.h"

namespace quire {

// Keys that can't be read. Invariant: named.size() <= count where that is known.
struct LostRange {
  ByteVector low;
  std::optional<ByteVector> high;      // none: to the end
  std::optional<std::uint64_t> count;  // how many there were in the state that the log begins at
  std::uint64_t saved = 0;             // of these, taken from pages that nothing vouches for
  std::uint64_t erased = 0;            // of these, erased by the log: no loss
  std::uint64_t perhaps_back = 0;      // written by the log, and they may have been among these
  bool perhaps_erased = false;         // the log erased a part of the range
  std::set<ByteVector> named;          // of these, the ones that are known by name
  PagePtr ptr;                         // that leads to what is damaged; null: that is lost too
  std::uint32_t level = 0;
  std::string why;

  bool covers(Bytes key) const noexcept {
    return compare_bytes(key, low) >= 0 && (!high || compare_bytes(key, *high) < 0);
  }
  // Every key that is lost is known by name.
  bool all_named() const noexcept {
    return count && named.size() == *count - std::min(*count, saved + erased);
  }
  std::uint64_t most() const noexcept {
    if (!count) return kUnknownCount;
    return *count - std::min(*count, saved + erased);
  }
  std::uint64_t least() const noexcept {
    if (!count || perhaps_erased) return 0;
    return most() - std::min(most(), perhaps_back);
  }
};

// A keyspace or collection of the damaged database, and what it is in the new one. A value:
// savepoints of the log keep copies.
struct SalvageTarget {
  SalvageEvent::Subject subject = SalvageEvent::Subject::kKeyspace;
  std::string name;  // in the new database
  StructureId id = 0;
  std::optional<Collection> collection;  // in the new database
  // What the log's records are written with, while it is behind the state that was found: an older
  // schema than that of `collection`.
  std::optional<Schema> past;
  // What it had; made anew in the end.
  std::vector<IndexDefinition> indexes;
  std::vector<LostRange> lost;
  // Records that were saved without some of their vectors: which. Of a field that the log drops
  // afterwards nothing is lost.
  std::map<ByteVector, std::set<FieldId>> without;

  bool is_keyspace() const noexcept { return subject == SalvageEvent::Subject::kKeyspace; }
  // The log writes or erases a key. `there`: the new database had it before.
  void note_put(Bytes key, bool there);
  void note_erase(Bytes key, bool there);
  void note_erase_range(const std::optional<Bytes>& low, const std::optional<Bytes>& high);
  void lose_one(Bytes key, const PagePtr& ptr, std::string why);
  // A key for people: as its field has it, or as text, or in hexadecimal.
  std::string show(Bytes key) const;
  std::string show_range(const LostRange& range) const;
};

using SalvageTargets = std::map<StructureId, SalvageTarget>;  // by the id in the damaged database

// What is left to be said of a target when all is done: a line for each loss, and the closing one.
std::vector<SalvageEvent> closing_events(const SalvageTarget& target, std::uint64_t saved);

// `a`, or where that is one of no known number, that.
constexpr std::uint64_t add_counts(std::uint64_t a, std::uint64_t b) noexcept {
  return a == kUnknownCount || b == kUnknownCount ? kUnknownCount : a + b;
}

}  // namespace quire
