// A root: one pointer with its numbers is a whole snapshot of the whole database.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/base/checksum.h"
#include "engine/page/page_ptr.h"
#include "engine/tree/tree.h"
#include "wal/log.h"

namespace quire {

inline constexpr std::uint32_t kCatalogId = 1;  // tree id stamped into the catalog's nodes
inline constexpr std::uint32_t kFirstStructureId = 16;

struct Root {
  TxnNumber txn = 0;          // the commit; 0: no root
  wal::Lsn lsn = 0;           // of its last log record (of the one before, if it logged nothing)
  PagePtr catalog;            // root of the catalog's tree; null: empty
  PageNumber page_count = 0;  // every page number in the snapshot is below
  std::uint32_t next_id = kFirstStructureId;  // of the next keyspace, collection or structure
  std::uint8_t catalog_height = 0;

  TreeRoot catalog_tree() const noexcept {
    return {.root = catalog, .id = kCatalogId, .height = catalog_height, .catalog = true};
  }
};

// A root in a meta page and in the shared head: 64 bytes, little-endian.
struct RootImage {
  std::uint64_t txn;
  std::uint64_t lsn;
  std::byte catalog[kPagePtrSize];
  std::uint32_t page_count;
  std::uint32_t next_id;
  std::uint8_t catalog_height;
  std::uint8_t zero[7];
  std::uint64_t checksum;  // XXH3-64 of the 56 bytes before
};
static_assert(sizeof(RootImage) == 64);
static_assert(offsetof(RootImage, catalog) == 16 && offsetof(RootImage, page_count) == 40);
static_assert(offsetof(RootImage, catalog_height) == 48 && offsetof(RootImage, checksum) == 56);

inline RootImage to_image(const Root& root) noexcept {
  RootImage image{};
  image.txn = root.txn;
  image.lsn = root.lsn;
  store_ptr(image.catalog, root.catalog);
  image.page_count = root.page_count;
  image.next_id = root.next_id;
  image.catalog_height = root.catalog_height;
  image.checksum = checksum64(as_bytes(&image, offsetof(RootImage, checksum)));
  return image;
}

// Nothing when the checksum does not hold.
inline std::optional<Root> from_image(const RootImage& image) noexcept {
  if (image.checksum != checksum64(as_bytes(&image, offsetof(RootImage, checksum))))
    return std::nullopt;
  Root root;
  root.txn = image.txn;
  root.lsn = image.lsn;
  root.catalog = load_ptr(image.catalog);
  root.page_count = image.page_count;
  root.next_id = image.next_id;
  root.catalog_height = image.catalog_height;
  return root;
}

// The newest root, read without locks while one thread at a time replaces it. Lies in the shared
// head (published roots) and in the writer's memory (visible ones); zeroed memory is an empty ring.
//
// Why a reader is right: a root is written whole into the next place of the ring before the
// sequence number that names it is stored (release), and its place is written again only seven
// roots later. A reader that finds the sequence number unchanged after it copied the root copied
// one root.
class RootRing {
 public:
  static constexpr std::size_t kPlaces = 8;

  std::uint64_t sequence() const noexcept { return sequence_.load(std::memory_order_seq_cst); }

  // One thread at a time.
  void publish(const Root& root) noexcept {
    const std::uint64_t next = sequence_.load(std::memory_order_relaxed) + 1;
    const RootImage image = to_image(root);
    std::array<std::uint64_t, kWords> words;
    std::memcpy(words.data(), &image, sizeof image);
    auto& place = places_[next % kPlaces];
    // No word of this root before the number of the one before.
    std::atomic_thread_fence(std::memory_order_release);
    for (std::size_t i = 0; i < kWords; ++i) place[i].store(words[i], std::memory_order_relaxed);
    sequence_.store(next, std::memory_order_seq_cst);
  }

  struct Reading {
    std::uint64_t sequence = 0;  // 0: nothing was ever published
    RootImage image{};
  };
  Reading read() const noexcept {
    for (;;) {
      const std::uint64_t before = sequence_.load(std::memory_order_seq_cst);
      if (before == 0) return {};
      Reading reading{before, {}};
      std::array<std::uint64_t, kWords> words;
      const auto& place = places_[before % kPlaces];
      for (std::size_t i = 0; i < kWords; ++i) words[i] = place[i].load(std::memory_order_relaxed);
      std::atomic_thread_fence(std::memory_order_acquire);
      if (sequence_.load(std::memory_order_seq_cst) != before) continue;
      std::memcpy(&reading.image, words.data(), sizeof reading.image);
      return reading;
    }
  }

 private:
  static constexpr std::size_t kWords = sizeof(RootImage) / sizeof(std::uint64_t);
  std::atomic<std::uint64_t> sequence_{0};
  std::uint64_t unused_[7] = {};
  std::array<std::array<std::atomic<std::uint64_t>, kWords>, kPlaces> places_{};
};
static_assert(sizeof(RootRing) == 64 + RootRing::kPlaces * sizeof(RootImage));
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace quire
