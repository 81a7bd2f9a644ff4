// Where a query stopped, for one that goes on there later, in another state of the database.
//
//   u8      format, 1
//   u8      what the position is of: Token::Kind
//   u64     hash of what was asked for
//   u32     the tree that drove; 0 where none did
//   i64     now(), as the filter had it
//   bytes   the position: key of an entry, number of a record, or what it was sorted by
//   u64     XXH3 of all before
//
// Little-endian. Opaque to the caller.
#pragma once

#include "engine/base/result.h"
#include "engine/txn/catalog.h"

namespace quire::query {

struct Token {
  enum class Kind : std::uint8_t { kTree = 1, kNumbers = 2, kSorted = 3 };
  Kind kind = Kind::kTree;
  std::uint64_t asked = 0;
  StructureId tree = 0;
  std::int64_t now = 0;
  std::string position;

  ByteVector encode() const;
  // kInvalid where it is none.
  static Result<Token> decode(Bytes bytes);
};

}  // namespace quire::query
