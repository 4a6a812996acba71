#include "services/store/lease/lease_table.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "common/error_reason.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "services/store/movie/movie_catalog.h"
#include "services/store/object/checked_document.h"
#include "services/store/object/memory_object_storage.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class LeaseTableTest : public ::testing::Test {
 protected:
  LeaseTableTest() {
    EXPECT_OK(
        movies_.Create({.movie_id = "film", .create_time = clock_.Now()}));
    Restart();
  }

  void Restart() {
    table_ = std::make_unique<LeaseTable>(storage_, movies_, clock_);
  }

  absl::StatusOr<v1::AcquireLeaseResponse> Acquire(
      absl::string_view holder, absl::string_view purpose = "p",
      absl::string_view lease_id = "movie/film") {
    v1::AcquireLeaseRequest request;
    request.set_lease_id(std::string(lease_id));
    request.set_holder(std::string(holder));
    request.set_purpose(std::string(purpose));
    request.mutable_ttl()->set_seconds(6);
    return table_->Acquire(request);
  }
  absl::StatusOr<v1::RenewLeaseResponse> Renew(const v1::LeaseToken& token) {
    v1::RenewLeaseRequest request;
    *request.mutable_token() = token;
    return table_->Renew(request);
  }
  absl::Status Release(const v1::LeaseToken& token) {
    v1::ReleaseLeaseRequest request;
    *request.mutable_token() = token;
    return table_->Release(request).status();
  }
  absl::Status Enter(const v1::LeaseToken& token) {
    return table_->Enter(token, "film", "").status();
  }

  FakeClock clock_;
  MemoryObjectStorage storage_{clock_};
  MovieCatalog movies_{storage_};
  std::unique_ptr<LeaseTable> table_;
};

// F: S1-58
TEST_F(LeaseTableTest, AHeldLeaseIsNotGrantedToAnother) {
  ASSERT_OK(Acquire("a", "run-1"));
  clock_.Advance(absl::Seconds(2));
  absl::Status status = Acquire("b").status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr("held by \"a\" for \"run-1\"")));
  EXPECT_EQ(ReasonOf(status), "LEASE_HELD");
  EXPECT_EQ(MetadataOf(status)["holder"], "a");
  EXPECT_EQ(MetadataOf(status)["purpose"], "run-1");
  EXPECT_EQ(MetadataOf(status)["expires_in"], "4s");
}

TEST_F(LeaseTableTest, AnExpiredLeasePassesOnWithALargerToken) {
  ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse a, Acquire("a", "run-1"));
  clock_.Advance(absl::Seconds(6));
  ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse b, Acquire("b", "run-2"));
  EXPECT_GT(b.lease().token().fencing_token(),
            a.lease().token().fencing_token());
  EXPECT_EQ(b.expired_purpose(), "run-1");
  absl::Status renewed = Renew(a.lease().token()).status();
  EXPECT_THAT(renewed,
              StatusIs(absl::StatusCode::kAborted, HasSubstr("to \"b\"")));
  EXPECT_EQ(ReasonOf(renewed), "LEASE_LOST");
  EXPECT_EQ(ReasonOf(Enter(a.lease().token())), "LEASE_LOST");
  EXPECT_OK(Enter(b.lease().token()));
}

TEST_F(LeaseTableTest, RenewalKeepsALeaseAndCounts) {
  ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse a, Acquire("a"));
  for (int i = 1; i <= 3; ++i) {
    clock_.Advance(absl::Seconds(5));
    ASSERT_OK_AND_ASSIGN(v1::RenewLeaseResponse r, Renew(a.lease().token()));
    EXPECT_EQ(r.lease().renewals(), i);
    EXPECT_EQ(r.lease().expires_in().seconds(), 6);
  }
  EXPECT_THAT(Acquire("b"), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(LeaseTableTest, WhatDoesNotExistHasNoLeaseAndGetsNoObject) {
  const std::string run = "run-01KDV3N3C00000000000000001";
  EXPECT_EQ(ReasonOf(Acquire("a", "p", "movie/other").status()),
            "MOVIE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Acquire("a", "p", "run/" + run).status()),
            "RUN_NOT_FOUND");
  ASSERT_OK_AND_ASSIGN(const ObjectPage page,
                       storage_.List("leases/movie/", 10, ""));
  EXPECT_THAT(page.objects, testing::IsEmpty());
  ASSERT_OK(storage_.Write("index/runs/" + run, "film"));
  EXPECT_OK(Acquire("a", "p", "run/" + run));
}

// Steps are many, and nobody asks for one again.
TEST_F(LeaseTableTest, TheLeaseOnAStepLeavesNothingBehind) {
  const std::string run = "run-01KDV3N3C00000000000000001";
  const std::string step = "run/" + run + "/0123456789abcdef";
  EXPECT_EQ(ReasonOf(Acquire("a", "p", step).status()), "RUN_NOT_FOUND");
  ASSERT_OK(storage_.Write("index/runs/" + run, "film"));
  ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse a, Acquire("a", "p", step));
  EXPECT_EQ(ReasonOf(Acquire("b", "p", step).status()), "LEASE_HELD");
  EXPECT_OK(Renew(a.lease().token()));
  // It fences no writes.
  EXPECT_THAT(table_->Enter(a.lease().token(), "film", run).status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_OK(Release(a.lease().token()));
  EXPECT_EQ(ReasonOf(Renew(a.lease().token()).status()), "LEASE_LOST");
  ASSERT_OK_AND_ASSIGN(const ObjectPage page,
                       storage_.List("leases/run/" + run + "/", 10, ""));
  EXPECT_THAT(page.objects, testing::IsEmpty());
  // One that has expired passes on as others do.
  ASSERT_OK_AND_ASSIGN(a, Acquire("a", "p", step));
  clock_.Advance(absl::Seconds(7));
  EXPECT_OK(Acquire("b", "p", step));
  EXPECT_EQ(ReasonOf(Renew(a.lease().token()).status()), "LEASE_LOST");
  for (const char* bad : {"/", "/0123", "/0123456789ABCDEF",
                          "/0123456789abcdef/0123456789abcdef"}) {
    EXPECT_THAT(Acquire("a", "p", "run/" + run + bad),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("16 hexadecimal")));
  }
}

// Names can be made up without end. What is remembered of a lease would be
// answered in the place of what is stored.
TEST_F(LeaseTableTest, AskingForALeaseThatWasNeverGrantedIsNotRemembered) {
  const std::string key = "leases/movie/film.json";
  ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse a, Acquire("a"));
  const v1::LeaseToken token = a.lease().token();
  ASSERT_OK_AND_ASSIGN(const std::string copy, ReadObject(storage_, key));
  ASSERT_OK(storage_.Delete(key));
  Restart();
  v1::GetLeaseRequest get;
  get.set_lease_id("movie/film");
  ASSERT_OK_AND_ASSIGN(v1::GetLeaseResponse free, table_->Get(get));
  EXPECT_FALSE(free.has_lease());
  EXPECT_EQ(ReasonOf(Renew(token).status()), "LEASE_LOST");
  EXPECT_EQ(ReasonOf(Enter(token)), "LEASE_LOST");
  EXPECT_OK(Release(token));
  ASSERT_OK(storage_.Write(key, copy));
  ASSERT_OK_AND_ASSIGN(v1::GetLeaseResponse held, table_->Get(get));
  EXPECT_EQ(held.lease().holder(), "a");
  EXPECT_OK(Enter(token));
}

// A token or a holder that reads like another would let a second one in.
TEST_F(LeaseTableTest, ALeaseThatReadsLikeAnotherIsDamage) {
  const std::string key = "leases/movie/film.json";
  ASSERT_OK(Acquire("a"));
  ASSERT_OK_AND_ASSIGN(const std::string good, ReadObject(storage_, key));
  std::string bad = good;
  ASSERT_THAT(bad, HasSubstr("\"holder\":\"a\""));
  bad.replace(bad.find("\"holder\":\"a\""), 12, "\"holder\":\"b\"");
  ASSERT_OK(storage_.Write(key, bad));
  Restart();
  EXPECT_THAT(Acquire("b"),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(key), HasSubstr("the checksum says"))));
  // One of before there were checksums.
  ASSERT_OK_AND_ASSIGN(const std::string before, WithoutChecksum(good));
  ASSERT_OK(storage_.Write(key, before));
  Restart();
  EXPECT_EQ(ReasonOf(Acquire("b").status()), "LEASE_HELD");
}

// Nobody else has written meanwhile, so there is nothing to protect.
TEST_F(LeaseTableTest, AnExpiredLeaseThatNobodyTookIsStillItsHolders) {
  ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse a, Acquire("a"));
  clock_.Advance(absl::Seconds(60));
  EXPECT_OK(Enter(a.lease().token()));
  EXPECT_OK(Renew(a.lease().token()));
}

TEST_F(LeaseTableTest, AcquiringAgainForTheSamePurposeRenews) {
  ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse a, Acquire("a", "run-1"));
  clock_.Advance(absl::Seconds(5));
  ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse again, Acquire("a", "run-1"));
  EXPECT_EQ(again.lease().token().fencing_token(),
            a.lease().token().fencing_token());
  EXPECT_EQ(again.lease().expires_in().seconds(), 6);
  EXPECT_EQ(ReasonOf(Acquire("a", "run-2").status()), "LEASE_HELD");
}

TEST_F(LeaseTableTest, AReleasedLeaseIsFreeAtOnceAndItsTokenIsDead) {
  ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse a, Acquire("a"));
  ASSERT_OK(Release(a.lease().token()));
  EXPECT_EQ(ReasonOf(Enter(a.lease().token())), "LEASE_LOST");
  v1::GetLeaseRequest get;
  get.set_lease_id("movie/film");
  ASSERT_OK_AND_ASSIGN(v1::GetLeaseResponse nobody, table_->Get(get));
  EXPECT_FALSE(nobody.has_lease());
  ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse b, Acquire("b"));
  EXPECT_EQ(b.expired_purpose(), "");
  EXPECT_OK(Release(a.lease().token()));  // of one that was lost: no effect
  EXPECT_OK(Enter(b.lease().token()));
}

TEST_F(LeaseTableTest, ARestartGrantsAFullPeriodAgain) {
  ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse a, Acquire("a"));
  clock_.Advance(absl::Seconds(5));
  Restart();
  clock_.Advance(absl::Seconds(5));
  EXPECT_EQ(ReasonOf(Acquire("b").status()), "LEASE_HELD");
  EXPECT_OK(Enter(a.lease().token()));
  clock_.Advance(absl::Seconds(1));
  EXPECT_OK(Acquire("b"));
}

// Who held it died with the store; its token is dead, too.
TEST_F(LeaseTableTest, ARestartFreesWhatWasHeldInTheStoresProcess) {
  ASSERT_OK_AND_ASSIGN(const v1::AcquireLeaseResponse first,
                       Acquire(kStoreRevert));
  EXPECT_EQ(ReasonOf(Acquire("runner").status()), "LEASE_HELD");
  Restart();
  v1::GetLeaseRequest get;
  get.set_lease_id("movie/film");
  ASSERT_OK_AND_ASSIGN(const v1::GetLeaseResponse none, table_->Get(get));
  EXPECT_FALSE(none.has_lease());
  ASSERT_OK_AND_ASSIGN(const v1::AcquireLeaseResponse second,
                       Acquire("runner"));
  EXPECT_GT(second.lease().token().fencing_token(),
            first.lease().token().fencing_token());
  EXPECT_EQ(ReasonOf(table_->Enter(first.lease().token(), "film", "").status()),
            "LEASE_LOST");
}

TEST_F(LeaseTableTest, ARestartNeverGivesOutATokenAgain) {
  int64_t last = 0;
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse lease, Acquire("a"));
    EXPECT_GT(lease.lease().token().fencing_token(), last);
    last = lease.lease().token().fencing_token();
    ASSERT_OK(Release(lease.lease().token()));
    Restart();
  }
}

// Also when the object that holds the last one is lost, or an old copy.
TEST_F(LeaseTableTest, TokensNeverGoBackWithTheirObject) {
  const std::string key = "leases/movie/film.json";
  ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse first, Acquire("a"));
  ASSERT_OK_AND_ASSIGN(const std::string copy, ReadObject(storage_, key));
  int64_t last = first.lease().token().fencing_token();
  for (const bool put_back : {false, true}) {
    for (int i = 0; i < 3; ++i) {
      clock_.Advance(absl::Seconds(6));
      ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse next, Acquire("a"));
      last = next.lease().token().fencing_token();
    }
    ASSERT_OK(put_back ? storage_.Write(key, copy) : storage_.Delete(key));
    Restart();
    clock_.Advance(absl::Seconds(6));
    ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse after, Acquire("b"));
    EXPECT_GT(after.lease().token().fencing_token(), last);
  }
}

TEST_F(LeaseTableTest, TokensGrowAlsoWhenTheClockIsSetBack) {
  ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse first, Acquire("a"));
  clock_.Advance(absl::Seconds(6));
  clock_.SetNow(absl::UnixEpoch());
  ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse second, Acquire("b"));
  EXPECT_GT(second.lease().token().fencing_token(),
            first.lease().token().fencing_token());
}

// The next holder reads what the one before wrote: so a write that was let in
// must be over before the lease passes on.
TEST_F(LeaseTableTest, ALeasePassesOnOnlyAfterTheWritesUnderWay) {
  ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse a, Acquire("a"));
  absl::StatusOr<LeaseTable::Fence> fence =
      table_->Enter(a.lease().token(), "film", "");
  ASSERT_OK(fence);
  clock_.Advance(absl::Seconds(7));
  std::atomic<bool> granted = false;
  std::thread next([&] {
    EXPECT_OK(Acquire("b"));
    granted = true;
  });
  for (int i = 0; i < 2'000 && !granted; ++i) std::this_thread::yield();
  EXPECT_FALSE(granted);
  fence = LeaseTable::Fence();
  next.join();
  EXPECT_EQ(ReasonOf(Enter(a.lease().token())), "LEASE_LOST");
}

TEST_F(LeaseTableTest, OneOfManyWinsAndTokensNeverRepeat) {
  std::atomic<int> granted = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, &granted, i] {
      if (Acquire("holder-" + std::to_string(i)).ok()) ++granted;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(granted, 1);
}

TEST_F(LeaseTableTest, MalformedRequestsNameTheField) {
  v1::AcquireLeaseRequest request;
  request.set_lease_id("movie/../x");
  request.set_holder("a");
  request.mutable_ttl()->set_seconds(6);
  EXPECT_THAT(
      table_->Acquire(request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("lease_id")));
  request.set_lease_id("movie/film");
  request.mutable_ttl()->set_seconds(0);
  EXPECT_THAT(table_->Acquire(request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("ttl")));
  request.mutable_ttl()->set_seconds(3601);
  EXPECT_THAT(table_->Acquire(request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1h")));
  request.mutable_ttl()->set_seconds(6);
  request.set_holder("");
  EXPECT_THAT(
      table_->Acquire(request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("holder")));
}

TEST_F(LeaseTableTest, ALeaseOfAnotherMovieOpensNothing) {
  ASSERT_OK_AND_ASSIGN(v1::AcquireLeaseResponse a, Acquire("a"));
  EXPECT_THAT(
      table_->Enter(a.lease().token(), "other", "").status(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("movie/other")));
}

}  // namespace
}  // namespace kinora
