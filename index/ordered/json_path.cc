#include "index/ordered/json_path.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <new>
#include <span>

#include <simdjson.h>

#include "index/filter/json_reader.h"
#include "index/ordered/json_text.h"

namespace quire {
namespace {

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
  const simdjson::error_code error = parser.parse(quoted).get_string().get(text);
  if (error == simdjson::MEMALLOC || quoted.data() == nullptr) throw std::bad_alloc();
  if (error != simdjson::SUCCESS) return false;
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
  step.is_index = rest.size() < 2 || rest[1] != '"';
  const bool taken = step.is_index ? take_element(rest, step.index) : take_quoted(rest, step.name);
  if (!taken || !rest.starts_with(']')) return false;
  rest.remove_prefix(1);
  return true;
}

bool take_key(std::string_view& rest, JsonPath::Step& step) {
  rest.remove_prefix(1);
  const std::size_t size = std::min(rest.find_first_of(".["), rest.size());
  step.name = rest.substr(0, size);
  rest.remove_prefix(size);
  return size != 0;
}

bool is_plain(std::string_view key) noexcept {
  return !key.empty() && key.find_first_of(".[]\"") == std::string_view::npos;
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
    if (step.name.size() > kMaxPathKey) return bad_path(text, "has a key of more than 1024 bytes");
  }
  if (path.empty()) return bad_path(text, "has no step");
  return path;
}

std::string JsonPath::text(bool quoted) const {
  std::string text;
  for (const Step& step : steps_) {
    if (step.is_index) {
      text += '[' + std::to_string(step.index) + ']';
    } else if (is_plain(step.name) && !quoted) {
      text += '.' + step.name;
    } else {
      text += '[';
      append_json_string(step.name, text);
      text += ']';
    }
  }
  return text;
}

Value JsonPath::find(std::string_view document, std::string& memory) const {
  thread_local filter::JsonReader reader;
  reader.forget();  // another document may lie where the last one did
  Value found = reader.find(document, steps_);
  if (found.type == FieldType::kText) {
    memory = found.text();
    found = Value::of_text(memory);
  }
  if (found.type == FieldType::kJson) found = Value::null();
  reader.trim();
  return found;
}

void JsonPath::encode(ByteWriter& writer) const {
  writer.put_varint(steps_.size());
  for (const Step& step : steps_) {
    writer.put(static_cast<std::uint8_t>(step.is_index ? 1 : 0));
    if (step.is_index) {
      writer.put_varint(step.index);
    } else {
      writer.put_sized(as_bytes(step.name));
    }
  }
}

Result<JsonPath> JsonPath::decode(ByteReader& reader) {
  JsonPath path;
  const std::uint64_t steps = reader.get_varint();
  for (std::uint64_t i = 0; i < steps && i <= kMaxPathSteps && reader.ok(); ++i) {
    Step& step = path.steps_.emplace_back();
    const auto kind = reader.get<std::uint8_t>();
    step.is_index = kind == 1;
    const std::uint64_t element = step.is_index ? reader.get_varint() : 0;
    if (!step.is_index) step.name = as_text(reader.get_sized());
    if (kind > 1 || element > UINT32_MAX)
      return fail(ErrorCode::kCorrupt, "a path has no such step");
    step.index = static_cast<std::uint32_t>(element);
  }
  if (!reader.ok() || path.empty() || steps > kMaxPathSteps)
    return fail(ErrorCode::kCorrupt, "a path is damaged");
  return path;
}

}  // namespace quire
