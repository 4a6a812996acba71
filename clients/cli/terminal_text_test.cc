#include "clients/cli/terminal_text.h"

#include "gtest/gtest.h"

namespace kinora {
namespace {

TEST(TerminalTextTest, ControlCharactersCannotReachTheTerminal) {
  EXPECT_EQ(PrintableText("a\033[2Jb\nc\td\x7f"), "a [2Jb c d ");
  EXPECT_EQ(PrintableText("\u009b31m\u202etxt"), " 31m txt");
  EXPECT_EQ(PrintableText("a\xff\xc3"), "a\uFFFD\uFFFD");
  EXPECT_EQ(PrintableText("Überfahrt 海"), "Überfahrt 海");
}

TEST(TerminalTextTest, LinesStayLines) {
  EXPECT_EQ(PrintableLines("a\033[2J\n\rb"), "a [2J\n b\n");
  EXPECT_EQ(PrintableLines(""), "\n");
}

TEST(TerminalTextTest, CountsColumnsAndNotBytes) {
  EXPECT_EQ(DisplayWidth(""), 0);
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("Überfahrt"), 9);
  EXPECT_EQ(DisplayWidth("海の歌"), 6);
  EXPECT_EQ(DisplayWidth("한국어"), 6);
  EXPECT_EQ(DisplayWidth("🎬"), 2);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1);
}

TEST(TerminalTextTest, CutsBetweenCharacters) {
  EXPECT_EQ(FitText("abcdef", 6), "abcdef");
  EXPECT_EQ(FitText("abcdef", 5), "abcd…");
  EXPECT_EQ(FitText("abcdef", 1), "…");
  EXPECT_EQ(FitText("abcdef", 0), "");
  EXPECT_EQ(FitText("abcdef", -3), "");
  // Half of a wide character does not fit.
  EXPECT_EQ(FitText("海の歌", 5), "海の…");
  EXPECT_EQ(FitText("海の歌", 4), "海…");
  EXPECT_EQ(FitText("e\u0301e\u0301e\u0301", 2), "e\u0301…");
}

TEST(TerminalTextTest, PadsToColumns) {
  EXPECT_EQ(PadText("海", 4), "海  ");
  EXPECT_EQ(PadText("海の歌", 4), "海… ");
  EXPECT_EQ(PadText("", 2), "  ");
}

}  // namespace
}  // namespace kinora
