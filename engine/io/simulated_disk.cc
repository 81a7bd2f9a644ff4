#include "engine/io/simulated_disk.h"

#include "engine/io/simulated_file.h"
#include "engine/io/simulated_world.h"

namespace quire::io {
namespace {

std::unexpected<Error> fail_read_only(const char* verb, const std::string& path) {
  return fail(ErrorCode::kReadOnly, "%s %s: simulated read-only file system", verb, path.c_str());
}

}  // namespace

SimulatedDisk::SimulatedDisk(std::uint64_t seed) : world_(std::make_shared<SimulatedWorld>(seed)) {}
SimulatedDisk::SimulatedDisk(std::shared_ptr<SimulatedWorld> world) : world_(std::move(world)) {}
SimulatedDisk::~SimulatedDisk() = default;

Result<std::unique_ptr<File>> SimulatedDisk::open(const std::string& path, OpenMode mode) {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(world_->alive());
  QUIRE_TRY(Place place, world_->find(path, "open"));
  const bool writable = mode != OpenMode::kRead;
  if (writable && world_->read_only) return fail_read_only("open", path);
  if (place.node != nullptr && mode == OpenMode::kCreate) {
    return fail(ErrorCode::kExists, "create %s: it is there already", path.c_str());
  }
  if (place.node != nullptr && place.node->is_directory()) {
    return fail(ErrorCode::kIo, "open %s: is a directory", path.c_str());
  }
  if (place.node == nullptr) {
    const bool create = mode == OpenMode::kCreate || mode == OpenMode::kOpenOrCreate;
    if (!create) return fail(ErrorCode::kNotFound, "open %s: no such file", path.c_str());
    QUIRE_CHECK(world_->operate(
        "create", path, [&] { place.node = world_->add_node(place, /*directory=*/false); }));
  } else {
    QUIRE_CHECK(world_->look("open", path));
  }
  return std::make_unique<SimulatedFile>(world_, place.node, path, writable);
}

Status SimulatedDisk::make_directory(const std::string& path) {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(world_->alive());
  QUIRE_TRY(const Place place, world_->find(path, "make directory"));
  if (world_->read_only) return fail_read_only("make directory", path);
  if (place.node != nullptr) {
    return fail(ErrorCode::kExists, "make directory %s: it is there already", path.c_str());
  }
  return world_->operate("make directory", path,
                         [&] { world_->add_node(place, /*directory=*/true); });
}

Status SimulatedDisk::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(world_->alive());
  QUIRE_TRY(const Place source, world_->find_existing(from, "rename"));
  QUIRE_TRY(const Place target, world_->find(to, "rename to"));
  if (world_->read_only) return fail_read_only("rename", from);
  const bool root = source.directory == nullptr || target.directory == nullptr;
  if (root || canonical(to).starts_with(canonical(from) + "/")) {
    return fail(ErrorCode::kInvalid, "rename %s to %s: not into itself", from.c_str(), to.c_str());
  }
  if (target.node != nullptr && (target.node->is_directory() != source.node->is_directory() ||
                                 !target.node->entries.empty())) {
    return fail(ErrorCode::kIo, "rename %s to %s: a directory is in the way", from.c_str(),
                to.c_str());
  }
  if (source.node == target.node) return {};
  return world_->operate("rename", from, [&] {
    world_->change({{{source.directory, source.name, source.node, nullptr},
                     {target.directory, target.name, nullptr, source.node}}});
  });
}

Status SimulatedDisk::remove(const std::string& path) {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(world_->alive());
  QUIRE_TRY(const Place place, world_->find_existing(path, "remove"));
  if (world_->read_only) return fail_read_only("remove", path);
  if (place.directory == nullptr || !place.node->entries.empty()) {
    return fail(ErrorCode::kIo, "remove %s: directory not empty", path.c_str());
  }
  return world_->operate("remove", path, [&] {
    world_->change({{{place.directory, place.name, place.node, nullptr}}});
  });
}

Result<bool> SimulatedDisk::exists(const std::string& path) {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(world_->look("look for", path));
  const auto place = world_->find(path, "look for");
  return place.has_value() && place->node != nullptr;
}

Result<bool> SimulatedDisk::is_directory(const std::string& path) {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(world_->look("look for", path));
  const auto place = world_->find(path, "look for");
  return place.has_value() && place->node != nullptr && place->node->is_directory();
}

Result<std::vector<std::string>> SimulatedDisk::list(const std::string& directory) {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(world_->look("list", directory));
  QUIRE_TRY(const Place place, world_->find_existing(directory, "list"));
  if (!place.node->is_directory()) {
    return fail(ErrorCode::kNotFound, "list %s: not a directory", directory.c_str());
  }
  std::vector<std::string> names;
  for (const auto& [name, node] : place.node->entries) names.push_back(name);
  return names;
}

Status SimulatedDisk::sync_directory(const std::string& directory) {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(world_->alive());
  QUIRE_TRY(const Place place, world_->find_existing(directory, "sync directory"));
  if (!place.node->is_directory()) {
    return fail(ErrorCode::kNotFound, "sync directory %s: not a directory", directory.c_str());
  }
  return world_->operate("sync directory", directory, [&] { world_->sync_names(place.node); });
}

Result<bool> SimulatedDisk::may_write(const std::string& path) {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(world_->look("look at the permissions of", path));
  QUIRE_CHECK(world_->find_existing(path, "look at the permissions of"));
  return !world_->read_only;
}

Result<std::string> SimulatedDisk::network_filesystem(const std::string& path) {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(world_->look("look at the file system of", path));
  QUIRE_CHECK(world_->find_existing(path, "look at the file system of"));
  return world_->network_filesystem;
}

Result<std::string> SimulatedDisk::canonical_path(const std::string& path) {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(world_->look("resolve", path));
  QUIRE_CHECK(world_->find_existing(path, "resolve"));
  return canonical(path);
}

Result<std::array<std::uint64_t, 2>> SimulatedDisk::boot_id() {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(world_->look("look for", "the boot id"));
  return world_->boot_id;
}

std::uint64_t SimulatedDisk::operations() const {
  const std::lock_guard lock(world_->mutex);
  return world_->operations;
}

void SimulatedDisk::set_crash_at(std::uint64_t operation) {
  const std::lock_guard lock(world_->mutex);
  world_->crash_at = operation;
}

void SimulatedDisk::crash() {
  const std::lock_guard lock(world_->mutex);
  world_->crashed = true;
}

bool SimulatedDisk::crashed() const {
  const std::lock_guard lock(world_->mutex);
  return world_->crashed;
}

void SimulatedDisk::fail_at(std::uint64_t operation, FaultKind kind) {
  const std::lock_guard lock(world_->mutex);
  world_->faults[operation] = kind;
}

std::uint64_t SimulatedDisk::looks() const {
  const std::lock_guard lock(world_->mutex);
  return world_->looks;
}

void SimulatedDisk::fail_look_at(std::uint64_t look) {
  const std::lock_guard lock(world_->mutex);
  world_->failing_look = look;
}

void SimulatedDisk::set_capacity(std::uint64_t capacity_bytes) {
  const std::lock_guard lock(world_->mutex);
  world_->capacity_bytes = capacity_bytes;
}

std::uint64_t SimulatedDisk::used_bytes() const {
  const std::lock_guard lock(world_->mutex);
  return world_->used_bytes();
}

void SimulatedDisk::set_overlap(Overlap overlap) {
  const std::lock_guard lock(world_->mutex);
  world_->overlap = overlap;
}

void SimulatedDisk::set_read_only(bool read_only) {
  const std::lock_guard lock(world_->mutex);
  world_->read_only = read_only;
}

void SimulatedDisk::set_network_filesystem(std::string name) {
  const std::lock_guard lock(world_->mutex);
  world_->network_filesystem = std::move(name);
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::after_crash(std::uint64_t seed, Survival survival) {
  crash();
  return survivor(seed, survival);
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::survivor(std::uint64_t seed,
                                                       Survival survival) const {
  const std::lock_guard lock(world_->mutex);
  auto world = survival == Survival::kEverything
                   ? world_->after_kill(seed)
                   : world_->after_power_loss(seed, survival == Survival::kRandom);
  return std::unique_ptr<SimulatedDisk>(new SimulatedDisk(std::move(world)));
}

}  // namespace quire::io
