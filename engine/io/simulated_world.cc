#include "engine/io/simulated_world.h"

#include <algorithm>
#include <set>

namespace quire::io {
namespace {

// The names of a path, with "." and ".." resolved as in a tree without links.
std::vector<std::string> split_path(const std::string& path) {
  std::vector<std::string> names;
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string name = path.substr(begin, end - begin);
    begin = end + 1;
    if (name == "..") {
      if (!names.empty()) names.pop_back();
    } else if (!name.empty() && name != ".") {
      names.push_back(name);
    }
  }
  return names;
}

void add_backed(const NodePtr& node, std::uint64_t& total) {
  if (!node->is_directory()) total += node->content->backed_bytes();
  for (const auto& [name, child] : node->entries) add_backed(child, total);
}

// The names that are found after a power loss. Directories without an entry of their own are as
// their durable_entries say.
using NameView = std::unordered_map<const SimulatedNode*, Entries>;

NameView surviving_names(const SimulatedWorld& world, SimulatedRandom* random) {
  NameView view;
  const auto entries_of = [&](const NodePtr& directory) -> Entries& {
    return view.try_emplace(directory.get(), directory->durable_entries).first->second;
  };
  if (random == nullptr) return view;
  // As with sectors: all, none or some of them.
  const std::uint64_t kept_of_8 = random->below(9);
  for (const NameChange& change : world.pending) {
    if (random->chance(kept_of_8, 8)) apply_change(change, entries_of);
  }
  return view;
}

NodePtr build_node(const NodePtr& old, const NameView& view, SimulatedRandom* random) {
  auto node = std::make_shared<SimulatedNode>();
  node->inode = old->inode;
  if (!old->is_directory()) {
    node->content = old->content->after_power_loss(random);
    return node;
  }
  const auto seen = view.find(old.get());
  const Entries& entries = seen == view.end() ? old->durable_entries : seen->second;
  for (const auto& [name, child] : entries) {
    node->entries[name] = build_node(child, view, random);
  }
  node->durable_entries = node->entries;
  return node;
}

// Copies nodes with all that leads to them, each once.
class TreeCopier {
 public:
  NodePtr copy(const NodePtr& old) {
    if (old == nullptr) return nullptr;
    if (const auto found = copies_.find(old.get()); found != copies_.end()) return found->second;
    auto node = std::make_shared<SimulatedNode>();
    copies_.emplace(old.get(), node);
    node->inode = old->inode;
    if (!old->is_directory()) node->content = old->content->clone();
    node->entries = copy(old->entries);
    node->durable_entries = copy(old->durable_entries);
    return node;
  }
  NameChange copy(const NameChange& change) {
    NameChange result;
    for (const NameChange::Part& part : change.parts) {
      result.parts.push_back(
          {copy(part.directory), part.name, copy(part.before), copy(part.after)});
    }
    return result;
  }

 private:
  Entries copy(const Entries& entries) {
    Entries result;
    for (const auto& [name, node] : entries) result[name] = copy(node);
    return result;
  }
  std::unordered_map<const SimulatedNode*, NodePtr> copies_;
};

// The properties of the machine, which no crash changes.
void copy_machine(const SimulatedWorld& from, SimulatedWorld& to) {
  to.capacity_bytes = from.capacity_bytes;
  to.overlap = from.overlap;
  to.read_only = from.read_only;
  to.network_filesystem = from.network_filesystem;
  to.next_inode = from.next_inode;
}

}  // namespace

std::string canonical(const std::string& path) {
  std::string result;
  for (const std::string& name : split_path(path)) result.append("/").append(name);
  return result.empty() ? "/" : result;
}

SimulatedWorld::SimulatedWorld(std::uint64_t seed)
    : random(seed), root(std::make_shared<SimulatedNode>()) {
  root->inode = 1;
  boot_id = {random.next(), random.next()};
}

Status SimulatedWorld::alive() const {
  if (!crashed) return {};
  return fail(ErrorCode::kIo, "simulated crash");
}

Status SimulatedWorld::look(const char* verb, const std::string& path) {
  QUIRE_CHECK(alive());
  if (++looks != failing_look) return {};
  return describe(Outcome::kIo, verb, path);
}

Outcome SimulatedWorld::next_operation() {
  ++operations;
  if (crash_at != 0 && operations >= crash_at) {
    crashed = true;
    return Outcome::kCrash;
  }
  const auto fault = faults.find(operations);
  if (fault == faults.end()) return Outcome::kProceed;
  const FaultKind kind = fault->second;
  faults.erase(fault);
  switch (kind) {
    case FaultKind::kIo:
      return Outcome::kIo;
    case FaultKind::kFull:
      return Outcome::kFull;
    case FaultKind::kShortWrite:
      return Outcome::kShortWrite;
    case FaultKind::kSyncFailure:
      return Outcome::kSyncFailure;
  }
  return Outcome::kProceed;
}

Status SimulatedWorld::describe(Outcome outcome, const char* verb, const std::string& path) const {
  switch (outcome) {
    case Outcome::kProceed:
      return {};
    case Outcome::kCrash:
      return alive();
    case Outcome::kIo:
    case Outcome::kSyncFailure:
      return fail(ErrorCode::kIo, "%s %s: simulated failure of the device", verb, path.c_str());
    case Outcome::kFull:
    case Outcome::kShortWrite:
      return fail(ErrorCode::kFull, "%s %s: simulated full device", verb, path.c_str());
  }
  return {};
}

Result<Place> SimulatedWorld::find(const std::string& path, const char* verb) const {
  Place place{nullptr, "", root};
  for (const std::string& name : split_path(path)) {
    if (place.node == nullptr || !place.node->is_directory()) {
      return fail(ErrorCode::kNotFound, "%s %s: no directory %s", verb, path.c_str(),
                  place.name.c_str());
    }
    const NodePtr directory = place.node;
    const auto found = directory->entries.find(name);
    place = {directory, name, found == directory->entries.end() ? nullptr : found->second};
  }
  return place;
}

Result<Place> SimulatedWorld::find_existing(const std::string& path, const char* verb) const {
  QUIRE_TRY(Place place, find(path, verb));
  if (place.node != nullptr) return place;
  return fail(ErrorCode::kNotFound, "%s %s: no such file or directory", verb, path.c_str());
}

NodePtr SimulatedWorld::add_node(const Place& place, bool directory) {
  auto node = std::make_shared<SimulatedNode>();
  node->inode = next_inode++;
  if (!directory) node->content = std::make_unique<SimulatedContent>();
  change({{{place.directory, place.name, nullptr, node}}});
  return node;
}

void SimulatedWorld::change(NameChange change) {
  apply_change(change, [](const NodePtr& directory) -> Entries& { return directory->entries; });
  pending.push_back(std::move(change));
}

void SimulatedWorld::sync_names(const NodePtr& directory) {
  // Newest first: a rename between directories drags along all that came before it in both.
  std::set<const SimulatedNode*> directories{directory.get()};
  std::vector<bool> due(pending.size());
  for (std::size_t i = pending.size(); i-- > 0;) {
    const auto& parts = pending[i].parts;
    due[i] = std::ranges::any_of(
        parts, [&](const auto& part) { return directories.contains(part.directory.get()); });
    if (!due[i]) continue;
    for (const auto& part : parts) directories.insert(part.directory.get());
  }
  std::vector<NameChange> rest;
  for (std::size_t i = 0; i < pending.size(); ++i) {
    if (due[i]) {
      apply_change(pending[i],
                   [](const NodePtr& node) -> Entries& { return node->durable_entries; });
    } else {
      rest.push_back(std::move(pending[i]));
    }
  }
  pending = std::move(rest);
}

std::uint64_t SimulatedWorld::used_bytes() const {
  std::uint64_t total = 0;
  add_backed(root, total);
  return total;
}

std::uint64_t SimulatedWorld::free_bytes() const {
  if (capacity_bytes == UINT64_MAX) return UINT64_MAX;
  const std::uint64_t used = used_bytes();
  return used < capacity_bytes ? capacity_bytes - used : 0;
}

std::shared_ptr<SimulatedWorld> SimulatedWorld::after_power_loss(std::uint64_t seed,
                                                                 bool by_chance) const {
  // The new boot id is drawn from the same seed; another stream than the one of what survives.
  auto world = std::make_shared<SimulatedWorld>(seed ^ boot_id[0]);
  SimulatedRandom chance(seed);
  SimulatedRandom* const survival = by_chance ? &chance : nullptr;
  const NameView names = surviving_names(*this, survival);
  world->root = build_node(root, names, survival);
  copy_machine(*this, *world);
  return world;
}

std::shared_ptr<SimulatedWorld> SimulatedWorld::after_kill(std::uint64_t seed) const {
  auto world = std::make_shared<SimulatedWorld>(seed);
  TreeCopier copier;
  world->root = copier.copy(root);
  for (const NameChange& change : pending) world->pending.push_back(copier.copy(change));
  world->boot_id = boot_id;
  copy_machine(*this, *world);
  return world;
}

}  // namespace quire::io
