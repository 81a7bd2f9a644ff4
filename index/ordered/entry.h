// Entries of a sorted index: made of a record, and read back.
//
// A record has one entry; where a part is the elements of an array, one for each different element,
// and one with a null where the array is empty or null. It has none where a filter leaves it out.
// entry_key.h has the key of an entry. Its value, the same in all entries of a record:
//
//   varint  number of the record, where the key lacks it
//   varint  size, and bytes: the record's primary key
//   bytes   where the index covers fields: one bit each, lowest first, set where the field is null
//           (those past the last are 0), then the values that are not: scalars of fixed size
//           little-endian, others each with its varint size
#pragma once

#include <span>
#include <string>
#include <vector>

#include "index/ordered/sorted_form.h"

namespace quire {

// The entries that a record has, in order of their keys. Used again for one record after another:
// what it has grown to is kept.
class RecordEntries {
 public:
  // `key`: the record's primary key. O(bytes of the fields), and sorting for an array.
  void make(const SortedForm& form, const RowView& row, Bytes key);
  void clear() noexcept { places_.clear(); }

  std::size_t size() const noexcept { return places_.size(); }
  bool empty() const noexcept { return places_.empty(); }
  Bytes key(std::size_t i) const noexcept {
    const Place& place = places_[i];
    return bytes_of(keys_).subspan(place.begin, place.size);
  }
  Bytes value() const noexcept { return value_; }
  // Whether the keys have no number: the index is unique and no part is null.
  bool exclusive() const noexcept { return exclusive_; }
  // size() when there is none.
  std::size_t find(Bytes key) const noexcept;

 private:
  struct Place {
    std::size_t begin;
    std::size_t size;
  };
  void append_parts(const SortedForm& form, const RowView& row);
  void append_simple(const BoundPart& part, const Value& value);
  void finish_key(std::size_t begin, RecordNumber number);
  void expand(RecordNumber number, const Value& array);
  void put_value(const SortedForm& form, const RowView& row, Bytes key);

  EncodedKey keys_;  // one after the other
  std::vector<Place> places_;
  ByteVector value_;
  bool exclusive_ = false;
  std::string memory_;
  EncodedKey parts_;          // of the record, but for the elements of an array
  std::size_t array_at_ = 0;  // where in parts_ these go
  const BoundPart* array_ = nullptr;
};

// An entry as it lies in its tree. Borrows.
struct EntryView {
  RecordNumber number = 0;
  Bytes primary_key;
  Bytes covered;
  // kCorrupt.
  static Result<EntryView> parse(const SortedForm& form, Bytes key, Bytes value);
  // Of a key without a number in it: RecordEntries::exclusive().
  static Result<EntryView> parse_exclusive(Bytes value);
};

// The covered fields of an entry: as many values as the form covers. They borrow. kCorrupt.
Status read_covered(const SortedForm& form, Bytes covered, std::span<Value> values);

}  // namespace quire
