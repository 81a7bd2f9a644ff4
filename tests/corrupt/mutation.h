// One damage to the files of a scene, and its name.
//
//   SCENE:FILE:KIND:PLACE, for example crashed:data:flip:1234 or closed:0000000000000003:zero:2
//
// PLACE is an offset for the kinds that change one byte, the number of a page (of a block of 512
// bytes in a log segment) for those that change one, and 0 for those that change a file. A wreck is
// many damages at once, to any file; it stands under `data`, and PLACE is its number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/corrupt/scene.h"

namespace quire::test {

enum class Damage : std::uint8_t {
  kFlip,       // one bit of a byte
  kInvert,     // a byte becomes 0, or 0xff where it was 0
  kRandom,     // a byte becomes another
  kZero,       // a block becomes zeros
  kSwap,       // a block and another
  kStale,      // a block is as it was some commits before
  kTruncate,   // the file ends there
  kMissing,    // the file
  kEmpty,      // the file
  kHalf,       // the file
  kForeign,    // the file is another database's
  kStaleFile,  // the file is as it was some commits before
  kWreck       // bytes and blocks of all files
};
const char* damage_name(Damage damage);

struct Mutation {
  std::string file;  // path
  Damage damage = Damage::kFlip;
  std::uint64_t place = 0;
};

std::string case_name(const Scene& scene, const Mutation& mutation);
struct CaseName {
  std::string scene;
  Mutation mutation;
};
// Nothing where that is not the name of a case.
std::optional<CaseName> parse_case(const std::string& name);

inline constexpr std::uint32_t kBlock = 512;  // a page, and a sector of the log

// All there are for a scene. Of the bytes of each file every `stride`-th, of those of `data` behind
// the pages of the checkpoint, which nothing refers to, every 64th of these; and `wrecks` wrecks.
std::vector<Mutation> mutations_of(const Scene& scene, std::uint64_t stride, std::uint64_t wrecks,
                                   std::uint64_t seed);

// Bytes that differ afterwards; nothing: the mutation would change nothing.
struct Changed {
  std::string file;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};
std::optional<std::vector<Changed>> apply(const Scene& scene, const Mutation& mutation,
                                          std::uint64_t seed, io::SimulatedDisk& disk);

}  // namespace quire::test
