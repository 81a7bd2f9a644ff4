// schema: what a collection is, and changes of it.
#include <nlohmann/json.hpp>

#include "tools/failure.h"
#include "tools/long_call.h"
#include "tools/output.h"
#include "tools/schema_json.h"
#include "tools/session.h"
#include "tools/table.h"
#include "tools/verbs.h"

namespace quire::tools {
namespace {

struct Versions {
  std::uint32_t newest = 0, oldest = 0;
};

Versions versions_of(const Transaction& txn, const Collection& collection) {
  Versions versions;
  require(
      quire_collection_version(txn.handle(), collection.id(), &versions.newest, &versions.oldest));
  return versions;
}

void print_json(const Arguments& arguments, const Transaction& txn, const Collection& collection,
                const Schema& schema, Output* output) {
  using nlohmann::ordered_json;
  const Versions versions = versions_of(txn, collection);
  ordered_json root{{"name", arguments.rest[0]},
                    {"records", collection.count()},
                    {"version", versions.newest},
                    {"oldest_version", versions.oldest}};
  root.update(ordered_json::parse(schema_to_json(schema)));
  output->write(root.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

void print_tables(const Arguments& arguments, const Transaction& txn, const Collection& collection,
                  const Schema& schema, Output* output) {
  const Versions versions = versions_of(txn, collection);
  std::string version = format_count(versions.newest);
  if (versions.oldest != versions.newest) {
    version += ", records from " + format_count(versions.oldest) + " on";
  }
  print_pairs({{"collection", arguments.rest[0]},
               {"records", format_count(collection.count())},
               {"key", schema.key_names()},
               {"version", version}},
              output, terminal_width());
  output->write("\n");
  TablePrinter fields({{"field"}, {"type"}, {"rules"}}, output, terminal_width());
  for (const Field& field : schema.fields) {
    fields.add({field.name, describe_field(field), describe_rules(field)});
  }
  fields.finish();
  if (schema.indexes.empty()) return;
  output->write("\n");
  TablePrinter indexes({{"index"}, {"kind"}, {"entries", true}, {"options"}}, output,
                       terminal_width());
  for (const Index& index : schema.indexes) {
    indexes.add({index.name, index.kind, format_count(index.entries), index.options});
  }
  indexes.finish();
}

int show(const Arguments& arguments) {
  const Database db = open_for_reading(arguments);
  const Transaction txn = db.read();
  const Collection collection = find_collection(txn, arguments.rest[0]);
  const Schema schema = schema_of(txn, collection);
  Output output;
  if (arguments.json) {
    print_json(arguments, txn, collection, schema, &output);
  } else {
    print_tables(arguments, txn, collection, schema, &output);
  }
  output.finish();
  return kDone;
}

// Exit code 1, and the difference as a message, where it is another.
int expect(const Arguments& arguments) {
  const Schema wanted = read_schema(arguments.rest[2], "");
  const Database db = open_for_reading(arguments);
  const Transaction txn = db.read();
  const Collection collection = find_collection(txn, arguments.rest[0]);
  const CFields fields(wanted);
  const int code =
      quire_collection_expect(txn.handle(), collection.id(), fields.data(), fields.size());
  const bool same = require_or(code, QUIRE_ERR_SCHEMA);
  if (!same) message(quire_last_error());
  Output output;
  if (arguments.json) output.write(same ? "{\"expected\":true}\n" : "{\"expected\":false}\n");
  output.finish();
  return same ? kDone : kNegative;
}

// The fields as the words ask for them.
Schema changed_schema(const Arguments& arguments, Schema schema) {
  const std::string& what = arguments.rest[1];
  const std::string& word = arguments.rest[2];
  if (what == "add") {
    schema.fields.push_back(parse_field(word));
    return schema;
  }
  const std::size_t index = schema.require_field(word);
  if (what == "drop") {
    if (schema.fields[index].key) throw Failure("'" + word + "' is of the key, which stays");
    schema.fields.erase(schema.fields.begin() + static_cast<std::ptrdiff_t>(index));
  } else if (what == "rename") {
    schema.fields[index].name = arguments.rest[3];
  } else {
    schema.fields[index] = changed_field(schema.fields[index], arguments.rest[3]);
  }
  return schema;
}

void carry_out_change(const Arguments& arguments, const Transaction& txn,
                      const Collection& collection) {
  const std::string& what = arguments.rest[1];
  if (what == "name") {
    require(quire_collection_rename(txn.handle(), collection.id(), arguments.rest[2].c_str()));
    return;
  }
  LongCall call("records");
  if (what == "rewrite") {
    call.finish(quire_collection_rewrite(txn.handle(), collection.id(), LongCall::progress, &call));
    return;
  }
  const Schema schema = changed_schema(arguments, schema_of(txn, collection));
  const CFields fields(schema);
  call.finish(quire_collection_change(txn.handle(), collection.id(), fields.data(), fields.size(),
                                      LongCall::progress, &call));
}

int change_fields(const Arguments& arguments) {
  Database db = open_for_writing(arguments);
  Transaction txn = db.write();
  const Collection collection = find_collection(txn, arguments.rest[0]);
  carry_out_change(arguments, txn, collection);
  const Versions versions = versions_of(txn, collection);
  commit(arguments, &txn);
  db.close();
  if (!arguments.json) message("version " + format_count(versions.newest));
  Output output;
  if (arguments.json) output.write("{\"version\":" + std::to_string(versions.newest) + "}\n");
  output.finish();
  return kDone;
}

// Words behind COLLECTION, the one that says what to do among them.
std::size_t words_of(const std::string& what) {
  if (what == "rewrite") return 1;
  if (what == "add" || what == "drop" || what == "expect" || what == "name") return 2;
  if (what == "rename" || what == "change") return 3;
  throw Failure("'" + what +
                "' is nothing to do with a schema; it is add, drop, rename, change, "
                "expect, rewrite or name; see 'quire schema --help'");
}

}  // namespace

int run_schema(const Arguments& arguments) {
  if (arguments.rest.size() <= 1) {
    require_words(arguments, 1, 1, "COLLECTION");
    refuse_options(arguments, {"--durability", "--wait"}, "is for changes; this only reads");
    return show(arguments);
  }
  const std::string& what = arguments.rest[1];
  const std::size_t words = 1 + words_of(what);
  require_words(arguments, words, words, "COLLECTION " + what + " and what it takes");
  return what == "expect" ? expect(arguments) : change_fields(arguments);
}

}  // namespace quire::tools
