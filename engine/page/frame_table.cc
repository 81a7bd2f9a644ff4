#include "engine/page/frame_table.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace quire {
namespace {

constexpr std::size_t kChunks = 1u << 16;
constexpr std::size_t kHugeBytes = 2 << 20;
constexpr std::size_t kSmallBytes = 256 << 10;
static_assert(kSmallBytes >= kMaxPageSize);

// Zeroed memory that costs nothing until it is touched.
void* reserve_zeroed(std::size_t bytes) noexcept {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

}  // namespace

FrameTable::FrameTable()
    : chunks_(static_cast<std::atomic<std::atomic<Frame*>*>*>(
          reserve_zeroed(kChunks * sizeof(std::atomic<std::atomic<Frame*>*>)))) {
  if (chunks_ == nullptr) throw std::bad_alloc();
}

FrameTable::~FrameTable() {
  constexpr std::size_t kChunkBytes = (std::size_t{1} << kChunkBits) * sizeof(std::atomic<Frame*>);
  for (std::size_t i = 0; i < chunks_end_; ++i) {
    if (auto* chunk = chunks_[i].load(std::memory_order_relaxed)) ::munmap(chunk, kChunkBytes);
  }
  ::munmap(static_cast<void*>(chunks_), kChunks * sizeof(std::atomic<std::atomic<Frame*>*>));
}

bool FrameTable::insert(Frame* frame) noexcept {
  auto& top = chunks_[frame->page >> kChunkBits];
  auto* chunk = top.load(std::memory_order_acquire);
  if (chunk == nullptr) {
    const std::scoped_lock lock(grow_);
    chunk = top.load(std::memory_order_acquire);
    if (chunk == nullptr) {
      chunk = static_cast<std::atomic<Frame*>*>(
          reserve_zeroed((std::size_t{1} << kChunkBits) * sizeof(std::atomic<Frame*>)));
      if (chunk == nullptr) return false;
      top.store(chunk, std::memory_order_release);
      chunks_end_ = std::max<std::size_t>(chunks_end_, (frame->page >> kChunkBits) + 1);
    }
  }
  chunk[frame->page & kChunkMask].store(frame, std::memory_order_release);
  size_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

Frame* FrameTable::erase(PageNumber page) noexcept {
  auto* chunk = chunks_[page >> kChunkBits].load(std::memory_order_acquire);
  if (chunk == nullptr) return nullptr;
  Frame* frame = chunk[page & kChunkMask].exchange(nullptr, std::memory_order_acq_rel);
  if (frame != nullptr) size_.fetch_sub(1, std::memory_order_relaxed);
  return frame;
}

// Slabs hold single-page frames; a larger block has memory of its own.
struct FramePool::Slab {
  std::byte* memory = nullptr;
  std::uint64_t bytes = 0;
  std::size_t in_use = 0;
  bool goes = false;
  std::vector<Frame> frames;
  ~Slab() { std::free(memory); }
};

FramePool::FramePool(std::uint32_t page_size) : page_size_(page_size) {}
FramePool::~FramePool() {
  for (Frame* frame : blocks_) free_block(frame);
}

void FramePool::free_block(Frame* frame) noexcept {
  std::free(frame->data);
  delete frame;
}

Frame* FramePool::acquire_block(PageNumber pages) noexcept try {
  auto frame = std::make_unique<Frame>();
  frame->data = static_cast<std::byte*>(
      std::aligned_alloc(page_size_, static_cast<std::size_t>(pages) * page_size_));
  if (frame->data == nullptr) return nullptr;
  frame->pages = pages;
  const std::scoped_lock lock(mutex_);
  try {
    blocks_.insert(frame.get());
  } catch (const std::bad_alloc&) {
    std::free(frame->data);
    return nullptr;
  }
  used_.fetch_add(static_cast<std::uint64_t>(pages) * page_size_, std::memory_order_relaxed);
  return frame.release();
} catch (const std::bad_alloc&) {
  return nullptr;
}

std::size_t FramePool::acquire_some(std::span<Frame*> into) noexcept {
  std::size_t taken = 0;
  const std::scoped_lock lock(mutex_);
  for (; taken < into.size(); ++taken) {
    if (free_.empty() && !add_slab()) break;
    into[taken] = free_.back();
    free_.pop_back();
    ++slabs_[into[taken]->slab]->in_use;
  }
  used_.fetch_add(taken * page_size_, std::memory_order_relaxed);
  return taken;
}

bool FramePool::add_slab() noexcept try {
  auto slab = std::make_unique<Slab>();
  // The first is small. The others are huge pages where the system gives them: look-ups in private
  // pages are bound by the TLB (random gets gain about 45% from it).
  const bool huge = !slabs_.empty();
  const std::size_t bytes = huge ? kHugeBytes : kSmallBytes;
  slab->memory = static_cast<std::byte*>(std::aligned_alloc(huge ? kHugeBytes : page_size_, bytes));
  if (slab->memory == nullptr) return false;
  slab->bytes = bytes;
  if (huge) (void)::madvise(slab->memory, bytes, MADV_HUGEPAGE);
  const std::size_t frames = bytes / page_size_;
  slab->frames.resize(frames);
  free_.reserve((slabs_.size() + 1) * kHugeBytes / page_size_);
  std::size_t place = 0;
  while (place < slabs_.size() && slabs_[place] != nullptr) ++place;
  if (place == slabs_.size()) slabs_.emplace_back();
  for (std::size_t i = frames; i-- > 0;) {  // the lowest on top
    Frame& frame = slab->frames[i];
    frame.data = slab->memory + i * page_size_;
    frame.slab = static_cast<std::uint32_t>(place);
    free_.push_back(&frame);
  }
  slabs_[place] = std::move(slab);
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

void FramePool::release(std::span<Frame* const> frames) noexcept {
  if (frames.empty()) return;
  std::uint64_t bytes = 0;
  const std::scoped_lock lock(mutex_);
  for (Frame* frame : frames) {
    bytes += static_cast<std::uint64_t>(frame->pages) * page_size_;
    if (frame->pages != 1) {
      blocks_.erase(frame);
      free_block(frame);
      continue;
    }
    --slabs_[frame->slab]->in_use;
    free_.push_back(frame);
  }
  used_.fetch_sub(bytes, std::memory_order_relaxed);
}

std::uint64_t FramePool::held_locked() const noexcept {
  std::uint64_t held = 0;
  for (const auto& slab : slabs_) held += slab != nullptr ? slab->bytes : 0;
  return held;
}

std::uint64_t FramePool::held_bytes() const {
  const std::scoped_lock lock(mutex_);
  return held_locked();
}

void FramePool::trim(std::uint64_t keep_bytes) noexcept {
  const std::scoped_lock lock(mutex_);
  std::uint64_t held = held_locked();
  bool any = false;
  // The first, which is small, stays.
  for (std::size_t i = slabs_.size(); i-- > 1 && held > keep_bytes;) {
    if (slabs_[i] == nullptr || slabs_[i]->in_use != 0) continue;
    slabs_[i]->goes = any = true;
    held -= slabs_[i]->bytes;
  }
  if (!any) return;
  std::erase_if(free_, [this](const Frame* frame) { return slabs_[frame->slab]->goes; });
  for (auto& slab : slabs_) {
    if (slab != nullptr && slab->goes) slab.reset();
  }
}

}  // namespace quire
