// Fields of a record that its entry in an index has, so that the record need not be read.
#pragma once

#include <deque>
#include <vector>

#include "engine/record/collection.h"
#include "index/filter/field_source.h"
#include "index/ordered/sorted_scan.h"

namespace quire::query {

// Whether an entry of the index has a field as the record has it: of its key, where that keeps all
// of the value; of what it covers; of the primary key. Numbers f64 are none of the first, as -0.0
// is 0.0 in a key.
bool entry_has(const Collection& collection, const SortedIndex& index, std::uint32_t field);

// Some fields of one entry after another. Borrows the collection's state and the index.
class EntryFields final : public FieldSource {
 public:
  // entry_has() all of them.
  EntryFields(const Collection& collection, const SortedIndex& index,
              std::span<const std::uint32_t> fields);

  bool is_of(const SortedIndex& index, std::span<const std::uint32_t> fields) const noexcept;
  // Takes the fields of the entry that the scan is on. kCorrupt.
  Status read(SortedScan& scan);
  Value value(std::size_t field) const noexcept override { return values_[field]; }

 private:
  enum class Place : std::uint8_t { kPart, kCovered, kPrimary };
  struct Source {
    std::uint32_t field;
    Place place;
    std::size_t at;
  };
  Status read_primary(Bytes key);

  const Schema* schema_;
  const SortedIndex* index_;
  std::vector<Source> sources_;
  bool parts_ = false;
  bool covered_ = false;
  bool primary_ = false;
  std::vector<Value> values_;       // by field
  std::vector<Value> key_;          // of the primary key
  std::deque<std::string> memory_;  // of these
};

}  // namespace quire::query
