// load: what the input is, what the target is, and then the loop of loader.h.
#include <array>
#include <cstdio>
#include <memory>

#include "tools/failure.h"
#include "tools/infer.h"
#include "tools/loader.h"
#include "tools/output.h"
#include "tools/schema_json.h"
#include "tools/session.h"
#include "tools/signals.h"
#include "tools/value_text.h"
#include "tools/verbs.h"

namespace quire::tools {
namespace {

// Nothing when there is no database yet.
std::optional<Database> open_existing(const Arguments& arguments) {
  try {
    return open_for_writing(arguments);
  } catch (const Error& error) {
    if (error.code() != QUIRE_ERR_NOT_FOUND) throw;
    return std::nullopt;
  }
}

// Of the collection, where it is there already.
std::optional<Schema> existing_schema(const std::optional<Database>& db, const std::string& name) {
  if (!db) return std::nullopt;
  const Transaction txn = db->read();
  const auto collection = txn.find_collection(name);
  if (!collection) return std::nullopt;
  return schema_of(txn, *collection);
}

// The schema asked for by --schema and --key must be the collection's.
void require_same_schema(const Arguments& arguments, const std::optional<Schema>& given,
                         const Schema& existing) {
  const std::string collection =
      "the collection '" + arguments.rest[0] + "' is there already, and ";
  if (given) {
    if (const auto different = difference(*given, existing)) {
      throw Failure(collection + *different + "; load without --schema, or into another name");
    }
  }
  if (arguments.key_field.empty()) return;
  Schema with_key = existing;
  set_key(&with_key, key_names_of(existing, arguments.key_field));
  if (with_key.key_names() != existing.key_names()) {
    throw Failure(collection + "its key is '" + existing.key_names() + "'");
  }
}

Schema inferred_schema(const Arguments& arguments, Loader* loader) {
  SchemaInference inference;
  loader->look_ahead(arguments.infer_records, [&](const Record& record, std::string* reason) {
    return inference.add(record, reason);
  });
  if (inference.records() == 0) {
    throw Failure(
        "no records to infer the fields from; give --schema FILE to make an empty "
        "collection");
  }
  Schema schema = inference.finish(arguments.key_field, arguments.skip_bad);
  message("schema inferred from " +
          (inference.records() == 1 ? "the first record"
                                    : "the first " + count_of(inference.records(), "record")) +
          ": " + schema_to_json(schema));
  return schema;
}

std::unique_ptr<RecordSink> make_sink(const Arguments& arguments, const std::optional<Database>& db,
                                      Loader* loader) {
  if (!arguments.keyspace.empty()) {
    return std::make_unique<KeyspaceSink>(arguments.keyspace, arguments.upsert);
  }
  std::optional<Schema> given;
  if (!arguments.schema_file.empty()) {
    given = read_schema(arguments.schema_file, arguments.key_field);
  }
  std::optional<Schema> schema = existing_schema(db, arguments.rest[0]);
  if (schema) {
    require_same_schema(arguments, given, *schema);
  } else {
    schema = given ? std::move(given) : inferred_schema(arguments, loader);
  }
  return std::make_unique<CollectionSink>(arguments.rest[0], std::move(*schema), arguments.upsert,
                                          arguments.ignore_unknown);
}

void report(const Arguments& arguments, const LoadResult& result, bool made_database) {
  std::array<char, 32> seconds;
  std::snprintf(seconds.data(), seconds.size(), "%.2f", result.seconds);
  if (!arguments.json) {
    message("loaded " + count_of(result.records, "record") + " in " + seconds.data() + " s" +
            (result.skipped == 0 ? "" : "; skipped " + format_count(result.skipped)));
    return;
  }
  Output output;
  output.write("{\"records\":" + std::to_string(result.records) +
               ",\"skipped\":" + std::to_string(result.skipped) + ",\"seconds\":" + seconds.data() +
               ",\"made_database\":" + (made_database ? "true" : "false") + ",\"lost_from_line\":" +
               (result.lost_from_line == 0 ? "null" : std::to_string(result.lost_from_line)) +
               "}\n");
  output.finish();
}

}  // namespace

int run_load(const Arguments& arguments) {
  const bool keyspace = !arguments.keyspace.empty();
  require_words(arguments, keyspace ? 1 : 2, keyspace ? 1 : 2,
                keyspace ? "--keyspace NAME FILE" : "COLLECTION FILE");
  if (keyspace) {
    refuse_options(arguments, {"--schema", "--key", "--infer", "--ignore-unknown"},
                   "is for collections; a keyspace has keys and values");
  }
  const std::string& file = arguments.rest.back();
  catch_interrupts();
  FileSource input(file);
  const auto source =
      make_record_source(format_of(arguments, file), &input, arguments.max_line_bytes);
  std::optional<Database> db = open_existing(arguments);
  Loader loader(source.get(), arguments, input.size());
  const auto sink = make_sink(arguments, db, &loader);
  const bool make_database = !db;
  if (make_database) {
    db = open_for_writing(arguments, QUIRE_OPEN_CREATE);
    message("made the database '" + arguments.db + "'");
  }
  const LoadResult result = loader.run(&*db, sink.get());
  db->close();
  report(arguments, result, make_database);
  if (result.lost_from_line == 0) return kDone;
  const std::string line = std::to_string(result.lost_from_line);
  message("all from line " + line + " to the end is lost; close the quote there, and go on with " +
          "--from-line " + line);
  return kFailed;
}

}  // namespace quire::tools
