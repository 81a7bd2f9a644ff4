// A reader of players: queries of every kind, each compared with a scan of the same snapshot.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "query_state.h"

namespace quire::test {

// A filter, and what it means.
struct PlayerFilter {
  std::string text;
  std::vector<OwnedValue> arguments;
  std::function<bool(const Player&)> holds;
};
// An order that no two players are equal in, and what it means.
struct PlayerOrder {
  std::string text;
  std::function<bool(const Player&, const Player&)> before;
};

class PlayerReader {
 public:
  PlayerReader(Database& db, unsigned seed) : db_(db), random_(seed) {}

  // Looks at the newest state, and now and then again at one that is held. "" or what is wrong.
  std::string look();

  std::uint64_t looks() const { return looks_; }
  std::uint64_t changes() const { return changes_; }      // looks at another state than before
  std::uint64_t indexed() const { return indexed_; }      // queries by an index that was named
  std::uint64_t continued() const { return continued_; }  // tokens that went on in another state
  std::uint64_t newest() const { return newest_; }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

  // Each: "" or what is wrong.
  std::string begin();
  std::string query_all();
  std::string check_rows();
  std::string check_count();
  std::string check_groups();
  std::string check_distinct();
  std::string check_pages();
  std::string check_continued();

  PlayerFilter filter();
  PlayerOrder order();
  // The options of a filter, by some way to the records.
  QueryOptions options_of(const PlayerFilter& filter);
  // What the filter finds in a state.
  static std::vector<Player> found(const PlayerState& state, const PlayerFilter& filter);
  std::vector<Player> rows_of(Query& query);
  std::string differ(const QueryOptions& options, const std::vector<Player>& found,
                     const std::vector<Player>& expected) const;

  Database& db_;
  std::mt19937_64 random_;
  Transaction txn_;
  PlayerState state_;
  std::optional<Collection> players_;
  std::vector<std::string> indexes_;

  // A query that stopped in an older state.
  struct Stopped {
    PlayerFilter filter;
    PlayerOrder order;
    std::string token;
    Player last;
  };
  std::optional<Stopped> stopped_;

  std::uint64_t looks_ = 0, changes_ = 0, indexed_ = 0, continued_ = 0, newest_ = 0;
};

}  // namespace quire::test
