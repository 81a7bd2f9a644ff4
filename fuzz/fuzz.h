// What every fuzz target has: bytes in, and nothing worse than an error out.
//
// A target is one file, fuzz/NAME.cc, that defines fuzz_one and seeds, and one line in
// fuzz/meson.build. It is built twice: with libFuzzer (./dev fuzz NAME), and with the normal
// compiler and replay_main.cc, which replays the committed corpus in ./dev test.
//
// A target promises: nothing that it does depends on anything but its input, and its head says
// what it checks. A finding ends the process, with a sentence where no sanitizer has one.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "engine/base/bytes.h"

namespace quire::fuzz {

// --- defined by the target ---

void fuzz_one(Bytes input);
// Inputs to begin with, from the real encoders. The corpus is what fuzzing made of them.
std::vector<ByteVector> seeds();

// --- for the target ---

[[noreturn]] inline void found(const std::string& what) {
  std::fprintf(stderr, "FINDING: %s\n", what.c_str());
  std::abort();
}
// What must hold whatever the input is.
inline void demand(bool holds, const char* what) {
  if (!holds) found(what);
}

}  // namespace quire::fuzz
