#include "services/runner/ledger_watch.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/manual_executor.h"
#include "common/testing/status_matchers.h"
#include "services/runner/run_events.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A store whose logs cannot be read while it is away.
class AwayEventStore final : public EventStore {
 public:
  explicit AwayEventStore(EventStore& base) : base_(base) {}

  void set_away(bool away) { away_ = away; }
  int reads() const { return reads_; }

  absl::StatusOr<v1::AppendEventsResponse> Append(
      const v1::AppendEventsRequest& request) override {
    return base_.Append(request);
  }
  absl::StatusOr<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest& request) override {
    ++reads_;
    if (away_) return absl::UnavailableError("away");
    return base_.ReadPage(request);
  }
  WaiterId NotifyAfter(const v1::LogName& log, int64_t after,
                       absl::AnyInvocable<void()> callback) override {
    return base_.NotifyAfter(log, after, std::move(callback));
  }
  void CancelNotify(WaiterId id) override { base_.CancelNotify(id); }
  absl::StatusOr<v1::ResolveArtefactsResponse> ResolveArtefacts(
      const v1::ResolveArtefactsRequest& request) override {
    return base_.ResolveArtefacts(request);
  }
  absl::StatusOr<v1::ListInputsResponse> ListInputs(
      const v1::ListInputsRequest& request) override {
    return base_.ListInputs(request);
  }
  absl::StatusOr<v1::GetLogStatusResponse> GetLogStatus(
      const v1::GetLogStatusRequest& request) override {
    return base_.GetLogStatus(request);
  }

 private:
  EventStore& base_;
  bool away_ = false;
  int reads_ = 0;
};

// Who is woken reads, as a run does.
class LedgerWatchTest : public CoreFixture {
 protected:
  LedgerWatchTest() {
    MakeFilm(store());
    lease_ = TakeFilmLease(store());
    v1::PutRunRecordRequest put;
    put.mutable_record()->set_run_id(std::string(kRun1));
    put.mutable_record()->set_movie_id("film");
    *put.mutable_lease() = lease_;
    EXPECT_OK(store().runs.Put(put));
    Append();  // the runner's
  }

  void Watch() {
    watch_ = std::make_unique<LedgerWatch>(
        events_, executor_, LedgerAppend(kRun, lease_, v1::Event()).log(), 0,
        [this] { executor_.Post([this] { Read(); }); });
  }

  void Read() {
    if (watch_ == nullptr) return;
    watch_->Read(
        [this](const v1::Event& event) { seen_.push_back(event.sequence()); });
  }

  v1::AppendEventsResponse Append() {
    v1::Event event = LedgerEventAt(kRun, 1);
    event.mutable_ledger()->mutable_job()->set_type("told");
    event.mutable_ledger()->mutable_job()->set_job_id("A");
    const absl::StatusOr<v1::AppendEventsResponse> appended =
        store().events.Append(LedgerAppend(kRun, lease_, std::move(event)));
    EXPECT_OK(appended);
    return appended.value_or(v1::AppendEventsResponse());
  }

  const RunIdentity kRun = {"film", std::string(kRun1), "rev-0001"};
  AwayEventStore events_{store().events};
  ManualExecutor executor_{clock_};
  v1::LeaseToken lease_;
  std::vector<int64_t> seen_;
  std::unique_ptr<LedgerWatch> watch_;
};

TEST_F(LedgerWatchTest, WhatOthersHaveAppendedIsSeenWithinAPeriod) {
  Watch();
  Append();
  executor_.RunUntilIdle();
  EXPECT_THAT(seen_, IsEmpty());
  executor_.Advance(kLedgerPeriod);
  EXPECT_THAT(seen_, ElementsAre(2));
  Append();
  executor_.Advance(kLedgerPeriod);
  EXPECT_THAT(seen_, ElementsAre(2, 3));
}

TEST_F(LedgerWatchTest, WhatTheRunAppendsIsNoNewsUnlessSomethingCameBefore) {
  Watch();
  watch_->NoteAppended(Append());
  executor_.RunUntilIdle();
  EXPECT_EQ(watch_->through(), 2);
  EXPECT_EQ(events_.reads(), 0);
  Append();
  watch_->NoteAppended(Append());
  executor_.RunUntilIdle();
  EXPECT_THAT(seen_, ElementsAre(3, 4));
  EXPECT_EQ(watch_->through(), 4);
}

TEST_F(LedgerWatchTest, ARunThatWaitsSeesAtOnceWhatOthersAppend) {
  Watch();
  watch_->Follow();
  watch_->Follow();  // is told once all the same
  executor_.RunUntilIdle();
  EXPECT_EQ(events_.reads(), 0);
  Append();
  executor_.RunUntilIdle();
  EXPECT_THAT(seen_, ElementsAre(2));
  // It does not wait any more, unless it says so.
  Append();
  executor_.RunUntilIdle();
  EXPECT_THAT(seen_, ElementsAre(2));
  watch_->Follow();
  executor_.RunUntilIdle();
  EXPECT_THAT(seen_, ElementsAre(2, 3));
  // Nobody is told once it has gone.
  watch_->Follow();
  watch_.reset();
  Append();
  executor_.Advance(2 * kLedgerPeriod);
  EXPECT_THAT(seen_, ElementsAre(2, 3));
}

TEST_F(LedgerWatchTest, AReadingThatFailsIsTriedAgainSoonAndNotAtOnce) {
  Watch();
  Append();
  events_.set_away(true);
  Read();
  Read();
  EXPECT_TRUE(watch_->behind());
  watch_->Follow();  // would be told of the same again
  executor_.RunUntilIdle();
  EXPECT_EQ(events_.reads(), 2);
  executor_.Advance(kLedgerRetryPeriod);
  EXPECT_EQ(events_.reads(), 3);
  EXPECT_TRUE(watch_->behind());
  events_.set_away(false);
  executor_.Advance(kLedgerRetryPeriod);
  EXPECT_FALSE(watch_->behind());
  EXPECT_THAT(seen_, ElementsAre(2));
}

}  // namespace
}  // namespace kinora
