// Calls about collections whose fields change, and about their indexes.
#pragma once

#include "fuzz/calls_table_batches.h"

namespace quire::fuzz {

class TableCalls : public TableBatchCalls {
 protected:
  using TableBatchCalls::TableBatchCalls;

  void table_call() {
    Txn& txn = some_txn();
    const std::uint8_t what = input_.byte();
    if (table_ids_.empty() || what < 12) return make_table(txn);
    const std::size_t lately = std::min<std::size_t>(table_ids_.size(), what % 8 == 0 ? 4 : 1);
    const quire_collection id = table_ids_[table_ids_.size() - 1 - input_.byte() % lately];
    if (!txn.open || !txn.state.tables.contains(id)) return call_what_is_not_there(txn, id);
    Table& table = txn.state.tables[id];
    if (what < 90) return change_rows(txn, id, table);
    if (what < 130) return put_rows(txn, id, table, input_.byte());
    if (what < 180) return change_columns(txn, id, table);
    if (what < 200) return seldom(txn, id, table);
    if (what < 225) return make_index(txn, id, table);
    if (what < 250) return change_index(txn, id, table);
    verify_table(txn.handle, id, table);
  }

 private:
  std::string some_column_name() { return "c" + std::to_string(input_.byte() % 9); }
  Column some_column() {
    static constexpr std::uint32_t kTypes[] = {
        QUIRE_TYPE_I64,        QUIRE_TYPE_TEXT,      QUIRE_TYPE_BOOL,
        QUIRE_TYPE_F64,        QUIRE_TYPE_BYTES,     QUIRE_TYPE_JSON,
        QUIRE_TYPE_ARRAY_TEXT, QUIRE_TYPE_ARRAY_I64, QUIRE_TYPE_TIMESTAMP};
    Column column;
    column.name = some_column_name();
    column.type = kTypes[input_.byte() % 9];
    const std::uint8_t flags = input_.byte();
    column.nullable = (flags & 1) != 0;
    column.bounded = (flags & 2) != 0;
    // Of another type, or a second one, now and then too.
    const unsigned wanted = column.type == QUIRE_TYPE_TIMESTAMP ? 8 : 56;
    column.ttl = (flags & wanted) == wanted;
    if ((flags & 4) != 0 && !is_array_type(column.type)) column.initial = initial_of(column.type);
    return column;
  }
  static Cell initial_of(std::uint32_t type) { return value_of(type, 57); }

  // --- collections ---

  void make_table(Txn& txn) {
    Table table;
    table.name = some_name();
    Column key;
    key.name = "id";
    table.columns.push_back(key);
    for (int i = input_.byte() % 5; i >= 0; --i) {
      Column column = some_column();
      if (std::ranges::count(table.columns, column.name, &Column::name) == 0)
        table.columns.push_back(std::move(column));
    }
    TableArguments arguments;
    const auto fields = arguments.fields(table.columns, 0);
    quire_collection id = 0;
    const int code =
        quire_collection_create(txn.handle, table.name.c_str(), fields.data(), fields.size(), &id);
    std::set<int> codes = codes_of(txn);
    const bool may = codes.empty();
    if (may && txn.state.taken(table.name)) codes.insert(QUIRE_ERR_EXISTS);
    if (may && !table.ttl_fits()) codes.insert(QUIRE_ERR_INVALID);
    expect_among(txn, code, codes, "collection_create");
    if (code != QUIRE_OK) return;
    demand(!txn.state.has(id), "a number twice");
    take_ids(txn, id, table);
    table.key = table.columns[0].id;
    txn.state.tables[id] = std::move(table);
    table_ids_.push_back(id);
  }
  // New fields get ids that none had before.
  void take_ids(Txn& txn, quire_collection id, Table& table) {
    const std::uint32_t before = table.greatest;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      quire_field field{};
      expect(quire_collection_field(txn.handle, id, i, &field), QUIRE_OK, "collection_field");
      if (table.columns[i].id != 0) continue;
      demand(field.id > before, "the id of a field was another's");
      table.columns[i].id = field.id;
      table.greatest = std::max(table.greatest, field.id);
    }
  }
  void seldom(Txn& txn, quire_collection id, Table& table) {
    const std::uint8_t what = input_.byte() % 10;
    if (what >= 8) return batch_of_rows(txn, id, table);
    if (what >= 4) return purge_table(txn, id, table);
    std::set<int> codes = codes_of(txn);
    if (what < 2) {
      const int code = quire_collection_rewrite(txn.handle, id, nullptr, nullptr);
      return expect_among(txn, code, codes, "collection_rewrite");
    }
    if (what == 2) {
      const std::string name = some_name();
      const int code = quire_collection_rename(txn.handle, id, name.c_str());
      if (codes.empty() && name != table.name && txn.state.taken(name))
        codes.insert(QUIRE_ERR_EXISTS);
      expect_among(txn, code, codes, "collection_rename");
      if (code == QUIRE_OK) table.name = name;
      return;
    }
    const int code = quire_collection_drop(txn.handle, id);
    expect_among(txn, code, codes, "collection_drop");
    if (code == QUIRE_OK) txn.state.tables.erase(id);
  }

  // --- fields ---

  void change_columns(Txn& txn, quire_collection id, Table& table) {
    if (table.changes > 200) return;  // rows of 255 versions may be there
    std::set<int> codes = codes_of(txn);
    Table next = table;
    if (!change_one(next, codes)) return;
    if (!next.ttl_fits()) codes.insert(QUIRE_ERR_INVALID);
    TableArguments arguments;
    const auto fields = arguments.fields(next.columns, table.key);
    const int code =
        quire_collection_change(txn.handle, id, fields.data(), fields.size(), nullptr, nullptr);
    expect_among(txn, code, codes, "collection_change");
    if (code != QUIRE_OK) return;
    take_ids(txn, id, next);
    ++next.changes;
    for (auto& [key, row] : next.rows) row = changed_row(next, row);
    table = std::move(next);
  }
  static Row changed_row(const Table& table, const Row& before) {
    Row row;
    for (const Column& column : table.columns) {
      const auto there = before.find(column.id);
      row[column.id] = there == before.end() ? column.initial.value_or(Cell())
                                             : widened(there->second, column.type);
    }
    return row;
  }
  // One change of the fields, by chance; codes of why it is refused. False: none.
  bool change_one(Table& table, std::set<int>& codes) {
    const std::uint8_t what = input_.byte() % 10;
    const std::size_t at = input_.byte() % table.columns.size();
    if (what < 2) return add_column(table, at, codes);
    Column& column = table.columns[at];
    const bool is_key = column.id == table.key;
    switch (what) {
      case 2:
        if (is_key || uses(table, column.id)) codes.insert(QUIRE_ERR_INVALID);
        table.columns.erase(table.columns.begin() + static_cast<std::ptrdiff_t>(at));
        return !table.columns.empty();
      case 3:
        column.name = some_column_name();
        if (std::ranges::count(table.columns, column.name, &Column::name) != 1)
          codes.insert(QUIRE_ERR_INVALID);
        return true;
      case 4:
        return widen(table, column, codes);
      case 5:
        column.nullable = !column.nullable;
        if (is_key) codes.insert(QUIRE_ERR_INVALID);
        break;
      case 6:
        column.bounded = !column.bounded;
        break;
      case 7:
        if (is_key || is_array_type(column.type)) return false;
        column.initial = column.initial ? std::nullopt : std::optional(initial_of(column.type));
        return true;
      case 8:
        column.ttl = !column.ttl;
        return true;
      default:
        std::ranges::rotate(table.columns, table.columns.begin() + static_cast<std::ptrdiff_t>(at));
        return true;
    }
    check_rows(table, column, codes);
    return true;
  }
  bool add_column(Table& table, std::size_t at, std::set<int>& codes) {
    if (table.columns.size() >= 8) return false;
    const Column column = some_column();
    if (std::ranges::count(table.columns, column.name, &Column::name) != 0)
      codes.insert(QUIRE_ERR_INVALID);
    if (!column.nullable && !column.initial && !table.rows.empty()) codes.insert(QUIRE_ERR_SCHEMA);
    table.columns.insert(table.columns.begin() + static_cast<std::ptrdiff_t>(at), column);
    return true;
  }
  bool widen(Table& table, Column& column, std::set<int>& codes) {
    const std::uint32_t before = column.type;
    column.type = before == QUIRE_TYPE_BOOL   ? (input_.flag() ? QUIRE_TYPE_F64 : QUIRE_TYPE_I64)
                  : before == QUIRE_TYPE_I64  ? QUIRE_TYPE_F64
                  : before == QUIRE_TYPE_TEXT ? QUIRE_TYPE_BYTES
                                              : QUIRE_TYPE_BOOL;
    const bool wider = column.type != QUIRE_TYPE_BOOL;
    if (!wider || column.id == table.key) codes.insert(QUIRE_ERR_INVALID);
    if (!wider) column.initial = std::nullopt;
    if (column.initial) column.initial = widened(*column.initial, column.type);
    // Its filter would compare what can't be compared.
    for (const TableIndex& index : table.indexes)
      if (index.where && index.where->column == column.id && index.where->compares &&
          before != QUIRE_TYPE_I64)
        codes.insert(QUIRE_ERR_INVALID);
    if (wider) check_rows(table, column, codes);
    return true;
  }
  // What is there has to fit.
  static void check_rows(const Table& table, const Column& column, std::set<int>& codes) {
    for (const auto& [key, row] : table.rows) {
      const Cell& cell = row.at(column.id);
      const bool exact = column.type != QUIRE_TYPE_F64 || cell.type != QUIRE_TYPE_I64 ||
                         cell.number <= std::int64_t{1} << 53;
      if (!exact || !column.allows(widened(cell, column.type))) codes.insert(QUIRE_ERR_SCHEMA);
    }
  }
  static bool uses(const Table& table, std::uint32_t column) {
    return std::ranges::any_of(table.indexes,
                               [&](const TableIndex& index) { return index.uses(column); });
  }

  // --- indexes ---

  std::string some_index_name() { return "i" + std::to_string(input_.byte() % 4); }

  void make_index(Txn& txn, quire_collection id, Table& table) {
    std::set<int> codes = codes_of(txn);
    const TableIndex index = some_index(table);
    const std::string json = options_text(table, index);
    quire_index_options options = QUIRE_INDEX_OPTIONS_INIT;
    options.options = json.c_str();
    if (input_.flag()) options.memory_bytes = 3000;  // sorted in several batches
    const int code = quire_index_create(txn.handle, id, index.name.c_str(), &options);
    if (codes.empty()) {
      if (table.index(index.name) != nullptr) codes.insert(QUIRE_ERR_EXISTS);
      if (std::ranges::count(index.parts, IndexPart::kElements, &IndexPart::source) > 1)
        codes.insert(QUIRE_ERR_INVALID);
      table.refusals_of(index, codes);
    }
    expect_among(txn, code, codes, "index_create");
    if (code == QUIRE_OK) table.indexes.push_back(index);
  }
  TableIndex some_index(const Table& table) {
    TableIndex index;
    index.name = some_index_name();
    const std::uint8_t what = input_.byte();
    index.unique = (what & 1) != 0;
    for (int i = what / 2 % 3; i >= 0; --i) {
      const Column& column = table.columns[input_.byte() % table.columns.size()];
      if (std::ranges::count(index.parts, column.id, &IndexPart::column) == 0)
        index.parts.push_back(some_part(column));
    }
    if ((what & 32) != 0)
      index.covering.push_back(table.columns[input_.byte() % table.columns.size()].id);
    if ((what & 64) == 0) return index;
    const Column& column = table.columns[input_.byte() % table.columns.size()];
    const bool comparable = column.type == QUIRE_TYPE_BOOL || column.type == QUIRE_TYPE_I64 ||
                            column.type == QUIRE_TYPE_F64 || column.type == QUIRE_TYPE_TEXT;
    index.where = {.column = column.id, .compares = comparable && (what & 128) != 0};
    return index;
  }
  IndexPart some_part(const Column& column) {
    const std::uint8_t what = input_.byte();
    IndexPart part;
    part.column = column.id;
    part.descending = (what & 1) != 0;
    if (is_array_type(column.type)) part.source = IndexPart::kElements;
    if (column.type == QUIRE_TYPE_JSON)
      part.source = (what & 2) != 0 ? IndexPart::kPathA : IndexPart::kPathB;
    const bool texts = column.type == QUIRE_TYPE_TEXT || column.type == QUIRE_TYPE_BYTES ||
                       column.type == QUIRE_TYPE_JSON || column.type == QUIRE_TYPE_ARRAY_TEXT;
    part.folded = texts && (what & 4) != 0;
    return part;
  }
  void change_index(Txn& txn, quire_collection id, Table& table) {
    const std::string name = some_index_name();
    TableIndex* const index = table.index(name);
    std::set<int> codes = codes_of(txn);
    if (codes.empty() && index == nullptr) codes.insert(QUIRE_ERR_NOT_FOUND);
    const std::uint8_t what = input_.byte() % 4;
    if (what == 0) {
      const int code = quire_index_drop(txn.handle, id, name.c_str());
      expect_among(txn, code, codes, "index_drop");
      if (code == QUIRE_OK)
        table.indexes.erase(table.indexes.begin() + (index - &table.indexes[0]));
    } else if (what == 1) {
      const std::string to = some_index_name();
      const int code = quire_index_rename(txn.handle, id, name.c_str(), to.c_str());
      if (codes.empty() && to != name && table.index(to) != nullptr) codes.insert(QUIRE_ERR_EXISTS);
      expect_among(txn, code, codes, "index_rename");
      if (code == QUIRE_OK) index->name = to;
    } else {
      const auto stop = [](void*, std::uint64_t, std::uint64_t) { return 1; };
      const int code =
          quire_index_rebuild(txn.handle, id, name.c_str(), what == 2 ? nullptr : +stop, nullptr);
      if (what == 3 && codes.empty() && code == QUIRE_ERR_CANCELLED) return;
      expect_among(txn, code, codes, "index_rebuild");
    }
  }
};

}  // namespace quire::fuzz
