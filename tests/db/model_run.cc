// The model run: between transactions, new lives; keys and values at random.
#include "tests/db/model_run.h"

namespace quire::test {

void ModelRun::between() {
  begin_ = model_.mark();
  if (chance(60)) expect(database_->checkpoint().has_value(), "checkpoint");
  if (chance(150)) compare_everything();
  if (chance(200)) expect(database_->sync().has_value(), "sync");
  if (chance(300)) new_life();
}

void ModelRun::compare_everything() {
  const auto snapshot = must(database_->begin_read());
  compare(*snapshot, model_.state(), "committed");
  for (const Frozen& frozen : frozen_) compare(*frozen.snapshot, *frozen.state, "snapshot");
  const std::string found = damages(*database_);
  expect(found.empty(), found);
  if (!oracle_ || !LmdbOracle::kThere) return;
  const std::string words = difference(oracle_->state(), model_.state());
  expect(words.empty(), "LMDB: " + words);
}

void ModelRun::new_life() {
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

StructureId ModelRun::id_of(View& view, const std::string& space) {
  const auto entry = must(view.find_name(space));
  if (!entry) {
    expect(false, "no keyspace " + space);
    return 0;
  }
  return entry->id;
}

const std::string& ModelRun::some_space(const State& state) {
  return std::next(state.begin(), static_cast<std::ptrdiff_t>(random_() % state.size()))->first;
}

std::string ModelRun::some_key(const Keys& keys) {
  if (!keys.empty() && chance(3)) {
    const auto near = keys.lower_bound(fresh_key());
    if (near != keys.end()) return near->first;
  }
  return fresh_key();
}

std::string ModelRun::fresh_key() {
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

std::size_t ModelRun::longest_key() const {
  return std::min<std::size_t>(max_key_size(settings_.page_size), settings_.oracle ? 500 : 4096);
}

std::string ModelRun::key_behind(const Keys& keys) {
  std::string key = keys.rbegin()->first;
  if (key.size() < 100) return key + "~";
  key.resize(90);
  key.back() = static_cast<char>(0xFF);
  return key > keys.rbegin()->first ? key : keys.rbegin()->first;
}

std::string ModelRun::some_value() {
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

}  // namespace quire::test
