// Results in tests: what must hold for a test to make sense, and what an error says.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>
#include <utility>

#include "engine/base/result.h"

namespace quire::test {

// The value; ends the process with the error where there is none.
template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "what a test rests on failed: %s: %s\n",
                 std::string(error_name(result.error().code())).c_str(),
                 result.error().message().c_str());
    std::abort();
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// The code of a result's error; kOk where there is none.
template <class T>
ErrorCode code_of(const Result<T>& result) {
  return result ? ErrorCode::kOk : result.error().code();
}

// Its sentence; empty where there is none.
template <class T>
std::string words_of(const Result<T>& result) {
  return result ? "" : result.error().message();
}

}  // namespace quire::test
