// A path into a JSON document: which value of it is meant.
//
//   .key      the member of an object: all up to the next '.' or '['
//   ["key"]   the same for any key, which is a JSON string
//   [n]       the n-th element of an array, from 0
//
// Of members with the same key the first counts. Keys are compared after their escapes are undone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/record/value.h"
#include "index/filter/step.h"

namespace quire {

inline constexpr std::size_t kMaxPathSteps = 64;
inline constexpr std::size_t kMaxPathKey = 1024;  // bytes of a key

class JsonPath {
 public:
  using Step = filter::Step;

  // kInvalid, saying what is wrong. A path has one step or more.
  static Result<JsonPath> parse(std::string_view text);
  // What parse() makes this path of. `quoted`: keys in brackets, whatever they are.
  std::string text(bool quoted = false) const;
  const std::vector<Step>& steps() const noexcept { return steps_; }
  bool empty() const noexcept { return steps_.empty(); }

  // The scalar at this place of a document: bool, i64, f64 or text; null where there is none, or an
  // array or object. Numbers are i64 where they are written as integers that fit. A text is put
  // into `memory`. What is no JSON has only nulls. O(document).
  Value find(std::string_view document, std::string& memory) const;

  // varint number of steps; of each u8 0, varint size and key, or u8 1, varint element.
  void encode(ByteWriter& writer) const;
  static Result<JsonPath> decode(ByteReader& reader);

  bool operator==(const JsonPath&) const = default;

 private:
  std::vector<Step> steps_;
};

}  // namespace quire
