// A store on a volume that the test has trouble with.

#ifndef KINORA_SERVICES_STORE_VOLUME_FIXTURE_H_
#define KINORA_SERVICES_STORE_VOLUME_FIXTURE_H_

#include <memory>

#include "gtest/gtest.h"

#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "common/threads/thread_pool.h"
#include "services/store/local_store.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {

// The volume is that of "/data".
class VolumeFixture : public ::testing::Test {
 protected:
  // Starts the store; one that runs is stopped before.
  void Open() {
    local_ = nullptr;
    absl::StatusOr<std::unique_ptr<LocalStore>> opened = TryOpen();
    ASSERT_OK(opened);
    local_ = *std::move(opened);
  }
  absl::StatusOr<std::unique_ptr<LocalStore>> TryOpen() {
    LocalStoreOptions options;
    options.data_dir = "/data";
    return LocalStore::Open(options, fs_, clock_, random_, pool_);
  }
  Store store() { return local_->store(); }

  FaultyFileSystem fs_;
  FakeClock clock_;
  SeededRandom random_{1};
  ThreadPool pool_{"test", 2};
  v1::LeaseToken lease_;
  std::unique_ptr<LocalStore> local_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_VOLUME_FIXTURE_H_
