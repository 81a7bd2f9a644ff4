// Cells, command line arguments and texts to the values of a schema.
#pragma once

#include <quire/quire.hpp>

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tools/record.h"
#include "tools/schema.h"

namespace quire::tools {

// "[1, 2.5]" or "1 2.5": a vector as CSV cells and arguments have it.
bool parse_vector_text(std::string_view text, std::vector<float>* numbers, std::string* reason);

// A cell of a record to a value of the field's type, whose memory is `owned`'s, or the cell's and
// the record's. Not for null. False, and why, when it does not fit.
bool value_from_cell(const Record& record, const Cell& cell, const Field& field, OwnedValue* owned,
                     std::string* reason);
// The same for a CSV cell or a word of the command line, and for JSON.
bool value_from_text(std::string_view text, const Field& field, OwnedValue* owned,
                     std::string* reason);
bool value_from_json(std::string_view json, const Field& field, OwnedValue* owned,
                     std::string* reason);

// Numbers to a vector of the field's type.
bool value_from_numbers(std::vector<float> numbers, const Field& field, OwnedValue* owned,
                        std::string* reason);

// The values of a key, or of its first fields, with their memory.
class OwnedKey {
 public:
  // An argument of the command line: the value of a key of one field, as it stands; of a key of
  // several an array in JSON, with a value for each field (`partial`: for the first ones, at least
  // one). Throws Failure when it does not fit.
  OwnedKey(const std::string& argument, const Schema& schema, bool partial = false);
  OwnedKey() = default;  // no bound

  Key key() const { return Key(std::span<const Value>(values_)); }
  const std::vector<Value>& values() const { return values_; }

 private:
  void add_one(const std::string& argument, const Field& field);
  void add_parts(const std::string& argument, const Schema& schema, bool partial);

  std::deque<OwnedValue> owned_;
  std::vector<Value> values_;
};

// Turns records into the values of one schema, reusing memory from record to record.
class RowBuilder {
 public:
  RowBuilder(const Schema& schema, bool ignore_unknown);

  // values() is good until the next call, and while `record` is unchanged; a field that is not
  // there has its default. False, and a reason that names the field, when the record does not fit
  // the schema.
  bool build(const Record& record, std::string* reason);
  const std::vector<Value>& values() const { return values_; }

 private:
  bool fill(const Record& record, const Cell& cell, std::size_t index, std::string* reason);

  const Schema& schema_;
  bool ignore_unknown_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<Value> values_;
  std::vector<bool> present_;
  std::vector<OwnedValue> owned_;  // one a field
};

}  // namespace quire::tools
