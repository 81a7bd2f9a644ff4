#include "tools/bench/system.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace quire::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSectorSize = 512;     // of /sys/.../stat, whatever the device's is
constexpr std::uint64_t kStatBlockSize = 512;  // of st_blocks, likewise
constexpr unsigned long kXfsMagic = 0x58465342;

// The rest of the first line of `file` that begins with `name`, after the colon.
std::string field_of(const char* file, std::string_view name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(name)) continue;
    const std::size_t value = line.find_first_not_of(" \t", line.find(':') + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return "";
}

}  // namespace

std::optional<std::uint64_t> device_bytes_written(const fs::path& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  std::ifstream in("/sys/dev/block/" + std::to_string(major(status.st_dev)) + ":" +
                   std::to_string(minor(status.st_dev)) + "/stat");
  // Reads completed, merged, sectors, time; writes completed, merged, then sectors written.
  std::uint64_t number = 0;
  for (int i = 0; i < 7; ++i) {
    if (!(in >> number)) return std::nullopt;
  }
  return number * kSectorSize;
}

std::uint64_t disk_usage(const fs::path& directory) {
  std::uint64_t bytes = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
    struct stat status{};
    if (!entry.is_regular_file() || stat(entry.path().c_str(), &status) != 0) continue;
    bytes += static_cast<std::uint64_t>(status.st_blocks) * kStatBlockSize;
  }
  return bytes;
}

std::string filesystem_name(const fs::path& path) {
  struct statfs status{};
  if (statfs(path.c_str(), &status) != 0) return "unknown";
  switch (static_cast<unsigned long>(status.f_type)) {
    case EXT4_SUPER_MAGIC:
      return "ext4";
    case kXfsMagic:
      return "xfs";
    case BTRFS_SUPER_MAGIC:
      return "btrfs";
    case TMPFS_MAGIC:
      return "tmpfs";
    case OVERLAYFS_SUPER_MAGIC:
      return "overlay";
    case NFS_SUPER_MAGIC:
      return "nfs";
    default:
      break;
  }
  std::ostringstream number;
  number << "0x" << std::hex << status.f_type;
  return number.str();
}

std::uint64_t anonymous_bytes() {
  // No allocation: reading must not change what is read.
  std::array<char, 4096> text{};
  const int file = ::open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const ssize_t size = read(file, text.data(), text.size() - 1);
  close(file);
  if (size <= 0) return 0;
  const char* line = std::strstr(text.data(), "\nAnonymous:");
  if (line == nullptr) return 0;
  return std::strtoull(line + std::strlen("\nAnonymous:"), nullptr, 10) * 1024;
}

nlohmann::json describe_machine(const fs::path& directory) {
  utsname names{};
  uname(&names);
  return {{"processor", field_of("/proc/cpuinfo", "model name")},
          {"cores", sysconf(_SC_NPROCESSORS_ONLN)},
          {"memory", field_of("/proc/meminfo", "MemTotal")},
          {"kernel", std::string(names.sysname) + " " + names.release},
          {"filesystem", filesystem_name(directory)},
          {"device_counters", device_bytes_written(directory).has_value()}};
}

TemporaryDirectory::TemporaryDirectory(const fs::path& parent) {
  std::string pattern = (parent / "quire-bench-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) {
    throw std::runtime_error("cannot make a directory in " + parent.string() + ": " +
                             std::strerror(errno));
  }
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;  // nothing to do about it in a destructor
  fs::remove_all(path_, ignored);
}

}  // namespace quire::bench
