#include "index/vector/hnsw/place_set.h"

#include <algorithm>

namespace quire::hnsw {
namespace {

// Fewer than one in so many: going through a list costs less than through the bits.
constexpr std::uint64_t kListed = 64;

}  // namespace

void PlaceSet::finish() {
  count_ = 0;
  for (const std::uint64_t word : words_) count_ += static_cast<unsigned>(std::popcount(word));
  // Of each of kSample parts one, or all where there are no more.
  std::vector<std::uint64_t> picked;
  const std::uint64_t parts = std::min<std::uint64_t>(count_, kSample);
  for (std::uint64_t i = 0; i < parts; ++i) {
    const std::uint64_t first = count_ * i / parts;
    picked.push_back(first + mix_bits(i + 1) % (count_ * (i + 1) / parts - first));
  }
  const bool few = count_ * kListed <= end_;
  list_.clear();
  sample_.clear();
  std::vector<Place> listed;
  if (few) listed.reserve(count_);
  sample_.reserve(parts);
  Iterator each(*this);
  std::uint64_t at = 0;
  for (Place place = each.next(); place != kNoPlace; place = each.next(), ++at) {
    if (sample_.size() < parts && picked[sample_.size()] == at) sample_.push_back(place);
    if (few) listed.push_back(place);
    if (!few && sample_.size() == parts) break;
  }
  list_ = std::move(listed);
}

}  // namespace quire::hnsw
