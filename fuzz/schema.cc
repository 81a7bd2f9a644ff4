// Schemas, definitions of collections, entries of the catalog, and the operations of the log.
//
// What the input is: the bytes of one of them; or the payload of a log record, which is carried out
// on a database as recovery does it.
//
// What is promised. Of bytes: an error; or what, encoded again, is read back the same and keeps the
// rules of its header (names, numbers of fields, the key). Of operations: each is carried out, or
// ends the transaction with an error; what was carried out leaves collections whose structures
// agree with one another. The database is as it was once the transaction is given up.
#include <algorithm>

#include "engine/array/array_format.h"
#include "engine/db/database.h"
#include "engine/io/simulated_disk.h"
#include "engine/record/collection_check.h"
#include "engine/record/definition.h"
#include "engine/record/key_codec.h"
#include "engine/record/record_log.h"
#include "engine/record/record_writer.h"
#include "engine/record/schema_codec.h"
#include "fuzz/fuzz.h"
#include "fuzz/input.h"
#include "fuzz/must.h"

namespace quire::fuzz {
namespace {

Schema book_schema() {
  return must(Schema::make({{"id", FieldType::kText},
                            {"size", FieldType::kI64, true},
                            {"notes", FieldType::kBytes},
                            {"place", FieldType::kVectorF32, false, 2},
                            {"extra", FieldType::kVectorF32, true, 1}},
                           0));
}

constexpr float kPlace[] = {1, 2};

std::vector<Value> book(std::string_view id, bool extra) {
  return {Value::of_text(id), Value::of_i64(5), Value::of_bytes(as_bytes(id)),
          Value::of_vector(kPlace, 2), extra ? Value::of_vector(kPlace, 1) : Value::null()};
}

// One keyspace and one collection, both with something in them. Every input begins at this state.
class World {
 public:
  World() {
    DatabaseOptions options;
    options.page_size = 512;
    options.log_segment_bytes_min = options.log_segment_bytes_max = 16384;
    options.writer.background = false;
    options.writer.durability = Durability::kNone;
    database_ = must(Database::open(disk_, "/db", options));
    const auto txn = must(database_->begin_write(true));
    keyspace = must(txn->create_keyspace("goods"));
    for (int i = 0; i < 40; ++i) {
      const std::string key = "key" + std::to_string(i);
      must(txn->put(keyspace, as_bytes(key), as_bytes(key), TreeWriter::PutMode::kUpsert));
    }
    const Collection books = must(Collection::create(*txn, "books", book_schema()));
    collection = books.id();
    for (const char* id : {"a", "b", "c", "d"})
      must(insert_record(*txn, books, book(id, id[0] % 2 == 0)));
    must(erase_record(*txn, books, Value::of_text("b")));
    must(database_->writer()->commit(*txn, Durability::kNone));
    must(database_->checkpoint());
    before_ = must(database_->stat());
  }

  std::unique_ptr<WriteTxn> begin() { return must(database_->begin_write(true)); }
  // Nothing of a transaction that was given up is left.
  void check_unchanged() {
    const DatabaseStat now = must(database_->stat());
    demand(now.newest.txn == before_.newest.txn, "a transaction that was given up is there");
    demand(now.private_bytes == before_.private_bytes, "it left private pages behind");
    demand(now.pages_total - now.pages_free == before_.pages_total - before_.pages_free,
           "it left pages behind");
  }

  StructureId keyspace = 0;
  StructureId collection = 0;

 private:
  io::SimulatedDisk disk_;
  std::unique_ptr<Database> database_;
  DatabaseStat before_;
};

World& world() {
  static World world;
  return world;
}

void check_collections(WriteTxn& txn) {
  std::string damage;
  for (const CollectionInfo& info : must(Collection::list(txn))) {
    const Collection collection = must(Collection::open(txn, info.id));
    must(check_collection(txn, collection,
                          [&](const Error& error) { damage += error.message() + "\n"; }));
  }
  if (!damage.empty()) found("operations of the log left damage: " + damage);
}

Status carry_out(WriteTxn& txn, Bytes payload) {
  CollectionCache cache;
  while (!payload.empty()) {
    QUIRE_TRY(const auto decoded, decode_operation(payload));
    if (!decoded) return {};
    demand(decoded->size > 0 && decoded->size <= payload.size(), "an operation without a size");
    ByteVector encoded;
    encode_operation(encoded, decoded->operation);
    const auto again = must(decode_operation(encoded));
    demand(again && again->size == encoded.size() &&
               again->operation.code == decoded->operation.code &&
               again->operation.id == decoded->operation.id &&
               equal_bytes(again->operation.key, decoded->operation.key) &&
               equal_bytes(again->operation.value, decoded->operation.value),
           "an operation is read back as another");
    payload = payload.subspan(decoded->size);
    if (decoded->operation.code >= OpCode::kFirstOfRecords)
      QUIRE_CHECK(apply_record_operation(txn, decoded->operation, &cache));
    else
      QUIRE_CHECK(txn.apply(decoded->operation));
  }
  return {};
}

void try_operations(Bytes payload) {
  {
    const auto txn = world().begin();
    txn->set_logging(false);
    const Status status = carry_out(*txn, payload);
    if (status || txn->usable()) check_collections(*txn);
    if (!status) demand(!status.error().message().empty(), "an error without a sentence");
  }
  world().check_unchanged();
}

void try_schema(Bytes bytes) {
  const Result<Schema> schema = SchemaCodec::decode(bytes);
  if (!schema) return;
  demand(schema->size() >= 1 && schema->size() <= kMaxFields && !schema->key().empty(),
         "a schema out of its limits");
  ByteVector encoded;
  SchemaCodec::encode(*schema, encoded);
  const Schema again = must(SchemaCodec::decode(encoded));
  demand(*schema == again, "a schema is read back as another");
  const std::vector<Field> fields(schema->fields().begin(), schema->fields().end());
  const std::vector<std::size_t> key(schema->key().begin(), schema->key().end());
  demand(Schema::make(fields, key).has_value(), "a schema that nobody could have made");
  demand(must(schema->changed(fields)) == *schema, "no change makes another schema");
  demand(std::ranges::count(fields, true, &Field::ttl) <= 1 &&
             (schema->ttl() == schema->size() || fields[schema->ttl()].ttl),
         "more than one field ends a record, or another than it says");
  for (std::size_t i = 0; i < schema->size(); ++i)
    demand(schema->find(schema->field(i).name) == i, "a field is not found by its name");
}

void try_definition(Bytes bytes) {
  const auto definition = CollectionDefinition::decode(bytes, 20);
  if (!definition) return;
  const auto again = must(CollectionDefinition::decode(definition->encode(), 20));
  demand(again == *definition, "a definition is read back as another");
}

void try_entries(Bytes bytes) {
  if (const auto entry = CatalogEntry::decode(bytes, 20)) {
    demand(must(CatalogEntry::decode(entry->encode(), 20)) == *entry,
           "an entry of the catalog is read back as another");
    demand(entry->kind == StructureKind::kTree || entry->kind == StructureKind::kArray,
           "an entry of a kind that does not exist");
    (void)array_check_root(entry->array(20), 512);
  }
  if (const auto name = NameEntry::decode(bytes, "name"))
    demand(equal_bytes(name->encode(), bytes), "a name's entry is read back as another");
  (void)check_name(as_text(bytes), "thing");
}

enum What : std::uint8_t { kSchema, kDefinition, kEntries, kOperations, kWhats };

ByteVector seed(What what, Bytes bytes) {
  ByteVector all = {static_cast<std::byte>(what)};
  all.insert(all.end(), bytes.begin(), bytes.end());
  return all;
}

// Each operation there is, as the engine logs it.
ByteVector some_operations() {
  const StructureId id = world().keyspace;
  const StructureId books = world().collection;
  const Schema schema = book_schema();
  const std::uint32_t both[] = {0, 1};
  const std::uint32_t first[] = {0};
  const ByteVector fresh = encode_put(schema, 1, book("new", true), both);
  const ByteVector other = encode_put(schema, 0, book("a", false), first);
  EncodedKey key;
  encode_key(Value::of_text("c"), key);
  ByteVector out;
  encode_operation(out, {.code = OpCode::kSavepoint});
  encode_operation(
      out, {.code = OpCode::kPut, .id = id, .key = as_bytes("key7"), .value = as_bytes("value")});
  encode_operation(out, {.code = OpCode::kErase, .id = id, .key = as_bytes("key8")});
  encode_operation(out, {.code = OpCode::kEraseRange,
                         .id = id,
                         .key = as_bytes("key1"),
                         .value = as_bytes("key3"),
                         .has_low = true,
                         .has_high = true});
  encode_operation(out, {.code = kPutRecord, .id = books, .value = fresh});
  encode_operation(out, {.code = kPutRecord, .id = books, .value = other});
  encode_operation(out, {.code = kEraseRecord, .id = books, .value = bytes_of(key)});
  encode_operation(out, {.code = OpCode::kRollback, .id = 0});
  encode_operation(out, {.code = OpCode::kRelease, .id = 0});
  return out;
}

}  // namespace

void fuzz_one(Bytes bytes) {
  Input input(bytes);
  const std::uint8_t what = input.byte() % kWhats;
  // Of a size of its own, so that a read past it is seen.
  const ByteVector rest = to_vector(input.rest());
  if (what == kSchema) try_schema(rest);
  if (what == kDefinition) try_definition(rest);
  if (what == kEntries) try_entries(rest);
  if (what == kOperations) try_operations(rest);
}

std::vector<ByteVector> seeds() {
  std::vector<ByteVector> all;
  ByteVector schema;
  SchemaCodec::encode(book_schema(), schema);
  all.push_back(seed(kSchema, schema));
  // Of an older format, and one whose records end.
  schema[0] = std::byte{2};
  all.push_back(seed(kSchema, schema));
  schema.clear();
  SchemaCodec::encode(
      must(Schema::make(
          {{"id", FieldType::kI64},
           {.name = "ends", .type = FieldType::kTimestamp, .nullable = true, .ttl = true}},
          0)),
      schema);
  all.push_back(seed(kSchema, schema));
  const CollectionDefinition definition{
      .name = "books", .numbers = 17, .freed = 18, .schema = book_schema(), .vectors = {19, 20}};
  all.push_back(seed(kDefinition, definition.encode()));
  CatalogEntry entry;
  entry.root = {.checksum = 1, .count = 2, .birth = 3, .page = 4};
  entry.height = 1;
  all.push_back(seed(kEntries, entry.encode()));
  entry.kind = StructureKind::kArray;
  entry.block_pages = entry.first_block_pages = 1;
  entry.element_size = 8;
  entry.elements = 3;
  all.push_back(seed(kEntries, entry.encode()));
  all.push_back(seed(kEntries, NameEntry{NameKind::kKeyspace, 16}.encode()));
  all.push_back(seed(kOperations, some_operations()));
  ByteVector ddl;
  encode_operation(ddl, {.code = OpCode::kDropKeyspace, .id = world().keyspace});
  encode_operation(ddl, {.code = kDropCollection, .id = world().collection});
  encode_operation(ddl, {.code = OpCode::kCreateKeyspace, .id = 21, .key = as_bytes("more")});
  const CollectionDefinition more{.name = "more books",
                                  .numbers = 23,
                                  .freed = 24,
                                  .schema = book_schema(),
                                  .vectors = {25, 26}};
  const ByteVector encoded = more.encode();
  encode_operation(ddl, {.code = kCreateCollection, .id = 22, .value = encoded});
  all.push_back(seed(kOperations, ddl));
  return all;
}

}  // namespace quire::fuzz
