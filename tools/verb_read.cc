// get and scan.
#include "tools/convert.h"
#include "tools/failure.h"
#include "tools/output.h"
#include "tools/row_printer.h"
#include "tools/session.h"
#include "tools/table.h"
#include "tools/text_codec.h"
#include "tools/value_text.h"
#include "tools/verbs.h"

namespace quire::tools {
namespace {

std::string bytes_shown(const Arguments& arguments, std::string_view bytes) {
  return arguments.hex ? to_hex(bytes) : bytes_for_table(bytes);
}

std::string entry_json(const Arguments& arguments, std::string_view key, std::string_view value) {
  std::string line = "{";
  append_json_bytes("key", key, arguments.hex, &line);
  line += ',';
  append_json_bytes("value", value, arguments.hex, &line);
  return line + "}\n";
}

int get_key(const Arguments& arguments) {
  require_words(arguments, 1, 1, "--keyspace NAME KEY");
  refuse_options(arguments, {"--fields"}, "is for collections; a key of a keyspace has no fields");
  if (arguments.raw) {
    refuse_options(arguments, {"--json", "--hex"}, "and --raw exclude each other");
  }
  const std::string key = bytes_argument(arguments, arguments.rest[0]);
  const Database db = open_for_reading(arguments);
  const Transaction txn = db.read();
  const auto value = find_keyspace(txn, arguments.keyspace).get(key);
  if (!value) {
    throw Failure(
        "no key '" + bytes_for_table(arguments.rest[0]) + "' in '" + arguments.keyspace + "'",
        kNegative);
  }
  Output output;
  if (arguments.json) {
    output.write(entry_json(arguments, key, *value));
  } else if (arguments.hex) {
    output.write(to_hex(*value) + "\n");
  } else if (arguments.raw) {
    output.write(*value);
  } else if (stdout_is_terminal()) {
    output.write(bytes_for_table(*value) + "\n");
  } else {
    output.write(*value);
    output.write("\n");
  }
  output.finish();
  return kDone;
}

int get_record(const Arguments& arguments) {
  require_words(arguments, 2, 2, "COLLECTION KEY");
  refuse_options(arguments, {"--raw", "--hex"}, "is for keyspaces; a record has fields");
  const Database db = open_for_reading(arguments);
  const Transaction txn = db.read();
  const Collection collection = find_collection(txn, arguments.rest[0]);
  const Schema schema = schema_of(txn, collection);
  const auto selected = select_fields(schema, arguments.fields);
  const OwnedKey key(arguments.rest[1], schema);
  const auto values = collection.get(key.key());
  if (!values) {
    throw Failure(
        "no record '" + bytes_for_table(arguments.rest[1]) + "' in '" + arguments.rest[0] + "'",
        kNegative);
  }
  Output output;
  if (arguments.json) {
    std::string line;
    append_json_record(schema, *values, selected, &line);
    output.write(line + "\n");
  } else {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const std::size_t i : selected) {
      pairs.emplace_back(schema.fields[i].name, value_for_table((*values)[i]));
    }
    print_pairs(pairs, &output, terminal_width());
  }
  output.finish();
  return kDone;
}

int scan_keys(const Arguments& arguments) {
  require_words(arguments, 0, 0, "--keyspace NAME");
  refuse_options(arguments, {"--fields"}, "is for collections; keys of a keyspace have no fields");
  const ByteRange range = byte_range(arguments);
  const Database db = open_for_reading(arguments);
  const Transaction txn = db.read();
  Cursor cursor =
      find_keyspace(txn, arguments.keyspace).cursor({range.from, range.to, range.prefix});
  Output output;
  TablePrinter table({{"key"}, {"value"}}, &output, terminal_width());
  for (std::uint64_t count = 0; count < arguments.limit; ++count) {
    const auto entry = !arguments.reverse ? cursor.next()
                       : count == 0       ? cursor.last()
                                          : cursor.previous();
    if (!entry) break;
    if (arguments.json) {
      output.write(entry_json(arguments, entry->key, entry->value));
    } else {
      table.add({bytes_shown(arguments, entry->key), bytes_shown(arguments, entry->value)});
    }
  }
  if (!arguments.json) table.finish();
  output.finish();
  return kDone;
}

int scan_records(const Arguments& arguments) {
  require_words(arguments, 1, 1, "COLLECTION");
  refuse_options(arguments, {"--reverse", "--prefix"},
                 "is for keyspaces; a collection has --from and --to");
  refuse_options(arguments, {"--hex"}, "is for keyspaces; fields of type bytes are base64");
  const Database db = open_for_reading(arguments);
  const Transaction txn = db.read();
  const Collection collection = find_collection(txn, arguments.rest[0]);
  const Schema schema = schema_of(txn, collection);
  const auto selected = select_fields(schema, arguments.fields);
  const OwnedKey low = arguments.has_from ? OwnedKey(arguments.from, schema, true) : OwnedKey();
  const OwnedKey high = arguments.has_to ? OwnedKey(arguments.to, schema, true) : OwnedKey();
  Scan scan = collection.scan(low.key(), high.key());
  Output output;
  RowPrinter printer(schema, selected, arguments.json ? RowForm::kJson : RowForm::kTable, &output);
  for (std::uint64_t count = 0; count < arguments.limit; ++count) {
    const std::vector<Value>* values = scan.next();
    if (values == nullptr) break;
    printer.add(*values);
  }
  printer.finish();
  output.finish();
  return kDone;
}

}  // namespace

int run_get(const Arguments& arguments) {
  return arguments.keyspace.empty() ? get_record(arguments) : get_key(arguments);
}

int run_scan(const Arguments& arguments) {
  return arguments.keyspace.empty() ? scan_records(arguments) : scan_keys(arguments);
}

}  // namespace quire::tools
