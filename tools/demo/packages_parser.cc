#include "tools/demo/packages_parser.h"

#include <charconv>

namespace quire::demo {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool is_blank(std::string_view line) { return trimmed(line).empty(); }

// The end of the line that begins at `start`, without its line end.
std::size_t line_end(std::string_view text, std::size_t start) {
  const std::size_t end = text.find('\n', start);
  return end == std::string_view::npos ? text.size() : end;
}

// A long description as people read it: the leading blank of each line and the dots that stand for
// empty lines are of the format, not of the text.
std::string unfolded(std::string_view lines) {
  std::string out;
  for (std::size_t start = 0; start < lines.size();) {
    const std::size_t end = line_end(lines, start);
    const std::string_view line = trimmed(lines.substr(start, end - start));
    if (!out.empty()) out += '\n';
    if (line != ".") out += line;
    start = end + 1;
  }
  return out;
}

// "Description: summary", then the long one.
void split_description(std::string_view value, std::string& summary, std::string& description) {
  const std::size_t end = line_end(value, 0);
  summary = trimmed(value.substr(0, end));
  description = end < value.size() ? unfolded(value.substr(end + 1)) : "";
}

Package parse_package(std::string_view stanza) {
  Package package;
  for_each_field(stanza, [&](std::string_view field, std::string_view value) {
    if (field == "Package") {
      package.name = value;
    } else if (field == "Version") {
      package.version = value;
    } else if (field == "Section") {
      package.section = value;
    } else if (field == "Priority") {
      package.priority = value;
    } else if (field == "Maintainer") {
      package.maintainer = value;
    } else if (field == "Installed-Size") {
      package.installed_size_kib = whole_number(value);
    } else if (field == "Description" || (field == "Description-en" && package.summary.empty())) {
      split_description(value, package.summary, package.description);
    }
  });
  return package;
}

}  // namespace

void for_each_field(std::string_view stanza,
                    const std::function<void(std::string_view, std::string_view)>& visit) {
  for (std::size_t start = 0; start < stanza.size();) {
    std::size_t end = line_end(stanza, start);
    while (end + 1 < stanza.size() && (stanza[end + 1] == ' ' || stanza[end + 1] == '\t')) {
      end = line_end(stanza, end + 1);
    }
    const std::string_view lines = stanza.substr(start, end - start);
    const std::size_t colon = lines.find(':');
    if (colon != std::string_view::npos) {
      visit(lines.substr(0, colon), trimmed(lines.substr(colon + 1)));
    }
    start = end + 1;
  }
}

void for_each_stanza(std::string_view text, const std::function<void(std::string_view)>& visit) {
  std::size_t first = std::string_view::npos;  // of the stanza that is being read
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = line_end(text, start);
    const bool blank = is_blank(text.substr(start, end - start));
    if (!blank && first == std::string_view::npos) first = start;
    if (blank && first != std::string_view::npos) {
      visit(text.substr(first, start - first));
      first = std::string_view::npos;
    }
    start = end + 1;
  }
  if (first != std::string_view::npos) visit(text.substr(first));
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::vector<Package> parse_packages(std::string_view text) {
  std::vector<Package> packages;
  for_each_stanza(text, [&](std::string_view stanza) {
    Package package = parse_package(stanza);
    if (package.name.empty() || package.version.empty() || package.summary.empty()) return;
    packages.push_back(std::move(package));
  });
  return packages;
}

void parse_translations(std::string_view text,
                        const std::function<void(std::string_view, std::string)>& visit) {
  for_each_stanza(text, [&](std::string_view stanza) {
    const Package package = parse_package(stanza);
    if (!package.name.empty() && !package.description.empty()) {
      visit(package.name, package.description);
    }
  });
}

}  // namespace quire::demo
