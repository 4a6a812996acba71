#include "services/runner/run_recovery.h"

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/proto_time.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kRun[] = "run-01KDV3N3C00000000000000001";
constexpr char kOther[] = "run-01KDV3N3C00000000000000002";

void AddJob(const std::string& status, const std::string& detail,
            RecoveryFacts* facts) {
  v1::JobState* job = facts->run.add_jobs();
  job->set_job_id(absl::StrCat("J", facts->run.jobs_size()));
  job->set_status(status);
  job->set_detail(detail);
}

// A run of two finished jobs, one that runs and one that is blocked.
RecoveryFacts Facts(v1::RunStatus status) {
  RecoveryFacts facts;
  v1::RunRecord* record = facts.run.mutable_record();
  record->set_run_id(kRun);
  record->set_movie_id("film");
  record->set_status(status);
  record->set_target_revision("rev-0002");
  record->set_manifest_base_hash("base");
  facts.current.emplace();
  facts.current->set_revision("rev-0001");
  facts.current->set_hash("base");
  AddJob("completed", "", &facts);
  AddJob("skipped", "reused", &facts);
  AddJob("skipped", "blocked", &facts);
  AddJob("running", "", &facts);
  facts.now = absl::FromUnixSeconds(1000);
  return facts;
}

void Hold(const std::string& purpose, RecoveryFacts* facts) {
  facts->lease.emplace();
  facts->lease->set_purpose(purpose);
  *facts->lease->mutable_expires_in() = ToProto(absl::Seconds(4));
}

std::string Word(absl::string_view name, absl::string_view prefix) {
  absl::ConsumePrefix(&name, prefix);
  return absl::AsciiStrToLower(name);
}

// "STATE ACTION[ ready][ REASON ...]"; the action none if nothing is to do.
std::string Told(const RecoveryFacts& facts) {
  const v1::RunRecovery recovery = RecoveryOf(facts);
  std::string told = absl::StrCat(
      Word(v1::RunRecoveryState_Name(recovery.state()), "RUN_RECOVERY_STATE_"),
      " ",
      recovery.action() == v1::RUN_RECOVERY_ACTION_UNSPECIFIED
          ? "none"
          : Word(v1::RunRecoveryAction_Name(recovery.action()),
                 "RUN_RECOVERY_ACTION_"));
  if (recovery.resume_ready()) absl::StrAppend(&told, " ready");
  for (const v1::RunRefusal& refusal : recovery.refusals()) {
    absl::StrAppend(&told, " ",
                    refusal.reason().empty() ? "-" : refusal.reason());
  }
  return told;
}

struct Row {
  std::string name;
  v1::RunStatus status;
  std::function<void(RecoveryFacts*)> change;
  std::string told;     // as Told()
  std::string message;  // part of it
};

absl::Status PlanLost() {
  return WithReason(absl::NotFoundError("no plan abc"), "PLAN_NOT_FOUND");
}

// F: S3-20
// Each state, with what has the run go on.
TEST(RunRecoveryTest, EachStateSaysWhatHasTheRunGoOn) {
  const auto nothing = [](RecoveryFacts*) {};
  const std::vector<Row> rows = {
      {"completed", v1::RUN_STATUS_COMPLETED, nothing, "none start_anew ready",
       "what has changed since"},
      {"failed", v1::RUN_STATUS_FAILED, nothing, "available start_anew ready",
       "reuses 2 results of this one"},
      {"cancelled", v1::RUN_STATUS_CANCELLED, nothing,
       "available start_anew ready", "reuses 2 results of this one"},
      {"failed at once", v1::RUN_STATUS_FAILED,
       [](RecoveryFacts* facts) { facts->run.clear_jobs(); },
       "available start_anew ready", "starts a new run"},
      {"its lease is not yet given back", v1::RUN_STATUS_FAILED,
       [](RecoveryFacts* facts) { Hold(kRun, facts); },
       "available start_anew ready", "starts a new run"},
      {"another run is active", v1::RUN_STATUS_FAILED,
       [](RecoveryFacts* facts) { facts->active_run = kOther; },
       "refused start_anew RUN_ACTIVE", "starts a new run"},
      {"its plan is lost", v1::RUN_STATUS_CANCELLED,
       [](RecoveryFacts* facts) { facts->start = PlanLost(); },
       "refused start_anew PLAN_NOT_FOUND", "starts a new run"},
      {"both", v1::RUN_STATUS_FAILED,
       [](RecoveryFacts* facts) {
         facts->start = PlanLost();
         facts->active_run = kOther;
       },
       "refused start_anew PLAN_NOT_FOUND RUN_ACTIVE", "starts a new run"},
      {"dry", v1::RUN_STATUS_COMPLETED,
       [](RecoveryFacts* facts) {
         facts->run.mutable_record()->set_dry_run(true);
       },
       "refused none -", ""},
      {"queued", v1::RUN_STATUS_QUEUED,
       [](RecoveryFacts* facts) {
         facts->is_queued = true;
         facts->current->set_hash("another");
       },
       "none none", "waits for its turn"},
      {"carried out here", v1::RUN_STATUS_RUNNING,
       [](RecoveryFacts* facts) { facts->is_here = true; }, "none none",
       "it goes on"},
      {"carried out elsewhere", v1::RUN_STATUS_RUNNING,
       [](RecoveryFacts* facts) { Hold(kRun, facts); }, "none none",
       "it goes on"},
      {"it is publishing", v1::RUN_STATUS_RUNNING,
       [](RecoveryFacts* facts) {
         Hold(kRun, facts);
         facts->current->set_hash("its own");
       },
       "none none", "it goes on"},
      {"it asks", v1::RUN_STATUS_WAITING,
       [](RecoveryFacts* facts) {
         facts->is_here = true;
         facts->run.mutable_record()->mutable_wait()->set_reason("question");
         facts->run.add_pending_question_ids("tone");
       },
       "none none", "when 1 question is answered"},
      {"it waits for money", v1::RUN_STATUS_WAITING,
       [](RecoveryFacts* facts) {
         facts->is_here = true;
         facts->run.mutable_record()->mutable_wait()->set_reason("budget");
       },
       "none none", "budget"},
      {"paused", v1::RUN_STATUS_WAITING,
       [](RecoveryFacts* facts) {
         facts->is_here = true;
         facts->run.set_paused(true);
       },
       "available resume ready", "goes on with it"},
      {"a producer of it is paused, and nobody has it", v1::RUN_STATUS_RUNNING,
       [](RecoveryFacts* facts) { facts->run.add_paused_producers("tts"); },
       "available resume ready", "has a runner go on with it"},
      {"nobody has it", v1::RUN_STATUS_RUNNING, nothing, "available adopt",
       "a runner goes on with it from 2 results"},
      {"another has the movie", v1::RUN_STATUS_RUNNING,
       [](RecoveryFacts* facts) { Hold("upkeep", facts); }, "available adopt",
       "lease for upkeep"},
      {"a runner has tried", v1::RUN_STATUS_RUNNING,
       [](RecoveryFacts* facts) { facts->obstacle = "tts is down"; },
       "available adopt", "it could not yet: tts is down"},
      {"another revision was published", v1::RUN_STATUS_WAITING,
       [](RecoveryFacts* facts) {
         facts->current->set_hash("another");
         facts->run.set_paused(true);
       },
       "refused close BASE_CHANGED", "a runner closes it"},
      {"its caller carries it out", v1::RUN_STATUS_RUNNING,
       [](RecoveryFacts* facts) {
         facts->run.mutable_record()->set_stepwise(true);
         Hold("my engine", facts);
       },
       "none none -", "its caller carries it out"},
      {"its caller has given it up", v1::RUN_STATUS_RUNNING,
       [](RecoveryFacts* facts) {
         facts->run.mutable_record()->set_stepwise(true);
       },
       "refused close -", "a runner closes it"},
      {"damaged", v1::RUN_STATUS_RUNNING,
       [](RecoveryFacts* facts) {
         facts->damage = WithReason(
             absl::DataLossError("ledger.log, line 7: the checksum says 1"),
             "DATA_CORRUPT");
       },
       "quarantined none DATA_CORRUPT", "before what is wrong is put right"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    RecoveryFacts facts = Facts(row.status);
    row.change(&facts);
    EXPECT_EQ(Told(facts), row.told);
    EXPECT_THAT(RecoveryOf(facts).message(), HasSubstr(row.message));
  }
}

// F: S3-19
// What is told beforehand is what ResumeRun then fails with, with all that is
// in its way.
TEST(RunRecoveryTest, ARefusalNamesAllThatIsInTheWay) {
  RecoveryFacts facts = Facts(v1::RUN_STATUS_FAILED);
  EXPECT_OK(RefusalOf(RefusalsOf(facts)));
  facts.active_run = kOther;
  const absl::Status active = RefusalOf(RefusalsOf(facts));
  EXPECT_EQ(ReasonOf(active), "RUN_ACTIVE");
  EXPECT_EQ(MetadataOf(active)["run"], kOther);
  EXPECT_EQ(RecoveryOf(facts).refusals(0).message(), active.message());

  facts.start = PlanLost();
  const absl::Status both = RefusalOf(RefusalsOf(facts));
  EXPECT_THAT(both, StatusIs(absl::StatusCode::kNotFound,
                             HasSubstr("no plan abc; run ")));
  EXPECT_EQ(ReasonOf(both), "PLAN_NOT_FOUND");
  EXPECT_THAT(RecoveryOf(facts).refusals(), SizeIs(2));
}

TEST(RunRecoveryTest, TellsUntilWhenSomebodyHasIt) {
  RecoveryFacts facts = Facts(v1::RUN_STATUS_RUNNING);
  EXPECT_FALSE(RecoveryOf(facts).has_lease_expiry());
  Hold(kRun, &facts);
  EXPECT_EQ(FromProto(RecoveryOf(facts).lease_expiry()),
            absl::FromUnixSeconds(1004));
  Hold(kOther, &facts);
  EXPECT_FALSE(RecoveryOf(facts).has_lease_expiry());
}

// F: S3-8
// The results that are durable are the run's checkpoint.
TEST(RunRecoveryTest, CountsWhatIsFinishedAndNamesWhatIsNotKnown) {
  RecoveryFacts facts = Facts(v1::RUN_STATUS_FAILED);
  EXPECT_EQ(RecoveryOf(facts).finished_jobs(), 2);
  EXPECT_THAT(RecoveryOf(facts).known_limit(), HasSubstr("as they are then"));
  facts.unknown_producers = {"paint", "tts"};
  EXPECT_THAT(RecoveryOf(facts).known_limit(),
              HasSubstr("this runner's table lacks paint, tts"));
  EXPECT_TRUE(RecoveryOf(facts).resume_ready());
}

}  // namespace
}  // namespace kinora
