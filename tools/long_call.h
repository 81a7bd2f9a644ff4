// A call of the library that may take long: progress on a terminal, and SIGINT stops it.
#pragma once

#include <quire/quire.hpp>

#include <string>

#include "tools/failure.h"
#include "tools/output.h"
#include "tools/signals.h"

namespace quire::tools {

class LongCall {
 public:
  explicit LongCall(std::string what) : what_(std::move(what)) { catch_interrupts(); }

  // To be given to the call, with this as its context.
  static int progress(void* context, std::uint64_t done, std::uint64_t total) {
    return static_cast<LongCall*>(context)->show(done, total);
  }
  // Of the call: throws Failure when it was interrupted, and Error when it failed.
  void finish(int code) {
    progress_.clear();
    if (code == QUIRE_ERR_CANCELLED && interrupted()) {
      throw Failure("interrupted; nothing was changed", kInterrupted);
    }
    require(code);
  }
  double seconds() const { return progress_.seconds(); }

 private:
  int show(std::uint64_t done, std::uint64_t total) {
    if (progress_.due_now()) {
      progress_.update(what_ + ": " + format_count(done) + " of " + format_count(total));
    }
    return interrupted() ? 1 : 0;
  }

  std::string what_;
  Progress progress_;
};

}  // namespace quire::tools
