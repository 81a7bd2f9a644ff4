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

// Bytes behind the pages of the checkpoint, which nobody has any use for.
bool nothing_used_changed(const Scene& scene, const Mutation& mutation,
                          const std::vector<Changed>& changed) {
  const bool of_bytes = mutation.damage == Damage::kFlip || mutation.damage == Damage::kInvert ||
                        mutation.damage == Damage::kRandom;
  return of_bytes && std::ranges::all_of(changed, [&](const Changed& part) {
           return part.file == kDataPath && part.begin >= scene.used_bytes;
         });
}

Verdict judge_whole(const Scene& scene, const Answers& answers) {
  const auto no_damage = [](const char* where, const Error& error) {
    return wrong("nothing is damaged, but " + std::string(where) + ": " + error.message());
  };
  if (answers.refused) return no_damage("open", *answers.refused);
  if (!answers.found) return no_damage("read", answers.found.error());
  if (!answers.checked) return no_damage("check", answers.checked.error());
  const std::string words = difference(scene.history[scene.last], *answers.found);
  if (!words.empty()) return wrong("nothing is damaged, but other answers: " + words);
  return {Outcome::kHarmless, ""};
}

Verdict judge_damaged(const Scene& scene, const Mutation& mutation,
                      const std::vector<Changed>& changed, const Answers& answers) {
  if (answers.refused) return judge_error(*answers.refused, "open");
  if (!answers.found) {
    if (answers.checked)
      return wrong("check finds nothing, but: " + answers.found.error().message());
    return judge_error(answers.found.error(), "read");
  }
  const Verdict verdict = judge_state(scene, mutation, changed, *answers.found);
  if (verdict.outcome == Outcome::kWrong || answers.checked) return verdict;
  if (answers.checked.error().code() != ErrorCode::kCorrupt)
    return judge_error(answers.checked.error(), "check");
  return {Outcome::kDetected, "check: " + answers.damage};
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

Answers ask_engine(io::SimulatedDisk& disk, const DatabaseOptions& options) {
  Answers answers;
  const auto database = Database::open(disk, kDatabasePath, options);
  if (!database) {
    answers.refused = database.error();
    return answers;
  }
  const auto snapshot = (*database)->begin_read();
  if (!snapshot) {
    answers.refused = snapshot.error();
    return answers;
  }
  answers.found = read_everything(**snapshot);
  answers.checked = (*database)->check([&](const std::string& text) {
    answers.damage = text;
    return true;
  });
  return answers;
}

Verdict judge_open(const Scene& scene, const Mutation& mutation, std::uint64_t seed,
                   const Engine& engine) {
  const auto disk = scene.disk->survivor(seed, io::Survival::kEverything);
  const auto changed = apply(scene, mutation, seed, *disk);
  DatabaseOptions options = scene.options;
  // Both ways in come to the same; the places decide which is taken.
  options.read_only = mutation.place % 2 != 0;
  const Answers answers = engine(*disk, options);
  if (changed && !nothing_used_changed(scene, mutation, *changed))
    return judge_damaged(scene, mutation, *changed, answers);
  const Verdict verdict = judge_whole(scene, answers);
  return changed || verdict.outcome == Outcome::kWrong ? verdict : Verdict{Outcome::kUnchanged, ""};
}

}  // namespace quire::test
