// Golden databases: makes them, lists all they hold, writes to them. On the C API alone, so that it
// goes on compiling.
//
//   golden make NAME PATH       how the files in this folder were made (see README.md)
//   golden list PATH [ro]       everything in it, a line each; [ro]: opened read-only
//   golden check PATH
//   golden write PATH           one more key, record and collection
#include <quire/quire.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace {

constexpr int kFailedExit = 2;

void need(int code, const char* what) {
  if (code == QUIRE_OK) return;
  std::fprintf(stderr, "%s: %s: %s\n", what, quire_error_name(code), quire_last_error());
  std::exit(kFailedExit);
}
#define NEED(call) need(call, #call)

// --- making ---

struct Plan {
  const char* name;
  uint32_t page_size;
  bool archive;
  bool crash;  // else closed in order
};
constexpr Plan kPlans[] = {
    {"p512-closed", 512, false, false},     {"p512-archived", 512, true, true},
    {"p4096-crashed", 4096, false, true},   {"p4096-archived-closed", 4096, true, false},
    {"p65536-closed", 65536, false, false}, {"p65536-crashed", 65536, false, true},
};

std::string long_value(int seed, size_t size) {
  std::string value(size, '\0');
  for (size_t i = 0; i < size; ++i) value[i] = static_cast<char>((i / 7 + seed) * (seed + 3));
  return value;
}

void put(quire_txn* txn, quire_keyspace space, const std::string& key, const std::string& value) {
  NEED(quire_put(txn, space, key.data(), key.size(), value.data(), value.size(), 0));
}

quire_keyspace open_space(quire_txn* txn, const char* name) {
  quire_keyspace space = 0;
  NEED(quire_keyspace_open(txn, name, QUIRE_CREATE, &space));
  return space;
}

quire_value null_value() {
  quire_value value;
  std::memset(&value, 0, sizeof value);
  return value;
}
quire_value number(uint32_t type, int64_t i64) {
  quire_value value = null_value();
  value.type = type;
  value.as.i64 = i64;
  return value;
}
quire_value real(double f64) {
  quire_value value = null_value();
  value.type = QUIRE_TYPE_F64;
  value.as.f64 = f64;
  return value;
}
quire_value boolean(bool is) {
  quire_value value = null_value();
  value.type = QUIRE_TYPE_BOOL;
  value.as.boolean = is ? 1 : 0;
  return value;
}
quire_value text(uint32_t type, const std::string& bytes) {
  quire_value value = null_value();
  value.type = type;
  value.as.bytes = {bytes.data(), bytes.size()};
  return value;
}
quire_value vector_of(const std::vector<float>& elements) {
  quire_value value = null_value();
  value.type = QUIRE_TYPE_VECTOR_F32;
  value.dimension = static_cast<uint32_t>(elements.size());
  value.as.vector = elements.data();
  return value;
}

constexpr uint32_t kDimension = 5;
constexpr int kFields = 8;

// Every type, as key, as a field that must be there and as one that need not.
quire_collection make_everything(quire_txn* txn) {
  const quire_field fields[kFields] = {
      {"id", QUIRE_TYPE_TEXT, QUIRE_FIELD_KEY, 0, 0},
      {"flag", QUIRE_TYPE_BOOL, 0, 0, 0},
      {"count", QUIRE_TYPE_I64, QUIRE_FIELD_NULLABLE, 0, 0},
      {"share", QUIRE_TYPE_F64, QUIRE_FIELD_NULLABLE, 0, 0},
      {"body", QUIRE_TYPE_BYTES, QUIRE_FIELD_NULLABLE, 0, 0},
      {"when", QUIRE_TYPE_TIMESTAMP, QUIRE_FIELD_NULLABLE, 0, 0},
      {"place", QUIRE_TYPE_VECTOR_F32, 0, kDimension, 0},
      {"other", QUIRE_TYPE_VECTOR_F32, QUIRE_FIELD_NULLABLE, 3, 0},
  };
  quire_collection collection = 0;
  NEED(quire_collection_create(txn, "everything", fields, kFields, &collection));
  return collection;
}

void put_everything(quire_txn* txn, quire_collection collection, int i, int turn) {
  const std::string id = "record " + std::to_string(i);
  const std::string body = long_value(i + turn, static_cast<size_t>(i % 9 == 0 ? 3000 : i % 50));
  std::vector<float> place(kDimension);
  for (uint32_t k = 0; k < kDimension; ++k)
    place[k] = static_cast<float>(i * 10 + k) / 4 + static_cast<float>(turn);
  const std::vector<float> other = {static_cast<float>(-i), 0.5F, 1e30F};
  const bool sparse = i % 4 == 1;
  const quire_value values[kFields] = {
      text(QUIRE_TYPE_TEXT, id),
      boolean(i % 2 == 0),
      sparse ? null_value() : number(QUIRE_TYPE_I64, INT64_MIN + static_cast<int64_t>(i) * turn),
      sparse ? null_value()
             : real(i == 2 ? std::numeric_limits<double>::infinity() : -1.0 / (i + 1)),
      sparse ? null_value() : text(QUIRE_TYPE_BYTES, body),
      sparse ? null_value() : number(QUIRE_TYPE_TIMESTAMP, 1'700'000'000'000'000 + i),
      vector_of(place),
      i % 3 == 0 ? null_value() : vector_of(other),
  };
  NEED(quire_record_upsert(txn, collection, values, kFields));
}

// A collection whose key is of this type, and nothing else.
void make_keyed(quire_txn* txn, const char* name, uint32_t type,
                const std::vector<quire_value>& keys) {
  const quire_field field = {"key", type, QUIRE_FIELD_KEY, 0, 0};
  quire_collection collection = 0;
  NEED(quire_collection_create(txn, name, &field, 1, &collection));
  for (const quire_value& key : keys) NEED(quire_record_insert(txn, collection, &key, 1));
}

void first_half(quire_db* db) {
  quire_txn* txn = nullptr;
  NEED(quire_begin(db, QUIRE_WRITE, &txn));
  open_space(txn, "empty");
  const quire_keyspace deep = open_space(txn, "deep");
  for (int i = 0; i < 400; ++i)
    put(txn, deep, "key/" + std::to_string(i * 7919 % 1000), "value " + std::to_string(i));
  const quire_keyspace values = open_space(txn, "values");
  for (const size_t size : {0, 1, 100, 127, 128, 1000, 5000, 40'000})
    put(txn, values, "size " + std::to_string(size), long_value(static_cast<int>(size % 90), size));
  const std::string longest(quire_max_key_size(db), 'k');
  put(txn, values, longest, "the longest key");
  put(txn, values, std::string("\0\xff", 2), "bytes");
  put(txn, open_space(txn, "dropped"), "k", "v");
  const quire_collection everything = make_everything(txn);
  for (int i = 0; i < 60; ++i) put_everything(txn, everything, i, 0);
  make_keyed(txn, "by bool", QUIRE_TYPE_BOOL, {boolean(false), boolean(true)});
  make_keyed(txn, "by i64", QUIRE_TYPE_I64,
             {number(QUIRE_TYPE_I64, INT64_MIN), number(QUIRE_TYPE_I64, -1),
              number(QUIRE_TYPE_I64, 0), number(QUIRE_TYPE_I64, INT64_MAX)});
  make_keyed(txn, "by f64", QUIRE_TYPE_F64,
             {real(-HUGE_VAL), real(-1.5), real(0.0), real(1e-300), real(HUGE_VAL)});
  make_keyed(txn, "by timestamp", QUIRE_TYPE_TIMESTAMP,
             {number(QUIRE_TYPE_TIMESTAMP, -1), number(QUIRE_TYPE_TIMESTAMP, 0)});
  const std::string bytes("\0\x01\xff", 3);
  const std::string none;
  make_keyed(txn, "by bytes", QUIRE_TYPE_BYTES,
             {text(QUIRE_TYPE_BYTES, none), text(QUIRE_TYPE_BYTES, bytes)});
  NEED(quire_commit(txn));
}

// Each a commit of its own: in a database that is not closed they are in the log only.
void second_half(quire_db* db) {
  quire_txn* txn = nullptr;
  NEED(quire_begin(db, QUIRE_WRITE, &txn));
  const quire_keyspace deep = open_space(txn, "deep");
  const std::string low = "key/3";
  const std::string high = "key/4";
  const quire_slice from{low.data(), low.size()};
  const quire_slice to{high.data(), high.size()};
  NEED(quire_delete_range(txn, deep, &from, &to, nullptr));
  put(txn, deep, "key/35", "put again");
  NEED(quire_keyspace_drop(txn, open_space(txn, "dropped")));
  put(txn, open_space(txn, "later"), "k", long_value(5, 9000));
  NEED(quire_commit(txn));

  NEED(quire_begin(db, QUIRE_WRITE, &txn));
  quire_collection everything = 0;
  NEED(quire_collection_open(txn, "everything", &everything));
  for (int i = 0; i < 60; i += 5) {
    const std::string id = "record " + std::to_string(i);
    const quire_value key = text(QUIRE_TYPE_TEXT, id);
    NEED(quire_record_delete(txn, everything, &key, 1));
  }
  for (int i = 7; i < 60; i += 7) put_everything(txn, everything, i, 1);
  NEED(quire_commit(txn));

  NEED(quire_begin(db, QUIRE_WRITE, &txn));
  for (int i = 60; i < 66; ++i) put_everything(txn, everything, i, 0);
  uint64_t savepoint = 0;
  NEED(quire_savepoint(txn, &savepoint));
  put_everything(txn, everything, 99, 0);
  NEED(quire_rollback_to(txn, savepoint));
  // Over a log segment of the smallest size.
  for (int i = 0; i < 4; ++i)
    put(txn, open_space(txn, "later"), "big " + std::to_string(i), long_value(i, 30'000));
  NEED(quire_commit(txn));
}

int make(const Plan& plan, const char* path) {
  const pid_t child = ::fork();
  if (child != 0) {  // a process that dies leaves what a crash leaves
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : kFailedExit;
  }
  quire_open_options options = QUIRE_OPEN_OPTIONS_INIT;
  options.flags = QUIRE_OPEN_CREATE | QUIRE_OPEN_EXCLUSIVE | QUIRE_OPEN_NO_BACKGROUND |
                  (plan.archive ? QUIRE_OPEN_ARCHIVE : 0);
  options.page_size = plan.page_size;
  quire_db* db = nullptr;
  NEED(quire_open(path, &options, &db));
  first_half(db);
  NEED(quire_checkpoint(db));
  second_half(db);
  if (!plan.crash) NEED(quire_close(db));
  std::_Exit(0);
}

// --- listing ---

// Short bytes in hexadecimal, long ones by size and FNV-1a.
std::string show(const void* data, size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  char piece[40];  // two numbers of 64 bits
  if (size > 40) {
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3;
    std::snprintf(piece, sizeof piece, "%zu:%016" PRIx64, size, hash);
    return piece;
  }
  std::string shown = "x";
  for (size_t i = 0; i < size; ++i) {
    std::snprintf(piece, sizeof piece, "%02x", bytes[i]);
    shown += piece;
  }
  return shown;
}

std::string show(const quire_value& value) {
  char piece[64];
  switch (value.type) {
    case QUIRE_TYPE_NULL:
      return "null";
    case QUIRE_TYPE_BOOL:
      return value.as.boolean != 0 ? "true" : "false";
    case QUIRE_TYPE_I64:
    case QUIRE_TYPE_TIMESTAMP:
      std::snprintf(piece, sizeof piece, "%" PRId64, value.as.i64);
      return piece;
    case QUIRE_TYPE_F64:
      std::snprintf(piece, sizeof piece, "%a", value.as.f64);
      return piece;
    case QUIRE_TYPE_VECTOR_F32: {
      std::string shown = "[";
      for (uint32_t i = 0; i < value.dimension; ++i) {
        std::snprintf(piece, sizeof piece, "%s%a", i == 0 ? "" : " ",
                      static_cast<double>(value.as.vector[i]));
        shown += piece;
      }
      return shown + "]";
    }
    default:
      return show(value.as.bytes.data, value.as.bytes.size);
  }
}

struct Names {
  std::vector<std::string> keyspaces;
  std::vector<std::string> collections;
};
int note_keyspace(void* context, const char* name, quire_keyspace, uint64_t) {
  static_cast<Names*>(context)->keyspaces.emplace_back(name);
  return 0;
}
int note_collection(void* context, const char* name, quire_collection, uint64_t) {
  static_cast<Names*>(context)->collections.emplace_back(name);
  return 0;
}

void list_entries(quire_txn* txn, const std::string& name) {
  quire_keyspace space = 0;
  NEED(quire_keyspace_open(txn, name.c_str(), 0, &space));
  uint64_t count = 0;
  NEED(quire_count(txn, space, nullptr, nullptr, &count));
  std::printf("keyspace '%s': %" PRIu64 "\n", name.c_str(), count);
  quire_cursor* cursor = nullptr;
  NEED(quire_cursor_open(txn, space, nullptr, &cursor));
  quire_slice key;
  quire_slice value;
  int code = 0;
  while ((code = quire_cursor_next(cursor, &key, &value)) == QUIRE_OK)
    std::printf("  %s = %s\n", show(key.data, key.size).c_str(),
                show(value.data, value.size).c_str());
  if (code != QUIRE_ERR_NOT_FOUND) need(code, "quire_cursor_next");
  quire_cursor_close(cursor);
}

void list_records(quire_txn* txn, const std::string& name) {
  quire_collection collection = 0;
  NEED(quire_collection_open(txn, name.c_str(), &collection));
  uint64_t count = 0;
  NEED(quire_collection_count(txn, collection, &count));
  std::printf("collection '%s': %" PRIu64 "\n", name.c_str(), count);
  size_t fields = 0;
  NEED(quire_collection_field_count(txn, collection, &fields));
  for (size_t i = 0; i < fields; ++i) {
    quire_field field;
    NEED(quire_collection_field(txn, collection, i, &field));
    std::printf("  field '%s' type %u flags %u dimension %u\n", field.name, field.type, field.flags,
                field.dimension);
  }
  quire_cursor* scan = nullptr;
  NEED(quire_scan_open(txn, collection, nullptr, 0, nullptr, 0, &scan));
  std::vector<quire_value> values(fields);
  int code = 0;
  while ((code = quire_scan_next(scan, values.data(), fields)) == QUIRE_OK) {
    std::printf(" ");
    for (const quire_value& value : values) std::printf(" %s", show(value).c_str());
    std::printf("\n");
  }
  if (code != QUIRE_ERR_NOT_FOUND) need(code, "quire_scan_next");
  quire_cursor_close(scan);
}

quire_db* open_there(const char* path, bool read_only) {
  quire_open_options options = QUIRE_OPEN_OPTIONS_INIT;
  options.flags = read_only ? QUIRE_OPEN_READ_ONLY : 0;
  quire_db* db = nullptr;
  NEED(quire_open(path, &options, &db));
  return db;
}

int list(const char* path, bool read_only) {
  quire_db* const db = open_there(path, read_only);
  quire_txn* txn = nullptr;
  NEED(quire_begin(db, QUIRE_READ, &txn));
  Names names;
  NEED(quire_keyspace_list(txn, note_keyspace, &names));
  NEED(quire_collection_list(txn, note_collection, &names));
  for (const std::string& name : names.keyspaces) list_entries(txn, name);
  for (const std::string& name : names.collections) list_records(txn, name);
  quire_abort(txn);
  NEED(quire_close(db));
  return 0;
}

int print_damage(void*, const char* damage) {
  std::printf("%s\n", damage);
  return 0;
}

int check(const char* path) {
  quire_db* const db = open_there(path, false);
  NEED(quire_check(db, print_damage, nullptr));
  NEED(quire_close(db));
  return 0;
}

int write(const char* path) {
  quire_db* const db = open_there(path, false);
  quire_txn* txn = nullptr;
  NEED(quire_begin(db, QUIRE_WRITE, &txn));
  put(txn, open_space(txn, "zz new"), "new key", "new value");
  const quire_keyspace deep = open_space(txn, "deep");
  put(txn, deep, "a", long_value(1, 5000));
  NEED(quire_delete(txn, deep, "a", 1));
  quire_collection everything = 0;
  NEED(quire_collection_open(txn, "everything", &everything));
  put_everything(txn, everything, 500, 2);
  const std::string id = "record 500";
  const quire_value key = text(QUIRE_TYPE_TEXT, id);
  NEED(quire_record_delete(txn, everything, &key, 1));
  NEED(quire_commit(txn));
  NEED(quire_close(db));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "make" && argc == 4) {
    for (const Plan& plan : kPlans)
      if (std::strcmp(plan.name, argv[2]) == 0) return make(plan, argv[3]);
  }
  if (verb == "list" && argc == 3) return list(argv[2], false);
  if (verb == "list" && argc == 4 && std::strcmp(argv[3], "ro") == 0) return list(argv[2], true);
  if (verb == "check" && argc == 3) return check(argv[2]);
  if (verb == "write" && argc == 3) return write(argv[2]);
  std::fprintf(stderr, "usage: golden make NAME PATH | list PATH [ro] | check PATH | write PATH\n");
  return kFailedExit;
}
