#include "services/store/index/sequence_index.h"

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "services/store/object/memory_object_storage.h"

namespace kinora {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();

class SequenceIndexTest : public testing::Test {
 protected:
  SequenceIndexTest() { Restart(); }

  void Restart(bool fits = true) {
    index_ =
        std::make_unique<SequenceIndex>(storage_, "builds/m/index/", "log");
    ASSERT_OK(
        index_->Open(1, [fits](int64_t, absl::string_view) { return fits; }));
  }

  // Feeds the records after through() up to `last`; record n has the hash
  // n % keys.
  void Feed(int64_t last, uint64_t keys) {
    for (int64_t n = index_->through() + 1; n <= last; ++n) {
      index_->Add(Spread(static_cast<uint64_t>(n) % keys), n);
      index_->Advance(n, n, "0a1b2c3d");
    }
  }
  static uint64_t Spread(uint64_t key) { return IndexHash(absl::StrCat(key)); }

  absl::StatusOr<std::vector<int64_t>> Find(uint64_t key,
                                            int64_t through = kEnd) {
    std::vector<int64_t> found;
    const absl::Status status =
        index_->Visit(Spread(key), through,
                      [&found](int64_t sequence) -> absl::StatusOr<bool> {
                        found.push_back(sequence);
                        return true;
                      });
    if (!status.ok()) return status;
    return found;
  }

  std::vector<std::string> Keys() {
    std::vector<std::string> keys;
    const ObjectPage page = *storage_.List("builds/m/index/", 1000, "");
    for (const ObjectInfo& object : page.objects) {
      keys.push_back(object.key);
    }
    return keys;
  }

  FakeClock clock_;
  MemoryObjectStorage storage_{clock_};
  std::unique_ptr<SequenceIndex> index_;
};

TEST_F(SequenceIndexTest, FindsTheLatestFirst) {
  Feed(10, 4);
  EXPECT_THAT(Find(1), IsOkAndHolds(ElementsAre(9, 5, 1)));
  EXPECT_THAT(Find(1, 8), IsOkAndHolds(ElementsAre(5, 1)));
  EXPECT_THAT(Find(17), IsOkAndHolds(IsEmpty()));
  ASSERT_OK(index_->Save());
  Feed(13, 4);
  Restart();
  EXPECT_EQ(index_->through(), 10);
  EXPECT_THAT(Find(1), IsOkAndHolds(ElementsAre(9, 5, 1)));
  Feed(13, 4);
  EXPECT_THAT(Find(1), IsOkAndHolds(ElementsAre(13, 9, 5, 1)));
  EXPECT_THAT(Find(1, 9), IsOkAndHolds(ElementsAre(9, 5, 1)));
}

// F: S0-24
TEST_F(SequenceIndexTest, TablesStayFewAndCoverAll) {
  for (const uint64_t keys : {1u, 7u, 5000u}) {
    for (const std::string& key : Keys()) ASSERT_OK(storage_.Delete(key));
    Restart();
    for (int64_t last = 100; last <= 6400; last += 100) {
      Feed(last, keys);
      ASSERT_OK(index_->Save());
      ASSERT_LE(index_->tables(), 8u);
      ASSERT_EQ(Keys().size(), index_->tables());
    }
    Restart();
    EXPECT_EQ(index_->through(), 6400);
    for (uint64_t key = 0; key < keys; key += 1 + keys / 50) {
      ASSERT_OK_AND_ASSIGN(const std::vector<int64_t> found, Find(key, 6000));
      std::vector<int64_t> wanted;
      for (int64_t n = 6000; n > 0; --n) {
        if (static_cast<uint64_t>(n) % keys == key) wanted.push_back(n);
      }
      ASSERT_EQ(found, wanted);
    }
  }
}

TEST_F(SequenceIndexTest, ADamagedTableIsDroppedAndFedAgain) {
  SeededRandom random(5);
  for (int round = 0; round < 60; ++round) {
    for (const std::string& key : Keys()) ASSERT_OK(storage_.Delete(key));
    Restart();
    Feed(1000, 40);
    ASSERT_OK(index_->Save());
    Feed(1200, 40);
    ASSERT_OK(index_->Save());
    const std::vector<std::string> keys = Keys();
    ASSERT_EQ(keys.size(), 2u);
    const std::string& damaged = keys[random.Next() % 2];
    ASSERT_OK_AND_ASSIGN(std::string bytes, ReadObject(storage_, damaged));
    bytes[random.Next() % bytes.size()] ^= 1;
    if (random.Next() % 4 == 0) bytes.pop_back();
    ASSERT_OK(storage_.Write(damaged, bytes));
    if (random.Next() % 2 == 0) Restart();
    Feed(1200, 40);
    for (uint64_t key = 0; key < 40; ++key) {
      auto found = Find(key);
      while (absl::IsAborted(found.status())) {
        Feed(1200, 40);
        found = Find(key);
      }
      ASSERT_OK(found);
      EXPECT_EQ(found->size(), 30u);
    }
  }
}

TEST_F(SequenceIndexTest, TablesOfAnotherLogAreDropped) {
  Feed(100, 4);
  ASSERT_OK(index_->Save());
  Restart(false);
  EXPECT_EQ(index_->through(), 0);
  EXPECT_THAT(Keys(), IsEmpty());
}

// A crash while merging leaves the parts beside the whole.
TEST_F(SequenceIndexTest, PartsBesideTheWholeGo) {
  Feed(100, 4);
  ASSERT_OK(index_->Save());
  std::map<std::string, std::string> parts;
  parts[Keys()[0]] = *ReadObject(storage_, Keys()[0]);
  Feed(200, 4);
  ASSERT_OK(index_->Save());
  ASSERT_EQ(Keys().size(), 1u);
  for (const auto& part : parts) {
    ASSERT_OK(storage_.Write(part.first, part.second));
  }
  Restart();
  EXPECT_EQ(index_->through(), 200);
  EXPECT_EQ(Keys().size(), 1u);
  ASSERT_OK_AND_ASSIGN(auto found, Find(3));
  EXPECT_EQ(found.size(), 50u);
}

}  // namespace
}  // namespace kinora
