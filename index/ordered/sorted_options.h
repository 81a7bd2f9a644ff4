// What a sorted index is: as it is asked for, as it is stored, as it is described.
//
// Asked for is an object in JSON:
//
//   fields     list of 1 to 16 parts of the key, each a text or an object {"field": text, "order":
//              "asc" or "desc", "collation": ...}. The text is the name of a field; name[] for the
//              elements of an array field (one such part at most); name.key, name[0] for a place in
//              a JSON field (json_path.h). '-' before it, where it is no object: descending. A text
//              that is the name of a field as it stands means that field
//   unique     true or false
//   collation  "bytes" or "ascii_nocase", of all parts that have texts and say nothing of their own
//   covering   list of up to 64 names of fields, no vectors, whose values entries have
//   where      a filter: only records that match have entries
//
// Stored, in the definition of the collection:
//
//   u8      format, 1
//   u8      bit 0: unique; bit 1: there is a filter; the others are 0
//   varint  number of parts, then each: varint field id, u8 (bits 0-1: source; bit 2: descending;
//           bits 3-4: collation; the others are 0), and of a path its bytes (json_path.h)
//   varint  number of covering fields, varint id of each
//   bytes   the filter with its varint size, as its language stores it
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/record/schema.h"
#include "index/ordered/entry_key.h"
#include "index/ordered/json_path.h"
#include "index/ordered/partial_filter.h"

namespace quire {

inline constexpr std::size_t kMaxSortedParts = 16;
inline constexpr std::size_t kMaxCovering = 64;

// Where a part's values come from. Stored; never renumbered.
enum class PartSource : std::uint8_t {
  kField = 0,
  kElements = 1,  // of an array
  kPath = 2,      // into JSON
};

struct SortedPart {
  FieldId field = 0;
  PartSource source = PartSource::kField;
  bool descending = false;
  Collation collation = Collation::kBytes;
  JsonPath path;
  bool operator==(const SortedPart&) const = default;
};

struct SortedOptions {
  std::vector<SortedPart> parts;
  bool unique = false;
  std::vector<FieldId> covering;
  std::optional<ByteVector> where;
  bool operator==(const SortedOptions&) const = default;

  ByteVector encode() const;
  // kCorrupt. Says nothing of whether a schema has these fields.
  static Result<SortedOptions> decode(Bytes bytes);
};

// kInvalid, naming option and rule; kNotSupported for `where` without a language.
Result<SortedOptions> parse_sorted_options(const Schema& schema, std::string_view asked,
                                           const FilterLanguage* language);
// Options as parse_sorted_options takes them, without those that are as they are initially.
std::string describe_sorted_options(const Schema& schema, const SortedOptions& options,
                                    const FilterLanguage* language);

// The part that the text of an element of `fields` means: kInvalid. `plain`: a '-' before it is
// part of a name.
Result<SortedPart> parse_part(const Schema& schema, std::string_view text, bool plain);
// The type of a part's values; kNull where a field of this type has no such source.
FieldType part_type(PartSource source, FieldType field) noexcept;
// Whether its values may be texts or bytes, which have a collation.
bool has_collation(FieldType part) noexcept;

}  // namespace quire
