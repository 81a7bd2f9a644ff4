// What a transaction's pages come to: which numbers it takes, frees and gives back through
// savepoints, commits and aborts, against a model of their contents.
#include "engine/page/page_writer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "engine/base/checksum.h"
#include "engine/io/simulated_disk.h"
#include "engine/page/page_space.h"
#include "tests/must.h"

namespace quire {
namespace {

constexpr std::uint32_t kPageSize = 512;

using test::must;

// A set of pages with contents, each behind a pointer: what a structure is to its writer.
struct Block {
  PagePtr ptr;
  PageNumber pages = 1;
  std::uint64_t content = 0;
};
using Blocks = std::map<int, Block>;

class Pages {
 public:
  Pages() {
    file_ = must(disk_.open("/data", io::OpenMode::kCreate));
    must(file_->allocate(0, kFirstPage * kPageSize));
    space_ = std::make_unique<PageSpace>(*file_, kPageSize);
    free_map_ =
        std::make_unique<FreeMap>(*file_, kPageSize, kFirstPage, kFirstPage, FreeMap::Options{});
  }
  std::unique_ptr<PageWriter> begin() {
    PageMap* map = must(space_->ensure(free_map_->page_count()));
    return std::make_unique<PageWriter>(
        PageReader(map, &frames_, free_map_->page_count()), map, frames_, pool_, *free_map_, *file_,
        ++txn_, [this](std::uint64_t pages) { return space_->ensure(pages); });
  }
  // With no snapshot before it.
  void commit(PageWriter& writer) {
    writer.prepare_commit();
    const auto dead = writer.commit();
    std::vector<PageRun> released;
    free_map_->bury(dead, {txn_}, released);
    for (const PageRun& run : released) {
      if (Frame* frame = frames_.erase(run.first)) pool_.release(frame);
    }
    free_map_->reuse(released);
  }
  TxnNumber txn() const { return txn_; }
  FreeMap& free_map() { return *free_map_; }
  const FrameTable& frames() const { return frames_; }
  FramePool& pool() { return pool_; }

 private:
  io::SimulatedDisk disk_;
  std::unique_ptr<io::File> file_;
  std::unique_ptr<PageSpace> space_;
  FrameTable frames_;
  FramePool pool_{kPageSize};
  std::unique_ptr<FreeMap> free_map_;
  TxnNumber txn_ = 0;
};

void fill(std::byte* page, const Block& block) {
  for (std::size_t at = 0; at < block.pages * kPageSize; at += 8)
    store_le<std::uint64_t>(page + at, block.content + at);
}

class WriterRun {
 public:
  explicit WriterRun(std::uint64_t seed) : random_(seed) {}

  void run(int transactions) {
    for (int i = 0; i < transactions && !testing::Test::HasFailure(); ++i) {
      transaction();
      // All that is not in a block is free, and nothing private is left over.
      EXPECT_EQ(pages_.free_map().page_count() - kFirstPage,
                pages_.free_map().free_pages() + pages_of(blocks_));
      EXPECT_EQ(pages_.frames().size(), frames_of(blocks_));
      EXPECT_EQ(pages_.pool().used_bytes(), private_of(blocks_));
      EXPECT_TRUE(pages_.free_map().check_invariants());
    }
  }

 private:
  static std::uint64_t pages_of(const Blocks& blocks) {
    std::uint64_t pages = 0;
    for (const auto& [id, block] : blocks) pages += block.pages;
    return pages;
  }
  // Those in runs were written straight to the file.
  static std::uint64_t frames_of(const Blocks& blocks) {
    std::uint64_t frames = 0;
    for (const auto& [id, block] : blocks) frames += block.ptr.checksum == 0;
    return frames;
  }
  static std::uint64_t private_of(const Blocks& blocks) {
    std::uint64_t bytes = 0;
    for (const auto& [id, block] : blocks)
      if (block.ptr.checksum == 0) bytes += block.pages * kPageSize;
    return bytes;
  }

  void transaction() {
    writer_ = pages_.begin();
    const Blocks before = blocks_;
    savepoints_.clear();
    for (std::uint64_t n = random_() % 80; n > 0; --n) operation();
    compare();
    EXPECT_EQ(pages_.free_map().committed_free({}).empty() && writer_->held_count() == 0,
              writer_->committed_free().empty());
    if (random_() % 3 == 0) {
      writer_->abort();
      blocks_ = before;
    } else {
      pages_.commit(*writer_);
    }
    writer_.reset();
  }

  void operation() {
    const std::uint64_t what = random_() % 20;
    if (what < 5) return allocate();
    if (what < 12) return touch();
    if (what < 15) return free();
    if (what == 15) return random_() % 2 == 0 ? write_run() : write_piece();
    if (what < 18 || savepoints_.empty()) {
      const std::size_t mark = writer_->mark();
      EXPECT_EQ(mark, savepoints_.size());
      savepoints_.push_back(blocks_);
      return;
    }
    const std::size_t mark = random_() % savepoints_.size();
    if (what == 18) {
      writer_->rollback(mark);
      blocks_ = savepoints_[mark];
      savepoints_.resize(mark + 1);
    } else {
      writer_->release(mark);
      savepoints_.resize(mark);
    }
    compare();
  }

  void allocate() {
    Block block;
    block.pages = static_cast<PageNumber>(random_() % 4 == 0 ? 1 + random_() % 6 : 1);
    block.content = random_();
    std::byte* page = must(writer_->allocate(block.ptr, block.pages));
    EXPECT_EQ(page[random_() % (block.pages * kPageSize)], std::byte{0});
    EXPECT_TRUE(writer_->writable(block.ptr));
    fill(page, block);
    blocks_[next_++] = block;
  }
  void touch() {
    if (blocks_.empty()) return;
    Block& block = some_block();
    const bool writable = writer_->writable(block.ptr);
    const PagePtr old = block.ptr;
    std::byte* page = must(writer_->touch(block.ptr, block.pages));
    EXPECT_EQ(writable, block.ptr.page == old.page) << "copied without need, or not copied";
    EXPECT_EQ(block.ptr.birth, writer_->txn());
    expect_content(page, block);
    block.content = random_();
    fill(page, block);
  }
  void free() {
    if (blocks_.empty()) return;
    const auto at =
        std::next(blocks_.begin(), static_cast<std::ptrdiff_t>(random_() % blocks_.size()));
    writer_->free(at->second.ptr, at->second.pages);
    blocks_.erase(at);
  }
  void write_run() {
    Block block;
    block.pages = static_cast<PageNumber>(1 + random_() % 5);
    block.content = random_();
    std::vector<std::byte> bytes(block.pages * kPageSize);
    fill(bytes.data(), block);
    const std::size_t cut = random_() % bytes.size();
    const Bytes pieces[] = {Bytes(bytes).first(cut), Bytes(bytes).subspan(cut)};
    block.ptr = must(writer_->write_run(pieces));
    EXPECT_NE(block.ptr.checksum, 0u);
    blocks_[next_++] = block;
  }

  // Blocks of one size, each of which is changed and freed for itself.
  void write_piece() {
    const auto pages = static_cast<PageNumber>(1 + random_() % 3);
    const std::size_t count = 1 + random_() % 5;
    std::vector<Block> blocks(count);
    std::vector<std::byte> bytes(count * pages * kPageSize);
    for (std::size_t i = 0; i < count; ++i) {
      blocks[i].pages = pages;
      blocks[i].content = random_();
      fill(bytes.data() + i * pages * kPageSize, blocks[i]);
    }
    const PageNumber first = must(writer_->write_piece(bytes, pages));
    EXPECT_EQ(first % (count * pages), 0u);
    for (std::size_t i = 0; i < count; ++i) {
      const Bytes own = Bytes(bytes).subspan(i * pages * kPageSize, pages * kPageSize);
      blocks[i].ptr = {.checksum = page_checksum(own),
                       .count = 0,
                       .birth = writer_->txn(),
                       .page = first + static_cast<PageNumber>(i) * pages};
      blocks_[next_++] = blocks[i];
    }
  }

  Block& some_block() {
    return std::next(blocks_.begin(), static_cast<std::ptrdiff_t>(random_() % blocks_.size()))
        ->second;
  }
  static void expect_content(const std::byte* page, const Block& block) {
    for (std::size_t at = 0; at < block.pages * kPageSize; at += 8)
      ASSERT_EQ(load_le<std::uint64_t>(page + at), block.content + at) << "page " << block.ptr.page;
  }
  void compare() {
    for (const auto& [id, block] : blocks_) {
      const std::byte* page = writer_->fetch(block.ptr, block.pages);
      ASSERT_NE(page, nullptr) << writer_->reader().take_error().message();
      expect_content(page, block);
    }
  }

  std::mt19937_64 random_;
  Pages pages_;
  std::unique_ptr<PageWriter> writer_;
  Blocks blocks_;
  std::vector<Blocks> savepoints_;
  int next_ = 0;
};

TEST(PageWriter, RandomTransactionsLoseNoPageAndKeepTheContents) {
  for (std::uint64_t seed = 1; seed <= 30 && !HasFailure(); ++seed) WriterRun(seed).run(60);
}

TEST(PageWriter, PageOfItsOwnIsChangedInPlaceUntilASavepoint) {
  Pages pages;
  const auto writer = pages.begin();
  PagePtr ptr;
  must(writer->allocate(ptr));
  const PageNumber first = ptr.page;
  must(writer->touch(ptr));
  EXPECT_EQ(ptr.page, first);
  const PagePtr at_mark = ptr;
  const std::size_t mark = writer->mark();
  EXPECT_FALSE(writer->writable(ptr));
  must(writer->touch(ptr));
  EXPECT_NE(ptr.page, first);
  const PageNumber copy = ptr.page;
  must(writer->touch(ptr));
  EXPECT_EQ(ptr.page, copy);
  writer->rollback(mark);
  ASSERT_NE(writer->fetch(at_mark), nullptr);
  writer->abort();
  EXPECT_EQ(pages.free_map().free_pages(), pages.free_map().page_count() - kFirstPage);
}

TEST(PageWriter, AbortGivesEveryPageBack) {
  Pages pages;
  {
    const auto writer = pages.begin();
    PagePtr ptr;
    for (int i = 0; i < 50; ++i) must(writer->allocate(ptr, i % 5 == 0 ? 3 : 1));
    (void)writer->mark();
    for (int i = 0; i < 50; ++i) must(writer->allocate(ptr));
    writer->free(ptr);
  }  // the destructor aborts
  EXPECT_EQ(pages.frames().size(), 0u);
  EXPECT_EQ(pages.pool().used_bytes(), 0u);
  EXPECT_EQ(pages.free_map().free_pages(), pages.free_map().page_count() - kFirstPage);
}

// Memory of a large transaction was kept for ever.
TEST(FramePool, GivesBackSlabsThatNobodyUses) {
  FramePool pool(kPageSize);
  constexpr std::size_t kFrames = (16 << 20) / kPageSize;
  std::vector<Frame*> frames(kFrames);
  ASSERT_EQ(pool.acquire_some(frames), kFrames);
  const std::uint64_t held = pool.held_bytes();
  EXPECT_GE(held, 16u << 20);
  pool.trim(0);
  EXPECT_EQ(pool.held_bytes(), held);  // all is in use
  // One frame in the middle keeps its slab.
  Frame* const kept = frames[kFrames / 2];
  std::erase(frames, kept);
  std::memset(kept->data, 7, kPageSize);
  pool.release(frames);
  pool.trim(held);
  EXPECT_EQ(pool.held_bytes(), held);
  pool.trim(held / 2);
  EXPECT_LE(pool.held_bytes(), held / 2);
  pool.trim(0);
  EXPECT_LE(pool.held_bytes(), 4u << 20);
  EXPECT_EQ(kept->data[kPageSize - 1], std::byte{7});
  // What went is there again when it is needed, each frame once.
  frames.assign(kFrames, nullptr);
  ASSERT_EQ(pool.acquire_some(frames), kFrames);
  std::set<std::byte*> places = {kept->data};
  for (const Frame* frame : frames) EXPECT_TRUE(places.insert(frame->data).second);
  EXPECT_EQ(pool.used_bytes(), (kFrames + 1) * kPageSize);
  pool.release(frames);
  pool.release(kept);
  Frame* const block = pool.acquire_block(3);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(pool.used_bytes(), 3u * kPageSize);
  pool.release(block);
  EXPECT_EQ(pool.used_bytes(), 0u);
}

}  // namespace
}  // namespace quire
