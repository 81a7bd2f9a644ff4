// Cursors: places, bounds, turning round, and changes under them.
#include <algorithm>
#include <random>
#include <set>

#include "capi_world.h"

namespace quire::test {
namespace {

constexpr const char* kEnd = "<not_found>";

class Cursor : public World {
 protected:
  void fill(const std::vector<std::string>& all) {
    quire_txn* txn = write();
    for (const std::string& key : all) ASSERT_OK(put(txn, keys, key, "value of " + key));
    ASSERT_OK(quire_commit(txn));
  }
  static quire_cursor* open(quire_txn* txn, quire_keyspace keyspace, const quire_range* range) {
    quire_cursor* cursor = nullptr;
    EXPECT_OK(quire_cursor_open(txn, keyspace, range, &cursor));
    return cursor;
  }
  // The key that a move gives, or the name of its error; values must match keys.
  template <class Move>
  static std::string moved(Move move) {
    quire_slice key = {nullptr, 0};
    quire_slice value = {nullptr, 0};
    const int code = move(&key, &value);
    if (code != QUIRE_OK) return "<" + std::string(quire_error_name(code)) + ">";
    EXPECT_EQ(text(value), "value of " + text(key));
    return text(key);
  }
  static std::string next(quire_cursor* c) {
    return moved([c](auto* k, auto* v) { return quire_cursor_next(c, k, v); });
  }
  static std::string previous(quire_cursor* c) {
    return moved([c](auto* k, auto* v) { return quire_cursor_previous(c, k, v); });
  }
  static std::string first(quire_cursor* c) {
    return moved([c](auto* k, auto* v) { return quire_cursor_first(c, k, v); });
  }
  static std::string last(quire_cursor* c) {
    return moved([c](auto* k, auto* v) { return quire_cursor_last(c, k, v); });
  }
  static std::string current(quire_cursor* c) {
    return moved([c](auto* k, auto* v) { return quire_cursor_current(c, k, v); });
  }
  static std::string seek(quire_cursor* c, const std::string& wanted) {
    return moved(
        [&](auto* k, auto* v) { return quire_cursor_seek(c, wanted.data(), wanted.size(), k, v); });
  }
  static std::string seek_rank(quire_cursor* c, std::uint64_t rank) {
    return moved([&](auto* k, auto* v) { return quire_cursor_seek_rank(c, rank, k, v); });
  }
};

TEST_F(Cursor, RefusesWrongArguments) {
  quire_txn* txn = read();
  quire_cursor* cursor = nullptr;
  EXPECT_CODE(quire_cursor_open(txn, keys, nullptr, nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_cursor_open(nullptr, keys, nullptr, &cursor), QUIRE_ERR_INVALID);
  quire_range range = QUIRE_RANGE_INIT;
  range.size = 0;
  EXPECT_CODE(quire_cursor_open(txn, keys, &range, &cursor), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_cursor_next(nullptr, nullptr, nullptr), QUIRE_ERR_INVALID);
  cursor = open(txn, keys, nullptr);
  EXPECT_CODE(quire_cursor_seek(cursor, nullptr, 1, nullptr, nullptr), QUIRE_ERR_INVALID);
  quire_value value;
  EXPECT_CODE(quire_scan_next(cursor, &value, 1), QUIRE_ERR_TYPE);
  EXPECT_CODE(quire_scan_next(nullptr, &value, 1), QUIRE_ERR_INVALID);
  quire_cursor_close(cursor);
  EXPECT_CODE(quire_scan_next(cursor, &value, 1), QUIRE_ERR_CLOSED);
  quire_abort(txn);
}

TEST_F(Cursor, WalksBothWaysAndTurnsRoundAtTheEnds) {
  fill({"a", "b", "c"});
  quire_txn* txn = read();
  quire_cursor* cursor = open(txn, keys, nullptr);
  EXPECT_EQ(current(cursor), kEnd);
  EXPECT_EQ(next(cursor), "a");
  EXPECT_EQ(current(cursor), "a");
  EXPECT_EQ(next(cursor), "b");
  EXPECT_EQ(previous(cursor), "a");
  EXPECT_EQ(previous(cursor), kEnd);
  EXPECT_EQ(current(cursor), kEnd);
  EXPECT_EQ(previous(cursor), kEnd);  // stays before the first
  EXPECT_EQ(next(cursor), "a");
  EXPECT_EQ(next(cursor), "b");
  EXPECT_EQ(next(cursor), "c");
  EXPECT_EQ(next(cursor), kEnd);
  EXPECT_EQ(next(cursor), kEnd);
  EXPECT_EQ(previous(cursor), "c");
  EXPECT_EQ(first(cursor), "a");
  EXPECT_EQ(last(cursor), "c");
  quire_cursor_close(cursor);
  quire_abort(txn);
}

// The header: it starts before the first entry, next gives the first, previous the last.
TEST_F(Cursor, AFreshCursorMayStartAtEitherEnd) {
  fill({"a", "b", "c"});
  quire_txn* txn = read();
  quire_cursor* cursor = open(txn, keys, nullptr);
  EXPECT_EQ(previous(cursor), "c");
  EXPECT_EQ(previous(cursor), "b");
  quire_cursor_close(cursor);
  quire_abort(txn);
}

TEST_F(Cursor, AnEmptyKeyspaceHasOnlyEnds) {
  quire_txn* txn = read();
  quire_cursor* cursor = open(txn, keys, nullptr);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(next(cursor), kEnd);
    EXPECT_EQ(previous(cursor), kEnd);
    EXPECT_EQ(first(cursor), kEnd);
    EXPECT_EQ(last(cursor), kEnd);
    EXPECT_EQ(seek(cursor, "x"), kEnd);
    EXPECT_EQ(seek_rank(cursor, 0), kEnd);
    EXPECT_EQ(current(cursor), kEnd);
  }
  quire_cursor_close(cursor);
  quire_abort(txn);
}

TEST_F(Cursor, SeeksByKeyAndByRank) {
  fill({"b", "d", "f"});
  quire_txn* txn = read();
  quire_cursor* cursor = open(txn, keys, nullptr);
  EXPECT_EQ(seek(cursor, "d"), "d");
  EXPECT_EQ(next(cursor), "f");
  EXPECT_EQ(seek(cursor, "c"), "d");
  EXPECT_EQ(previous(cursor), "b");
  EXPECT_EQ(seek(cursor, ""), "b");
  EXPECT_EQ(seek(cursor, "g"), kEnd);
  EXPECT_EQ(previous(cursor), "f");
  EXPECT_EQ(seek_rank(cursor, 0), "b");
  EXPECT_EQ(seek_rank(cursor, 2), "f");
  EXPECT_EQ(seek_rank(cursor, 3), kEnd);
  EXPECT_EQ(previous(cursor), "f");
  EXPECT_EQ(seek_rank(cursor, UINT64_MAX), kEnd);
  quire_cursor_close(cursor);
  quire_abort(txn);
}

TEST_F(Cursor, KeepsToItsBounds) {
  fill({"a", "b", "ba", "bb", "bc", "c", "d"});
  quire_txn* txn = read();
  quire_range range = QUIRE_RANGE_INIT;
  range.low = {"b", 1};
  range.high = {"c", 1};
  quire_cursor* cursor = open(txn, keys, &range);
  EXPECT_EQ(next(cursor), "b");
  EXPECT_EQ(last(cursor), "bc");
  EXPECT_EQ(next(cursor), kEnd);
  EXPECT_EQ(previous(cursor), "bc");
  EXPECT_EQ(first(cursor), "b");
  EXPECT_EQ(previous(cursor), kEnd);
  EXPECT_EQ(next(cursor), "b");
  EXPECT_EQ(seek(cursor, "a"), "b");
  EXPECT_EQ(seek(cursor, "c"), kEnd);
  EXPECT_EQ(previous(cursor), "bc");
  EXPECT_EQ(seek_rank(cursor, 1), "ba");
  EXPECT_EQ(seek_rank(cursor, 3), "bc");
  EXPECT_EQ(seek_rank(cursor, 4), kEnd);
  quire_cursor_close(cursor);

  range = QUIRE_RANGE_INIT;
  range.prefix = {"b", 1};
  range.low = {"ba", 2};
  range.high = {"bc", 2};
  cursor = open(txn, keys, &range);
  EXPECT_EQ(next(cursor), "ba");
  EXPECT_EQ(next(cursor), "bb");
  EXPECT_EQ(next(cursor), kEnd);
  quire_cursor_close(cursor);

  range = QUIRE_RANGE_INIT;
  range.low = {"c", 1};
  range.high = {"b", 1};  // nothing is in it
  cursor = open(txn, keys, &range);
  EXPECT_EQ(next(cursor), kEnd);
  EXPECT_EQ(first(cursor), kEnd);
  EXPECT_EQ(last(cursor), kEnd);
  EXPECT_EQ(seek(cursor, "bb"), kEnd);
  EXPECT_EQ(seek_rank(cursor, 0), kEnd);
  quire_cursor_close(cursor);
  quire_abort(txn);
}

TEST_F(Cursor, APrefixOfHighBytesHasNoEnd) {
  const std::string high = "\xFF\xFF";
  quire_txn* txn = write();
  for (const std::string& key : {std::string("a"), std::string("\xFF"), high, high + "a"})
    ASSERT_OK(put(txn, keys, key, "value of " + key));
  quire_range range = QUIRE_RANGE_INIT;
  range.prefix = slice(high);
  quire_cursor* cursor = open(txn, keys, &range);
  EXPECT_EQ(next(cursor), high);
  EXPECT_EQ(next(cursor), high + "a");
  EXPECT_EQ(next(cursor), kEnd);
  quire_cursor_close(cursor);
  quire_abort(txn);
}

TEST_F(Cursor, DeletesUnderItself) {
  fill({"a", "b", "c", "d", "e"});
  quire_txn* txn = write();
  quire_cursor* cursor = open(txn, keys, nullptr);
  EXPECT_CODE(quire_cursor_delete(cursor), QUIRE_ERR_NOT_FOUND);
  EXPECT_EQ(seek(cursor, "b"), "b");
  ASSERT_OK(quire_cursor_delete(cursor));
  EXPECT_EQ(current(cursor), kEnd);
  EXPECT_CODE(quire_cursor_delete(cursor), QUIRE_ERR_NOT_FOUND);
  EXPECT_EQ(next(cursor), "c");
  ASSERT_OK(quire_cursor_delete(cursor));
  EXPECT_EQ(previous(cursor), "a");
  EXPECT_EQ(last(cursor), "e");
  ASSERT_OK(quire_cursor_delete(cursor));
  EXPECT_EQ(next(cursor), kEnd);
  EXPECT_EQ(previous(cursor), "d");
  // What is left, one by one.
  EXPECT_EQ(first(cursor), "a");
  ASSERT_OK(quire_cursor_delete(cursor));
  EXPECT_EQ(next(cursor), "d");
  ASSERT_OK(quire_cursor_delete(cursor));
  EXPECT_EQ(next(cursor), kEnd);
  EXPECT_EQ(previous(cursor), kEnd);
  quire_cursor_close(cursor);
  ASSERT_OK(quire_commit(txn));
}

TEST_F(Cursor, DeletesAllWhileItWalks) {
  std::vector<std::string> all;
  for (int i = 0; i < 3000; ++i) all.push_back(std::to_string(i));
  fill(all);
  std::ranges::sort(all);
  quire_txn* txn = write();
  quire_cursor* cursor = open(txn, keys, nullptr);
  for (const std::string& key : all) {
    ASSERT_EQ(next(cursor), key);
    ASSERT_OK(quire_cursor_delete(cursor));
  }
  EXPECT_EQ(next(cursor), kEnd);
  quire_cursor_close(cursor);
  ASSERT_OK(quire_commit(txn));
}

// Read the collection's rows as if they were the keyspace's.
TEST_F(Cursor, OfAKeyspaceThatWasRolledBackIsNoneOfACollectionWithItsId) {
  quire_txn* txn = write();
  std::uint64_t savepoint = 0;
  ASSERT_OK(quire_savepoint(txn, &savepoint));
  quire_keyspace made = 0;
  ASSERT_OK(quire_keyspace_open(txn, "made", QUIRE_CREATE, &made));
  quire_cursor* cursor = open(txn, made, nullptr);
  ASSERT_OK(put(txn, made, "a", "value of a"));
  EXPECT_EQ(first(cursor), "a");
  ASSERT_OK(quire_rollback_to(txn, savepoint));
  EXPECT_EQ(next(cursor), kEnd);  // nothing has this id
  const quire_field key = {"key", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0};
  quire_collection things = 0;
  ASSERT_OK(quire_collection_create(txn, "things", &key, 1, &things));
  ASSERT_EQ(things, made);
  EXPECT_EQ(next(cursor), "<type>");
  EXPECT_EQ(seek_rank(cursor, 0), "<type>");
  EXPECT_CODE(quire_cursor_delete(cursor), QUIRE_ERR_TYPE);
  quire_abort(txn);
}

// Random moves and changes, by cursor and beside it, against a set.
TEST_F(Cursor, KeepsItsPlaceByKeyWhateverChanges) {
  quire_open_options options = open_options();
  ASSERT_OK(quire_close(db));
  std::filesystem::remove_all(path());
  options.page_size = 512;
  World::open(options);
  quire_txn* txn = write();
  ASSERT_OK(quire_keyspace_open(txn, "keys", QUIRE_CREATE, &keys));
  std::set<std::string> model;
  quire_cursor* cursor = open(txn, keys, nullptr);
  // Where the cursor is: on `at` (or where it was), or at an end.
  enum class Place { kBefore, kOn, kAfter } place = Place::kBefore;
  bool fresh = true;
  std::string at;
  std::mt19937 random(11);
  const auto land = [&](std::set<std::string>::iterator found, bool forward) {
    if (found == model.end()) {
      place = forward ? Place::kAfter : Place::kBefore;
      return std::string(kEnd);
    }
    place = Place::kOn;
    at = *found;
    return at;
  };
  const auto before = [&](std::set<std::string>::iterator found) {
    return found == model.begin() ? model.end() : std::prev(found);
  };
  for (int step = 0; step < 30'000; ++step) {
    const std::string key = std::to_string(random() % 300);
    switch (random() % 9) {
      case 0:
      case 1:
        ASSERT_OK(put(txn, keys, key, "value of " + key));
        model.insert(key);
        break;
      case 2:
        EXPECT_EQ(erase(txn, keys, key) == QUIRE_OK, model.erase(key) == 1);
        break;
      case 3:
      case 4: {
        auto wanted = place == Place::kBefore  ? model.begin()
                      : place == Place::kAfter ? model.end()
                                               : model.upper_bound(at);
        ASSERT_EQ(next(cursor), land(wanted, true)) << step;
        fresh = false;
        break;
      }
      case 5:
      case 6: {
        if (fresh) break;
        auto wanted = place == Place::kAfter    ? before(model.end())
                      : place == Place::kBefore ? model.end()
                                                : before(model.lower_bound(at));
        ASSERT_EQ(previous(cursor), land(wanted, false)) << step;
        break;
      }
      case 7:
        ASSERT_EQ(seek(cursor, key), land(model.lower_bound(key), true)) << step;
        fresh = false;
        break;
      case 8: {
        const bool there = place == Place::kOn && model.contains(at);
        ASSERT_EQ(current(cursor), there ? at : kEnd) << step;
        if (there && random() % 2 == 0) {
          ASSERT_OK(quire_cursor_delete(cursor));
          model.erase(at);
        }
        break;
      }
    }
  }
  quire_cursor_close(cursor);
  ASSERT_OK(quire_commit(txn));
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

}  // namespace
}  // namespace quire::test
