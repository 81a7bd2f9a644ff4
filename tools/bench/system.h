// What the benchmark asks of the machine: clocks, sizes on disk, bytes written to the device,
// private memory, directories that clean up after themselves.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace quire::bench {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Bytes that the device under `path` has been asked to write since boot, whoever asked. Nothing
// where /sys does not tell: network, overlay and in-memory file systems.
std::optional<std::uint64_t> device_bytes_written(const std::filesystem::path& path);

// Blocks allocated to all files below, in bytes.
std::uint64_t disk_usage(const std::filesystem::path& directory);

// "ext4", "tmpfs"; the number in hexadecimal where it has no name here.
std::string filesystem_name(const std::filesystem::path& path);

// Anonymous memory of this process, in bytes: what it has for itself, mapped files apart.
std::uint64_t anonymous_bytes();

// Processor, cores, memory, kernel and file system, for the report.
nlohmann::json describe_machine(const std::filesystem::path& directory);

// A new directory inside `parent`, removed with all it holds at the end.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const std::filesystem::path& parent);
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace quire::bench
