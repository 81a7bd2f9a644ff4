#include "engine/page/page_writer.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include <boost/container/small_vector.hpp>

#include "engine/base/checksum.h"

namespace quire {
PageWriter::PageWriter(PageReader reader, PageMap* map, FrameTable& frames, FramePool& pool,
                       FreeMap& free_map, io::File& file, TxnNumber txn, Remap remap)
    : reader_(reader),
      map_(map),
      frames_(frames),
      pool_(pool),
      free_map_(free_map),
      file_(file),
      remap_(std::move(remap)),
      txn_(txn) {}

PageWriter::~PageWriter() {
  if (!ended_) abort();
}

// Whether nobody but this transaction, as it is now, needs the page.
bool PageWriter::mine(const PagePtr& ptr) const noexcept {
  if (ptr.birth != txn_) return false;
  if (marks_.empty()) return true;
  const Frame* frame = frames_.find(ptr.page);
  return frame != nullptr && frame->epoch == epoch_;
}

bool PageWriter::writable(const PagePtr& ptr) const noexcept {
  if (ptr.birth != txn_) return false;
  const Frame* frame = frames_.find(ptr.page);
  return frame != nullptr && (marks_.empty() || frame->epoch == epoch_);
}

Result<PageNumber> PageWriter::take_number(PageNumber pages) {
  for (std::size_t i = loose_.size(); i > 0; --i) {
    if (loose_[i - 1].pages != pages) continue;
    const PageNumber page = loose_[i - 1].first;
    loose_.erase(loose_.begin() + static_cast<std::ptrdiff_t>(i - 1));
    return page;
  }
  const std::size_t before = allocated_.size();
  QUIRE_TRY(const PageRun run, take_from_map(pages));
  QUIRE_CHECK(note_taken(before));
  return run.first;
}

// What allocated_ has from `before` on is to be read and written.
Status PageWriter::note_taken(std::size_t before) {
  std::uint64_t end = 0;
  for (std::size_t i = before; i < allocated_.size(); ++i)
    end = std::max(end, std::uint64_t{allocated_[i].first} + allocated_[i].pages);
  if (end > reader_.page_count()) reader_.set_page_count(static_cast<PageNumber>(end));
  if (end > map_->reserved_pages()) {
    QUIRE_TRY(map_, remap_(end));
    reader_ = PageReader(map_, &frames_, reader_.page_count());
  }
  for (std::size_t i = before; i < allocated_.size(); ++i) {
    for (PageNumber page = 0; page < allocated_[i].pages; ++page)
      map_->forget(allocated_[i].first + page);
  }
  return {};
}

// Takes and notes in one step, so that a checkpoint that copies the free map sees both or neither.
// Of single pages, the first time, as many as transactions usually need: the others become loose.
Result<PageRun> PageWriter::take_from_map(PageNumber pages) {
  const std::scoped_lock lock(held_mutex_);
  const std::size_t count = pages == 1 && allocated_.empty() ? usual_ : 1;
  if (allocated_.capacity() - allocated_.size() < count)  // before anything is taken: it may throw
    allocated_.reserve(std::max<std::size_t>(16, 2 * allocated_.capacity()));
  if (count == 1) {
    QUIRE_TRY(const PageNumber page, free_map_.take(pages));
    allocated_.push_back({page, pages});
    return allocated_.back();
  }
  if (loose_.capacity() - loose_.size() < count) loose_.reserve(loose_.size() + count);
  PageNumber several[kUsualMax];
  QUIRE_TRY(const std::size_t taken, free_map_.take_some({several, count}));
  for (std::size_t i = 0; i < taken; ++i) allocated_.push_back({several[i], 1});
  for (std::size_t i = taken; i-- > 1;) loose_.push_back({several[i], 1});
  return PageRun{several[0], 1};
}

// Never of loose_, where runs are freed as they were taken.
Result<PageNumber> PageWriter::take_piece(PageNumber pages, PageNumber block_pages) {
  const std::scoped_lock lock(held_mutex_);
  const std::size_t count = pages / block_pages;
  if (allocated_.capacity() - allocated_.size() < count)
    allocated_.reserve(std::max(allocated_.size() + count, 2 * allocated_.capacity()));
  QUIRE_TRY(const PageNumber first, free_map_.take_aligned(pages, pages));
  for (PageNumber page = 0; page < pages; page += block_pages)
    allocated_.push_back({first + page, block_pages});
  return first;
}

Frame* PageWriter::take_frame(PageNumber pages) noexcept {
  if (pages != 1) return pool_.acquire_block(pages);
  if (ready_count_ == 0) {
    const std::size_t count = private_bytes_ == 0 ? usual_ : 1;
    ready_count_ = pool_.acquire_some({ready_.data(), count});
    std::reverse(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(ready_count_));
  }
  return ready_count_ == 0 ? nullptr : ready_[--ready_count_];
}

void PageWriter::give_ready_back() noexcept {
  pool_.release({ready_.data(), ready_count_});
  ready_count_ = 0;
}

Result<Frame*> PageWriter::new_frame(PageNumber pages) {
  // The number first: it is given back with the transaction, whatever happens from here on.
  QUIRE_TRY(const PageNumber page, take_number(pages));
  Frame* frame = take_frame(pages);
  if (frame == nullptr) {
    loose_.push_back({page, pages});
    return fail(ErrorCode::kNoMemory, "out of memory for %u private pages of transaction %llu",
                pages, static_cast<unsigned long long>(txn_));
  }
  frame->page = page;
  frame->birth = txn_;
  frame->epoch = epoch_;
  if (!frames_.insert(frame)) {
    pool_.release(frame);
    loose_.push_back({page, pages});
    return fail(ErrorCode::kNoMemory, "out of memory for the table of private pages");
  }
  private_bytes_ += static_cast<std::uint64_t>(pages) * page_size();
  return frame;
}

Result<std::byte*> PageWriter::touch(PagePtr& ptr, PageNumber pages) {
  if (ptr.birth == txn_) {
    Frame* frame = frames_.find(ptr.page);
    if (frame != nullptr && (marks_.empty() || frame->epoch == epoch_)) {
      ptr.checksum = 0;
      return frame->data;
    }
  }
  const std::byte* old = fetch(ptr, pages);
  if (old == nullptr) return reader_.failure();
  return touch_fetched(ptr, old, pages);
}

Result<std::byte*> PageWriter::touch_fetched(PagePtr& ptr, const std::byte* old, PageNumber pages) {
  QUIRE_TRY(Frame * frame, new_frame(pages));
  std::memcpy(frame->data, old, static_cast<std::size_t>(pages) * page_size());
  free(ptr, pages);
  ptr.page = frame->page;
  ptr.birth = txn_;
  ptr.checksum = 0;
  return frame->data;
}

Result<std::byte*> PageWriter::allocate(PagePtr& ptr, PageNumber pages) {
  QUIRE_TRY(Frame * frame, new_frame(pages));
  std::memset(frame->data, 0, static_cast<std::size_t>(pages) * page_size());
  ptr = {.checksum = 0, .count = 0, .birth = txn_, .page = frame->page};
  return frame->data;
}

void PageWriter::free(const PagePtr& ptr, PageNumber pages) {
  assert(ptr.page >= kFirstPage);
  if (mine(ptr)) {
    drop_frame(ptr.page);
    loose_.push_back({ptr.page, pages});
  } else {
    freed_.push_back({{ptr.page, pages}, ptr.birth, txn_});
  }
}

Result<PagePtr> PageWriter::write_run(std::span<const Bytes> pieces) {
  std::uint64_t bytes = 0;
  for (const Bytes piece : pieces) bytes += piece.size();
  const PageNumber pages = run_pages(bytes, page_size());
  static constexpr std::byte kZeros[kMaxPageSize] = {};
  const Bytes padding(kZeros, static_cast<std::size_t>(pages) * page_size() - bytes);
  QUIRE_TRY(const PageNumber page, take_number(pages));
  PagePtr ptr{.checksum = 0, .count = 0, .birth = txn_, .page = page};

  boost::container::small_vector<Bytes, 4> all(pieces.begin(), pieces.end());
  all.push_back(padding);
  auto status = file_.write_gather(std::uint64_t{page} * page_size(), {all.data(), all.size()});
  if (!status) {
    loose_.push_back({page, pages});
    return std::unexpected(std::move(status).error());
  }
  Checksum sum;
  for (const Bytes piece : all) sum.update(piece);
  ptr.checksum = page_checksum_of(sum.digest());
  return ptr;
}

Result<PageNumber> PageWriter::write_piece(Bytes piece, PageNumber block_pages) {
  const PageNumber pages = run_pages(piece.size(), page_size());
  assert(piece.size() == std::size_t{pages} * page_size() && pages % block_pages == 0);
  const std::size_t before = allocated_.size();
  QUIRE_TRY(const PageNumber first, take_piece(pages, block_pages));
  QUIRE_CHECK(note_taken(before));
  if (auto status = file_.write(std::uint64_t{first} * page_size(), piece); !status) {
    loose_.insert(loose_.end(), allocated_.begin() + static_cast<std::ptrdiff_t>(before),
                  allocated_.end());
    return std::unexpected(std::move(status).error());
  }
  return first;
}

void PageWriter::drop_frame(PageNumber page) noexcept {
  Frame* frame = frames_.erase(page);
  if (frame == nullptr) return;
  private_bytes_ -= static_cast<std::uint64_t>(frame->pages) * page_size();
  pool_.release(frame);
}

void PageWriter::spilled(PageNumber page) { drop_frame(page); }

std::vector<PageRun> PageWriter::committed_free() const {
  const std::scoped_lock lock(held_mutex_);
  return free_map_.committed_free(allocated_);
}

std::vector<PageRun> PageWriter::free_when_committed() const {
  assert(marks_.empty());
  std::vector<PageRun> free = free_map_.committed_free(loose_);
  free.reserve(free.size() + freed_.size());
  for (const FreeMap::Dead& dead : freed_) free.push_back(dead.run);
  return free;
}

std::size_t PageWriter::freed_count() const noexcept {
  std::size_t count = freed_.size() + loose_.size();
  for (const Mark& mark : marks_) count += mark.loose.size();
  return count;
}

std::size_t PageWriter::mark() {
  Mark& mark = marks_.emplace_back();
  mark.allocated = allocated_.size();
  mark.freed = freed_.size();
  mark.loose = std::exchange(loose_, {});
  ++epoch_;
  return marks_.size() - 1;
}

void PageWriter::rollback(std::size_t mark) {
  assert(mark < marks_.size());
  marks_.resize(mark + 1);
  give_back(marks_[mark].allocated);
  freed_.resize(marks_[mark].freed);
  loose_.clear();  // all taken since the mark, so given back just now
  ++epoch_;
}

void PageWriter::release(std::size_t mark) {
  assert(mark < marks_.size());
  std::size_t more = 0;
  for (std::size_t i = mark; i < marks_.size(); ++i) more += marks_[i].loose.size();
  loose_.reserve(loose_.size() + more);  // all or nothing
  for (std::size_t i = mark; i < marks_.size(); ++i)
    loose_.insert(loose_.end(), marks_[i].loose.begin(), marks_[i].loose.end());
  marks_.resize(mark);
}

// Returns the pages taken since allocated_ had `from` entries.
void PageWriter::give_back(std::size_t from) noexcept {
  const std::scoped_lock lock(held_mutex_);
  std::reverse(allocated_.begin() + static_cast<std::ptrdiff_t>(from), allocated_.end());
  const std::span<const PageRun> runs = std::span(allocated_).subspan(from);
  for (const PageRun& run : runs) drop_frame(run.first);
  free_map_.give_back(runs);
  allocated_.resize(from);
}

std::vector<FreeMap::Dead> PageWriter::commit() noexcept {
  assert(!ended_ && marks_.empty());
  ended_ = true;
  give_ready_back();
  const std::scoped_lock lock(held_mutex_);
  usual_ = std::clamp<std::size_t>(allocated_.size() - std::min(allocated_.size(), loose_.size()),
                                   1, kUsualMax);
  free_map_.give_back(loose_);
  loose_.clear();
  allocated_.clear();
  return std::move(freed_);
}

void PageWriter::borrow(Lists&& lists) noexcept {
  assert(allocated_.empty() && freed_.empty() && loose_.empty());
  allocated_ = std::move(lists.allocated);
  freed_ = std::move(lists.freed);
  loose_ = std::move(lists.loose);
  usual_ = lists.usual;
}

PageWriter::Lists PageWriter::give_lists_back() noexcept {
  assert(ended_);
  return {std::move(allocated_), std::move(freed_), std::move(loose_), usual_};
}

void PageWriter::abort() noexcept {
  if (ended_) return;
  ended_ = true;
  marks_.clear();
  give_ready_back();
  give_back(0);
  freed_.clear();
  loose_.clear();
}

}  // namespace quire
