// What a damaged copy of a scene may say, and what it may not.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/db/salvage.h"
#include "tests/corrupt/mutation.h"

namespace quire::test {

enum class Outcome : std::uint8_t {
  kUnchanged,  // the mutation changes nothing
  kDetected,   // opening, reading or check said what is damaged
  kHarmless,   // every answer is right, or the log's end is one that a crash could have left
  kWrong,
};

struct Verdict {
  Outcome outcome = Outcome::kWrong;
  std::string words;  // what was said, or what is wrong
};

// Whether it becomes what it was, whole, some commits before: without a log nothing tells.
bool is_whole_older(const Scene& scene, const Mutation& mutation);
bool log_changed(const std::vector<Changed>& changed);
// The newest commit that must be there: one that a record knows to have been synced which was not
// changed and that the reader can come upon.
std::size_t known_synced(const Scene& scene, const std::vector<Changed>& changed);

// What an engine says of a database that it opens, reads whole and checks.
struct Answers {
  std::optional<Error> refused;  // by opening it, or by beginning to read: nothing else was asked
  Result<State> found = State();
  Status checked;
  std::string damage;  // that the check told last
};
using Engine = std::function<Answers(io::SimulatedDisk&, const DatabaseOptions&)>;
// The one that is judged. A test has others, broken on purpose.
Answers ask_engine(io::SimulatedDisk& disk, const DatabaseOptions& options);

// Has the damaged copy opened, read whole and checked.
//
// Right is: an error that says what is damaged and names a file of the database; or the truth; or,
// where only the log was changed, the state of an earlier commit that has everything which a record
// that was not changed knows to have been synced. Where nothing is changed, or only bytes of `data`
// that nothing refers to, the truth alone is right.
Verdict judge_open(const Scene& scene, const Mutation& mutation, std::uint64_t seed,
                   const Engine& engine = ask_engine);

// Makes a database at kSavedPath of what it can read of the one at kDatabasePath.
inline constexpr const char* kSavedPath = "/saved.quire";
using SalvageReport = std::function<bool(const SalvageEvent&)>;
using Salvager = std::function<Result<SalvageTotals>(io::SimulatedDisk&, const SalvageOptions&,
                                                     const SalvageReport&)>;
// The one that is judged. A test has others, broken on purpose.
Result<SalvageTotals> ask_salvage(io::SimulatedDisk& disk, const SalvageOptions& options,
                                  const SalvageReport& report);

// Has the damaged copy salvaged.
//
// Right is: the damaged files are as they were, what is saved is a part of the truth, as it was
// after some commit, and with what is said to be lost it is all of it.
Verdict judge_salvage(const Scene& scene, const Mutation& mutation, std::uint64_t seed,
                      const Salvager& salvager = ask_salvage);

}  // namespace quire::test
