#include "services/store/gc/digest_set.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

TEST(DigestSetTest, HoldsEachDigestOnce) {
  DigestSet set;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 1000; ++i) set.Add(Sha256Of(absl::StrCat(i)));
  }
  EXPECT_EQ(set.size(), 1000u);
  EXPECT_TRUE(set.Contains(Sha256Of("0")));
  EXPECT_TRUE(set.Contains(Sha256Of("999")));
  EXPECT_FALSE(set.Contains(Sha256Of("1000")));
}

TEST(DigestSetTest, TakesMoreAfterALook) {
  DigestSet set;
  for (int i = 0; i < 3000; ++i) {
    EXPECT_FALSE(set.Contains(Sha256Of(absl::StrCat(i))));
    set.Add(Sha256Of(absl::StrCat(i)));
    EXPECT_TRUE(set.Contains(Sha256Of(absl::StrCat(i / 2))));
  }
}

TEST(DigestSetTest, DropFreesOneShard) {
  DigestSet set;
  const Digest a = Sha256Of("a");
  const Digest b = Sha256Of("b");
  ASSERT_NE(a.bytes[0], b.bytes[0]);
  set.Add(a);
  set.Add(b);
  set.Drop(a.bytes[0]);
  EXPECT_TRUE(set.Contains(b));
  EXPECT_EQ(set.size(), 1u);
}

}  // namespace
}  // namespace kinora
