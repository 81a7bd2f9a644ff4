// Calls about batches of changes of collections whose fields change.
#pragma once

#include "fuzz/calls_table_rows.h"

namespace quire::fuzz {

class TableBatchCalls : public TableRowCalls {
 protected:
  using TableRowCalls::TableRowCalls;

  // Each change of a partial batch does what it does by itself, and the keys of the new records are
  // told. With an idempotency key the same again gives the same and changes nothing.
  void batch_of_rows(Txn& txn, quire_collection id, Table& table) {
    Batch batch(1 + input_.byte() % 4);
    for (std::size_t i = 0; i < batch.changes.size(); ++i) add_change(batch, i, table);
    const std::string key = input_.flag() ? "batch " + std::to_string(++batches_) : "";
    const int code = apply(txn, id, batch, key);
    expect_among(txn, code, codes_of(txn), "batch_apply");
    if (code != QUIRE_OK) return;
    demand(batch.result.replayed == 0, "a new batch is answered from memory");
    for (std::size_t i = 0; i < batch.changes.size(); ++i) judge(batch, i, table);
    if (key.empty()) return;
    const std::vector<int> codes = batch.codes();
    const std::vector<quire_value> keys = batch.keys;
    expect(apply(txn, id, batch, key), QUIRE_OK, "batch_apply again");
    demand(batch.result.replayed == 1 && batch.codes() == codes,
           "a batch that comes again has another outcome");
    for (std::size_t i = 0; i < keys.size(); ++i)
      demand(cell_of(batch.keys[i]) == cell_of(keys[i]), "another key is told the second time");
  }

 private:
  struct Batch {
    explicit Batch(std::size_t count)
        : changes(count), cells(count), values(count), results(count), keys(count) {}
    std::vector<int> codes() const {
      std::vector<int> all;
      for (const quire_change_result& one : results) all.push_back(one.code);
      return all;
    }
    std::vector<quire_change> changes;
    std::vector<std::vector<Cell>> cells;
    TableArguments arguments;
    std::vector<std::vector<quire_value>> values;
    std::vector<quire_change_result> results;
    std::vector<quire_value> keys;
    quire_batch_result result{};
  };

  void add_change(Batch& batch, std::size_t i, const Table& table) {
    const Cell key = number_cell(QUIRE_TYPE_I64, input_.byte() % 40);
    const bool erases = input_.byte() % 4 == 0;
    for (const Column& column : table.columns) {
      if (column.id == table.key)
        batch.cells[i].push_back(key);
      else if (!erases)
        batch.cells[i].push_back(cell_for(column, input_.byte()));
    }
    batch.values[i] = batch.arguments.values(batch.cells[i]);
    quire_change& change = batch.changes[i];
    change.kind = erases ? QUIRE_CHANGE_DELETE : QUIRE_CHANGE_INSERT;
    (erases ? change.key : change.values) = batch.values[i].data();
    (erases ? change.key_count : change.value_count) = batch.values[i].size();
  }
  int apply(Txn& txn, quire_collection id, Batch& batch, const std::string& key) {
    quire_batch_options options = QUIRE_BATCH_OPTIONS_INIT;
    options.flags = QUIRE_BATCH_PARTIAL;
    if (!key.empty()) options.key = slice(key);
    options.keys = batch.keys.data();
    options.key_room = batch.keys.size();
    batch.result.size = sizeof batch.result;
    return quire_batch_apply(txn.handle, id, batch.changes.data(), batch.changes.size(), &options,
                             batch.results.data(), &batch.result);
  }
  // What became of one change, as the model has it; those before it are in the model.
  static void judge(const Batch& batch, std::size_t i, Table& table) {
    const bool erases = batch.changes[i].kind == QUIRE_CHANGE_DELETE;
    std::set<int> codes;
    Row row;
    std::int64_t key = 0;
    if (erases) {
      key = batch.cells[i][0].number;
      if (!table.rows.contains(key)) codes.insert(QUIRE_ERR_NOT_FOUND);
    } else {
      for (std::size_t at = 0; at < table.columns.size(); ++at) {
        const Column& column = table.columns[at];
        if (column.id == table.key) key = batch.cells[i][at].number;
        row[column.id] = resolved(column, batch.cells[i][at], codes);
      }
      if (table.rows.contains(key)) codes.insert(QUIRE_ERR_EXISTS);
      table.refusals(key, row, codes);
    }
    const int code = batch.results[i].code;
    if (!codes.contains(code))
      expect(code, codes.empty() ? QUIRE_OK : *codes.begin(), "a change of a batch");
    const Cell told = cell_of(batch.keys[i]);
    const bool wrote = !erases && code == QUIRE_OK;
    demand(wrote ? told == number_cell(QUIRE_TYPE_I64, key) : told.is_null(),
           "a batch tells another key, or one that it did not write");
    if (wrote)
      table.rows[key] = std::move(row);
    else if (code == QUIRE_OK)
      table.rows.erase(key);
  }

  std::uint64_t batches_ = 0;
};

}  // namespace quire::fuzz
