#include "tests/corrupt/mutation.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace quire::test {
namespace {

constexpr std::array<const char*, 13> kNames = {"flip",    "invert",     "random",  "zero",  "swap",
                                                "stale",   "truncate",   "missing", "empty", "half",
                                                "foreign", "stale-file", "wreck"};
constexpr std::array kOfBytes = {Damage::kFlip, Damage::kInvert, Damage::kRandom};
constexpr std::array kOfBlocks = {Damage::kZero, Damage::kSwap, Damage::kStale, Damage::kTruncate};
constexpr std::array kOfFiles = {Damage::kMissing, Damage::kEmpty, Damage::kHalf, Damage::kForeign,
                                 Damage::kStaleFile};
constexpr std::uint64_t kStrideBehindPages = 64;

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::uint64_t mix(std::uint64_t seed, std::uint64_t place) {
  std::uint64_t x = (seed + 1) * 0x9E3779B97F4A7C15u ^ place * 0xC2B2AE3D27D4EB4Fu;
  x ^= x >> 29;
  x *= 0xBF58476D1CE4E5B9u;
  return x ^ (x >> 32);
}

std::optional<std::string> bytes_if_there(io::Disk& disk, const std::string& path) {
  if (!must(disk.exists(path))) return std::nullopt;
  return bytes_of(disk, path);
}

char other_byte(Damage damage, char byte, std::uint64_t random) {
  switch (damage) {
    case Damage::kFlip:
      return static_cast<char>(byte ^ static_cast<char>(1u << random % 8));
    case Damage::kInvert:
      return byte == 0 ? '\xff' : '\0';
    default:
      return static_cast<char>(byte ^ static_cast<char>(1 + random % 255));
  }
}

// What the file is to be; nothing: it is to be gone, or can't be changed so.
std::optional<std::string> changed_block(const Scene& scene, const Mutation& mutation,
                                         std::uint64_t seed, const std::string& bytes) {
  const std::uint64_t at = mutation.place * kBlock;
  if (at >= bytes.size()) return std::nullopt;
  const std::uint64_t size = std::min<std::uint64_t>(kBlock, bytes.size() - at);
  std::string changed = bytes;
  switch (mutation.damage) {
    case Damage::kZero:
      std::fill_n(changed.begin() + static_cast<std::ptrdiff_t>(at), size, '\0');
      return changed;
    case Damage::kSwap: {
      const std::uint64_t used = mutation.file == kDataPath
                                     ? std::min<std::uint64_t>(scene.used_bytes, bytes.size())
                                     : bytes.size();
      if (used < kBlock) return std::nullopt;
      const std::uint64_t other = mix(seed, mutation.place) % (used / kBlock) * kBlock;
      changed.replace(at, size, bytes, other, size);
      changed.replace(other, size, bytes, at, size);
      return changed;
    }
    case Damage::kStale: {
      const auto older = bytes_if_there(*scene.older, mutation.file);
      if (!older || older->size() < at + size) return std::nullopt;
      changed.replace(at, size, *older, at, size);
      return changed;
    }
    default:
      changed.resize(at);
      return changed;
  }
}

std::optional<std::string> changed_file(const Scene& scene, const Mutation& mutation,
                                        const std::string& bytes) {
  switch (mutation.damage) {
    case Damage::kEmpty:
      return std::string();
    case Damage::kHalf:
      return bytes.substr(0, bytes.size() / 2);
    case Damage::kForeign:
      return bytes_if_there(*scene.foreign, mutation.file);
    default:
      return bytes_if_there(*scene.older, mutation.file);
  }
}

std::vector<Changed> differences(const std::string& file, const std::string& before,
                                 const std::string& after) {
  std::vector<Changed> found;
  const std::uint64_t common = std::min(before.size(), after.size());
  for (std::uint64_t i = 0; i < common; ++i) {
    if (before[i] == after[i]) continue;
    if (!found.empty() && found.back().end == i) {
      ++found.back().end;
    } else {
      found.push_back({file, i, i + 1});
    }
  }
  if (before.size() != after.size())
    found.push_back({file, common, std::max(before.size(), after.size())});
  return found;
}

// One of the damages of a wreck. Every second one is to a page that is in use.
Mutation part_of_wreck(const Scene& scene, std::uint64_t random) {
  Mutation part;
  part.file = random % 2 == 0 ? kDataPath : scene.files[random / 2 % scene.files.size()];
  random = mix(random, 1);
  const std::uint64_t size =
      part.file == kDataPath ? scene.used_bytes
                             : must(must(scene.disk->open(part.file, io::OpenMode::kRead))->size());
  if (random % 4 == 0) {
    part.damage = kOfBytes[random / 4 % kOfBytes.size()];
    part.place = random / 16 % std::max<std::uint64_t>(size, 1);
  } else {
    // A file that is cut leaves little to do for the others.
    const bool cut = random / 4 % 64 == 0;
    part.damage = cut ? Damage::kTruncate : kOfBlocks[random / 256 % (kOfBlocks.size() - 1)];
    part.place = random / 1024 % std::max<std::uint64_t>(size / kBlock, 1);
  }
  return part;
}

// One to 32 damages, and the meta pages in every fourth wreck.
std::optional<std::vector<Changed>> wreck(const Scene& scene, const Mutation& mutation,
                                          std::uint64_t seed, io::SimulatedDisk& disk) {
  std::vector<Changed> all;
  const auto add = [&](const Mutation& part) {
    const auto changed = apply(scene, part, seed, disk);
    if (changed) all.insert(all.end(), changed->begin(), changed->end());
  };
  const std::uint64_t random = mix(seed, mutation.place);
  const std::uint64_t count = std::uint64_t{1} << random % 6;
  for (std::uint64_t i = 0; i < count; ++i) add(part_of_wreck(scene, mix(random, i)));
  for (std::uint64_t meta = 0; random / 8 % 4 == 0 && meta < 2; ++meta)
    add({kDataPath, Damage::kRandom, meta * kBlock + mix(random, meta) % 200});
  if (all.empty()) return std::nullopt;
  return all;
}

}  // namespace

const char* damage_name(Damage damage) { return kNames[static_cast<std::size_t>(damage)]; }

std::string case_name(const Scene& scene, const Mutation& mutation) {
  return scene.name + ":" + base_name(mutation.file) + ":" + damage_name(mutation.damage) + ":" +
         std::to_string(mutation.place);
}

std::optional<CaseName> parse_case(const std::string& name) {
  std::vector<std::string> parts(1);
  for (const char c : name) {
    if (c == ':') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  if (parts.size() != 4) return std::nullopt;
  CaseName found;
  found.scene = parts[0];
  found.mutation.file = parts[1] == "data" ? kDataPath : kLogPath + "/" + parts[1];
  const auto damage = std::ranges::find(kNames, parts[2]);
  const char* const end = parts[3].data() + parts[3].size();
  const auto [stop, error] = std::from_chars(parts[3].data(), end, found.mutation.place);
  const auto names = scene_names();
  const bool scene_known = std::ranges::find(names, parts[0]) != names.end();
  if (damage == kNames.end() || stop != end || error != std::errc() || !scene_known)
    return std::nullopt;
  found.mutation.damage = static_cast<Damage>(damage - kNames.begin());
  return found;
}

std::vector<Mutation> mutations_of(const Scene& scene, std::uint64_t stride, std::uint64_t wrecks,
                                   std::uint64_t seed) {
  std::vector<Mutation> all;
  for (const std::string& file : scene.files) {
    const std::uint64_t size = must(must(scene.disk->open(file, io::OpenMode::kRead))->size());
    const std::uint64_t used = file == kDataPath ? scene.used_bytes : size;
    for (std::uint64_t at = mix(seed, size) % stride; at < size;
         at += at < used ? stride : stride * kStrideBehindPages)
      for (const Damage damage : kOfBytes) all.push_back({file, damage, at});
    for (std::uint64_t block = 0; block * kBlock < used; ++block)
      for (const Damage damage : kOfBlocks) all.push_back({file, damage, block});
    for (const Damage damage : kOfFiles) all.push_back({file, damage, 0});
  }
  for (std::uint64_t i = 0; i < wrecks; ++i) all.push_back({kDataPath, Damage::kWreck, i});
  return all;
}

std::optional<std::vector<Changed>> apply(const Scene& scene, const Mutation& mutation,
                                          std::uint64_t seed, io::SimulatedDisk& disk) {
  if (mutation.damage == Damage::kWreck) return wreck(scene, mutation, seed, disk);
  if (!must(disk.exists(mutation.file))) return std::nullopt;
  if (mutation.damage == Damage::kMissing) {
    const std::uint64_t size = must(must(disk.open(mutation.file, io::OpenMode::kRead))->size());
    must(disk.remove(mutation.file));
    return std::vector<Changed>{{mutation.file, 0, std::max<std::uint64_t>(size, 1)}};
  }
  if (std::ranges::find(kOfBytes, mutation.damage) != kOfBytes.end()) {
    const auto file = must(disk.open(mutation.file, io::OpenMode::kReadWrite));
    if (mutation.place >= must(file->size())) return std::nullopt;
    char byte = 0;
    must(file->read(mutation.place, {reinterpret_cast<std::byte*>(&byte), 1}));
    byte = other_byte(mutation.damage, byte, mix(seed, mutation.place));
    must(file->write(mutation.place, as_bytes(&byte, 1)));
    return std::vector<Changed>{{mutation.file, mutation.place, mutation.place + 1}};
  }
  const std::string bytes = bytes_of(disk, mutation.file);
  const bool of_file = std::ranges::find(kOfFiles, mutation.damage) != kOfFiles.end();
  const auto changed =
      of_file ? changed_file(scene, mutation, bytes) : changed_block(scene, mutation, seed, bytes);
  if (!changed || *changed == bytes) return std::nullopt;
  replace_file(disk, mutation.file, *changed);
  return differences(mutation.file, bytes, *changed);
}

}  // namespace quire::test
