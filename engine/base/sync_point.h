// Places where a test may hold a thread, to force an order of events that is rare by itself
// (tests/process/race_test.cc, interleaving_test.cc): the steps of the models in tests/model. Only
// in builds with assertions; elsewhere reach() is nothing.
#pragma once

#ifndef NDEBUG
#include <atomic>
#endif

namespace quire::sync_point {

#ifndef NDEBUG
inline constexpr bool kCompiled = true;
// Called with the name of each place that a thread reaches; null: nothing.
inline std::atomic<void (*)(const char* place)> hook{nullptr};
inline void reach(const char* place) {
  if (auto* held = hook.load(std::memory_order_acquire)) held(place);
}
#else
inline constexpr bool kCompiled = false;
inline void reach(const char*) noexcept {}
#endif

}  // namespace quire::sync_point
