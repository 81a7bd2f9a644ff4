// The meta pages: pages 0 and 1 of `data`, written in turns. The newest good one says where the
// last checkpoint is and where the log goes on from there.
//
// A meta page is one sector (512 bytes), so it is there whole or not at all; what tears it is found
// by its checksum, and the other one is used. Only a checkpoint writes one, after everything that
// it points to was synced.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "engine/io/disk.h"
#include "engine/page/free_map.h"
#include "engine/txn/root.h"
#include "wal/log.h"

namespace quire {

inline constexpr std::uint64_t kMetaMagic = 0x3142444552495551;  // "QUIREDB1"
inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::uint32_t kByteOrderMark = 0x01020304;

struct MetaImage {
  std::uint64_t magic;           // tells Quire's files from others
  std::uint32_t format_version;  // a reader refuses what it does not know
  std::uint32_t byte_order;      // 0x01020304 as the writer stored it
  std::uint32_t page_size;       // bytes
  std::uint32_t flags;           // MetaFlags
  std::uint64_t database[2];     // id, the same in every file of a database
  std::uint64_t sequence;        // the higher of two good meta pages is the newer
  std::uint64_t created_us;      // when the database was made, microseconds since 1970
  RootImage root;                // the state, with a checksum of its own
  std::uint64_t log_segment;     // the log goes on here; 0: there is no log (clean)
  std::uint64_t log_offset;
  std::uint64_t log_lsn;  // of the last record that the state contains
  std::uint64_t log_chain;
  std::uint32_t free_map_page;   // a run of pages: PageRun[free_map_runs], ascending
  std::uint32_t free_map_pages;  // 0: no free page
  std::uint64_t free_map_runs;
  std::uint64_t free_map_checksum;  // XXH3-64 of the runs
  std::uint32_t page_count;         // pages of the file that are in use or free
  std::uint32_t zero0;
  std::byte zero[512 - 192];  // room for later versions; zero
  std::uint64_t checksum;     // XXH3-64 of the 504 bytes before
};
static_assert(sizeof(MetaImage) == 512);
static_assert(offsetof(MetaImage, root) == 56 && offsetof(MetaImage, log_segment) == 120);
static_assert(offsetof(MetaImage, free_map_page) == 152 && offsetof(MetaImage, page_count) == 176);
static_assert(offsetof(MetaImage, checksum) == 504);
static_assert(sizeof(PageRun) == 8);

enum MetaFlags : std::uint32_t {
  kMetaClean = 1,    // closed in order: the log is empty
  kMetaArchive = 2,  // log segments are kept
};

// Sequence number of the meta page that a new database begins with.
inline constexpr std::uint64_t kFirstSequence = 2;

struct Meta {
  std::uint32_t page_size = kDefaultPageSize;
  wal::DatabaseId database{};
  std::uint64_t sequence = 0;
  std::uint64_t created_us = 0;
  Root root;
  wal::Position position;
  PageRun free_map_run;
  std::uint64_t free_map_runs = 0;
  std::uint64_t free_map_checksum = 0;
  PageNumber page_count = kFirstPage;
  bool clean = false;
  bool archive = false;
};

MetaImage to_image(const Meta& meta) noexcept;
// The errors are distinct: kNotDatabase, kVersion, kByteOrder, kPageSize, kCorrupt.
Result<Meta> from_image(const MetaImage& image, const std::string& path);

// Writes the meta page that `meta.sequence` falls on. Not synced.
Status write_meta(io::File& data, const Meta& meta);
// The meta page at this offset; kNotDatabase, kTruncated and the errors of from_image.
Result<Meta> read_meta(io::File& data, std::uint64_t offset);
// Whether a meta page was refused for its version or byte order, not for damage.
bool is_of_another_format(const Error& error) noexcept;
// The second meta page of a file whose first does not tell the page size: tried at every size.
// Where none is good: what one of another format says, else kCorrupt.
Result<Meta> find_second_meta(io::File& data);
// Reads both; fails when neither is good (with the error of the first), or one can't be read (kIo).
struct Metas {
  Meta newest;
  std::optional<Error> damaged;  // why the other one could not be used, if it was ever written
};
Result<Metas> read_metas(io::File& data);

// The free map of a checkpoint: runs, ascending and merged, into bytes and back.
std::vector<PageRun> merge_runs(std::vector<PageRun> runs);
Result<std::vector<PageRun>> read_free_map(io::File& data, const Meta& meta);

}  // namespace quire
