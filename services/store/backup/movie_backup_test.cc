#include "services/store/backup/movie_backup.h"

#include <map>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/store/backup/movie_backup_fixture.h"
#include "services/store/readable/readable_files.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/movie_copies.h"
#include "services/store/testing/movie_story.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// F: S1-43 (what stands for removed logs is copied too)
TEST_F(MovieBackupTest, AMovieWhoseLogsWereRemovedComesBack) {
  TellMovieStory(store(), 3);
  v1::CheckpointMovieRequest checkpoint;
  checkpoint.set_movie_id("film");
  checkpoint.set_remove_covered_logs(true);
  ASSERT_OK_AND_ASSIGN(const v1::CheckpointMovieResponse removed,
                       store().maintenance.CheckpointMovie(checkpoint));
  EXPECT_EQ(removed.removed_logs_size(), 4);
  TellRevision(store(), 4);
  const std::map<std::string, std::string> before = Content("film");
  const std::map<std::string, std::string> seen = SeenOf(store(), "film");
  ASSERT_OK_AND_ASSIGN(const std::string copy, CopyOf(store(), "film"));
  ASSERT_OK(DeleteMovie(store(), "film"));
  EXPECT_THAT(RestoreFrom(store(), "film", copy), IsOkAndHolds("rev-0004"));
  EXPECT_EQ(Content("film"), before);
  EXPECT_EQ(SeenOf(store(), "film"), seen);
  EXPECT_THAT(ProblemsOf(store(), "film"), IsEmpty());
  Reopen();
  TellRevision(store(), 5);
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0005");
  EXPECT_THAT(ProblemsOf(store(), "film"), IsEmpty());
}

// Revisions, runs and takes that were pruned, a quota, edits after the last
// revision, texts, images: all of it comes back, to the byte and by file.
TEST_F(MovieBackupTest, ARestoredMovieIsTheSameMovie) {
  TellMovieStory(store(), 4);
  v1::SetMovieQuotaRequest quota;
  quota.set_movie_id("film");
  quota.mutable_quota()->set_max_revisions(7);
  ASSERT_OK(store().movies.SetQuota(quota));
  ASSERT_OK(Prune(2));
  int64_t removed = 0;
  ASSERT_OK(Collect(&removed));
  EXPECT_GT(removed, 0);
  ASSERT_OK(store().events.Append(
      InputEdit("Input:Topic", "the next sea", "rev-0005")));
  const std::map<std::string, std::string> before = Content("film");
  const std::map<std::string, std::string> seen = SeenOf(store(), "film");
  // What the comparisons below are worth: all kinds of things are there.
  for (const char* name : {"current", "rev-0003", "rev-0004", "inputs 6",
                           "artefacts 16", "blob "}) {
    const auto at = seen.lower_bound(name);
    EXPECT_TRUE(at != seen.end() && absl::StartsWith(at->first, name)) << name;
  }
  ASSERT_OK_AND_ASSIGN(const std::string copy, CopyOf(store(), "film"));
  EXPECT_EQ(Content("film"), before);

  ASSERT_OK(DeleteMovie(store(), "film"));
  EXPECT_THAT(Content("film"), IsEmpty());
  EXPECT_THAT(RestoreFrom(store(), "film", copy), IsOkAndHolds("rev-0004"));
  EXPECT_EQ(Content("film"), before);
  EXPECT_EQ(SeenOf(store(), "film"), seen);
  EXPECT_THAT(ProblemsOf(store(), "film"), IsEmpty());
  Reopen();
  EXPECT_EQ(Content("film"), before);
  EXPECT_EQ(SeenOf(store(), "film"), seen);
  EXPECT_THAT(ProblemsOf(store(), "film"), IsEmpty());
  v1::GetRunRecordRequest run;
  run.set_run_id(StoryRunId(4));
  EXPECT_OK(store().runs.Get(run));
  v1::GetMovieRequest get;
  get.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(const v1::GetMovieResponse movie,
                       store().movies.Get(get));
  EXPECT_EQ(movie.movie().quota().max_revisions(), 7);
  TellRevision(store(), 5);  // it goes on
  EXPECT_THAT(ProblemsOf(store(), "film"), IsEmpty());
}

TEST_F(MovieBackupTest, ACopyOfTheRestoredMovieHasTheSameBytes) {
  TellMovieStory(store(), 2);
  ASSERT_OK_AND_ASSIGN(const std::string copy, CopyOf(store(), "film"));
  ASSERT_OK(DeleteMovie(store(), "film"));
  ASSERT_OK(RestoreFrom(store(), "film", copy, 7));
  EXPECT_THAT(CopyOf(store(), "film"), IsOkAndHolds(copy));
}

TEST_F(MovieBackupTest, ACopyBesideItsOriginalLeavesItAlone) {
  TellMovieStory(store(), 2);
  ASSERT_OK_AND_ASSIGN(const std::string copy, CopyOf(store(), "film"));
  const std::map<std::string, std::string> seen = SeenOf(store(), "film");
  EXPECT_THAT(RestoreFrom(store(), "second", copy), IsOkAndHolds("rev-0002"));
  EXPECT_EQ(SeenOf(store(), "film"), seen);
  EXPECT_EQ(SeenOf(store(), "second"), seen);
  EXPECT_THAT(ProblemsOf(store(), "film"), IsEmpty());
  EXPECT_THAT(ProblemsOf(store(), "second"), IsEmpty());

  v1::ListRunRecordsRequest list;
  list.set_movie_id("second");
  ASSERT_OK_AND_ASSIGN(const v1::ListRunRecordsResponse runs,
                       store().runs.List(list));
  ASSERT_EQ(runs.records_size(), 2);
  EXPECT_EQ(runs.records(0).movie_id(), "second");
  v1::LoadPlanRequest load;
  load.set_movie_id("second");
  load.set_plan_hash(runs.records(0).plan_hash());
  ASSERT_OK_AND_ASSIGN(const std::string plan, store().plans.Load(load));
  EXPECT_THAT(plan, HasSubstr("\"movieId\":\"second\""));
  v1::GetRunRecordRequest run;
  run.set_run_id(StoryRunId(1));
  ASSERT_OK_AND_ASSIGN(v1::GetRunRecordResponse found, store().runs.Get(run));
  EXPECT_EQ(found.record().movie_id(), "film");

  // Neither takes anything along when it goes.
  ASSERT_OK_AND_ASSIGN(const std::string third, CopyOf(store(), "second"));
  ASSERT_OK(DeleteMovie(store(), "second"));
  EXPECT_THAT(ProblemsOf(store(), "film"), IsEmpty());
  EXPECT_OK(store().runs.Get(run));
  ASSERT_OK(RestoreFrom(store(), "third", third));
  ASSERT_OK(DeleteMovie(store(), "film"));
  EXPECT_THAT(ProblemsOf(store(), "third"), IsEmpty());
  EXPECT_EQ(SeenOf(store(), "third"), seen);
}

TEST_F(MovieBackupTest, ACopyElsewhereHasItsRuns) {
  TellMovieStory(store(), 2);
  ASSERT_OK_AND_ASSIGN(const std::string copy, CopyOf(store(), "film"));
  std::unique_ptr<LocalStore> elsewhere = Open("/elsewhere");
  ASSERT_OK(RestoreFrom(elsewhere->store(), "moved", copy));
  EXPECT_THAT(ProblemsOf(elsewhere->store(), "moved"), IsEmpty());
  EXPECT_EQ(SeenOf(elsewhere->store(), "moved"), SeenOf(store(), "film"));
  v1::GetRunRecordRequest run;
  run.set_run_id(StoryRunId(2));
  ASSERT_OK_AND_ASSIGN(const v1::GetRunRecordResponse found,
                       elsewhere->store().runs.Get(run));
  EXPECT_EQ(found.record().movie_id(), "moved");
}

TEST_F(MovieBackupTest, DamageIsNotCopied) {
  EXPECT_EQ(ReasonOf(CopyOf(store(), "film").status()), "MOVIE_NOT_FOUND");
  TellMovieStory(store(), 1);
  v1::SaveProgressRequest progress;
  progress.set_movie_id("film");
  progress.set_target_revision("rev-0002");
  progress.mutable_progress()->set_plan_hash(HashOf('a'));
  progress.mutable_progress()->set_run_id(StoryRunId(2));
  *progress.mutable_lease() = TakeFilmLease(store(), "runner-1", StoryRunId(2));
  ASSERT_OK(store().plans.SaveProgress(progress));
  int blobs = 0;
  int archives = 0;
  int documents = 0;
  for (const auto& file : Content("film")) {
    const bool blob = absl::StartsWith(file.first, "blobs/");
    const bool archive = absl::EndsWith(file.first, ".jsonl");
    // Where the middle is within a value.
    const bool document = file.first == "movie.json" ||
                          absl::EndsWith(file.first, "/record.json") ||
                          absl::EndsWith(file.first, "-progress.json");
    if (!blob && !archive && !document) continue;
    ++(blob ? blobs : archive ? archives : documents);
    SCOPED_TRACE(file.first);
    const std::string path = "/store/builds/film/" + file.first;
    const size_t middle = file.second.size() / 2;
    Reopen();
    fs_.FlipByte(path, middle);
    EXPECT_THAT(CopyOf(store(), "film"),
                StatusIs(absl::StatusCode::kDataLoss,
                         HasSubstr("builds/film/" + file.first)));
    fs_.FlipByte(path, middle);
  }
  EXPECT_GE(blobs, 3);  // the blueprint, a text, an image
  EXPECT_EQ(archives, 2);
  EXPECT_EQ(documents, 3);
  Reopen();
  ASSERT_OK_AND_ASSIGN(const std::string copy, CopyOf(store(), "film"));
  ASSERT_OK(RestoreFrom(store(), "second", copy));
  EXPECT_EQ(SeenOf(store(), "second"), SeenOf(store(), "film"));
}

TEST_F(MovieBackupTest, AFileEditedByHandIsStillEdited) {
  TellMovieStory(store(), 2);
  ASSERT_OK(WriteFileAtomically(fs_, "/store/builds/film/prompts/script.txt",
                                "by hand"));
  ASSERT_OK_AND_ASSIGN(const std::string copy, CopyOf(store(), "film"));
  ASSERT_OK(RestoreFrom(store(), "second", copy));
  v1::ScanReadableFilesRequest scan;
  scan.set_movie_id("second");
  ASSERT_OK_AND_ASSIGN(const v1::ScanReadableFilesResponse scanned,
                       store().maintenance.ScanReadableFiles(scan));
  ASSERT_EQ(scanned.artefact_ids_size(), 1);
  EXPECT_EQ(scanned.artefact_ids(0), "Artifact:Script");
  EXPECT_THAT(ReadFile(fs_, "/store/builds/second/prompts/script.txt"),
              IsOkAndHolds("by hand"));
  v1::ResolveArtefactsRequest latest;
  latest.set_movie_id("second");
  latest.add_queries()->set_artefact_id("Artifact:Script");
  ASSERT_OK_AND_ASSIGN(const v1::ResolveArtefactsResponse found,
                       store().events.ResolveArtefacts(latest));
  EXPECT_EQ(found.artefacts(0).event().artefact().output().inline_().data(),
            "by hand");
  EXPECT_THAT(ProblemsOf(store(), "second"), IsEmpty());
}

// The text that the log has is in the copy, and its file in the restored movie.
TEST_F(MovieBackupTest, AFileThatCannotBeTakenIsLeftOut) {
  TellMovieStory(store(), 2);
  const std::string path = "/store/builds/film/prompts/script.txt";
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(fs_, path));
  ASSERT_OK(
      WriteFileAtomically(fs_, path, std::string(kMaxReadableBytes + 1, 'x')));
  EXPECT_THAT(ProblemsOf(store(), "film"),
              ElementsAre(AllOf(HasSubstr("prompts/script.txt: "),
                                HasSubstr("Artifact:Script: has 16777217"))));
  ASSERT_OK_AND_ASSIGN(const std::string copy, CopyOf(store(), "film"));
  ASSERT_OK(RestoreFrom(store(), "second", copy));
  EXPECT_THAT(ReadFile(fs_, "/store/builds/second/prompts/script.txt"),
              IsOkAndHolds(text));
  EXPECT_THAT(ProblemsOf(store(), "second"), IsEmpty());
}

}  // namespace
}  // namespace kinora
