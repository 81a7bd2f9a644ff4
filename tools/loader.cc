#include "tools/loader.h"

#include <array>
#include <cstdio>

#include "tools/failure.h"
#include "tools/session.h"
#include "tools/signals.h"

namespace quire::tools {

std::optional<Record> Loader::read() {
  Record record;
  std::string reason;
  for (;;) {
    const ReadStatus status = source_->next(&record, &reason);
    // An interrupted read looks like the end of the input.
    if (interrupted()) stop_interrupted(record.line);
    if (status == ReadStatus::kEnd) {
      if (reached_from_line_ || arguments_.from_line == 1) return std::nullopt;
      stop("--from-line " + std::to_string(arguments_.from_line) + " is behind the last record",
           kFailed);
    }
    const bool lost_rest = status == ReadStatus::kBad && source_->lost_rest();
    if (record.line < arguments_.from_line && !lost_rest) continue;
    reached_from_line_ = true;
    if (status == ReadStatus::kRecord) return record;
    if (status == ReadStatus::kLeftOut) {
      ++result_.left_out;
      continue;
    }
    if (batch_first_line_ == 0) batch_first_line_ = record.line;
    bad_record(record.line, reason);
    if (lost_rest) result_.lost_from_line = record.line;
  }
}

void Loader::stop_interrupted(std::uint64_t line) {
  if (batch_first_line_ == 0) batch_first_line_ = ahead_.empty() ? line : ahead_.front().line;
  stop("interrupted", kInterrupted);
}

std::optional<Record> Loader::next() {
  if (ahead_.empty()) return read();
  std::optional<Record> record = std::move(ahead_.front());
  ahead_.pop_front();
  if (interrupted()) stop_interrupted(record->line);
  return record;
}

void Loader::bad_record(std::uint64_t line, const std::string& reason) {
  const std::string text = source_->place(line) + ": " + reason;
  if (!arguments_.skip_bad) stop(text, kFailed);
  progress_.clear();
  if (result_.skipped++ < kShownBad) {
    message("skipped " + text);
  } else if (result_.skipped == kShownBad + 1) {
    message("more bad records; from here on they are only counted");
  }
}

void Loader::begin_batch(Database* db, RecordSink* sink, std::uint64_t line) {
  txn_ = db->write();
  in_batch_ = 0;
  batch_first_line_ = line;
  batch_begin_bytes_ = source_->consumed_bytes();
  sink->begin(&txn_);
}

void Loader::commit_batch() {
  commit(arguments_, &txn_);
  result_.records += in_batch_;
  in_batch_ = 0;
  batch_first_line_ = 0;
}

void Loader::load_all(Database* db, RecordSink* sink) {
  std::string reason;
  // Also without records: a schema with an empty input makes an empty collection.
  begin_batch(db, sink, 0);
  while (const std::optional<Record> record = next()) {
    if (!txn_) begin_batch(db, sink, record->line);
    if (batch_first_line_ == 0) batch_first_line_ = record->line;
    if (sink->store(*record, &reason)) {
      ++in_batch_;
    } else {
      bad_record(record->line, reason);
    }
    const std::uint64_t bytes = source_->consumed_bytes() - batch_begin_bytes_;
    if (in_batch_ >= arguments_.batch || bytes >= kBatchBytes) commit_batch();
    if (progress_.due()) show_progress();
  }
  if (txn_) commit_batch();
}

LoadResult Loader::run(Database* db, RecordSink* sink) {
  try {
    load_all(db, sink);
  } catch (const Error& error) {
    stop(explain(error, arguments_), kFailed);
  }
  progress_.clear();
  result_.seconds = progress_.seconds();
  return result_;
}

void Loader::stop(const std::string& why, int exit_code) {
  txn_.abort();
  progress_.clear();
  std::string text = why + "\nquire: ";
  if (result_.records == 0) {
    text += "nothing was loaded";
  } else {
    const auto are = [](std::uint64_t count) { return count == 1 ? " is " : " are "; };
    text += count_of(result_.records, "record") + are(result_.records) + "committed";
    if (in_batch_ > 0) {
      text += ", " + format_count(in_batch_) + " of the last batch" + are(in_batch_) + "undone";
    }
  }
  if (result_.records > 0 && batch_first_line_ > 0) {
    text += "; go on with --from-line " + std::to_string(batch_first_line_);
  }
  throw Failure(text, exit_code);
}

void Loader::show_progress() {
  const std::uint64_t records = result_.records + in_batch_;
  const double rate = static_cast<double>(records) / progress_.seconds();
  std::string text = count_of(records, "record") + ", " +
                     format_count(static_cast<unsigned long long>(rate)) + "/s";
  if (input_bytes_ && *input_bytes_ > 0) {
    constexpr std::size_t kBar = 30;
    const double share = std::min(
        1.0, static_cast<double>(source_->consumed_bytes()) / static_cast<double>(*input_bytes_));
    const auto full = static_cast<std::size_t>(share * kBar);
    std::array<char, 16> percent;
    std::snprintf(percent.data(), percent.size(), "%3.0f%% ", share * 100);
    text =
        "[" + std::string(full, '#') + std::string(kBar - full, ' ') + "] " + percent.data() + text;
  } else {
    text += ", " + format_bytes(static_cast<double>(source_->consumed_bytes()));
  }
  progress_.update(text);
}

}  // namespace quire::tools
