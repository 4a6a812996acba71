#include "services/runner/past/run_reduction.h"

#include <cstring>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "services/runner/ledger/ledger_ingestion.h"
#include "services/runner/ledger/random_ledger.h"
#include "services/runner/ledger/status_words.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;

class RunReductionTest : public ::testing::Test {
 protected:
  static v1::RunRecord Record(v1::RunStatus status) {
    v1::RunRecord record;
    record.set_run_id("r");
    record.set_status(status);
    record.mutable_jobs()->set_total(3);
    return record;
  }

  v1::LedgerEvent* Next() {
    event_.Clear();
    event_.set_sequence(++sequence_);
    event_.mutable_ledger()->set_run_id("r");
    event_.mutable_ledger()->set_occurred_at_ms(1000 + sequence_);
    return event_.mutable_ledger();
  }
  void Take() { reduction_.Apply(event_); }

  RunReduction reduction_{Record(v1::RUN_STATUS_RUNNING)};
  v1::Event event_;
  int64_t sequence_ = 0;
};

TEST_F(RunReductionTest, JobsAreAsTheirLastStepsSay) {
  Next()->mutable_step_started()->mutable_step()->set_step_id("A");
  Take();
  Next()->mutable_step_completed()->mutable_step()->set_step_id("A");
  Take();
  v1::StepSkippedEvent* skipped = Next()->mutable_step_skipped();
  skipped->mutable_step()->set_step_id("B");
  skipped->set_reason("reused");
  Take();
  v1::StepFailedEvent* failed = Next()->mutable_step_failed();
  failed->mutable_step()->set_step_id("C");
  failed->set_error("boom");
  Take();
  const v1::RunSnapshot run = reduction_.Snapshot();
  ASSERT_EQ(run.jobs_size(), 3);
  EXPECT_EQ(run.jobs(0).status(), "completed");
  EXPECT_EQ(run.jobs(1).detail(), "reused");
  EXPECT_EQ(run.jobs(2).detail(), "boom");
  EXPECT_EQ(run.record().jobs().succeeded(), 1);
  EXPECT_EQ(run.record().jobs().reused(), 1);
  EXPECT_EQ(run.record().jobs().failed(), 1);
  EXPECT_EQ(run.record().jobs().total(), 3);
  EXPECT_EQ(run.last_sequence(), 4);
}

// Who asks why nothing happens is told, and until when.
TEST_F(RunReductionTest, AWaitIsToldWithItsMessageAndEnd) {
  Next()->mutable_run_started();
  Take();
  v1::RunWaitingEvent* waiting = Next()->mutable_run_waiting();
  waiting->set_reason("producer");
  waiting->set_message("tts is down");
  waiting->set_until_ms(5000);
  Take();
  v1::RunSnapshot run = reduction_.Snapshot();
  EXPECT_EQ(run.wait_reason(), "producer");
  EXPECT_EQ(run.record().wait().reason(), "producer");
  EXPECT_EQ(run.record().wait().message(), "tts is down");
  EXPECT_EQ(run.record().wait().until().seconds(), 5);
  Next()->mutable_run_resumed()->set_reason("producer");
  Take();
  run = reduction_.Snapshot();
  EXPECT_EQ(run.wait_reason(), "");
  EXPECT_FALSE(run.record().has_wait());
}

TEST_F(RunReductionTest, AJobThatIsCalledAgainSaysWhyUntilItIs) {
  Next()->mutable_step_started()->mutable_step()->set_step_id("A");
  Take();
  v1::JobEvent* retrying = Next()->mutable_job();
  retrying->set_type("retrying");
  retrying->set_job_id("A");
  retrying->set_message("too many requests");
  Take();
  EXPECT_EQ(reduction_.Snapshot().jobs(0).detail(), "too many requests");
  Next()->mutable_step_started()->mutable_step()->set_step_id("A");
  Take();
  EXPECT_EQ(reduction_.Snapshot().jobs(0).detail(), "");
}

// A crash between the terminal event and the record must not revive the run.
// F: S3-15
TEST_F(RunReductionTest, LedgerDecidesWhenTheRecordLags) {
  Next()->mutable_run_started();
  Take();
  EXPECT_EQ(reduction_.status(), v1::RUN_STATUS_RUNNING);
  Next()->mutable_run_failed()->set_error("boom");
  Take();
  EXPECT_EQ(reduction_.status(), v1::RUN_STATUS_FAILED);
  EXPECT_EQ(reduction_.error(), "boom");
  EXPECT_EQ(reduction_.Snapshot().record().finish_time().seconds(), 1);
}

TEST_F(RunReductionTest,
       TerminalIsFinalButForALateFailure) {  // F: S2-44, S2-45, S3-16
  Next()->mutable_run_completed();
  Take();
  Next()->mutable_run_cancelled();
  Take();
  EXPECT_EQ(reduction_.status(), v1::RUN_STATUS_COMPLETED);
  Next()->mutable_run_failed();
  Take();
  EXPECT_EQ(reduction_.status(), v1::RUN_STATUS_FAILED);
  Next()->mutable_run_started();
  Take();
  EXPECT_EQ(reduction_.status(), v1::RUN_STATUS_FAILED);
}

TEST_F(RunReductionTest, CostsAreThoseOfAllAttempts) {
  v1::StepStartedEvent* started = Next()->mutable_step_started();
  started->mutable_step()->set_step_id("A");
  started->mutable_reserved()->set_micros(50);
  Take();
  v1::JobEvent* retrying = Next()->mutable_job();
  retrying->set_type("retrying");
  retrying->set_job_id("A");
  retrying->set_detail_json(R"({"attempt":1,"cost":{"micros":20}})");
  Take();
  EXPECT_EQ(reduction_.Snapshot().reserved_size(), 0);
  started = Next()->mutable_step_started();
  started->mutable_step()->set_step_id("A");
  started->mutable_reserved()->set_micros(50);
  Take();
  Next()->mutable_run_budget()->mutable_cap()->set_micros(70);
  Take();
  v1::RunSnapshot run = reduction_.Snapshot();
  EXPECT_EQ(run.record().cost().micros(), 20);
  EXPECT_EQ(run.record().budget().micros(), 70);
  ASSERT_EQ(run.reserved_size(), 1);
  EXPECT_EQ(run.reserved(0).micros(), 50);
  v1::StepFailedEvent* failed = Next()->mutable_step_failed();
  failed->mutable_step()->set_step_id("A");
  failed->mutable_cost()->set_micros(30);
  Take();
  Next()->mutable_run_failed();
  Take();
  run = reduction_.Snapshot();
  EXPECT_EQ(run.record().cost().micros(), 50);
  EXPECT_EQ(run.reserved_size(), 0);
}

TEST_F(RunReductionTest, TailKeepsTheLastLinesAndCountsAll) {  // F: S2-9
  for (int i = 1; i <= 150; ++i) {
    v1::LogAppendedEvent* log = Next()->mutable_log_appended();
    log->add_lines(std::to_string(i));
    log->set_first_seq(i);
    Take();
  }
  const v1::RunSnapshot run = reduction_.Snapshot();
  EXPECT_EQ(run.log_tail_size(), 100);
  EXPECT_EQ(run.log_tail(0), "51");
  EXPECT_EQ(run.total_log_count(), 150);
}

TEST_F(RunReductionTest, APauseMakesTheRunWaitOneOfAProducerDoesNot) {
  Next()->mutable_run_started();
  Take();
  *Next() = PauseEvent(true, "tts");
  event_.mutable_ledger()->set_run_id("r");
  Take();
  EXPECT_EQ(reduction_.status(), v1::RUN_STATUS_RUNNING);
  v1::RunSnapshot run = reduction_.Snapshot();
  EXPECT_FALSE(run.paused());
  EXPECT_THAT(run.paused_producers(), ElementsAre("tts"));

  *Next() = PauseEvent(true, "");
  event_.mutable_ledger()->set_run_id("r");
  Take();
  run = reduction_.Snapshot();
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_WAITING);
  EXPECT_EQ(run.wait_reason(), "paused");
  EXPECT_TRUE(run.paused());

  // The other pause still stands in the way of the run.
  *Next() = PauseEvent(false, "tts");
  event_.mutable_ledger()->set_run_id("r");
  Take();
  EXPECT_EQ(reduction_.status(), v1::RUN_STATUS_WAITING);
  *Next() = PauseEvent(false, "");
  event_.mutable_ledger()->set_run_id("r");
  Take();
  run = reduction_.Snapshot();
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_RUNNING);
  EXPECT_EQ(run.wait_reason(), "");
  EXPECT_FALSE(run.paused());
  EXPECT_EQ(run.paused_producers_size(), 0);
}

TEST_F(RunReductionTest, EventsOfOtherRunsChangeNothing) {  // F: S2-28
  Next()->mutable_run_failed();
  event_.mutable_ledger()->set_run_id("other");
  Take();
  EXPECT_EQ(reduction_.status(), v1::RUN_STATUS_QUEUED);
}

TEST_F(RunReductionTest, AQuestionWaitsUntilItIsAnsweredOrTheRunHasEnded) {
  v1::Question question;
  question.set_question_id("tone");
  question.set_prompt("Which tone?");
  Next()->mutable_step_started()->mutable_step()->set_step_id("A");
  Take();
  *Next()->mutable_job() = QuestionEvent("A", question);
  Take();
  EXPECT_EQ(reduction_.Snapshot().jobs(0).status(), "running");
  *Next()->mutable_job() = AskingEvent("A", question, false, v1::Cost());
  Take();
  v1::RunSnapshot run = reduction_.Snapshot();
  EXPECT_EQ(run.jobs(0).status(), "asking");
  EXPECT_EQ(run.jobs(0).detail(), "Which tone?");
  EXPECT_EQ(run.record().jobs().running(), 0);
  EXPECT_THAT(run.pending_question_ids(), ::testing::ElementsAre("tone"));

  v1::Answer answer;
  answer.set_question_id("tone");
  answer.set_value_json("\"calm\"");
  *Next()->mutable_job() = AnsweredEvent("A", answer);
  Take();
  run = reduction_.Snapshot();
  EXPECT_EQ(run.jobs(0).status(), "running");
  EXPECT_EQ(run.jobs(0).detail(), "");
  EXPECT_THAT(run.pending_question_ids(), ::testing::IsEmpty());

  question.set_question_id("size");
  *Next()->mutable_job() = QuestionEvent("A", question);
  Take();
  Next()->mutable_run_cancelled();
  Take();
  run = reduction_.Snapshot();
  EXPECT_THAT(run.pending_question_ids(), ::testing::IsEmpty());
  EXPECT_EQ(run.jobs(0).status(), "cancelled");
  EXPECT_EQ(run.record().jobs().running(), 0);
}

std::string WordOf(v1::RunStatus status) {
  const std::string name = v1::RunStatus_Name(status);  // RUN_STATUS_QUEUED
  return std::string(NormalizedRunStatus(name.substr(strlen("RUN_STATUS_"))));
}

// Where both have a say, the state of a run is what its ledger's own reduction
// (ledger/reduce.h) says. Left out is what only one of them knows: ends that no
// runner gives, and that a waiting run goes on with the first step, which a
// runner tells by itself.
TEST(RunReductionsAgreeTest, OnStatusErrorEndAndLines) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    RandomLedger random(seed);
    LedgerIngestion ingestion({.run_id = "r", .status = "queued"});
    const LedgerSnapshot& ledger = ingestion.snapshot();
    v1::RunRecord record;
    record.set_run_id("r");
    RunReduction reduction(record);
    bool conflict = false;  // adds a line to the ledger's log
    for (int i = 0; i < 60; ++i) {
      const v1::LedgerEvent offered = random.Event();
      if (offered.has_step_started() || IsTerminalStatus(NormalizedRunStatus(
                                            offered.run_created().status()))) {
        continue;
      }
      const double lines = ledger.total_log_count;
      const auto taken = ingestion.Take({offered}, 1);
      if (!taken.ok()) continue;
      for (const v1::LedgerEvent& event : *taken) {
        v1::Event framed;
        *framed.mutable_ledger() = event;
        reduction.Apply(framed);
      }
      conflict = conflict || (!offered.has_log_appended() &&
                              ledger.total_log_count > lines);
      ASSERT_EQ(WordOf(reduction.status()), ledger.status);
      ASSERT_EQ(reduction.error(), ledger.error.value_or(""));
      const v1::RunSnapshot run = reduction.Snapshot();
      ASSERT_EQ(run.record().has_finish_time(), ledger.finished_at.has_value());
      if (ledger.finished_at.has_value()) {
        const auto& end = run.record().finish_time();
        EXPECT_EQ(static_cast<double>(end.seconds() * 1'000 +
                                      end.nanos() / 1'000'000),
                  *ledger.finished_at);
      }
      if (!conflict) {
        ASSERT_EQ(run.total_log_count(), ledger.total_log_count);
        ASSERT_EQ(run.log_tail_size(), ledger.log_tail.size());
      }
    }
  }
}

// Of a runner's run outside workers tell lines only; of one that its caller
// carries out its end, too, but not what it has published.
TEST_F(RunReductionTest, ReportsTellLinesAndTheEndOfACallersRun) {
  v1::RunRecord callers = Record(v1::RUN_STATUS_RUNNING);
  callers.set_stepwise(true);
  RunReduction stepwise(callers);
  const auto take = [this, &stepwise] {
    event_.mutable_ledger()->set_source(v1::LEDGER_SOURCE_EXTERNAL);
    reduction_.Apply(event_);
    stepwise.Apply(event_);
  };
  Next()->mutable_step_completed()->mutable_step()->set_step_id("A");
  take();
  Next()->mutable_log_appended()->add_lines("x");
  take();
  Next()->mutable_run_completed()->set_result_json(
      R"({"published":true,"revision":"rev-0009","manifestHash":"f"})");
  take();
  EXPECT_EQ(reduction_.status(), v1::RUN_STATUS_QUEUED);
  EXPECT_EQ(stepwise.status(), v1::RUN_STATUS_COMPLETED);
  for (const RunReduction* run : {&reduction_, &stepwise}) {
    const v1::RunSnapshot snapshot = run->Snapshot();
    EXPECT_EQ(snapshot.record().jobs().succeeded(), 0);
    EXPECT_THAT(snapshot.log_tail(), ElementsAre("x"));
    EXPECT_EQ(snapshot.record().published_revision(), "");
  }
}

}  // namespace
}  // namespace kinora
