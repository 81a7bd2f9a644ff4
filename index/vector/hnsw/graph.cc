#include "index/vector/hnsw/graph.h"

#include <algorithm>

namespace quire::hnsw {
namespace {

Status check_range(const char* name, std::uint32_t value, std::uint32_t least, std::uint32_t most) {
  if (value >= least && value <= most) return {};
  return fail(ErrorCode::kInvalid, "graph: %s is %u, it must be %u to %u", name, value, least,
              most);
}

Status check_element(const char* name, const ArrayRoot& array, std::uint32_t bytes) {
  if (array.element_size == bytes) return {};
  return fail(ErrorCode::kCorrupt, "graph: the array of %s has elements of %u bytes, not of %u",
              name, array.element_size, bytes);
}

}  // namespace

Status GraphShape::check() const {
  QUIRE_CHECK(check_range("m", m, kLeastM, kMostM));
  QUIRE_CHECK(check_range("ef_construction", ef_construction, m, kMostEf));
  return check_range("the size of a code", code_bytes, 1, kMaxArrayElement);
}

Result<GraphView> GraphView::open(const PageReader& reader, const GraphRoots& roots,
                                  const GraphShape& shape, const GraphState& state) {
  QUIRE_CHECK(shape.check());
  QUIRE_CHECK(check_element("lists", roots.lists, shape.list_bytes(0)));
  QUIRE_CHECK(check_element("upper lists", roots.upper, shape.list_bytes(1)));
  QUIRE_CHECK(check_element("codes", roots.codes, shape.code_bytes));
  QUIRE_CHECK(check_element("records", roots.records, sizeof(PlaceUse)));
  const std::uint64_t places = roots.lists.size;
  if (places > kEndOfPlaces || places != roots.codes.size || places != roots.records.size ||
      places == 1)
    return fail(ErrorCode::kCorrupt, "graph: there are %llu lists, %llu codes and %llu records",
                static_cast<unsigned long long>(places),
                static_cast<unsigned long long>(roots.codes.size),
                static_cast<unsigned long long>(roots.records.size));
  GraphView view;
  view.end_ = std::max<Place>(1, static_cast<Place>(places));
  if (state.entry >= view.end_)
    return fail(ErrorCode::kCorrupt, "graph: its entry is %u, and it has %u places", state.entry,
                view.end_);
  view.shape_ = shape;
  view.state_ = state;
  view.lists_ = ArrayView(reader, roots.lists);
  view.upper_ = ArrayView(reader, roots.upper);
  view.codes_ = ArrayView(reader, roots.codes);
  view.records_ = ArrayView(reader, roots.records);
  return view;
}

const std::byte* GraphView::no_list(unsigned level, Place place) noexcept {
  error_ =
      fail(ErrorCode::kCorrupt, "graph: node %u has no list at level %u", place, level).error();
  return nullptr;
}

// An array that has not failed says kInvalid.
Error GraphView::take_error() {
  if (error_.has_value()) return *error_;
  for (ArrayView* array : {&lists_, &upper_, &codes_, &records_})
    if (Error error = array->take_error(); error.code() != ErrorCode::kInvalid) return error;
  return Error(ErrorCode::kCorrupt);
}

bool GraphReader::read(unsigned level, Place place, Neighbours& neighbours) {
  neighbours.count = 0;
  if (overlay_ != nullptr) {
    if (const auto found = overlay_->lists.find(GraphOverlay::key(level, place));
        found != overlay_->lists.end()) {
      for (const Place neighbour : found->second) neighbours.places[neighbours.count++] = neighbour;
      return true;
    }
  }
  const std::byte* list = view_->list(level, place);
  if (list == nullptr) return false;
  const std::uint32_t most = shape().most(level);
  const Place end = view_->end();
  for (std::uint32_t i = 0; i < most; ++i) {
    const auto neighbour = load_le<Place>(list + std::size_t{i} * sizeof(Place));
    if (neighbour == kNoPlace) break;
    if (neighbour >= end) {
      error_ = fail(ErrorCode::kCorrupt,
                    "graph: the list of node %u at level %u names node %u, there are %u", place,
                    level, neighbour, end)
                   .error();
      return false;
    }
    neighbours.places[neighbours.count++] = neighbour;
  }
  return true;
}

}  // namespace quire::hnsw
