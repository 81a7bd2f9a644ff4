// One file of pages with transactions on it, for tests of arrays: commit, publication, snapshots
// and reuse of pages in the order that the engine has them.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/array/array.h"
#include "engine/base/checksum.h"
#include "engine/io/disk.h"
#include "engine/page/page_writer.h"

namespace quire {

class ArrayWorld {
 public:
  static constexpr std::uint64_t kReserveBytes = 256 << 20;

  explicit ArrayWorld(std::uint32_t page_size) : page_size_(page_size), pool_(page_size) {
    static int number = 0;
    path_ = testing::TempDir() + "quire_array_" + std::to_string(::getpid()) + "_" +
            std::to_string(number++);
    file_ = io::real_disk().open(path_, io::OpenMode::kCreate).value();
    io::real_disk().remove(path_).value();
    file_->allocate(0, std::uint64_t{kFirstPage} * page_size).value();
    map_ = PageMap::create(*file_, page_size, kReserveBytes / page_size).value();
    space_ = std::make_unique<FreeMap>(*file_, page_size, kFirstPage, kFirstPage,
                                       FreeMap::Options{.quota_bytes = kReserveBytes});
  }

  ~ArrayWorld() {
    for (PageNumber page = 0; page < space_->page_count(); ++page) drop_frame(page);
  }

  std::uint32_t page_size() const { return page_size_; }
  FreeMap& space() { return *space_; }
  const FramePool& pool() const { return pool_; }
  io::File& file() { return *file_; }

  PageReader reader() { return PageReader(map_.get(), &frames_, space_->page_count()); }
  // As another process reads: only what is in the file, nothing taken as verified.
  PageReader file_reader() {
    for (PageNumber page = 0; page < space_->page_count(); ++page) map_->forget(page);
    return PageReader(map_.get(), nullptr, space_->page_count());
  }

  std::unique_ptr<PageWriter> begin() {
    return std::make_unique<PageWriter>(
        reader(), map_.get(), frames_, pool_, *space_, *file_, ++txn_,
        [](std::uint64_t) -> Result<PageMap*> { return fail(ErrorCode::kFull, "end of the map"); });
  }

  // `live`: the snapshots to keep, ascending.
  void commit(PageWriter& writer, const LiveSet& live) {
    std::vector<PageRun> released;
    writer.prepare_commit();
    space_->bury(writer.commit(), live, released);
    reuse(released);
  }
  void sweep(const LiveSet& live) {
    std::vector<PageRun> released;
    space_->sweep(live, released);
    reuse(released);
  }

  // Writes all private pages of the array to the file, children first, and drops their frames.
  ArrayRoot publish(ArrayRoot array) {
    if (array.root)
      array.root.checksum = publish_page(array.root, array.height > 0,
                                         array.height == 0 ? array.first_block_pages : 1);
    return array;
  }

 private:
  void reuse(const std::vector<PageRun>& released) {
    for (const PageRun& run : released) drop_frame(run.first);
    space_->reuse(released);
  }
  void drop_frame(PageNumber page) {
    if (Frame* frame = frames_.erase(page); frame != nullptr) pool_.release(frame);
  }

  std::uint64_t publish_page(const PagePtr& ptr, bool table, PageNumber pages) {
    if (ptr.checksum != 0) return ptr.checksum;
    Frame* frame = frames_.find(ptr.page);
    if (frame == nullptr) {
      ADD_FAILURE() << "page " << ptr.page << " has neither frame nor checksum";
      return 0;
    }
    EXPECT_EQ(frame->pages, pages);
    const MutableBytes bytes(frame->data, std::size_t{pages} * page_size_);
    const auto publish_child = [&](const ArrayChildRef& child) -> Status {
      PagePtr below = load_ptr(child.at);
      below.checksum = publish_page(below, !child.block, child.pages);
      store_ptr(child.at, below);
      return {};
    };
    EXPECT_TRUE(!table || array_for_each_pointer(bytes, publish_child).has_value());
    file_->write(std::uint64_t{ptr.page} * page_size_, bytes).value();
    map_->forget(ptr.page);
    const std::uint64_t checksum = page_checksum(bytes);
    drop_frame(ptr.page);
    return checksum;
  }

  std::uint32_t page_size_;
  std::string path_;
  std::unique_ptr<io::File> file_;
  std::unique_ptr<PageMap> map_;
  FrameTable frames_;
  FramePool pool_;
  std::unique_ptr<FreeMap> space_;
  TxnNumber txn_ = 0;
};

// An array as one piece of memory.
struct ArrayModel {
  std::uint32_t element_size;
  ByteVector bytes;

  std::uint64_t size() const { return bytes.size() / element_size; }
  Bytes element(std::uint64_t i) const {
    return Bytes(bytes).subspan(i * element_size, element_size);
  }
  void set(std::uint64_t i, Bytes element) {
    if (i >= size()) bytes.resize((i + 1) * element_size);
    std::copy(element.begin(), element.end(),
              bytes.begin() + static_cast<std::ptrdiff_t>(i * element_size));
  }
  void truncate(std::uint64_t to) {
    if (to < size()) bytes.resize(to * element_size);
  }
};

inline void expect_view(PageReader reader, const ArrayRoot& array, const ArrayModel& model) {
  ASSERT_EQ(array.size, model.size());
  ArrayView view(reader, array);
  for (std::uint64_t i = 0; i < model.size();) {
    const ArrayView::Piece piece = view.piece(i);
    ASSERT_NE(piece.data, nullptr) << view.take_error().message();
    ASSERT_GT(piece.count, 0u);
    ASSERT_LE(i + piece.count, model.size());
    const Bytes found(piece.data, piece.count * model.element_size);
    const Bytes expected =
        Bytes(model.bytes).subspan(i * model.element_size, piece.count * model.element_size);
    ASSERT_TRUE(equal_bytes(found, expected)) << "elements from " << i;
    ASSERT_TRUE(equal_bytes({view.at(i), model.element_size}, model.element(i)));
    i += piece.count;
  }
}

// Checks the array and returns how many pages it has.
inline std::uint64_t expect_sound(PageReader reader, const ArrayRoot& array) {
  std::set<PageNumber> seen;
  const ArrayCheck check{.on_page = [&](PageNumber first, PageNumber pages) -> Status {
                           for (PageNumber i = 0; i < pages; ++i)
                             EXPECT_TRUE(seen.insert(first + i).second) << "page " << first + i;
                           return {};
                         },
                         .on_damage = {}};
  const Status status = array_check(reader, array, check);
  EXPECT_TRUE(status.has_value()) << status.error().message();
  return seen.size();
}

}  // namespace quire
