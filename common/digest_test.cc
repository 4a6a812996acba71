#include "common/digest.h"

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

// FIPS 180-4, the vectors of NIST's examples.
constexpr char kHexOfAbc[] =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(DigestTest, KnownVectors) {
  EXPECT_EQ(Sha256Of("abc").Hex(), kHexOfAbc);
  EXPECT_EQ(Sha256Of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                .Hex(),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256Of(std::string(1000000, 'a')).Hex(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(DigestTest, EmptyDigestIsTheHashOfNothing) {
  EXPECT_EQ(Sha256Of(""), kEmptyDigest);
  EXPECT_NE(Digest{}, kEmptyDigest);
}

TEST(DigestTest, HexReadsBack) {
  EXPECT_THAT(Digest::ParseHex(kHexOfAbc), IsOkAndHolds(Sha256Of("abc")));
  EXPECT_THAT(Digest::FromBytes(Sha256Of("abc").Bytes()),
              IsOkAndHolds(Sha256Of("abc")));
}

TEST(DigestTest, RefusesEverySecondSpelling) {
  const std::string hex = kHexOfAbc;
  EXPECT_THAT(
      Digest::ParseHex(hex.substr(1)),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has 63")));
  EXPECT_THAT(
      Digest::ParseHex(hex + "0"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has 65")));
  EXPECT_THAT(Digest::ParseHex("B" + hex.substr(1)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("not at byte 0, got \"Ba78")));
  EXPECT_THAT(
      Digest::ParseHex(hex.substr(0, 63) + "g"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at byte 63")));
  EXPECT_THAT(Digest::FromBytes("short"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has 5")));
}

TEST(DigestTest, OrderIsTheOrderOfTheHexText) {
  std::set<Digest> digests;
  std::set<std::string> texts;
  for (int i = 0; i < 50; ++i) {
    digests.insert(Sha256Of(std::to_string(i)));
    texts.insert(Sha256Of(std::to_string(i)).Hex());
  }
  std::vector<std::string> in_order;
  for (const Digest& digest : digests) in_order.push_back(digest.Hex());
  EXPECT_EQ(in_order, std::vector<std::string>(texts.begin(), texts.end()));
}

TEST(Sha256Test, AnyCutOfTheStreamGivesTheSameHash) {
  const std::string text(200, 'x');
  Sha256 hasher;
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    hasher.Update(absl::string_view(text).substr(0, cut));
    hasher.Update(absl::string_view(text).substr(cut));
    EXPECT_EQ(hasher.Finish(), Sha256Of(text)) << cut;
  }
}

TEST(Sha256Test, ResetForgets) {
  Sha256 hasher;
  hasher.Update("wrong");
  hasher.Reset();
  hasher.Update("abc");
  EXPECT_EQ(hasher.Finish().Hex(), kHexOfAbc);
}

TEST(Sha256Test, MovedHasherGoesOn) {
  Sha256 first;
  first.Update("a");
  Sha256 second = std::move(first);
  second.Update("bc");
  EXPECT_EQ(second.Finish().Hex(), kHexOfAbc);
}

TEST(Sha256Test, ThreadsDoNotDisturbEachOther) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(Sha256Of("abc").Hex(), kHexOfAbc);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace kinora
