// Pages for trees without an engine: one file, one writer, transactions one after the other.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <set>
#include <string>

#include "engine/base/checksum.h"
#include "engine/io/disk.h"
#include "engine/page/page_writer.h"
#include "engine/tree/tree_batch.h"
#include "tests/must.h"

namespace quire::test {

class TreeWorld {
 public:
  explicit TreeWorld(std::uint32_t page_size, std::uint64_t quota_bytes = 0)
      : page_size_(page_size), pool_(page_size) {
    const char* base = std::getenv("TMPDIR");
    path_ = std::string(base != nullptr ? base : "/tmp") + "/quire_tree_XXXXXX";
    const int descriptor = ::mkstemp(path_.data());
    EXPECT_GE(descriptor, 0);
    ::close(descriptor);
    file_ = must(io::real_disk().open(path_, io::OpenMode::kReadWrite));
    ::unlink(path_.c_str());
    must(file_->allocate(0, std::uint64_t{kFirstPage} * page_size));
    map_ = must(PageMap::create(*file_, page_size, kReserve));
    free_map_ = std::make_unique<FreeMap>(*file_, page_size, kFirstPage, kFirstPage,
                                          FreeMap::Options{quota_bytes});
    begin();
  }
  ~TreeWorld() { pages_.reset(); }

  PageWriter& pages() { return *pages_; }
  FreeMap& free_map() { return *free_map_; }
  std::uint32_t page_size() const { return page_size_; }
  TxnNumber txn() const { return txn_; }

  void begin() {
    ++txn_;
    pages_ = std::make_unique<PageWriter>(
        PageReader(map_.get(), &frames_, free_map_->page_count()), map_.get(), frames_, pool_,
        *free_map_, *file_, txn_, [](std::uint64_t) -> Result<PageMap*> {
          return fail(ErrorCode::kTooLarge, "the test's map is full");
        });
  }

  // Ends the transaction and begins the next. Nobody reads old states, so what it freed is free.
  void commit() {
    const auto dead = pages_->commit();
    std::vector<PageRun> released;
    free_map_->bury(dead, {}, released);
    for (const PageRun& run : released) {
      if (Frame* frame = frames_.erase(run.first); frame != nullptr) pool_.release(frame);
    }
    free_map_->reuse(released);
    begin();
  }
  void abort() {
    pages_->abort();
    begin();
  }

  // Writes all pages of a committed tree to the file, checksums from the leaves up, and drops their
  // frames: from then on they are read through the map, and verified.
  void publish(TreeRoot& tree) {
    if (tree.height != 0) publish_node(tree.root, 0, [](PageNumber) {});
  }
  // The same in the middle of a transaction, of nodes from `height` down only (1: leaves).
  void spill(TreeRoot& tree, int height) {
    if (tree.height != 0)
      publish_node(tree.root, tree.height - height,
                   [&](PageNumber page) { pages_->spilled(page); });
  }

  // A changed page with the checksum that its new content has; for hostile files.
  void overwrite(const PagePtr& ptr, Bytes content) {
    must(file_->write(std::uint64_t{ptr.page} * page_size_, content));
    map_->forget(ptr.page);
  }

  // All promises of the tree, and that its pages with the free ones are all pages. Only between
  // transactions (after commit), when no page is set aside.
  void check_all(const TreeRoot& tree) {
    EXPECT_TRUE(free_map_->check_invariants());
    const std::uint64_t used = check(tree);
    EXPECT_EQ(used + free_map_->free_pages(), free_map_->page_count() - kFirstPage);
  }

  // Checks the tree alone; returns how many pages it has.
  std::uint64_t check(const TreeRoot& tree) {
    std::uint64_t used = 0;
    std::set<PageNumber> seen;
    TreeCheck check;
    check.on_page = [&](PageNumber first, PageNumber pages) -> Status {
      used += pages;
      for (PageNumber i = 0; i < pages; ++i) {
        if (!seen.insert(first + i).second)
          return fail(ErrorCode::kCorrupt, "page %u: met twice", first + i);
      }
      return {};
    };
    const Status status = tree_check(pages_->reader(), tree, check);
    EXPECT_TRUE(status) << status.error().message();
    return used;
  }

 private:
  static constexpr std::uint64_t kReserve = 1 << 20;

  template <class Written>
  void publish_node(PagePtr& ptr, int levels_to_keep, const Written& written) {
    Frame* frame = frames_.find(ptr.page);
    if (frame == nullptr) return;  // in the file since before, and so is all below
    must(tree_for_each_pointer({frame->data, page_size_}, [&](const ChildRef& child) -> Status {
      if (child.kind == ChildRef::Kind::kOverflow) return {};
      PagePtr below = load_ptr(child.at);
      publish_node(below, levels_to_keep - 1, written);
      store_ptr(child.at, below);
      return {};
    }));
    if (levels_to_keep > 0) return;
    const Bytes page(frame->data, page_size_);
    ptr.checksum = page_checksum(page);
    must(file_->write(std::uint64_t{ptr.page} * page_size_, page));
    map_->forget(ptr.page);
    written(ptr.page);
    if (frames_.find(ptr.page) == nullptr) return;
    frames_.erase(ptr.page);
    pool_.release(frame);
  }

  std::uint32_t page_size_;
  std::string path_;
  std::unique_ptr<io::File> file_;
  std::unique_ptr<PageMap> map_;
  FrameTable frames_;
  FramePool pool_;
  std::unique_ptr<FreeMap> free_map_;
  TxnNumber txn_ = 0;
  std::unique_ptr<PageWriter> pages_;
};

}  // namespace quire::test
