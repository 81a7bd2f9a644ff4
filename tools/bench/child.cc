#include "tools/bench/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <iostream>
#include <stdexcept>

namespace quire::bench {
namespace {

// Both ends close on exec; the child gets copies as its standard input and output.
struct Pipe {
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      throw std::runtime_error(std::string("pipe: ") + std::strerror(errno));
    }
    read_end = ends[0];
    write_end = ends[1];
  }
  int read_end;
  int write_end;
};

}  // namespace

Child::Child(const std::vector<std::string>& arguments) {
  std::signal(SIGPIPE, SIG_IGN);  // a child that died is an error of write
  const Pipe down;
  const Pipe up;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, down.read_end, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, up.write_end, STDOUT_FILENO);
  std::vector<char*> argv;
  std::string program = "quire-bench";
  argv.push_back(program.data());
  // posix_spawn takes pointers to non-const and does not write through them.
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const int code = posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(down.read_end);
  close(up.write_end);
  to_child_ = down.write_end;
  from_child_ = up.read_end;
  if (code != 0) throw std::runtime_error(std::string("spawn: ") + std::strerror(code));
}

Child::~Child() {
  close(to_child_);
  close(from_child_);
  waitpid(pid_, nullptr, 0);
}

void Child::send(const std::string& line) {
  const std::string text = line + "\n";
  if (write(to_child_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("a child process has ended early");
  }
}

std::string Child::receive() {
  std::string line;
  for (char byte = 0;;) {
    const ssize_t size = read(from_child_, &byte, 1);
    if (size < 0 && errno == EINTR) continue;
    if (size != 1) throw std::runtime_error("a child process has ended early");
    if (byte == '\n') return line;
    line += byte;
  }
}

std::vector<std::string> child_arguments(const std::string& verb, const ChildTask& task) {
  return {verb,
          "--store",
          task.store,
          "--directory",
          task.directory,
          "--keys",
          std::to_string(task.keys),
          "--key-form",
          task.key_form == KeyForm::kDecimal ? "decimal" : "spread",
          "--seed",
          std::to_string(task.seed)};
}

int run_reader_child(const ChildTask& task) {
  const StoreKind* kind = find_store_kind(task.store);
  std::unique_ptr<Store> store;
  std::unique_ptr<Session> session;
  KeyMaker keys(task.key_form, task.keys);
  Random random(task.seed);
  std::uint64_t sum = 0;
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "open") {
      store = kind->open(task.directory, Durability::kAlways, Access::kReadOnly);
      session = store->session();
      session->begin_read();
      sum += session->scan(keys.key(0), task.keys);
      session->end_read();
      std::cout << "ready" << std::endl;
    } else if (line.starts_with("go ")) {
      std::uint64_t reads = 0;
      rate(std::stod(line.substr(3)), 64, [&] {
        sum += session->get_latest(keys.key(random.below(task.keys)));
        ++reads;
      });
      std::cout << reads << " " << sum << std::endl;  // the sum keeps the reads from being dropped
    }
  }
  return 0;
}

int run_probe_child(const ChildTask& task) {
  const StoreKind* kind = find_store_kind(task.store);
  KeyMaker keys(task.key_form, task.keys);
  Random random(task.seed);
  const std::string_view key = keys.key(random.below(task.keys));
  const std::uint64_t memory_before = anonymous_bytes();
  const Clock::time_point start = Clock::now();
  const std::unique_ptr<Store> store =
      kind->open(task.directory, Durability::kOs, Access::kReadWrite);
  const double open_seconds = seconds_since(start);
  const std::unique_ptr<Session> session = store->session();
  session->get_latest(key);
  const double total_seconds = seconds_since(start);
  const std::uint64_t memory = anonymous_bytes() - memory_before;
  std::cout << open_seconds << " " << total_seconds << " " << memory << std::endl;
  return 0;
}

}  // namespace quire::bench
