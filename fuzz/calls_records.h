// Calls about collections and records.
#pragma once

#include "fuzz/calls_vectors.h"

namespace quire::fuzz {

class RecordCalls : public VectorCalls {
 protected:
  using VectorCalls::VectorCalls;

  void record_call() {
    Txn& txn = some_txn();
    if (input_.byte() < 40) return make_shelf(txn);
    const quire_collection id = some_id();
    if (txn.open && txn.state.tables.contains(id)) return;
    switch (input_.byte() % 9) {
      case 0:
        return upsert_many(txn, id);
      case 1:
        return insert(txn, id, false);
      case 2:
        return insert(txn, id, true);
      case 3:
        return update(txn, id);
      case 4:
        return erase_record(txn, id);
      case 5:
        return search(txn, id);
      case 6:
        return vector_index_call(txn, id);
      default:
        return get_record(txn, id);
    }
  }
  void make_shelf(Txn& txn) {
    static constexpr quire_field kFields[] = {
        {"id", QUIRE_TYPE_TEXT, QUIRE_FIELD_KEY, 0, 0},
        {"number", QUIRE_TYPE_I64, QUIRE_FIELD_NULLABLE, 0, 0},
        {"bytes", QUIRE_TYPE_BYTES, 0, 0, 0},
        {"place", QUIRE_TYPE_VECTOR_F32, QUIRE_FIELD_NULLABLE, 2, 0}};
    const std::string name = some_name();
    quire_collection id = 0;
    const int code = quire_collection_create(txn.handle, name.c_str(), kFields, 4, &id);
    int expected = change_code(txn);
    if (expected == QUIRE_OK && txn.state.taken(name)) expected = QUIRE_ERR_EXISTS;
    expect_change(txn, code, expected, "collection_create");
    if (code != QUIRE_OK) return;
    demand(!txn.state.has(id), "a number twice");
    txn.state.shelves[id].name = name;
    ids_.push_back(id);
  }
  static quire_value text_value(const std::string& text, std::uint32_t type) {
    quire_value value{};
    value.type = type;
    value.as.bytes = slice(text);
    return value;
  }
  static quire_value number_value(const std::optional<std::int64_t>& number) {
    quire_value value{};
    if (!number) return value;
    value.type = QUIRE_TYPE_I64;
    value.as.i64 = *number;
    return value;
  }
  std::string some_record_key() { return "r" + std::to_string(input_.byte() % 80); }
  Record some_record() {
    Record record;
    const std::uint8_t what = input_.byte();
    if ((what & 1) != 0) record.number = what;
    record.bytes = some_value();
    if ((what & 2) != 0)
      record.place = {static_cast<float>(input_.byte()), static_cast<float>(what % 5)};
    return record;
  }
  void insert(Txn& txn, quire_collection id, bool upsert) {
    const std::string key = some_record_key();
    const Record record = some_record();
    const std::uint8_t wrong = input_.byte();
    quire_value values[] = {text_value(key, QUIRE_TYPE_TEXT), number_value(record.number),
                            text_value(record.bytes, QUIRE_TYPE_BYTES), place_value(record.place)};
    if (wrong == 255) values[2] = quire_value{};         // null where it can't be
    if (wrong == 254) values[1].type = QUIRE_TYPE_BOOL;  // another type
    if (wrong == 253) values[3].dimension = 3;           // another dimension, if it is a vector
    const std::size_t count = wrong == 252 ? 3 : 4;
    const int code = upsert ? quire_record_upsert(txn.handle, id, values, count)
                            : quire_record_insert(txn.handle, id, values, count);
    int expected = change_code(txn);
    if (expected == QUIRE_OK) expected = shelf_code(txn.state, id);
    if (expected == QUIRE_OK && (wrong == 255 || wrong == 252)) expected = QUIRE_ERR_SCHEMA;
    if (expected == QUIRE_OK && wrong == 254) expected = QUIRE_ERR_TYPE;
    if (expected == QUIRE_OK && wrong == 253 && record.place) expected = QUIRE_ERR_SCHEMA;
    if (expected == QUIRE_OK && !upsert && txn.state.shelves[id].records.contains(key))
      expected = QUIRE_ERR_EXISTS;
    expect_change(txn, code, expected, upsert ? "record_upsert" : "record_insert");
    if (code == QUIRE_OK) txn.state.shelves[id].records[key] = record;
  }
  void upsert_many(Txn& txn, quire_collection id) {
    const std::uint8_t first = input_.byte();
    int expected = change_code(txn);
    if (expected == QUIRE_OK) expected = shelf_code(txn.state, id);
    for (unsigned i = 0; i < 40; ++i) {
      const std::string key = "r" + std::to_string((first + i) % 80);
      const Record record{
          .number = i, .bytes = key, .place = {{static_cast<float>(i), static_cast<float>(first)}}};
      const quire_value values[] = {text_value(key, QUIRE_TYPE_TEXT), number_value(record.number),
                                    text_value(record.bytes, QUIRE_TYPE_BYTES),
                                    place_value(record.place)};
      const int code = quire_record_upsert(txn.handle, id, values, 4);
      expect_change(txn, code, expected, "one of many upserts");
      if (code != QUIRE_OK) return;
      txn.state.shelves[id].records[key] = record;
    }
  }
  void update(Txn& txn, quire_collection id) {
    const std::string key = some_record_key();
    const Record record = some_record();
    const std::uint8_t which = input_.byte();
    std::vector<std::uint32_t> fields;
    std::vector<quire_value> values;
    const quire_value all[] = {text_value(key, QUIRE_TYPE_TEXT), number_value(record.number),
                               text_value(record.bytes, QUIRE_TYPE_BYTES),
                               place_value(record.place)};
    for (std::uint32_t field = 1; field < 4; ++field) {
      if ((which >> field & 1) == 0) continue;
      fields.push_back(field);
      values.push_back(all[field]);
    }
    if (fields.empty()) return;
    const int code =
        quire_record_update(txn.handle, id, all, 1, fields.data(), values.data(), fields.size());
    int expected = change_code(txn);
    if (expected == QUIRE_OK) expected = shelf_code(txn.state, id);
    if (expected == QUIRE_OK && !txn.state.shelves[id].records.contains(key))
      expected = QUIRE_ERR_NOT_FOUND;
    expect_change(txn, code, expected, "record_update");
    if (code != QUIRE_OK) return;
    Record& changed = txn.state.shelves[id].records[key];
    if ((which & 2) != 0) changed.number = record.number;
    if ((which & 4) != 0) changed.bytes = record.bytes;
    if ((which & 8) != 0) changed.place = record.place;
  }
  void erase_record(Txn& txn, quire_collection id) {
    const std::string key = some_record_key();
    const quire_value value = text_value(key, QUIRE_TYPE_TEXT);
    const int code = quire_record_delete(txn.handle, id, &value, 1);
    int expected = change_code(txn);
    if (expected == QUIRE_OK) expected = shelf_code(txn.state, id);
    if (expected == QUIRE_OK && txn.state.shelves[id].records.erase(key) == 0)
      expected = QUIRE_ERR_NOT_FOUND;
    expect_change(txn, code, expected, "record_delete");
  }
  static Record record_of(const quire_value* values) {
    Record record;
    if (values[1].type == QUIRE_TYPE_I64) record.number = values[1].as.i64;
    record.bytes = text(values[2].as.bytes);
    if (values[3].type == QUIRE_TYPE_VECTOR_F32)
      record.place = {values[3].as.vector[0], values[3].as.vector[1]};
    return record;
  }
  void get_record(Txn& txn, quire_collection id) {
    const std::string key = some_record_key();
    const quire_value wanted = text_value(key, QUIRE_TYPE_TEXT);
    quire_value values[4];
    const int code = quire_record_get(txn.handle, id, &wanted, 1, values, 4);
    int expected = txn.open ? shelf_code(txn.state, id) : QUIRE_ERR_CLOSED;
    if (expected == QUIRE_OK && !txn.state.shelves[id].records.contains(key))
      expected = QUIRE_ERR_NOT_FOUND;
    expect(code, expected, "record_get");
    if (code != QUIRE_OK) return;
    demand(
        text(values[0].as.bytes) == key && record_of(values) == txn.state.shelves[id].records[key],
        "another record");
  }
};

}  // namespace quire::fuzz
