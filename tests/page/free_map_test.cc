// The free map against a naive one that keeps a word for each page.
#include "engine/page/free_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>

#include "engine/io/simulated_disk.h"
#include "tests/must.h"

namespace quire {
namespace {

constexpr std::uint32_t kMapPageSize = 512;

using test::must;

// What each page is, and since when. A page that waits is free as soon as no live snapshot lies in
// [birth, death).
class NaiveMap {
 public:
  enum class Is { kFree, kUsed, kDead };
  struct Page {
    Is is = Is::kFree;
    TxnNumber birth = 0;
    TxnNumber death = 0;
  };

  void take(PageNumber first, PageNumber pages, TxnNumber birth) {
    if (first + pages > pages_.size()) pages_.resize(first + pages);
    for (PageNumber page = first; page < first + pages; ++page) {
      EXPECT_EQ(pages_[page].is, Is::kFree) << "page " << page << " is given twice";
      pages_[page] = {Is::kUsed, birth, 0};
    }
  }
  void give_back(const PageRun& run) {
    for (PageNumber page = run.first; page < run.first + run.pages; ++page) pages_[page] = {};
  }
  void bury(const FreeMap::Dead& dead) {
    for (PageNumber page = dead.run.first; page < dead.run.first + dead.run.pages; ++page)
      pages_[page] = {Is::kDead, dead.birth, dead.death};
  }
  static bool pinned(const Page& page, const LiveSet& live) {
    return std::ranges::any_of(live,
                               [&](TxnNumber at) { return page.birth <= at && at < page.death; });
  }
  // Of the dead pages none is kept that nobody pins, and none is let go that somebody does.
  void release(const std::vector<PageRun>& released, const LiveSet& live) {
    for (const PageRun& run : released) {
      for (PageNumber page = run.first; page < run.first + run.pages; ++page) {
        EXPECT_EQ(pages_[page].is, Is::kDead) << "page " << page;
        EXPECT_FALSE(pinned(pages_[page], live)) << "page " << page << " is let go too early";
        pages_[page] = {};
      }
    }
    for (PageNumber page = kFirstPage; page < pages_.size(); ++page) {
      if (pages_[page].is == Is::kDead) {
        EXPECT_TRUE(pinned(pages_[page], live)) << "page " << page << " waits for nobody";
      }
    }
  }
  std::uint64_t count(Is is) const {
    std::uint64_t found = 0;
    for (PageNumber page = kFirstPage; page < pages_.size(); ++page) found += pages_[page].is == is;
    return found;
  }
  std::uint64_t pinned_at(TxnNumber snapshot) const {
    return static_cast<std::uint64_t>(std::ranges::count_if(pages_, [&](const Page& page) {
      return page.is == Is::kDead && page.birth <= snapshot && snapshot < page.death;
    }));
  }
  // Pages that are not in use, as runs.
  std::vector<PageRun> unused() const {
    std::vector<PageRun> runs;
    for (PageNumber page = kFirstPage; page < pages_.size(); ++page) {
      if (pages_[page].is == Is::kUsed) continue;
      if (!runs.empty() && runs.back().first + runs.back().pages == page) {
        ++runs.back().pages;
      } else {
        runs.push_back({page, 1});
      }
    }
    return runs;
  }
  void cut(PageNumber page_count) {
    for (PageNumber page = page_count; page < pages_.size(); ++page)
      EXPECT_EQ(pages_[page].is, Is::kFree) << "page " << page << " is cut off";
    pages_.resize(page_count);
  }

 private:
  std::vector<Page> pages_ = std::vector<Page>(kFirstPage);
};

class FreeMapRun {
 public:
  explicit FreeMapRun(std::uint64_t seed) : random_(seed) {
    file_ = must(disk_.open("/data", io::OpenMode::kCreate));
    must(file_->allocate(0, kFirstPage * kMapPageSize));
    map_ =
        std::make_unique<FreeMap>(*file_, kMapPageSize, kFirstPage, kFirstPage, FreeMap::Options{});
  }

  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      step();
      check();
    }
  }

 private:
  struct Used {
    PageRun run;
    TxnNumber birth;
  };

  void step() {
    const std::uint64_t what = random_() % 16;
    if (what < 6) return take();
    if (what < 7) return give_back();
    if (what < 12) return commit();
    if (what < 14) return change_snapshots();
    if (what == 14) return trim();
    if (random_() % 8 == 0) reopen();
  }

  void take() {
    for (std::uint64_t n = 1 + random_() % 20; n > 0; --n) {
      const auto pages = static_cast<PageNumber>(random_() % 3 != 0 ? 1 : 1 + random_() % 30);
      const auto alignment = static_cast<PageNumber>(random_() % 4 == 0 ? 2 + random_() % 16 : 1);
      const PageNumber first =
          must(alignment == 1 ? map_->take(pages) : map_->take_aligned(pages, alignment));
      EXPECT_EQ(first % alignment, 0u);
      naive_.take(first, pages, txn_);
      used_.push_back({{first, pages}, txn_});
    }
  }
  Used pop_used() {
    std::swap(used_[random_() % used_.size()], used_.back());
    const Used used = used_.back();
    used_.pop_back();
    return used;
  }
  void give_back() {
    if (used_.empty()) return;
    const Used used = pop_used();
    map_->give_back(used.run);
    naive_.give_back(used.run);
  }

  // A transaction frees some pages; then the snapshots are looked at.
  void commit() {
    std::vector<FreeMap::Dead> dead;
    for (std::uint64_t n = random_() % 12; n > 0 && !used_.empty(); --n) {
      const Used used = pop_used();
      if (used.birth == txn_) {
        used_.push_back(used);
        continue;
      }
      dead.push_back({used.run, used.birth, txn_});
      naive_.bury(dead.back());
    }
    newest_ = txn_++;
    std::vector<PageRun> released;
    const LiveSet live = live_now();
    map_->bury(dead, live, released);
    map_->sweep(live, released);
    naive_.release(released, live);
    map_->reuse(released);
  }
  void change_snapshots() {
    if (random_() % 2 == 0) {
      snapshots_.insert(newest_);
    } else if (!snapshots_.empty()) {
      snapshots_.erase(std::next(snapshots_.begin(),
                                 static_cast<std::ptrdiff_t>(random_() % snapshots_.size())));
    }
    std::vector<PageRun> released;
    const LiveSet live = live_now();
    map_->sweep(live, released);
    naive_.release(released, live);
    map_->reuse(released);
  }
  LiveSet live_now() const {
    LiveSet live(snapshots_.begin(), snapshots_.end());
    live.push_back(newest_);
    live.erase(std::ranges::unique(live).begin(), live.end());
    return live;
  }

  void trim() {
    map_->trim_end(static_cast<PageNumber>(random_() % 40));
    naive_.cut(map_->page_count());
    const auto slack = static_cast<PageNumber>(random_() % 40);
    must(map_->cut_file(slack));
    const std::uint64_t size = must(file_->size());
    EXPECT_GE(size, std::uint64_t{map_->page_count()} * kMapPageSize);
    EXPECT_LE(size, std::uint64_t{map_->page_count() + slack} * kMapPageSize);
  }

  // From what a checkpoint keeps: no snapshot is left, or old ones are in doubt.
  void reopen() {
    const auto free = map_->committed_free({});
    const PageNumber count = map_->page_count();
    const auto backed = static_cast<PageNumber>(must(file_->size()) / kMapPageSize);
    map_ = std::make_unique<FreeMap>(*file_, kMapPageSize, count, backed, FreeMap::Options{});
    if (random_() % 2 == 0) {
      snapshots_.clear();
      map_->load(free);
      for (const PageRun& run : free) naive_.give_back(run);
      return;
    }
    newest_ = txn_++;
    map_->load_in_doubt(free, txn_, newest_);
    for (const PageRun& run : free) naive_.bury({run, 0, txn_});
    // The pages are in doubt until the state of the opening has been left behind.
    newest_ = txn_++;
  }

  void check() {
    EXPECT_TRUE(map_->check_invariants());
    EXPECT_EQ(map_->free_pages(), naive_.count(NaiveMap::Is::kFree));
    EXPECT_EQ(map_->pinned_pages(), naive_.count(NaiveMap::Is::kDead));
    EXPECT_EQ(map_->committed_free({}), naive_.unused());
    if (snapshots_.empty()) return;
    const TxnNumber oldest = *snapshots_.begin();
    EXPECT_EQ(map_->pinned_at(oldest), naive_.pinned_at(oldest));
  }

  std::mt19937_64 random_;
  io::SimulatedDisk disk_;
  std::unique_ptr<io::File> file_;
  std::unique_ptr<FreeMap> map_;
  NaiveMap naive_;
  std::vector<Used> used_;
  std::set<TxnNumber> snapshots_;
  TxnNumber txn_ = 2;     // running
  TxnNumber newest_ = 1;  // committed
};

TEST(FreeMap, RandomUseIsThatOfANaiveMap) {
  for (std::uint64_t seed = 1; seed <= 40 && !HasFailure(); ++seed) FreeMapRun(seed).run(400);
}

TEST(FreeMap, SnapshotPinsWhatItSeesAndNothingElse) {
  EXPECT_EQ(pinned_by({5}, 3, 7), 5u);
  EXPECT_EQ(pinned_by({3}, 3, 7), 3u);
  EXPECT_EQ(pinned_by({3, 4, 6}, 3, 7), 6u);
  EXPECT_EQ(pinned_by({7}, 3, 7), std::nullopt);
  EXPECT_EQ(pinned_by({2, 8}, 3, 7), std::nullopt);
  EXPECT_EQ(pinned_by({}, 3, 7), std::nullopt);
}

class FreeMapSpace : public testing::Test {
 protected:
  FreeMapSpace() {
    file_ = must(disk_.open("/data", io::OpenMode::kCreate));
    must(file_->allocate(0, kFirstPage * kMapPageSize));
  }
  FreeMap map(std::uint64_t quota_bytes = 0) {
    return {*file_, kMapPageSize, kFirstPage, kFirstPage, {.quota_bytes = quota_bytes}};
  }
  // Takes single pages until it fails.
  static std::pair<PageNumber, ErrorCode> fill(FreeMap& map) {
    for (PageNumber taken = 0;; ++taken) {
      if (auto page = map.take(1); !page) return {taken, page.error().code()};
    }
  }
  io::SimulatedDisk disk_;
  std::unique_ptr<io::File> file_;
};

TEST_F(FreeMapSpace, PagesThatAreHandedOutHaveSpaceOnTheDevice) {
  FreeMap map = this->map();
  for (int i = 0; i < 3000; ++i) {
    const PageNumber page = must(map.take(1));
    ASSERT_GE(must(file_->size()), (std::uint64_t{page} + 1) * kMapPageSize);
    ASSERT_GE(disk_.used_bytes() + 4096, (std::uint64_t{page} + 1) * kMapPageSize);
  }
}

TEST_F(FreeMapSpace, FullDeviceIsUsedToItsEndAndTheMapGoesOn) {
  FreeMap map = this->map();
  disk_.set_capacity(disk_.used_bytes() + 100 * 4096);
  const auto [taken, code] = fill(map);
  EXPECT_EQ(code, ErrorCode::kFull);
  EXPECT_GE(taken, 100 * 8u);
  EXPECT_TRUE(map.check_invariants());
  EXPECT_FALSE(map.take(5));
  map.give_back({kFirstPage, 5});
  EXPECT_EQ(must(map.take(5)), kFirstPage);
  disk_.set_capacity(UINT64_MAX);
  EXPECT_EQ(must(map.take(1)), kFirstPage + taken);
}

TEST_F(FreeMapSpace, QuotaIsKeptToThePage) {
  constexpr std::uint64_t kQuota = 333 * kMapPageSize + 100;
  FreeMap map = this->map(kQuota);
  const auto [taken, code] = fill(map);
  EXPECT_EQ(code, ErrorCode::kQuota);
  EXPECT_EQ(taken, 333 - kFirstPage);
  EXPECT_LE(must(file_->size()), kQuota);
}

TEST_F(FreeMapSpace, LastFreedIsTakenFirst) {
  FreeMap map = this->map();
  for (int i = 0; i < 10; ++i) must(map.take(1));
  map.give_back({4, 1});
  map.give_back({9, 1});
  map.give_back({6, 1});
  EXPECT_EQ(must(map.take(1)), 6u);
  EXPECT_EQ(must(map.take(1)), 9u);
  EXPECT_EQ(must(map.take(1)), 4u);
}

TEST_F(FreeMapSpace, RunsGoWhereTheyFitMostTightly) {
  FreeMap map = this->map();
  EXPECT_EQ(must(map.take(100)), kFirstPage);
  map.give_back({10, 8});
  map.give_back({30, 3});
  map.give_back({50, 5});
  EXPECT_EQ(must(map.take(3)), 30u);
  EXPECT_EQ(must(map.take(4)), 50u);
  EXPECT_EQ(must(map.take(8)), 10u);
  // Single pages that lie side by side make a run as well.
  map.give_back({70, 1});
  map.give_back({72, 1});
  map.give_back({71, 1});
  EXPECT_EQ(must(map.take(3)), 70u);
}

}  // namespace
}  // namespace quire
