#include "services/store/backup/movie_backup.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "common/thread_pool.h"
#include "services/store/layout.h"
#include "services/store/local_store.h"
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

class MovieBackupTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen() {
    local_.reset();
    local_ = Open("/store");
  }
  std::unique_ptr<LocalStore> Open(absl::string_view dir) {
    LocalStoreOptions options;
    options.data_dir = std::string(dir);
    auto opened = LocalStore::Open(options, fs_, clock_, random_, pool_);
    EXPECT_OK(opened);
    return opened.ok() ? *std::move(opened) : nullptr;
  }
  Store store() { return local_->store(); }

  // What is no derived file: it must be the same after a restoration.
  std::map<std::string, std::string> Content(absl::string_view movie_id) {
    std::map<std::string, std::string> content =
        FilesBelow(fs_, absl::StrCat("/store/", MoviePrefix(movie_id)));
    std::erase_if(content, [](const auto& file) {
      return file.first == "blob-uses.json" ||
             absl::StartsWith(file.first, "index/") ||
             absl::EndsWith(file.first, ".checkpoint") || file.second.empty();
    });
    return content;
  }

  // An image of two megabytes, so that a copy comes in several pieces; its
  // blob comes behind all that is no blob.
  void AddLargeImage() {
    const v1::LeaseToken lease =
        TakeFilmLease(store(), "runner-1", StoryRunId(9));
    v1::AppendEventsRequest image = ArtefactMade(
        "Artifact:Large", 'a', "", lease, StoryRunId(9), "rev-0002");
    std::string pixels(2'000'000, 'x');
    for (size_t i = 0; i < pixels.size(); i += 997) pixels[i] = 'y';
    *image.mutable_events(0)
         ->mutable_artefact()
         ->mutable_output()
         ->mutable_blob() = PutBlob(store(), pixels);
    ASSERT_OK(store().events.Append(image));
    v1::ReleaseLeaseRequest release;
    *release.mutable_token() = lease;
    ASSERT_OK(store().leases.Release(release));
  }

  // Does something once, in the middle of a backup.
  absl::Status BackUpAnd(const std::function<absl::Status()>& meanwhile,
                         std::string* copy) {
    v1::BackUpMovieRequest request;
    request.set_movie_id("film");
    bool done = false;
    return store().maintenance.BackUpMovie(request,
                                           [&](absl::string_view bytes) {
                                             absl::StrAppend(copy, bytes);
                                             if (done) return absl::OkStatus();
                                             done = true;
                                             return meanwhile();
                                           });
  }

  absl::StatusOr<v1::PruneMovieResponse> Prune(int64_t keep) {
    v1::PruneMovieRequest prune;
    prune.set_movie_id("film");
    prune.set_keep_revisions(keep);
    prune.set_keep_runs(keep);
    prune.set_keep_takes(1);
    return store().maintenance.PruneMovie(prune);
  }

  absl::Status Collect(int64_t* removed) {
    v1::CollectGarbageRequest request;
    request.set_movie_id("film");
    request.mutable_grace();  // none
    return store().maintenance.CollectGarbage(
        request, [&](const v1::CollectGarbageResponse& response) {
          *removed += response.removed_size();
          return absl::OkStatus();
        });
  }

  FaultyFileSystem fs_;
  FakeClock clock_;
  SeededRandom random_{1};
  ThreadPool pool_{"test", 2};
  std::unique_ptr<LocalStore> local_;
};

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
  ASSERT_OK_AND_ASSIGN(const std::string copy, CopyOf(store(), "film"));
  ASSERT_OK(DeleteMovie(store(), "film"));
  EXPECT_THAT(RestoreFrom(store(), "film", copy), IsOkAndHolds("rev-0004"));
  EXPECT_EQ(Content("film"), before);
  EXPECT_THAT(ProblemsOf(store(), "film"), IsEmpty());
  Reopen();
  TellRevision(store(), 5);
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0005");
  EXPECT_THAT(ProblemsOf(store(), "film"), IsEmpty());
}

// A removal does not take from under a copy what it has still to read.
TEST_F(MovieBackupTest, NoLogsAreRemovedMeanwhile) {
  TellMovieStory(store(), 3);
  std::string copy;
  absl::Status refused;
  ASSERT_OK(BackUpAnd(
      [&] {
        v1::CheckpointMovieRequest checkpoint;
        checkpoint.set_movie_id("film");
        checkpoint.set_remove_covered_logs(true);
        refused = store().maintenance.CheckpointMovie(checkpoint).status();
        return absl::OkStatus();
      },
      &copy));
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(RestoreFrom(store(), "other", copy), IsOkAndHolds("rev-0003"));
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
  ASSERT_OK(store().events.Append(
      InputEdit("Input:Topic", "the next sea", "rev-0005")));
  const std::map<std::string, std::string> before = Content("film");
  ASSERT_OK_AND_ASSIGN(const std::string copy, CopyOf(store(), "film"));
  EXPECT_EQ(Content("film"), before);

  ASSERT_OK(DeleteMovie(store(), "film"));
  EXPECT_THAT(Content("film"), IsEmpty());
  EXPECT_THAT(RestoreFrom(store(), "film", copy), IsOkAndHolds("rev-0004"));
  EXPECT_EQ(Content("film"), before);
  EXPECT_THAT(ProblemsOf(store(), "film"), IsEmpty());
  Reopen();
  EXPECT_EQ(Content("film"), before);
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
  const std::string json = ManifestJson(store());
  EXPECT_THAT(RestoreFrom(store(), "second", copy), IsOkAndHolds("rev-0002"));
  EXPECT_THAT(ProblemsOf(store(), "film"), IsEmpty());
  EXPECT_THAT(ProblemsOf(store(), "second"), IsEmpty());
  v1::GetManifestRequest manifest;
  manifest.set_movie_id("second");
  ASSERT_OK_AND_ASSIGN(const StoredManifest same,
                       store().manifests.Get(manifest));
  EXPECT_EQ(same.json, json);

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
}

TEST_F(MovieBackupTest, ACopyElsewhereHasItsRuns) {
  TellMovieStory(store(), 2);
  ASSERT_OK_AND_ASSIGN(const std::string copy, CopyOf(store(), "film"));
  std::unique_ptr<LocalStore> elsewhere = Open("/elsewhere");
  ASSERT_OK(RestoreFrom(elsewhere->store(), "moved", copy));
  EXPECT_THAT(ProblemsOf(elsewhere->store(), "moved"), IsEmpty());
  v1::GetRunRecordRequest run;
  run.set_run_id(StoryRunId(2));
  ASSERT_OK_AND_ASSIGN(const v1::GetRunRecordResponse found,
                       elsewhere->store().runs.Get(run));
  EXPECT_EQ(found.record().movie_id(), "moved");
}

// Every edit that was acknowledged before is in the copy, and the copy is of
// one moment: a movie without a problem, whatever went on.
TEST_F(MovieBackupTest, WritersAndCommitsGoOnMeanwhile) {
  TellMovieStory(store(), 1);
  std::atomic<int> acknowledged = 0;
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int n = 1; !stop; ++n) {
      ASSERT_OK(store().events.Append(
          InputEdit("Input:Count", absl::StrCat(n), "rev-0002")));
      acknowledged = n;
    }
  });
  std::thread runner([&] {
    for (int n = 2; n <= 6; ++n) TellRevision(store(), n);
  });
  for (int i = 1; i <= 3; ++i) {
    const int before = acknowledged;
    ASSERT_OK_AND_ASSIGN(const std::string copy, CopyOf(store(), "film"));
    const std::string id = absl::StrCat("copy-", i);
    ASSERT_OK(RestoreFrom(store(), id, copy));
    EXPECT_THAT(ProblemsOf(store(), id), IsEmpty());
    v1::ListInputsRequest list;
    list.set_movie_id(id);
    ASSERT_OK_AND_ASSIGN(const v1::ListInputsResponse inputs,
                         store().events.ListInputs(list));
    for (const v1::Event& event : inputs.inputs()) {
      if (event.input().input_id() != "Input:Count") continue;
      int count = 0;
      ASSERT_TRUE(
          absl::SimpleAtoi(event.input().content().inline_().data(), &count));
      EXPECT_GE(count, before);
    }
  }
  runner.join();
  stop = true;
  writer.join();
}

// F: invariant 10
TEST_F(MovieBackupTest, NothingItReadsIsRemovedMeanwhile) {
  TellMovieStory(store(), 3);
  AddLargeImage();
  PutBlob(store(), "garbage");
  int64_t removed = 0;
  std::string copy;
  ASSERT_OK(BackUpAnd(
      [&] {
        EXPECT_THAT(Prune(1), StatusIs(absl::StatusCode::kFailedPrecondition,
                                       HasSubstr("backed up")));
        return Collect(&removed);
      },
      &copy));
  EXPECT_EQ(removed, 1);
  EXPECT_OK(Prune(1));
  ASSERT_OK(RestoreFrom(store(), "second", copy));
  EXPECT_THAT(ProblemsOf(store(), "second"), IsEmpty());
}

TEST_F(MovieBackupTest, AMovieDeletedMeanwhileIsNoShorterCopy) {
  TellMovieStory(store(), 1);
  AddLargeImage();
  std::string copy;
  const absl::Status status =
      BackUpAnd([&] { return DeleteMovie(store(), "film"); }, &copy);
  EXPECT_EQ(ReasonOf(status), "MOVIE_NOT_FOUND") << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("backed up"));
  EXPECT_THAT(RestoreFrom(store(), "film", copy),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(MovieBackupTest, AReaderThatGoesEndsIt) {
  TellMovieStory(store(), 1);
  AddLargeImage();
  std::string copy;
  EXPECT_THAT(BackUpAnd([] { return absl::CancelledError("gone"); }, &copy),
              StatusIs(absl::StatusCode::kCancelled, "gone"));
  EXPECT_LT(copy.size(), 2'000'000U);
  EXPECT_OK(Prune(1));  // nothing is held any more
}

TEST_F(MovieBackupTest, DamageIsNotCopied) {
  EXPECT_EQ(ReasonOf(CopyOf(store(), "film").status()), "MOVIE_NOT_FOUND");
  TellMovieStory(store(), 1);
  for (const auto& file : Content("film")) {
    const bool blob = absl::StartsWith(file.first, "blobs/");
    if (!blob && !absl::EndsWith(file.first, ".jsonl")) continue;
    SCOPED_TRACE(file.first);
    const std::string path = "/store/builds/film/" + file.first;
    const size_t middle = file.second.size() / 2;
    Reopen();
    fs_.FlipByte(path, middle);
    EXPECT_THAT(CopyOf(store(), "film"),
                StatusIs(absl::StatusCode::kDataLoss,
                         HasSubstr(file.first.substr(0, 6))));
    fs_.FlipByte(path, middle);
  }
  Reopen();
  EXPECT_OK(CopyOf(store(), "film"));
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
