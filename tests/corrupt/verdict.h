// What a damaged copy of a scene may say, and what it may not.
#pragma once

#include <string>

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

// Opens the damaged copy, reads everything and checks.
//
// Right is: an error that says what is damaged and names a file of the database; or the truth; or,
// where only the log was changed, the state of an earlier commit that has everything which a record
// that was not changed knows to have been synced.
Verdict judge_open(const Scene& scene, const Mutation& mutation, std::uint64_t seed);

// Salvages the damaged copy. Right is: what is saved is a part of the truth, as it was after some
// commit, and with what is said to be lost it is all of it.
Verdict judge_salvage(const Scene& scene, const Mutation& mutation, std::uint64_t seed);

}  // namespace quire::test
