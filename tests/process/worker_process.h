// What the tests of processes share: workers, and a directory with a database that goes away.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <thread>

#include "worker_handle.h"

namespace quire::test {

// What must be answered.
#define EXPECT_ASK(worker, line, answer) EXPECT_EQ((worker).ask(line), answer) << (line)
#define ASSERT_ASK(worker, line, answer) ASSERT_EQ((worker).ask(line), answer) << (line)
// The code, whatever the sentence.
#define EXPECT_ASK_CODE(worker, line, code)                                    \
  do {                                                                         \
    const std::string said = (worker).ask(line);                               \
    EXPECT_EQ(said.substr(0, said.find(' ')), code) << (line) << ": " << said; \
  } while (false)

class Processes : public ::testing::Test {
 protected:
  Processes() {
    std::string name = (std::filesystem::temp_directory_path() / "quire-proc-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) abort();
    directory = name;
    std::filesystem::permissions(directory, std::filesystem::perms::all);
    path = directory + "/t.quire";
  }
  ~Processes() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }
  // "name=value" of a stat line.
  static std::map<std::string, std::uint64_t> stat(Worker& worker) {
    std::istringstream words(worker.ask("stat"));
    std::map<std::string, std::uint64_t> found;
    std::string word;
    words >> word;
    EXPECT_EQ(word, "ok");
    while (words >> word) {
      const std::size_t equals = word.find('=');
      found[word.substr(0, equals)] = std::stoull(word.substr(equals + 1));
    }
    return found;
  }
  static std::uint64_t number_in(const std::string& answer) {
    const std::size_t space = answer.find(' ');
    EXPECT_EQ(answer.substr(0, space), "ok") << answer;
    return space == std::string::npos ? 0 : std::stoull(answer.substr(space + 1));
  }
  void make(Worker& worker, const std::string& options = "") const {
    ASSERT_EQ(worker.ask("open " + path + " c " + options), "ok");
  }
  // Whole transactions of a worker.
  static void commit_put(Worker& worker, const std::string& key, const std::string& value,
                         int durability = 0) {
    ASSERT_EQ(worker.ask("begin w w"), "ok");
    ASSERT_EQ(worker.ask("put w " + key + " " + value), "ok");
    ASSERT_EQ(worker.ask("commit w " + std::to_string(durability)), "ok");
  }
  static std::string read_get(Worker& worker, const std::string& key) {
    EXPECT_EQ(worker.ask("begin g r"), "ok");
    const std::string found = worker.ask("get g " + key);
    EXPECT_EQ(worker.ask("abort g"), "ok");
    return found;
  }

  std::string directory;
  std::string path;
};

inline bool long_run() { return getenv("QUIRE_TEST_LONG") != nullptr; }

}  // namespace quire::test
