// What the log's payloads say: a transaction as the list of what it asked for, resolved (ids,
// record numbers), so that carrying it out again needs nothing else.
//
// Each operation is one code byte and its fields; sizes and ids are LEB128 varints:
//
//   put             id, key size, key, value size, value
//   erase           id, key size, key
//   erase range     id, flags (1: low, 2: high), low size, low, high size, high (those flagged)
//   keyspace        id, name size, name            (create)
//   drop keyspace   id
//   savepoint       nothing; numbered from 0 as they nest
//   roll back to    number of the savepoint
//   release         number of the savepoint
//   from 64 on      engine/record/record_log.h: id, size, and its own fields
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "engine/txn/catalog.h"

namespace quire {

enum class OpCode : std::uint8_t {
  kPut = 1,
  kErase = 2,
  kEraseRange = 3,
  kCreateKeyspace = 4,
  kDropKeyspace = 5,
  kSavepoint = 6,
  kRollback = 7,
  kRelease = 8,
  kFirstOfRecords = 64,
};

struct Operation {
  OpCode code = OpCode::kPut;
  StructureId id = 0;  // or the number of a savepoint
  Bytes key = {};      // or the low bound, or the name
  Bytes value = {};    // or the high bound, or the payload of a record operation
  bool has_low = false;
  bool has_high = false;
};

void encode_operation(ByteVector& out, const Operation& operation);

// Reads one operation off the front of `bytes`. Nothing: more bytes are needed. kCorrupt: not an
// operation.
struct Decoded {
  Operation operation;
  std::size_t size = 0;
};
Result<std::optional<Decoded>> decode_operation(Bytes bytes);

// Kinds of log records (wal::Record::kind).
enum class LogKind : std::uint8_t {
  kOperations = 1,       // part of a transaction; Record::last ends it
  kFirstOperations = 2,  // the same, and begins one: parts before it without an end are void
  kBulkMarker = 3,       // a transaction was committed by checkpoint: its number (u64)
};

}  // namespace quire
