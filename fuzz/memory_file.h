// A file that is a piece of memory, for structures that need one to read and map. Where the address
// sanitizer is on, what lies behind the file's end is poisoned: a read past it is a finding and not
// a zero.
#pragma once

#include <cstring>
#include <memory>
#include <string>

#include "engine/io/disk.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define QUIRE_FUZZ_POISON 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define QUIRE_FUZZ_POISON 1
#endif
#ifdef QUIRE_FUZZ_POISON
#include <sanitizer/asan_interface.h>
#endif

namespace quire::fuzz {

// One thread. A map shows all of the file, and is good as long as the file.
class MemoryFile final : public io::File {
 public:
  explicit MemoryFile(std::size_t capacity)
      : capacity_(round_up(capacity, kAlignment)),
        memory_(static_cast<std::byte*>(std::aligned_alloc(kAlignment, capacity_))) {
    set_size(0);
  }
  ~MemoryFile() override {
    set_size(capacity_);
    std::free(memory_);
  }

  // The whole file anew.
  void assign(Bytes content) {
    set_size(content.size());
    if (!content.empty()) std::memcpy(memory_, content.data(), content.size());
  }
  MutableBytes bytes() noexcept { return {memory_, size_}; }

  Status read(std::uint64_t offset, MutableBytes into) override {
    QUIRE_TRY(const std::size_t got, read_some(offset, into));
    if (got < into.size()) return fail(ErrorCode::kTruncated, "the file is short");
    return {};
  }
  Result<std::size_t> read_some(std::uint64_t offset, MutableBytes into) override {
    if (offset >= size_ || into.empty()) return std::size_t{0};
    const std::size_t count = std::min<std::size_t>(into.size(), size_ - offset);
    std::memcpy(into.data(), memory_ + offset, count);
    return count;
  }
  Status write(std::uint64_t offset, Bytes bytes) override {
    QUIRE_CHECK(allocate(offset, bytes.size()));
    if (!bytes.empty()) std::memcpy(memory_ + offset, bytes.data(), bytes.size());
    return {};
  }
  Status write_gather(std::uint64_t offset, std::span<const Bytes> pieces) override {
    for (const Bytes piece : pieces) {
      QUIRE_CHECK(write(offset, piece));
      offset += piece.size();
    }
    return {};
  }
  Status sync() override { return {}; }
  Status write_and_sync(std::uint64_t offset, Bytes bytes,
                        const std::function<void()>& meanwhile) override {
    QUIRE_CHECK(write(offset, bytes));
    if (meanwhile) meanwhile();
    return {};
  }
  Result<std::uint64_t> size() override { return size_; }
  Status resize(std::uint64_t size) override {
    if (size > capacity_) return fail(ErrorCode::kFull, "no room for %zu bytes", std::size_t{size});
    const std::size_t before = size_;
    set_size(size);
    if (size > before) std::fill(memory_ + before, memory_ + size, std::byte{});
    return {};
  }
  Status allocate(std::uint64_t offset, std::uint64_t size) override {
    if (offset > capacity_ || size > capacity_ - offset)
      return fail(ErrorCode::kFull, "no room for %zu bytes", std::size_t{size});
    return offset + size > size_ ? resize(offset + size) : Status();
  }
  Result<std::unique_ptr<io::Mapping>> map_read(std::uint64_t) override {
    return std::make_unique<Map>(memory_, capacity_);
  }
  Result<std::unique_ptr<io::Mapping>> map_shared(std::uint64_t) override { return unused(); }
  Result<io::FileIdentity> identity() override { return unused(); }
  const std::string& path() const noexcept override { return path_; }
  bool writable() const noexcept override { return true; }
  Result<bool> try_lock(std::uint64_t, std::uint64_t, io::LockMode) override { return unused(); }
  Status unlock(std::uint64_t, std::uint64_t) override { return unused(); }
  Result<bool> locked_elsewhere(std::uint64_t, std::uint64_t) override { return unused(); }
  void close_in_child() noexcept override {}

 private:
  static constexpr std::size_t kAlignment = 4096;
  class Map final : public io::Mapping {
   public:
    Map(std::byte* data, std::uint64_t size) {
      data_ = data;
      size_ = size;
    }
  };
  static std::unexpected<Error> unused() {
    return fail(ErrorCode::kNotSupported, "a file in memory has none of that");
  }
  void set_size(std::size_t size) noexcept {
    size_ = size;
#ifdef QUIRE_FUZZ_POISON
    __asan_unpoison_memory_region(memory_, size);
    __asan_poison_memory_region(memory_ + size, capacity_ - size);
#endif
  }

  const std::size_t capacity_;
  std::byte* const memory_;
  std::size_t size_ = 0;
  const std::string path_ = "memory";
};

}  // namespace quire::fuzz
