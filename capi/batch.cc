#include "engine/record/batch.h"

#include <algorithm>

#include "capi/given.h"
#include "engine/record/value_check.h"

using namespace quire;
using namespace quire::capi;

namespace {

constexpr std::uint64_t kDaySeconds = 86'400;
constexpr std::uint64_t kMostRememberedSeconds = 100 * 365 * kDaySeconds;
constexpr std::int64_t kUsPerSecond = 1'000'000;

static_assert(static_cast<int>(ChangeKind::kInsert) == QUIRE_CHANGE_INSERT);
static_assert(static_cast<int>(ChangeKind::kUpsert) == QUIRE_CHANGE_UPSERT);
static_assert(static_cast<int>(ChangeKind::kUpdate) == QUIRE_CHANGE_UPDATE);
static_assert(static_cast<int>(ChangeKind::kErase) == QUIRE_CHANGE_DELETE);

// The caller's changes as the engine takes them. Spans of the changes lie in the two vectors.
class GivenChanges {
 public:
  // Everything is looked at before the first is carried out. kInvalid, kType, with the place.
  Status take(const Collection& collection, const quire_change* given, size_t count) {
    if (given == nullptr && count != 0) return fail(ErrorCode::kInvalid, "changes is NULL");
    reserve(given, count);
    for (size_t i = 0; i < count; ++i) {
      const Status taken = take_one(collection, given[i]);
      if (!taken) return std::unexpected(taken.error().with_context("change " + std::to_string(i)));
    }
    return {};
  }
  std::span<const Change> changes() const noexcept { return changes_; }

 private:
  void reserve(const quire_change* given, size_t count) {
    size_t values = 0;
    size_t expected = 0;
    for (size_t i = 0; i < count; ++i) {
      values += given[i].key_count + given[i].value_count;
      expected += given[i].expected_count;
    }
    values_.reserve(values);
    expected_.reserve(expected);
    changes_.reserve(count);
  }

  static Status check(const Collection& collection, const quire_change& given) {
    const bool has_key = given.kind == QUIRE_CHANGE_UPDATE || given.kind == QUIRE_CHANGE_DELETE;
    if (given.kind < QUIRE_CHANGE_INSERT || given.kind > QUIRE_CHANGE_DELETE)
      return fail(ErrorCode::kInvalid, "kind %u is not a QUIRE_CHANGE_*", given.kind);
    if (given.reserved != 0) return fail(ErrorCode::kInvalid, "reserved is not 0");
    if (!has_key && (given.key != nullptr || given.key_count != 0))
      return fail(ErrorCode::kInvalid, "an insert or upsert has its key in its values");
    if (has_key && given.key == nullptr) return fail(ErrorCode::kInvalid, "the key is NULL");
    if (has_key) QUIRE_CHECK(check_key_count(collection, given.key_count));
    if (given.kind != QUIRE_CHANGE_UPDATE && given.fields != nullptr)
      return fail(ErrorCode::kInvalid, "only an update has a list of fields");
    if (given.kind == QUIRE_CHANGE_UPDATE && given.fields == nullptr && given.value_count != 0)
      return fail(ErrorCode::kInvalid, "fields is NULL");
    if (given.kind == QUIRE_CHANGE_DELETE && (given.values != nullptr || given.value_count != 0))
      return fail(ErrorCode::kInvalid, "a deletion has no values");
    if (given.kind == QUIRE_CHANGE_INSERT &&
        (given.expected != nullptr || given.expected_count != 0))
      return fail(ErrorCode::kInvalid, "an insert expects nothing of its record");
    return {};
  }

  Status take_one(const Collection& collection, const quire_change& given) {
    QUIRE_CHECK(check(collection, given));
    Change& change = changes_.emplace_back();
    change.kind = static_cast<ChangeKind>(given.kind);
    QUIRE_TRY(change.key, keep(values_of(given.key, given.key_count)));
    QUIRE_TRY(change.values, keep(values_of(given.values, given.value_count)));
    if (given.fields != nullptr) change.fields = {given.fields, given.value_count};
    QUIRE_TRY(const Conditions expected, conditions_of(given.expected, given.expected_count));
    const std::size_t first = expected_.size();
    expected_.insert(expected_.end(), expected.begin(), expected.end());
    change.expected = std::span<const Expected>(expected_).subspan(first);
    return {};
  }

  Result<std::span<const Value>> keep(const Result<Values>& values) {
    if (!values) return std::unexpected(values.error());
    const std::size_t first = values_.size();
    values_.insert(values_.end(), values->begin(), values->end());
    return std::span<const Value>(values_).subspan(first);
  }

  std::vector<Value> values_;
  std::vector<Expected> expected_;
  std::vector<Change> changes_;
};

// Whether the collection's new records may get their keys from a function of the caller's.
bool makes_keys(quire_txn* txn, const Collection& collection) {
  SharedDatabase& shared = *txn->db->shared;
  const std::scoped_lock lock(shared.key_mutex);
  return shared.key_functions.contains(collection.name());
}

Result<BatchTerms> terms_of(const quire_batch_options& options) {
  BatchTerms terms;
  if ((options.flags & ~static_cast<std::uint32_t>(QUIRE_BATCH_PARTIAL)) != 0 ||
      options.reserved != 0)
    return fail(ErrorCode::kInvalid, "quire_batch_apply: unknown flags");
  terms.partial = (options.flags & QUIRE_BATCH_PARTIAL) != 0;
  if (options.key.data == nullptr && options.key.size == 0) return terms;
  if (options.key.data == nullptr || options.key.size == 0)
    return fail(ErrorCode::kInvalid, "the idempotency key is NULL or empty");
  if (options.remember_s > kMostRememberedSeconds)
    return fail(ErrorCode::kInvalid, "remember_s is over 100 years");
  terms.key = as_text(bytes_of(options.key.data, options.key.size));
  const std::uint64_t seconds = options.remember_s != 0 ? options.remember_s : kDaySeconds;
  terms.remember_us = static_cast<std::int64_t>(seconds) * kUsPerSecond;
  return terms;
}

// The keys that are told, in the caller's array; the others are null. `kept` owns what they are.
Status fill_keys(const Collection& collection, const BatchOutcome& outcome,
                 std::vector<OwnedValue>& kept, std::span<quire_value> keys) {
  const std::size_t fields = collection.schema().key().size();
  kept.clear();
  kept.reserve(outcome.keys.size() * fields);  // so that none of them moves
  for (const auto& [place, key] : outcome.keys) {
    QUIRE_TRY(std::vector<OwnedValue> parts, decode_key(collection.schema(), bytes_of(key)));
    for (std::size_t i = 0; i < fields; ++i) {
      kept.push_back(std::move(parts[i]));
      keys[place * fields + i] = public_value(kept.back().view());
    }
  }
  return {};
}

// Room for all that may be told, emptied. kInvalid.
Result<std::span<quire_value>> room_for_keys(const quire_batch_options& options,
                                             const Collection& collection, size_t count) {
  const std::size_t fields = collection.schema().key().size();
  if (options.keys == nullptr && options.key_room != 0)
    return fail(ErrorCode::kInvalid, "quire_batch_options.keys is NULL, its room is %zu",
                options.key_room);
  if (options.keys != nullptr && options.key_room / fields < count)
    return fail(ErrorCode::kInvalid,
                "quire_batch_options.keys has room for %zu values: %zu changes have %zu each",
                options.key_room, count, fields);
  if (options.keys == nullptr) return std::span<quire_value>();
  const std::span<quire_value> keys(options.keys, count * fields);
  std::ranges::fill(keys, quire_value{});
  return keys;
}

void fill_results(const std::vector<Error>& errors, const BatchOutcome& outcome, size_t count,
                  quire_change_result* results) {
  if (results == nullptr) return;
  for (size_t i = 0; i < count; ++i) results[i] = {QUIRE_OK, 0, nullptr};
  for (std::size_t i = 0; i < errors.size(); ++i)
    results[outcome.failed[i].place] = {-static_cast<int>(errors[i].code()), 0,
                                        errors[i].message().c_str()};
}

void fill_result(const BatchOutcome& outcome, size_t count, quire_batch_result* result) {
  if (result == nullptr) return;
  quire_batch_result filled{};
  filled.failed = outcome.failed.size();
  filled.applied = outcome.undone ? 0 : count - outcome.failed.size();
  filled.first_failed = outcome.failed.empty() ? UINT64_MAX : outcome.failed.front().place;
  filled.replayed = outcome.replayed ? 1 : 0;
  filled.size = result->size;
  std::memcpy(static_cast<void*>(result), &filled, std::min(result->size, sizeof filled));
}

}  // namespace

extern "C" int quire_batch_apply(quire_txn* txn, quire_collection collection,
                                 const quire_change* changes, size_t count,
                                 const quire_batch_options* options, quire_change_result* results,
                                 quire_batch_result* result) {
  if (result != nullptr && result->size < sizeof(size_t))
    return report(QUIRE_ERR_INVALID, "quire_batch_apply: result->size is not set");
  quire_batch_options known;
  if (const int code = read_options(options, known, "quire_batch_options"); code != QUIRE_OK)
    return code;
  return change_records(txn, collection, [&](const Collection& opened) -> int {
    auto terms = terms_of(known);
    if (!terms) return report(terms.error());
    const auto keys = room_for_keys(known, opened, count);
    if (!keys) return report(keys.error());
    terms->tell_keys = known.keys != nullptr;
    GivenChanges given;
    if (const Status taken = given.take(opened, changes, count); !taken)
      return report(taken.error());
    Values made;  // of the record at work
    if (makes_keys(txn, opened))
      terms->make_key = [&](std::span<const Value> values) -> Result<std::span<const Value>> {
        made.assign(values.begin(), values.end());
        QUIRE_CHECK(fill_made_key(txn, opened, made));
        return span_of(made);
      };
    const auto outcome = apply_batch(*txn->write, opened, given.changes(), *terms);
    if (!outcome) return report(outcome.error());
    txn->batch_errors.clear();
    for (const FailedChange& one : outcome->failed) txn->batch_errors.push_back(one.error);
    fill_results(txn->batch_errors, *outcome, count, results);
    fill_result(*outcome, count, result);
    if (const Status told = fill_keys(opened, *outcome, txn->batch_keys, *keys); !told)
      return report(told.error());
    if (!outcome->undone) return QUIRE_OK;
    const FailedChange& first = outcome->failed.front();
    return report(first.error.with_context("change " + std::to_string(first.place)));
  });
}
