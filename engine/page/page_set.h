// A set of page numbers whose memory is there before anything is put in: one bit a page.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/page/page_ptr.h"

namespace quire {

struct PageRun {
  PageNumber first = 0;
  PageNumber pages = 0;
  bool operator==(const PageRun&) const = default;
};

// Not thread-safe. Where lists of pages find no memory to grow, pages are kept here: a bit costs
// 1/32768 of a page of 4 KiB, so there can be one for every page of the file. Looking for a page is
// O(pages / 64); the set is empty but for moments.
class PageSet {
 public:
  // From then on every number below `pages` has its place. Throws std::bad_alloc; nothing changed.
  void make_room(PageNumber pages) {
    const std::size_t words = (std::size_t{pages} + 63) / 64;
    if (words <= words_.size()) [[likely]]
      return;
    if (words > words_.capacity()) words_.reserve(std::max(words, 2 * words_.capacity()));
    words_.resize(words);
  }

  // Of pages that are not in it.
  void add(const PageRun& run) noexcept {
    for (PageNumber i = 0; i < run.pages; ++i) word(run.first + i) |= bit(run.first + i);
    count_ += run.pages;
  }
  // Of pages that are in it.
  void remove(const PageRun& run) noexcept {
    for (PageNumber i = 0; i < run.pages; ++i) word(run.first + i) &= ~bit(run.first + i);
    count_ -= run.pages;
  }
  std::uint64_t count() const noexcept { return count_; }
  bool contains(PageNumber page) const noexcept {
    return page / 64 < words_.size() && (words_[page / 64] & bit(page)) != 0;
  }

  // The first run at or behind `from`, of at most `most` pages.
  std::optional<PageRun> run_from(PageNumber from, PageNumber most) const noexcept {
    if (count_ == 0) return std::nullopt;
    for (std::size_t i = from / 64; i < words_.size(); ++i) {
      std::uint64_t left = words_[i];
      if (i == from / 64) left &= ~std::uint64_t{0} << (from % 64);
      if (left == 0) continue;
      PageRun run{static_cast<PageNumber>(i * 64 + static_cast<unsigned>(std::countr_zero(left))),
                  1};
      while (run.pages < most && contains(run.first + run.pages)) ++run.pages;
      return run;
    }
    return std::nullopt;
  }

 private:
  static std::uint64_t bit(PageNumber page) noexcept { return std::uint64_t{1} << (page % 64); }
  std::uint64_t& word(PageNumber page) noexcept { return words_[page / 64]; }

  std::vector<std::uint64_t> words_;
  std::uint64_t count_ = 0;
};

}  // namespace quire
