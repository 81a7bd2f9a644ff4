// Rows on standard output: as a table, as JSON a line, as CSV.
#pragma once

#include <quire/quire.hpp>

#include <optional>
#include <span>
#include <vector>

#include "tools/output.h"
#include "tools/schema.h"
#include "tools/table.h"

namespace quire::tools {

enum class RowForm { kTable, kJson, kCsv };

class RowPrinter {
 public:
  // The columns are the fields at `selected`. Borrows both, and the output.
  RowPrinter(const Schema& schema, std::span<const std::size_t> selected, RowForm form,
             Output* output);

  // One value a field of the schema. Throws Failure for what CSV can't hold.
  void add(std::span<const Value> values);
  void finish();

 private:
  void add_csv(std::span<const Value> values);

  const Schema& schema_;
  std::span<const std::size_t> selected_;
  RowForm form_;
  Output* output_;
  std::optional<TablePrinter> table_;
  std::string line_;
};

}  // namespace quire::tools
