// Filters and expressions.
//
// What the input is: a byte that says which of the two, and how many bytes of arguments there are;
// these; and the rest is the text, for a schema with every type.
//
// What is promised. Of any text: an error with a sentence that begins with a place; or a tree whose
// canonical text gives an equal tree, and whose canonical text that is again. Of arguments: an
// error, or what can be evaluated, over rows with and without nulls and over one whose bytes are no
// JSON and no arrays; both trees give the same, and a thread gives the same twice.
#include <deque>

#include "engine/record/array_value.h"
#include "fuzz/fuzz.h"
#include "fuzz/input.h"
#include "fuzz/must.h"
#include "index/filter/filter.h"

namespace quire::fuzz {
namespace {

constexpr std::int64_t kNow = 1'795'000'000'000'000;

const Schema& schema() {
  static const Schema schema = must(Schema::make({{"id", FieldType::kI64},
                                                  {"n", FieldType::kI64, true},
                                                  {"f", FieldType::kF64, true},
                                                  {"b", FieldType::kBool, true},
                                                  {"t", FieldType::kText, true},
                                                  {"y", FieldType::kBytes, true},
                                                  {"w", FieldType::kTimestamp, true},
                                                  {"doc", FieldType::kJson, true},
                                                  {"tags", FieldType::kArrayText, true},
                                                  {"ns", FieldType::kArrayI64, true},
                                                  {"fs", FieldType::kArrayF64, true},
                                                  {"bs", FieldType::kArrayBool, true},
                                                  {"ys", FieldType::kArrayBytes, true},
                                                  {"ws", FieldType::kArrayTimestamp, true},
                                                  {"v", FieldType::kVectorF32, true, 2},
                                                  {"odd name", FieldType::kI64, true}},
                                                 0));
  return schema;
}

// Values of the fields, in order; those behind the last are null.
class Fields final : public FieldSource {
 public:
  explicit Fields(std::vector<Value> values) : values_(std::move(values)) {}
  Value value(std::size_t field) const noexcept override {
    return field < values_.size() ? values_[field] : Value::null();
  }

 private:
  std::vector<Value> values_;
};

Value kept_array(FieldType type, const std::vector<Value>& elements) {
  static std::deque<ByteVector> kept;
  encode_array(elements, kept.emplace_back());
  return Value::of_array(type, kept.back());
}

const std::vector<Fields>& rows() {
  static const std::vector<Fields> rows = [] {
    const Value text = Value::of_text("Grüße");
    const Value nonsense = Value::of_bytes(as_bytes("\xff\xff\x03{[\"a\": 1"));
    const auto as = [&](FieldType type) { return Value::of_array(type, nonsense.bytes); };
    std::vector<Fields> all;
    all.emplace_back(std::vector<Value>{Value::of_i64(1)});
    all.emplace_back(std::vector<Value>{
        Value::of_i64(2), Value::of_i64(5), Value::of_f64(2.5), Value::of_bool(true), text,
        Value::of_bytes(as_bytes("\x01\x02")), Value::of_timestamp(kNow - 1),
        Value::of_json(R"({"a": [1, {"b": "x\n"}, null], "c": 1.5, "d": true, "a\u0062": "y"})"),
        kept_array(FieldType::kArrayText, {text, Value::of_text("gui")}),
        kept_array(FieldType::kArrayI64, {Value::of_i64(1), Value::of_i64(5)}),
        kept_array(FieldType::kArrayF64, {Value::of_f64(2.5)}),
        kept_array(FieldType::kArrayBool, {Value::of_bool(false)}),
        kept_array(FieldType::kArrayBytes, {Value::of_bytes(as_bytes("\x01\x02"))}),
        kept_array(FieldType::kArrayTimestamp, {Value::of_timestamp(kNow)}),
        Value::of_vector(nullptr, 2), Value::of_i64(-1)});
    all.emplace_back(std::vector<Value>{
        Value::of_i64(INT64_MIN), Value::of_i64(INT64_MAX), Value::of_f64(1e308),
        Value::of_bool(false), as(FieldType::kText), nonsense, Value::of_timestamp(INT64_MIN),
        as(FieldType::kJson), as(FieldType::kArrayText), as(FieldType::kArrayI64),
        as(FieldType::kArrayF64), as(FieldType::kArrayBool), as(FieldType::kArrayBytes),
        as(FieldType::kArrayTimestamp)});
    return all;
  }();
  return rows;
}

// Arguments out of bytes: types that fit are as likely as those that don't.
std::vector<Value> arguments(Input& input, std::size_t count) {
  constexpr FieldType kTypes[] = {
      FieldType::kNull,      FieldType::kBool,      FieldType::kI64,
      FieldType::kF64,       FieldType::kText,      FieldType::kBytes,
      FieldType::kTimestamp, FieldType::kArrayText, FieldType::kArrayI64};
  std::vector<Value> values;
  while (values.size() < count) {
    const FieldType type = kTypes[input.below(std::size(kTypes))];
    if (type == FieldType::kBool) {
      values.push_back(Value::of_bool(input.flag()));
    } else if (type == FieldType::kI64 || type == FieldType::kTimestamp) {
      Value value = Value::of_i64(input.take<std::int64_t>());
      value.type = type;
      values.push_back(value);
    } else if (type == FieldType::kF64) {
      values.push_back(Value::of_f64(std::bit_cast<double>(input.take<std::uint64_t>())));
    } else if (type == FieldType::kNull) {
      values.push_back(Value::null());
    } else {
      values.push_back(Value::of_array(type, input.sized(40)));
    }
  }
  return values;
}

template <class Bound>
std::string answers(const Bound& bound);
template <>
std::string answers(const BoundFilter& bound) {
  std::string all;
  for (const Fields& row : rows()) all += std::to_string(static_cast<int>(bound.test(row)));
  return all;
}
template <>
std::string answers(const BoundExpression& bound) {
  std::string all;
  for (const Fields& row : rows()) all += describe_value(bound.value(row).view()) + "\n";
  return all;
}

// A message that says where: "filter, at 17: ...".
void check_error(const Error& error) {
  demand(error.message().find(", at ") != std::string::npos, "an error of a text without a place");
  demand(error.code() == ErrorCode::kInvalid || error.code() == ErrorCode::kType ||
             error.code() == ErrorCode::kNotFound,
         "an error of a text with another code");
}

template <class Kind>
void try_text(std::string_view text, Input input) {
  const auto prepared = Kind::prepare(text, schema());
  if (!prepared) return check_error(prepared.error());
  const std::string canonical = prepared->text();
  const auto again = Kind::prepare(canonical, schema());
  // What is canonical can be longer than what it was made of.
  if (!again && canonical.size() > filter::kMaxTextBytes) return;
  if (!again) found("the canonical text is wrong: " + canonical + ": " + again.error().message());
  demand(filter::equal_trees(prepared->root(), again->root()),
         "the canonical text is another tree");
  demand(again->text() == canonical, "the canonical text is not canonical");
  const std::vector<Value> values = arguments(input, prepared->parameters().size());
  const bool named = !values.empty() && prepared->parameters()[0].name != "1";
  std::vector<Argument> pairs;
  for (std::size_t i = 0; named && i < values.size(); ++i)
    pairs.push_back({prepared->parameters()[i].name, values[i]});
  const Arguments given = named ? Arguments(pairs) : Arguments(values);
  const auto bound = prepared->bind(given, kNow);
  if (!bound) return demand(!bound.error().message().empty(), "an error without a sentence");
  const std::string first = answers(*bound);
  demand(answers(*bound) == first, "the same is evaluated twice, and not the same");
  if (again->parameters().size() != values.size()) return;  // folded away
  const auto bound_again = again->bind(given, kNow);
  if (bound_again)
    demand(answers(*bound_again) == first, "the canonical text means something else");
}

}  // namespace

void fuzz_one(Bytes bytes) {
  Input input(bytes);
  const std::uint8_t head = input.byte();
  const Input values(input.take_bytes(head >> 1));
  // Of a size of its own, so that a read past it is seen.
  const ByteVector text = to_vector(input.rest());
  if ((head & 1) == 0)
    try_text<Filter>(as_text(text), values);
  else
    try_text<Expression>(as_text(text), values);
}

std::vector<ByteVector> seeds() {
  constexpr std::string_view kFilters[] = {
      "n = 5 and f < 2.5e0 or not b",
      "n between -1 and 5 and n not in (1, 2.0, null, $1)",
      "t like 'G%_' escape '!' or t ilike $1 or t matches '^G.*e$'",
      "doc.a[1].b = 'x' and doc[\"ab\"] is not null and doc.c + 1 > $2",
      "tags has 'gui' and tags has any ('a', $x) and ns has all $y",
      "w > now() - interval '3 days 2 h' and w < '2026-11-20T10:00:00.5+01:00'",
      "y = x'0102' and \"odd name\" <> -9223372036854775808",
      "f = f64 'nan' or f > f64 '-infinity' or w in (date '2026-01-01', timestamp '+12345-01-01')",
      "length(t) + length(tags) * 2 % 3 - -n / 4 = 5 and lower(t) = upper($1)",
      "(n = 5) = (b is null) and $1 is null",
      "true and (false or b) and 1 = 1.0 and 1 / 0 is null",
      "ws has '2026-01-01' and fs has 2 and bs has true and ys has x'01' and v is not null",
      "length(doc) = 1 or doc has 5 or doc.d",
      "w - $1 > w and $2 + 5 < w"};
  constexpr std::string_view kExpressions[] = {"n * 2 + f", "doc.a", "lower(t)",
                                               "w + $1",    "tags",  "n = 5 and b"};
  std::vector<ByteVector> all;
  const auto add = [&](unsigned head, std::string_view text) {
    ByteVector seed = {static_cast<std::byte>(head | 16U)};
    for (const char c : std::string_view("\x02\x05\0\0\0\0\0\0", 8))
      seed.push_back(static_cast<std::byte>(c));
    for (const char c : text) seed.push_back(static_cast<std::byte>(c));
    all.push_back(std::move(seed));
  };
  for (const std::string_view text : kFilters) add(0, text);
  for (const std::string_view text : kExpressions) add(1, text);
  return all;
}

}  // namespace quire::fuzz
