// A collection whose every commit keeps a promise that spans its records, so that an answer to a
// query can be told to be of one state, and of the right one.
//
//   collection "players"  kTeams teams; all players of a team have its round, and there are
//                         players_in(round) of them
//   keyspace "state"      how many commits there were, which is the sum of the teams' rounds
//
// Names are unique. Indexes come and go, and so does a field.
#pragma once

#include <quire/quire.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace quire::test {

inline constexpr int kTeams = 9;
inline constexpr const char* kPlayers = "players";

inline std::string team_name(int team) { return "team " + std::to_string(team); }
inline std::uint64_t players_in(std::int64_t round) {
  return 8 + static_cast<std::uint64_t>(round) % 7;
}

enum PlayerField : std::uint32_t { kId, kTeam, kRound, kScore, kName, kTags, kPlayerFields };

struct PlayerIndex {
  const char* name;
  const char* options;
};
// Each may be there or not, also under its name with "_2" behind it.
inline constexpr std::array kPlayerIndexes{
    PlayerIndex{"by_team", R"({"fields": ["team", "-score"], "covering": ["name"]})"},
    PlayerIndex{"by_score", R"({"fields": ["score"]})"},
    PlayerIndex{"by_round", R"({"fields": ["-round", "id"]})"},
    PlayerIndex{"by_name", R"({"fields": ["name"], "unique": true})"},
    PlayerIndex{"by_tag", R"({"fields": ["tags[]", "score"]})"},
    PlayerIndex{"high", R"({"fields": ["score", "team"], "where": "score > 50"})"}};

struct Player {
  std::int64_t id = 0;
  std::string team;
  std::int64_t round = 0;
  std::optional<std::int64_t> score;
  std::string name;
  std::vector<std::string> tags;

  bool operator==(const Player&) const = default;
};

inline std::vector<Field> player_fields() {
  return {{.name = "id", .type = QUIRE_TYPE_I64, .key = true},
          {.name = "team"},
          {.name = "round", .type = QUIRE_TYPE_I64},
          {.name = "score", .type = QUIRE_TYPE_I64, .nullable = true},
          {.name = "name"},
          {.name = "tags", .type = QUIRE_TYPE_ARRAY_TEXT}};
}

// Of the first fields of a record.
inline Player player_of(const std::vector<Value>& values) {
  Player player{values[kId].as.i64, std::string(as_text(values[kTeam])), values[kRound].as.i64,
                std::nullopt,       std::string(as_text(values[kName])), {}};
  if (!is_null(values[kScore])) player.score = values[kScore].as.i64;
  for (const Value& tag : array_elements(values[kTags])) player.tags.emplace_back(as_text(tag));
  return player;
}

// All records of a state, by their keys, and the promise they keep.
struct PlayerState {
  std::vector<Player> players;
  std::uint64_t commits = 0;

  // By a scan of all records.
  static PlayerState read(const Transaction& txn) {
    PlayerState state;
    state.commits = std::stoull(std::string(*txn.find_keyspace("state")->get("commits")));
    Scan scan = txn.find_collection(kPlayers)->scan();
    while (const std::vector<Value>* values = scan.next())
      state.players.push_back(player_of(*values));
    return state;
  }
  // "" or what is wrong.
  std::string problem() const {
    std::map<std::string, std::vector<std::int64_t>> rounds;
    for (const Player& player : players) rounds[player.team].push_back(player.round);
    std::uint64_t sum = 0;
    for (const auto& [team, all] : rounds) {
      if (std::ranges::any_of(all, [&](std::int64_t round) { return round != all[0]; }))
        return team + " is in several rounds";
      if (all.size() != players_in(all[0]))
        return team + " has " + std::to_string(all.size()) + " players in round " +
               std::to_string(all[0]);
      sum += static_cast<std::uint64_t>(all[0]);
    }
    if (rounds.size() != static_cast<std::size_t>(kTeams)) return "a team is missing";
    if (sum == commits) return "";
    return "the rounds are " + std::to_string(sum) + " and the commits " + std::to_string(commits);
  }
};

}  // namespace quire::test
