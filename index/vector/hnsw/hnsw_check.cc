// Every record of an HNSW index against the records of its collection, every place and slot against
// its record, codes against vectors, and the graph.
#include <algorithm>

#include "engine/record/numbers.h"
#include "index/vector/hnsw/graph_check.h"
#include "index/vector/hnsw/hnsw_index.h"

namespace quire::hnsw {
namespace {

class HnswCheck {
 public:
  HnswCheck(View& view, const Collection& collection, const HnswIndex& index,
            const ReportDamage& report)
      : view_(view), collection_(collection), index_(index), form_(index.form()), report_(report) {}

  Status run() {
    auto state = HnswState::read(view_, form_);
    if (!state) return damage_or_error(state.error());
    state_ = *std::move(state);
    auto graph = state_.graph(view_, form_);
    if (!graph) return damage_or_error(graph.error());
    graph_ = *std::move(graph);
    places_ = ArrayView(view_.reader(), state_.places);
    tail_ = ArrayView(view_.reader(), state_.tail);
    dead_ = ArrayView(view_.reader(), state_.dead);
    for (const auto check :
         {&HnswCheck::check_records, &HnswCheck::check_nodes, &HnswCheck::check_tail,
          &HnswCheck::check_dead, &HnswCheck::check_free})
      if (const Status checked = (this->*check)(); !checked)
        QUIRE_CHECK(damage_or_error(checked.error()));
    QUIRE_TRY(const GraphFigures figures, check_graph(*graph_, [this](const Error& error) {
                report_(index_.failure(collection_, error).error());
              }));
    if (figures.free != state_.head.free_places || figures.dead != state_.dead.size)
      damage("of its places " + std::to_string(figures.free) + " are free and " +
             std::to_string(figures.dead) + " dead; it counts " +
             std::to_string(state_.head.free_places) + " and " + std::to_string(state_.dead.size));
    return {};
  }

 private:
  void damage(const std::string& words) {
    report_(index_.failure(collection_, ErrorCode::kCorrupt, words).error());
  }
  Status damage_or_error(const Error& error) {
    if (error.code() != ErrorCode::kCorrupt) return std::unexpected(error);
    report_(index_.failure(collection_, error).error());
    return {};
  }
  static std::string text(std::uint64_t number) { return std::to_string(number); }

  Result<std::uint32_t> number_at(ArrayView& array, std::uint64_t i) {
    const std::byte* element = array.at(i);
    if (element == nullptr) return std::unexpected(array.take_error());
    return load_le<std::uint32_t>(element);
  }
  Result<TailEntry> tail_entry(std::uint64_t slot) {
    const std::byte* element = tail_.at(slot);
    if (element == nullptr) return std::unexpected(tail_.take_error());
    return TailEntry::read(element, form_.codes.code_bytes());
  }
  Result<PlaceUse> use_of(Place place) {
    const auto use = graph_->use(place);
    if (!use) return std::unexpected(graph_->take_error());
    return *use;
  }

  // Each record with a vector is somewhere, and what is there says so; the others are nowhere.
  Status check_records() {
    QUIRE_TRY(numbers_, numbers_with_vector(view_, collection_, form_.vector_place));
    QUIRE_TRY(const ArrayRoot root,
              view_.array_root(collection_.definition().vectors[form_.vector_place]));
    vectors_ = ArrayView(view_.reader(), root);
    // Numbers that were given stay known, so none is behind them.
    if (places_.size() > numbers_.size)
      damage("it has places of " + text(places_.size()) + " record numbers, and " +
             text(numbers_.size) + " were ever given");
    for (std::uint64_t record = 0; record < numbers_.size; ++record) {
      RecordPlace place;
      if (record < places_.size()) {
        QUIRE_TRY(place.value, number_at(places_, record));
      }
      const bool has = numbers_.has(record);
      if (has == place.is_nowhere())
        damage(has ? "it has not the record number " + text(record)
                   : "it has the record number " + text(record) + ", which has no vector");
      if (place.is_nowhere() || !has) continue;
      ++found_;
      QUIRE_CHECK(check_place(static_cast<std::uint32_t>(record), place));
    }
    if (found_ != state_.count())
      damage("it counts " + text(state_.count()) + " vectors, and has " + text(found_));
    return {};
  }

  Status check_place(std::uint32_t record, RecordPlace place) {
    std::uint32_t there = 0;
    if (place.is_in_tail() ? place.slot() >= tail_.size() : place.place() >= graph_->end()) {
      damage("record number " + text(record) + " is said to be where nothing is");
      return {};
    }
    const std::byte* code = nullptr;
    std::uint32_t version = state_.code_version(form_);
    if (place.is_in_tail()) {
      QUIRE_TRY(const TailEntry entry, tail_entry(place.slot()));
      there = entry.record;
      code = entry.code;
      version = entry.version;
    } else {
      QUIRE_TRY(const PlaceUse use, use_of(place.place()));
      there = use.value;
      code = graph_->code(place.place());
      if (code == nullptr) return std::unexpected(graph_->take_error());
    }
    if (there != record) {
      damage("record number " + text(record) + " is said to be where record number " + text(there) +
             " is");
      return {};
    }
    return check_code(record, code, version);
  }

  // Of parameters that are no more nothing can be said.
  Status check_code(std::uint32_t record, const std::byte* code, std::uint32_t version) {
    if (version != state_.code_version(form_) || !state_.encodes(form_)) return {};
    if (record >= vectors_.size()) return {};  // told by the check of the records
    const std::byte* vector = vectors_.at(record);
    if (vector == nullptr) return std::unexpected(vectors_.take_error());
    ByteVector own(form_.codes.code_bytes());
    form_.codes.encode(vector, state_.parameters(), own.data());
    if (!equal_bytes({code, own.size()}, own))
      damage("the code of record number " + text(record) + " is not that of its vector");
    return {};
  }

  Status check_nodes() {
    for (Place place = 1; place < graph_->end(); ++place) {
      QUIRE_TRY(const PlaceUse use, use_of(place));
      if (!use.is_live()) continue;
      QUIRE_TRY(const bool leads, leads_to(use.value, RecordPlace::of_node(place)));
      if (!leads)
        damage("place " + text(place) + " has record number " + text(use.value) +
               ", which is elsewhere");
    }
    return {};
  }
  Status check_tail() {
    for (std::uint64_t slot = 0; slot < tail_.size(); ++slot) {
      QUIRE_TRY(const TailEntry entry, tail_entry(slot));
      QUIRE_TRY(const bool leads,
                leads_to(entry.record, RecordPlace::of_slot(static_cast<std::uint32_t>(slot))));
      if (!leads)
        damage("slot " + text(slot) + " of its tail has record number " + text(entry.record) +
               ", which is elsewhere");
      const std::uint32_t newest = std::max(state_.code_version(form_), 1U);
      if (entry.version > newest)
        damage("slot " + text(slot) + " of its tail is of parameters that are still to come");
    }
    return {};
  }
  Result<bool> leads_to(std::uint32_t record, RecordPlace place) {
    if (record >= places_.size()) return false;
    QUIRE_TRY(const std::uint32_t value, number_at(places_, record));
    return value == place.value;
  }

  Status check_dead() {
    std::vector<bool> seen(graph_->end());
    for (std::uint64_t i = 0; i < dead_.size(); ++i) {
      QUIRE_TRY(const Place place, number_at(dead_, i));
      if (place == kNoPlace || place >= graph_->end() || seen[place]) {
        damage("its dead place " + text(place) + " can't be, or is twice");
        continue;
      }
      seen[place] = true;
      QUIRE_TRY(const PlaceUse use, use_of(place));
      if (!use.is_dead()) damage("its place " + text(place) + " is not dead");
    }
    return {};
  }

  Status check_free() {
    std::vector<bool> seen(graph_->end());
    std::uint64_t count = 0;
    for (Place place = state_.head.first_free; place != kNoPlace; ++count) {
      if (place >= graph_->end() || seen[place]) {
        damage("the chain of free places comes to " + text(place) + ", where it can't go");
        return {};
      }
      seen[place] = true;
      QUIRE_TRY(const PlaceUse use, use_of(place));
      if (!use.is_free()) {
        damage("the chain of free places comes to " + text(place) + ", which is not free");
        return {};
      }
      place = use.next_free();
    }
    if (count != state_.head.free_places)
      damage("the chain of free places has " + text(count) + ", and " +
             text(state_.head.free_places) + " are counted");
    return {};
  }

  View& view_;
  const Collection& collection_;
  const HnswIndex& index_;
  const HnswForm& form_;
  const ReportDamage& report_;
  HnswState state_;
  std::optional<GraphView> graph_;
  ArrayView places_;
  ArrayView tail_;
  ArrayView dead_;
  ArrayView vectors_;
  NumberSet numbers_;
  std::uint64_t found_ = 0;
};

}  // namespace

Status HnswIndex::check(View& view, const Collection& collection,
                        const ReportDamage& report) const {
  return HnswCheck(view, collection, *this, report).run();
}

}  // namespace quire::hnsw
