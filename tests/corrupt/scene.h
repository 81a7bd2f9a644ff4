// What the corruption campaign damages: small databases with every structure in them, each with all
// that is needed to judge what a damaged copy says.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/db/workload.h"

namespace quire::test {

inline const std::string kDataPath = std::string(kDatabasePath) + "/data";
inline const std::string kLogPath = std::string(kDatabasePath) + "/wal";

// One record of the log behind the checkpoint.
struct LoggedRecord {
  std::string path;  // of its segment
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t lsn = 0;
  std::uint64_t synced_lsn = 0;  // that it knows of
  std::size_t commit = 0;        // that is whole with it
};

// A database at rest, and the truth about it. Immutable once made.
struct Scene {
  std::string name;
  std::unique_ptr<io::SimulatedDisk> disk;
  std::unique_ptr<io::SimulatedDisk> older;    // the same database some commits before
  std::unique_ptr<io::SimulatedDisk> foreign;  // another one
  DatabaseOptions options;                     // for opening what is there
  std::vector<State> history;                  // by the number of the commit
  std::vector<State> foreign_history;          // of the other one
  std::size_t last = 0;                        // newest commit
  std::size_t at_checkpoint = 0;               // commits that `data` has
  std::vector<LoggedRecord> log;               // behind the checkpoint
  std::uint64_t used_bytes = 0;                // of `data`: pages of the checkpoint
  std::uint64_t catalog_page = 0;              // the root of its catalog
  std::vector<std::string> files;              // data and the segments
};

std::vector<std::string> scene_names();
Scene make_scene(const std::string& name, std::uint64_t seed);

// What a copy with this damage may be a state of: where `data` is another database's, whole, that
// one's, which nothing can tell from the real one unless a log is there.
const std::vector<State>& history_for(const Scene& scene, bool foreign_data);

// All of a file.
std::string bytes_of(io::Disk& disk, const std::string& path);
void replace_file(io::Disk& disk, const std::string& path, const std::string& bytes);

// Record numbers are the engine's own business: a salvage gives new ones.
State without_numbers(const State& state);

}  // namespace quire::test
