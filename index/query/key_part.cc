#include "index/query/key_part.h"

#include <algorithm>

namespace quire::query {
namespace {

// No high bound is behind all others.
bool ends_before(const Interval& a, const Interval& b) noexcept {
  return a.high && (!b.high || *a.high < *b.high);
}

bool is_empty(const Interval& interval) noexcept {
  return interval.high && *interval.high <= interval.low;
}

Interval beginning_with(const EncodedKey& prefix) {
  return {prefix, behind_prefix(quire::bytes_of(prefix)), false};
}

// Bytes that end a text which something may follow.
constexpr std::size_t kTextEnd = 2;

}  // namespace

Intervals intersect(const Intervals& a, const Intervals& b) {
  Intervals both;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const Interval& narrow = a[i].point ? a[i] : b[j];
    Interval part{std::max(a[i].low, b[j].low), ends_before(a[i], b[j]) ? a[i].high : b[j].high,
                  narrow.point};
    if (!is_empty(part)) both.push_back(std::move(part));
    ends_before(a[i], b[j]) ? ++i : ++j;
  }
  return both;
}

Intervals unite(Intervals a, Intervals b) {
  if (b.empty() && a.size() <= 1) return a;
  std::ranges::move(b, std::back_inserter(a));
  std::ranges::sort(a, {}, &Interval::low);
  Intervals all;
  for (Interval& next : a) {
    Interval* last = all.empty() ? nullptr : &all.back();
    const bool touches = last != nullptr && (!last->high || *last->high >= next.low);
    // Two points side by side stay two: each is a value that a key may go on behind.
    const bool same = touches && last->low == next.low && last->point == next.point;
    if (!touches || (last->point && next.point && !same)) {
      all.push_back(std::move(next));
      continue;
    }
    if (ends_before(*last, next)) last->high = std::move(next.high);
    last->point = same && next.point;
  }
  return all;
}

Interval span_of(const Intervals& intervals) {
  if (intervals.size() == 1) return intervals.front();
  return {intervals.front().low, intervals.back().high, false};
}

KeyPart KeyPart::of_index(const BoundPart& part) {
  KeyPart made;
  made.field_ = part.field;
  made.source_ = part.source;
  made.path_ = part.source == PartSource::kPath ? &part.path : nullptr;
  made.form_ = part.form;
  return made;
}

KeyPart KeyPart::of_primary(std::size_t field, FieldType type, bool last) {
  KeyPart made;
  made.field_ = field;
  made.form_.type = type;
  made.primary_ = true;
  made.last_ = last;
  return made;
}

void KeyPart::append(const Value& value, EncodedKey& key) const {
  if (primary_) {
    append_component(value, last_, key);
  } else {
    append_part(form_, value, key);
  }
}

EncodedKey KeyPart::encode(const Value& value) const {
  EncodedKey encoded;
  append(value, encoded);
  return encoded;
}

// A part begins with a tag that is not the greatest byte, so there is one behind it.
void KeyPart::step_behind(EncodedKey& key) const {
  if (primary_ && last_) return key.push_back('\0');
  while (static_cast<unsigned char>(key.back()) == 0xFF) key.pop_back();
  ++key.back();
}

EncodedKey KeyPart::behind(const EncodedKey& encoded) const {
  EncodedKey key = encoded;
  step_behind(key);
  return key;
}

Intervals KeyPart::null() const {
  if (primary_) return {};
  Interval interval = beginning_with(EncodedKey(1, null_tag(form_)));
  interval.point = true;
  return {std::move(interval)};
}

bool KeyPart::is_null(const Interval& interval) const {
  return !primary_ && !interval.low.empty() && interval.low.front() == null_tag(form_);
}

Intervals KeyPart::not_null() const {
  if (primary_) return {Interval{}};
  const EncodedKey null(1, null_tag(form_));
  if (form_.descending) return {Interval{{}, null, false}};
  return {Interval{*behind_prefix(quire::bytes_of(null)), {}, false}};
}

Intervals KeyPart::point(const Value& value) const {
  EncodedKey low = encode(value);
  EncodedKey high = behind(low);
  return {Interval{std::move(low), std::move(high), true}};
}

Interval KeyPart::kind_of(const Value& value) const {
  if (json()) return beginning_with(encode(value).substr(0, 1));
  return not_null().front();
}

Intervals KeyPart::range(const std::optional<PartBound>& low,
                         const std::optional<PartBound>& high) const {
  Interval range = kind_of(low ? low->value : high->value);
  const std::optional<PartBound>& first = form_.descending ? high : low;
  const std::optional<PartBound>& last = form_.descending ? low : high;
  if (first) {
    const EncodedKey encoded = encode(first->value);
    range.low = first->inclusive ? encoded : behind(encoded);
  }
  if (last) {
    const EncodedKey encoded = encode(last->value);
    range.high = last->inclusive ? behind(encoded) : encoded;
  }
  if (is_empty(range)) return {};
  return {std::move(range)};
}

Intervals KeyPart::begins(const Value& text) const {
  EncodedKey prefix = encode(text);
  if (!primary_ || !last_) prefix.resize(prefix.size() - kTextEnd);
  return {beginning_with(prefix)};
}

}  // namespace quire::query
