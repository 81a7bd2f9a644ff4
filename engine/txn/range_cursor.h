// A cursor as users have it: over a part of a keyspace, in both directions, keeping its place by
// key when its own transaction changes the tree under it.
#pragma once

#include <optional>

#include "engine/txn/catalog.h"

namespace quire {

struct CursorRange {
  std::optional<ByteVector> low;   // keys >= low
  std::optional<ByteVector> high;  // keys < high

  // Keys that begin with `prefix` as well.
  void restrict_to_prefix(Bytes prefix);
};

// One thread, that of its transaction. Its place is before the first entry, on an entry (that may
// be gone since), or behind the last; at the beginning it is nowhere: next gives the first entry,
// previous the last.
class RangeCursor {
 public:
  RangeCursor(View& view, StructureId keyspace, CursorRange range)
      : view_(&view), keyspace_(keyspace), range_(std::move(range)) {}

  // Each returns whether there is an entry; if not, the place is before the first or behind the
  // last.
  Result<bool> next();
  Result<bool> previous();
  Result<bool> first();
  Result<bool> last();
  Result<bool> seek(Bytes wanted);
  Result<bool> seek_rank(std::uint64_t rank);
  // Whether it is on an entry that is there.
  Result<bool> current();
  // To the beginning, in a new state of the view.
  void restart() noexcept {
    place_ = Place::kNowhere;
    fresh_ = false;
  }

  // The key is good until the cursor moves, the value as long as the view's memory.
  Bytes key() const { return cursor_.key(); }
  Result<Bytes> value() const { return cursor_.value(); }

 private:
  enum class Place { kNowhere, kBefore, kOn, kAfter };
  Status refresh();
  Status moved(Status status);
  // Looks at where the tree cursor stands after a move in a direction.
  Result<bool> settle(bool forward);
  bool below_low() const;
  bool at_high() const;

  View* view_;
  StructureId keyspace_;
  CursorRange range_;
  TreeCursor cursor_;
  Place place_ = Place::kNowhere;
  bool fresh_ = false;      // cursor_ is on the tree as it is now
  bool keeps_key_ = false;  // the view can change: remember where we are
  std::uint64_t version_ = 0;
  ByteVector at_;  // key of the entry it is on, when keeps_key_
  enum class Stand { kEntry, kGone } stand_ = Stand::kEntry;
};

}  // namespace quire
