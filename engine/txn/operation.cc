#include "engine/txn/operation.h"

namespace quire {

void encode_operation(ByteVector& out, const Operation& operation) {
  ByteWriter writer(out);
  writer.put(static_cast<std::uint8_t>(operation.code));
  switch (operation.code) {
    case OpCode::kSavepoint:
      return;
    case OpCode::kPut:
      writer.put_varint(operation.id);
      writer.put_sized(operation.key);
      writer.put_sized(operation.value);
      return;
    case OpCode::kErase:
    case OpCode::kCreateKeyspace:
      writer.put_varint(operation.id);
      writer.put_sized(operation.key);
      return;
    case OpCode::kEraseRange:
      writer.put_varint(operation.id);
      writer.put(
          static_cast<std::uint8_t>((operation.has_low ? 1 : 0) | (operation.has_high ? 2 : 0)));
      if (operation.has_low) writer.put_sized(operation.key);
      if (operation.has_high) writer.put_sized(operation.value);
      return;
    case OpCode::kDropKeyspace:
    case OpCode::kRollback:
    case OpCode::kRelease:
      writer.put_varint(operation.id);
      return;
    default:
      writer.put_varint(operation.id);
      writer.put_sized(operation.value);
      return;
  }
}

namespace {

bool known(std::uint8_t code) noexcept {
  return (code >= 1 && code <= static_cast<std::uint8_t>(OpCode::kRelease)) ||
         (code >= static_cast<std::uint8_t>(OpCode::kFirstOfRecords) && code < 128);
}

// False: a field has a value that it can't have.
bool decode_fields(ByteReader& reader, Operation& operation) {
  if (operation.code == OpCode::kSavepoint) return true;
  const std::uint64_t id = reader.get_varint();
  if (id > UINT32_MAX) return false;
  operation.id = static_cast<StructureId>(id);
  switch (operation.code) {
    case OpCode::kPut:
      operation.key = reader.get_sized();
      operation.value = reader.get_sized();
      return true;
    case OpCode::kErase:
    case OpCode::kCreateKeyspace:
      operation.key = reader.get_sized();
      return true;
    case OpCode::kEraseRange: {
      const auto flags = reader.get<std::uint8_t>();
      if (flags > 3) return false;
      operation.has_low = (flags & 1) != 0;
      operation.has_high = (flags & 2) != 0;
      if (operation.has_low) operation.key = reader.get_sized();
      if (operation.has_high) operation.value = reader.get_sized();
      return true;
    }
    case OpCode::kDropKeyspace:
    case OpCode::kRollback:
    case OpCode::kRelease:
      return true;
    default:
      operation.value = reader.get_sized();
      return true;
  }
}

}  // namespace

Result<std::optional<Decoded>> decode_operation(Bytes bytes) {
  ByteReader reader(bytes);
  const auto code = reader.get<std::uint8_t>();
  if (!reader.ok()) return std::nullopt;
  if (!known(code))
    return fail(ErrorCode::kCorrupt, "log: %u is not the code of an operation", code);
  Decoded decoded;
  decoded.operation.code = static_cast<OpCode>(code);
  if (!decode_fields(reader, decoded.operation))
    return fail(ErrorCode::kCorrupt, "log: an operation of code %u makes no sense", code);
  if (!reader.ok()) return std::nullopt;
  decoded.size = bytes.size() - reader.left();
  return decoded;
}

}  // namespace quire
