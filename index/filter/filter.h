// The filter language: texts that say which records are meant, and what is calculated from one.
// docs/filters.md is its manual.
//
//   Filter::prepare     text and schema     parsed, typed, constants folded, patterns compiled
//   Filter::bind        and arguments       times and parameters known: only fields are open
//   BoundFilter::matches  and a record      the answer
//
// All of them are cheap to copy (a shared pointer), immutable (but for BoundFilter::bind_again) and
// may be used by any number of threads at once. A Filter keeps nothing of the schema but numbers
// and names of fields: it is good for as long as these are.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "index/filter/field_source.h"
#include "index/filter/prepared.h"
#include "index/filter/print.h"

namespace quire {

using FilterParameter = filter::TypedParameter;

class BoundFilter {
 public:
  explicit BoundFilter(std::shared_ptr<filter::Bound> bound) noexcept : bound_(std::move(bound)) {}

  // The same filter with other arguments, as Filter::bind(). Where no copy of this is left it costs
  // no memory: what was lent of it is good no more. After an error it can only be bound again.
  Status bind_again(const Arguments& arguments, std::optional<std::int64_t> now = {});

  // Whether the record is found: the whole is true, neither false nor unknown. Allocates nothing
  // but the memory of the thread for texts and JSON, which is used again.
  bool matches(const FieldSource& record) const { return test(record) == filter::Truth::kTrue; }
  filter::Truth test(const FieldSource& record) const {
    filter::Evaluator evaluator(bound_->environment, record);
    return evaluator.truth(root());
  }
  // The same of a part of the tree.
  filter::Truth test(const filter::Node& part, const FieldSource& record) const {
    filter::Evaluator evaluator(bound_->environment, record);
    return evaluator.truth(part);
  }

  const filter::Node& root() const noexcept { return bound_->prepared->root; }
  // The value of a node that no field is below; nullptr of others. Good as long as this.
  const Value* constant(const filter::Node& node) const noexcept;
  // The items of `in` and `has` where no field is below them; nullptr where one is, and for an
  // argument that is null.
  const filter::ValueSet* items(const filter::Node& node) const noexcept;
  // The pattern of `like`; nullptr where it is null.
  const filter::LikePattern* like_pattern(const filter::Node& node) const noexcept;
  // Those it was bound to, in the order of the parameters.
  std::span<const OwnedValue> arguments() const noexcept { return bound_->environment.arguments; }

 private:
  void be_alone();

  std::shared_ptr<filter::Bound> bound_;
};

class Filter {
 public:
  // kInvalid for what is no filter, kNotFound for a field that does not exist, kType for types that
  // do not go together: "filter, at 17: ...", where 17 is a byte of the text.
  static Result<Filter> prepare(std::string_view text, const Schema& schema);

  const filter::Node& root() const noexcept { return prepared_->root; }
  // In the order of filter::Node::parameter.
  std::span<const FilterParameter> parameters() const noexcept { return prepared_->parameters; }
  // Whether they are $1, $2 ...; else they are $name.
  bool numbered() const noexcept { return prepared_->numbered; }
  bool uses_now() const noexcept { return prepared_->uses_now; }
  // Fields that it reads, by their place in the schema, ascending.
  std::span<const std::uint32_t> fields() const noexcept { return prepared_->fields; }
  // Canonical: prepared again it gives an equal tree.
  std::string text() const { return filter::to_text(root()); }

  // Arguments are copied. `now`: microseconds since 1970; the clock's where none is given. kInvalid
  // for too few and too many, and for patterns and times that make no sense; kType, naming the
  // parameter.
  Result<BoundFilter> bind(const Arguments& arguments = {},
                           std::optional<std::int64_t> now = {}) const;

 private:
  explicit Filter(std::shared_ptr<const filter::Prepared> prepared) noexcept
      : prepared_(std::move(prepared)) {}
  std::shared_ptr<const filter::Prepared> prepared_;
};

class BoundExpression {
 public:
  explicit BoundExpression(std::shared_ptr<filter::Bound> bound) noexcept
      : bound_(std::move(bound)) {}
  // Null where something in it is unknown.
  OwnedValue value(const FieldSource& record) const;
  const filter::Node& root() const noexcept { return bound_->prepared->root; }

 private:
  std::shared_ptr<const filter::Bound> bound_;
};

// Any value, in the same language: `price * 1.2`, `doc.lines[0].sku`, `size > 5`.
class Expression {
 public:
  // As Filter::prepare; messages begin with "expression".
  static Result<Expression> prepare(std::string_view text, const Schema& schema);

  const filter::Node& root() const noexcept { return prepared_->root; }
  // What values it has when they are not null: one bit for each type (filter::types_of).
  filter::Types types() const noexcept { return prepared_->root.types; }
  std::span<const FilterParameter> parameters() const noexcept { return prepared_->parameters; }
  std::span<const std::uint32_t> fields() const noexcept { return prepared_->fields; }
  std::string text() const { return filter::to_text(root()); }

  Result<BoundExpression> bind(const Arguments& arguments = {},
                               std::optional<std::int64_t> now = {}) const;

 private:
  explicit Expression(std::shared_ptr<const filter::Prepared> prepared) noexcept
      : prepared_(std::move(prepared)) {}
  std::shared_ptr<const filter::Prepared> prepared_;
};

}  // namespace quire
