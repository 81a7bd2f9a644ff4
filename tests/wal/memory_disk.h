// A Disk that is a map of byte vectors, with knobs for the log's tests: slow, counted and failing
// syncs, a device that is full, access to the bytes. Crashes are SimulatedDisk's matter.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/io/disk.h"

namespace quire::wal {

class MemoryDisk final : public io::Disk {
 public:
  // Knobs and counters; any thread.
  std::atomic<int> syncs{0};  // of files
  std::atomic<int> writes{0};
  std::atomic<int> syncs_until_failure{-1};  // 0: this one fails; negative: none
  std::atomic<int> writes_until_failure{-1};
  std::atomic<bool> directory_sync_fails{false};
  std::atomic<std::int64_t> room_bytes{INT64_MAX};  // for allocate
  std::atomic<int> sync_micros{0};
  std::atomic<bool> hold_syncs{false};  // until it is false again

  std::map<std::string, ByteVector> copy() {
    const std::lock_guard lock(m_);
    std::map<std::string, ByteVector> all;
    for (const auto& [path, node] : files_) all[path] = node->bytes;
    return all;
  }
  void restore(const std::map<std::string, ByteVector>& all) {
    const std::lock_guard lock(m_);
    files_.clear();
    for (const auto& [path, bytes] : all) {
      files_[path] = std::make_shared<Node>();
      files_[path]->bytes = bytes;
    }
  }
  ByteVector& bytes(const std::string& path) { return files_.at(path)->bytes; }

  Result<std::unique_ptr<io::File>> open(const std::string& path, io::OpenMode mode) override;
  Status make_directory(const std::string&) override { return {}; }
  Status rename(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(m_);
    const auto found = files_.find(from);
    if (found == files_.end()) return fail(ErrorCode::kNotFound, "%s", from.c_str());
    const auto node = found->second;
    files_.erase(found);
    files_[to] = node;
    return {};
  }
  Status remove(const std::string& path) override {
    const std::lock_guard lock(m_);
    if (files_.erase(path) == 0) return fail(ErrorCode::kNotFound, "%s", path.c_str());
    return {};
  }
  Result<bool> exists(const std::string& path) override {
    const std::lock_guard lock(m_);
    return files_.contains(path) || is_parent(path);
  }
  Result<bool> is_directory(const std::string& path) override {
    const std::lock_guard lock(m_);
    return is_parent(path);
  }
  Result<std::vector<std::string>> list(const std::string& directory) override {
    const std::lock_guard lock(m_);
    std::vector<std::string> names;
    for (const auto& [path, node] : files_) {
      if (path.starts_with(directory + "/")) names.push_back(path.substr(directory.size() + 1));
    }
    return names;
  }
  Status sync_directory(const std::string& directory) override {
    if (directory_sync_fails) return fail(ErrorCode::kIo, "sync of %s failed", directory.c_str());
    return {};
  }
  Result<bool> may_write(const std::string&) override { return true; }
  Result<std::string> network_filesystem(const std::string&) override { return std::string(); }
  Result<std::string> canonical_path(const std::string& path) override { return path; }
  Result<std::array<std::uint64_t, 2>> boot_id() override {
    return std::array<std::uint64_t, 2>{1, 2};
  }

 private:
  struct Node {
    std::mutex m;
    ByteVector bytes;
  };
  class MemoryFile;
  bool is_parent(const std::string& path) const {
    const auto after = files_.lower_bound(path + "/");
    return after != files_.end() && after->first.starts_with(path + "/");
  }

  std::mutex m_;
  std::map<std::string, std::shared_ptr<Node>> files_;
};

class MemoryDisk::MemoryFile final : public io::File {
 public:
  MemoryFile(MemoryDisk& disk, std::shared_ptr<Node> node, std::string path)
      : disk_(disk), node_(std::move(node)), path_(std::move(path)) {}

  Status read(std::uint64_t offset, MutableBytes into) override {
    QUIRE_TRY(const std::size_t got, read_some(offset, into));
    if (got < into.size()) return fail(ErrorCode::kTruncated, "%s is short", path_.c_str());
    return {};
  }
  Result<std::size_t> read_some(std::uint64_t offset, MutableBytes into) override {
    const std::lock_guard lock(node_->m);
    if (offset >= node_->bytes.size()) return std::size_t{0};
    const std::size_t count = std::min(into.size(), node_->bytes.size() - offset);
    if (count != 0) std::memcpy(into.data(), node_->bytes.data() + offset, count);
    return count;
  }
  Status write(std::uint64_t offset, Bytes bytes) override {
    ++disk_.writes;
    if (disk_.writes_until_failure >= 0 && disk_.writes_until_failure-- == 0) {
      return fail(ErrorCode::kIo, "the write to %s failed", path_.c_str());
    }
    const std::lock_guard lock(node_->m);
    if (node_->bytes.size() < offset + bytes.size()) node_->bytes.resize(offset + bytes.size());
    if (!bytes.empty()) std::memcpy(node_->bytes.data() + offset, bytes.data(), bytes.size());
    return {};
  }
  Status write_gather(std::uint64_t offset, std::span<const Bytes> pieces) override {
    for (const Bytes piece : pieces) {
      QUIRE_CHECK(write(offset, piece));
      offset += piece.size();
    }
    return {};
  }
  Status sync() override {
    ++disk_.syncs;
    while (disk_.hold_syncs) std::this_thread::yield();
    if (const int micros = disk_.sync_micros) {
      std::this_thread::sleep_for(std::chrono::microseconds(micros));
    }
    if (disk_.syncs_until_failure >= 0 && disk_.syncs_until_failure-- == 0) {
      return fail(ErrorCode::kIo, "the sync of %s failed", path_.c_str());
    }
    return {};
  }
  Status write_and_sync(std::uint64_t offset, Bytes bytes,
                        const std::function<void()>& meanwhile) override {
    QUIRE_CHECK(write(offset, bytes));
    if (meanwhile) meanwhile();
    return sync();
  }
  Result<std::uint64_t> size() override {
    const std::lock_guard lock(node_->m);
    return node_->bytes.size();
  }
  Status resize(std::uint64_t size) override {
    const std::lock_guard lock(node_->m);
    node_->bytes.resize(size);
    return {};
  }
  Status allocate(std::uint64_t offset, std::uint64_t size) override {
    if (disk_.room_bytes < static_cast<std::int64_t>(size)) {
      return fail(ErrorCode::kFull, "no room for %s", path_.c_str());
    }
    const std::lock_guard lock(node_->m);
    if (node_->bytes.size() < offset + size) node_->bytes.resize(offset + size);
    return {};
  }
  Result<std::unique_ptr<io::Mapping>> map_read(std::uint64_t) override { return unused(); }
  Result<std::unique_ptr<io::Mapping>> map_shared(std::uint64_t) override { return unused(); }
  Result<io::FileIdentity> identity() override { return unused(); }
  const std::string& path() const noexcept override { return path_; }
  bool writable() const noexcept override { return true; }
  Result<bool> try_lock(std::uint64_t, std::uint64_t, io::LockMode) override { return unused(); }
  Status unlock(std::uint64_t, std::uint64_t) override { return unused(); }
  Result<bool> locked_elsewhere(std::uint64_t, std::uint64_t) override { return unused(); }
  void close_in_child() noexcept override {}

 private:
  static std::unexpected<Error> unused() {
    return fail(ErrorCode::kNotSupported, "the log does not use this");
  }
  MemoryDisk& disk_;
  const std::shared_ptr<Node> node_;
  const std::string path_;
};

inline Result<std::unique_ptr<io::File>> MemoryDisk::open(const std::string& path,
                                                          io::OpenMode mode) {
  const std::lock_guard lock(m_);
  const bool there = files_.contains(path);
  const bool creates = mode == io::OpenMode::kCreate || mode == io::OpenMode::kOpenOrCreate;
  if (!there && !creates) return fail(ErrorCode::kNotFound, "%s is not there", path.c_str());
  if (there && mode == io::OpenMode::kCreate) return fail(ErrorCode::kExists, "%s", path.c_str());
  if (!there) files_[path] = std::make_shared<Node>();
  return std::make_unique<MemoryFile>(*this, files_[path], path);
}

}  // namespace quire::wal
