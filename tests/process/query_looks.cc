#include "query_looks.h"

#include <set>

namespace quire::test {
namespace {

constexpr const char* kColumns = "id, team, round, score, name, tags";

bool has_tag(const Player& player, const std::string& tag) {
  return std::ranges::find(player.tags, tag) != player.tags.end();
}

std::string describe(const Player& player) {
  return std::to_string(player.id) + "/" + player.team + "/" + std::to_string(player.round) + "/" +
         (player.score ? std::to_string(*player.score) : "-");
}

std::string describe(const std::vector<Player>& players) {
  std::string text;
  for (const Player& player : players) text += " " + describe(player);
  return "[" + text + " ]";
}

std::vector<Player> cut(std::vector<Player> players, std::uint64_t offset, std::uint64_t limit) {
  const auto begin = std::min<std::uint64_t>(offset, players.size());
  players.erase(players.begin(), players.begin() + static_cast<std::ptrdiff_t>(begin));
  if (players.size() > limit) players.resize(limit);
  return players;
}

}  // namespace

PlayerFilter PlayerReader::filter() {
  const std::string team = team_name(static_cast<int>(below(kTeams)));
  const auto low = static_cast<std::int64_t>(below(100));
  const std::int64_t high = low + static_cast<std::int64_t>(below(40));
  const auto& some = state_.players[below(state_.players.size())];
  const OwnedValue team_value = text_value(team);
  switch (below(10)) {
    case 0:
      return {"", {}, [](const Player&) { return true; }};
    case 1:
      return {"team = $1", {team_value}, [=](const Player& p) { return p.team == team; }};
    case 2:
      return {"score between $1 and $2", {i64_value(low), i64_value(high)}, [=](const Player& p) {
                return p.score && *p.score >= low && *p.score <= high;
              }};
    case 3:
      return {"score is null or team = $1", {team_value}, [=](const Player& p) {
                return !p.score || p.team == team;
              }};
    case 4:
      return {"team in ($1, 'team 0') and score > $2",
              {team_value, i64_value(low)},
              [=](const Player& p) {
                return (p.team == team || p.team == "team 0") && p.score && *p.score > low;
              }};
    case 5:
      return {"tags has any ('a', 'c') and score < $1", {i64_value(high)}, [=](const Player& p) {
                return (has_tag(p, "a") || has_tag(p, "c")) && p.score && *p.score < high;
              }};
    case 6:
      return {"name = $1", {text_value(some.name)}, [name = some.name](const Player& p) {
                return p.name == name;
              }};
    case 7:
      return {"id between $1 and $2",
              {i64_value(some.id), i64_value(some.id + 400'000)},
              [low_id = some.id](const Player& p) {
                return p.id >= low_id && p.id <= low_id + 400'000;
              }};
    case 8:
      return {"score > 60 and round >= $1",
              {i64_value(some.round)},
              [round = some.round](const Player& p) {
                return p.score && *p.score > 60 && p.round >= round;
              }};
    default:
      return {
          "not (team = $1) and round < $2",
          {team_value, i64_value(some.round)},
          [=, round = some.round](const Player& p) { return p.team != team && p.round < round; }};
  }
}

PlayerOrder PlayerReader::order() {
  switch (below(5)) {
    case 0:
      return {"id", [](const Player& a, const Player& b) { return a.id < b.id; }};
    case 1:  // null first
      return {"score, id", [](const Player& a, const Player& b) {
                return std::tie(a.score, a.id) < std::tie(b.score, b.id);
              }};
    case 2:  // null last
      return {"team, score desc, id", [](const Player& a, const Player& b) {
                return std::tie(a.team, b.score, a.id) < std::tie(b.team, a.score, b.id);
              }};
    case 3:
      return {"name desc", [](const Player& a, const Player& b) { return b.name < a.name; }};
    default:
      return {"round desc, id", [](const Player& a, const Player& b) {
                return std::tie(b.round, a.id) < std::tie(a.round, b.id);
              }};
  }
}

QueryOptions PlayerReader::options_of(const PlayerFilter& filter) {
  QueryOptions options{.filter = filter.text};
  for (const OwnedValue& argument : filter.arguments) options.arguments.push_back(argument);
  if (one_in(4)) {
    options.no_index = true;
  } else if (!indexes_.empty() && one_in(2)) {
    const std::string& index = indexes_[below(indexes_.size())];
    // It has not all records.
    if (!index.starts_with("high") || filter.text.starts_with("score > 60")) {
      options.index = index;
      ++indexed_;
    }
  }
  return options;
}

std::vector<Player> PlayerReader::found(const PlayerState& state, const PlayerFilter& filter) {
  std::vector<Player> players;
  std::ranges::copy_if(state.players, std::back_inserter(players), filter.holds);
  return players;
}

std::vector<Player> PlayerReader::rows_of(Query& query) {
  std::vector<Player> players;
  while (const std::vector<Value>* row = query.next()) players.push_back(player_of(*row));
  return players;
}

std::string PlayerReader::differ(const QueryOptions& options, const std::vector<Player>& found,
                                 const std::vector<Player>& expected) const {
  if (found == expected) return "";
  return "'" + options.filter + "' order '" + options.order + "' index '" + options.index +
         "' in state " + std::to_string(state_.commits) + " gives " + describe(found) + ", not " +
         describe(expected);
}

std::string PlayerReader::check_rows() {
  const PlayerFilter wanted = filter();
  QueryOptions options = options_of(wanted);
  options.select = kColumns;
  std::vector<Player> expected = found(state_, wanted);
  if (one_in(3)) {  // any order
    Query query = players_->query(options);
    std::vector<Player> rows = rows_of(query);
    std::ranges::sort(rows, {}, &Player::id);
    return differ(options, rows, expected);
  }
  const PlayerOrder ordered = order();
  options.order = ordered.text;
  if (one_in(2)) options.limit = below(12);
  if (one_in(2)) options.offset = below(12);
  std::ranges::sort(expected, ordered.before);
  Query query = players_->query(options);
  std::vector<Player> rows;
  while (const std::vector<Value>* row = query.next()) {
    rows.push_back(player_of(*row));
    const auto by_number = players_->get_number(query.record());
    if (!by_number || player_of(*by_number) != rows.back())
      return "the number of a row is not its record's";
    if (query.key()[0].as.i64 != rows.back().id) return "the key of a row is not its record's";
  }
  return differ(options, rows, cut(expected, options.offset, options.limit));
}

std::string PlayerReader::check_count() {
  const PlayerFilter wanted = filter();
  const QueryOptions options = options_of(wanted);
  const std::uint64_t count = players_->count(options);
  const std::size_t expected = found(state_, wanted).size();
  if (count == expected) return "";
  return "count of '" + options.filter + "' is " + std::to_string(count) + ", not " +
         std::to_string(expected);
}

// The promise, as a query tells it: whatever the way, each team is in one round and complete.
std::string PlayerReader::check_groups() {
  QueryOptions options{.select = "team, count(), min(round), max(round), max(score)",
                       .group = "team"};
  options.no_index = one_in(3);
  Query query = players_->query(options);
  std::uint64_t teams = 0, sum = 0;
  while (const std::vector<Value>* row = query.next()) {
    const std::string team(as_text((*row)[0]));
    const std::int64_t round = (*row)[2].as.i64;
    if (round != (*row)[3].as.i64) return "by groups " + team + " is in several rounds";
    if (static_cast<std::uint64_t>((*row)[1].as.i64) != players_in(round))
      return "by groups " + team + " is not complete";
    std::optional<std::int64_t> most;
    for (const Player& player : state_.players)
      if (player.team == team) most = std::max(most, player.score);
    if (is_null((*row)[4]) ? most.has_value() : most != (*row)[4].as.i64)
      return "by groups " + team + " has another best score";
    ++teams;
    sum += static_cast<std::uint64_t>(round);
  }
  if (teams == kTeams && sum == state_.commits) return "";
  return "by groups there are " + std::to_string(teams) + " teams, and " + std::to_string(sum) +
         " rounds of " + std::to_string(state_.commits);
}

std::string PlayerReader::check_distinct() {
  const PlayerFilter wanted = filter();
  QueryOptions options = options_of(wanted);
  options.select = "team, round";
  options.order = "team";
  options.distinct = true;
  std::set<std::pair<std::string, std::int64_t>> expected;
  for (const Player& player : found(state_, wanted)) expected.emplace(player.team, player.round);
  Query query = players_->query(options);
  auto next = expected.begin();
  while (const std::vector<Value>* row = query.next()) {
    if (next == expected.end() || as_text((*row)[0]) != next->first ||
        (*row)[1].as.i64 != next->second)
      return "distinct teams of '" + options.filter + "' are others";
    ++next;
  }
  return next == expected.end() ? "" : "distinct teams of '" + options.filter + "' are missing";
}

// Page by page with tokens; now and then it stops, to go on in a later state.
std::string PlayerReader::check_pages() {
  const PlayerFilter wanted = filter();
  const PlayerOrder ordered = order();
  QueryOptions options = options_of(wanted);
  options.select = kColumns;
  options.order = ordered.text;
  options.limit = 1 + below(9);
  std::vector<Player> expected = found(state_, wanted);
  std::ranges::sort(expected, ordered.before);
  std::vector<Player> all;
  for (;;) {
    Query query = players_->query(options);
    const std::size_t before = all.size();
    while (const std::vector<Value>* row = query.next()) all.push_back(player_of(*row));
    if (all.size() == before) return differ(options, all, expected);
    options.token = query.token();
    if (!stopped_ && one_in(3)) {
      stopped_ = Stopped{wanted, ordered, options.token, all.back()};
      return differ(options, all, cut(expected, 0, all.size()));
    }
  }
}

std::string PlayerReader::check_continued() {
  if (!stopped_) return "";
  const Stopped stopped = std::move(*stopped_);
  stopped_.reset();
  QueryOptions options{.filter = stopped.filter.text, .select = kColumns};
  for (const OwnedValue& argument : stopped.filter.arguments) options.arguments.push_back(argument);
  options.order = stopped.order.text;
  options.token = stopped.token;
  std::vector<Player> expected = found(state_, stopped.filter);
  std::erase_if(expected,
                [&](const Player& player) { return !stopped.order.before(stopped.last, player); });
  std::ranges::sort(expected, stopped.order.before);
  // Who has got the name of the last one since may be given or not.
  const auto moved = [&](const Player& player) {
    return player.name == stopped.last.name && player.id != stopped.last.id;
  };
  std::erase_if(expected, moved);
  try {
    Query query = players_->query(options);
    std::vector<Player> rows = rows_of(query);
    std::erase_if(rows, moved);
    ++continued_;
    return differ(options, rows, expected);
  } catch (const Error& error) {
    // The index that it went by is there no more, or was built anew.
    return error.code() == QUIRE_ERR_CONFLICT ? "" : error.what();
  }
}

std::string PlayerReader::query_all() {
  std::string problem = check_continued();
  for (int i = 0; i < 6 && problem.empty(); ++i) problem = check_rows();
  for (int i = 0; i < 3 && problem.empty(); ++i) problem = check_count();
  if (problem.empty()) problem = check_groups();
  if (problem.empty()) problem = check_distinct();
  if (problem.empty()) problem = check_pages();
  return problem;
}

// The newest state, read whole.
std::string PlayerReader::begin() {
  if (txn_ && one_in(2)) {
    txn_.renew();
  } else {
    txn_ = db_.read();
  }
  players_ = txn_.find_collection(kPlayers);
  state_ = PlayerState::read(txn_);
  indexes_.clear();
  for (const IndexInfo& index : players_->indexes()) indexes_.push_back(index.name);
  const std::uint64_t before = std::exchange(newest_, state_.commits);
  if (newest_ != before) ++changes_;
  if (newest_ < before) return std::to_string(newest_) + " after " + std::to_string(before);
  return state_.problem();
}

std::string PlayerReader::look() {
  ++looks_;
  try {
    std::string problem = begin();
    if (problem.empty()) problem = query_all();
    // Again, after others have written meanwhile.
    if (problem.empty() && one_in(4)) {
      if (PlayerState::read(txn_).players != state_.players) return "a held state has changed";
      problem = query_all();
    }
    return problem;
  } catch (const Error& error) {
    return std::string(error.name()) + " " + error.what();
  }
}

}  // namespace quire::test
