#include "engine/record/pattern.h"

#include <re2/re2.h>

namespace quire {
namespace {

// Of the compiled program and its caches, each pattern.
constexpr std::int64_t kMemoryBytes = std::int64_t{8} << 20;

re2::RE2::Options options() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMemoryBytes);
  options.set_dot_nl(true);
  return options;
}

re2::StringPiece piece(std::string_view text) noexcept { return {text.data(), text.size()}; }

}  // namespace

struct Pattern::Compiled {
  explicit Compiled(std::string_view expression) : program(piece(expression), options()) {}
  re2::RE2 program;
};

Result<Pattern> Pattern::compile(std::string_view expression) {
  Pattern pattern;
  pattern.expression_ = expression;
  auto compiled = std::make_shared<const Compiled>(expression);
  if (!compiled->program.ok())
    return fail(ErrorCode::kInvalid, "the regular expression '%s' is wrong: %s",
                pattern.expression_.c_str(), compiled->program.error().c_str());
  pattern.compiled_ = std::move(compiled);
  return pattern;
}

bool Pattern::matches_whole(std::string_view text) const {
  return re2::RE2::FullMatch(piece(text), compiled_->program);
}

bool Pattern::matches_part(std::string_view text) const {
  return re2::RE2::PartialMatch(piece(text), compiled_->program);
}

}  // namespace quire
