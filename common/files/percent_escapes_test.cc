#include "common/files/percent_escapes.h"

#include "gtest/gtest.h"

namespace kinora {
namespace {

TEST(PercentEscapesTest, WhatIsNotPlainIsEscaped) {
  EXPECT_EQ(PercentEncoded("a-b._~/c d%", "/"), "a-b._~/c%20d%25");
  EXPECT_EQ(PercentEncoded("a/b", ""), "a%2Fb");
}

TEST(PercentEscapesTest, WhatIsNoEscapeStays) {
  EXPECT_EQ(PercentDecoded("%25%2f%C3%BC"), "%/\xc3\xbc");
  EXPECT_EQ(PercentDecoded("100% %4 %zz %4"), "100% %4 %zz %4");
}

}  // namespace
}  // namespace kinora
