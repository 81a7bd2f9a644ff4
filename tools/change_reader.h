// Changes of a collection's records, as `quire batch` reads them: one object in JSON each.
//
//     {"insert": RECORD}        {"update": KEY, "set": FIELDS, "if": FIELDS}
//     {"upsert": RECORD}        {"delete": KEY}
//
// "if" may stand with each but an insert.
#pragma once

#include <quire/quire.hpp>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "tools/assignments.h"
#include "tools/convert.h"
#include "tools/record.h"
#include "tools/schema.h"

namespace quire::tools {

class ChangeReader {
 public:
  // The schema must outlive it.
  ChangeReader(const Schema& schema, bool ignore_unknown)
      : schema_(schema), row_(schema, ignore_unknown) {}
  ChangeReader(const ChangeReader&) = delete;
  ChangeReader& operator=(const ChangeReader&) = delete;

  // Adds the change that a line of NDJSON says. False, and why, when it says none; then there is
  // none more.
  bool add(const Record& line, std::string* reason);
  // Good until the next call of add(); what they borrow is the reader's.
  const std::vector<Change>& changes() const { return changes_; }

 private:
  // Where a line has its parts; empty: nowhere.
  struct Parts {
    std::string_view kind, what, set, condition;
  };

  static bool take_apart(const Record& line, Parts* parts, std::string* reason);
  bool take_record(const Parts& parts, Change* change, std::string* reason);
  bool take_key(const Parts& parts, Change* change, std::string* reason);
  bool take_set(const Parts& parts, Change* change, std::string* reason);
  bool take_condition(const Parts& parts, Change* change, std::string* reason);
  // Copies whose memory is the reader's.
  Value keep(const Value& value) { return store_.emplace_back(value); }
  std::vector<Value>& keep(const std::vector<Value>& values);

  const Schema& schema_;
  RowBuilder row_;
  std::deque<quire::OwnedValue> store_;
  std::deque<std::vector<Value>> values_;
  std::deque<std::vector<std::uint32_t>> fields_;
  std::deque<std::vector<Expected>> expected_;
  std::vector<Change> changes_;
};

}  // namespace quire::tools
