#include "engine/record/schema.h"

#include <algorithm>
#include <array>

#include "engine/txn/catalog.h"

namespace quire {
namespace {

std::unexpected<Error> field_error(const Field& field, const std::string& words) {
  return std::unexpected(
      Error(ErrorCode::kInvalid, "schema: field '" + field.name + "': " + words));
}

std::string type_text(const Field& field) { return std::string(type_name(field.type)); }

std::vector<Column> columns_of(std::span<const Field> fields) {
  std::vector<Column> columns;
  columns.reserve(fields.size());
  for (const Field& field : fields) columns.push_back({field.id, field.type});
  return columns;
}

}  // namespace

bool widens(FieldType from, FieldType to) noexcept {
  const bool number = to == FieldType::kI64 || to == FieldType::kF64;
  return from == to || (from == FieldType::kBool && number) ||
         (from == FieldType::kI64 && to == FieldType::kF64) ||
         (from == FieldType::kText && to == FieldType::kBytes);
}

Value widened(const Value& value, FieldType to) noexcept {
  if (value.type == to || value.is_null()) return value;
  if (to == FieldType::kBytes) return Value::of_bytes(value.bytes);
  const std::int64_t number = value.type == FieldType::kBool ? (value.boolean ? 1 : 0) : value.i64;
  if (to == FieldType::kI64) return Value::of_i64(number);
  return Value::of_f64(static_cast<double>(number));
}

Layout::Layout(std::uint32_t version, std::vector<Column> columns, std::span<const Field> fields)
    : version_(version), columns_(std::move(columns)), places_(fields.size()) {
  required_.assign((columns_.size() + 7) / 8, std::byte{0});
  // Bits past the last column.
  if (columns_.size() % 8 != 0)
    required_.back() = static_cast<std::byte>(0xFFU << (columns_.size() % 8));
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    Place place{.at = 0, .column = static_cast<std::uint16_t>(i), .type = column.type};
    if (is_variable(column.type)) {
      place.at = static_cast<std::uint32_t>(variable_count_++);
    } else if (!is_vector(column.type)) {
      place.at = static_cast<std::uint32_t>(fixed_bytes_);
      fixed_bytes_ += fixed_size(column.type);
    }
    const auto field = std::ranges::find(fields, column.field, &Field::id);
    if (field == fields.end()) continue;  // dropped since
    places_[static_cast<std::size_t>(field - fields.begin())] = place;
    if (!field->nullable) required_[i / 8] |= static_cast<std::byte>(1U << (i % 8));
  }
}

Result<Schema> Schema::make(std::vector<Field> fields, std::size_t key) {
  return make(std::move(fields), std::array{key});
}

Result<Schema> Schema::make(std::vector<Field> fields, std::span<const std::size_t> key) {
  Schema schema;
  schema.fields_ = std::move(fields);
  QUIRE_CHECK(schema.validate_count());
  for (const std::size_t field : key) {
    if (field >= schema.fields_.size())
      return fail(ErrorCode::kInvalid, "schema: there is no key field %zu", field);
    schema.key_.push_back(static_cast<std::uint32_t>(field));
  }
  for (Field& field : schema.fields_) {
    field.id = 0;
    field.before = {};
  }
  QUIRE_CHECK(schema.give_ids());
  QUIRE_CHECK(schema.validate());
  schema.derive({columns_of(schema.fields_)}, {1});
  return schema;
}

Status Schema::give_ids() {
  for (Field& field : fields_) {
    if (field.id != 0) continue;
    field.id = next_id_++;
    field.slot = kNoSlot;
    if (!is_vector(field.type)) continue;
    if (next_slot_ >= kMaxVectorSlots)
      return field_error(field, "the collection has had " + std::to_string(kMaxVectorSlots) +
                                    " vector fields, there can't be more");
    field.slot = next_slot_++;
  }
  return {};
}

void Schema::derive(std::vector<std::vector<Column>> columns, std::vector<std::uint32_t> versions) {
  layouts_.clear();
  for (std::size_t i = 0; i < columns.size(); ++i)
    layouts_.emplace_back(versions[i], std::move(columns[i]), fields_);
  vectors_.clear();
  counted_.clear();
  for (std::uint32_t i = 0; i < fields_.size(); ++i) {
    if (is_vector(fields_[i].type)) vectors_.push_back(i);
    if (fields_[i].rules.default_kind == DefaultKind::kNext) counted_.push_back(i);
  }
  ttl_ = static_cast<std::size_t>(std::ranges::find(fields_, true, &Field::ttl) - fields_.begin());
}

Result<Schema> Schema::changed(std::vector<Field> fields) const {
  Schema schema;
  schema.fields_ = std::move(fields);
  schema.next_id_ = next_id_;
  schema.next_slot_ = next_slot_;
  for (Field& field : schema.fields_) {
    if (field.id == 0) continue;
    const std::size_t old = find_id(field.id);
    if (old == size() || std::ranges::count(schema.fields_, field.id, &Field::id) != 1)
      return field_error(field, "is none of the collection's");
    if (!widens(fields_[old].type, field.type) || field.dimension != fields_[old].dimension)
      return field_error(field,
                         "can't become " + type_text(field) + " from " + type_text(fields_[old]));
    if (is_key(old) && field.type != fields_[old].type)
      return field_error(field, "is part of the key, whose types can't be changed");
    field.slot = fields_[old].slot;
    field.before = OwnedValue(widened(fields_[old].before.view(), field.type));
  }
  QUIRE_CHECK(schema.give_ids());
  for (const std::uint32_t key : key_) {
    const std::size_t now = schema.find_id(fields_[key].id);
    if (now == schema.size()) return field_error(fields_[key], "is part of the key, and can't go");
    schema.key_.push_back(static_cast<std::uint32_t>(now));
  }
  QUIRE_CHECK(schema.validate());
  std::vector<std::vector<Column>> columns;
  std::vector<std::uint32_t> versions;
  for (const Layout& layout : layouts_) {
    columns.emplace_back(layout.columns().begin(), layout.columns().end());
    versions.push_back(layout.version());
  }
  if (auto now = columns_of(schema.fields_); now != columns.back()) {
    if (columns.size() == kMaxLayouts || versions.back() == UINT32_MAX)
      return fail(ErrorCode::kTooLarge,
                  "schema: rows of %zu versions may be there; write them again first",
                  columns.size());
    columns.push_back(std::move(now));
    versions.push_back(versions.back() + 1);
  }
  schema.derive(std::move(columns), std::move(versions));
  return schema;
}

Schema Schema::settled() const {
  Schema schema = *this;
  const Layout& newest = layouts_.back();
  schema.derive({{newest.columns().begin(), newest.columns().end()}}, {newest.version()});
  return schema;
}

Status Schema::validate_count() const {
  if (!fields_.empty() && fields_.size() <= kMaxFields) return {};
  return fail(ErrorCode::kInvalid, "schema: %zu fields, must be 1 to %zu", fields_.size(),
              kMaxFields);
}

Status Schema::validate() const {
  QUIRE_CHECK(validate_count());
  for (std::size_t i = 0; i < fields_.size(); ++i) QUIRE_CHECK(validate_field(i));
  QUIRE_CHECK(validate_key());
  QUIRE_CHECK(validate_ttl());
  std::vector<std::string_view> names;
  names.reserve(fields_.size());
  for (const Field& field : fields_) names.push_back(field.name);
  std::ranges::sort(names);
  if (const auto twice = std::ranges::adjacent_find(names); twice != names.end())
    return fail(ErrorCode::kInvalid, "schema: two fields are called '%.*s'",
                static_cast<int>(twice->size()), twice->data());
  return {};
}

Status Schema::validate_field(std::size_t i) const {
  const Field& field = fields_[i];
  QUIRE_CHECK(check_name(field.name, "field"));
  if (!is_known_type(static_cast<std::uint8_t>(field.type)))
    return field_error(field, "has no type of a field (" +
                                  std::to_string(static_cast<unsigned>(field.type)) + ")");
  if (is_vector(field.type) && (field.dimension == 0 || field.dimension > kMaxDimension))
    return field_error(field, "a vector of dimension " + std::to_string(field.dimension) +
                                  ", must be 1 to " + std::to_string(kMaxDimension));
  if (!is_vector(field.type) && field.dimension != 0)
    return field_error(field, "has a dimension but is not a vector");
  if (const Status rules = check_rules(field); !rules)
    return field_error(field, rules.error().message());
  return {};
}

Status Schema::validate_key() const {
  if (key_.empty() || key_.size() > kMaxKeyFields)
    return fail(ErrorCode::kInvalid, "schema: %zu key fields, must be 1 to %zu", key_.size(),
                kMaxKeyFields);
  for (std::size_t i = 0; i < key_.size(); ++i) {
    const Field& field = fields_[key_[i]];
    if (!is_scalar(field.type))
      return field_error(field,
                         "is part of the key and " + type_text(field) + ", must be a scalar");
    if (field.nullable) return field_error(field, "is part of the key, and can't be nullable");
    if (field.rules.default_kind == DefaultKind::kVersion)
      return field_error(field, "is part of the key, and can't be a version");
    if (std::ranges::count(key_, key_[i]) != 1) return field_error(field, "is in the key twice");
  }
  return {};
}

Status Schema::validate_ttl() const {
  const auto first = std::ranges::find(fields_, true, &Field::ttl);
  if (first == fields_.end()) return {};
  if (first->type != FieldType::kTimestamp)
    return field_error(*first, "says when a record's time is over and is " + type_text(*first) +
                                   ", must be a timestamp");
  const auto second = std::find_if(first + 1, fields_.end(), [](const Field& f) { return f.ttl; });
  if (second == fields_.end()) return {};
  return field_error(*second, "says when a record's time is over, as '" + first->name +
                                  "' does already: there can be one such field");
}

bool Schema::is_key(std::size_t field) const noexcept {
  return std::ranges::find(key_, field) != key_.end();
}

std::size_t Schema::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(fields_, name, &Field::name);
  return static_cast<std::size_t>(found - fields_.begin());
}

std::size_t Schema::find_id(FieldId id) const noexcept {
  const auto found = std::ranges::find(fields_, id, &Field::id);
  return static_cast<std::size_t>(found - fields_.begin());
}

std::size_t Schema::vector_place(std::size_t field) const noexcept {
  return static_cast<std::size_t>(std::ranges::lower_bound(vectors_, field) - vectors_.begin());
}

const Layout* Schema::find_layout(std::uint32_t version) const noexcept {
  if (version == layouts_.back().version()) [[likely]]
    return &layouts_.back();
  const auto found = std::ranges::lower_bound(layouts_, version, {}, &Layout::version);
  return found != layouts_.end() && found->version() == version ? &*found : nullptr;
}

bool Schema::operator==(const Schema& other) const noexcept {
  const auto same_columns = [](const Layout& a, const Layout& b) {
    return a.version() == b.version() && std::ranges::equal(a.columns(), b.columns());
  };
  return fields_ == other.fields_ && key_ == other.key_ && next_id_ == other.next_id_ &&
         next_slot_ == other.next_slot_ &&
         std::ranges::equal(layouts_, other.layouts_, same_columns);
}

}  // namespace quire
