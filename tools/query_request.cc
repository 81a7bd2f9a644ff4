#include "tools/query_request.h"

#include "tools/convert.h"
#include "tools/failure.h"
#include "tools/json_record.h"
#include "tools/text_codec.h"

namespace quire::tools {
namespace {

// Of a value that is written in JSON; NULL where no parameter can have such.
quire_type type_of(const Cell& cell) {
  switch (cell.kind) {
    case CellKind::kBool:
      return QUIRE_TYPE_BOOL;
    case CellKind::kInteger:
      return QUIRE_TYPE_I64;
    case CellKind::kFloat:
      return QUIRE_TYPE_F64;
    case CellKind::kText:
      return QUIRE_TYPE_TEXT;
    case CellKind::kBools:
      return QUIRE_TYPE_ARRAY_BOOL;
    case CellKind::kNumbers:
      return cell.all_integers ? QUIRE_TYPE_ARRAY_I64 : QUIRE_TYPE_ARRAY_F64;
    case CellKind::kEmptyArray:
    case CellKind::kTexts:
      return QUIRE_TYPE_ARRAY_TEXT;
    default:
      return QUIRE_TYPE_NULL;
  }
}

bool json_value(const std::string& text, OwnedValue* owned) {
  Record record;
  std::string reason;
  if (!parse_json_cell(text, &record, &reason)) return false;
  const Cell& cell = record.fields[0].cell;
  owned->value = null_value();
  if (cell.kind == CellKind::kNull) return true;
  Field field;
  field.type = type_of(cell);
  field.name = "argument";
  if (field.type == QUIRE_TYPE_NULL) {
    throw Failure("'" + text + "' is " + std::string(describe(cell.kind)) +
                  (cell.kind == CellKind::kBigInteger ? " that does not fit 64 bits" : "") +
                  ", which no parameter can have");
  }
  if (!value_from_json(text, field, owned, &reason)) throw Failure(reason);
  return true;
}

}  // namespace

void argument_value(const std::string& text, OwnedValue* owned) {
  if (text.size() >= 3 && text.starts_with("x'") && text.ends_with('\'')) {
    const auto bytes = from_hex(std::string_view(text).substr(2, text.size() - 3));
    if (!bytes) throw Failure(text + " is not hexadecimal: pairs of digits 0-9 and a-f");
    owned->bytes = *bytes;
    owned->value = bytes_value(owned->bytes);
    return;
  }
  if (json_value(text, owned)) return;
  owned->bytes = text;
  owned->value = text_value(owned->bytes);
}

QueryRequest::QueryRequest(const Arguments& arguments, const std::string& filter)
    : filter_(filter) {
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? nullptr : text.c_str();
  };
  options_.filter = text_or_null(filter_);
  options_.select = text_or_null(arguments.select);
  options_.group = text_or_null(arguments.group);
  options_.order = text_or_null(arguments.order);
  options_.index = text_or_null(arguments.index);
  options_.limit = arguments.limit;
  options_.offset = arguments.offset;
  if (arguments.distinct) options_.flags |= QUIRE_QUERY_DISTINCT;
  if (arguments.no_index) options_.flags |= QUIRE_QUERY_NO_INDEX;
  constexpr std::uint64_t kMaxMs = UINT64_MAX / 1000;
  options_.budget_us = std::min(arguments.budget_ms, kMaxMs) * 1000;
  options_.budget_entries = arguments.budget_entries;
  options_.budget_bytes = arguments.budget_bytes;
  if (!arguments.token.empty()) add_token(arguments.token);
  add_arguments(arguments);
}

void QueryRequest::add_arguments(const Arguments& arguments) {
  if (!arguments.args.empty() && !arguments.params.empty()) {
    throw Failure("--arg is for $1, $2 and --param for $name; a filter has one kind of them");
  }
  for (const std::string& text : arguments.args) argument_value(text, &owned_.emplace_back());
  for (const std::string& param : arguments.params) {
    const std::size_t equals = param.find('=');
    if (equals == 0 || equals == std::string::npos) {
      throw Failure("--param: '" + param + "' is not NAME=VALUE");
    }
    name_pointers_.push_back(names_.emplace_back(param.substr(0, equals)).c_str());
    argument_value(param.substr(equals + 1), &owned_.emplace_back());
  }
  for (const OwnedValue& owned : owned_) values_.push_back(owned.value);
  options_.arguments = values_.data();
  options_.argument_count = values_.size();
  options_.argument_names = name_pointers_.empty() ? nullptr : name_pointers_.data();
}

void QueryRequest::add_token(const std::string& token) {
  const auto bytes = from_hex(token);
  if (!bytes) throw Failure("--token: '" + token + "' is not what --give-token gave");
  token_ = *bytes;
  options_.token = token_.data();
  options_.token_size = token_.size();
}

}  // namespace quire::tools
