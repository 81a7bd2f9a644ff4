// Names and directories: on both disks, then what only the machine can show.
#include <sys/resource.h>
#include <unistd.h>

#include "tests/io/io_test_util.h"

namespace quire::io {
namespace {

class PathOnBoth : public BothDisks {};

TEST_P(PathOnBoth, OpenModesDoWhatTheySay) {
  EXPECT_EQ(code_of(disk().open(at("f"), OpenMode::kRead)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(disk().open(at("f"), OpenMode::kReadWrite)), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(disk().open(at("no/f"), OpenMode::kCreate)), ErrorCode::kNotFound);
  must(must(disk().open(at("f"), OpenMode::kCreate))->write(0, as_bytes("abc")));
  const auto again = disk().open(at("f"), OpenMode::kCreate);
  EXPECT_EQ(code_of(again), ErrorCode::kExists);
  EXPECT_NE(words_of(again).find(at("f")), std::string::npos);
  must(must(disk().open(at("f"), OpenMode::kOpenOrCreate))->write(0, as_bytes("x")));
  must(must(disk().open(at("f"), OpenMode::kReadWrite))->write(1, as_bytes("y")));
  EXPECT_EQ(text_of(disk(), at("f")), "xyc");
  must(disk().open(at("g"), OpenMode::kOpenOrCreate));
  EXPECT_TRUE(must(disk().exists(at("g"))));
}

TEST_P(PathOnBoth, DirectoriesAreMadeListedAndRemoved) {
  must(disk().make_directory(at("d")));
  EXPECT_EQ(code_of(disk().make_directory(at("d"))), ErrorCode::kExists);
  EXPECT_EQ(code_of(disk().make_directory(at("no/d"))), ErrorCode::kNotFound);
  EXPECT_TRUE(must(disk().is_directory(at("d"))));
  for (const char* name : {"d/c", "d/a", "d/b"}) create(name);
  EXPECT_EQ(must(disk().list(at("d"))), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_FALSE(must(disk().is_directory(at("d/a"))));
  must(disk().sync_directory(at("d")));
  EXPECT_FALSE(disk().remove(at("d")).has_value());
  for (const char* name : {"d/c", "d/a", "d/b", "d"}) must(disk().remove(at(name)));
  EXPECT_FALSE(must(disk().exists(at("d"))));
}

TEST_P(PathOnBoth, MissingThingsAreNotFound) {
  EXPECT_EQ(code_of(disk().remove(at("no"))), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(disk().rename(at("no"), at("f"))), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(disk().list(at("no"))), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(disk().sync_directory(at("no"))), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(disk().may_write(at("no"))), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(disk().canonical_path(at("no"))), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(disk().network_filesystem(at("no"))), ErrorCode::kNotFound);
  EXPECT_FALSE(must(disk().exists(at("no"))));
  EXPECT_FALSE(must(disk().exists(at("no/deeper"))));
  EXPECT_FALSE(must(disk().is_directory(at("no"))));
  create("f");
  EXPECT_FALSE(must(disk().exists(at("f/below"))));
  EXPECT_EQ(code_of(disk().list(at("f"))), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(disk().sync_directory(at("f"))), ErrorCode::kNotFound);
}

TEST_P(PathOnBoth, RenameReplacesAFile) {
  must(create("a")->write(0, as_bytes("new")));
  must(create("b")->write(0, as_bytes("old")));
  auto held = must(disk().open(at("b"), OpenMode::kRead));
  must(disk().rename(at("a"), at("b")));
  EXPECT_FALSE(must(disk().exists(at("a"))));
  EXPECT_EQ(text_of(disk(), at("b")), "new");
  EXPECT_EQ(contents(*held), to_vector(as_bytes("old")));
}

TEST_P(PathOnBoth, RenameMovesDirectories) {
  must(disk().make_directory(at("d")));
  must(disk().make_directory(at("e")));
  create("d/f");
  must(disk().rename(at("d"), at("e/g")));
  EXPECT_TRUE(must(disk().exists(at("e/g/f"))));
  EXPECT_FALSE(disk().rename(at("e"), at("e/g/h")).has_value());
}

TEST_P(PathOnBoth, ARemovedFileLivesWhileItIsOpen) {
  auto file = create("f");
  must(disk().remove(at("f")));
  must(file->write(0, as_bytes("still")));
  EXPECT_EQ(contents(*file), to_vector(as_bytes("still")));
}

TEST_P(PathOnBoth, PathsAreResolved) {
  must(disk().make_directory(at("d")));
  EXPECT_EQ(must(disk().canonical_path(at("d/../d/./"))), at("d"));
  EXPECT_EQ(must(disk().canonical_path("/")), "/");
}

TEST_P(PathOnBoth, AnOrdinaryDirectoryIsWritableAndLocal) {
  EXPECT_TRUE(must(disk().may_write(directory())));
  EXPECT_EQ(must(disk().network_filesystem(directory())), "");
}

TEST_P(PathOnBoth, TheBootIdStaysWhileTheMachineRuns) {
  const auto id = must(disk().boot_id());
  EXPECT_NE(id, (std::array<std::uint64_t, 2>{}));
  EXPECT_EQ(must(disk().boot_id()), id);
}

QUIRE_TEST_BOTH_DISKS(PathOnBoth);

TEST(Path, LinksAreResolved) {
  TemporaryDirectory directory;
  must(real_disk().make_directory(directory / "d"));
  ASSERT_EQ(::symlink("d", (directory / "link").c_str()), 0);
  EXPECT_EQ(must(real_disk().canonical_path(directory / "link")), directory / "d");
}

TEST(Path, WhatTheSystemRefusesIsNotWritable) {
  // Not even root may write a file of a read-only pseudo file system.
  EXPECT_EQ(code_of(real_disk().make_directory("/proc/quire")), ErrorCode::kNotFound);
  if (::geteuid() != 0) {
    EXPECT_FALSE(must(real_disk().may_write("/etc")));
    EXPECT_EQ(code_of(real_disk().open("/etc/quire", OpenMode::kCreate)), ErrorCode::kPermission);
  }
}

TEST(Path, OutOfDescriptorsHasItsOwnCode) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  rlimit none = limit;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto result = real_disk().open("/dev/null", OpenMode::kRead);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(code_of(result), ErrorCode::kTooManyFiles);
}

}  // namespace
}  // namespace quire::io
