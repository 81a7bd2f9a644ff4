// Errors as values. No exception crosses a folder: every function that can fail returns
// Result<T> (or Status), and the compiler complains when one is dropped.
//
// An Error is one code, which never changes meaning and is the C API's return value, and one
// sentence for the user that names the thing that is wrong: the path, page, key or field.
//
// Errors never throw: where there is no memory for the sentence, the code's own name stands for it.
// So an error can be made, passed on and kept wherever something fails, memory included.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace quire {

// The values are the negated return values of the C API (include/quire/quire.h). A code is never
// renumbered or reused.
enum class ErrorCode : std::int32_t {
  kOk = 0,
  kNotFound = 1,        // no such key, keyspace, collection, record or field
  kExists = 2,          // the key, keyspace, collection or database is there already
  kInvalid = 3,         // an argument is wrong
  kKeySize = 4,         // a key is empty or longer than the limit
  kValueSize = 5,       // a value is longer than the limit
  kType = 6,            // a value's type, or a structure's kind, is not what was asked for
  kSchema = 7,          // a record does not fit its schema
  kNotDatabase = 8,     // wrong magic: the file is not Quire's
  kVersion = 9,         // format version this library does not read
  kByteOrder = 10,      // written on a machine of the other byte order
  kWrongId = 11,        // a file of another database
  kPageSize = 12,       // page size out of range, or other than the file says
  kCorrupt = 13,        // a checksum or an invariant does not hold
  kTruncated = 14,      // a file is shorter than its contents say
  kLogDamaged = 15,     // the log has a hole before records that were synced
  kBusy = 16,           // somebody else holds the writer's place
  kTimeout = 17,        // waited as long as was asked
  kReadOnly = 18,       // a write through a read-only handle, transaction or file system
  kPermission = 19,     // the system refused access
  kFull = 20,           // no space left on the device
  kQuota = 21,          // the database's own quota is reached
  kIo = 22,             // any other failure of the system
  kTooManyFiles = 23,   // out of file descriptors
  kNoMemory = 24,       // out of memory
  kPoisoned = 25,       // a write or sync failed before; reopen to recover
  kClosed = 26,         // use of a handle after close or end
  kForked = 27,         // use of a handle in a forked child
  kThread = 28,         // a transaction or cursor was used by two threads at once
  kTooLarge = 29,       // a limit of the format is reached (pages, keyspaces, nesting)
  kNotSupported = 30,   // this build, machine or file system can't do it
  kNeedsRecovery = 31,  // crashed database that this process may not recover
  kLockLost = 32,       // `lock` was deleted or replaced while the database is open
  kReadersFull = 33,    // no place left in the reader table
  kConflict = 34,       // state changed under the caller (e.g. a savepoint out of order)
  kCancelled = 35,      // the caller asked to stop
  kUnique = 36,         // another record has this key in a unique index
  kBudget = 37,         // a query needs more than it was allowed
};

// A stable lower-case name ("not_found") for messages and JSON.
std::string_view error_name(ErrorCode code) noexcept;

class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message) noexcept;
  // With the code's name for a sentence; needs no memory.
  explicit Error(ErrorCode code) noexcept : code_(code) {}
  Error(const Error& other) noexcept : code_(other.code_), sentence_(other.sentence_) { share(); }
  Error(Error&& other) noexcept
      : code_(other.code_), sentence_(std::exchange(other.sentence_, nullptr)) {}
  Error& operator=(const Error& other) noexcept {
    if (this != &other) *this = Error(other);
    return *this;
  }
  Error& operator=(Error&& other) noexcept {
    code_ = other.code_;
    std::swap(sentence_, other.sentence_);
    return *this;
  }
  ~Error() { drop(); }

  ErrorCode code() const noexcept { return code_; }
  const std::string& message() const noexcept;
  // The same error with words in front: "load of FILE: ..." .
  Error with_context(std::string_view context) const noexcept;

 private:
  // Shared by copies and never changed, so that a copy needs no memory.
  struct Sentence {
    std::string text;
    std::atomic<std::uint32_t> owners{1};
  };
  void share() const noexcept {
    if (sentence_ != nullptr) sentence_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  void drop() noexcept {
    if (sentence_ != nullptr && sentence_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete sentence_;
  }

  ErrorCode code_;
  Sentence* sentence_ = nullptr;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

// printf-like construction of the unexpected side: return fail(ErrorCode::kInvalid, "...", ...).
[[gnu::format(printf, 2, 3)]] std::unexpected<Error> fail(ErrorCode code, const char* format,
                                                          ...) noexcept;
// The same from an errno value: maps ENOSPC, EACCES, EMFILE ... to their codes and appends the
// system's own words. `what` says what was tried on what: "write 4096 bytes at 8192 to /x/data".
[[gnu::format(printf, 2, 3)]] std::unexpected<Error> fail_errno(int error, const char* format,
                                                                ...) noexcept;
// What an operation that memory ended says. No words: they would need some.
inline std::unexpected<Error> out_of_memory() noexcept {
  return std::unexpected(Error(ErrorCode::kNoMemory));
}
// Runs `body`, which returns a Result; where memory ends in it, the result says so.
template <class Body>
auto catch_out_of_memory(Body&& body) noexcept -> decltype(body()) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

}  // namespace quire

#define QUIRE_CONCAT_INNER(a, b) a##b
#define QUIRE_CONCAT(a, b) QUIRE_CONCAT_INNER(a, b)
// Leaves the function with the error of `expression` (a Status), if it has one.
#define QUIRE_CHECK(expression)                                       \
  do {                                                                \
    if (auto quire_status = (expression); !quire_status) [[unlikely]] \
      return std::unexpected(std::move(quire_status).error());        \
  } while (false)
// QUIRE_TRY(auto x, f()): declares or assigns x from a Result, or leaves with its error.
#define QUIRE_TRY(target, expression) \
  QUIRE_TRY_INNER(QUIRE_CONCAT(quire_result_, __LINE__), target, expression)
#define QUIRE_TRY_INNER(temp, target, expression)    \
  auto temp = (expression);                          \
  if (!temp) [[unlikely]]                            \
    return std::unexpected(std::move(temp).error()); \
  target = std::move(*temp)
