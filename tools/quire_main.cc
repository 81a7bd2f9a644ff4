// quire: the command line. See docs/cli.md.
#include <quire/quire.hpp>

#include <array>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include "tools/arguments.h"
#include "tools/failure.h"
#include "tools/output.h"
#include "tools/session.h"
#include "tools/signals.h"
#include "tools/verbs.h"

namespace quire::tools {
namespace {

constexpr std::array<std::pair<std::string_view, int (*)(const Arguments&)>, 14> kVerbs{{
    {"create", run_create},
    {"put", run_put},
    {"get", run_get},
    {"del", run_del},
    {"drop", run_drop},
    {"scan", run_scan},
    {"load", run_load},
    {"dump", run_dump},
    {"search", run_search},
    {"stat", run_stat},
    {"check", run_check},
    {"checkpoint", run_checkpoint},
    {"inspect", run_inspect},
    {"recover", run_recover},
}};

int run(const Arguments& arguments) {
  for (const auto& [name, function] : kVerbs) {
    if (name == arguments.verb) return function(arguments);
  }
  throw Failure("there is no verb '" + arguments.verb + "'; see 'quire --help'");
}

int run_reporting(int argc, char** argv) {
  Arguments arguments;
  try {
    int exit_code = kFailed;
    if (parse_arguments(argc, argv, &arguments, &exit_code) == ParseResult::kExit) return exit_code;
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

}  // namespace
}  // namespace quire::tools

int main(int argc, char** argv) {
  quire::tools::prepare_standard_streams();
  return quire::tools::run_reporting(argc, argv);
}
