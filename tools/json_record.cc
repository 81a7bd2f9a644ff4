#include "tools/json_record.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "tools/json_spans.h"
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

// Receives the parser's events. Depth 1 is the record; of what is below only the kinds of an
// array's elements are noted: values are taken from the text, once their field's type is known.
class Handler : public nlohmann::json_sax<json> {
 public:
  Handler(Record* record, std::string_view text) : record_(record), text_(text) {}

  std::string reason;

  bool null() override {
    return value(CellKind::kNull, CellKind::kMixed, [](Cell&) {});
  }
  bool boolean(bool boolean) override {
    return value(CellKind::kBool, CellKind::kBools, [&](Cell& cell) { cell.boolean = boolean; });
  }
  bool number_integer(number_integer_t number) override {
    return value(CellKind::kInteger, CellKind::kNumbers,
                 [&](Cell& cell) { cell.integer = number; });
  }
  bool number_unsigned(number_unsigned_t number) override {
    if (number > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      return value(CellKind::kBigInteger, CellKind::kNumbers, [](Cell&) {});
    }
    return number_integer(static_cast<number_integer_t>(number));
  }
  bool number_float(number_float_t number, const string_t& text) override {
    // The parser falls back to floating point for integers that do not fit 64 bits.
    if (text.find_first_of(".eE") == string_t::npos) {
      return value(CellKind::kBigInteger, CellKind::kNumbers, [](Cell&) {});
    }
    if (in_array()) current().all_integers = false;
    return value(CellKind::kFloat, CellKind::kNumbers, [&](Cell& cell) { cell.number = number; });
  }
  bool string(string_t& text) override {
    return value(CellKind::kText, CellKind::kTexts,
                 [&](Cell& cell) { cell.text = std::move(text); });
  }
  bool binary(binary_t&) override { return refuse("binary values are not JSON"); }

  bool start_object(std::size_t) override { return open(CellKind::kObject); }
  bool start_array(std::size_t) override { return open(CellKind::kEmptyArray); }
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

  // `array`: what one with such elements is.
  template <class Fill>
  bool value(CellKind kind, CellKind array, Fill fill) {
    if (depth_ == 0) return refuse("not a record: a record is a JSON object, {\"field\": value}");
    if (depth_ == 1) {
      current().kind = kind;
      fill(current());
    } else if (in_array()) {
      element(array);
    }
    return true;
  }
  void element(CellKind array) {
    Cell& cell = current();
    if (cell.count++ == 0) {
      cell.kind = array;
    } else if (cell.kind != array) {
      cell.kind = CellKind::kMixed;
    }
  }
  bool open(CellKind kind) {
    if (depth_ == 0 && kind != CellKind::kObject) {
      return refuse("an array, where NDJSON has one object a line; `jq -c '.[]'` makes it that");
    }
    if (depth_ == kMaxJsonDepth) {
      return refuse("nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
    }
    if (in_array()) element(CellKind::kMixed);
    if (depth_ == 1) current().kind = kind;
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

void set_spans(Record* record) {
  const std::vector<std::string_view> values = json_members(record->source);
  for (std::size_t i = 0; i < values.size() && i < record->fields.size(); ++i) {
    Cell& cell = record->fields[i].cell;
    cell.begin = static_cast<std::size_t>(values[i].data() - record->source.data());
    cell.size = values[i].size();
  }
}

}  // namespace

bool parse_json_record(std::string_view text, Record* record, std::string* reason) {
  record->fields.clear();
  record->source.assign(text);
  // The parser takes a NUL for the end of the input.
  if (text.find('\0') != std::string_view::npos) {
    *reason = "a NUL byte; inside a text write \\u0000";
    return false;
  }
  Handler handler(record, text);
  if (!json::sax_parse(text.begin(), text.end(), &handler)) {
    *reason = handler.reason;
    return false;
  }
  set_spans(record);
  return true;
}

bool parse_json_cell(std::string_view text, Record* record, std::string* reason) {
  std::string object = "{\"value\":";
  object.append(text).append("}");
  if (!parse_json_record(object, record, reason)) return false;
  if (record->fields.size() == 1) return true;
  *reason = "not one value in JSON";
  return false;
}

bool parse_json_scalar(std::string_view text, Cell* cell) {
  *cell = Cell{};
  if (text.starts_with('{') || text.starts_with('[')) return false;
  if (text.starts_with('"')) {
    const json parsed = json::parse(text.begin(), text.end(), nullptr, false);
    if (!parsed.is_string()) return false;
    cell->kind = CellKind::kText;
    cell->text = parsed.get<std::string>();
  } else if (const auto boolean = parse_bool(text)) {
    cell->kind = CellKind::kBool;
    cell->boolean = *boolean;
  } else if (number_form(text) == NumberForm::kInteger) {
    const auto integer = parse_i64(text);
    cell->kind = integer ? CellKind::kInteger : CellKind::kBigInteger;
    cell->integer = integer.value_or(0);
  } else if (const auto number = parse_f64(text); number && text != "NaN") {
    cell->kind = CellKind::kFloat;
    cell->number = *number;
  }
  return true;
}

bool numbers_of_json(std::string_view array, std::vector<float>* numbers, std::string* reason) {
  numbers->clear();
  return for_each_json_element(array, [&](std::string_view element) {
    const auto number = parse_f32(element);
    if (number) {
      numbers->push_back(*number);
    } else {
      *reason = std::string(element.substr(0, 40)) + " does not fit a 32-bit float";
    }
    return number.has_value();
  });
}

bool parse_json_numbers(std::string_view text, std::vector<float>* numbers, std::string* reason) {
  Record record;
  if (!parse_json_cell(text, &record, reason)) return false;
  const Cell& cell = record.fields[0].cell;
  if (cell.kind != CellKind::kNumbers && cell.kind != CellKind::kEmptyArray) {
    *reason = "not a JSON array of numbers, like [0.5, 1, -2]";
    return false;
  }
  return numbers_of_json(record.json(cell), numbers, reason);
}

}  // namespace quire::tools
