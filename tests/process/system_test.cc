// What the system gives and refuses: copies, permissions, descriptors, and what a commit costs in
// calls of it.
#include <cstdlib>
#include <string_view>

#include "worker_process.h"

namespace quire::test {
namespace {

namespace fs = std::filesystem;

class System : public Processes {
 protected:
  void copy(const std::string& to) const {
    fs::remove_all(to);
    // As cp -r: a file that goes away meanwhile is not copied, the others are.
    fs::create_directories(to + "/wal");
    std::error_code gone;
    for (const char* part : {"", "/wal"}) {
      std::vector<fs::path> files;
      for (fs::directory_iterator at(path + part, gone), end; at != end; at.increment(gone))
        files.push_back(at->path());
      for (const fs::path& file : files) {
        if (!fs::is_directory(file, gone))
          fs::copy_file(file, to + part + "/" + file.filename().string(), gone);
      }
    }
  }
  // Opens a copy; its number, or the code that it was refused with.
  static std::string look_at(const std::string& copy, const char* mode) {
    Worker worker;
    const std::string opened = worker.ask("open " + copy + " " + mode);
    if (opened != "ok") return opened.substr(0, opened.find(' '));
    EXPECT_ASK(worker, "begin r r", "ok");
    const std::string found = worker.ask("invariant r");
    EXPECT_ASK(worker, "abort r", "ok");
    const std::string checked = worker.ask("check");
    EXPECT_ASK(worker, "close", "ok");
    if (checked != "ok") return "damaged " + checked;
    return found;
  }
};

TEST_F(System, ACopyOfAnOpenDatabaseAtRestHasAll) {
  Worker writer;
  make(writer);
  EXPECT_EQ(number_in(writer.ask("advance 20 1")), 20u);
  Worker reader;
  ASSERT_ASK(reader, "open " + path + " r", "ok");
  ASSERT_ASK(reader, "begin held r", "ok");
  const std::string to = directory + "/copy";
  for (const char* mode : {"w", "r"}) {
    copy(to);
    EXPECT_EQ(look_at(to, mode), "ok 20");
  }
  // Its `lock` counts for nothing: the copy and the original do not know of one another.
  Worker other;
  copy(to);
  ASSERT_ASK(other, "open " + to + " w", "ok");
  EXPECT_EQ(number_in(other.ask("advance 5")), 25u);
  EXPECT_EQ(number_in(writer.ask("advance 1")), 21u);
  EXPECT_ASK(reader, "invariant held", "ok 20");
  EXPECT_ASK(writer, "check", "ok");
  EXPECT_ASK(other, "check", "ok");
}

// Files of a copy that was made while commits went on are of different moments. What opens is a
// state that was committed; what can't be put together is refused.
TEST_F(System, ACopyUnderWritesOpensWholeOrNotAtAll) {
  Worker writer;
  make(writer, "checkpoint_bytes=300000");
  EXPECT_EQ(number_in(writer.ask("advance 5 1")), 5u);
  writer.tell("write-loop 3");
  const std::string to = directory + "/copy";
  int opened = 0;
  const int copies = long_run() ? 60 : 12;
  for (int i = 0; i < copies; ++i) {
    copy(to);
    const std::string found = look_at(to, i % 2 == 0 ? "w" : "r");
    const std::string code = found.substr(0, found.find(' '));
    EXPECT_TRUE(code == "ok" || code == "corrupt" || code == "truncated" || code == "log_damaged" ||
                code == "not_found" || code == "wrong_id")
        << found;
    if (code == "ok") {
      EXPECT_GE(number_in(found), 5u);
      ++opened;
    }
  }
  std::printf("%d of %d copies opened\n", opened, copies);
  writer.kill_now();
  for (const std::string& line : writer.rest())
    EXPECT_TRUE(line == "ok" || line.find_first_not_of("start 0123456789") == std::string::npos)
        << line;
  EXPECT_GE(number_in(look_at(path, "w")), 5u);
}

// --- permissions ---

constexpr const char* kNobody = "setuid 65534";

class Permissions : public System {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can make files that another may not use";
    Worker writer;
    make(writer);
    EXPECT_EQ(number_in(writer.ask("advance 3")), 3u);
    EXPECT_ASK(writer, "close", "ok");
  }
  void allow(const std::string& what, unsigned mode) const {
    fs::permissions(path + what, static_cast<fs::perms>(mode));
  }
  static std::string number_seen(Worker& worker) {
    EXPECT_ASK(worker, "begin r r", "ok");
    std::string found = worker.ask("invariant r");
    EXPECT_ASK(worker, "abort r", "ok");
    return found;
  }
};

TEST_F(Permissions, WhatMayNotBeReadIsRefused) {
  Worker nobody;
  ASSERT_ASK(nobody, kNobody, "ok");
  allow("/data", 0600);
  EXPECT_ASK_CODE(nobody, "open " + path + " r", "permission");
  EXPECT_ASK_CODE(nobody, "open " + path + " w", "permission");
  allow("/data", 0644);
  allow("", 0700);
  EXPECT_ASK_CODE(nobody, "open " + path + " r", "permission");
  EXPECT_ASK_CODE(nobody, "open " + path + " c", "permission");
  allow("", 0755);
  EXPECT_ASK_CODE(nobody, "open " + path + " w", "permission");
  fs::permissions(directory, static_cast<fs::perms>(0755));
  EXPECT_ASK_CODE(nobody, "open " + directory + "/new c", "permission");
  EXPECT_ASK(nobody, "open " + path + " r", "ok");
}

// Who may not enter itself in `lock` keeps writers out while it reads.
TEST_F(Permissions, AReaderThatMayWriteNothingKeepsWritersOut) {
  allow("/lock", 0644);
  Worker nobody;
  ASSERT_ASK(nobody, kNobody, "ok");
  ASSERT_ASK(nobody, "open " + path + " r", "ok");
  EXPECT_EQ(number_seen(nobody), "ok 3");
  EXPECT_ASK_CODE(nobody, "begin w w", "read_only");
  EXPECT_ASK_CODE(nobody, "wait " + std::to_string(number_in(nobody.ask("latest"))) + " 10",
                  "timeout");
  EXPECT_ASK(nobody, "check", "ok");
  EXPECT_EQ(stat(nobody)["writer_pid"], 0u);
  Worker writer;
  EXPECT_ASK_CODE(writer, "open " + path + " w", "busy");
  Worker root_reader;
  ASSERT_ASK(root_reader, "open " + path + " r", "ok");
  Worker second;
  ASSERT_ASK(second, kNobody, "ok");
  ASSERT_ASK(second, "open " + path + " r", "ok");
  EXPECT_ASK(nobody, "close", "ok");
  EXPECT_ASK_CODE(writer, "open " + path + " w", "busy");
  EXPECT_ASK(second, "close", "ok");
  EXPECT_ASK(writer, "open " + path + " w", "ok");
  EXPECT_EQ(number_in(writer.ask("advance 2")), 5u);
  // The other way round: a writer is there.
  const std::string said = nobody.ask("open " + path + " r");
  EXPECT_EQ(said.substr(0, 5), "busy ") << said;
  EXPECT_NE(said.find(std::to_string(writer.pid())), std::string::npos) << said;
}

TEST_F(Permissions, AReaderThatMayWriteLockOnlyReadsBesideTheWriter) {
  allow("/lock", 0666);
  Worker writer;
  ASSERT_ASK(writer, "open " + path + " w", "ok");
  Worker nobody;
  ASSERT_ASK(nobody, kNobody, "ok");
  ASSERT_ASK(nobody, "open " + path + " r", "ok");
  EXPECT_EQ(number_seen(nobody), "ok 3");
  EXPECT_EQ(number_in(writer.ask("advance 4 1")), 7u);
  EXPECT_EQ(number_seen(nobody), "ok 7");
  EXPECT_EQ(stat(writer)["readers"], 0u);
  EXPECT_ASK(nobody, "begin held r", "ok");
  EXPECT_EQ(stat(writer)["oldest_reader_pid"], static_cast<std::uint64_t>(nobody.pid()));
}

TEST_F(Permissions, AReadOnlyDirectoryWithoutLockIsRead) {
  fs::remove(path + "/lock");
  allow("", 0555);
  allow("/data", 0444);
  Worker nobody;
  ASSERT_ASK(nobody, kNobody, "ok");
  ASSERT_ASK(nobody, "open " + path + " r", "ok");
  EXPECT_EQ(number_seen(nobody), "ok 3");
  EXPECT_FALSE(fs::exists(path + "/lock"));
}

TEST_F(Permissions, WhoMayNotRecoverSaysSo) {
  {
    Worker writer;
    ASSERT_ASK(writer, "open " + path + " w", "ok");
    EXPECT_EQ(number_in(writer.ask("advance 2")), 5u);
  }  // killed
  Worker nobody;
  ASSERT_ASK(nobody, kNobody, "ok");
  EXPECT_ASK_CODE(nobody, "open " + path + " r", "needs_recovery");
  allow("/lock", 0666);
  EXPECT_ASK_CODE(nobody, "open " + path + " r", "needs_recovery");
  Worker root_reader;
  ASSERT_ASK(root_reader, "open " + path + " r", "ok");
  EXPECT_EQ(number_seen(root_reader), "ok 5");
  EXPECT_ASK(nobody, "open " + path + " r", "ok");
  EXPECT_EQ(number_seen(nobody), "ok 5");
}

// --- descriptors ---

TEST_F(System, NoDescriptorsLeftIsAnErrorOfItsOwn) {
  if (const char* sanitizer = std::getenv("QUIRE_SANITIZER");
      sanitizer != nullptr && std::string_view(sanitizer) == "undefined")
    GTEST_SKIP() << "the sanitizer needs descriptors itself, and calls every object broken";
  Worker maker;
  make(maker);
  EXPECT_EQ(number_in(maker.ask("advance 1")), 1u);
  EXPECT_ASK(maker, "close", "ok");
  // Standard input, output and error, then a few: each number in turn is where it stops.
  bool opened = false;
  for (int files = 3; files < 30 && !opened; ++files) {
    Worker poor;
    ASSERT_ASK(poor, "files " + std::to_string(files), "ok");
    std::string said = poor.ask("open " + path + " w");
    opened = said == "ok";
    if (opened) said = poor.ask("advance 1");
    if (opened && said.substr(0, 2) == "ok") {
      // Enough for the commit; closing in order takes a descriptor more for a moment.
      said = poor.ask("close");
      if (said == "ok") break;
    }
    EXPECT_EQ(said.substr(0, said.find(' ')), "too_many_files") << said;
    opened = false;
    poor.kill_now();
    EXPECT_GE(number_in(look_at(path, "w")), 1u);
  }
}

// --- strace ---

bool strace_works() { return std::system("strace -o /dev/null true >/dev/null 2>&1") == 0; }

// The lines of a trace from the first that has `from` on.
std::vector<std::string> trace_after(const std::string& file, const std::string& from) {
  std::ifstream trace(file);
  std::vector<std::string> lines;
  bool seen = false;
  for (std::string line; std::getline(trace, line);) {
    seen = seen || line.find(from) != std::string::npos;
    if (seen) lines.push_back(line);
  }
  return lines;
}

std::size_t count(const std::vector<std::string>& lines, const std::string& call,
                  const std::string& where) {
  std::size_t found = 0;
  for (const std::string& line : lines)
    found += line.find(call) != std::string::npos && line.find(where) != std::string::npos ? 1 : 0;
  return found;
}

// In the steady state: one write to the log and one sync for one durable commit, and nothing to
// `data`, as no other process looks on.
TEST_F(System, ADurableCommitIsOneWriteAndOneSync) {
  if (!strace_works()) GTEST_SKIP() << "no strace, or it may not trace";
  const std::string trace = directory + "/trace";
  setenv("QUIRE_IO", "plain", 1);  // so that the calls can be seen
  Worker worker({"strace", "-f", "-y", "-o", trace, "-e",
                 "trace=write,pwrite64,pwritev,pwritev2,fdatasync,fsync,sync_file_range,fallocate,"
                 "ftruncate,msync,io_uring_enter"});
  unsetenv("QUIRE_IO");
  make(worker, "checkpoint_ms=3600000");
  for (int i = 0; i < 20; ++i) commit_put(worker, "k" + std::to_string(i), "v", 1);
  constexpr int kCommits = 10;
  for (int i = 0; i < kCommits; ++i) {
    ASSERT_ASK(worker, "number MARK", "ok 0");  // its answer is in the trace
    commit_put(worker, "j" + std::to_string(i), "v", 1);
  }
  EXPECT_ASK(worker, "number END", "ok 0");
  const std::vector<std::string> lines = trace_after(trace, "\"ok 0\\n\"");
  std::vector<std::string> of_files;
  for (const std::string& line : lines)
    if (line.find(path) != std::string::npos) of_files.push_back(line);
  std::string all;
  for (const std::string& line : of_files) all += line + "\n";
  EXPECT_EQ(count(of_files, "write", "/wal/"), static_cast<std::size_t>(kCommits)) << all;
  EXPECT_EQ(count(of_files, "fdatasync", "/wal/"), static_cast<std::size_t>(kCommits)) << all;
  EXPECT_EQ(of_files.size(), 2u * kCommits) << all;
}

}  // namespace
}  // namespace quire::test
