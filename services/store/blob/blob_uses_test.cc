#include "services/store/blob/blob_uses.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Digest kA = Sha256Of("a");
const Digest kB = Sha256Of("b");

std::vector<Digest> Condemned(BlobUses::Collection& collection) {
  std::vector<Digest> digests = {kA, kB};
  collection.Condemn(&digests);
  collection.Release();
  return digests;
}

// F: S1-55
TEST(BlobUsesTest, ACollectionLeavesAloneWhatIsNotedAfterItBegan) {
  BlobUses uses;
  ASSERT_OK_AND_ASSIGN(auto collection, uses.Collect("film"));
  uses.HoldOf("film")->Note(kA);
  EXPECT_TRUE(collection->IsUsed(kA));
  EXPECT_THAT(Condemned(*collection), ElementsAre(kB));
}

// The holder looks for the blob, then names it in a log: in between, a
// collection may begin that walked the log too early.
TEST(BlobUsesTest, ACollectionLeavesAloneWhatWasNotedUnderAHoldThatLasts) {
  BlobUses uses;
  const auto hold = uses.HoldOf("film");
  hold->Note(kA);
  for (int i = 0; i < 5; ++i) uses.HoldOf("film")->Note(kB);
  ASSERT_OK_AND_ASSIGN(auto collection, uses.Collect("film"));
  EXPECT_TRUE(collection->IsUsed(kA));
}

TEST(BlobUsesTest, ANoteOfAnOldHoldLastsAsLongAsTheHold) {
  BlobUses uses;
  auto hold = uses.HoldOf("film");
  for (int i = 0; i < 5; ++i) uses.HoldOf("film");
  hold->Note(kA);
  for (int i = 0; i < 5; ++i) uses.HoldOf("film");
  {
    ASSERT_OK_AND_ASSIGN(auto collection, uses.Collect("film"));
    EXPECT_TRUE(collection->IsUsed(kA));
  }
  hold.reset();
  for (int i = 0; i < 5; ++i) uses.HoldOf("film");
  ASSERT_OK_AND_ASSIGN(auto collection, uses.Collect("film"));
  EXPECT_FALSE(collection->IsUsed(kA));
}

TEST(BlobUsesTest, ANoteLastsThroughoutACollection) {
  BlobUses uses;
  ASSERT_OK_AND_ASSIGN(auto collection, uses.Collect("film"));
  uses.HoldOf("film")->Note(kA);
  for (int i = 0; i < 5; ++i) uses.HoldOf("film");
  EXPECT_TRUE(collection->IsUsed(kA));
}

TEST(BlobUsesTest, MoviesAreApartAndHaveOneCollectionEach) {
  BlobUses uses;
  ASSERT_OK_AND_ASSIGN(auto film, uses.Collect("film"));
  ASSERT_OK_AND_ASSIGN(auto other, uses.Collect("other"));
  uses.HoldOf("film")->Note(kA);
  EXPECT_FALSE(other->IsUsed(kA));
  EXPECT_THAT(uses.Collect("film").status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("\"film\" is under way")));
  film.reset();
  EXPECT_OK(uses.Collect("film"));
}

// Whoever notes a blob that is being deleted sees it gone, not there.
TEST(BlobUsesTest, ANoteWaitsForTheDeletionOfItsBlob) {
  BlobUses uses;
  for (int i = 0; i < 100; ++i) {
    ASSERT_OK_AND_ASSIGN(auto collection, uses.Collect("film"));
    std::atomic<bool> exists = true;
    bool was_condemned = false;
    bool seen = true;
    std::thread user([&] {
      const auto hold = uses.HoldOf("film");
      hold->Note(kA);
      seen = exists;
    });
    std::vector<Digest> digests = {kA};
    collection->Condemn(&digests);
    was_condemned = !digests.empty();
    if (was_condemned) exists = false;
    collection->Release();
    user.join();
    EXPECT_EQ(seen, !was_condemned);
  }
}

}  // namespace
}  // namespace kinora
