#include "common/recently_used.h"

#include <memory>

#include "gtest/gtest.h"

namespace kinora {
namespace {

std::shared_ptr<int> Number(int n) { return std::make_shared<int>(n); }

TEST(RecentlyUsedTest, WhatWasUsedLongestAgoGoes) {
  RecentlyUsed<int> kept(2);
  kept.Put("a", Number(1));
  kept.Put("b", Number(2));
  EXPECT_EQ(*kept.Get("a"), 1);
  kept.Put("c", Number(3));
  EXPECT_EQ(kept.Get("b"), nullptr);
  EXPECT_EQ(*kept.Get("a"), 1);
  EXPECT_EQ(*kept.Get("c"), 3);
}

TEST(RecentlyUsedTest, AValueTakesThePlaceOfThatOfItsKey) {
  RecentlyUsed<int> kept(10);
  kept.Put("a", Number(1), 9);
  kept.Put("b", Number(2), 1);
  kept.Put("a", Number(3), 9);
  EXPECT_EQ(*kept.Get("a"), 3);
  EXPECT_EQ(*kept.Get("b"), 2);
}

TEST(RecentlyUsedTest, OneThatIsTooHeavyLeavesTheOthersAlone) {
  RecentlyUsed<int> kept(10);
  kept.Put("a", Number(1), 4);
  kept.Put("b", Number(2), 11);
  EXPECT_EQ(kept.Get("b"), nullptr);
  EXPECT_EQ(*kept.Get("a"), 1);
}

}  // namespace
}  // namespace kinora
