// Trees of a million 16-byte keys with values of 100 bytes, all in memory, one transaction.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>

#include "engine/io/disk.h"
#include "engine/page/page_writer.h"
#include "engine/tree/tree.h"
#include "tests/must.h"

namespace quire {
namespace {

constexpr std::uint64_t kEntries = 1'000'000;
constexpr std::uint32_t kPageSize = 4096;

using test::must;

// One transaction over a file that is gone when the process is.
class Pages {
 public:
  Pages() : pool_(kPageSize) {
    const char* base = std::getenv("TMPDIR");
    std::string path = std::string(base != nullptr ? base : "/tmp") + "/quire_tree_XXXXXX";
    const int descriptor = ::mkstemp(path.data());
    if (descriptor >= 0) ::close(descriptor);
    file_ = must(io::real_disk().open(path, io::OpenMode::kReadWrite));
    ::unlink(path.c_str());
    map_ = must(PageMap::create(*file_, kPageSize, 1 << 20));
    free_map_ = std::make_unique<FreeMap>(*file_, kPageSize, kFirstPage, 0, FreeMap::Options{});
    writer_ = std::make_unique<PageWriter>(
        PageReader(map_.get(), &frames_, kFirstPage), map_.get(), frames_, pool_, *free_map_,
        *file_, 1, [](std::uint64_t) -> Result<PageMap*> {
          return fail(ErrorCode::kTooLarge, "the benchmark's map is full");
        });
  }
  PageWriter* writer() { return writer_.get(); }

 private:
  std::unique_ptr<io::File> file_;
  std::unique_ptr<PageMap> map_;
  FrameTable frames_;
  FramePool pool_;
  std::unique_ptr<FreeMap> free_map_;
  std::unique_ptr<PageWriter> writer_;
};

struct Key {
  std::byte bytes[16];
  Bytes view() const { return bytes; }
};

// In order, or scattered over the whole key space: every n once.
Key sequential_key(std::uint64_t n) {
  Key key{};
  store_be(key.bytes + 8, n);
  return key;
}
Key random_key(std::uint64_t n) {
  std::uint64_t x = n + 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  Key key{};
  store_be(key.bytes, x ^ (x >> 31));
  store_be(key.bytes + 8, n);
  return key;
}

const std::string& value() {
  static const std::string text(100, 'v');
  return text;
}

TreeRoot fill(Pages& pages, Key (*key_of)(std::uint64_t)) {
  TreeWriter writer(pages.writer(), TreeRoot{.root = {}, .id = 1});
  for (std::uint64_t i = 0; i < kEntries; ++i)
    must(writer.put(key_of(i).view(), as_bytes(value())));
  return writer.root();
}

template <Key (*key_of)(std::uint64_t)>
void put(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    auto pages = std::make_unique<Pages>();
    state.ResumeTiming();
    const TreeRoot root = fill(*pages, key_of);
    state.PauseTiming();
    state.counters["pages"] = static_cast<double>(pages->writer()->private_bytes() / kPageSize);
    state.counters["height"] = root.height;
    pages.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kEntries));
}

// The tree that reads are measured on: random insertion order.
struct Loaded {
  Pages pages;
  TreeRoot root = fill(pages, random_key);
};
Loaded& loaded() {
  static Loaded all;
  return all;
}

void get_random(benchmark::State& state) {
  Loaded& all = loaded();
  PageReader reader = all.pages.writer()->reader();
  std::mt19937_64 random(1);
  for (auto _ : state) {
    const Key key = random_key(random() % kEntries);
    auto found = tree_get(reader, all.root, key.view());
    benchmark::DoNotOptimize(found);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

void update_random(benchmark::State& state) {
  Loaded& all = loaded();
  TreeWriter writer(all.pages.writer(), all.root);
  std::mt19937_64 random(2);
  for (auto _ : state) must(writer.put(random_key(random() % kEntries).view(), as_bytes(value())));
  all.root = writer.root();
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

void scan_100(benchmark::State& state) {
  Loaded& all = loaded();
  PageReader reader = all.pages.writer()->reader();
  TreeCursor cursor(&reader, all.root);
  std::mt19937_64 random(3);
  std::size_t bytes = 0;
  for (auto _ : state) {
    must(cursor.seek(random_key(random() % kEntries).view()));
    for (int i = 0; i < 100 && cursor.valid(); ++i) {
      if (state.range(0) != 0) bytes += cursor.key().size();
      bytes += must(cursor.value()).size();
      must(cursor.next());
    }
  }
  benchmark::DoNotOptimize(bytes);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

// All entries of a tree that was filled in order, where the caches help.
void scan_all(benchmark::State& state) {
  Pages pages;
  const TreeRoot root = fill(pages, sequential_key);
  PageReader reader = pages.writer()->reader();
  std::size_t bytes = 0;
  for (auto _ : state) {
    TreeCursor cursor(&reader, root);
    for (must(cursor.first()); cursor.valid(); must(cursor.next()))
      bytes += cursor.key().size() + must(cursor.value()).size();
  }
  benchmark::DoNotOptimize(bytes);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kEntries));
}

void rank_random(benchmark::State& state) {
  Loaded& all = loaded();
  PageReader reader = all.pages.writer()->reader();
  std::mt19937_64 random(4);
  for (auto _ : state) {
    auto rank = tree_rank(reader, all.root, random_key(random()).view());
    benchmark::DoNotOptimize(rank);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}

void erase_and_put(benchmark::State& state) {
  Loaded& all = loaded();
  TreeWriter writer(all.pages.writer(), all.root);
  std::mt19937_64 random(5);
  for (auto _ : state) {
    const Key key = random_key(random() % kEntries);
    must(writer.erase(key.view()));
    must(writer.put(key.view(), as_bytes(value())));
  }
  all.root = writer.root();
  state.SetItemsProcessed(static_cast<std::int64_t>(2 * state.iterations()));
}

BENCHMARK(put<sequential_key>)->Unit(benchmark::kMillisecond)->Iterations(3);
BENCHMARK(put<random_key>)->Unit(benchmark::kMillisecond)->Iterations(3);
BENCHMARK(get_random);
BENCHMARK(scan_100)->Arg(0)->Arg(1);
BENCHMARK(scan_all)->Unit(benchmark::kMillisecond);
BENCHMARK(rank_random);
BENCHMARK(update_random);
BENCHMARK(erase_and_put);

}  // namespace
}  // namespace quire

BENCHMARK_MAIN();
