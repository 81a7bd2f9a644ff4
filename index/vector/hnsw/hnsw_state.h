// What an HNSW index has in pages, read at one state of the database. docs/vector-indexes.md has
// the arrays; this has the bytes of two of them.
//
// The one element of `head`, 512 bytes, little-endian:
//
//   u32 layout, 1           u32 dimension      u32 m            u32 ef_construction   u32 seed
//   u8 metric               u8 kind of code    u8 which of the two arrays of codes counts
//   u8 0                    u32 version of the quantizer's parameters, 0: none yet
//   u32 entry               u64 generation     u32 first free place, 0: none   u32 free places
//   u32 how many of `dead`, from the first, are repaired around
//   u64 vectors that were ever linked          47 bytes of calibration (calibration.h)
//   then zeros
//
// An index whose `head` has no element is as it was made. An element of `tail`: a code, zeros up to
// a multiple of 4, u32 the record, u32 the version of the parameters that the code is of; 0: it is
// none.
#pragma once

#include <array>
#include <optional>

#include "engine/record/collection.h"
#include "index/vector/hnsw/calibration.h"
#include "index/vector/hnsw/graph.h"
#include "index/vector/hnsw/hnsw_options.h"

namespace quire::hnsw {

inline constexpr std::uint32_t kHeadBytes = 512;

// An element of `places`: where a record is.
struct RecordPlace {
  static constexpr std::uint32_t kTail = 1U << 31;

  std::uint32_t value = 0;
  static RecordPlace of_node(Place place) noexcept { return {place}; }
  static RecordPlace of_slot(std::uint32_t slot) noexcept { return {kTail | slot}; }
  bool is_nowhere() const noexcept { return value == 0; }
  bool is_in_tail() const noexcept { return (value & kTail) != 0; }
  std::uint32_t slot() const noexcept { return value & ~kTail; }
  Place place() const noexcept { return value; }
};

// An element of `tail`. Borrows.
struct TailEntry {
  const std::byte* code = nullptr;
  std::uint32_t record = 0;
  std::uint32_t version = 0;

  static std::uint32_t bytes(std::uint32_t code_bytes) noexcept {
    return (code_bytes + 3) / 4 * 4 + 8;
  }
  static TailEntry read(const std::byte* element, std::uint32_t code_bytes) noexcept {
    const std::byte* numbers = element + bytes(code_bytes) - 8;
    return {element, load_le<std::uint32_t>(numbers), load_le<std::uint32_t>(numbers + 4)};
  }
};

struct HnswHead {
  std::uint32_t quantizer_version = 0;
  std::uint8_t current = 0;  // of the two arrays of codes
  GraphState graph;
  Place first_free = kNoPlace;
  std::uint32_t free_places = 0;
  std::uint32_t repaired = 0;
  std::uint64_t linked = 0;  // ever
  Calibration calibration;
  bool operator==(const HnswHead&) const = default;
};

// The ids, in the order in which they are made.
struct HnswStructures {
  static constexpr std::size_t kCount = 10;
  StructureId head = 0;
  StructureId quantizer = 0;
  std::array<StructureId, 2> codes{};
  StructureId lists = 0;
  StructureId upper = 0;
  StructureId records = 0;
  StructureId places = 0;
  StructureId tail = 0;
  StructureId dead = 0;

  static HnswStructures of(std::span<const StructureId> ids) noexcept;
};

// Options bound to a schema. Immutable.
struct HnswForm {
  HnswOptions options;
  std::size_t field = 0;         // of the schema
  std::size_t vector_place = 0;  // among its vector fields
  CodeForm codes;
  HnswStructures structures;

  GraphShape shape() const noexcept;
  std::uint32_t tail_entry_bytes() const noexcept { return TailEntry::bytes(codes.code_bytes()); }
  // How many vectors may wait before searches suffer.
  std::uint64_t tail_bound() const noexcept;

  // kCorrupt.
  static Result<HnswForm> bind(const Schema& schema, const IndexDefinition& definition);
  ByteVector encode_head(const HnswHead& head) const;
  Result<HnswHead> decode_head(Bytes bytes) const;
};

// Everything small, and where the rest is. Checked against one another: kCorrupt.
struct HnswState {
  HnswHead head;
  std::optional<Quantizer> quantizer;  // none: not trained, or not needed
  GraphRoots roots;                    // with the current codes
  ArrayRoot places;
  ArrayRoot tail;
  ArrayRoot dead;

  static Result<HnswState> read(View& view, const HnswForm& form);
  const Quantizer* parameters() const noexcept { return quantizer ? &*quantizer : nullptr; }
  // Whether vectors can be encoded.
  bool encodes(const HnswForm& form) const noexcept {
    return !form.codes.is_trained() || quantizer.has_value();
  }
  // What codes of now are of; 1 for those that need no parameters.
  std::uint32_t code_version(const HnswForm& form) const noexcept {
    return form.codes.is_trained() ? head.quantizer_version : 1;
  }
  std::uint64_t live_nodes() const noexcept;
  // All that the index has.
  std::uint64_t count() const noexcept { return live_nodes() + tail.size; }
  Result<GraphView> graph(View& view, const HnswForm& form) const;
};

}  // namespace quire::hnsw
