#include "tools/demo/user_file.h"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

#include "tools/csv_reader.h"
#include "tools/demo/packages_parser.h"
#include "tools/line_reader.h"

namespace quire::demo {
namespace {

using Columns = std::vector<std::pair<std::string, std::string>>;  // name and text, in order
using Names = std::vector<std::string_view>;

constexpr std::size_t kRecordBytesMax = std::size_t{16} << 20;

const Names kKeyNames = {"name", "id", "key", "package", "title"};
const Names kSectionNames = {"section", "category", "group", "type"};
const Names kSummaryNames = {"summary", "description", "title", "text"};

// Takes the first of the named columns that has text out of the record.
std::string take(Columns& columns, const Names& names) {
  for (const std::string_view name : names) {
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const auto& column) {
      return column.first == name && !column.second.empty();
    });
    if (found == columns.end()) continue;
    std::string text = std::move(found->second);
    columns.erase(found);
    return text;
  }
  return "";
}

// Throws what is wrong with the record.
Package to_package(Columns columns, const std::string& key) {
  if (columns.empty()) throw std::runtime_error("the record is empty");
  const std::string first_column = columns.front().first;
  Package package;
  package.name = take(columns, key.empty() ? kKeyNames : Names{key});
  if (package.name.empty() && key.empty()) package.name = take(columns, {first_column});
  if (package.name.empty()) throw std::runtime_error("no key");
  package.version = take(columns, {"version"});
  package.section = take(columns, kSectionNames);
  package.priority = take(columns, {"priority"});
  package.maintainer = take(columns, {"maintainer"});
  package.summary = take(columns, kSummaryNames);
  package.installed_size_kib = whole_number(take(columns, {"installed_size"}));
  for (const auto& [name, text] : columns) {
    if (text.empty()) continue;
    if (!package.description.empty()) package.description += '\n';
    package.description += text;
  }
  return package;
}

Columns to_columns(const nlohmann::ordered_json& object) {
  if (!object.is_object()) throw std::runtime_error("not a JSON object");
  Columns columns;
  for (const auto& [name, value] : object.items()) {
    if (value.is_null()) continue;
    columns.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return columns;
}

Columns to_columns(const std::vector<tools::CsvCell>& header,
                   const std::vector<tools::CsvCell>& cells) {
  if (cells.size() != header.size()) {
    throw std::runtime_error(std::to_string(cells.size()) + " cells under a header of " +
                             std::to_string(header.size()));
  }
  Columns columns;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    columns.emplace_back(header[i].text, cells[i].text);
  }
  return columns;
}

void require_records(const UserRecords& records) {
  if (!records.packages.empty()) return;
  throw std::runtime_error(records.problems.empty()
                               ? "the file has no records"
                               : "no record is usable; " + records.problems[0]);
}

void add(UserRecords& records, std::size_t line, const std::function<Package()>& make) {
  try {
    records.packages.push_back(make());
  } catch (const std::exception& error) {
    records.problems.push_back("line " + std::to_string(line) + ": " + error.what());
  }
}

}  // namespace

UserRecords read_csv(tools::ByteSource& source, const std::string& key) {
  tools::CsvReader reader(&source, kRecordBytesMax);
  std::vector<tools::CsvCell> header;
  std::vector<tools::CsvCell> cells;
  std::string reason;
  if (reader.next(&header, &reason) != tools::CsvReader::Status::kRow) {
    throw std::runtime_error(reason.empty() ? "the file is empty" : "the header: " + reason);
  }
  UserRecords records;
  for (;;) {
    const tools::CsvReader::Status status = reader.next(&cells, &reason);
    if (status == tools::CsvReader::Status::kEnd) break;
    add(records, reader.line_number(), [&] {
      if (status == tools::CsvReader::Status::kBad) throw std::runtime_error(reason);
      return to_package(to_columns(header, cells), key);
    });
  }
  require_records(records);
  return records;
}

UserRecords read_ndjson(tools::ByteSource& source, const std::string& key) {
  tools::LineReader reader(&source, kRecordBytesMax);
  UserRecords records;
  for (;;) {
    const tools::LineReader::Status status = reader.next();
    if (status == tools::LineReader::Status::kEnd) break;
    if (status == tools::LineReader::Status::kLine &&
        reader.line().find_first_not_of(" \t") == std::string_view::npos) {
      continue;
    }
    add(records, reader.line_number(), [&] {
      if (status == tools::LineReader::Status::kTooLong) {
        throw std::runtime_error("longer than 16 MiB");
      }
      return to_package(to_columns(nlohmann::ordered_json::parse(reader.line())), key);
    });
  }
  require_records(records);
  return records;
}

}  // namespace quire::demo
