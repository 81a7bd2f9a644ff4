#include "index/vector/hnsw/graph_memory.h"

#include <algorithm>
#include <cstring>
#include <thread>

namespace quire::hnsw {
namespace {

// Bits of a place's byte.
constexpr std::uint8_t kTaken = 1;
constexpr std::uint8_t kChanged = 2;       // the list of level 0
constexpr std::uint8_t kChangedAbove = 4;  // one of those above

using Element = std::atomic_ref<Place>;

}  // namespace

// Of one node's lists. Held for some hundred nanoseconds; where its holder was put to sleep, others
// let it run.
class GraphMemory::Turn {
 public:
  explicit Turn(std::atomic<std::uint8_t>& bits) noexcept : bits_(bits) {
    constexpr int kSpins = 100;
    for (int i = 0; (bits_.fetch_or(kTaken, std::memory_order_acquire) & kTaken) != 0; ++i)
      if (i >= kSpins) std::this_thread::yield();
  }
  ~Turn() { bits_.fetch_and(static_cast<std::uint8_t>(~kTaken), std::memory_order_release); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  std::atomic<std::uint8_t>& bits_;
};

std::uint64_t GraphMemory::bytes(const GraphShape& shape, std::uint64_t end) noexcept {
  std::uint64_t upper = 0;
  for (unsigned level = 1; level <= kTopLevel; ++level) upper += (end >> (kGroupBits * level)) + 1;
  return end * (shape.list_bytes(0) + 1) + end / 8 + upper * shape.list_bytes(1);
}

GraphMemory::GraphMemory(const GraphShape& shape, Place end) : shape_(shape), end_(end) {
  std::size_t upper_lists = 0;
  for (unsigned level = 1; level <= kTopLevel; ++level) {
    first_upper_[level] = upper_lists;
    upper_lists += group_of(level, end) + 1;
  }
  lists_ = ZeroedArray<Place>(std::size_t{end} * shape.most(0));
  upper_ = ZeroedArray<Place>(upper_lists * shape.most(1));
  turns_ = std::make_unique<std::atomic<std::uint8_t>[]>(end);
  not_live_.resize(end);
}

Status GraphMemory::load(GraphView& view) {
  GraphReader reader(view);
  for (Place place = 1; place < view.end(); ++place) {
    const auto use = view.use(place);
    if (!use) return std::unexpected(view.take_error());
    not_live_[place] = !use->is_live();
    for (unsigned level = 0; level <= level_of(place, shape_.seed); ++level) {
      Neighbours neighbours;
      if (!reader.read(level, place, neighbours)) return std::unexpected(reader.take_error());
      store(level, list(level, place), {neighbours.places, neighbours.count});
    }
  }
  return {};
}

Place* GraphMemory::list(unsigned level, Place place) const noexcept {
  if (level == 0) return lists_.data() + std::size_t{place} * shape_.most(0);
  return upper_.data() + (first_upper_[level] + group_of(level, place)) * shape_.most(1);
}

void GraphMemory::store(unsigned level, Place* list, std::span<const Place> neighbours) noexcept {
  const std::uint32_t most = shape_.most(level);
  for (std::uint32_t i = 0; i < most; ++i)
    Element(list[i]).store(i < neighbours.size() ? neighbours[i] : kNoPlace,
                           std::memory_order_release);
}

void GraphMemory::note_changed(unsigned level, Place place) noexcept {
  turns_[place].fetch_or(level == 0 ? kChanged : kChangedAbove, std::memory_order_relaxed);
}

void GraphMemory::read(unsigned level, Place place, Neighbours& neighbours) const noexcept {
  Place* const at = list(level, place);
  const std::uint32_t most = shape_.most(level);
  std::uint32_t count = 0;
  for (; count < most; ++count) {
    const Place neighbour = Element(at[count]).load(std::memory_order_acquire);
    if (neighbour == kNoPlace) break;
    neighbours.places[count] = neighbour;
  }
  neighbours.count = count;
}

void GraphMemory::prefetch(Place place) const noexcept {
  constexpr std::size_t kLine = 64 / sizeof(Place);
  const Place* const at = list(0, place);
  for (std::size_t i = 0; i < shape_.most(0); i += kLine) __builtin_prefetch(at + i);
}

void GraphMemory::set(unsigned level, Place place, std::span<const Place> neighbours) noexcept {
  store(level, list(level, place), neighbours);
  note_changed(level, place);
}

bool GraphMemory::append(unsigned level, Place place, Place neighbour) noexcept {
  const Turn turn(turns_[place]);
  Neighbours now;
  read(level, place, now);
  if (std::find(now.places, now.places + now.count, neighbour) != now.places + now.count)
    return true;
  if (now.count == shape_.most(level)) return false;
  Element(list(level, place)[now.count]).store(neighbour, std::memory_order_release);
  note_changed(level, place);
  return true;
}

bool GraphMemory::replace(unsigned level, Place place, const Neighbours& before,
                          std::span<const Place> neighbours) noexcept {
  const Turn turn(turns_[place]);
  Neighbours now;
  read(level, place, now);
  if (!std::equal(now.places, now.places + now.count, before.places, before.places + before.count))
    return false;
  store(level, list(level, place), neighbours);
  note_changed(level, place);
  return true;
}

Status GraphMemory::for_each_changed(
    const std::function<Status(unsigned level, Place place, Bytes list)>& visit) const {
  struct Upper {
    std::uint64_t slot;
    unsigned level;
    Place place;
  };
  std::vector<Upper> above;
  const auto visit_list = [&](unsigned level, Place place) {
    return visit(level, place, std::as_bytes(std::span(list(level, place), shape_.most(level))));
  };
  for (Place place = 1; place < end_; ++place) {
    const std::uint8_t bits = turns_[place].load(std::memory_order_relaxed);
    if ((bits & kChanged) != 0) QUIRE_CHECK(visit_list(0, place));
    if ((bits & kChangedAbove) == 0) continue;
    for (unsigned level = level_of(place, shape_.seed); level > 0; --level)
      above.push_back({upper_slot(level, place), level, place});
  }
  std::ranges::sort(above, {}, &Upper::slot);
  for (const Upper& each : above) QUIRE_CHECK(visit_list(each.level, each.place));
  return {};
}

Status look_at_all(ArrayView& array) {
  for (std::uint64_t i = 0; i < array.size();) {
    const ArrayView::Piece piece = array.piece(i);
    if (piece.data == nullptr) return std::unexpected(array.take_error());
    i += piece.count;
  }
  return {};
}

}  // namespace quire::hnsw
