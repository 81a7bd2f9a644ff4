// Changes of an HNSW index in a write transaction: of what the records need, and of what is linked.
#pragma once

#include "engine/txn/write_txn.h"
#include "index/vector/hnsw/graph_plan.h"
#include "index/vector/hnsw/hnsw_state.h"

namespace quire::hnsw {

// The arrays of one index in one transaction. Made for a few changes in a row; nothing else changes
// the index meanwhile. After an error the transaction has to be undone.
class HnswChanges {
 public:
  static Result<HnswChanges> open(WriteTxn& txn, const HnswForm& form);

  const HnswState& state() const noexcept { return state_; }

  // --- with the records ---
  // A record that the index does not have gets a slot of the tail. The vector is as many bytes as
  // the field's.
  Status add(std::uint32_t record, const std::byte* vector);
  // One that it has has it no more.
  Status remove(std::uint32_t record);

  // --- maintenance ---
  // Writes the plan, the places of new nodes not yet told whose they are: use set_use().
  Status apply(const GraphPlan& plan);
  // A record of the tail becomes the node at a place.
  Status move_to_node(std::uint32_t record, Place place);
  // The same for many, whose places the caller has written the codes of, and will write the lists
  // of: the node is the record's; the record, nowhere or in the tail, is at the node; nothing is in
  // the tail any more.
  Status set_node(Place place, std::uint32_t record) {
    ++state_.head.linked;
    return set_use(place, PlaceUse::of_record(record));
  }
  Status move_record(std::uint32_t record, Place place);
  Status clear_tail();
  // With the next generation; writes the head.
  Status set_entry(Place entry);
  // Nobody has the node any more, or never had.
  Status bury(Place place);
  // The next of the dead is repaired around.
  void note_repaired(std::uint32_t count) noexcept { state_.head.repaired += count; }
  // The first `count` of the dead, which nothing names, are free.
  Status free_first(std::uint32_t count);
  // Takes the first free place out of those that are; kNoPlace: there is none.
  Result<Place> take_free();
  Status set_parameters(const Quantizer& quantizer);
  void set_calibration(const Calibration& measured) noexcept { state_.head.calibration = measured; }
  // Writes the head, where it is another now. The last of maintenance.
  Status finish();

  Result<RecordPlace> place_of(std::uint32_t record);
  Result<TailEntry> tail_entry(std::uint32_t slot);

 private:
  HnswChanges(WriteTxn& txn, const HnswForm& form) : txn_(&txn), form_(&form) {}
  Status set_place(std::uint32_t record, RecordPlace place);
  Status set_use(Place place, PlaceUse use);
  Status remove_slot(std::uint32_t slot);

  WriteTxn* txn_;
  const HnswForm* form_;
  HnswState state_;
  HnswHead stored_;  // as the pages have it
  ArrayWriter* places_ = nullptr;
  ArrayWriter* tail_ = nullptr;
  ArrayWriter* records_ = nullptr;
  ArrayWriter* dead_ = nullptr;
};

}  // namespace quire::hnsw
