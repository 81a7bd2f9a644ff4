// The writer of players: commits that keep the promise, and changes of fields and indexes.
#pragma once

#include <random>
#include <string>

#include "query_state.h"

namespace quire::test {

class PlayerWriter {
 public:
  PlayerWriter(Database& db, unsigned seed) : db_(db), random_(seed) {}

  // The state before the first commit.
  void make();
  // One commit, whose number it returns; sometimes one before it that is undone.
  std::uint64_t advance();

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

  Value score();
  OwnedValue tags();
  void insert(Collection& players, const std::string& team, std::int64_t round);
  void play(Transaction& txn);
  void play_by_records(Collection& players, const std::string& team, std::int64_t round);
  void play_by_queries(Collection& players, const std::string& team, std::int64_t round);
  void play_by_batch(Collection& players, const std::string& team, std::int64_t round);
  void fill_up(Collection& players, const std::string& team, std::int64_t round);
  void change_indexes(Collection& players);
  void change_fields(Collection& players);

  Database& db_;
  std::mt19937_64 random_;
};

}  // namespace quire::test
