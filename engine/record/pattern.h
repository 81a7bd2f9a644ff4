// A regular expression that texts are checked against; matched in time linear in the text (RE2).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace quire {

// Immutable, thread-safe, cheap to copy. Syntax: RE2's, with UTF-8.
class Pattern {
 public:
  Pattern() = default;
  // kInvalid with what RE2 says of it.
  static Result<Pattern> compile(std::string_view expression);

  explicit operator bool() const noexcept { return compiled_ != nullptr; }
  const std::string& expression() const noexcept { return expression_; }
  // Whether the whole text matches.
  bool matches_whole(std::string_view text) const;
  // Whether some part of it does.
  bool matches_part(std::string_view text) const;
  bool operator==(const Pattern& other) const noexcept { return expression_ == other.expression_; }

 private:
  struct Compiled;
  std::string expression_;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace quire
