#include "index/filter/prepared.h"

#include <algorithm>
#include <chrono>

#include "engine/record/array_value.h"
#include "engine/txn/catalog.h"
#include "index/filter/field_source.h"
#include "index/filter/fold.h"
#include "index/filter/lexer.h"
#include "index/filter/time_text.h"

namespace quire::filter {
namespace {

std::int64_t clock_us() noexcept {
  using std::chrono::microseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<microseconds>(now).count();
}

bool has_items(Kind kind) noexcept { return kind == Kind::kIn || kind == Kind::kHas; }

// "filter, at 17: ...".
Error named(const char* what, const Error& error) {
  return {error.code(), std::string(what) + ", " + error.message()};
}

// ---- what is made of a node's value, items or pattern ----

// `text`: the pattern; null where it is null.
Status fill_pattern(const Node& node, const Value& text, Environment& environment) {
  if (text.type != FieldType::kText) return {};
  const std::string_view escape =
      node.children.size() > 2 ? node.children[2].constant.view().text() : std::string_view();
  const auto wrong = [&](const Error& error) {
    return fail_at(error.code(), node.position, "%s", error.message().c_str());
  };
  if (node.kind == Kind::kMatches) {
    auto pattern = Pattern::compile(text.text());
    if (!pattern) return wrong(pattern.error());
    environment.patterns[node.compiled] = std::move(*pattern);
    return {};
  }
  auto pattern = LikePattern::compile(text.text(), escape, node.fold_case);
  if (!pattern) return wrong(pattern.error());
  environment.likes[node.compiled] = std::make_shared<const LikePattern>(std::move(*pattern));
  return {};
}

void fill_set(const Node& node, Environment& environment) {
  std::vector<Value> values;
  if (node.list) {
    const Value array = environment.slots[node.children[1].slot];
    if (!is_array(array.type)) return;
    ArrayReader reader(array);
    Value element;
    while (reader.next(element)) values.push_back(element);
  } else {
    for (std::size_t i = 1; i < node.children.size(); ++i)
      values.push_back(environment.slots[node.children[i].slot]);
  }
  environment.sets[node.compiled] = std::make_shared<const ValueSet>(std::move(values));
}

// What a former argument left is forgotten first: of one that is null nothing is made.
Status fill_compiled(const Node& node, Environment& environment) {
  if (has_items(node.kind)) {
    environment.sets[node.compiled].reset();
    fill_set(node, environment);
    return {};
  }
  if (node.kind == Kind::kMatches) {
    environment.patterns[node.compiled] = {};
  } else {
    environment.likes[node.compiled].reset();
  }
  return fill_pattern(node, environment.slots[node.children[1].slot], environment);
}

// ---- preparing ----

// Gives nodes their places in an environment, and fills in what is constant.
class Preparation {
 public:
  explicit Preparation(Prepared& prepared) : prepared_(prepared) {}

  // Whether the node is free of fields.
  Result<bool> visit(Node& node) {
    bool free = node.kind != Kind::kField && node.kind != Kind::kJsonPath;
    bool items_free = true;
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      QUIRE_TRY(const bool child, visit(node.children[i]));
      free = free && child;
      if (i > 0) items_free = items_free && child;
    }
    if (node.field != kNone) prepared_.fields.push_back(node.field);
    if (node.kind == Kind::kNow) prepared_.uses_now = true;
    const bool open = free && node.kind != Kind::kConstant;
    bool open_items = false;
    if (items_free) {
      QUIRE_TRY(open_items, take_compiled(node));
    }
    if (free) take_slot(node);
    if (open || open_items) prepared_.open.push_back(&node);
    return free;
  }

 private:
  void take_slot(Node& node) {
    std::vector<Value>& slots = prepared_.constants.slots;
    node.slot = static_cast<std::uint32_t>(slots.size());
    slots.push_back(node.kind == Kind::kConstant ? node.constant.view() : Value::null());
  }

  // Whether arguments are needed for it.
  Result<bool> take_compiled(Node& node) {
    Environment& constants = prepared_.constants;
    if (has_items(node.kind)) {
      node.compiled = static_cast<std::uint32_t>(constants.sets.size());
      constants.sets.emplace_back();
    } else if (node.kind == Kind::kLike) {
      node.compiled = static_cast<std::uint32_t>(constants.likes.size());
      constants.likes.emplace_back();
    } else if (node.kind == Kind::kMatches) {
      node.compiled = static_cast<std::uint32_t>(constants.patterns.size());
      constants.patterns.emplace_back();
    } else {
      return false;
    }
    const auto is_constant = [](const Node& item) { return item.kind == Kind::kConstant; };
    if (!std::all_of(node.children.begin() + 1, node.children.end(), is_constant)) return true;
    QUIRE_CHECK(fill_compiled(node, constants));
    return false;
  }

  Prepared& prepared_;
};

Result<std::shared_ptr<const Prepared>> prepare_tree(std::string_view text, const Schema& schema,
                                                     bool condition) {
  QUIRE_TRY(Syntax syntax, parse(text));
  QUIRE_TRY(Typed typed, give_types(std::move(syntax), schema, condition));
  if (!condition && is_vector(typed.root.type()))
    return fail_at(ErrorCode::kType, typed.root.position, "a vector is no value of an expression");
  auto prepared = std::make_shared<Prepared>();
  prepared->root = std::move(typed.root);
  prepared->parameters = std::move(typed.parameters);
  prepared->numbered = typed.numbered;
  prepared->what = condition ? "filter" : "expression";
  QUIRE_CHECK(Preparation(*prepared).visit(prepared->root));
  std::vector<std::uint32_t>& fields = prepared->fields;
  std::ranges::sort(fields);
  const auto twice = std::ranges::unique(fields);
  fields.erase(twice.begin(), twice.end());
  return prepared;
}

// ---- binding ----

std::unexpected<Error> wrong_argument(const Prepared& prepared, const TypedParameter& parameter,
                                      ErrorCode code, const std::string& why) {
  return fail(code, "%s: parameter $%s %s", prepared.what, parameter.name.c_str(), why.c_str());
}

Status take_timestamps(const Value& texts, OwnedValue& into) {
  ArrayReader reader(texts);
  std::vector<Value> times;
  Value element;
  while (reader.next(element)) {
    QUIRE_TRY(const Value time, read_timestamp(element.text()));
    times.push_back(time);
  }
  ByteVector encoded;
  encode_array(times, encoded);
  into.assign(Value::of_array(FieldType::kArrayTimestamp, encoded));
  return {};
}

// Texts become times where a time is wanted and no text is.
Status take_fitted(const Value& value, Types wanted, OwnedValue& into) {
  constexpr Types kTime = types_of(FieldType::kTimestamp);
  constexpr Types kTimes = types_of(FieldType::kArrayTimestamp);
  if (is_array(value.type)) QUIRE_CHECK(check_array(value.type, value.bytes));
  if (value.type == FieldType::kText && !is_utf8(value.text()))
    return fail(ErrorCode::kSchema, "is not valid UTF-8");
  if (value.is_null() || (types_of(value.type) & wanted) != 0) {
    into.assign(value);
    return {};
  }
  if (value.type == FieldType::kText && (wanted & kTime) != 0) {
    QUIRE_TRY(const Value time, read_timestamp(value.text()));
    into.assign(time);
    return {};
  }
  if (value.type == FieldType::kArrayText && (wanted & kTimes) != 0)
    return take_timestamps(value, into);
  return fail(ErrorCode::kType, "is %s, but wanted is %s",
              std::string(type_name(value.type)).c_str(), describe_types(wanted).c_str());
}

Status take_argument(const Prepared& prepared, const TypedParameter& parameter, const Value& value,
                     OwnedValue& into) {
  // Of no type that a value has in memory: a vector, a default.
  const bool known = value.is_null() || is_scalar(value.type) || is_array(value.type);
  if (!known)
    return wrong_argument(prepared, parameter, ErrorCode::kType,
                          "is " + std::string(type_name(value.type)) + ", but wanted is " +
                              describe_types(parameter.types));
  const Status taken = take_fitted(value, parameter.types, into);
  if (taken) [[likely]]
    return {};
  const bool type = taken.error().code() == ErrorCode::kType;
  const std::string& why = taken.error().message();
  return wrong_argument(
      prepared, parameter, taken.error().code(),
      type || taken.error().code() == ErrorCode::kSchema ? why : "is no timestamp: " + why);
}

Status take_arguments(Bound& bound, std::span<const Value> arguments) {
  const Prepared& prepared = *bound.prepared;
  const std::vector<TypedParameter>& parameters = prepared.parameters;
  if (!parameters.empty() && !prepared.numbered)
    return fail(ErrorCode::kInvalid, "%s: its parameters have names, as $%s", prepared.what,
                parameters[0].name.c_str());
  if (arguments.size() != parameters.size())
    return fail(ErrorCode::kInvalid, "%s: it has %zu parameters, but there are %zu arguments",
                prepared.what, parameters.size(), arguments.size());
  std::vector<OwnedValue>& owned = bound.environment.arguments;
  owned.resize(arguments.size());
  for (std::size_t i = 0; i < arguments.size(); ++i)
    QUIRE_CHECK(take_argument(prepared, parameters[i], arguments[i], owned[i]));
  return {};
}

Status take_arguments(Bound& bound, std::span<const Argument> arguments) {
  const Prepared& prepared = *bound.prepared;
  const std::vector<TypedParameter>& parameters = prepared.parameters;
  if (!parameters.empty() && prepared.numbered)
    return fail(ErrorCode::kInvalid, "%s: its parameters have numbers, not names", prepared.what);
  std::vector<OwnedValue>& owned = bound.environment.arguments;
  owned.resize(parameters.size());
  std::vector<bool> given(parameters.size());
  for (const Argument& argument : arguments) {
    const auto found = std::ranges::find(parameters, argument.name, &TypedParameter::name);
    const auto place = static_cast<std::size_t>(found - parameters.begin());
    const std::string name(argument.name.substr(0, 64));
    if (place == parameters.size())
      return fail(ErrorCode::kInvalid, "%s: it has no parameter $%s", prepared.what, name.c_str());
    if (given[place])
      return fail(ErrorCode::kInvalid, "%s: parameter $%s has two arguments", prepared.what,
                  name.c_str());
    given[place] = true;
    QUIRE_CHECK(take_argument(prepared, *found, argument.value, owned[place]));
  }
  const auto missing = static_cast<std::size_t>(std::ranges::find(given, false) - given.begin());
  if (missing == given.size()) return {};
  return wrong_argument(prepared, parameters[missing], ErrorCode::kInvalid, "has no argument");
}

// Everything that was open, children first.
Status fill_open(Bound& bound) {
  const NoFields no_fields;
  Environment& environment = bound.environment;
  bound.computed.reserve(bound.prepared->open.size());
  for (const Node* const node : bound.prepared->open) {
    if (node->compiled != kNone) QUIRE_CHECK(fill_compiled(*node, environment));
    if (node->slot == kNone) continue;
    // An argument is borrowed, what was calculated is kept.
    if (node->kind == Kind::kParameter) {
      environment.slots[node->slot] = environment.arguments[node->parameter].view();
      continue;
    }
    Evaluator evaluator(environment, no_fields);
    Value value = evaluator.compute(*node);
    if (is_variable(value.type)) value = bound.computed.emplace_back(value).view();
    environment.slots[node->slot] = value;
  }
  return {};
}

void fill_constants(Bound& bound) {
  const Environment& constants = bound.prepared->constants;
  Environment& environment = bound.environment;
  environment.slots = constants.slots;
  environment.sets = constants.sets;
  environment.likes = constants.likes;
  environment.patterns = constants.patterns;
  bound.has_constants = true;
}

// Everything but the arguments, which are there.
Status fill(Bound& bound, std::optional<std::int64_t> now) {
  const Prepared& prepared = *bound.prepared;
  Environment& environment = bound.environment;
  if (!bound.has_constants) fill_constants(bound);
  bound.computed.clear();
  environment.now = 0;
  if (prepared.uses_now) environment.now = now ? *now : clock_us();
  const Status filled = fill_open(bound);
  if (!filled) return std::unexpected(named(prepared.what, filled.error()));
  return {};
}

}  // namespace

Result<std::shared_ptr<const Prepared>> prepare(std::string_view text, const Schema& schema,
                                                bool condition) {
  auto prepared = prepare_tree(text, schema, condition);
  if (!prepared)
    return std::unexpected(named(condition ? "filter" : "expression", prepared.error()));
  return prepared;
}

Status bind_again(Bound& bound, const Arguments& arguments, std::optional<std::int64_t> now) {
  QUIRE_CHECK(
      std::visit([&](const auto& given) { return take_arguments(bound, given); }, arguments));
  return fill(bound, now);
}

Result<std::shared_ptr<Bound>> bind(std::shared_ptr<const Prepared> prepared,
                                    const Arguments& arguments, std::optional<std::int64_t> now) {
  auto bound = std::make_shared<Bound>();
  bound->prepared = std::move(prepared);
  QUIRE_CHECK(bind_again(*bound, arguments, now));
  return bound;
}

}  // namespace quire::filter
