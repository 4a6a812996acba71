#include "common/utf8.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace kinora {
namespace {

std::string Utf8Of(uint32_t code_point) {
  std::string text;
  AppendUtf8(code_point, &text);
  return text;
}

// All of Unicode: what is appended is valid, one character, and ordered as its
// code units in UTF-16 are.
TEST(Utf8Test, EveryCharacterIsValidAndHasItsLength) {
  for (uint32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c == 0xD800) c = 0xE000;  // no characters
    const std::string text = Utf8Of(c);
    ASSERT_EQ(Utf8CharLength(text), text.size()) << c;
    ASSERT_EQ(ValidUtf8Prefix(text), text.size()) << c;
    if (text.size() > 1) {
      ASSERT_EQ(Utf8CharLength(text.substr(0, text.size() - 1)), 0u) << c;
    }
  }
}

TEST(Utf8Test, EndsTheValidPrefixAtTheFirstBadByte) {
  EXPECT_EQ(ValidUtf8Prefix("plain text longer than one block\xff tail"), 32u);
  EXPECT_EQ(ValidUtf8Prefix("a\xed\xa0\x80"), 1u);
  EXPECT_TRUE(IsValidUtf8(""));
  EXPECT_FALSE(IsValidUtf8("\xc0\xaf"));
}

TEST(Utf8Test, TextInPiecesIsCheckedAcrossThem) {
  const auto is_valid = [](const std::string& text, size_t piece) {
    Utf8Check check;
    for (size_t at = 0; at < text.size(); at += piece) {
      check.Add(absl::string_view(text).substr(at, piece));
    }
    return check.IsValid();
  };
  const std::string text = "a\u00e9\u20ac" + Utf8Of(0x1F600) + " whale";
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    EXPECT_TRUE(is_valid(text, piece)) << piece;
    EXPECT_FALSE(is_valid("ab\xff\xfe", piece)) << piece;
    EXPECT_FALSE(is_valid("\xe2\x82 and more text", piece)) << piece;
    // Ends within a character.
    EXPECT_FALSE(is_valid("a\xf0\x9f\x98", piece)) << piece;
  }
  EXPECT_TRUE(Utf8Check().IsValid());
}

TEST(Utf8Test, Utf16OrderPutsHighCharactersBeforePrivateUse) {
  // In ascending order of UTF-16: the last but two begins with 0xD83D.
  const std::vector<std::string> ordered = {"",
                                            "\r",
                                            "1",
                                            "1a",
                                            Utf8Of(0x80),
                                            Utf8Of(0xD7FF),
                                            Utf8Of(0x1F600),
                                            Utf8Of(0x1F601),
                                            Utf8Of(0xE000),
                                            Utf8Of(0xFB33),
                                            Utf8Of(0xFFFF)};
  for (size_t i = 0; i < ordered.size(); ++i) {
    for (size_t j = 0; j < ordered.size(); ++j) {
      EXPECT_EQ(Utf16Less(ordered[i], ordered[j]), i < j) << i << " " << j;
      EXPECT_EQ(Utf16Less("x" + ordered[i], "x" + ordered[j]), i < j);
    }
  }
}

}  // namespace
}  // namespace kinora
