#include "tools/dispatch.h"

#include <quire/quire.hpp>

#include <array>
#include <exception>
#include <new>
#include <string_view>
#include <utility>

#include "tools/arguments.h"
#include "tools/failure.h"
#include "tools/output.h"
#include "tools/session.h"
#include "tools/verbs.h"

namespace quire::tools {
namespace {

using Verb = std::pair<std::string_view, int (*)(const Arguments&)>;
constexpr auto kVerbs = std::to_array<Verb>({
    {"create", run_create},     {"put", run_put},         {"get", run_get},
    {"del", run_del},           {"drop", run_drop},       {"scan", run_scan},
    {"load", run_load},         {"dump", run_dump},       {"search", run_search},
    {"stat", run_stat},         {"check", run_check},     {"checkpoint", run_checkpoint},
    {"maintain", run_maintain}, {"inspect", run_inspect}, {"recover", run_recover},
    {"schema", run_schema},     {"index", run_index},     {"query", run_query},
    {"count", run_count},       {"explain", run_explain}, {"update", run_update},
    {"delete", run_delete},     {"purge", run_purge},     {"batch", run_batch},
    {"shell", run_shell},
});

int run(const Arguments& arguments) {
  for (const auto& [name, function] : kVerbs) {
    if (name == arguments.verb) return function(arguments);
  }
  throw Failure("there is no verb '" + arguments.verb + "'; see 'quire --help'");
}

}  // namespace

int run_command_line(const std::vector<std::string>& words) {
  Arguments arguments;
  try {
    int exit_code = kFailed;
    if (parse_arguments(words, &arguments, &exit_code) == ParseResult::kExit) return exit_code;
    return run(arguments);
  } catch (const OutputClosed&) {
    return kDone;
  } catch (const Failure& failure) {
    message(failure.what());
    return failure.exit_code();
  } catch (const Error& error) {
    message(explain(error, arguments));
    return kFailed;
  } catch (const std::bad_alloc&) {
    message("out of memory");
    return kFailed;
  } catch (const std::exception& error) {
    message(error.what());
    return kFailed;
  }
}

std::vector<std::string> verb_names() {
  std::vector<std::string> names;
  names.reserve(kVerbs.size());
  for (const auto& [name, function] : kVerbs) names.emplace_back(name);
  return names;
}

}  // namespace quire::tools
