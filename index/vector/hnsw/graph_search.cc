#include "index/vector/hnsw/graph_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "index/vector/hnsw/graph_memory.h"

namespace quire::hnsw {

bool SearchPool::offer(float distance, Place place) {
  // As far as can be: NaN has no order.
  if (std::isnan(distance)) [[unlikely]]
    distance = std::numeric_limits<float>::infinity();
  const auto is_before = [&](const Neighbour<Place>& entry) {
    return entry.distance < distance ||
           (entry.distance == distance && (entry.id & ~kExpanded) < place);
  };
  if (entries_.size() == limit_) {
    if (limit_ == 0 || is_before(entries_.back())) return false;
    entries_.pop_back();
  }
  const auto at = std::partition_point(entries_.begin(), entries_.end(), is_before);
  const auto position = static_cast<std::size_t>(at - entries_.begin());
  entries_.insert(at, {distance, place});
  next_ = std::min(next_, position);
  return true;
}

Place SearchPool::expand() noexcept {
  find_next();
  if (next_ == entries_.size()) return kNoPlace;
  const Place place = entries_[next_].id;
  entries_[next_].id |= kExpanded;
  find_next();
  return place;
}

std::span<const Neighbour<Place>> SearchPool::sorted() {
  for (Neighbour<Place>& entry : entries_) entry.id &= ~kExpanded;
  next_ = 0;
  return entries_;
}

void VisitedPlaces::forget(Place end) {
  for (const Place place : seen_) words_[place / 64] = 0;
  seen_.clear();
  if (const std::size_t words = end / 64 + 1; words_.size() < words) words_.resize(words);
}

// Every line of it: the processor does not follow from one code to the next.
template <class Reader>
void GraphSearchOf<Reader>::prefetch_code(const std::byte* code) const noexcept {
  const std::size_t bytes = reader_->shape().code_bytes;
  for (std::size_t line = 0; line < bytes; line += 64) __builtin_prefetch(code + line);
}

template <class Reader>
Status GraphSearchOf<Reader>::begin(Reader& reader, const CodeMetric& metric, const void* query,
                                    Place entry) {
  reader_ = &reader;
  metric_ = metric;
  query_ = query;
  measured_ = 0;
  pool_.clear(1);
  if (entry == kNoPlace) return {};
  const std::byte* code = reader.code(entry);
  if (code == nullptr) return std::unexpected(reader.take_error());
  pool_.offer(metric.distance.one(query, code, metric.dimension), entry);
  ++measured_;
  return {};
}

template <class Reader>
Status GraphSearchOf<Reader>::walk(unsigned level, std::size_t ef) {
  const auto last = pool_.sorted();
  starts_.assign(last.begin(), last.end());
  end_ = reader_->end();
  pool_.clear(std::min<std::size_t>(ef, end_));
  visited_.forget(end_);
  if (left_out_ != kNoPlace) visited_.visit(left_out_);
  for (const Neighbour<Place>& start : starts_) {
    visited_.visit(start.id);
    pool_.offer(start.distance, start.id);
  }
  const int at_once = level == 0 ? kExpandedAtOnce : 1;
  while (pool_.peek() != kNoPlace) {
    Batch batch;
    for (int i = 0; i < at_once; ++i) {
      const Place place = pool_.expand();
      if (place != kNoPlace) QUIRE_CHECK(gather(level, place, batch));
    }
    measure(level, batch);
  }
  return {};
}

// Of the neighbours of a node, those that were not visited, and their codes, each prefetched, join
// the batch. False where one can't be read.
template <class Reader>
template <class NeighbourAt>
bool GraphSearchOf<Reader>::visit(std::uint32_t count, const NeighbourAt& neighbour_at,
                                  Batch& batch) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const Place neighbour = neighbour_at(i);
    if (neighbour == kNoPlace) break;
    if (neighbour >= end_) [[unlikely]]
      return false;
    if (!visited_.visit(neighbour)) continue;
    const std::byte* code = reader_->code(neighbour);
    if (code == nullptr) return false;
    prefetch_code(code);
    batch.places[batch.count] = neighbour;
    batch.codes[batch.count++] = code;
  }
  return true;
}

template <class Reader>
Status GraphSearchOf<Reader>::gather(unsigned level, Place place, Batch& batch) {
  Neighbours list;
  bool all = false;
  if (const std::byte* stored = reader_->stored_list(level, place)) {
    const auto neighbour_at = [stored](std::uint32_t i) {
      return load_le<Place>(stored + std::size_t{i} * sizeof(Place));
    };
    all = visit(reader_->shape().most(level), neighbour_at, batch);
    // A place that can't be is told by the reader, which checks what it reads.
    if (!all) (void)reader_->read(level, place, list);
  } else {
    if (!reader_->read(level, place, list)) return std::unexpected(reader_->take_error());
    all = visit(list.count, [&list](std::uint32_t i) { return list.places[i]; }, batch);
  }
  if (!all) return std::unexpected(reader_->take_error());
  return {};
}

// The list that comes next, most likely; then distances.
template <class Reader>
void GraphSearchOf<Reader>::measure(unsigned level, const Batch& batch) {
  if (const Place next = pool_.peek(); level == 0 && next != kNoPlace) reader_->prefetch_list(next);
  float distances[kExpandedAtOnce * kMostNeighbours];
  metric_.distance.list(query_, batch.codes, batch.count, metric_.dimension, distances);
  for (std::size_t i = 0; i < batch.count; ++i) {
    // One that is nearer than all that wait is expanded next, unless a nearer one comes.
    if (pool_.offer(distances[i], batch.places[i]) && level == 0 && pool_.peek() == batch.places[i])
      reader_->prefetch_list(batch.places[i]);
  }
  measured_ += batch.count;
}

template <class Reader>
Status GraphSearchOf<Reader>::descend(Reader& reader, const CodeMetric& metric, const void* query,
                                      Place entry) {
  if (entry >= reader.end())
    return fail(ErrorCode::kCorrupt, "graph: its entry is %u, and it has %u places", entry,
                reader.end());
  QUIRE_CHECK(begin(reader, metric, query, entry));
  if (entry == kNoPlace) return {};
  for (unsigned level = level_of(entry, reader.shape().seed); level > 0; --level)
    QUIRE_CHECK(walk(level, 1));
  return {};
}

template <class Reader>
Result<std::span<const Neighbour<Place>>> GraphSearchOf<Reader>::run(Reader& reader,
                                                                     const CodeMetric& metric,
                                                                     const void* query, Place entry,
                                                                     std::size_t ef) {
  if (ef == 0 || ef > kMostEf)
    return fail(ErrorCode::kInvalid, "graph: ef is %zu, it must be 1 to %u", ef, kMostEf);
  QUIRE_CHECK(descend(reader, metric, query, entry));
  if (entry != kNoPlace) QUIRE_CHECK(walk(0, ef));
  return found();
}

template class GraphSearchOf<GraphReader>;
template class GraphSearchOf<MemoryReader>;

}  // namespace quire::hnsw
