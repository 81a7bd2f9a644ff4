// The one seam to the system: files, maps, locks, directories. Everything above works on a Disk;
// real_disk() is the machine's, SimulatedDisk (engine/io/simulated_disk.h) is the test double that
// keeps what was synced apart from what was not and can lose, tear, fail or fill at any operation.
//
// Thread safety: a Disk and a File may be used by any number of threads, except close (the
// destructor) and resize/allocate, which the caller orders against writes past the end.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"

namespace quire::io {

// A range of addresses over a file, mapped MAP_SHARED. A read-only map may reserve far more than
// the file has: bytes below the file's size may be read, the rest is a fault, and bytes that the
// file grows by appear without mapping again. Unmapped by the destructor.
class Mapping {
 public:
  virtual ~Mapping() = default;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  // Start of the range. Read-only maps must not be written through.
  std::byte* data() const noexcept { return data_; }
  std::uint64_t size() const noexcept { return size_; }

 protected:
  Mapping() = default;
  std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
};

enum class LockMode : std::uint8_t { kShared, kExclusive };

// What tells two files apart, and one file from its copy.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

class File {
 public:
  virtual ~File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Fills `into` from `offset`; kTruncated (naming path, offset, size) if the file ends before.
  virtual Status read(std::uint64_t offset, MutableBytes into) = 0;
  // Reads up to into.size() bytes, fewer only at the end of the file; returns how many.
  virtual Result<std::size_t> read_some(std::uint64_t offset, MutableBytes into) = 0;
  // Writes all of `bytes` (loops over short writes; a single call may be over 2 GiB).
  virtual Status write(std::uint64_t offset, Bytes bytes) = 0;
  // Writes the pieces one after the other from `offset`, in as few system calls as possible.
  virtual Status write_gather(std::uint64_t offset, std::span<const Bytes> pieces) = 0;
  // fdatasync. After a failure the file must be taken as lost since the last success: the caller
  // poisons itself and never tries again.
  virtual Status sync() = 0;
  // write + sync, with `meanwhile` run once in this thread at a point where it may overlap with the
  // system's work (io_uring where it is available; else between the write and the sync). It runs
  // whether the write fails or not.
  virtual Status write_and_sync(std::uint64_t offset, Bytes bytes,
                                const std::function<void()>& meanwhile) = 0;
  virtual Result<std::uint64_t> size() = 0;
  // ftruncate: cuts, or extends with a hole.
  virtual Status resize(std::uint64_t size) = 0;
  // Makes [offset, offset + size) backed by space on the device, extending the file where needed
  // (fallocate; written zeros where the file system has none). kFull when there is no room; the
  // file's size may then have grown by a part.
  virtual Status allocate(std::uint64_t offset, std::uint64_t size) = 0;
  // Maps [0, reserve) for reading; see Mapping. MADV_HUGEPAGE as a hint, 2 MiB aligned.
  virtual Result<std::unique_ptr<Mapping>> map_read(std::uint64_t reserve) = 0;
  // Maps [0, reserve) shared for reading and writing (the `lock` file). Same rule past the end.
  virtual Result<std::unique_ptr<Mapping>> map_shared(std::uint64_t reserve) = 0;
  virtual Result<FileIdentity> identity() = 0;
  virtual const std::string& path() const noexcept = 0;
  virtual bool writable() const noexcept = 0;

  // Open-file-description locks (fcntl F_OFD_SETLK) on one range of bytes; they need not exist in
  // the file. They belong to this File, drop when it is closed or the process dies, and do not
  // conflict with locks of the same File.
  // False: somebody else holds a conflicting lock. An exclusive lock needs a writable file.
  virtual Result<bool> try_lock(std::uint64_t offset, std::uint64_t size, LockMode mode) = 0;
  virtual Status unlock(std::uint64_t offset, std::uint64_t size) = 0;
  // Whether any *other* File (of this or another process) holds a lock that would conflict with an
  // exclusive one on the range.
  virtual Result<bool> locked_elsewhere(std::uint64_t offset, std::uint64_t size) = 0;
  // Closes the descriptor without anything else, in a forked child: drops nothing of the parent's.
  virtual void close_in_child() noexcept = 0;

 protected:
  File() = default;
};

enum class OpenMode : std::uint8_t {
  kRead,         // must exist; read only
  kReadWrite,    // must exist
  kCreate,       // read-write; kExists if it is there
  kOpenOrCreate  // read-write
};

class Disk {
 public:
  virtual ~Disk() = default;

  // All files are opened O_CLOEXEC.
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Status make_directory(const std::string& path) = 0;  // kExists if it is there
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;  // a file, or an empty directory
  virtual Result<bool> exists(const std::string& path) = 0;
  virtual Result<bool> is_directory(const std::string& path) = 0;
  // Names (no paths, sorted) of the entries of a directory.
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  // fsync of a directory: makes creations, renames and removals in it durable.
  virtual Status sync_directory(const std::string& directory) = 0;
  // Whether this process may write the path (access(2)); false too when the file system is
  // read-only.
  virtual Result<bool> may_write(const std::string& path) = 0;
  // Name of the network file system that holds the path ("nfs", "cifs", "9p", ...), or empty.
  virtual Result<std::string> network_filesystem(const std::string& path) = 0;
  // Symlinks, "." and ".." resolved; the path must exist.
  virtual Result<std::string> canonical_path(const std::string& path) = 0;
  // 128 bits that change at each boot of the machine.
  virtual Result<std::array<std::uint64_t, 2>> boot_id() = 0;
};

// The machine's own. Never destroyed. The environment variable QUIRE_IO=plain keeps it from
// io_uring.
Disk& real_disk();

}  // namespace quire::io
