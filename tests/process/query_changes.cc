#include "query_changes.h"

#include <deque>

namespace quire::test {

void PlayerWriter::make() {
  Transaction txn = db_.write();
  Collection players = txn.create_collection(kPlayers, player_fields());
  for (const PlayerIndex& index : kPlayerIndexes)
    players.create_index(index.name, {.options = index.options});
  for (int team = 0; team < kTeams; ++team) fill_up(players, team_name(team), 0);
  txn.create_keyspace("state").put("commits", "0");
  txn.commit();
}

Value PlayerWriter::score() {
  return one_in(6) ? null_value() : i64_value(static_cast<std::int64_t>(below(100)));
}

OwnedValue PlayerWriter::tags() {
  static constexpr std::array<const char*, 4> kAll = {"a", "b", "c", "d"};
  std::vector<Value> some;
  for (const char* tag : kAll) {
    if (one_in(3)) some.push_back(text_value(tag));
  }
  return array_value(QUIRE_TYPE_ARRAY_TEXT, some);
}

void PlayerWriter::insert(Collection& players, const std::string& team, std::int64_t round) {
  for (;;) {
    const auto id = static_cast<std::int64_t>(below(1'000'000));
    // Names outlive the players they were made for.
    const std::string name = "player " + std::to_string(random_());
    const OwnedValue some = tags();
    std::vector<Value> values(players.field_count(), default_value());
    values[kId] = i64_value(id);
    values[kTeam] = text_value(team);
    values[kRound] = i64_value(round);
    values[kScore] = score();
    values[kName] = text_value(name);
    values[kTags] = some;
    if (players.insert(values)) return;
  }
}

// As many players as the round has.
void PlayerWriter::fill_up(Collection& players, const std::string& team, std::int64_t round) {
  const QueryOptions of_team{.filter = "team = $1", .arguments = {text_value(team)}};
  std::uint64_t there = players.count(of_team);
  while (there < players_in(round)) {
    insert(players, team, round);
    ++there;
  }
  if (there == players_in(round)) return;
  players.erase({.filter = of_team.filter,
                 .arguments = of_team.arguments,
                 .order = one_in(2) ? "score desc" : "id",
                 .limit = there - players_in(round)});
}

void PlayerWriter::play_by_records(Collection& players, const std::string& team,
                                   std::int64_t round) {
  std::vector<std::int64_t> ids;
  Query query = players.query(
      {.filter = "team = $1", .arguments = {text_value(team)}, .select = "id", .no_index = true});
  while (const std::vector<Value>* row = query.next()) ids.push_back((*row)[0].as.i64);
  for (const std::int64_t id : ids) {
    if (one_in(8)) {
      players.erase(i64_value(id));
      continue;
    }
    const OwnedValue some = tags();
    const std::array fields{std::uint32_t{kRound}, std::uint32_t{kScore}, std::uint32_t{kTags}};
    players.update(i64_value(id), fields, std::array<Value, 3>{i64_value(round), score(), some});
  }
}

void PlayerWriter::play_by_queries(Collection& players, const std::string& team,
                                   std::int64_t round) {
  const std::array fields{std::uint32_t{kRound}, std::uint32_t{kScore}};
  const QueryOptions of_team{.filter = "team = $1", .arguments = {text_value(team)}};
  players.update(of_team, std::span(fields).first(1), std::array{i64_value(round)});
  players.update(
      {.filter = "team = $1 and score < $2", .arguments = {text_value(team), i64_value(50)}},
      fields, std::array{i64_value(round), score()});
}

// With names that move from one player to another, which a unique index has to follow.
void PlayerWriter::play_by_batch(Collection& players, const std::string& team, std::int64_t round) {
  std::vector<Player> all;
  Query query = players.query({.filter = "team = $1",
                               .arguments = {text_value(team)},
                               .select = "id, team, round, score, name, tags"});
  while (const std::vector<Value>* row = query.next()) all.push_back(player_of(*row));
  const std::string spare = "nobody";
  std::deque<std::array<Value, 2>> values;
  std::deque<Value> keys;
  std::vector<Change> changes;
  static constexpr std::array kFields{std::uint32_t{kRound}, std::uint32_t{kName}};
  const auto change = [&](const Player& player, const std::string& name) {
    const Value& key = keys.emplace_back(i64_value(player.id));
    const auto& pair = values.emplace_back(std::array{i64_value(round), text_value(name)});
    changes.push_back(alteration(key, kFields, pair));
  };
  // All names but the first move on by one; that needs a place that is free.
  change(all[0], spare);
  for (std::size_t i = 1; i < all.size(); ++i) change(all[i], all[i - 1].name);
  change(all[0], all.back().name);
  players.apply(changes);
}

void PlayerWriter::change_indexes(Collection& players) {
  const PlayerIndex& index = kPlayerIndexes[below(kPlayerIndexes.size())];
  const std::string name = index.name, other = name + "_2";
  for (const IndexInfo& there : players.indexes()) {
    if (there.name != name && there.name != other) continue;
    if (one_in(3)) return players.rename_index(there.name, there.name == name ? other : name);
    if (one_in(2)) return players.rebuild_index(there.name);
    players.drop_index(there.name);
    return;
  }
  players.create_index(name, {.options = index.options});
}

void PlayerWriter::change_fields(Collection& players) {
  std::vector<Field> fields = players.fields();
  if (fields.size() > kPlayerFields) {
    if (one_in(2)) return players.rewrite();
    fields.pop_back();
  } else {
    fields.push_back({.name = "extra", .rules = default_rules(text_value("some text"))});
  }
  // Of fields that come and go, versions of rows pile up.
  if (players.versions().newest - players.versions().oldest > 100) players.rewrite();
  players.change(fields);
}

void PlayerWriter::play(Transaction& txn) {
  Collection players = *txn.find_collection(kPlayers);
  if (one_in(5)) change_indexes(players);
  if (one_in(12)) change_fields(players);
  const std::string team = team_name(static_cast<int>(below(kTeams)));
  std::int64_t round = 0;
  {
    Query query = players.query({.filter = "team = $1",
                                 .arguments = {text_value(team)},
                                 .select = "min(round), max(round)"});
    round = (*query.next())[1].as.i64 + 1;
  }
  switch (below(3)) {
    case 0:
      play_by_records(players, team, round);
      break;
    case 1:
      play_by_queries(players, team, round);
      break;
    default:
      play_by_batch(players, team, round);
  }
  fill_up(players, team, round);
}

std::uint64_t PlayerWriter::advance() {
  static constexpr std::array<std::uint32_t, 3> kDurabilities = {
      QUIRE_DURABILITY_ALWAYS, QUIRE_DURABILITY_BATCH, QUIRE_DURABILITY_OS};
  Transaction txn = db_.write();
  if (one_in(6)) {
    play(txn);
    txn.abort();
    txn = db_.write();
  }
  if (one_in(5)) {
    const std::uint64_t savepoint = txn.savepoint();
    play(txn);
    txn.rollback_to(savepoint);
  }
  play(txn);
  Keyspace state = *txn.find_keyspace("state");
  const std::uint64_t number = std::stoull(std::string(*state.get("commits"))) + 1;
  state.put("commits", std::to_string(number));
  txn.commit(kDurabilities[below(kDurabilities.size())]);
  if (one_in(16)) db_.checkpoint();
  return number;
}

}  // namespace quire::test
