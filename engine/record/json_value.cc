#include "engine/record/json_value.h"

#include <simdjson.h>

namespace quire {
namespace {

// A parser keeps memory for the largest document it has seen: for up to this many bytes each thread
// has one, for more there is one for the call.
constexpr std::size_t kKeptParser = std::size_t{64} << 10;

Status check_with(simdjson::dom::parser& parser, std::string_view text) {
  simdjson::error_code error = parser.allocate(text.size(), kMaxJsonDepth);
  if (error == simdjson::SUCCESS) error = parser.parse(text.data(), text.size()).error();
  if (error == simdjson::SUCCESS) return {};
  const ErrorCode code = error == simdjson::MEMALLOC ? ErrorCode::kNoMemory : ErrorCode::kSchema;
  return fail(code, "is no JSON: %s", simdjson::error_message(error));
}

}  // namespace

// The parser that builds a document checks all of it, which the one that reads on demand does not.
Status check_json(std::string_view text) {
  if (text.size() > kKeptParser) {
    simdjson::dom::parser parser;
    return check_with(parser, text);
  }
  thread_local simdjson::dom::parser parser;
  return check_with(parser, text);
}

}  // namespace quire
