// Whether a salvage told the truth: saved and reported as lost are together what was there.
#include <algorithm>
#include <map>
#include <set>

#include "tests/corrupt/verdict.h"

namespace quire::test {
namespace {

using Kind = SalvageEvent::Kind;
using Subject = SalvageEvent::Subject;

// What the salvage said, by structure; a collection has '#' before its name, as in a State.
struct Told {
  struct Structure {
    std::uint64_t saved = 0;
    std::uint64_t lost_least = 0;
    std::uint64_t lost_most = 0;
    bool lost_whole = false;    // it is not there
    std::uint64_t without = 0;  // records saved without a vector
  };
  std::map<std::string, Structure> structures;
  bool log_lost = false;       // later commits are missing
  bool database_lost = false;  // names and places are missing, or the state is an older one
  // It was found by its pages, and not even its catalog tells where in the log it is, which is then
  // carried out over it from its beginning.
  bool place_lost = false;
  std::uint64_t unverified = 0;
  std::string words;
  SalvageTotals totals;
};

void note(Told& told, const SalvageEvent& event) {
  if (event.kind != Kind::kSaved && told.words.size() < 4000) told.words += "\n    " + event.text;
  if (event.kind == Kind::kUnverified) told.unverified += event.saved;
  if (event.kind == Kind::kUnverified && event.subject == Subject::kDatabase)
    told.database_lost = true;
  if (event.kind == Kind::kLost && event.subject == Subject::kLog) told.log_lost = true;
  if (event.kind == Kind::kLost && event.subject == Subject::kDatabase) {
    told.database_lost = true;
    told.place_lost =
        told.place_lost || event.text.find("Nothing tells where") != std::string::npos;
  }
  if (event.name.empty()) return;
  Told::Structure& structure =
      told.structures[(event.subject == Subject::kCollection ? "#" : "") + event.name];
  if (event.kind == Kind::kLost) structure.lost_whole = true;
  if (event.kind == Kind::kLost && event.text.find("saved without") != std::string::npos)
    ++structure.without;
  if (event.kind != Kind::kSaved) return;
  structure.saved = event.saved;
  structure.lost_least = event.lost_least;
  structure.lost_most = event.lost_most;
  structure.lost_whole = false;
}

// Keys of `found` that `truth` has not, or has otherwise.
std::uint64_t count_untrue(const Keys& truth, const Keys& found) {
  std::uint64_t untrue = 0;
  for (const auto& [key, value] : found) {
    const auto there = truth.find(key);
    if (there == truth.end() || there->second != value) ++untrue;
  }
  return untrue;
}

// Of each saved structure, how many keys no commit had so, under any name.
using Counts = std::map<std::string, std::uint64_t>;
Counts count_never(const std::vector<State>& history, const State& saved) {
  std::set<std::pair<std::string, std::string>> ever;
  for (const State& state : history)
    for (const auto& [name, keys] : state) ever.insert(keys.begin(), keys.end());
  Counts never;
  for (const auto& [name, keys] : saved)
    never[name] = static_cast<std::uint64_t>(
        std::ranges::count_if(keys, [&](const auto& pair) { return !ever.contains(pair); }));
  return never;
}

// Whether a salvage that lost the catalog, or a part of it, may have come to this name: it was one
// once, or is made for what has lost its own or found it taken.
bool may_be_named(const std::vector<State>& history, const std::string& name) {
  const std::size_t made = name.find("recovered-");
  if (made != std::string::npos && name.find_first_not_of("0123456789", made + 10) == name.npos)
    return true;
  return std::ranges::any_of(history, [&](const State& state) { return state.contains(name); });
}

// Why no state at all can be what the saved one was made of; empty when one can.
std::string impossible(const Told& told, const std::vector<State>& history, const State& saved) {
  for (const auto& [name, keys] : saved) {
    const auto structure = told.structures.find(name);
    if (structure == told.structures.end()) return name + " is there without a word";
    if (structure->second.saved != keys.size())
      return name + ": another number of keys than was said";
    if (told.database_lost && !may_be_named(history, name)) return name + " was never there";
  }
  return {};
}

// Why this state can't be what the saved one was made of; empty when it can.
std::string disagreement(const Told& told, const Counts& never, const State& truth,
                         const State& saved) {
  std::uint64_t untrue = 0;
  for (const auto& [name, keys] : saved) {
    const auto there = truth.find(name);
    if (there == truth.end() && !told.database_lost) return name + " should not be there";
    const bool of_any =
        told.place_lost || (told.database_lost && (told.unverified != 0 || there == truth.end()));
    const std::uint64_t other = of_any ? never.at(name) : count_untrue(there->second, keys);
    // A record that is saved without a vector is another than it was; it excuses none elsewhere.
    untrue += other - std::min(other, told.structures.at(name).without);
  }
  if (untrue > told.unverified) return std::to_string(untrue) + " keys were never so";
  for (const auto& [name, keys] : truth) {
    const auto structure = told.structures.find(name);
    if (structure == told.structures.end() || !saved.contains(name)) {
      const bool said = structure != told.structures.end() && structure->second.lost_whole;
      if (!said && !told.database_lost) return name + " is missing without a word";
      continue;
    }
    const Told::Structure& counts = structure->second;
    const std::uint64_t there = saved.at(name).size();
    // Without the whole catalog, how many a structure had is not always known.
    if (told.unverified != 0 || told.place_lost || counts.lost_most == kUnknownCount) continue;
    if (keys.size() < there + counts.lost_least || keys.size() > there + counts.lost_most)
      return name + ": " + std::to_string(keys.size()) + " were there, " + std::to_string(there) +
             " are saved, " + std::to_string(counts.lost_least) + " to " +
             std::to_string(counts.lost_most) + " said to be lost";
  }
  return {};
}

// The truth is the newest state; or an earlier one, where the log may have ended there (not before
// `least`), or the salvage says that commits are missing.
std::string compare(const std::vector<State>& history, std::size_t least, const Told& told,
                    const State& saved) {
  const std::size_t newest = history.size() - 1;
  if (std::string words = impossible(told, history, saved); !words.empty()) return words;
  if (!told.totals.complete && (told.log_lost || told.database_lost)) least = 0;
  const Counts never = told.database_lost ? count_never(history, saved) : Counts();
  std::string of_newest;
  for (std::size_t commit = newest + 1; commit-- > least;) {
    const State truth = without_numbers(history[commit]);
    std::string words =
        told.totals.complete
            ? (saved == truth ? "" : "said to be complete: " + difference(truth, saved))
            : disagreement(told, never, truth, saved);
    if (words.empty()) return {};
    if (commit == newest) of_newest = std::move(words);
  }
  return least == newest ? of_newest : "no commit's state: of the newest: " + of_newest;
}

// Whether no state can be found: what would tell of one, the meta pages, the root of the catalog
// and the log, is changed or was not there.
bool nothing_left(const Scene& scene, const std::vector<Changed>& changed, io::Disk& disk) {
  if (scene.files.size() != 1) return false;
  if (!must(disk.exists(kDataPath)) || bytes_of(disk, kDataPath).empty()) return true;
  const auto is_changed = [&](std::uint64_t page) {
    return std::ranges::any_of(changed, [&](const Changed& part) {
      return part.begin < (page + 1) * kBlock && part.end > page * kBlock;
    });
  };
  return is_changed(0) && is_changed(1) && is_changed(scene.catalog_page);
}

}  // namespace

Result<SalvageTotals> ask_salvage(io::SimulatedDisk& disk, const SalvageOptions& options,
                                  const SalvageReport& report) {
  return salvage(disk, kDatabasePath, kSavedPath, options, report);
}

Verdict judge_salvage(const Scene& scene, const Mutation& mutation, std::uint64_t seed,
                      const Salvager& salvager) {
  const auto disk = scene.disk->survivor(seed, io::Survival::kEverything);
  const auto changed = apply(scene, mutation, seed, *disk);
  if (!changed) return {Outcome::kUnchanged, ""};
  const auto before = disk->survivor(seed, io::Survival::kEverything);
  SalvageOptions options;
  options.unverified = mutation.place % 4 == 1;
  options.database = small_database();
  Told told;
  const auto totals = salvager(*disk, options, [&](const SalvageEvent& event) {
    note(told, event);
    return true;
  });
  for (const std::string& file : scene.files) {
    if (must(before->exists(file)) != must(disk->exists(file)) ||
        (must(disk->exists(file)) && bytes_of(*before, file) != bytes_of(*disk, file)))
      return {Outcome::kWrong, "the salvage changed " + file};
  }
  if (!totals) {
    if (totals.error().code() == ErrorCode::kNotDatabase && nothing_left(scene, *changed, *disk))
      return {Outcome::kDetected, totals.error().message()};
    return {Outcome::kWrong, "salvage: " + totals.error().message() + told.words};
  }
  told.totals = *totals;
  DatabaseOptions existing = scene.options;
  const auto database = Database::open(*disk, kSavedPath, existing);
  if (!database) return {Outcome::kWrong, "open what was saved: " + database.error().message()};
  if (const std::string found = damages(**database); !found.empty())
    return {Outcome::kWrong, "check of what was saved: " + found};
  const auto snapshot = must((*database)->begin_read());
  const auto saved = read_everything(*snapshot);
  if (!saved) return {Outcome::kWrong, "read what was saved: " + saved.error().message()};
  const bool foreign = mutation.file == kDataPath && mutation.damage == Damage::kForeign;
  const auto& history = history_for(scene, foreign);
  const std::size_t least = is_whole_older(scene, mutation) ? 0
                            : log_changed(*changed)         ? known_synced(scene, *changed)
                                                            : history.size() - 1;
  const std::string words = compare(history, least, told, without_numbers(*saved));
  if (!words.empty()) return {Outcome::kWrong, words + "; it said:" + told.words};
  return {told.totals.complete ? Outcome::kHarmless : Outcome::kDetected, told.words};
}

}  // namespace quire::test
