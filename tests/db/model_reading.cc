// The model run: gets, ranks, cursors; snapshots that are held.
#include "tests/db/model_run.h"

namespace quire::test {

void ModelRun::get(View& view, const State& state, const std::string& space) {
  const Keys& keys = state.at(space);
  const std::string key = some_key(keys);
  const auto found =
      tree_get(view.reader(), must(view.keyspace_root(id_of(view, space))), as_bytes(key));
  const auto there = keys.find(key);
  expect(found.has_value(), "get: " + words_of(found));
  if (!found) return;
  expect(found->has_value() == (there != keys.end()), "get: key " + shown(key));
  if (*found && there != keys.end())
    expect(as_text(**found) == there->second, "get: value of " + shown(key));
}

void ModelRun::rank(View& view, const State& state, const std::string& space) {
  const Keys& keys = state.at(space);
  const std::string key = some_key(keys);
  const TreeRoot root = must(view.keyspace_root(id_of(view, space)));
  expect(root.count() == keys.size(), "count of " + space);
  const auto rank = tree_rank(view.reader(), root, as_bytes(key));
  const auto expected =
      static_cast<std::uint64_t>(std::distance(keys.begin(), keys.lower_bound(key)));
  expect(rank && *rank == expected, "rank: " + words_of(rank));
}

void ModelRun::move_cursor(View& view, const State& state, std::optional<CursorPair>& pair) {
  if (!pair || chance(12)) {
    new_cursor(view, state, pair);
    if (!pair) return;
  }
  const Keys& keys = state.at(pair->space);
  const std::uint64_t what = random_() % 16;
  Result<bool> moved = false;
  bool expected = false;
  if (what < 6) {
    moved = pair->cursor.next();
    expected = pair->model.next(keys);
  } else if (what < 11) {
    moved = pair->cursor.previous();
    expected = pair->model.previous(keys);
  } else if (what == 11) {
    moved = pair->cursor.first();
    expected = pair->model.first(keys);
  } else if (what == 12) {
    moved = pair->cursor.last();
    expected = pair->model.last(keys);
  } else if (what == 13) {
    const std::string key = some_key(keys);
    moved = pair->cursor.seek(as_bytes(key));
    expected = pair->model.seek(keys, key);
  } else if (what == 14) {
    const std::uint64_t rank = random_() % (keys.size() + 2);
    moved = pair->cursor.seek_rank(rank);
    expected = pair->model.seek_rank(keys, rank);
  } else {
    moved = pair->cursor.current();
    expected = pair->model.current(keys);
  }
  expect(moved && *moved == expected,
         "cursor in " + pair->space + ", move " + std::to_string(what) + ": " + words_of(moved));
  if (!moved || !*moved || !expected) return;
  expect(as_text(pair->cursor.key()) == pair->model.at(), "cursor: key");
  const auto value = pair->cursor.value();
  expect(value && as_text(*value) == keys.at(pair->model.at()), "cursor: value");
}

void ModelRun::new_cursor(View& view, const State& state, std::optional<CursorPair>& pair) {
  pair.reset();
  if (state.empty()) return;
  const std::string& space = some_space(state);
  const Keys& keys = state.at(space);
  CursorRange range;
  std::optional<std::string> low;
  std::optional<std::string> high;
  if (chance(3)) low = some_key(keys);
  if (chance(3)) high = some_key(keys);
  if (low) range.low = to_vector(as_bytes(*low));
  if (high) range.high = to_vector(as_bytes(*high));
  const StructureId id = id_of(view, space);
  pair.emplace(space, id, RangeCursor(view, id, std::move(range)),
               CursorModel(std::move(low), std::move(high)));
}

void ModelRun::look_at_frozen() {
  if (frozen_.empty() || (frozen_.size() < 5 && chance(12))) return freeze();
  Frozen& frozen = frozen_[random_() % frozen_.size()];
  if (chance(60)) {
    std::swap(frozen, frozen_.back());
    compare(*frozen_.back().snapshot, *frozen_.back().state, "at the end of a snapshot");
    frozen_.pop_back();
    return;
  }
  if (frozen.state->empty()) return;
  switch (random_() % 4) {
    case 0:
      return get(*frozen.snapshot, *frozen.state, some_space(*frozen.state));
    case 1:
      return rank(*frozen.snapshot, *frozen.state, some_space(*frozen.state));
    case 2:
      return chance(60) ? renew(frozen) : borrow(frozen);
    default:
      return move_cursor(*frozen.snapshot, *frozen.state, frozen.cursor);
  }
}

std::shared_ptr<const State> ModelRun::committed() const {
  return std::make_shared<const State>(model_.at(begin_));
}

void ModelRun::freeze() {
  Frozen frozen;
  if (!settings_.alone && chance(3)) {
    DatabaseOptions options;
    options.read_only = true;
    frozen.database = must(Database::open(disk(), path_, options));
    frozen.snapshot = must(frozen.database->begin_read());
  } else {
    frozen.snapshot = must(database_->begin_read());
  }
  frozen.state = committed();
  frozen_.push_back(std::move(frozen));
}

void ModelRun::borrow(Frozen& frozen) {
  const std::string& space = some_space(*frozen.state);
  const Keys& keys = frozen.state->at(space);
  const std::string key = some_key(keys);
  View& view = *frozen.snapshot;
  const auto found =
      must(tree_get(view.reader(), must(view.keyspace_root(id_of(view, space))), as_bytes(key)));
  if (found && frozen.borrowed.size() < 200) frozen.borrowed.emplace_back(*found, keys.at(key));
  for (const auto& [bytes, text] : frozen.borrowed)
    expect(as_text(bytes) == text, "what a snapshot has lent was changed");
}

void ModelRun::renew(Frozen& frozen) {
  if (frozen.database) return;
  frozen.cursor.reset();
  frozen.borrowed.clear();
  expect(database_->renew(*frozen.snapshot).has_value(), "renew");
  frozen.state = committed();
}

void ModelRun::compare(View& view, const State& expected, const char* when) {
  const auto found = read_all(view);
  expect(found.has_value(), words_of(found));
  if (!found) return;
  const std::string words = difference(expected, *found);
  expect(words.empty(), std::string(when) + ": " + words);
}

}  // namespace quire::test
