#include "tools/infer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tools/convert.h"
#include "tools/failure.h"
#include "tools/json_record.h"
#include "tools/text_codec.h"

namespace quire::tools {
namespace {

enum Allowed : std::uint32_t {
  kBool = 1,
  kI64 = 2,
  kF64 = 4,
  kVector = 8,
  kBools = 16,
  kI64s = 32,
  kF64s = 64,
  kTexts = 128,
  kJson = 256,
  kText = 512,
  kVectorF16 = 1024,
  kVectorI8 = 2048,
};
constexpr std::array<std::pair<std::uint32_t, quire_type>, 12> kInOrder{
    {{kBool, QUIRE_TYPE_BOOL},
     {kI64, QUIRE_TYPE_I64},
     {kF64, QUIRE_TYPE_F64},
     {kVector, QUIRE_TYPE_VECTOR_F32},
     {kVectorF16, QUIRE_TYPE_VECTOR_F16},
     {kVectorI8, QUIRE_TYPE_VECTOR_I8},
     {kBools, QUIRE_TYPE_ARRAY_BOOL},
     {kI64s, QUIRE_TYPE_ARRAY_I64},
     {kF64s, QUIRE_TYPE_ARRAY_F64},
     {kTexts, QUIRE_TYPE_ARRAY_TEXT},
     {kJson, QUIRE_TYPE_JSON},
     {kText, QUIRE_TYPE_TEXT}}};

// Of a file of vectors, where each has one dimension.
std::uint32_t allowed_by_vector(const Cell& cell, std::size_t* dimension) {
  *dimension = cell.count;
  switch (cell.vector_kind) {
    case VectorKind::kF16:
      return kVectorF16;
    case VectorKind::kI8:
      return kVectorI8;
    case VectorKind::kF32:
      break;
  }
  return kVector;
}

std::uint32_t allowed_by_array(const Cell& cell, std::size_t* dimension) {
  switch (cell.kind) {
    case CellKind::kNumbers:
      if (cell.count >= 2) *dimension = cell.count;
      return (cell.count >= 2 ? kVector : 0u) | (cell.all_integers ? kI64s : 0u) | kF64s | kJson;
    case CellKind::kTexts:
      return kTexts | kJson;
    case CellKind::kBools:
      return kBools | kJson;
    case CellKind::kEmptyArray:
      return kBools | kI64s | kF64s | kTexts | kJson;
    default:
      return kJson;
  }
}

std::uint32_t allowed_by_json(const Cell& cell, std::size_t* dimension) {
  switch (cell.kind) {
    case CellKind::kBool:
      return kBool;
    case CellKind::kInteger:
      return kI64 | kF64;
    case CellKind::kFloat:
      return kF64;
    case CellKind::kText:
      return kText;
    case CellKind::kVector:
      return allowed_by_vector(cell, dimension);
    default:
      return allowed_by_array(cell, dimension);
  }
}

// A CSV cell that begins as an array or an object in JSON.
std::uint32_t allowed_by_nested(const std::string& text, std::size_t* dimension) {
  Record record;
  std::string reason;
  if (!parse_json_cell(text, &record, &reason)) return kText;
  return allowed_by_json(record.fields[0].cell, dimension) | kText;
}

std::uint32_t allowed_by_raw(const std::string& text, bool vector_possible,
                             std::size_t* dimension) {
  if (text.empty()) return kText;
  if (text[0] == '[' || text[0] == '{') return allowed_by_nested(text, dimension);
  if (parse_bool(text)) return kBool | kText;
  switch (number_form(text)) {
    case NumberForm::kInteger:
      // Too long for an i64: an f64 would lose digits, a text keeps them.
      return parse_i64(text) ? kI64 | kF64 | kText : kText;
    case NumberForm::kFloat:
      return parse_f64(text) ? kF64 | kText : kText;
    case NumberForm::kNone:
      break;
  }
  std::vector<float> numbers;
  std::string reason;
  if (!vector_possible || !parse_vector_text(text, &numbers, &reason)) return kText;
  if (numbers.size() < 2) return kText;
  *dimension = numbers.size();
  return kVector | kText;
}

}  // namespace

SchemaInference::Guess& SchemaInference::guess_for(const std::string& name, std::size_t position) {
  // Records mostly have the same fields in the same order.
  if (position < guesses_.size() && guesses_[position].name == name) return guesses_[position];
  const auto same = [&](const Guess& guess) { return guess.name == name; };
  const auto found = std::find_if(guesses_.begin(), guesses_.end(), same);
  if (found != guesses_.end()) return *found;
  guesses_.push_back({});
  guesses_.back().name = name;
  return guesses_.back();
}

std::optional<std::string> SchemaInference::add_cell(Guess* guess, const Record& record,
                                                     const Cell& cell) {
  if (cell.kind == CellKind::kNull) return std::nullopt;
  if (cell.kind == CellKind::kBigInteger) {
    return std::string(record.json(cell).substr(0, 40)) +
           " does not fit a 64-bit integer; as a text, put it in quotes";
  }
  std::size_t dimension = 0;
  std::uint32_t allowed =
      cell.kind == CellKind::kRaw
          ? allowed_by_raw(cell.text, (guess->allowed & kVector) != 0, &dimension)
          : allowed_by_json(cell, &dimension);
  if (guess->values++ == 0) {
    guess->first_kind = cell.kind;
    guess->first_line = record.line;
  }
  // Of several lengths: arrays.
  if (dimension != 0 && guess->dimension != 0 && dimension != guess->dimension) {
    allowed &= ~static_cast<std::uint32_t>(kVector);
  }
  if (guess->dimension == 0) guess->dimension = dimension;
  guess->allowed &= allowed;
  if (guess->allowed == 0) {
    return std::string(describe(cell.kind)) + " here and " +
           std::string(describe(guess->first_kind)) + " on line " +
           std::to_string(guess->first_line) + "; a field has one type";
  }
  return std::nullopt;
}

Field SchemaInference::field_of(const Guess& guess, std::uint64_t records) {
  Field field;
  field.name = guess.name;
  field.nullable = guess.values < records;
  if (guess.values == 0) return field;
  for (const auto& [bit, type] : kInOrder) {
    if ((guess.allowed & bit) == 0) continue;
    field.type = type;
    break;
  }
  if (is_vector(field.type)) {
    field.dimension = static_cast<std::uint32_t>(guess.dimension);
  }
  return field;
}

bool SchemaInference::add(const Record& record, std::string* reason) {
  std::vector<Guess> before = guesses_;
  for (std::size_t i = 0; i < record.fields.size(); ++i) {
    const NamedCell& field = record.fields[i];
    const auto why = add_cell(&guess_for(field.name, i), record, field.cell);
    if (!why) continue;
    *reason = "field '" + field.name + "': " + *why;
    guesses_ = std::move(before);
    return false;
  }
  ++records_;
  return true;
}

Schema SchemaInference::finish(const std::string& key, bool skip_bad) const {
  Schema schema;
  for (const Guess& guess : guesses_) schema.fields.push_back(field_of(guess, records_));
  std::string name = key;
  for (const char* usual : {"id", "key", "name"}) {
    if (name.empty() && schema.find(usual)) name = usual;
  }
  if (!name.empty()) {
    const std::vector<std::string> parts = key_names_of(schema, name);
    for (const std::string& part : parts) {
      const auto index = schema.find(part);
      if (!index || !schema.fields[*index].nullable) continue;
      if (!skip_bad) throw Failure("the key '" + part + "' is null or missing in some records");
      schema.fields[*index].nullable = false;
    }
    set_key(&schema, parts);
    return schema;
  }
  throw Failure(
      "which field is the key? There is no 'id', 'key' or 'name'; give --key FIELD, one of " +
      schema.names());
}

}  // namespace quire::tools
