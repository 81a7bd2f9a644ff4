#include "index/vector/hnsw/hnsw_index.h"

#include <algorithm>

#include "engine/record/numbers.h"
#include "engine/record/record_change.h"
#include "engine/txn/snapshot.h"
#include "index/vector/hnsw/graph_sweep.h"
#include "index/vector/hnsw/hnsw_changes.h"
#include "index/vector/hnsw/hnsw_step.h"

namespace quire::hnsw {
namespace {

// The vectors that a step links within a transaction.
constexpr std::size_t kBatchInside = 1024;
// A build that linked more is not to be done again by a recovery.
constexpr std::uint64_t kLinkedOnce = 10'000;
constexpr std::uint64_t kProgressEvery = 4096;  // records

bool has_vector(const RowView* row, std::size_t field) noexcept {
  return row != nullptr && !row->is_null(field);
}

}  // namespace

std::unexpected<Error> HnswIndex::failure(const Collection& collection, ErrorCode code,
                                          const std::string& words) const {
  return collection.failure(code, "index '" + name_ + "': " + words);
}

std::unexpected<Error> HnswIndex::failure(const Collection& collection, const Error& error) const {
  return failure(collection, error.code(), error.message());
}

// --- with the records ---

Status HnswIndex::admit(WriteTxn& txn, const Collection& collection,
                        const RecordChange& change) const {
  if (!has_vector(change.after, form_.field)) return {};
  QUIRE_TRY(const ArrayRoot lists, txn.array_root(form_.structures.lists));
  QUIRE_TRY(const ArrayRoot tail, txn.array_root(form_.structures.tail));
  if (change.number < kEndOfPlaces && lists.size + tail.size < kEndOfPlaces - 1) return {};
  return failure(collection, ErrorCode::kTooLarge, "it has 2^31 vectors already");
}

Status HnswIndex::apply(WriteTxn& txn, const Collection& collection,
                        const RecordChange& change) const {
  const bool before = has_vector(change.before, form_.field);
  const bool after = has_vector(change.after, form_.field);
  const bool is_other = std::ranges::count(change.vectors, form_.vector_place) != 0;
  if (before == after && (!after || !is_other)) return {};
  const auto number = static_cast<std::uint32_t>(change.number);
  const auto work = [&]() -> Status {
    QUIRE_TRY(HnswChanges changes, HnswChanges::open(txn, form_));
    if (before) QUIRE_CHECK(changes.remove(number));
    if (!after) return {};
    QUIRE_TRY(const Bytes vector,
              stored_vector(txn, collection, *change.after, form_.vector_place));
    return changes.add(number, vector.data());
  };
  if (const Status changed = work(); !changed) return failure(collection, changed.error());
  txn.defer_work_of(collection.id());
  return {};
}

// --- maintenance ---

Result<double> HnswIndex::backlog(View& view) const {
  QUIRE_TRY(const HnswState state, HnswState::read(view, form_));
  return backlog_of(form_, state);
}

Result<std::unique_ptr<MaintenanceStep>> HnswIndex::prepare(View& view,
                                                            const Collection& collection,
                                                            std::size_t batch) const {
  auto step = prepare_step(view, collection, form_, batch, Sweeps::kWhereDue);
  if (!step) return failure(collection, step.error());
  return step;
}

Status HnswIndex::absorb(WriteTxn& txn, const Collection& collection, const Waiting& left,
                         const std::function<Status(std::uint64_t tail)>& report) const {
  while (true) {
    QUIRE_TRY(const HnswState state, HnswState::read(txn, form_));
    const Waiting now = waiting_of(state);
    QUIRE_CHECK(report(now.tail));
    const std::uint64_t batch = std::max(now.tail - std::min(now.tail, left.tail),
                                         now.dead - std::min(now.dead, left.dead));
    if (batch == 0) return {};
    QUIRE_TRY(const auto step,
              prepare_step(txn, collection, form_, std::min<std::uint64_t>(batch, kBatchInside),
                           Sweeps::kWherePressing));
    if (step == nullptr) return {};
    QUIRE_CHECK(step->apply(txn, collection));
    QUIRE_CHECK(txn.settle());
  }
}

// Where more than twice as much waits as searches should suffer, who makes it more works it off,
// twice what he added at most: what a recovery has left is nobody's to pay at once.
Status HnswIndex::before_commit(WriteTxn& txn, const Collection& collection) const {
  const auto work = [&]() -> Status {
    QUIRE_TRY(const HnswState state, HnswState::read(txn, form_));
    const Waiting now = waiting_of(state);
    Snapshot base(nullptr, txn.base(), txn.reader());
    Waiting before;
    if (const auto was = HnswState::read(base, form_)) before = waiting_of(*was);
    const auto share = [this](std::uint64_t waits, std::uint64_t waited) -> std::uint64_t {
      const std::uint64_t bound = 2 * form_.tail_bound();
      if (waits <= bound) return 0;
      return std::min(waits - bound, 2 * (waits - std::min(waited, waits)));
    };
    const std::uint64_t links = share(now.tail, before.tail);
    const std::uint64_t repairs = share(now.dead, before.dead);
    if (links == 0 && repairs == 0) return {};
    if (std::max(links, repairs) > kLinkedOnce) txn.commit_by_checkpoint();
    return absorb(txn, collection, {now.tail - links, now.dead - repairs},
                  [](std::uint64_t) { return Status(); });
  };
  if (const Status done = work(); !done) return failure(collection, done.error());
  return {};
}

Status HnswIndex::build(WriteTxn& txn, const Collection& collection, std::uint64_t /*memory_bytes*/,
                        const ReportProgress& progress) const {
  QUIRE_TRY(const std::uint64_t total, collection.count(txn));
  const auto tell = [&](std::uint64_t done) -> Status {
    if (!progress || progress(done, total)) return {};
    return failure(collection, ErrorCode::kCancelled, "its making was stopped");
  };
  QUIRE_TRY(const NumberSet numbers, numbers_with_vector(txn, collection, form_.vector_place));
  QUIRE_TRY(ArrayWriter * vectors, txn.array(collection.definition().vectors[form_.vector_place]));
  std::uint64_t added = 0;
  for (std::uint64_t number = 0; number < numbers.size;) {
    QUIRE_TRY(HnswChanges changes, HnswChanges::open(txn, form_));
    for (std::uint64_t end = std::min(number + kProgressEvery, numbers.size); number < end;
         ++number) {
      if (!numbers.has(number)) continue;
      QUIRE_TRY(const Bytes vector, vectors->get(number));
      QUIRE_CHECK(changes.add(static_cast<std::uint32_t>(number), vector.data()));
      ++added;
    }
    QUIRE_CHECK(txn.settle());
    QUIRE_CHECK(tell(0));
  }
  // A replay leaves the rest to maintenance.
  if (txn.replaying()) return {};
  const auto linked = absorb(txn, collection, {}, [&](std::uint64_t waiting) {
    return tell(total - std::min(total, waiting));
  });
  if (!linked)
    return linked.error().code() == ErrorCode::kCancelled ? linked
                                                          : failure(collection, linked.error());
  txn.defer_work_of(collection.id());
  if (added > kLinkedOnce) txn.commit_by_checkpoint();
  return {};
}

Result<IndexStat> HnswIndex::stat(View& view) const {
  QUIRE_TRY(const HnswState state, HnswState::read(view, form_));
  const GraphState& graph = state.head.graph;
  IndexStat stat{.entries = state.count()};
  stat.figures = {
      {"nodes", state.live_nodes()},
      {"tail", state.tail.size},
      {"dead", state.dead.size},
      {"repaired", state.head.repaired},
      {"free", state.head.free_places},
      {"generation", graph.generation},
      {"top level", graph.entry == kNoPlace ? 0 : level_of(graph.entry, form_.options.seed)},
      {"code bytes", form_.codes.code_bytes()},
      {"parameters", state.head.quantizer_version}};
  return stat;
}

}  // namespace quire::hnsw
