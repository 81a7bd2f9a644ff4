// What a query may use, and what it has used.
#pragma once

#include <chrono>
#include <cstdint>

#include "engine/base/result.h"

namespace quire::query {

// 0: no limit.
struct Limits {
  std::uint64_t time_us = 0;
  std::uint64_t records = 0;  // read, or entries of indexes in their stead
  std::uint64_t memory_bytes = 0;
};

struct Figures {
  std::uint64_t entries = 0;  // of indexes and of the primary tree that were looked at
  std::uint64_t rows = 0;     // records that were read
  std::uint64_t found = 0;    // records for which the filter holds
  std::uint64_t given = 0;    // rows that the caller got
  std::uint64_t memory_bytes = 0;
};

class Budget {
 public:
  Budget() = default;
  explicit Budget(const Limits& limits) noexcept
      : limits_(limits), begun_(std::chrono::steady_clock::now()) {}

  const Figures& figures() const noexcept { return figures_; }
  Figures& figures() noexcept { return figures_; }
  std::uint64_t elapsed_us() const noexcept;

  // One more entry was read. kBudget, saying what was done so far.
  Status entry() {
    ++figures_.entries;
    if (limits_.records == 0 && limits_.time_us == 0) return {};
    return check_entry();
  }
  // As many more bytes are held.
  Status memory(std::uint64_t bytes) {
    figures_.memory_bytes += bytes;
    if (limits_.memory_bytes == 0 || figures_.memory_bytes <= limits_.memory_bytes) return {};
    return exceeded("memory", limits_.memory_bytes, "bytes");
  }

 private:
  Status check_entry();
  std::unexpected<Error> exceeded(const char* what, std::uint64_t limit, const char* unit) const;

  Limits limits_;
  Figures figures_;
  std::chrono::steady_clock::time_point begun_;
};

}  // namespace quire::query
