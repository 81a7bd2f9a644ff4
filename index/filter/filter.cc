#include "index/filter/filter.h"

namespace quire {
namespace {

template <class Made>
Result<Made> wrapped(Result<std::shared_ptr<filter::Bound>> bound) {
  if (!bound) return std::unexpected(std::move(bound).error());
  return Made(std::move(*bound));
}

}  // namespace

// Copies keep what they are bound to.
void BoundFilter::be_alone() {
  if (bound_.use_count() == 1) return;
  auto fresh = std::make_shared<filter::Bound>();
  fresh->prepared = bound_->prepared;
  bound_ = std::move(fresh);
}

Status BoundFilter::bind_again(const Arguments& arguments, std::optional<std::int64_t> now) {
  be_alone();
  return filter::bind_again(*bound_, arguments, now);
}

const Value* BoundFilter::constant(const filter::Node& node) const noexcept {
  return node.slot == filter::kNone ? nullptr : &bound_->environment.slots[node.slot];
}

const filter::ValueSet* BoundFilter::items(const filter::Node& node) const noexcept {
  const bool has = node.kind == filter::Kind::kIn || node.kind == filter::Kind::kHas;
  if (!has || node.compiled == filter::kNone) return nullptr;
  return bound_->environment.sets[node.compiled].get();
}

const filter::LikePattern* BoundFilter::like_pattern(const filter::Node& node) const noexcept {
  if (node.kind != filter::Kind::kLike || node.compiled == filter::kNone) return nullptr;
  return bound_->environment.likes[node.compiled].get();
}

Result<Filter> Filter::prepare(std::string_view text, const Schema& schema) {
  QUIRE_TRY(auto prepared, filter::prepare(text, schema, true));
  return Filter(std::move(prepared));
}

Result<BoundFilter> Filter::bind(const Arguments& arguments,
                                 std::optional<std::int64_t> now) const {
  return wrapped<BoundFilter>(filter::bind(prepared_, arguments, now));
}

OwnedValue BoundExpression::value(const FieldSource& record) const {
  filter::Evaluator evaluator(bound_->environment, record);
  return OwnedValue(evaluator.value(root()));
}

Result<Expression> Expression::prepare(std::string_view text, const Schema& schema) {
  QUIRE_TRY(auto prepared, filter::prepare(text, schema, false));
  return Expression(std::move(prepared));
}

Result<BoundExpression> Expression::bind(const Arguments& arguments,
                                         std::optional<std::int64_t> now) const {
  return wrapped<BoundExpression>(filter::bind(prepared_, arguments, now));
}

}  // namespace quire
