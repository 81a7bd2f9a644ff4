// How fast the distances are, of every implementation that this machine runs, beside hnswlib's:
//
//   ./dev bench kernels [--benchmark_filter=REGEX] [options of Google Benchmark]
//
//   one/KIND/DIMENSION/SET    one distance after the other, between vectors in the first caches
//   list/KIND/DIMENSION/SET   one query against lists of 32 vectors in them, as a graph is walked
//   scan/KIND/DIMENSION/SET   one query against the rows of 180 MB of f32, 90 of f16, ...
//
// One thread. The times are of one distance; a table of what each is to the scalar one closes it.
#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <cstdio>
#include <map>
#include <random>

#include "tests/kernels/bench/peer.h"
#include "tests/kernels/kinds.h"

namespace quire {
namespace {

using namespace test;

constexpr std::size_t kScanRows = 60'000;  // as Fashion-MNIST
constexpr std::size_t kMostDimensions = 1536;
constexpr std::size_t kScanDimension = 784;
constexpr std::size_t kDataBytes = kScanRows * kScanDimension * sizeof(float);
constexpr std::size_t kList = 32;

// Whole numbers of 0 to 63 in each form, as the map of a database has them: aligned to 2 MiB, huge
// pages where there are any.
const unsigned char* data_of(Elements elements) {
  static std::map<Elements, unsigned char*> made;
  unsigned char*& data = made[elements];
  if (data != nullptr) return data;
  void* memory =
      ::mmap(nullptr, kDataBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  ::madvise(memory, kDataBytes, MADV_HUGEPAGE);
  data = static_cast<unsigned char*>(memory);
  std::mt19937 random(5);
  const Kind* kind = std::ranges::find(kKinds, elements, &Kind::elements);
  const std::size_t size = kind->bytes(kScanRows * kScanDimension);
  // A piece that is repeated, at another place in each row.
  std::vector<double> numbers(8 * 1009);
  for (double& number : numbers) number = static_cast<double>(random() & 63);
  const Placed piece(*kind, numbers);
  const std::size_t piece_size = kind->bytes(numbers.size());
  for (std::size_t i = 0; i < size; i += piece_size)
    std::memcpy(data + i, piece.data(), std::min(piece_size, size - i));
  return data;
}

void count(benchmark::State& state, std::size_t distances, std::size_t bytes) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(distances));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(distances * bytes));
}

template <class Distance>
void run_one(benchmark::State& state, const Kind& kind, std::size_t dimension, Distance distance) {
  const unsigned char* data = data_of(kind.elements);
  const std::size_t size = kind.bytes(dimension);
  std::size_t i = 0;
  for (auto unused : state) {
    benchmark::DoNotOptimize(distance(data, data + (1 + i) * size));
    i = (i + 1) % 4;
  }
  count(state, 1, size);
}

void one(benchmark::State& state, const DistanceKernels* kernels, const Kind* kind,
         std::size_t dimension) {
  const DistanceFunction function = kind->of(*kernels).one;
  run_one(state, *kind, dimension,
          [&](const void* a, const void* b) { return function(a, b, dimension); });
}

void peer_one(benchmark::State& state, const Kind* kind, std::size_t dimension) {
  const bench::Peer peer(kind->metric, dimension);
  run_one(state, *kind, dimension,
          [&](const void* a, const void* b) { return peer.distance(a, b); });
}

void list(benchmark::State& state, const DistanceKernels* kernels, const Kind* kind,
          std::size_t dimension) {
  const DistanceListFunction function = kind->of(*kernels).list;
  const unsigned char* data = data_of(kind->elements);
  const std::size_t size = kind->bytes(dimension);
  const void* vectors[kList];
  for (std::size_t i = 0; i < kList; ++i) vectors[i] = data + (i * 7 % kList) * size;
  float distances[kList];
  for (auto unused : state) {
    function(data, vectors, kList, dimension, distances);
    benchmark::DoNotOptimize(distances[kList - 1]);
  }
  count(state, kList, size);
}

void scan(benchmark::State& state, const DistanceKernels* kernels, const Kind* kind,
          std::size_t dimension) {
  const DistanceRowsFunction function = kind->of(*kernels).rows;
  const unsigned char* data = data_of(kind->elements);
  const std::size_t size = kind->bytes(dimension);
  const std::size_t rows = kScanRows * kScanDimension / dimension;
  constexpr std::size_t kBatch = 64;
  float distances[kBatch];
  for (auto unused : state) {
    for (std::size_t row = 0; row + kBatch <= rows; row += kBatch) {
      function(data, data + row * size, size, kBatch, dimension, distances);
      benchmark::DoNotOptimize(distances[0]);
    }
  }
  count(state, rows / kBatch * kBatch, size);
}

// Prints each result with the time of one distance, and at the end what they are to one another.
class Reporter : public benchmark::ConsoleReporter {
 public:
  Reporter() : ConsoleReporter(OO_Tabular) {}
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.error_occurred || run.run_type != Run::RT_Iteration) continue;
      const std::string name = run.benchmark_name();
      const std::size_t end = name.rfind('/');
      const double ns = 1e9 / run.counters.at("items_per_second");
      rows_[name.substr(0, end)][name.substr(end + 1)] = ns;
      std::printf("%-44s %10.2f ns %8.1f GB/s\n", name.c_str(), ns,
                  run.counters.at("bytes_per_second") / 1e9);
      std::fflush(stdout);
    }
  }
  bool ReportContext(const Context&) override { return true; }
  void Finalize() override {
    std::printf("\nTimes faster than scalar:\n");
    for (const auto& [row, sets] : rows_) {
      if (!sets.contains("scalar")) continue;
      std::printf("%-34s", row.c_str());
      for (const auto& [set, ns] : sets)
        if (set != "scalar") std::printf("  %s %.1f", set.c_str(), sets.at("scalar") / ns);
      std::printf("\n");
    }
  }

 private:
  std::map<std::string, std::map<std::string, double>> rows_;
};

std::string name_of(const char* what, const Kind& kind, std::size_t dimension, const char* set) {
  std::string name = std::string(what) + "/" + kind.name + "/" + std::to_string(dimension) + "/";
  return name + set;
}

void register_all() {
  for (const Kind& kind : kKinds) {
    for (const std::size_t dimension : {std::size_t{128}, kScanDimension, kMostDimensions}) {
      for (const DistanceKernels* kernels : supported_kernels()) {
        const auto add = [&](const char* what, auto* function) {
          benchmark::RegisterBenchmark(name_of(what, kind, dimension, kernels->name).c_str(),
                                       function, kernels, &kind, dimension);
        };
        add("one", one);
        if (dimension == kMostDimensions) continue;
        add("list", list);
        add("scan", scan);
      }
      if (kind.elements == Elements::kF32 && bench::Peer::has(kind.metric))
        benchmark::RegisterBenchmark(name_of("one", kind, dimension, "hnswlib").c_str(), peer_one,
                                     &kind, dimension);
    }
  }
}

}  // namespace
}  // namespace quire

int main(int argc, char** argv) {
  quire::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  quire::Reporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
  return 0;
}
