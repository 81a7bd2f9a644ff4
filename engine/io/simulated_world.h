// What the simulated disk and its open files share: the tree of names, the count of operations and
// the faults that wait for one. Internal to engine/io.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/io/simulated_content.h"
#include "engine/io/simulated_disk.h"
#include "engine/io/simulated_locks.h"
#include "engine/io/simulated_random.h"

namespace quire::io {

struct SimulatedNode;
using NodePtr = std::shared_ptr<SimulatedNode>;
using Entries = std::map<std::string, NodePtr>;

// A file or a directory. Held by the entries, cached or durable, that name it, and by open files.
struct SimulatedNode {
  std::uint64_t inode = 0;
  std::unique_ptr<SimulatedContent> content;  // null: a directory
  SimulatedLocks locks;
  Entries entries;          // as seen now
  Entries durable_entries;  // as found after a power loss

  bool is_directory() const { return content == nullptr; }
};

// A change of names that is not durable yet: one name set or removed, or for a rename one of each.
struct NameChange {
  struct Part {
    NodePtr directory;
    std::string name;
    NodePtr before;  // what a removal takes away; null for one that sets a name
    NodePtr after;   // null: the name is removed
  };
  std::vector<Part> parts;
};

// Where a path leads: its directory, its last name, and the node if there is one.
struct Place {
  NodePtr directory;  // null for "/" itself
  std::string name;
  NodePtr node;
};

enum class Outcome : std::uint8_t { kProceed, kCrash, kIo, kFull, kShortWrite, kSyncFailure };

// Thread safety: everything but `mutex` itself is guarded by it; the functions expect it held.
class SimulatedWorld {
 public:
  explicit SimulatedWorld(std::uint64_t seed);

  // Fails after the crash; every operation begins with it.
  Status alive() const;
  // The same for one that changes nothing: counts it, and fails where that was asked for.
  Status look(const char* verb, const std::string& path);
  // Counts one operation that changes something and says what becomes of it.
  Outcome next_operation();
  // One operation in which nothing is done by halves: counts it, and runs `apply` if it goes well,
  // or by chance if the crash hits it.
  template <class Apply>
  Status operate(const char* verb, const std::string& path, Apply apply) {
    const Outcome outcome = next_operation();
    if (outcome == Outcome::kProceed || (outcome == Outcome::kCrash && random.chance(1, 2))) {
      apply();
    }
    return describe(outcome, verb, path);
  }
  // The error of an outcome, or none for kProceed.
  Status describe(Outcome outcome, const char* verb, const std::string& path) const;

  Result<Place> find(const std::string& path, const char* verb) const;
  // The same, with kNotFound where there is no node.
  Result<Place> find_existing(const std::string& path, const char* verb) const;
  NodePtr add_node(const Place& place, bool directory);
  void change(NameChange change);
  void sync_names(const NodePtr& directory);

  std::uint64_t used_bytes() const;
  std::uint64_t free_bytes() const;

  // Other worlds, of after_crash.
  std::shared_ptr<SimulatedWorld> after_power_loss(std::uint64_t seed, bool by_chance) const;
  std::shared_ptr<SimulatedWorld> after_kill(std::uint64_t seed) const;

  mutable std::mutex mutex;
  SimulatedRandom random;
  NodePtr root;
  std::vector<NameChange> pending;  // oldest first
  std::uint64_t operations = 0;
  std::uint64_t looks = 0;
  std::uint64_t failing_look = 0;
  std::uint64_t crash_at = 0;
  bool crashed = false;
  std::map<std::uint64_t, FaultKind> faults;
  std::uint64_t capacity_bytes = UINT64_MAX;
  Overlap overlap = Overlap::kBetween;
  bool read_only = false;
  std::string network_filesystem;
  std::array<std::uint64_t, 2> boot_id;
  std::uint64_t next_inode = 2;
  std::uint64_t next_file = 1;  // tells open files apart in the locks
};

// The path with ".", ".." and repeated slashes resolved.
std::string canonical(const std::string& path);

// Makes a change in a tree of names that `entries_of` gives for each directory, where it still has
// its place there; false where it has not.
template <class EntriesOf>
bool apply_change(const NameChange& change, EntriesOf entries_of) {
  const bool creation = change.parts.size() == 1 && change.parts[0].after != nullptr;
  for (const NameChange::Part& part : change.parts) {
    const Entries& entries = entries_of(part.directory);
    const auto found = entries.find(part.name);
    if (part.after == nullptr && (found == entries.end() || found->second != part.before)) {
      return false;
    }
    if (creation && found != entries.end()) return false;
  }
  for (const NameChange::Part& part : change.parts) {
    Entries& entries = entries_of(part.directory);
    if (part.after == nullptr) {
      entries.erase(part.name);
    } else {
      entries[part.name] = part.after;
    }
  }
  return true;
}

}  // namespace quire::io
