#include "index/ordered/json_path.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <new>
#include <span>

#include <simdjson.h>

#include "index/ordered/json_text.h"

namespace quire {
namespace {

namespace ondemand = simdjson::ondemand;

// A parser keeps memory for the largest document it has seen: for up to this many bytes each thread
// has one, for more there is one for the call.
constexpr std::size_t kKeptParser = std::size_t{64} << 10;

// ---------------------------------------------------------------- paths as text

std::unexpected<Error> bad_path(std::string_view text, const char* what) {
  return fail(ErrorCode::kInvalid, "the path '%.*s' %s", static_cast<int>(text.size()), text.data(),
              what);
}

// Bytes of the JSON string that `text` begins with, quotes included; 0 when it does not end.
std::size_t quoted_size(std::string_view text) noexcept {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') return i + 1;
    if (text[i] == '\\') ++i;
  }
  return 0;
}

// Takes '["key"' off the front of `rest`.
bool take_quoted(std::string_view& rest, std::string& key) {
  rest.remove_prefix(1);
  const std::size_t size = quoted_size(rest);
  if (size == 0) return false;
  simdjson::dom::parser parser;
  const simdjson::padded_string quoted(rest.substr(0, size));
  std::string_view text;
  if (parser.parse(quoted).get_string().get(text) != simdjson::SUCCESS) return false;
  key = text;
  rest.remove_prefix(size);
  return true;
}

// Takes '[n' off the front of `rest`.
bool take_element(std::string_view& rest, std::uint32_t& element) {
  const std::span<const char> digits = rest.substr(1);
  const char* begin = std::to_address(digits.begin());
  const auto [end, error] = std::from_chars(begin, begin + digits.size(), element);
  if (error != std::errc()) return false;
  rest.remove_prefix(1 + static_cast<std::size_t>(end - begin));
  return true;
}

bool take_bracket(std::string_view& rest, JsonPath::Step& step) {
  step.is_element = rest.size() < 2 || rest[1] != '"';
  const bool taken =
      step.is_element ? take_element(rest, step.element) : take_quoted(rest, step.key);
  if (!taken || !rest.starts_with(']')) return false;
  rest.remove_prefix(1);
  return true;
}

bool take_key(std::string_view& rest, JsonPath::Step& step) {
  rest.remove_prefix(1);
  const std::size_t size = std::min(rest.find_first_of(".["), rest.size());
  step.key = rest.substr(0, size);
  rest.remove_prefix(size);
  return size != 0;
}

bool is_plain(std::string_view key) noexcept {
  return !key.empty() && key.find_first_of(".[]\"") == std::string_view::npos;
}

// ---------------------------------------------------------------- values

// Whether a step of the parser went well; there being no memory is not the document's fault.
bool good(simdjson::error_code error) {
  if (error == simdjson::MEMALLOC) throw std::bad_alloc();
  return error == simdjson::SUCCESS;
}

bool step_into(ondemand::value& value, const std::string& key) {
  ondemand::object object;
  if (!good(value.get_object().get(object))) return false;
  for (auto field : object) {
    std::string_view name;
    if (!good(field.unescaped_key().get(name))) return false;
    if (name == key) return good(field.value().get(value));
  }
  return false;
}

bool step_into(ondemand::value& value, std::uint32_t element) {
  ondemand::array array;
  if (!good(value.get_array().get(array))) return false;
  for (auto found : array) {
    if (!good(found.error())) return false;
    if (element-- == 0) return good(found.get(value));
  }
  return false;
}

Value number_value(const ondemand::number& number) {
  if (number.is_int64()) return Value::of_i64(number.get_int64());
  if (number.is_uint64()) return Value::of_f64(static_cast<double>(number.get_uint64()));
  return Value::of_f64(number.get_double());
}

Value scalar_value(ondemand::value& value, std::string& memory) {
  ondemand::json_type type{};
  if (!good(value.type().get(type))) return Value::null();
  bool boolean = false;
  ondemand::number number;
  std::string_view text;
  switch (type) {
    case ondemand::json_type::boolean:
      return good(value.get_bool().get(boolean)) ? Value::of_bool(boolean) : Value::null();
    case ondemand::json_type::number:
      return good(value.get_number().get(number)) ? number_value(number) : Value::null();
    case ondemand::json_type::string:
      if (!good(value.get_string().get(text))) return Value::null();
      memory = text;
      return Value::of_text(memory);
    default:
      return Value::null();
  }
}

Value find_with(ondemand::parser& parser, simdjson::padded_string_view padded,
                const std::vector<JsonPath::Step>& steps, std::string& memory) {
  ondemand::document document;
  ondemand::value value;
  if (!good(parser.iterate(padded).get(document))) return Value::null();
  if (!good(document.get_value().get(value))) return Value::null();
  for (const JsonPath::Step& step : steps) {
    const bool found =
        step.is_element ? step_into(value, step.element) : step_into(value, step.key);
    if (!found) return Value::null();
  }
  return scalar_value(value, memory);
}

struct KeptParser {
  ondemand::parser parser;
  std::string padded;
};

// The parser reads a few bytes past the end, which it must be allowed to.
Value find_in(KeptParser& kept, std::string_view document, const std::vector<JsonPath::Step>& steps,
              std::string& memory) {
  kept.padded = document;
  kept.padded.append(simdjson::SIMDJSON_PADDING, ' ');
  const simdjson::padded_string_view padded(kept.padded.data(), document.size(),
                                            kept.padded.size());
  return find_with(kept.parser, padded, steps, memory);
}

}  // namespace

Result<JsonPath> JsonPath::parse(std::string_view text) {
  JsonPath path;
  std::string_view rest = text;
  while (!rest.empty()) {
    if (path.steps_.size() == kMaxPathSteps) return bad_path(text, "has more than 64 steps");
    Step& step = path.steps_.emplace_back();
    if (rest.starts_with("[]")) return bad_path(text, "asks for the elements of an array in JSON");
    if (rest[0] != '.' && rest[0] != '[') return bad_path(text, "has no '.' or '[' before a step");
    if (!(rest[0] == '.' ? take_key(rest, step) : take_bracket(rest, step)))
      return bad_path(text, "has a step that is no .key, [\"key\"] or [number]");
    if (step.key.size() > kMaxPathKey) return bad_path(text, "has a key of more than 1024 bytes");
  }
  if (path.empty()) return bad_path(text, "has no step");
  return path;
}

std::string JsonPath::text(bool quoted) const {
  std::string text;
  for (const Step& step : steps_) {
    if (step.is_element) {
      text += '[' + std::to_string(step.element) + ']';
    } else if (is_plain(step.key) && !quoted) {
      text += '.' + step.key;
    } else {
      text += '[';
      append_json_string(step.key, text);
      text += ']';
    }
  }
  return text;
}

Value JsonPath::find(std::string_view document, std::string& memory) const {
  if (document.size() > kKeptParser) {
    KeptParser once;
    return find_in(once, document, steps_, memory);
  }
  thread_local KeptParser kept;
  return find_in(kept, document, steps_, memory);
}

void JsonPath::encode(ByteWriter& writer) const {
  writer.put_varint(steps_.size());
  for (const Step& step : steps_) {
    writer.put(static_cast<std::uint8_t>(step.is_element ? 1 : 0));
    if (step.is_element) {
      writer.put_varint(step.element);
    } else {
      writer.put_sized(as_bytes(step.key));
    }
  }
}

Result<JsonPath> JsonPath::decode(ByteReader& reader) {
  JsonPath path;
  const std::uint64_t steps = reader.get_varint();
  for (std::uint64_t i = 0; i < steps && i <= kMaxPathSteps && reader.ok(); ++i) {
    Step& step = path.steps_.emplace_back();
    const auto kind = reader.get<std::uint8_t>();
    step.is_element = kind == 1;
    const std::uint64_t element = step.is_element ? reader.get_varint() : 0;
    if (!step.is_element) step.key = as_text(reader.get_sized());
    if (kind > 1 || element > UINT32_MAX)
      return fail(ErrorCode::kCorrupt, "a path has no such step");
    step.element = static_cast<std::uint32_t>(element);
  }
  if (!reader.ok() || path.empty() || steps > kMaxPathSteps)
    return fail(ErrorCode::kCorrupt, "a path is damaged");
  return path;
}

}  // namespace quire
