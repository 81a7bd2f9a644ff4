// Where targets that need files of the machine put them.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

namespace quire::fuzz {

// A directory that goes away, on the fastest file system there is.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    const std::filesystem::path memory = "/dev/shm";
    const bool usable = ::access(memory.c_str(), W_OK) == 0;
    path_ = (usable ? memory : std::filesystem::temp_directory_path()) /
            ("quire-fuzz-" + std::to_string(::getpid()));
    std::filesystem::remove_all(path_);
    std::filesystem::create_directory(path_);
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string database() const { return (path_ / "db").string(); }
  void empty() const { std::filesystem::remove_all(path_ / "db"); }

 private:
  std::filesystem::path path_;
};

// Of this process.
inline const TemporaryDirectory& temporary_directory() {
  static const TemporaryDirectory directory;
  return directory;
}

}  // namespace quire::fuzz
