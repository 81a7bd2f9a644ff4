// Aligned columns for people, as wide as the terminal allows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/output.h"

namespace quire::tools {

// Columns a UTF-8 text takes in a terminal: wide characters two, combining marks none.
std::size_t display_width(std::string_view text);
// Cut to `width` columns, with "…" at the end when something is missing.
std::string fit(std::string_view text, std::size_t width);

struct Column {
  std::string title;
  bool right = false;
};

// Rows are kept until kWindow of them tell how wide the columns should be, then streamed: memory
// does not grow with the table.
class TablePrinter {
 public:
  // max_width 0: no limit.
  TablePrinter(std::vector<Column> columns, Output* output, std::size_t max_width);

  void add(std::vector<std::string> row);
  // Prints what is still kept.
  void finish();

 private:
  static constexpr std::size_t kWindow = 500;

  void choose_widths();
  void flush();
  void print(const std::vector<std::string>& row);

  std::vector<Column> columns_;
  Output* output_;
  std::size_t max_width_;
  std::vector<std::vector<std::string>> kept_;
  std::vector<std::size_t> widths_;  // empty: not chosen yet
};

// "name   value" lines, names padded to the longest.
void print_pairs(const std::vector<std::pair<std::string, std::string>>& pairs, Output* output,
                 std::size_t max_width);

}  // namespace quire::tools
