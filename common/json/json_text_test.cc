#include "common/json/json_text.h"

#include <string>

#include "gtest/gtest.h"

namespace kinora {
namespace {

// Every byte at every place of a block, and behind the last whole block.
TEST(JsonTextTest, EndsAtTheFirstByteThatIsNotPlain) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool plain = byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
    for (size_t length = 1; length <= 20; ++length) {
      for (size_t at = 0; at < length; ++at) {
        std::string text(length, 'x');
        text[at] = c;
        ASSERT_EQ(PlainJsonTextPrefix(text), plain ? length : at)
            << "byte " << byte << " at " << at << " of " << length;
      }
    }
  }
  EXPECT_EQ(PlainJsonTextPrefix(""), 0u);
}

}  // namespace
}  // namespace kinora
