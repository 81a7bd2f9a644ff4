#include "tools/bench/text_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "tools/table.h"

namespace quire::text {
namespace {

using tools::display_width;

std::string padded(std::string_view text, std::size_t width, Align align) {
  const std::string space(width - std::min(width, display_width(text)), ' ');
  return align == Align::kLeft ? std::string(text) + space : space + std::string(text);
}

}  // namespace

std::string Table::to_text(std::string_view indent) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = display_width(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, display_width(row[i]));
    widths.push_back(width);
  }
  std::string out;
  const auto add_line = [&](const auto& cell_of) {
    std::string line(indent);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) line += "  ";
      line += padded(cell_of(i), widths[i], columns_[i].align);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  add_line([&](std::size_t i) { return columns_[i].title; });
  add_line([&](std::size_t i) { return std::string(widths[i], '-'); });
  for (const auto& row : rows_) add_line([&](std::size_t i) { return row[i]; });
  return out;
}

std::string Table::to_markdown() const {
  std::string out;
  const auto add_line = [&](const auto& cell_of) {
    for (std::size_t i = 0; i < columns_.size(); ++i) out += "| " + cell_of(i) + " ";
    out += "|\n";
  };
  add_line([&](std::size_t i) { return columns_[i].title; });
  add_line([&](std::size_t i) {
    return std::string(columns_[i].align == Align::kLeft ? "---" : "---:");
  });
  for (const auto& row : rows_) add_line([&](std::size_t i) { return row[i]; });
  return out;
}

std::string grouped(double number) {
  char digits[64];
  std::snprintf(digits, sizeof digits, "%.0f", number);
  std::string text = digits;
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  for (std::size_t i = text.size(); i > first + 3;) {
    i -= 3;
    text.insert(i, 1, ',');
  }
  return text;
}

std::string rounded(double number) {
  const double size = std::fabs(number);
  if (size >= 100 || size == 0) return grouped(number);
  char text[64];
  std::snprintf(text, sizeof text, size >= 10 ? "%.1f" : size >= 1 ? "%.2f" : "%.3f", number);
  return text;
}

}  // namespace quire::text
