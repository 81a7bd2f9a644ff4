#include "tools/demo/packages_parser.h"

#include <gtest/gtest.h>

namespace quire::demo {
namespace {

constexpr std::string_view kTwoPackages =
    "Package: lmdb-utils\n"
    "Status: install ok installed\n"
    "Installed-Size: 380\n"
    "Maintainer: LMDB <lmdb@packages.debian.org>\n"
    "Version: 0.9.24-1\n"
    "Conffiles:\n"
    " /etc/one 0123\n"
    "Description: Lightning Memory-Mapped Database Utilities\n"
    " An ultra-fast key-value store.\n"
    " .\n"
    "  - small: and with a colon\n"
    "Section: database\n"
    "\n"
    "\n"
    "Package: adduser\n"
    "Priority: important\n"
    "Version: 3.134\n"
    "Description: add and remove users\n";

TEST(PackagesParser, ReadsTheFieldsOfEachStanza) {
  const std::vector<Package> packages = parse_packages(kTwoPackages);
  ASSERT_EQ(packages.size(), 2U);
  EXPECT_EQ(packages[0].name, "lmdb-utils");
  EXPECT_EQ(packages[0].version, "0.9.24-1");
  EXPECT_EQ(packages[0].section, "database");
  EXPECT_EQ(packages[0].installed_size_kib, 380);
  EXPECT_EQ(packages[0].maintainer, "LMDB <lmdb@packages.debian.org>");
  EXPECT_EQ(packages[1].name, "adduser");
  // Not there: it was shown as 0 KiB.
  EXPECT_EQ(packages[1].installed_size_kib, std::nullopt);
  EXPECT_EQ(packages[1].priority, "important");
  EXPECT_EQ(packages[1].description, "");
}

TEST(PackagesParser, UnfoldsTheLongDescription) {
  const std::vector<Package> packages = parse_packages(kTwoPackages);
  EXPECT_EQ(packages[0].summary, "Lightning Memory-Mapped Database Utilities");
  EXPECT_EQ(packages[0].description, "An ultra-fast key-value store.\n\n- small: and with a colon");
}

TEST(PackagesParser, LeavesOutWhatIsNoInstallablePackage) {
  EXPECT_TRUE(parse_packages("Package: gone\nStatus: deinstall ok config-files\n").empty());
  EXPECT_TRUE(parse_packages("").empty());
  EXPECT_TRUE(parse_packages("\n\n\n").empty());
  EXPECT_TRUE(parse_packages("no colon here\n continued\n").empty());
}

TEST(PackagesParser, TakesTheEndOfTheTextAsTheEndOfTheStanza) {
  const std::vector<Package> packages =
      parse_packages("Package: a\nVersion: 1\nDescription: last line without end");
  ASSERT_EQ(packages.size(), 1U);
  EXPECT_EQ(packages[0].summary, "last line without end");
}

TEST(PackagesParser, SurvivesEveryPrefixOfAFile) {
  for (std::size_t size = 0; size <= kTwoPackages.size(); ++size) {
    EXPECT_LE(parse_packages(kTwoPackages.substr(0, size)).size(), 2U);
  }
}

TEST(PackagesParser, ReadsTranslatedDescriptions) {
  std::vector<std::pair<std::string, std::string>> found;
  parse_translations(
      "Package: lmdb-utils\nDescription-md5: e456\nDescription-en: Utilities\n The long one.\n",
      [&](std::string_view name, std::string text) { found.emplace_back(name, text); });
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].first, "lmdb-utils");
  EXPECT_EQ(found[0].second, "The long one.");
}

}  // namespace
}  // namespace quire::demo
