// batch: many changes of one collection, as one.
#include <string>
#include <vector>

#include "tools/byte_source.h"
#include "tools/change_reader.h"
#include "tools/failure.h"
#include "tools/output.h"
#include "tools/record_source.h"
#include "tools/session.h"
#include "tools/signals.h"
#include "tools/value_text.h"
#include "tools/verbs.h"

namespace quire::tools {
namespace {

// A change that was not carried out.
struct FailedLine {
  std::uint64_t line = 0;
  std::string code;   // of the library, without QUIRE_ERR_, in small letters
  std::string error;  // the sentence; empty: it was told when the batch was applied
};

struct Outcome {
  std::vector<FailedLine> failed;  // in the order of their lines
  std::uint64_t applied = 0;
  bool replayed = false;
};

// A line of the input, or why it is none.
struct Line {
  Record record;
  std::string reason;  // empty: the record is good
};

[[noreturn]] void refuse_line(const Line& line) {
  throw Failure("line " + std::to_string(line.record.line) + ": " + line.reason +
                "; nothing was changed");
}

// Everything is read before the database is opened: nobody waits for our input.
std::vector<Line> read_lines(const Arguments& arguments) {
  catch_interrupts();
  FileSource input(arguments.rest[1]);
  NdjsonSource source(&input, arguments.max_line_bytes);
  std::vector<Line> lines;
  for (;;) {
    Line line;
    const ReadStatus status = source.next(&line.record, &line.reason);
    // An interrupted read looks like the end of the input.
    if (interrupted()) throw Failure("interrupted; nothing was changed", kInterrupted);
    if (status == ReadStatus::kEnd) break;
    if (status == ReadStatus::kRecord) line.reason.clear();
    if (status == ReadStatus::kBad && !arguments.partial) refuse_line(line);
    lines.push_back(std::move(line));
  }
  forget_interrupts();  // from here on one ends the process, and with it the transaction
  return lines;
}

class Batch {
 public:
  Batch(const Arguments& arguments, const Schema& schema)
      : arguments_(arguments), reader_(schema, arguments.ignore_unknown) {}

  // Lines that say no change fail by themselves, or all of the batch.
  void take(std::vector<Line>* lines) {
    for (Line& line : *lines) {
      if (line.reason.empty() && reader_.add(line.record, &line.reason)) {
        lines_.push_back(line.record.line);
        continue;
      }
      if (!arguments_.partial) refuse_line(line);
      refused_.push_back({line.record.line, "invalid", line.reason});
    }
  }

  // Carries them out. What is wrong with the batch as a whole is thrown.
  Outcome apply(const Transaction& txn, const Collection& collection) const {
    std::vector<quire_change_result> results(reader_.changes().size());
    quire_batch_result result{};
    result.size = sizeof result;
    const quire_batch_options options = batch_options();
    const int code = quire_batch_apply(txn.handle(), collection.id(), reader_.changes().data(),
                                       reader_.changes().size(), &options, results.data(), &result);
    // The failure of a change is an answer; with any other error nothing is filled in.
    if (result.failed == 0) require(code);
    return outcome_of(results, result);
  }

 private:
  quire_batch_options batch_options() const {
    quire_batch_options options = QUIRE_BATCH_OPTIONS_INIT;
    if (arguments_.partial) options.flags = QUIRE_BATCH_PARTIAL;
    if (!arguments_.once.empty()) options.key = {arguments_.once.data(), arguments_.once.size()};
    options.remember_s = arguments_.remember_s;
    return options;
  }
  // Those that failed in the library and before it, by their lines.
  Outcome outcome_of(const std::vector<quire_change_result>& results,
                     const quire_batch_result& result) const {
    Outcome outcome{{}, result.applied, result.replayed != 0};
    auto refused = refused_.begin();
    for (std::size_t i = 0; i < results.size(); ++i) {
      const quire_change_result& one = results[i];
      if (one.code == QUIRE_OK) continue;
      for (; refused != refused_.end() && refused->line < lines_[i]; ++refused)
        outcome.failed.push_back(*refused);
      const bool told = one.message != nullptr && !outcome.replayed;
      outcome.failed.push_back({lines_[i], quire_error_name(one.code), told ? one.message : ""});
    }
    outcome.failed.insert(outcome.failed.end(), refused, refused_.end());
    return outcome;
  }

  const Arguments& arguments_;
  ChangeReader reader_;
  std::vector<std::uint64_t> lines_;  // one a change
  std::vector<FailedLine> refused_;
};

std::string json_of(const FailedLine& failed) {
  std::string json =
      "{\"line\":" + std::to_string(failed.line) + ",\"code\":\"" + failed.code + "\",\"error\":";
  if (failed.error.empty()) {
    json += "null";
  } else {
    append_json_string(failed.error, &json);
  }
  return json + "}\n";
}

void report_json(const Outcome& outcome) {
  Output output;
  for (const FailedLine& failed : outcome.failed) output.write(json_of(failed));
  output.write("{\"applied\":" + std::to_string(outcome.applied) +
               ",\"failed\":" + std::to_string(outcome.failed.size()) +
               ",\"replayed\":" + (outcome.replayed ? "true" : "false") + "}\n");
  output.finish();
}

void report_text(const Arguments& arguments, const Outcome& outcome) {
  constexpr std::size_t kShown = 20;
  for (std::size_t i = 0; i < std::min(outcome.failed.size(), kShown); ++i) {
    const FailedLine& failed = outcome.failed[i];
    message("line " + std::to_string(failed.line) + ": " +
            (failed.error.empty() ? failed.code : failed.error));
  }
  if (outcome.failed.size() > kShown) message("more changes failed; --json tells all of them");
  const std::string failed =
      outcome.failed.empty() ? "" : "; " + format_count(outcome.failed.size()) + " failed";
  if (!outcome.failed.empty() && !arguments.partial) {
    message("nothing was changed");
  } else if (outcome.replayed) {
    message("this batch was applied before: " + count_of(outcome.applied, "change") + failed +
            "; nothing was changed now");
  } else {
    message("applied " + count_of(outcome.applied, "change") + failed);
  }
}

}  // namespace

int run_batch(const Arguments& arguments) {
  require_words(arguments, 2, 2, "COLLECTION FILE");
  if (arguments.once.empty()) {
    refuse_options(arguments, {"--remember"}, "is for --once KEY: how long that is remembered");
  }
  std::vector<Line> lines = read_lines(arguments);
  Database db = open_for_writing(arguments);
  Transaction txn = db.write();
  const Collection collection = find_collection(txn, arguments.rest[0]);
  const Schema schema = schema_of(txn, collection);
  Batch batch(arguments, schema);
  batch.take(&lines);
  const Outcome outcome = batch.apply(txn, collection);
  // One that failed as a whole has changed nothing.
  if (arguments.partial || outcome.failed.empty()) {
    commit(arguments, &txn);
  } else {
    txn.abort();
  }
  db.close();
  if (arguments.json) {
    report_json(outcome);
  } else {
    report_text(arguments, outcome);
  }
  return outcome.failed.empty() ? kDone : kNegative;
}

}  // namespace quire::tools
