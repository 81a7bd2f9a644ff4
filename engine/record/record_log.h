// What the log says of collections, and how it is carried out again.
//
// Operations from OpCode 64 on; the id is the collection's and the value one of:
//
//   64  create  the definition (definition.h)
//   65  drop    nothing
//   66  put     varint size and row (row_codec.h); varint number of vectors that change; of each
//               the varint place among the vector fields, and its elements, little-endian
//   67  erase   the key (key_codec.h)
//   68  change  the whole new definition (definition.h): what differs is carried out
//
// A put is an insert, or the whole new row of a change with the vectors that it changes. The row
// has the record's number, so nothing is chosen when it is carried out again.
#pragma once

#include <span>
#include <vector>

#include "engine/record/collection.h"
#include "engine/record/row_codec.h"
#include "engine/txn/operation.h"

namespace quire {

inline constexpr OpCode kCreateCollection{64};
inline constexpr OpCode kDropCollection{65};
inline constexpr OpCode kPutRecord{66};
inline constexpr OpCode kEraseRecord{67};
inline constexpr OpCode kChangeCollection{68};

// A vector that a put changes; the elements may lie at any address.
struct VectorChange {
  std::uint32_t vector = 0;  // place among the vector fields
  Bytes elements;
};

// A put, decoded; borrows.
struct RecordPut {
  RowView row;
  std::vector<VectorChange> vectors;
};

// `changed`: places among the vector fields, each with a vector in `values`.
ByteVector encode_put(const Schema& schema, RecordNumber number, std::span<const Value> values,
                      std::span<const std::uint32_t> changed);
Result<RecordPut> decode_put(const Schema& schema, Bytes payload);

// Carries out an operation of the log (without logging it, if the transaction does not). kCorrupt,
// and the transaction is unusable, where it does not fit the state.
Status apply_record_operation(WriteTxn& txn, const Operation& operation,
                              CollectionCache* cache = nullptr);

}  // namespace quire
