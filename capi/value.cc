#include <vector>

#include "capi/handles.h"
#include "engine/record/array_value.h"

using namespace quire;
using namespace quire::capi;

namespace {

Result<Value> variable_of(const quire_value& given, FieldType type) {
  if (given.as.bytes.data == nullptr && given.as.bytes.size != 0)
    return fail(ErrorCode::kInvalid, "a quire_value of type %.*s has NULL data",
                static_cast<int>(type_name(type).size()), type_name(type).data());
  return Value::of_array(type, bytes_of(given.as.bytes.data, given.as.bytes.size));
}

// An array that the caller says is one.
Result<Value> array_of(const quire_value* given) {
  if (given == nullptr) return fail(ErrorCode::kInvalid, "the array is NULL");
  if (given->type > 255 || !is_array(static_cast<FieldType>(given->type)))
    return fail(ErrorCode::kType, "the quire_value is not an array");
  QUIRE_TRY(const Value value, variable_of(*given, static_cast<FieldType>(given->type)));
  QUIRE_CHECK(check_array(value.type, value.bytes));
  return value;
}

Result<std::vector<Value>> elements_of(FieldType array, const quire_value* given, size_t count) {
  if (given == nullptr && count != 0) return fail(ErrorCode::kInvalid, "elements is NULL");
  std::vector<Value> elements;
  elements.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    QUIRE_TRY(const Value element, value_of(given[i]));
    if (element.type != element_type(array))
      return fail(ErrorCode::kType, "element %zu of the array is %.*s, must be %.*s", i,
                  static_cast<int>(type_name(element.type).size()), type_name(element.type).data(),
                  static_cast<int>(type_name(element_type(array)).size()),
                  type_name(element_type(array)).data());
    elements.push_back(element);
  }
  return elements;
}

}  // namespace

Result<Value> quire::capi::value_of(const quire_value& given) {
  const auto type = static_cast<FieldType>(given.type);
  if (given.type > 255)
    return fail(ErrorCode::kType, "a quire_value has a type that is not a QUIRE_TYPE_*");
  switch (type) {
    case FieldType::kNull:
      return Value::null();
    case FieldType::kDefault:
      return Value::by_default();
    case FieldType::kBool:
      return Value::of_bool(given.as.boolean != 0);
    case FieldType::kI64:
      return Value::of_i64(given.as.i64);
    case FieldType::kF64:
      return Value::of_f64(given.as.f64);
    case FieldType::kTimestamp:
      return Value::of_timestamp(given.as.i64);
    default:
      break;
  }
  if (is_variable(type)) return variable_of(given, type);
  if (!is_vector(type))
    return fail(ErrorCode::kType, "a quire_value has a type that is not a QUIRE_TYPE_*");
  if (given.as.elements == nullptr)
    return fail(ErrorCode::kInvalid, "a quire_value of type vector is NULL");
  return Value::of_vector(type, static_cast<const std::byte*>(given.as.elements), given.dimension);
}

quire_value quire::capi::public_value(const Value& value) noexcept {
  quire_value out{};
  out.type = static_cast<std::uint32_t>(value.type);
  switch (value.type) {
    case FieldType::kNull:
    case FieldType::kDefault:
      break;
    case FieldType::kBool:
      out.as.boolean = value.boolean ? 1 : 0;
      break;
    case FieldType::kI64:
    case FieldType::kTimestamp:
      out.as.i64 = value.i64;
      break;
    case FieldType::kF64:
      out.as.f64 = value.f64;
      break;
    default:
      if (is_vector(value.type)) {
        out.dimension = value.dimension;
        out.as.elements = value.vector;
      } else {
        out.as.bytes = {value.bytes.data(), value.bytes.size()};
      }
      break;
  }
  return out;
}

extern "C" {

int quire_array_make(uint32_t type, const quire_value* elements, size_t count, void* buffer,
                     size_t* size, quire_value* array) {
  if (size == nullptr || array == nullptr || (buffer == nullptr && *size != 0))
    return report(QUIRE_ERR_INVALID, "quire_array_make: buffer, size or array is NULL");
  if (type > 255 || !is_array(static_cast<FieldType>(type)))
    return report(QUIRE_ERR_TYPE, "quire_array_make: type is not a QUIRE_TYPE_ARRAY_*");
  return guarded([&]() -> int {
    const auto array_type = static_cast<FieldType>(type);
    const auto values = elements_of(array_type, elements, count);
    if (!values) return report(values.error());
    ByteVector bytes;
    encode_array(*values, bytes);
    const size_t room = *size;
    *size = bytes.size();
    if (bytes.size() > room)
      return report(QUIRE_ERR_VALUE_SIZE, "quire_array_make: the buffer is too small");
    std::memcpy(buffer, bytes.data(), bytes.size());
    *array = {};
    array->type = type;
    array->as.bytes = {buffer, bytes.size()};
    return QUIRE_OK;
  });
}

int quire_array_count(const quire_value* array, uint64_t* count) {
  if (count == nullptr) return report(QUIRE_ERR_INVALID, "quire_array_count: count is NULL");
  return guarded([&]() -> int {
    const auto value = array_of(array);
    if (!value) return report(value.error());
    *count = ArrayReader(*value).size();
    return QUIRE_OK;
  });
}

int quire_array_elements(const quire_value* array, uint64_t first, quire_value* elements,
                         size_t room, size_t* filled) {
  if (filled == nullptr || (elements == nullptr && room != 0))
    return report(QUIRE_ERR_INVALID, "quire_array_elements: elements or filled is NULL");
  *filled = 0;
  return guarded([&]() -> int {
    const auto value = array_of(array);
    if (!value) return report(value.error());
    ArrayReader reader(*value);
    Value element;
    for (uint64_t i = 0; *filled < room && reader.next(element); ++i) {
      if (i >= first) elements[(*filled)++] = public_value(element);
    }
    return QUIRE_OK;
  });
}

}  // extern "C"
