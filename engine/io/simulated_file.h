// A File of the simulated disk. Internal to engine/io.
#pragma once

#include <memory>
#include <string>

#include "engine/io/simulated_world.h"

namespace quire::io {

class SimulatedFile final : public File {
 public:
  // The world's mutex is held.
  SimulatedFile(std::shared_ptr<SimulatedWorld> world, NodePtr node, std::string path,
                bool writable);
  ~SimulatedFile() override;

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
  // Neither crashed nor closed.
  Status usable() const;
  Status usable_for_change(const char* verb, std::uint64_t offset, std::uint64_t size) const;
  Result<std::unique_lock<std::mutex>> lock_for_locks(std::uint64_t offset,
                                                      std::uint64_t size) const;
  Status store(std::uint64_t offset, Bytes bytes);
  SimulatedContent& content() const { return *node_->content; }

  const std::shared_ptr<SimulatedWorld> world_;
  const NodePtr node_;
  const std::string path_;
  const bool writable_;
  const std::uint64_t id_;
  bool closed_ = false;
};

}  // namespace quire::io
