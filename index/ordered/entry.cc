#include "index/ordered/entry.h"

#include <algorithm>
#include <bit>

#include "engine/page/page_ptr.h"
#include "engine/record/array_value.h"

namespace quire {
namespace {

std::unexpected<Error> no_entry() {
  return fail(ErrorCode::kCorrupt, "an entry is not one of the index");
}

void put_covered(const Value& value, ByteWriter& writer) {
  switch (value.type) {
    case FieldType::kNull:
      return;
    case FieldType::kBool:
      return writer.put(static_cast<std::uint8_t>(value.boolean ? 1 : 0));
    case FieldType::kI64:
    case FieldType::kTimestamp:
      return writer.put(value.i64);
    case FieldType::kF64:
      return writer.put(std::bit_cast<std::uint64_t>(value.f64));
    default:
      return writer.put_sized(value.bytes);
  }
}

Value covered_value(FieldType type, ByteReader& reader) noexcept {
  Value value;
  switch (type) {
    case FieldType::kBool:
      return Value::of_bool(reader.get<std::uint8_t>() != 0);
    case FieldType::kI64:
    case FieldType::kTimestamp:
      value = Value::of_i64(reader.get<std::int64_t>());
      value.type = type;
      return value;
    case FieldType::kF64:
      return Value::of_f64(std::bit_cast<double>(reader.get<std::uint64_t>()));
    default:
      return Value::of_array(type, reader.get_sized());
  }
}

// Where the parts of a key end, and whether one of them is null.
Result<PartExtent> measure_parts(const SortedForm& form, Bytes key) {
  PartExtent all;
  for (const BoundPart& part : form.parts) {
    QUIRE_TRY(const PartExtent extent, measure_part(part.form, key.subspan(all.size)));
    all.size += extent.size;
    all.null |= extent.null;
  }
  return all;
}

}  // namespace

void RecordEntries::append_simple(const BoundPart& part, const Value& value) {
  if (value.is_null()) exclusive_ = false;
  append_part(part.form, value, parts_);
}

void RecordEntries::append_parts(const SortedForm& form, const RowView& row) {
  for (const BoundPart& part : form.parts) {
    const Value value = row.value(part.field);
    if (part.source == PartSource::kElements) {
      array_ = &part;
      array_at_ = parts_.size();
    } else if (part.source == PartSource::kPath && !value.is_null()) {
      append_simple(part, part.path.find(value.text(), memory_));
    } else {
      append_simple(part, value);
    }
  }
}

void RecordEntries::finish_key(std::size_t begin, RecordNumber number) {
  if (!exclusive_) {
    std::byte bytes[sizeof number];
    store_be(bytes, number);
    keys_ += as_text(bytes);
  }
  places_.push_back({begin, keys_.size() - begin});
}

// One key for each different element.
void RecordEntries::expand(RecordNumber number, const Value& array) {
  const std::string_view parts = parts_;
  const auto add = [&](const Value& element) {
    const std::size_t begin = keys_.size();
    keys_ += parts.substr(0, array_at_);
    append_part(array_->form, element, keys_);
    keys_ += parts.substr(array_at_);
    finish_key(begin, number);
  };
  if (!array.is_null()) {
    ArrayReader reader(array);
    for (Value element; reader.next(element);) add(element);
  }
  if (places_.empty()) {
    exclusive_ = false;
    add(Value::null());
  }
  if (places_.size() == 1) return;
  const auto bytes = [&](const Place& place) {
    return bytes_of(keys_).subspan(place.begin, place.size);
  };
  std::ranges::sort(places_, [&](const Place& a, const Place& b) {
    return compare_bytes(bytes(a), bytes(b)) < 0;
  });
  const auto rest = std::ranges::unique(
      places_, [&](const Place& a, const Place& b) { return equal_bytes(bytes(a), bytes(b)); });
  places_.erase(rest.begin(), rest.end());
}

void RecordEntries::put_value(const SortedForm& form, const RowView& row, Bytes key) {
  value_.clear();
  ByteWriter writer(value_);
  if (exclusive_) writer.put_varint(row.number());
  writer.put_sized(key);
  if (form.covering.empty()) return;
  const std::size_t nulls = value_.size();
  value_.resize(nulls + (form.covering.size() + 7) / 8);
  for (std::size_t i = 0; i < form.covering.size(); ++i) {
    const Value value = row.value(form.covering[i]);
    if (value.is_null()) value_[nulls + i / 8] |= static_cast<std::byte>(1U << (i % 8));
    put_covered(value, writer);
  }
}

void RecordEntries::make(const SortedForm& form, const RowView& row, Bytes key) {
  keys_.clear();
  places_.clear();
  if (form.where && !form.where->matches(row)) return;
  parts_.clear();
  array_ = nullptr;
  exclusive_ = form.unique;
  append_parts(form, row);
  if (array_ != nullptr) {
    expand(row.number(), row.value(array_->field));
  } else {
    keys_ += parts_;
    finish_key(0, row.number());
  }
  put_value(form, row, key);
}

std::size_t RecordEntries::find(Bytes key) const noexcept {
  std::size_t low = 0;
  std::size_t high = size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (compare_bytes(this->key(middle), key) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < size() && equal_bytes(this->key(low), key) ? low : size();
}

Result<EntryView> EntryView::parse_exclusive(Bytes value) {
  ByteReader reader(value);
  EntryView entry;
  entry.number = reader.get_varint();
  entry.primary_key = reader.get_sized();
  entry.covered = reader.get_bytes(reader.left());
  if (!reader.ok() || entry.number > kMaxCount) return no_entry();
  return entry;
}

Result<EntryView> EntryView::parse(const SortedForm& form, Bytes key, Bytes value) {
  if (form.unique) {
    QUIRE_TRY(const PartExtent parts, measure_parts(form, key));
    if (key.size() - parts.size != (parts.null ? sizeof(RecordNumber) : 0)) return no_entry();
    if (!parts.null) return parse_exclusive(value);
  }
  if (key.size() < sizeof(RecordNumber)) return no_entry();
  ByteReader reader(value);
  EntryView entry;
  entry.number = load_be<RecordNumber>(key.last(sizeof(RecordNumber)).data());
  entry.primary_key = reader.get_sized();
  entry.covered = reader.get_bytes(reader.left());
  if (!reader.ok() || entry.number > kMaxCount) return no_entry();
  return entry;
}

Status read_covered(const SortedForm& form, Bytes covered, std::span<Value> values) {
  if (form.covering.empty()) {
    if (!covered.empty()) return no_entry();
    return {};
  }
  ByteReader reader(covered);
  const Bytes nulls = reader.get_bytes((form.covering.size() + 7) / 8);
  if (!reader.ok()) return no_entry();
  for (std::size_t i = 0; i < form.covering.size(); ++i) {
    const bool null = (static_cast<unsigned>(nulls[i / 8]) >> (i % 8) & 1) != 0;
    values[i] = null ? Value::null() : covered_value(form.covering_types[i], reader);
  }
  if (!reader.ok() || reader.left() != 0) return no_entry();
  return {};
}

}  // namespace quire
