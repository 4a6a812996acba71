#include "services/store/backup/run_scope.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "common/error_reason.h"
#include "common/proto_json.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "kinora/v1/plan.pb.h"
#include "services/store/backup/copy_archives.h"
#include "services/store/backup/movie_backup_fixture.h"
#include "services/store/event/log_line.h"
#include "services/store/object/checked_document.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/movie_copies.h"
#include "services/store/testing/movie_story.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class RunScopeTest : public MovieBackupTest {
 protected:
  absl::StatusOr<std::string> Export(const std::string& run_id) {
    v1::BackUpMovieRequest request;
    request.set_movie_id("film");
    request.set_run_id(run_id);
    std::string copy;
    const absl::Status status =
        store().maintenance.BackUpMovie(request, [&](absl::string_view bytes) {
          absl::StrAppend(&copy, bytes);
          return absl::OkStatus();
        });
    if (!status.ok()) return status;
    return copy;
  }

  // A run on the current revision that makes one image, `pixels N`, and
  // publishes nothing. Its record says `status`; its ledger has begun.
  void TellRunWithoutRevision(int number, v1::RunStatus status) {
    const std::string run_id = StoryRunId(number);
    const v1::LeaseToken lease = TakeFilmLease(store(), "runner-1", run_id);
    v1::Plan plan;
    plan.set_format_version(1);
    plan.set_movie_id("film");
    plan.set_target_revision("rev-0002");
    plan.set_base_revision("rev-0001");
    plan.set_manifest_base_hash(CurrentOf(store()).hash());
    plan.set_inputs_through_sequence(InputsEnd());
    v1::SavePlanHeader header;
    header.set_movie_id("film");
    ASSERT_OK_AND_ASSIGN(const v1::SavePlanResponse saved,
                         store().plans.Save(header, CanonicalBytes(plan)));
    v1::PutRunRecordRequest put;
    *put.mutable_lease() = lease;
    v1::RunRecord& record = *put.mutable_record();
    record.set_run_id(run_id);
    record.set_movie_id("film");
    record.set_plan_hash(saved.plan_hash());
    record.set_target_revision("rev-0002");
    record.set_manifest_base_hash(plan.manifest_base_hash());
    record.set_status(status);
    ASSERT_OK(store().runs.Put(put));
    v1::LedgerEvent started;
    started.mutable_run_started();
    Tell(number, lease, started);
    v1::AppendEventsRequest image =
        ArtefactMade("Artifact:Image", static_cast<char>('0' + number), "",
                     lease, run_id, "rev-0002");
    *image.mutable_events(0)
         ->mutable_artefact()
         ->mutable_output()
         ->mutable_blob() = PutBlob(store(), absl::StrCat("pixels ", number));
    ASSERT_OK(store().events.Append(image));
    v1::ReleaseLeaseRequest release;
    *release.mutable_token() = lease;
    ASSERT_OK(store().leases.Release(release));
  }

  // One line more in a run's ledger.
  void Tell(int number, const v1::LeaseToken& lease,
            const v1::LedgerEvent& event) {
    v1::AppendEventsRequest ledger;
    *ledger.mutable_lease() = lease;
    ledger.mutable_log()->set_movie_id("film");
    ledger.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
    ledger.mutable_log()->set_run_id(StoryRunId(number));
    v1::LedgerEvent& told = *ledger.add_events()->mutable_ledger();
    told = event;
    told.set_run_id(StoryRunId(number));
    told.set_occurred_at_ms(number);
    ASSERT_OK(store().events.Append(ledger));
  }

  int64_t InputsEnd() {
    v1::GetLogStatusRequest request;
    request.mutable_log()->set_movie_id("film");
    request.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
    return store().events.GetLogStatus(request)->last_sequence();
  }

  static v1::RunRecord RecordIn(Store store, int number) {
    v1::GetRunRecordRequest get;
    get.set_run_id(StoryRunId(number));
    const absl::StatusOr<v1::GetRunRecordResponse> found = store.runs.Get(get);
    EXPECT_OK(found);
    return found.ok() ? found->record() : v1::RunRecord();
  }

  static std::vector<v1::LedgerEvent> LedgerIn(Store store, int number) {
    v1::ReadEventsRequest read;
    read.mutable_log()->set_movie_id("film");
    read.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
    read.mutable_log()->set_run_id(StoryRunId(number));
    const absl::StatusOr<v1::ReadEventsResponse> page =
        store.events.ReadPage(read);
    EXPECT_OK(page);
    std::vector<v1::LedgerEvent> events;
    if (!page.ok()) return events;
    for (const v1::Event& event : page->events()) {
      events.push_back(event.ledger());
    }
    return events;
  }
};

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

// A byte that changes nothing that is kept, in tar's padding, may pass: then
// the movie is the same.
TEST_F(RunScopeTest, ADamagedByteIsRefusedAndNothingIsWritten) {
  TellMovieStory(store(), 2);
  ASSERT_OK_AND_ASSIGN(const std::string file, Export(StoryRunId(2)));
  std::unique_ptr<LocalStore> elsewhere = Open("/elsewhere");
  ASSERT_OK(RestoreFrom(elsewhere->store(), "film", file));
  const auto right = FilesBelow(fs_, "/elsewhere/builds/film");
  EXPECT_EQ(ReasonOf(RestoreFrom(elsewhere->store(), "film", file).status()),
            "MOVIE_EXISTS");
  ASSERT_OK(DeleteMovie(elsewhere->store(), "film"));
  SeededRandom random(7);
  int refused = 0;
  for (size_t at = UniformBelow(random, 300); at < file.size();
       at += 200 + UniformBelow(random, 200)) {
    SCOPED_TRACE(at);
    std::string damaged = file;
    damaged[at] =
        static_cast<char>(damaged[at] ^ (1 << UniformBelow(random, 8)));
    const absl::Status status =
        RestoreFrom(elsewhere->store(), "film", damaged).status();
    if (status.ok()) {
      EXPECT_EQ(FilesBelow(fs_, "/elsewhere/builds/film"), right);
      ASSERT_OK(DeleteMovie(elsewhere->store(), "film"));
      continue;
    }
    ++refused;
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(FilesBelow(fs_, "/elsewhere/builds/film"), IsEmpty());
    EXPECT_THAT(FilesBelow(fs_, "/elsewhere/restoring"), IsEmpty());
  }
  EXPECT_GT(refused, 30);
}

// Every sum is right, and yet the events do not say what the manifest does.
TEST_F(RunScopeTest, ForgedEventsAreRefused) {
  TellMovieStory(store(), 2);
  ASSERT_OK_AND_ASSIGN(const std::string file, Export(StoryRunId(2)));
  std::vector<Member> members = MembersOf(file);
  for (Member& member : members) {
    if (!absl::EndsWith(member.first, ".artefacts.jsonl")) continue;
    std::string forged;
    int64_t sequence = 0;
    for (absl::string_view rest = member.second; !rest.empty();) {
      const absl::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(line.size() + 1);
      AppendLogLine(
          ++sequence,
          absl::StrReplaceAll(LogLineBody(line), {{"script 2", "forged 2"}}),
          &forged);
    }
    EXPECT_NE(forged, member.second);
    member.second = forged;
  }
  std::unique_ptr<LocalStore> elsewhere = Open("/elsewhere");
  EXPECT_THAT(
      RestoreFrom(elsewhere->store(), "film", ArchiveOf(members)).status(),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("manifests/rev-0002.json")));
  EXPECT_THAT(FilesBelow(fs_, "/elsewhere/builds/film"), IsEmpty());
  EXPECT_OK(RestoreFrom(elsewhere->store(), "film", file));
}

TEST_F(RunScopeTest, AnExportWithARunThatGoesOnIsRefused) {
  TellMovieStory(store(), 2);
  ASSERT_OK_AND_ASSIGN(const std::string file, Export(StoryRunId(2)));
  std::vector<Member> members = MembersOf(file);
  for (Member& member : members) {
    if (!absl::EndsWith(member.first, "/record.json")) continue;
    ASSERT_OK_AND_ASSIGN(const std::string json,
                         WithoutChecksum(member.second));
    EXPECT_THAT(json, HasSubstr("\"completed\""));
    member.second = WithChecksum(
        absl::StrReplaceAll(json, {{"\"completed\"", "\"running\""}}));
  }
  std::unique_ptr<LocalStore> elsewhere = Open("/elsewhere");
  EXPECT_THAT(
      RestoreFrom(elsewhere->store(), "film", ArchiveOf(members)).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has not ended")));
}

}  // namespace
}  // namespace kinora
