// Files that are wrong, short, long, swapped, missing or not to be read: each is an error with a
// code and a sentence that names the thing, or no error and the right contents; never a wrong
// answer.
#include <gtest/gtest.h>

#include <cstring>
#include <regex>

#include "engine/base/checksum.h"
#include "tests/db/workload.h"
#include "wal/log_reader.h"

namespace quire {
namespace {

using namespace test;
using io::SimulatedDisk;
using io::Survival;

const std::string kLog = std::string(kDatabasePath) + "/wal";

State contents(int count) {
  State state;
  for (int i = 0; i < count; ++i)
    state["goods"]["key" + std::to_string(1000 + i)] = std::string(30 + i % 90, 'x');
  return state;
}

// A database with `count` keys, in several commits.
std::unique_ptr<SimulatedDisk> make(int count, bool clean, std::uint64_t seed = 1) {
  auto disk = std::make_unique<SimulatedDisk>(seed);
  auto database = must(Database::open(*disk, kDatabasePath, small_database()));
  int number = 0;
  const State state = contents(count);
  for (const auto& [key, value] : state.at("goods")) {
    const auto txn = must(database->begin_write(true));
    const auto entry = must(txn->find_name("goods"));
    const StructureId id = entry ? entry->id : must(txn->create_keyspace("goods"));
    must(txn->put(id, as_bytes(key), as_bytes(value), TreeWriter::PutMode::kUpsert));
    must(database->writer()->commit(*txn, Durability::kAlways));
    if (++number == count / 2) must(database->checkpoint());
  }
  if (clean) {
    must(database->close());
  } else {
    database->crash();
  }
  return disk;
}

std::unique_ptr<io::File> file(io::Disk& disk, const std::string& path) {
  return must(disk.open(path, io::OpenMode::kReadWrite));
}

Result<State> read(io::Disk& disk, const DatabaseOptions& options) {
  QUIRE_TRY(const auto database, Database::open(disk, kDatabasePath, options));
  QUIRE_TRY(const auto snapshot, database->begin_read());
  return read_everything(*snapshot);
}

DatabaseOptions existing(bool read_only = false) {
  DatabaseOptions options = small_database();
  options.page_size = 0;
  options.create = false;
  options.read_only = read_only;
  return options;
}

// Both as a writer and as a reader.
void expect_refused(SimulatedDisk& disk, ErrorCode code, const std::string& named) {
  for (const bool read_only : {false, true}) {
    const auto found = read(*disk.survivor(1, Survival::kEverything), existing(read_only));
    EXPECT_EQ(error_name(code_of(found)), error_name(code)) << words_of(found);
    EXPECT_NE(words_of(found).find(named), std::string::npos) << words_of(found);
  }
}

class Metas : public testing::Test {
 protected:
  Metas() : disk_(make(60, true)) {}
  // Changes the meta pages that there are and makes their checksums right again, if asked for.
  void change(const std::function<void(MetaImage&)>& how, bool with_checksum) {
    const auto data = file(*disk_, kData);
    for (const std::uint64_t place : {0, 512}) {
      MetaImage image;
      must(data->read(place, {reinterpret_cast<std::byte*>(&image), sizeof image}));
      how(image);
      if (with_checksum) {
        image.root.checksum = checksum64(as_bytes(&image.root, offsetof(RootImage, checksum)));
        image.checksum = checksum64(as_bytes(&image, offsetof(MetaImage, checksum)));
      }
      must(data->write(place, as_bytes(&image, sizeof image)));
    }
  }
  std::unique_ptr<SimulatedDisk> disk_;
};

TEST_F(Metas, WrongMagic) {
  change([](MetaImage& image) { image.magic ^= 1; }, true);
  expect_refused(*disk_, ErrorCode::kNotDatabase, kData);
}
TEST_F(Metas, LaterVersion) {
  change([](MetaImage& image) { image.format_version = 2; }, true);
  expect_refused(*disk_, ErrorCode::kVersion, "format version 2");
}
TEST_F(Metas, OtherByteOrder) {
  change([](MetaImage& image) { image.byte_order = __builtin_bswap32(image.byte_order); }, true);
  expect_refused(*disk_, ErrorCode::kByteOrder, kData);
}
TEST_F(Metas, OtherByteOrderOfTheMagic) {
  change([](MetaImage& image) { image.magic = __builtin_bswap64(image.magic); }, false);
  expect_refused(*disk_, ErrorCode::kByteOrder, kData);
}
TEST_F(Metas, ImpossiblePageSize) {
  change([](MetaImage& image) { image.page_size = 1000; }, true);
  expect_refused(*disk_, ErrorCode::kPageSize, "1000");
}
TEST_F(Metas, WrongChecksum) {
  change([](MetaImage& image) { image.created_us += 1; }, false);
  expect_refused(*disk_, ErrorCode::kCorrupt, kData);
}
TEST_F(Metas, RootWithAWrongChecksum) {
  change(
      [](MetaImage& image) {
        image.root.checksum += 1;
        image.checksum = checksum64(as_bytes(&image, offsetof(MetaImage, checksum)));
      },
      false);
  expect_refused(*disk_, ErrorCode::kCorrupt, "root");
}
TEST_F(Metas, TwoDatabasesInOneFile) {
  int n = 0;
  change([&n](MetaImage& image) { image.database[0] += static_cast<unsigned>(n++); }, true);
  expect_refused(*disk_, ErrorCode::kWrongId, "different databases");
}
TEST_F(Metas, NumbersThatCannotBe) {
  change([](MetaImage& image) { image.root.page_count = image.page_count + 1; }, true);
  expect_refused(*disk_, ErrorCode::kCorrupt, "pages");
}
TEST_F(Metas, PageSizeThatWasNotAskedFor) {
  DatabaseOptions options = small_database();
  options.page_size = 4096;
  const auto found = read(*disk_, options);
  EXPECT_EQ(code_of(found), ErrorCode::kPageSize);
  EXPECT_NE(words_of(found).find("512"), std::string::npos) << words_of(found);
}
TEST_F(Metas, PageSizeOutOfRange) {
  for (const std::uint32_t size : {256u, 1000u, 131072u}) {
    DatabaseOptions options;
    options.page_size = size;
    EXPECT_EQ(code_of(Database::open(*disk_, "/other.quire", options)), ErrorCode::kPageSize);
  }
}

// Either half of the meta pages may be lost: what is found then is the whole state, or damage.
TEST(Damage, OneMetaPageIsLost) {
  for (const bool clean : {false, true}) {
    for (const std::uint64_t place : {0, 512}) {
      const auto disk = make(60, clean);
      const std::string garbage(512, 'g');
      must(file(*disk, kData)->write(place, as_bytes(garbage)));
      const auto found = read(*disk, existing());
      if (found) {
        EXPECT_EQ(difference(contents(60), *found), "") << clean << place;
      } else {
        EXPECT_TRUE(code_of(found) == ErrorCode::kLogDamaged ||
                    code_of(found) == ErrorCode::kCorrupt)
            << words_of(found);
      }
    }
  }
}

// A copy of the older meta page over the newest, as a misdirected write leaves it, was taken for
// the newest, and nothing said that there had been another; found by the fuzzer of meta pages.
TEST(Damage, MetaPageInThePlaceOfTheOtherIsDamage) {
  for (const bool clean : {false, true}) {
    const auto disk = make(60, clean);
    const auto data = file(*disk, kData);
    const std::uint64_t newest = must(read_metas(*data)).newest.sequence;
    ByteVector older(512);
    must(data->read((newest + 1) % 2 * 512, older));
    must(data->write(newest % 2 * 512, older));
    const auto metas = must(read_metas(*data));
    EXPECT_EQ(metas.newest.sequence, newest - 1);
    ASSERT_TRUE(metas.damaged) << "the older state, without a word";
    EXPECT_NE(metas.damaged->message().find(kData), std::string::npos);
    const auto found = read(*disk, existing());
    if (found) {
      EXPECT_EQ(difference(contents(60), *found), "") << clean;
    } else {
      EXPECT_EQ(code_of(found), ErrorCode::kLogDamaged) << words_of(found);
    }
  }
}

// The newest meta page is overwritten, by garbage or by what a disk that lost a write would show.
void lose_newest_meta(io::Disk& disk, bool zeros) {
  const auto data = file(disk, kData);
  const std::uint64_t newest = must(read_metas(*data)).newest.sequence;
  const std::string bytes(512, zeros ? '\0' : 'g');
  must(data->write(newest % 2 * 512, as_bytes(bytes)));
}

void put_one(Database& database, const std::string& key, const std::string& value) {
  const auto txn = must(database.begin_write(true));
  const auto entry = must(txn->find_name("goods"));
  const StructureId id = entry ? entry->id : must(txn->create_keyspace("goods"));
  must(txn->put(id, as_bytes(key), as_bytes(value), TreeWriter::PutMode::kUpsert));
  must(database.writer()->commit(*txn, Durability::kAlways));
}

// The older meta page said that the database was closed in order, and was believed: all commits
// since then were gone without a word.
TEST(Damage, NewestMetaPageIsLostAndTheOlderOneSaysClean) {
  for (const bool zeros : {false, true}) {
    for (const bool new_database : {false, true}) {
      for (const bool read_only : {false, true}) {
        const auto disk = new_database ? std::make_unique<SimulatedDisk>(1) : make(60, true);
        State expected = new_database ? State() : contents(60);
        auto database = must(Database::open(*disk, kDatabasePath, small_database()));
        put_one(*database, "later", "value");
        expected["goods"]["later"] = "value";
        database->crash();
        lose_newest_meta(*disk, zeros);
        const auto found = read(*disk, existing(read_only));
        if (found) {
          EXPECT_EQ(difference(expected, *found), "") << zeros << new_database << read_only;
        } else {
          EXPECT_EQ(code_of(found), ErrorCode::kCorrupt) << words_of(found);
        }
      }
    }
  }
}

// The commits behind a commit by checkpoint were carried out on the state before it.
// Where nothing was committed behind it, the marker in the log had not reached the file, and the
// state before was taken for the newest; found by the corruption campaign (bulk:data:zero:1, seed
// 4).
TEST(Damage, MetaPageOfACommitByCheckpointIsLost) {
  for (const bool zeros : {false, true}) {
    for (const bool more : {false, true}) {
      for (const Survival survival : {Survival::kEverything, Survival::kNothing}) {
        SimulatedDisk disk(1);
        DatabaseOptions options = small_database();
        options.writer.log_budget_bytes = 500;
        auto database = must(Database::open(disk, kDatabasePath, options));
        put_one(*database, "before", "value");
        put_one(*database, "bulk", std::string(2000, 'b'));
        if (more) put_one(*database, "after", "value");
        const auto found_disk = disk.survivor(1, survival);
        lose_newest_meta(*found_disk, zeros);
        const auto found = read(*found_disk, existing());
        EXPECT_TRUE(code_of(found) == ErrorCode::kLogDamaged ||
                    code_of(found) == ErrorCode::kCorrupt)
            << words_of(found) << more;
        database->crash();
      }
    }
  }
}

TEST(Damage, DataFileIsCut) {
  const auto whole = make(60, true);
  const std::uint64_t size = must(file(*whole, kData)->size());
  for (std::uint64_t left = 0; left < size; left += 300) {
    const auto disk = whole->survivor(1, Survival::kEverything);
    must(file(*disk, kData)->resize(left));
    const ErrorCode code = left == 0 ? ErrorCode::kNotDatabase : ErrorCode::kTruncated;
    const auto found = read(*disk, existing());
    // A meta page may be among what is missing.
    EXPECT_TRUE(code_of(found) == code || (left < 1024 && code_of(found) == ErrorCode::kCorrupt))
        << left << ": " << words_of(found);
    EXPECT_NE(words_of(found).find(kData), std::string::npos) << words_of(found);
  }
}

TEST(Damage, DataFileHasGrownATail) {
  for (const bool clean : {false, true}) {
    const auto disk = make(60, clean);
    const auto data = file(*disk, kData);
    const std::string garbage(5000, 'g');
    must(data->write(must(data->size()), as_bytes(garbage)));
    auto database = must(Database::open(*disk, kDatabasePath, existing()));
    EXPECT_EQ(damages(*database), "");
    must(database->close());
    EXPECT_EQ(difference(contents(60), must(read(*disk, existing()))), "");
  }
}

std::string bytes_of(io::Disk& disk, const std::string& path) {
  const auto from = file(disk, path);
  std::string bytes(must(from->size()), '\0');
  must(from->read(0, {reinterpret_cast<std::byte*>(bytes.data()), bytes.size()}));
  return bytes;
}
void replace(io::Disk& disk, const std::string& path, const std::string& bytes) {
  const auto to = must(disk.open(path, io::OpenMode::kOpenOrCreate));
  must(to->resize(0));
  must(to->write(0, as_bytes(bytes)));
}

TEST(Damage, DataOfAnotherDatabaseWithThisLog) {
  const auto disk = make(60, false);
  const auto other = make(40, false, 2);
  replace(*disk, kData, bytes_of(*other, kData));
  for (const bool read_only : {false, true}) {
    const auto found = read(*disk, existing(read_only));
    EXPECT_TRUE(code_of(found) == ErrorCode::kWrongId || code_of(found) == ErrorCode::kLogDamaged)
        << words_of(found);
    EXPECT_NE(words_of(found).find(kLog), std::string::npos) << words_of(found);
  }
}

TEST(Damage, OlderDataWithThisLog) {
  SimulatedDisk disk(1);
  auto database = must(Database::open(disk, kDatabasePath, small_database()));
  const auto put = [&](const std::string& key) {
    const auto txn = must(database->begin_write(true));
    const auto entry = must(txn->find_name("goods"));
    const StructureId id = entry ? entry->id : must(txn->create_keyspace("goods"));
    must(
        txn->put(id, as_bytes(key), as_bytes(std::string(200, 'v')), TreeWriter::PutMode::kUpsert));
    must(database->writer()->commit(*txn, Durability::kAlways));
  };
  put("first");
  const std::string old = bytes_of(disk, kData);
  // Segments come and go.
  for (int i = 0; i < 200; ++i) {
    put("key" + std::to_string(i));
    if (i % 50 == 49) must(database->checkpoint());
  }
  database->crash();
  replace(disk, kData, old);
  const auto found = read(disk, existing());
  EXPECT_EQ(code_of(found), ErrorCode::kLogDamaged) << words_of(found);
}

TEST(Damage, LogIsMissing) {
  const auto disk = make(60, false);
  for (const std::string& name : must(disk->list(kLog))) must(disk->remove(kLog + "/" + name));
  expect_refused(*disk, ErrorCode::kLogDamaged, kLog);
  must(disk->remove(kLog));
  expect_refused(*disk, ErrorCode::kLogDamaged, kLog);
}

TEST(Damage, LogOfADatabaseThatWasClosedIsNotMissed) {
  const auto disk = make(60, true);
  for (const std::string& name : must(disk->list(kLog))) must(disk->remove(kLog + "/" + name));
  must(disk->remove(kLog));
  EXPECT_EQ(difference(contents(60), must(read(*disk, existing()))), "");
}

// Large enough for several segments without a checkpoint between.
std::unique_ptr<SimulatedDisk> with_segments() {
  auto disk = std::make_unique<SimulatedDisk>(3);
  auto database = must(Database::open(*disk, kDatabasePath, small_database()));
  for (int i = 0; i < 120; ++i) {
    const auto txn = must(database->begin_write(true));
    const auto entry = must(txn->find_name("goods"));
    const StructureId id = entry ? entry->id : must(txn->create_keyspace("goods"));
    const std::string key = "key" + std::to_string(i);
    must(
        txn->put(id, as_bytes(key), as_bytes(std::string(300, 'v')), TreeWriter::PutMode::kUpsert));
    must(database->writer()->commit(*txn, Durability::kAlways));
  }
  database->crash();
  return disk;
}

TEST(Damage, SegmentsAreSwappedMissingOrOfAnotherDatabase) {
  const auto whole = with_segments();
  const auto numbers = must(wal::list_segments(*whole, kLog));
  ASSERT_GE(numbers.size(), 3u);
  const auto other = with_segments();
  for (std::size_t i = 0; i + 1 < numbers.size(); ++i) {
    const std::string one = wal::segment_path(kLog, numbers[i]);
    const std::string two = wal::segment_path(kLog, numbers[i + 1]);
    const std::string bytes_one = bytes_of(*whole, one);
    const std::string bytes_two = bytes_of(*whole, two);

    const auto swapped = whole->survivor(1, Survival::kEverything);
    replace(*swapped, one, bytes_two);
    replace(*swapped, two, bytes_one);
    EXPECT_EQ(code_of(read(*swapped, existing())), ErrorCode::kLogDamaged) << "segment " << i;

    const auto missing = whole->survivor(1, Survival::kEverything);
    must(missing->remove(one));
    EXPECT_EQ(code_of(read(*missing, existing())), ErrorCode::kLogDamaged) << "segment " << i;

    const auto foreign = whole->survivor(1, Survival::kEverything);
    replace(*foreign, one, bytes_of(*other, one));
    const ErrorCode code = code_of(read(*foreign, existing()));
    EXPECT_TRUE(code == ErrorCode::kLogDamaged || code == ErrorCode::kWrongId) << "segment " << i;
  }
}

// Bit rot in the middle of the log is damage; at its very end it may look like a write that never
// finished, and then only commits at the end are missing, each whole.
TEST(Damage, AnyByteOfTheLog) {
  const auto whole = with_segments();
  const State all = must(read(*whole->survivor(1, Survival::kEverything), existing()));
  Random random(1);
  int damaged = 0;
  for (int i = 0; i < (long_run() ? 3000 : 250); ++i) {
    const auto disk = whole->survivor(1, Survival::kEverything);
    const auto numbers = must(wal::list_segments(*disk, kLog));
    const std::string path = wal::segment_path(kLog, numbers[random() % numbers.size()]);
    const auto segment = file(*disk, path);
    const std::uint64_t place = random() % must(segment->size());
    std::byte byte{};
    must(segment->read(place, {&byte, 1}));
    byte ^= static_cast<std::byte>(1u << random() % 8);
    must(segment->write(place, {&byte, 1}));
    const auto found = read(*disk, existing());
    if (!found) {
      ++damaged;
      EXPECT_EQ(code_of(found), ErrorCode::kLogDamaged) << words_of(found);
      continue;
    }
    if (*found == all) continue;  // where nothing was written
    const std::size_t keys = found->contains("goods") ? found->at("goods").size() : 0;
    EXPECT_EQ(keys, all.at("goods").size() - 1) << path << " at " << place << ": only the last";
  }
  EXPECT_GT(damaged, 50);
}

// Bit rot in the data: never another answer, and check finds it where it matters.
TEST(Damage, AnyByteOfTheData) {
  const auto whole = make(200, true);
  const State all = contents(200);
  const std::uint64_t size = must(file(*whole, kData)->size());
  Random random(2);
  int found_by_check = 0;
  for (int i = 0; i < (long_run() ? 4000 : 400); ++i) {
    const auto disk = whole->survivor(1, Survival::kEverything);
    const std::uint64_t place = 1024 + random() % (size - 1024);
    {
      const auto data = file(*disk, kData);
      std::byte byte{};
      must(data->read(place, {&byte, 1}));
      byte ^= static_cast<std::byte>(1u << random() % 8);
      must(data->write(place, {&byte, 1}));
    }
    const auto found = read(*disk, existing(true));
    if (found) {
      EXPECT_EQ(difference(all, *found), "") << "byte " << place;
    } else {
      EXPECT_EQ(code_of(found), ErrorCode::kCorrupt) << words_of(found);
      EXPECT_NE(words_of(found).find(kData), std::string::npos) << words_of(found);
    }
    auto database = Database::open(*disk, kDatabasePath, existing());
    if (!database) {
      EXPECT_EQ(code_of(database), ErrorCode::kCorrupt) << words_of(database);
      ++found_by_check;
      continue;
    }
    const std::string damage = damages(**database);
    found_by_check += damage.empty() ? 0 : 1;
    EXPECT_TRUE(found.has_value() || !damage.empty()) << "check misses byte " << place;
  }
  EXPECT_GT(found_by_check, 50);
}

// Nobody reads the log before the checkpoint, so its damage stayed unseen until an archive was
// needed.
TEST(Damage, CheckFindsDamageInTheKeptLog) {
  SimulatedDisk disk(3);
  DatabaseOptions options = small_database();
  options.writer.archive = true;
  auto database = must(Database::open(disk, kDatabasePath, options));
  for (int i = 0; i < 60; ++i) put_one(*database, "key" + std::to_string(i), std::string(300, 'v'));
  must(database->close());
  database = must(Database::open(disk, kDatabasePath, options));
  for (int i = 0; i < 60; ++i) put_one(*database, "key" + std::to_string(i), std::string(300, 'w'));
  EXPECT_EQ(damages(*database), "");
  must(database->checkpoint());
  EXPECT_EQ(damages(*database), "");
  const std::string path = wal::segment_path(kLog, must(wal::list_segments(disk, kLog))[1]);
  must(file(disk, path)->write(2000, as_bytes(std::string("xyz"))));
  const std::string found = damages(*database);
  EXPECT_NE(found.find(path), std::string::npos) << found;
  EXPECT_NE(found.find("the log is damaged: record"), std::string::npos) << found;
}

// check said "structure 16" or nothing at all, and left it to the reader to find out what that was.
TEST(Damage, CheckNamesWhatIsDamagedAndWhatPointedToIt) {
  const auto disk = make(200, true);
  std::string found;
  const auto pages = static_cast<PageNumber>(must(file(*disk, kData)->size()) / 512);
  for (PageNumber page = kFirstPage; page < pages; ++page) {
    const auto copy = disk->survivor(1, Survival::kEverything);
    const auto data = file(*copy, kData);
    std::byte kind{};
    must(data->read(page * 512, {&kind, 1}));
    must(data->write(page * 512 + 300, as_bytes(std::string("xyz"))));
    auto database = Database::open(*copy, kDatabasePath, existing(true));
    if (database) found += damages(**database) + "\n";
  }
  EXPECT_NE(found.find("keyspace 'goods': /shop.quire/data: page"), std::string::npos) << found;
  EXPECT_NE(found.find("the catalog: /shop.quire/data: page"), std::string::npos) << found;
  EXPECT_NE(found.find("; the catalog points to it"), std::string::npos) << found;
  EXPECT_NE(found.find("; the root points to it"), std::string::npos) << found;
  EXPECT_TRUE(std::regex_search(found, std::regex("; page [0-9]+ points to it"))) << found;
}

// --- what is not a database, not there, or not to be touched ---

TEST(Paths, EachIsToldFromTheOthers) {
  SimulatedDisk disk(1);
  EXPECT_EQ(code_of(read(disk, existing())), ErrorCode::kNotFound);
  must(disk.make_directory("/shop.quire"));
  EXPECT_EQ(code_of(read(disk, existing())), ErrorCode::kNotDatabase);
  EXPECT_EQ(code_of(read(disk, existing(true))), ErrorCode::kNotDatabase);
  replace(disk, "/shop.quire/letter.txt", "dear");
  EXPECT_EQ(code_of(read(disk, small_database())), ErrorCode::kNotDatabase);
  EXPECT_NE(words_of(read(disk, small_database())).find("letter.txt"), std::string::npos);
  must(disk.remove("/shop.quire/letter.txt"));
  must(disk.remove("/shop.quire"));
  replace(disk, "/shop.quire", "a file");
  EXPECT_EQ(code_of(read(disk, small_database())), ErrorCode::kNotDatabase);
  must(disk.remove("/shop.quire"));
  must(read(disk, small_database()));
  DatabaseOptions exclusive = small_database();
  exclusive.exclusive = true;
  EXPECT_EQ(code_of(read(disk, exclusive)), ErrorCode::kExists);
  const auto writer = must(Database::open(disk, kDatabasePath, existing()));
  const auto second = read(disk, existing());
  EXPECT_EQ(code_of(second), ErrorCode::kBusy);
  EXPECT_NE(words_of(second).find("process"), std::string::npos) << words_of(second);
  must(read(disk, existing(true)));
}

TEST(Paths, ReadOnlyFileSystem) {
  const auto clean = make(60, true);
  clean->set_read_only(true);
  EXPECT_EQ(code_of(read(*clean, existing())), ErrorCode::kReadOnly);
  EXPECT_EQ(difference(contents(60), must(read(*clean, existing(true)))), "");
  const auto crashed = make(60, false);
  crashed->set_read_only(true);
  const auto found = read(*crashed, existing(true));
  EXPECT_EQ(code_of(found), ErrorCode::kNeedsRecovery) << words_of(found);
  EXPECT_NE(words_of(found).find(kDatabasePath), std::string::npos) << words_of(found);
}

// Somebody who holds the writer's byte only to keep writers out was taken for a writer, and the
// state of the checkpoint was shown as if there were no log behind it. A writer that died just then
// had the same effect.
TEST(Paths, ReaderWithoutRightsBesideACrashedDatabaseThatIsKeptFromWriters) {
  const auto crashed = make(60, false);
  crashed->set_read_only(true);
  const auto keeper = must(crashed->open(kData, io::OpenMode::kRead));
  ASSERT_TRUE(must(keeper->try_lock(lock_range::kWriter, 1, io::LockMode::kShared)));
  const auto found = read(*crashed, existing(true));
  EXPECT_EQ(code_of(found), ErrorCode::kNeedsRecovery) << words_of(found);
}

TEST(Paths, NetworkFileSystem) {
  const auto disk = make(60, true);
  disk->set_network_filesystem("nfs");
  const auto found = read(*disk, existing());
  EXPECT_EQ(code_of(found), ErrorCode::kNotSupported);
  EXPECT_NE(words_of(found).find("nfs"), std::string::npos) << words_of(found);
}

TEST(Paths, ReaderRecoversACrashedDatabase) {
  const auto disk = make(60, false);
  EXPECT_EQ(difference(contents(60), must(read(*disk, existing(true)))), "");
}

}  // namespace
}  // namespace quire
