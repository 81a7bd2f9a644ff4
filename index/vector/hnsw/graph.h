// The graph of an HNSW index (Malkov, Yashunin, "Efficient and robust approximate nearest neighbor
// search using Hierarchical Navigable Small World graphs", 2016) in four paged arrays:
//
//   lists    by place: up to 2m neighbours at level 0, a u32 each; what is left is zero
//   upper    by upper_slot(): up to m neighbours at a level above, likewise
//   codes    by place: what distances are measured on
//   records  by place: a u32, what the node stands for (PlaceUse)
//
// Place 0 has no node. A live node may be an answer; a dead one is walked through until nothing
// names it; a free place has no node, and nothing names it. docs/vector-indexes.md is the design
// that this is a component of.
//
// This header reads; graph_search.h finds, graph_plan.h links, graph_check.h checks. Bytes may come
// from a damaged file: a place is checked before it is followed.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/array/array.h"
#include "index/kernels/distance.h"
#include "index/vector/hnsw/levels.h"

namespace quire::hnsw {

inline constexpr std::uint32_t kLeastM = 4;
inline constexpr std::uint32_t kMostM = 64;
inline constexpr std::uint32_t kMostNeighbours = 2 * kMostM;
inline constexpr std::uint32_t kMostEf = 1'000'000;

// What never changes of a graph.
struct GraphShape {
  std::uint32_t m = 16;
  std::uint32_t ef_construction = 200;
  std::uint32_t seed = 0;
  std::uint32_t code_bytes = 0;

  std::uint32_t most(unsigned level) const noexcept { return level == 0 ? 2 * m : m; }
  std::uint32_t list_bytes(unsigned level) const noexcept { return most(level) * 4; }
  // kInvalid, naming option and range.
  Status check() const;
};

// An element of `records`.
struct PlaceUse {
  static constexpr std::uint32_t kDead = UINT32_MAX;
  static constexpr std::uint32_t kFree = 1U << 31;  // and the next free place

  std::uint32_t value = 0;
  static PlaceUse of_record(std::uint32_t record) noexcept { return {record}; }
  static PlaceUse dead() noexcept { return {kDead}; }
  static PlaceUse free(Place next) noexcept { return {kFree | next}; }
  bool is_live() const noexcept { return value < kFree; }
  bool is_dead() const noexcept { return value == kDead; }
  bool is_free() const noexcept { return value >= kFree && value != kDead; }
  // The next free place; kNoPlace: it is the last.
  Place next_free() const noexcept { return value & (kFree - 1); }
};

// What changes, beside the arrays.
struct GraphState {
  Place entry = kNoPlace;  // where searches begin: of the highest level there is, of live nodes
  std::uint64_t generation = 0;  // one more with each plan that was applied
  bool operator==(const GraphState&) const = default;
};

struct GraphRoots {
  ArrayRoot lists;
  ArrayRoot upper;
  ArrayRoot codes;
  ArrayRoot records;
};

// How codes are measured.
struct CodeMetric {
  DistanceFunctions distance;
  std::size_t dimension = 0;
};

// One state of a graph. One thread; copies are independent.
class GraphView {
 public:
  // kCorrupt where arrays, shape and state do not fit together.
  static Result<GraphView> open(const PageReader& reader, const GraphRoots& roots,
                                const GraphShape& shape, const GraphState& state);

  const GraphShape& shape() const noexcept { return shape_; }
  const GraphState& state() const noexcept { return state_; }
  // Every place of a node is below. At least 1.
  Place end() const noexcept { return end_; }

  // The bytes of a list or code, or null: take_error() has why. The place is below end(), and for a
  // list has the level.
  const std::byte* list(unsigned level, Place place) noexcept {
    if (level == 0) return lists_.at(place);
    const std::uint64_t slot = upper_slot(level, place);
    if (slot < upper_.size()) return upper_.at(slot);
    return no_list(level, place);
  }
  const std::byte* code(Place place) noexcept { return codes_.at(place); }
  // Nothing: take_error() has why.
  std::optional<PlaceUse> use(Place place) noexcept {
    const std::byte* at = records_.at(place);
    if (at == nullptr) return std::nullopt;
    return PlaceUse{load_le<std::uint32_t>(at)};
  }
  // Of level 0.
  void prefetch_list(Place place) const noexcept { lists_.prefetch(place, shape_.list_bytes(0)); }
  Error take_error();

 private:
  GraphView() = default;
  const std::byte* no_list(unsigned level, Place place) noexcept;

  GraphShape shape_;
  GraphState state_;
  Place end_ = 1;
  ArrayView lists_;
  ArrayView upper_;
  ArrayView codes_;
  ArrayView records_;
  std::optional<Error> error_;
};

// What is not in the arrays yet: lists that are others, and new nodes, at the end and in places
// that were free.
struct GraphOverlay {
  static std::uint64_t key(unsigned level, Place place) noexcept {
    return std::uint64_t{level} << 32 | place;
  }
  std::unordered_map<std::uint64_t, std::vector<Place>> lists;
  Place first_new = 1;                           // places from here on are new
  ByteVector codes;                              // of new ones, one after the other
  std::unordered_map<Place, ByteVector> reused;  // codes of those in places that were free
};

// Neighbours of one node. A full list of level 0 is two or more cache lines.
struct Neighbours {
  std::uint32_t count = 0;
  Place places[kMostNeighbours];
};

// A view with or without an overlay.
class GraphReader {
 public:
  explicit GraphReader(GraphView& view, const GraphOverlay* overlay = nullptr) noexcept
      : view_(&view), overlay_(overlay) {}

  const GraphShape& shape() const noexcept { return view_->shape(); }
  Place end() const noexcept {
    if (overlay_ == nullptr) return view_->end();
    return overlay_->first_new + static_cast<Place>(overlay_->codes.size() / shape().code_bytes);
  }
  // The bytes of a list that is as the arrays have it, unchecked; nullptr: read() it.
  const std::byte* stored_list(unsigned level, Place place) noexcept {
    return overlay_ == nullptr ? view_->list(level, place) : nullptr;
  }
  // False: take_error() has why.
  bool read(unsigned level, Place place, Neighbours& neighbours);
  const std::byte* code(Place place) noexcept {
    if (overlay_ != nullptr && place >= overlay_->first_new)
      return overlay_->codes.data() + std::size_t{place - overlay_->first_new} * shape().code_bytes;
    if (overlay_ != nullptr && !overlay_->reused.empty()) {
      const auto found = overlay_->reused.find(place);
      if (found != overlay_->reused.end()) return found->second.data();
    }
    return view_->code(place);
  }
  // Whether there is a node that is not dead: one that may be named. Nothing: take_error() has why.
  std::optional<bool> is_live(Place place) noexcept {
    if (overlay_ != nullptr && (place >= overlay_->first_new || overlay_->reused.contains(place)))
      return true;
    const auto use = view_->use(place);
    if (!use) return std::nullopt;
    return use->is_live();
  }
  void prefetch_list(Place place) const noexcept {
    if (place < view_->end()) view_->prefetch_list(place);
  }
  Error take_error() {
    if (error_.has_value()) return *error_;
    return view_->take_error();
  }

 private:
  GraphView* view_;
  const GraphOverlay* overlay_;
  std::optional<Error> error_;
};

}  // namespace quire::hnsw
