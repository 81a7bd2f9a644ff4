// What the tests of the C API share: a directory that goes away, a database in it, and short ways
// to say what a call must return. They see nothing of the library but quire.h.
#pragma once

#include <gtest/gtest.h>
#include <quire/quire.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

namespace quire::test {

// A code by its name, with the sentence where it is an error.
struct Code {
  int value;
  std::string sentence;
  Code(int code) : value(code), sentence(code == QUIRE_OK ? "" : quire_last_error()) {}  // NOLINT
};
inline bool operator==(const Code& a, int b) { return a.value == b; }
inline std::ostream& operator<<(std::ostream& out, const Code& code) {
  return out << quire_error_name(code.value) << ": " << code.sentence;
}

#define EXPECT_CODE(call, code) EXPECT_EQ(::quire::test::Code(call), static_cast<int>(code))
#define ASSERT_CODE(call, code) ASSERT_EQ(::quire::test::Code(call), static_cast<int>(code))
#define EXPECT_OK(call) EXPECT_CODE(call, QUIRE_OK)
#define ASSERT_OK(call) ASSERT_CODE(call, QUIRE_OK)
// The code, and a sentence that names the thing.
#define EXPECT_ERROR(call, code, part)                                       \
  do {                                                                       \
    EXPECT_CODE(call, code);                                                 \
    EXPECT_NE(std::string(quire_last_error()).find(part), std::string::npos) \
        << quire_last_error();                                               \
  } while (false)

class TempDirectory {
 public:
  TempDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "quire-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) abort();
    path_ = name;
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline quire_open_options open_options(std::uint32_t flags = QUIRE_OPEN_CREATE) {
  quire_open_options options = QUIRE_OPEN_OPTIONS_INIT;
  options.flags = flags;
  return options;
}

inline std::string text(const quire_slice& slice) {
  return {static_cast<const char*>(slice.data), slice.size};
}
inline quire_slice slice(const std::string& bytes) { return {bytes.data(), bytes.size()}; }

inline int put(quire_txn* txn, quire_keyspace keyspace, const std::string& key,
               const std::string& value, std::uint32_t flags = 0) {
  return quire_put(txn, keyspace, key.data(), key.size(), value.data(), value.size(), flags);
}
inline int erase(quire_txn* txn, quire_keyspace keyspace, const std::string& key) {
  return quire_delete(txn, keyspace, key.data(), key.size());
}
// The value; "<code>" where there is an error.
inline std::string get(quire_txn* txn, quire_keyspace keyspace, const std::string& key) {
  quire_slice value;
  const int code = quire_get(txn, keyspace, key.data(), key.size(), &value);
  if (code != QUIRE_OK) return "<" + std::string(quire_error_name(code)) + ">";
  return text(value);
}

// A database with one keyspace, and transactions that are ended with the test.
class World : public ::testing::Test {
 protected:
  void SetUp() override {
    open();
    quire_txn* txn = write();
    ASSERT_OK(quire_keyspace_open(txn, "keys", QUIRE_CREATE, &keys));
    ASSERT_OK(quire_commit(txn));
  }
  void TearDown() override {
    if (db != nullptr) {
      EXPECT_OK(quire_close(db));
    }
  }
  void open(quire_open_options options = open_options()) {
    if (options.durability == 0) options.durability = QUIRE_DURABILITY_OS;
    ASSERT_OK(quire_open(path().c_str(), &options, &db));
  }
  void reopen(quire_open_options options = open_options()) {
    ASSERT_OK(quire_close(db));
    db = nullptr;
    open(options);
  }
  std::string path() const { return directory / "t.quire"; }
  quire_txn* begin(std::uint32_t flags) {
    quire_txn* txn = nullptr;
    EXPECT_OK(quire_begin(db, flags, &txn));
    return txn;
  }
  quire_txn* read() { return begin(QUIRE_READ); }
  quire_txn* write() { return begin(QUIRE_WRITE); }
  // One commit of one put.
  void commit_put(const std::string& key, const std::string& value) {
    quire_txn* txn = write();
    ASSERT_OK(put(txn, keys, key, value));
    ASSERT_OK(quire_commit(txn));
  }

  TempDirectory directory;
  quire_db* db = nullptr;
  quire_keyspace keys = 0;
};

}  // namespace quire::test
