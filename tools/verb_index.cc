// index: the indexes of a collection.
#include <nlohmann/json.hpp>

#include "tools/failure.h"
#include "tools/long_call.h"
#include "tools/output.h"
#include "tools/session.h"
#include "tools/table.h"
#include "tools/verbs.h"

namespace quire::tools {
namespace {

using nlohmann::ordered_json;

std::string index_json(const Index& index) {
  ordered_json json{{"name", index.name}, {"kind", index.kind}};
  json["options"] = index.options.empty() ? ordered_json() : ordered_json::parse(index.options);
  json["entries"] = index.entries;
  json["pages"] = index.pages;
  json["figures"] = index.figures.empty() ? ordered_json() : ordered_json::parse(index.figures);
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

// "nodes 1,000, tail 12": those that are not 0.
std::string figures_text(const Index& index) {
  std::string text;
  if (index.figures.empty()) return text;
  const auto figures = ordered_json::parse(index.figures);
  for (const auto& [name, figure] : figures.items()) {
    if (figure == 0) continue;
    text += (text.empty() ? "" : ", ") + name + " " + format_count(figure.get<std::uint64_t>());
  }
  return text;
}

int list(const Arguments& arguments) {
  const Database db = open_for_reading(arguments);
  const Transaction txn = db.read();
  const Schema schema = schema_of(txn, find_collection(txn, arguments.rest[0]));
  Output output;
  TablePrinter table(
      {{"index"}, {"kind"}, {"entries", true}, {"pages", true}, {"options"}, {"figures"}}, &output,
      terminal_width());
  for (const Index& index : schema.indexes) {
    if (arguments.json) {
      output.write(index_json(index));
    } else {
      table.add({index.name, index.kind, format_count(index.entries),
                 index.pages == 0 ? "" : format_count(index.pages), index.options,
                 figures_text(index)});
    }
  }
  if (!arguments.json) table.finish();
  output.finish();
  return kDone;
}

std::string text_json(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string vector_options(const Arguments& arguments) {
  refuse_options(arguments, {"--unique", "--ignore-case", "--where", "--covering"},
                 "is for sorted indexes, not for those of vectors");
  require_words(arguments, 4, 4, "COLLECTION create NAME FIELD --kind hnsw");
  ordered_json options{{"field", arguments.rest[3]}};
  if (!arguments.metric.empty())
    options["metric"] = arguments.metric == "ip" ? "inner_product" : arguments.metric;
  return text_json(options);
}

// The options in JSON, by --options or by FIELDS and the options for parts of them.
std::string options_of(const Arguments& arguments) {
  if (!arguments.index_options.empty()) {
    require_words(arguments, 3, 3, "COLLECTION create NAME --options JSON, without FIELDS");
    refuse_options(arguments, {"--unique", "--ignore-case", "--where", "--covering", "--metric"},
                   "stands within --options, where that is given");
    return arguments.index_options;
  }
  if (arguments.index_kind == "hnsw") return vector_options(arguments);
  refuse_options(arguments, {"--metric"}, "is for indexes of vectors, of --kind hnsw");
  require_words(arguments, 4, 4, "COLLECTION create NAME FIELDS");
  ordered_json options{{"fields", split_names(arguments.rest[3])}};
  if (arguments.unique) options["unique"] = true;
  if (arguments.ignore_case) options["collation"] = "ascii_nocase";
  if (!arguments.covering.empty()) options["covering"] = split_names(arguments.covering);
  if (!arguments.where.empty()) options["where"] = arguments.where;
  return text_json(options);
}

void create(const Arguments& arguments, const Transaction& txn, const Collection& collection) {
  const std::string kind = arguments.index_kind.empty() ? "sorted" : arguments.index_kind;
  const Index index{arguments.rest[2], kind, options_of(arguments)};
  LongCall call("records");
  quire_index_options options = QUIRE_INDEX_OPTIONS_INIT;
  options.kind = index.kind.c_str();
  options.options = index.options.c_str();
  options.progress = LongCall::progress;
  options.context = &call;
  call.finish(quire_index_create(txn.handle(), collection.id(), index.name.c_str(), &options));
}

void rebuild(const Arguments& arguments, const Transaction& txn, const Collection& collection) {
  LongCall call("records");
  call.finish(quire_index_rebuild(txn.handle(), collection.id(), arguments.rest[2].c_str(),
                                  LongCall::progress, &call));
}

// What was done, as --json says it.
std::string carry_out(const Arguments& arguments, const Transaction& txn,
                      const Collection& collection) {
  const std::string& what = arguments.rest[1];
  const char* const name = arguments.rest[2].c_str();
  if (what == "create") {
    create(arguments, txn, collection);
    return "created";
  }
  if (what == "rebuild") {
    rebuild(arguments, txn, collection);
    return "rebuilt";
  }
  if (what == "drop") {
    require(quire_index_drop(txn.handle(), collection.id(), name));
    return "dropped";
  }
  require(quire_index_rename(txn.handle(), collection.id(), name, arguments.rest[3].c_str()));
  return "renamed";
}

int change(const Arguments& arguments) {
  Database db = open_for_writing(arguments);
  Transaction txn = db.write();
  const std::string done = carry_out(arguments, txn, find_collection(txn, arguments.rest[0]));
  commit(arguments, &txn);
  db.close();
  Output output;
  if (arguments.json) output.write("{\"" + done + "\":true}\n");
  output.finish();
  return kDone;
}

}  // namespace

int run_index(const Arguments& arguments) {
  require_words(arguments, 1, 4, "COLLECTION [list | create | drop | rename | rebuild]");
  const std::string what = arguments.rest.size() == 1 ? "list" : arguments.rest[1];
  if (what != "create") {
    refuse_options(
        arguments,
        {"--unique", "--ignore-case", "--where", "--covering", "--kind", "--metric", "--options"},
        "is for 'create'");
  }
  if (what == "list") {
    require_words(arguments, 1, 2, "COLLECTION list");
    refuse_options(arguments, {"--durability", "--wait"}, "is for changes; this only reads");
    return list(arguments);
  }
  if (what == "create") {
    require_words(arguments, 3, 4, "COLLECTION create NAME FIELDS");
  } else if (what == "drop" || what == "rebuild") {
    require_words(arguments, 3, 3, "COLLECTION " + what + " NAME");
  } else if (what == "rename") {
    require_words(arguments, 4, 4, "COLLECTION rename NAME NEW");
  } else {
    throw Failure("'" + what +
                  "' is nothing to do with indexes; it is list, create, drop, rename "
                  "or rebuild; see 'quire index --help'");
  }
  return change(arguments);
}

}  // namespace quire::tools
