// Nearest neighbours of whom more is asked than to be near: to lie within a distance, or behind a
// hit of before; to be few of each value of a field; to be far from one another.
//
// All of it is done by asking for more of the nearest until enough of them are as they shall be, so
// it holds for whatever way a search takes.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/record/record_reader.h"
#include "index/vector/vector_search.h"

namespace quire {

struct NearTerms {
  std::optional<float> within;  // the distance of a hit at most
  // Only hits behind this one, in the order of hits; about so many come up to it.
  std::optional<Neighbour<RecordNumber>> after;
  std::uint64_t after_count = 0;
  std::vector<RecordNumber> without;  // never these, ascending
  std::optional<std::size_t> group;   // a field: at most per_group hits have the same value of it
  std::uint64_t per_group = 1;
  // More than 0, at most 1: hits are chosen among the nearest `candidates` by how near they are,
  // less so much of how near to those before them. The order is that of the choice.
  double diversity = 0;
  std::uint64_t candidates = 0;  // 0: four times k
};

// kInvalid, kType (the field), naming what does not fit: within or diversity is no number of its
// range; groups or diversity behind a hit, which are not known there; fewer candidates than k.
Status check_terms(const Collection& collection, const NearTerms& terms, std::uint64_t k);

// One thread. What it is made of outlives it.
class NearSearch {
 public:
  using Found = std::vector<Neighbour<RecordNumber>>;

  // The reader is one of the searcher's view and collection; the terms were checked for this k.
  NearSearch(VectorSearcher& searcher, RecordReader& reader, std::size_t field,
             const NearTerms& terms, std::uint64_t k)
      : searcher_(searcher), reader_(reader), field_(field), terms_(terms), k_(k) {}

  // How many of the nearest are looked at first.
  std::uint64_t first() const noexcept;
  // k hits, or all that there are. With the first() nearest where they are at hand. O(searches for
  // the nearest), of which each is for four times as many as the one before; where hits are rare,
  // all vectors at last. kCorrupt.
  Result<Found> find(const std::byte* vector, std::optional<Found> nearest = {});

 private:
  std::uint64_t wanted() const noexcept;
  Result<bool> choose(std::span<const Neighbour<RecordNumber>> nearest, Found& chosen);
  Result<bool> has_room(RecordNumber number);
  Result<Found> make_diverse(const Found& found);

  VectorSearcher& searcher_;
  RecordReader& reader_;
  const std::size_t field_;
  const NearTerms& terms_;
  const std::uint64_t k_;
  std::map<std::string, std::uint64_t, std::less<>> groups_;  // how many hits of each value
};

// Which of the candidates, nearest first, are a diverse k: the nearest; then again and again the
// one with the least (1 - diversity) * its distance - diversity * that to the nearest one that was
// chosen: maximal marginal relevance (Carbonell and Goldstein, 1998) with distances for
// similarities. `vectors` are those of the candidates. O(k * candidates * dimension).
std::vector<std::size_t> choose_diverse(std::span<const Neighbour<RecordNumber>> candidates,
                                        std::span<const void* const> vectors,
                                        const DistanceFunctions& distance, std::uint32_t dimension,
                                        std::uint64_t k, double diversity);

}  // namespace quire
