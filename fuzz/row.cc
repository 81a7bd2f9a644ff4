// Rows, keys, record numbers and values: all of a record as bytes.
//
// What the input is: a schema (one of three, or one that the input describes), and then either the
// bytes of a row, key or entry, or values that are to be encoded.
//
// What is promised. Of bytes: an error; or values that all lie inside the bytes and that, encoded
// again, are read back the same. Of values: they are read back as they were, and keys are ordered
// as their values are.
#include <bit>
#include <cmath>
#include <memory>

#include "engine/record/key_codec.h"
#include "engine/record/numbers.h"
#include "engine/record/record_log.h"
#include "engine/record/row_codec.h"
#include "fuzz/fuzz.h"
#include "fuzz/input.h"
#include "fuzz/must.h"
#include "fuzz/values.h"

namespace quire::fuzz {
namespace {

constexpr FieldType kTypes[] = {FieldType::kBool,      FieldType::kI64,       FieldType::kF64,
                                FieldType::kText,      FieldType::kBytes,     FieldType::kTimestamp,
                                FieldType::kVectorF32, FieldType::kJson,      FieldType::kArrayBool,
                                FieldType::kArrayText, FieldType::kVectorF16, FieldType::kVectorI8,
                                FieldType::kVectorBits};

// Key fields from the given one on.
Schema make_schema(std::span<const std::uint8_t> types, std::size_t key, std::size_t keys = 1) {
  std::vector<Field> fields;
  for (const std::uint8_t code : types) {
    const FieldType type = kTypes[code % 0x80 % std::size(kTypes)];
    fields.push_back({.name = "f" + std::to_string(fields.size()),
                      .type = type,
                      .nullable = (code & 0x80) != 0,
                      .dimension = is_vector(type) ? 1U + code % 5U : 0U});
  }
  std::vector<std::size_t> places;
  for (std::size_t i = key; i < std::min(key + keys, fields.size()); ++i) {
    fields[i].nullable = false;
    if (!is_scalar(fields[i].type)) fields[i] = {fields[i].name, FieldType::kText};
    places.push_back(i);
  }
  return must(Schema::make(std::move(fields), places));
}

const Schema& known_schema(std::size_t which) {
  static const std::uint8_t kAll[] = {3, 0x81, 0x83, 2, 0x80, 4, 5, 6, 0x86};
  static const std::uint8_t kSmall[] = {1};
  static const std::vector<std::uint8_t> kWide(70, 0x84);
  static const Schema schemas[] = {make_schema(kAll, 0), make_schema(kSmall, 0),
                                   make_schema(kWide, 69)};
  return schemas[which];
}

Schema schema_of(Input& input) {
  const std::uint8_t which = input.byte() % 4;
  if (which < 3) return known_schema(which);
  ByteVector codes = to_vector(input.sized(40));
  codes.resize(std::max<std::size_t>(codes.size(), 1));
  const std::size_t key = input.byte() % codes.size();
  const std::size_t keys = 1 + input.byte() % kMaxKeyFields;
  return make_schema({reinterpret_cast<const std::uint8_t*>(codes.data()), codes.size()}, key,
                     keys);
}

std::vector<Value> values_of(const Schema& schema, const RowView& row) {
  std::vector<Value> values;
  std::size_t sum = 0;
  for (std::size_t i = 0; i < schema.size(); ++i) {
    values.push_back(row.value(i));
    const bool null = values.back().is_null();
    demand(!null || schema.field(i).nullable, "a field that can't be null is");
    demand(null || values.back().type == schema.field(i).type, "a value of another type");
    if (is_variable(values.back().type))
      for (const std::byte byte : values.back().bytes) sum += static_cast<std::size_t>(byte);
  }
  demand(sum < SIZE_MAX, "every byte of every value can be read");
  return values;
}

void check_reading_back(const Schema& schema, RecordNumber number, std::span<const Value> values) {
  ByteVector encoded;
  encode_row(schema, number, values, encoded);
  demand(encoded.size() <= row_size_bound(schema, values), "a row is longer than its bound");
  const Exact exact(encoded);
  const RowView row = must(RowView::parse(schema, exact.bytes()));
  demand(row.number() == number, "a row comes back with another number");
  for (std::size_t i = 0; i < values.size(); ++i)
    demand(same(row.value(i), values[i]), "a value comes back as another");
}

void try_row(const Schema& schema, Bytes bytes) {
  const Exact exact(bytes);
  const Result<RowView> row = RowView::parse(schema, exact.bytes());
  if (!row) {
    demand(row.error().code() == ErrorCode::kCorrupt, "a bad row is not kCorrupt");
    return;
  }
  check_reading_back(schema, row->number(), values_of(schema, *row));
}

void try_put(const Schema& schema, Bytes bytes) {
  const Exact exact(bytes);
  const Result<RecordPut> put = decode_put(schema, exact.bytes());
  if (!put) return demand(put.error().code() == ErrorCode::kCorrupt, "a bad put is not kCorrupt");
  values_of(schema, put->row);
  for (const VectorChange& change : put->vectors) {
    const std::uint32_t field = schema.vectors()[change.vector];
    demand(change.elements.size() == schema.field(field).vector_bytes(),
           "a vector of another dimension");
    demand(to_vector(change.elements).size() == change.elements.size(), "its bytes can be read");
  }
}

// Of a key of several fields, and of each of its fields alone.
void try_key(const Schema& schema, Bytes bytes) {
  const Exact exact(bytes);
  demand(!describe_key(schema, exact.bytes()).empty(), "a key without a description");
  const auto values = decode_key(schema, exact.bytes());
  if (!values) return demand(values.error().code() == ErrorCode::kCorrupt, "a bad key's code");
  demand(values->size() == schema.key().size(), "a key of another number of values");
  std::vector<Value> views;
  for (std::size_t i = 0; i < values->size(); ++i) {
    views.push_back((*values)[i].view());
    demand(views[i].type == schema.field(schema.key()[i]).type, "a key of another type");
  }
  EncodedKey again;
  encode_key(schema, std::span<const Value>(views), again);
  demand(equal_bytes(bytes_of(again), exact.bytes()), "values have two keys");
}

void try_numbers(Bytes bytes) {
  const Exact exact(bytes);
  if (const auto entry = decode_number_entry(exact.bytes(), 7)) {
    std::size_t vectors = 0;
    for (std::size_t i = 0; i < 2100; ++i) vectors += entry->has_vector(i) ? 1 : 0;
    demand(vectors <= 8 * entry->present.size(), "more vectors than bits");
    demand(!entry->in_use || !entry->key.empty(), "a number in use without a key");
    if (!entry->in_use)
      demand(equal_bytes(encode_free_number(entry->freed_at), exact.bytes()), "a free number");
  }
  if (const auto freed = decode_freed_key(exact.bytes()))
    demand(equal_bytes(FreedKey(freed->freed_at, freed->number), exact.bytes()), "a freed key");
}

// A value that fits the field; texts and vectors live in `memory`.
Value value_for(const Field& field, Input& input, std::vector<std::string>& memory) {
  static const std::vector<float> kVector(8, 1.5F);
  if (field.nullable && input.byte() % 4 == 0) return Value::null();
  switch (field.type) {
    case FieldType::kBool:
      return Value::of_bool(input.flag());
    case FieldType::kI64:
      return Value::of_i64(input.take<std::int64_t>());
    case FieldType::kTimestamp:
      return Value::of_timestamp(input.take<std::int64_t>());
    case FieldType::kF64:
      return Value::of_f64(std::bit_cast<double>(input.take<std::uint64_t>()));
    default:
      break;
  }
  if (is_vector(field.type))
    return Value::of_vector(field.type, as_bytes(kVector.data(), 4 * kVector.size()).data(),
                            field.dimension);
  memory.emplace_back(input.text(300));
  if (input.byte() == 255) memory.back().resize(70'000, 'x');
  Value value = Value::of_bytes(as_bytes(memory.back()));
  value.type = field.type;
  return value;
}

void try_values(const Schema& schema, Input& input) {
  std::vector<std::string> memory;
  memory.reserve(schema.size());
  std::vector<Value> values;
  for (const Field& field : schema.fields()) values.push_back(value_for(field, input, memory));
  check_reading_back(schema, input.take<std::uint64_t>() & kMaxCount, values);
}

int order_of(const Value& a, const Value& b) {
  switch (a.type) {
    case FieldType::kBool:
      return static_cast<int>(a.boolean) - static_cast<int>(b.boolean);
    case FieldType::kF64:
      return a.f64 < b.f64 ? -1 : (a.f64 > b.f64 ? 1 : 0);
    case FieldType::kText:
    case FieldType::kBytes:
      return compare_bytes(a.bytes, b.bytes);
    default:
      return a.i64 < b.i64 ? -1 : (a.i64 > b.i64 ? 1 : 0);
  }
}

void try_order(Input& input) {
  const Field field{"key", kTypes[input.byte() % 6]};
  std::vector<std::string> memory;
  memory.reserve(2);
  const Value a = value_for(field, input, memory);
  const Value b = value_for(field, input, memory);
  if (field.type == FieldType::kF64 && (std::isnan(a.f64) || std::isnan(b.f64))) return;
  EncodedKey key_a;
  EncodedKey key_b;
  encode_key(a, key_a);
  encode_key(b, key_b);
  const int order = order_of(a, b);
  const int found = compare_bytes(bytes_of(key_a), bytes_of(key_b));
  demand((order < 0) == (found < 0) && (order > 0) == (found > 0), "keys are ordered otherwise");
}

enum What : std::uint8_t { kRow, kPut, kKey, kNumbers, kValues, kOrder, kWhats };

ByteVector seed(What what, std::uint8_t schema, Bytes bytes) {
  ByteVector all = {static_cast<std::byte>(what)};
  if (what != kNumbers && what != kOrder) all.push_back(static_cast<std::byte>(schema));
  all.insert(all.end(), bytes.begin(), bytes.end());
  return all;
}

}  // namespace

void fuzz_one(Bytes bytes) {
  Input input(bytes);
  const std::uint8_t what = input.byte() % kWhats;
  if (what == kNumbers) return try_numbers(input.rest());
  if (what == kOrder) return try_order(input);
  const Schema schema = schema_of(input);
  if (what == kRow) try_row(schema, input.rest());
  if (what == kPut) try_put(schema, input.rest());
  if (what == kValues) try_values(schema, input);
  if (what == kKey) {
    try_key(schema, input.rest());
  }
}

std::vector<ByteVector> seeds() {
  std::vector<ByteVector> all;
  for (std::uint8_t which = 0; which < 3; ++which) {
    const Schema& schema = known_schema(which);
    const std::string some(160, 's');
    Input input(as_bytes(some));
    std::vector<std::string> memory;
    memory.reserve(schema.size());
    std::vector<Value> values;
    for (const Field& field : schema.fields()) values.push_back(value_for(field, input, memory));
    ByteVector row;
    encode_row(schema, 300, values, row);
    all.push_back(seed(kRow, which, row));
    std::vector<std::uint32_t> changed;
    for (std::uint32_t i = 0; i < schema.vectors().size(); ++i) changed.push_back(i);
    all.push_back(seed(kPut, which, encode_put(schema, 300, values, changed)));
    EncodedKey key;
    encode_key_of(schema, values, key);
    all.push_back(seed(kKey, which, bytes_of(key)));
    const RowView view = must(RowView::parse(schema, row));
    all.push_back(seed(kNumbers, 0, encode_used_number(schema, view, bytes_of(key))));
    all.push_back(seed(kValues, which, as_bytes(some)));
  }
  all.push_back(seed(kNumbers, 0, encode_free_number(12)));
  all.push_back(seed(kNumbers, 0, FreedKey(3, 9)));
  for (char type = 0; type < 6; ++type)
    all.push_back(seed(kOrder, 0, as_bytes(std::string(1, type) + "abcdefghijklmnopqrstuvw")));
  return all;
}

}  // namespace quire::fuzz
