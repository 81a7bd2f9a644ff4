// recover: a new database out of a damaged one.
#include <nlohmann/json.hpp>

#include <string>

#include "tools/failure.h"
#include "tools/output.h"
#include "tools/session.h"
#include "tools/text_codec.h"
#include "tools/verbs.h"

namespace quire::tools {
namespace {

using nlohmann::ordered_json;

const char* kind_of(const quire_finding& finding) {
  switch (finding.kind) {
    case QUIRE_FINDING_LOST:
      return "lost";
    case QUIRE_FINDING_UNVERIFIED:
      return "unverified";
    case QUIRE_FINDING_SAVED:
      return "saved";
    default:
      return "note";
  }
}

const char* subject_of(const quire_finding& finding) {
  switch (finding.subject) {
    case QUIRE_FINDING_OF_KEYSPACE:
      return "keyspace";
    case QUIRE_FINDING_OF_COLLECTION:
      return "collection";
    case QUIRE_FINDING_OF_LOG:
      return "log";
    default:
      return "database";
  }
}

// A number of things lost that nobody can tell is null.
ordered_json count_json(std::uint64_t count) {
  return count == UINT64_MAX ? ordered_json(nullptr) : ordered_json(count);
}

ordered_json bound_json(const quire_slice& bound) {
  if (bound.data == nullptr) return nullptr;
  return to_hex({static_cast<const char*>(bound.data), bound.size});
}

std::string as_json(const quire_finding& finding) {
  ordered_json json{{"finding", kind_of(finding)}, {"of", subject_of(finding)}};
  json["name"] = finding.name == nullptr ? ordered_json(nullptr) : ordered_json(finding.name);
  json["text"] = finding.text;
  json["page"] = finding.page == 0 ? ordered_json(nullptr) : ordered_json(finding.page);
  json["low_hex"] = bound_json(finding.low);
  json["high_hex"] = bound_json(finding.high);
  json["saved"] = finding.saved;
  json["lost_least"] = finding.lost_least;
  json["lost_most"] = count_json(finding.lost_most);
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string as_line(const quire_finding& finding) {
  std::string line = std::string(kind_of(finding)) + ": ";
  if (finding.subject != QUIRE_FINDING_OF_DATABASE) line += subject_of(finding);
  if (finding.name != nullptr) line += " '" + std::string(finding.name) + "'";
  if (finding.subject != QUIRE_FINDING_OF_DATABASE) line += ": ";
  return line + finding.text + "\n";
}

// What the callback needs; exceptions must not cross the library.
struct Printing {
  Output* output;
  bool json;
  std::exception_ptr failed;
};

int print_finding(void* context, const quire_finding* finding) {
  auto* const printing = static_cast<Printing*>(context);
  try {
    printing->output->write(printing->json ? as_json(*finding) : as_line(*finding));
  } catch (...) {
    printing->failed = std::current_exception();
    return 1;
  }
  return 0;
}

std::string lost_text(const quire_recover_result& result) {
  if (result.lost_most == UINT64_MAX) return "nobody can tell how many are lost";
  if (result.lost_least == result.lost_most) return format_count(result.lost_most) + " lost";
  return format_count(result.lost_least) + " to " + format_count(result.lost_most) + " lost";
}

std::string result_json(const quire_recover_result& result, bool complete) {
  const ordered_json json{{"finding", "result"},
                          {"complete", complete},
                          {"keyspaces", result.keyspaces},
                          {"collections", result.collections},
                          {"saved", result.saved},
                          {"lost_least", result.lost_least},
                          {"lost_most", count_json(result.lost_most)},
                          {"commits", result.commits}};
  return json.dump() + "\n";
}

}  // namespace

int run_recover(const Arguments& arguments) {
  require_words(arguments, 1, 1, "NEW, the new database's directory");
  const std::string& made = arguments.rest[0];
  Output output;
  Printing printing{&output, arguments.json, nullptr};
  quire_recover_options options = QUIRE_RECOVER_OPTIONS_INIT;
  if (arguments.unverified) options.flags = QUIRE_RECOVER_UNVERIFIED;
  quire_recover_result result{};
  result.size = sizeof result;
  const int code = quire_recover(arguments.db.c_str(), made.c_str(), &options, print_finding,
                                 &printing, &result);
  if (printing.failed) std::rethrow_exception(printing.failed);
  const bool complete = require_or(code, QUIRE_ERR_CORRUPT);
  if (arguments.json) {
    output.write(result_json(result, complete));
  } else {
    message(made + ": " + format_count(result.saved) + " keys and records saved, " +
            lost_text(result) + (complete ? "" : "; keep the damaged files as they are"));
  }
  output.finish();
  return complete ? kDone : kNegative;
}

}  // namespace quire::tools
