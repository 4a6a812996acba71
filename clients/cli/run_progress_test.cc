#include "clients/cli/run_progress.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

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

v1::Event Job(const std::string& type, const std::string& job,
              const std::string& detail) {
  v1::Event event = At(0);
  v1::JobEvent& told = *event.mutable_ledger()->mutable_job();
  told.set_type(type);
  told.set_job_id(job);
  told.set_detail_json(detail);
  return event;
}

TEST(RunProgressTest, SaysHowLongAJobTook) {
  RunProgress progress(PlanOf({"Picture[segment=0]"}));
  EXPECT_EQ(progress.Take(Started("Picture[segment=0]", 1000)),
            "  start    Picture[segment=0]");
  EXPECT_EQ(progress.Take(Completed("Picture[segment=0]", 2500)),
            "  done     Picture[segment=0]  1.5 s");
}

TEST(RunProgressTest, SaysForWhatTheRunWaits) {
  RunProgress progress(PlanOf({"A"}));
  v1::Event event = At(0);
  event.mutable_ledger()->mutable_run_waiting()->set_reason("budget");
  event.mutable_ledger()->mutable_run_waiting()->set_message("job A may cost");
  EXPECT_EQ(progress.Take(event), "  waiting  budget  job A may cost");
  event.mutable_ledger()->mutable_run_waiting()->set_reason("producer");
  event.mutable_ledger()->mutable_run_waiting()->set_message("tts is down");
  event.mutable_ledger()->mutable_run_waiting()->set_until_ms(1767229200000);
  EXPECT_EQ(progress.Take(event),
            "  waiting  producer  tts is down, until 2026-01-01 01:00:00 UTC");
  EXPECT_EQ(progress.View(1).waiting, "producer until 2026-01-01 01:00:00 UTC");
  event.mutable_ledger()->mutable_run_budget()->mutable_cap()->set_micros(
      2'500'000);
  EXPECT_EQ(progress.Take(event), "  budget   2.50");
}

// The run that waits says the same.
TEST(RunProgressTest, SaysOnceWhatCannotBeAfforded) {
  RunProgress progress(PlanOf({"A"}));
  EXPECT_EQ(progress.Take(Job("over_budget", "A", R"({"scope":"run"})")), "");
}

TEST(RunProgressTest, CountsTheJobsOfEachNode) {
  RunProgress progress(
      PlanOf({"Script", "Clip[segment=0]", "Clip[segment=1]"}));
  progress.Take(Started("Script", 0));
  progress.Take(Completed("Script", 1));
  progress.Take(Skipped("Clip[segment=0]", "reused"));
  progress.Take(Started("Clip[segment=1]", 2));
  const RunView view = progress.View(3);
  ASSERT_THAT(view.nodes, SizeIs(2));
  EXPECT_EQ(view.nodes[0].name, "Script");
  EXPECT_EQ(view.nodes[0].done, 1);
  EXPECT_EQ(view.nodes[0].running, 0);
  EXPECT_EQ(view.nodes[1].total, 2);
  EXPECT_EQ(view.nodes[1].reused, 1);
  EXPECT_EQ(view.nodes[1].running, 1);
  EXPECT_FALSE(view.grows);
}

TEST(RunProgressTest, CountsBlockedJobsAsFailed) {
  RunProgress progress(PlanOf({"Film"}));
  v1::Event blocked = Skipped("Film", "blocked");
  blocked.mutable_ledger()->mutable_step_skipped()->set_blocked_by("Clip");
  EXPECT_EQ(progress.Take(blocked), "  blocked  Film  by Clip");
  EXPECT_EQ(progress.View(0).nodes[0].failed, 1);
}

TEST(RunProgressTest, AJobThatWaitsForItsNextAttemptIsNotRunning) {
  RunProgress progress(PlanOf({"Film"}));
  progress.Take(Started("Film", 0));
  EXPECT_EQ(progress.View(0).nodes[0].running, 1);
  progress.Take(Job("retrying", "Film", "{}"));
  EXPECT_EQ(progress.View(0).nodes[0].running, 0);
}

// The rate is that of the last half minute, and jobs take as long as they did
// of late: what went before, or is reused at once, says little about what is to
// come.
TEST(RunProgressTest, EstimatesFromTheRateOfLate) {
  std::vector<std::string> jobs;
  for (int i = 0; i < 100; ++i) {
    jobs.push_back(absl::StrCat("Clip[segment=", i, "]"));
  }
  RunProgress progress(PlanOf(jobs));
  EXPECT_EQ(progress.View(1000).eta, std::nullopt);
  for (int i = 0; i < 20; ++i) progress.Take(Skipped(jobs[i], "reused"));
  EXPECT_EQ(progress.View(1000).eta, std::nullopt);
  // One a second, and then one every ten seconds.
  int64_t now = 1000;
  int next = 20;
  for (int i = 0; i < 20; ++i, ++next) {
    progress.Take(Started(jobs[next], now));
    progress.Take(Completed(jobs[next], now += 1000));
  }
  EXPECT_NEAR(progress.View(now).jobs_per_second, 1.0, 0.01);
  EXPECT_EQ(progress.View(now).eta, absl::Seconds(60));
  for (int i = 0; i < 20; ++i, ++next) {
    progress.Take(Started(jobs[next], now));
    progress.Take(Completed(jobs[next], now += 10'000));
  }
  EXPECT_NEAR(progress.View(now).jobs_per_second, 0.1, 0.01);
  EXPECT_EQ(progress.View(now).eta, absl::Seconds(400));
  // Nothing for a long time: as slow as the run was on the whole.
  EXPECT_NEAR(progress.View(now + 30'001).jobs_per_second, 40.0 / 250, 0.01);
}

// With a record there is an estimate as soon as a job is called, and none for
// what nobody knows.
TEST(RunProgressTest, EstimatesFromWhatIsRecorded) {
  v1::Plan plan = PlanOf({"Script", "Film"});
  for (const char* name : {"Script", "Film"}) {
    v1::PlannedNode* node = plan.add_nodes();
    node->set_node(name);
    node->mutable_producer()->set_name("text");
  }
  RunProgress progress(plan, {{"text", absl::Seconds(20)}});
  EXPECT_EQ(progress.View(0).eta, std::nullopt);
  progress.Take(Started("Script", 1000));
  EXPECT_EQ(progress.View(6000).eta, absl::Seconds(35));
  progress.Take(Completed("Script", 21'000));
  EXPECT_EQ(progress.View(21'000).eta, absl::Seconds(20));
  progress.Take(Started("Film", 21'000));
  progress.Take(Job("retrying", "Film", "{}"));
  EXPECT_EQ(progress.View(31'000).eta, absl::Seconds(20));
  RunProgress unknown(plan);
  unknown.Take(Started("Script", 1000));
  EXPECT_EQ(unknown.View(2000).eta, std::nullopt);
}

TEST(RunProgressTest, DeferredJobsMakeTheTotalGrow) {
  v1::Plan plan = PlanOf({"Script"});
  plan.add_deferred()->set_node("Scene");
  RunProgress progress(plan);
  EXPECT_TRUE(progress.View(0).grows);
  progress.Take(Job("expanded", "Script",
                    R"({"deferredGroups":1,"jobsByNode":{"Scene":3}})"));
  EXPECT_TRUE(progress.View(0).grows);
  EXPECT_EQ(progress.View(0).nodes[1].name, "Scene");
  EXPECT_EQ(progress.View(0).nodes[1].total, 3);
  progress.Take(Job("expanded", "Scene[scene=0]",
                    R"({"deferredGroups":0,"jobsByNode":{"Scene":2}})"));
  EXPECT_FALSE(progress.View(0).grows);
  EXPECT_EQ(progress.View(0).nodes[1].total, 5);
}

TEST(RunProgressTest, AddsUpWhatAttemptsCost) {
  RunProgress progress(PlanOf({"A", "B"}));
  EXPECT_THAT(progress.View(0).costs, IsEmpty());
  v1::Event done = Completed("A", 1);
  v1::Cost* cost =
      done.mutable_ledger()->mutable_step_completed()->mutable_cost();
  cost->set_currency_code("USD");
  cost->set_micros(500'000);
  progress.Take(done);
  progress.Take(Job("retrying", "B",
                    R"({"cost":{"currencyCode":"USD","micros":250000}})"));
  progress.Take(
      Job("retrying", "B", R"({"cost":{"currencyCode":"EUR","micros":1}})"));
  const std::vector<v1::Cost> costs = progress.View(0).costs;
  ASSERT_THAT(costs, SizeIs(2));
  EXPECT_EQ(costs[0].currency_code(), "EUR");
  EXPECT_EQ(costs[1].currency_code(), "USD");
  EXPECT_EQ(costs[1].micros(), 750'000);
}

// What the producer of a lost attempt knows is charged when it is called again.
TEST(RunProgressTest, CountsWhatALostAttemptHasCostOnce) {
  RunProgress progress(PlanOf({"A", "B"}));
  const std::string lost =
      R"({"inDoubt":true,"cost":{"currencyCode":"USD","micros":250000}})";
  const std::string released = R"({"released":true})";
  progress.Take(Started("A", 0));
  progress.Take(Job("retrying", "A", lost));
  EXPECT_EQ(progress.View(0).costs[0].micros(), 250'000);
  progress.Take(Job("recovering", "A", released));
  EXPECT_EQ(progress.View(0).costs[0].micros(), 250'000);
  progress.Take(Started("A", 0));
  EXPECT_EQ(progress.View(0).costs[0].micros(), 0);
  // Nobody knows of this one, so both may have been paid for.
  progress.Take(Job("retrying", "B", lost));
  progress.Take(Started("B", 0));
  progress.Take(Job("recovering", "B", released));
  EXPECT_EQ(progress.View(0).costs[0].micros(), 250'000);
}

TEST(RunProgressTest, WaitsUntilItGoesOn) {
  RunProgress progress(PlanOf({"A"}));
  v1::Event waiting = At(1);
  waiting.mutable_ledger()->mutable_run_waiting()->set_reason("budget");
  EXPECT_EQ(progress.Take(waiting), "  waiting  budget");
  EXPECT_EQ(progress.View(1).waiting, "budget");
  v1::Event resumed = At(2);
  resumed.mutable_ledger()->mutable_run_resumed();
  progress.Take(resumed);
  EXPECT_EQ(progress.View(2).waiting, "");
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
  EXPECT_EQ(progress.View(1).nodes[0].running, 1);
  job.set_type("asking");
  EXPECT_EQ(progress.Take(event), "");
  EXPECT_EQ(progress.View(1).nodes[0].running, 0);
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

// Workers outside tell of steps; jobs are those that Kinora tells of.
TEST(RunProgressTest, ReportedStepsAreShownAndCountForNothing) {
  RunProgress progress(PlanOf({"A"}));
  v1::Event event = Completed("A", 1000);
  event.mutable_ledger()->set_source(v1::LEDGER_SOURCE_EXTERNAL);
  EXPECT_EQ(progress.Take(event), "  reported A  done");
  EXPECT_EQ(progress.View(1).nodes[0].done, 0);
  EXPECT_EQ(progress.Take(Started("A", 1000)), "  start    A");
  progress.Take(Completed("A", 2000));
  EXPECT_EQ(progress.View(1).nodes[0].done, 1);
}

}  // namespace
}  // namespace kinora
