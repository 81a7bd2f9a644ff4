// A database whose every commit holds one number in many places, so that a state that was never
// committed, or is of two ages, can be told by looking at it.
//
//   keyspace "small"    kSmall keys, each with the number and some bytes that depend on it
//   keyspace "large"    kLarge keys with values of several pages, likewise
//   keyspace "history"  a key for each of the last kHistory numbers
//   collection "things" kThings records with the number as a field and in a vector
#pragma once

#include <quire/quire.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace quire::test {

inline constexpr int kSmall = 40;
inline constexpr int kLarge = 3;
inline constexpr int kThings = 12;
inline constexpr std::uint64_t kHistory = 300;
inline constexpr std::uint32_t kDimension = 24;

struct Invariant {
  quire_keyspace small = 0;
  quire_keyspace large = 0;
  quire_keyspace history = 0;
  quire_collection things = 0;

  // In a write transaction: makes what is missing. In a read transaction: NOT_FOUND then.
  int open(quire_txn* txn, bool create) {
    const std::uint32_t flags = create ? QUIRE_CREATE : 0;
    int code = quire_keyspace_open(txn, "small", flags, &small);
    if (code == QUIRE_OK) code = quire_keyspace_open(txn, "large", flags, &large);
    if (code == QUIRE_OK) code = quire_keyspace_open(txn, "history", flags, &history);
    if (code != QUIRE_OK) return code;
    code = quire_collection_open(txn, "things", &things);
    if (code != QUIRE_ERR_NOT_FOUND || !create) return code;
    const quire_field fields[] = {{"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0},
                                  {"number", QUIRE_TYPE_I64, 0, 0, 0},
                                  {"vector", QUIRE_TYPE_VECTOR_F32, 0, kDimension, 0}};
    return quire_collection_create(txn, "things", fields, 3, &things);
  }

  static std::string value_of(int key, std::uint64_t number, std::size_t size) {
    std::string value = std::to_string(number) + " " + std::to_string(key) + " ";
    while (value.size() < size) value += static_cast<char>('a' + (number + value.size()) % 26);
    return value;
  }
  static std::size_t small_size(int key, std::uint64_t number) {
    return 20 + (static_cast<std::size_t>(key) * 31 + number * 17) % 200;
  }
  static std::size_t large_size(int key, std::uint64_t number) {
    return 3000 + (static_cast<std::size_t>(key) * 5000 + number * 977) % 30'000;
  }

  int write(quire_txn* txn, std::uint64_t number) const {
    char key[32];
    int code = QUIRE_OK;
    for (int i = 0; i < kSmall && code == QUIRE_OK; ++i) {
      const std::string value = value_of(i, number, small_size(i, number));
      const int size = std::snprintf(key, sizeof key, "key %d", i);
      code =
          quire_put(txn, small, key, static_cast<std::size_t>(size), value.data(), value.size(), 0);
    }
    for (int i = 0; i < kLarge && code == QUIRE_OK; ++i) {
      const std::string value = value_of(i, number, large_size(i, number));
      const int size = std::snprintf(key, sizeof key, "key %d", i);
      code =
          quire_put(txn, large, key, static_cast<std::size_t>(size), value.data(), value.size(), 0);
    }
    if (code == QUIRE_OK) code = write_history(txn, number);
    for (int i = 0; i < kThings && code == QUIRE_OK; ++i) code = write_thing(txn, i, number);
    return code;
  }

  // The number that everything holds; 0 where nothing was written yet. Otherwise why not, in
  // `problem`.
  std::uint64_t read(quire_txn* txn, std::string& problem) const {
    std::uint64_t number = 0;
    std::uint64_t entries = 0;
    if (failed(quire_count(txn, history, nullptr, nullptr, &entries), "count", problem)) return 0;
    if (entries == 0) return 0;
    quire_cursor* cursor = nullptr;
    quire_slice key;
    if (failed(quire_cursor_open(txn, history, nullptr, &cursor), "cursor", problem)) return 0;
    const int code = quire_cursor_last(cursor, &key, nullptr);
    if (code == QUIRE_OK) number = std::strtoull(std::string(text(key)).c_str(), nullptr, 10);
    quire_cursor_close(cursor);
    if (failed(code, "last", problem)) return 0;
    if (entries != (number < kHistory ? number : kHistory))
      problem = "history has " + std::to_string(entries) + " entries at " + std::to_string(number);
    read_values(txn, small, kSmall, number, &small_size, "small", problem);
    read_values(txn, large, kLarge, number, &large_size, "large", problem);
    read_things(txn, number, problem);
    return number;
  }

 private:
  static std::string text(const quire_slice& slice) {
    return {static_cast<const char*>(slice.data), slice.size};
  }
  static bool failed(int code, const char* what, std::string& problem) {
    if (code == QUIRE_OK) return false;
    problem = std::string(what) + ": " + quire_error_name(code) + ": " + quire_last_error();
    return true;
  }

  int write_history(quire_txn* txn, std::uint64_t number) const {
    char key[32];
    int size = std::snprintf(key, sizeof key, "%012llu", static_cast<unsigned long long>(number));
    const int code =
        quire_put(txn, history, key, static_cast<std::size_t>(size), "", 0, QUIRE_APPEND);
    if (code != QUIRE_OK || number <= kHistory) return code;
    size = std::snprintf(key, sizeof key, "%012llu",
                         static_cast<unsigned long long>(number - kHistory));
    return quire_delete(txn, history, key, static_cast<std::size_t>(size));
  }

  // Each tenth record is deleted and made again, so that record numbers are used again.
  int write_thing(quire_txn* txn, int id, std::uint64_t number) const {
    quire_value record[3] = {};
    float vector[kDimension];
    for (float& element : vector) element = static_cast<float>(number % 1'000'000);
    record[0].type = QUIRE_TYPE_I64;
    record[0].as.i64 = id;
    record[1].type = QUIRE_TYPE_I64;
    record[1].as.i64 = static_cast<std::int64_t>(number);
    record[2].type = QUIRE_TYPE_VECTOR_F32;
    record[2].dimension = kDimension;
    record[2].as.vector = vector;
    if (number % kThings == static_cast<std::uint64_t>(id) && number > 1) {
      const int code = quire_record_delete(txn, things, &record[0], 1);
      if (code != QUIRE_OK) return code;
      return quire_record_insert(txn, things, record, 3);
    }
    return quire_record_upsert(txn, things, record, 3);
  }

  static void read_values(quire_txn* txn, quire_keyspace keyspace, int keys, std::uint64_t number,
                          std::size_t (*size_of)(int, std::uint64_t), const char* name,
                          std::string& problem) {
    char key[32];
    for (int i = 0; i < keys; ++i) {
      const int size = std::snprintf(key, sizeof key, "key %d", i);
      quire_slice value;
      if (failed(quire_get(txn, keyspace, key, static_cast<std::size_t>(size), &value), name,
                 problem))
        return;
      if (text(value) == value_of(i, number, size_of(i, number))) continue;
      problem = std::string(name) + " " + key + " does not hold " + std::to_string(number) +
                " but " + text(value).substr(0, 40);
      return;
    }
  }

  void read_things(quire_txn* txn, std::uint64_t number, std::string& problem) const {
    quire_cursor* scan = nullptr;
    if (failed(quire_scan_open(txn, things, nullptr, 0, nullptr, 0, &scan), "scan", problem))
      return;
    quire_value record[3];
    int seen = 0;
    int code = QUIRE_OK;
    while ((code = quire_scan_next(scan, record, 3)) == QUIRE_OK) {
      const bool right =
          record[0].as.i64 == seen && record[1].as.i64 == static_cast<std::int64_t>(number) &&
          record[2].as.vector[kDimension - 1] == static_cast<float>(number % 1'000'000);
      if (!right)
        problem = "record " + std::to_string(seen) + " is not of " + std::to_string(number);
      ++seen;
    }
    quire_cursor_close(scan);
    if (code != QUIRE_ERR_NOT_FOUND) failed(code, "scan", problem);
    if (seen != kThings) problem = std::to_string(seen) + " records";
  }
};

}  // namespace quire::test
