#include "engine/io/simulated_file.h"

#include <cinttypes>

#include "engine/io/mapping.h"
#include "engine/io/range_lock.h"

namespace quire::io {
namespace {

// No larger file than that is of use to a test, and a memory file of the system takes it.
constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 46;
constexpr std::uint64_t kDevice = 0x51;

}  // namespace

SimulatedFile::SimulatedFile(std::shared_ptr<SimulatedWorld> world, NodePtr node, std::string path,
                             bool writable)
    : world_(std::move(world)),
      node_(std::move(node)),
      path_(std::move(path)),
      writable_(writable),
      id_(world_->next_file++) {}

SimulatedFile::~SimulatedFile() {
  const std::lock_guard lock(world_->mutex);
  if (!closed_) node_->locks.unlock(id_, 0, UINT64_MAX);
}

void SimulatedFile::close_in_child() noexcept {
  // The locks stay: they are the parent's.
  const std::lock_guard lock(world_->mutex);
  closed_ = true;
}

Status SimulatedFile::usable() const {
  if (closed_) return fail(ErrorCode::kForked, "%s was closed in a forked child", path_.c_str());
  return world_->alive();
}

Status SimulatedFile::usable_for_change(const char* verb, std::uint64_t offset,
                                        std::uint64_t size) const {
  QUIRE_CHECK(usable());
  if (!writable_) {
    return fail(ErrorCode::kReadOnly, "%s %s: it was opened for reading only", verb, path_.c_str());
  }
  if (offset <= kLargestFile && size <= kLargestFile - offset) return {};
  return fail(ErrorCode::kInvalid, "%s %" PRIu64 " bytes at %" PRIu64 " of %s: out of range", verb,
              size, offset, path_.c_str());
}

Status SimulatedFile::read(std::uint64_t offset, MutableBytes into) {
  QUIRE_TRY(const std::size_t got, read_some(offset, into));
  if (got == into.size()) return {};
  return fail(ErrorCode::kTruncated,
              "read %zu bytes at %" PRIu64 " of %s: the file ends after %zu of them", into.size(),
              offset, path_.c_str(), got);
}

Result<std::size_t> SimulatedFile::read_some(std::uint64_t offset, MutableBytes into) {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(usable());
  QUIRE_CHECK(world_->look("read", path_));
  if (offset >= content().size()) return 0;
  return content().read_some(offset, into);
}

Status SimulatedFile::write(std::uint64_t offset, Bytes bytes) {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(usable_for_change("write", offset, bytes.size()));
  return store(offset, bytes);
}

Status SimulatedFile::write_gather(std::uint64_t offset, std::span<const Bytes> pieces) {
  ByteVector whole;
  for (const Bytes& piece : pieces) whole.insert(whole.end(), piece.begin(), piece.end());
  return write(offset, whole);
}

Status SimulatedFile::store(std::uint64_t offset, Bytes bytes) {
  Outcome outcome = world_->next_operation();
  if (outcome == Outcome::kProceed || outcome == Outcome::kShortWrite ||
      outcome == Outcome::kCrash) {
    const std::uint64_t fits = content().back(offset, bytes.size(), world_->free_bytes());
    if (fits < bytes.size() && outcome == Outcome::kProceed) outcome = Outcome::kFull;
    bytes = bytes.first(fits);
    if (outcome == Outcome::kCrash) {
      content().write_torn(offset, bytes, world_->random);
    } else if (outcome == Outcome::kShortWrite && !bytes.empty()) {
      content().write(offset, bytes.first(world_->random.below(bytes.size())));
    } else {
      content().write(offset, bytes);
    }
  }
  return world_->describe(outcome, "write", path_);
}

Status SimulatedFile::sync() {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(usable());
  const Outcome outcome = world_->next_operation();
  // One that the crash hits has done nothing that the crash may not do or leave undone anyway.
  if (outcome == Outcome::kProceed) content().sync();
  if (outcome == Outcome::kSyncFailure) content().fail_sync();
  return world_->describe(outcome, "sync", path_);
}

Status SimulatedFile::write_and_sync(std::uint64_t offset, Bytes bytes,
                                     const std::function<void()>& meanwhile) {
  const Overlap overlap = [&] {
    const std::lock_guard lock(world_->mutex);
    return world_->overlap;
  }();
  const auto run_at = [&](Overlap place) {
    if (meanwhile && overlap == place) meanwhile();
  };
  run_at(Overlap::kBeforeWrite);
  Status status = write(offset, bytes);
  run_at(Overlap::kBetween);
  if (status) status = sync();
  run_at(Overlap::kAfterSync);
  return status;
}

Result<std::uint64_t> SimulatedFile::size() {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(usable());
  QUIRE_CHECK(world_->look("measure", path_));
  return content().size();
}

Status SimulatedFile::resize(std::uint64_t size) {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(usable_for_change("resize", 0, size));
  return world_->operate("resize", path_, [&] { content().resize(size); });
}

Status SimulatedFile::allocate(std::uint64_t offset, std::uint64_t size) {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(usable_for_change("allocate", offset, size));
  if (size == 0) return {};
  bool full = false;
  const Status status = world_->operate("allocate", path_, [&] {
    const std::uint64_t fits = content().back(offset, size, world_->free_bytes());
    full = fits < size;
    if (fits > 0 && offset + fits > content().size()) content().resize(offset + fits);
  });
  QUIRE_CHECK(status);
  return full ? world_->describe(Outcome::kFull, "allocate", path_) : Status();
}

Result<std::unique_ptr<Mapping>> SimulatedFile::map_read(std::uint64_t reserve) {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(usable());
  QUIRE_CHECK(world_->look("map", path_));
  return map_for_reading(content().descriptor(), reserve, path_);
}

Result<std::unique_ptr<Mapping>> SimulatedFile::map_shared(std::uint64_t reserve) {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(usable_for_change("map for writing", 0, 0));
  QUIRE_CHECK(world_->look("map for writing", path_));
  QUIRE_TRY(auto mapping, map_for_sharing(content().descriptor(), reserve, path_));
  content().note_shared_map();
  return mapping;
}

Result<FileIdentity> SimulatedFile::identity() {
  const std::lock_guard lock(world_->mutex);
  QUIRE_CHECK(usable());
  QUIRE_CHECK(world_->look("identify", path_));
  return FileIdentity{kDevice, node_->inode};
}

Result<std::unique_lock<std::mutex>> SimulatedFile::lock_for_locks(std::uint64_t offset,
                                                                   std::uint64_t size) const {
  QUIRE_CHECK(check_lock_range(offset, size, path_));
  std::unique_lock lock(world_->mutex);
  QUIRE_CHECK(usable());
  return lock;
}

Result<bool> SimulatedFile::try_lock(std::uint64_t offset, std::uint64_t size, LockMode mode) {
  QUIRE_TRY(const auto lock, lock_for_locks(offset, size));
  QUIRE_CHECK(world_->look("lock", path_));
  if (mode == LockMode::kExclusive) QUIRE_CHECK(usable_for_change("lock exclusively", 0, 0));
  return node_->locks.try_lock(id_, offset, offset + size, mode);
}

Status SimulatedFile::unlock(std::uint64_t offset, std::uint64_t size) {
  QUIRE_TRY(const auto lock, lock_for_locks(offset, size));
  node_->locks.unlock(id_, offset, offset + size);
  return {};
}

Result<bool> SimulatedFile::locked_elsewhere(std::uint64_t offset, std::uint64_t size) {
  QUIRE_TRY(const auto lock, lock_for_locks(offset, size));
  QUIRE_CHECK(world_->look("lock", path_));
  return node_->locks.conflicts(id_, offset, offset + size, LockMode::kExclusive);
}

}  // namespace quire::io
