// A large array in memory, all zeros at first, in huge pages where the system gives them: what is
// read here and there in it then costs no walk through page tables.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>

namespace quire {

// Zeros, on a boundary of 2 MiB. std::bad_alloc. For free().
void* allocate_zeroed(std::size_t bytes);
void free_zeroed(void* memory) noexcept;

// Owns it.
template <class T>
class ZeroedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  ZeroedArray() = default;
  // std::bad_alloc.
  explicit ZeroedArray(std::size_t size) {
    if (size > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_alloc();
    if (size != 0) elements_.reset(static_cast<T*>(allocate_zeroed(size * sizeof(T))));
  }
  T* data() const noexcept { return elements_.get(); }

 private:
  struct Free {
    void operator()(T* elements) const noexcept { free_zeroed(elements); }
  };
  std::unique_ptr<T, Free> elements_;
};

}  // namespace quire
