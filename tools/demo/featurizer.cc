#include "tools/demo/featurizer.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace quire::demo {
namespace {

constexpr std::size_t kCountPlaces = std::size_t{1} << 20;
constexpr std::size_t kDescriptionBytes = 1'000;  // its beginning says what a package is
constexpr std::size_t kShortestGram = 3;
constexpr std::size_t kLongestGram = 5;

constexpr float kNameWeight = 3;
constexpr float kSummaryWeight = 2;
constexpr float kDescriptionWeight = 1;
constexpr float kPairWeight = 0.7F;
// Of all n-grams of a word together, against the word itself: they find "sqlite3" by "sqlite",
// and must not drown what whole words say.
constexpr float kGramsWeight = 0.7F;

// Each feature goes to so many dimensions. With one, two features that meet in a dimension look the
// same; with four they share a quarter, and the noise is spread evenly.
constexpr unsigned kPlacesPerFeature = 4;

struct Feature {
  std::uint64_t hash;
  float weight;
};
using Features = std::vector<Feature>;

// Kinds of features start from different states, so that the word "abc" is not the n-gram "abc".
enum class Kind : std::uint64_t { kWord = 1, kPair = 2, kGram = 3 };

std::uint64_t mixed(std::uint64_t x) {  // SplitMix64's finaliser
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// FNV-1a, 64 bits.
std::uint64_t hash_of(Kind kind, std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL + static_cast<std::uint64_t>(kind);
  for (const char byte : text) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
  }
  return mixed(hash);
}

// The n-grams of "<word>", whose ends are marked so that beginnings and ends are told from middles.
void add_grams(const std::string& word, float weight, Features& features) {
  std::string marked = word;
  marked.insert(marked.begin(), '<');
  marked.push_back('>');
  const std::size_t first = features.size();
  for (std::size_t size = kShortestGram; size <= kLongestGram; ++size) {
    for (std::size_t at = 0; at + size <= marked.size(); ++at) {
      features.push_back({hash_of(Kind::kGram, std::string_view(marked).substr(at, size)), 0});
    }
  }
  const auto count = static_cast<float>(features.size() - first);
  for (std::size_t i = first; i < features.size(); ++i) {
    features[i].weight = weight * kGramsWeight / std::sqrt(count);
  }
}

void add_text(std::string_view text, float weight, bool with_grams, Features& features) {
  const std::vector<std::string> words = words_of(text);
  for (std::size_t i = 0; i < words.size(); ++i) {
    features.push_back({hash_of(Kind::kWord, words[i]), weight});
    if (i > 0) {
      features.push_back(
          {hash_of(Kind::kPair, words[i - 1] + " " + words[i]), weight * kPairWeight});
    }
    if (with_grams) add_grams(words[i], weight, features);
  }
}

// Each feature once, with the sum of its weights.
Features features_of(const Document& document) {
  Features features;
  add_text(document.name, kNameWeight, true, features);
  add_text(document.summary, kSummaryWeight, true, features);
  add_text(document.description.substr(0, kDescriptionBytes), kDescriptionWeight, false, features);
  std::stable_sort(features.begin(), features.end(),
                   [](const Feature& a, const Feature& b) { return a.hash < b.hash; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < features.size(); ++i) {
    if (kept > 0 && features[kept - 1].hash == features[i].hash) {
      features[kept - 1].weight += features[i].weight;
    } else {
      features[kept++] = features[i];
    }
  }
  features.resize(kept);
  return features;
}

// Adds a feature to its dimensions, each with a sign of its own.
void spread(const Feature& feature, float weight, Vector& vector) {
  std::uint64_t bits = feature.hash;
  for (unsigned i = 0; i < kPlacesPerFeature; ++i) {
    bits = mixed(bits + 0x9e3779b97f4a7c15ULL);
    const float sign = (bits >> 63) != 0 ? 1.0F : -1.0F;
    vector[bits % kDimension] += sign * weight;
  }
}

void normalize(Vector& vector) {
  double sum = 0;
  for (const float value : vector) sum += double{value} * double{value};
  if (sum == 0) return;
  const auto scale = static_cast<float>(1 / std::sqrt(sum));
  for (float& value : vector) value *= scale;
}

bool is_word_byte(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return (value >= '0' && value <= '9') || (value >= 'a' && value <= 'z') ||
         (value >= 'A' && value <= 'Z') || value >= 0x80;
}

}  // namespace

Featurizer::Featurizer() : document_counts_(kCountPlaces) {}

void Featurizer::learn(const Document& document) {
  for (const Feature& feature : features_of(document)) {
    ++document_counts_[feature.hash % kCountPlaces];
  }
  ++documents_;
}

Vector Featurizer::features(const Document& document) const {
  Vector vector{};
  for (const Feature& feature : features_of(document)) {
    // The tenth mention of a word says less than the first: the logarithm of what is above one.
    const float damped = feature.weight > 1 ? 1 + std::log(feature.weight) : feature.weight;
    spread(feature, damped * rarity(feature.hash), vector);
  }
  normalize(vector);
  return vector;
}

Vector Featurizer::query(std::string_view text) const { return features({"", text, ""}); }

float Featurizer::rarity(std::uint64_t feature) const {
  const double count = document_counts_[feature % kCountPlaces];
  return static_cast<float>(std::log((1.0 + documents_) / (0.5 + count)));
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char byte : text) {
    if (is_word_byte(byte)) {
      word += byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

}  // namespace quire::demo
