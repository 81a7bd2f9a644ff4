#include "engine/record/field.h"

#include <algorithm>
#include <cmath>

#include "engine/record/array_value.h"

namespace quire {
namespace {

FieldType scalar_of(FieldType type) noexcept { return is_array(type) ? element_type(type) : type; }

bool has_order(FieldType scalar) noexcept {
  return scalar == FieldType::kI64 || scalar == FieldType::kF64 || scalar == FieldType::kTimestamp;
}

std::unexpected<Error> no_rule(const char* rule, FieldType type) {
  return fail(ErrorCode::kInvalid, "%s does not exist for %.*s", rule,
              static_cast<int>(type_name(type).size()), type_name(type).data());
}

Status check_typed(const char* rule, const OwnedValue& value, FieldType type) {
  if (value.type() != type)
    return fail(ErrorCode::kInvalid, "%s is %.*s, must be %.*s", rule,
                static_cast<int>(type_name(value.type()).size()), type_name(value.type()).data(),
                static_cast<int>(type_name(type).size()), type_name(type).data());
  if (type == FieldType::kF64 && std::isnan(value.view().f64))
    return fail(ErrorCode::kInvalid, "%s is NaN", rule);
  return {};
}

Status check_default(const Field& field) {
  const FieldRules& rules = field.rules;
  const FieldType type = field.type;
  const bool has_value = !rules.default_value.is_null();
  switch (rules.default_kind) {
    case DefaultKind::kNone:
      if (has_value) return fail(ErrorCode::kInvalid, "a default value without a default");
      return {};
    case DefaultKind::kValue:
      if (is_vector(type)) return no_rule("a default", type);
      if (rules.default_value.type() != type)
        return check_typed("the default", rules.default_value, type);
      break;
    case DefaultKind::kNow:
      if (type != FieldType::kTimestamp) return no_rule("the default 'now'", type);
      break;
    case DefaultKind::kNext:
      if (type != FieldType::kI64) return no_rule("the default 'next'", type);
      break;
    case DefaultKind::kUuid:
      if (type != FieldType::kText && type != FieldType::kBytes)
        return no_rule("the default 'uuid'", type);
      break;
    case DefaultKind::kVersion:
      if (type != FieldType::kI64) return no_rule("the default 'version'", type);
      if (field.nullable) return fail(ErrorCode::kInvalid, "a version can't be nullable");
      break;
    default:
      return fail(ErrorCode::kInvalid, "there is no kind of default %u",
                  static_cast<unsigned>(rules.default_kind));
  }
  if (has_value != (rules.default_kind == DefaultKind::kValue))
    return fail(ErrorCode::kInvalid, "a default value beside another default");
  return {};
}

Status check_range(const Field& field) {
  const FieldRules& rules = field.rules;
  if (rules.min.is_null() && rules.max.is_null()) return {};
  const FieldType type = scalar_of(field.type);
  if (!has_order(type)) return no_rule("a range", field.type);
  if (!rules.min.is_null()) QUIRE_CHECK(check_typed("the minimum", rules.min, type));
  if (!rules.max.is_null()) QUIRE_CHECK(check_typed("the maximum", rules.max, type));
  if (!rules.min.is_null() && !rules.max.is_null() &&
      compare_scalars(rules.min.view(), rules.max.view()) > 0)
    return fail(ErrorCode::kInvalid, "the minimum is more than the maximum");
  return {};
}

Status check_length(const Field& field) {
  const FieldRules& rules = field.rules;
  if (!rules.min_length && !rules.max_length) return {};
  if (field.type != FieldType::kText && field.type != FieldType::kBytes && !is_array(field.type))
    return no_rule("a length", field.type);
  if (rules.min_length.value_or(0) > rules.max_length.value_or(UINT64_MAX))
    return fail(ErrorCode::kInvalid, "the least length is more than the greatest");
  return {};
}

std::uint64_t characters(std::string_view text) noexcept {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

std::optional<std::string> broken_length(const Field& field, const Value& value) {
  const FieldRules& rules = field.rules;
  if (!rules.min_length && !rules.max_length) return std::nullopt;
  const char* unit = "elements";
  std::uint64_t length = 0;
  if (field.type == FieldType::kText) {
    length = characters(value.text());
    unit = "characters";
  } else if (field.type == FieldType::kBytes) {
    length = value.bytes.size();
    unit = "bytes";
  } else {
    length = ArrayReader(value).size();
  }
  const bool fewer = rules.min_length && length < *rules.min_length;
  if (!fewer && (!rules.max_length || length <= *rules.max_length)) return std::nullopt;
  return "has " + std::to_string(length) + " " + unit + ", must have " +
         (fewer ? "at least " + std::to_string(*rules.min_length)
                : "at most " + std::to_string(*rules.max_length));
}

std::optional<std::string> broken_by_scalar(const FieldRules& rules, const Value& value) {
  const auto shown = [&] { return describe_value(value); };
  if (!rules.min.is_null() || !rules.max.is_null()) {
    if (value.type == FieldType::kF64 && std::isnan(value.f64)) return "is NaN, must be in a range";
    if (!rules.min.is_null() && compare_scalars(value, rules.min.view()) < 0)
      return "is " + shown() + ", less than the minimum, " + describe_value(rules.min.view());
    if (!rules.max.is_null() && compare_scalars(value, rules.max.view()) > 0)
      return "is " + shown() + ", more than the maximum, " + describe_value(rules.max.view());
  }
  if (!rules.one_of.empty() && std::ranges::none_of(rules.one_of, [&](const OwnedValue& one) {
        return compare_scalars(one.view(), value) == 0;
      }))
    return "is " + shown() + ", none of those that are allowed";
  if (rules.pattern && !rules.pattern.matches_whole(value.text()))
    return "is " + shown() + ", which does not match '" + rules.pattern.expression() + "'";
  return std::nullopt;
}

bool rules_scalars(const FieldRules& rules) noexcept {
  return !rules.min.is_null() || !rules.max.is_null() || !rules.one_of.empty() || rules.pattern;
}

}  // namespace

Status check_rules(const Field& field) {
  const FieldRules& rules = field.rules;
  QUIRE_CHECK(check_default(field));
  QUIRE_CHECK(check_range(field));
  QUIRE_CHECK(check_length(field));
  const FieldType scalar = scalar_of(field.type);
  if (!rules.one_of.empty() && !is_scalar(scalar)) return no_rule("a list of values", field.type);
  for (const OwnedValue& one : rules.one_of)
    QUIRE_CHECK(check_typed("a value of the list", one, scalar));
  if (rules.pattern && scalar != FieldType::kText) return no_rule("a pattern", field.type);
  if (rules.default_kind == DefaultKind::kValue) {
    if (const auto broken = broken_rule(field, rules.default_value.view()))
      return fail(ErrorCode::kInvalid, "the default %s", broken->c_str());
  }
  return {};
}

std::optional<std::string> broken_rule(const Field& field, const Value& value) {
  if (auto broken = broken_length(field, value)) return broken;
  if (!rules_scalars(field.rules)) return std::nullopt;
  if (!is_array(field.type)) return broken_by_scalar(field.rules, value);
  ArrayReader reader(value);
  Value element;
  for (std::uint64_t i = 0; reader.next(element); ++i) {
    if (const auto broken = broken_by_scalar(field.rules, element))
      return "element " + std::to_string(i) + " " + *broken;
  }
  return std::nullopt;
}

}  // namespace quire
