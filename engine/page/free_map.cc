#include "engine/page/free_map.h"

#include <algorithm>
#include <limits>

namespace quire {
namespace {

// The file grows by this much at a time once it is that large; a small file by a part of itself, so
// that a small database stays small.
constexpr std::uint64_t kGrowBytesMax = 1 << 20;
constexpr std::uint64_t kGrowBytesMin = 64 << 10;
// Single pages kept at hand, last freed first out; more of them join the sorted runs.
constexpr std::size_t kRecentMax = 65536;

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
      backed_(std::max(page_count, backed)) {}

Result<PageNumber> FreeMap::take(PageNumber pages) {
  const std::scoped_lock lock(mutex_);
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

PageNumber FreeMap::cut_run(std::map<PageNumber, PageNumber>::iterator run, PageNumber pages) {
  const auto [first, length] = *run;
  by_size_.erase({length, first});
  runs_.erase(run);
  if (length > pages) {
    runs_.emplace(first + pages, length - pages);
    by_size_.emplace(length - pages, first + pages);
  }
  free_pages_ -= pages;
  return first;
}

Result<PageNumber> FreeMap::take_at_end(PageNumber pages) {
  if (pages > std::numeric_limits<PageNumber>::max() - 1 - page_count_)
    return fail(ErrorCode::kTooLarge, "%s: the file may have at most 2^32 - 1 pages of %u bytes",
                file_.path().c_str(), page_size_);
  const PageNumber first = page_count_;
  QUIRE_CHECK(grow_to(page_count_ + pages));
  page_count_ += pages;
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

void FreeMap::insert_free(PageRun run) {
  auto next = runs_.lower_bound(run.first);
  free_pages_ += run.pages;
  if (next != runs_.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == run.first) {
      run = {before->first, before->second + run.pages};
      by_size_.erase({before->second, before->first});
      runs_.erase(before);
    }
  }
  if (next != runs_.end() && run.first + run.pages == next->first) {
    run.pages += next->second;
    by_size_.erase({next->second, next->first});
    runs_.erase(next);
  }
  runs_.emplace(run.first, run.pages);
  by_size_.emplace(run.pages, run.first);
}

void FreeMap::flush_recent() {
  std::ranges::sort(recent_);
  free_pages_ -= recent_.size();
  for (std::size_t i = 0; i < recent_.size();) {
    std::size_t end = i + 1;
    while (end < recent_.size() && recent_[end] == recent_[end - 1] + 1) ++end;
    insert_free({recent_[i], static_cast<PageNumber>(end - i)});
    i = end;
  }
  recent_.clear();
}

void FreeMap::make_free(PageRun run) {
  if (run.pages == 1) {
    if (recent_.size() >= kRecentMax) flush_recent();
    recent_.push_back(run.first);
    ++free_pages_;
  } else {
    insert_free(run);
  }
}

void FreeMap::give_back(std::span<const PageRun> runs) {
  if (runs.empty()) return;
  const std::scoped_lock lock(mutex_);
  for (const PageRun& run : runs) make_free(run);
}

void FreeMap::bury(std::span<const Dead> dead, const LiveSet& live,
                   std::vector<PageRun>& released) {
  const std::scoped_lock lock(mutex_);
  for (const Dead& page : dead) bury_one(page, live, released);
  look_again(live, released);
}

void FreeMap::bury_one(const Dead& page, const LiveSet& live, std::vector<PageRun>& released) {
  if (const auto pin = pinned_by(live, page.birth, page.death)) {
    wait_under(*pin, page);
    return;
  }
  released.push_back(page.run);
}

void FreeMap::wait_under(TxnNumber pin, const Dead& page) {
  Bucket& bucket = waiting_[pin];
  bucket.dead.push_back(page);
  bucket.pages += page.run.pages;
  pinned_pages_ += page.run.pages;
}

// Pages whose pinning snapshot has gone.
void FreeMap::look_again(const LiveSet& live, std::vector<PageRun>& released) {
  std::vector<Dead> again;
  for (auto bucket = waiting_.begin(); bucket != waiting_.end();) {
    if (std::ranges::binary_search(live, bucket->first)) {
      ++bucket;
      continue;
    }
    again.insert(again.end(), bucket->second.dead.begin(), bucket->second.dead.end());
    bucket = waiting_.erase(bucket);
  }
  for (const Dead& page : again) {
    pinned_pages_ -= page.run.pages;
    bury_one(page, live, released);
  }
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
  return pages;
}

std::vector<PageRun> FreeMap::committed_free(std::span<const PageRun> held) const {
  const std::scoped_lock lock(mutex_);
  std::vector<PageRun> all(held.begin(), held.end());
  all.reserve(all.size() + runs_.size() + recent_.size());
  for (const auto& [first, pages] : runs_) all.push_back({first, pages});
  for (const PageNumber page : recent_) all.push_back({page, 1});
  for (const auto& [pin, bucket] : waiting_) {
    for (const Dead& page : bucket.dead) all.push_back(page.run);
  }
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
  flush_recent();
  if (!runs_.empty()) {
    const auto last = std::prev(runs_.end());
    const auto [first, pages] = *last;
    if (first + pages == page_count_ && pages >= least) {
      by_size_.erase({pages, first});
      runs_.erase(last);
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
