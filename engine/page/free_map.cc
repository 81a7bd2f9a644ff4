#include "engine/page/free_map.h"

#include <algorithm>
#include <limits>
#include <new>

namespace quire {
namespace {

// The file grows by this much at a time once it is that large; a small file by a part of itself, so
// that a small database stays small.
constexpr std::uint64_t kGrowBytesMax = 1 << 20;
constexpr std::uint64_t kGrowBytesMin = 64 << 10;
// Single pages kept at hand, last freed first out; more of them join the sorted runs.
constexpr std::size_t kRecentMax = 65536;
// So many holes that may be too short for an aligned run are looked at, before those that can't be.
constexpr int kTightTries = 64;

PageNumber round_up_to(PageNumber page, PageNumber alignment) noexcept {
  const std::uint64_t up = (std::uint64_t{page} + alignment - 1) / alignment * alignment;
  return static_cast<PageNumber>(
      std::min<std::uint64_t>(up, std::numeric_limits<PageNumber>::max()));
}

}  // namespace

std::optional<TxnNumber> pinned_by(const LiveSet& live, TxnNumber birth, TxnNumber death) noexcept {
  const auto past = std::ranges::lower_bound(live, death);
  if (past == live.begin()) return std::nullopt;
  const TxnNumber newest = *std::prev(past);
  if (newest < birth) return std::nullopt;
  return newest;
}

FreeMap::FreeMap(io::File& file, std::uint32_t page_size, PageNumber page_count, PageNumber backed,
                 Options options)
    : file_(file),
      page_size_(page_size),
      options_(options),
      page_count_(page_count),
      backed_(std::max(page_count, backed)) {
  strays_.make_room(page_count);
  unlisted_.make_room(page_count);
}

Result<PageNumber> FreeMap::take(PageNumber pages) {
  const std::scoped_lock lock(mutex_);
  if (strays_.count() != 0) [[unlikely]]
    list_strays();
  if (pages == 1 && !recent_.empty()) {
    const PageNumber page = recent_.back();
    recent_.pop_back();
    --free_pages_;
    return page;
  }
  if (pages > 1 && !recent_.empty() && recent_.size() >= pages) flush_recent();
  // The lowest hole for a single page keeps the end of the file free; the tightest for a run.
  auto run = runs_.end();
  if (pages == 1) {
    run = runs_.begin();
  } else if (const auto fit = by_size_.lower_bound({pages, 0}); fit != by_size_.end()) {
    run = runs_.find(fit->second);
  }
  if (run != runs_.end()) return cut_run(run, pages);
  return take_at_end(pages);
}

Result<PageNumber> FreeMap::take_aligned(PageNumber pages, PageNumber alignment) {
  const std::scoped_lock lock(mutex_);
  if (strays_.count() != 0) [[unlikely]]
    list_strays();
  if (recent_.size() >= pages) flush_recent();
  const auto found = find_aligned(pages, alignment);
  if (!found) return take_at_end(pages, alignment);
  const Run run = std::prev(runs_.upper_bound(found->first));
  if (run->first == found->first) return cut_run(run, pages);
  cut_middle(run, *found);
  return found->first;
}

std::optional<PageRun> FreeMap::find_aligned(PageNumber pages, PageNumber alignment) const {
  const auto fits = [&](const std::pair<PageNumber, PageNumber>& sized) -> std::optional<PageRun> {
    const PageNumber first = round_up_to(sized.second, alignment);
    const std::uint64_t end = std::uint64_t{sized.second} + sized.first;
    if (std::uint64_t{first} + pages > end) return std::nullopt;
    return PageRun{first, pages};
  };
  auto run = by_size_.lower_bound({pages, 0});
  for (int tries = 0; run != by_size_.end() && tries < kTightTries; ++run, ++tries)
    if (const auto found = fits(*run)) return found;
  const std::uint64_t certain = std::uint64_t{pages} + alignment - 1;
  if (certain > std::numeric_limits<PageNumber>::max()) return std::nullopt;
  run = by_size_.lower_bound({static_cast<PageNumber>(certain), 0});
  return run == by_size_.end() ? std::nullopt : fits(*run);
}

// Takes out what does not begin where the run does.
void FreeMap::cut_middle(Run run, PageRun out) {
  const auto [first, length] = *run;
  const PageNumber before = out.first - first;
  const PageNumber behind = length - before - out.pages;
  if (behind != 0) insert_run({out.first + out.pages, behind});
  change_run(run, {first, before});
  free_pages_ -= out.pages;
}

Result<std::size_t> FreeMap::take_some(std::span<PageNumber> into) {
  std::size_t taken = 0;
  {
    const std::scoped_lock lock(mutex_);
    for (; taken < into.size() && !recent_.empty(); ++taken) {
      into[taken] = recent_.back();
      recent_.pop_back();
    }
    free_pages_ -= taken;
  }
  if (taken == 0) {
    QUIRE_TRY(into[0], take(1));
    taken = 1;
  }
  return taken;
}

// The run is another now; its nodes stay, so that this needs no memory. No other run begins where
// the new one does.
void FreeMap::change_run(Run run, PageRun to) noexcept {
  auto sized = by_size_.extract({run->second, run->first});
  sized.value() = {to.pages, to.first};
  by_size_.insert(std::move(sized));
  if (run->first == to.first) {
    run->second = to.pages;
    return;
  }
  auto placed = runs_.extract(run);
  placed.key() = to.first;
  placed.mapped() = to.pages;
  runs_.insert(std::move(placed));
}

void FreeMap::erase_run(Run run) noexcept {
  by_size_.erase({run->second, run->first});
  runs_.erase(run);
}

PageNumber FreeMap::cut_run(Run run, PageNumber pages) noexcept {
  const auto [first, length] = *run;
  if (length > pages) {
    change_run(run, {first + pages, length - pages});
  } else {
    erase_run(run);
  }
  free_pages_ -= pages;
  return first;
}

// Those that are left out for the alignment become free.
Result<PageNumber> FreeMap::take_at_end(PageNumber pages, PageNumber alignment) {
  const PageNumber count = page_count_;
  const PageNumber first = round_up_to(count, alignment);
  if (pages > std::numeric_limits<PageNumber>::max() - 1 - first)
    return fail(ErrorCode::kTooLarge, "%s: the file may have at most 2^32 - 1 pages of %u bytes",
                file_.path().c_str(), page_size_);
  strays_.make_room(first + pages);
  unlisted_.make_room(first + pages);
  QUIRE_CHECK(grow_to(first + pages));
  if (first != count) insert_free({count, first - count});
  page_count_ = first + pages;
  return first;
}

Status FreeMap::grow_to(PageNumber pages) {
  if (pages <= backed_) return {};
  const std::uint64_t size = static_cast<std::uint64_t>(backed_) * page_size_;
  const std::uint64_t needed = static_cast<std::uint64_t>(pages) * page_size_;
  if (options_.quota_bytes != 0 && needed > options_.quota_bytes)
    return fail(ErrorCode::kQuota, "%s: the quota of %llu bytes is reached (%llu needed)",
                file_.path().c_str(), static_cast<unsigned long long>(options_.quota_bytes),
                static_cast<unsigned long long>(needed));
  const std::uint64_t step =
      std::clamp(size / 4 / kGrowBytesMin * kGrowBytesMin, kGrowBytesMin, kGrowBytesMax);
  std::uint64_t target = std::max(needed, size + step);
  if (options_.quota_bytes != 0) target = std::min(target, options_.quota_bytes);
  target = target / page_size_ * page_size_;
  auto status = file_.allocate(size, target - size);
  if (!status && status.error().code() == ErrorCode::kFull && target > needed) {
    target = needed;  // the last pages of a nearly full device
    status = file_.allocate(size, target - size);
  }
  if (!status) return status;
  backed_ = static_cast<PageNumber>(target / page_size_);
  return {};
}

// One that no other touches.
void FreeMap::insert_run(PageRun run) {
  const auto added = runs_.emplace(run.first, run.pages).first;
  try {
    by_size_.emplace(run.pages, run.first);
  } catch (const std::bad_alloc&) {
    runs_.erase(added);
    throw;
  }
}

void FreeMap::insert_free(PageRun run) {
  const auto next = runs_.lower_bound(run.first);
  const bool joins_next = next != runs_.end() && run.first + run.pages == next->first;
  const auto before = next == runs_.begin() ? runs_.end() : std::prev(next);
  if (before != runs_.end() && before->first + before->second == run.first) {
    const PageNumber more = run.pages + (joins_next ? next->second : 0);
    if (joins_next) erase_run(next);
    change_run(before, {before->first, before->second + more});
  } else if (joins_next) {
    change_run(next, {run.first, run.pages + next->second});
  } else {
    insert_run(run);
  }
  free_pages_ += run.pages;
}

// From the end, so that what is left where memory ends is still the list of what is not sorted in.
void FreeMap::flush_recent() {
  std::ranges::sort(recent_);
  while (!recent_.empty()) {
    std::size_t begin = recent_.size() - 1;
    while (begin > 0 && recent_[begin - 1] + 1 == recent_[begin]) --begin;
    const auto pages = static_cast<PageNumber>(recent_.size() - begin);
    insert_free({recent_[begin], pages});
    free_pages_ -= pages;  // counted before
    recent_.resize(begin);
  }
}

void FreeMap::make_free(PageRun run) noexcept try {
  if (run.pages != 1) return insert_free(run);
  if (recent_.size() >= kRecentMax) flush_recent();
  recent_.push_back(run.first);
  ++free_pages_;
} catch (const std::bad_alloc&) {
  strays_.add(run);
  free_pages_ += run.pages;
}

void FreeMap::list_strays() noexcept try {
  while (const auto run = strays_.run_from(0, std::numeric_limits<PageNumber>::max())) {
    insert_free(*run);
    free_pages_ -= run->pages;  // counted before
    strays_.remove(*run);
  }
} catch (const std::bad_alloc&) {
  return;  // the others stay where they are
}

void FreeMap::give_back(std::span<const PageRun> runs) noexcept {
  if (runs.empty()) return;
  const std::scoped_lock lock(mutex_);
  for (const PageRun& run : runs) make_free(run);
}

void FreeMap::bury(std::span<const Dead> dead, const LiveSet& live,
                   std::vector<PageRun>& released) noexcept {
  const std::scoped_lock lock(mutex_);
  for (const Dead& page : dead) bury_one(page, live, released);
  look_again(live, released);
}

void FreeMap::bury_only(std::span<const Dead> dead, const LiveSet& live,
                        std::vector<PageRun>& released) noexcept {
  const std::scoped_lock lock(mutex_);
  for (const Dead& page : dead) bury_one(page, live, released);
}

void FreeMap::bury_unseen(std::span<const Dead> dead) noexcept {
  const std::scoped_lock lock(mutex_);
  for (const Dead& page : dead) wait_unlisted(page);
}

void FreeMap::bury_one(const Dead& page, const LiveSet& live,
                       std::vector<PageRun>& released) noexcept try {
  if (const auto pin = pinned_by(live, page.birth, page.death)) return wait_under(*pin, page);
  released.push_back(page.run);
} catch (const std::bad_alloc&) {
  wait_unlisted(page);
}

void FreeMap::wait_under(TxnNumber pin, const Dead& page) {
  Bucket& bucket = waiting_[pin];
  bucket.dead.push_back(page);
  bucket.pages += page.run.pages;
  pinned_pages_ += page.run.pages;
}

void FreeMap::wait_unlisted(const Dead& page) noexcept {
  unlisted_.add(page.run);
  unlisted_before_ = std::max(unlisted_before_, page.death);
  pinned_pages_ += page.run.pages;
}

// Each page for itself: what was one run is not known any more, and each may have a frame.
void FreeMap::release_unlisted(const LiveSet& live, std::vector<PageRun>& released) noexcept try {
  if (pinned_by(live, 0, unlisted_before_)) return;
  PageNumber from = 0;
  while (const auto run = unlisted_.run_from(from, 1)) {
    from = run->first;
    released.push_back(*run);
    unlisted_.remove(*run);
    --pinned_pages_;
  }
  unlisted_before_ = 0;
} catch (const std::bad_alloc&) {
  return;  // the others stay where they are
}

// Pages whose pinning snapshot has gone.
void FreeMap::look_again(const LiveSet& live, std::vector<PageRun>& released) noexcept {
  for (auto bucket = waiting_.begin(); bucket != waiting_.end();) {
    if (std::ranges::binary_search(live, bucket->first)) {
      ++bucket;
      continue;
    }
    const auto gone = waiting_.extract(bucket++);
    pinned_pages_ -= gone.mapped().pages;
    // Those that another snapshot pins go to its bucket, which is not looked at again: it is live.
    for (const Dead& page : gone.mapped().dead) bury_one(page, live, released);
  }
  if (unlisted_.count() != 0) [[unlikely]]
    release_unlisted(live, released);
}

std::uint64_t FreeMap::free_pages() const {
  const std::scoped_lock lock(mutex_);
  return free_pages_;
}

std::uint64_t FreeMap::pinned_pages() const {
  const std::scoped_lock lock(mutex_);
  return pinned_pages_;
}

FreeMap::Usage FreeMap::usage(TxnNumber snapshot, TxnNumber other) const {
  const std::scoped_lock lock(mutex_);
  Usage usage;
  usage.pinned = pinned_pages_;
  usage.used = page_count_ - free_pages_ - pinned_pages_;
  if (const auto at = waiting_.find(snapshot); at != waiting_.end())
    usage.waiting += at->second.pages;
  if (const auto at = waiting_.find(other); other != snapshot && at != waiting_.end())
    usage.waiting += at->second.pages;
  return usage;
}

std::uint64_t FreeMap::pinned_at(TxnNumber snapshot) const {
  const std::scoped_lock lock(mutex_);
  std::uint64_t pages = 0;
  for (const auto& [pin, bucket] : waiting_) {
    for (const Dead& page : bucket.dead) {
      if (page.birth <= snapshot && snapshot < page.death) pages += page.run.pages;
    }
  }
  if (snapshot < unlisted_before_) pages += unlisted_.count();
  return pages;
}

namespace {

void append_set(std::vector<PageRun>& all, const PageSet& set) {
  constexpr PageNumber kAll = std::numeric_limits<PageNumber>::max();
  for (auto run = set.run_from(0, kAll); run; run = set.run_from(run->first + run->pages, kAll))
    all.push_back(*run);
}

}  // namespace

std::vector<PageRun> FreeMap::committed_free(std::span<const PageRun> held) const {
  const std::scoped_lock lock(mutex_);
  std::vector<PageRun> all(held.begin(), held.end());
  all.reserve(all.size() + runs_.size() + recent_.size());
  for (const auto& [first, pages] : runs_) all.push_back({first, pages});
  for (const PageNumber page : recent_) all.push_back({page, 1});
  for (const auto& [pin, bucket] : waiting_) {
    for (const Dead& page : bucket.dead) all.push_back(page.run);
  }
  append_set(all, strays_);
  append_set(all, unlisted_);
  std::ranges::sort(all, {}, &PageRun::first);
  std::vector<PageRun> merged;
  for (const PageRun& run : all) {
    if (!merged.empty() && merged.back().first + merged.back().pages == run.first) {
      merged.back().pages += run.pages;
    } else {
      merged.push_back(run);
    }
  }
  return merged;
}

void FreeMap::load(std::span<const PageRun> free) {
  const std::scoped_lock lock(mutex_);
  for (const PageRun& run : free) insert_free(run);
}

void FreeMap::load_in_doubt(std::span<const PageRun> free, TxnNumber before, TxnNumber pin) {
  const std::scoped_lock lock(mutex_);
  for (const PageRun& run : free) {
    wait_under(pin, {run, 0, before});
  }
}

void FreeMap::trim_end(PageNumber least) {
  const std::scoped_lock lock(mutex_);
  list_strays();
  flush_recent();
  if (!runs_.empty()) {
    const auto last = std::prev(runs_.end());
    const auto [first, pages] = *last;
    if (first + pages == page_count_ && pages >= least) {
      erase_run(last);
      free_pages_ -= pages;
      page_count_ = first;
    }
  }
}

Status FreeMap::cut_file(PageNumber slack) {
  const std::scoped_lock lock(mutex_);
  if (backed_ - page_count_ <= slack) return {};
  QUIRE_CHECK(file_.resize(static_cast<std::uint64_t>(page_count_) * page_size_));
  backed_ = page_count_;
  return {};
}

bool FreeMap::check_invariants() const {
  const std::scoped_lock lock(mutex_);
  std::vector<PageRun> all;
  std::uint64_t free = 0;
  std::uint64_t pinned = 0;
  for (const auto& [first, pages] : runs_) {
    all.push_back({first, pages});
    free += pages;
    if (!by_size_.contains({pages, first})) return false;
  }
  if (by_size_.size() != runs_.size()) return false;
  for (const PageNumber page : recent_) all.push_back({page, 1});
  free += recent_.size();
  for (const auto& [pin, bucket] : waiting_) {
    for (const Dead& page : bucket.dead) {
      all.push_back(page.run);
      pinned += page.run.pages;
    }
  }
  append_set(all, strays_);
  append_set(all, unlisted_);
  free += strays_.count();
  pinned += unlisted_.count();
  if (free != free_pages_ || pinned != pinned_pages_) return false;
  std::ranges::sort(all, {}, &PageRun::first);
  std::uint64_t end = kFirstPage;
  for (const PageRun& run : all) {
    if (run.first < end || run.pages == 0) return false;
    end = std::uint64_t{run.first} + run.pages;
  }
  return end <= page_count_ && page_count_ <= backed_;
}

}  // namespace quire
