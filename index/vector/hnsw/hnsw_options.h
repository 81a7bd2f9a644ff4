// What an HNSW index is: as it is asked for, as it is stored, as it is described.
//
// Asked for is an object in JSON:
//
//   field            name of a vector field; must be given
//   metric           "l2", "inner_product", "cosine" or "l1"; of bits "hamming" or "jaccard".
//                    Initially l2, of bits hamming
//   m                4 to 64: neighbours of a node above level 0, half as many as at it. Initially
//   16 ef_construction  m to 10,000: how wide the search for neighbours is. Initially 200 quantizer
//   "none", "f16", "sq8" (code_form.h). Initially sq8 for f32 under l2 and cosine,
//                    f16 for f32 under others, none for other vectors
//   tail_bytes       16,384 to 67,108,864: codes that a search may have to go through one by one,
//                    because they wait for being linked. Initially 65,536
//   seed             0 to 4,294,967,295: of the levels. Initially 0
//
// Stored, in the definition of the collection: u8 format, 1; u8 metric; u8 quantizer; varint field
// id, m, ef_construction, tail_bytes, seed.
#pragma once

#include <string>
#include <string_view>

#include "engine/record/schema.h"
#include "index/vector/hnsw/code_form.h"

namespace quire::hnsw {

inline constexpr std::uint32_t kMostEfConstruction = 10'000;
inline constexpr std::uint64_t kLeastTailBytes = 16 << 10;
inline constexpr std::uint64_t kMostTailBytes = 64 << 20;

struct HnswOptions {
  FieldId field = 0;
  Metric metric = Metric::kL2;
  CodeKind quantizer = CodeKind::kSq8;
  std::uint32_t m = 16;
  std::uint32_t ef_construction = 200;
  std::uint64_t tail_bytes = 64 << 10;
  std::uint32_t seed = 0;
  bool operator==(const HnswOptions&) const = default;

  ByteVector encode() const;
  // kCorrupt. Says nothing of whether a schema has this field.
  static Result<HnswOptions> decode(Bytes bytes);
};

// kInvalid, naming option and rule; kNotSupported for a metric or quantizer that the field's type
// does not have.
Result<HnswOptions> parse_hnsw_options(const Schema& schema, std::string_view asked);
// Options as parse_hnsw_options takes them, without those that are as they are initially.
std::string describe_hnsw_options(const Schema& schema, const HnswOptions& options);

}  // namespace quire::hnsw
