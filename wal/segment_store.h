// The files of the log: made in full before they are used, recycled when a checkpoint is past them.
//
//   0000000000000001   a segment
//   spare-<number>     a segment of old whose file waits for its next life
//   new-<number>       being made; void after a crash
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/io/disk.h"
#include "wal/log.h"

namespace quire::wal {

// A segment that is open for writing.
struct OpenSegment {
  std::unique_ptr<io::File> file;
  std::uint64_t number = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t key = 0;
};

// Files kept for recycling: enough for a checkpoint's worth of segments at a steady load, 48 MiB at
// the default size.
inline constexpr std::size_t kSparesMax = 3;
inline constexpr std::uint64_t kSegmentBytesLeast = 4096;

// Not thread-safe: its owner locks. No method is on the path of a commit.
class SegmentStore {
 public:
  SegmentStore(io::Disk& disk, const LogOptions& options);

  // Makes the directory if needed, clears what a crash left half made, takes stock of the spares.
  Status open();

  // A segment of at least `size_bytes`, from a spare or new, durable under its number. With
  // `continues` it has a start block behind that place, else it is prepared only. On failure (kFull
  // among others) nothing stays under that number.
  Result<std::shared_ptr<OpenSegment>> make(std::uint64_t number, std::uint64_t size_bytes,
                                            const Position* continues);

  // Recycles or removes the segments numbered below `number`; none with archiving on.
  Status release_below(std::uint64_t number);
  // Removes everything; with archiving on, everything but segments numbered up to `keep_until`.
  Status remove_all(std::uint64_t keep_until);

 private:
  struct Spare {
    std::string path;
    std::uint64_t size_bytes;
  };
  Result<std::shared_ptr<OpenSegment>> make_at(std::string& made_at, std::uint64_t number,
                                               std::uint64_t size_bytes, const Position* continues);
  std::string in_directory(const std::string& name) const;
  Status make_directory();
  Result<std::optional<std::uint64_t>> usable_size(const std::string& path);
  std::optional<Spare> take_spare(std::uint64_t size_bytes);
  Result<std::unique_ptr<io::File>> make_file(const std::string& path, std::uint64_t size_bytes);
  Status fill(io::File& file, std::uint64_t size_bytes);
  Status sync_directory();

  io::Disk& disk_;
  const LogOptions options_;
  std::vector<Spare> spares_;
  // A failed sync of the directory: no name made since can be trusted, and a later sync that
  // succeeds would not say otherwise.
  std::optional<Error> directory_lost_;
};

}  // namespace quire::wal
