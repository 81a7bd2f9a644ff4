// Collections whose fields change, salvaged without their newest meta page: the state that is found
// may be younger than the log.
#include "engine/record/collection_change.h"
#include "engine/record/record_writer.h"
#include "tests/db/salvage_world.h"

namespace quire::test::salvaging {
namespace {

std::vector<Field> fields_of(const Collection& collection) {
  return {collection.schema().fields().begin(), collection.schema().fields().end()};
}

void commit_change(Database& database, const std::function<void(WriteTxn&)>& change) {
  const auto txn = must(database.begin_write(true));
  change(*txn);
  must(database.writer()->commit(*txn, Durability::kAlways));
}

void create_books(Database& database) {
  commit_change(database, [](WriteTxn& txn) {
    const Schema schema = must(Schema::make({{"id", FieldType::kI64}}, 0));
    must(Collection::create(txn, "books", schema));
  });
}

void add_field(Database& database, const Field& field) {
  commit_change(database, [&](WriteTxn& txn) {
    const Collection books = must(Collection::open(txn, "books"));
    std::vector<Field> fields = fields_of(books);
    fields.push_back(field);
    must(change_fields(txn, books, fields, known_kinds()));
  });
}

// Its fields change twice, in the log from its beginning; then come a record and a checkpoint.
std::unique_ptr<SimulatedDisk> changed_twice() {
  auto disk = std::make_unique<SimulatedDisk>(1);
  const auto database = open(*disk, true);
  create_books(*database);
  for (const char* name : {"second_field", "third_field"})
    add_field(*database, {name, FieldType::kText, true});
  commit_change(*database, [](WriteTxn& txn) {
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

// All values of all records, as text.
std::vector<std::string> values_of(const SavedBooks& books) {
  std::vector<std::string> all;
  books.for_each([&](std::span<const Value> values) {
    std::string& record = all.emplace_back();
    for (const Value& value : values) record += describe_value(value) + " ";
  });
  return all;
}

void replace_log(io::Disk& disk, io::Disk& by) {
  for (const std::uint64_t number : must(wal::list_segments(disk, kLog)))
    must(disk.remove(wal::segment_path(kLog, number)));
  for (const std::uint64_t number : must(wal::list_segments(by, kLog))) {
    const std::string path = wal::segment_path(kLog, number);
    must(must(disk.open(path, io::OpenMode::kCreate))->write(0, as_bytes(read_log(by, path))));
  }
}

// An older change of the fields was carried out on records that had been written with younger ones:
// no row could be read any more, and the salvage gave up when it made the index; found by the
// corruption campaign (crashed:data:flip:552, seed 3).
TEST(Salvage, AnOlderChangeOfFieldsInTheLogIsNotCarriedOutOnYoungerRecords) {
  const auto disk = changed_twice();
  spoil(*disk, 40, "damaged");
  spoil(*disk, kPage + 40, "damaged");
  forget_place(*disk);
  cut_log_before(*disk, "third_field");
  const Salvaged salvaged = must(try_salvage(*disk));
  const SavedBooks books(*disk);
  ASSERT_EQ(books.collection().schema().size(), 3u) << salvaged.words();
  EXPECT_EQ(books.collection().definition().indexes.size(), 1u);
  EXPECT_EQ(values_of(books), std::vector<std::string>{"7 'two' 'three' "});
}

// The log and the state that is found have one beginning and went different ways: a transaction
// whose pages are in the file never came into the log. The log's fields have the number of the
// state's, and are others.
TEST(Salvage, AChangeOfFieldsThatRecordsWereNotWrittenWithEndsTheLog) {
  auto common = std::make_unique<SimulatedDisk>(1);
  const auto first = open(*common, true);
  create_books(*first);
  must(first->close());
  const auto disk = common->survivor(1, Survival::kEverything);
  const auto other = common->survivor(1, Survival::kEverything);
  const auto database = open(*disk, true);
  add_field(*database, {"title", FieldType::kText, true});
  commit_change(*database, [](WriteTxn& txn) {
    const Collection books = must(Collection::open(txn, "books"));
    const std::array values = {Value::of_i64(7), Value::of_text("two")};
    must(insert_record(txn, books, values));
  });
  must(database->checkpoint());
  must(database->close());
  const auto others = open(*other, true);
  add_field(*others, {"pages", FieldType::kI64, true});
  must(others->close());

  spoil_metas(*disk);
  forget_place(*disk);
  replace_log(*disk, *other);
  const Salvaged salvaged = must(try_salvage(*disk));
  EXPECT_NE(salvaged.words().find("the fields of collection 'books' are others than its records'"),
            std::string::npos)
      << salvaged.words();
  EXPECT_FALSE(salvaged.totals.complete);
  const SavedBooks books(*disk);
  EXPECT_EQ(books.collection().schema().fields()[1].name, "title");
  EXPECT_EQ(values_of(books), std::vector<std::string>{"7 'two' "});
}

constexpr std::uint32_t kDimension = 60;

// A record with two vectors in the state; behind that the log drops the first of these fields.
std::unique_ptr<SimulatedDisk> with_a_vector_dropped() {
  auto disk = std::make_unique<SimulatedDisk>(1);
  auto database = open(*disk);
  commit_change(*database, [](WriteTxn& txn) {
    const Schema schema = must(Schema::make({{"id", FieldType::kI64},
                                             {"place", FieldType::kVectorF32, true, kDimension},
                                             {"other", FieldType::kVectorF32, true, kDimension}},
                                            0));
    const Collection books = must(Collection::create(txn, "books", schema));
    const std::vector<float> place(kDimension, 12345.0F);
    const std::vector<float> other(kDimension, 54321.0F);
    const std::array values = {Value::of_i64(7), Value::of_vector(place.data(), kDimension),
                               Value::of_vector(other.data(), kDimension)};
    must(insert_record(txn, books, values));
  });
  // So that the log does not go back to the beginning.
  must(database->close());
  database = open(*disk);
  commit_change(*database, [](WriteTxn& txn) {
    const Collection books = must(Collection::open(txn, "books"));
    std::vector<Field> fields = fields_of(books);
    fields.erase(fields.begin() + 1);
    must(change_fields(txn, books, fields, known_kinds()));
  });
  database->crash();
  return disk;
}

void spoil_vector(io::Disk& disk, float element) {
  const auto data = must(disk.open(kData, io::OpenMode::kRead));
  for (PageNumber page = kFirstPage; page < pages_of(disk); ++page) {
    const std::uint64_t at = std::uint64_t{page} * kPage;
    float first = 0;
    must(data->read(at, {reinterpret_cast<std::byte*>(&first), sizeof first}));
    if (first == element) spoil(disk, at + 8, "xyz");
  }
}

// It was told by its place among the vectors of that moment: another was named, or none.
TEST(Salvage, AVectorThatIsLostIsNamedAlsoWhereTheLogDropsAnother) {
  const auto disk = with_a_vector_dropped();
  spoil_vector(*disk, 54321.0F);
  const Salvaged salvaged = must(try_salvage(*disk));
  EXPECT_NE(salvaged.words().find("record 7 is saved without its vector 'other', which is lost"),
            std::string::npos)
      << salvaged.words();
  EXPECT_EQ(values_of(SavedBooks(*disk)), std::vector<std::string>{"7 null "});
}

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
