#include "wal/segment_store.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <random>

#include "engine/base/checksum.h"
#include "wal/format.h"
#include "wal/log_reader.h"
#include "wal/segment_image.h"

namespace quire::wal {
namespace {

constexpr char kSparePrefix[] = "spare-";
constexpr char kNewPrefix[] = "new-";

// Must differ between the lives of one file; nobody has to be unable to guess it.
std::uint64_t random_seed() {
  try {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
  } catch (const std::exception&) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    const std::array<std::uint64_t, 2> parts = {
        static_cast<std::uint64_t>(now),
        static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count())};
    return checksum64(as_bytes(parts.data(), sizeof parts));
  }
}

}  // namespace

SegmentStore::SegmentStore(io::Disk& disk, const LogOptions& options)
    : disk_(disk), options_(options) {}

std::string SegmentStore::in_directory(const std::string& name) const {
  return options_.directory + "/" + name;
}

// Also where the directory is there: a process that made it may have died before this sync.
Status SegmentStore::make_directory() {
  QUIRE_TRY(const bool there, disk_.exists(options_.directory));
  if (!there) QUIRE_CHECK(disk_.make_directory(options_.directory));
  const std::size_t slash = options_.directory.rfind('/');
  if (slash == std::string::npos) return disk_.sync_directory(".");
  return disk_.sync_directory(slash == 0 ? "/" : options_.directory.substr(0, slash));
}

// The size of a spare that can be used again.
Result<std::optional<std::uint64_t>> SegmentStore::usable_size(const std::string& path) {
  QUIRE_TRY(const auto file, disk_.open(path, io::OpenMode::kRead));
  QUIRE_TRY(const std::uint64_t size, file->size());
  if (size < kSegmentBytesLeast || size % 8 != 0 || size > options_.segment_bytes_max) {
    return std::nullopt;
  }
  return size;
}

Status SegmentStore::open() {
  QUIRE_CHECK(make_directory());
  QUIRE_TRY(const std::vector<std::string> names, disk_.list(options_.directory));
  for (const std::string& name : names) {
    const bool spare = name.starts_with(kSparePrefix);
    if (!spare && !name.starts_with(kNewPrefix)) continue;
    std::optional<std::uint64_t> size;
    if (spare && spares_.size() < kSparesMax) {
      QUIRE_TRY(size, usable_size(in_directory(name)));
    }
    if (size) {
      spares_.push_back({.path = in_directory(name), .size_bytes = *size});
    } else {
      QUIRE_CHECK(disk_.remove(in_directory(name)));
    }
  }
  return {};
}

std::optional<SegmentStore::Spare> SegmentStore::take_spare(std::uint64_t size_bytes) {
  const auto fits = std::find_if(spares_.begin(), spares_.end(), [&](const Spare& spare) {
    return spare.size_bytes >= size_bytes;
  });
  if (fits == spares_.end()) return std::nullopt;
  Spare spare = std::move(*fits);
  spares_.erase(fits);
  return spare;
}

// Writes every byte once: a later sync finds no unwritten extent to convert. In pieces of one page,
// which keep later small writes cheap (the page cache's folios take the size of the first write).
Status SegmentStore::fill(io::File& file, std::uint64_t size_bytes) {
  static constexpr std::array<std::byte, 4 << 10> kZeros{};
  QUIRE_CHECK(file.allocate(0, size_bytes));
  for (std::uint64_t at = 0; at < size_bytes; at += kZeros.size()) {
    const std::uint64_t piece = std::min<std::uint64_t>(kZeros.size(), size_bytes - at);
    QUIRE_CHECK(file.write(at, Bytes(kZeros).first(piece)));
  }
  return {};
}

Result<std::unique_ptr<io::File>> SegmentStore::make_file(const std::string& path,
                                                          std::uint64_t size_bytes) {
  QUIRE_TRY(const bool left_over, disk_.exists(path));
  if (left_over) QUIRE_CHECK(disk_.remove(path));
  QUIRE_TRY(auto file, disk_.open(path, io::OpenMode::kCreate));
  if (Status filled = fill(*file, size_bytes); !filled) {
    file.reset();
    (void)disk_.remove(path);  // the first error is the one to tell
    return std::unexpected(std::move(filled).error());
  }
  return file;
}

Status SegmentStore::sync_directory() {
  if (directory_lost_) return std::unexpected(*directory_lost_);
  Status synced = disk_.sync_directory(options_.directory);
  if (!synced) directory_lost_ = synced.error();
  return synced;
}

Result<std::shared_ptr<OpenSegment>> SegmentStore::make(std::uint64_t number,
                                                        std::uint64_t size_bytes,
                                                        const Position* continues) {
  if (directory_lost_) return std::unexpected(*directory_lost_);
  // Where memory ends, what was made so far goes like after any other error.
  std::string made_at;
  auto made = catch_out_of_memory([&] { return make_at(made_at, number, size_bytes, continues); });
  if (!made && !made_at.empty()) (void)disk_.remove(made_at);  // the first error is the one to tell
  return made;
}

// `made_at`: where a file is that is of no use when this fails.
Result<std::shared_ptr<OpenSegment>> SegmentStore::make_at(std::string& made_at,
                                                           std::uint64_t number,
                                                           std::uint64_t size_bytes,
                                                           const Position* continues) {
  std::string path = segment_path(options_.directory, number);
  auto segment = std::make_shared<OpenSegment>();
  segment->number = number;
  if (auto spare = take_spare(size_bytes)) {
    made_at = std::move(spare->path);
    segment->size_bytes = spare->size_bytes;
    QUIRE_TRY(segment->file, disk_.open(made_at, io::OpenMode::kReadWrite));
  } else {
    made_at = in_directory(kNewPrefix + segment_name(number));
    segment->size_bytes = size_bytes;
    QUIRE_TRY(segment->file, make_file(made_at, size_bytes));
  }
  const SegmentHeader header =
      make_header(options_.database, number, random_seed(), segment->size_bytes);
  segment->key = segment_key(header);
  std::array<std::byte, kRecordsAt> front{};
  std::memcpy(front.data(), &header, sizeof header);
  if (continues != nullptr) {
    const SegmentStart start = make_start(segment->key, continues->lsn + 1, continues->chain);
    std::memcpy(front.data() + kStartAt, &start, sizeof start);
  }

  QUIRE_CHECK(segment->file->write(0, front));
  QUIRE_CHECK(segment->file->sync());
  QUIRE_CHECK(disk_.rename(made_at, path));
  made_at.swap(path);
  QUIRE_CHECK(sync_directory());
  return segment;
}

Status SegmentStore::release_below(std::uint64_t number) {
  if (options_.archive) return {};
  QUIRE_TRY(const std::vector<std::uint64_t> numbers, list_segments(disk_, options_.directory));
  bool changed = false;
  for (const std::uint64_t old : numbers) {
    if (old >= number) break;
    const std::string path = segment_path(options_.directory, old);
    QUIRE_TRY(const std::optional<std::uint64_t> size, usable_size(path));
    // Segments only grow: one of the largest size will fit whatever comes, a smaller one hardly.
    if (size && *size == options_.segment_bytes_max && spares_.size() < kSparesMax) {
      std::string spare = in_directory(kSparePrefix + segment_name(old));
      spares_.reserve(kSparesMax);  // a file that has its name must get into the list
      QUIRE_CHECK(disk_.rename(path, spare));
      spares_.push_back({.path = std::move(spare), .size_bytes = *size});
    } else {
      QUIRE_CHECK(disk_.remove(path));
    }
    changed = true;
  }
  return changed ? sync_directory() : Status{};
}

Status SegmentStore::remove_all(std::uint64_t keep_until) {
  QUIRE_TRY(const std::vector<std::string> names, disk_.list(options_.directory));
  for (const std::string& name : names) {
    const auto number = parse_segment_name(name);
    if (!number && !name.starts_with(kSparePrefix) && !name.starts_with(kNewPrefix)) continue;
    if (number && options_.archive && *number <= keep_until) continue;
    QUIRE_CHECK(disk_.remove(in_directory(name)));
  }
  spares_.clear();
  return sync_directory();
}

}  // namespace quire::wal
