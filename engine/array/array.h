// The paged array: elements of one size by index, in blocks found through a radix of tables.
//
// A block has no header: element i lies at (i % per_block) * element_size of block i / per_block. A
// block is `block_pages` consecutive pages: array_block_pages() where nothing speaks for another
// size, or any number that holds an element. While there is only one block it may be shorter (a
// power of two of pages, growing), so that a small array is small. Elements past size() in the last
// block are zero or leftovers; nobody reads them. A hole (a block that was never written) is a null
// pointer and reads as zeros. array_format.h has the bytes of a table.
//
// The count in a pointer is the number of elements, below size(), in the blocks under it: a hole
// counts nothing. Tables are exactly as many levels as size() needs, and none is empty.
//
// A root, and what pages say, may come from a damaged file: everything here checks it before use
// and fails with kCorrupt.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/array/block_addresses.h"
#include "engine/page/page_reader.h"
#include "engine/page/page_writer.h"

namespace quire {

inline constexpr std::uint32_t kMaxArrayElement = 16U << 20;  // bytes
inline constexpr std::uint64_t kMaxArraySize = kMaxCount;     // elements
inline constexpr unsigned kMaxArrayHeight = 12;  // kMaxArraySize blocks in pages of 512 bytes

// An array as its catalog entry keeps it.
struct ArrayRoot {
  PagePtr root;                      // a table, or the only block when height is 0; null: no block
  std::uint64_t size = 0;            // elements
  std::uint32_t element_size = 0;    // bytes
  PageNumber block_pages = 0;        // of a full block
  PageNumber first_block_pages = 0;  // of the only block while height is 0; 0 where there is none
  std::uint8_t height = 0;           // levels of tables
  std::uint32_t id = 0;              // stamped into every table, for salvage
};

// The fewest pages of a block that waste under 5%; where no block of up to 64 KiB does, the one
// that wastes least; for an element over 64 KiB, those that hold one.
PageNumber array_block_pages(std::uint32_t element_size, std::uint32_t page_size) noexcept;

// Read side: one snapshot of an array. Keeps the addresses of the blocks it has seen, so a second
// access is two loads; shares them with other snapshots where its reader has a cache of them
// (block_addresses.h). One thread; copies are independent.
class ArrayView {
 public:
  ArrayView() = default;
  ArrayView(PageReader reader, const ArrayRoot& array);
  std::uint64_t size() const noexcept { return array_.size; }
  std::uint32_t element_size() const noexcept { return array_.element_size; }

  // Element i, or null: take_error() has why. i < size(). Good until the snapshot is closed, an
  // element of a hole until the view is gone.
  const std::byte* at(std::uint64_t i) noexcept {
    const std::uint64_t block = divide_(i);
    const std::byte* data = known(i, block);
    if (data == nullptr) [[unlikely]]
      return at_unknown(i);
    return data + (i - block * divide_.divisor()) * array_.element_size;
  }
  // Hint that the first `bytes` of element i are about to be used. Does nothing for a block not
  // seen yet.
  void prefetch(std::uint64_t i, std::size_t bytes = 1) const noexcept {
    const std::uint64_t block = divide_(i);
    const std::byte* data = known(i, block);
    if (data == nullptr) return;
    const std::byte* element = data + (i - block * divide_.divisor()) * array_.element_size;
    for (std::size_t line = 0; line < bytes; line += 64) __builtin_prefetch(element + line);
  }

  // The longest piece of consecutive elements that starts at i and lies in one block (of a hole, a
  // part of one). data is null where it can't be read.
  struct Piece {
    const std::byte* data;
    std::uint64_t count;
  };
  Piece piece(std::uint64_t i) noexcept;
  // Why the last call returned null.
  Error take_error();

 private:
  // i / divisor by a multiplication: the search loop does one for each element it looks at. Exact
  // for i < 2^32 (Lemire, Kaser, Kurz: Faster remainder by direct computation, 2019); a division
  // otherwise.
  class Divider {
   public:
    Divider() = default;
    explicit Divider(std::uint64_t divisor) noexcept
        : divisor_(divisor), magic_(divisor < 2 || divisor >> 32 != 0 ? 0 : ~0ULL / divisor + 1) {}
    std::uint64_t divisor() const noexcept { return divisor_; }
    std::uint64_t operator()(std::uint64_t i) const noexcept {
      __extension__ using Wide = unsigned __int128;
      if (magic_ != 0 && i >> 32 == 0) [[likely]]
        return static_cast<std::uint64_t>((static_cast<Wide>(magic_) * i) >> 64);
      return i / divisor_;
    }

   private:
    std::uint64_t divisor_ = 1;
    std::uint64_t magic_ = 0;  // ceil(2^64 / divisor)
  };

  // Of the block of element i.
  const std::byte* known(std::uint64_t i, std::uint64_t block) const noexcept {
    const std::uint64_t table = divide_by_table_(i);
    if (table >= tables_) [[unlikely]]
      return nullptr;
    const TableAddresses::Slot* slots = addresses_->slots(table);
    if (slots == nullptr) [[unlikely]]
      return nullptr;
    return slots[block - table * blocks_of_table_].load(std::memory_order_relaxed);
  }
  const std::byte* at_unknown(std::uint64_t i) noexcept;
  // The block's bytes; null for a hole, and with error_ set where it can't be read.
  const std::byte* load_block(std::uint64_t block);
  // The pointer to the table of level 1 over a block, or to the only block; null: a hole, or
  // error_.
  PagePtr find_table(std::uint64_t block);
  const std::byte* fetch_table(const PagePtr& ptr, unsigned level);
  const std::byte* fetch_block(const PagePtr& ptr);
  std::shared_ptr<TableAddresses> addresses_of(std::uint64_t table, const PagePtr& ptr);
  void open_addresses();
  AddressCache::Ground ground() const noexcept;
  PageNumber block_pages_now() const noexcept {
    return array_.height == 0 ? array_.first_block_pages : array_.block_pages;
  }
  const std::byte* zero_element();

  PageReader reader_;
  ArrayRoot array_;
  Divider divide_;           // by elements of a block
  Divider divide_by_table_;  // and of all blocks of a table
  std::uint64_t blocks_of_table_ = 1;
  std::shared_ptr<ArrayAddresses> addresses_;  // null: nothing was asked for yet
  std::uint64_t tables_ = 0;                   // of which it has addresses
  std::shared_ptr<const std::byte[]>
      zeros_;  // an element of a hole that is too large for the shared one
  std::optional<Error> error_;
  bool usable_ = false;  // the root makes sense
};

// Write side: one array in one write transaction. One thread.
//
// A call that fails leaves size and elements as they were; pages may have been copied. A root that
// makes no sense fails every call with kCorrupt.
class ArrayWriter {
 public:
  // `array`: as it was kept, or for a new one only element_size, id, and block_pages where
  // array_block_pages() is not wanted.
  ArrayWriter(PageWriter* pages, const ArrayRoot& array);
  const ArrayRoot& root() const noexcept { return array_; }
  std::uint32_t page_size() const noexcept { return pages_->page_size(); }
  // Back to a root from before (savepoint).
  void reset(const ArrayRoot& array);

  // Sets element i (grows the array to i + 1 when needed; elements between are zero). O(height),
  // plus a copy of each page on the way that is not this transaction's yet.
  Status set(std::uint64_t i, Bytes element);
  // The bytes of element i to change in place before the next call; grows like set.
  Result<std::byte*> touch(std::uint64_t i);
  // The element's bytes, good until the next change. kInvalid where i >= size.
  Result<Bytes> get(std::uint64_t i);
  // Appends whole blocks, as they lie one after the other: written straight to the file as one
  // piece (PageWriter::write_piece). size() ends with a block. After an error fewer of them may be
  // appended, and size() says how many elements were.
  Status append_blocks(Bytes blocks);
  // Cuts to `size` elements, freeing whole blocks; nothing where there are no more. O(height +
  // pages freed).
  Status truncate(std::uint64_t size);
  // Frees every page. The array is empty afterwards.
  Status clear();

 private:
  // The way to a block through tables that are this transaction's, `level` from array_.height down:
  // tables[level], and in it slots[level], where the pointer to the page at `level` - 1 lies. The
  // root's own pointer is array_.root.
  struct Path {
    std::array<std::byte*, kMaxArrayHeight + 1> tables{};
    std::array<std::byte*, kMaxArrayHeight + 1> slots{};
    unsigned lowest = 0;         // level of the last table: over 1 where its slot is null
    std::byte* block = nullptr;  // null where the way ends at a table
  };
  struct Run {
    PagePtr ptr;
    PageNumber pages;
  };

  PageNumber block_pages_now() const noexcept {
    return array_.height == 0 ? array_.first_block_pages : array_.block_pages;
  }
  Status check_index(std::uint64_t i) const;
  void remember(std::uint64_t block, const Path& path) noexcept;

  Result<std::byte*> touch_element(std::uint64_t i);
  Result<Path> touch_partial_block(std::uint64_t new_block);
  Result<Path> touch_path(std::uint64_t block, const PagePtr* made = nullptr);
  Result<Path> touch_tables(std::uint64_t block);
  Result<std::byte*> touch_table(PagePtr& ptr, unsigned level);
  Status check_children(const std::byte* table, const PagePtr& ptr) const;
  Status check_child(const PagePtr& child, const PagePtr& table, PageNumber pages) const;
  Result<PagePtr> build_chain(std::uint64_t block, unsigned level, const PagePtr* made, Path& path);
  Status append_block(const PagePtr& block);
  Result<PagePtr> find_block(std::uint64_t block);
  void set_count(const Path& path, std::uint64_t block, std::uint64_t size) noexcept;
  void write_header(std::byte* table, const PagePtr& ptr, unsigned level,
                    std::uint64_t used) noexcept;

  Status raise(std::uint64_t size);
  Status raise_first_block(PageNumber pages);
  Status add_level();
  Status lower();

  Status collect(const PagePtr& ptr, unsigned level, std::vector<Run>& runs);
  Status collect_past(std::uint64_t block, const Path& path, std::vector<Run>& runs);
  Status check_runs(const std::vector<Run>& runs) const;
  void cut_tables(std::uint64_t block, std::uint64_t size, const Path& path);

  PageWriter* pages_;
  ArrayRoot array_;
  std::optional<Error> unusable_;  // the root makes no sense
  // The block of the last change: while its frame may still be changed there is nothing to walk.
  PagePtr last_ptr_;
  std::uint64_t last_block_ = 0;
  std::vector<std::byte> zeros_;  // an element of a hole that is too large for the shared one
};

// --- for the publisher, check and salvage ---

// One pointer stored in a table.
struct ArrayChildRef {
  std::byte* at;     // where the 24 bytes lie
  bool block;        // to a block, not to a table
  PageNumber pages;  // length of what it points to
};
// Calls `visit` for each pointer of a table page that is not null. Checks the page's own numbers
// first: kCorrupt when they can't be.
Status array_for_each_pointer(MutableBytes page,
                              const std::function<Status(const ArrayChildRef&)>& visit);

// Walks the whole array with all checks (headers, counts, births not younger than the parent's,
// heights, holes, checksums), calling `on_page(first, pages)` for each page, block or table. Stops
// at the first error only when `on_damage` is null; otherwise reports each and goes on around it.
// An error of on_page always stops it.
struct ArrayCheck {
  std::function<Status(PageNumber first, PageNumber pages)> on_page;  // may be null
  std::function<void(const Error&)> on_damage;
};
Status array_check(PageReader& reader, const ArrayRoot& array, const ArrayCheck& check);

// What a salvage can't have: the elements below a pointer whose table or block is damaged.
struct ArrayLoss {
  std::uint64_t first = 0;  // numbers of the elements: [first, end)
  std::uint64_t end = 0;
  std::uint64_t elements = 0;  // of these, not in holes: the pointer counts them
  PagePtr ptr;
  bool block = false;                // not a table
  std::optional<PageNumber> parent;  // the table that has the pointer; none: the array's root
  const Error* why = nullptr;
};
// Reads every table and block, and names what can't be read. An error of `on_loss` ends it; a root
// that makes no sense loses all.
Status array_salvage(PageReader& reader, const ArrayRoot& array,
                     const std::function<Status(const ArrayLoss&)>& on_loss);

}  // namespace quire
