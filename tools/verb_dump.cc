// dump: all of a collection or keyspace as of one moment, in a form that load reads.
#include <memory>

#include "tools/csv_reader.h"
#include "tools/failure.h"
#include "tools/output.h"
#include "tools/schema_json.h"
#include "tools/session.h"
#include "tools/text_codec.h"
#include "tools/value_text.h"
#include "tools/verbs.h"

namespace quire::tools {
namespace {

// "1,234 records" while it takes long.
void show_progress(Progress* progress, std::uint64_t done, std::uint64_t total) {
  if (progress->due()) {
    progress->update(format_count(done) + " of " + format_count(total) + " written");
  }
}

// A NUL is text to the database, but not to any reader of CSV, our own included.
void append_csv_record(const Schema& schema, const std::vector<Value>& values,
                       const std::vector<std::size_t>& selected, std::string* line) {
  for (std::size_t i = 0; i < selected.size(); ++i) {
    const Value& value = values[selected[i]];
    if (value.type == QUIRE_TYPE_TEXT && as_text(value).find('\0') != std::string_view::npos) {
      throw Failure("field '" + schema.fields[selected[i]].name + "' of record '" +
                    value_for_table(values[schema.key_fields()[0]]) +
                    "' has a NUL byte, which CSV can't hold; dump as ndjson");
    }
    if (i > 0) *line += ',';
    append_csv_value(value, line);
  }
}

void write_schema(const std::string& file, const Schema& schema) {
  if (file.empty()) return;
  for (const Index& index : schema.indexes) {
    if (index.options.empty()) {
      message("index '" + index.name + "' is of a kind that is not known here, and left out of '" +
              file + "'");
    }
  }
  Output output(file);
  output.write(schema_to_json(schema) + "\n");
  output.finish();
}

int dump_records(const Arguments& arguments) {
  require_words(arguments, 1, 2, "COLLECTION [FILE]");
  const std::string file = arguments.rest.size() > 1 ? arguments.rest[1] : "-";
  const Format format = text_format_of(arguments, file);
  if (format == Format::kCsv) refuse_options(arguments, {"--json"}, "and CSV exclude each other");
  const Database db = open_for_reading(arguments);
  const Transaction txn = db.read();
  const Collection collection = find_collection(txn, arguments.rest[0]);
  const Schema schema = schema_of(txn, collection);
  const auto selected = select_fields(schema, arguments.fields);
  Output output(file);
  std::string line;
  if (format == Format::kCsv) {
    for (const std::size_t i : selected) {
      if (!line.empty()) line += ',';
      append_csv_cell(schema.fields[i].name, &line);
    }
    output.write(line += '\n');
  }
  const std::uint64_t total = collection.count();
  Progress progress;
  Scan scan = collection.scan();
  for (std::uint64_t done = 0; const std::vector<Value>* values = scan.next(); ++done) {
    line.clear();
    if (format == Format::kCsv) {
      append_csv_record(schema, *values, selected, &line);
    } else {
      append_json_record(schema, *values, selected, &line);
    }
    output.write(line += '\n');
    show_progress(&progress, done, total);
  }
  output.finish();
  write_schema(arguments.write_schema, schema);
  return kDone;
}

std::string csv_entry(const Entry& entry, bool hex) {
  std::string line;
  for (const std::string_view bytes : {entry.key, entry.value}) {
    if (!hex && (!is_valid_utf8(bytes) || bytes.find('\0') != std::string_view::npos)) {
      throw Failure("key '" + bytes_for_table(entry.key) +
                    "' or its value is not text; dump with --hex, or as ndjson");
    }
    if (!line.empty()) line += ',';
    append_csv_cell(hex ? to_hex(bytes) : std::string(bytes), &line);
  }
  return line;
}

int dump_keys(const Arguments& arguments) {
  require_words(arguments, 0, 1, "--keyspace NAME [FILE]");
  refuse_options(arguments, {"--fields", "--write-schema"},
                 "is for collections; keys of a keyspace have no fields");
  const std::string file = arguments.rest.empty() ? "-" : arguments.rest[0];
  const Format format = text_format_of(arguments, file);
  if (format == Format::kCsv) refuse_options(arguments, {"--json"}, "and CSV exclude each other");
  const Database db = open_for_reading(arguments);
  const Transaction txn = db.read();
  const Keyspace keyspace = find_keyspace(txn, arguments.keyspace);
  Output output(file);
  if (format == Format::kCsv) output.write(arguments.hex ? "key_hex,value_hex\n" : "key,value\n");
  const std::uint64_t total = keyspace.count();
  Progress progress;
  Cursor cursor = keyspace.cursor();
  std::string line;
  std::uint64_t done = 0;
  while (const std::optional<Entry> entry = cursor.next()) {
    line.clear();
    if (format == Format::kCsv) {
      line = csv_entry(*entry, arguments.hex);
    } else {
      line += '{';
      append_json_bytes("key", entry->key, arguments.hex, &line);
      line += ',';
      append_json_bytes("value", entry->value, arguments.hex, &line);
      line += '}';
    }
    output.write(line += '\n');
    show_progress(&progress, ++done, total);
  }
  output.finish();
  return kDone;
}

}  // namespace

int run_dump(const Arguments& arguments) {
  if (!arguments.keyspace.empty()) return dump_keys(arguments);
  refuse_options(arguments, {"--hex"}, "is for keyspaces; fields of type bytes are base64");
  return dump_records(arguments);
}

}  // namespace quire::tools
