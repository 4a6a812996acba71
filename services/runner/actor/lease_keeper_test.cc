#include "services/runner/actor/lease_keeper.h"

#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/testing/fake_clock.h"
#include "common/testing/manual_executor.h"
#include "common/testing/status_matchers.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

constexpr absl::Duration kTtl = absl::Seconds(6);

class LeaseKeeperTest : public CoreFixture {
 protected:
  LeaseKeeperTest() { MakeFilm(store()); }

  std::shared_ptr<LeaseKeeper> Keep() {
    return LeaseKeeper::Start(store().leases, executor_, watchdog_, clock_,
                              TakeFilmLease(store(), "runner-1"), kTtl,
                              [this] { ++losses_; });
  }

  // Its threads may all wait for a store that says nothing; those of the
  // watchdog never do.
  ManualExecutor executor_{clock_};
  ManualExecutor watchdog_{clock_};
  int losses_ = 0;
};

// A store that answers renewals when the test says so.
class LateLeases final : public LeaseStore {
 public:
  absl::StatusOr<v1::AcquireLeaseResponse> Acquire(
      const v1::AcquireLeaseRequest&) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<v1::RenewLeaseResponse> Renew(
      const v1::RenewLeaseRequest&) override {
    return absl::UnimplementedError("");
  }
  void BeginRenewal(const v1::RenewLeaseRequest&, absl::Duration,
                    Renewed done) override {
    renewals.push_back(std::move(done));
  }
  absl::StatusOr<v1::ReleaseLeaseResponse> Release(
      const v1::ReleaseLeaseRequest&) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<v1::GetLeaseResponse> Get(
      const v1::GetLeaseRequest&) override {
    return absl::UnimplementedError("");
  }

  std::vector<Renewed> renewals;
};

// As a process ends: the executor may have gone by then.
TEST_F(LeaseKeeperTest, ARenewalThatIsAnsweredAfterTheEndTouchesNoExecutor) {
  LateLeases leases;
  const auto keeper =
      LeaseKeeper::Start(leases, executor_, watchdog_, clock_, v1::LeaseToken(),
                         kTtl, [this] { ++losses_; });
  executor_.Advance(kTtl / 3 * 2);
  ASSERT_EQ(leases.renewals.size(), 2u);
  leases.renewals[0](absl::UnavailableError("busy"));
  EXPECT_EQ(executor_.RunUntilIdle(), 1);

  keeper->Stop();
  leases.renewals[1](absl::AbortedError("passed on"));
  EXPECT_EQ(executor_.RunUntilIdle(), 0);
  EXPECT_EQ(losses_, 0);
}

TEST_F(LeaseKeeperTest, ALeaseThatIsKeptDoesNotExpire) {
  const auto keeper = Keep();
  for (int i = 0; i < 1'800; ++i) {
    executor_.Advance(kTtl / 3);
    watchdog_.RunUntilIdle();
  }
  EXPECT_OK(keeper->Confirm());
  EXPECT_EQ(losses_, 0);
}

// The machine slept, or the network did, and another has the lease.
TEST_F(LeaseKeeperTest, ALeaseThatHasPassedOnIsNotConfirmed) {
  const auto keeper = Keep();
  clock_.Advance(2 * kTtl);
  TakeFilmLease(store(), "runner-2");
  const absl::Status confirmed = keeper->Confirm();
  EXPECT_THAT(confirmed, StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(ReasonOf(confirmed), "LEASE_LOST");
  executor_.Advance(kTtl);
  EXPECT_EQ(losses_, 1);
}

// Nobody wanted it meanwhile, and from now on nobody gets it.
TEST_F(LeaseKeeperTest, ConfirmingALeaseThatHadExpiredRenewsIt) {
  const auto keeper = Keep();
  clock_.Advance(2 * kTtl);
  EXPECT_OK(keeper->Confirm());
  v1::AcquireLeaseRequest acquire;
  acquire.set_lease_id("movie/film");
  acquire.set_holder("runner-2");
  acquire.set_purpose("anything");
  acquire.mutable_ttl()->set_seconds(6);
  EXPECT_EQ(ReasonOf(store().leases.Acquire(acquire).status()), "LEASE_HELD");
}

// F: Invariant 11 (the clock decides, whatever the store says, and when)
TEST_F(LeaseKeeperTest, ARenewalThatHangsDoesNotHideTheLoss) {
  const auto keeper = Keep();
  watchdog_.Advance(kTtl - absl::Milliseconds(1));
  EXPECT_EQ(losses_, 0);
  EXPECT_FALSE(keeper->lost());
  watchdog_.Advance(absl::Milliseconds(1));
  EXPECT_EQ(losses_, 1);
  EXPECT_TRUE(keeper->lost());
  // Its holder has given everything up: it must not go on now.
  EXPECT_EQ(ReasonOf(keeper->Confirm()), "LEASE_LOST");
  executor_.Advance(kTtl);
  EXPECT_EQ(losses_, 1);
}

// All of the process slept: nobody has asked the store yet.
TEST_F(LeaseKeeperTest, AfterASleepTheStoreIsAskedFirst) {
  const auto keeper = Keep();
  clock_.Advance(2 * kTtl);
  watchdog_.RunUntilIdle();
  EXPECT_EQ(losses_, 0);
  executor_.RunUntilIdle();
  watchdog_.Advance(kTtl / 2);
  EXPECT_EQ(losses_, 0);
}

TEST_F(LeaseKeeperTest, AfterASleepTheStoreIsNotWaitedForLong) {
  const auto keeper = Keep();
  clock_.Advance(2 * kTtl);
  watchdog_.RunUntilIdle();
  watchdog_.Advance(kTtl / 3);
  EXPECT_EQ(losses_, 1);
}

TEST_F(LeaseKeeperTest, TheLeaseOfACallerThatHasPassedOnIsNotConfirmed) {
  const auto keeper = LeaseKeeper::OfCaller(store().leases, executor_, clock_,
                                            TakeFilmLease(store(), "caller"));
  EXPECT_OK(keeper->Confirm());
  clock_.Advance(2 * kTtl);
  TakeFilmLease(store(), "another");
  const absl::Status confirmed = keeper->Confirm();
  EXPECT_EQ(ReasonOf(confirmed), "LEASE_LOST");
  EXPECT_THAT(confirmed.message(), testing::HasSubstr("another"));
}

// What the caller of a step does with its lease is its own affair.
TEST_F(LeaseKeeperTest, TheLeaseOfACallerIsNotRenewed) {
  const auto keeper = LeaseKeeper::OfCaller(store().leases, executor_, clock_,
                                            TakeFilmLease(store(), "caller"));
  executor_.Advance(2 * kTtl);
  EXPECT_OK(keeper->Confirm());
  TakeFilmLease(store(), "another");  // fails the test if it is held
}

}  // namespace
}  // namespace kinora
