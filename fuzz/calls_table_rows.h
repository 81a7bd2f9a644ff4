// Calls about records of collections whose fields change, and all that can be seen of such a one.
#pragma once

#include "fuzz/calls_records.h"
#include "fuzz/calls_table_values.h"

namespace quire::fuzz {

class TableRowCalls : public RecordCalls {
 protected:
  using RecordCalls::RecordCalls;

  void verify_table(quire_txn* txn, quire_collection id, const Table& table) {
    verify_columns(txn, id, table);
    quire_cursor* scan = nullptr;
    ++closings_;
    expect(quire_scan_open(txn, id, nullptr, 0, nullptr, 0, &scan), QUIRE_OK,
           "scan_open of a table");
    std::vector<quire_value> values(table.columns.size());
    for (const auto& [key, row] : table.rows) {
      expect(quire_scan_next(scan, values.data(), values.size()), QUIRE_OK,
             "a scan of a table ends early");
      demand_row(table, row, values);
    }
    expect(quire_scan_next(scan, values.data(), values.size()), QUIRE_ERR_NOT_FOUND,
           "a scan of a table goes on");
    quire_cursor_close(scan);
    std::uint64_t records = 0;
    expect(quire_collection_count(txn, id, &records), QUIRE_OK, "collection_count");
    demand(records == table.rows.size(), "a table has another number of records");
    verify_indexes(txn, id, table);
  }

  // --- expectations ---

  // Of several errors each is true; none: it works.
  void expect_among(Txn& txn, int code, const std::set<int>& codes, const char* call) {
    if (codes.contains(code)) return;
    expect_change(txn, code, codes.empty() ? QUIRE_OK : *codes.begin(), call);
  }
  static std::set<int> codes_of(const Txn& txn) {
    const int code = change_code(txn);
    return code == QUIRE_OK ? std::set<int>() : std::set<int>{code};
  }
  void call_what_is_not_there(Txn& txn, quire_collection id) {
    // The number may have become that of another collection.
    if (txn.open && txn.state.shelves.contains(id)) return;
    int expected = change_code(txn);
    if (expected == QUIRE_OK) expected = shelf_code(txn.state, id);
    expect_change(txn, quire_index_drop(txn.handle, id, "i0"), expected, "index_drop");
  }
  void verify_columns(quire_txn* txn, quire_collection id, const Table& table) {
    std::size_t count = 0;
    expect(quire_collection_field_count(txn, id, &count), QUIRE_OK, "field_count");
    demand(count == table.columns.size(), "a table has another number of fields");
    for (std::size_t i = 0; i < count; ++i) {
      const Column& column = table.columns[i];
      quire_field field{};
      expect(quire_collection_field(txn, id, i, &field), QUIRE_OK, "collection_field");
      demand(field.id == column.id && field.name == column.name && field.type == column.type &&
                 ((field.flags & QUIRE_FIELD_NULLABLE) != 0) == column.nullable &&
                 ((field.flags & QUIRE_FIELD_KEY) != 0) == (column.id == table.key) &&
                 ((field.flags & QUIRE_FIELD_TTL) != 0) == column.ttl,
             "a field is another");
      const bool has_default =
          field.rules != nullptr && field.rules->default_kind == QUIRE_DEFAULT_VALUE;
      demand(has_default == column.initial.has_value(), "a default is there, or is not");
      if (has_default)
        demand(cell_of(field.rules->default_value) == *column.initial, "another default");
    }
  }
  void verify_indexes(quire_txn* txn, quire_collection id, const Table& table) {
    std::vector<std::pair<std::string, std::uint64_t>> found;
    const auto visit = [](void* context, const quire_index_info* info) {
      static_cast<decltype(found)*>(context)->emplace_back(info->name, info->entries);
      return 0;
    };
    expect(quire_index_list(txn, id, visit, &found), QUIRE_OK, "index_list");
    std::vector<std::pair<std::string, std::uint64_t>> expected;
    for (const TableIndex& index : table.indexes)
      expected.emplace_back(index.name, table.entries(index));
    demand(found == expected, "other indexes, or another number of entries");
  }
  static void demand_row(const Table& table, const Row& row,
                         const std::vector<quire_value>& values) {
    for (std::size_t i = 0; i < values.size(); ++i)
      demand(cell_of(values[i]) == row.at(table.columns[i].id), "a record has another value");
  }

  // --- what is made by chance ---

  static Cell value_of(std::uint32_t type, std::uint8_t which) {
    static constexpr const char* kTexts[] = {"", "a", "A", "b", "B", "ab", "longer one", "zz"};
    const std::int64_t number = which == 254 ? (std::int64_t{1} << 53) + 1 : which % 12 - 2;
    const std::string bytes = which == 253 ? std::string(600, 'x') : kTexts[which % 8];
    Cell cell;
    switch (type) {
      case QUIRE_TYPE_BOOL:
        return number_cell(type, which & 1);
      case QUIRE_TYPE_I64:
      case QUIRE_TYPE_TIMESTAMP:
        return number_cell(type, number);
      case QUIRE_TYPE_F64:
        return fraction_cell(static_cast<double>(number) / 2);
      case QUIRE_TYPE_JSON:
        return bytes_cell(type, documents()[which % documents().size()].text);
      case QUIRE_TYPE_ARRAY_TEXT:
      case QUIRE_TYPE_ARRAY_I64:
        cell.type = type;
        for (unsigned i = 0; i < which % 4U; ++i)
          cell.elements.push_back(type == QUIRE_TYPE_ARRAY_I64
                                      ? number_cell(QUIRE_TYPE_I64, (which + i) % 3)
                                      : bytes_cell(QUIRE_TYPE_TEXT, kTexts[(which / 4 + i) % 8]));
        return cell;
      default:
        return bytes_cell(type, bytes);
    }
  }
  // What is given for a field.
  static Cell cell_for(const Column& column, std::uint8_t which) {
    if (which < 16) return {};
    if (which == 255)
      return value_of(column.type == QUIRE_TYPE_BOOL ? QUIRE_TYPE_TEXT : QUIRE_TYPE_BOOL, 1);
    if (which < 40) return number_cell(QUIRE_TYPE_DEFAULT, 0);
    return value_of(column.type, which);
  }
  // What the field has then; codes of why it can't.
  static Cell resolved(const Column& column, const Cell& given, std::set<int>& codes) {
    Cell cell = given;
    if (given.type == QUIRE_TYPE_DEFAULT) cell = column.initial.value_or(Cell());
    if (!cell.is_null() && cell.type != column.type)
      codes.insert(QUIRE_ERR_TYPE);
    else if (!column.allows(cell))
      codes.insert(QUIRE_ERR_SCHEMA);
    return cell;
  }
  // --- records ---

  void change_rows(Txn& txn, quire_collection id, Table& table) {
    const std::int64_t key = input_.byte() % 40;
    const std::uint8_t what = input_.byte() % 8;
    if (what < 4) return put_row(txn, id, table, key, what < 2, [&] { return input_.byte(); });
    if (what < 6) return update_row(txn, id, table, key);
    const Cell cell = number_cell(QUIRE_TYPE_I64, key);
    const quire_value value = TableArguments().value(cell);
    if (what == 6) {
      std::set<int> codes = codes_of(txn);
      const int code = quire_record_delete(txn.handle, id, &value, 1);
      if (codes.empty() && !table.rows.contains(key)) codes.insert(QUIRE_ERR_NOT_FOUND);
      expect_among(txn, code, codes, "record_delete of a table");
      if (code == QUIRE_OK) table.rows.erase(key);
      return;
    }
    std::vector<quire_value> values(table.columns.size());
    const int code = quire_record_get(txn.handle, id, &value, 1, values.data(), values.size());
    expect(code, table.rows.contains(key) ? QUIRE_OK : QUIRE_ERR_NOT_FOUND,
           "record_get of a table");
    if (code == QUIRE_OK) demand_row(table, table.rows.at(key), values);
  }
  template <class Next>
  void put_row(Txn& txn, quire_collection id, Table& table, std::int64_t key, bool upsert,
               Next next) {
    std::set<int> codes = codes_of(txn);
    const bool may = codes.empty();
    std::vector<Cell> given;
    Row row;
    for (const Column& column : table.columns) {
      given.push_back(column.id == table.key ? number_cell(QUIRE_TYPE_I64, key)
                                             : cell_for(column, next()));
      Cell cell = may ? resolved(column, given.back(), codes) : Cell();
      row[column.id] = std::move(cell);
    }
    if (may && !upsert && table.rows.contains(key)) codes.insert(QUIRE_ERR_EXISTS);
    if (may) table.refusals(key, row, codes);
    TableArguments arguments;
    const auto values = arguments.values(given);
    const int code = upsert ? quire_record_upsert(txn.handle, id, values.data(), values.size())
                            : quire_record_insert(txn.handle, id, values.data(), values.size());
    expect_among(txn, code, codes, "a record of a table");
    if (code == QUIRE_OK) table.rows[key] = std::move(row);
  }
  // --- records whose time is over ---

  // Those that a purge has deleted, which ones it chose being its own business.
  static void take_out_purged(quire_txn* txn, quire_collection id, Table& table,
                              std::int64_t now_us, std::uint64_t& purged) {
    for (const std::int64_t key : table.over(now_us)) {
      const Cell cell = number_cell(QUIRE_TYPE_I64, key);
      const quire_value value = TableArguments().value(cell);
      const int code = quire_record_get(txn, id, &value, 1, nullptr, 0);
      if (code == QUIRE_OK) continue;
      expect(code, QUIRE_ERR_NOT_FOUND, "record_get after a purge");
      demand(purged > 0, "a purge deleted more than it says");
      --purged;
      table.rows.erase(key);
    }
  }
  void purge_table(Txn& txn, quire_collection id, Table& table) {
    const std::int64_t now_us = input_.byte() % 14 - 3;
    const std::uint8_t which = input_.byte();
    const std::uint64_t limit = which < 128 ? UINT64_MAX : which % 8U;
    std::set<int> codes = codes_of(txn);
    if (limit == 0)
      codes = {QUIRE_ERR_INVALID};
    else if (codes.empty() && table.ttl() == nullptr)
      codes.insert(QUIRE_ERR_INVALID);
    std::uint64_t purged = 77;
    const int code = quire_purge(txn.handle, id, now_us, limit, &purged);
    expect_among(txn, code, codes, "purge");
    if (code != QUIRE_OK) return;
    demand(purged == std::min<std::uint64_t>(limit, table.over(now_us).size()),
           "a purge deletes another number of records");
    take_out_purged(txn.handle, id, table, now_us, purged);
    demand(purged == 0, "a purge deleted what is not over, or nothing");
  }

  void put_rows(Txn& txn, quire_collection id, Table& table, std::uint8_t seed) {
    std::uint32_t number = seed * 2654435761U + 1;
    const auto next = [&] {
      number = number * 1664525 + 1013904223;
      return static_cast<std::uint8_t>(40 + (number >> 24) % 213);
    };
    for (int i = 0; i < 16 && txn.open; ++i) put_row(txn, id, table, (seed + i) % 40, true, next);
  }
  void update_row(Txn& txn, quire_collection id, Table& table, std::int64_t key) {
    std::set<int> codes = codes_of(txn);
    const auto there = table.rows.find(key);
    if (codes.empty() && there == table.rows.end()) codes.insert(QUIRE_ERR_NOT_FOUND);
    const bool may = codes.empty();
    Row row = may ? there->second : Row();
    const std::uint8_t which = input_.byte();
    std::vector<std::uint32_t> fields;
    std::vector<Cell> given;
    for (std::uint32_t i = 0; i < table.columns.size(); ++i) {
      if ((which >> i & 1) == 0) continue;
      const Column& column = table.columns[i];
      fields.push_back(i);
      given.push_back(cell_for(column, input_.byte()));
      if (may && column.id == table.key && given.back() != number_cell(QUIRE_TYPE_I64, key))
        codes.insert(QUIRE_ERR_INVALID);
      Cell cell = may ? resolved(column, given.back(), codes) : Cell();
      row[column.id] = std::move(cell);
    }
    if (fields.empty()) return;
    if (may) table.refusals(key, row, codes);
    TableArguments arguments;
    const Cell cell = number_cell(QUIRE_TYPE_I64, key);
    const quire_value wanted = arguments.value(cell);
    const auto values = arguments.values(given);
    const int code = quire_record_update(txn.handle, id, &wanted, 1, fields.data(), values.data(),
                                         fields.size());
    expect_among(txn, code, codes, "record_update of a table");
    if (code == QUIRE_OK) table.rows[key] = std::move(row);
  }
};

}  // namespace quire::fuzz
