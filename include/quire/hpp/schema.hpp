// Part of <quire/quire.hpp>: fields of collections, with their rules.
#ifndef QUIRE_HPP_SCHEMA_HPP
#define QUIRE_HPP_SCHEMA_HPP

#include <quire/hpp/value.hpp>

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace quire {
inline namespace api1 {

// What a field has by default and what its values have to be: quire_rules has the meanings.
struct Rules {
  quire_default default_kind = QUIRE_DEFAULT_NONE;
  OwnedValue default_value{};  // with QUIRE_DEFAULT_VALUE
  OwnedValue min{};            // null: none
  OwnedValue max{};
  std::uint64_t min_length = 0;
  std::uint64_t max_length = UINT64_MAX;
  std::vector<OwnedValue> one_of{};  // empty: any
  std::optional<std::string> pattern{};

  bool operator==(const Rules&) const = default;
};

// Rules with a default alone.
inline Rules default_rules(quire_default kind) { return {.default_kind = kind}; }
inline Rules default_rules(const Value& value) {
  return {.default_kind = QUIRE_DEFAULT_VALUE, .default_value = value};
}

struct Field {
  std::string name{};
  quire_type type = QUIRE_TYPE_TEXT;
  std::uint32_t dimension = 0;  // of a vector
  bool nullable = false;
  bool key = false;
  std::optional<Rules> rules{};
  std::uint32_t id = 0;  // of a field that is stored; 0 for a new one
  bool ttl = false;      // says when the time of its record is over

  bool operator==(const Field&) const = default;
};

// The version that rows are written with now, and the oldest that a row may have.
struct SchemaVersions {
  std::uint32_t newest = 0;
  std::uint32_t oldest = 0;
};

namespace detail {

inline Rules rules_of(const quire_rules& given) {
  Rules rules;
  rules.default_kind = static_cast<quire_default>(given.default_kind);
  rules.default_value = given.default_value;
  rules.min = given.min;
  rules.max = given.max;
  rules.min_length = given.min_length;
  rules.max_length = given.max_length;
  rules.one_of.assign(given.one_of, given.one_of + given.one_of_count);
  if (given.pattern != nullptr) rules.pattern = given.pattern;
  return rules;
}

inline Field field_of(const quire_field& given) {
  Field field;
  field.name = given.name;
  field.type = static_cast<quire_type>(given.type);
  field.dimension = given.dimension;
  field.nullable = (given.flags & QUIRE_FIELD_NULLABLE) != 0;
  field.key = (given.flags & QUIRE_FIELD_KEY) != 0;
  field.ttl = (given.flags & QUIRE_FIELD_TTL) != 0;
  field.id = given.id;
  if (given.rules != nullptr) field.rules = rules_of(*given.rules);
  return field;
}

// Fields as the C interface takes them. Borrows them.
class CFields {
 public:
  explicit CFields(std::span<const Field> fields) {
    for (const Field& field : fields) {
      std::uint32_t flags = 0;
      if (field.nullable) flags |= QUIRE_FIELD_NULLABLE;
      if (field.key) flags |= QUIRE_FIELD_KEY;
      if (field.ttl) flags |= QUIRE_FIELD_TTL;
      fields_.push_back({field.name.c_str(), static_cast<std::uint32_t>(field.type), flags,
                         field.dimension, field.id, field.rules ? add(*field.rules) : nullptr});
    }
  }
  CFields(const CFields&) = delete;
  CFields& operator=(const CFields&) = delete;

  const quire_field* data() const noexcept { return fields_.data(); }
  std::size_t size() const noexcept { return fields_.size(); }

 private:
  const quire_rules* add(const Rules& given) {
    quire_rules& rules = rules_.emplace_back(quire_rules QUIRE_RULES_INIT);
    rules.default_kind = given.default_kind;
    rules.default_value = given.default_value;
    rules.min = given.min;
    rules.max = given.max;
    rules.min_length = given.min_length;
    rules.max_length = given.max_length;
    const auto& one_of = one_of_.emplace_back(given.one_of.begin(), given.one_of.end());
    rules.one_of = one_of.data();
    rules.one_of_count = one_of.size();
    if (given.pattern) rules.pattern = given.pattern->c_str();
    return &rules;
  }

  std::deque<quire_rules> rules_;
  std::deque<std::vector<Value>> one_of_;
  std::vector<quire_field> fields_;
};

}  // namespace detail
}  // namespace api1
}  // namespace quire

#endif  // QUIRE_HPP_SCHEMA_HPP
