// The options of a sorted index bound to a schema: where in a row its parts are, and how each is
// written.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "index/ordered/sorted_options.h"

namespace quire {

struct BoundPart {
  std::size_t field = 0;  // of the schema
  PartSource source = PartSource::kField;
  PartForm form;
  JsonPath path;
};

// Immutable.
struct SortedForm {
  std::vector<BoundPart> parts;
  bool unique = false;
  std::vector<std::size_t> covering;      // fields of the schema
  std::vector<FieldType> covering_types;  // of each
  std::shared_ptr<const PartialFilter> where;
  std::size_t key_bound = 0;  // bytes of a key at most; 0 where there is no such bound

  // kCorrupt where options and schema don't fit; kNotSupported for a filter without a language.
  static Result<SortedForm> bind(const Schema& schema, Bytes options,
                                 const FilterLanguage* language);
  // Whether its entries depend on this field.
  bool covers(std::size_t field) const noexcept;
};

// The parts of an entry's key as values, for a message: 42, or ('a', null).
std::string describe_entry_key(const SortedForm& form, Bytes key);

}  // namespace quire
