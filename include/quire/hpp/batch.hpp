// Part of <quire/quire.hpp>: conditions, and many changes at once.
#ifndef QUIRE_HPP_BATCH_HPP
#define QUIRE_HPP_BATCH_HPP

#include <quire/hpp/value.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quire {
inline namespace api1 {

// A value that a field has to have for a change to be carried out.
using Expected = quire_expected;
inline Expected expected(std::uint32_t field, const Value& value) { return {field, 0, value}; }

// A change in a batch. Borrows all that it is made of.
using Change = quire_change;
inline Change insertion(std::span<const Value> values) {
  Change change{};
  change.kind = QUIRE_CHANGE_INSERT;
  change.values = values.data();
  change.value_count = values.size();
  return change;
}
inline Change upsertion(std::span<const Value> values, std::span<const Expected> expected = {}) {
  Change change = insertion(values);
  change.kind = QUIRE_CHANGE_UPSERT;
  change.expected = expected.data();
  change.expected_count = expected.size();
  return change;
}
// The key is kept by its caller, also where it is a single value.
inline Change deletion(Key key, std::span<const Expected> expected = {}) {
  Change change{};
  change.kind = QUIRE_CHANGE_DELETE;
  change.key = key.data();
  change.key_count = key.size();
  change.expected = expected.data();
  change.expected_count = expected.size();
  return change;
}
// As many fields as values.
inline Change alteration(Key key, std::span<const std::uint32_t> fields,
                         std::span<const Value> values, std::span<const Expected> expected = {}) {
  Change change = deletion(key, expected);
  change.kind = QUIRE_CHANGE_UPDATE;
  change.fields = fields.data();
  change.values = values.data();
  change.value_count = values.size();
  return change;
}

struct BatchOptions {
  bool partial = false;          // each change stands or falls by itself
  std::string_view key{};        // idempotency key; empty: none
  std::uint64_t remember_s = 0;  // how long that is remembered; 0: a day
  bool keys = false;             // tell those of the records that are written
};
// A change of an atomic batch failed: nothing is changed.
class BatchError : public Error {
 public:
  BatchError(const Error& error, std::size_t change) : Error(error), change_(change) {}

  std::size_t change() const noexcept { return change_; }  // its place, from 0

 private:
  std::size_t change_;
};
struct ChangeResult {
  int code = QUIRE_OK;
  std::string message{};  // empty where it was replayed
  // Of the record that an insert or upsert wrote, where keys were asked for; else empty. Borrowed
  // until the next batch of the transaction, or its end.
  std::vector<Value> key{};
};
struct BatchResult {
  std::uint64_t applied = 0;
  std::uint64_t failed = 0;
  bool replayed = false;  // nothing was changed: this is what it gave when it was applied
  std::vector<ChangeResult> changes{};  // one each, in their order
};

}  // namespace api1
}  // namespace quire

#endif  // QUIRE_HPP_BATCH_HPP
