#include "index/vector/search_batch.h"

#include <algorithm>
#include <atomic>

#include "index/vector/hnsw/share_out.h"

namespace quire {
namespace {

// Queries that are searched for before what was found for the first of them is taken; fewer where
// so many neighbours together would be too much memory: 64 MiB.
constexpr std::size_t kTogether = 512;
constexpr std::size_t kNeighboursTogether = std::size_t{4} << 20;
// Queries that are worth a thread.
constexpr std::size_t kWorth = 4;

using Nearest = std::vector<Neighbour<RecordNumber>>;

class Batch {
 public:
  Batch(std::span<VectorSearcher* const> searchers, const SearchBatch& batch)
      : searchers_(searchers), batch_(batch) {}

  // Those of the queries from `first` on, so many as `found` has room for.
  Status find(std::size_t first, std::span<Nearest> found) {
    std::atomic<std::size_t> next{0};
    return hnsw::share_out({.first = 0,
                            .end = found.size(),
                            .threads = static_cast<unsigned>(searchers_.size()),
                            .worth = kWorth,
                            .make_worker = [&]() -> hnsw::Worker {
                              VectorSearcher* const searcher = searchers_[next.fetch_add(1)];
                              return [this, searcher, first, found](std::size_t i) -> Status {
                                QUIRE_TRY(
                                    const auto nearest,
                                    searcher->nearest(batch_.vectors[first + i], batch_.count));
                                found[i].assign(nearest.begin(), nearest.end());
                                return {};
                              };
                            },
                            .report = [](std::uint64_t) { return Status(); }});
  }

 private:
  std::span<VectorSearcher* const> searchers_;
  const SearchBatch& batch_;
};

}  // namespace

Status search_batch(View& view, VectorSearcher& searcher, ScratchPool& pool,
                    const SearchBatch& batch, SearchReport& report, const TakeNearest& take) {
  const std::size_t useful =
      std::min<std::size_t>(batch.threads, batch.vectors.size() / kWorth + 1);
  std::vector<VectorSearcher> others;
  others.reserve(useful - 1);
  while (others.size() + 1 < useful) {
    QUIRE_TRY(auto another, searcher.another(view, pool));
    others.push_back(std::move(another));
  }
  std::vector<VectorSearcher*> searchers{&searcher};
  for (VectorSearcher& each : others) searchers.push_back(&each);
  Batch finder(searchers, batch);
  const std::size_t together = std::clamp<std::size_t>(kNeighboursTogether / batch.count,
                                                       std::min(useful, kTogether), kTogether);
  std::vector<Nearest> found;
  for (std::size_t first = 0; first < batch.vectors.size(); first += found.size()) {
    found.resize(std::min(together, batch.vectors.size() - first));
    QUIRE_CHECK(finder.find(first, found));
    for (std::size_t i = 0; i < found.size(); ++i)
      QUIRE_CHECK(take(first + i, std::move(found[i])));
  }
  report = searcher.report();
  for (const VectorSearcher& each : others)
    if (each.was_used()) report.add(each.report());
  return {};
}

}  // namespace quire
