// Fields with the values that a change gives them, or that it expects them to have.
#pragma once

#include <quire/quire.hpp>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "tools/failure.h"
#include "tools/schema.h"

namespace quire::tools {

class Assignments {
 public:
  // The schema must outlive it.
  explicit Assignments(const Schema& schema) : schema_(schema) {}
  // Of words of the command line; throws Failure.
  Assignments(const Schema& schema, const std::vector<std::string>& words) : Assignments(schema) {
    for (const std::string& word : words) add_word(word);
  }
  Assignments(const Assignments&) = delete;
  Assignments& operator=(const Assignments&) = delete;

  // `FIELD=VALUE` as a CSV cell has it, or `FIELD:=JSON`. Throws Failure.
  void add_word(const std::string& word);
  // The members of an object in JSON, which has been parsed before. False, and why, where they are
  // no values of fields.
  bool add_object(std::string_view object, std::string* reason);

  const std::vector<std::uint32_t>& fields() const { return fields_; }
  const std::vector<Value>& values() const { return values_; }
  // The same as what is expected.
  std::vector<Expected> expected() const;

 private:
  // The position of a field that is not there yet. Throws Failure.
  std::uint32_t new_field(std::string_view name) const;
  void add(std::uint32_t field, const Value& value);

  const Schema& schema_;
  std::vector<std::uint32_t> fields_;
  std::vector<Value> values_;
  std::deque<OwnedValue> owned_;
};

// Calls `change`; that a record is not as expected is a negative answer.
template <class Change>
auto with_conditions(Change change) {
  try {
    return change();
  } catch (const Error& error) {
    if (error.code() != QUIRE_ERR_CONFLICT) throw;
    throw Failure(error.what(), kNegative);
  }
}

}  // namespace quire::tools
