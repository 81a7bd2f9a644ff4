// Memory that ends when it is told to: operator new of this program, aligned_alloc and mmap.
//
// Only the library is refused, and only while a Step is open: in the thread that opened it between
// entering and leaving a function of quire.h (library_calls.h), in others (the library's own) at
// any time. malloc is left alone, so what the system's libraries need is always there.
#pragma once

#include <cstdint>

namespace quire::test::memory {

enum class Fault : std::uint8_t {
  kOnce,    // the n-th demand is refused, and nothing else
  kFromOn,  // the n-th and all that follow, until the call that made it returns
};

// Counts from 1; 0 refuses nothing. Starts anew.
void fail_at(std::uint64_t n, Fault fault);
// Demands since then, and how many were refused.
std::uint64_t demands();
std::uint64_t refused();
// Whether memory ended in the last Step.
bool refused_in_last_step();

// Open while memory may end.
class Step {
 public:
  Step();
  ~Step();
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;
};

// The function that was first refused something, or that ran beside it; "" where none was.
const char* refused_in();

// Open while a function of the library runs.
class Call {
 public:
  explicit Call(const char* name);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
};

template <class Function>
decltype(auto) called(const char* name, Function&& function) {
  const Call call(name);
  return function();
}

}  // namespace quire::test::memory
