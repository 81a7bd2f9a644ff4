#include "index/ordered/sorted_form.h"

#include <algorithm>

namespace quire {
namespace {

std::unexpected<Error> no_fit() {
  return fail(ErrorCode::kCorrupt, "the options of a sorted index don't fit the schema");
}

Result<BoundPart> bind_part(const Schema& schema, SortedPart&& part) {
  const std::size_t field = schema.find_id(part.field);
  if (field == schema.size()) return no_fit();
  const FieldType type = part_type(part.source, schema.field(field).type);
  if (type == FieldType::kNull) return no_fit();
  if (part.collation != Collation::kBytes && !has_collation(type)) return no_fit();
  return BoundPart{.field = field,
                   .source = part.source,
                   .form = {type, part.descending, part.collation},
                   .path = std::move(part.path)};
}

std::size_t bound_of(std::span<const BoundPart> parts) noexcept {
  std::size_t bound = sizeof(RecordNumber);
  for (const BoundPart& part : parts) {
    const std::size_t size = part_size_bound(part.form);
    if (size == 0) return 0;
    bound += size;
  }
  return bound;
}

}  // namespace

Result<SortedForm> SortedForm::bind(const Schema& schema, Bytes bytes,
                                    const FilterLanguage* language) {
  QUIRE_TRY(SortedOptions options, SortedOptions::decode(bytes));
  SortedForm form;
  form.unique = options.unique;
  for (SortedPart& part : options.parts) {
    QUIRE_TRY(form.parts.emplace_back(), bind_part(schema, std::move(part)));
  }
  const auto elements = std::ranges::count(form.parts, PartSource::kElements, &BoundPart::source);
  if (elements > 1) return no_fit();
  for (const FieldId id : options.covering) {
    const std::size_t field = schema.find_id(id);
    if (field == schema.size() || is_vector(schema.field(field).type)) return no_fit();
    form.covering.push_back(field);
    form.covering_types.push_back(schema.field(field).type);
  }
  if (options.where) {
    if (language == nullptr)
      return fail(ErrorCode::kNotSupported, "has a filter, and this library knows none");
    QUIRE_TRY(form.where, language->bind(schema, *options.where));
  }
  form.key_bound = bound_of(form.parts);
  return form;
}

bool SortedForm::covers(std::size_t field) const noexcept {
  return std::ranges::count(parts, field, &BoundPart::field) != 0 ||
         std::ranges::count(covering, field) != 0 || (where && where->covers(field));
}

std::string describe_entry_key(const SortedForm& form, Bytes key) {
  std::string text;
  std::string memory;
  for (const BoundPart& part : form.parts) {
    const auto value = take_part(part.form, key, memory);
    if (!value) return "(damaged)";
    if (!text.empty()) text += ", ";
    text += describe_value(*value);
  }
  return form.parts.size() == 1 ? text : "(" + text + ")";
}

}  // namespace quire
