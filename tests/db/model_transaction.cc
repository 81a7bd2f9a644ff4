// The model run: transactions, changes in them, savepoints.
#include "tests/db/model_run.h"

namespace quire::test {

void ModelRun::transaction() {
  txn_ = must(database_->begin_write(true));
  if (oracle_) oracle_->begin();
  begin_ = model_.mark();
  const std::uint64_t length = chance(10) ? 1 + random_() % settings_.long_txn : 1 + random_() % 12;
  for (std::uint64_t i = 0; i < length && !failed(); ++i) {
    ++done_;
    operation();
  }
  cursor_.reset();
  savepoints_.clear();
  if (chance(40)) compare(*txn_, model_.state(), "in the transaction");
  chance(12) ? abort() : commit();
}

void ModelRun::abort() {
  txn_.reset();
  model_.roll_back(begin_);
  if (oracle_) oracle_->abort();
}

void ModelRun::commit() {
  static constexpr Durability kAll[] = {Durability::kAlways, Durability::kBatch, Durability::kOs,
                                        Durability::kNone};
  const Durability durability = kAll[random_() % (settings_.durable_only ? 3 : 4)];
  const TxnNumber number = txn_->number();
  const auto lsn = database_->writer()->commit(*txn_, durability);
  expect(lsn.has_value(), "commit: " + words_of(lsn));
  // One that changed nothing is no commit: it promises nothing, not of those before it either.
  const bool changed = database_->writer()->tip().txn == number;
  txn_.reset();
  if (oracle_) oracle_->commit();
  if (changed && durability != Durability::kNone) {
    model_.forget();
    loose_commits_.clear();
  } else {
    loose_commits_.push_back(begin_);
  }
}

void ModelRun::operation() {
  const std::uint64_t what = random_() % 100;
  if (model_.state().empty() || (what == 0 && chance(3))) return create_or_drop();
  const std::string& space = some_space();
  if (settings_.alone && chance(3)) return look_at_frozen();
  if (what < 62) return change(space, what);
  if (what < 68) return get(*txn_, model_.state(), space);
  if (what < 72) return rank(*txn_, model_.state(), space);
  if (what < 90) return move_cursor(*txn_, model_.state(), cursor_);
  if (what < 95) return savepoint();
  look_at_frozen();
}

void ModelRun::create_or_drop() {
  const std::string& space = kSpaces[random_() % kSpaces.size()];
  const bool there = model_.state().contains(space);
  if (!there || chance(3)) {
    const auto created = txn_->create_keyspace(space);
    expect(code_of(created) == (there ? ErrorCode::kExists : ErrorCode::kOk), words_of(created));
    if (there) return;
    model_.create(space);
    if (oracle_) oracle_->create(space);
    return;
  }
  if (cursor_ && cursor_->space == space) cursor_.reset();
  const Status dropped = txn_->drop_keyspace(id_of(*txn_, space));
  expect(dropped.has_value(), words_of(dropped));
  model_.drop(space);
  if (oracle_) oracle_->drop(space);
}

void ModelRun::change(const std::string& space, std::uint64_t what) {
  if (what < 40) return put(space, what);
  if (what < 60 || !chance(8)) return erase(space);
  erase_range(space);
}

void ModelRun::put(const std::string& space, std::uint64_t what) {
  using Mode = TreeWriter::PutMode;
  const Keys& keys = model_.state().at(space);
  const Mode mode = what < 25   ? Mode::kUpsert
                    : what < 29 ? Mode::kInsert
                    : what < 33 ? Mode::kUpdate
                                : Mode::kAppend;
  const bool behind = mode == Mode::kAppend && !keys.empty() && !chance(5);
  const std::string key = behind ? key_behind(keys) : some_key(keys);
  const std::string value = some_value();
  const bool there = keys.contains(key);
  const auto expected = mode == Mode::kInsert && there    ? ErrorCode::kExists
                        : mode == Mode::kUpdate && !there ? ErrorCode::kNotFound
                        : mode == Mode::kAppend && !keys.empty() && key <= keys.rbegin()->first
                            ? ErrorCode::kInvalid
                            : ErrorCode::kOk;
  const auto put = txn_->put(id_of(*txn_, space), as_bytes(key), as_bytes(value), mode);
  expect(code_of(put) == expected, "put: " + words_of(put));
  if (!put) return;
  expect(*put == !there, "put told a new key from an old one");
  model_.set(space, key, value);
  if (oracle_) oracle_->put(space, key, value);
}

void ModelRun::erase(const std::string& space) {
  const std::string key = some_key(model_.state().at(space));
  const bool there = model_.state().at(space).contains(key);
  const auto erased = txn_->erase(id_of(*txn_, space), as_bytes(key));
  expect(erased && *erased == there, "erase: " + words_of(erased));
  if (!there) return;
  model_.set(space, key, std::nullopt);
  if (oracle_) oracle_->erase(space, key);
}

void ModelRun::erase_range(const std::string& space) {
  const Keys& keys = model_.state().at(space);
  std::optional<std::string> low;
  std::optional<std::string> high;
  if (!chance(8)) low = some_key(keys);
  if (!chance(8)) high = some_key(keys);
  if (low && high && *high < *low && !chance(4)) std::swap(low, high);
  // Mostly short ones, or nothing would be left.
  if (!chance(6)) {
    const auto from = keys.lower_bound(low.value_or(""));
    auto to = from;
    for (std::uint64_t n = random_() % 40; n > 0 && to != keys.end(); --n) ++to;
    high = to == keys.end() ? std::nullopt : std::optional(to->first);
  }
  std::vector<std::string> gone;
  for (auto at = keys.lower_bound(low.value_or("")); at != keys.end(); ++at) {
    if (high && at->first >= *high) break;
    gone.push_back(at->first);
  }
  const auto bytes = [](const std::optional<std::string>& text) {
    return text ? std::optional(as_bytes(*text)) : std::nullopt;
  };
  const auto erased = txn_->erase_range(id_of(*txn_, space), bytes(low), bytes(high));
  expect(erased && *erased == gone.size(), "erase range: " + words_of(erased));
  for (const std::string& key : gone) model_.set(space, key, std::nullopt);
  if (oracle_) oracle_->erase_range(space, low, high);
}

void ModelRun::savepoint() {
  const std::uint64_t what = random_() % 5;
  if (what < 2 || savepoints_.empty()) {
    if (savepoints_.size() >= 6) return;
    const auto number = txn_->savepoint();
    expect(number && *number == savepoints_.size(), words_of(number));
    savepoints_.push_back(model_.mark());
    if (oracle_) oracle_->savepoint();
    return;
  }
  const std::size_t number = random_() % savepoints_.size();
  const Status status = what < 4 ? txn_->rollback_to(number) : txn_->release(number);
  expect(status.has_value(), "savepoint: " + words_of(status));
  if (what < 4) {
    model_.roll_back(savepoints_[number]);
    savepoints_.resize(number + 1);
    // Its keyspace may be gone, or be one of the same name.
    if (cursor_ &&
        (!model_.state().contains(cursor_->space) || id_of(*txn_, cursor_->space) != cursor_->id))
      cursor_.reset();
    if (oracle_) oracle_->roll_back(number);
    if (chance(4)) compare(*txn_, model_.state(), "rolled back to a savepoint");
  } else {
    savepoints_.resize(number);
    if (oracle_) oracle_->release(number);
  }
}

}  // namespace quire::test
