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

// A value with the memory it borrows. Not movable once filled.
struct OwnedValue {
  Value value{};
  std::string bytes;
  std::vector<float> numbers;
};

// A single text to a value of the field's type. False, and why, when it does not fit.
bool value_from_text(std::string_view text, const Field& field, OwnedValue* owned,
                     std::string* reason);
// A key argument of the command line; throws Failure when it does not fit.
void key_from_argument(const std::string& argument, const Field& key, OwnedValue* owned);

// Turns records into the values of one schema, reusing memory from record to record.
class RowBuilder {
 public:
  RowBuilder(const Schema& schema, bool ignore_unknown);

  // values() is good until the next call, and while `record` is unchanged. False, and a reason that
  // names the field, when the record does not fit the schema.
  bool build(const Record& record, std::string* reason);
  const std::vector<Value>& values() const { return values_; }

 private:
  bool convert(const Cell& cell, const Field& field, std::size_t index, std::string* reason);

  const Schema& schema_;
  bool ignore_unknown_;
  std::unordered_map<std::string, std::size_t> index_;
  std::vector<Value> values_;
  std::vector<bool> present_;
  std::vector<OwnedValue> owned_;  // one a field
};

}  // namespace quire::tools
