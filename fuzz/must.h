// For targets on the engine: results of what must work.
#pragma once

#include "engine/base/result.h"
#include "fuzz/fuzz.h"

namespace quire::fuzz {

// For what must work for the target to make sense.
template <class T>
T must(Result<T> result) {
  if (!result) found("this should work: " + result.error().message());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace quire::fuzz
