#include "index/query/budget.h"

namespace quire::query {
namespace {

// Asking for the time costs as much as an entry.
constexpr std::uint64_t kEntriesPerLook = 64;

}  // namespace

std::uint64_t Budget::elapsed_us() const noexcept {
  const auto elapsed = std::chrono::steady_clock::now() - begun_;
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count());
}

Status Budget::check_entry() {
  if (limits_.records != 0 && figures_.entries > limits_.records)
    return exceeded("records", limits_.records, "records");
  if (limits_.time_us != 0 && figures_.entries % kEntriesPerLook == 1 &&
      elapsed_us() > limits_.time_us)
    return exceeded("time", limits_.time_us, "us");
  return {};
}

std::unexpected<Error> Budget::exceeded(const char* what, std::uint64_t limit,
                                        const char* unit) const {
  return fail(ErrorCode::kBudget,
              "query: stopped at its budget of %s, %llu %s; so far %llu entries and %llu records "
              "were read, %llu matched, %llu rows were given, in %llu us",
              what, static_cast<unsigned long long>(limit), unit,
              static_cast<unsigned long long>(figures_.entries),
              static_cast<unsigned long long>(figures_.rows),
              static_cast<unsigned long long>(figures_.found),
              static_cast<unsigned long long>(figures_.given),
              static_cast<unsigned long long>(elapsed_us()));
}

}  // namespace quire::query
