// What the tests of the campaign's judges have in common: scenes, made once, and damage to them.
#pragma once

#include <map>

#include "tests/corrupt/verdict.h"

namespace quire::test {

inline constexpr std::uint64_t kSeed = 13;

inline const Scene& scene(const std::string& name, std::uint64_t seed = kSeed) {
  static std::map<std::pair<std::string, std::uint64_t>, Scene> scenes;
  auto& found = scenes[{name, seed}];
  if (found.name.empty()) found = make_scene(name, seed);
  return found;
}

// A page that all of the state hangs on, in some of its bytes.
inline std::vector<Mutation> damages_of_catalog(const Scene& scene) {
  std::vector<Mutation> all;
  for (std::uint64_t at = 3; at < kBlock; at += 37)
    all.push_back({kDataPath, Damage::kFlip, scene.catalog_page * kBlock + at});
  return all;
}

}  // namespace quire::test
