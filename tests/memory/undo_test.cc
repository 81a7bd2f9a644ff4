// What gives back and what undoes needs no memory: bugs that ended the process, lost pages or left
// something locked.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>

#include "engine/io/simulated_disk.h"
#include "engine/page/frame_table.h"
#include "engine/page/free_map.h"
#include "failing_memory.h"

namespace quire::test {
namespace {

constexpr std::uint32_t kPageSize = 512;

// All demands are refused while it lives.
class NoMemory {
 public:
  NoMemory() { memory::fail_at(1, memory::Fault::kFromOn); }
  ~NoMemory() { memory::fail_at(0, memory::Fault::kOnce); }
  NoMemory(const NoMemory&) = delete;
  NoMemory& operator=(const NoMemory&) = delete;

 private:
  memory::Step step_;
  memory::Call call_{"undo"};
};

class Undo : public ::testing::Test {
 protected:
  Undo() {
    file_ = std::move(*disk_.open("/data", io::OpenMode::kCreate));
    map_ = std::make_unique<FreeMap>(*file_, kPageSize, kFirstPage, kFirstPage, FreeMap::Options{});
  }
  std::vector<PageRun> take(int runs, PageNumber pages) {
    std::vector<PageRun> taken;
    for (int i = 0; i < runs; ++i) taken.push_back({map_->take(pages).value(), pages});
    return taken;
  }

  io::SimulatedDisk disk_;
  std::unique_ptr<io::File> file_;
  std::unique_ptr<FreeMap> map_;
};

// It was noexcept up to PageWriter::abort, and pushed to vectors, a map and a set.
TEST_F(Undo, GivingPagesBackWithoutMemoryEndedTheProcess) {
  const auto single = take(300, 1);
  const auto several = take(40, 3);
  const PageNumber end = map_->page_count();
  {
    const NoMemory none;
    map_->give_back(several);
    map_->give_back(single);
  }
  EXPECT_TRUE(map_->check_invariants());
  EXPECT_EQ(map_->free_pages(), 300u + 120u);
  EXPECT_EQ(map_->committed_free({}), (std::vector<PageRun>{{kFirstPage, 420}}));
  // When there is memory again all is used again, and nothing twice.
  std::map<PageNumber, bool> seen;
  for (int i = 0; i < 420; ++i) EXPECT_TRUE(seen.emplace(map_->take(1).value(), true).second);
  EXPECT_EQ(map_->page_count(), end);
  EXPECT_EQ(map_->free_pages(), 0u);
}

// What waits for snapshots was put into vectors by bucket, under the hook of the log's leader.
TEST_F(Undo, PagesThatWaitForAReaderWereLostWithoutMemory) {
  std::vector<FreeMap::Dead> dead;
  for (const PageRun& run : take(100, 1)) dead.push_back({run, 5, 9});
  for (const PageRun& run : take(10, 4)) dead.push_back({run, 5, 9});
  std::vector<PageRun> released;
  {
    const LiveSet live = {7, 12};
    const NoMemory none;
    map_->bury(dead, live, released);
  }
  EXPECT_TRUE(released.empty());
  EXPECT_TRUE(map_->check_invariants());
  EXPECT_EQ(map_->pinned_pages(), 140u);
  EXPECT_EQ(map_->pinned_at(7), 140u);
  // Its reader has gone, but for a while there is no memory to list what that sets free.
  {
    const LiveSet live = {12};
    const NoMemory none;
    map_->sweep(live, released);
  }
  EXPECT_TRUE(map_->check_invariants());
  map_->sweep({12}, released);
  EXPECT_EQ(map_->pinned_pages(), 0u);
  map_->reuse(released);
  EXPECT_EQ(map_->free_pages(), 140u);
  EXPECT_TRUE(map_->check_invariants());
}

// Where the readers can't be looked at, nothing is given to anybody.
TEST_F(Undo, PagesWhoseReadersWereNotSeenWait) {
  std::vector<FreeMap::Dead> dead;
  for (const PageRun& run : take(50, 1)) dead.push_back({run, 20, 30});
  map_->bury_unseen(dead);
  std::vector<PageRun> released;
  map_->sweep({25, 40}, released);
  EXPECT_TRUE(released.empty());
  map_->sweep({3, 40}, released);  // older than they are: it can't be told any more
  EXPECT_TRUE(released.empty());
  map_->sweep({40}, released);
  EXPECT_EQ(released.size(), 50u);
}

// Cutting a run took a node from the heap; the page was gone when there was none.
TEST_F(Undo, TakingFromARunNeedsNoMemory) {
  map_->give_back(take(1, 64));
  {
    const NoMemory none;
    for (int i = 0; i < 63; ++i) EXPECT_TRUE(map_->take(1).has_value());
  }
  EXPECT_TRUE(map_->check_invariants());
  EXPECT_EQ(map_->free_pages(), 1u);
}

// Random pages come and go while memory comes and goes.
TEST_F(Undo, NothingIsLostOverManyRounds) {
  std::mt19937 random(7);
  std::vector<PageRun> held;
  for (int round = 0; round < 3000; ++round) {
    const auto pages = static_cast<PageNumber>(1 + random() % 3);
    const bool none = random() % 3 == 0;
    memory::fail_at(none ? 1 : 0, memory::Fault::kFromOn);
    {
      const memory::Step step;
      const memory::Call call("round");
      if (held.size() < 200 && random() % 2 == 0) {
        const auto taken = catch_out_of_memory([&] { return map_->take(pages); });
        memory::fail_at(0, memory::Fault::kOnce);
        if (taken) held.push_back({*taken, pages});
      } else if (!held.empty()) {
        std::swap(held[random() % held.size()], held.back());
        map_->give_back(held.back());
        held.pop_back();
      }
    }
    memory::fail_at(0, memory::Fault::kOnce);
    ASSERT_TRUE(map_->check_invariants()) << round;
    std::uint64_t pages_held = 0;
    for (const PageRun& run : held) pages_held += run.pages;
    ASSERT_EQ(map_->free_pages() + pages_held, map_->page_count() - kFirstPage) << round;
  }
}

// std::filesystem's iterator is noexcept there and allocates: every checkpoint lists the log.
TEST(Listing, OfADirectoryWithoutMemoryEndedTheProcess) {
  io::Disk& disk = io::real_disk();
  const Result<std::vector<std::string>> all = disk.list("/proc/self");
  ASSERT_TRUE(all.has_value());
  for (std::uint64_t n = 1; n < 20; ++n) {
    memory::fail_at(n, memory::Fault::kFromOn);
    Result<std::vector<std::string>> found = std::vector<std::string>();
    {
      const memory::Step step;
      const memory::Call call("list");
      found = catch_out_of_memory([&] { return disk.list("/proc/self"); });
    }
    if (memory::refused() == 0) break;
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().code(), ErrorCode::kNoMemory);
  }
}

// The sentence needed memory, so what failed for want of it threw once more on the way to its
// caller, past whoever had to let go of the leader's role.
TEST(Errors, AreMadeAndCopiedWithoutMemory) {
  const NoMemory none;
  const Error error = fail(ErrorCode::kNoMemory, "a sentence of %d letters and more", 26).error();
  const Error copy = error.with_context("a context that is long enough to need memory");
  EXPECT_EQ(copy.code(), ErrorCode::kNoMemory);
  EXPECT_EQ(copy.message(), "no_memory");
}

TEST(Frames, WhereMemoryEndsThereIsNoneAndNothingIsCounted) {
  FramePool pool(kPageSize);
  FrameTable table;
  std::array<Frame*, 300> frames{};
  for (std::uint64_t n = 1;; ++n) {
    std::size_t taken = 0;
    Frame* block = nullptr;
    {
      memory::fail_at(n, memory::Fault::kFromOn);
      const memory::Step step;
      const memory::Call call("frames");
      taken = pool.acquire_some(frames);
      block = pool.acquire_block(2);
    }
    memory::fail_at(0, memory::Fault::kOnce);
    EXPECT_EQ(pool.used_bytes(), (taken + (block != nullptr ? 2 : 0)) * kPageSize);
    const bool all = taken == frames.size() && block != nullptr;
    if (block != nullptr) pool.release(block);
    pool.release(std::span(frames).first(taken));
    EXPECT_EQ(pool.used_bytes(), 0u);
    if (all) break;
  }
  ASSERT_EQ(pool.acquire_some({frames.data(), 1}), 1u);
  frames[0]->page = 5;
  {
    const NoMemory none;
    EXPECT_FALSE(table.insert(frames[0]));
  }
  EXPECT_EQ(table.find(5), nullptr);
  EXPECT_TRUE(table.insert(frames[0]));
  EXPECT_EQ(table.erase(5), frames[0]);
  pool.release(frames[0]);
}

}  // namespace
}  // namespace quire::test
