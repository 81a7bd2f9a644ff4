// What kernels call the elements of a vector field.
#pragma once

#include "engine/record/value.h"
#include "index/kernels/distance.h"

namespace quire {

inline ElementType elements_of(FieldType vector) noexcept {
  switch (vector) {
    case FieldType::kVectorF16:
      return ElementType::kF16;
    case FieldType::kVectorI8:
      return ElementType::kI8;
    case FieldType::kVectorBits:
      return ElementType::kBits;
    default:
      return ElementType::kF32;
  }
}

}  // namespace quire
