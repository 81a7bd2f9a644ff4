#include "index/query/entry_fields.h"

#include <algorithm>

namespace quire::query {
namespace {

std::optional<std::size_t> part_of(const SortedIndex& index, std::uint32_t field) {
  const std::vector<BoundPart>& parts = index.form().parts;
  const auto found = std::ranges::find_if(parts, [&](const BoundPart& part) {
    return part.field == field && part.source == PartSource::kField &&
           part.form.collation == Collation::kBytes && part.form.type != FieldType::kF64;
  });
  if (found == parts.end()) return {};
  return static_cast<std::size_t>(found - parts.begin());
}

std::optional<std::size_t> covered_at(const SortedIndex& index, std::uint32_t field) {
  const auto found = std::ranges::find(index.form().covering, std::size_t{field});
  if (found == index.form().covering.end()) return {};
  return static_cast<std::size_t>(found - index.form().covering.begin());
}

std::optional<std::size_t> key_place(const Schema& schema, std::uint32_t field) {
  if (schema.field(field).type == FieldType::kF64) return {};
  const auto found = std::ranges::find(schema.key(), field);
  if (found == schema.key().end()) return {};
  return static_cast<std::size_t>(found - schema.key().begin());
}

}  // namespace

bool entry_has(const Collection& collection, const SortedIndex& index, std::uint32_t field) {
  return part_of(index, field) || covered_at(index, field) || key_place(collection.schema(), field);
}

EntryFields::EntryFields(const Collection& collection, const SortedIndex& index,
                         std::span<const std::uint32_t> fields)
    : schema_(&collection.schema()),
      index_(&index),
      values_(schema_->size()),
      memory_(schema_->key().size()) {
  for (const std::uint32_t field : fields) {
    if (const auto part = part_of(index, field)) {
      sources_.push_back({field, Place::kPart, *part});
      parts_ = true;
    } else if (const auto covered = covered_at(index, field)) {
      sources_.push_back({field, Place::kCovered, *covered});
      covered_ = true;
    } else if (const auto place = key_place(*schema_, field)) {
      sources_.push_back({field, Place::kPrimary, *place});
      primary_ = true;
    }
  }
}

bool EntryFields::is_of(const SortedIndex& index,
                        std::span<const std::uint32_t> fields) const noexcept {
  return index_ == &index && std::ranges::equal(fields, sources_, {}, {}, &Source::field);
}

Status EntryFields::read_primary(Bytes key) {
  const std::span<const std::uint32_t> fields = schema_->key();
  key_.resize(fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const bool last = i + 1 == fields.size();
    QUIRE_TRY(key_[i], take_component(schema_->field(fields[i]).type, last, key, memory_[i]));
  }
  return {};
}

Status EntryFields::read(SortedScan& scan) {
  std::span<const Value> parts;
  std::span<const Value> covered;
  if (parts_) {
    QUIRE_TRY(parts, scan.parts());
  }
  if (covered_) {
    QUIRE_TRY(covered, scan.covered());
  }
  if (primary_) QUIRE_CHECK(read_primary(scan.primary_key()));
  for (const Source& source : sources_) {
    const std::span<const Value> from = source.place == Place::kPart ? parts
                                        : source.place == Place::kCovered
                                            ? covered
                                            : std::span<const Value>(key_);
    values_[source.field] = from[source.at];
  }
  return {};
}

}  // namespace quire::query
