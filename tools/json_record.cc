#include "tools/json_record.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "tools/text_codec.h"

namespace quire::tools {
namespace {

using nlohmann::json;

// "[json.exception.parse_error.101] parse error at line 1, column 9: syntax error while ...; last
// read: ..." is written for programmers. Keeps the column and what is wrong there.
std::string plain_message(const std::string& message, std::string_view json_text,
                          std::size_t position) {
  const std::string_view rest = json_text.substr(std::min(position, json_text.size() + 1) - 1);
  const bool literal = message.find("invalid literal") != std::string::npos;
  if (literal && (rest.starts_with("NaN") || rest.starts_with("Infinity"))) {
    return "not JSON, column " + std::to_string(position) +
           ": NaN and Infinity are not numbers in JSON";
  }
  std::string text = message;
  if (const auto colon = text.find(": "); colon != std::string::npos) text.erase(0, colon + 2);
  if (const auto dash = text.find(" - "); dash != std::string::npos) text.erase(0, dash + 3);
  // The library quotes the input here, which may be long or not text.
  if (const auto last = text.find("; last read: '"); last != std::string::npos) {
    const std::string tail = text.substr(last + 14);
    text.erase(last);
    if (tail.size() <= 40 && is_valid_utf8(tail)) text += " near '" + tail;
  }
  return "not JSON, column " + std::to_string(position) + ": " + text;
}

// Receives the parser's events. Depth 1 is the record, depth 2 an array that may be a vector;
// what is below is only counted, for such values are refused by name later.
class Handler : public nlohmann::json_sax<json> {
 public:
  Handler(Record* record, std::string_view text) : record_(record), text_(text) {}

  std::string reason;

  bool null() override {
    return value(CellKind::kNull, [](Cell&) {});
  }
  bool boolean(bool boolean) override {
    return value(CellKind::kBool, [&](Cell& cell) { cell.boolean = boolean; });
  }
  bool number_integer(number_integer_t number) override {
    if (in_array()) return element(static_cast<float>(number));
    return value(CellKind::kInteger, [&](Cell& cell) { cell.integer = number; });
  }
  bool number_unsigned(number_unsigned_t number) override {
    if (in_array()) return element(static_cast<float>(number));
    if (number > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      return refuse_integer(std::to_string(number));
    }
    return number_integer(static_cast<number_integer_t>(number));
  }
  bool number_float(number_float_t number, const string_t& text) override {
    if (in_array()) {
      const auto narrow = parse_f32(text);
      return narrow ? element(*narrow)
                    : refuse("field '" + name() + "': " + text + " does not fit a 32-bit float");
    }
    // The parser falls back to floating point for integers that do not fit 64 bits.
    if (text.find_first_of(".eE") == string_t::npos) return refuse_integer(text);
    return value(CellKind::kFloat, [&](Cell& cell) { cell.number = number; });
  }
  bool string(string_t& text) override {
    if (in_array()) {
      Cell& cell = current();
      const bool still_texts = cell.kind == CellKind::kTexts ||
                               (cell.kind == CellKind::kNumbers && cell.numbers.empty());
      cell.kind = still_texts ? CellKind::kTexts : CellKind::kMixed;
      return true;
    }
    return value(CellKind::kText, [&](Cell& cell) { cell.text = std::move(text); });
  }
  bool binary(binary_t&) override { return refuse("binary values are not JSON"); }

  bool start_object(std::size_t) override { return open(CellKind::kObject); }
  bool start_array(std::size_t) override { return open(CellKind::kNumbers); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (depth_ != 1) return true;
    const auto same = [&](const NamedCell& field) { return field.name == name; };
    if (std::any_of(record_->fields.begin(), record_->fields.end(), same)) {
      return refuse("field '" + name + "' is there twice");
    }
    if (record_->fields.size() == kMaxFields) {
      return refuse("more than " + std::to_string(kMaxFields) + " fields");
    }
    record_->fields.push_back({std::move(name), Cell{}});
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    if (std::string_view(error.what()).find("out_of_range") != std::string_view::npos) {
      return refuse("a number is too large");
    }
    return refuse(plain_message(error.what(), text_, std::max<std::size_t>(position, 1)));
  }

 private:
  Cell& current() { return record_->fields.back().cell; }
  const std::string& name() { return record_->fields.back().name; }
  bool in_array() { return depth_ == 2 && current().kind != CellKind::kObject; }

  bool refuse(std::string why) {
    reason = std::move(why);
    return false;
  }
  bool refuse_integer(const std::string& text) {
    const std::string where = depth_ == 0 ? "" : "field '" + name() + "': ";
    return refuse(where + (text.size() > 40 ? text.substr(0, 40) + "..." : text) +
                  " does not fit a 64-bit integer; as a text, put it in quotes");
  }

  template <class Fill>
  bool value(CellKind kind, Fill fill) {
    if (depth_ == 0) return refuse("not a record: a record is a JSON object, {\"field\": value}");
    if (in_array()) {
      current().kind = CellKind::kMixed;
    } else if (depth_ == 1) {
      current().kind = kind;
      fill(current());
    }
    return true;
  }
  bool element(float number) {
    Cell& cell = current();
    if (cell.kind == CellKind::kNumbers) {
      cell.numbers.push_back(number);
    } else {
      cell.kind = CellKind::kMixed;
    }
    return true;
  }
  bool open(CellKind kind) {
    if (depth_ == 0 && kind != CellKind::kObject) {
      return refuse("an array, where NDJSON has one object a line; `jq -c '.[]'` makes it that");
    }
    if (depth_ == kMaxJsonDepth) {
      return refuse("nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
    }
    if (depth_ == 1) current().kind = kind;
    if (in_array()) current().kind = CellKind::kMixed;
    ++depth_;
    return true;
  }
  bool close() {
    --depth_;
    return true;
  }

  Record* record_;
  std::string_view text_;
  int depth_ = 0;
};

}  // namespace

bool parse_json_record(std::string_view text, Record* record, std::string* reason) {
  record->fields.clear();
  // The parser takes a NUL for the end of the input.
  if (text.find('\0') != std::string_view::npos) {
    *reason = "a NUL byte; inside a text write \\u0000";
    return false;
  }
  Handler handler(record, text);
  if (json::sax_parse(text.begin(), text.end(), &handler)) return true;
  *reason = handler.reason;
  return false;
}

bool parse_json_numbers(std::string_view text, std::vector<float>* numbers, std::string* reason) {
  Record record;
  std::string object = "{\"vector\":";
  object.append(text).append("}");
  if (!parse_json_record(object, &record, reason)) return false;
  if (record.fields.size() != 1 || record.fields[0].cell.kind != CellKind::kNumbers) {
    *reason = "not a JSON array of numbers, like [0.5, 1, -2]";
    return false;
  }
  *numbers = std::move(record.fields[0].cell.numbers);
  return true;
}

}  // namespace quire::tools
