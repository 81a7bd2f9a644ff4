#include "index/vector/near_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/record/numbers.h"
#include "engine/record/record_change.h"

namespace quire {
namespace {

constexpr std::uint64_t kGrowth = 4;
// Where only a distance ends the hits, so many are looked at first.
constexpr std::uint64_t kFirstWithin = 64;

Status check_group(const Collection& collection, const NearTerms& terms) {
  if (!terms.group) return {};
  const std::size_t field = *terms.group;
  if (field >= collection.schema().size())
    return collection.failure(ErrorCode::kInvalid, "there is no field " + std::to_string(field) +
                                                       " to group a search by");
  if (!is_scalar(collection.schema().field(field).type))
    return collection.field_failure(
        ErrorCode::kType, field,
        "groups of hits are by a scalar field, and this is " +
            std::string(type_name(collection.schema().field(field).type)));
  if (terms.per_group == 0)
    return collection.field_failure(ErrorCode::kInvalid, field, "a search for 0 hits a group");
  return {};
}

Status check_diversity(const Collection& collection, const NearTerms& terms, std::uint64_t k) {
  if (!(terms.diversity >= 0 && terms.diversity <= 1))
    return collection.failure(
        ErrorCode::kInvalid,
        "search with a diversity of " + std::to_string(terms.diversity) + ", must be 0 to 1");
  if (terms.candidates != 0 && terms.diversity == 0)
    return collection.failure(ErrorCode::kInvalid,
                              "search with candidates, which are for a diversity");
  if (terms.candidates != 0 && terms.candidates < k)
    return collection.failure(ErrorCode::kInvalid, "search for " + std::to_string(k) + " among " +
                                                       std::to_string(terms.candidates) +
                                                       " candidates");
  if (terms.candidates > kMaxNeighbours)
    return collection.failure(ErrorCode::kInvalid,
                              "search with " + std::to_string(terms.candidates) +
                                  " candidates, must be at most " + std::to_string(kMaxNeighbours));
  return {};
}

}  // namespace

Status check_terms(const Collection& collection, const NearTerms& terms, std::uint64_t k) {
  if (terms.within && std::isnan(*terms.within))
    return collection.failure(ErrorCode::kInvalid, "search within a distance that is no number");
  if (terms.after && std::isnan(terms.after->distance))
    return collection.failure(ErrorCode::kInvalid, "search behind a distance that is no number");
  QUIRE_CHECK(check_group(collection, terms));
  QUIRE_CHECK(check_diversity(collection, terms, k));
  if (terms.after && (terms.group || terms.diversity != 0))
    return collection.failure(
        ErrorCode::kInvalid,
        "search with groups or a diversity behind a hit: what came before it is not known");
  return {};
}

// Hits before they are made diverse.
std::uint64_t NearSearch::wanted() const noexcept {
  if (terms_.diversity == 0) return k_;
  return terms_.candidates != 0 ? terms_.candidates
                                : std::min<std::uint64_t>(4 * k_, kMaxNeighbours);
}

std::uint64_t NearSearch::first() const noexcept {
  std::uint64_t most = wanted();
  if (terms_.group) most *= 2;
  if (terms_.within && !searcher_.is_exact()) most = std::min(most, kFirstWithin);
  return most + std::min<std::uint64_t>(terms_.after_count, kMaxNeighbours) + terms_.without.size();
}

Result<NearSearch::Found> NearSearch::find(const std::byte* vector, std::optional<Found> nearest) {
  Found chosen;
  for (std::uint64_t count = first();; count *= kGrowth) {
    std::span<const Neighbour<RecordNumber>> found;
    if (nearest) {
      found = *nearest;
    } else {
      QUIRE_TRY(found, searcher_.nearest(vector, count));
    }
    QUIRE_TRY(const bool enough, choose(found, chosen));
    if (enough || found.size() < count) break;
    nearest.reset();
  }
  if (terms_.diversity == 0) return chosen;
  return make_diverse(chosen);
}

// Whether no more of the nearest are needed.
Result<bool> NearSearch::choose(std::span<const Neighbour<RecordNumber>> nearest, Found& chosen) {
  chosen.clear();
  groups_.clear();
  for (const Neighbour<RecordNumber>& each : nearest) {
    if (chosen.size() == wanted()) return true;
    if (terms_.within && !(each.distance <= *terms_.within)) return true;
    if (terms_.after && !nearer(*terms_.after, each)) continue;
    if (std::ranges::binary_search(terms_.without, each.id)) continue;
    QUIRE_TRY(const bool room, has_room(each.id));
    if (room) chosen.push_back(each);
  }
  return chosen.size() == wanted();
}

// Counts the record in where its group has room for it.
Result<bool> NearSearch::has_room(RecordNumber number) {
  if (!terms_.group) return true;
  const Collection& collection = reader_.collection();
  QUIRE_TRY(const NumberEntry entry, read_number(reader_.view(), collection, number));
  QUIRE_TRY(const std::optional<RowView> row, find_row(reader_.view(), collection, entry.key));
  if (!row)
    return collection.failure(ErrorCode::kCorrupt,
                              "there is no record of number " + std::to_string(number));
  Value value = row->value(*terms_.group);
  if (value.type == FieldType::kF64 && value.f64 == 0) value.f64 = 0;  // of -0.0
  ByteVector bytes;
  ByteWriter writer(bytes);
  OwnedValue(value).encode(writer);
  std::uint64_t& count = groups_[std::string(as_text(bytes))];
  if (count == terms_.per_group) return false;
  ++count;
  return true;
}

Result<NearSearch::Found> NearSearch::make_diverse(const Found& found) {
  const Schema& schema = reader_.collection().schema();
  std::vector<const void*> vectors;
  vectors.reserve(found.size());
  for (const Neighbour<RecordNumber>& each : found) {
    QUIRE_TRY(const std::byte* vector, reader_.vector(schema.vector_place(field_), each.id));
    vectors.push_back(vector);
  }
  QUIRE_TRY(const DistanceFunctions distance,
            distance_of(reader_.collection(), field_, searcher_.metric()));
  Found diverse;
  for (const std::size_t i : choose_diverse(found, vectors, distance,
                                            schema.field(field_).dimension, k_, terms_.diversity))
    diverse.push_back(found[i]);
  return diverse;
}

std::vector<std::size_t> choose_diverse(std::span<const Neighbour<RecordNumber>> candidates,
                                        std::span<const void* const> vectors,
                                        const DistanceFunctions& distance, std::uint32_t dimension,
                                        std::uint64_t k, double diversity) {
  std::vector<std::size_t> chosen;
  std::vector<std::size_t> left(candidates.size());
  for (std::size_t i = 0; i < left.size(); ++i) left[i] = i;
  std::vector<const void*> vectors_left(vectors.begin(), vectors.end());
  std::vector<float> to_chosen(candidates.size(), std::numeric_limits<float>::infinity());
  std::vector<float> distances(candidates.size());
  std::size_t next = 0;  // in `left`
  while (!left.empty()) {
    const void* const newest = vectors_left[next];
    chosen.push_back(left[next]);
    const auto at = static_cast<std::ptrdiff_t>(next);
    left.erase(left.begin() + at);
    vectors_left.erase(vectors_left.begin() + at);
    to_chosen.erase(to_chosen.begin() + at);
    if (chosen.size() == k) break;
    distance.list(newest, vectors_left.data(), left.size(), dimension, distances.data());
    double least = std::numeric_limits<double>::infinity();
    next = 0;
    for (std::size_t i = 0; i < left.size(); ++i) {
      to_chosen[i] = std::min(to_chosen[i], distances[i]);
      const double score = (1 - diversity) * static_cast<double>(candidates[left[i]].distance) -
                           diversity * static_cast<double>(to_chosen[i]);
      if (score < least) {
        least = score;
        next = i;
      }
    }
  }
  return chosen;
}

}  // namespace quire
