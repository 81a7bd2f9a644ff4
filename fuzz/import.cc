// What the command line reads: CSV, NDJSON, schemas as text, files of vectors, single values.
//
// What the input is: the bytes of one of them.
//
// What is promised: a refusal with a sentence, or values; bounded memory. What is read from CSV or
// NDJSON, and fits the schema that was inferred or given, is the same when it is written in either
// form and read again; so are the rows of files of vectors, which are finite and of one dimension.
// Where reads are cut makes no difference. A schema written as text is the same when it is read
// again. What a text codec takes is the same when it is written and taken again, and what it writes
// can be shown.
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "fuzz/fuzz.h"
#include "fuzz/input.h"
#include "fuzz/vector_files.h"
#include "tools/convert.h"
#include "tools/csv_reader.h"
#include "tools/failure.h"
#include "tools/infer.h"
#include "tools/json_record.h"
#include "tools/record_source.h"
#include "tools/schema_json.h"
#include "tools/table.h"
#include "tools/text_codec.h"
#include "tools/value_text.h"
#include "tools/vector_file.h"
#include "tools/vector_source.h"

namespace quire::fuzz {
namespace {

using namespace quire::tools;

constexpr std::size_t kLongestLine = 1000;  // so that the limit is met
constexpr std::size_t kRecords = 40;

const tools::Schema& all_types() {
  static const tools::Schema schema = parse_schema(
      R"({"fields":[{"name":"id","type":"text"},{"name":"b","type":"bool","nullable":true},
          {"name":"i","type":"i64","nullable":true},{"name":"f","type":"f64","nullable":true},
          {"name":"x","type":"bytes","nullable":true},
          {"name":"t","type":"timestamp","nullable":true},
          {"name":"v","type":"vector","dimension":2,"nullable":true},
          {"name":"d","type":"json","nullable":true},
          {"name":"a","type":"text[]","nullable":true},
          {"name":"n","type":"f64[]","nullable":true},
          {"name":"h","type":"vector_f16","dimension":2,"nullable":true},
          {"name":"w","type":"vector_i8","dimension":2,"nullable":true},
          {"name":"y","type":"vector_bits","dimension":2,"nullable":true}],"key":"id"})",
      "");
  return schema;
}

bool same(double a, double b) { return (std::isnan(a) && std::isnan(b)) || a == b; }

// NDJSON has blanks for the line ends of a document.
std::string on_one_line(const Value& document) {
  std::string text(as_text(document));
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  return text;
}

bool same(const Value& a, const Value& b) {
  if (a.type != b.type) return false;
  switch (a.type) {
    case QUIRE_TYPE_BOOL:
      return a.as.boolean == b.as.boolean;
    case QUIRE_TYPE_I64:
    case QUIRE_TYPE_TIMESTAMP:
      return a.as.i64 == b.as.i64;
    case QUIRE_TYPE_F64:
      return same(a.as.f64, b.as.f64);
    case QUIRE_TYPE_JSON:
      return on_one_line(a) == on_one_line(b);
    case QUIRE_TYPE_VECTOR_F32: {
      const auto one = as_vector(a);
      const auto two = as_vector(b);
      if (one.size() != two.size()) return false;
      for (std::size_t i = 0; i < one.size(); ++i)
        if (!same(static_cast<double>(one[i]), static_cast<double>(two[i]))) return false;
      return true;
    }
    default:
      return !has_bytes(a.type) || as_text(a) == as_text(b);
  }
}

bool storable(const std::vector<Value>& values) {
  // A collection takes no vector that is not finite; the command line leaves that to it.
  for (const Value& value : values) {
    if (value.type != QUIRE_TYPE_VECTOR_F32) continue;
    for (const float number : as_vector(value))
      if (!std::isfinite(number)) return false;
  }
  return true;
}

// The record written in one form and read again, as `load` would read it.
void expect_back(const tools::Schema& schema, const std::vector<Value>& values, Format format,
                 const std::string& text) {
  MemorySource memory(text);
  const auto source = make_record_source(format, &memory, 1 << 20);
  tools::Record record;
  std::string reason;
  if (source->next(&record, &reason) != ReadStatus::kRecord)
    found("what was written can't be read: " + reason + ": " + text);
  RowBuilder row(schema, false);
  if (!row.build(record, &reason)) found("what was written does not fit: " + reason + ": " + text);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!same(row.values()[i], values[i]))
      found("field '" + schema.fields[i].name + "' is read back as another value: " + text);
  }
}

void write_and_read(const tools::Schema& schema, const std::vector<Value>& values) {
  if (!storable(values)) return;
  std::vector<std::size_t> all(schema.fields.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  std::string json;
  append_json_record(schema, values, all, &json);
  expect_back(schema, values, Format::kNdjson, json + "\n");
  std::string csv;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i > 0) csv += ',';
    append_csv_cell(schema.fields[i].name, &csv);
  }
  csv += '\n';
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i > 0) csv += ',';
    append_csv_value(values[i], &csv);
  }
  csv += '\n';
  // A row of one null is an empty line, and an empty line is no row.
  if (values.size() > 1 || !is_null(values[0])) expect_back(schema, values, Format::kCsv, csv);
  for (const Value& value : values) {
    const std::string shown = value_for_table(value);
    demand(is_valid_utf8(shown), "a table gets what is not UTF-8");
    demand(display_width(fit(shown, 10)) <= 10, "a cell is wider than its column");
  }
}

struct ReadAll {
  std::vector<tools::Record> records;
  std::uint64_t bad = 0;
  std::uint64_t left_out = 0;
};

ReadAll read_all(Format format, std::string_view text, std::size_t chunk) {
  ReadAll all;
  MemorySource memory(text, chunk);
  const auto source = make_record_source(format, &memory, kLongestLine);
  std::uint64_t line = 0;
  for (;;) {
    tools::Record record;
    std::string reason;
    demand(!source->lost_rest() || all.bad > 0, "the rest is lost without a bad record");
    const bool over = source->lost_rest() && is_vector_format(format);
    const ReadStatus status = source->next(&record, &reason);
    demand(source->consumed_bytes() <= text.size(), "more is read than there is");
    if (status == ReadStatus::kEnd) break;
    demand(!over, "rows behind what is lost");
    demand(record.line > line, "lines do not ascend");
    line = record.line;
    if (status == ReadStatus::kLeftOut) {
      ++all.left_out;
    } else if (status == ReadStatus::kBad) {
      demand(!reason.empty(), "a bad record without a reason");
      ++all.bad;
    } else if (all.records.size() < kRecords) {
      all.records.push_back(std::move(record));
    }
  }
  return all;
}

void try_records(Format format, Input& input) {
  const std::size_t chunk = input.byte() % 8 == 0 ? SIZE_MAX : 1 + input.byte() % 16U;
  const bool infers = input.flag();
  const std::string text(as_text(input.rest()));
  const ReadAll all = read_all(format, text, chunk);
  const ReadAll again = read_all(format, text, SIZE_MAX);
  demand(again.records.size() == all.records.size() && again.bad == all.bad &&
             again.left_out == all.left_out,
         "where the input is cut makes a difference");
  tools::Schema schema = all_types();
  if (infers) {
    SchemaInference inference;
    std::string reason;
    for (const tools::Record& record : all.records)
      demand(inference.add(record, &reason) || !reason.empty(), "a refusal without a reason");
    if (inference.records() == 0) return;
    schema = inference.finish("");
  }
  RowBuilder row(schema, true);
  for (const tools::Record& record : all.records) {
    std::string reason;
    if (row.build(record, &reason))
      write_and_read(schema, row.values());
    else
      demand(!reason.empty(), "a refusal without a reason");
  }
}

// Of the formats, those behind the two of text.
Format vector_format(Input& input) {
  return kFormats[2 + input.byte() % (kFormats.size() - 2)].format;
}

void expect_vector(const tools::Record& record, std::size_t dimension) {
  demand(record.fields.size() == 2, "a row that is no id and vector");
  const Cell& vector = record.fields[1].cell;
  demand(vector.kind == CellKind::kVector && vector.numbers.size() == dimension &&
             vector.count == dimension,
         "rows of several dimensions");
  for (const float number : vector.numbers)
    demand(std::isfinite(number), "a row that is not finite");
}

// All rows, and what they are in the schema that the first one suggests.
void try_vectors(Input& input) {
  const Format format = vector_format(input);
  const std::size_t chunk = 1 + input.byte() % 32U;
  const std::string bytes(as_text(input.rest()));
  const ReadAll all = read_all(format, bytes, chunk);
  const ReadAll again = read_all(format, bytes, SIZE_MAX);
  demand(again.records.size() == all.records.size() && again.bad == all.bad &&
             again.left_out == all.left_out,
         "where the input is cut makes a difference");
  if (all.records.empty()) return;
  const std::size_t dimension = all.records[0].fields[1].cell.count;
  demand(dimension >= 1 && dimension <= kMaxVectorDimension, "a dimension that can't be");
  SchemaInference inference;
  std::string reason;
  for (const tools::Record& record : all.records) {
    expect_vector(record, dimension);
    demand(inference.add(record, &reason), "rows of several types");
  }
  const tools::Schema schema = inference.finish("");
  RowBuilder row(schema, false);
  for (const tools::Record& record : all.records) {
    if (!row.build(record, &reason)) found("a row does not fit its own schema: " + reason);
    write_and_read(schema, row.values());
  }
}

// The same bytes as a file, whose size is known: they are refused where a stream loses its end.
void try_vector_size(Input& input) {
  const Format format = vector_format(input);
  const std::string bytes(as_text(input.rest()));
  const auto loses = [&](bool check_size) {
    SizedMemory memory(bytes);
    const auto source = make_vector_source(format, &memory, {}, check_size);
    tools::Record record;
    std::string reason;
    while (source->next(&record, &reason) != ReadStatus::kEnd) continue;
    return source->lost_rest();
  };
  const bool lost = loses(false);
  bool refused = false;
  try {
    demand(loses(true) == lost, "a size that is known makes a difference");
  } catch (const Failure&) {
    refused = true;
  }
  const bool counted = format >= Format::kFbin && format <= Format::kNpy;
  if (counted)
    demand(refused == lost, "a file of another size is taken, or one of the right size not");
}

void try_schema(Input& input) {
  const std::string key(input.byte() % 4 == 0 ? input.text(8) : "");
  const tools::Schema schema = parse_schema(as_text(input.rest()), key);
  const std::string text = schema_to_json(schema);
  const tools::Schema again = parse_schema(text, "");
  if (const auto differs = difference(schema, again))
    found("a schema is read back as another: " + *differs + ": " + text);
  demand(text.find('\n') == std::string::npos, "a schema of more than one line");
}

void try_vector(Input& input) {
  static const char* const kNames[] = {"query.npy",   "query.fvecs", "query.json",  "query",
                                       "query.bvecs", "query.fbin",  "query.u8bin", "query.i8bin"};
  const std::string name = kNames[input.byte() % 8];
  const std::size_t dimension = 1 + input.byte() % 12U;
  // Of a size of its own, so that a read past it is seen.
  const std::vector<char> bytes = [&] {
    const std::string_view rest = as_text(input.rest());
    return std::vector<char>(rest.begin(), rest.end());
  }();
  const std::vector<float> vector =
      parse_vector_file({bytes.data(), bytes.size()}, name, dimension);
  demand(vector.size() == dimension, "a vector of another dimension");
  for (const float number : vector) demand(std::isfinite(number), "a vector that is not finite");
}

void try_texts(std::string_view text) {
  if (const auto bytes = from_hex(text)) {
    demand(from_hex(to_hex(*bytes)) == *bytes, "hexadecimal is read back as other bytes");
    demand(bytes->size() * 2 == text.size(), "hexadecimal of another length");
  }
  if (const auto bytes = from_base64(text))
    demand(to_base64(*bytes) == text, "two base64 texts are the same bytes");
  demand(from_base64(to_base64(text)) == text, "bytes do not survive base64");
  demand(from_hex(to_hex(text)) == text, "bytes do not survive hexadecimal");
  if (const auto number = parse_i64(text))
    demand(parse_i64(std::to_string(*number)) == *number, "an integer");
  if (const auto number = parse_f64(text)) {
    const auto again = parse_f64(format_f64(*number));
    demand(again && same(*again, *number), "a number is read back as another");
  }
  if (const auto number = parse_f32(text); number && std::isfinite(*number)) {
    const auto again = parse_f32(format_f32(*number));
    demand(again && *again == *number, "a float is read back as another");
  }
  if (const auto time = parse_timestamp(text)) {
    const auto again = parse_timestamp(format_timestamp(*time));
    demand(again == time, "a time is read back as another");
  }
  (void)parse_bool(text);
  (void)number_form(text);
  demand(is_valid_utf8(bytes_for_table(text)), "a table gets what is not UTF-8");
  std::string json;
  append_json_string(text, &json);
  demand(is_valid_utf8(json), "JSON that is not UTF-8");
  if (is_valid_utf8(text)) {
    demand(display_width(fit(text, 7)) <= 7, "a text is wider than its column");
    tools::Record record;
    std::string reason;
    if (!parse_json_record("{\"f\":" + json + "}", &record, &reason))
      found("a text as JSON can't be read: " + reason);
    demand(record.fields[0].cell.text == text, "a text is read back as another");
  }
  for (const tools::Field& field : all_types().fields) {
    tools::OwnedValue owned;
    std::string reason;
    const bool fits = value_from_text(text, field, &owned, &reason);
    demand(fits || !reason.empty(), "a refusal without a reason");
  }
}

enum What : std::uint8_t {
  kCsv,
  kNdjson,
  kSchemaText,
  kVector,
  kTexts,
  kVectors,
  kVectorSize,
  kWhats
};

ByteVector seed(What what, std::initializer_list<int> head, std::string_view text) {
  ByteVector all = {static_cast<std::byte>(what)};
  for (const int byte : head) all.push_back(static_cast<std::byte>(byte));
  const Bytes bytes = as_bytes(text);
  all.insert(all.end(), bytes.begin(), bytes.end());
  return all;
}

}  // namespace

void fuzz_one(Bytes bytes) {
  Input input(bytes);
  try {
    switch (input.byte() % kWhats) {
      case kCsv:
        return try_records(Format::kCsv, input);
      case kNdjson:
        return try_records(Format::kNdjson, input);
      case kSchemaText:
        return try_schema(input);
      case kVector:
        return try_vector(input);
      case kVectors:
        return try_vectors(input);
      case kVectorSize:
        return try_vector_size(input);
      default:
        return try_texts(as_text(input.rest()));
    }
  } catch (const Failure& failure) {
    demand(std::strlen(failure.what()) > 0, "a refusal without a sentence");
  }
}

std::vector<ByteVector> seeds() {
  constexpr std::string_view kNumpy =
      "\x93NUMPY\x01\x00\x46\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"
      "            \n\0\0\x80\x3f\0\0\0\x40";
  std::vector<ByteVector> all = {
      seed(kCsv, {0, 1}, "id,size,price,flag,v\na,1,2.5,true,\"[1, 2]\"\n\"b\"\"\n\",,-1e9,,\r\n"),
      seed(kCsv, {1, 3, 0}, "id,b,i,f,x,t,v\nk,true,3,NaN,AP8=,2024-05-01T12:00:00.5Z,1 2\n"),
      seed(kNdjson, {0, 1}, "{\"id\":\"a\",\"n\":1,\"v\":[1,2.5],\"x\":null}\n\n{\"id\":\"b\"}\n"),
      seed(kNdjson, {1, 5, 0},
           "{\"id\":\"k\",\"b\":true,\"i\":3.0,\"f\":\"NaN\",\"x\":\"AP8=\",\"t\":5,\"v\":[1,2]}"),
      seed(kSchemaText, {1}, schema_to_json(all_types())),
      seed(kVector, {0, 1}, kNumpy),
      seed(kVector, {1, 1}, std::string_view("\x02\0\0\0\0\0\x80\x3f\0\0\0\x40", 12)),
      seed(kVector, {2, 1}, "[1, 2.5e3]"),
      seed(kVector, {3, 0}, std::string_view("\0\0\x80\x3f", 4)),
      seed(kTexts, {}, "2024-05-01T12:00:00.123456+02:00"),
      seed(kTexts, {}, "-12.5e-3"),
      seed(kTexts, {}, "AP8="),
      seed(kTexts, {}, "\xE2\x82\xAC and \xF0\x9F\x93\x96 \x7f\n"),
  };
  const std::vector<std::string> files = files_of_vectors();
  for (std::size_t i = 0; i < files.size(); ++i) {
    all.push_back(seed(kVectors, {static_cast<int>(i), 4}, files[i]));
    all.push_back(seed(kVectorSize, {static_cast<int>(i)}, files[i]));
  }
  return all;
}

}  // namespace quire::fuzz
