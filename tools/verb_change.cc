// update, delete: changes of all records that a filter finds, or of one that is named.
#include "tools/assignments.h"
#include "tools/convert.h"
#include "tools/failure.h"
#include "tools/output.h"
#include "tools/query_request.h"
#include "tools/session.h"
#include "tools/value_text.h"
#include "tools/verbs.h"

namespace quire::tools {
namespace {

// The filter, which is the second word, or none with --all. Throws Failure where it is not clear
// that all records are meant.
std::string filter_of(const Arguments& arguments, const std::string& behind) {
  if (arguments.all) return "";
  if (arguments.rest.size() < 2 || arguments.rest[1].empty()) {
    throw Failure("which records? " + arguments.verb + " wants DB COLLECTION FILTER" + behind +
                  "; --all in place of FILTER means all of them");
  }
  return arguments.rest[1];
}

// The words that say what is assigned.
std::vector<std::string> words_from(const Arguments& arguments, std::size_t first) {
  return {arguments.rest.begin() + static_cast<std::ptrdiff_t>(first), arguments.rest.end()};
}

int report(const Arguments& arguments, const char* done, std::uint64_t count) {
  if (!arguments.json) message(std::string(done) + " " + count_of(count, "record"));
  Output output;
  if (arguments.json) {
    output.write("{\"" + std::string(done) + "\":" + std::to_string(count) + "}\n");
  }
  output.finish();
  return kDone;
}

int update_found(const Arguments& arguments) {
  refuse_options(arguments, {"--if"}, "is for --record KEY; a filter says what it says");
  const std::size_t first = arguments.all ? 1 : 2;
  const std::string filter = filter_of(arguments, " FIELD=VALUE...");
  require_words(arguments, first + 1, SIZE_MAX, "COLLECTION FILTER|--all FIELD=VALUE...");
  const QueryRequest request(arguments, filter);
  Database db = open_for_writing(arguments);
  Transaction txn = db.write();
  Collection collection = find_collection(txn, arguments.rest[0]);
  const Schema schema = schema_of(txn, collection);
  const Assignments set(schema, words_from(arguments, first));
  const std::uint64_t updated = collection.update(&request.options(), set.fields(), set.values());
  commit(arguments, &txn);
  db.close();
  return report(arguments, "updated", updated);
}

int update_one(const Arguments& arguments) {
  refuse_options(arguments,
                 {"--all", "--order", "--limit", "--offset", "--arg", "--param", "--index",
                  "--no-index", "--budget-ms", "--budget-entries", "--budget-bytes"},
                 "is for a filter; --record names the one record");
  require_words(arguments, 2, SIZE_MAX, "COLLECTION --record KEY FIELD=VALUE...");
  Database db = open_for_writing(arguments);
  Transaction txn = db.write();
  Collection collection = find_collection(txn, arguments.rest[0]);
  const Schema schema = schema_of(txn, collection);
  const OwnedKey key(arguments.record, schema);
  const Assignments set(schema, words_from(arguments, 1));
  const Assignments condition(schema, arguments.conditions);
  const bool there = with_conditions([&] {
    return collection.update(key.key(), set.fields(), set.values(), condition.expected());
  });
  if (!there) throw Failure("no record '" + bytes_for_table(arguments.record) + "'", kNegative);
  commit(arguments, &txn);
  db.close();
  return report(arguments, "updated", 1);
}

}  // namespace

int run_update(const Arguments& arguments) {
  return arguments.has_record ? update_one(arguments) : update_found(arguments);
}

int run_delete(const Arguments& arguments) {
  const std::string filter = filter_of(arguments, "");
  require_words(arguments, arguments.all ? 1 : 2, arguments.all ? 1 : 2, "COLLECTION FILTER|--all");
  const QueryRequest request(arguments, filter);
  Database db = open_for_writing(arguments);
  Transaction txn = db.write();
  const std::uint64_t deleted = find_collection(txn, arguments.rest[0]).erase(&request.options());
  commit(arguments, &txn);
  db.close();
  return report(arguments, "deleted", deleted);
}

}  // namespace quire::tools
