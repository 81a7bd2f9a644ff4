#include "tools/table.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace quire::tools {
namespace {

constexpr std::size_t kGap = 2;
// Columns are not made narrower than this: a table wider than the terminal is better than none.
constexpr std::size_t kMinWidth = 6;

struct Span {
  char32_t first, last;
};
// The blocks of East Asian wide characters and emoji, coarsely: enough to keep columns straight.
constexpr std::array<Span, 9> kWide{{{0x1100, 0x115F},
                                     {0x2E80, 0xA4CF},
                                     {0xAC00, 0xD7A3},
                                     {0xF900, 0xFAFF},
                                     {0xFE30, 0xFE6F},
                                     {0xFF00, 0xFF60},
                                     {0xFFE0, 0xFFE6},
                                     {0x1F300, 0x1FAFF},
                                     {0x20000, 0x3FFFD}}};
constexpr std::array<Span, 4> kCombining{
    {{0x0300, 0x036F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};

template <std::size_t N>
bool in_any(const std::array<Span, N>& spans, char32_t c) {
  return std::any_of(spans.begin(), spans.end(),
                     [c](const Span& span) { return c >= span.first && c <= span.last; });
}

// Takes one character off the front; the text has been checked or escaped before it comes here.
char32_t take_character(std::string_view* text) {
  const auto first = static_cast<unsigned char>(text->front());
  const std::size_t length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t c = length == 1 ? first : first & (0xFFu >> (length + 1));
  const std::size_t end = std::min(length, text->size());
  for (std::size_t i = 1; i < end; ++i) c = c << 6 | (static_cast<unsigned char>((*text)[i]) & 63u);
  text->remove_prefix(end);
  return c;
}

std::size_t character_width(char32_t c) {
  if (c < 0x300) return 1;
  if (in_any(kCombining, c)) return 0;
  return in_any(kWide, c) ? 2 : 1;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) width += character_width(take_character(&text));
  return width;
}

std::string fit(std::string_view text, std::size_t width) {
  if (text.size() <= width || display_width(text) <= width) return std::string(text);
  std::string cut;
  std::size_t used = 0;
  while (!text.empty()) {
    std::string_view rest = text;
    const std::size_t next = character_width(take_character(&rest));
    if (used + next + 1 > width) break;
    used += next;
    cut.append(text.substr(0, text.size() - rest.size()));
    text = rest;
  }
  return cut + "…";
}

TablePrinter::TablePrinter(std::vector<Column> columns, Output* output, std::size_t max_width)
    : columns_(std::move(columns)), output_(output), max_width_(max_width) {}

void TablePrinter::add(std::vector<std::string> row) {
  if (!widths_.empty()) {
    print(row);
    return;
  }
  kept_.push_back(std::move(row));
  if (kept_.size() == kWindow) flush();
}

void TablePrinter::finish() {
  if (widths_.empty()) flush();
}

void TablePrinter::choose_widths() {
  for (const Column& column : columns_) widths_.push_back(display_width(column.title));
  for (const auto& row : kept_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths_[i] = std::max(widths_[i], display_width(row[i]));
    }
  }
  if (max_width_ == 0) return;
  const std::size_t gaps = kGap * (columns_.size() - 1);
  // The widest column gives way first: the narrow ones are keys and numbers.
  while (std::accumulate(widths_.begin(), widths_.end(), gaps) > max_width_) {
    const auto widest = std::max_element(widths_.begin(), widths_.end());
    if (*widest <= kMinWidth) return;
    --*widest;
  }
}

void TablePrinter::flush() {
  choose_widths();
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  print(titles);
  for (const auto& row : kept_) print(row);
  kept_.clear();
}

void TablePrinter::print(const std::vector<std::string>& row) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::string cell = max_width_ == 0 ? row[i] : fit(row[i], widths_[i]);
    const std::size_t width = display_width(cell);
    const std::string padding(widths_[i] > width ? widths_[i] - width : 0, ' ');
    if (i > 0) line.append(kGap, ' ');
    line += columns_[i].right ? padding + cell : cell + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  output_->write(line + "\n");
}

void print_pairs(const std::vector<std::pair<std::string, std::string>>& pairs, Output* output,
                 std::size_t max_width) {
  std::size_t name_width = 0;
  for (const auto& [name, value] : pairs) name_width = std::max(name_width, display_width(name));
  for (const auto& [name, value] : pairs) {
    std::string line = name + std::string(name_width - display_width(name) + kGap, ' ') + value;
    if (max_width > name_width + kGap + kMinWidth) line = fit(line, max_width);
    output->write(line + "\n");
  }
}

}  // namespace quire::tools
