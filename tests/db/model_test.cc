// Random transactions against a std::map model and against LMDB: every way to change, read and end
// them, snapshots that are held while the database goes on, checkpoints, and new lives after clean
// ends and deaths.
//
// QUIRE_TEST_OPERATIONS: how many random operations, over all the settings (default 2 million).
// QUIRE_TEST_SEED: another course of events.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "engine/txn/range_cursor.h"
#include "tests/db/lmdb_oracle.h"
#include "tests/db/state.h"

namespace quire {
namespace {

using namespace test;

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Settings {
  const char* name;
  std::uint32_t page_size = 4096;
  std::uint64_t log_budget_bytes = 64 << 20;
  std::uint64_t private_bytes = 256 << 20;
  bool archive = false;
  bool background = false;
  bool real_disk = false;
  bool oracle = false;
  bool durable_only = false;    // no commits that a crash may take back
  bool alone = false;           // no reading processes, more snapshots: pages stay private for long
  std::uint32_t keys = 1500;    // of each keyspace, about
  std::uint32_t long_txn = 60;  // operations of one in ten transactions
  std::uint64_t part = 10;      // of all operations, in hundredths
};

const Settings kSettings[] = {
    {.name = "SmallPages", .page_size = 512, .part = 20},
    {.name = "DefaultPages", .page_size = 4096, .keys = 4000, .part = 17},
    {.name = "AgainstLmdb", .page_size = 512, .oracle = true, .durable_only = true, .part = 20},
    {.name = "CommitByCheckpoint",
     .page_size = 512,
     .log_budget_bytes = 6000,
     .long_txn = 600,
     .part = 10},
    {.name = "Spilling",
     .page_size = 512,
     .private_bytes = 24 << 10,
     .keys = 3000,
     .long_txn = 1500,
     .part = 10},
    {.name = "SpillingInBackground",
     .page_size = 1024,
     .private_bytes = 24 << 10,
     .background = true,
     .keys = 3000,
     .long_txn = 1500,
     .part = 5},
    {.name = "PrivatePages", .page_size = 512, .background = true, .alone = true, .part = 6},
    {.name = "Archive",
     .page_size = 512,
     .log_budget_bytes = 3000,
     .private_bytes = 48 << 10,
     .archive = true,
     .long_txn = 600,
     .part = 10},
    {.name = "RealDisk", .page_size = 4096, .background = true, .real_disk = true, .part = 2},
};

const std::vector<std::string> kSpaces = {"alpha", "beta", "gamma", "delta", "epsilon"};

// A directory of the machine, removed with all that is in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char path[] = "/tmp/quire-model-XXXXXX";
    if (::mkdtemp(path) == nullptr) std::abort();
    path_ = path;
  }
  ~TemporaryDirectory() { (void)std::system(("rm -rf " + path_).c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What a RangeCursor should do, over a map.
class CursorModel {
 public:
  CursorModel(std::optional<std::string> low, std::optional<std::string> high)
      : low_(std::move(low)), high_(std::move(high)) {}

  bool first(const Keys& keys) { return settle(keys, keys.lower_bound(low_.value_or(""))); }
  bool last(const Keys& keys) {
    return settle_back(keys, high_ ? keys.lower_bound(*high_) : keys.end());
  }
  bool next(const Keys& keys) {
    if (place_ == Place::kBefore || place_ == Place::kNowhere) return first(keys);
    if (place_ == Place::kAfter) return false;
    return settle(keys, keys.upper_bound(at_));
  }
  bool previous(const Keys& keys) {
    if (place_ == Place::kAfter || place_ == Place::kNowhere) return last(keys);
    if (place_ == Place::kBefore) return false;
    return settle_back(keys, keys.lower_bound(at_));
  }
  bool seek(const Keys& keys, const std::string& wanted) {
    return settle(keys, keys.lower_bound(std::max(wanted, low_.value_or(""))));
  }
  bool seek_rank(const Keys& keys, std::uint64_t rank) {
    auto at = keys.lower_bound(low_.value_or(""));
    for (; rank > 0 && at != keys.end(); --rank) ++at;
    return settle(keys, at);
  }
  bool current(const Keys& keys) const { return place_ == Place::kOn && keys.contains(at_); }
  const std::string& at() const { return at_; }

 private:
  enum class Place { kNowhere, kBefore, kOn, kAfter };
  bool settle(const Keys& keys, Keys::const_iterator at) {
    const bool inside = at != keys.end() && (!high_ || at->first < *high_);
    place_ = inside ? Place::kOn : Place::kAfter;
    if (inside) at_ = at->first;
    return inside;
  }
  bool settle_back(const Keys& keys, Keys::const_iterator behind) {
    const bool inside = behind != keys.begin() && (!low_ || std::prev(behind)->first >= *low_);
    place_ = inside ? Place::kOn : Place::kBefore;
    if (inside) at_ = std::prev(behind)->first;
    return inside;
  }

  std::optional<std::string> low_;
  std::optional<std::string> high_;
  Place place_ = Place::kNowhere;
  std::string at_;
};

// A cursor of a view beside its model.
struct CursorPair {
  std::string space;
  StructureId id;
  RangeCursor cursor;
  CursorModel model;
};

// A snapshot that is held, with what it must show for as long as it is.
struct Frozen {
  std::shared_ptr<Database> database;  // null: the writer's
  std::unique_ptr<Snapshot> snapshot;
  std::shared_ptr<const State> state;
  std::optional<CursorPair> cursor;
  std::vector<std::pair<Bytes, std::string>> borrowed;  // memory of the snapshot, and what is there
};

class ModelRun {
 public:
  ModelRun(const Settings& settings, std::uint64_t seed)
      : settings_(settings), random_(seed), simulated_(seed) {
    if (settings.oracle) oracle_ = std::make_unique<LmdbOracle>(kSpaces);
    options_.page_size = settings.page_size;
    options_.log_segment_bytes_min = 8192;
    options_.log_segment_bytes_max = 65536;
    WriterOptions& writer = options_.writer;
    writer.durability = Durability::kBatch;
    writer.log_budget_bytes = settings.log_budget_bytes;
    writer.private_bytes = settings.private_bytes;
    writer.checkpoint_bytes = 1 << 20;
    writer.archive = settings.archive;
    writer.background = settings.background;
    path_ = (settings.real_disk ? directory_.path() : "") + "/model.quire";
    open();
  }
  ~ModelRun() {
    frozen_.clear();
    txn_.reset();
    if (database_) database_->crash();
  }

  void run(std::uint64_t operations) {
    while (done_ < operations && !failed()) {
      transaction();
      if (!failed()) between();
    }
    if (failed()) return;
    compare_everything();
    frozen_.clear();
    EXPECT_EQ(words_of(database_->close()), "no error");
  }
  std::uint64_t done() const { return done_; }

 private:
  bool failed() const { return testing::Test::HasFailure(); }
  void expect(bool holds, const std::string& words) {
    if (!holds) ADD_FAILURE() << settings_.name << ", operation " << done_ << ": " << words;
  }
  bool chance(std::uint64_t of) { return random_() % of == 0; }
  io::Disk& disk() {
    return settings_.real_disk ? io::real_disk() : static_cast<io::Disk&>(simulated_);
  }
  void open() { database_ = must(Database::open(disk(), path_, options_)); }

  // --- one transaction ---

  void transaction() {
    txn_ = must(database_->begin_write(true));
    if (oracle_) oracle_->begin();
    begin_ = model_.mark();
    const std::uint64_t length =
        chance(10) ? 1 + random_() % settings_.long_txn : 1 + random_() % 12;
    for (std::uint64_t i = 0; i < length && !failed(); ++i) {
      ++done_;
      operation();
    }
    cursor_.reset();
    savepoints_.clear();
    if (chance(40)) compare(*txn_, model_.state(), "in the transaction");
    chance(12) ? abort() : commit();
  }

  void abort() {
    txn_.reset();
    model_.roll_back(begin_);
    if (oracle_) oracle_->abort();
  }

  void commit() {
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

  void operation() {
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

  void create_or_drop() {
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

  void change(const std::string& space, std::uint64_t what) {
    if (what < 40) return put(space, what);
    if (what < 60 || !chance(8)) return erase(space);
    erase_range(space);
  }

  void put(const std::string& space, std::uint64_t what) {
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

  void erase(const std::string& space) {
    const std::string key = some_key(model_.state().at(space));
    const bool there = model_.state().at(space).contains(key);
    const auto erased = txn_->erase(id_of(*txn_, space), as_bytes(key));
    expect(erased && *erased == there, "erase: " + words_of(erased));
    if (!there) return;
    model_.set(space, key, std::nullopt);
    if (oracle_) oracle_->erase(space, key);
  }

  void erase_range(const std::string& space) {
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

  // --- savepoints ---

  void savepoint() {
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

  // --- reading ---

  void get(View& view, const State& state, const std::string& space) {
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

  void rank(View& view, const State& state, const std::string& space) {
    const Keys& keys = state.at(space);
    const std::string key = some_key(keys);
    const TreeRoot root = must(view.keyspace_root(id_of(view, space)));
    expect(root.count() == keys.size(), "count of " + space);
    const auto rank = tree_rank(view.reader(), root, as_bytes(key));
    const auto expected =
        static_cast<std::uint64_t>(std::distance(keys.begin(), keys.lower_bound(key)));
    expect(rank && *rank == expected, "rank: " + words_of(rank));
  }

  void move_cursor(View& view, const State& state, std::optional<CursorPair>& pair) {
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

  void new_cursor(View& view, const State& state, std::optional<CursorPair>& pair) {
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

  // --- snapshots ---

  void look_at_frozen() {
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

  std::shared_ptr<const State> committed() const {
    return std::make_shared<const State>(model_.at(begin_));
  }

  // A new snapshot sees what is committed, not what the open transaction has done. One in three is
  // that of another process.
  void freeze() {
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
  // What is lent stays where it is, as it is, for as long as the snapshot is open.
  void borrow(Frozen& frozen) {
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
  void renew(Frozen& frozen) {
    if (frozen.database) return;
    frozen.cursor.reset();
    frozen.borrowed.clear();
    expect(database_->renew(*frozen.snapshot).has_value(), "renew");
    frozen.state = committed();
  }

  void compare(View& view, const State& expected, const char* when) {
    const auto found = read_all(view);
    expect(found.has_value(), words_of(found));
    if (!found) return;
    const std::string words = difference(expected, *found);
    expect(words.empty(), std::string(when) + ": " + words);
  }

  // --- between transactions ---

  void between() {
    begin_ = model_.mark();
    if (chance(60)) expect(database_->checkpoint().has_value(), "checkpoint");
    if (chance(150)) compare_everything();
    if (chance(200)) expect(database_->sync().has_value(), "sync");
    if (chance(300)) new_life();
  }

  void compare_everything() {
    const auto snapshot = must(database_->begin_read());
    compare(*snapshot, model_.state(), "committed");
    for (const Frozen& frozen : frozen_) compare(*frozen.snapshot, *frozen.state, "snapshot");
    const std::string found = damages(*database_);
    expect(found.empty(), found);
    if (!oracle_ || !LmdbOracle::kThere) return;
    const std::string words = difference(oracle_->state(), model_.state());
    expect(words.empty(), "LMDB: " + words);
  }

  // Ends in order or dies, and comes back: with every commit, or, after a death, without some of
  // those that were promised nothing.
  void new_life() {
    frozen_.clear();
    const bool dies = !chance(3);
    if (dies) {
      database_->crash();
    } else {
      expect(database_->close().has_value(), "close");
    }
    open();
    const auto snapshot = must(database_->begin_read());
    const auto found = read_all(*snapshot);
    expect(found.has_value(), "after a new start: " + words_of(found));
    if (!found) return;
    std::string words = difference(model_.state(), *found);
    while (dies && !words.empty() && !loose_commits_.empty()) {
      model_.roll_back(loose_commits_.back());
      loose_commits_.pop_back();
      words = difference(model_.state(), *found);
    }
    expect(words.empty(), (dies ? "after a crash: " : "after closing: ") + words);
    model_.forget();
    loose_commits_.clear();
    begin_ = 0;
  }

  // --- chances ---

  StructureId id_of(View& view, const std::string& space) {
    const auto entry = must(view.find_name(space));
    if (!entry) {
      expect(false, "no keyspace " + space);
      return 0;
    }
    return entry->id;
  }
  const std::string& some_space() { return some_space(model_.state()); }
  const std::string& some_space(const State& state) {
    return std::next(state.begin(), static_cast<std::ptrdiff_t>(random_() % state.size()))->first;
  }

  // One in three is there. Keys share prefixes, have any bytes and lengths up to the limit.
  std::string some_key(const Keys& keys) {
    if (!keys.empty() && chance(3)) {
      const auto near = keys.lower_bound(fresh_key());
      if (near != keys.end()) return near->first;
    }
    return fresh_key();
  }
  std::string fresh_key() {
    const std::uint64_t number = random_() % settings_.keys;
    std::string key;
    switch (number % 7) {
      case 0:
        key = "shared/prefix/of/some/length/" + std::to_string(number);
        break;
      case 1:
        key = std::string(1, static_cast<char>(number % 256)) + std::to_string(number);
        break;
      case 2:
        key = std::string(number * 31 % longest_key() + 1, static_cast<char>('a' + number % 3));
        break;
      default:
        key = "k" + std::to_string(number * 7919 % settings_.keys);
    }
    return key;
  }
  // LMDB's keys end at 511 bytes.
  std::size_t longest_key() const {
    return std::min<std::size_t>(max_key_size(settings_.page_size), settings_.oracle ? 500 : 4096);
  }
  static std::string key_behind(const Keys& keys) {
    std::string key = keys.rbegin()->first;
    if (key.size() < 100) return key + "~";
    key.resize(90);
    key.back() = static_cast<char>(0xFF);
    return key > keys.rbegin()->first ? key : keys.rbegin()->first;
  }
  std::string some_value() {
    const std::uint64_t kind = random_() % 64;
    const std::uint64_t size = kind == 0   ? random_() % (3 * settings_.page_size)
                               : kind < 4  ? random_() % settings_.page_size
                               : kind < 20 ? random_() % 120
                                           : random_() % 20;
    std::string value(size, static_cast<char>('a' + random_() % 26));
    if (size > 8) {
      const std::uint64_t stamp = random_();
      std::memcpy(value.data(), &stamp, sizeof stamp);
    }
    return value;
  }

  const Settings settings_;
  Random random_;
  TemporaryDirectory directory_;
  io::SimulatedDisk simulated_;
  std::string path_;
  DatabaseOptions options_;
  std::unique_ptr<LmdbOracle> oracle_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<WriteTxn> txn_;
  std::optional<CursorPair> cursor_;  // of txn_
  std::vector<std::size_t> savepoints_;
  Model model_;
  std::size_t begin_ = 0;                   // mark of the open transaction
  std::vector<std::size_t> loose_commits_;  // marks where commits began that a crash may take
  std::vector<Frozen> frozen_;
  std::uint64_t done_ = 0;
};

class DatabaseModel : public testing::TestWithParam<Settings> {};

TEST_P(DatabaseModel, RandomOperationsGiveWhatTheModelHas) {
  const std::uint64_t all = from_environment("QUIRE_TEST_OPERATIONS", 2'000'000);
  const std::uint64_t seed = from_environment("QUIRE_TEST_SEED", 1);
  ModelRun run(GetParam(), seed);
  run.run(all * GetParam().part / 100);
  RecordProperty("operations", static_cast<int>(run.done()));
}

INSTANTIATE_TEST_SUITE_P(Settings, DatabaseModel, testing::ValuesIn(kSettings),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace quire
