#include "tools/infer.h"

#include <algorithm>

#include "tools/convert.h"
#include "tools/failure.h"
#include "tools/text_codec.h"

namespace quire::tools {
namespace {

enum Allowed : std::uint32_t { kBool = 1, kI64 = 2, kF64 = 4, kVector = 8, kText = 16 };

std::uint32_t allowed_by_raw(const std::string& text, bool vector_possible,
                             std::size_t* dimension) {
  if (text.empty()) return kText;
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

std::optional<std::string> SchemaInference::add_cell(Guess* guess, const Cell& cell,
                                                     std::uint64_t line) {
  if (cell.kind == CellKind::kNull) return std::nullopt;
  std::uint32_t allowed = 0;
  std::size_t dimension = 0;
  switch (cell.kind) {
    case CellKind::kBool:
      allowed = kBool;
      break;
    case CellKind::kInteger:
      allowed = kI64 | kF64;
      break;
    case CellKind::kFloat:
      allowed = kF64;
      break;
    case CellKind::kText:
      allowed = kText;
      break;
    case CellKind::kNumbers:
      if (cell.numbers.size() < 2) {
        return "an array of fewer than two numbers, from which no vector can be inferred; give "
               "--schema FILE";
      }
      allowed = kVector;
      dimension = cell.numbers.size();
      break;
    case CellKind::kRaw:
      allowed = allowed_by_raw(cell.text, (guess->allowed & kVector) != 0, &dimension);
      break;
    default:
      return std::string(describe(cell.kind)) +
             ", which this version does not store; leave the field out, or give a --schema "
             "without it and --ignore-unknown";
  }
  if (guess->values++ == 0) {
    guess->first_kind = cell.kind;
    guess->first_line = line;
  }
  if (dimension != 0 && guess->dimension != 0 && dimension != guess->dimension) {
    if (cell.kind == CellKind::kNumbers) {
      return std::to_string(dimension) + " numbers where line " +
             std::to_string(guess->first_line) + " has " + std::to_string(guess->dimension) +
             "; a vector has one dimension throughout";
    }
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

bool SchemaInference::add(const Record& record, std::string* reason) {
  std::vector<Guess> before = guesses_;
  for (std::size_t i = 0; i < record.fields.size(); ++i) {
    const NamedCell& field = record.fields[i];
    const auto why = add_cell(&guess_for(field.name, i), field.cell, record.line);
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
  for (const Guess& guess : guesses_) {
    Field field;
    field.name = guess.name;
    field.nullable = guess.values < records_;
    if (guess.values == 0) {
      field.type = QUIRE_TYPE_TEXT;
    } else if (guess.allowed & kBool) {
      field.type = QUIRE_TYPE_BOOL;
    } else if (guess.allowed & kI64) {
      field.type = QUIRE_TYPE_I64;
    } else if (guess.allowed & kF64) {
      field.type = QUIRE_TYPE_F64;
    } else if (guess.allowed & kVector) {
      field.type = QUIRE_TYPE_VECTOR_F32;
      field.dimension = static_cast<std::uint32_t>(guess.dimension);
    } else {
      field.type = QUIRE_TYPE_TEXT;
    }
    schema.fields.push_back(std::move(field));
  }
  std::string name = key;
  for (const char* usual : {"id", "key", "name"}) {
    if (name.empty() && schema.find(usual)) name = usual;
  }
  if (!name.empty()) {
    if (const auto index = schema.find(name); index && schema.fields[*index].nullable) {
      if (!skip_bad) throw Failure("the key '" + name + "' is null or missing in some records");
      schema.fields[*index].nullable = false;
    }
    set_key(&schema, name);
    return schema;
  }
  throw Failure(
      "which field is the key? There is no 'id', 'key' or 'name'; give --key FIELD, one of " +
      schema.names());
}

}  // namespace quire::tools
