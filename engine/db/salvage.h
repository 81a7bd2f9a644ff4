// Salvage: everything that can still be read of a damaged database, put into a new one, with an
// exact list of what could not.
//
// Page pointers carry checksums and counts, so what is saved is what was there, and what is lost is
// known to the entry, as long as one root is good. The damaged files are only ever read.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "engine/db/database.h"

namespace quire {

struct SalvageOptions {
  // Also take leaves that no checksum vouches for: they are listed one by one.
  bool unverified = false;
  // Of the new database: its kinds of index, and its segment sizes (tests); nothing else counts.
  DatabaseOptions database;
};

inline constexpr std::uint64_t kUnknownCount = UINT64_MAX;

struct SalvageEvent {
  // Values are those of QUIRE_RECOVER_* in quire.h.
  enum class Kind : std::uint8_t {
    kNote = 1,        // what was found; nothing is lost by it
    kLost = 2,        // something is lost
    kUnverified = 3,  // saved from a page that nothing vouches for
    kSaved = 4,       // closes a keyspace or collection: what is in the new database
  };
  enum class Subject : std::uint8_t { kDatabase = 0, kKeyspace = 1, kCollection = 2, kLog = 3 };

  Kind kind = Kind::kNote;
  Subject subject = Subject::kDatabase;
  std::string name = {};  // of the keyspace or collection
  std::string text = {};  // the sentence
  PageNumber page = 0;    // that is damaged; 0: none
  // The keys in [low, high) are meant, as their tree has them.
  std::optional<ByteVector> low = {};
  std::optional<ByteVector> high = {};
  std::uint64_t saved = 0;       // keys or records
  std::uint64_t lost_least = 0;  // differs from the next only where the log changed lost ranges
  std::uint64_t lost_most = 0;   // kUnknownCount where nothing says how many there were
};

struct SalvageTotals {
  bool complete = true;  // nothing is lost
  std::uint64_t keyspaces = 0;
  std::uint64_t collections = 0;
  std::uint64_t saved = 0;       // keys and records
  std::uint64_t lost_least = 0;  // of those that were counted
  std::uint64_t lost_most = 0;   // kUnknownCount as above
  std::uint64_t commits = 0;     // of the log, carried out
};

// Makes `new_path` from what can be read of `damaged`. Calls `report` for each thing found, last
// the closing ones of each keyspace and collection; false stops (kCancelled). Holds the damaged
// database against writers and new readers meanwhile: kBusy where somebody writes. kExists where
// there is something at `new_path`; kNotDatabase where nothing of a database can be found. After an
// error there is nothing at `new_path`, as far as that is in our power.
Result<SalvageTotals> salvage(io::Disk& disk, const std::string& damaged,
                              const std::string& new_path, const SalvageOptions& options,
                              const std::function<bool(const SalvageEvent&)>& report);

}  // namespace quire
