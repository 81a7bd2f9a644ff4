#include <cmath>
#include <limits>

#include "tests/record/record_world.h"

namespace quire {
namespace {

using namespace test;

bool says(const Status& status, ErrorCode code, std::initializer_list<const char*> words) {
  if (status || status.error().code() != code) return false;
  for (const char* word : words)
    if (status.error().message().find(word) == std::string::npos) {
      ADD_FAILURE() << "'" << status.error().message() << "' does not say " << word;
      return false;
    }
  return true;
}

Item item_of(std::string id) {
  Item item;
  item.id = std::move(id);
  return item;
}

TEST(Collections, AreMadeFoundListedAndDropped) {
  World world;
  const Collection books = must(Collection::create(world.txn(), "books", full_schema()));
  must(Collection::create(world.txn(), "authors", full_schema(FieldType::kI64)));
  must(world.txn().create_keyspace("plain"));
  must(insert_record(world.txn(), books, item_of("a").values()));
  world.commit();
  {
    const auto snapshot = world.snapshot();
    const auto list = must(Collection::list(*snapshot));
    ASSERT_EQ(list.size(), 2u);
    EXPECT_EQ(list[0].name, "authors");
    EXPECT_EQ(list[1].name, "books");
    EXPECT_EQ(list[1].records, 1u);
    EXPECT_EQ(list[1].id, books.id());
    const Collection opened = must(Collection::open(*snapshot, "books"));
    EXPECT_EQ(opened.id(), books.id());
    EXPECT_TRUE(std::ranges::equal(opened.schema().fields(), books.schema().fields()));
    EXPECT_EQ(must(opened.count(*snapshot)), 1u);
  }
  must(books.drop(world.txn()));
  EXPECT_EQ(code_of(Collection::open(world.txn(), "books")), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(Collection::open(world.txn(), books.id())), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(books.drop(world.txn())), ErrorCode::kNotFound);
  world.commit();
  world.check();
  EXPECT_EQ(must(Collection::list(*world.snapshot())).size(), 1u);
}

TEST(Collections, ShareTheirNamesWithKeyspaces) {
  World world;
  const StructureId plain = must(world.txn().create_keyspace("plain"));
  EXPECT_EQ(code_of(Collection::create(world.txn(), "plain", full_schema())), ErrorCode::kExists);
  EXPECT_EQ(code_of(Collection::open(world.txn(), "plain")), ErrorCode::kType);
  EXPECT_EQ(code_of(Collection::open(world.txn(), plain)), ErrorCode::kType);
  EXPECT_EQ(code_of(Collection::create(world.txn(), "", full_schema())), ErrorCode::kInvalid);
  const Collection books = must(Collection::create(world.txn(), "books", full_schema()));
  EXPECT_EQ(code_of(Collection::create(world.txn(), "books", full_schema())), ErrorCode::kExists);
  EXPECT_EQ(code_of(world.txn().create_keyspace("books")), ErrorCode::kExists);
  // None of its structures is a keyspace.
  for (StructureId id = books.id(); id <= books.definition().vectors.back(); ++id)
    EXPECT_NE(code_of(world.txn().put(id, as_bytes("k"), {}, TreeWriter::PutMode::kUpsert)),
              ErrorCode::kOk);
}

TEST(Collections, AreDecodedOnceWithACache) {
  World world;
  CollectionCache cache;
  must(Collection::create(world.txn(), "books", full_schema()));
  const Collection first = must(Collection::open(world.txn(), "books", &cache));
  const Collection second = must(Collection::open(world.txn(), first.id(), &cache));
  EXPECT_EQ(&first.definition(), &second.definition());
  // Another under the same id, after the first was never committed, is not the one that was kept.
  world.abort();
  must(Collection::create(world.txn(), "films", full_schema()));
  const Collection other = must(Collection::open(world.txn(), first.id(), &cache));
  EXPECT_EQ(other.name(), "films");
}

TEST(Collections, WithAThousandFieldsWork) {
  World world(512);
  std::vector<Field> fields{{"id", FieldType::kI64}};
  for (int i = 1; i < 1024; ++i)
    fields.push_back({std::string(200, 'n') + std::to_string(i), FieldType::kText, true});
  const Collection wide =
      must(Collection::create(world.txn(), "wide", must(Schema::make(fields, 0))));
  std::vector<Value> values(1024);
  values[0] = Value::of_i64(1);
  values[1023] = Value::of_text("last");
  must(insert_record(world.txn(), wide, values));
  world.commit();
  world.crash();
  const auto snapshot = world.snapshot();
  RecordReader reader(*snapshot, must(Collection::open(*snapshot, "wide")));
  std::vector<Value> found(1024);
  ASSERT_TRUE(must(reader.get(Value::of_i64(1), found)));
  EXPECT_EQ(as_text(found[1023].bytes), "last");
  EXPECT_TRUE(found[1022].is_null());
}

class RecordErrors : public testing::Test {
 protected:
  RecordErrors() : books_(must(Collection::create(world_.txn(), "books", full_schema()))) {
    must(insert_record(world_.txn(), books_, item_of("a").values()));
  }
  Status insert(const std::array<Value, 9>& values) {
    return insert_record(world_.txn(), books_, values);
  }
  // Nothing that was refused left a trace.
  ~RecordErrors() override {
    EXPECT_TRUE(world_.txn().usable());
    EXPECT_EQ(scan_all(world_.txn(), books_).size(), 1u);
    world_.commit();
    world_.check();
  }
  World world_;
  Collection books_;
  const Item b_ = item_of("b");
};

TEST_F(RecordErrors, OfTypesNameCollectionFieldAndTypes) {
  auto values = b_.values();
  values[kCount] = Value::of_f64(1);
  EXPECT_TRUE(says(insert(values), ErrorCode::kType, {"'books'", "'count'", "f64", "i64"}));
  values = b_.values();
  values[kTime] = Value::of_i64(1);
  EXPECT_TRUE(says(insert(values), ErrorCode::kType, {"'time'", "timestamp"}));
  values = b_.values();
  values[kPlace] = Value::of_text("here");
  EXPECT_TRUE(says(insert(values), ErrorCode::kType, {"'place'", "text", "vector f32"}));
}

TEST_F(RecordErrors, OfTheSchemaNameTheRule) {
  auto values = b_.values();
  values[kPrice] = Value::null();
  EXPECT_TRUE(says(insert(values), ErrorCode::kSchema, {"'books'", "'price'", "null"}));
  values = b_.values();
  values[kId] = Value::null();
  EXPECT_TRUE(says(insert(values), ErrorCode::kSchema, {"'id'", "null"}));
  values = b_.values();
  values[kTitle] = Value::of_text("\xc3(");
  EXPECT_TRUE(says(insert(values), ErrorCode::kSchema, {"'title'", "UTF-8"}));
  values = b_.values();
  EXPECT_TRUE(says(insert_record(world_.txn(), books_, std::span(values).first(8)),
                   ErrorCode::kSchema, {"8 values", "9"}));
}

TEST_F(RecordErrors, OfVectorsNameTheElement) {
  Item item = item_of("b");
  item.place[3] = std::nanf("");
  EXPECT_TRUE(says(insert(item.values()), ErrorCode::kSchema, {"'place'", "element 3", "NaN"}));
  item.place[3] = -std::numeric_limits<float>::infinity();
  EXPECT_TRUE(says(insert(item.values()), ErrorCode::kSchema, {"element 3", "infinite"}));
  item = item_of("b");
  item.extra = std::vector<float>(4);
  EXPECT_TRUE(says(insert(item.values()), ErrorCode::kSchema, {"'extra'", "dimension 4", "3"}));
  auto values = b_.values();
  values[kPlace].vector = nullptr;
  EXPECT_TRUE(says(insert(values), ErrorCode::kInvalid, {"'place'"}));
}

TEST_F(RecordErrors, OfKeysNameTheKey) {
  EXPECT_TRUE(says(insert(item_of("a").values()), ErrorCode::kExists, {"'books'", "'a'"}));
  EXPECT_TRUE(says(insert(item_of(std::string(1024, 'k')).values()), ErrorCode::kKeySize,
                   {"'books'", "'id'", "1024", "1023"}));
  EXPECT_TRUE(says(erase_record(world_.txn(), books_, Value::of_text("z")), ErrorCode::kNotFound,
                   {"'books'", "'z'"}));
  EXPECT_TRUE(
      says(erase_record(world_.txn(), books_, Value::of_i64(1)), ErrorCode::kType, {"'id'"}));
  RecordReader reader(world_.txn(), books_);
  std::array<Value, 10> values;
  EXPECT_FALSE(must(reader.get(Value::of_text("z"), {})));
  EXPECT_EQ(code_of(reader.get(Value::of_text("a"), values)), ErrorCode::kInvalid);
  EXPECT_EQ(code_of(reader.get(Value::null(), {})), ErrorCode::kSchema);
}

TEST_F(RecordErrors, OfUpdatesChangeNothing) {
  const Value key = Value::of_text("a");
  const auto update = [&](std::vector<std::uint32_t> fields, std::vector<Value> values) {
    return update_record(world_.txn(), books_, key, fields, values);
  };
  EXPECT_TRUE(says(update({kId}, {Value::of_text("b")}), ErrorCode::kInvalid, {"'id'", "key"}));
  EXPECT_TRUE(says(update({9}, {Value::null()}), ErrorCode::kInvalid, {"no field 9"}));
  EXPECT_TRUE(says(update({kCount, kPrice}, {Value::of_i64(1), Value::null()}), ErrorCode::kSchema,
                   {"'price'"}));
  EXPECT_TRUE(says(update({kCount}, {}), ErrorCode::kInvalid, {"1 fields"}));
  EXPECT_TRUE(says(update_record(world_.txn(), books_, Value::of_text("z"), {}, {}),
                   ErrorCode::kNotFound, {"'z'"}));
  EXPECT_EQ(scan_all(world_.txn(), books_).at("a"), item_of("a"));
  must(update({kId}, {key}));  // the same key is no change
}

TEST(Records, WithAKeyOfEachTypeAreScannedInOrder) {
  World world;
  const auto scan = [&](const char* name, FieldType type, const std::vector<Value>& ascending) {
    const Collection collection =
        must(Collection::create(world.txn(), name, must(Schema::make({{"id", type}}, 0))));
    for (std::size_t i = ascending.size(); i > 0; --i)
      must(insert_record(world.txn(), collection, std::span(&ascending[i - 1], 1)));
    RecordReader reader(world.txn(), collection);
    RecordScan all = must(RecordScan::open(reader, nullptr, nullptr));
    Value value;
    for (const Value& expected : ascending) {
      ASSERT_TRUE(must(all.next(std::span(&value, 1))));
      EncodedKey a, b;
      encode_key(expected, a);
      encode_key(value, b);
      EXPECT_EQ(a, b);
    }
    EXPECT_FALSE(must(all.next(std::span(&value, 1))));
    // [second, last)
    RecordScan part = must(RecordScan::open(reader, &ascending[1], &ascending.back()));
    std::size_t count = 0;
    while (must(part.next(std::span(&value, 1)))) ++count;
    EXPECT_EQ(count, ascending.size() - 2);
  };
  scan("i64", FieldType::kI64, {Value::of_i64(-5), Value::of_i64(0), Value::of_i64(9)});
  scan("f64", FieldType::kF64, {Value::of_f64(-5), Value::of_f64(-0.0), Value::of_f64(1e300)});
  scan("bool", FieldType::kBool, {Value::of_bool(false), Value::of_bool(true)});
  scan("text", FieldType::kText, {Value::of_text(""), Value::of_text("a"), Value::of_text("b")});
  scan("bytes", FieldType::kBytes,
       {Value::of_bytes({}), Value::of_bytes(as_bytes("\xff")),
        Value::of_bytes(as_bytes("\xff\1"))});
  scan("time", FieldType::kTimestamp, {Value::of_timestamp(-1), Value::of_timestamp(1)});
  const Collection f64 = must(Collection::open(world.txn(), "f64"));
  const Value nan = Value::of_f64(std::nan(""));
  EXPECT_EQ(code_of(insert_record(world.txn(), f64, std::span(&nan, 1))), ErrorCode::kSchema);
  world.commit();
  world.check();
}

TEST(Records, AScanSeesChangesOnItsWay) {
  World world(512);
  const Collection books = must(Collection::create(world.txn(), "books", full_schema()));
  for (const char* id : {"a", "c", "e", "g"})
    must(insert_record(world.txn(), books, item_of(id).values()));
  RecordReader reader(world.txn(), books);
  RecordScan scan = must(RecordScan::open(reader, nullptr, nullptr));
  std::array<Value, 9> values;
  std::string seen;
  while (must(scan.next(values))) {
    const std::string id(as_text(values[kId].bytes));
    seen += id;
    if (id == "c") {
      must(erase_record(world.txn(), books, Value::of_text("c")));
      must(erase_record(world.txn(), books, Value::of_text("e")));
      must(insert_record(world.txn(), books, item_of("b").values()));
      must(insert_record(world.txn(), books, item_of("f").values()));
    }
  }
  EXPECT_EQ(seen, "acfg");
}

// The values given to a change may lie in the pages that it changes.
TEST(Records, ValuesMayBorrowFromTheirOwnTransaction) {
  World world(512);
  const Collection books = must(Collection::create(world.txn(), "books", full_schema()));
  Random random(5);
  Item item = random_item(random, "a");
  item.title = std::string(400, 't');  // in a run of pages
  must(insert_record(world.txn(), books, item.values()));
  RecordReader reader(world.txn(), books);
  std::array<Value, 9> values;
  for (int round = 0; round < 50; ++round) {
    ASSERT_TRUE(must(reader.get(Value::of_text("a"), values)));
    if (round % 2 == 0) values[kBlob] = values[kTitle], values[kBlob].type = FieldType::kBytes;
    must(upsert_record(world.txn(), books, values));
    item = Item::from(([&] {
      must(reader.get(Value::of_text("a"), values));
      return values;
    })());
    EXPECT_EQ(item.blob, *item.title);
    const std::string id = "copy" + std::to_string(round);
    values[kId] = Value::of_text(id);
    must(insert_record(world.txn(), books, values));
    item.id = id;
    ASSERT_TRUE(must(reader.get(Value::of_text(id), values)));
    EXPECT_EQ(Item::from(values), item);
  }
}

}  // namespace
}  // namespace quire
