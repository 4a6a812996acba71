#include "services/runner/past/ledger_watch.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/manual_executor.h"
#include "common/testing/status_matchers.h"
#include "services/runner/past/run_events.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/forwarding_event_store.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A store whose logs cannot be read while it is away, or not be followed.
class AwayEventStore final : public ForwardingEventStore {
 public:
  using ForwardingEventStore::ForwardingEventStore;

  void set_away(bool away) { away_ = away; }
  void set_follows(bool follows) { follows_ = follows; }
  int reads() const { return reads_; }

  absl::StatusOr<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest& request) override {
    ++reads_;
    if (away_) return absl::UnavailableError("away");
    return ForwardingEventStore::ReadPage(request);
  }
  WaiterId NotifyAfter(const v1::LogName& log, int64_t after,
                       absl::AnyInvocable<void()> callback) override {
    if (follows_) {
      return ForwardingEventStore::NotifyAfter(log, after, std::move(callback));
    }
    callback();
    return 0;
  }

 private:
  bool away_ = false;
  bool follows_ = true;
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
    if (waits_) watch_->Follow();
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
  bool waits_ = false;  // and goes on with it after each reading
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

// As when it refuses streams and answers other calls.
TEST_F(LedgerWatchTest, AStoreThatCannotBeFollowedIsNotAskedAllTheTime) {
  Watch();
  waits_ = true;
  events_.set_follows(false);
  Read();
  executor_.RunUntilIdle();
  const int at_once = events_.reads();
  EXPECT_LE(at_once, 3);
  executor_.Advance(kLedgerRetryPeriod);
  EXPECT_GT(events_.reads(), at_once);
  EXPECT_LE(events_.reads(), at_once + 3);
  // It is followed as soon as that is possible.
  events_.set_follows(true);
  executor_.Advance(kLedgerRetryPeriod);
  Append();
  executor_.RunUntilIdle();
  Append();
  executor_.RunUntilIdle();
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
