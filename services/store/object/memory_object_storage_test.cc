#include "services/store/object/memory_object_storage.h"

#include <memory>

#include "gtest/gtest.h"

#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "tests/contract/object_storage_contract.h"

namespace kinora {
namespace {

class MemoryFixture final : public ObjectStorageFixture {
 public:
  ObjectStorage& storage() override { return storage_; }

 private:
  FakeClock clock_;
  MemoryObjectStorage storage_{clock_};
};

std::unique_ptr<ObjectStorageFixture> MakeMemory() {
  return std::make_unique<MemoryFixture>();
}

INSTANTIATE_TEST_SUITE_P(Memory, ObjectStorageContract,
                         testing::Values(&MakeMemory));

TEST(MemoryObjectStorageTest, AnObjectHasTheTimeOfItsWrite) {
  FakeClock clock;
  MemoryObjectStorage storage(clock);
  const absl::Time before = clock.Now();
  ASSERT_OK(storage.Write("b/old", "1"));
  clock.Advance(absl::Hours(1));
  ASSERT_OK(storage.Write("b/new", "2"));
  ASSERT_OK_AND_ASSIGN(ObjectPage page, storage.List("b/", 10, ""));
  EXPECT_EQ(page.objects[1].create_time, before);
  EXPECT_EQ(page.objects[0].create_time, before + absl::Hours(1));
}

}  // namespace
}  // namespace kinora
