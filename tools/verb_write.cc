// create, put, del, drop: the verbs that change a little.
#include <algorithm>

#include "tools/assignments.h"
#include "tools/byte_source.h"
#include "tools/convert.h"
#include "tools/failure.h"
#include "tools/json_record.h"
#include "tools/output.h"
#include "tools/schema_json.h"
#include "tools/session.h"
#include "tools/value_text.h"
#include "tools/verbs.h"

namespace quire::tools {
namespace {

constexpr std::size_t kMaxValueBytes = std::size_t{2} << 30;

// One line for --json, nothing for people: what was asked for is done.
void report_json(const Arguments& arguments, const std::string& json) {
  if (!arguments.json) return;
  Output output;
  output.write(json + "\n");
  output.finish();
}

int put_key(const Arguments& arguments) {
  refuse_options(arguments, {"--if"}, "is for records; what a key has is not looked at");
  require_words(arguments, 2, 2, "--keyspace NAME KEY VALUE");
  const std::string key = bytes_argument(arguments, arguments.rest[0]);
  const std::string value = arguments.rest[1] == "-" ? read_whole("-", kMaxValueBytes)
                                                     : bytes_argument(arguments, arguments.rest[1]);
  Database db = open_for_writing(arguments);
  Transaction txn = db.write();
  Keyspace keyspace = txn.create_keyspace(arguments.keyspace);
  if (!arguments.no_overwrite) {
    keyspace.put(key, value);
  } else if (!keyspace.insert(key, value)) {
    throw Failure("the key is there already", kNegative);
  }
  commit(arguments, &txn);
  db.close();
  report_json(arguments, "{\"put\":1}");
  return kDone;
}

// The key of the record that was inserted, as JSON: a value, or an array of several.
std::string json_of_key(std::span<const Value> key) {
  std::string json = key.size() > 1 ? "[" : "";
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (i > 0) json += ',';
    append_json_value(key[i], &json);
  }
  return key.size() > 1 ? json + ']' : json;
}

bool key_is_made(const Schema& schema, const std::vector<Value>& values) {
  const auto keys = schema.key_fields();
  return std::any_of(keys.begin(), keys.end(),
                     [&](std::size_t i) { return values[i].type == QUIRE_TYPE_DEFAULT; });
}

// Inserts a record whose key is made for it; gives the key as JSON.
std::string insert_made_key(const Transaction& txn, const Collection& collection,
                            const Schema& schema, const std::vector<Value>& values) {
  std::vector<Value> key(schema.key_fields().size());
  require(quire_record_insert_keyed(txn.handle(), collection.id(), values.data(), values.size(),
                                    key.data(), key.size()));
  return json_of_key(key);
}

// Gives the key as JSON where it was made for the record, else nothing.
std::string put_values(const Arguments& arguments, const Transaction& txn, Collection collection,
                       const Schema& schema, const std::vector<Value>& values) {
  const Assignments condition(schema, arguments.conditions);
  if (arguments.conditions.empty() && key_is_made(schema, values)) {
    return insert_made_key(txn, collection, schema, values);
  }
  if (!arguments.no_overwrite) {
    with_conditions([&] { collection.upsert(values, condition.expected()); });
  } else if (!collection.insert(values)) {
    throw Failure("a record with this key is there already", kNegative);
  }
  return "";
}

int put_record(const Arguments& arguments) {
  require_words(arguments, 2, 2, "COLLECTION RECORD");
  if (arguments.no_overwrite) {
    refuse_options(arguments, {"--if"}, "and --no-overwrite exclude each other");
  }
  refuse_options(arguments, {"--hex"}, "is for keyspaces; fields of type bytes are base64");
  const std::string text =
      arguments.rest[1] == "-" ? read_whole("-", arguments.max_line_bytes) : arguments.rest[1];
  Record record;
  std::string reason;
  if (!parse_json_record(text, &record, &reason)) throw Failure("the record: " + reason);
  Database db = open_for_writing(arguments);
  Transaction txn = db.write();
  const Collection collection = find_collection(txn, arguments.rest[0]);
  const Schema schema = schema_of(txn, collection);
  RowBuilder row(schema, false);
  if (!row.build(record, &reason)) throw Failure("the record: " + reason);
  const std::string made_key = put_values(arguments, txn, collection, schema, row.values());
  commit(arguments, &txn);
  db.close();
  if (!made_key.empty() && !arguments.json) message("its key is " + made_key);
  report_json(arguments, "{\"put\":1" + (made_key.empty() ? "" : ",\"key\":" + made_key) + "}");
  return kDone;
}

// Commits, names what was not there, and gives the exit code.
int finish_delete(const Arguments& arguments, Database* db, Transaction* txn, std::uint64_t deleted,
                  const std::vector<std::string>& missing) {
  commit(arguments, txn);
  db->close();
  for (const std::string& key : missing) message("no key '" + bytes_for_table(key) + "'");
  report_json(arguments, "{\"deleted\":" + std::to_string(deleted) +
                             ",\"missing\":" + std::to_string(missing.size()) + "}");
  return missing.empty() ? kDone : kNegative;
}

bool has_range(const Arguments& arguments) {
  return arguments.has_from || arguments.has_to || arguments.has_prefix;
}

std::uint64_t delete_range(Keyspace* keyspace, const ByteRange& range) {
  std::optional<std::string> low = range.from, high = range.to;
  if (range.prefix) {
    if (!low || *low < *range.prefix) low = range.prefix;
    const auto end = prefix_end(*range.prefix);
    if (end && (!high || *end < *high)) high = end;
  }
  if (low && high && *high <= *low) return 0;
  return keyspace->erase_range(low, high);
}

int delete_keys(const Arguments& arguments) {
  refuse_options(arguments, {"--if"}, "is for records; what a key has is not looked at");
  if (has_range(arguments)) {
    require_words(arguments, 0, 0, "--keyspace NAME --from KEY --to KEY (or KEY...)");
  } else {
    require_words(arguments, 1, SIZE_MAX, "--keyspace NAME KEY...");
  }
  const ByteRange range = byte_range(arguments);
  Database db = open_for_writing(arguments);
  Transaction txn = db.write();
  Keyspace keyspace = find_keyspace(txn, arguments.keyspace);
  std::uint64_t deleted = 0;
  std::vector<std::string> missing;
  if (has_range(arguments)) deleted = delete_range(&keyspace, range);
  for (const std::string& argument : arguments.rest) {
    if (keyspace.erase(bytes_argument(arguments, argument))) {
      ++deleted;
    } else {
      missing.push_back(argument);
    }
  }
  return finish_delete(arguments, &db, &txn, deleted, missing);
}

int delete_records(const Arguments& arguments) {
  refuse_options(arguments, {"--from", "--to", "--prefix"},
                 "deletes from keyspaces; name the records' keys");
  refuse_options(arguments, {"--hex"}, "is for keyspaces; keys of type bytes are base64");
  // Of several it would not be clear whose fields are meant.
  const bool one = !arguments.conditions.empty();
  require_words(arguments, 2, one ? 2 : SIZE_MAX,
                one ? "COLLECTION KEY --if FIELD=VALUE" : "COLLECTION KEY...");
  Database db = open_for_writing(arguments);
  Transaction txn = db.write();
  Collection collection = find_collection(txn, arguments.rest[0]);
  const Schema schema = schema_of(txn, collection);
  const Assignments condition(schema, arguments.conditions);
  const std::vector<Expected> expected = condition.expected();
  std::uint64_t deleted = 0;
  std::vector<std::string> missing;
  for (std::size_t i = 1; i < arguments.rest.size(); ++i) {
    const OwnedKey key(arguments.rest[i], schema);
    if (with_conditions([&] { return collection.erase(key.key(), expected); })) {
      ++deleted;
    } else {
      missing.push_back(arguments.rest[i]);
    }
  }
  return finish_delete(arguments, &db, &txn, deleted, missing);
}

// False also for the empty name, and for that of a collection: making it says what is wrong.
bool has_keyspace(const Transaction& txn, const std::string& name) {
  const std::vector<Named> there = txn.keyspaces();
  return std::any_of(there.begin(), there.end(),
                     [&](const Named& keyspace) { return keyspace.name == name; });
}

}  // namespace

int run_create(const Arguments& arguments) {
  require_words(arguments, 0, 1, "[COLLECTION --schema FILE]");
  const bool collection = !arguments.rest.empty();
  if (collection && arguments.schema_file.empty()) {
    throw Failure("a new collection needs its fields: --schema FILE");
  }
  if (!collection) {
    refuse_options(arguments, {"--schema", "--key"}, "is for a collection; name it behind DB");
  }
  Schema schema;
  if (collection) {
    schema = read_schema(arguments.schema_file, arguments.key_field);
  }
  const bool contents = collection || !arguments.keyspace.empty();
  Database db = open_for_writing(
      arguments, QUIRE_OPEN_CREATE | (contents ? 0u : std::uint32_t{QUIRE_OPEN_EXCLUSIVE}));
  bool created = true;
  if (contents) {
    Transaction txn = db.write();
    const bool keyspace_there = has_keyspace(txn, arguments.keyspace);
    if (keyspace_there) message("the keyspace '" + arguments.keyspace + "' is there already");
    if (collection) create_collection(txn, arguments.rest[0], schema);
    if (!arguments.keyspace.empty()) txn.create_keyspace(arguments.keyspace);
    created = collection || !keyspace_there;
    if (created) {
      commit(arguments, &txn);
    } else {
      txn.abort();
    }
  }
  db.close();
  report_json(arguments, created ? "{\"created\":true}" : "{\"created\":false}");
  return kDone;
}

int run_put(const Arguments& arguments) {
  return arguments.keyspace.empty() ? put_record(arguments) : put_key(arguments);
}

int run_del(const Arguments& arguments) {
  return arguments.keyspace.empty() ? delete_records(arguments) : delete_keys(arguments);
}

int run_drop(const Arguments& arguments) {
  const bool keyspace = !arguments.keyspace.empty();
  require_words(arguments, keyspace ? 0 : 1, keyspace ? 0 : 1, "COLLECTION, or DB --keyspace NAME");
  Database db = open_for_writing(arguments);
  Transaction txn = db.write();
  if (keyspace) {
    txn.drop(find_keyspace(txn, arguments.keyspace));
  } else {
    txn.drop(find_collection(txn, arguments.rest[0]));
  }
  commit(arguments, &txn);
  db.close();
  report_json(arguments, "{\"dropped\":true}");
  return kDone;
}

}  // namespace quire::tools
