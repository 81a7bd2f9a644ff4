// query, count, explain: what a filter finds, and how.
#include <optional>

#include "tools/explain_text.h"
#include "tools/failure.h"
#include "tools/open_query.h"
#include "tools/output.h"
#include "tools/row_printer.h"
#include "tools/session.h"
#include "tools/verbs.h"

namespace quire::tools {
namespace {

std::string filter_of(const Arguments& arguments) {
  require_words(arguments, 1, 2, "COLLECTION [FILTER]");
  if (arguments.rest.size() == 2 && arguments.rest[1].empty()) {
    throw Failure("the filter is empty; leave it out for all records");
  }
  return arguments.rest.size() == 2 ? arguments.rest[1] : "";
}

RowForm form_of(const Arguments& arguments) {
  if (arguments.csv) {
    refuse_options(arguments, {"--json"}, "and --csv exclude each other");
    return RowForm::kCsv;
  }
  return arguments.json ? RowForm::kJson : RowForm::kTable;
}

// JSON has it among the data, as the last line; else it is a message.
void print_token(const Arguments& arguments, const std::string& token, Output* output) {
  if (token.empty()) {
    message("there is no row to go on behind");
  } else if (arguments.json) {
    output->write("{\"token\":\"" + token + "\"}\n");
  } else {
    message("go on with --token " + token);
  }
}

// Rows that were found before a budget was used up are good, and so is the token of the last.
class RowLoop {
 public:
  RowLoop(const Arguments& arguments, OpenQuery* query, RowPrinter* printer)
      : arguments_(arguments),
        query_(query),
        printer_(printer),
        // Afterwards it is too late to ask.
        each_may_be_last_(
            (arguments.budget_ms | arguments.budget_entries | arguments.budget_bytes) != 0) {}

  // Gives the error of the budget, if it ended there.
  std::optional<Error> run() {
    try {
      while (const std::vector<Value>* row = query_->next()) {
        printer_->add(*row);
        ++rows_;
        const bool at_limit = rows_ == arguments_.limit;
        if (arguments_.give_token && (each_may_be_last_ || at_limit)) token_ = query_->token();
      }
    } catch (const Error& error) {
      if (error.code() != QUIRE_ERR_BUDGET) throw;
      return error;
    }
    return std::nullopt;
  }
  bool at_limit() const { return rows_ == arguments_.limit; }
  // Of the last row; empty where there was none.
  const std::string& token() const { return token_; }

 private:
  const Arguments& arguments_;
  OpenQuery* query_;
  RowPrinter* printer_;
  bool each_may_be_last_;
  std::uint64_t rows_ = 0;
  std::string token_;
};

}  // namespace

int run_query(const Arguments& arguments) {
  const std::string filter = filter_of(arguments);
  const RowForm form = form_of(arguments);
  if (arguments.give_token && !arguments.group.empty()) {
    refuse_options(arguments, {"--give-token"}, "is for records; groups have no token");
  }
  const QueryRequest request(arguments, filter);
  const Database db = open_for_reading(arguments);
  const Transaction txn = db.read();
  OpenQuery query(find_collection(txn, arguments.rest[0]), request);
  const auto all = select_fields(query.columns(), "");
  Output output;
  RowPrinter printer(query.columns(), all, form, &output);
  RowLoop loop(arguments, &query, &printer);
  const std::optional<Error> stopped = loop.run();
  printer.finish();
  // Where all was given there is nothing to go on with.
  const bool more = stopped || loop.at_limit();
  if (arguments.give_token && more) print_token(arguments, loop.token(), &output);
  output.finish();
  if (stopped) throw *stopped;
  return kDone;
}

int run_count(const Arguments& arguments) {
  const QueryRequest request(arguments, filter_of(arguments));
  const Database db = open_for_reading(arguments);
  const Transaction txn = db.read();
  const std::uint64_t count = find_collection(txn, arguments.rest[0]).count(&request.options());
  Output output;
  const std::string number = std::to_string(count);
  output.write(arguments.json ? "{\"count\":" + number + "}\n" : number + "\n");
  output.finish();
  return kDone;
}

int run_explain(const Arguments& arguments) {
  const QueryRequest request(arguments, filter_of(arguments));
  const Database db = open_for_reading(arguments);
  const Transaction txn = db.read();
  OpenQuery query(find_collection(txn, arguments.rest[0]), request);
  while (!arguments.plan_only && query.next() != nullptr) {
  }
  const std::string json = query.explain();
  Output output;
  output.write(arguments.json ? json + "\n" : explain_as_text(json, !arguments.plan_only));
  output.finish();
  return kDone;
}

}  // namespace quire::tools
