#include "failing_memory.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>

namespace quire::test::memory {
namespace {

std::atomic<std::uint64_t> count{0};
std::atomic<std::uint64_t> count_refused{0};
std::atomic<std::uint64_t> refuse_at{0};
std::atomic<Fault> how{Fault::kOnce};
std::atomic<bool> step_open{false};
std::atomic<const char*> running{""};
std::atomic<const char*> first_refused{""};
std::atomic<std::uint64_t> refused_before{0};
thread_local bool makes_calls = false;
thread_local bool in_call = false;

bool refuse() noexcept {
  if (!step_open.load(std::memory_order_relaxed) || (makes_calls && !in_call)) return false;
  const std::uint64_t n = count.fetch_add(1) + 1;
  const std::uint64_t at = refuse_at.load();
  if (at == 0 || n < at || (n > at && how.load() == Fault::kOnce)) return false;
  if (count_refused.fetch_add(1) == 0) first_refused.store(running.load());
  return true;
}

void* allocate(std::size_t size) noexcept {
  return refuse() ? nullptr : std::malloc(size == 0 ? 1 : size);
}
void* allocate_aligned(std::size_t size, std::size_t alignment) noexcept {
  void* memory = nullptr;
  if (refuse() || ::posix_memalign(&memory, alignment, size) != 0) return nullptr;
  return memory;
}
void* or_throw(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void fail_at(std::uint64_t n, Fault fault) {
  count.store(0);
  count_refused.store(0);
  how.store(fault);
  first_refused.store("");
  refuse_at.store(n);
}
std::uint64_t demands() { return count.load(); }
std::uint64_t refused() { return count_refused.load(); }
bool refused_in_last_step() { return count_refused.load() != refused_before.load(); }

Step::Step() {
  refused_before.store(count_refused.load());
  makes_calls = true;
  step_open.store(true);
}
Step::~Step() {
  step_open.store(false);
  if (refused_in_last_step()) refuse_at.store(0);  // memory is back
}

const char* refused_in() { return first_refused.load(); }

Call::Call(const char* name) {
  running.store(name);
  in_call = true;
}
Call::~Call() {
  in_call = false;
  if (step_open.load() && refused_in_last_step()) refuse_at.store(0);
}

}  // namespace quire::test::memory

namespace memory = quire::test::memory;

void* operator new(std::size_t size) { return memory::or_throw(memory::allocate(size)); }
void* operator new[](std::size_t size) { return memory::or_throw(memory::allocate(size)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return memory::allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return memory::allocate(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return memory::or_throw(memory::allocate_aligned(size, static_cast<std::size_t>(alignment)));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return memory::or_throw(memory::allocate_aligned(size, static_cast<std::size_t>(alignment)));
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return memory::allocate_aligned(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return memory::allocate_aligned(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  std::free(memory);
}

// The sanitizers have their own of these.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return memory::allocate_aligned(size, alignment);
}

// The library's maps; those of malloc and of threads don't come through here.
extern "C" void* mmap(void* address, std::size_t size, int protection, int flags, int descriptor,
                      off_t offset) noexcept {
  if (memory::refuse()) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  return reinterpret_cast<void*>(
      ::syscall(SYS_mmap, address, size, protection, flags, descriptor, offset));
}

#endif
