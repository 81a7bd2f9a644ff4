#include "tools/shell_words.h"

#include <gtest/gtest.h>

#include "tools/failure.h"

namespace quire::tools {
namespace {

using Words = std::vector<std::string>;

TEST(ShellWords, AreBetweenBlanks) {
  EXPECT_EQ(split_words("  a  bc\td \r"), (Words{"a", "bc", "d"}));
  EXPECT_EQ(split_words(""), Words{});
}

TEST(ShellWords, QuotesAreThoseOfAShell) {
  EXPECT_EQ(split_words(R"(a 'b "c" \ d' "e 'f' \"g\" \\ \n" '' h'i'"j")"),
            (Words{"a", R"(b "c" \ d)", R"(e 'f' "g" \ \n)", "", "hij"}));
  EXPECT_EQ(split_words(R"(a\ b \' 'it'\''s')"), (Words{"a b", "'", "it's"}));
  EXPECT_THROW(split_words("a 'b"), Failure);
  EXPECT_THROW(split_words("a \"b\\\""), Failure);
}

TEST(ShellWords, ACommentEndsTheLine) {
  EXPECT_EQ(split_words("a b#c # d 'e"), (Words{"a", "b#c"}));
}

}  // namespace
}  // namespace quire::tools
