// A File of the machine: one descriptor.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "engine/io/disk.h"
#include "engine/io/sync_ring.h"

namespace quire::io {

class RealFile final : public File {
 public:
  // Opened before anything else is done with it: what memory it needs is there by then.
  RealFile(std::string path, bool writable);
  // flags: of open(2). False: errno says why.
  bool open(int flags) noexcept;
  ~RealFile() override;

  Status read(std::uint64_t offset, MutableBytes into) override;
  Result<std::size_t> read_some(std::uint64_t offset, MutableBytes into) override;
  Status write(std::uint64_t offset, Bytes bytes) override;
  Status write_gather(std::uint64_t offset, std::span<const Bytes> pieces) override;
  Status sync() override;
  Status write_and_sync(std::uint64_t offset, Bytes bytes,
                        const std::function<void()>& meanwhile) override;
  Result<std::uint64_t> size() override;
  Status resize(std::uint64_t size) override;
  Status allocate(std::uint64_t offset, std::uint64_t size) override;
  Result<std::unique_ptr<Mapping>> map_read(std::uint64_t reserve) override;
  Result<std::unique_ptr<Mapping>> map_shared(std::uint64_t reserve) override;
  Result<FileIdentity> identity() override;
  const std::string& path() const noexcept override { return path_; }
  bool writable() const noexcept override { return writable_; }
  Result<bool> try_lock(std::uint64_t offset, std::uint64_t size, LockMode mode) override;
  Status unlock(std::uint64_t offset, std::uint64_t size) override;
  Result<bool> locked_elsewhere(std::uint64_t offset, std::uint64_t size) override;
  void close_in_child() noexcept override;

 private:
  Status check_writable(const char* verb) const;
  Status write_then_sync(std::uint64_t offset, Bytes bytes, const std::function<void()>& meanwhile);
  Status write_through_ring(SyncRing& ring, std::uint64_t offset, Bytes bytes,
                            const std::function<void()>& meanwhile);

  int descriptor_ = -1;
  const std::string path_;
  const bool writable_;
  std::mutex ring_mutex_;  // guards ring_ and ring_broken_; who finds it taken goes the plain way
  std::unique_ptr<SyncRing> ring_;  // made at first use
  bool ring_broken_ = false;
};

}  // namespace quire::io
