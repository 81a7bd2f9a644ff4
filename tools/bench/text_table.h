// Aligned columns for terminals, and the same rows as a Markdown table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace quire::text {

enum class Align { kLeft, kRight };

class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  std::string to_text(std::string_view indent = "") const;
  std::string to_markdown() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "1,234,567", rounded to a whole number.
std::string grouped(double number);

// Three significant digits or so: "1,234", "12.3", "0.123".
std::string rounded(double number);

}  // namespace quire::text
