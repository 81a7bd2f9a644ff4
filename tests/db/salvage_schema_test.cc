// Collections whose fields change, salvaged without their newest meta page: the state that is found
// may be younger than the log.
#include "engine/record/collection_change.h"
#include "engine/record/record_reader.h"
#include "engine/record/record_writer.h"
#include "tests/db/salvage_world.h"

namespace quire::test::salvaging {
namespace {

std::vector<Field> fields_of(const Collection& collection) {
  return {collection.schema().fields().begin(), collection.schema().fields().end()};
}

// Its fields change twice, in the log from its beginning; then come a record and a checkpoint.
std::unique_ptr<SimulatedDisk> changed_twice() {
  auto disk = std::make_unique<SimulatedDisk>(1);
  const auto database = open(*disk, true);
  const auto commit_change = [&](const std::function<void(WriteTxn&)>& change) {
    const auto txn = must(database->begin_write(true));
    change(*txn);
    must(database->writer()->commit(*txn, Durability::kAlways));
  };
  commit_change([](WriteTxn& txn) {
    const Schema schema = must(Schema::make({{"id", FieldType::kI64}}, 0));
    must(Collection::create(txn, "books", schema));
  });
  for (const char* name : {"second_field", "third_field"})
    commit_change([&](WriteTxn& txn) {
      const Collection books = must(Collection::open(txn, "books"));
      std::vector<Field> fields = fields_of(books);
      fields.push_back({name, FieldType::kText, true});
      must(change_fields(txn, books, fields, known_kinds()));
    });
  commit_change([](WriteTxn& txn) {
    const Collection books = must(Collection::open(txn, "books"));
    const std::array values = {Value::of_i64(7), Value::of_text("two"), Value::of_text("three")};
    must(insert_record(txn, books, values));
    must(create_index(
        txn, books,
        {.name = "by_third", .kind = "sorted", .options = R"({"fields": ["third_field"]})"},
        known_kinds()));
  });
  must(database->checkpoint());
  must(database->close());
  return disk;
}

std::string read_log(io::Disk& disk, const std::string& path) {
  const auto file = must(disk.open(path, io::OpenMode::kRead));
  std::string bytes(must(file->size()), '\0');
  must(file->read(0, {reinterpret_cast<std::byte*>(bytes.data()), bytes.size()}));
  return bytes;
}

// The log ends before the record that has this text first.
void cut_log_before(io::Disk& disk, const std::string& text) {
  for (const std::uint64_t number : must(wal::list_segments(disk, kLog))) {
    const std::string path = wal::segment_path(kLog, number);
    const std::size_t at = read_log(disk, path).find(text);
    if (at == std::string::npos) continue;
    must(must(disk.open(path, io::OpenMode::kReadWrite))->write(at, as_bytes("X")));
    return;
  }
  FAIL() << "the log has no " << text;
}

// An older change of the fields was carried out on records that had been written with younger ones:
// no row could be read any more, and the salvage gave up when it made the index; found by the
// corruption campaign (crashed:data:flip:552, seed 3).
TEST(Salvage, AnOlderChangeOfFieldsInTheLogIsNotCarriedOutOnYoungerRecords) {
  const auto disk = changed_twice();
  spoil(*disk, 40, "damaged");
  spoil(*disk, kPage + 40, "damaged");
  cut_log_before(*disk, "third_field");
  const Salvaged salvaged = must(try_salvage(*disk));
  DatabaseOptions existing = small_database();
  existing.create = false;
  const auto database = must(Database::open(*disk, kSaved, existing));
  const auto snapshot = must(database->begin_read());
  const Collection books = must(Collection::open(*snapshot, "books"));
  ASSERT_EQ(books.schema().size(), 3u) << salvaged.words();
  EXPECT_EQ(books.definition().indexes.size(), 1u);
  RecordReader reader(*snapshot, books);
  std::array<Value, 3> values;
  RecordScan scan = must(RecordScan::open(reader, nullptr, nullptr));
  ASSERT_TRUE(must(scan.next(values)));
  EXPECT_EQ(values[0].i64, 7);
  EXPECT_EQ(as_text(values[1].bytes), "two");
  EXPECT_EQ(as_text(values[2].bytes), "three");
  EXPECT_FALSE(must(scan.next(values)));
}

// A record whose vector was lost was told by the vector's place among the fields, which the log then
// took away: the salvage crashed; found by the corruption campaign (crashed:data:wreck:54, seed 1).
TEST(Salvage, AVectorThatIsLostInAFieldThatTheLogDropsIsNoLoss) {
  SimulatedDisk disk(1);
  auto database = open(disk);
  PageNumber page = 0;
  {
    const auto txn = must(database->begin_write(true));
    const Schema schema = must(Schema::make(
        {{"id", FieldType::kI64},
         {.name = "place", .type = FieldType::kVectorF32, .nullable = true, .dimension = 4}},
        0));
    const Collection books = must(Collection::create(*txn, "books", schema));
    const std::array<float, 4> place = {1, 2, 3, 4};
    const std::array values = {Value::of_i64(7), Value::of_vector(place.data(), 4)};
    must(insert_record(*txn, books, values));
    must(database->writer()->commit(*txn, Durability::kAlways));
  }
  // So that the log does not go back to the beginning.
  must(database->close());
  database = open(disk);
  {
    const auto txn = must(database->begin_write(true));
    const Collection books = must(Collection::open(*txn, "books"));
    page = must(txn->array_root(books.definition().vectors[0])).root.page;
    std::vector<Field> fields = fields_of(books);
    fields.pop_back();
    must(change_fields(*txn, books, fields, known_kinds()));
    must(database->writer()->commit(*txn, Durability::kAlways));
  }
  database->crash();
  spoil(disk, std::uint64_t{page} * kPage, "damaged");
  const Salvaged salvaged = must(try_salvage(disk));
  EXPECT_EQ(salvaged.words().find("saved without its vector"), std::string::npos)
      << salvaged.words();
  EXPECT_EQ(salvaged.totals.saved, 1u) << salvaged.words();
}

}  // namespace
}  // namespace quire::test::salvaging
