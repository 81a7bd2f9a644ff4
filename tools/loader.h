// The loop of `quire load`: records from a source into a sink, a batch a transaction.
#pragma once

#include <quire/quire.hpp>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "tools/arguments.h"
#include "tools/output.h"
#include "tools/record_sink.h"
#include "tools/record_source.h"

namespace quire::tools {

struct LoadResult {
  std::uint64_t records = 0;  // committed
  std::uint64_t skipped = 0;
  std::uint64_t left_out = 0;  // deleted, by the input itself
  // With bad records skipped: the line from which the rest of the input is lost; 0: none is.
  std::uint64_t lost_from_line = 0;
  double seconds = 0;
};

// Invariants: at most one transaction is open, and holds at most `batch` records or about
// kBatchBytes of input; what LoadResult counts is committed.
class Loader {
 public:
  // input_bytes: for progress, where known. `arguments` must outlive the loader.
  Loader(RecordSource* source, const Arguments& arguments, std::optional<std::uint64_t> input_bytes)
      : source_(source), arguments_(arguments), input_bytes_(input_bytes) {}

  // Reads up to `count` records ahead and gives each to `look`; run() begins with them. One that
  // `look` refuses, with a reason, is a bad record. Bounded by kBatchBytes of input too.
  template <class Look>
  void look_ahead(std::uint64_t count, Look look) {
    std::string reason;
    while (ahead_.size() < count && source_->consumed_bytes() < kBatchBytes) {
      std::optional<Record> record = read();
      if (!record) return;
      if (look(*record, &reason)) {
        ahead_.push_back(std::move(*record));
      } else {
        bad_record(record->line, reason);
      }
    }
  }

  // Throws Failure at the first bad record (unless they are skipped), at an error of the database
  // and when interrupted: the open batch is undone, and the message says what is committed and
  // where to go on.
  LoadResult run(Database* db, RecordSink* sink);

 private:
  // Bounds the memory of a transaction of long records.
  static constexpr std::uint64_t kBatchBytes = 16u << 20;
  // More bad records than this are only counted: a wrong file has millions.
  static constexpr std::uint64_t kShownBad = 20;

  // The next good record; nothing at the end.
  std::optional<Record> read();
  std::optional<Record> next();
  void bad_record(std::uint64_t line, const std::string& reason);
  [[noreturn]] void stop_interrupted(std::uint64_t line);
  void load_all(Database* db, RecordSink* sink);
  void begin_batch(Database* db, RecordSink* sink, std::uint64_t line);
  void commit_batch();
  void show_progress();
  [[noreturn]] void stop(const std::string& why, int exit_code);

  RecordSource* source_;
  const Arguments& arguments_;
  std::optional<std::uint64_t> input_bytes_;
  std::deque<Record> ahead_;
  Transaction txn_;
  std::uint64_t in_batch_ = 0;
  std::uint64_t batch_first_line_ = 0;   // of the open batch; where to go on when it is undone
  std::uint64_t batch_begin_bytes_ = 0;  // consumed when it began
  bool reached_from_line_ = false;
  LoadResult result_;
  Progress progress_;
};

}  // namespace quire::tools
