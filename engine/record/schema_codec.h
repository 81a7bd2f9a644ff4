// A schema as the catalog keeps it (varints are LEB128).
//
//   u8       format, 3
//   varint   the id that the next new field gets, varint the slot that the next new vector gets
//   varint   number of key fields, then the index of each
//   varint   number of fields, then each: varint size and name, u8 type, varint flags, varint id;
//            of a vector varint dimension and varint slot; then, as the flags say
//              1  it may be null: nothing
//              2  a default: u8 kind, and of a constant its value
//              4  minimum: value           8  maximum: value
//             16  least length: varint    32  greatest length: varint
//             64  list: varint number and values
//            128  pattern: varint size and expression
//            256  what it is in older rows: value
//            512  it says when a record's time is over: nothing
//   varint   number of layouts, then each, in order of versions: varint version, varint number of
//            columns, then each: varint field id, u8 type
//
// A value is a u8 type and: nothing of null, a u8 of a bool, 8 bytes little-endian of numbers and
// timestamps, else a varint size and the bytes.
//
// Format 2 is read: it is the same without the flag 512. Format 1, of version 0.1, is read too:
// varint version, varint index of the key field, varint number of fields, then each: varint size
// and name, u8 type, u8 flags (1: nullable), and of a vector its varint dimension. Ids and slots
// are given in order.
#pragma once

#include "engine/record/schema.h"

namespace quire {

class SchemaCodec {
 public:
  static void encode(const Schema& schema, ByteVector& out);
  // From bytes that may be damaged: kCorrupt; kVersion for a format of a later library.
  static Result<Schema> decode(Bytes bytes);

 private:
  static Result<Schema> decode_first_format(ByteReader& reader);
  static Result<Schema> decode_later_format(ByteReader& reader, std::uint8_t format);
  static Status decode_layouts(ByteReader& reader, Schema& schema);
};

}  // namespace quire
