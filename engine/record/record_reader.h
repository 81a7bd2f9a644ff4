// Reading the records of a collection at one state of the database.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/record/collection.h"
#include "engine/record/key_codec.h"
#include "engine/record/row_codec.h"

namespace quire {

// Made once for a view and collection and kept as long as the view (a snapshot that is renewed
// needs a new one): it remembers where blocks of vectors lie. Making one costs nothing. One thread.
//
// Values that it hands out borrow the memory of the view.
class RecordReader {
 public:
  RecordReader(View& view, Collection collection);

  const Collection& collection() const noexcept { return collection_; }
  View& view() const noexcept { return *view_; }
  // Fills `values` with the first values.size() fields of the record. False: there is no record
  // with this key. O(log n).
  Result<bool> get(KeyValues key, std::span<Value> values);
  // The same from a row of the collection.
  Status read(const RowView& row, std::span<Value> values);
  // One field of it. kInvalid: there is no such field.
  Result<Value> read_field(const RowView& row, std::size_t field);
  // Elements of a record's vector, which is not null; `vector` is a place in Schema::vectors().
  Result<const std::byte*> vector(std::size_t vector, RecordNumber number);

 private:
  struct Vectors {
    std::optional<ArrayView> view;
    std::uint64_t version = 0;
  };
  Status check_count(std::size_t values) const;
  friend class RecordScan;

  View* view_;
  Collection collection_;
  std::vector<Vectors> vectors_;  // by place
};

// Records in order of their keys, from the first with key >= low to the last with key < high. Sees
// changes that its transaction makes on the way. The reader outlives it.
class RecordScan {
 public:
  // Bounds are values of the first key fields, of all or of fewer; none is no bound. kType, kSchema
  // and kInvalid where they are not.
  static Result<RecordScan> open(RecordReader& reader, std::span<const Value> low,
                                 std::span<const Value> high);
  // The same for a collection with one key field; nullptr is no bound.
  static Result<RecordScan> open(RecordReader& reader, const Value* low, const Value* high) {
    return open(reader, std::span(low, low != nullptr ? 1 : 0),
                std::span(high, high != nullptr ? 1 : 0));
  }
  // The next record, as RecordReader::get. False at the end.
  Result<bool> next(std::span<Value> values);
  const Collection& collection() const noexcept { return reader_->collection(); }

 private:
  explicit RecordScan(RecordReader& reader) : reader_(&reader) {}
  Status settle_on_next();

  RecordReader* reader_;
  TreeCursor cursor_;
  std::uint64_t version_ = 0;  // of the tree, when the cursor was placed
  bool started_ = false;
  bool ended_ = false;
  EncodedKey from_;  // before the first: the low bound
  std::optional<EncodedKey> high_;
  EncodedKey last_;  // the key it is on, kept where the tree may change
};

}  // namespace quire
