// What Filter and Expression have in common: a text that was read once, and arguments for it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "index/filter/evaluate.h"
#include "index/filter/typing.h"

namespace quire {

// An argument for a parameter with a name, which is written without the $.
struct Argument {
  std::string_view name;
  Value value;
};
// By their number, or by their name.
using Arguments = std::variant<std::span<const Value>, std::span<const Argument>>;

}  // namespace quire

namespace quire::filter {

// Immutable; nodes have slots.
struct Prepared {
  Node root;
  std::vector<TypedParameter> parameters;
  bool numbered = false;
  bool uses_now = false;
  std::vector<std::uint32_t> fields;  // that it reads, ascending, each once
  Environment constants;              // borrows from the tree
  std::vector<const Node*> open;      // what arguments and the time tell, children first
  const char* what = "filter";        // in messages
};

// A tree and all it needs to be evaluated. Immutable but for being bound again.
struct Bound {
  std::shared_ptr<const Prepared> prepared;
  Environment environment;
  std::vector<OwnedValue> computed;  // what slots borrow from
  bool has_constants = false;        // those of `prepared` are in the environment
};

Result<std::shared_ptr<const Prepared>> prepare(std::string_view text, const Schema& schema,
                                                bool condition);

// `now`: microseconds; the clock's where none is given.
Result<std::shared_ptr<Bound>> bind(std::shared_ptr<const Prepared> prepared,
                                    const Arguments& arguments, std::optional<std::int64_t> now);
// The same tree with other arguments, in the memory that is there. After an error `bound` can only
// be bound again.
Status bind_again(Bound& bound, const Arguments& arguments, std::optional<std::int64_t> now);

}  // namespace quire::filter
