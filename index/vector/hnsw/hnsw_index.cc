#include "index/vector/hnsw/hnsw_index.h"

#include <algorithm>

#include "engine/record/numbers.h"
#include "engine/record/record_change.h"
#include "engine/txn/snapshot.h"
#include "index/vector/hnsw/hnsw_bulk.h"
#include "index/vector/hnsw/hnsw_changes.h"
#include "index/vector/hnsw/hnsw_step.h"
#include "index/vector/hnsw/hnsw_vectors.h"

namespace quire::hnsw {
namespace {

// The vectors that a step links within a transaction.
constexpr std::size_t kBatchInside = 1024;
// A build that linked more is not to be done again by a recovery.
constexpr std::uint64_t kLinkedOnce = 10'000;
constexpr std::uint64_t kProgressEvery = 4096;  // records
// A commit that added so many, and this part of the nodes, links in memory: to bring all lists
// there costs as much as linking few.
constexpr std::uint64_t kBulkLeast = 4096;
constexpr std::uint64_t kBulkPart = 256;
// What it takes of memory at most.
constexpr std::uint64_t kLoadMemory = std::uint64_t{256} << 20;

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
  auto step = prepare_step(view, collection, *this, batch, Sweeps::kWhereDue);
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
              prepare_step(txn, collection, *this, std::min<std::uint64_t>(batch, kBatchInside),
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
    const std::uint64_t bound = 2 * form_.tail_bound();
    const auto share = [bound](std::uint64_t waits, std::uint64_t waited) -> std::uint64_t {
      if (waits <= bound) return 0;
      return std::min(waits - bound, 2 * (waits - std::min(waited, waits)));
    };
    std::uint64_t links = share(now.tail, before.tail);
    const std::uint64_t repairs = share(now.dead, before.dead);
    if (links == 0 && repairs == 0) return {};
    const std::uint64_t added = now.tail - std::min(before.tail, now.tail);
    const bool is_load = links + bound >= now.tail && added >= kBulkLeast &&
                         added >= state.live_nodes() / kBulkPart &&
                         now.tail <= bulk_room(form_, state, kLoadMemory) &&
                         can_encode(form_, state, now.tail);
    if (is_load) {
      QUIRE_TRY(auto records, records_of_tail(txn, form_, state));
      QUIRE_CHECK(link_bulk(txn, collection, form_,
                            {.records = std::move(records),
                             .are_tail = true,
                             .threads = txn.build_threads(),
                             .report = [](std::uint64_t) { return Status(); }}));
      links = now.tail;
    }
    if (std::max(links, repairs) > kLinkedOnce) txn.commit_by_checkpoint();
    return absorb(txn, collection, {now.tail - links, now.dead - repairs},
                  [](std::uint64_t) { return Status(); });
  };
  if (const Status done = work(); !done) return failure(collection, done.error());
  return {};
}

// One making of the index.
class HnswIndex::Making {
 public:
  Making(const HnswIndex& index, WriteTxn& txn, const Collection& collection,
         const ReportProgress& progress)
      : index_(index), txn_(txn), collection_(collection), progress_(progress) {}

  Status run(std::uint64_t memory_bytes) {
    QUIRE_TRY(total_, collection_.count(txn_));
    QUIRE_CHECK(find_records());
    std::size_t linked = 0;
    // A replay leaves it to maintenance.
    if (!txn_.replaying()) {
      QUIRE_TRY(linked, link(memory_bytes));
    }
    QUIRE_CHECK(add(linked));
    if (txn_.replaying()) return {};
    QUIRE_CHECK(index_.absorb(txn_, collection_, {}, [this](std::uint64_t waiting) {
      return tell(total_ - std::min(total_, waiting));
    }));
    txn_.defer_work_of(collection_.id());
    if (records_.size() > kLinkedOnce) txn_.commit_by_checkpoint();
    return {};
  }

 private:
  Status tell(std::uint64_t done) const {
    if (!progress_ || progress_(std::min(done, total_), total_)) return {};
    return fail(ErrorCode::kCancelled, "its making was stopped");
  }

  Status find_records() {
    QUIRE_TRY(const NumberSet numbers,
              numbers_with_vector(txn_, collection_, index_.form_.vector_place));
    for (std::uint64_t number = 0; number < numbers.size; ++number)
      if (numbers.has(number)) records_.push_back(static_cast<std::uint32_t>(number));
    return {};
  }

  // As many of the first as there is memory for; how many.
  Result<std::size_t> link(std::uint64_t memory_bytes) {
    QUIRE_TRY(const HnswState state, HnswState::read(txn_, index_.form_));
    const std::size_t count =
        std::min<std::uint64_t>(records_.size(), bulk_room(index_.form_, state, memory_bytes));
    if (!can_encode(index_.form_, state, count)) return 0;
    QUIRE_CHECK(tell(0));
    QUIRE_CHECK(link_bulk(
        txn_, collection_, index_.form_,
        {.records = {records_.begin(), records_.begin() + static_cast<std::ptrdiff_t>(count)},
         .threads = txn_.build_threads(),
         .report = [this](std::uint64_t done) { return tell(done); }}));
    return count;
  }

  // The others to the tail.
  Status add(std::size_t linked) {
    QUIRE_TRY(ArrayWriter * vectors,
              txn_.array(collection_.definition().vectors[index_.form_.vector_place]));
    for (std::size_t i = linked; i < records_.size();) {
      QUIRE_TRY(HnswChanges changes, HnswChanges::open(txn_, index_.form_));
      for (const std::size_t end = std::min(i + kProgressEvery, records_.size()); i < end; ++i) {
        QUIRE_TRY(const Bytes vector, vectors->get(records_[i]));
        QUIRE_CHECK(changes.add(records_[i], vector.data()));
      }
      QUIRE_CHECK(txn_.settle());
      QUIRE_CHECK(tell(linked));
    }
    return {};
  }

  const HnswIndex& index_;
  WriteTxn& txn_;
  const Collection& collection_;
  const ReportProgress& progress_;
  std::uint64_t total_ = 0;
  std::vector<std::uint32_t> records_;
};

Status HnswIndex::build(WriteTxn& txn, const Collection& collection, std::uint64_t memory_bytes,
                        const ReportProgress& progress) const {
  const Status made = Making(*this, txn, collection, progress).run(memory_bytes);
  return made ? made : failure(collection, made.error());
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
  if (const Calibration& measured = state.head.calibration; measured.count != 0)
    for (const auto& [name, value] : std::initializer_list<std::pair<const char*, std::uint64_t>>{
             {"calibrated at nodes", measured.nodes},
             {"ef fast", measured.ef_for(kTargetFast, 1)},
             {"ef balanced", measured.ef_for(kTargetBalanced, 1)},
             {"ef high", measured.ef_for(kTargetHigh, 1)}})
      stat.figures.emplace_back(name, value);
  return stat;
}

}  // namespace quire::hnsw
