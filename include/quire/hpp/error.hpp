// Part of <quire/quire.hpp>: errors, and callbacks that exceptions pass around the C library.
#ifndef QUIRE_HPP_ERROR_HPP
#define QUIRE_HPP_ERROR_HPP

#include <quire/quire.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace quire {
// The names in binaries carry the interface's version: two libraries in one process that were built
// with different versions of these headers do not mix.
inline namespace api1 {

class Error : public std::runtime_error {
 public:
  Error(int code, const std::string& message) : std::runtime_error(message), code_(code) {}

  int code() const noexcept { return code_; }  // QUIRE_ERR_*
  const char* name() const noexcept { return quire_error_name(code_); }

 private:
  int code_;
};

// Throws the calling thread's last error when `code` is one.
inline void require(int code) {
  if (code != QUIRE_OK) throw Error(code, quire_last_error());
}

// True; false when `code` is `negative`, which is an answer here; throws on any other error.
inline bool require_or(int code, int negative) {
  if (code == negative) return false;
  require(code);
  return true;
}

// Told now and then by what takes long how many records of how many are done; false stops it, which
// is then QUIRE_ERR_CANCELLED. What it throws stops it too, and is thrown on.
using Progress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

namespace detail {

// A text that the library gave to be freed with quire_free, which it is.
inline std::string take_text(char* text) {
  struct Owner {
    char* memory;
    ~Owner() { quire_free(memory); }
  } const owner{text};
  return text;
}

// Keeps what a callback throws, because no exception may cross the C library.
class Carried {
 public:
  // What body() returns; 1, which stops the caller, where it throws.
  template <class Body>
  int run(Body body) noexcept {
    try {
      return body();
    } catch (...) {
      error_ = std::current_exception();
      return 1;
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::exception_ptr error_;
};

// What a function of the C interface that calls back for each of them tells.
template <class T>
class List {
 public:
  // Adds what make() gives; for the callback to return.
  template <class Make>
  int add(Make make) noexcept {
    return carried_.run([&] {
      list_.push_back(make());
      return 0;
    });
  }
  // Throws where `code` is an error, what add() threw first.
  std::vector<T> take(int code) {
    carried_.rethrow();
    require(code);
    return std::move(list_);
  }

 private:
  std::vector<T> list_;
  Carried carried_;
};

// A Progress as the C interface takes it: function() and context().
class ProgressCall {
 public:
  explicit ProgressCall(const Progress& progress) : progress_(progress) {}
  ProgressCall(const ProgressCall&) = delete;
  ProgressCall& operator=(const ProgressCall&) = delete;

  quire_progress function() const { return progress_ ? &call : nullptr; }
  void* context() { return this; }
  // Throws where `code` is an error, what the Progress threw first.
  void require(int code) const {
    carried_.rethrow();
    api1::require(code);
  }

 private:
  static int call(void* context, std::uint64_t done, std::uint64_t total) {
    auto* const self = static_cast<ProgressCall*>(context);
    return self->carried_.run([&] { return self->progress_(done, total) ? 0 : 1; });
  }

  const Progress& progress_;
  Carried carried_;
};

}  // namespace detail
}  // namespace api1
}  // namespace quire

#endif  // QUIRE_HPP_ERROR_HPP
