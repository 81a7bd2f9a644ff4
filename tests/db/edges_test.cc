// Arguments and states at the edge of what the engine's own callers give it: each is refused by
// name, and nothing is changed.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <thread>

#include "engine/base/checksum.h"
#include "engine/record/key_codec.h"
#include "tests/db/workload.h"

namespace quire::test {
namespace {

using io::SimulatedDisk;

std::unique_ptr<Database> open(io::Disk& disk, const std::string& path = kDatabasePath) {
  return must(Database::open(disk, path, small_database()));
}

// --- transactions ---

// All that changes something, on a transaction that can't be used any more.
void expect_refused(WriteTxn& txn, StructureId goods, const Collection& books, ErrorCode code) {
  const Value key = Value::of_text("k");
  const auto expect = [&](const char* what, const Status& status) {
    EXPECT_EQ(error_name(code_of(status)), error_name(code)) << what << ": " << words_of(status);
  };
  const auto plain = [](const auto& result) -> Status {
    if (result) return {};
    return std::unexpected(result.error());
  };
  expect("put", plain(txn.put(goods, as_bytes("k"), {}, TreeWriter::PutMode::kUpsert)));
  expect("erase", plain(txn.erase(goods, as_bytes("k"))));
  expect("erase_range", plain(txn.erase_range(goods, std::nullopt, std::nullopt)));
  expect("create_keyspace", plain(txn.create_keyspace("new")));
  expect("drop_keyspace", txn.drop_keyspace(goods));
  expect("savepoint", plain(txn.savepoint()));
  expect("rollback_to", txn.rollback_to(0));
  expect("release", txn.release(0));
  expect("create", plain(Collection::create(txn, "papers", books.schema())));
  expect("drop", books.drop(txn));
  const std::array<float, kDimension> place{};
  const std::array<Value, 4> values = {key, Value::null(),
                                       Value::of_vector(place.data(), kDimension), Value::null()};
  expect("insert", insert_record(txn, books, values));
  expect("upsert", upsert_record(txn, books, values));
  expect("update", update_record(txn, books, key, {}, {}));
  expect("erase_record", erase_record(txn, books, key));
}

TEST(Edges, ATransactionThatHasEndedOrFailedRefusesEachChange) {
  SimulatedDisk disk;
  const auto database = open(disk);
  auto txn = must(database->begin_write(true));
  const StructureId goods = must(txn->create_keyspace("goods"));
  const Collection books = must(books_of(*txn));
  must(database->writer()->commit(*txn, Durability::kAlways));
  expect_refused(*txn, goods, books, ErrorCode::kClosed);
  EXPECT_EQ(code_of(database->writer()->commit(*txn, Durability::kAlways)), ErrorCode::kClosed);
  txn = must(database->begin_write(true));
  (void)txn->break_with(Error(ErrorCode::kIo, "a failure that a test makes"));
  expect_refused(*txn, goods, books, ErrorCode::kIo);
  EXPECT_EQ(code_of(database->writer()->commit(*txn, Durability::kAlways)), ErrorCode::kIo);
  txn.reset();
  EXPECT_EQ(damages(*database), "");
}

TEST(Edges, StructuresAreOfOneKind) {
  SimulatedDisk disk;
  const auto database = open(disk);
  const auto txn = must(database->begin_write(true));
  const Collection books = must(books_of(*txn));
  const StructureId array = books.definition().vectors[0];
  EXPECT_EQ(code_of(txn->tree(array)), ErrorCode::kType);
  EXPECT_EQ(code_of(txn->array(books.id())), ErrorCode::kType);
  must(database->writer()->commit(*txn, Durability::kAlways));
  const auto snapshot = must(database->begin_read());
  EXPECT_EQ(code_of(snapshot->tree_root(array)), ErrorCode::kType);
  EXPECT_EQ(code_of(snapshot->array_root(books.id())), ErrorCode::kType);
  EXPECT_EQ(code_of(snapshot->keyspace_root(books.id())), ErrorCode::kType);
  EXPECT_EQ(code_of(snapshot->keyspace_root(4000)), ErrorCode::kNotFound);
}

// Sizes are looked at before the bytes are: these have none.
TEST(Edges, ValuesOverTheLimitAreRefused) {
  SimulatedDisk disk;
  const auto database = open(disk);
  const auto txn = must(database->begin_write(true));
  const StructureId goods = must(txn->create_keyspace("goods"));
  const std::byte nothing{};
  const Bytes huge(&nothing, std::size_t{3} << 30);
  EXPECT_EQ(code_of(txn->put(goods, as_bytes("k"), huge, TreeWriter::PutMode::kUpsert)),
            ErrorCode::kValueSize);
  TreeWriter* const tree = must(txn->tree(goods));
  EXPECT_EQ(code_of(tree->put(as_bytes("k"), huge, TreeWriter::PutMode::kUpsert)),
            ErrorCode::kValueSize);
  EXPECT_EQ(code_of(tree->put({}, {}, TreeWriter::PutMode::kUpsert)), ErrorCode::kKeySize);
  const Schema schema =
      must(Schema::make({{"id", FieldType::kI64}, {"blob", FieldType::kBytes, true}}, 0));
  const Collection blobs = must(Collection::create(*txn, "blobs", schema));
  std::array<Value, 2> values = {Value::of_i64(1), Value::of_bytes(huge)};
  EXPECT_EQ(code_of(insert_record(*txn, blobs, values)), ErrorCode::kValueSize);
  values[1] = Value::null();
  must(insert_record(*txn, blobs, values));
  const std::uint32_t field = 1;
  const Value value = Value::of_bytes(huge);
  EXPECT_EQ(code_of(update_record(*txn, blobs, values[0], {&field, 1}, {&value, 1})),
            ErrorCode::kValueSize);
  values[1] = Value::of_bytes(Bytes(static_cast<const std::byte*>(nullptr), 5));
  EXPECT_EQ(code_of(upsert_record(*txn, blobs, values)), ErrorCode::kInvalid);
  EXPECT_EQ(must(tree_get(txn->reader(), must(txn->tree_root(goods)), as_bytes("k"))),
            std::nullopt);
}

// --- databases ---

TEST(Edges, AReaderIsToldWhatOnlyAWriterDoes) {
  SimulatedDisk disk;
  must(open(disk)->close());
  DatabaseOptions options = small_database();
  options.read_only = true;
  for (const bool keeps_writers_out : {false, true}) {
    if (keeps_writers_out) {
      must(disk.remove(std::string(kDatabasePath) + "/lock"));
      disk.set_read_only(true);
    }
    const auto reader = must(Database::open(disk, kDatabasePath, options));
    EXPECT_EQ(code_of(reader->begin_write(true)), ErrorCode::kReadOnly);
    EXPECT_EQ(code_of(reader->sync()), ErrorCode::kReadOnly);
    EXPECT_EQ(code_of(reader->wait_durable(0)), ErrorCode::kReadOnly);
    EXPECT_EQ(code_of(reader->checkpoint()), ErrorCode::kReadOnly);
    const auto snapshot = must(reader->begin_read());
    EXPECT_EQ(code_of(reader->wait_commit(snapshot->root().txn, 1)), ErrorCode::kTimeout);
    EXPECT_EQ(must(reader->wait_commit(0, 1)), snapshot->root().txn);
    EXPECT_TRUE(reader->check(nullptr).has_value());
    EXPECT_TRUE(reader->stat().has_value());
  }
}

TEST(Edges, PathsMayEndInSlashesAndLieAtTheTop) {
  SimulatedDisk disk;
  const auto database = open(disk, "/shop.quire///");
  EXPECT_EQ(database->path(), "/shop.quire");
  must(disk.make_directory("/one"));
  must(open(disk, "/one/two.quire/")->close());
  EXPECT_EQ(code_of(database->wait_durable(100)), ErrorCode::kInvalid);
}

TEST(Edges, AClosedDatabaseNeedsNoLogDirectory) {
  SimulatedDisk disk;
  {
    const auto database = open(disk);
    const auto txn = must(database->begin_write(true));
    must(txn->create_keyspace("goods"));
    must(database->writer()->commit(*txn, Durability::kAlways));
    must(database->close());
  }
  const std::string log = std::string(kDatabasePath) + "/wal";
  for (const std::string& name : must(disk.list(log))) must(disk.remove(log + "/" + name));
  must(disk.remove(log));
  {
    const auto database = open(disk);
    const auto txn = must(database->begin_write(true));
    must(txn->create_keyspace("more"));
    must(database->writer()->commit(*txn, Durability::kAlways));
    database->crash();
  }
  // What is not the log's own is left alone.
  must(disk.open(log + "/notes.txt", io::OpenMode::kCreate));
  const auto database = open(disk);
  const auto snapshot = must(database->begin_read());
  EXPECT_TRUE(must(snapshot->find_name("goods")).has_value());
  EXPECT_TRUE(must(snapshot->find_name("more")).has_value());
  EXPECT_TRUE(must(disk.exists(log + "/notes.txt")));
}

// --- values ---

// By itself, and with characters before and behind it: eight are looked at together.
void expect_utf8(std::string_view text, bool is) {
  for (std::size_t before = 0; before < 10; ++before) {
    for (std::size_t behind = 0; behind < 18; ++behind) {
      const std::string whole =
          std::string(before, 'a') + std::string(text) + std::string(behind, 'z');
      EXPECT_EQ(is_utf8(whole), is) << whole;
    }
  }
}

TEST(Edges, TextIsUtf8OfTheShortestForm) {
  for (const std::string_view good : {"", "a", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x8D\x8E",
                                      "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF"})
    expect_utf8(good, true);
  for (const std::string_view bad :
       {"\x80", "\xC3", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xE2\x82",
        "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF4\x90\x80\x80",
        "\xF8\x88\x80\x80\x80", "\xFF", "a\xC3z", "\xE2\x28\xA1"})
    expect_utf8(bad, false);
}

TEST(Edges, KeysAreDescribedAsPeopleWriteThem) {
  const auto describe = [](FieldType type, const Value& value) {
    EncodedKey key;
    encode_key(value, key);
    return describe_key(must(Schema::make({{"f", type}}, 0)), bytes_of(key));
  };
  EXPECT_EQ(describe(FieldType::kBool, Value::of_bool(true)), "true");
  EXPECT_EQ(describe(FieldType::kBool, Value::of_bool(false)), "false");
  EXPECT_EQ(describe(FieldType::kI64, Value::of_i64(-5)), "-5");
  EXPECT_EQ(describe(FieldType::kTimestamp, Value::of_timestamp(5)), "5");
  EXPECT_EQ(describe(FieldType::kF64, Value::of_f64(0.5)), "0.5");
  EXPECT_EQ(describe(FieldType::kBytes, Value::of_bytes(as_bytes("\x01z"))), "0x017a");
  EXPECT_EQ(describe(FieldType::kBytes, Value::of_bytes(as_bytes(std::string(40, 'a')))).size(),
            2u + 64 + 3);
  // Cut between characters.
  EXPECT_EQ(describe(FieldType::kText, Value::of_text(std::string(63, 'a') + "\xC3\xA4")),
            "'" + std::string(63, 'a') + "...'");
  EXPECT_EQ(describe_key(must(Schema::make({{"f", FieldType::kI64}}, 0)), as_bytes("\x02")),
            "(damaged)");
  // A number that no encoder writes: the bits of NaN, and of -0.0.
  EXPECT_EQ(
      code_of(decode_single_key(FieldType::kF64, as_bytes("\x02\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"))),
      ErrorCode::kCorrupt);
  EXPECT_EQ(
      code_of(decode_single_key(FieldType::kF64, as_bytes("\x02\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"))),
      ErrorCode::kCorrupt);
}

TEST(Edges, PagesOfASizeThatCannotBeAreNoNodes) {
  for (const std::size_t size : {0, 100, 256, 768, 131072}) {
    ByteVector page(size);
    EXPECT_EQ(code_of(tree_check_node(page, 1)), ErrorCode::kCorrupt) << size;
    EXPECT_EQ(code_of(tree_for_each_pointer(page, nullptr)), ErrorCode::kCorrupt) << size;
  }
  ByteVector zeros(512);
  EXPECT_EQ(code_of(tree_for_each_pointer(zeros, nullptr)), ErrorCode::kCorrupt);
}

TEST(Edges, AnErrorMayBeGivenToItself) {
  Error error(ErrorCode::kIo, "words");
  const Error& same = error;
  error = same;
  EXPECT_EQ(error.message(), "words");
  const Error other(ErrorCode::kFull, "full");
  error = other;
  EXPECT_EQ(error.code(), ErrorCode::kFull);
  EXPECT_EQ(error_name(static_cast<ErrorCode>(1000)), "unknown");
  EXPECT_EQ(error_name(static_cast<ErrorCode>(-1)), "unknown");
}

// --- what only the engine's own code could ask for ---

TEST(Edges, ValuesOfNoTypeHaveNoKeys) {
  const auto none = static_cast<FieldType>(99);
  EXPECT_EQ(type_name(FieldType::kNull), "null");
  EXPECT_EQ(type_name(none), "unknown type");
  const std::array<float, 2> vector{};
  Value odd = Value::of_i64(1);
  odd.type = none;
  for (const Value& value : {Value::null(), Value::of_vector(vector.data(), 2), odd}) {
    EncodedKey key;
    encode_key(value, key);
    EXPECT_EQ(key.size(), 1u);
  }
  for (const FieldType type : {FieldType::kNull, FieldType::kVectorF32, none})
    EXPECT_EQ(code_of(decode_single_key(type, as_bytes("\x02x"))), ErrorCode::kCorrupt);
}

TEST(Edges, ScansAndChangesCheckTheirArguments) {
  SimulatedDisk disk;
  const auto database = open(disk);
  const auto txn = must(database->begin_write(true));
  const Collection books = must(books_of(*txn));
  RecordReader reader(*txn, books);
  const Value number = Value::of_i64(5);
  const Value text = Value::of_text("k");
  EXPECT_EQ(code_of(RecordScan::open(reader, &number, nullptr)), ErrorCode::kType);
  EXPECT_EQ(code_of(RecordScan::open(reader, &text, &number)), ErrorCode::kType);
  RecordScan scan = must(RecordScan::open(reader, &text, nullptr));
  std::array<Value, 9> values;
  EXPECT_EQ(code_of(scan.next(values)), ErrorCode::kInvalid);
  EXPECT_EQ(code_of(reader.get(text, values)), ErrorCode::kInvalid);
  EXPECT_EQ(code_of(erase_record(*txn, books, number)), ErrorCode::kType);
  EXPECT_EQ(code_of(update_record(*txn, books, number, {}, {})), ErrorCode::kType);
  EXPECT_EQ(code_of(erase_definition(*txn, 4000)), ErrorCode::kCorrupt);
  must(books.drop(*txn));
  EXPECT_EQ(code_of(books.count(*txn)), ErrorCode::kNotFound);
}

TEST(Edges, ACollectionThatCannotBeMadeAgainIsDamageOfTheLog) {
  const auto replay = [](const char* name, StructureId id, bool broken) {
    SimulatedDisk disk;
    const auto database = open(disk);
    const auto txn = must(database->begin_write(true));
    const Collection books = must(books_of(*txn));
    CollectionDefinition definition = books.definition();
    definition.name = name;
    if (broken) (void)txn->break_with(Error(ErrorCode::kIo, "a failure that a test makes"));
    const Status status = Collection::replay_create(*txn, id, definition.encode());
    EXPECT_FALSE(txn->usable().has_value());
    return status;
  };
  EXPECT_EQ(code_of(replay("books", 100, false)), ErrorCode::kCorrupt);   // the name is taken
  EXPECT_EQ(code_of(replay("papers", 100, false)), ErrorCode::kCorrupt);  // another id is free
  EXPECT_EQ(code_of(replay("papers", 6, false)), ErrorCode::kCorrupt);    // and other trees
  EXPECT_EQ(code_of(replay("papers", 6, true)), ErrorCode::kIo);
}

TEST(Edges, ThePlaceOfAWriterIsWaitedForAsLongAsAsked) {
  SimulatedDisk disk;
  auto writer = open(disk);
  std::thread leaving([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    must(writer->close());
    writer.reset();
  });
  DatabaseOptions options = small_database();
  options.busy_timeout_ms = UINT32_MAX;
  const auto next = Database::open(disk, kDatabasePath, options);
  leaving.join();
  EXPECT_TRUE(next.has_value()) << words_of(next);
}

TEST(Edges, WhatVisitsAPageMayStop) {
  const auto stop = [](const auto&...) -> Status { return fail(ErrorCode::kCancelled, "enough"); };
  SimulatedDisk disk;
  const auto database = open(disk);
  const auto txn = must(database->begin_write(true));
  const StructureId goods = must(txn->create_keyspace("goods"));
  for (int i = 0; i < 100; ++i)
    must(txn->put(goods, as_bytes(std::to_string(i)), as_bytes(std::string(600, 'v')),
                  TreeWriter::PutMode::kUpsert));
  const TreeRoot root = must(txn->tree_root(goods));
  ByteVector page = to_vector({txn->reader().fetch(root.root), 512});
  EXPECT_EQ(code_of(tree_for_each_pointer(page, stop)), ErrorCode::kCancelled);
  ByteVector none(512);
  EXPECT_EQ(code_of(tree_for_each_value(none, stop)), ErrorCode::kCorrupt);
  TreeCheck check;
  check.on_entry = stop;
  EXPECT_EQ(code_of(tree_check(txn->reader(), root, check)), ErrorCode::kCancelled);
  TreeRoot impossible = root;
  impossible.height = 0;
  EXPECT_EQ(code_of(tree_check(txn->reader(), impossible, {})), ErrorCode::kCorrupt);
  EXPECT_EQ(page_checksum_of(0), 1u);  // 0 means: not known
  EXPECT_EQ(page_checksum_of(7), 7u);
}

}  // namespace
}  // namespace quire::test
