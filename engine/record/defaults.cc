#include "engine/record/defaults.h"

#include <algorithm>
#include <chrono>
#include <random>

#include "engine/record/counters.h"
#include "engine/record/value_check.h"

namespace quire {

std::int64_t now_us() noexcept {
  using std::chrono::microseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<microseconds>(now).count();
}

std::array<std::byte, 16> make_uuid() {
  using std::chrono::nanoseconds;
  constexpr std::uint64_t kNsPerMs = 1'000'000;
  const auto now =
      std::chrono::duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  const auto ns = static_cast<std::uint64_t>(now);
  const std::uint64_t fraction = ns % kNsPerMs * 4096 / kNsPerMs;
  thread_local std::random_device random;
  const std::uint64_t low = std::uint64_t{random()} << 32 | random();
  constexpr std::uint64_t kVersion = 7;
  constexpr std::uint64_t kVariant = std::uint64_t{2} << 62;
  std::array<std::byte, 16> uuid;
  store_be(uuid.data(), (ns / kNsPerMs) << 16 | kVersion << 12 | fraction);
  store_be(uuid.data() + 8, kVariant | low >> 2);
  return uuid;
}

std::string uuid_text(const std::array<std::byte, 16>& uuid) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    text.push_back(kDigits[static_cast<unsigned>(uuid[i]) >> 4]);
    text.push_back(kDigits[static_cast<unsigned>(uuid[i]) & 15]);
  }
  return text;
}

Result<std::span<const Value>> Defaults::resolve(View& view, const Collection& collection,
                                                 std::span<const Value> values) {
  const auto is_default = [](const Value& value) { return value.type == FieldType::kDefault; };
  if (values.size() != collection.schema().size() || std::ranges::none_of(values, is_default))
    return values;
  values_.assign(values.begin(), values.end());
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (!is_default(values_[i])) continue;
    QUIRE_TRY(values_[i], make(view, collection, i));
  }
  return std::span<const Value>(values_.data(), values_.size());
}

Result<Value> Defaults::make(View& view, const Collection& collection, std::size_t i) {
  const Field& field = collection.schema().field(i);
  switch (field.rules.default_kind) {
    case DefaultKind::kValue:
      return field.rules.default_value.view();
    case DefaultKind::kNow:
      return Value::of_timestamp(now_us());
    case DefaultKind::kNext: {
      QUIRE_TRY(const std::int64_t last, read_counter(view, collection, i));
      if (last == INT64_MAX)
        return collection.field_failure(ErrorCode::kSchema, i, "its numbers are used up");
      return Value::of_i64(last + 1);
    }
    case DefaultKind::kUuid: {
      const auto uuid = make_uuid();
      if (field.type == FieldType::kText) return keep(uuid_text(uuid), field.type);
      return keep(std::string(as_text(uuid)), field.type);
    }
    case DefaultKind::kVersion:
      return Value::of_i64(1);
    case DefaultKind::kNone:
      break;
  }
  if (field.nullable) return Value::null();
  return collection.field_failure(ErrorCode::kSchema, i, "is missing, and has no default");
}

Result<std::span<const Value>> Defaults::advance(const Collection& collection, const RowView& old,
                                                 std::span<const Value> values) {
  std::span<const Value> now = values;
  for (std::size_t i = 0; i < collection.schema().size(); ++i) {
    if (collection.schema().field(i).rules.default_kind != DefaultKind::kVersion) continue;
    if (now.data() != values_.data()) {
      values_.assign(values.begin(), values.end());
      now = {values_.data(), values_.size()};
    }
    const std::int64_t version = old.value(i).i64;
    if (version == INT64_MAX)
      return collection.field_failure(ErrorCode::kSchema, i, "its versions are used up");
    values_[i] = Value::of_i64(version + 1);
    QUIRE_CHECK(check_value(collection, i, values_[i]));
  }
  return now;
}

Value Defaults::keep(std::string bytes, FieldType type) {
  return Value::of_array(type, as_bytes(std::string_view(kept_.emplace_back(std::move(bytes)))));
}

}  // namespace quire
