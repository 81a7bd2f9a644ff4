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
#include "tools/vector_source.h"
#include "tools/verbs.h"

namespace quire::tools {
namespace {

// What is read; of a file of vectors also as what it is.
struct Input {
  Format format = Format::kNdjson;
  std::unique_ptr<RecordSource> records;
  const VectorSource* vectors = nullptr;  // of `records`; null: text
};

// --format, else the file's ending, else the magic that .npy alone has.
Format input_format(const Arguments& arguments, const std::string& file, PeekSource* source) {
  if (const auto format = format_of(arguments, file)) return *format;
  return source->peek(kNpyMagic.size()) == kNpyMagic ? Format::kNpy : Format::kNdjson;
}

Input open_input(const Arguments& arguments, Format format, ByteSource* source) {
  Input input;
  input.format = format;
  if (!is_vector_format(format)) {
    refuse_options(arguments, {"--vector-fields"}, "is for files of vectors");
    input.records = make_record_source(format, source, arguments.max_line_bytes);
    return input;
  }
  if (!arguments.keyspace.empty()) {
    throw Failure(source->name() + " is a file of vectors; a keyspace has keys and values");
  }
  refuse_options(arguments, {"--infer", "--max-line-bytes", "--ignore-unknown"},
                 "is for text; a file of vectors says what its rows are");
  const VectorNames names =
      arguments.vector_fields.empty() ? VectorNames() : parse_vector_names(arguments.vector_fields);
  // Where bad rows are skipped, a cut file gives what it has.
  auto vectors = make_vector_source(format, source, names, !arguments.skip_bad);
  input.vectors = vectors.get();
  input.records = std::move(vectors);
  return input;
}

// A header that could not be read because of a signal is no wrong one.
Input open_or_stop(const Arguments& arguments, const std::string& file, PeekSource* source) {
  try {
    return open_input(arguments, input_format(arguments, file, source), source);
  } catch (const Failure&) {
    if (interrupted()) throw Failure("interrupted\nquire: nothing was loaded", kInterrupted);
    throw;
  }
}

// Said once, rather than of every row.
void require_vector_fields(const VectorSource& source, const Schema& schema) {
  const VectorNames& names = source.names();
  const std::string& file = source.reader().name();
  const auto refuse = [](std::string why) {
    why += " (--vector-fields ID,VECTOR names other fields, and VECTOR alone none for the id)";
    throw Failure(why);
  };
  const auto require_field = [&](const std::string& name) {
    if (schema.find(name)) return;
    refuse("the collection has no field '" + name + "' for the rows of " + file +
           "; its fields are " + schema.names());
  };
  if (!names.id.empty()) require_field(names.id);
  require_field(names.vector);
  const Field& field = schema.fields[schema.require_field(names.vector)];
  if (!is_vector(field.type)) {
    refuse("field '" + field.name + "' is " + std::string(type_name(field.type)) +
           ", not a vector, which the rows of " + file + " are");
  }
  const auto dimension = source.reader().dimension();
  if (!dimension || *dimension == field.dimension) return;
  throw Failure(file + " has vectors of dimension " + std::to_string(*dimension) + "; field '" +
                field.name + "' has dimension " + std::to_string(field.dimension));
}

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

Schema inferred_schema(const Arguments& arguments, const Input& input, Loader* loader) {
  std::string key = arguments.key_field;
  if (input.vectors && key.empty()) key = input.vectors->names().id;
  if (input.vectors && key.empty()) {
    throw Failure("rows without an id need a collection, or a --schema, whose key is generated");
  }
  SchemaInference inference;
  // All rows of a file of vectors are alike.
  loader->look_ahead(
      input.vectors ? 1 : arguments.infer_records,
      [&](const Record& record, std::string* reason) { return inference.add(record, reason); });
  if (inference.records() == 0) {
    throw Failure(
        "no records to infer the fields from; give --schema FILE to make an empty "
        "collection");
  }
  Schema schema = inference.finish(key, arguments.skip_bad);
  message("schema inferred from " +
          (inference.records() == 1 ? "the first record"
                                    : "the first " + count_of(inference.records(), "record")) +
          ": " + schema_to_json(schema));
  return schema;
}

std::unique_ptr<RecordSink> make_sink(const Arguments& arguments, const std::optional<Database>& db,
                                      const Input& input, Loader* loader) {
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
    schema = given ? std::move(given) : inferred_schema(arguments, input, loader);
  }
  if (input.vectors) require_vector_fields(*input.vectors, *schema);
  return std::make_unique<CollectionSink>(arguments.rest[0], std::move(*schema), arguments.upsert,
                                          arguments.ignore_unknown);
}

void report(const Arguments& arguments, const LoadResult& result, bool made_database) {
  std::array<char, 32> seconds;
  std::snprintf(seconds.data(), seconds.size(), "%.2f", result.seconds);
  if (!arguments.json) {
    message(
        "loaded " + count_of(result.records, "record") + " in " + seconds.data() + " s" +
        (result.skipped == 0 ? "" : "; skipped " + format_count(result.skipped)) +
        (result.left_out == 0 ? "" : "; left out " + count_of(result.left_out, "deleted element")));
    return;
  }
  Output output;
  output.write(
      "{\"records\":" + std::to_string(result.records) +
      ",\"skipped\":" + std::to_string(result.skipped) +
      ",\"left_out\":" + std::to_string(result.left_out) + ",\"seconds\":" + seconds.data() +
      ",\"made_database\":" + (made_database ? "true" : "false") + ",\"lost_from_line\":" +
      (result.lost_from_line == 0 ? "null" : std::to_string(result.lost_from_line)) + "}\n");
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
  FileSource bytes(file);
  PeekSource source(&bytes);
  const Input input = open_or_stop(arguments, file, &source);
  std::optional<Database> db = open_existing(arguments);
  Loader loader(input.records.get(), arguments, bytes.size());
  const auto sink = make_sink(arguments, db, input, &loader);
  const bool make_database = !db;
  if (make_database) {
    db = open_for_writing(arguments, QUIRE_OPEN_CREATE);
    message("made the database '" + arguments.db + "'");
  }
  const LoadResult result = loader.run(&*db, sink.get());
  db->close();
  report(arguments, result, make_database);
  if (result.lost_from_line == 0) return kDone;
  const std::string mend = input.vectors ? "mend the file" : "close the quote there";
  message("all from " + input.records->place(result.lost_from_line) + " to the end is lost; " +
          mend + ", and go on with --from-line " + std::to_string(result.lost_from_line));
  return kFailed;
}

}  // namespace quire::tools
