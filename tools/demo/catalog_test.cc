#include "tools/demo/catalog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace quire::demo {
namespace {

namespace fs = std::filesystem;

// A directory with the files of a Debian machine, removed at the end.
class CatalogOfMachine : public testing::Test {
 protected:
  CatalogOfMachine() {
    std::string pattern = (fs::temp_directory_path() / "catalog-test-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    fs::create_directories(root_ / "var/lib/dpkg");
    fs::create_directories(root_ / "var/lib/apt/lists");
  }
  ~CatalogOfMachine() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    std::ofstream(root_ / "var/lib" / path) << text;
  }
  Catalog read(std::size_t limit = 0) {
    CatalogRequest request;
    request.root = root_;
    request.limit = limit;
    return read_catalog(request);
  }
  static const Package* find(const Catalog& catalog, const std::string& name) {
    const auto found = std::find_if(catalog.packages.begin(), catalog.packages.end(),
                                    [&](const Package& package) { return package.name == name; });
    return found == catalog.packages.end() ? nullptr : &*found;
  }
  static std::string stanza(const std::string& name, const std::string& version) {
    return "Package: " + name + "\nVersion: " + version + "\nDescription: about " + name + "\n\n";
  }

 private:
  fs::path root_;
};

TEST_F(CatalogOfMachine, TakesInstalledPackagesBeforeOfferedOnesAndSecurityBeforeTheRelease) {
  write("dpkg/status", stanza("a", "1"));
  write("apt/lists/host_debian_dists_stable_main_binary-amd64_Packages",
        stanza("a", "2") + stanza("b", "2") + stanza("c", "2"));
  write("apt/lists/host_debian-security_dists_stable_main_binary-amd64_Packages", stanza("b", "3"));
  const Catalog catalog = read();
  ASSERT_EQ(catalog.packages.size(), 3U);
  EXPECT_EQ(find(catalog, "a")->version, "1");
  EXPECT_EQ(find(catalog, "b")->version, "3");
  EXPECT_EQ(find(catalog, "c")->version, "2");
  EXPECT_EQ(read(2).packages.size(), 2U);
}

TEST_F(CatalogOfMachine, AddsTranslatedDescriptionsWhereThereAreNone) {
  write("apt/lists/host_main_binary-amd64_Packages", stanza("a", "1"));
  write("apt/lists/host_main_i18n_Translation-en",
        "Package: a\nDescription-en: about a\n The long text.\n\n"
        "Package: unknown\nDescription-en: x\n y\n");
  EXPECT_EQ(find(read(), "a")->description, "The long text.");
}

TEST_F(CatalogOfMachine, GoesOnWithoutAListThatCannotBeRead) {
  write("dpkg/status", stanza("a", "1"));
  write("apt/lists/host_main_binary-amd64_Packages.lz4", "not compressed at all");
  const Catalog catalog = read();
  EXPECT_EQ(catalog.packages.size(), 1U);
}

TEST_F(CatalogOfMachine, SaysWhatToDoWhenThereAreNoPackages) {
  write("dpkg/status", "");
  try {
    read();
    FAIL() << "there is no catalogue";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("--file"), std::string::npos);
  }
}

TEST(ValidUtf8, ReplacesOtherBytes) {
  EXPECT_EQ(valid_utf8("plain"), "plain");
  EXPECT_EQ(valid_utf8("naïve € 😀"), "naïve € 😀");
  EXPECT_EQ(valid_utf8("latin\xe9"), "latin?");
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"), "???");
  EXPECT_EQ(valid_utf8("\xc0\xaf"), "??");
  EXPECT_EQ(valid_utf8("cut \xe2\x82"), "cut ??");
}

}  // namespace
}  // namespace quire::demo
