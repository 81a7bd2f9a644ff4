#include "engine/record/array_value.h"

#include <bit>

#include "engine/txn/catalog.h"

namespace quire {
namespace {

Value fixed_value(FieldType type, const std::byte* at) noexcept {
  switch (type) {
    case FieldType::kBool:
      return Value::of_bool(*at != std::byte{0});
    case FieldType::kI64:
      return Value::of_i64(load_le<std::int64_t>(at));
    case FieldType::kTimestamp:
      return Value::of_timestamp(load_le<std::int64_t>(at));
    default:
      return Value::of_f64(std::bit_cast<double>(load_le<std::uint64_t>(at)));
  }
}

void put_element(ByteWriter& writer, const Value& element) {
  switch (element.type) {
    case FieldType::kBool:
      return writer.put(static_cast<std::uint8_t>(element.boolean ? 1 : 0));
    case FieldType::kI64:
    case FieldType::kTimestamp:
      return writer.put(element.i64);
    case FieldType::kF64:
      return writer.put(std::bit_cast<std::uint64_t>(element.f64));
    default:
      return writer.put_sized(element.bytes);
  }
}

std::unexpected<Error> bad_element(std::uint64_t place, const char* what) {
  return fail(ErrorCode::kSchema, "element %llu of the array %s",
              static_cast<unsigned long long>(place), what);
}

}  // namespace

ArrayReader::ArrayReader(const Value& array) noexcept
    : element_(element_type(array.type)), reader_(array.bytes) {
  size_ = left_ = reader_.get_varint();
}

bool ArrayReader::next(Value& element) noexcept {
  if (left_ == 0) return false;
  --left_;
  const std::uint32_t size = fixed_size(element_);
  const Bytes bytes = size != 0 ? reader_.get_bytes(size) : reader_.get_sized();
  if (!reader_.ok()) {
    left_ = 0;
    return false;
  }
  element = size != 0 ? fixed_value(element_, bytes.data()) : Value::of_array(element_, bytes);
  return true;
}

Status check_array(FieldType array, Bytes bytes) {
  const FieldType type = element_type(array);
  ByteReader reader(bytes);
  const std::uint64_t count = reader.get_varint();
  const std::uint32_t size = fixed_size(type);
  if (!reader.ok() || count > kMaxArrayElements)
    return fail(ErrorCode::kSchema, "the array's number of elements makes no sense");
  for (std::uint64_t i = 0; i < count; ++i) {
    const Bytes element = size != 0 ? reader.get_bytes(size) : reader.get_sized();
    if (!reader.ok()) return bad_element(i, "is cut off");
    if (type == FieldType::kBool && static_cast<unsigned>(element[0]) > 1)
      return bad_element(i, "is no bool");
    if (type == FieldType::kText && !is_utf8(as_text(element)))
      return bad_element(i, "is not valid UTF-8");
  }
  if (reader.left() != 0)
    return fail(ErrorCode::kSchema, "there are bytes behind the array's last element");
  return {};
}

void encode_array(std::span<const Value> elements, ByteVector& out) {
  ByteWriter writer(out);
  writer.put_varint(elements.size());
  for (const Value& element : elements) put_element(writer, element);
}

}  // namespace quire
