// update, delete: changes of all records that a filter finds.
#include <algorithm>

#include "tools/convert.h"
#include "tools/failure.h"
#include "tools/output.h"
#include "tools/query_request.h"
#include "tools/session.h"
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

// What `FIELD=VALUE` and `FIELD:=JSON` say, in the form of the C interface.
class Assignments {
 public:
  explicit Assignments(const Schema& schema) : schema_(schema) {}

  void add(const std::string& word) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Failure("'" + word + "' is not FIELD=VALUE or FIELD:=JSON");
    }
    const bool json = word[equals - 1] == ':';
    const std::size_t index = schema_.require_field(word.substr(0, json ? equals - 1 : equals));
    const auto field = static_cast<std::uint32_t>(index);
    if (std::find(fields_.begin(), fields_.end(), field) != fields_.end()) {
      throw Failure("field '" + schema_.fields[index].name + "' is there twice");
    }
    fields_.push_back(field);
    values_.push_back(value_of(schema_.fields[index], word.substr(equals + 1), json));
  }
  const std::vector<std::uint32_t>& fields() const { return fields_; }
  const std::vector<Value>& values() const { return values_; }

 private:
  Value value_of(const Field& field, const std::string& text, bool json) {
    OwnedValue& owned = owned_.emplace_back();
    std::string reason;
    // As an empty CSV cell.
    if (!json && text.empty() && field.nullable) return null_value();
    const bool good = json ? value_from_json(text, field, &owned, &reason)
                           : value_from_text(text, field, &owned, &reason);
    if (!good) throw Failure(reason);
    return owned.value;
  }

  const Schema& schema_;
  std::vector<std::uint32_t> fields_;
  std::vector<Value> values_;
  std::deque<OwnedValue> owned_;
};

int report(const Arguments& arguments, const char* done, std::uint64_t count) {
  if (!arguments.json) message(std::string(done) + " " + count_of(count, "record"));
  Output output;
  if (arguments.json) {
    output.write("{\"" + std::string(done) + "\":" + std::to_string(count) + "}\n");
  }
  output.finish();
  return kDone;
}

}  // namespace

int run_update(const Arguments& arguments) {
  const std::size_t first = arguments.all ? 1 : 2;
  const std::string filter = filter_of(arguments, " FIELD=VALUE...");
  require_words(arguments, first + 1, SIZE_MAX, "COLLECTION FILTER|--all FIELD=VALUE...");
  const QueryRequest request(arguments, filter);
  Database db = open_for_writing(arguments);
  Transaction txn = db.write();
  const Collection collection = find_collection(txn, arguments.rest[0]);
  const Schema schema = schema_of(txn, collection);
  Assignments assignments(schema);
  for (std::size_t i = first; i < arguments.rest.size(); ++i) assignments.add(arguments.rest[i]);
  std::uint64_t updated = 0;
  require(quire_query_update(txn.handle(), collection.id(), &request.options(),
                             assignments.fields().data(), assignments.values().data(),
                             assignments.fields().size(), &updated));
  txn.commit();
  db.close();
  return report(arguments, "updated", updated);
}

int run_delete(const Arguments& arguments) {
  const std::string filter = filter_of(arguments, "");
  require_words(arguments, arguments.all ? 1 : 2, arguments.all ? 1 : 2, "COLLECTION FILTER|--all");
  const QueryRequest request(arguments, filter);
  Database db = open_for_writing(arguments);
  Transaction txn = db.write();
  const Collection collection = find_collection(txn, arguments.rest[0]);
  std::uint64_t deleted = 0;
  require(quire_query_delete(txn.handle(), collection.id(), &request.options(), &deleted));
  txn.commit();
  db.close();
  return report(arguments, "deleted", deleted);
}

}  // namespace quire::tools
