// Where blocks of arrays lie in memory, found once for all snapshots that share them.
//
// Walking from an array's root to a block costs more than reading it. What lies below a table is
// fixed by the pointer to it (number, checksum and birth: a page is never changed while somebody
// can see it, and its number is given again only under another birth), so the addresses of its
// blocks are kept by that pointer, and those of all tables of an array by the pointer to its root.
#pragma once

#include <atomic>
#include <cstdlib>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "engine/page/page_reader.h"

namespace quire {

// Of the blocks that one table of level 1 points to; of an array without a table, its only block.
// Any thread.
struct TableAddresses {
  using Slot = std::atomic<const std::byte*>;  // null: not known yet

  TableAddresses(const PagePtr& table_ptr, std::size_t blocks);
  PagePtr table;
  std::size_t size;
  std::unique_ptr<Slot[]> slots;
};

// Of all tables of an array, as they become known. Any thread.
class ArrayAddresses {
 public:
  // An array can say that it has more blocks than there is memory to know them.
  static constexpr std::uint64_t kMostTables = std::uint64_t{1} << 22;

  explicit ArrayAddresses(std::uint64_t tables, std::uint64_t generation = 0);
  std::uint64_t size() const noexcept { return size_; }
  // Of the tables that may be kept here, at least.
  std::uint64_t generation() const noexcept { return generation_; }
  // Null: not known yet. One load each: the search loop does it for each element.
  const TableAddresses::Slot* slots(std::uint64_t table) const noexcept {
    return slots_[table].load(std::memory_order_acquire);
  }
  // nullptr likewise. Takes a lock.
  std::shared_ptr<TableAddresses> find(std::uint64_t table) const;
  // Keeps the first that it is given.
  void keep(std::uint64_t table, const std::shared_ptr<TableAddresses>& addresses);

 private:
  struct Free {
    void operator()(void* memory) const noexcept { std::free(memory); }
  };
  std::uint64_t size_;
  std::uint64_t generation_;
  // Zeroed memory that costs nothing until it is touched.
  std::unique_ptr<std::atomic<const TableAddresses::Slot*>[], Free> slots_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<TableAddresses>> tables_;
};

// Owned by an open database, lent to the readers of its snapshots. Thread-safe; a lock is taken
// when a view of an array is made, and when it comes to a table for the first time.
//
// Private pages: frames of the writer's process come and go while the pages that they are stay the
// same ones. A frame's memory is given back when no snapshot is open any more that began before the
// frame was retired (Writer::retire_locked). Retiring counts up `generation`, and each reader has
// what it read of that after it was registered. So addresses that a reader keeps under a generation
// may be used by readers of that generation and before:
//
//   Let reader R of generation g use an address of frame F kept under generation h >= g. Who kept
//   it found F in the table of frames after generation h had begun. Were F retired before R was
//   registered, its retirement, which counts up after it took F out of the table, would have ended
//   before R read g, so before h began, and F could not have been found. So R was registered before
//   F was retired, and what R may see is not given back while R is open.
//
// Readers whose state is in the file whole know no frames, and have addresses of their own.
class AddressCache {
 public:
  // What addresses are good for, beside the pages themselves.
  struct Ground {
    const std::byte* base = nullptr;  // of the map
    std::size_t map_bytes = 0;        // from there on: pages in the file
    bool framed = false;              // looks at frames
    std::uint64_t generation = 0;
    // What tables are checked against.
    std::uint32_t array = 0;
    std::uint32_t element_size = 0;
    PageNumber block_pages = 0;
  };

  explicit AddressCache(std::size_t most_bytes = kMostBytes) : most_bytes_(most_bytes) {}

  std::shared_ptr<ArrayAddresses> array(const PagePtr& root, std::uint64_t tables,
                                        const Ground& ground);
  std::shared_ptr<TableAddresses> table(const PagePtr& table, std::size_t blocks,
                                        const Ground& ground);
  std::size_t bytes() const;

 private:
  // 47,000 tables: eight million blocks.
  static constexpr std::size_t kMostBytes = std::size_t{64} << 20;

  struct Key {
    PagePtr ptr;
    const std::byte* base;
    std::uint32_t array;
    std::uint32_t element_size;
    PageNumber block_pages;
    bool framed;
    bool whole;  // an array by its root
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept;
  };
  struct Entry {
    Key key;
    std::uint64_t generation;
    std::size_t bytes;
    std::shared_ptr<ArrayAddresses> array;
    std::shared_ptr<TableAddresses> table;
  };
  using Entries = std::list<Entry>;  // used last first

  static Key key_of(const PagePtr& ptr, const Ground& ground, bool whole) noexcept {
    return {ptr,           ground.base, ground.array, ground.element_size, ground.block_pages,
            ground.framed, whole};
  }
  Entry* find(const Key& key, const Ground& ground);
  Entry& keep(Entry entry);

  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::unordered_map<Key, Entries::iterator, Hash> index_;
  std::size_t bytes_ = 0;
};

}  // namespace quire
