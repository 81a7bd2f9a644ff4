#include "index/vector/hnsw/hnsw_step.h"

#include <algorithm>

#include "index/vector/hnsw/graph_plan.h"
#include "index/vector/hnsw/graph_sweep.h"
#include "index/vector/hnsw/hnsw_calibrate.h"
#include "index/vector/hnsw/hnsw_changes.h"
#include "index/vector/hnsw/hnsw_vectors.h"

namespace quire::hnsw {
namespace {

// Repaired places wait until a look at all lists is worth it: so many, and this part of the nodes.
constexpr std::uint64_t kSweepLeast = 64;
constexpr std::uint64_t kSweepPart = 100;
// What a sweep or a training that is due counts, beside a tail that waits.
constexpr double kDue = 0.1;

// A calibration takes long: so little has to wait meanwhile.
constexpr double kLittle = 0.25;
// And so many times that where nobody but commits does it.
constexpr std::uint64_t kPressing = 10;

bool sweep_due(const HnswState& state, std::uint64_t times = 1) noexcept {
  return state.head.repaired >= times * std::max(kSweepLeast, state.live_nodes() / kSweepPart);
}

// What waits to be linked or repaired around, as a part of what should at most.
double waiting_part(const HnswForm& form, const HnswState& state) noexcept {
  const auto waiting =
      std::max(state.tail.size, state.dead.size - std::uint64_t{state.head.repaired});
  return static_cast<double>(waiting) / static_cast<double>(form.tail_bound());
}

std::unexpected<Error> conflict() {
  return fail(ErrorCode::kConflict, "another step was carried out meanwhile");
}

// ------------------------------------------------------------ training

class TrainingStep final : public MaintenanceStep {
 public:
  TrainingStep(const HnswForm& form, std::uint64_t generation, Quantizer quantizer)
      : form_(form), generation_(generation), quantizer_(std::move(quantizer)) {}

  Status apply(WriteTxn& txn, const Collection& /*collection*/) override {
    QUIRE_TRY(HnswChanges changes, HnswChanges::open(txn, form_));
    if (changes.state().head.graph.generation != generation_) return conflict();
    QUIRE_CHECK(changes.set_parameters(quantizer_));
    return changes.finish();
  }

 private:
  const HnswForm& form_;
  std::uint64_t generation_;
  Quantizer quantizer_;
};

Result<std::unique_ptr<MaintenanceStep>> prepare_training(View& view, const Collection& collection,
                                                          const HnswForm& form,
                                                          const HnswState& state) {
  QUIRE_TRY(const std::vector<std::uint32_t> records, records_of_tail(view, form, state));
  QUIRE_TRY(Quantizer quantizer,
            train_parameters(view, collection, form, records, state.head.quantizer_version + 1));
  return std::make_unique<TrainingStep>(form, state.head.graph.generation, std::move(quantizer));
}

// ------------------------------------------------------------ linking, repairing, sweeping

class GraphStep final : public MaintenanceStep {
 public:
  GraphStep(const HnswForm& form, HnswState state, GraphView view)
      : form_(form),
        state_(std::move(state)),
        view_(std::move(view)),
        plan_(view_, form.codes.code_metric()) {}

  Status plan_tail(View& view, const Collection& collection, std::size_t batch) {
    QUIRE_TRY(RecordVectors vectors, RecordVectors::open(view, collection, form_));
    ArrayView tail(view.reader(), state_.tail);
    Place free = state_.head.first_free;
    for (std::uint64_t slot = 0; slot < std::min<std::uint64_t>(batch, tail.size()); ++slot) {
      const std::byte* element = tail.at(slot);
      if (element == nullptr) return std::unexpected(tail.take_error());
      const TailEntry entry = TailEntry::read(element, form_.codes.code_bytes());
      Linked linked{.record = entry.record, .place = kNoPlace, .code = {}};
      QUIRE_TRY(linked.code, code_of(entry, vectors));
      linked.reused = free != kNoPlace;
      Place next = kNoPlace;
      if (linked.reused) {
        QUIRE_TRY(next, next_free(free));
      }
      QUIRE_TRY(linked.place, plan_.insert(linked.code, free));
      free = next;
      linked_.push_back(std::move(linked));
    }
    return {};
  }

  Status plan_repairs(View& view, std::size_t batch) {
    ArrayView dead(view.reader(), state_.dead);
    const std::uint64_t end = std::min<std::uint64_t>(state_.head.repaired + batch, dead.size());
    for (std::uint64_t i = state_.head.repaired; i < end; ++i) {
      QUIRE_TRY(const Place place, dead_place(dead, i));
      QUIRE_CHECK(plan_.repair(place));
      ++repaired_;
    }
    return {};
  }

  // All that are repaired around become free: no list names them then.
  Status plan_sweep(View& view) {
    ArrayView dead(view.reader(), state_.dead);
    std::vector<bool> waits(view_.end());
    for (std::uint64_t i = 0; i < state_.head.repaired; ++i) {
      QUIRE_TRY(const Place place, dead_place(dead, i));
      waits[place] = true;
      QUIRE_CHECK(plan_.clear(place));
    }
    const auto gone = [&](Place place) -> bool { return waits[place]; };
    QUIRE_TRY(const auto naming, find_naming(view_, gone));
    for (const ListOf& list : naming) QUIRE_CHECK(plan_.forget(list.place, list.level, gone));
    QUIRE_TRY(const auto unreachable, find_unreachable(view_));
    for (const Place place : unreachable) QUIRE_CHECK(plan_.relink(place));
    freed_ = state_.head.repaired;
    return {};
  }

  Status apply(WriteTxn& txn, const Collection& /*collection*/) override {
    QUIRE_TRY(HnswChanges changes, HnswChanges::open(txn, form_));
    if (changes.state().head.graph != state_.head.graph ||
        changes.state().head.quantizer_version != state_.head.quantizer_version)
      return conflict();
    QUIRE_CHECK(changes.apply(plan_));
    for (const Linked& linked : linked_) QUIRE_CHECK(place(changes, linked));
    changes.note_repaired(repaired_);
    if (freed_ != 0) QUIRE_CHECK(changes.free_first(freed_));
    return changes.finish();
  }

 private:
  struct Linked {
    std::uint32_t record = 0;
    Place place = kNoPlace;
    ByteVector code;
    bool reused = false;
  };

  Result<ByteVector> code_of(const TailEntry& entry, RecordVectors& vectors) {
    ByteVector code(form_.codes.code_bytes());
    if (entry.version == state_.code_version(form_)) {
      code.assign(entry.code, entry.code + code.size());
      return code;
    }
    QUIRE_TRY(const std::byte* vector, vectors.of(entry.record));
    form_.codes.encode(vector, state_.parameters(), code.data());
    return code;
  }

  // Of a place that this plan has not taken yet.
  Result<Place> next_free(Place free) {
    if (free >= view_.end()) return fail(ErrorCode::kCorrupt, "there is no place %u", free);
    if (plan_.overlay().reused.contains(free))
      return fail(ErrorCode::kCorrupt, "the place %u is twice among those that are free", free);
    const auto use = view_.use(free);
    if (!use) return std::unexpected(view_.take_error());
    if (use->is_free()) return use->next_free();
    return fail(ErrorCode::kCorrupt, "the place %u is not free, and among those that are", free);
  }

  Result<Place> dead_place(ArrayView& dead, std::uint64_t i) {
    const std::byte* element = dead.at(i);
    if (element == nullptr) return std::unexpected(dead.take_error());
    const auto place = load_le<Place>(element);
    if (place != kNoPlace && place < view_.end()) {
      const auto use = view_.use(place);
      if (!use) return std::unexpected(view_.take_error());
      if (use->is_dead()) return place;
    }
    return fail(ErrorCode::kCorrupt, "the place %u is not dead, and among those that are", place);
  }

  // A record that went, or has another vector since, leaves a dead node.
  Status place(HnswChanges& changes, const Linked& linked) {
    if (linked.reused) {
      QUIRE_TRY(const Place free, changes.take_free());
      if (free != linked.place)
        return fail(ErrorCode::kCorrupt, "the first free place is %u, not %u", free, linked.place);
    }
    QUIRE_TRY(const bool same, is_as_planned(changes, linked));
    return same ? changes.move_to_node(linked.record, linked.place) : changes.bury(linked.place);
  }

  Result<bool> is_as_planned(HnswChanges& changes, const Linked& linked) {
    QUIRE_TRY(const RecordPlace there, changes.place_of(linked.record));
    if (!there.is_in_tail()) return false;
    QUIRE_TRY(const TailEntry entry, changes.tail_entry(there.slot()));
    if (entry.record != linked.record)
      return fail(ErrorCode::kCorrupt, "slot %u of the tail is not of record %u", there.slot(),
                  linked.record);
    // Who changed a vector meanwhile encoded it by the parameters of now.
    return entry.version != state_.code_version(form_) ||
           equal_bytes({entry.code, linked.code.size()}, linked.code);
  }

  const HnswForm& form_;
  HnswState state_;
  GraphView view_;
  GraphPlan plan_;
  std::vector<Linked> linked_;
  std::uint32_t repaired_ = 0;
  std::uint32_t freed_ = 0;
};

}  // namespace

double backlog_of(const HnswForm& form, const HnswState& state) noexcept {
  if (!state.encodes(form)) return state.tail.size >= kQuantizerLeast ? 1 : 0;
  return std::max(waiting_part(form, state), sweep_due(state) || calibration_due(state) ? kDue : 0);
}

Result<std::unique_ptr<MaintenanceStep>> prepare_step(View& view, const Collection& collection,
                                                      const HnswIndex& index, std::size_t batch,
                                                      Sweeps sweeps) {
  const HnswForm& form = index.form();
  QUIRE_TRY(HnswState state, HnswState::read(view, form));
  if (backlog_of(form, state) == 0) return nullptr;
  if (!state.encodes(form)) return prepare_training(view, collection, form, state);
  QUIRE_TRY(GraphView graph, state.graph(view, form));
  const bool sweeps_now = sweep_due(state, sweeps == Sweeps::kWhereDue ? 1 : kPressing);
  const bool calibrates =
      sweeps == Sweeps::kWhereDue && calibration_due(state) && waiting_part(form, state) < kLittle;
  auto step = std::make_unique<GraphStep>(form, std::move(state), std::move(graph));
  if (sweeps_now) {
    QUIRE_CHECK(step->plan_sweep(view));
    return step;
  }
  if (calibrates) return prepare_calibration(view, collection, index);
  QUIRE_CHECK(step->plan_tail(view, collection, batch));
  QUIRE_CHECK(step->plan_repairs(view, batch));
  return step;
}

}  // namespace quire::hnsw
