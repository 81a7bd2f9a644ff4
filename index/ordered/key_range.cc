#include "index/ordered/key_range.h"

namespace quire {
namespace {

// The bytes that end a text are two.
constexpr std::size_t kTextEnd = 2;

Status check_place(const SortedForm& form, std::size_t place) {
  if (place < form.parts.size()) return {};
  return fail(ErrorCode::kInvalid, "a key of the index has %zu parts, not %zu", form.parts.size(),
              place + 1);
}

// Appends a value of the part at this place.
Status append_value(const SortedForm& form, std::size_t place, const Value& value,
                    EncodedKey& key) {
  QUIRE_CHECK(check_place(form, place));
  const PartForm& part = form.parts[place].form;
  if (!fits_part(part, value))
    return fail(ErrorCode::kType, "part %zu of the index is %s, not %s", place + 1,
                std::string(type_name(part.type)).c_str(),
                std::string(type_name(value.type)).c_str());
  append_part(part, value, key);
  return {};
}

Result<EncodedKey> prefix_of(const SortedForm& form, std::span<const Value> equal) {
  EncodedKey prefix;
  for (std::size_t i = 0; i < equal.size(); ++i)
    QUIRE_CHECK(append_value(form, i, equal[i], prefix));
  return prefix;
}

KeyRange with_prefix(const EncodedKey& prefix) { return {prefix, behind_prefix(bytes_of(prefix))}; }

}  // namespace

Result<KeyRange> equal_range(const SortedForm& form, std::span<const Value> equal) {
  QUIRE_TRY(const EncodedKey prefix, prefix_of(form, equal));
  return with_prefix(prefix);
}

Result<KeyRange> not_null_range(const SortedForm& form, std::span<const Value> equal) {
  QUIRE_CHECK(check_place(form, equal.size()));
  QUIRE_TRY(const EncodedKey prefix, prefix_of(form, equal));
  const PartForm& part = form.parts[equal.size()].form;
  KeyRange range = with_prefix(prefix);
  const EncodedKey null = prefix + null_tag(part);
  if (part.descending) {
    range.high = null;
  } else {
    range.low = *behind_prefix(bytes_of(null));
  }
  return range;
}

Result<KeyRange> bounded_range(const SortedForm& form, std::span<const Value> equal,
                               const std::optional<KeyBound>& low,
                               const std::optional<KeyBound>& high) {
  QUIRE_TRY(KeyRange range, not_null_range(form, equal));
  const bool descending = form.parts[equal.size()].form.descending;
  const std::optional<KeyBound>& first = descending ? high : low;
  const std::optional<KeyBound>& last = descending ? low : high;
  if (first) {
    QUIRE_TRY(EncodedKey key, prefix_of(form, equal));
    QUIRE_CHECK(append_value(form, equal.size(), first->value, key));
    range.low = first->inclusive ? key : *behind_prefix(bytes_of(key));
  }
  if (last) {
    QUIRE_TRY(EncodedKey key, prefix_of(form, equal));
    QUIRE_CHECK(append_value(form, equal.size(), last->value, key));
    range.high = last->inclusive ? *behind_prefix(bytes_of(key)) : key;
  }
  return range;
}

Result<KeyRange> begins_range(const SortedForm& form, std::span<const Value> equal,
                              const Value& text) {
  if (text.type != FieldType::kText && text.type != FieldType::kBytes)
    return fail(ErrorCode::kType, "only texts and bytes begin with others");
  QUIRE_TRY(EncodedKey key, prefix_of(form, equal));
  QUIRE_CHECK(append_value(form, equal.size(), text, key));
  key.resize(key.size() - kTextEnd);
  return with_prefix(key);
}

}  // namespace quire
