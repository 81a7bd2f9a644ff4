// Part of <quire/quire.hpp>: looking at the files of a database, and recovering what is damaged.
#ifndef QUIRE_HPP_FILES_HPP
#define QUIRE_HPP_FILES_HPP

#include <quire/hpp/error.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace quire {
inline namespace api1 {

// JSON text about a part of the files (QUIRE_INSPECT_*); the database is not opened.
inline std::string inspect(const std::string& path, std::uint32_t what, std::uint64_t number = 0) {
  char* json = nullptr;
  require(quire_inspect(path.c_str(), what, number, &json));
  return detail::take_text(json);
}

struct RecoverResult {
  bool complete = false;  // nothing is lost, and nothing unverified
  std::uint64_t keyspaces = 0;
  std::uint64_t collections = 0;
  std::uint64_t saved = 0;
  std::uint64_t lost_least = 0;
  std::uint64_t lost_most = 0;  // UINT64_MAX: nothing tells
  std::uint64_t commits = 0;
};

// Told of each thing found, whose memory is good until it returns; false stops the recovery.
using Report = std::function<bool(const quire_finding& finding)>;

// Makes the database `new_path` out of what can be read of the damaged one, as quire_recover has
// it. flags: 0, QUIRE_RECOVER_UNVERIFIED. Throws, and there is no new database, on any error but
// that something is lost.
inline RecoverResult recover(const std::string& damaged, const std::string& new_path,
                             std::uint32_t flags = 0, const Report& report = {}) {
  struct Call {
    const Report& report;
    detail::Carried carried;
    static int visit(void* context, const quire_finding* finding) {
      auto* const self = static_cast<Call*>(context);
      return self->carried.run([&] { return self->report(*finding) ? 0 : 1; });
    }
  } call{report, {}};
  quire_recover_options options = QUIRE_RECOVER_OPTIONS_INIT;
  options.flags = flags;
  quire_recover_result result{};
  result.size = sizeof result;
  const int code = quire_recover(damaged.c_str(), new_path.c_str(), &options,
                                 report ? &Call::visit : nullptr, &call, &result);
  call.carried.rethrow();
  const bool complete = require_or(code, QUIRE_ERR_CORRUPT);
  return {complete,          result.keyspaces, result.collections, result.saved,
          result.lost_least, result.lost_most, result.commits};
}

}  // namespace api1
}  // namespace quire

#endif  // QUIRE_HPP_FILES_HPP
