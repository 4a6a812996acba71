#include "services/store/backup/run_scope.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/json/proto_json.h"
#include "common/testing/status_matchers.h"
#include "services/store/backup/run_scope_fixture.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/movie_copies.h"
#include "services/store/testing/movie_story.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// F: S3-2, S3-3, S3-4 (the typed records of a run in one file: record, ledger,
// plan, manifests, events, artefacts)
TEST_F(RunScopeTest, AnExportedRunIsWholeElsewhereAndAlone) {
  TellMovieStory(store(), 4);
  const std::map<std::string, std::string> before = Content("film");
  ASSERT_OK_AND_ASSIGN(const std::string file, Export(StoryRunId(3)));
  EXPECT_EQ(Content("film"), before);
  // What came after the run, and what its base had left behind, stays away.
  EXPECT_THAT(file, AllOf(HasSubstr("pixels 3"), HasSubstr("pixels 2"),
                          HasSubstr("sea 3")));
  EXPECT_THAT(file, AllOf(Not(HasSubstr("pixels 4")), Not(HasSubstr("sea 4")),
                          Not(HasSubstr("pixels 1"))));

  std::unique_ptr<LocalStore> elsewhere = Open("/elsewhere");
  EXPECT_THAT(RestoreFrom(elsewhere->store(), "film", file),
              IsOkAndHolds("rev-0003"));
  EXPECT_THAT(ProblemsOf(elsewhere->store(), "film"), IsEmpty());
  for (const char* revision : {"rev-0002", "rev-0003"}) {
    const std::string manifest = ManifestJson(store(), revision);
    EXPECT_EQ(ManifestJson(elsewhere->store(), revision), manifest);
    EXPECT_THAT(elsewhere->RebuildManifest("film", revision),
                IsOkAndHolds(manifest));
  }
  v1::ListRunRecordsRequest list;
  list.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(const v1::ListRunRecordsResponse runs,
                       elsewhere->store().runs.List(list));
  ASSERT_EQ(runs.records_size(), 1);
  EXPECT_EQ(CanonicalBytes(runs.records(0)),
            CanonicalBytes(RecordIn(store(), 3)));
  v1::LoadPlanRequest plan;
  plan.set_movie_id("film");
  plan.set_plan_hash(runs.records(0).plan_hash());
  EXPECT_OK(elsewhere->store().plans.Load(plan));
  EXPECT_EQ(LedgerIn(elsewhere->store(), 3).size(),
            LedgerIn(store(), 3).size());

  // It goes on from there, also after a restart and a collection.
  elsewhere.reset();
  elsewhere = Open("/elsewhere");
  TellRevision(elsewhere->store(), 4);
  EXPECT_EQ(CurrentOf(elsewhere->store()).revision(), "rev-0004");
  EXPECT_THAT(ProblemsOf(elsewhere->store(), "film"), IsEmpty());
}

TEST_F(RunScopeTest, AFirstRunHasNoBase) {
  TellMovieStory(store(), 2);
  ASSERT_OK_AND_ASSIGN(const std::string file, Export(StoryRunId(1)));
  std::unique_ptr<LocalStore> elsewhere = Open("/elsewhere");
  EXPECT_THAT(RestoreFrom(elsewhere->store(), "moved", file),
              IsOkAndHolds("rev-0001"));
  EXPECT_THAT(ProblemsOf(elsewhere->store(), "moved"), IsEmpty());
  EXPECT_EQ(RecordIn(elsewhere->store(), 1).movie_id(), "moved");
  // The same bytes, however often: the time is that of the clock.
  EXPECT_THAT(Export(StoryRunId(1)), IsOkAndHolds(file));
}

// F: S3-23 (a run is continued from what was written of it)
TEST_F(RunScopeTest, AFailedRunEndsBeforeWhatLaterRunsMade) {
  TellMovieStory(store(), 1);
  TellRunWithoutRevision(2, v1::RUN_STATUS_FAILED);
  ASSERT_OK(store().events.Append(
      InputEdit("Input:Topic", "a later sea", "rev-0002")));
  TellRunWithoutRevision(3, v1::RUN_STATUS_FAILED);
  ASSERT_OK_AND_ASSIGN(const std::string file, Export(StoryRunId(2)));
  EXPECT_THAT(file, AllOf(HasSubstr("pixels 1"), HasSubstr("pixels 2")));
  EXPECT_THAT(file,
              AllOf(Not(HasSubstr("pixels 3")), Not(HasSubstr("a later sea"))));
  // A later run may take what an earlier one has made.
  EXPECT_THAT(Export(StoryRunId(3)),
              IsOkAndHolds(AllOf(HasSubstr("pixels 2"), HasSubstr("pixels 3"),
                                 HasSubstr("a later sea"))));

  std::unique_ptr<LocalStore> elsewhere = Open("/elsewhere");
  EXPECT_THAT(RestoreFrom(elsewhere->store(), "film", file),
              IsOkAndHolds("rev-0001"));
  EXPECT_THAT(ProblemsOf(elsewhere->store(), "film"), IsEmpty());
  EXPECT_EQ(RecordIn(elsewhere->store(), 2).status(), v1::RUN_STATUS_FAILED);
  v1::ResolveArtefactsRequest resolve;
  resolve.set_movie_id("film");
  resolve.add_queries()->set_artefact_id("Artifact:Image");
  ASSERT_OK_AND_ASSIGN(const std::vector<EventPtr> made,
                       elsewhere->store().events.FindArtefacts(resolve));
  ASSERT_EQ(made.size(), 1U);
  ASSERT_NE(made[0], nullptr);
  EXPECT_EQ(made[0]->artefact().produced_by().run_id(), StoryRunId(2));

  // Also once another run has published on the same base.
  const v1::LeaseToken lease =
      TakeFilmLease(store(), "runner-1", StoryRunId(3));
  ASSERT_OK(store().manifests.Commit(CommitOf(lease, StoryRunId(3), "rev-0002",
                                              CurrentOf(store()).hash(),
                                              InputsEnd())));
  EXPECT_THAT(Export(StoryRunId(2)), IsOkAndHolds(file));
  ASSERT_OK_AND_ASSIGN(const std::string published, Export(StoryRunId(3)));
  EXPECT_THAT(RestoreFrom(elsewhere->store(), "third", published),
              IsOkAndHolds("rev-0002"));
}

TEST_F(RunScopeTest, ARunThatGoesOnIsClosedInTheFileAlone) {
  TellMovieStory(store(), 1);
  TellRunWithoutRevision(2, v1::RUN_STATUS_RUNNING);
  const std::map<std::string, std::string> before = Content("film");
  ASSERT_OK_AND_ASSIGN(const std::string file, Export(StoryRunId(2)));
  EXPECT_EQ(Content("film"), before);
  EXPECT_EQ(RecordIn(store(), 2).status(), v1::RUN_STATUS_RUNNING);

  std::unique_ptr<LocalStore> elsewhere = Open("/elsewhere");
  ASSERT_OK(RestoreFrom(elsewhere->store(), "film", file));
  EXPECT_THAT(ProblemsOf(elsewhere->store(), "film"), IsEmpty());
  const v1::RunRecord record = RecordIn(elsewhere->store(), 2);
  EXPECT_EQ(record.status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_EQ(record.error(), kExportedOpen);
  EXPECT_TRUE(record.has_finish_time());
  const std::vector<v1::LedgerEvent> ledger = LedgerIn(elsewhere->store(), 2);
  ASSERT_EQ(ledger.size(), 2U);
  EXPECT_TRUE(ledger[0].has_run_started());
  EXPECT_EQ(ledger[1].run_cancelled().error(), kExportedOpen);
  // Runners look here for what to go on with.
  v1::ListRunRecordsRequest open;
  open.add_statuses(v1::RUN_STATUS_RUNNING);
  open.add_statuses(v1::RUN_STATUS_WAITING);
  open.add_statuses(v1::RUN_STATUS_QUEUED);
  ASSERT_OK_AND_ASSIGN(const v1::ListRunRecordsResponse runs,
                       elsewhere->store().runs.List(open));
  EXPECT_EQ(runs.records_size(), 0);
}

// The ledger decides: its runner crashed before it had said so in the record.
TEST_F(RunScopeTest, ARecordThatLagsIsToldAsItsLedgerHasIt) {
  TellMovieStory(store(), 1);
  TellRunWithoutRevision(2, v1::RUN_STATUS_RUNNING);
  const v1::LeaseToken lease =
      TakeFilmLease(store(), "runner-1", StoryRunId(2));
  v1::LedgerEvent failed;
  failed.mutable_run_failed()->set_error("the camera broke");
  Tell(2, lease, failed);
  ASSERT_OK_AND_ASSIGN(const std::string file, Export(StoryRunId(2)));
  std::unique_ptr<LocalStore> elsewhere = Open("/elsewhere");
  ASSERT_OK(RestoreFrom(elsewhere->store(), "film", file));
  EXPECT_EQ(RecordIn(elsewhere->store(), 2).status(), v1::RUN_STATUS_FAILED);
  EXPECT_EQ(RecordIn(elsewhere->store(), 2).error(), "the camera broke");
  EXPECT_EQ(LedgerIn(elsewhere->store(), 2).size(), 2U);
}

TEST_F(RunScopeTest, TheRecordCountsWhatItsJobsHadComeTo) {
  TellMovieStory(store(), 1);
  TellRunWithoutRevision(2, v1::RUN_STATUS_RUNNING);
  const v1::LeaseToken lease =
      TakeFilmLease(store(), "runner-1", StoryRunId(2));
  v1::LedgerEvent event;
  for (const char* job : {"Script", "Image", "Clip"}) {
    event.mutable_step_started()->mutable_step()->set_step_id(job);
    Tell(2, lease, event);
  }
  event.mutable_step_completed()->mutable_step()->set_step_id("Script");
  Tell(2, lease, event);
  event.mutable_step_failed()->mutable_step()->set_step_id("Clip");
  Tell(2, lease, event);
  event.mutable_step_skipped()->mutable_step()->set_step_id("Film");
  event.mutable_step_skipped()->set_reason("blocked");
  Tell(2, lease, event);
  // No job of the plan, whatever it is called.
  event.set_source(v1::LEDGER_SOURCE_WORKER);
  event.mutable_step_completed()->mutable_step()->set_step_id("Image");
  Tell(2, lease, event);
  ASSERT_OK_AND_ASSIGN(const std::string file, Export(StoryRunId(2)));
  std::unique_ptr<LocalStore> elsewhere = Open("/elsewhere");
  ASSERT_OK(RestoreFrom(elsewhere->store(), "film", file));
  const v1::JobCounts jobs = RecordIn(elsewhere->store(), 2).jobs();
  EXPECT_EQ(jobs.succeeded(), 1);
  EXPECT_EQ(jobs.failed(), 1);
  EXPECT_EQ(jobs.blocked(), 1);
  EXPECT_EQ(jobs.reused(), 0);
  EXPECT_EQ(jobs.running(), 0);
}

TEST_F(RunScopeTest, TheRecordSaysWhatTheRunHasCost) {
  TellMovieStory(store(), 1);
  TellRunWithoutRevision(2, v1::RUN_STATUS_RUNNING);
  const v1::LeaseToken lease =
      TakeFilmLease(store(), "runner-1", StoryRunId(2));
  const auto usd = [](int64_t micros) {
    v1::Cost cost;
    cost.set_currency_code("USD");
    cost.set_micros(micros);
    return cost;
  };
  v1::LedgerEvent event;
  *event.mutable_run_budget()->mutable_cap() = usd(1'000);
  Tell(2, lease, event);
  for (const char* job : {"Script", "Image", "Clip"}) {
    event.mutable_step_started()->mutable_step()->set_step_id(job);
    *event.mutable_step_started()->mutable_reserved() = usd(100);
    Tell(2, lease, event);
  }
  event.mutable_step_completed()->mutable_step()->set_step_id("Script");
  *event.mutable_step_completed()->mutable_cost() = usd(40);
  Tell(2, lease, event);
  // An attempt that failed has its price, too.
  event.mutable_step_failed()->mutable_step()->set_step_id("Clip");
  *event.mutable_step_failed()->mutable_cost() = usd(2);
  Tell(2, lease, event);
  // No money of this installation's.
  event.set_source(v1::LEDGER_SOURCE_WORKER);
  event.mutable_step_completed()->mutable_step()->set_step_id("Image");
  *event.mutable_step_completed()->mutable_cost() = usd(700);
  Tell(2, lease, event);

  ASSERT_OK_AND_ASSIGN(const std::string file, Export(StoryRunId(2)));
  std::unique_ptr<LocalStore> elsewhere = Open("/elsewhere");
  ASSERT_OK(RestoreFrom(elsewhere->store(), "film", file));
  const v1::RunRecord record = RecordIn(elsewhere->store(), 2);
  EXPECT_EQ(CanonicalBytes(record.cost()), CanonicalBytes(usd(42)));
  EXPECT_EQ(CanonicalBytes(record.budget()), CanonicalBytes(usd(1'000)));
  EXPECT_EQ(record.other_costs_size(), 0);
}

// What is appended while the file is written is not in it, and does not break
// it.
TEST_F(RunScopeTest, AnExportIsOfOneMomentWhileTheRunGoesOn) {
  TellMovieStory(store(), 1);
  AddLargeImage();  // so that it comes in several pieces
  TellRunWithoutRevision(2, v1::RUN_STATUS_RUNNING);
  v1::BackUpMovieRequest request;
  request.set_movie_id("film");
  request.set_run_id(StoryRunId(2));
  std::string file;
  bool told = false;
  ASSERT_OK(
      store().maintenance.BackUpMovie(request, [&](absl::string_view bytes) {
        absl::StrAppend(&file, bytes);
        if (!told) {
          told = true;
          const v1::LeaseToken lease =
              TakeFilmLease(store(), "runner-1", StoryRunId(2));
          v1::LedgerEvent waiting;
          waiting.mutable_run_waiting()->set_reason("question");
          Tell(2, lease, waiting);
          EXPECT_OK(store().events.Append(
              ArtefactMade("Artifact:Script", '2', "meanwhile", lease,
                           StoryRunId(2), "rev-0002")));
        }
        return absl::OkStatus();
      }));
  ASSERT_TRUE(told);
  EXPECT_THAT(file, Not(HasSubstr("meanwhile")));
  std::unique_ptr<LocalStore> elsewhere = Open("/elsewhere");
  ASSERT_OK(RestoreFrom(elsewhere->store(), "film", file));
  EXPECT_THAT(ProblemsOf(elsewhere->store(), "film"), IsEmpty());
  EXPECT_EQ(LedgerIn(elsewhere->store(), 2).size(), 2U);
  EXPECT_EQ(LedgerIn(store(), 2).size(), 2U);
}

TEST_F(RunScopeTest, WhatCannotBeExportedIsRefusedByName) {
  TellMovieStory(store(), 3);
  EXPECT_EQ(ReasonOf(Export(StoryRunId(7)).status()), "RUN_NOT_FOUND");
  EXPECT_THAT(Export("film").status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  v1::PutRunRecordRequest put;
  put.mutable_record()->set_run_id(StoryRunId(8));
  put.mutable_record()->set_movie_id("film");
  put.mutable_record()->set_status(v1::RUN_STATUS_QUEUED);
  ASSERT_OK(store().runs.Put(put));
  EXPECT_THAT(Export(StoryRunId(8)).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("has not begun")));
  v1::PruneMovieRequest prune;
  prune.set_movie_id("film");
  prune.set_keep_revisions(2);
  ASSERT_OK(store().maintenance.PruneMovie(prune));
  EXPECT_THAT(Export(StoryRunId(2)).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("rev-0001, which it builds on, was pruned")));
  EXPECT_THAT(Export(StoryRunId(1)).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("rev-0001, which it published, was pruned")));
  EXPECT_OK(Export(StoryRunId(3)));
}

TEST_F(RunScopeTest, OfRemovedLogsTheNewestRunIsLeft) {
  TellMovieStory(store(), 3);
  v1::CheckpointMovieRequest checkpoint;
  checkpoint.set_movie_id("film");
  checkpoint.set_remove_covered_logs(true);
  ASSERT_OK(store().maintenance.CheckpointMovie(checkpoint));
  TellRevision(store(), 4);
  EXPECT_EQ(ReasonOf(Export(StoryRunId(2)).status()), "LOG_TRIMMED");
  ASSERT_OK_AND_ASSIGN(const std::string file, Export(StoryRunId(4)));
  std::unique_ptr<LocalStore> elsewhere = Open("/elsewhere");
  EXPECT_THAT(RestoreFrom(elsewhere->store(), "film", file),
              IsOkAndHolds("rev-0004"));
  EXPECT_THAT(ProblemsOf(elsewhere->store(), "film"), IsEmpty());
}

}  // namespace
}  // namespace kinora
