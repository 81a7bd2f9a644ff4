#include "index/filter/json_reader.h"

#include <cstring>
#include <new>

namespace quire::filter {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t kKeptBytes = std::size_t{256} << 10;

// Whether a step of the parser went well; there being no memory is not the document's fault.
bool good(simdjson::error_code error) {
  if (error == simdjson::MEMALLOC) throw std::bad_alloc();
  return error == simdjson::SUCCESS;
}

// An integer that fits, else a double.
template <class Number>
Value number_of(Number& number) {
  std::int64_t integer = 0;
  if (good(number.get_int64().get(integer))) return Value::of_i64(integer);
  double real = 0;
  if (good(number.get_double().get(real))) return Value::of_f64(real);
  return Value::null();
}

template <class Scalar>
Value scalar_of(Scalar& scalar, ondemand::json_type type) {
  if (type == ondemand::json_type::number) return number_of(scalar);
  if (type == ondemand::json_type::string) {
    std::string_view text;
    if (good(scalar.get_string().get(text))) return Value::of_text(text);
  }
  if (type == ondemand::json_type::boolean) {
    bool boolean = false;
    if (good(scalar.get_bool().get(boolean))) return Value::of_bool(boolean);
  }
  return Value::null();
}

bool is_composite(ondemand::json_type type) noexcept {
  return type == ondemand::json_type::object || type == ondemand::json_type::array;
}

// The parser's own search compares names as they are written.
bool is_plain(std::string_view name) noexcept {
  return name.find('"') == std::string_view::npos && name.find('\\') == std::string_view::npos;
}

}  // namespace

bool JsonReader::load(std::string_view document) {
  if (document.empty()) return false;
  // What is no JSON ends a document for good.
  if (current_.data() == document.data() && current_.size() == document.size() &&
      document_.is_alive()) {
    document_.rewind();
    return true;
  }
  current_ = {};
  if (buffer_.size() < document.size() + simdjson::SIMDJSON_PADDING)
    buffer_.resize(document.size() + simdjson::SIMDJSON_PADDING);
  std::memcpy(buffer_.data(), document.data(), document.size());
  std::memset(buffer_.data() + document.size(), 0, simdjson::SIMDJSON_PADDING);
  if (!parser_) parser_.emplace();
  const simdjson::padded_string_view padded(buffer_.data(), document.size(), buffer_.size());
  if (!good(parser_->iterate(padded).get(document_))) return false;
  has_escapes_ = document.find('\\') != std::string_view::npos;
  current_ = document;
  return true;
}

void JsonReader::trim() noexcept {
  if (buffer_.size() <= kKeptBytes) return;
  forget();
  document_ = {};
  parser_.reset();
  buffer_ = {};
}

bool JsonReader::find_member(const std::string& name, Element& element) const {
  ondemand::object object;
  if (!good(element.get_object().get(object))) return false;
  if (!has_escapes_ && is_plain(name)) return good(object.find_field(name).get(element));
  for (auto member : object) {
    std::string_view key;
    if (!good(member.unescaped_key().get(key))) return false;
    if (key == name) return good(member.value().get(element));
  }
  return false;
}

bool JsonReader::enter(const Step& step, Element& element) const {
  if (!step.is_index) return find_member(step.name, element);
  ondemand::array array;
  if (!good(element.get_array().get(array))) return false;
  return good(array.at(step.index).get(element));
}

bool JsonReader::descend(std::span<const Step> steps, Element& element) {
  // A document that is a scalar has no value of this type.
  if (!good(document_.get_value().get(element))) return false;
  for (const Step& step : steps)
    if (!enter(step, element)) return false;
  return true;
}

Value JsonReader::value_of(Element& element) const {
  ondemand::json_type type{};
  if (!good(element.type().get(type))) return Value::null();
  if (!is_composite(type)) return scalar_of(element, type);
  std::string_view text;
  if (!good(simdjson::to_json_string(element).get(text))) return Value::null();
  return Value::of_json(text);
}

Value JsonReader::root_scalar() {
  ondemand::json_type type{};
  if (!good(document_.type().get(type)) || is_composite(type)) return Value::null();
  return scalar_of(document_, type);
}

Value JsonReader::find(std::string_view document, std::span<const Step> steps) {
  if (!load(document)) return Value::null();
  bool scalar = false;
  if (!good(document_.is_scalar().get(scalar))) return Value::null();
  if (scalar) return steps.empty() ? root_scalar() : Value::null();
  if (steps.empty()) return Value::of_json(document);
  Element element;
  return descend(steps, element) ? value_of(element) : Value::null();
}

bool JsonReader::for_each(std::string_view document, std::span<const Step> steps,
                          const std::function<bool(const Value&)>& visit) {
  if (!load(document)) return false;
  bool scalar = false;
  if (!good(document_.is_scalar().get(scalar)) || scalar) return false;
  Element element;
  ondemand::array array;
  if (!descend(steps, element) || !good(element.get_array().get(array))) return false;
  for (auto item : array) {
    Element inner;
    if (!good(item.get(inner))) return true;
    if (!visit(value_of(inner))) return true;
  }
  return true;
}

}  // namespace quire::filter
