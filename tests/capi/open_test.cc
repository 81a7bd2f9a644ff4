// Opening and closing, options, figures, check and inspect.
#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "capi_world.h"

namespace quire::test {
namespace {

namespace fs = std::filesystem;

void write_bytes(const std::string& path, std::uint64_t offset, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(file.good()) << path;
}

TEST(Library, NamesItsErrorsAndVersion) {
  EXPECT_STREQ(quire_error_name(QUIRE_OK), "ok");
  EXPECT_STREQ(quire_error_name(QUIRE_ERR_NOT_FOUND), "not_found");
  EXPECT_STREQ(quire_error_name(QUIRE_ERR_CANCELLED), "cancelled");
  EXPECT_STREQ(quire_error_name(1), "unknown");
  EXPECT_STREQ(quire_error_name(QUIRE_ERR_BUDGET - 1), "unknown");
  for (int code = QUIRE_ERR_BUDGET; code <= 0; ++code)
    EXPECT_STRNE(quire_error_name(code), "unknown") << code;
  EXPECT_EQ(std::string(quire_version()), std::to_string(QUIRE_VERSION_MAJOR) + "." +
                                              std::to_string(QUIRE_VERSION_MINOR) + "." +
                                              std::to_string(QUIRE_VERSION_PATCH));
  EXPECT_EQ(quire_build_info()[0], '{');
  EXPECT_NE(quire_last_error(), nullptr);
}

TEST(Open, NullOptionsMakeADatabase) {
  const TempDirectory directory;
  quire_db* db = nullptr;
  ASSERT_OK(quire_open((directory / "a").c_str(), nullptr, &db));
  EXPECT_TRUE(fs::exists(directory / "a/data"));
  EXPECT_OK(quire_close(db));
  EXPECT_OK(quire_close(nullptr));
}

TEST(Open, AnEmptyDatabaseIsSmall) {
  const TempDirectory directory;
  quire_db* db = nullptr;
  ASSERT_OK(quire_open((directory / "a").c_str(), nullptr, &db));
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory.path()))
    if (entry.is_regular_file()) bytes += entry.file_size();
  EXPECT_LT(bytes, 256u << 10);
  EXPECT_OK(quire_close(db));
}

TEST(Open, RefusesWrongArguments) {
  const TempDirectory directory;
  const std::string path = directory / "a";
  quire_db* db = nullptr;
  EXPECT_CODE(quire_open(path.c_str(), nullptr, nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_open(nullptr, nullptr, &db), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_open("", nullptr, &db), QUIRE_ERR_INVALID);
  quire_open_options options = open_options();
  options.size = 0;
  EXPECT_CODE(quire_open(path.c_str(), &options, &db), QUIRE_ERR_INVALID);
  options = open_options(1u << 20);
  EXPECT_ERROR(quire_open(path.c_str(), &options, &db), QUIRE_ERR_INVALID, "flags");
  options = open_options(QUIRE_OPEN_CREATE | QUIRE_OPEN_READ_ONLY);
  EXPECT_CODE(quire_open(path.c_str(), &options, &db), QUIRE_ERR_INVALID);
  options = open_options();
  options.durability = 5;
  EXPECT_ERROR(quire_open(path.c_str(), &options, &db), QUIRE_ERR_INVALID, "durability");
  options = open_options();
  options.purge_ms = 10;
  options.flags = QUIRE_OPEN_READ_ONLY;
  EXPECT_ERROR(quire_open(path.c_str(), &options, &db), QUIRE_ERR_INVALID,
               "purge_ms with QUIRE_OPEN_READ_ONLY");
  options.flags = QUIRE_OPEN_CREATE | QUIRE_OPEN_NO_BACKGROUND;
  EXPECT_ERROR(quire_open(path.c_str(), &options, &db), QUIRE_ERR_INVALID,
               "purge_ms with QUIRE_OPEN_NO_BACKGROUND");
  options = open_options();
  options.build_threads = 257;
  EXPECT_ERROR(quire_open(path.c_str(), &options, &db), QUIRE_ERR_INVALID, "build_threads");
  options.build_threads = 2;
  options.flags = QUIRE_OPEN_CREATE | QUIRE_OPEN_NO_BACKGROUND;
  EXPECT_ERROR(quire_open(path.c_str(), &options, &db), QUIRE_ERR_INVALID,
               "build_threads over 1 with QUIRE_OPEN_NO_BACKGROUND");
  options = open_options();
  options.reserved = 1;
  EXPECT_ERROR(quire_open(path.c_str(), &options, &db), QUIRE_ERR_INVALID, "reserved");
  for (const std::uint32_t size : {1u, 256u, 4095u, 5000u, 131072u}) {
    options = open_options();
    options.page_size = size;
    EXPECT_CODE(quire_open(path.c_str(), &options, &db), QUIRE_ERR_PAGE_SIZE) << size;
  }
  EXPECT_EQ(db, nullptr);
  EXPECT_FALSE(fs::exists(path));
}

TEST(Open, TakesShorterAndLongerOptions) {
  const TempDirectory directory;
  quire_db* db = nullptr;
  quire_open_options older = open_options();
  older.size = offsetof(quire_open_options, page_size);
  older.page_size = 77;  // past its size: must not be looked at
  ASSERT_OK(quire_open((directory / "a").c_str(), &older, &db));
  EXPECT_OK(quire_close(db));

  struct Newer {
    quire_open_options known;
    std::uint64_t more;
  } newer{open_options(), 0};
  newer.known.size = sizeof newer;
  ASSERT_OK(quire_open((directory / "a").c_str(), &newer.known, &db));
  EXPECT_OK(quire_close(db));
  newer.more = 1;
  EXPECT_CODE(quire_open((directory / "a").c_str(), &newer.known, &db), QUIRE_ERR_INVALID);
}

TEST(Open, SaysWhatIsNotThere) {
  const TempDirectory directory;
  quire_db* db = nullptr;
  quire_open_options options = open_options(0);
  EXPECT_CODE(quire_open((directory / "a").c_str(), &options, &db), QUIRE_ERR_NOT_FOUND);
  EXPECT_CODE(quire_open((directory / "no/such/parent").c_str(), nullptr, &db),
              QUIRE_ERR_NOT_FOUND);
  options = open_options(QUIRE_OPEN_READ_ONLY);
  EXPECT_CODE(quire_open((directory / "a").c_str(), &options, &db), QUIRE_ERR_NOT_FOUND);
  fs::create_directory(directory / "b");
  EXPECT_CODE(quire_open((directory / "b").c_str(), &options, &db), QUIRE_ERR_NOT_DATABASE);
  std::ofstream(directory / "file") << "text";
  EXPECT_CODE(quire_open((directory / "file").c_str(), nullptr, &db), QUIRE_ERR_NOT_DATABASE);
  std::ofstream(directory / "b/mine.txt") << "text";
  EXPECT_ERROR(quire_open((directory / "b").c_str(), nullptr, &db), QUIRE_ERR_NOT_DATABASE,
               "mine.txt");
  std::ofstream(directory / "b/data") << std::string(100'000, 'x');
  EXPECT_CODE(quire_open((directory / "b").c_str(), nullptr, &db), QUIRE_ERR_NOT_DATABASE);
}

TEST(Open, ExclusiveRefusesWhatIsThere) {
  const TempDirectory directory;
  const std::string path = directory / "a";
  quire_db* db = nullptr;
  const quire_open_options options = open_options(QUIRE_OPEN_CREATE | QUIRE_OPEN_EXCLUSIVE);
  ASSERT_OK(quire_open(path.c_str(), &options, &db));
  quire_db* second = nullptr;
  EXPECT_CODE(quire_open(path.c_str(), &options, &second), QUIRE_ERR_EXISTS);
  EXPECT_OK(quire_close(db));
  EXPECT_CODE(quire_open(path.c_str(), &options, &db), QUIRE_ERR_EXISTS);
}

class OpenDamaged : public World {
 protected:
  void SetUp() override {
    World::SetUp();
    commit_put("k", std::string(100'000, 'v'));
    ASSERT_OK(quire_close(db));
    db = nullptr;
  }
  int open_again(std::uint32_t flags = 0) {
    const quire_open_options options = open_options(flags);
    quire_db* opened = nullptr;
    const int code = quire_open(path().c_str(), &options, &opened);
    if (code == QUIRE_OK) {
      EXPECT_OK(quire_close(opened));
    }
    return code;
  }
  std::string data() const { return path() + "/data"; }
};

TEST_F(OpenDamaged, SaysWhichPartOfTheMetaPagesIsWrong) {
  const auto both = [this](std::uint64_t offset, const std::string& bytes) {
    write_bytes(data(), offset, bytes);
    write_bytes(data(), 4096 + offset, bytes);
  };
  fs::copy_file(data(), directory / "kept");
  const auto restore = [this] {
    fs::copy_file(directory / "kept", data(), fs::copy_options::overwrite_existing);
  };
  both(0, "SOMEFILE");
  EXPECT_CODE(open_again(), QUIRE_ERR_NOT_DATABASE);
  EXPECT_CODE(open_again(QUIRE_OPEN_READ_ONLY), QUIRE_ERR_NOT_DATABASE);
  restore();
  both(8, std::string("\x63\0\0\0", 4));
  EXPECT_CODE(open_again(), QUIRE_ERR_VERSION);
  restore();
  both(12, std::string("\x01\x02\x03\x04", 4));
  EXPECT_CODE(open_again(), QUIRE_ERR_BYTE_ORDER);
  restore();
  both(300, "x");
  EXPECT_CODE(open_again(), QUIRE_ERR_CORRUPT);
  restore();
  EXPECT_OK(open_again());
}

TEST_F(OpenDamaged, SaysThatTheFileIsTooShort) {
  fs::resize_file(data(), 3 * 4096);
  EXPECT_CODE(open_again(), QUIRE_ERR_TRUNCATED);
  EXPECT_CODE(open_again(QUIRE_OPEN_READ_ONLY), QUIRE_ERR_TRUNCATED);
  fs::resize_file(data(), 0);
  const int code = open_again();
  EXPECT_TRUE(code == QUIRE_ERR_TRUNCATED || code == QUIRE_ERR_NOT_DATABASE) << Code(code);
}

TEST_F(OpenDamaged, TheOtherPageSizeIsRefused) {
  quire_open_options options = open_options();
  options.page_size = 8192;
  EXPECT_CODE(quire_open(path().c_str(), &options, &db), QUIRE_ERR_PAGE_SIZE);
  options.page_size = 4096;
  ASSERT_OK(quire_open(path().c_str(), &options, &db));
  quire_db* second = nullptr;
  options.page_size = 8192;
  EXPECT_CODE(quire_open(path().c_str(), &options, &second), QUIRE_ERR_PAGE_SIZE);
}

// A flipped bit in a page: what it holds can't be read, the rest can, and check names it.
TEST_F(OpenDamaged, AFlippedBitIsFoundAndTheProcessGoesOn) {
  open();
  quire_txn* txn = write();
  quire_keyspace other = 0;
  ASSERT_OK(quire_keyspace_open(txn, "other", QUIRE_CREATE, &other));
  ASSERT_OK(put(txn, other, "a", "b"));
  ASSERT_OK(quire_commit(txn));
  ASSERT_OK(quire_close(db));
  db = nullptr;
  // The value of 100,000 bytes is the only run of the letter v.
  std::ifstream file(data(), std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(file)), {});
  const std::size_t at = content.find(std::string(1000, 'v'));
  ASSERT_NE(at, std::string::npos);
  write_bytes(data(), at + 500, "w");

  open();
  txn = read();
  EXPECT_EQ(get(txn, keys, "k"), "<corrupt>");
  EXPECT_EQ(get(txn, other, "a"), "b");
  quire_abort(txn);
  std::vector<std::string> damages;
  const auto note = [](void* context, const char* words) {
    static_cast<std::vector<std::string>*>(context)->emplace_back(words);
    return 0;
  };
  EXPECT_CODE(quire_check(db, note, &damages), QUIRE_ERR_CORRUPT);
  EXPECT_FALSE(damages.empty());
  EXPECT_CODE(quire_check(db, nullptr, nullptr), QUIRE_ERR_CORRUPT);
  const auto stop = [](void*, const char*) { return 1; };
  EXPECT_CODE(quire_check(db, stop, nullptr), QUIRE_ERR_CANCELLED);
}

TEST_F(World, OpensOfOnePathShareTheDatabase) {
  quire_db* second = nullptr;
  ASSERT_OK(quire_open((path() + "/.").c_str(), nullptr, &second));
  const quire_open_options read_only = open_options(QUIRE_OPEN_READ_ONLY);
  quire_db* reader = nullptr;
  ASSERT_OK(quire_open(path().c_str(), &read_only, &reader));
  EXPECT_NE(second, db);
  commit_put("k", "v");
  for (quire_db* other : {second, reader}) {
    quire_txn* txn = nullptr;
    ASSERT_OK(quire_begin(other, QUIRE_READ, &txn));
    EXPECT_EQ(get(txn, keys, "k"), "v");
    quire_abort(txn);
  }
  quire_txn* txn = nullptr;
  EXPECT_CODE(quire_begin(reader, QUIRE_WRITE, &txn), QUIRE_ERR_READ_ONLY);
  EXPECT_CODE(quire_checkpoint(reader), QUIRE_ERR_READ_ONLY);
  // One turn for all handles.
  ASSERT_OK(quire_begin(db, QUIRE_WRITE, &txn));
  quire_txn* other = nullptr;
  EXPECT_CODE(quire_begin(second, QUIRE_WRITE | QUIRE_TRY, &other), QUIRE_ERR_BUSY);
  quire_abort(txn);
  EXPECT_OK(quire_close(db));
  db = nullptr;
  ASSERT_OK(quire_begin(second, QUIRE_WRITE, &txn));
  ASSERT_OK(put(txn, keys, "k", "w"));
  ASSERT_OK(quire_commit(txn));
  EXPECT_OK(quire_close(second));
  EXPECT_OK(quire_close(reader));
}

TEST_F(World, AReaderOfThisProcessStaysWhenItIsOpenedForWriting) {
  commit_put("k", "1");
  ASSERT_OK(quire_close(db));
  const quire_open_options read_only = open_options(QUIRE_OPEN_READ_ONLY);
  quire_db* reader = nullptr;
  ASSERT_OK(quire_open(path().c_str(), &read_only, &reader));
  open();
  quire_txn* held = nullptr;
  ASSERT_OK(quire_begin(reader, QUIRE_READ, &held));
  quire_txn* txn = write();
  ASSERT_OK(put(txn, keys, "k", "2"));
  ASSERT_OK(quire_commit_ex(txn, QUIRE_DURABILITY_ALWAYS, nullptr));
  EXPECT_EQ(get(held, keys, "k"), "1");
  ASSERT_OK(quire_renew(held));
  EXPECT_EQ(get(held, keys, "k"), "2");
  quire_abort(held);
  EXPECT_OK(quire_close(reader));
}

TEST_F(World, AClosedHandleSaysSo) {
  ASSERT_OK(quire_close(db));
  quire_txn* txn = nullptr;
  EXPECT_CODE(quire_begin(db, QUIRE_READ, &txn), QUIRE_ERR_CLOSED);
  EXPECT_CODE(quire_close(db), QUIRE_ERR_CLOSED);
  EXPECT_CODE(quire_sync(db), QUIRE_ERR_CLOSED);
  EXPECT_CODE(quire_checkpoint(db), QUIRE_ERR_CLOSED);
  EXPECT_CODE(quire_wait_durable(db, 0), QUIRE_ERR_CLOSED);
  EXPECT_CODE(quire_wait_commit(db, 0, 0, nullptr), QUIRE_ERR_CLOSED);
  EXPECT_CODE(quire_latest(db, nullptr, nullptr), QUIRE_ERR_CLOSED);
  EXPECT_CODE(quire_check(db, nullptr, nullptr), QUIRE_ERR_CLOSED);
  quire_stat stat;
  stat.size = sizeof stat;
  EXPECT_CODE(quire_get_stat(db, &stat), QUIRE_ERR_CLOSED);
  EXPECT_EQ(quire_max_key_size(db), 0u);
  db = nullptr;
  EXPECT_CODE(quire_begin(nullptr, QUIRE_READ, &txn), QUIRE_ERR_INVALID);
  EXPECT_EQ(quire_max_key_size(nullptr), 0u);
}

TEST_F(World, CloseWaitsForNoReaderAndUndoesWriters) {
  quire_txn* reader = read();
  EXPECT_CODE(quire_close(db), QUIRE_ERR_BUSY);
  EXPECT_EQ(get(reader, keys, "k"), "<not_found>");  // nothing was closed
  quire_abort(reader);
  quire_txn* writer = write();
  ASSERT_OK(put(writer, keys, "k", "v"));
  EXPECT_OK(quire_close(db));
  EXPECT_CODE(quire_commit(writer), QUIRE_ERR_CLOSED);
  quire_abort(writer);
  open();
  reader = read();
  EXPECT_EQ(get(reader, keys, "k"), "<not_found>");
  quire_abort(reader);
}

TEST_F(World, ACleanCloseLeavesNothingToReplay) {
  for (int i = 0; i < 100; ++i) commit_put("k" + std::to_string(i), "v");
  reopen();
  quire_stat stat{};
  stat.size = sizeof stat;
  ASSERT_OK(quire_get_stat(db, &stat));
  EXPECT_EQ(stat.log_bytes, 0u);
  EXPECT_LE(stat.log_files, 1u);
  quire_txn* txn = read();
  std::uint64_t count = 0;
  ASSERT_OK(quire_count(txn, keys, nullptr, nullptr, &count));
  EXPECT_EQ(count, 100u);
  quire_abort(txn);
}

TEST_F(World, StatCountsWhatIsThere) {
  quire_stat stat{};
  EXPECT_CODE(quire_get_stat(db, nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_get_stat(db, &stat), QUIRE_ERR_INVALID);
  stat.size = sizeof stat;
  ASSERT_OK(quire_get_stat(db, &stat));
  const std::uint64_t commits = stat.commits;
  const std::uint64_t number = stat.txn_number;
  EXPECT_EQ(stat.page_size, 4096u);
  EXPECT_EQ(stat.format_version, 1u);
  EXPECT_EQ(stat.keyspaces, 1u);
  EXPECT_EQ(stat.collections, 0u);
  EXPECT_EQ(stat.readers, 0u);
  EXPECT_EQ(stat.oldest_reader_pid, 0u);
  EXPECT_EQ(stat.writer_pid, static_cast<std::uint32_t>(getpid()));
  EXPECT_EQ(stat.quota_bytes, 0u);

  quire_txn* held = read();
  quire_txn* txn = write();
  quire_field fields[] = {{"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0}};
  quire_collection collection = 0;
  ASSERT_OK(quire_collection_create(txn, "things", fields, 1, &collection));
  for (int i = 0; i < 1000; ++i)
    ASSERT_OK(put(txn, keys, std::to_string(i), std::string(200, 'x')));
  std::uint64_t lsn = 0;
  ASSERT_OK(quire_commit_ex(txn, QUIRE_DURABILITY_ALWAYS, &lsn));
  commit_put("1", "other");
  ASSERT_OK(quire_get_stat(db, &stat));
  EXPECT_EQ(stat.commits, commits + 2);
  EXPECT_GT(stat.txn_number, number);
  EXPECT_GE(stat.lsn, lsn);
  EXPECT_GE(stat.durable_lsn, lsn);
  EXPECT_GE(stat.syncs, 1u);
  EXPECT_EQ(stat.keyspaces, 1u);
  EXPECT_EQ(stat.collections, 1u);
  EXPECT_EQ(stat.readers, 1u);
  EXPECT_EQ(stat.oldest_reader_txn, quire_txn_number(held));
  EXPECT_EQ(stat.oldest_reader_pid, static_cast<std::uint32_t>(getpid()));
  EXPECT_LT(stat.oldest_reader_age_ms, 600'000u);
  EXPECT_GT(stat.oldest_reader_pinned_bytes, 0u);
  EXPECT_GT(stat.log_bytes, 200'000u);
  EXPECT_GE(stat.pages_total, 50u);
  EXPECT_GT(stat.private_bytes, 0u);
  quire_abort(held);
  const std::uint64_t checkpoints = stat.checkpoints;
  ASSERT_OK(quire_checkpoint(db));
  ASSERT_OK(quire_get_stat(db, &stat));
  EXPECT_EQ(stat.checkpoints, checkpoints + 1);
  EXPECT_EQ(stat.checkpoint_txn, stat.txn_number);
  EXPECT_EQ(stat.checkpoint_lsn, stat.lsn);
  EXPECT_EQ(stat.log_bytes, 0u);
  EXPECT_EQ(stat.file_bytes, fs::file_size(path() + "/data"));
}

TEST_F(World, StatFillsOnlyWhatTheCallerHas) {
  struct {
    quire_stat stat;
    char guard[8];
  } given;
  std::memset(&given, 0x5A, sizeof given);
  given.stat.size = offsetof(quire_stat, txn_number);
  ASSERT_OK(quire_get_stat(db, &given.stat));
  EXPECT_EQ(given.stat.page_size, 4096u);
  EXPECT_EQ(given.stat.txn_number, 0x5A5A5A5A5A5A5A5Au);
  given.stat.size = sizeof given;
  ASSERT_OK(quire_get_stat(db, &given.stat));
  EXPECT_EQ(given.guard[0], 0x5A);
  EXPECT_EQ(given.stat.size, sizeof given);
}

TEST_F(World, MaxKeySizeIsAQuarterOfAPage) {
  EXPECT_GE(quire_max_key_size(db), 1000u);
  EXPECT_LE(quire_max_key_size(db), 1024u);
}

TEST_F(World, TheQuotaRefusesATransactionAndKeepsTheRest) {
  ASSERT_OK(quire_close(db));
  quire_open_options options = open_options();
  options.quota_bytes = 1 << 20;
  open(options);
  commit_put("small", "v");
  quire_txn* txn = write();
  int code = QUIRE_OK;
  for (int i = 0; i < 2000 && code == QUIRE_OK; ++i)
    code = put(txn, keys, "key" + std::to_string(i), std::string(1000, 'x'));
  EXPECT_ERROR(code, QUIRE_ERR_QUOTA, "quota");
  EXPECT_CODE(put(txn, keys, "more", "v"), QUIRE_ERR_QUOTA);
  EXPECT_CODE(quire_commit(txn), QUIRE_ERR_QUOTA);
  txn = read();
  EXPECT_EQ(get(txn, keys, "small"), "v");
  EXPECT_EQ(get(txn, keys, "key0"), "<not_found>");
  quire_abort(txn);
  commit_put("after", "v");
  EXPECT_OK(quire_check(db, nullptr, nullptr));
  quire_stat stat{};
  stat.size = sizeof stat;
  ASSERT_OK(quire_get_stat(db, &stat));
  EXPECT_EQ(stat.quota_bytes, 1u << 20);
  EXPECT_LE(stat.file_bytes, 1u << 20);
}

TEST_F(World, WithoutBackgroundThreadEverythingWorks) {
  ASSERT_OK(quire_close(db));
  open(open_options(QUIRE_OPEN_CREATE | QUIRE_OPEN_NO_BACKGROUND));
  for (int i = 0; i < 50; ++i) commit_put("k", std::to_string(i));
  quire_txn* txn = write();
  ASSERT_OK(put(txn, keys, "k", "none"));
  ASSERT_OK(quire_commit_ex(txn, QUIRE_DURABILITY_NONE, nullptr));
  txn = read();
  EXPECT_EQ(get(txn, keys, "k"), "none");
  quire_abort(txn);
  ASSERT_OK(quire_sync(db));
  ASSERT_OK(quire_checkpoint(db));
  reopen();
  txn = read();
  EXPECT_EQ(get(txn, keys, "k"), "none");
  quire_abort(txn);
}

TEST_F(World, ArchivingKeepsSegments) {
  ASSERT_OK(quire_close(db));
  open(open_options(QUIRE_OPEN_CREATE | QUIRE_OPEN_ARCHIVE));
  for (int i = 0; i < 5; ++i) {
    commit_put("k" + std::to_string(i), std::string(100'000, 'x'));
    ASSERT_OK(quire_checkpoint(db));
  }
  quire_stat stat{};
  stat.size = sizeof stat;
  ASSERT_OK(quire_get_stat(db, &stat));
  EXPECT_GT(stat.log_files, 2u);
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

// A check that is enough for what the library writes: brackets and strings close, and no comma is
// missing or too many.
bool is_json(const std::string& json) {
  const std::string command =
      "python3 -c 'import json,sys; json.loads(sys.stdin.read())' 2>/dev/null";
  FILE* pipe = popen(command.c_str(), "w");
  if (pipe == nullptr) return false;
  (void)fwrite(json.data(), 1, json.size(), pipe);
  return pclose(pipe) == 0;
}

TEST_F(World, InspectTellsWhatIsInTheFiles) {
  commit_put("k", "v");
  ASSERT_OK(quire_checkpoint(db));
  quire_txn* held = read();
  const auto inspect = [this](std::uint32_t what, std::uint64_t number) {
    char* json = nullptr;
    EXPECT_OK(quire_inspect(path().c_str(), what, number, &json));
    const std::string copy = json != nullptr ? json : "";
    quire_free(json);
    EXPECT_TRUE(is_json(copy)) << copy;
    return copy;
  };
  EXPECT_NE(inspect(QUIRE_INSPECT_META, 0).find("\"page_size\":4096"), std::string::npos);
  EXPECT_NE(inspect(QUIRE_INSPECT_SEGMENT, 0).find("\"segment\":"), std::string::npos);
  const std::string readers = inspect(QUIRE_INSPECT_READERS, 0);
  EXPECT_NE(readers.find("\"pid\":" + std::to_string(getpid())), std::string::npos) << readers;
  EXPECT_NE(readers.find("\"txn\":" + std::to_string(quire_txn_number(held))), std::string::npos);
  for (std::uint64_t page = 0; page < 6; ++page) inspect(QUIRE_INSPECT_PAGE, page);
  quire_abort(held);

  char* json = nullptr;
  EXPECT_CODE(quire_inspect(nullptr, QUIRE_INSPECT_META, 0, &json), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_inspect(path().c_str(), QUIRE_INSPECT_META, 0, nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_inspect(path().c_str(), 99, 0, &json), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_inspect(path().c_str(), QUIRE_INSPECT_PAGE, 1u << 30, &json),
              QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_inspect((path() + "x").c_str(), QUIRE_INSPECT_META, 0, &json),
              QUIRE_ERR_NOT_FOUND);
  quire_free(nullptr);
}

TEST_F(World, InspectWorksOnDamagedFiles) {
  ASSERT_OK(quire_close(db));
  db = nullptr;
  write_bytes(path() + "/data", 100, std::string(300, '\xFF'));
  char* json = nullptr;
  ASSERT_OK(quire_inspect(path().c_str(), QUIRE_INSPECT_META, 0, &json));
  EXPECT_NE(std::string(json).find("\"valid\":false"), std::string::npos);
  EXPECT_TRUE(is_json(json)) << json;
  quire_free(json);
  ASSERT_OK(quire_inspect(path().c_str(), QUIRE_INSPECT_PAGE, 0, &json));
  quire_free(json);
}

// The error of one thread is not that of another.
TEST_F(World, TheLastErrorIsOfTheThread) {
  quire_txn* txn = nullptr;
  EXPECT_CODE(quire_begin(nullptr, 0, &txn), QUIRE_ERR_INVALID);
  const std::string mine = quire_last_error();
  std::string others = "x";
  std::thread([&others] { others = quire_last_error(); }).join();
  EXPECT_EQ(others, "");
  EXPECT_EQ(quire_last_error(), mine);
}

// Handles are given out again, but not at once: an old one is not taken for a new one.
TEST_F(World, AnEndedTransactionIsNotTheNextOne) {
  quire_txn* old = read();
  quire_abort(old);
  for (int i = 0; i < 10; ++i) {
    quire_txn* txn = read();
    EXPECT_NE(txn, old);
    quire_abort(txn);
  }
  EXPECT_EQ(quire_txn_number(old), 0u);
}

}  // namespace
}  // namespace quire::test
