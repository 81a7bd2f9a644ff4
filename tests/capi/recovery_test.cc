// What a copy of the open directory recovers to, and what damage to the files is told as.
#include <cstdio>
#include <fstream>
#include <random>

#include "capi_world.h"

namespace quire::test {
namespace {

class Recovery : public World {
 protected:
  // The state that a crash would leave now, opened in the place of the database.
  void crash(quire_open_options options = open_options()) {
    const std::string copy = directory / "copy.quire";
    std::filesystem::copy(path(), copy, std::filesystem::copy_options::recursive);
    ASSERT_OK(quire_close(db));
    db = nullptr;
    std::filesystem::remove_all(path());
    std::filesystem::rename(copy, path());
    open(options);
  }
  std::string data() const { return path() + "/data"; }
  static std::string read_file(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    return {(std::istreambuf_iterator<char>(file)), {}};
  }
  static void write_at(const std::string& name, std::size_t offset, const std::string& bytes) {
    std::fstream file(name, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(file.good());
  }
  std::vector<std::string> damages() {
    std::vector<std::string> found;
    const auto note = [](void* context, const char* words) {
      static_cast<std::vector<std::string>*>(context)->emplace_back(words);
      return 0;
    };
    const int code = quire_check(db, note, &found);
    EXPECT_EQ(code == QUIRE_OK, found.empty());
    return found;
  }
};

std::string key_of(std::uint32_t number) {
  char key[16];
  std::snprintf(key, sizeof key, "%08x", number);
  return key;
}

// The pages that a savepoint has set aside are free too, and the free map needs room for them.
TEST_F(Recovery, ACommitByCheckpointInsideASavepoint) {
  quire_open_options options = open_options();
  options.page_size = 512;
  options.log_budget_bytes = 2000;
  ASSERT_OK(quire_close(db));
  std::filesystem::remove_all(path());
  open(options);
  quire_txn* txn = write();
  ASSERT_OK(quire_keyspace_open(txn, "keys", QUIRE_CREATE, &keys));
  std::mt19937 random(7);
  for (int i = 0; i < 6000; ++i) {
    const std::string key = key_of(static_cast<std::uint32_t>(random()));
    ASSERT_OK(put(txn, keys, key, std::string(100, 'v')));
  }
  const quire_slice low = {"40000000", 8};
  const quire_slice high = {"c0000000", 8};
  std::uint64_t deleted = 0;
  ASSERT_OK(quire_delete_range(txn, keys, &low, &high, &deleted));
  EXPECT_GT(deleted, 1000u);
  std::uint64_t savepoint = 0;
  ASSERT_OK(quire_savepoint(txn, &savepoint));
  std::uint64_t count = 0;
  ASSERT_OK(quire_count(txn, keys, nullptr, nullptr, &count));
  ASSERT_OK(quire_commit(txn));
  crash();
  txn = read();
  std::uint64_t found = 0;
  ASSERT_OK(quire_count(txn, keys, nullptr, nullptr, &found));
  EXPECT_EQ(found, count);
  quire_abort(txn);
  EXPECT_EQ(damages(), std::vector<std::string>());
}

// What is logged is what was asked for, also where that lies in the page that is changed.
TEST_F(Recovery, AValuePutFromItsOwnPage) {
  commit_put("a", "0123456789abcdef");
  quire_txn* txn = write();
  ASSERT_OK(put(txn, keys, "b", "x"));
  quire_slice value;
  ASSERT_OK(quire_get(txn, keys, "a", 1, &value));
  ASSERT_OK(
      quire_put(txn, keys, "a", 1, static_cast<const char*>(value.data) + 4, value.size - 4, 0));
  EXPECT_EQ(get(txn, keys, "a"), "456789abcdef");
  ASSERT_OK(quire_commit(txn));
  crash();
  txn = read();
  EXPECT_EQ(get(txn, keys, "a"), "456789abcdef");
  EXPECT_EQ(get(txn, keys, "b"), "x");
  quire_abort(txn);
}

TEST_F(Recovery, AKeyErasedByItsOwnBytes) {
  quire_txn* txn = write();
  for (const char* key : {"a", "b", "c", "d"}) ASSERT_OK(put(txn, keys, key, key));
  quire_slice value;
  ASSERT_OK(quire_get(txn, keys, "b", 1, &value));
  ASSERT_OK(quire_delete(txn, keys, value.data, value.size));
  EXPECT_EQ(get(txn, keys, "b"), "<not_found>");
  ASSERT_OK(quire_commit(txn));
  crash();
  txn = read();
  EXPECT_EQ(get(txn, keys, "b"), "<not_found>");
  for (const char* key : {"a", "c", "d"}) EXPECT_EQ(get(txn, keys, key), key);
  quire_abort(txn);
}

// The leaf that a scan looked ahead at may be gone when the cursor is used again: here the file
// ends before it then, and a look would be a bus error.
TEST_F(Recovery, ACursorForgetsTheLeafItLookedAheadAt) {
  for (std::uint32_t steps = 2; steps < 34; steps += 2) {
    ASSERT_OK(quire_close(db));
    std::filesystem::remove_all(path());
    open();
    quire_txn* txn = write();
    ASSERT_OK(quire_keyspace_open(txn, "keys", QUIRE_CREATE, &keys));
    for (std::uint32_t i = 0; i < 40'000; ++i)
      ASSERT_OK(put(txn, keys, key_of(i), std::string(100, 'v')));
    ASSERT_OK(quire_commit(txn));
    ASSERT_OK(quire_checkpoint(db));
    quire_txn* reader = read();
    quire_cursor* cursor = nullptr;
    ASSERT_OK(quire_cursor_open(reader, keys, nullptr, &cursor));
    quire_slice key;
    quire_slice value;
    const std::string from = key_of(38'000);
    ASSERT_OK(quire_cursor_seek(cursor, from.data(), from.size(), &key, &value));
    for (std::uint32_t i = 0; i < steps; ++i) ASSERT_OK(quire_cursor_next(cursor, &key, &value));
    txn = write();
    const std::string low = key_of(1000);
    const quire_slice bound = slice(low);
    ASSERT_OK(quire_delete_range(txn, keys, &bound, nullptr, nullptr));
    ASSERT_OK(quire_commit(txn));
    for (int round = 0; round < 6; ++round) {  // what is left moves to the front of the file
      txn = write();
      for (std::uint32_t i = 0; i < 1000; i += 10)
        ASSERT_OK(put(txn, keys, key_of(i), std::string(90, 'v')));
      ASSERT_OK(quire_commit(txn));
      ASSERT_OK(quire_renew(reader));
      ASSERT_OK(quire_checkpoint(db));
      ASSERT_OK(quire_checkpoint(db));
    }
    EXPECT_LT(std::filesystem::file_size(data()), 3u << 20);
    for (std::uint32_t i = 300; i > 200; --i) {
      const std::string wanted = key_of(i);
      ASSERT_OK(quire_cursor_seek(cursor, wanted.data(), wanted.size(), &key, &value));
      ASSERT_OK(quire_cursor_next(cursor, &key, &value));
      EXPECT_EQ(text(key), key_of(i + 1));
    }
    quire_abort(reader);
  }
}

// A page that is damaged ends the scan; the cursor is nowhere then, not on an entry.
TEST_F(Recovery, ACursorThatMetDamageIsNowhere) {
  quire_txn* txn = write();
  for (std::uint32_t i = 0; i < 1000; ++i)
    ASSERT_OK(put(txn, keys, key_of(i), std::string(100, i == 500 ? 'w' : 'v')));
  ASSERT_OK(quire_commit(txn));
  ASSERT_OK(quire_close(db));
  db = nullptr;
  const std::size_t at = read_file(data()).find(std::string(50, 'w'));
  ASSERT_NE(at, std::string::npos);
  write_at(data(), at, "?");
  open();
  txn = read();
  quire_cursor* cursor = nullptr;
  ASSERT_OK(quire_cursor_open(txn, keys, nullptr, &cursor));
  quire_slice key;
  quire_slice value;
  int code = QUIRE_OK;
  int entries = 0;
  for (; code == QUIRE_OK; ++entries) code = quire_cursor_next(cursor, &key, &value);
  EXPECT_CODE(code, QUIRE_ERR_CORRUPT);
  EXPECT_GT(entries, 100);
  EXPECT_CODE(quire_cursor_current(cursor, &key, &value), QUIRE_ERR_NOT_FOUND);
  EXPECT_OK(quire_cursor_first(cursor, &key, &value));
  quire_abort(txn);
}

// Pages that wait for a checkpoint only are no reason to refuse a transaction.
class Quota : public Recovery, public ::testing::WithParamInterface<std::uint32_t> {};
TEST_P(Quota, IsNotUsedUpByPagesThatWaitForACheckpoint) {
  constexpr std::uint32_t kCount = 2000;
  quire_txn* txn = write();
  for (std::uint32_t i = 0; i < kCount; ++i)
    ASSERT_OK(put(txn, keys, key_of(i), std::string(1000, 'v')));
  ASSERT_OK(quire_commit(txn));
  quire_stat stat{};
  stat.size = sizeof stat;
  ASSERT_OK(quire_get_stat(db, &stat));
  quire_open_options options = open_options(QUIRE_OPEN_CREATE | GetParam());
  options.quota_bytes = stat.pages_total * 4096 * 3 / 2;
  reopen(options);
  std::mt19937 random(3);
  int refused = 0;
  for (int i = 0; i < 4000; ++i) {
    txn = write();
    const std::string key = key_of(static_cast<std::uint32_t>(random()) % kCount);
    int code = put(txn, keys, key, std::string(1000, 'w'));
    if (code == QUIRE_OK) {
      code = quire_commit(txn);
    } else {
      quire_abort(txn);
    }
    if (code == QUIRE_OK) continue;
    ASSERT_CODE(code, QUIRE_ERR_QUOTA);
    ++refused;
  }
  // The next transaction after one that was refused waits for the checkpoint.
  EXPECT_LT(refused, 40);
  EXPECT_EQ(damages(), std::vector<std::string>());
}
INSTANTIATE_TEST_SUITE_P(Background, Quota, ::testing::Values(0u, QUIRE_OPEN_NO_BACKGROUND));

// --- check: what is beside the pages of the newest state ---

TEST_F(Recovery, CheckFindsADamagedFreeMap) {
  quire_txn* txn = write();
  for (std::uint32_t i = 0; i < 2000; ++i)
    ASSERT_OK(put(txn, keys, key_of(i), std::string(100, 'v')));
  ASSERT_OK(quire_commit(txn));
  txn = write();
  ASSERT_OK(quire_delete_range(txn, keys, nullptr, nullptr, nullptr));
  ASSERT_OK(quire_commit(txn));
  reopen(open_options(QUIRE_OPEN_READ_ONLY));
  EXPECT_EQ(damages(), std::vector<std::string>());
  // The newest of the two meta pages says where it is.
  std::uint64_t newest = 0;
  std::uint32_t page = 0;
  const std::string bytes = read_file(data());
  for (const std::size_t meta : {0, 4096}) {
    std::uint64_t sequence = 0;
    std::memcpy(&sequence, bytes.data() + meta + 40, sizeof sequence);
    if (sequence < newest) continue;
    newest = sequence;
    std::memcpy(&page, bytes.data() + meta + 152, sizeof page);
  }
  ASSERT_GT(page, 1u);
  write_at(data(), std::size_t{page} * 4096, "????");
  const std::vector<std::string> found = damages();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NE(found[0].find("free map"), std::string::npos) << found[0];
}

TEST_F(Recovery, CheckFindsADamagedRecordOfTheLogBesideItsWriter) {
  for (int i = 0; i < 9; ++i) {
    quire_txn* txn = write();
    ASSERT_OK(put(txn, keys, key_of(static_cast<std::uint32_t>(i)), "needle-" + std::to_string(i)));
    ASSERT_OK(quire_commit_ex(txn, QUIRE_DURABILITY_ALWAYS, nullptr));
  }
  EXPECT_EQ(damages(), std::vector<std::string>());
  bool done = false;
  for (const auto& entry : std::filesystem::directory_iterator(path() + "/wal")) {
    const std::size_t at = read_file(entry.path()).find("needle-4");
    if (at == std::string::npos) continue;
    write_at(entry.path(), at, "?");
    done = true;
  }
  ASSERT_TRUE(done);
  EXPECT_EQ(damages().size(), 1u);
}

TEST_F(Recovery, ALostMetaPageIsNamed) {
  commit_put("k", "v");
  ASSERT_OK(quire_checkpoint(db));
  commit_put("k", "w");
  ASSERT_OK(quire_close(db));
  db = nullptr;
  // Both in turn: one of them is the newest.
  const std::string before = read_file(data());
  bool refused = false;
  for (const std::size_t page : {0, 1}) {
    write_at(data(), page * 4096 + 100, "????");
    quire_open_options options = open_options();
    const int code = quire_open(path().c_str(), &options, &db);
    if (code == QUIRE_OK) {
      EXPECT_EQ(damages(), std::vector<std::string>());  // not needed after a close in order
      commit_put("k", "x");                              // writes it anew
      EXPECT_EQ(damages(), std::vector<std::string>());
      ASSERT_OK(quire_close(db));
      db = nullptr;
    } else {
      EXPECT_ERROR(code, QUIRE_ERR_LOG_DAMAGED, "meta page");
      refused = true;
    }
    std::filesystem::resize_file(data(), before.size());
    write_at(data(), 0, before);
  }
  EXPECT_TRUE(refused);
}

// inspect read the reader table to the end of the file, however long: a `lock` with a long hole
// behind it took hours and the memory for it; found while its fuzzer was written.
TEST_F(Recovery, InspectEndsWhereTheReaderTableEnds) {
  constexpr std::size_t kSlots = 4096 + 1024 * 32;  // behind the header and the processes
  const std::string lock = path() + "/lock";
  const auto readers = [&] {
    char* json = nullptr;
    EXPECT_OK(quire_inspect(path().c_str(), QUIRE_INSPECT_READERS, 0, &json));
    const std::string copy = json != nullptr ? json : "";
    quire_free(json);
    return copy.substr(copy.find("\"readers\""));
  };
  std::filesystem::resize_file(lock, kSlots + (65'536 + 8) * 64);
  write_at(lock, kSlots + 65'535 * 64, std::string("\5\0\0\0\0\0\0\0", 8));
  EXPECT_NE(readers().find("\"slot\":65535,\"txn\":5"), std::string::npos);
  write_at(lock, kSlots + (65'536 + 3) * 64, std::string("\6\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(readers().find("\"slot\":65539"), std::string::npos);
  write_at(lock, kSlots + 65'535 * 64, std::string(8, '\0'));
}

}  // namespace
}  // namespace quire::test
