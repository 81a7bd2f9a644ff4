// How fast the distances are: an exact scan of 60,000 x 784 f32 (as Fashion-MNIST), and single
// distances in cache. One thread.
//
//   ninja -C BUILD tests/kernels/distance_benchmark && BUILD/tests/kernels/distance_benchmark
#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <random>
#include <string>

#include "index/kernels/distance.h"
#include "index/kernels/exact_scan.h"

namespace quire {
namespace {

constexpr std::size_t kScanRows = 60'000;
constexpr std::size_t kScanDimension = 784;

// As the map of a database asks for its pages: aligned to 2 MiB, huge pages where there are any.
float* scan_data() {
  static float* const data = [] {
    const std::size_t size = kScanRows * kScanDimension * sizeof(float);
    void* memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::madvise(memory, size, MADV_HUGEPAGE);
    auto* values = static_cast<float*>(memory);
    std::mt19937 random(5);
    for (std::size_t i = 0; i < kScanRows * kScanDimension; ++i)
      values[i] = static_cast<float>(random() & 255);
    return values;
  }();
  return data;
}

void exact_scan(benchmark::State& state, const DistanceKernels* kernels, Metric metric) {
  const DistanceFunctions distance = *find_distance(*kernels, metric, ElementType::kF32);
  const float* rows = scan_data();
  std::size_t query = 0;
  TopK<> nearest(10);
  for (auto unused : state) {
    nearest.reset(10);
    scan_rows<std::uint64_t>(distance, rows + query * kScanDimension, kScanDimension,
                             {rows, kScanDimension * sizeof(float), kScanRows}, 0, nearest);
    benchmark::DoNotOptimize(nearest.sorted().data());
    query = (query + 7919) % kScanRows;
  }
  state.SetItemsProcessed(state.iterations());  // queries
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(kScanRows * kScanDimension * sizeof(float)));
}

void one_distance(benchmark::State& state, const DistanceKernels* kernels, Metric metric) {
  const DistanceFunctions distance = *find_distance(*kernels, metric, ElementType::kF32);
  const auto dimension = static_cast<std::size_t>(state.range(0));
  const float* a = scan_data();
  const float* b = a + 10 * kScanDimension;
  for (auto unused : state) benchmark::DoNotOptimize(distance.one(a, b, dimension));
}

void register_all() {
  for (const DistanceKernels* kernels : supported_kernels()) {
    for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
      const std::string name = std::string(kernels->name) + "/" + std::string(metric_name(metric));
      benchmark::RegisterBenchmark(("exact_scan/" + name).c_str(), exact_scan, kernels, metric)
          ->Unit(benchmark::kMillisecond);
      benchmark::RegisterBenchmark(("one/" + name).c_str(), one_distance, kernels, metric)
          ->Arg(16)
          ->Arg(128)
          ->Arg(784)
          ->Arg(1536);
    }
  }
}

}  // namespace
}  // namespace quire

int main(int argc, char** argv) {
  quire::register_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
