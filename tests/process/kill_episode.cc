#include "kill_episode.h"

#include <chrono>
#include <fstream>
#include <thread>

namespace quire::test {
std::uint64_t KillEpisode::number_in(const std::string& answer) {
  const std::size_t space = answer.find(' ');
  if (answer.substr(0, space) != "ok" || space == std::string::npos)
    throw KillFailure("not a number: " + answer);
  return std::stoull(answer.substr(space + 1));
}

void KillEpisode::require(bool holds, const std::string& words) {
  if (!holds) throw KillFailure(words);
}
void KillEpisode::require_line(const std::string& said, const std::string& wanted,
                               const char* what) {
  require(said == wanted, std::string(what) + ": " + said);
}

KillEpisode::KillEpisode(std::uint64_t seed, std::string path, bool namespaces, KillCounts& counts)
    : random_(seed), path_(std::move(path)), namespaces_(namespaces), counts_(counts) {
  options_ = options();
}

// Everything happens often in most: commits by checkpoint, checkpoints, spilled pages.
std::string KillEpisode::options() {
  constexpr unsigned kArchive = 8;
  constexpr unsigned kNoBackground = 16;
  std::string text;
  const auto add = [&text](const std::string& name, std::uint64_t value) {
    text += " " + name + "=" + std::to_string(value);
  };
  unsigned flags = one_in(4) ? kArchive : 0;
  if (one_in(4)) flags |= kNoBackground;
  if (flags != 0) add("flags", flags);
  if (!one_in(3)) add("log_budget_bytes", 100'000 + random_() % 200'000);
  if (!one_in(3)) add("checkpoint_bytes", 200'000 + random_() % 2'000'000);
  if (!one_in(3)) add("private_bytes", 150'000 + random_() % 400'000);
  if (one_in(3)) add("publish_ms", 1 + random_() % 40);
  if (one_in(4)) add("checkpoint_ms", 20 + random_() % 100);
  add("durability", 1 + random_() % 3);
  return text;
}

pid_t KillEpisode::Process::pid() const {
  if (!inner) return worker->pid();
  // Its only child.
  const std::string outer = std::to_string(worker->pid());
  pid_t found = 0;
  std::ifstream("/proc/" + outer + "/task/" + outer + "/children") >> found;
  return found;
}

KillEpisode::Process KillEpisode::spawn() {
  Process process;
  process.inner = namespaces_ && one_in(3);
  if (process.inner) ++counts_.inner;
  using Words = std::vector<std::string>;
  process.worker = std::make_unique<Worker>(Words{}, process.inner ? Words{"--own-pids"} : Words{});
  // Who is to be killed has to be known.
  while (process.inner && process.pid() == 0)
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  return process;
}

void KillEpisode::kill_process(Process& process, const char* who) {
  if (process.inner) {
    // The one outside waits for it, and so do we: what it had locked is free then.
    ::kill(process.pid(), SIGKILL);
  }
  const int status = process.inner ? process.worker->wait() : process.worker->kill_now();
  const bool killed = process.inner ? WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGKILL
                                    : WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  require(killed, std::string(who) + " had ended by itself, status " + std::to_string(status));
}

void KillEpisode::make() {
  Process first = spawn();
  require_line(first.worker->ask("open " + path_ + " c" + options_), "ok", "create");
  acknowledged_ = newest_ = found_ = number_in(first.worker->ask("advance 3 1"));
  if (one_in(2)) require_line(first.worker->ask("close"), "ok", "close");
  kill_process(first, "the first");
}

// --- the writer ---

void KillEpisode::start_writer() {
  writer_ = spawn();
  started_ = false;
  writer_.worker->tell("open " + path_ + " w busy_timeout_ms=30000" + options_);
  writer_.worker->tell("write-loop " + std::to_string(random_() % 1'000'000'000) + " all");
}

void KillEpisode::take(const std::string& line) {
  if (line == "ok") return;  // the open, its check
  const auto digits = [](const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  };
  if (line.starts_with("start ") && digits(line.substr(6))) {
    if (started_) return;
    started_ = true;
    found_ = std::stoull(line.substr(6));
    ++counts_.recoveries;
    require(found_ >= acknowledged_, "commit " + std::to_string(acknowledged_) +
                                         " was acknowledged, " + std::to_string(found_) +
                                         " was found");
    require(found_ <= newest_ + 1, "nothing after " + std::to_string(newest_ + 1) + " was begun, " +
                                       std::to_string(found_) + " was found");
    acknowledged_ = newest_ = found_;
    return;
  }
  if (line.starts_with("weak ") && digits(line.substr(5))) {
    newest_ = std::stoull(line.substr(5));
    return;
  }
  require(digits(line), "the writer says: " + line);
  acknowledged_ = newest_ = std::stoull(line);
  ++counts_.commits;
}

void KillEpisode::listen_to_writer(bool until_started) {
  while (until_started && !started_) {
    const std::string line = writer_.worker->listen();
    take(line);
  }
}

// It is dead: what it said until then counts.
void KillEpisode::settle_writer() {
  for (const std::string& line : writer_.worker->rest()) take(line);
  writer_.worker.reset();
}

void KillEpisode::kill_writer() {
  if (writer_.worker == nullptr) start_writer();
  // Mostly in the middle of its work; sometimes while it opens and recovers.
  listen_to_writer(!one_in(5));
  const unsigned life_us_max = one_in(6) ? 400'000 : 50'000;
  std::this_thread::sleep_for(std::chrono::microseconds(random_() % life_us_max));
  if (one_in(6)) {
    ::kill(writer_.pid(), SIGSTOP);
    std::this_thread::sleep_for(std::chrono::microseconds(random_() % 3'000));
  }
  kill_process(writer_, "the writer");
  settle_writer();
  ++counts_.writers;
  ++kills_;
}

// Others see what there is, and are kept out by a lock and not by a pulse.
void KillEpisode::stop_writer() {
  if (writer_.worker == nullptr) start_writer();
  listen_to_writer(true);
  std::this_thread::sleep_for(std::chrono::microseconds(random_() % 8'000));
  const pid_t pid = writer_.pid();
  ::kill(pid, SIGSTOP);
  ++counts_.stops;
  Process other = spawn();
  const std::string refused = other.worker->ask("open " + path_ + " w");
  require(refused.starts_with("busy "), "beside a stopped writer: " + refused);
  const std::string named = "process " + std::to_string(writer_.inner ? 1 : pid);
  require(refused.find(named) != std::string::npos, "BUSY does not name " + named + ": " + refused);
  require_line(other.worker->ask("open " + path_ + " r"), "ok", "a reader beside a stopped writer");
  require_line(other.worker->ask("begin r r"), "ok", "a snapshot beside a stopped writer");
  const std::uint64_t seen = number_in(other.worker->ask("invariant r"));
  require(seen + 1 >= found_, "beside a stopped writer " + std::to_string(seen) + " is seen");
  ++counts_.looks;
  kill_process(other, "the other");
  ++counts_.readers;
  ++kills_;
  if (!one_in(3)) {
    ::kill(pid, SIGCONT);
    return;
  }
  kill_process(writer_, "the stopped writer");
  settle_writer();
  ++counts_.writers;
  ++kills_;
}

// --- readers ---

void KillEpisode::start_reader(Reader& reader) {
  reader.process = spawn();
  reader.stopped = 0;
  reader.opened = false;
  reader.process.worker->tell("open " + path_ + " r");
  reader.process.worker->tell("read-loop tell");
  if (!one_in(4)) await_open(reader);
}

void KillEpisode::await_open(Reader& reader) {
  if (reader.opened) return;
  require_line(reader.process.worker->listen(), "ok", "a reader's open");
  reader.opened = true;
}

// What a reader says in its loop.
void KillEpisode::hear(const std::string& line) {
  constexpr std::string_view kLooked = "looked ";
  if (line.starts_with(kLooked)) {
    counts_.looks += std::stoull(line.substr(kLooked.size()));
    return;
  }
  require(line == "ok", "a reader says: " + line);  // its open
}

void KillEpisode::kill_reader(Reader& reader) {
  if (reader.process.worker == nullptr) start_reader(reader);
  std::this_thread::sleep_for(std::chrono::microseconds(random_() % 4'000));
  kill_process(reader.process, "a reader");
  for (const std::string& line : reader.process.worker->rest()) hear(line);
  reader.process.worker.reset();
  ++counts_.readers;
  ++kills_;
}

// With whatever it holds just then; it goes on much later, and its loop looks at that again.
void KillEpisode::stop_reader(Reader& reader) {
  if (reader.process.worker == nullptr || reader.stopped != 0) return;
  await_open(reader);
  ::kill(reader.process.pid(), SIGSTOP);
  reader.stopped = 1 + static_cast<int>(random_() % 30);
  ++counts_.stops;
}

void KillEpisode::go_on(Reader& reader) {
  if (reader.process.worker == nullptr || reader.stopped == 0) return;
  reader.stopped = 0;
  ::kill(reader.process.pid(), SIGCONT);
}

void KillEpisode::end_loop(Reader& reader) {
  if (reader.process.worker == nullptr) return;
  go_on(reader);
  await_open(reader);
  Worker& worker = *reader.process.worker;
  worker.tell("latest");  // ends its loop
  std::string said = worker.listen();
  for (; !said.starts_with("ok "); said = worker.listen()) hear(said);
  require(worker.listen().starts_with("ok "), "a reader's end");
  require_line(worker.ask("close"), "ok", "a reader's close");
  reader.process.worker.reset();
}

// A process that never ends, and holds what it saw first.
void KillEpisode::start_holder() {
  holder_ = spawn();
  holder_stopped_ = false;
  require_line(holder_.worker->ask("open " + path_ + " r"), "ok", "the holder's open");
  require_line(holder_.worker->ask("begin held r"), "ok", "the holder's snapshot");
  held_ = number_in(holder_.worker->ask("invariant held"));
  // Pages that it has not looked at since are to be kept just the same.
  if (one_in(2)) {
    ::kill(holder_.pid(), SIGSTOP);
    holder_stopped_ = true;
    ++counts_.stops;
  }
}

void KillEpisode::check_holder(bool again) {
  if (holder_stopped_) ::kill(holder_.pid(), SIGCONT);
  holder_stopped_ = false;
  const std::string said = holder_.worker->ask("invariant held");
  require(said == "ok " + std::to_string(held_),
          "the state " + std::to_string(held_) + " was held and is now: " + said);
  ++counts_.held;
  if (!again) return;
  require_line(holder_.worker->ask("renew held"), "ok", "the holder's renewal");
  const std::uint64_t newer = number_in(holder_.worker->ask("invariant held"));
  require(newer >= held_, "renewed to an older state");
  held_ = newer;
}

void KillEpisode::kill_all() {
  if (writer_.worker != nullptr) {
    kill_process(writer_, "the writer");
    settle_writer();
    ++counts_.writers;
    ++kills_;
  }
  for (Reader& reader : readers_) {
    if (reader.process.worker != nullptr) kill_reader(reader);
  }
  check_holder(false);
  kill_process(holder_, "the holder");
  holder_.worker.reset();
  ++counts_.readers;
  ++kills_;
}

// --- the episode ---

void KillEpisode::round() {
  for (Reader& reader : readers_) {
    if (reader.process.worker == nullptr) start_reader(reader);
    if (reader.stopped > 0 && --reader.stopped == 0) {
      reader.stopped = 1;
      go_on(reader);
    }
  }
  Reader& reader = readers_[random_() % readers_.size()];
  const unsigned choice = static_cast<unsigned>(random_() % 100);
  if (choice < 62) return kill_writer();
  if (choice < 76) return kill_reader(reader);
  if (choice < 84) return stop_reader(reader);
  if (choice < 88) return stop_writer();
  if (choice < 91) return check_holder(one_in(2));
  if (choice < 92) return fork_a_reader();
  if (choice < 94) return fork_a_writer();
  if (choice < 97 && namespaces_) return reuse_pid();
  if (choice < 98) return lose_lock();
  damage_lock();
}

void KillEpisode::finish() {
  for (Reader& reader : readers_) end_loop(reader);
  if (writer_.worker != nullptr) kill_writer();
  check_holder(false);
  Worker last;
  require_line(last.ask("open " + path_ + " w"), "ok", "the last open");
  require_line(last.ask("check"), "ok", "the last check");
  require_line(last.ask("begin r r"), "ok", "the last look");
  const std::uint64_t number = number_in(last.ask("invariant r"));
  require(number >= acknowledged_ && number <= newest_ + 1,
          std::to_string(number) + " at last, after " + std::to_string(acknowledged_));
  require_line(last.ask("abort r"), "ok", "the last abort");
  check_holder(true);
  kill_process(holder_, "the holder");
  require_line(last.ask("close"), "ok", "the last close");
}

void KillEpisode::run(std::uint64_t kills) {
  make();
  start_holder();
  readers_.resize(2);
  while (kills_ < kills) round();
  finish();
}

}  // namespace quire::test
