// Makes a vector of a text, with no model to download: hashed n-grams of words and characters,
// weighted by how rare they are in the catalogue (docs/demo.md says how and why).
//
// A first pass over all documents, learn(), counts in how many each feature occurs; then features()
// and query() give vectors of length 1, in which the inner product says how much of what is rare
// two texts have in common. The same texts in any order give the same vectors, on every machine.
//
// Thread safety: const functions may be called by any number of threads.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quire::demo {

inline constexpr std::size_t kDimension = 384;
using Vector = std::array<float, kDimension>;

struct Document {
  std::string_view name;         // counts three times: what a thing is called says most
  std::string_view summary;      // counts twice
  std::string_view description;  // words and word pairs only, its beginning only
};

class Featurizer {
 public:
  Featurizer();

  void learn(const Document& document);
  Vector features(const Document& document) const;
  // A text as somebody types it: as a summary with no name.
  Vector query(std::string_view text) const;

 private:
  float rarity(std::uint64_t feature) const;

  // How many documents have a feature, by the low bits of its hash. Two features that meet in a
  // place look less rare than they are, which does little harm.
  std::vector<std::uint32_t> document_counts_;
  std::uint32_t documents_ = 0;
};

// Lower-cased runs of letters and digits; bytes of other scripts count as letters.
std::vector<std::string> words_of(std::string_view text);

}  // namespace quire::demo
