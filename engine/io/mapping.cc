#include "engine/io/mapping.h"

#include <sys/mman.h>

#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <cerrno>
#include <cinttypes>

namespace quire::io {
namespace {

namespace bip = boost::interprocess;

// The size of a huge page: a range that starts on one can be backed by them.
constexpr std::uint64_t kAlignment = 2ULL << 20;

// What mapped_region maps. Boost's own file_mapping opens the path a second time, without
// O_CLOEXEC, and could find another file there than the one that is open.
class DescriptorSource {
 public:
  explicit DescriptorSource(int descriptor) : descriptor_(descriptor) {}
  bip::mapping_handle_t get_mapping_handle() const {
    return bip::ipcdetail::mapping_handle_from_file_handle(descriptor_);
  }

 private:
  int descriptor_;
};

class RegionMapping final : public Mapping {
 public:
  explicit RegionMapping(bip::mapped_region region) : region_(std::move(region)) {
    data_ = static_cast<std::byte*>(region_.get_address());
    size_ = region_.get_size();
  }

 private:
  bip::mapped_region region_;
};

// Addresses with nothing behind them, aligned to kAlignment: the place for a map that wants to
// start there. Boost can only take an address, it cannot find an aligned one. What take() has
// handed over is no longer ours.
class AddressRange {
 public:
  explicit AddressRange(std::uint64_t size) : size_(size), whole_size_(size + kAlignment) {
    whole_ =
        ::mmap(nullptr, whole_size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  AddressRange(const AddressRange&) = delete;
  AddressRange& operator=(const AddressRange&) = delete;
  ~AddressRange() {
    if (whole_ != MAP_FAILED) ::munmap(whole_, whole_size_);
  }

  bool ok() const { return whole_ != MAP_FAILED; }
  std::byte* start() const {
    return reinterpret_cast<std::byte*>(
        round_up<std::uint64_t>(reinterpret_cast<std::uintptr_t>(whole_), kAlignment));
  }
  // Gives [start, start + size) away and frees what stands before and behind it.
  void take() {
    auto* const begin = static_cast<std::byte*>(whole_);
    std::byte* const end = start() + size_;
    std::byte* const whole_end = begin + whole_size_;
    if (start() > begin) ::munmap(begin, static_cast<std::size_t>(start() - begin));
    if (whole_end > end) ::munmap(end, static_cast<std::size_t>(whole_end - end));
    whole_ = MAP_FAILED;
  }

 private:
  std::uint64_t size_;
  std::uint64_t whole_size_;
  void* whole_;
};

Status check_reserve(std::uint64_t reserve, const std::string& path) {
  constexpr std::uint64_t kAddresses = std::uint64_t{1} << 57;  // five-level page tables
  if (reserve > 0 && reserve <= kAddresses) return {};
  return fail(ErrorCode::kInvalid, "map %" PRIu64 " bytes of %s: out of range", reserve,
              path.c_str());
}

// mapped_region reports by exceptions; this is where they end. The map may reach past the end of
// the file: with an explicit size Boost does not compare.
Result<std::unique_ptr<Mapping>> map_region(int descriptor, bip::mode_t mode, std::uint64_t reserve,
                                            std::byte* address, int flags,
                                            const std::string& path) {
  try {
    bip::mapped_region region(DescriptorSource(descriptor), mode, 0, reserve, address, flags);
    return std::make_unique<RegionMapping>(std::move(region));
  } catch (const bip::interprocess_exception& error) {
    const int native = error.get_native_error();
    return fail_errno(native != 0 ? native : EINVAL, "map %" PRIu64 " bytes of %s", reserve,
                      path.c_str());
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kNoMemory, "map %" PRIu64 " bytes of %s: out of memory", reserve,
                path.c_str());
  }
}

}  // namespace

Result<std::unique_ptr<Mapping>> map_for_reading(int descriptor, std::uint64_t reserve,
                                                 const std::string& path) {
  QUIRE_CHECK(check_reserve(reserve, path));
  // Whole system pages (64 KiB at most), so that what is kept of the range is what is mapped.
  const std::uint64_t size = round_up<std::uint64_t>(reserve, 64 * 1024);
  AddressRange addresses(size);
  if (!addresses.ok()) {
    return fail_errno(errno, "reserve %" PRIu64 " bytes of addresses for %s", reserve,
                      path.c_str());
  }
  QUIRE_TRY(auto mapping, map_region(descriptor, bip::read_only, size, addresses.start(),
                                     MAP_FIXED | MAP_NORESERVE, path));
  addresses.take();
  // A hint: file systems without huge pages refuse it, and nothing is lost.
  ::madvise(mapping->data(), mapping->size(), MADV_HUGEPAGE);
  return mapping;
}

Result<std::unique_ptr<Mapping>> map_for_sharing(int descriptor, std::uint64_t reserve,
                                                 const std::string& path) {
  QUIRE_CHECK(check_reserve(reserve, path));
  return map_region(descriptor, bip::read_write, reserve, nullptr, MAP_NORESERVE, path);
}

}  // namespace quire::io
