// What happens to an episode beside deaths: lost `lock` files, forks, pids that are used again.
#include <filesystem>
#include <fstream>

#include "kill_episode.h"

namespace quire::test {
namespace {

namespace fs = std::filesystem;

// Replaces bytes of a file where it lies.
void overwrite(const std::string& path, std::uint64_t at, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(at));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// A reader that finds its writer dead recovers the database, and has its place for that long.
constexpr char kPatience[] = " busy_timeout_ms=30000";
constexpr std::uint64_t kLockDatabase = 16;  // of the lock file's header (format.md)
constexpr std::uint64_t kLockBoot = 32;

}  // namespace

// The file goes while processes have it: who joins is told, and once all have gone all is well.
void KillEpisode::lose_lock() {
  if (writer_.worker == nullptr) start_writer();
  listen_to_writer(true);
  for (Reader& reader : readers_) await_open(reader);
  if (one_in(2)) {
    fs::remove(path_ + "/lock");
  } else {
    std::ofstream(path_ + "/lock.other") << std::string(40'000, 'x');
    fs::rename(path_ + "/lock.other", path_ + "/lock");
  }
  ++counts_.locks;
  Process other = spawn();
  const std::string refused = other.worker->ask("open " + path_ + " r");
  require(refused.starts_with("lock_lost "), "beside a lost lock: " + refused);
  const std::string busy = other.worker->ask("open " + path_ + " w");
  require(busy.starts_with("busy "), "a second writer beside a lost lock: " + busy);
  kill_process(other, "the other");
  ++counts_.readers;
  ++kills_;
  check_holder(false);  // who has it goes on
  kill_all();
  start_holder();
}

// Nobody has it: whatever it is, it is made anew.
void KillEpisode::damage_lock() {
  kill_all();
  const std::string lock = path_ + "/lock";
  ++counts_.locks;
  switch (random_() % 6) {
    case 0:
      fs::remove(lock);
      break;
    case 1:
      fs::resize_file(lock, random_() % fs::file_size(lock));
      break;
    case 2:
      overwrite(lock, 0, std::string(4096, static_cast<char>(random_())));
      break;
    case 3:
      overwrite(lock, kLockDatabase, "another database");
      break;
    case 4:
      overwrite(lock, kLockBoot, "of another boot!");
      break;
    default:
      fs::resize_file(lock, 0);
      break;
  }
  start_holder();
}

// The child may only close what it inherited, and then opens for itself.
void KillEpisode::fork_a_reader() {
  Worker worker;
  require_line(worker.ask("open " + path_ + " r"), "ok", "open before fork");
  require_line(worker.ask("begin t r"), "ok", "begin before fork");
  require(worker.ask("fork").starts_with("ok "), "fork");
  require(worker.ask("invariant t").starts_with("forked "), "a snapshot in the child");
  require_line(worker.ask("close"), "ok", "close in the child");
  require_line(worker.ask("open " + path_ + " r"), "ok", "open in the child");
  require_line(worker.ask("begin own r"), "ok", "begin in the child");
  require(number_in(worker.ask("invariant own")) + 1 >= found_, "the child sees an old state");
  ++counts_.looks;
  ++counts_.forks;
  worker.kill_now();  // the parent, with its snapshot open
  ++counts_.readers;
  ++kills_;
  require(number_in(worker.ask("invariant own")) + 1 >= found_, "after the parent's death");
  worker.tell("exit");
  (void)worker.rest();  // until it is gone
}

// A writer forks in the middle of a transaction: its place is its own, and free when it dies,
// whatever becomes of the child.
void KillEpisode::fork_a_writer() {
  if (writer_.worker != nullptr) kill_writer();
  Worker worker;
  require_line(worker.ask("open " + path_ + " w" + kPatience + options_), "ok",
               "a writer's open before fork");
  const std::uint64_t number = number_in(worker.ask("advance 1 1"));
  require(number > acknowledged_ && number <= newest_ + 2,
          "the commit after " + std::to_string(newest_) + " is " + std::to_string(number));
  acknowledged_ = newest_ = found_ = number;
  require_line(worker.ask("begin t w"), "ok", "a writer's begin before fork");
  require_line(worker.ask("put t key value"), "ok", "a writer's put before fork");
  require(worker.ask("fork").starts_with("ok "), "a writer's fork");
  require(worker.ask("put t key other").starts_with("forked "), "a put in the child");
  require_line(worker.ask("close"), "ok", "a writer's close in the child");
  Process next = spawn();
  const std::string refused = next.worker->ask("open " + path_ + " w");
  require(refused.starts_with("busy "), "beside a writer that forked: " + refused);
  worker.kill_now();  // the parent
  ++counts_.forks;
  ++counts_.writers;
  ++kills_;
  require_line(next.worker->ask("open " + path_ + " w" + kPatience), "ok",
               "after a writer that forked");
  require_line(next.worker->ask("begin r r"), "ok", "a look after it");
  require_line(next.worker->ask("invariant r"), "ok " + std::to_string(number), "after it");
  ++counts_.recoveries;
  kill_process(next, "the writer after it");
  ++counts_.writers;
  ++kills_;
  require_line(worker.ask("open " + path_ + " r"), "ok", "a reader's open in the child");
  worker.tell("exit");
  (void)worker.rest();
}

// Another process gets the dead writer's pid, which still stands in `lock`.
void KillEpisode::reuse_pid() {
  if (writer_.worker == nullptr) start_writer();
  listen_to_writer(true);
  const pid_t pid = writer_.worker->pid();
  kill_writer();
  {
    std::ofstream("/proc/sys/kernel/ns_last_pid") << pid - 1;
  }
  Worker heir;
  if (heir.pid() != pid) return;  // somebody was faster
  ++counts_.reused;
  require_line(heir.ask("open " + path_ + " r"), "ok", "a reader with a dead writer's pid");
  require_line(heir.ask("begin r r"), "ok", "its snapshot");
  const std::uint64_t seen = number_in(heir.ask("invariant r"));
  require(seen >= acknowledged_ && seen <= newest_ + 1, "it sees " + std::to_string(seen));
  Process next = spawn();
  require_line(next.worker->ask("open " + path_ + " w" + kPatience), "ok", "a writer beside it");
  require_line(next.worker->ask("check"), "ok", "check beside it");
  kill_process(next, "the writer beside it");
  ++counts_.writers;
  ++kills_;
  heir.kill_now();
  ++counts_.readers;
  ++kills_;
}

}  // namespace quire::test
