// A file of pages in memory for trees and arrays: built once by the real writers, then changed by
// each input, read, written to and given up.
#pragma once

#include <memory>
#include <vector>

#include "engine/base/checksum.h"
#include "engine/page/page_writer.h"
#include "fuzz/fuzz.h"
#include "fuzz/memory_file.h"
#include "fuzz/must.h"

namespace quire::fuzz {

class PageWorld {
 public:
  static constexpr std::size_t kLargestFile = 512 << 10;

  explicit PageWorld(std::uint32_t page_size)
      : page_size_(page_size), file_(kLargestFile), pool_(page_size) {
    map_ = must(PageMap::create(file_, page_size, kLargestFile / page_size));
    load(ByteVector(std::size_t{kFirstPage} * page_size));
  }
  ~PageWorld() { give_up(); }

  std::uint32_t page_size() const noexcept { return page_size_; }
  MutableBytes bytes() noexcept { return file_.bytes(); }
  PageNumber page_count() noexcept {
    return static_cast<PageNumber>(file_.bytes().size() / page_size_);
  }
  MutableBytes page(PageNumber page, PageNumber pages = 1) noexcept {
    return file_.bytes().subspan(std::size_t{page} * page_size_, std::size_t{pages} * page_size_);
  }

  // Another file; nothing of it counts as verified.
  void load(Bytes content) {
    give_up();
    file_.assign(content);
    for (std::uint64_t page = 0; page < map_->reserved_pages(); ++page)
      map_->forget(static_cast<PageNumber>(page));
  }

  // As a process that does not write sees it.
  PageReader reader() noexcept { return {map_.get(), nullptr, page_count()}; }

  // The transaction, begun where there is none. All pages of the file are in use.
  PageWriter& writer(TxnNumber txn) {
    if (writer_) return *writer_;
    free_map_ = std::make_unique<FreeMap>(file_, page_size_, page_count(), page_count(),
                                          FreeMap::Options{});
    writer_ = std::make_unique<PageWriter>(PageReader(map_.get(), &frames_, page_count()),
                                           map_.get(), frames_, pool_, *free_map_, file_, txn,
                                           [](std::uint64_t) -> Result<PageMap*> {
                                             return fail(ErrorCode::kTooLarge, "the map is full");
                                           });
    return *writer_;
  }
  const Frame* frame(PageNumber page) const noexcept { return frames_.find(page); }
  // Writes the page's frame to the file and returns its checksum. Its pointers must be right.
  std::uint64_t put_down(const Frame& frame) {
    const Bytes bytes(frame.data, std::size_t{frame.pages} * page_size_);
    must(file_.write(std::uint64_t{frame.page} * page_size_, bytes));
    map_->forget(frame.page);
    return page_checksum(bytes);
  }

  // Ends the transaction as a commit does, and makes what it freed free. That lies in the file; but
  // only of what was sound before (`good`) is it sure that nothing is freed twice.
  void commit(bool good) {
    if (!writer_) return;
    const PageNumber end = free_map_->page_count();
    writer_->prepare_commit();
    const std::vector<FreeMap::Dead> dead = writer_->commit();
    for (const FreeMap::Dead& each : dead) {
      demand(each.run.first >= kFirstPage && each.run.pages != 0 &&
                 std::uint64_t{each.run.first} + each.run.pages <= end,
             "a page outside the file was freed");
    }
    std::vector<PageRun> released;
    free_map_->bury(dead, {}, released);
    free_map_->reuse(released);
    if (good) demand(free_map_->check_invariants(), "the free map's invariants do not hold");
    drop();
  }
  void give_up() {
    if (!writer_) return;
    writer_->abort();
    demand(free_map_->check_invariants(), "the free map's invariants do not hold after an abort");
    drop();
    demand(pool_.used_bytes() == 0, "frames are left after the transaction");
  }

 private:
  void drop() {
    // Frames of a committed transaction stay in the table for their readers; here there are none.
    const PageNumber end = free_map_->page_count();
    for (PageNumber page = 0; page < end; ++page)
      if (Frame* frame = frames_.erase(page); frame != nullptr) pool_.release(frame);
    writer_.reset();
    free_map_.reset();
  }

  const std::uint32_t page_size_;
  MemoryFile file_;
  std::unique_ptr<PageMap> map_;
  FrameTable frames_;
  FramePool pool_;
  std::unique_ptr<FreeMap> free_map_;
  std::unique_ptr<PageWriter> writer_;
};

}  // namespace quire::fuzz
