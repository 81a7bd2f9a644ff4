// Opening, joining, taking over and closing, with each operation of the disk under it failing once:
// it succeeds, or says what failed, leaves nothing locked, and succeeds when it is done again.
#include <gtest/gtest.h>

#include "tests/db/workload.h"

namespace quire::test {
namespace {

using io::SimulatedDisk;
using io::Survival;

using Databases = std::vector<std::unique_ptr<Database>>;

DatabaseOptions reader_options() {
  DatabaseOptions options = small_database();
  options.read_only = true;
  options.create = false;
  return options;
}

Status put_one(Database& database, const std::string& key, Durability durability) {
  QUIRE_TRY(const auto txn, database.begin_write(true));
  QUIRE_TRY(const StructureId goods, keyspace_of(*txn, "goods"));
  QUIRE_CHECK(txn->put(goods, as_bytes(key), as_bytes("v"), TreeWriter::PutMode::kUpsert));
  QUIRE_CHECK(database.writer()->commit(*txn, durability));
  return {};
}

Result<std::size_t> count_in(View& view) {
  QUIRE_TRY(const auto entry, view.find_name("goods"));
  if (!entry) return 0;
  QUIRE_TRY(const TreeRoot root, view.keyspace_root(entry->id));
  return root.count();
}

std::unique_ptr<SimulatedDisk> made(bool crashed, bool archive = false) {
  auto disk = std::make_unique<SimulatedDisk>(1);
  DatabaseOptions options = small_database();
  options.writer.archive = archive;
  const auto database = must(Database::open(*disk, kDatabasePath, options));
  for (int i = 0; i < 30; ++i) must(put_one(*database, std::to_string(i), Durability::kAlways));
  must(database->checkpoint());
  for (int i = 30; i < 60; ++i) must(put_one(*database, std::to_string(i), Durability::kAlways));
  if (crashed) {
    database->crash();
  } else {
    must(database->close());
  }
  return disk;
}

// Opens, reads, and goes. The figures of a writer beside it come from its background thread.
Status use_reader(SimulatedDisk& disk, bool figures = true) {
  QUIRE_TRY(const auto reader, Database::open(disk, kDatabasePath, reader_options()));
  const auto look = [&]() -> Status {
    QUIRE_TRY(const auto snapshot, reader->begin_read());
    QUIRE_TRY(const std::size_t keys, count_in(*snapshot));
    EXPECT_EQ(keys, 60u);
    QUIRE_CHECK(reader->renew(*snapshot));
    if (figures) QUIRE_CHECK(reader->stat());
    return reader->check(nullptr);
  };
  const Status looked = look();
  const Status closed = reader->close();
  return looked ? closed : looked;
}
Status use_writer(SimulatedDisk& disk, const DatabaseOptions& options = small_database()) {
  QUIRE_TRY(const auto writer, Database::open(disk, kDatabasePath, options));
  if (const Status put = put_one(*writer, "0", Durability::kAlways); !put) {
    (void)writer->close();
    return put;
  }
  return writer->close();
}

struct Course {
  const char* name;
  std::function<std::unique_ptr<SimulatedDisk>()> disk;
  // What is open before, and stays so.
  std::function<void(SimulatedDisk&, Databases&)> before;
  std::function<Status(SimulatedDisk&, Databases&)> run;
  std::size_t keys = 60;  // when it has been done
};

void no_others(SimulatedDisk&, Databases&) {}
void a_reader(SimulatedDisk& disk, Databases& open) {
  open.push_back(must(Database::open(disk, kDatabasePath, reader_options())));
}
void a_writer(SimulatedDisk& disk, Databases& open) {
  open.push_back(must(Database::open(disk, kDatabasePath, small_database())));
}
// In this order the writer shows the reader each commit; the other way round the reader would wait
// for the background thread that is not there.
void a_reader_and_a_writer(SimulatedDisk& disk, Databases& open) {
  a_reader(disk, open);
  a_writer(disk, open);
}
// A reader of a writer that died.
void a_widowed_reader(SimulatedDisk& disk, Databases& open) {
  a_reader_and_a_writer(disk, open);
  must(put_one(*open[1], "0", Durability::kAlways));
  open[1]->crash();
}
// So many snapshots that the table of readers has to grow.
Status open_many_snapshots(Database& database) {
  std::vector<std::unique_ptr<Snapshot>> all;
  for (int i = 0; i < 200; ++i) {
    QUIRE_TRY(auto snapshot, database.begin_read());
    all.push_back(std::move(snapshot));
  }
  return {};
}

std::vector<Course> courses() {
  const auto closed = [] { return made(false); };
  const auto crashed = [] { return made(true); };
  const auto archived = [] { return made(true, true); };
  return {
      {"make a new one", [] { return std::make_unique<SimulatedDisk>(1); }, no_others,
       [](SimulatedDisk& disk, Databases&) { return use_writer(disk); }, 1},
      {"make one in a directory that is there",
       [] {
         auto disk = std::make_unique<SimulatedDisk>(1);
         must(disk->make_directory(kDatabasePath));
         return disk;
       },
       no_others, [](SimulatedDisk& disk, Databases&) { return use_writer(disk); }, 1},
      {"write to one that was closed", closed, no_others,
       [](SimulatedDisk& disk, Databases&) { return use_writer(disk); }},
      {"recover", crashed, no_others,
       [](SimulatedDisk& disk, Databases&) { return use_writer(disk); }},
      {"recover with an archive", archived, no_others,
       [](SimulatedDisk& disk, Databases&) { return use_writer(disk); }},
      {"with the archive asked for later", crashed, no_others,
       [](SimulatedDisk& disk, Databases&) {
         DatabaseOptions options = small_database();
         options.writer.archive = true;
         return use_writer(disk, options);
       }},
      {"read one that was closed", closed, no_others,
       [](SimulatedDisk& disk, Databases&) { return use_reader(disk); }},
      {"recover by a reader", crashed, no_others,
       [](SimulatedDisk& disk, Databases&) { return use_reader(disk); }},
      {"read from a file system that can't be written to", closed,
       [](SimulatedDisk& disk, Databases&) {
         must(disk.remove(std::string(kDatabasePath) + "/lock"));
         disk.set_read_only(true);
       },
       [](SimulatedDisk& disk, Databases&) { return use_reader(disk); }},
      {"join a writer", closed, a_reader_and_a_writer,
       [](SimulatedDisk& disk, Databases&) { return use_reader(disk, false); }},
      {"join a reader", closed, a_reader,
       [](SimulatedDisk& disk, Databases&) { return use_reader(disk); }},
      {"write beside a reader", crashed, a_reader,
       [](SimulatedDisk& disk, Databases& open) -> Status {
         QUIRE_TRY(const auto writer, Database::open(disk, kDatabasePath, small_database()));
         const auto use = [&]() -> Status {
           QUIRE_TRY(const auto snapshot, open[0]->begin_read());
           QUIRE_CHECK(put_one(*writer, "0", Durability::kAlways));
           QUIRE_CHECK(put_one(*writer, "1", Durability::kOs));
           QUIRE_CHECK(open[0]->renew(*snapshot));
           QUIRE_TRY(const std::size_t keys, count_in(*snapshot));
           EXPECT_EQ(keys, 60u);
           QUIRE_CHECK(put_one(*writer, "2", Durability::kBatch));
           QUIRE_CHECK(put_one(*writer, "3", Durability::kNone));
           QUIRE_CHECK(writer->sync());
           QUIRE_CHECK(writer->checkpoint());
           return open[0]->check(nullptr);
         };
         const Status used = use();
         const Status ended = writer->close();
         return used ? ended : used;
       }},
      {"take over from a writer that died", closed, a_widowed_reader,
       [](SimulatedDisk& disk, Databases& open) -> Status {
         QUIRE_CHECK(use_writer(disk));
         QUIRE_TRY(const auto snapshot, open[0]->begin_read());
         QUIRE_TRY(const std::size_t keys, count_in(*snapshot));
         EXPECT_EQ(keys, 60u);
         return open[0]->check(nullptr);
       }},
      {"many readers of a reader's process", closed, a_reader,
       [](SimulatedDisk&, Databases& open) { return open_many_snapshots(*open[0]); }},
      {"many readers of a writer's process", closed, a_writer,
       [](SimulatedDisk&, Databases& open) { return open_many_snapshots(*open[0]); }},
  };
}

bool is_told(ErrorCode code) {
  switch (code) {
    case ErrorCode::kIo:
    case ErrorCode::kFull:
    case ErrorCode::kPoisoned:
    case ErrorCode::kReadOnly:
      return true;
    default:
      return false;
  }
}

// What can be had of it afterwards, by a new process.
void expect_whole(SimulatedDisk& disk, const Course& course, const std::string& where) {
  disk.set_read_only(false);
  const auto database = Database::open(disk, kDatabasePath, small_database());
  ASSERT_TRUE(database.has_value()) << where << ": " << words_of(database);
  EXPECT_EQ(damages(**database), "") << where;
  const auto snapshot = must((*database)->begin_read());
  const std::size_t keys = must(count_in(*snapshot));
  EXPECT_TRUE(keys == course.keys || (course.keys == 1 && keys == 0)) << where << ": " << keys;
}

enum class Way : std::uint8_t { kLook, kIo, kFull, kShort, kSync };

// Whether the n-th operation was reached.
bool fail_one(const Course& course, Way way, std::uint64_t n) {
  const std::string where = std::string(course.name) + ", way " +
                            std::to_string(static_cast<int>(way)) + ", " + std::to_string(n);
  const auto disk = course.disk();
  Databases open;
  course.before(*disk, open);
  const auto now = [&] { return way == Way::kLook ? disk->looks() : disk->operations(); };
  const std::uint64_t at = now() + n;
  constexpr io::FaultKind kKinds[] = {io::FaultKind::kIo, io::FaultKind::kFull,
                                      io::FaultKind::kShortWrite, io::FaultKind::kSyncFailure};
  if (way == Way::kLook) disk->fail_look_at(at);
  if (way != Way::kLook) disk->fail_at(at, kKinds[static_cast<int>(way) - 1]);
  const Status done = course.run(*disk, open);
  if (now() < at) {
    EXPECT_TRUE(done.has_value()) << where << ": " << words_of(done);
    return false;
  }
  if (!done) {
    // A page that can't be read is damage to `check`.
    const bool by_check = way == Way::kLook && code_of(done) == ErrorCode::kCorrupt;
    EXPECT_TRUE(is_told(code_of(done)) || by_check)
        << where << ": " << error_name(code_of(done)) << ": " << words_of(done);
  }
  const bool poisoned = std::ranges::any_of(open, [](const auto& database) {
    return database->writer() != nullptr && !database->writer()->health();
  });
  if (!poisoned) {
    const Status again = course.run(*disk, open);
    EXPECT_TRUE(again.has_value()) << where << ", again: " << words_of(again);
  }
  for (auto& database : open) database->crash();
  open.clear();
  expect_whole(*disk, course, where);
  return true;
}

TEST(OpenFailure, EachOperationThatFailsIsToldAndLeavesNothingLocked) {
  for (const Course& course : courses()) {
    for (const Way way : {Way::kLook, Way::kIo, Way::kFull, Way::kShort, Way::kSync}) {
      for (std::uint64_t n = 1; fail_one(course, way, n); ++n) {
        if (HasFailure()) return;
      }
    }
  }
}

// Left over, or put there by somebody.
TEST(OpenFailure, FilesInTheLogsDirectoryThatAreNoneOfIt) {
  const auto disk = made(true);
  const std::string log = std::string(kDatabasePath) + "/wal/";
  const auto put_file = [&](const std::string& name, std::uint64_t bytes) {
    must(must(disk->open(log + name, io::OpenMode::kCreate))->resize(bytes));
  };
  for (int i = 0; i < 20; ++i) put_file("spare-000000000000010" + std::to_string(i), 8192);
  put_file("spare-short", 100);
  put_file("spare-odd", 8193);
  put_file("spare-long", 1 << 20);
  put_file("new-0000000000000009", 8192);
  put_file("notes.txt", 5);
  must(use_writer(*disk));
  EXPECT_EQ(must(disk->list(log)), std::vector<std::string>{"notes.txt"});
  must(use_writer(*disk));
}

// A file that a process died in making has the name of the next one.
TEST(OpenFailure, AHalfMadeSegmentIsMadeAgain) {
  for (std::uint64_t number = 1; number < 8; ++number) {
    const auto disk = made(false);
    char name[32];
    std::snprintf(name, sizeof name, "/new-%016llx", static_cast<unsigned long long>(number));
    const auto database = must(Database::open(*disk, kDatabasePath, small_database()));
    must(put_one(*database, "0", Durability::kAlways));
    const std::string path = std::string(kDatabasePath) + "/wal" + name;
    if (!must(disk->exists(path))) must(disk->open(path, io::OpenMode::kCreate));
    for (int i = 0; i < 400; ++i)
      must(put_one(*database, std::to_string(i % 60), Durability::kAlways));
    must(database->close());
  }
}

TEST(OpenFailure, WhatIsThereOrNotThereIsTold) {
  SimulatedDisk disk(1);
  EXPECT_EQ(code_of(Database::open(disk, kDatabasePath, reader_options())), ErrorCode::kNotFound);
  DatabaseOptions options = small_database();
  options.exclusive = true;
  must(use_writer(disk, options));
  const auto there = Database::open(disk, kDatabasePath, options);
  EXPECT_EQ(code_of(there), ErrorCode::kExists) << words_of(there);
  const auto writer = must(Database::open(disk, kDatabasePath, small_database()));
  options.create = false;  // then there is nothing to be exclusive about
  EXPECT_EQ(code_of(Database::open(disk, kDatabasePath, options)), ErrorCode::kBusy);
  options.exclusive = false;
  options.busy_timeout_ms = 15;
  EXPECT_EQ(code_of(Database::open(disk, kDatabasePath, options)), ErrorCode::kTimeout);
}

}  // namespace
}  // namespace quire::test
