// A process (with --own-pids: in a pid namespace of its own) that does with a database what it is
// told, line by line on standard input, and answers each line with one: the name of the code, then
// what was asked for, or the error's sentence.
//
//   open PATH r|w|c [NAME=VALUE...]   c: made when absent; names as in quire_open_options
//   close
//   begin T r|w|t        commit T [DURABILITY]     abort T     renew T     number T
//   put T KEY VALUE      get T KEY       fill T KEYS SIZE LETTER      all T KEYS SIZE LETTER
//   invariant T          the number that the state holds (invariant.h)
//   advance N [DURABILITY]   N commits of the next number
//   stat | check | checkpoint | sync | latest | wait TXN MS
//   wait-for PATH        opens it for writing in a thread, however long that takes; "opened CODE"
//   setuid UID | files N | fork | exit
//   write-loop SEED [K]  commits numbers until it is killed, and tells each when acknowledged; with
//                        a K also in the durability `none`, told as "weak N", and with second opens
//   read-loop [tell]     looks until the next line comes; tells what is wrong, or how often it
//                        looked; with `tell` "looked 50" as often as it has
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "invariant.h"
#include "worker_lines.h"

namespace quire::test {
namespace {

quire_db* db = nullptr;
std::map<std::string, quire_txn*> txns;
std::string open_path;

std::string result(int code, const std::string& more = "") {
  std::string line = quire_error_name(code);
  if (code != QUIRE_OK) return line + " " + quire_last_error();
  return more.empty() ? line : line + " " + more;
}

quire_open_options parse_options(const std::string& mode, std::istringstream& words) {
  quire_open_options options = QUIRE_OPEN_OPTIONS_INIT;
  if (mode == "r") options.flags = QUIRE_OPEN_READ_ONLY;
  if (mode == "c") options.flags = QUIRE_OPEN_CREATE;
  std::string word;
  while (words >> word) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const auto value = std::stoull(word.substr(equals + 1));
    const auto narrow = static_cast<std::uint32_t>(value);
    if (name == "flags") options.flags |= narrow;
    if (name == "durability") options.durability = narrow;
    if (name == "busy_timeout_ms") options.busy_timeout_ms = narrow;
    if (name == "publish_ms") options.publish_ms = narrow;
    if (name == "batch_ms") options.batch_ms = narrow;
    if (name == "checkpoint_ms") options.checkpoint_ms = narrow;
    if (name == "checkpoint_bytes") options.checkpoint_bytes = value;
    if (name == "log_budget_bytes") options.log_budget_bytes = value;
    if (name == "private_bytes") options.private_bytes = value;
    if (name == "quota_bytes") options.quota_bytes = value;
  }
  return options;
}

std::string fill(quire_txn* txn, quire_keyspace keyspace, std::istringstream& words) {
  int keys = 0;
  std::size_t size = 0;
  char letter = 'x';
  words >> keys >> size >> letter;
  const std::string value(size, letter);
  for (int i = 0; i < keys; ++i) {
    const std::string key = std::to_string(i);
    const int code = quire_put(txn, keyspace, key.data(), key.size(), value.data(), size, 0);
    if (code != QUIRE_OK) return result(code);
  }
  return "ok";
}

std::string all(quire_txn* txn, quire_keyspace keyspace, std::istringstream& words) {
  int keys = 0;
  std::size_t size = 0;
  char letter = 'x';
  words >> keys >> size >> letter;
  const std::string wanted(size, letter);
  for (int i = 0; i < keys; ++i) {
    const std::string key = std::to_string(i);
    quire_slice value;
    const int code = quire_get(txn, keyspace, key.data(), key.size(), &value);
    if (code != QUIRE_OK) return result(code);
    if (value.size != size || std::memcmp(value.data, wanted.data(), size) != 0)
      return "different key " + key + " begins " +
             std::string(static_cast<const char*>(value.data), value.size < 20 ? value.size : 20);
  }
  return "ok";
}

// Commits of the next numbers.
std::string advance(std::uint64_t count, std::uint32_t durability) {
  std::uint64_t number = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    quire_txn* txn = nullptr;
    Invariant invariant;
    std::string problem;
    int code = quire_begin(db, QUIRE_WRITE, &txn);
    if (code != QUIRE_OK) return result(code);
    code = invariant.open(txn, true);
    if (code == QUIRE_OK) number = invariant.read(txn, problem) + 1;
    if (!problem.empty()) return "inconsistent " + problem;
    if (code == QUIRE_OK) code = invariant.write(txn, number);
    if (code != QUIRE_OK) {
      const std::string line = result(code);
      quire_abort(txn);
      return line;
    }
    code = quire_commit_ex(txn, durability, nullptr);
    if (code != QUIRE_OK) return result(code);
  }
  return "ok " + std::to_string(number);
}

std::string stat_line() {
  quire_stat stat{};
  stat.size = sizeof stat;
  const int code = quire_get_stat(db, &stat);
  std::ostringstream out;
  out << "txn_number=" << stat.txn_number << " published_txn=" << stat.published_txn
      << " checkpoint_txn=" << stat.checkpoint_txn << " file_bytes=" << stat.file_bytes
      << " log_bytes=" << stat.log_bytes << " pages_total=" << stat.pages_total
      << " pages_free=" << stat.pages_free << " pages_pinned=" << stat.pages_pinned
      << " readers=" << stat.readers << " oldest_reader_txn=" << stat.oldest_reader_txn
      << " oldest_reader_age_ms=" << stat.oldest_reader_age_ms
      << " oldest_reader_pinned_bytes=" << stat.oldest_reader_pinned_bytes
      << " oldest_reader_pid=" << stat.oldest_reader_pid << " writer_pid=" << stat.writer_pid
      << " commits=" << stat.commits << " syncs=" << stat.syncs
      << " checkpoints=" << stat.checkpoints << " keyspaces=" << stat.keyspaces;
  return result(code, out.str());
}

std::string check() {
  std::string damage;
  const auto note = [](void* context, const char* words) {
    auto& text = *static_cast<std::string*>(context);
    if (text.size() < 500) text += std::string(words) + "; ";
    return 0;
  };
  const int code = quire_check(db, note, &damage);
  return code == QUIRE_OK ? "ok" : result(code) + ": " + damage;
}

// --- loops ---

// Opens the database once more in this process: both handles show the same, and the first goes on
// when the second is closed. "" or what is wrong.
std::string open_again(bool read_only) {
  quire_open_options options = QUIRE_OPEN_OPTIONS_INIT;
  options.flags = read_only ? QUIRE_OPEN_READ_ONLY : 0;
  quire_db* again = nullptr;
  int code = quire_open(open_path.c_str(), &options, &again);
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  if (code == QUIRE_OK) code = quire_latest(db, &first, nullptr);
  if (code == QUIRE_OK) code = quire_latest(again, &second, nullptr);
  if (code == QUIRE_OK && first != second) return "the second open shows another state";
  if (code == QUIRE_OK) code = quire_close(again);
  return code == QUIRE_OK ? "" : result(code);
}

// Commits the next number again and again: in every durability that survives the process, small and
// over the log's budget, with checkpoints between. "start N" after the check, then each number.
void write_loop(unsigned seed, bool all_kinds) {
  std::mt19937 random(seed);
  say(check());
  constexpr std::uint32_t kDurabilities[] = {QUIRE_DURABILITY_ALWAYS, QUIRE_DURABILITY_BATCH,
                                             QUIRE_DURABILITY_OS, QUIRE_DURABILITY_NONE};
  for (;;) {
    quire_txn* txn = nullptr;
    Invariant invariant;
    std::string problem;
    int code = quire_begin(db, QUIRE_WRITE, &txn);
    if (code == QUIRE_OK) code = invariant.open(txn, true);
    const std::uint64_t number = code == QUIRE_OK ? invariant.read(txn, problem) + 1 : 0;
    if (!problem.empty()) return say("inconsistent " + problem);
    if (code == QUIRE_OK) say("start " + std::to_string(number - 1));
    const bool undone = random() % 6 == 0;
    if (code == QUIRE_OK && undone) {
      code = invariant.write(txn, number + 5);
      quire_abort(txn);
      if (code != QUIRE_OK) return say(result(code));
      continue;
    }
    std::uint64_t savepoint = 0;
    if (code == QUIRE_OK && random() % 5 == 0) {
      code = quire_savepoint(txn, &savepoint);
      if (code == QUIRE_OK) code = invariant.write(txn, number + 7);
      if (code == QUIRE_OK) code = quire_rollback_to(txn, savepoint);
    }
    // Over the log's budget by being written three times.
    for (unsigned i = random() % 12 == 0 ? 3 : 1; i > 0 && code == QUIRE_OK; --i) {
      if (code == QUIRE_OK && savepoint == 0) code = quire_savepoint(txn, &savepoint);
      if (code == QUIRE_OK && i > 1) {
        code = invariant.write(txn, number + i);
        if (code == QUIRE_OK) code = quire_rollback_to(txn, savepoint);
      } else if (code == QUIRE_OK) {
        code = invariant.write(txn, number);
      }
    }
    const std::uint32_t durability = kDurabilities[random() % (all_kinds ? 4 : 3)];
    if (code == QUIRE_OK) code = quire_commit_ex(txn, durability, nullptr);
    if (code != QUIRE_OK) return say(result(code));
    say((durability == QUIRE_DURABILITY_NONE ? "weak " : "") + std::to_string(number));
    if (all_kinds && random() % 24 == 0) {
      if (const std::string wrong = open_again(random() % 2 == 0); !wrong.empty())
        return say("inconsistent " + wrong);
    }
    if (random() % 16 == 0 && (code = quire_checkpoint(db)) != QUIRE_OK) return say(result(code));
  }
}

// Looks at the state again and again: each is whole, none is older than the one before, and one
// that is held does not change.
std::string read_loop(bool tells) {
  constexpr std::uint64_t kLooksTold = 50;
  struct Held {
    quire_txn* txn;
    std::uint64_t number;
    int rounds;
  };
  std::vector<Held> held;
  std::uint64_t newest = 0;
  std::uint64_t looks = 0;
  std::uint64_t changes = 0;
  std::string problem;
  std::mt19937 random(static_cast<unsigned>(::getpid()));
  quire_txn* renewed = nullptr;
  const auto look = [&](quire_txn* txn) {
    Invariant invariant;
    const int code = invariant.open(txn, false);
    if (code == QUIRE_ERR_NOT_FOUND) return std::uint64_t{0};
    if (code != QUIRE_OK) problem = result(code);
    if (++looks % kLooksTold == 0 && tells) say("looked " + std::to_string(kLooksTold));
    return problem.empty() ? invariant.read(txn, problem) : 0;
  };
  while (problem.empty() && !line_waits()) {
    quire_txn* txn = nullptr;
    int code = QUIRE_OK;
    if (renewed != nullptr && random() % 2 == 0) {
      txn = renewed;
      code = quire_renew(txn);
    } else {
      code = quire_begin(db, QUIRE_READ, &txn);
    }
    if (code != QUIRE_OK) {
      problem = result(code);
      break;
    }
    const std::uint64_t number = look(txn);
    if (number < newest) problem = std::to_string(number) + " after " + std::to_string(newest);
    changes += number != newest ? 1 : 0;
    newest = number;
    if (txn != renewed && renewed == nullptr) {
      renewed = txn;
    } else if (txn != renewed && held.size() < 4 && random() % 8 == 0) {
      held.push_back({txn, number, static_cast<int>(random() % 200)});
    } else if (txn != renewed) {
      quire_abort(txn);
    }
    for (std::size_t i = held.size(); i-- > 0;) {
      const std::uint64_t again = look(held[i].txn);
      if (problem.empty() && again != held[i].number)
        problem = "a held state went from " + std::to_string(held[i].number) + " to " +
                  std::to_string(again);
      if (held[i].rounds-- > 0) continue;
      quire_abort(held[i].txn);
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  for (const Held& one : held) quire_abort(one.txn);
  quire_abort(renewed);
  if (!problem.empty()) return "inconsistent " + problem;
  return "ok " + std::to_string(looks) + " " + std::to_string(changes) + " " +
         std::to_string(newest);
}

// The child goes on with the commands; the parent only waits to be killed.
std::string fork_now() {
  const pid_t child = ::fork();
  if (child < 0) return "failed fork";
  if (child > 0) {
    for (;;) ::pause();
  }
  return "ok " + std::to_string(::getpid());
}

// --- commands ---

std::string in_txn(const std::string& verb, quire_txn* txn, std::istringstream& words) {
  if (verb == "number") return "ok " + std::to_string(quire_txn_number(txn));
  if (verb == "renew") return result(quire_renew(txn));
  if (verb == "invariant") {
    Invariant invariant;
    std::string problem;
    const int code = invariant.open(txn, false);
    if (code != QUIRE_OK) return result(code);
    const std::uint64_t number = invariant.read(txn, problem);
    return problem.empty() ? "ok " + std::to_string(number) : "inconsistent " + problem;
  }
  quire_keyspace keyspace = 0;
  // Where it may, a transaction makes the keyspace; renewing tells the kinds apart.
  int code = quire_keyspace_open(txn, "keys", QUIRE_CREATE, &keyspace);
  if (code == QUIRE_ERR_READ_ONLY) code = quire_keyspace_open(txn, "keys", 0, &keyspace);
  if (code != QUIRE_OK) return result(code);
  if (verb == "fill") return fill(txn, keyspace, words);
  if (verb == "all") return all(txn, keyspace, words);
  std::string key;
  std::string value;
  words >> key >> value;
  if (verb == "put")
    return result(quire_put(txn, keyspace, key.data(), key.size(), value.data(), value.size(), 0));
  quire_slice found = {nullptr, 0};
  code = quire_get(txn, keyspace, key.data(), key.size(), &found);
  return result(code, std::string(static_cast<const char*>(found.data), found.size));
}

std::string begin(const std::string& name, std::istringstream& words) {
  std::string kind;
  words >> kind;
  quire_txn* txn = nullptr;
  const std::uint32_t flags = kind == "r"   ? QUIRE_READ
                              : kind == "w" ? QUIRE_WRITE
                                            : QUIRE_WRITE | QUIRE_TRY;
  const int code = quire_begin(db, flags, &txn);
  if (code == QUIRE_OK) txns[name] = txn;
  return result(code);
}

std::string commit(const std::string& name, std::istringstream& words) {
  std::uint32_t durability = 0;
  words >> durability;
  const int code = quire_commit_ex(txns[name], durability, nullptr);
  return result(code);
}

std::string open_database(std::istringstream& words) {
  std::string mode;
  words >> open_path >> mode;
  const quire_open_options options = parse_options(mode, words);
  return result(quire_open(open_path.c_str(), &options, &db));
}

std::string wait_for(std::istringstream& words) {
  std::string path;
  words >> path;
  std::thread([path] {
    quire_open_options options = QUIRE_OPEN_OPTIONS_INIT;
    options.busy_timeout_ms = UINT32_MAX;
    quire_db* opened = nullptr;
    const int code = quire_open(path.c_str(), &options, &opened);
    say("opened " + result(code));
    quire_close(opened);
  }).detach();
  // So that it is waiting, as likely as not, when the next command comes.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  return "ok";
}

std::string of_database(const std::string& verb, std::istringstream& words) {
  if (verb == "close") return result(quire_close(db));
  if (verb == "stat") return stat_line();
  if (verb == "check") return check();
  if (verb == "checkpoint") return result(quire_checkpoint(db));
  if (verb == "sync") return result(quire_sync(db));
  std::uint64_t number = 0;
  if (verb == "latest") {
    const int code = quire_latest(db, &number, nullptr);
    return result(code, std::to_string(number));
  }
  if (verb == "wait") {
    std::uint32_t timeout_ms = 0;
    words >> number >> timeout_ms;
    const int code = quire_wait_commit(db, number, timeout_ms, &number);
    return result(code, std::to_string(number));
  }
  if (verb == "advance") {
    std::uint64_t count = 1;
    std::uint32_t durability = 0;
    words >> count >> durability;
    return advance(count, durability);
  }
  return "unknown command " + verb;
}

std::string of_process(const std::string& verb, std::istringstream& words) {
  unsigned number = 0;
  words >> number;
  if (verb == "setuid") {
    if (::setgid(number) != 0 || ::setuid(number) != 0) return "failed setuid";
    return "ok";
  }
  if (verb == "file-size") {  // what is written behind it fails; 0: no limit
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {number != 0 ? number : RLIM_INFINITY, RLIM_INFINITY};
    return ::setrlimit(RLIMIT_FSIZE, &limit) == 0 ? "ok" : "failed setrlimit";
  }
  const rlimit limit = {number, number};
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? "ok" : "failed setrlimit";
}

std::string carry_out(const std::string& line) {
  std::istringstream words(line);
  std::string verb;
  words >> verb;
  if (verb == "open") return open_database(words);
  if (verb == "wait-for") return wait_for(words);
  if (verb == "fork") return fork_now();
  if (verb == "setuid" || verb == "files" || verb == "file-size") return of_process(verb, words);
  if (verb == "read-loop") {
    std::string tell;
    words >> tell;
    return read_loop(tell == "tell");
  }
  if (verb == "write-loop") {
    unsigned seed = 0;
    std::string all_kinds;
    words >> seed >> all_kinds;
    write_loop(seed, !all_kinds.empty());
    return "ended";
  }
  const bool is_of_database = verb == "close" || verb == "stat" || verb == "check" ||
                              verb == "checkpoint" || verb == "sync" || verb == "latest" ||
                              verb == "wait" || verb == "advance";
  if (is_of_database) return of_database(verb, words);
  std::string name;
  words >> name;
  if (verb == "begin") return begin(name, words);
  if (verb == "commit") return commit(name, words);
  if (verb == "abort") {
    quire_abort(txns[name]);
    return "ok";
  }
  return in_txn(verb, txns[name], words);
}

}  // namespace
}  // namespace quire::test

// Goes on in a pid namespace of its own, where it is process 1; who called stays outside and waits.
static void enter_namespace() {
  if (::unshare(CLONE_NEWPID) != 0) std::exit(4);
  const pid_t child = ::fork();
  if (child < 0) std::exit(4);
  if (child == 0) return;
  ::close(STDIN_FILENO);
  ::close(STDOUT_FILENO);
  int status = 0;
  ::waitpid(child, &status, 0);
  std::exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

int main(int count, char** arguments) {
  if (count > 1 && std::string(arguments[1]) == "--own-pids") enter_namespace();
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line == "exit") return 0;
    quire::test::say(quire::test::carry_out(line));
  }
  return 0;
}
