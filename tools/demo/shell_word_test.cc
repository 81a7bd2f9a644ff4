#include "tools/demo/shell_word.h"

#include <gtest/gtest.h>

namespace quire::demo {
namespace {

// The demo printed `quire get DB packages The Waste Land`: four words too many.
TEST(ShellWord, QuotesWhatAShellWouldTakeApart) {
  EXPECT_EQ(shell_word("libsqlite3-0"), "libsqlite3-0");
  EXPECT_EQ(shell_word("/tmp/a.quire"), "/tmp/a.quire");
  EXPECT_EQ(shell_word("The Waste Land"), "'The Waste Land'");
  EXPECT_EQ(shell_word("it's $HOME; *"), "'it'\\''s $HOME; *'");
  EXPECT_EQ(shell_word("\xC3\xA4"), "'\xC3\xA4'");
  EXPECT_EQ(shell_word(""), "''");
}

}  // namespace
}  // namespace quire::demo
