// Which pages of `data` may be handed out, which will be when a snapshot closes, and growth of the
// file.
//
// A page born at transaction B and freed at D is visible to snapshots s with B <= s < D and to
// nobody else. It may be reused when no live snapshot lies there. So that nothing is examined
// twice, a page that can't be reused yet waits under the newest live snapshot that pins it, and is
// looked at again only when that one is gone. New snapshots begin at the newest committed state
// only, so they never pin a page that is dead already.
//
// What is given back is never lost for want of memory, and giving back never fails: where a list
// can't grow, the pages go to one of two sets that have room for every page of the file (strays_,
// unlisted_), and from there to their lists when there is memory again.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "engine/io/disk.h"
#include "engine/page/page_ptr.h"
#include "engine/page/page_set.h"

namespace quire {

// Numbers of the snapshots that are live, ascending: readers, published roots, checkpoints, and
// every commit that a reader may still begin at.
using LiveSet = std::vector<TxnNumber>;

// The newest live snapshot in [birth, death), if any.
std::optional<TxnNumber> pinned_by(const LiveSet& live, TxnNumber birth, TxnNumber death) noexcept;

// Thread-safe (one mutex; nothing blocks under it but the growth of the file). What is not noexcept
// may throw std::bad_alloc, and has changed nothing then.
class FreeMap {
 public:
  struct Options {
    std::uint64_t quota_bytes = 0;  // largest size of the file; 0: none
  };
  struct Dead {
    PageRun run;
    TxnNumber birth;
    TxnNumber death;
  };

  // `page_count`: pages in use or free; `backed`: pages that the file has space for, at least
  // those.
  FreeMap(io::File& file, std::uint32_t page_size, PageNumber page_count, PageNumber backed,
          Options options);

  // Takes `pages` consecutive pages: pages freed lately first, then holes, then the end of the
  // file, which is backed by device space before this returns (kFull, kQuota, kTooLarge).
  Result<PageNumber> take(PageNumber pages);
  // The same, the first a multiple of `alignment`: what huge pages need. Holes first, then the end
  // of the file; what is left out there is a hole.
  Result<PageNumber> take_aligned(PageNumber pages, PageNumber alignment);
  // Like take() for single pages: at least one, and as many more of those freed lately as there
  // are, up to into.size(). Returns how many.
  Result<std::size_t> take_some(std::span<PageNumber> into);
  // Gives back pages that nobody but the caller has ever seen.
  void give_back(std::span<const PageRun> runs) noexcept;
  void give_back(PageRun run) noexcept { give_back({&run, 1}); }
  // Pages freed by a committed transaction, and those whose pinning snapshot is no longer in
  // `live`: those that `live` pins wait, the others are returned in `released`. The caller drops
  // their frames and then gives them to reuse().
  void bury(std::span<const Dead> dead, const LiveSet& live,
            std::vector<PageRun>& released) noexcept;
  void sweep(const LiveSet& live, std::vector<PageRun>& released) noexcept {
    bury({}, live, released);
  }
  // Only the first half of that: no look at pages that wait already.
  void bury_only(std::span<const Dead> dead, const LiveSet& live,
                 std::vector<PageRun>& released) noexcept;
  // The same when it is not known which snapshots are live: they wait until that is known again.
  void bury_unseen(std::span<const Dead> dead) noexcept;
  void reuse(std::span<const PageRun> released) noexcept { give_back(released); }

  // One past the last page ever handed out. Never waits.
  PageNumber page_count() const noexcept { return page_count_.load(std::memory_order_acquire); }
  std::uint64_t free_pages() const;
  std::uint64_t pinned_pages() const;
  struct Usage {
    std::uint64_t used = 0;     // pages that are neither free nor pinned
    std::uint64_t pinned = 0;   // dead pages that some snapshot needs
    std::uint64_t waiting = 0;  // of these, those that wait under the two, the newest that pin them
  };
  Usage usage(TxnNumber snapshot, TxnNumber other) const;
  // Pages that wait only for snapshots <= `snapshot` and >= it: what a reader there pins.
  std::uint64_t pinned_at(TxnNumber snapshot) const;

  // --- checkpoint ---
  // The free pages of the committed state, as runs in ascending order: what is free now and what
  // waits. `held` are pages that running transactions took and that are free in that state.
  std::vector<PageRun> committed_free(std::span<const PageRun> held) const;
  // --- open ---
  void load(std::span<const PageRun> free);
  // The same, but the pages are in doubt: snapshots older than `before` may use them. They wait
  // under `pin`, which the caller keeps in the live set until such snapshots are known.
  void load_in_doubt(std::span<const PageRun> free, TxnNumber before, TxnNumber pin);

  // Takes free pages off the end when there are at least `least` of them: page_count shrinks. The
  // caller cuts the file once no state that is still needed has pages there (cut_file).
  void trim_end(PageNumber least);
  // Cuts the file to page_count, if there are more than `slack` pages behind it.
  Status cut_file(PageNumber slack);

  // True when no page is in two places and all numbers are in range.
  bool check_invariants() const;

 private:
  Status grow_to(PageNumber pages);
  Result<PageNumber> take_at_end(PageNumber pages, PageNumber alignment = 1);
  using Run = std::map<PageNumber, PageNumber>::iterator;
  PageNumber cut_run(Run run, PageNumber pages) noexcept;
  void cut_middle(Run run, PageRun out);
  std::optional<PageRun> find_aligned(PageNumber pages, PageNumber alignment) const;
  void change_run(Run run, PageRun to) noexcept;
  void erase_run(Run run) noexcept;
  void insert_run(PageRun run);
  void insert_free(PageRun run);
  void make_free(PageRun run) noexcept;
  void flush_recent();
  void list_strays() noexcept;
  void wait_under(TxnNumber pin, const Dead& page);
  void wait_unlisted(const Dead& page) noexcept;
  void release_unlisted(const LiveSet& live, std::vector<PageRun>& released) noexcept;
  void look_again(const LiveSet& live, std::vector<PageRun>& released) noexcept;
  void bury_one(const Dead& page, const LiveSet& live, std::vector<PageRun>& released) noexcept;

  mutable std::mutex mutex_;
  io::File& file_;
  std::uint32_t page_size_;
  Options options_;
  std::atomic<PageNumber> page_count_;                   // changed under mutex_
  PageNumber backed_;                                    // pages the file has space for
  std::vector<PageNumber> recent_;                       // single pages, last freed first out
  std::map<PageNumber, PageNumber> runs_;                // first -> pages, never adjacent
  std::set<std::pair<PageNumber, PageNumber>> by_size_;  // (pages, first) of runs_
  std::uint64_t free_pages_ = 0;
  std::uint64_t pinned_pages_ = 0;
  struct Bucket {
    std::vector<Dead> dead;
    std::uint64_t pages = 0;
  };
  std::map<TxnNumber, Bucket> waiting_;  // by the newest snapshot that pins
  PageSet strays_;                       // free, and in no list for want of memory
  PageSet unlisted_;                     // dead, the same: they wait for all snapshots before
  TxnNumber unlisted_before_ = 0;        // this
};

}  // namespace quire
