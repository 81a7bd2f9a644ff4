// The patterns of `like`: % is any text, also none; _ is any one character; what follows the escape
// stands for itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace quire::filter {

// Immutable. O(text) where no _ lies between two %; else O(text * pattern) at worst, without
// memory.
class LikePattern {
 public:
  LikePattern() = default;
  // `escape`: one character, or empty for none. kInvalid where it is not one, or where neither %,
  // _ nor itself follows it.
  static Result<LikePattern> compile(std::string_view pattern, std::string_view escape,
                                     bool fold_case);

  bool matches(std::string_view text) const noexcept;

  // What texts that match begin with, for ranges of a sorted index.
  struct Prefix {
    std::string text;
    bool alone = false;  // every text that begins with it matches
    bool exact = false;  // only the prefix itself matches
  };
  // Byte by byte.
  const Prefix& prefix() const noexcept { return prefix_; }
  // The same of texts in lower case, of a pattern that folds case.
  const Prefix& folded_prefix() const noexcept { return folded_prefix_; }

 private:
  // What stands between two %.
  struct Part {
    std::string bytes;      // in lower case where case is folded; of a _ the byte is 0
    std::vector<bool> any;  // where a _ stands; empty when there is none
  };
  // Where a match that begins at `at` ends, or one that ends at `end` begins.
  std::optional<std::size_t> match_at(const Part& part, std::string_view text,
                                      std::size_t at) const noexcept;
  std::optional<std::size_t> match_before(const Part& part, std::string_view text,
                                          std::size_t end) const noexcept;
  // Where the first match from `at` on ends.
  std::optional<std::size_t> find(const Part& part, std::string_view text,
                                  std::size_t at) const noexcept;
  bool same(char text, char pattern) const noexcept;
  Prefix derive_prefix(bool folded) const;

  std::vector<Part> parts_ = {Part{}};  // one more than there are %
  bool fold_case_ = false;
  Prefix prefix_ = {.text = {}, .alone = false, .exact = true};
  Prefix folded_prefix_ = prefix_;
};

}  // namespace quire::filter
