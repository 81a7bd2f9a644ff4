#include "index/filter/like.h"

#include <algorithm>
#include <cstring>

#include "index/filter/ascii.h"

namespace quire::filter {

Result<LikePattern> LikePattern::compile(std::string_view pattern, std::string_view escape,
                                         bool fold_case) {
  if (!escape.empty() && (count_characters(escape) != 1 || is_continuation(escape[0])))
    return fail(ErrorCode::kInvalid, "the escape of a pattern is one character");
  LikePattern made;
  made.fold_case_ = fold_case;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    Part& part = made.parts_.back();
    const bool escaped = !escape.empty() && pattern.substr(i).starts_with(escape);
    if (escaped) {
      i += escape.size();
      const std::string_view rest = pattern.substr(std::min(i, pattern.size()));
      if (!rest.starts_with('%') && !rest.starts_with('_') && !rest.starts_with(escape))
        return fail(ErrorCode::kInvalid, "what follows the escape of a pattern is %%, _ or itself");
    }
    if (!escaped && pattern[i] == '%') {
      made.parts_.emplace_back();
    } else if (!escaped && pattern[i] == '_') {
      part.any.resize(part.bytes.size());
      part.any.push_back(true);
      part.bytes += '\0';
    } else {
      // Of an escape that stands for itself the other bytes follow like any others, unless they
      // began an escape: no byte inside a character begins one.
      part.bytes += fold_case ? to_lower(pattern[i]) : pattern[i];
    }
  }
  for (Part& part : made.parts_)
    if (!part.any.empty()) part.any.resize(part.bytes.size());
  made.prefix_ = made.derive_prefix(false);
  made.folded_prefix_ = made.derive_prefix(true);
  return made;
}

LikePattern::Prefix LikePattern::derive_prefix(bool folded) const {
  const Part& first = parts_.front();
  std::size_t size = 0;
  while (size < first.bytes.size() && (first.any.empty() || !first.any[size]) &&
         (folded || !fold_case_ || !is_letter(first.bytes[size])))
    ++size;
  const bool all = size == first.bytes.size();
  const bool open = all && parts_.size() > 1 &&
                    std::ranges::all_of(parts_.begin() + 1, parts_.end(),
                                        [](const Part& part) { return part.bytes.empty(); });
  return {.text = first.bytes.substr(0, size), .alone = open, .exact = all && parts_.size() == 1};
}

bool LikePattern::same(char text, char pattern) const noexcept {
  return (fold_case_ ? to_lower(text) : text) == pattern;
}

std::optional<std::size_t> LikePattern::match_at(const Part& part, std::string_view text,
                                                 std::size_t at) const noexcept {
  for (std::size_t i = 0; i < part.bytes.size(); ++i) {
    if (at == text.size()) return {};
    if (!part.any.empty() && part.any[i]) {
      do ++at;
      while (at < text.size() && is_continuation(text[at]));
    } else if (!same(text[at++], part.bytes[i])) {
      return {};
    }
  }
  return at;
}

std::optional<std::size_t> LikePattern::match_before(const Part& part, std::string_view text,
                                                     std::size_t end) const noexcept {
  for (std::size_t i = part.bytes.size(); i > 0; --i) {
    if (end == 0) return {};
    if (!part.any.empty() && part.any[i - 1]) {
      do --end;
      while (end > 0 && is_continuation(text[end]));
    } else if (!same(text[--end], part.bytes[i - 1])) {
      return {};
    }
  }
  return end;
}

std::optional<std::size_t> LikePattern::find(const Part& part, std::string_view text,
                                             std::size_t at) const noexcept {
  if (part.any.empty() && !fold_case_) {
    if (part.bytes.empty()) return at;
    if (part.bytes.size() > text.size() - at) return {};
    // Linear whatever the bytes are, which string_view::find is not.
    const void* const found =
        memmem(text.data() + at, text.size() - at, part.bytes.data(), part.bytes.size());
    if (found == nullptr) return {};
    return static_cast<const char*>(found) - text.data() + part.bytes.size();
  }
  for (; at <= text.size(); ++at) {
    // A _ does not begin inside a character.
    if (at < text.size() && is_continuation(text[at])) continue;
    if (const auto end = match_at(part, text, at)) return end;
  }
  return {};
}

bool LikePattern::matches(std::string_view text) const noexcept {
  auto at = match_at(parts_.front(), text, 0);
  if (!at) return false;
  if (parts_.size() == 1) return *at == text.size();
  for (std::size_t i = 1; i + 1 < parts_.size(); ++i) {
    at = find(parts_[i], text, *at);
    if (!at) return false;
  }
  const auto last = match_before(parts_.back(), text, text.size());
  return last && *last >= *at;
}

}  // namespace quire::filter
