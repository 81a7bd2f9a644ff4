// stat, check, checkpoint, inspect.
#include <nlohmann/json.hpp>

#include <charconv>
#include <set>

#include "tools/failure.h"
#include "tools/output.h"
#include "tools/schema_json.h"
#include "tools/session.h"
#include "tools/table.h"
#include "tools/text_codec.h"
#include "tools/value_text.h"
#include "tools/verbs.h"

namespace quire::tools {
namespace {

using nlohmann::ordered_json;

std::string dump_json(const ordered_json& json, int indent) {
  return json.dump(indent, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string id_of(const quire_stat& stat) {
  return to_hex({reinterpret_cast<const char*>(stat.id), sizeof stat.id});
}

// What the writer's process does since it opened, and how: nothing to say where nobody writes.
ordered_json of_writer(const quire_stat& stat, std::uint64_t figure) {
  return stat.writer_pid == 0 ? ordered_json(nullptr) : ordered_json(figure);
}

ordered_json stat_json(const quire_stat& stat) {
  return {{"page_size", stat.page_size},
          {"format_version", stat.format_version},
          {"id", id_of(stat)},
          {"txn_number", stat.txn_number},
          {"lsn", stat.lsn},
          {"durable_lsn", stat.durable_lsn},
          {"checkpoint_txn", stat.checkpoint_txn},
          {"checkpoint_lsn", stat.checkpoint_lsn},
          {"published_txn", stat.published_txn},
          {"file_bytes", stat.file_bytes},
          {"log_bytes", stat.log_bytes},
          {"log_files", stat.log_files},
          {"pages_total", stat.pages_total},
          {"pages_free", stat.pages_free},
          {"pages_pinned", stat.pages_pinned},
          {"private_bytes", of_writer(stat, stat.private_bytes)},
          {"readers", stat.readers},
          {"oldest_reader_txn", stat.oldest_reader_txn},
          {"oldest_reader_age_ms", stat.oldest_reader_age_ms},
          {"oldest_reader_pinned_bytes", stat.oldest_reader_pinned_bytes},
          {"oldest_reader_pid", stat.oldest_reader_pid},
          {"writer_pid", stat.writer_pid},
          {"quota_bytes", of_writer(stat, stat.quota_bytes)},
          {"commits", of_writer(stat, stat.commits)},
          {"syncs", of_writer(stat, stat.syncs)},
          {"checkpoints", of_writer(stat, stat.checkpoints)}};
}

std::string stat_as_json(const Transaction& txn, const quire_stat& stat) {
  ordered_json root = stat_json(stat);
  root["collections"] = ordered_json::array();
  for (const Named& named : txn.collections()) {
    ordered_json collection =
        ordered_json::parse(schema_to_json(schema_of(txn, Collection(txn.handle(), named.id))));
    ordered_json entry{{"name", named.name}, {"records", named.count}};
    entry.update(collection);
    root["collections"].push_back(std::move(entry));
  }
  root["keyspaces"] = ordered_json::array();
  for (const Named& named : txn.keyspaces()) {
    root["keyspaces"].push_back({{"name", named.name}, {"entries", named.count}});
  }
  return dump_json(root, -1);
}

std::string pid_or(std::uint32_t pid, const char* nobody) {
  return pid == 0 ? nobody : "process " + std::to_string(pid);
}

void print_summary(const quire_stat& stat, Output* output) {
  const auto bytes = [](std::uint64_t count) { return format_bytes(static_cast<double>(count)); };
  const std::uint64_t page = stat.page_size;
  std::string data = bytes(stat.file_bytes);
  if (stat.pages_free > 0) data += ", free " + bytes(stat.pages_free * page);
  std::string oldest = "none";
  if (stat.readers > 0 && stat.oldest_reader_txn > 0) {
    oldest = "commit " + format_count(stat.oldest_reader_txn) + ", " +
             format_f64(static_cast<double>(stat.oldest_reader_age_ms) / 1000) + " s old, " +
             pid_or(stat.oldest_reader_pid, "unknown process") + ", pins " +
             bytes(stat.oldest_reader_pinned_bytes);
  }
  std::string quota = "of the writer, when there is one";
  if (stat.writer_pid != 0) quota = stat.quota_bytes == 0 ? "none" : bytes(stat.quota_bytes);
  print_pairs(
      {{"id", id_of(stat)},
       {"format", "version " + std::to_string(stat.format_version) + ", pages of " + bytes(page)},
       {"newest commit", format_count(stat.txn_number)},
       {"checkpoint", "commit " + format_count(stat.checkpoint_txn)},
       {"data file", data},
       {"log",
        bytes(stat.log_bytes) + " since the checkpoint, " + count_of(stat.log_files, "file")},
       {"quota", quota},
       {"writer", pid_or(stat.writer_pid, "nobody")},
       {"readers", format_count(stat.readers)},
       {"oldest reader", oldest}},
      output, terminal_width());
}

void print_contents(const Transaction& txn, Output* output) {
  const auto collections = txn.collections();
  if (!collections.empty()) {
    output->write("\n");
    TablePrinter table({{"collection"}, {"records", true}, {"key"}, {"fields"}}, output,
                       terminal_width());
    for (const Named& named : collections) {
      const Schema schema = schema_of(txn, Collection(txn.handle(), named.id));
      std::string fields;
      for (const Field& field : schema.fields) {
        fields += (fields.empty() ? "" : "; ") + field.name + " " + describe_field(field);
      }
      table.add({named.name, format_count(named.count), schema.key_names(), fields});
    }
    table.finish();
  }
  const auto keyspaces = txn.keyspaces();
  if (!keyspaces.empty()) {
    output->write("\n");
    TablePrinter table({{"keyspace"}, {"entries", true}}, output, terminal_width());
    for (const Named& named : keyspaces) table.add({named.name, format_count(named.count)});
    table.finish();
  }
}

// Codes by which opening says that the files are damaged, and not just not there or not ours.
bool is_damage(int code) {
  return code == QUIRE_ERR_CORRUPT || code == QUIRE_ERR_TRUNCATED ||
         code == QUIRE_ERR_LOG_DAMAGED || code == QUIRE_ERR_WRONG_ID;
}

// A damaged page is met once from each side that reaches it.
std::vector<std::string> without_repeats(const std::vector<std::string>& damage) {
  std::set<std::string> seen;
  std::vector<std::string> once;
  for (const std::string& text : damage) {
    if (seen.insert(text).second) once.push_back(text);
  }
  return once;
}

std::vector<std::string> find_damage(const Arguments& arguments) {
  try {
    return without_repeats(open_for_reading(arguments).check());
  } catch (const Error& error) {
    if (!is_damage(error.code())) throw;
    return {error.what()};
  }
}

std::uint64_t number_argument(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Failure("'" + text + "' is not a number; see 'quire inspect --help'");
  }
  return number;
}

// The first pages of the data file are the meta pages; they carry no kind of their own.
constexpr std::uint64_t kMetaPages = 2;
// The table is read as it lies there; whether a process lives is known by its locks only.
constexpr const char* kReadersNote =
    "pids are the last known: a process that died without closing stays until the next one opens";

ordered_json describe(const Arguments& arguments, std::uint32_t part, std::uint64_t number) {
  ordered_json json = ordered_json::parse(inspect(arguments.db, part, number), nullptr, false);
  if (json.is_object()) return json;
  throw Failure("the library described this as something that is not a JSON object");
}

// Throws Failure, naming the segments there are, when the one asked for is not among them.
void require_segment(const Arguments& arguments, const ordered_json& found, std::uint64_t number) {
  if (number != 0 && !found.at("segments").empty()) return;
  std::string numbers;
  for (const ordered_json& segment : describe(arguments, QUIRE_INSPECT_SEGMENT, 0).at("segments")) {
    numbers += (numbers.empty() ? "; there are: " : ", ") + segment.at("segment").dump();
  }
  throw Failure("no log segment " + std::to_string(number) +
                (numbers.empty() ? "; there are none" : numbers));
}

}  // namespace

int run_stat(const Arguments& arguments) {
  const Database db = open_for_reading(arguments);
  const quire_stat stat = db.stat();  // before our own transaction, which would count as a reader
  const Transaction txn = db.read();
  Output output;
  if (arguments.json) {
    output.write(stat_as_json(txn, stat));
  } else {
    print_summary(stat, &output);
    print_contents(txn, &output);
  }
  output.finish();
  return kDone;
}

int run_check(const Arguments& arguments) {
  const std::vector<std::string> damage = find_damage(arguments);
  Output output;
  if (arguments.json) {
    output.write(dump_json({{"clean", damage.empty()}, {"damage", damage}}, -1));
  } else if (damage.empty()) {
    output.write("clean\n");
  } else {
    for (const std::string& text : damage) output.write("damage: " + text + "\n");
    message(count_of(damage.size(), "damage") +
            " found; keep a copy of the files as they are before anything else");
  }
  output.finish();
  return damage.empty() ? kDone : kNegative;
}

int run_checkpoint(const Arguments& arguments) {
  Database db = open_for_writing(arguments);
  db.checkpoint();
  const quire_stat stat = db.stat();
  db.close();
  Output output;
  if (arguments.json) {
    output.write(dump_json({{"checkpoint_txn", stat.checkpoint_txn}}, -1));
  } else {
    message("checkpoint at commit " + format_count(stat.checkpoint_txn));
  }
  output.finish();
  return kDone;
}

int run_inspect(const Arguments& arguments) {
  require_words(arguments, 1, 2, "meta | page N | segment [N] | readers");
  const std::string& what = arguments.rest[0];
  const bool has_number = arguments.rest.size() == 2;
  std::uint32_t part = 0;
  if (what == "meta") part = QUIRE_INSPECT_META;
  if (what == "page") part = QUIRE_INSPECT_PAGE;
  if (what == "segment") part = QUIRE_INSPECT_SEGMENT;
  if (what == "readers") part = QUIRE_INSPECT_READERS;
  if (part == 0) {
    throw Failure("'" + what + "' can't be inspected; it is meta, page N, segment [N] or readers");
  }
  const bool takes_number = part == QUIRE_INSPECT_PAGE || part == QUIRE_INSPECT_SEGMENT;
  if (has_number && !takes_number) throw Failure("'" + what + "' takes no number");
  if (part == QUIRE_INSPECT_PAGE && !has_number) throw Failure("which page? Give its number");
  const std::uint64_t number = has_number ? number_argument(arguments.rest[1]) : 0;
  ordered_json json = describe(arguments, part, number);
  if (part == QUIRE_INSPECT_SEGMENT && has_number) require_segment(arguments, json, number);
  if (part == QUIRE_INSPECT_PAGE && number < kMetaPages) json["kind"] = "meta, see inspect meta";
  if (part == QUIRE_INSPECT_READERS) json["note"] = kReadersNote;
  Output output;
  output.write(dump_json(json, arguments.json ? -1 : 2));
  output.finish();
  return kDone;
}

}  // namespace quire::tools
