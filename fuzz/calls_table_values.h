// Cells and columns of the model as the C interface takes them and gives them.
#pragma once

#include <deque>
#include <vector>

#include "fuzz/calls_model.h"

namespace quire::fuzz {

// Arguments, with the memory that they need. The cells outlive it.
class TableArguments {
 public:
  quire_value value(const Cell& cell) {
    quire_value value{};
    value.type = cell.type;
    if (cell.type == QUIRE_TYPE_BOOL) value.as.boolean = static_cast<std::int32_t>(cell.number);
    if (cell.type == QUIRE_TYPE_I64 || cell.type == QUIRE_TYPE_TIMESTAMP)
      value.as.i64 = cell.number;
    if (cell.type == QUIRE_TYPE_F64) value.as.f64 = cell.fraction;
    if (cell.type == QUIRE_TYPE_TEXT || cell.type == QUIRE_TYPE_BYTES ||
        cell.type == QUIRE_TYPE_JSON)
      value.as.bytes = slice(cell.bytes);
    return is_array_type(cell.type) ? array(cell) : value;
  }
  std::vector<quire_value> values(const std::vector<Cell>& cells) {
    std::vector<quire_value> all;
    for (const Cell& cell : cells) all.push_back(value(cell));
    return all;
  }
  // `key`: the id of the key's field; 0 where they are all new, and it is the first.
  std::vector<quire_field> fields(const std::vector<Column>& columns, std::uint32_t key) {
    std::vector<quire_field> all;
    for (const Column& column : columns) {
      const bool is_key = key == 0 ? all.empty() : column.id == key;
      const std::uint32_t flags = (is_key ? std::uint32_t{QUIRE_FIELD_KEY} : 0U) |
                                  (column.nullable ? std::uint32_t{QUIRE_FIELD_NULLABLE} : 0U) |
                                  (column.ttl ? std::uint32_t{QUIRE_FIELD_TTL} : 0U);
      all.push_back({column.name.c_str(), column.type, flags, 0, column.id, rules(column)});
    }
    return all;
  }

 private:
  quire_value array(const Cell& cell) {
    const std::vector<quire_value> elements = values(cell.elements);
    std::vector<char>& buffer = buffers_.emplace_back(400);
    std::size_t size = buffer.size();
    quire_value made{};
    expect(
        quire_array_make(cell.type, elements.data(), elements.size(), buffer.data(), &size, &made),
        QUIRE_OK, "array_make");
    return made;
  }
  const quire_rules* rules(const Column& column) {
    if (!column.initial && !column.bounded) return nullptr;
    quire_rules& rules = rules_.emplace_back(quire_rules QUIRE_RULES_INIT);
    if (column.initial) {
      rules.default_kind = QUIRE_DEFAULT_VALUE;
      rules.default_value = value(*column.initial);
    }
    if (!column.bounded) return &rules;
    rules.min = value(column.type == QUIRE_TYPE_I64   ? number_cell(QUIRE_TYPE_I64, 0)
                      : column.type == QUIRE_TYPE_F64 ? fraction_cell(0)
                                                      : Cell());
    if (column.type == QUIRE_TYPE_TEXT || column.type == QUIRE_TYPE_BYTES)
      rules.max_length = Column::kMostLong;
    return &rules;
  }

  std::deque<std::vector<char>> buffers_;
  std::deque<quire_rules> rules_;
};

// A value that was given back.
inline Cell cell_of(const quire_value& value) {
  Cell cell;
  cell.type = value.type;
  if (value.type == QUIRE_TYPE_BOOL) cell.number = value.as.boolean;
  if (value.type == QUIRE_TYPE_I64 || value.type == QUIRE_TYPE_TIMESTAMP)
    cell.number = value.as.i64;
  if (value.type == QUIRE_TYPE_F64) cell.fraction = value.as.f64;
  if (value.type == QUIRE_TYPE_TEXT || value.type == QUIRE_TYPE_BYTES ||
      value.type == QUIRE_TYPE_JSON)
    cell.bytes = text(value.as.bytes);
  if (!is_array_type(value.type)) return cell;
  std::uint64_t count = 0;
  expect(quire_array_count(&value, &count), QUIRE_OK, "array_count");
  std::vector<quire_value> elements(count);
  std::size_t filled = 0;
  expect(quire_array_elements(&value, 0, elements.data(), elements.size(), &filled), QUIRE_OK,
         "array_elements");
  demand(filled == count, "an array gives fewer elements than it counts");
  for (const quire_value& element : elements) cell.elements.push_back(cell_of(element));
  return cell;
}

// --- of indexes ---

inline std::string part_text(const Table& table, const IndexPart& part) {
  static constexpr const char* kBehind[] = {"", "[]", ".a", ".b[0]"};
  const std::string name = table.column(part.column)->name + kBehind[part.source];
  return R"({"field": ")" + name + R"(", "order": ")" + (part.descending ? "desc" : "asc") + '"' +
         (part.folded ? R"(, "collation": "ascii_nocase"})" : "}");
}
inline std::string where_text(const Table& table, const Where& where) {
  const Column& column = *table.column(where.column);
  if (!where.compares) return column.name + " is not null";
  if (column.type == QUIRE_TYPE_BOOL) return column.name;
  return column.name + (column.type == QUIRE_TYPE_TEXT ? " >= 'b'" : " > 1");
}
// Its options, as they are asked for.
inline std::string options_text(const Table& table, const TableIndex& index) {
  std::string json;
  for (const IndexPart& part : index.parts)
    json += (json.empty() ? R"({"fields": [)" : ", ") + part_text(table, part);
  json += std::string(R"(], "unique": )") + (index.unique ? "true" : "false");
  std::string covering;
  for (const std::uint32_t column : index.covering)
    covering += (covering.empty() ? "\"" : ", \"") + table.column(column)->name + '"';
  if (!covering.empty()) json += R"(, "covering": [)" + covering + "]";
  if (index.where) json += R"(, "where": ")" + where_text(table, *index.where) + '"';
  return json + "}";
}

}  // namespace quire::fuzz
