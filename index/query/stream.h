// The records that a plan leads to, one after the other.
#pragma once

#include "index/query/entry_fields.h"
#include "index/query/plan.h"

namespace quire::query {

// Each record once. In a write transaction that changes the collection meanwhile every record is
// read and tested again, so what it gives fulfils the filter at that moment; records that begin to
// fulfil it may be missed.
//
// Borrows all it is made of. What it lends is good until it moves. May be begun again and again, in
// the memory that it has.
class RecordStream {
 public:
  RecordStream() = default;
  RecordStream(const RecordStream&) = delete;
  RecordStream& operator=(const RecordStream&) = delete;

  // Sets are made here.
  Status begin(View& view, const Collection& collection, const Wanted& wanted, const Plan& plan,
               Budget& budget);

  // Goes on behind the record that had this position.
  void resume(Bytes position);
  // Leaves out n records without a look at them, or as many as there are; how many. Only of a plan
  // that is exact(). O(ranges * log n).
  Result<std::uint64_t> skip(std::uint64_t n);
  // False at the end.
  Result<bool> next();

  // --- of the record, after next() has said true ---
  RecordNumber number();
  Bytes primary_key() const noexcept { return primary_key_; }
  // The fields that the plan gives: of the entry, or of the record.
  const FieldSource& fields() const noexcept { return *fields_; }
  // Where it is in the order of the driver.
  Bytes position() const noexcept { return position_; }
  // The record itself; kCorrupt where there is none.
  Result<const RowView*> row();

 private:
  class RowFields final : public FieldSource {
   public:
    Value value(std::size_t field) const noexcept override { return row->value(field); }
    const RowView* row = nullptr;
  };

  // A record that is read with others.
  struct Ahead {
    RecordNumber number = 0;
    EncodedKey primary_key;
    std::string position;
    std::optional<Bytes> row;
  };

  void forget() noexcept;
  Status make_sets();
  Status make_driver();
  // Of the set that drives.
  std::size_t set_size() const noexcept { return small_ ? members_.size() : numbers_.size(); }
  RecordNumber number_at(std::size_t i) const noexcept {
    return small_ ? members_[i].number : numbers_[i];
  }
  // Takes the next entry of the driver; false at its end.
  Result<bool> advance();
  Result<bool> advance_entry();
  Result<bool> advance_row();
  Result<bool> advance_number();
  bool open_range();
  // Reading several records at once, from a snapshot.
  Result<bool> next_ahead();
  Status read_ahead();
  Status read_numbers_ahead();
  Status fetch_ahead();
  Result<bool> take_ahead();
  // Whether the entry is a record that is wanted; it may be read for that.
  Result<bool> matches();
  Result<bool> matches_entry();
  Result<bool> matches_row();
  Result<bool> still_matches();
  bool test(std::span<const std::uint32_t> conditions, const FieldSource& fields) const;
  Result<bool> is_first_entry();
  Status read_row();
  Status parse_row(Bytes bytes);
  std::unexpected<Error> no_record() const;
  bool changed() const noexcept;

  View* view_ = nullptr;
  const Collection* collection_ = nullptr;
  const Wanted* wanted_ = nullptr;
  const Plan* plan_ = nullptr;
  Budget* budget_ = nullptr;
  std::uint64_t version_ = 0;  // of the primary tree, at the beginning

  std::vector<Bitmap> filters_;
  // One of these drives.
  SortedScan entries_;
  RangeScan rows_;
  std::vector<RecordNumber> numbers_;
  std::vector<SetMember> members_;  // instead of numbers_, where the set is small
  bool small_ = false;
  bool in_range_ = false;  // of entries_ or rows_
  std::size_t at_ = 0;     // of the ranges, in the direction of the plan, or of numbers_
  EncodedKey resume_;      // in the range that is opened next
  bool resuming_ = false;

  bool ahead_wanted_ = false;
  std::vector<Ahead> ahead_;  // its first ahead_size_ are read, and used up to ahead_at_
  std::size_t ahead_size_ = 0;
  std::size_t ahead_at_ = 0;
  std::size_t ahead_most_ = 0;  // to be read next
  Status ahead_failed_;         // behind those that are read
  bool ahead_ended_ = false;

  std::optional<EntryFields> entry_fields_;
  RowFields row_fields_;
  std::optional<RowView> row_;
  const FieldSource* fields_ = nullptr;
  Bytes primary_key_;
  Bytes position_;
  RecordNumber number_ = 0;
  bool number_known_ = false;
  EncodedKey number_key_;  // be64, of a set
  RecordEntries all_entries_;
};

}  // namespace quire::query
