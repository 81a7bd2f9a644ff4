#include "engine/io/simulated_content.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "engine/io/descriptor.h"

namespace quire::io {
namespace {

const std::string& memory_name() {
  static const std::string name = "simulated file";
  return name;
}

void require(bool condition, const char* what) {
  if (condition) return;
  std::perror(what);
  std::abort();
}

void require(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "%s\n", status.error().message().c_str());
  std::abort();
}

}  // namespace

SimulatedContent::SimulatedContent() : descriptor_(::memfd_create("simulated", MFD_CLOEXEC)) {
  require(descriptor_ >= 0, "memfd_create for a simulated file");
}

SimulatedContent::~SimulatedContent() { ::close(descriptor_); }

std::size_t SimulatedContent::read_some(std::uint64_t offset, MutableBytes into) const {
  const auto got = read_up_to(descriptor_, offset, into, memory_name());
  if (!got) require(std::unexpected(got.error()));
  return *got;
}

void SimulatedContent::put(std::uint64_t offset, Bytes bytes) {
  require(write_all(descriptor_, offset, bytes, memory_name()));
}

void SimulatedContent::set_size(std::uint64_t size) {
  require(::ftruncate(descriptor_, static_cast<off_t>(size)) == 0, "resize a simulated file");
  const std::uint64_t before = size_;
  size_ = size;
  shortest_ = std::min(shortest_, size);
  longest_ = std::max(longest_, size);
  if (shared_map_ && size > before) {
    make_stale(before, size - before);
    back(before, size - before, UINT64_MAX);
  }
}

void SimulatedContent::make_stale(std::uint64_t offset, std::uint64_t size) {
  if (size == 0) return;
  const std::uint64_t first = offset / kSectorSize;
  const std::uint64_t count = (offset + size - 1) / kSectorSize - first + 1;
  // What lies past the end reads as zeros here, and is zeros on the device.
  ByteVector before(count * kSectorSize);
  read_some(first * kSectorSize, before);
  auto entry = stale_.lower_bound(first);
  for (std::uint64_t i = 0; i < count; ++i, ++entry) {
    const std::size_t known = stale_.size();
    entry = stale_.try_emplace(entry, first + i);
    if (stale_.size() > known) {
      std::memcpy(entry->second.on_device.data(), &before[i * kSectorSize], kSectorSize);
    }
    entry->second.dirty = true;
  }
}

void SimulatedContent::write(std::uint64_t offset, Bytes bytes) {
  if (bytes.empty()) return;
  make_stale(offset, bytes.size());
  put(offset, bytes);
  if (offset + bytes.size() > size_) set_size(offset + bytes.size());
}

void SimulatedContent::resize(std::uint64_t size) {
  if (size < size_) {
    make_stale(size, size_ - size);
    drop_blocks_from(size);
  }
  set_size(size);
}

void SimulatedContent::drop_blocks_from(std::uint64_t size) {
  for (std::uint64_t block = (size + kBlockSize - 1) / kBlockSize; block < backed_.size();
       ++block) {
    backed_blocks_ -= backed_[block] ? 1 : 0;
    backed_[block] = false;
  }
}

void SimulatedContent::write_torn(std::uint64_t offset, Bytes bytes, SimulatedRandom& random) {
  const std::uint64_t end = offset + bytes.size();
  const bool prefix = random.chance(1, 2);
  const std::uint64_t sectors = (end + kSectorSize - 1) / kSectorSize - offset / kSectorSize;
  std::uint64_t rest = random.between(0, sectors);
  for (std::uint64_t at = offset; at < end;) {
    const std::uint64_t next = std::min(end, (at / kSectorSize + 1) * kSectorSize);
    const bool lands = prefix ? rest > 0 : random.chance(1, 2);
    rest -= rest > 0 ? 1 : 0;
    if (lands) write(at, bytes.subspan(at - offset, next - at));
    at = next;
  }
}

void SimulatedContent::sync() {
  std::erase_if(stale_, [](const auto& entry) { return entry.second.dirty; });
  durable_size_ = shortest_ = longest_ = size_;
  if (shared_map_) note_shared_map();
}

void SimulatedContent::fail_sync() {
  for (auto& [sector, stale] : stale_) stale.dirty = false;
}

void SimulatedContent::note_shared_map() {
  shared_map_ = true;
  make_stale(0, size_);
  back(0, size_, UINT64_MAX);
}

std::uint64_t SimulatedContent::back(std::uint64_t offset, std::uint64_t size,
                                     std::uint64_t free_bytes) {
  if (size == 0) return 0;
  const std::uint64_t end = offset + size;
  std::uint64_t free_blocks = free_bytes / kBlockSize;
  const std::uint64_t last = (end - 1) / kBlockSize;
  if (backed_.size() <= last) backed_.resize(last + 1);
  for (std::uint64_t block = offset / kBlockSize; block <= last; ++block) {
    if (backed_[block]) continue;
    if (free_blocks == 0) return std::max(block * kBlockSize, offset) - offset;
    --free_blocks;
    ++backed_blocks_;
    backed_[block] = true;
  }
  return size;
}

void SimulatedContent::copy_cache_to(SimulatedContent& other) const {
  // Only what is backed: a file may be far larger than what is in it.
  ByteVector buffer;
  for (std::uint64_t block = 0; block < backed_.size();) {
    std::uint64_t end = block;
    while (end < backed_.size() && backed_[end]) ++end;
    if (end > block) {
      buffer.resize((end - block) * kBlockSize);
      const std::size_t got = read_some(block * kBlockSize, buffer);
      other.put(block * kBlockSize, Bytes(buffer).first(got));
    }
    block = end + 1;
  }
  other.set_size(size_);
  other.backed_ = backed_;
  other.backed_blocks_ = backed_blocks_;
}

std::unique_ptr<SimulatedContent> SimulatedContent::clone() const {
  auto copy = std::make_unique<SimulatedContent>();
  copy_cache_to(*copy);
  copy->durable_size_ = durable_size_;
  copy->shortest_ = shortest_;
  copy->longest_ = longest_;
  copy->stale_ = stale_;
  copy->shared_map_ = shared_map_;
  return copy;
}

std::uint64_t SimulatedContent::surviving_size(SimulatedRandom* random) const {
  if (random == nullptr || random->chance(1, 4)) return durable_size_;
  if (random->chance(1, 3)) return size_;
  return random->between(std::min(shortest_, durable_size_), std::max(longest_, durable_size_));
}

std::unique_ptr<SimulatedContent> SimulatedContent::after_power_loss(
    SimulatedRandom* random) const {
  auto copy = std::make_unique<SimulatedContent>();
  copy_cache_to(*copy);
  // A file at a time leans to the old or to the new, so that whole and mixed outcomes all occur.
  const std::uint64_t kept_of_8 = random == nullptr ? 0 : random->below(9);
  ByteVector lost;  // neighbours, so that they are put back together
  std::uint64_t next = 0;
  const auto put_back = [&] {
    if (!lost.empty()) copy->put(next * kSectorSize - lost.size(), lost);
    lost.clear();
  };
  for (const auto& [sector, stale] : stale_) {
    if (random != nullptr && random->chance(kept_of_8, 8)) continue;
    if (sector != next) put_back();
    lost.insert(lost.end(), stale.on_device.begin(), stale.on_device.end());
    next = sector + 1;
    if (sector * kSectorSize < durable_size_) {
      copy->back(sector * kSectorSize, kSectorSize, UINT64_MAX);
    }
  }
  put_back();
  const std::uint64_t size = surviving_size(random);
  copy->drop_blocks_from(size);
  copy->set_size(size);
  copy->sync();
  return copy;
}

}  // namespace quire::io
