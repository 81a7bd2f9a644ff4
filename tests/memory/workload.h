// One run of a workload through the C interface, with memory that may end in it, and what must hold
// after each of its steps.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "failing_memory.h"
// First: the others call the library.
#include "library_calls.h"

#include "../capi/capi_world.h"
#include "../process/invariant.h"
#include "surroundings.h"

namespace quire::test {

using memory::Fault;

// What a run is like.
struct Setting {
  const char* name;
  std::uint32_t flags = 0;  // QUIRE_OPEN_*
  std::uint32_t durability = 0;
  bool reader = false;  // another process has it open
};

inline void PrintTo(const Setting& setting, std::ostream* out) { *out << setting.name; }

// Where the run is, for the message of a failure.
inline std::string place;
#define SAME(what, wanted) ASSERT_EQ(what, wanted) << place
#define FINE(call) ASSERT_EQ(::quire::test::Code(call), QUIRE_OK) << place

// A step in which memory may end.
template <class Body>
int demand(Body&& body) {
  const memory::Step step;
  return body();
}

// One run of the workload, with memory that ends once. Every state has one number in all places
// (invariant.h); what a step that failed has left is looked at, and the step is done again.
class Workload {
 public:
  Workload(const Setting& setting, const std::string& path) : setting_(setting), path_(path) {}

  void all() {
    const std::size_t descriptors = open_descriptors();
    steps();
    if (::testing::Test::HasFatalFailure()) return;
    close_at_last();
    if (::testing::Test::HasFatalFailure()) return;
    SAME(open_descriptors(), descriptors);
    SAME(locked(path_, !setting_.reader), false);
    look_at_files(path_);
  }

 private:
  using Body = std::function<int(quire_txn*, std::uint64_t)>;
  static constexpr std::int64_t kEnding = 40;  // records
  static constexpr std::int64_t kPlaced = 32;  // likewise, with vectors

  void steps() {
    open_database();
    write([](quire_txn* txn, std::uint64_t number) { return numbers(txn, number, {}); });
    write([](quire_txn* txn, std::uint64_t number) { return savepoints(txn, number); });
    reads();
    give_up();
    write([](quire_txn* txn, std::uint64_t number) { return other_structures(txn, number); });
    write([](quire_txn* txn, std::uint64_t number) { return over_the_budget(txn, number); });
    for (const bool again : {false, true}) {
      write([](quire_txn* txn, std::uint64_t number) { return numbers(txn, number, {}); });
      if (!again) checkpoint();
    }
    recover_a_copy();
    write([](quire_txn* txn, std::uint64_t number) { return records_that_end(txn, number); });
    purge();
    write([](quire_txn* txn, std::uint64_t number) { return vectors(txn, number); });
    maintain();
    write([](quire_txn* txn, std::uint64_t number) { return other_vectors(txn, number); });
    maintain();
    write([](quire_txn* txn, std::uint64_t number) { return drops(txn, number); });
    inspections();
  }

  quire_open_options options() const {
    auto options = open_options(QUIRE_OPEN_CREATE | setting_.flags);
    options.durability = setting_.durability;
    options.log_budget_bytes = 250'000;
    options.checkpoint_bytes = 600'000;
    options.private_bytes = 300'000;
    options.checkpoint_ms = 3'600'000;
    return options;
  }

  // Memory has ended in the last step, so it may have said so. The background thread may have found
  // it ended at any time, and poisoned the database in the middle of a checkpoint.
  bool excused(int code) const {
    if (code == QUIRE_ERR_NO_MEMORY) return memory::refused_in_last_step();
    const bool background = (setting_.flags & QUIRE_OPEN_NO_BACKGROUND) == 0;
    return code == QUIRE_ERR_POISONED && background && memory::refused() != 0;
  }

  static bool refused_in_a_read() {
    const std::string_view call = memory::refused_in();
    for (const std::string_view read :
         {"quire_collection_open", "quire_cursor_open", "quire_cursor_next"}) {
      if (call.starts_with(read)) return true;
    }
    return call.starts_with("quire_keyspace_open") && call.find(", 0, ") != call.npos;
  }

  void open_database() {
    if (::testing::Test::HasFatalFailure()) return;
    const auto wanted = options();
    const int code = demand([&] { return quire_open(path_.c_str(), &wanted, &db_); });
    if (!excused(code)) {
      FINE(code);
      return;
    }
    SAME(db_, nullptr);
    FINE(quire_open(path_.c_str(), &wanted, &db_));
  }

  // --- the writer ---

  static int numbers(quire_txn* txn, std::uint64_t number, const std::function<int()>& between) {
    Invariant invariant;
    int code = invariant.open(txn, true);
    if (code == QUIRE_OK && between) code = between();
    return code == QUIRE_OK ? invariant.write(txn, number) : code;
  }

  static int savepoints(quire_txn* txn, std::uint64_t number) {
    Invariant invariant;
    std::uint64_t outer = 0;
    std::uint64_t inner = 0;
    int code = invariant.open(txn, true);
    const auto then = [&code](int next) { code = next; };
    if (code == QUIRE_OK) then(quire_savepoint(txn, &outer));
    if (code == QUIRE_OK) then(invariant.write(txn, number + 7));
    if (code == QUIRE_OK) then(quire_savepoint(txn, &inner));
    if (code == QUIRE_OK) then(quire_keyspace_drop(txn, invariant.small));
    if (code == QUIRE_OK) then(quire_collection_drop(txn, invariant.things));
    if (code == QUIRE_OK) then(quire_rollback_to(txn, outer));
    if (code == QUIRE_OK) then(quire_savepoint(txn, &inner));
    if (code == QUIRE_OK) then(invariant.write(txn, number));
    if (code == QUIRE_OK) then(quire_release(txn, inner));
    return code;
  }

  // Keys that come and go, and are all gone again when it ends.
  static int other_structures(quire_txn* txn, std::uint64_t number) {
    return numbers(txn, number, [txn] {
      quire_keyspace keys = 0;
      int code = quire_keyspace_open(txn, "other", QUIRE_CREATE, &keys);
      const std::string value(90, 'v');
      for (int i = 0; i < 150 && code == QUIRE_OK; ++i)
        code = put(txn, keys, "key " + std::to_string(i), value);
      const quire_slice low = {"key 1", 5};
      const quire_slice high = {"key 8", 5};
      if (code == QUIRE_OK) code = quire_delete_range(txn, keys, &low, &high, nullptr);
      if (code == QUIRE_OK) code = erase(txn, keys, "key 9");
      quire_cursor* cursor = nullptr;
      if (code == QUIRE_OK) code = quire_cursor_open(txn, keys, nullptr, &cursor);
      if (code == QUIRE_OK) code = quire_cursor_next(cursor, nullptr, nullptr);
      if (code == QUIRE_OK) code = quire_cursor_delete(cursor);
      if (code == QUIRE_OK) code = quire_cursor_next(cursor, nullptr, nullptr);
      quire_cursor_close(cursor);
      return code == QUIRE_OK ? quire_keyspace_drop(txn, keys) : code;
    });
  }

  // More than the log takes at once, and more than the private pages may be.
  static int over_the_budget(quire_txn* txn, std::uint64_t number) {
    return numbers(txn, number, [txn] {
      quire_keyspace keys = 0;
      int code = quire_keyspace_open(txn, "bulk", QUIRE_CREATE, &keys);
      const std::string value(1500, 'b');
      for (int i = 0; i < 300 && code == QUIRE_OK; ++i)
        code = put(txn, keys, std::to_string(i * 7919 % 1000), value);
      return code;
    });
  }

  static int drops(quire_txn* txn, std::uint64_t number) {
    return numbers(txn, number, [txn] {
      quire_keyspace keys = 0;
      const int code = quire_keyspace_open(txn, "bulk", 0, &keys);
      return code == QUIRE_OK ? quire_keyspace_drop(txn, keys) : code;
    });
  }

  // Of forty whose time is over one after the other, ten go in the transaction that made them.
  static int records_that_end(quire_txn* txn, std::uint64_t number) {
    return numbers(txn, number, [txn] {
      static constexpr quire_field kFields[] = {
          {"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, nullptr},
          {"ends", QUIRE_TYPE_TIMESTAMP, QUIRE_FIELD_TTL, 0, 0, nullptr}};
      quire_collection ending = 0;
      int code = quire_collection_create(txn, "ending", kFields, 2, &ending);
      for (std::int64_t i = 0; i < kEnding && code == QUIRE_OK; ++i) {
        quire_value values[2] = {};
        values[0].type = QUIRE_TYPE_I64;
        values[1].type = QUIRE_TYPE_TIMESTAMP;
        values[0].as.i64 = values[1].as.i64 = i;
        code = quire_record_insert(txn, ending, values, 2);
      }
      std::uint64_t purged = 0;
      if (code == QUIRE_OK) code = quire_purge(txn, ending, 4, UINT64_MAX, &purged);
      quire_index_options options = QUIRE_INDEX_OPTIONS_INIT;
      options.options = R"({"fields": ["ends"]})";
      if (code == QUIRE_OK) code = quire_index_create(txn, ending, "ends", &options);
      if (code == QUIRE_OK) code = quire_purge(txn, ending, 9, UINT64_MAX, &purged);
      return code == QUIRE_OK && purged != 5 ? QUIRE_ERR_CORRUPT : code;
    });
  }

  // Twenty more go in transactions of their own; where memory ends, what is left goes the next
  // time.
  void purge() {
    if (::testing::Test::HasFatalFailure()) return;
    quire_purge_options options = QUIRE_PURGE_OPTIONS_INIT;
    options.now_us = 29;
    options.batch = 8;
    const int code = demand([&] { return quire_purge_database(db_, &options, nullptr); });
    if (code != QUIRE_OK) {
      ASSERT_TRUE(excused(code)) << place << ": purge: " << Code(code);
      settle(number_);
      if (::testing::Test::HasFatalFailure()) return;
      FINE(quire_purge_database(db_, &options, nullptr));
    }
    quire_txn* txn = nullptr;
    FINE(quire_begin(db_, QUIRE_READ, &txn));
    quire_collection ending = 0;
    FINE(quire_collection_open(txn, "ending", &ending));
    std::uint64_t records = 0;
    FINE(quire_collection_count(txn, ending, &records));
    quire_abort(txn);
    SAME(records, kEnding - 30u);
    look(number_);
  }

  static int put_vector(quire_txn* txn, quire_collection placed, std::int64_t id, float at) {
    const std::vector<float> where = {at, at / 3, 1};
    quire_value values[2] = {};
    values[0].type = QUIRE_TYPE_I64;
    values[0].as.i64 = id;
    values[1].type = QUIRE_TYPE_VECTOR_F32;
    values[1].dimension = 3;
    values[1].as.vector = where.data();
    return quire_record_upsert(txn, placed, values, 2);
  }

  // Some before there is an index, which then has them linked, and some behind it.
  static int vectors(quire_txn* txn, std::uint64_t number) {
    return numbers(txn, number, [txn] {
      static constexpr quire_field kFields[] = {
          {"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, nullptr},
          {"place", QUIRE_TYPE_VECTOR_F32, 0, 3, 0, nullptr}};
      quire_collection placed = 0;
      int code = quire_collection_create(txn, "placed", kFields, 2, &placed);
      quire_index_options options = QUIRE_INDEX_OPTIONS_INIT;
      options.kind = "hnsw";
      options.options = R"({"field": "place", "quantizer": "none", "ef_construction": 16})";
      for (std::int64_t i = 0; i < kPlaced && code == QUIRE_OK; ++i) {
        if (i == kPlaced / 2) code = quire_index_create(txn, placed, "near", &options);
        if (code == QUIRE_OK) code = put_vector(txn, placed, i, static_cast<float>(i));
      }
      return code;
    });
  }

  // A quarter goes, and a quarter goes elsewhere.
  static int other_vectors(quire_txn* txn, std::uint64_t number) {
    return numbers(txn, number, [txn] {
      quire_collection placed = 0;
      int code = quire_collection_open(txn, "placed", &placed);
      for (std::int64_t i = 0; i < kPlaced && code == QUIRE_OK; i += 4) {
        quire_value key{};
        key.type = QUIRE_TYPE_I64;
        key.as.i64 = i;
        code = quire_record_delete(txn, placed, &key, 1);
        if (code == QUIRE_OK) code = put_vector(txn, placed, i + 1, static_cast<float>(-i));
      }
      return code;
    });
  }

  // What indexes have put off; then a search by one finds all that there are. Where memory ends,
  // it is gone on with the next time.
  void maintain() {
    if (::testing::Test::HasFatalFailure()) return;
    const int code = demand([&] { return quire_maintenance_flush(db_); });
    if (code != QUIRE_OK) {
      ASSERT_TRUE(excused(code)) << place << ": maintenance: " << Code(code);
      settle(number_);
      if (::testing::Test::HasFatalFailure()) return;
      FINE(quire_maintenance_flush(db_));
    }
    quire_txn* txn = nullptr;
    FINE(quire_begin(db_, QUIRE_READ, &txn));
    quire_collection placed = 0;
    FINE(quire_collection_open(txn, "placed", &placed));
    const std::vector<float> query = {5, 2, 1};
    std::vector<quire_hit> hits(4);
    std::size_t found = 0;
    quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
    options.field = 1;
    options.vector = query.data();
    options.dimension = 3;
    options.k = 4;
    options.index = "near";
    const auto search = [&] { return quire_search(txn, placed, &options, hits.data(), &found); };
    int done = demand(search);
    if (excused(done)) done = search();
    FINE(done);
    SAME(found, hits.size());
    const auto all_linked = [](void* context, const quire_index_info* info) {
      *static_cast<bool*>(context) = std::strstr(info->figures, "\"tail\": 0,") != nullptr;
      return 0;
    };
    bool linked = false;
    const auto list = [&] { return quire_index_list(txn, placed, all_linked, &linked); };
    done = demand(list);
    if (excused(done)) done = list();
    FINE(done);
    SAME(linked, true);
    quire_abort(txn);
    look(number_);
  }

  // A transaction of the next number; when it fails it is looked at and done again.
  void write(const Body& body) {
    if (::testing::Test::HasFatalFailure()) return;
    const std::uint64_t number = number_ + 1;
    const bool done = attempt(body, number);
    if (::testing::Test::HasFatalFailure()) return;
    if (!done) {
      settle(number);
      if (::testing::Test::HasFatalFailure()) return;
      if (number_ != number && !attempt(body, number)) {
        FAIL() << "twice, " << place;
      }
    }
    number_ = number;
    look(number_);
  }

  // False: it failed, and is over.
  bool attempt(const Body& body, std::uint64_t number) {
    quire_txn* txn = nullptr;
    int code = demand([&] { return quire_begin(db_, QUIRE_WRITE, &txn); });
    if (code != QUIRE_OK) {
      EXPECT_TRUE(excused(code)) << place << ": begin: " << Code(code);
      EXPECT_EQ(txn, nullptr) << place;
      return false;
    }
    code = demand([&] { return body(txn, number); });
    if (code != QUIRE_OK) {
      EXPECT_TRUE(excused(code)) << place << ": change: " << Code(code);
      if (refused_in_a_read()) {
        quire_abort(txn);  // which changes nothing; the transaction could go on
        return false;
      }
      // Broken: nothing works in it any more.
      std::uint64_t point = 0;
      EXPECT_TRUE(excused(quire_savepoint(txn, &point))) << place;
      EXPECT_TRUE(excused(quire_commit(txn))) << place;
      return false;
    }
    code = demand([&] { return quire_commit(txn); });
    if (code != QUIRE_OK) {
      EXPECT_TRUE(excused(code)) << place << ": commit: " << Code(code);
    }
    return code == QUIRE_OK;
  }

  // After a failed transaction: it is not there; but if the database was poisoned, that is known
  // when it was opened again, and it may be.
  void settle(std::uint64_t number) {
    if (!reopened_after_poison()) return look(number_);
    if (::testing::Test::HasFatalFailure()) return;
    number_ = number_in(db_);
    ASSERT_TRUE(number_ == number || number_ + 1 == number) << place << ": " << number_;
  }

  bool reopened_after_poison() {
    quire_txn* txn = nullptr;
    const int code = quire_begin(db_, QUIRE_WRITE, &txn);
    if (code == QUIRE_OK) {
      quire_abort(txn);
      return false;
    }
    EXPECT_EQ(code, QUIRE_ERR_POISONED) << place;
    ++poisoned;
    (void)quire_close(db_);
    db_ = nullptr;
    const auto wanted = options();
    EXPECT_OK(quire_open(path_.c_str(), &wanted, &db_));
    return true;
  }

  void give_up() {
    if (::testing::Test::HasFatalFailure()) return;
    quire_txn* txn = nullptr;
    int code = demand([&] { return quire_begin(db_, QUIRE_WRITE, &txn); });
    if (excused(code)) code = quire_begin(db_, QUIRE_WRITE, &txn);
    FINE(code);
    code = demand([&] { return numbers(txn, number_ + 50, {}); });
    if (!excused(code)) {
      FINE(code);
    }
    demand([&] {
      quire_abort(txn);
      return 0;
    });
    look(number_);
  }

  void checkpoint() {
    if (::testing::Test::HasFatalFailure()) return;
    const int code = demand([&] { return quire_checkpoint(db_); });
    if (code == QUIRE_OK) return;
    ASSERT_TRUE(excused(code)) << place << ": checkpoint: " << Code(code);
    settle(number_);
    if (!::testing::Test::HasFatalFailure()) {
      FINE(quire_checkpoint(db_));
    }
  }

  // --- readers ---

  static std::uint64_t number_in(quire_db* db) {
    quire_txn* txn = nullptr;
    Invariant invariant;
    std::string problem;
    std::uint64_t number = 0;
    EXPECT_EQ(Code(quire_begin(db, QUIRE_READ, &txn)), QUIRE_OK) << place;
    const int code = invariant.open(txn, false);
    if (code == QUIRE_OK) number = invariant.read(txn, problem);
    EXPECT_TRUE(code == QUIRE_OK || code == QUIRE_ERR_NOT_FOUND) << place << ": " << Code(code);
    EXPECT_EQ(problem, "") << place;
    quire_abort(txn);
    return number;
  }
  void look(std::uint64_t number) {
    if (number_in(db_) == number) return;
    // A poisoned one shows what was published.
    ASSERT_TRUE(reopened_after_poison()) << place;
    SAME(number_in(db_), number);
  }

  // A read that memory ended is done again and finds all; the state stays what it is.
  void reads() {
    if (::testing::Test::HasFatalFailure()) return;
    quire_txn* txn = nullptr;
    int code = demand([&] { return quire_begin(db_, QUIRE_READ, &txn); });
    if (excused(code)) code = quire_begin(db_, QUIRE_READ, &txn);
    FINE(code);
    Invariant invariant;
    std::string problem;
    std::uint64_t number = 0;
    const auto look_at_all = [&]() -> int {
      problem.clear();
      if (const int opened = invariant.open(txn, false); opened != QUIRE_OK) return opened;
      number = invariant.read(txn, problem);
      return QUIRE_OK;
    };
    code = demand(look_at_all);
    if (memory::refused_in_last_step()) {
      if (code == QUIRE_OK && problem.empty()) {
        SAME(number, number_);
      }
      code = look_at_all();
    }
    FINE(code);
    SAME(problem, "");
    const bool background = (setting_.flags & QUIRE_OPEN_NO_BACKGROUND) == 0;
    if (!background || number + 1 != number_) {  // that one may be poisoned
      SAME(number, number_);
    }
    cursors(txn, invariant);
    if (::testing::Test::HasFatalFailure()) return;
    code = demand([&] { return quire_renew(txn); });
    if (code != QUIRE_OK) {
      ASSERT_TRUE(excused(code)) << place << Code(code);
    }
    quire_abort(txn);
    quire_stat stat{};
    stat.size = sizeof stat;
    FINE(quire_get_stat(db_, &stat));
    SAME(stat.readers, 0u);
  }

  // A cursor is nowhere after a failure; from its beginning it shows all.
  void cursors(quire_txn* txn, const Invariant& invariant) {
    quire_cursor* cursor = nullptr;
    const auto walk = [&]() -> int {
      int code = QUIRE_OK;
      int entries = 0;
      if (cursor == nullptr) code = quire_cursor_open(txn, invariant.small, nullptr, &cursor);
      if (code == QUIRE_OK) code = quire_cursor_first(cursor, nullptr, nullptr);
      for (; code == QUIRE_OK; ++entries) code = quire_cursor_next(cursor, nullptr, nullptr);
      return code == QUIRE_ERR_NOT_FOUND && entries == kSmall ? QUIRE_OK : code;
    };
    int code = demand(walk);
    if (excused(code)) code = walk();
    FINE(code);
    quire_cursor_close(cursor);
    const auto search = [&]() -> int {
      const std::vector<float> query(kDimension, 1.0F);
      quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
      options.field = 2;
      options.vector = query.data();
      options.dimension = kDimension;
      options.k = 5;
      std::vector<quire_hit> hits(5);
      std::size_t found = 0;
      const int done = quire_search(txn, invariant.things, &options, hits.data(), &found);
      return done == QUIRE_OK && found != 5 ? QUIRE_ERR_NOT_FOUND : done;
    };
    code = demand(search);
    if (excused(code)) code = search();
    FINE(code);
  }

  // --- the files ---

  // What a crash would leave, as far as processes go: recovered while memory ends.
  void recover_a_copy() {
    if (::testing::Test::HasFatalFailure()) return;
    if ((setting_.flags & QUIRE_OPEN_NO_BACKGROUND) == 0) return;  // its thread writes meanwhile
    FINE(quire_sync(db_));
    const std::string copy = path_ + ".copy";
    std::filesystem::remove_all(copy);
    std::filesystem::copy(path_, copy, std::filesystem::copy_options::recursive);
    auto wanted = options();
    quire_db* db = nullptr;
    int code = demand([&] { return quire_open(copy.c_str(), &wanted, &db); });
    if (code != QUIRE_OK) {
      ASSERT_TRUE(excused(code)) << place << ": recovery: " << Code(code);
      SAME(locked(copy, true), false);
      FINE(quire_open(copy.c_str(), &wanted, &db));
    }
    SAME(number_in(db), number_);
    FINE(quire_check(db, nullptr, nullptr));
    code = demand([&] { return quire_close(db); });
    if (code != QUIRE_OK) {
      ASSERT_TRUE(excused(code)) << place << Code(code);
    }
    SAME(locked(copy, true), false);
    look_at_files(copy);
    std::filesystem::remove_all(copy);
  }

  void inspections() {
    if (::testing::Test::HasFatalFailure()) return;
    const auto tolerated = [this](int code) {
      if (code != QUIRE_OK) {
        EXPECT_TRUE(excused(code)) << place << ": " << Code(code);
      }
    };
    const auto note = [](void*, const char* words) {
      place += std::string("; ") + words;
      return 0;
    };
    tolerated(demand([&] { return quire_check(db_, note, nullptr); }));
    quire_stat stat{};
    stat.size = sizeof stat;
    tolerated(demand([&] { return quire_get_stat(db_, &stat); }));
    for (const std::uint32_t what :
         {QUIRE_INSPECT_META, QUIRE_INSPECT_PAGE, QUIRE_INSPECT_SEGMENT, QUIRE_INSPECT_READERS}) {
      char* json = nullptr;
      const std::uint64_t which = what == QUIRE_INSPECT_PAGE ? 2 : 0;
      tolerated(demand([&] { return quire_inspect(path_.c_str(), what, which, &json); }));
      quire_free(json);
    }
    FINE(quire_get_stat(db_, &stat));
    SAME(stat.readers, 0u);
  }

  void close_at_last() {
    const int code = demand([&] { return quire_close(db_); });
    if (code != QUIRE_OK) {
      ASSERT_TRUE(excused(code)) << place << ": close: " << Code(code);
    }
  }

  // All that was committed is there, and nothing is wrong with the files.
  void look_at_files(const std::string& path) const {
    quire_db* db = nullptr;
    const auto wanted = options();
    FINE(quire_open(path.c_str(), &wanted, &db));
    SAME(number_in(db), number_);
    std::string damage;
    const auto note = [](void* context, const char* words) {
      *static_cast<std::string*>(context) += std::string(words) + "; ";
      return 0;
    };
    (void)quire_check(db, note, &damage);
    SAME(damage, "");
    FINE(quire_close(db));
  }

 public:
  int poisoned = 0;

 private:
  const Setting& setting_;
  std::string path_;
  quire_db* db_ = nullptr;
  std::uint64_t number_ = 0;
};

}  // namespace quire::test
