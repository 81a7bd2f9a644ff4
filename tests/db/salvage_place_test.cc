// States that are found by their pages, because no meta page is good: the catalog says where in the
// log they are.
#include "engine/record/record_writer.h"
#include "tests/db/salvage_world.h"

namespace quire::test::salvaging {
namespace {

void put_commit(Database& database, const std::string& key, const std::string& value) {
  commit(database, [&](WriteTxn& txn, StructureId goods) { put(txn, goods, key, value); });
}

// The log, which goes back to the beginning, ends before the record that has this text first.
void cut_log_before(io::Disk& disk, const std::string& text) {
  for (const std::uint64_t number : must(wal::list_segments(disk, kLog))) {
    const auto file = must(disk.open(wal::segment_path(kLog, number), io::OpenMode::kReadWrite));
    std::string bytes(must(file->size()), '\0');
    must(file->read(0, {reinterpret_cast<std::byte*>(bytes.data()), bytes.size()}));
    const std::size_t at = bytes.find(text);
    if (at == std::string::npos) continue;
    return must(file->write(at, as_bytes("X")));
  }
  FAIL() << "the log has no " << text;
}

// Commits that no page is left of: every catalog since.
void lose_states_behind(io::Disk& disk, TxnNumber txn) {
  for (PageNumber page = 2; page < pages_of(disk); ++page) {
    const NodeHeader header = header_of(disk, page);
    if (static_cast<PageKind>(header.kind) == PageKind::kCatalogLeaf && header.birth_low > txn)
      spoil(disk, std::uint64_t{page} * kPage, "xyz");
  }
}

TxnNumber checkpoint(Database& database) {
  must(database.checkpoint());
  return must(database.begin_read())->root().txn;
}

// A key of three values, one after the other; the state has all of them, and so has the log.
std::unique_ptr<SimulatedDisk> three_values() {
  auto disk = std::make_unique<SimulatedDisk>(1);
  const auto database = open(*disk, true);
  for (const char* value : {"first value", "second value", "third value"})
    put_commit(*database, "key", value);
  must(database->checkpoint());
  must(database->close());
  spoil_metas(*disk);
  return disk;
}

// What the log has before the state was carried out over it once more, and where the log is cut,
// nothing put the newer values back; found by the corruption campaign (seeds 3, 4 and 5).
TEST(SalvagePlace, ALogThatIsCutPutsNoOlderValuesOverTheState) {
  for (const char* from : {"first value", "second value", "third value"}) {
    const auto disk = three_values();
    cut_log_before(*disk, from);
    const Salvaged salvaged = must(try_salvage(*disk));
    EXPECT_EQ(salvaged.state.at("goods").at("key"), "third value") << salvaged.words();
    EXPECT_FALSE(salvaged.totals.complete);
  }
}

// Of a library that does not say where its states are.
TEST(SalvagePlace, AStateWithoutAPlaceHasAllOfTheLogCarriedOutOverIt) {
  const auto disk = three_values();
  forget_place(*disk);
  cut_log_before(*disk, "third value");
  const Salvaged salvaged = must(try_salvage(*disk));
  EXPECT_EQ(salvaged.state.at("goods").at("key"), "second value");
  EXPECT_NE(salvaged.words().find("Nothing tells where in the log that is"), std::string::npos)
      << salvaged.words();
}

TEST(SalvagePlace, TheLogIsCarriedOutFromBehindTheState) {
  SimulatedDisk disk(1);
  TxnNumber found = 0;
  {
    const auto database = open(disk, true);
    put_commit(*database, "key", "first value");
    put_commit(*database, "gone", "value");
    found = checkpoint(*database);
    put_commit(*database, "key", "second value");
    commit(*database, [](WriteTxn& txn, StructureId goods) {
      EXPECT_TRUE(must(txn.erase(goods, as_bytes("gone"))));
    });
    database->crash();
  }
  spoil_metas(disk);
  lose_states_behind(disk, found);
  const Salvaged salvaged = must(try_salvage(disk));
  const State expected = {{"goods", {{"key", "second value"}}}};
  EXPECT_EQ(salvaged.state, expected) << salvaged.words();
  EXPECT_EQ(salvaged.totals.commits, 2u) << salvaged.words();
}

// Commits are missing between the state and what there is of the log.
TEST(SalvagePlace, ALogThatBeginsTooLateIsNotCarriedOut) {
  SimulatedDisk disk(1);
  TxnNumber found = 0;
  {
    const auto database = open(disk, true);
    put_commit(*database, "key", "first value");
    found = checkpoint(*database);
    // So much that it begins another segment.
    for (int i = 0; i < 200; ++i) put_commit(*database, "key", std::string(300, 'x'));
    put_commit(*database, "key", "last value");
    database->crash();
  }
  const auto segments = must(wal::list_segments(disk, kLog));
  ASSERT_GT(segments.size(), 2u);
  must(disk.remove(wal::segment_path(kLog, segments.front())));
  spoil_metas(disk);
  lose_states_behind(disk, found);
  const Salvaged salvaged = must(try_salvage(disk));
  const std::string words = salvaged.words();
  EXPECT_NE(words.find("are lost: the state has the log up to LSN"), std::string::npos) << words;
  EXPECT_EQ(salvaged.totals.commits, 0u) << words;
  EXPECT_NE(salvaged.state.at("goods").at("key"), "last value");
}

// The log is damaged before the state, so what it has behind that can't be reached.
TEST(SalvagePlace, CommitsBehindAHoleBeforeTheStateAreTold) {
  SimulatedDisk disk(1);
  TxnNumber found = 0;
  {
    const auto database = open(disk, true);
    put_commit(*database, "key", "first value");
    put_commit(*database, "key", "second value");
    found = checkpoint(*database);
    put_commit(*database, "key", "third value");
    database->crash();
  }
  spoil_metas(disk);
  lose_states_behind(disk, found);
  cut_log_before(disk, "first value");
  const Salvaged salvaged = must(try_salvage(disk));
  const std::string words = salvaged.words();
  EXPECT_EQ(salvaged.state.at("goods").at("key"), "second value") << words;
  EXPECT_NE(words.find("the commits behind LSN 2 are lost"), std::string::npos) << words;
}

// Makes the newest state say, under right checksums, that it has one log record more.
void move_place(io::Disk& disk) {
  const auto file = must(disk.open(kData, io::OpenMode::kReadWrite));
  Meta meta = must(read_metas(*file)).newest;
  ByteVector page(kPage);
  const std::uint64_t at = std::uint64_t{meta.root.catalog.page} * kPage;
  must(file->read(at, page));
  const std::size_t place = find_place(page);
  ASSERT_NE(place, std::string::npos);
  std::byte* const lsn = page.data() + place + 8;
  store_le<std::uint64_t>(lsn, load_le<std::uint64_t>(lsn) + 1);
  must(file->write(at, page));
  meta.root.catalog.checksum = page_checksum(page);
  must(write_meta(*file, meta));
}

TEST(SalvagePlace, CheckComparesItWithTheRoot) {
  SimulatedDisk disk(1);
  {
    const auto database = open(disk);
    put_commit(*database, "key", "value");
    EXPECT_EQ(damages(*database), "");
    must(database->close());
  }
  move_place(disk);
  const std::string found = damages(*open(disk));
  EXPECT_NE(found.find("the catalog says that it has the log up to LSN 2"), std::string::npos)
      << found;
}

}  // namespace
}  // namespace quire::test::salvaging
