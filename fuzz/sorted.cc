// Options and entries of sorted indexes.
//
// What the input is: a byte that says which of these follows, for a schema with every type: options
// as they are asked for; options as they are stored; the key and the value of an entry, for one of
// several indexes or for options in the input; or a record, of which such an index makes entries.
//
// What is promised. Of a text: an error that names its option; or options that are read back the
// same when they are stored, fit the schema, and are described by a text that means the same. Of
// stored options: an error; or ones that are the same when stored again. Of entries: an error; or
// parts and fields that lie inside of what was given, parts that encoded again are the same bytes.
// Of a record, whatever its JSON and arrays are: entries in order, each different, that lead back
// to the record, with its parts and its covered fields.
#include <cmath>

#include "engine/record/array_value.h"
#include "engine/txn/catalog.h"
#include "fuzz/fuzz.h"
#include "fuzz/input.h"
#include "fuzz/must.h"
#include "fuzz/values.h"
#include "index/ordered/entry.h"
#include "index/ordered/filter_language.h"

namespace quire::fuzz {
namespace {

const Schema& schema() {
  static const Schema schema = must(Schema::make({{"id", FieldType::kI64},
                                                  {"n", FieldType::kI64, true},
                                                  {"f", FieldType::kF64, true},
                                                  {"b", FieldType::kBool, true},
                                                  {"t", FieldType::kText, true},
                                                  {"y", FieldType::kBytes, true},
                                                  {"w", FieldType::kTimestamp, true},
                                                  {"doc", FieldType::kJson, true},
                                                  {"tags", FieldType::kArrayText, true},
                                                  {"ns", FieldType::kArrayI64, true},
                                                  {"fs", FieldType::kArrayF64, true},
                                                  {"bs", FieldType::kArrayBool, true},
                                                  {"ys", FieldType::kArrayBytes, true},
                                                  {"v", FieldType::kVectorF32, true, 2},
                                                  {"-n", FieldType::kText, true},
                                                  {"doc.a", FieldType::kI64, true},
                                                  {"tags[]", FieldType::kBool, true}},
                                                 0));
  return schema;
}

constexpr const char* kOptions[] = {
    R"({"fields": ["n"]})",
    R"({"fields": ["n", "-f", "b"], "unique": true, "covering": ["t", "n", "doc", "tags", "b"]})",
    R"({"fields": [{"field": "-n", "order": "desc", "collation": "ascii_nocase"}, "y"]})",
    R"({"fields": ["-tags[]", "w"], "unique": true, "collation": "ascii_nocase"})",
    R"({"fields": ["doc[\"a\"]", "-doc.b[1].c", "ns[]"], "covering": ["f", "w", "y"]})",
    R"({"fields": ["t", "-y"], "where": "n > 1 and t is not null"})",
    R"({"fields": ["fs[]", "doc.x"], "unique": true, "where": "doc.a = 1 or b"})",
    R"({"fields": ["ys[]", "-t", "-y"], "covering": ["bs"], "where": "not t like 'a%'"})"};

// --- options ---

void check_stored(const SortedOptions& options) {
  const auto again = must(SortedOptions::decode(options.encode()));
  demand(again == options, "options are others when they are stored again");
}

void try_text(std::string_view text) {
  const auto options = parse_sorted_options(schema(), text, &filter_language());
  const auto without = parse_sorted_options(schema(), text, nullptr);
  if (!options) {
    demand(options.error().code() == ErrorCode::kInvalid, "options are refused with another code");
    demand(!options.error().message().empty(), "options are refused without a word");
    return demand(!without, "less is refused without a language of filters");
  }
  demand(without.has_value() == !options->where, "a filter without a language");
  check_stored(*options);
  must(SortedForm::bind(schema(), options->encode(), &filter_language()));
  const std::string described = describe_sorted_options(schema(), *options, &filter_language());
  const auto again = must(parse_sorted_options(schema(), described, &filter_language()));
  demand(again == *options, "options are described as others");
}

void try_stored(Bytes bytes) {
  const Exact exact(bytes);
  const auto options = SortedOptions::decode(exact.bytes());
  const auto form = SortedForm::bind(schema(), exact.bytes(), &filter_language());
  demand(options || !form, "what can't be read fits a schema");
  if (!options) return;
  check_stored(*options);
  (void)describe_sorted_options(schema(), *options, &filter_language());
}

Result<SortedForm> some_form(Input& input) {
  const std::size_t which = input.byte() % (std::size(kOptions) + 1);
  if (which == std::size(kOptions))
    return SortedForm::bind(schema(), input.sized(120), &filter_language());
  const auto options = parse_sorted_options(schema(), kOptions[which], &filter_language());
  if (!options) return SortedForm::bind(schema(), {}, nullptr);
  return SortedForm::bind(schema(), options->encode(), &filter_language());
}

// --- entries ---

std::size_t sum_of(Bytes bytes) {
  std::size_t sum = 0;
  for (const std::byte byte : bytes) sum += static_cast<std::size_t>(byte);
  return sum;
}

// Every byte of a value, so that one outside of what is there is seen.
void touch(const Value& value) {
  if (is_variable(value.type)) demand(sum_of(value.bytes) < SIZE_MAX, "a value can be read");
}

// What is left of the key behind its parts; nothing where it has not all of them. `written`: it was
// made of a record. Others may have capital letters where there are none but small ones.
std::optional<Bytes> check_parts(const SortedForm& form, Bytes key, bool written) {
  for (const BoundPart& part : form.parts) {
    const auto extent = measure_part(part.form, key);
    Bytes rest = key;
    std::string memory;
    const auto value = take_part(part.form, rest, memory);
    demand(extent || !value, "a part that can be read has no size");
    if (!value) return std::nullopt;
    demand(key.size() - rest.size() == extent->size, "a part is read and measured otherwise");
    demand(fits_part(part.form, *value), "a part has a value that does not fit it");
    demand(value->is_null() == extent->null, "a part is null, or is not");
    touch(*value);
    EncodedKey again;
    append_part(part.form, *value, again);
    const bool exact = written || part.form.collation == Collation::kBytes;
    demand(!exact || equal_bytes(bytes_of(again), key.first(extent->size)),
           "a part is another when it is encoded again");
    key = rest;
  }
  return key;
}

void try_entry(Input& input) {
  const auto form = some_form(input);
  if (!form) return;
  const Exact key(input.sized(250));
  const Exact value(input.rest());
  const auto rest = check_parts(*form, key.bytes(), false);
  const std::string words = describe_entry_key(*form, key.bytes());
  demand(rest || words.ends_with("(damaged)") || words.ends_with("(damaged))"),
         "a damaged key is described as if it were none");
  const auto entry = EntryView::parse(*form, key.bytes(), value.bytes());
  if (!entry) return;
  demand(sum_of(entry->primary_key) + sum_of(entry->covered) < SIZE_MAX, "an entry can be read");
  std::vector<Value> values(form->covering.size());
  if (!read_covered(*form, entry->covered, values)) return;
  for (std::size_t i = 0; i < values.size(); ++i) {
    demand(values[i].is_null() || values[i].type == form->covering_types[i],
           "a covered field is of another type");
    touch(values[i]);
  }
}

// --- records ---

Value some_value(Input& input, FieldType type) {
  const std::uint8_t kind = input.byte();
  if (kind < 32) return Value::null();
  Value value;
  value.type = type;
  switch (type) {
    case FieldType::kBool:
      return Value::of_bool((kind & 1) != 0);
    case FieldType::kI64:
    case FieldType::kTimestamp:
      value.i64 = kind < 100 ? kind % 8 : input.take<std::int64_t>();
      return value;
    case FieldType::kF64:
      return Value::of_f64(kind < 100 ? kind % 8 / 2.0
                                      : std::bit_cast<double>(input.take<std::uint64_t>()));
    case FieldType::kVectorF32:
      return Value::of_vector(nullptr, 2);
    default:
      // Nobody has looked into what a damaged row has for a text, for JSON or an array.
      value.bytes = input.take_bytes(kind % 64);
      return value;
  }
}

// Whether its texts are what they are checked to be when a record is written.
bool is_sound(const Value& value) {
  if (value.type == FieldType::kText) return is_utf8(value.text());
  return value.type != FieldType::kArrayText || check_array(value.type, value.bytes).has_value();
}

void check_entry(const SortedForm& form, const RecordEntries& entries, std::size_t i,
                 const RowView& row, Bytes primary_key, bool sound) {
  const Bytes key = entries.key(i);
  demand(i == 0 || compare_bytes(entries.key(i - 1), key) < 0, "entries out of order");
  demand(entries.find(key) == i, "an entry is not found");
  const auto rest = check_parts(form, key, true);
  demand(rest || !sound, "an entry has not all parts");
  demand(!rest || rest->size() == (entries.exclusive() ? 0 : sizeof(RecordNumber)),
         "a number, or none");
  const EntryView entry = must(EntryView::parse(form, key, entries.value()));
  demand(entry.number == row.number(), "an entry of another record");
  demand(equal_bytes(entry.primary_key, primary_key), "an entry with another key");
  std::vector<Value> covered(form.covering.size());
  must(read_covered(form, entry.covered, covered));
  for (std::size_t field = 0; field < covered.size(); ++field)
    demand(same(covered[field], row.value(form.covering[field])), "a covered field is another");
}

void try_record(Input& input) {
  const auto form = some_form(input);
  if (!form) return;
  const std::uint64_t number = input.take<std::uint32_t>();
  const Bytes primary_key = input.sized(20);
  std::vector<Value> values = {Value::of_i64(1)};
  for (std::size_t i = 1; i < schema().size(); ++i)
    values.push_back(some_value(input, schema().field(i).type));
  ByteVector bytes;
  encode_row(schema(), number, values, bytes);
  const RowView row = must(RowView::parse(schema(), bytes));
  RecordEntries entries;
  entries.make(*form, row, primary_key);
  demand(!entries.empty() || form->where, "a record without entries");
  const bool sound = std::ranges::all_of(values, is_sound);
  for (std::size_t i = 0; i < entries.size(); ++i)
    check_entry(*form, entries, i, row, primary_key, sound);
}

}  // namespace

void fuzz_one(Bytes bytes) {
  Input input(bytes);
  switch (input.byte() % 4) {
    case 0:
      return try_text(as_text(input.rest()));
    case 1:
      return try_stored(input.rest());
    case 2:
      return try_entry(input);
    default:
      return try_record(input);
  }
}

std::vector<ByteVector> seeds() {
  std::vector<ByteVector> all;
  const auto add = [&](std::uint8_t kind, Bytes bytes) {
    ByteVector& seed = all.emplace_back(1, static_cast<std::byte>(kind));
    seed.insert(seed.end(), bytes.begin(), bytes.end());
  };
  const std::vector<Value> values = {Value::of_i64(1), Value::of_i64(5), Value::of_f64(-2.5),
                                     Value::of_bool(true), Value::of_text("Ab")};
  std::vector<Value> record = values;
  record.resize(schema().size());
  record[7] = Value::of_json(R"({"a": 1, "b": [0, {"c": 1.5}]})");
  ByteVector row_bytes;
  encode_row(schema(), 7, record, row_bytes);
  const RowView row = must(RowView::parse(schema(), row_bytes));
  for (std::size_t i = 0; i < std::size(kOptions); ++i) {
    const std::string_view text = kOptions[i];
    const SortedOptions options = must(parse_sorted_options(schema(), text, &filter_language()));
    add(0, as_bytes(text));
    add(1, options.encode());
    const SortedForm form = must(SortedForm::bind(schema(), options.encode(), &filter_language()));
    RecordEntries entries;
    entries.make(form, row, as_bytes("key"));
    if (!entries.empty()) {
      ByteVector entry = {static_cast<std::byte>(i), static_cast<std::byte>(entries.key(0).size())};
      for (const Bytes part : {entries.key(0), entries.value()})
        entry.insert(entry.end(), part.begin(), part.end());
      add(2, entry);
    }
    ByteVector made = {static_cast<std::byte>(i),
                       std::byte{7},
                       std::byte{0},
                       std::byte{0},
                       std::byte{0},
                       std::byte{1},
                       std::byte{'k'}};
    for (int field = 0; field < 120; ++field) made.push_back(static_cast<std::byte>(field * 41));
    add(3, made);
  }
  return all;
}

}  // namespace quire::fuzz
