#include "clients/cli/run_progress.h"

#include <string>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;

v1::Plan PlanOf(const std::vector<std::string>& jobs) {
  v1::Plan plan;
  for (const std::string& job : jobs) {
    plan.add_layers()->add_jobs()->set_job_id(job);
  }
  return plan;
}

v1::Event At(int64_t ms) {
  v1::Event event;
  event.mutable_ledger()->set_occurred_at_ms(ms);
  return event;
}

v1::Event Started(const std::string& job, int64_t ms) {
  v1::Event event = At(ms);
  event.mutable_ledger()->mutable_step_started()->mutable_step()->set_step_id(
      job);
  return event;
}

v1::Event Completed(const std::string& job, int64_t ms) {
  v1::Event event = At(ms);
  event.mutable_ledger()->mutable_step_completed()->mutable_step()->set_step_id(
      job);
  return event;
}

v1::Event Skipped(const std::string& job, const std::string& reason) {
  v1::Event event = At(0);
  v1::StepSkippedEvent& skipped =
      *event.mutable_ledger()->mutable_step_skipped();
  skipped.mutable_step()->set_step_id(job);
  skipped.set_reason(reason);
  return event;
}

TEST(RunProgressTest, SaysHowLongAJobTook) {
  RunProgress progress(PlanOf({"Picture[segment=0]"}));
  EXPECT_EQ(progress.Take(Started("Picture[segment=0]", 1000)),
            "  start    Picture[segment=0]");
  EXPECT_EQ(progress.Take(Completed("Picture[segment=0]", 2500)),
            "  done     Picture[segment=0]  1.5 s");
}

TEST(RunProgressTest, DrawsABarPerNode) {
  RunProgress progress(
      PlanOf({"Script", "Clip[segment=0]", "Clip[segment=1]"}));
  progress.Take(Started("Script", 0));
  progress.Take(Completed("Script", 1));
  progress.Take(Skipped("Clip[segment=0]", "reused"));
  progress.Take(Started("Clip[segment=1]", 2));
  EXPECT_THAT(progress.Bars(),
              ElementsAre("  Script [####################] 1/1",
                          "  Clip   [##########----------] 1/2  1 reused  "
                          "1 running"));
}

TEST(RunProgressTest, CountsBlockedJobsAsFailed) {
  RunProgress progress(PlanOf({"Film"}));
  EXPECT_EQ(progress.Take(Skipped("Film", "blocked")), "  blocked  Film");
  EXPECT_TRUE(absl::StrContains(progress.Bars()[0], "1 failed"));
}

TEST(RunProgressTest, TellsHowToAnswerAQuestion) {
  RunProgress progress(PlanOf({"Film"}));
  progress.Take(Started("Film", 0));
  v1::Event event = At(1);
  event.mutable_ledger()->set_run_id("run-1");
  v1::JobEvent& job = *event.mutable_ledger()->mutable_job();
  job.set_type("question");
  job.set_job_id("Film");
  job.set_message("Ship it?");
  job.set_detail_json(
      R"({"kind":"confirm","prompt":"Ship it?","questionId":"ship"})");
  EXPECT_EQ(progress.Take(event),
            "  question Film  Ship it?\n"
            "    kinora answer run-1 ship yes | no --job 'Film'");
  EXPECT_TRUE(absl::StrContains(progress.Bars()[0], "1 running"));
  job.set_type("asking");
  EXPECT_EQ(progress.Take(event), "");
  EXPECT_FALSE(absl::StrContains(progress.Bars()[0], "running"));
}

TEST(RunProgressTest, DescribesTheEnd) {
  v1::LedgerEvent completed;
  completed.mutable_run_completed()->set_result_json(
      R"({"jobs":{"clean":19,"reused":2,"succeeded":3},)"
      R"("manifestHash":"0123456789abcdef","revision":"rev-0002"})");
  EXPECT_EQ(DescribeEnd(completed),
            "completed: rev-0002, 3 jobs called, 2 reused, 19 clean, manifest "
            "0123456789ab");
  v1::LedgerEvent failed;
  failed.mutable_run_failed()->set_error("Clip[segment=1]: out of memory");
  EXPECT_EQ(DescribeEnd(failed), "failed: Clip[segment=1]: out of memory");
}

TEST(RunProgressTest, SaysWhatIsPausedAndResumed) {
  RunProgress progress{v1::Plan()};
  v1::Event event = At(0);
  v1::RunWaitingEvent& waiting = *event.mutable_ledger()->mutable_run_waiting();
  waiting.set_reason("paused");
  EXPECT_EQ(progress.Take(event), "  waiting  paused");
  waiting.set_producer("tts");
  EXPECT_EQ(progress.Take(event), "  waiting  paused  tts");
  event.mutable_ledger()->mutable_run_resumed()->set_reason("adopted");
  EXPECT_EQ(progress.Take(event), "  resumed  adopted");
}

}  // namespace
}  // namespace kinora
