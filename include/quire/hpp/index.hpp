// Part of <quire/quire.hpp>: what an index is made of, and what it says of itself.
#ifndef QUIRE_HPP_INDEX_HPP
#define QUIRE_HPP_INDEX_HPP

#include <quire/hpp/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace quire {
inline namespace api1 {

struct IndexOptions {
  std::string options{};           // an object in JSON: {"fields": ["section", "-size"]}
  std::string kind = "sorted";     // or of vectors "hnsw": {"field": "embedding"}
  std::uint64_t memory_bytes = 0;  // that building may use; 0: 256 MiB
  Progress progress{};
};

struct IndexInfo {
  std::string name{};
  std::string kind{};
  std::optional<std::string> options{};  // in JSON; nothing where the kind is not known here
  std::uint64_t entries = 0;
  std::uint64_t pages = 0;  // 0: the kind can't tell
  // What else the kind tells of itself, in JSON: names and whole numbers. As for `options`.
  std::optional<std::string> figures{};
};

}  // namespace api1
}  // namespace quire

#endif  // QUIRE_HPP_INDEX_HPP
