#include <hnswlib/hnswlib.h>

#include <atomic>
#include <thread>

#include "tools/bench/vector/engine.h"

namespace quire::bench {
namespace {

class HnswlibSearch final : public SearchEngine {
 public:
  HnswlibSearch(const Rows& base, const IndexSettings& settings)
      : space_(base.dimension),
        index_(&space_, base.count(), settings.m, settings.ef_construction) {
    std::atomic<std::size_t> next{1};
    index_.addPoint(base.row(0), 0);
    const auto work = [&] {
      for (std::size_t i = next++; i < base.count(); i = next++) index_.addPoint(base.row(i), i);
    };
    std::vector<std::thread> threads;
    for (unsigned i = 1; i < settings.threads; ++i) threads.emplace_back(work);
    work();
    for (std::thread& thread : threads) thread.join();
  }

  void search(const float* query, std::size_t k, std::size_t ef,
              std::vector<std::uint32_t>& ids) override {
    index_.setEf(ef);
    auto found = index_.searchKnn(query, k);
    ids.resize(found.size());
    for (std::size_t i = found.size(); i-- > 0; found.pop())
      ids[i] = static_cast<std::uint32_t>(found.top().second);
  }

 private:
  hnswlib::L2Space space_;
  hnswlib::HierarchicalNSW<float> index_;
};

}  // namespace

Engine hnswlib_engine() {
  const auto built = std::make_shared<std::unique_ptr<SearchEngine>>();
  return {.name = "hnswlib",
          .build =
              [built](const Rows& base, const IndexSettings& settings) {
                *built = std::make_unique<HnswlibSearch>(base, settings);
              },
          .open = [built](const IndexSettings&) { return std::move(*built); }};
}

}  // namespace quire::bench
