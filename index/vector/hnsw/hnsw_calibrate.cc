#include "index/vector/hnsw/hnsw_calibrate.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "index/kernels/top_k.h"
#include "index/vector/hnsw/hnsw_changes.h"
#include "index/vector/hnsw/hnsw_search.h"
#include "index/vector/hnsw/hnsw_vectors.h"
#include "index/vector/hnsw/levels.h"

namespace quire::hnsw {
namespace {

constexpr std::uint64_t kNodesLeast = 1000;
constexpr std::uint64_t kRenewPart = 4;
constexpr std::size_t kQueriesLeast = 32;
constexpr std::size_t kQueriesMost = 128;
// Bytes of vectors measured for the truth.
constexpr std::uint64_t kWork = std::uint64_t{1} << 36;
// Vectors that are measured against all queries while they are near.
constexpr std::size_t kBlock = 64;
// Places that are looked at for each query: most are live.
constexpr std::size_t kTriesEach = 64;

struct Query {
  Query(std::uint32_t of, Place at) : record(of), place(at) {}

  std::uint32_t record;
  Place place;
  const std::byte* vector = nullptr;
  TopK<std::uint32_t> nearest{Calibration::kNeighbours};
  float farthest = 0;  // of the nearest
};

class Measurement {
 public:
  Measurement(const HnswIndex& index, HnswState state, RecordVectors vectors,
              std::unique_ptr<HnswReader> reader)
      : form_(index.form()),
        state_(std::move(state)),
        vectors_(std::move(vectors)),
        reader_(std::move(reader)) {}

  Result<Calibration> run(View& view) {
    QUIRE_TRY(GraphView graph, state_.graph(view, form_));
    QUIRE_CHECK(choose_queries(graph));
    QUIRE_CHECK(find_truth(view, graph));
    Calibration measured{.linked = state_.head.linked, .nodes = state_.live_nodes()};
    std::uint16_t best = 0;
    for (const std::uint32_t ef : Calibration::kLadder) {
      QUIRE_TRY(const std::uint16_t recall, measure(ef));
      best = std::max(best, recall);
      measured.recall[measured.count++] = best;
      if (best == UINT16_MAX) break;
    }
    return measured;
  }

 private:
  std::size_t wanted() const noexcept {
    const std::uint64_t bytes = (state_.count() + 1) * form_.codes.vector_bytes();
    return std::clamp<std::uint64_t>(kWork / bytes, kQueriesLeast, kQueriesMost);
  }

  Status choose_queries(GraphView& graph) {
    const std::size_t count = wanted();
    std::unordered_set<Place> chosen;
    for (std::uint64_t i = 0; i < kTriesEach * count && queries_.size() < count; ++i) {
      const auto place = static_cast<Place>(1 + mix_bits(i + 1) % (graph.end() - 1));
      const auto use = graph.use(place);
      if (!use) return std::unexpected(graph.take_error());
      const bool starts = place == graph.state().entry;
      if (starts || !use->is_live() || !chosen.insert(place).second) continue;
      Query& query = queries_.emplace_back(use->value, place);
      QUIRE_TRY(query.vector, vectors_.of(query.record));
    }
    return {};
  }

  Status find_truth(View& view, GraphView& graph) {
    for (Place place = 1; place < graph.end(); ++place) {
      const auto use = graph.use(place);
      if (!use) return std::unexpected(graph.take_error());
      if (use->is_live()) QUIRE_CHECK(take(use->value));
    }
    QUIRE_TRY(const auto waiting, records_of_tail(view, form_, state_));
    for (const std::uint32_t record : waiting) QUIRE_CHECK(take(record));
    measure_block();
    for (Query& query : queries_) {
      const auto nearest = query.nearest.sorted();
      query.farthest = nearest.empty() ? 0 : nearest.back().distance;
    }
    return {};
  }

  Status take(std::uint32_t record) {
    QUIRE_TRY(const std::byte* vector, vectors_.of(record));
    block_[held_] = vector;
    records_[held_] = record;
    if (++held_ == kBlock) measure_block();
    return {};
  }

  void measure_block() {
    float distances[kBlock];
    for (Query& query : queries_) {
      form_.codes.vector_distance().list(query.vector, block_.data(), held_,
                                         form_.codes.dimension(), distances);
      for (std::size_t i = 0; i < held_; ++i)
        if (records_[i] != query.record) query.nearest.offer(distances[i], records_[i]);
    }
    held_ = 0;
  }

  // The mean share found, less its standard error, in parts of 65,535.
  Result<std::uint16_t> measure(std::size_t ef) {
    double sum = 0;
    double squares = 0;
    for (const Query& query : queries_) {
      QUIRE_TRY(const auto hits, reader_->search({.vector = query.vector,
                                                  .k = Calibration::kNeighbours,
                                                  .ef = ef,
                                                  .without = query.place}));
      const auto right = std::ranges::count_if(hits, [&query](const auto& hit) {
        return hit.id != query.record && hit.distance <= query.farthest;
      });
      const double share =
          static_cast<double>(std::min<std::int64_t>(right, Calibration::kNeighbours)) /
          Calibration::kNeighbours;
      sum += share;
      squares += share * share;
    }
    const auto count = static_cast<double>(queries_.size());
    const double mean = sum / count;
    const double variance = std::max(0.0, squares / count - mean * mean);
    const double least = std::max(0.0, mean - std::sqrt(variance / count));
    return static_cast<std::uint16_t>(least * UINT16_MAX);
  }

  const HnswForm& form_;
  HnswState state_;
  RecordVectors vectors_;
  std::unique_ptr<HnswReader> reader_;
  std::vector<Query> queries_;
  std::array<const void*, kBlock> block_{};
  std::array<std::uint32_t, kBlock> records_{};
  std::size_t held_ = 0;
};

class CalibrationStep final : public MaintenanceStep {
 public:
  CalibrationStep(const HnswForm& form, const Calibration& measured)
      : form_(form), measured_(measured) {}

  // Whatever was linked meanwhile: it is a measurement, not a promise.
  Status apply(WriteTxn& txn, const Collection& /*collection*/) override {
    QUIRE_TRY(HnswChanges changes, HnswChanges::open(txn, form_));
    changes.set_calibration(measured_);
    return changes.finish();
  }

 private:
  const HnswForm& form_;
  Calibration measured_;
};

}  // namespace

bool calibration_due(const HnswState& state) noexcept {
  const std::uint64_t nodes = state.live_nodes();
  if (nodes < kNodesLeast) return false;
  const Calibration& last = state.head.calibration;
  if (last.count == 0) return true;
  return state.head.linked - last.linked >= std::max(kNodesLeast, last.nodes) / kRenewPart;
}

Result<Calibration> calibrate(View& view, const Collection& collection, const HnswIndex& index) {
  QUIRE_TRY(HnswState state, HnswState::read(view, index.form()));
  QUIRE_TRY(RecordVectors vectors, RecordVectors::open(view, collection, index.form()));
  QUIRE_TRY(auto reader, HnswReader::open(view, collection, index));
  return Measurement(index, std::move(state), std::move(vectors), std::move(reader)).run(view);
}

Result<std::unique_ptr<MaintenanceStep>> prepare_calibration(View& view,
                                                             const Collection& collection,
                                                             const HnswIndex& index) {
  QUIRE_TRY(const Calibration measured, calibrate(view, collection, index));
  return std::make_unique<CalibrationStep>(index.form(), measured);
}

}  // namespace quire::hnsw
