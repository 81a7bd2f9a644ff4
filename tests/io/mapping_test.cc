// Maps show the file as it is, also as it becomes.
#include <sys/mman.h>
#include <unistd.h>

#include <fstream>

#include "tests/io/io_test_util.h"

namespace quire::io {
namespace {

constexpr std::uint64_t kReserve = std::uint64_t{1} << 30;
// The thread sanitizer keeps most addresses for itself.
#ifdef __SANITIZE_THREAD__
constexpr std::uint64_t kFarMore = std::uint64_t{1} << 38;
#else
constexpr std::uint64_t kFarMore = std::uint64_t{1} << 44;
#endif

Bytes view(const Mapping& mapping, std::uint64_t offset, std::size_t size) {
  return {mapping.data() + offset, size};
}

class MappingOnBoth : public BothDisks {};

TEST_P(MappingOnBoth, ShowsLaterWritesAndGrowth) {
  auto file = create("f");
  const ByteVector first = pattern(4096, 1);
  must(file->write(0, first));
  auto mapping = must(file->map_read(kReserve));
  EXPECT_TRUE(equal_bytes(view(*mapping, 0, 4096), first));
  const ByteVector second = pattern(4096, 2);
  must(file->write(0, second));
  must(file->write(1 << 20, first));
  EXPECT_TRUE(equal_bytes(view(*mapping, 0, 4096), second));
  EXPECT_TRUE(equal_bytes(view(*mapping, 1 << 20, 4096), first));
}

TEST_P(MappingOnBoth, IsAlignedToAHugePageAndAsLargeAsAsked) {
  auto file = create("f");
  for (const std::uint64_t reserve : {std::uint64_t{1}, std::uint64_t{4097}, kReserve}) {
    auto mapping = must(file->map_read(reserve));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(mapping->data()) % (2U << 20), 0U);
    EXPECT_GE(mapping->size(), reserve);
  }
}

TEST_P(MappingOnBoth, CanBeReadToItsLastByte) {
  auto file = create("f");
  constexpr std::uint64_t kSize = 3 << 20;
  must(file->write(kSize - 1, as_bytes("z")));
  auto mapping = must(file->map_read(kSize));
  EXPECT_EQ(as_text(view(*mapping, kSize - 1, 1)), "z");
}

TEST_P(MappingOnBoth, ReservesFarMoreThanThereIsMemory) {
  auto file = create("f");
  must(file->write(0, as_bytes("here")));
  auto mapping = must(file->map_read(kFarMore));
  EXPECT_EQ(as_text(view(*mapping, 0, 4)), "here");
}

TEST_P(MappingOnBoth, OutlivesItsFile) {
  auto file = create("f");
  must(file->write(0, as_bytes("here")));
  auto mapping = must(file->map_read(4096));
  file.reset();
  must(disk().remove(at("f")));
  EXPECT_EQ(as_text(view(*mapping, 0, 4)), "here");
}

TEST_P(MappingOnBoth, SharedMapsShareTheirWrites) {
  auto file = create("f");
  must(file->resize(8192));
  auto other = must(disk().open(at("f"), OpenMode::kReadWrite));
  auto one = must(file->map_shared(1 << 20));
  auto two = must(other->map_shared(1 << 20));
  auto reading = must(other->map_read(1 << 20));
  one->data()[5000] = std::byte{42};
  EXPECT_EQ(two->data()[5000], std::byte{42});
  EXPECT_EQ(reading->data()[5000], std::byte{42});
  EXPECT_EQ(contents(*file)[5000], std::byte{42});
  must(file->resize(1 << 20));
  two->data()[(1 << 20) - 1] = std::byte{7};
  EXPECT_EQ(one->data()[(1 << 20) - 1], std::byte{7});
}

TEST_P(MappingOnBoth, WhatCannotBeMappedIsRefused) {
  auto file = create("f");
  EXPECT_EQ(code_of(file->map_read(0)), ErrorCode::kInvalid);
  EXPECT_EQ(code_of(file->map_shared(0)), ErrorCode::kInvalid);
  EXPECT_EQ(code_of(file->map_read(UINT64_MAX)), ErrorCode::kInvalid);
  const auto result = file->map_read(std::uint64_t{1} << 56);
  EXPECT_EQ(code_of(result), ErrorCode::kNoMemory);
  EXPECT_NE(words_of(result).find(at("f")), std::string::npos);
  EXPECT_EQ(code_of(file->map_shared(std::uint64_t{1} << 56)), ErrorCode::kNoMemory);
}

QUIRE_TEST_BOTH_DISKS(MappingOnBoth);

using MappingDeathTest = MappingOnBoth;

TEST_P(MappingDeathTest, AReadMapCannotBeWrittenAndThePastOfTheEndNotRead) {
  auto file = create("f");
  must(file->write(0, pattern(4096)));
  auto mapping = must(file->map_read(kReserve));
  EXPECT_DEATH(mapping->data()[0] = std::byte{1}, "");
  EXPECT_DEATH(std::exit(static_cast<int>(*(mapping->data() + (64 << 20)))), "");
}

QUIRE_TEST_BOTH_DISKS(MappingDeathTest);

TEST(Mapping, IsReleasedWhole) {
  TemporaryDirectory directory;
  auto file = must(real_disk().open(directory / "f", OpenMode::kCreate));
  // 100 x 16 TiB are more addresses than there are.
  for (int i = 0; i < 100; ++i) must(file->map_read(kFarMore));
  auto mapping = must(file->map_read(kReserve));
  const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(mapping->data()) - (2 << 20);
  const std::uintptr_t end = begin + kReserve + (4 << 20);
  mapping.reset();
  // Neither the range nor the addresses that were cut off around it.
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const std::uintptr_t start = std::stoull(line, nullptr, 16);
    const bool inaccessible = line.find(" ---p 00000000 00:00 0") != std::string::npos;
    EXPECT_FALSE(inaccessible && start >= begin && start < end) << line;
  }
}

TEST(Mapping, OfWhatCannotBeMappedFails) {
  auto file = must(real_disk().open("/proc/version", OpenMode::kRead));
  const auto result = file->map_read(4096);
  EXPECT_FALSE(result.has_value());
  EXPECT_NE(words_of(result).find("/proc/version"), std::string::npos);
}

}  // namespace
}  // namespace quire::io
