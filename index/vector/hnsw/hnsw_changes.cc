#include "index/vector/hnsw/hnsw_changes.h"

#include <cstring>

namespace quire::hnsw {
namespace {

std::unexpected<Error> damaged(const char* what, std::uint32_t number) {
  return fail(ErrorCode::kCorrupt, "an HNSW index: %s %u", what, number);
}

Status set_number(ArrayWriter& array, std::uint64_t i, std::uint32_t number) {
  std::byte bytes[sizeof number];
  store_le(bytes, number);
  return array.set(i, bytes);
}

Result<std::uint32_t> get_number(ArrayWriter& array, std::uint64_t i) {
  QUIRE_TRY(const Bytes bytes, array.get(i));
  return load_le<std::uint32_t>(bytes.data());
}

}  // namespace

Result<HnswChanges> HnswChanges::open(WriteTxn& txn, const HnswForm& form) {
  HnswChanges changes(txn, form);
  QUIRE_TRY(changes.state_, HnswState::read(txn, form));
  changes.stored_ = changes.state_.head;
  QUIRE_TRY(changes.places_, txn.array(form.structures.places));
  QUIRE_TRY(changes.tail_, txn.array(form.structures.tail));
  QUIRE_TRY(changes.records_, txn.array(form.structures.records));
  QUIRE_TRY(changes.dead_, txn.array(form.structures.dead));
  return changes;
}

Result<RecordPlace> HnswChanges::place_of(std::uint32_t record) {
  if (record >= places_->root().size) return RecordPlace{};
  QUIRE_TRY(const std::uint32_t value, get_number(*places_, record));
  return RecordPlace{value};
}

Status HnswChanges::set_place(std::uint32_t record, RecordPlace place) {
  return set_number(*places_, record, place.value);
}

Status HnswChanges::set_use(Place place, PlaceUse use) {
  return set_number(*records_, place, use.value);
}

Result<TailEntry> HnswChanges::tail_entry(std::uint32_t slot) {
  if (slot >= tail_->root().size) return damaged("its tail has no slot", slot);
  QUIRE_TRY(const Bytes element, tail_->get(slot));
  return TailEntry::read(element.data(), form_->codes.code_bytes());
}

// --- with the records ---

Status HnswChanges::add(std::uint32_t record, const std::byte* vector) {
  QUIRE_TRY(const RecordPlace there, place_of(record));
  if (!there.is_nowhere()) return damaged("it has already the record", record);
  const auto slot = static_cast<std::uint32_t>(tail_->root().size);
  ByteVector element(form_->tail_entry_bytes());
  const bool encodes = state_.encodes(*form_);
  if (encodes) form_->codes.encode(vector, state_.parameters(), element.data());
  std::byte* numbers = element.data() + element.size() - 8;
  store_le(numbers, record);
  store_le<std::uint32_t>(numbers + 4, encodes ? state_.code_version(*form_) : 0);
  QUIRE_CHECK(tail_->set(slot, element));
  state_.tail = tail_->root();
  return set_place(record, RecordPlace::of_slot(slot));
}

Status HnswChanges::remove(std::uint32_t record) {
  QUIRE_TRY(const RecordPlace there, place_of(record));
  if (there.is_nowhere()) return damaged("it has not the record", record);
  QUIRE_CHECK(set_place(record, {}));
  if (there.is_in_tail()) return remove_slot(there.slot());
  if (there.place() >= records_->root().size) return damaged("there is no place", there.place());
  QUIRE_TRY(const std::uint32_t use, get_number(*records_, there.place()));
  if (use != record) return damaged("another record is at the place", there.place());
  return bury(there.place());
}

// The last of the tail takes the slot.
Status HnswChanges::remove_slot(std::uint32_t slot) {
  const std::uint64_t size = tail_->root().size;
  if (slot >= size) return damaged("its tail has no slot", slot);
  const auto last = static_cast<std::uint32_t>(size - 1);
  if (slot != last) {
    QUIRE_TRY(const Bytes element, tail_->get(last));
    const ByteVector copy = to_vector(element);
    QUIRE_CHECK(tail_->set(slot, copy));
    const TailEntry moved = TailEntry::read(copy.data(), form_->codes.code_bytes());
    if (moved.record >= places_->root().size)
      return damaged("its tail has a record that is nowhere,", moved.record);
    QUIRE_CHECK(set_place(moved.record, RecordPlace::of_slot(slot)));
  }
  QUIRE_CHECK(tail_->truncate(last));
  state_.tail = tail_->root();
  return {};
}

// --- maintenance ---

Status HnswChanges::bury(Place place) {
  QUIRE_CHECK(set_use(place, PlaceUse::dead()));
  QUIRE_CHECK(set_number(*dead_, dead_->root().size, place));
  state_.dead = dead_->root();
  return {};
}

Status HnswChanges::apply(const GraphPlan& plan) {
  QUIRE_TRY(ArrayWriter * lists, txn_->array(form_->structures.lists));
  QUIRE_TRY(ArrayWriter * upper, txn_->array(form_->structures.upper));
  QUIRE_TRY(ArrayWriter * codes, txn_->array(form_->structures.codes[state_.head.current]));
  QUIRE_TRY(state_.head.graph, plan.apply({lists, upper, codes}, state_.head.graph));
  state_.roots = {lists->root(), upper->root(), codes->root(), records_->root()};
  return {};
}

Status HnswChanges::move_to_node(std::uint32_t record, Place place) {
  QUIRE_TRY(const RecordPlace there, place_of(record));
  if (!there.is_in_tail()) return damaged("its tail has not the record", record);
  QUIRE_CHECK(set_node(place, record));
  QUIRE_CHECK(remove_slot(there.slot()));
  return set_place(record, RecordPlace::of_node(place));
}

Status HnswChanges::move_record(std::uint32_t record, Place place) {
  QUIRE_TRY(const RecordPlace there, place_of(record));
  if (!there.is_nowhere() && !there.is_in_tail()) return damaged("it has a node of record", record);
  return set_place(record, RecordPlace::of_node(place));
}

Status HnswChanges::clear_tail() {
  QUIRE_CHECK(tail_->truncate(0));
  state_.tail = tail_->root();
  return {};
}

Status HnswChanges::set_entry(Place entry) {
  state_.head.graph.entry = entry;
  ++state_.head.graph.generation;
  return finish();
}

Status HnswChanges::free_first(std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    QUIRE_TRY(const Place place, get_number(*dead_, i));
    QUIRE_CHECK(set_use(place, PlaceUse::free(state_.head.first_free)));
    state_.head.first_free = place;
    ++state_.head.free_places;
  }
  const auto size = static_cast<std::uint32_t>(dead_->root().size);
  for (std::uint32_t i = count; i < size; ++i) {
    QUIRE_TRY(const Place place, get_number(*dead_, i));
    QUIRE_CHECK(set_number(*dead_, i - count, place));
  }
  QUIRE_CHECK(dead_->truncate(size - count));
  state_.head.repaired -= count;
  state_.dead = dead_->root();
  return {};
}

Result<Place> HnswChanges::take_free() {
  const Place place = state_.head.first_free;
  if (place == kNoPlace) return place;
  QUIRE_TRY(const std::uint32_t value, get_number(*records_, place));
  const PlaceUse use{value};
  if (!use.is_free() || state_.head.free_places == 0)
    return damaged("not free is the place", place);
  state_.head.first_free = use.next_free();
  --state_.head.free_places;
  return place;
}

Status HnswChanges::set_parameters(const Quantizer& quantizer) {
  QUIRE_TRY(ArrayWriter * parameters, txn_->array(form_->structures.quantizer));
  QUIRE_CHECK(parameters->set(state_.head.current, quantizer.encode_parameters()));
  state_.head.quantizer_version = quantizer.version();
  ++state_.head.graph.generation;
  state_.quantizer = quantizer;
  return {};
}

Status HnswChanges::finish() {
  if (state_.head == stored_) return {};
  QUIRE_TRY(ArrayWriter * head, txn_->array(form_->structures.head));
  QUIRE_CHECK(head->set(0, form_->encode_head(state_.head)));
  stored_ = state_.head;
  return {};
}

}  // namespace quire::hnsw
