#include <memory>
#include <string>

#include "common/testing/fake_clock.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/lease/lease_table.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/object/file_object_storage.h"

namespace kinora {
namespace {

class LeaseTablePowerLossTest : public ::testing::Test {
 protected:
  LeaseTablePowerLossTest() {
    Open();
    EXPECT_OK(
        movies_->Create({.movie_id = "film", .create_time = clock_.Now()}));
  }

  void Open() {
    table_ = nullptr;
    movies_ = nullptr;
    storage_ = nullptr;
    storage_ = *FileObjectStorage::Open(fs_, "/store");
    movies_ = std::make_unique<MovieCatalog>(*storage_);
    table_ = std::make_unique<LeaseTable>(*storage_, *movies_, clock_);
  }

  absl::StatusOr<v1::AcquireLeaseResponse> Acquire(absl::string_view holder) {
    v1::AcquireLeaseRequest request;
    request.set_lease_id("movie/film");
    request.set_holder(std::string(holder));
    request.set_purpose("run");
    request.mutable_ttl()->set_seconds(6);
    return table_->Acquire(request);
  }

  FaultyFileSystem fs_;
  FakeClock clock_;
  std::unique_ptr<FileObjectStorage> storage_;
  std::unique_ptr<MovieCatalog> movies_;
  std::unique_ptr<LeaseTable> table_;
};

// The trace of a grant that failed is there when the store is opened again,
// though no sync has covered its name. Whoever is granted the lease because of
// it must still have it after a loss of power.
TEST_F(LeaseTablePowerLossTest, AGrantThatFailedIsNotRenewedFromItsTrace) {
  ASSERT_OK(storage_->Write("leases/movie/other.json", "{}"));
  fs_.FailAlways(FileOp::kSyncDirectory, absl::UnavailableError("disk"));
  EXPECT_FALSE(Acquire("runner-1").ok());
  fs_.ClearFailures();
  Open();
  ASSERT_OK_AND_ASSIGN(const v1::AcquireLeaseResponse first,
                       Acquire("runner-1"));
  fs_.Crash(FaultyFileSystem::Survival::kNothing, 1);
  Open();
  clock_.Advance(absl::Seconds(7));
  ASSERT_OK_AND_ASSIGN(const v1::AcquireLeaseResponse second,
                       Acquire("runner-2"));
  EXPECT_GT(second.lease().token().fencing_token(),
            first.lease().token().fencing_token());
}

}  // namespace
}  // namespace kinora
