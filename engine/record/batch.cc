#include "engine/record/batch.h"

#include <bit>

#include "engine/base/checksum.h"
#include "engine/record/batch_memory.h"
#include "engine/record/defaults.h"
#include "engine/record/record_writer.h"

namespace quire {
namespace {

// That are to be forgotten and go with each batch that has a key: more than it adds, so that those
// of busier days go too, and few enough to be no pause.
constexpr std::size_t kForgottenAtOnce = 256;

void put_value(ByteWriter& writer, const Value& value) {
  writer.put(static_cast<std::uint8_t>(value.type));
  if (is_vector(value.type)) {
    writer.put_varint(value.dimension);
    writer.put_bytes(value.vector_bytes());
  } else if (is_variable(value.type)) {
    writer.put_sized(value.bytes);
  } else if (value.type == FieldType::kBool) {
    writer.put(static_cast<std::uint8_t>(value.boolean ? 1 : 0));
  } else if (value.type == FieldType::kF64) {
    writer.put(std::bit_cast<std::uint64_t>(value.f64));
  } else if (fixed_size(value.type) != 0) {
    writer.put(static_cast<std::uint64_t>(value.i64));
  }
}

void put_values(ByteWriter& writer, std::span<const Value> values) {
  writer.put_varint(values.size());
  for (const Value& value : values) put_value(writer, value);
}

void put_change(ByteWriter& writer, const Change& change) {
  writer.put(static_cast<std::uint8_t>(change.kind));
  put_values(writer, change.key);
  writer.put_varint(change.fields.size());
  for (const std::uint32_t field : change.fields) writer.put_varint(field);
  put_values(writer, change.values);
  writer.put_varint(change.expected.size());
  for (const Expected& one : change.expected) {
    writer.put_varint(one.field);
    put_value(writer, one.value);
  }
}

// Carries out one batch.
class Batch {
 public:
  Batch(WriteTxn& txn, const Collection& collection, std::span<const Change> changes,
        const BatchTerms& terms)
      : txn_(txn), collection_(collection), changes_(changes), terms_(terms) {}

  Result<BatchOutcome> run() {
    QUIRE_CHECK(txn_.usable());
    if (terms_.key.size() > kMaxBatchKeySize)
      return fail(ErrorCode::kInvalid, "an idempotency key of %zu bytes: must have 1 to %zu",
                  terms_.key.size(), kMaxBatchKeySize);
    if (terms_.key.empty()) {
      QUIRE_CHECK(carry_out());
      return std::move(outcome_);
    }
    now_us_ = now_us();
    contents_ = hash_of(changes_, terms_.partial);
    QUIRE_TRY(std::optional<RememberedBatch> before,
              find_batch(txn_, collection_.id(), terms_.key, now_us_));
    if (before) return replay(*before);
    QUIRE_CHECK(carry_out());
    if (!outcome_.undone) QUIRE_CHECK(remember());
    return std::move(outcome_);
  }

 private:
  Result<BatchOutcome> replay(RememberedBatch& before) {
    if (before.contents != contents_ || before.changes != changes_.size())
      return collection_.failure(ErrorCode::kInvalid,
                                 "the idempotency key '" + std::string(terms_.key) +
                                     "' was used for another batch, of " +
                                     std::to_string(before.changes) + " changes");
    outcome_.replayed = true;
    for (const auto& [place, code] : before.failed)
      outcome_.failed.push_back({static_cast<std::size_t>(place), Error(code)});
    if (terms_.tell_keys) outcome_.keys = std::move(before.keys);
    return std::move(outcome_);
  }

  Status carry_out() {
    if (terms_.partial) return apply_each();
    // A change that fails changes nothing: only those before it have to be undone.
    if (changes_.size() < 2) return apply_all();
    QUIRE_TRY(const std::size_t before, txn_.savepoint());
    QUIRE_CHECK(apply_all());
    if (outcome_.undone) {
      outcome_.keys.clear();
      QUIRE_CHECK(txn_.rollback_to(before));
    }
    return txn_.release(before);
  }

  Status apply_each() {
    for (std::size_t i = 0; i < changes_.size(); ++i) QUIRE_CHECK(apply_one(i));
    return {};
  }

  Status apply_all() {
    for (std::size_t i = 0; i < changes_.size() && !outcome_.undone; ++i) {
      QUIRE_CHECK(apply_one(i));
      outcome_.undone = !outcome_.failed.empty();
    }
    return {};
  }

  // An error is one of the system; that of a change goes into the outcome.
  Status apply_one(std::size_t place) {
    EncodedKey key;
    auto applied = apply(changes_[place], key);
    if (applied && terms_.tell_keys && !key.empty())
      outcome_.keys.emplace_back(place, std::move(key));
    if (applied) return {};
    Error error = std::move(applied).error();
    if (WriteTxn::breaks(error.code()))
      return txn_.break_with(error.with_context("change " + std::to_string(place)));
    outcome_.failed.push_back({place, std::move(error)});
    return {};
  }

  // `key` gets that of the record that an insert or upsert wrote.
  Status apply(const Change& change, EncodedKey& key) {
    const ChangeTerms terms{.expected = change.expected};
    switch (change.kind) {
      case ChangeKind::kInsert: {
        QUIRE_TRY(const std::span<const Value> values, with_key(change.values));
        return insert_record(txn_, collection_, values, &key);
      }
      case ChangeKind::kUpsert: {
        QUIRE_TRY(const std::span<const Value> values, with_key(change.values));
        return upsert_record(txn_, collection_, values, &key, terms);
      }
      case ChangeKind::kUpdate:
        return update_record(txn_, collection_, change.key, change.fields, change.values, terms);
      case ChangeKind::kErase:
        return erase_record(txn_, collection_, change.key, terms);
    }
    return fail(ErrorCode::kInvalid, "there is no kind of change %u",
                static_cast<unsigned>(change.kind));
  }

  Result<std::span<const Value>> with_key(std::span<const Value> values) const {
    if (!terms_.make_key) return values;
    return terms_.make_key(values);
  }

  Status remember() {
    QUIRE_CHECK(forget_batches(txn_, now_us_, kForgottenAtOnce));
    RememberedBatch batch{
        .contents = contents_, .changes = changes_.size(), .failed = {}, .keys = outcome_.keys};
    for (const FailedChange& one : outcome_.failed)
      batch.failed.emplace_back(one.place, one.error.code());
    return remember_batch(txn_, collection_.id(), terms_.key, batch, now_us_ + terms_.remember_us);
  }

  WriteTxn& txn_;
  const Collection& collection_;
  std::span<const Change> changes_;
  const BatchTerms& terms_;
  std::int64_t now_us_ = 0;
  std::uint64_t contents_ = 0;
  BatchOutcome outcome_;
};

}  // namespace

std::uint64_t hash_of(std::span<const Change> changes, bool partial) {
  Checksum hash;
  ByteVector bytes;
  ByteWriter(bytes).put(static_cast<std::uint8_t>(partial ? 1 : 0));
  hash.update(bytes);
  for (const Change& change : changes) {
    bytes.clear();
    ByteWriter writer(bytes);
    put_change(writer, change);
    hash.update(bytes);
  }
  return hash.digest();
}

Result<BatchOutcome> apply_batch(WriteTxn& txn, const Collection& collection,
                                 std::span<const Change> changes, const BatchTerms& terms) {
  return Batch(txn, collection, changes, terms).run();
}

}  // namespace quire
