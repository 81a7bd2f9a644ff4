#include "engine/db/salvage_ledger.h"

#include "engine/record/key_codec.h"

namespace quire {
namespace {

constexpr std::size_t kShown = 40;  // bytes of a key

std::string show_bytes(Bytes key) {
  const Bytes part = key.first(std::min(key.size(), kShown));
  const char* const more = part.size() < key.size() ? "..." : "";
  bool printable = is_utf8(as_text(part)) && !part.empty();
  for (const std::byte byte : part) printable &= byte >= std::byte{32} && byte != std::byte{127};
  if (printable) return "'" + std::string(as_text(part)) + more + "'";
  std::string text = "0x";
  for (const std::byte byte : part) {
    constexpr const char* kDigits = "0123456789abcdef";
    text += kDigits[static_cast<unsigned>(byte) >> 4];
    text += kDigits[static_cast<unsigned>(byte) & 15];
  }
  return text + more;
}

bool is_after(const std::optional<ByteVector>& high, Bytes key) {
  return !high || compare_bytes(*high, key) > 0;
}

std::string count_text(const LostRange& range) {
  if (!range.count) return "an unknown number of them is lost";
  if (range.least() == range.most()) return std::to_string(range.most()) + " lost";
  return std::to_string(range.least()) + " to " + std::to_string(range.most()) +
         " lost (the log wrote or erased keys among them)";
}

}  // namespace

void SalvageTarget::note_put(Bytes key, bool there) {
  if (there) return;
  for (LostRange& range : lost) {
    if (!range.covers(key)) continue;
    const bool known = range.all_named();
    if (range.named.erase(to_vector(key)) != 0) {
      ++range.erased;  // and there again
    } else if (!known) {
      ++range.perhaps_back;
    }
  }
}

void SalvageTarget::note_erase(Bytes key, bool there) {
  if (there) return;  // then it was not lost
  for (LostRange& range : lost) {
    if (!range.covers(key)) continue;
    range.named.erase(to_vector(key));
    ++range.erased;
  }
}

void SalvageTarget::note_erase_range(const std::optional<Bytes>& low,
                                     const std::optional<Bytes>& high) {
  std::erase_if(lost, [&](LostRange& range) {
    const bool from_below = !low || compare_bytes(*low, range.low) <= 0;
    const bool to_above = !high || (range.high && compare_bytes(*high, *range.high) >= 0);
    if (from_below && to_above) return true;
    const bool apart =
        (high && compare_bytes(*high, range.low) <= 0) || (low && !is_after(range.high, *low));
    if (!apart) range.perhaps_erased = true;
    return false;
  });
}

void SalvageTarget::lose_one(Bytes key, const PagePtr& ptr, std::string why) {
  LostRange range;
  range.low = to_vector(key);
  range.high = range.low;
  range.high->push_back(std::byte{0});
  range.count = 1;
  range.named.insert(range.low);
  range.ptr = ptr;
  range.why = std::move(why);
  lost.push_back(std::move(range));
}

std::string SalvageTarget::show(Bytes key) const {
  if (collection) {
    if (decode_key(collection->schema(), key)) return describe_key(collection->schema(), key);
  }
  return show_bytes(key);
}

std::string SalvageTarget::show_range(const LostRange& range) const {
  const std::string things = is_keyspace() ? "keys" : "records";
  if (range.low.empty() && !range.high) return "all " + things;
  if (!range.high) return things + " from " + show(range.low) + " on";
  if (range.low.empty()) return things + " before " + show(*range.high);
  return things + " from " + show(range.low) + " to before " + show(*range.high);
}

std::vector<SalvageEvent> closing_events(const SalvageTarget& target, std::uint64_t saved) {
  std::vector<SalvageEvent> events;
  SalvageEvent closing{.kind = SalvageEvent::Kind::kSaved,
                       .subject = target.subject,
                       .name = target.name,
                       .saved = saved};
  const char* const thing = target.is_keyspace() ? "key " : "record ";
  for (const LostRange& range : target.lost) {
    if (range.most() == 0) continue;
    SalvageEvent event{.kind = SalvageEvent::Kind::kLost,
                       .subject = target.subject,
                       .name = target.name,
                       .page = range.ptr.page,
                       .low = range.low,
                       .high = range.high,
                       .lost_least = range.least(),
                       .lost_most = range.most()};
    ByteVector next = range.low;
    next.push_back(std::byte{0});
    const bool one = range.count == 1 && range.high == next;
    event.text = one ? thing + target.show(range.low) + " is lost: " + range.why
                     : target.show_range(range) + ": " + count_text(range) + ": " + range.why;
    closing.lost_least += event.lost_least;
    closing.lost_most = add_counts(closing.lost_most, event.lost_most);
    events.push_back(std::move(event));
    if (one) continue;
    for (const ByteVector& key : range.named)  // counted above
      events.push_back({.kind = SalvageEvent::Kind::kLost,
                        .subject = target.subject,
                        .name = target.name,
                        .text = thing + target.show(key) + " is lost: it was among these",
                        .low = key});
  }
  for (const auto& [key, fields] : target.without) {
    std::string names;
    for (const FieldId field : fields) {
      const Schema& schema = target.collection->schema();
      const std::size_t at = schema.find_id(field);
      if (at == schema.size()) continue;
      names += (names.empty() ? "'" : ", '") + schema.field(at).name + "'";
    }
    if (names.empty()) continue;
    events.push_back({.kind = SalvageEvent::Kind::kLost,
                      .subject = target.subject,
                      .name = target.name,
                      .text = "record " + target.show(key) + " is saved without its vector " +
                              names + ", which is lost",
                      .low = key});
  }
  closing.text = std::to_string(saved) + (target.is_keyspace() ? " keys" : " records") + " saved, ";
  if (closing.lost_most == kUnknownCount) {
    closing.text += "an unknown number lost";
  } else if (closing.lost_least != closing.lost_most) {
    closing.text +=
        std::to_string(closing.lost_least) + " to " + std::to_string(closing.lost_most) + " lost";
  } else {
    closing.text += std::to_string(closing.lost_most) + " lost";
  }
  events.push_back(std::move(closing));
  return events;
}

}  // namespace quire
