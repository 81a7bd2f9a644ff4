// What lies at a path in a JSON document, found by reading on demand.
#pragma once

#include <simdjson.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/record/value.h"
#include "index/filter/step.h"

namespace quire::filter {

// A thread's own; not to be used from within its own calls.
//
// simdjson reads up to SIMDJSON_PADDING bytes past the end of a document, and what follows a
// document in a row is not ours to read: it may be another page, or none. So a document is copied
// to a buffer that has the padding. Buffer and parser are kept from call to call, up to
// kKeptBytes; and a document whose bytes are those of the call before is not copied again.
//
// Of members with one name the first counts. Integers that fit are i64, other numbers f64. What is
// no JSON (which a row never has) is read as null.
class JsonReader {
 public:
  // Null where the path leads nowhere or to null; a scalar; or kJson, the text of an object or an
  // array. What it borrows is good until the next call.
  Value find(std::string_view document, std::span<const Step> steps);

  // Calls back with each element of the array at the path until the callback says false; composite
  // elements are kJson. What an element borrows is good until the callback ends. False when no
  // array is there.
  bool for_each(std::string_view document, std::span<const Step> steps,
                const std::function<bool(const Value&)>& visit);

  // The memory of a document may have changed since.
  void forget() noexcept { current_ = {}; }
  // Frees what a large document needed.
  void trim() noexcept;

 private:
  using Element = simdjson::ondemand::value;

  bool load(std::string_view document);
  // False where the path leads nowhere.
  bool descend(std::span<const Step> steps, Element& element);
  bool enter(const Step& step, Element& element) const;
  bool find_member(const std::string& name, Element& element) const;
  Value value_of(Element& element) const;
  Value root_scalar();

  std::string_view current_;  // the document in the buffer; empty: none
  bool has_escapes_ = false;
  std::vector<char> buffer_;
  std::optional<simdjson::ondemand::parser> parser_;
  simdjson::ondemand::document document_;
};

}  // namespace quire::filter
