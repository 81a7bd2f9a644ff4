#include "engine/record/row_codec.h"

#include <bit>

#include "engine/page/page_ptr.h"

namespace quire {
namespace {

unsigned end_shift_for(std::uint64_t heap_size) noexcept {
  return heap_size <= UINT8_MAX ? 0 : heap_size <= UINT16_MAX ? 1 : 2;
}

void store_end(std::byte* to, std::uint64_t end, unsigned shift) noexcept {
  if (shift == 0) store_le(to, static_cast<std::uint8_t>(end));
  if (shift == 1) store_le(to, static_cast<std::uint16_t>(end));
  if (shift == 2) store_le(to, static_cast<std::uint32_t>(end));
}

void store_fixed(std::byte* to, const Value& value) noexcept {
  switch (value.type) {
    case FieldType::kBool:
      return store_le(to, static_cast<std::uint8_t>(value.boolean ? 1 : 0));
    case FieldType::kI64:
    case FieldType::kTimestamp:
      return store_le(to, value.i64);
    case FieldType::kF64:
      return store_le(to, std::bit_cast<std::uint64_t>(value.f64));
    default:
      return;
  }
}

std::uint64_t heap_size(std::span<const Value> values) noexcept {
  std::uint64_t size = 0;
  for (const Value& value : values)
    if (is_variable(value.type)) size += value.bytes.size();
  return size;
}

constexpr std::size_t kMaxHeader = 1 + 5 + 10;

std::unexpected<Error> damaged(const char* what) {
  return fail(ErrorCode::kCorrupt, "row: %s", what);
}

}  // namespace

std::uint64_t row_size_bound(const Schema& schema, std::span<const Value> values) noexcept {
  const Layout& layout = schema.layout();
  return kMaxHeader + layout.null_bytes() + layout.fixed_bytes() + 4 * layout.variable_count() +
         heap_size(values);
}

void encode_row(const Schema& schema, RecordNumber number, std::span<const Value> values,
                ByteVector& out) {
  const Layout& layout = schema.layout();
  const unsigned shift = end_shift_for(heap_size(values));
  ByteWriter writer(out);
  writer.put(static_cast<std::uint8_t>(shift));
  writer.put_varint(layout.version());
  writer.put_varint(number);
  const std::size_t nulls = out.size();
  const std::size_t fixed = nulls + layout.null_bytes();
  const std::size_t ends = fixed + layout.fixed_bytes();
  out.resize(ends + (layout.variable_count() << shift));
  const std::size_t heap = out.size();
  for (std::size_t i = 0; i < schema.size(); ++i) {
    const Value& value = values[i];
    const Layout::Place& place = layout.place(i);
    if (value.is_null())
      out[nulls + place.column / 8] |= static_cast<std::byte>(1U << (place.column % 8));
    if (is_variable(place.type)) {
      if (!value.is_null()) writer.put_bytes(value.bytes);
      store_end(out.data() + ends + (std::size_t{place.at} << shift), out.size() - heap, shift);
    } else if (!is_vector(place.type)) {
      store_fixed(out.data() + fixed + place.at, value);
    }
  }
}

Result<RowView> RowView::parse(const Schema& schema, Bytes row) {
  ByteReader reader(row);
  const auto header = reader.get<std::uint8_t>();
  const std::uint64_t version = reader.get_varint();
  RowView view;
  view.schema_ = &schema;
  view.row_ = row;
  view.number_ = reader.get_varint();
  if (!reader.ok() || header > 2) return damaged("its beginning makes no sense");
  if (version <= UINT32_MAX) view.layout_ = schema.find_layout(static_cast<std::uint32_t>(version));
  if (view.layout_ == nullptr) return damaged("its schema version does not exist");
  const Layout& layout = *view.layout_;
  if (view.number_ > kMaxCount) return damaged("its record number is out of range");
  view.end_shift_ = header;
  view.nulls_ = reader.get_bytes(layout.null_bytes()).data();
  view.fixed_ = reader.get_bytes(layout.fixed_bytes()).data();
  view.ends_ = reader.get_bytes(layout.variable_count() << view.end_shift_).data();
  if (!reader.ok()) return damaged("it is shorter than its fields");
  view.heap_ = reader.get_bytes(reader.left());
  for (std::size_t i = 0; i < layout.null_bytes(); ++i) {
    if ((view.nulls_[i] & layout.required()[i]) != std::byte{0})
      return damaged("a field that can't be null is");
  }
  QUIRE_CHECK(view.check_ends());
  return view;
}

Status RowView::check_ends() const {
  std::uint32_t before = 0;
  for (std::size_t i = 0; i < layout_->variable_count(); ++i) {
    const std::uint32_t end = end_of(i);
    if (end < before || end > heap_.size())
      return damaged("the ends of its fields are out of order");
    before = end;
  }
  if (before != heap_.size()) return damaged("there are bytes behind its last field");
  return {};
}

std::uint32_t RowView::end_of(std::size_t place) const noexcept {
  const std::byte* at = ends_ + (place << end_shift_);
  if (end_shift_ == 0) return static_cast<std::uint32_t>(*at);
  if (end_shift_ == 1) return load_le<std::uint16_t>(at);
  return load_le<std::uint32_t>(at);
}

Value RowView::value(std::size_t i) const noexcept {
  const Layout::Place& place = layout_->place(i);
  const Field& field = schema_->field(i);
  if (place.type == FieldType::kNull) [[unlikely]]
    return field.before.view();
  if (is_null(i)) return Value::null();
  if (is_vector(place.type)) return Value::of_vector(place.type, nullptr, field.dimension);
  const Value stored = stored_value(place);
  if (place.type == field.type) [[likely]]
    return stored;
  return widened(stored, field.type);
}

Value RowView::stored_value(const Layout::Place& place) const noexcept {
  switch (place.type) {
    case FieldType::kBool:
      return Value::of_bool(fixed_[place.at] != std::byte{0});
    case FieldType::kI64:
      return Value::of_i64(load_le<std::int64_t>(fixed_ + place.at));
    case FieldType::kTimestamp:
      return Value::of_timestamp(load_le<std::int64_t>(fixed_ + place.at));
    case FieldType::kF64:
      return Value::of_f64(std::bit_cast<double>(load_le<std::uint64_t>(fixed_ + place.at)));
    default:
      break;
  }
  const std::uint32_t begin = place.at == 0 ? 0 : end_of(place.at - 1);
  return Value::of_array(place.type, heap_.subspan(begin, end_of(place.at) - begin));
}

}  // namespace quire
