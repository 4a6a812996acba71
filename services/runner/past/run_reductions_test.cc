#include "services/runner/past/run_reductions.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "common/threads/thread_pool.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/counting_event_store.h"

namespace kinora {
namespace {

class RunReductionsTest : public CoreFixture {
 protected:
  void SetUp() override {
    MakeFilm(store());
    lease_ = TakeFilmLease(store());
  }

  void Complete(const std::string& job) { Complete(store(), lease_, job); }

  static void Complete(Store store, const v1::LeaseToken& lease,
                       const std::string& job) {
    v1::AppendEventsRequest append;
    append.mutable_log()->set_movie_id("film");
    append.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
    append.mutable_log()->set_run_id(std::string(kRun1));
    *append.mutable_lease() = lease;
    v1::LedgerEvent& event = *append.add_events()->mutable_ledger();
    event.set_run_id(std::string(kRun1));
    event.set_occurred_at_ms(1);
    event.mutable_step_completed()->mutable_step()->set_step_id(job);
    ASSERT_OK(store.events.Append(append));
  }

  static v1::RunRecord Record() {
    v1::RunRecord record;
    record.set_movie_id("film");
    record.set_run_id(std::string(kRun1));
    record.set_status(v1::RUN_STATUS_RUNNING);
    return record;
  }

  static int64_t Succeeded(RunReductions& reductions,
                           const v1::RunRecord& record = Record()) {
    absl::StatusOr<v1::RunSnapshot> run = reductions.Reduce(record);
    EXPECT_OK(run);
    return run.ok() ? run->record().jobs().succeeded() : -1;
  }

  v1::LeaseToken lease_;
  ThreadPool pool_{"test", 2};
};

TEST_F(RunReductionsTest, AnotherLookReadsWhatIsNew) {
  CountingEventStore events(store().events);
  RunReductions reductions(events, pool_);
  Complete("A");
  Complete("B");
  EXPECT_EQ(Succeeded(reductions), 2);
  EXPECT_EQ(events.delivered(), 2);
  EXPECT_EQ(Succeeded(reductions), 2);
  EXPECT_EQ(events.delivered(), 2);
  Complete("C");
  EXPECT_EQ(Succeeded(reductions), 3);
  EXPECT_EQ(events.delivered(), 3);
}

// A record is read anew for each look, and its labels have no order.
TEST_F(RunReductionsTest, ARecordWithLabelsIsTheSameAtEachLook) {
  CountingEventStore events(store().events);
  RunReductions reductions(events, pool_);
  Complete("A");
  for (int look = 0; look < 20; ++look) {
    v1::RunRecord record = Record();
    for (int i = 0; i < 8; ++i) {
      (*record.mutable_labels())[absl::StrCat("label", (look + i) % 8)] = "x";
    }
    EXPECT_EQ(Succeeded(reductions, record), 1);
  }
  EXPECT_EQ(events.delivered(), 1);
}

// Whoever carries the run out writes that it waits, or what it has cost.
TEST_F(RunReductionsTest, ARecordThatFollowsTheLedgerIsTheSame) {
  CountingEventStore events(store().events);
  RunReductions reductions(events, pool_);
  Complete("A");
  EXPECT_EQ(Succeeded(reductions), 1);
  v1::RunRecord waiting = Record();
  waiting.set_status(v1::RUN_STATUS_WAITING);
  waiting.mutable_wait()->set_reason("producer");
  waiting.mutable_cost()->set_micros(1);
  ASSERT_OK_AND_ASSIGN(const v1::RunSnapshot run, reductions.Reduce(waiting));
  EXPECT_EQ(run.wait_reason(), "");
  EXPECT_EQ(run.record().cost().micros(), 0);
  EXPECT_EQ(events.delivered(), 1);
}

TEST_F(RunReductionsTest, AnotherRecordIsToldInFull) {
  RunReductions reductions(store().events, pool_);
  Complete("A");
  EXPECT_EQ(Succeeded(reductions), 1);
  v1::RunRecord ended = Record();
  ended.set_status(v1::RUN_STATUS_CANCELLED);
  ended.set_error("enough");
  ended.mutable_jobs()->set_succeeded(1);
  ASSERT_OK_AND_ASSIGN(const v1::RunSnapshot run, reductions.Reduce(ended));
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_EQ(run.record().error(), "enough");
  EXPECT_EQ(run.jobs_size(), 1);
}

TEST_F(RunReductionsTest, ThePastIsWholeHoweverMuchIsKnown) {
  RunReductions reductions(store().events, pool_);
  Complete("A");
  EXPECT_EQ(Succeeded(reductions), 1);
  Complete("B");
  RunPast past;
  ASSERT_OK_AND_ASSIGN(const v1::RunSnapshot run,
                       reductions.Reduce(Record(), &past));
  EXPECT_EQ(run.record().jobs().succeeded(), 2);
  EXPECT_TRUE(past.Told("A", JobStatus::kSucceeded));
  EXPECT_TRUE(past.Told("B", JobStatus::kSucceeded));
}

// A store that was set back to a backup, in the same place.
TEST_F(RunReductionsTest, ALedgerThatIsShorterThanBeforeIsReadAnew) {
  class Switch final : public ForwardingEventStore {
   public:
    Switch(EventStore& first, EventStore& second)
        : ForwardingEventStore(first), second_(second) {}
    void Turn() { turned_ = true; }
    absl::StatusOr<v1::ReadEventsResponse> ReadPage(
        const v1::ReadEventsRequest& request) override {
      return turned_ ? second_.ReadPage(request)
                     : ForwardingEventStore::ReadPage(request);
    }

   private:
    EventStore& second_;
    bool turned_ = false;
  };
  MemoryObjectStorage backup_storage(clock_);
  MemoryEventLog backup_log;
  StoreCore backup(backup_storage, backup_log, clock_);
  MakeFilm(backup.store());
  Switch events(store().events, backup.store().events);
  RunReductions reductions(events, pool_);
  RunReductions adopting(events, pool_);
  Complete("A");
  Complete("B");
  EXPECT_EQ(Succeeded(reductions), 2);
  EXPECT_EQ(Succeeded(adopting), 2);
  Complete(backup.store(), TakeFilmLease(backup.store()), "A");
  events.Turn();
  EXPECT_EQ(Succeeded(reductions), 1);
  // Who goes on with the run reads all of it, and is told of each event once.
  RunPast past;
  ASSERT_OK_AND_ASSIGN(const v1::RunSnapshot run,
                       adopting.Reduce(Record(), &past));
  EXPECT_EQ(run.last_sequence(), 1);
  EXPECT_EQ(run.record().jobs().succeeded(), 1);
  EXPECT_TRUE(past.Told("A", JobStatus::kSucceeded));
  EXPECT_FALSE(past.Told("B", JobStatus::kSucceeded));
}

TEST_F(RunReductionsTest, ARunThatIsTooLargeIsReadEachTime) {
  CountingEventStore events(store().events);
  RunReductions reductions(events, pool_, /*max_jobs=*/1'001);
  Complete("A");
  EXPECT_EQ(Succeeded(reductions), 1);
  Complete("B");
  EXPECT_EQ(Succeeded(reductions), 2);
  EXPECT_EQ(events.delivered(), 2);
  EXPECT_EQ(Succeeded(reductions), 2);
  EXPECT_EQ(events.delivered(), 4);
}

}  // namespace
}  // namespace kinora
