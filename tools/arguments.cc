#include "tools/arguments.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "tools/command_line.h"
#include "tools/failure.h"
#include "tools/output.h"

namespace quire::tools {
namespace {

// The verb whose help suits an error: the one named, if any.
std::string help_hint(const CLI::App& app) {
  const auto verbs = app.get_subcommands();
  return verbs.empty() ? "see 'quire --help'" : "see 'quire " + verbs[0]->get_name() + " --help'";
}

// What is wrong, as a person would say it.
std::string describe(const CLI::ParseError& error, const CLI::App& app, const char* first_word) {
  const auto verbs = app.get_subcommands();
  if (verbs.empty()) {
    const bool is_verb = first_word != nullptr && first_word[0] != '-';
    return is_verb ? "there is no verb '" + std::string(first_word) + "'" : error.what();
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr) return error.what();
  std::string options, words;
  for (const std::string& word : verbs[0]->remaining()) {
    std::string& list = word.starts_with('-') ? options : words;
    list += (list.empty() ? "'" : ", '") + word + "'";
  }
  const std::string name = "'" + verbs[0]->get_name() + "'";
  return options.empty() ? name + " wants DB, and no " + words : name + " has no option " + options;
}

}  // namespace

ParseResult parse_arguments(const std::vector<std::string>& words, Arguments* arguments,
                            int* exit_code) {
  CommandLine command_line(arguments);
  CLI::App& app = command_line.app();
  // CLI11 loses positionals behind "--" in a subcommand whose others are filled: what stands there
  // never reaches it.
  const auto mark = std::find(words.begin(), words.end(), "--");
  try {
    if (words.empty()) throw CLI::CallForHelp();
    app.parse(std::vector<std::string>(std::reverse_iterator(mark), words.rend()));
    if (mark != words.end()) {
      arguments->rest.insert(arguments->rest.end(), mark + 1, words.end());
    }
    return ParseResult::kRun;
  } catch (const CLI::Success& success) {  // help and version
    *exit_code = app.exit(success);
  } catch (const CLI::ParseError& error) {
    message(describe(error, app, words.empty() ? nullptr : words[0].c_str()) + "; " +
            help_hint(app));
    *exit_code = kFailed;
  }
  return ParseResult::kExit;
}

}  // namespace quire::tools
