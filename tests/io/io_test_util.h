// What the tests of engine/io share: a temporary directory, readable failures, patterns of bytes.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "engine/io/disk.h"
#include "engine/io/simulated_disk.h"
#include "tests/must.h"

namespace quire::io {

using test::code_of;
using test::must;
using test::words_of;

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "quire-io-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = std::filesystem::canonical(name).string();
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline ByteVector pattern(std::size_t size, unsigned seed = 1) {
  ByteVector bytes(size);
  std::uint32_t state = seed * 2654435761U + 1;
  for (std::byte& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

inline ByteVector filled(std::size_t size, char value) {
  return ByteVector(size, static_cast<std::byte>(value));
}

inline ByteVector contents(File& file) {
  ByteVector bytes(must(file.size()));
  must(file.read(0, bytes));
  return bytes;
}

inline std::string text_of(Disk& disk, const std::string& path) {
  const auto file = must(disk.open(path, OpenMode::kRead));
  const ByteVector bytes = contents(*file);
  return std::string(as_text(bytes));
}

// A disk of either kind with a directory to work in, for tests of what both must do.
struct DiskFixture {
  virtual ~DiskFixture() = default;
  virtual Disk& disk() = 0;
  virtual std::string directory() const = 0;
  std::string at(const std::string& name) const { return directory() + "/" + name; }
};

std::unique_ptr<DiskFixture> make_fixture(const std::string& kind);

class BothDisks : public ::testing::TestWithParam<std::string> {
 protected:
  Disk& disk() { return fixture_->disk(); }
  std::string at(const std::string& name) const { return fixture_->at(name); }
  const std::string directory() const { return fixture_->directory(); }
  std::unique_ptr<File> create(const std::string& name) {
    return must(disk().open(at(name), OpenMode::kCreate));
  }

 private:
  std::unique_ptr<DiskFixture> fixture_ = make_fixture(GetParam());
};

inline std::string fixture_name(const ::testing::TestParamInfo<std::string>& info) {
  return info.param;
}

#define QUIRE_TEST_BOTH_DISKS(suite) \
  INSTANTIATE_TEST_SUITE_P(On, suite, ::testing::Values("real", "simulated"), fixture_name)

}  // namespace quire::io
