#include "index/ordered/sorted_scan.h"

namespace quire {

Result<SortedScan> SortedScan::open(View& view, const SortedIndex& index, KeyRange range,
                                    ScanDirection direction) {
  QUIRE_CHECK(view.tree_root(index.tree()));
  return SortedScan(index, RangeScan(view, index.tree(), std::move(range), direction));
}

std::unexpected<Error> SortedScan::damaged(const Error& error) const {
  return std::unexpected(error.with_context("index '" + index_->name() + "'"));
}

Result<bool> SortedScan::next() {
  QUIRE_TRY(const bool there, scan_.next());
  if (!there) return false;
  QUIRE_TRY(const Bytes value, scan_.value());
  // A whole unique key, without a null in it, is what was looked for.
  auto entry = scan_.on_one() ? EntryView::parse_exclusive(value)
                              : EntryView::parse(index_->form(), scan_.key(), value);
  if (!entry) return damaged(entry.error());
  entry_ = *entry;
  return true;
}

Result<std::span<const Value>> SortedScan::covered() {
  covered_.resize(index_->form().covering.size());
  if (auto read = read_covered(index_->form(), entry_.covered, covered_); !read)
    return damaged(read.error());
  return covered_;
}

Result<std::span<const Value>> SortedScan::parts() {
  const std::vector<BoundPart>& forms = index_->form().parts;
  parts_.resize(forms.size());
  memory_.resize(forms.size());
  Bytes rest = scan_.key();
  for (std::size_t i = 0; i < forms.size(); ++i) {
    auto value = take_part(forms[i].form, rest, memory_[i]);
    if (!value) return damaged(value.error());
    parts_[i] = *value;
  }
  return parts_;
}

Result<Value> SortedScan::part(std::size_t place) {
  const std::vector<BoundPart>& forms = index_->form().parts;
  memory_.resize(forms.size());
  Bytes rest = scan_.key();
  for (std::size_t i = 0; i < place; ++i) {
    auto before = measure_part(forms[i].form, rest);
    if (!before) return damaged(before.error());
    rest = rest.subspan(before->size);
  }
  auto value = take_part(forms[place].form, rest, memory_[place]);
  if (!value) return damaged(value.error());
  return *value;
}

}  // namespace quire
