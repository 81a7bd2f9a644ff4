#include "index/query/stream.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ranges>

#include "engine/record/numbers.h"
#include "engine/tree/tree_batch.h"

namespace quire::query {
namespace {

// Records that are read at once: first some, in case the caller wants no more, then as many as
// memory can fetch at a time. Where a limit says how many are wanted, as many as it lets expect.
constexpr std::size_t kFirstAhead = 8;
constexpr std::size_t kLeastAhead = 4;
constexpr std::size_t kMostAhead = 32;

std::size_t first_ahead(const Wanted& wanted, const Plan& plan) noexcept {
  if (wanted.rows == kAll) return kFirstAhead;
  const double expected = std::min(plan.rows, static_cast<double>(kMostAhead));
  return std::max(static_cast<std::size_t>(std::ceil(expected)), kLeastAhead);
}

// As many as numbers of a set take that is unrolled.
constexpr std::uint64_t kNumberBytes = sizeof(RecordNumber);

}  // namespace

void RecordStream::forget() noexcept {
  filters_.clear();
  numbers_.clear();
  members_.clear();
  small_ = false;
  in_range_ = false;
  at_ = 0;
  resuming_ = false;
  ahead_size_ = ahead_at_ = 0;
  ahead_failed_ = {};
  ahead_ended_ = false;
  row_.reset();
  fields_ = &row_fields_;
  number_known_ = false;
}

Status RecordStream::begin(View& view, const Collection& collection, const Wanted& wanted,
                           const Plan& plan, Budget& budget) {
  forget();
  view_ = &view;
  collection_ = &collection;
  wanted_ = &wanted;
  plan_ = &plan;
  budget_ = &budget;
  version_ = view.tree_version(collection.id());
  if (plan.nothing) return {};
  if (!plan.by_number && plan.path.index != nullptr && !plan.entry_fields.empty()) {
    if (!entry_fields_ || !entry_fields_->is_of(*plan.path.index, plan.entry_fields))
      entry_fields_.emplace(collection, *plan.path.index, plan.entry_fields);
  }
  const bool by_key = plan.by_number || plan.path.index != nullptr;
  const bool repeats = !plan.by_number && plan.path.duplicates;
  ahead_wanted_ = version_ == 0 && by_key && plan.reads_rows && !repeats && wanted.rows > 1 &&
                  (plan.by_number || plan.path.entries > 1);
  ahead_most_ = first_ahead(wanted, plan);
  return make_sets();
}

Status RecordStream::make_sets() {
  for (const SetPlan& set : plan_->filters) {
    QUIRE_TRY(Bitmap records, make_set(*view_, *collection_, set, *budget_));
    filters_.push_back(std::move(records));
  }
  return plan_->by_number ? make_driver() : Status();
}

// What is in all sets.
Status RecordStream::make_driver() {
  small_ = version_ == 0 && is_small(plan_->set);
  if (small_) {
    QUIRE_CHECK(make_small_set(*view_, *collection_, plan_->set, *budget_, members_));
    std::erase_if(members_, [&](const SetMember& member) {
      return std::ranges::any_of(filters_, [&](const Bitmap& filter) {
        return !filter.contains(std::uint64_t{member.number});
      });
    });
    filters_.clear();
    return {};
  }
  QUIRE_TRY(Bitmap records, make_set(*view_, *collection_, plan_->set, *budget_));
  for (const Bitmap& filter : filters_) records &= filter;
  filters_.clear();
  QUIRE_CHECK(budget_->memory(records.cardinality() * kNumberBytes));
  numbers_.resize(records.cardinality());
  records.toUint64Array(numbers_.data());
  return {};
}

void RecordStream::resume(Bytes position) {
  if (plan_->by_number) {
    const RecordNumber last = position.size() == 8 ? load_be<RecordNumber>(position.data()) : 0;
    const auto all = std::views::iota(std::size_t{0}, set_size());
    at_ = static_cast<std::size_t>(
        std::ranges::upper_bound(all, last, {}, [&](std::size_t i) { return number_at(i); }) -
        all.begin());
    return;
  }
  // The first range, in the plan's direction, that has something behind the position.
  const std::vector<KeyRange>& ranges = plan_->path.ranges;
  for (at_ = 0; at_ < ranges.size(); ++at_) {
    const KeyRange& range = plan_->forward ? ranges[at_] : ranges[ranges.size() - 1 - at_];
    const bool passed =
        plan_->forward ? range.high && compare_bytes(quire::bytes_of(*range.high), position) <= 0
                       : compare_bytes(quire::bytes_of(range.low), position) > 0;
    if (!passed) break;
  }
  resume_ = as_text(position);
  resuming_ = true;
}

bool RecordStream::open_range() {
  const std::vector<KeyRange>& ranges = plan_->path.ranges;
  if (at_ == ranges.size()) return false;
  const KeyRange& range = plan_->forward ? ranges[at_] : ranges[ranges.size() - 1 - at_];
  ++at_;
  const ScanDirection direction =
      plan_->forward ? ScanDirection::kForward : ScanDirection::kBackward;
  if (plan_->path.index != nullptr) {
    entries_.begin(*view_, *plan_->path.index, range, direction);
    if (resuming_) entries_.seek_after(quire::bytes_of(resume_));
  } else {
    rows_.begin(*view_, collection_->id(), range, direction);
    if (resuming_) rows_.seek_after(quire::bytes_of(resume_));
  }
  resuming_ = false;
  in_range_ = true;
  return true;
}

Result<std::uint64_t> RecordStream::skip(std::uint64_t n) {
  std::uint64_t skipped = 0;
  if (plan_->nothing) return skipped;
  while (skipped < n) {
    if (!in_range_ && !open_range()) break;
    QUIRE_TRY(const std::uint64_t some,
              plan_->path.index != nullptr ? entries_.skip(n - skipped) : rows_.skip(n - skipped));
    skipped += some;
    if (skipped == n) break;
    in_range_ = false;
  }
  return skipped;
}

Result<bool> RecordStream::advance_entry() {
  while (true) {
    if (!in_range_ && !open_range()) return false;
    QUIRE_TRY(const bool there, entries_.next());
    if (there) break;
    in_range_ = false;
  }
  number_ = entries_.number();
  number_known_ = true;
  primary_key_ = entries_.primary_key();
  position_ = entries_.key();
  return true;
}

Result<bool> RecordStream::advance_row() {
  while (true) {
    if (!in_range_ && !open_range()) return false;
    QUIRE_TRY(const bool there, rows_.next());
    if (there) break;
    in_range_ = false;
  }
  primary_key_ = position_ = rows_.key();
  QUIRE_TRY(const Bytes bytes, rows_.value());
  QUIRE_CHECK(parse_row(bytes));
  return true;
}

Result<bool> RecordStream::advance_number() {
  if (at_ == set_size()) return false;
  number_ = number_at(at_++);
  number_known_ = true;
  number_key_ = as_text(Bytes(NumberKey(number_)));
  position_ = quire::bytes_of(number_key_);
  if (small_) {
    primary_key_ = members_[at_ - 1].key;
    return true;
  }
  if (!wanted_->keys && !plan_->reads_rows && !changed()) return true;
  QUIRE_TRY(const NumberEntry entry, read_number(*view_, *collection_, number_));
  // A write transaction may have deleted it since.
  primary_key_ = entry.in_use ? entry.key : Bytes();
  return true;
}

Result<bool> RecordStream::advance() {
  if (plan_->nothing) return false;
  row_.reset();
  number_known_ = false;
  if (plan_->by_number) return advance_number();
  return plan_->path.index != nullptr ? advance_entry() : advance_row();
}

bool RecordStream::changed() const noexcept {
  return view_->tree_version(collection_->id()) != version_;
}

std::unexpected<Error> RecordStream::no_record() const {
  return collection_->failure(ErrorCode::kCorrupt,
                              "an index has an entry of a record that does not exist");
}

Status RecordStream::parse_row(Bytes bytes) {
  auto row = RowView::parse(collection_->schema(), bytes);
  if (!row) return collection_->failure(row.error().code(), row.error().message());
  row_ = *row;
  ++budget_->figures().rows;
  return {};
}

Status RecordStream::read_row() {
  if (row_) return {};
  QUIRE_TRY(const TreeRoot root, view_->tree_root(collection_->id()));
  QUIRE_TRY(const auto bytes, tree_get(view_->reader(), root, primary_key_));
  return bytes ? parse_row(*bytes) : no_record();
}

Result<const RowView*> RecordStream::row() {
  QUIRE_CHECK(read_row());
  row_fields_.row = &*row_;
  return &*row_;
}

RecordNumber RecordStream::number() {
  if (!number_known_) number_ = row_->number();
  number_known_ = true;
  return number_;
}

bool RecordStream::test(std::span<const std::uint32_t> conditions,
                        const FieldSource& fields) const {
  return std::ranges::all_of(conditions, [&](std::uint32_t condition) {
    return holds(*wanted_->filter, wanted_->conditions[condition], fields);
  });
}

// A record with several entries in the ranges is shown at the first.
Result<bool> RecordStream::is_first_entry() {
  all_entries_.make(plan_->path.index->form(), *row_, primary_key_);
  const std::vector<KeyRange>& ranges = plan_->path.ranges;
  const auto shown = [&](Bytes key) {
    return std::ranges::any_of(ranges, [&](const KeyRange& range) { return range.contains(key); });
  };
  const std::size_t size = all_entries_.size();
  for (std::size_t i = 0; i < size; ++i) {
    const Bytes key = all_entries_.key(plan_->forward ? i : size - 1 - i);
    if (shown(key)) return equal_bytes(key, position_);
  }
  return collection_->failure(
      ErrorCode::kCorrupt,
      "index '" + plan_->path.index->name() + "' has an entry that its record does not have");
}

Result<bool> RecordStream::matches_entry() {
  if (!filters_.empty()) {
    if (!number_known_) (void)number();
    const bool in_all = std::ranges::all_of(
        filters_, [&](const Bitmap& filter) { return filter.contains(std::uint64_t{number_}); });
    if (!in_all) return false;
  }
  if (plan_->entry_fields.empty()) return true;
  QUIRE_CHECK(entry_fields_->read(entries_));
  return test(plan_->entry_tests, *entry_fields_);
}

Result<bool> RecordStream::matches_row() {
  QUIRE_CHECK(row());
  fields_ = &row_fields_;
  if (!test(plan_->row_tests, row_fields_)) return false;
  if (!plan_->by_number && plan_->path.duplicates) return is_first_entry();
  return true;
}

// Of a record that may have been changed, or taken away, since its entry was read.
Result<bool> RecordStream::still_matches() {
  if (primary_key_.empty()) return false;
  QUIRE_TRY(const TreeRoot root, view_->tree_root(collection_->id()));
  QUIRE_TRY(const auto bytes, tree_get(view_->reader(), root, primary_key_));
  if (!bytes) return false;
  QUIRE_CHECK(parse_row(*bytes));
  row_fields_.row = &*row_;
  fields_ = &row_fields_;
  if (number_known_ && row_->number() != number_) return false;
  if (!wanted_->filter->matches(row_fields_)) return false;
  const bool repeats = !plan_->by_number && plan_->path.duplicates;
  return repeats ? is_first_entry() : Result<bool>(true);
}

Result<bool> RecordStream::matches() {
  if (changed()) [[unlikely]]
    return still_matches();
  QUIRE_TRY(const bool by_entry, matches_entry());
  if (!by_entry) return false;
  const bool has_row = plan_->reads_rows || row_.has_value();
  if (has_row) return matches_row();
  if (!plan_->entry_fields.empty()) fields_ = &*entry_fields_;
  return true;
}

// ---------------------------------------------------------------- reading ahead

// Of a set, whose members are all wanted.
Status RecordStream::read_numbers_ahead() {
  std::array<RecordNumber, kMostAhead> numbers;
  std::array<NumberEntry, kMostAhead> entries;
  const std::size_t first = at_;
  std::size_t size = 0;
  Status within;
  for (; size < ahead_most_ && at_ < set_size(); ++size) {
    within = budget_->entry();
    if (!within) break;
    numbers[size] = number_at(at_++);
  }
  ahead_ended_ = within && at_ == set_size();
  if (!small_)
    QUIRE_CHECK(read_numbers(*view_, *collection_, std::span(numbers).first(size),
                             std::span(entries).first(size)));
  for (; ahead_size_ < size; ++ahead_size_) {
    Ahead& one = ahead_[ahead_size_];
    one.number = numbers[ahead_size_];
    one.primary_key =
        as_text(small_ ? members_[first + ahead_size_].key : entries[ahead_size_].key);
    one.position = as_text(Bytes(NumberKey(one.number)));
  }
  return within;
}

// Entries that match by themselves.
Status RecordStream::read_ahead() {
  ahead_size_ = ahead_at_ = 0;
  ahead_.resize(std::max(ahead_.size(), ahead_most_));
  if (plan_->by_number) return read_numbers_ahead();
  while (ahead_size_ < ahead_most_) {
    QUIRE_TRY(const bool there, advance());
    ahead_ended_ = !there;
    if (!there) return {};
    QUIRE_CHECK(budget_->entry());
    QUIRE_TRY(const bool matches, matches_entry());
    if (!matches) continue;
    Ahead& one = ahead_[ahead_size_++];
    one.number = number_;
    one.primary_key = as_text(primary_key_);
    one.position = as_text(position_);
  }
  return {};
}

Status RecordStream::fetch_ahead() {
  std::array<Bytes, kMostAhead> keys;
  std::array<std::optional<Bytes>, kMostAhead> rows;
  for (std::size_t i = 0; i < ahead_size_; ++i) keys[i] = quire::bytes_of(ahead_[i].primary_key);
  QUIRE_TRY(const TreeRoot root, view_->tree_root(collection_->id()));
  QUIRE_CHECK(tree_get_many(view_->reader(), root, std::span(keys).first(ahead_size_),
                            std::span(rows).first(ahead_size_)));
  for (std::size_t i = 0; i < ahead_size_; ++i) ahead_[i].row = rows[i];
  return {};
}

// The next of those that were read, if it matches.
Result<bool> RecordStream::take_ahead() {
  const Ahead& one = ahead_[ahead_at_++];
  number_ = one.number;
  number_known_ = true;
  primary_key_ = quire::bytes_of(one.primary_key);
  position_ = as_bytes(std::string_view(one.position));
  row_.reset();
  if (changed()) [[unlikely]]
    return still_matches();
  if (!one.row) return no_record();
  QUIRE_CHECK(parse_row(*one.row));
  return matches_row();
}

// Entries, then the records of all of them, which so wait for memory together.
Result<bool> RecordStream::next_ahead() {
  while (true) {
    while (ahead_at_ < ahead_size_) {
      QUIRE_TRY(const bool found, take_ahead());
      if (found) return true;
    }
    if (!ahead_failed_) return std::unexpected(ahead_failed_.error());
    if (ahead_ended_) return false;
    // What failed is told when those before it were given.
    ahead_failed_ = read_ahead();
    ahead_most_ = std::min(2 * ahead_most_, kMostAhead);
    QUIRE_CHECK(fetch_ahead());
  }
}

Result<bool> RecordStream::next() {
  if (ahead_wanted_) {
    QUIRE_TRY(const bool there, next_ahead());
    budget_->figures().found += there ? 1 : 0;
    return there;
  }
  while (true) {
    QUIRE_TRY(const bool there, advance());
    if (!there) return false;
    QUIRE_CHECK(budget_->entry());
    QUIRE_TRY(const bool found, matches());
    if (!found) continue;
    ++budget_->figures().found;
    return true;
  }
}

}  // namespace quire::query
