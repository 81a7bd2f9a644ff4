#include "index/ordered/entry_batch.h"

#include <algorithm>
#include <array>

namespace quire {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
constexpr std::size_t kSizes = 8;  // before a key: its size and that of the value

constexpr std::size_t kSmallRun = 8;  // entries that are compared to the end at once

// The eight bytes from `begin` as a number, zeros behind the end: in the order of the keys, but for
// those that are equal so far.
std::uint64_t head_of(Bytes key, std::size_t begin) noexcept {
  const Bytes rest = key.subspan(begin);
  if (rest.size() >= 8) return load_be<std::uint64_t>(rest.data());
  std::array<std::byte, 8> bytes{};
  std::ranges::copy(rest, bytes.begin());
  return load_be<std::uint64_t>(bytes.data());
}

}  // namespace

std::byte* EntryBatch::room_for(std::size_t size) {
  if (blocks_.empty() || blocks_.back().size - used_ < size) {
    const std::size_t bytes = std::max(size, kBlockBytes);
    blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(bytes), bytes});  // NOLINT
    blocks_bytes_ += bytes;
    used_ = 0;
  }
  std::byte* at = blocks_.back().bytes.get() + used_;
  used_ += size;
  return at;
}

void EntryBatch::note_shared(Bytes key) noexcept {
  shared_ = places_.empty() ? key.size()
                            : common_prefix(this->key(0).first(shared_),
                                            key.first(std::min(shared_, key.size())));
}

void EntryBatch::add(Bytes key, Bytes value) {
  note_shared(key);
  std::byte* at = room_for(kSizes + key.size() + value.size());
  store_le(at, static_cast<std::uint32_t>(key.size()));
  store_le(at + 4, static_cast<std::uint32_t>(value.size()));
  std::ranges::copy(key, at + kSizes);
  std::ranges::copy(value, at + kSizes + key.size());
  places_.push_back({0, at});
}

void EntryBatch::sort() { sort_from(places_, shared_); }

// By eight bytes of the keys from `begin`, all of which share what is before; then each run that
// has these in common by the next eight. So memory is visited once for each eight bytes, and not
// for each comparison. A run that has a key without so many bytes is compared to the end.
void EntryBatch::sort_from(std::span<Place> places, std::size_t begin) {
  for (Place& place : places) place.head = head_of(key_at(place.at), begin);
  std::ranges::sort(places, {}, &Place::head);
  const std::size_t next = begin + sizeof(Place::head);
  while (!places.empty()) {
    const std::uint64_t head = places[0].head;
    std::size_t size = 1;
    bool more = key_at(places[0].at).size() >= next;
    for (; size < places.size() && places[size].head == head; ++size)
      more &= key_at(places[size].at).size() >= next;
    const std::span<Place> run = places.first(size);
    places = places.subspan(size);
    if (size == 1) continue;
    if (more && size > kSmallRun) {
      sort_from(run, next);
    } else {
      std::ranges::sort(run, [](const Place& a, const Place& b) {
        return compare_bytes(key_at(a.at), key_at(b.at)) < 0;
      });
    }
  }
}

void EntryBatch::clear() noexcept {
  if (blocks_.size() > 1) blocks_.erase(blocks_.begin() + 1, blocks_.end());
  blocks_bytes_ = blocks_.empty() ? 0 : blocks_.front().size;
  used_ = 0;
  places_.clear();
}

Bytes EntryBatch::value(std::size_t i) const noexcept {
  const std::byte* at = places_[i].at;
  return {at + kSizes + load_le<std::uint32_t>(at), load_le<std::uint32_t>(at + 4)};
}

}  // namespace quire
