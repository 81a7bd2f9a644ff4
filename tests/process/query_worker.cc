// A process that changes players, or queries them, as it is told line by line on standard input;
// it answers each line with one: "ok" and what was asked for, or what is wrong.
//
//   open PATH r|w|c PAGE_SIZE  c: made, with its first state
//   write-loop SEED            commits until it is killed; "start N" after a check, then each
//                              number when it is acknowledged
//   look-loop SEED             queries until the next line comes: "ok LOOKS CHANGES INDEXED
//                              CONTINUED NEWEST", or what is wrong
//   check                      of the whole database and of the promise: "ok COMMITS"
//   close
#include <iostream>
#include <sstream>

#include "query_changes.h"
#include "query_looks.h"
#include "worker_lines.h"

namespace quire::test {
namespace {

Database db;

std::string open_database(std::istringstream& words) {
  std::string path, mode;
  OpenOptions options;
  words >> path >> mode >> options.page_size;
  options.flags = mode == "r" ? QUIRE_OPEN_READ_ONLY : mode == "c" ? QUIRE_OPEN_CREATE : 0;
  // So that everything happens often: commits by checkpoint, checkpoints, spilled pages.
  options.log_budget_bytes = 150'000;
  options.checkpoint_bytes = 1'000'000;
  options.private_bytes = 200'000;
  db = Database::open(path, options);
  if (mode == "c") PlayerWriter(db, 1).make();
  return "ok";
}

std::string check() {
  const std::vector<std::string> damage = db.check();
  if (!damage.empty()) return "damaged " + damage.front();
  const PlayerState state = PlayerState::read(db.read());
  const std::string problem = state.problem();
  return problem.empty() ? "ok " + std::to_string(state.commits) : "inconsistent " + problem;
}

std::string write_loop(unsigned seed) {
  const std::string checked = check();
  if (checked.rfind("ok ", 0) != 0) return checked;
  say("start " + checked.substr(3));
  PlayerWriter writer(db, seed);
  for (;;) say(std::to_string(writer.advance()));
}

std::string look_loop(unsigned seed) {
  PlayerReader reader(db, seed);
  while (!line_waits()) {
    if (const std::string problem = reader.look(); !problem.empty())
      return "inconsistent " + problem;
  }
  std::ostringstream line;
  line << "ok " << reader.looks() << " " << reader.changes() << " " << reader.indexed() << " "
       << reader.continued() << " " << reader.newest();
  return line.str();
}

std::string carry_out(const std::string& line) {
  std::istringstream words(line);
  std::string verb;
  words >> verb;
  try {
    if (verb == "open") return open_database(words);
    if (verb == "check") return check();
    if (verb == "close") {
      db.close();
      return "ok";
    }
    unsigned seed = 0;
    words >> seed;
    if (verb == "write-loop") return write_loop(seed);
    if (verb == "look-loop") return look_loop(seed);
  } catch (const std::exception& error) {
    return std::string("failed ") + error.what();
  }
  return "unknown command " + verb;
}

}  // namespace
}  // namespace quire::test

int main() {
  std::string line;
  while (std::getline(std::cin, line)) quire::test::say(quire::test::carry_out(line));
  return 0;
}
