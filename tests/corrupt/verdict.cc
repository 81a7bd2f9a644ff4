#include "tests/corrupt/verdict.h"

#include <algorithm>

namespace quire::test {
namespace {

Verdict wrong(std::string words) { return {Outcome::kWrong, std::move(words)}; }

bool is_of_damage(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotDatabase:
    case ErrorCode::kVersion:
    case ErrorCode::kByteOrder:
    case ErrorCode::kWrongId:
    case ErrorCode::kPageSize:
    case ErrorCode::kCorrupt:
    case ErrorCode::kTruncated:
    case ErrorCode::kLogDamaged:
      return true;
    default:
      return false;
  }
}

Verdict judge_error(const Error& error, const char* where) {
  const std::string words =
      std::string(where) + ": " + std::string(error_name(error.code())) + ": " + error.message();
  if (!is_of_damage(error.code())) return wrong("not an error of damage: " + words);
  const bool names = error.message().find(kDatabasePath) != std::string::npos ||
                     error.message().find("page ") != std::string::npos;
  if (!names) return wrong("names nothing: " + words);
  return {Outcome::kDetected, words};
}

Verdict judge_state(const Scene& scene, const Mutation& mutation,
                    const std::vector<Changed>& changed, const State& found) {
  if (found == scene.history[scene.last]) return {Outcome::kHarmless, ""};
  const bool foreign = mutation.file == kDataPath && mutation.damage == Damage::kForeign;
  if (foreign && scene.log.empty() && found == scene.foreign_history.back())
    return {Outcome::kHarmless, "another database, whole"};
  const std::size_t commit = commit_of(found);
  if (is_whole_older(scene, mutation) && commit < scene.history.size() &&
      difference(scene.history[commit], found).empty())
    return {Outcome::kHarmless, "the database as it was, whole"};
  if (!log_changed(changed) || commit >= scene.history.size())
    return wrong("other answers: " + difference(scene.history[scene.last], found));
  const std::string words = difference(scene.history[commit], found);
  if (!words.empty())
    return wrong("not the state of commit " + std::to_string(commit) + ": " + words);
  const std::size_t least = known_synced(scene, changed);
  if (commit < least)
    return wrong("commit " + std::to_string(commit) + " without a word, but " +
                 std::to_string(least) + " is known to have been synced");
  return {Outcome::kHarmless, "the log ends at commit " + std::to_string(commit)};
}

}  // namespace

bool is_whole_older(const Scene& scene, const Mutation& mutation) {
  return mutation.damage == Damage::kStaleFile && scene.files.size() == 1;
}

bool log_changed(const std::vector<Changed>& changed) {
  return std::ranges::any_of(changed, [](const Changed& part) { return part.file != kDataPath; });
}

std::size_t known_synced(const Scene& scene, const std::vector<Changed>& changed) {
  std::uint64_t synced = 0;
  for (const LoggedRecord& record : scene.log) {
    const bool touched = std::ranges::any_of(changed, [&](const Changed& part) {
      // The segment's header and start make all of it readable.
      return part.file == record.path &&
             (part.begin < 536 || (part.begin < record.end && part.end > record.begin));
    });
    if (!touched) synced = std::max(synced, record.synced_lsn);
  }
  std::size_t commit = scene.at_checkpoint;
  for (const LoggedRecord& record : scene.log)
    if (record.lsn <= synced) commit = std::max(commit, record.commit);
  return commit;
}

Verdict judge_open(const Scene& scene, const Mutation& mutation, std::uint64_t seed) {
  const auto disk = scene.disk->survivor(seed, io::Survival::kEverything);
  const auto changed = apply(scene, mutation, seed, *disk);
  if (!changed) return {Outcome::kUnchanged, ""};
  DatabaseOptions options = scene.options;
  // Both ways in come to the same; the places decide which is taken.
  options.read_only = mutation.place % 2 != 0;
  const auto database = Database::open(*disk, kDatabasePath, options);
  if (!database) return judge_error(database.error(), "open");
  const auto snapshot = (*database)->begin_read();
  if (!snapshot) return judge_error(snapshot.error(), "begin");
  const auto found = read_everything(**snapshot);
  std::string damage;
  const Status checked = (*database)->check([&](const std::string& text) {
    damage = text;
    return true;
  });
  if (!found) {
    if (checked) return wrong("check finds nothing, but: " + found.error().message());
    return judge_error(found.error(), "read");
  }
  const Verdict verdict = judge_state(scene, mutation, *changed, *found);
  if (verdict.outcome == Outcome::kWrong || checked) return verdict;
  if (checked.error().code() != ErrorCode::kCorrupt) return judge_error(checked.error(), "check");
  return {Outcome::kDetected, "check: " + damage};
}

}  // namespace quire::test
