// A Disk in memory for tests: it keeps what was synced apart from what was not, counts every
// operation that changes something, and can fail, fill or lose power at any of them.
//
//   SimulatedDisk disk(seed);
//   ... run a workload, note disk.operations() ...
//   again with disk.set_crash_at(n): from operation n on everything fails;
//   auto found = disk.after_crash(seed, Survival::kRandom): what the next boot would find.
//
// The model:
//  1. Reads and maps see the page cache: every write at once. A map is raw memory, as on a machine;
//     below the file's size it shows later writes, past the last page it is a fault.
//  2. File::sync makes a file's contents and length durable, sync_directory the names in it.
//  Nothing
//     else does: a synced file whose directory was not may be gone, a name may survive without the
//     contents.
//  3. Contents are kept or lost by sectors of 512 bytes, each on its own and whole. What a file
//     gained but never synced reads as zeros. The length may be any that the file had since the
//     last sync, or one between.
//  4. Changes of names are kept or lost each on its own where that is possible (a rename needs its
//     source). A rename is one change, also between directories.
//  5. Writes through map_shared are never durable before a sync of the file: a crash may undo each
//     sector to what it was at the last one (or at the first map_shared).
//  6. Space is counted in blocks of 4 KiB; writing into a block that is there costs nothing.
//  7. There are no symbolic links. Paths are absolute; a relative one starts at "/".
//
// Everything is decided by the seeds. Thread safety: any number of threads. A File may outlive its
// disk. One process: a forked child has its own copy of the books over the same memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/io/disk.h"

namespace quire::io {

class SimulatedWorld;

// What a crash leaves of that which was not synced.
enum class Survival : std::uint8_t {
  kNothing,     // power loss at its worst
  kEverything,  // the death of the processes: the machine, its cache and its boot id live on, and
                // what was not synced still is not
  kRandom,      // power loss: by the seed, each sector, length and name on its own
};

enum class FaultKind : std::uint8_t {
  kIo,           // nothing happens; kIo
  kFull,         // nothing happens; kFull
  kShortWrite,   // a write lands in part, then kFull; any other operation: as kFull
  kSyncFailure,  // a sync fails with kIo and, as Linux does, takes the unwritten sectors for clean:
                 // reads still see them, later syncs pass them over; any other operation: as kIo
};

// Where write_and_sync runs its `meanwhile`; io_uring may do any of them.
enum class Overlap : std::uint8_t { kBeforeWrite, kBetween, kAfterSync };

class SimulatedDisk final : public Disk {
 public:
  explicit SimulatedDisk(std::uint64_t seed = 1);
  ~SimulatedDisk() override;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Status make_directory(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<bool> is_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Status sync_directory(const std::string& directory) override;
  Result<bool> may_write(const std::string& path) override;
  Result<std::string> network_filesystem(const std::string& path) override;
  Result<std::string> canonical_path(const std::string& path) override;
  Result<std::array<std::uint64_t, 2>> boot_id() override;

  // How many operations changed something, or tried to, so far: writes (a write_gather is one),
  // syncs, resizes, allocations, creations of files and directories, renames, removals and syncs of
  // directories. The first has number 1. One that is refused for its arguments (no such file) has
  // none.
  std::uint64_t operations() const;
  // From this operation on everything fails with kIo "simulated crash", reads too. The operation
  // itself may still change the cache: a write by some of its sectors, others whole or not at all.
  // 0, the default: never.
  void set_crash_at(std::uint64_t operation);
  // Crashes now.
  void crash();
  bool crashed() const;
  // Makes one operation fail, once.
  void fail_at(std::uint64_t operation, FaultKind kind);
  // How many changed nothing so far: reads, maps, look-ups of names, rights and locks, openings of
  // files that were there. One of them can be made to fail with kIo, once; 0: none.
  std::uint64_t looks() const;
  void fail_look_at(std::uint64_t look);
  // The size of the device; UINT64_MAX, the default, is one without end.
  void set_capacity(std::uint64_t capacity_bytes);
  std::uint64_t used_bytes() const;
  void set_overlap(Overlap overlap);
  // As a file system mounted for reading only: nothing opens for writing, may_write is false.
  void set_read_only(bool read_only);
  // What network_filesystem() says of every path.
  void set_network_filesystem(std::string name);

  // Crashes this disk, if it has not yet, and builds what is found afterwards. May be called any
  // number of times, with other seeds, for other outcomes of the same crash.
  std::unique_ptr<SimulatedDisk> after_crash(std::uint64_t seed, Survival survival);
  // The same while this disk lives on: the crash that might have happened at this moment.
  std::unique_ptr<SimulatedDisk> survivor(std::uint64_t seed, Survival survival) const;

 private:
  explicit SimulatedDisk(std::shared_ptr<SimulatedWorld> world);
  std::shared_ptr<SimulatedWorld> world_;
};

}  // namespace quire::io
