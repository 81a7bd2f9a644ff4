#include "tools/shell.h"

#include <quire/quire.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "tools/dispatch.h"
#include "tools/failure.h"
#include "tools/help_text_query.h"
#include "tools/line_editor.h"
#include "tools/output.h"
#include "tools/session.h"
#include "tools/shell_words.h"
#include "tools/signals.h"
#include "tools/table.h"
#include "tools/value_text.h"
#include "tools/verbs.h"

namespace quire::tools {
namespace {

constexpr std::array<const char*, 8> kCommands{".collections", ".exit",   ".help",   ".mode",
                                               ".quit",        ".schema", ".tables", ".timing"};

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

void print(const std::string& text) {
  Output output;
  output.write(text);
  output.finish();
}

// The words that make the verb print in the mode, where it can.
void add_mode(const std::string& mode, std::vector<std::string>* words) {
  const bool chosen = contains(*words, "--json") || contains(*words, "--csv");
  if (chosen || mode == "table") return;
  const bool query = words->front() == "query";
  if (mode == "csv" && query) words->insert(words->begin() + 1, "--csv");
  if (mode == "json") words->insert(words->begin() + 1, "--json");
}

}  // namespace

int Shell::run() {
  if (arguments_.json) mode_ = "json";
  open();  // says at once that there is none
  LineEditor editor(
      [this](std::string_view line, std::string_view word) { return completions(line, word); });
  int exit_code = kDone;
  while (!ended_) {
    const std::optional<std::string> line = editor.read("quire> ");
    if (!line) break;
    const int code = carry_out(*line);
    if (editor.interactive()) {  // who types has seen it
      if (code > kNegative) mend();
      continue;
    }
    exit_code = std::max(exit_code, code);
    if (code > kNegative) break;
  }
  kept_.close();
  return exit_code;
}

void Shell::open() {
  kept_ = arguments_.write ? open_for_writing(arguments_) : open_for_reading(arguments_);
}

bool Shell::is_usable() const {
  if (kept_.handle() == nullptr) return false;
  quire_txn* txn = nullptr;
  const std::uint32_t flags = arguments_.write ? QUIRE_WRITE | QUIRE_TRY : QUIRE_READ;
  const int code = quire_begin(kept_.handle(), flags, &txn);
  quire_abort(txn);
  return code == QUIRE_OK;
}

void Shell::mend() {
  if (is_usable()) return;
  kept_ = Database();
  try {
    open();
  } catch (const Error&) {
    // Then each verb tries for itself, and says what is wrong.
  }
}

int Shell::carry_out(const std::string& line) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  const bool timed = timing_;
  int code = kFailed;
  try {
    const std::vector<std::string> words = split_words(line);
    if (words.empty()) return kDone;
    code = words[0].starts_with('.') ? run_command(words) : run_verb(words);
  } catch (const Failure& failure) {
    message(failure.what());
    code = failure.exit_code();
  } catch (const Error& error) {
    message(explain(error, arguments_));
  }
  if (timed) {
    std::array<char, 32> text;
    const std::chrono::duration<double, std::milli> taken = Clock::now() - begin;
    std::snprintf(text.data(), text.size(), "%.1f ms\n", taken.count());
    std::fputs(text.data(), stderr);
  }
  return code;
}

int Shell::run_verb(const std::vector<std::string>& words) {
  if (words[0] == "shell") throw Failure("this is within a shell already");
  std::vector<std::string> command = words;
  add_mode(mode_, &command);
  // Help is asked for without DB.
  if (!contains(words, "--help")) command.insert(command.begin() + 1, arguments_.db);
  forget_interrupts();
  return run_command_line(command);
}

int Shell::run_command(const std::vector<std::string>& words) {
  const std::string& name = words[0];
  if (name == ".quit" || name == ".exit") {
    ended_ = true;
  } else if (name == ".help") {
    print(std::string(help::kShellCommands + 1) + "\n");
  } else if (name == ".collections" || name == ".tables") {
    return list_collections();
  } else if (name == ".schema") {
    return show_schemas(words);
  } else if (name == ".mode") {
    set_mode(words);
  } else if (name == ".timing") {
    set_timing(words);
  } else {
    throw Failure("'" + name + "' is no command; .help lists them");
  }
  return kDone;
}

int Shell::list_collections() {
  const Database db = open_for_reading(arguments_);
  const Transaction txn = db.read();
  Output output;
  TablePrinter table({{"collection"}, {"records", true}}, &output, terminal_width());
  for (const Named& named : txn.collections()) {
    if (mode_ != "json") {
      table.add({named.name, format_count(named.count)});
      continue;
    }
    std::string line = "{\"name\":";
    append_json_string(named.name, &line);
    output.write(line + ",\"records\":" + std::to_string(named.count) + "}\n");
  }
  if (mode_ != "json") table.finish();
  output.finish();
  return kDone;
}

int Shell::show_schemas(const std::vector<std::string>& words) {
  if (words.size() > 2) throw Failure(".schema wants a collection, or none for all");
  std::vector<std::string> names(words.begin() + 1, words.end());
  if (names.empty()) {
    const Database db = open_for_reading(arguments_);
    for (const Named& named : db.read().collections()) names.push_back(named.name);
  }
  int code = kDone;
  for (const std::string& name : names) code = std::max(code, run_verb({"schema", "--", name}));
  return code;
}

void Shell::set_mode(const std::vector<std::string>& words) {
  const std::string mode = words.size() == 2 ? words[1] : "";
  if (mode != "table" && mode != "json" && mode != "csv") {
    throw Failure(".mode wants table, json or csv");
  }
  mode_ = mode;
}

void Shell::set_timing(const std::vector<std::string>& words) {
  const std::string state = words.size() == 2 ? words[1] : "";
  if (state != "on" && state != "off") throw Failure(".timing wants on or off");
  timing_ = state == "on";
}

std::vector<std::string> Shell::completions(std::string_view line, std::string_view word) const {
  std::vector<std::string> candidates;
  const std::string before(line);
  const std::size_t begin = before.find_first_not_of(" \t");
  if (begin == std::string::npos) {
    candidates = verb_names();
    candidates.insert(candidates.end(), kCommands.begin(), kCommands.end());
  } else {
    const Database db = open_for_reading(arguments_);
    const Transaction txn = db.read();
    const std::size_t verb_end = before.find_first_of(" \t", begin);
    const std::size_t name = before.find_first_not_of(" \t", verb_end);
    if (name == std::string::npos) {
      for (const Named& named : txn.collections()) candidates.push_back(named.name);
    } else {
      const std::string collection = before.substr(name, before.find_first_of(" \t", name) - name);
      const Schema schema = schema_of(txn, find_collection(txn, collection));
      for (const Field& field : schema.fields) candidates.push_back(field.name);
    }
  }
  std::erase_if(candidates, [&](const std::string& one) { return !one.starts_with(word); });
  return candidates;
}

int run_shell(const Arguments& arguments) {
  require_words(arguments, 0, 0, "");
  if (!arguments.write) refuse_options(arguments, {"--wait", "--durability"}, "is for --write");
  return Shell(arguments).run();
}

}  // namespace quire::tools
