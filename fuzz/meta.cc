// Meta pages and the free map they name.
//
// What the input is: changes to a `data` file with two good meta pages and a free map, or all of
// such a file. Checksums of the changed meta pages are made right or left as they are, as the input
// says.
//
// What is promised. Checksums left alone: the newest state, as it was; or, said to be damaged, the
// one before; or an error. Checksums made right: numbers that fit the file, a free map that is
// ascending, inside the file and apart from its own pages, and that a writer can load; or an error.
#include <algorithm>

#include "engine/base/checksum.h"
#include "engine/db/meta.h"
#include "fuzz/fuzz.h"
#include "fuzz/input.h"
#include "fuzz/memory_file.h"
#include "fuzz/must.h"

namespace quire::fuzz {
namespace {

constexpr std::uint32_t kPage = 512;
constexpr PageNumber kPages = 24;
constexpr std::size_t kLargestFile = 256 << 10;

enum Mode : std::uint8_t { kLeaveSums = 0, kFixSums = 1, kWholeFile = 2 };

Meta base_meta(std::uint64_t sequence) {
  Meta meta;
  meta.page_size = kPage;
  meta.database = {0x1234, 0x5678};
  meta.sequence = sequence;
  meta.created_us = 1'700'000'000'000'000;
  meta.root.txn = 10 * sequence;
  meta.root.lsn = 7 * sequence;
  meta.root.catalog = {.checksum = 0xABCDEF, .count = 3, .birth = meta.root.txn, .page = 5};
  meta.root.catalog_height = 1;
  meta.root.page_count = meta.page_count = kPages;
  meta.root.next_id = 20;
  meta.position = {.segment = 3, .offset = 536, .lsn = meta.root.lsn, .chain = 99};
  return meta;
}

struct Base {
  ByteVector file = ByteVector(std::size_t{kPages} * kPage);
  Meta older = base_meta(6);
  Meta newer = base_meta(7);
};

const Base& base() {
  static const Base base = [] {
    Base made;
    const std::vector<PageRun> runs = {{2, 2}, {7, 1}, {9, 4}, {16, 8}};
    const Bytes bytes = std::as_bytes(std::span(runs));
    std::ranges::copy(bytes, made.file.begin() + 14 * kPage);
    for (Meta* meta : {&made.older, &made.newer}) {
      meta->free_map_run = {14, 2};
      meta->free_map_runs = runs.size();
      meta->free_map_checksum = checksum64(bytes);
      const MetaImage image = to_image(*meta);
      std::ranges::copy(as_bytes(&image, sizeof image),
                        made.file.begin() + meta->sequence % 2 * kPage);
    }
    return made;
  }();
  return base;
}

// Makes the checksums in the meta page at `place` right: of its root, of itself, and of the free
// map as far as it lies in the file.
void fix_sums(MutableBytes file, std::size_t place) {
  MetaImage image;
  if (place + sizeof image > file.size()) return;
  std::memcpy(static_cast<void*>(&image), file.data() + place, sizeof image);
  const std::uint64_t begin = std::uint64_t{image.free_map_page} * image.page_size;
  const std::uint64_t space = begin < file.size() ? (file.size() - begin) / sizeof(PageRun) : 0;
  if (image.free_map_runs <= space) {
    image.free_map_checksum = checksum64(Bytes(file).subspan(
        begin < file.size() ? begin : 0, image.free_map_runs * sizeof(PageRun)));
  }
  image.root.checksum = checksum64(as_bytes(&image.root, offsetof(RootImage, checksum)));
  image.checksum = checksum64(as_bytes(&image, offsetof(MetaImage, checksum)));
  std::ranges::copy(as_bytes(&image, sizeof image),
                    file.begin() + static_cast<std::ptrdiff_t>(place));
}

bool same(const Meta& a, const Meta& b) {
  const MetaImage one = to_image(a);
  const MetaImage two = to_image(b);
  return equal_bytes(as_bytes(&one, sizeof one), as_bytes(&two, sizeof two));
}

void check_free_map(io::File& file, const Meta& meta, const std::vector<PageRun>& runs) {
  const PageRun own = meta.free_map_run;
  std::uint64_t end = kFirstPage;
  std::uint64_t pages = 0;
  for (const PageRun& run : runs) {
    const std::uint64_t run_end = std::uint64_t{run.first} + run.pages;
    demand(run.pages != 0 && run.first >= end && run_end <= meta.page_count,
           "the free map's runs are out of order or out of the file");
    demand(run_end <= own.first || std::uint64_t{own.first} + own.pages <= run.first,
           "the free map has its own pages in it");
    end = run_end;
    pages += run.pages;
  }
  FreeMap map(file, meta.page_size, meta.page_count, meta.page_count, {});
  map.load(runs);
  demand(map.check_invariants(), "the free map's invariants do not hold once it is loaded");
  demand(map.free_pages() == pages, "the free map counts other pages than it was given");
}

void read_back(MemoryFile& file, bool sums_left, bool changed_nothing) {
  const Result<Metas> metas = read_metas(file);
  if (!metas) {
    demand(!changed_nothing, "good meta pages are refused");
    demand(!metas.error().message().empty(), "an error without a sentence");
    return;
  }
  const Meta& newest = metas->newest;
  demand(must(file.size()) >= std::uint64_t{newest.page_count} * newest.page_size,
         "the meta page speaks of more pages than the file has");
  demand(newest.root.page_count <= newest.page_count, "the root has more pages than the file");
  const Result<Meta> again = from_image(to_image(newest), "again");
  demand(again && same(*again, newest), "a meta page does not survive being written");
  const Result<std::vector<PageRun>> runs = read_free_map(file, newest);
  if (runs) check_free_map(file, newest, *runs);
  if (!sums_left) return;
  const bool is_newer = same(newest, base().newer);
  demand(is_newer || (same(newest, base().older) && metas->damaged),
         "another state than was written, or an old one without a word");
  const std::vector<PageRun> expected = {{2, 2}, {7, 1}, {9, 4}, {16, 8}};
  demand(!runs || *runs == expected, "another free map than was written");
}

void change(Input& input, MutableBytes file) {
  for (std::size_t i = 0; i < Edits::kMost && !input.empty(); ++i) {
    const std::uint8_t where = input.byte();
    // The meta pages, the free map, or anywhere.
    const std::size_t at = where < 200   ? (where % 2) * kPage + input.take<std::uint16_t>() % kPage
                           : where < 240 ? 14 * kPage + input.byte()
                                         : input.take<std::uint16_t>();
    Edits::apply_one(input, file, at);
  }
}

}  // namespace

void fuzz_one(Bytes bytes) {
  static MemoryFile file(kLargestFile);
  Input input(bytes);
  const std::uint8_t mode = input.byte() % 3;
  if (mode == kWholeFile) {
    const Bytes whole = input.rest();
    file.assign(whole.first(std::min(whole.size(), kLargestFile)));
    for (std::uint32_t size = kMinPageSize; size <= kMaxPageSize; size *= 2)
      fix_sums(file.bytes(), size);
    fix_sums(file.bytes(), 0);
    return read_back(file, false, false);
  }
  file.assign(base().file);
  // A file that was cut, or has grown.
  if (const std::uint8_t cut = input.byte(); cut < 32)
    must(file.resize(must(file.size()) - std::size_t{cut} * 8));
  change(input, file.bytes());
  const bool unchanged = equal_bytes(file.bytes(), base().file);
  if (mode == kFixSums) {
    fix_sums(file.bytes(), 0);
    fix_sums(file.bytes(), kPage);
  }
  read_back(file, mode == kLeaveSums, unchanged);
}

std::vector<ByteVector> seeds() {
  std::vector<ByteVector> all;
  for (const std::uint8_t mode : {kLeaveSums, kFixSums}) {
    all.push_back({std::byte{mode}, std::byte{0}});
    all.push_back({std::byte{mode}, std::byte{255}, std::byte{1}, std::byte{16}, std::byte{0}});
  }
  ByteVector whole = {std::byte{kWholeFile}};
  whole.insert(whole.end(), base().file.begin(), base().file.end());
  all.push_back(whole);
  return all;
}

}  // namespace quire::fuzz
