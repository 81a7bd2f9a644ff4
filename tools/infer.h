// Types from data: the schema that the first records suggest.
//
// Each cell allows some types, a field has the first of bool, i64, f64, vector, arrays, json, text
// that all its cells allow: an integer is also an f64, an array is also json, a CSV cell is always
// also a text, a JSON text is only that. Arrays of two or more numbers are a vector as long as all
// have one length. A field that is null or absent in a record is nullable; one that is always null
// is a text. Rows of a file of vectors are vectors of the kind that holds their numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/record.h"
#include "tools/schema.h"

namespace quire::tools {

class SchemaInference {
 public:
  // False, with a reason that names the field, and nothing learnt from the record, when no type
  // fits what came before it.
  bool add(const Record& record, std::string* reason);

  // The key is `key` ("id", "year,number"), or the first that exists of the fields "id", "key",
  // "name". Throws Failure when there is none, or it can't be a key, or is null somewhere (unless
  // records without a key are to be left out later: `skip_bad`).
  Schema finish(const std::string& key, bool skip_bad = false) const;

  std::uint64_t records() const { return records_; }

 private:
  struct Guess {
    std::string name;
    std::uint32_t allowed = ~0u;  // bits of Allowed
    std::uint64_t values = 0;     // that are not null
    std::size_t dimension = 0;
    CellKind first_kind = CellKind::kNull;
    std::uint64_t first_line = 0;
  };

  Guess& guess_for(const std::string& name, std::size_t position);
  // The reason why the cell can't be, or nothing.
  static std::optional<std::string> add_cell(Guess* guess, const Record& record, const Cell& cell);
  static Field field_of(const Guess& guess, std::uint64_t records);

  std::vector<Guess> guesses_;
  std::uint64_t records_ = 0;
};

}  // namespace quire::tools
