#include <string>

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/store/layout.h"
#include "services/store/object/checked_document.h"
#include "services/store/retention/retention_record.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/movie_story.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MoviePruningTest : public CoreFixture {
 protected:
  void SetUp() override { TellMovieStory(store(), 4); }

  v1::PruneMovieResponse Prune(int64_t revisions, int64_t runs, int64_t takes,
                               bool dry_run = false) {
    v1::PruneMovieRequest request;
    request.set_movie_id("film");
    request.set_keep_revisions(revisions);
    request.set_keep_runs(runs);
    request.set_keep_takes(takes);
    request.set_dry_run(dry_run);
    absl::StatusOr<v1::PruneMovieResponse> response =
        store().maintenance.PruneMovie(request);
    EXPECT_OK(response);
    return response.ok() ? *response : v1::PruneMovieResponse();
  }

  std::vector<std::string> Listed() {
    v1::ListManifestsRequest request;
    request.set_movie_id("film");
    absl::StatusOr<v1::ListManifestsResponse> response =
        store().manifests.List(request);
    EXPECT_OK(response);
    std::vector<std::string> revisions;
    for (const v1::ManifestPointer& pointer : response->manifests()) {
      revisions.push_back(pointer.revision());
    }
    return revisions;
  }

  absl::Status GetRevision(const std::string& revision) {
    v1::GetManifestRequest request;
    request.set_movie_id("film");
    request.set_revision(revision);
    return store().manifests.Get(request).status();
  }

  absl::Status GetRun(int number) {
    v1::GetRunRecordRequest request;
    request.set_run_id(StoryRunId(number));
    return store().runs.Get(request).status();
  }

  std::vector<std::string> Problems() {
    std::vector<std::string> problems;
    v1::VerifyMovieRequest request;
    request.set_movie_id("film");
    EXPECT_OK(store().maintenance.VerifyMovie(
        request, [&](const v1::VerifyMovieResponse& response) {
          for (const v1::VerifyProblem& problem : response.problems()) {
            problems.push_back(problem.path() + ": " + problem.message());
          }
          return absl::OkStatus();
        }));
    return problems;
  }

  bool HasBlob(absl::string_view bytes) {
    return storage_.Stat(BlobKey("film", Sha256Of(bytes).Hex())).ok();
  }

  void Collect() {
    v1::CollectGarbageRequest request;
    request.set_movie_id("film");
    request.mutable_grace()->set_seconds(1);
    clock_.Advance(absl::Hours(48));
    ASSERT_OK(store().maintenance.CollectGarbage(
        request,
        [](const v1::CollectGarbageResponse&) { return absl::OkStatus(); }));
  }
};

// F: S1-17
TEST_F(MoviePruningTest, OldRevisionsGoAndTheOthersStayValid) {
  const std::string third = ManifestJson(store(), "rev-0003");
  EXPECT_THAT(Prune(2, 0, 0).revisions(), ElementsAre("rev-0001", "rev-0002"));
  EXPECT_THAT(Listed(), ElementsAre("rev-0003", "rev-0004"));
  const absl::Status gone = GetRevision("rev-0001");
  EXPECT_THAT(gone, StatusIs(absl::StatusCode::kNotFound, HasSubstr("pruned")));
  EXPECT_EQ(ReasonOf(gone), "REVISION_NOT_FOUND");
  EXPECT_EQ(ManifestJson(store(), "rev-0003"), third);
  EXPECT_TRUE(absl::IsNotFound(
      storage_.Stat(ManifestKey("film", "rev-0001")).status()));
  Restart();
  EXPECT_THAT(Listed(), ElementsAre("rev-0003", "rev-0004"));
  EXPECT_THAT(Problems(), IsEmpty());
  EXPECT_THAT(Prune(2, 0, 0).revisions(), IsEmpty());
  TellRevision(store(), 5);
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0005");
}

TEST_F(MoviePruningTest, ADryRunChangesNothing) {
  const v1::PruneMovieResponse response = Prune(1, 1, 1, /*dry_run=*/true);
  EXPECT_EQ(response.revisions_size(), 3);
  EXPECT_EQ(response.run_ids_size(), 3);
  EXPECT_GT(response.takes(), 0);
  EXPECT_EQ(Listed().size(), 4U);
  EXPECT_OK(GetRun(1));
  EXPECT_TRUE(absl::IsNotFound(storage_.Stat(RetentionKey("film")).status()));
}

// It would make a revision that was pruned one that is missing, or keep takes
// that nobody wants.
TEST_F(MoviePruningTest, ARecordThatReadsLikeAnotherIsDamage) {
  Prune(2, 0, 0);
  const std::string key = RetentionKey("film");
  ASSERT_OK_AND_ASSIGN(const std::string good, ReadObject(storage_, key));
  std::string bad = good;
  bad.replace(bad.find("rev-0001"), 8, "rev-0003");
  ASSERT_OK(storage_.Write(key, bad));
  EXPECT_THAT(LoadRetention(storage_, "film"),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(key), HasSubstr("the checksum says"))));
  // One of before there were checksums.
  ASSERT_OK_AND_ASSIGN(const std::string before, WithoutChecksum(good));
  ASSERT_OK(storage_.Write(key, before));
  EXPECT_THAT(Listed(), ElementsAre("rev-0003", "rev-0004"));
  EXPECT_EQ(Prune(1, 0, 0).revisions_size(), 1);
  ASSERT_OK_AND_ASSIGN(const std::string after, ReadObject(storage_, key));
  EXPECT_TRUE(HasChecksum(after));
}

TEST_F(MoviePruningTest, OldRunsGoWithLedgerAndPlan) {
  EXPECT_THAT(Prune(0, 2, 0).run_ids(),
              ElementsAre(StoryRunId(1), StoryRunId(2)));
  EXPECT_THAT(GetRun(1), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_OK(GetRun(3));
  ASSERT_OK_AND_ASSIGN(LogExtent ledger,
                       log_.Extent(LedgerLogKey("film", StoryRunId(1))));
  EXPECT_EQ(ledger.last_sequence, 0);
  EXPECT_TRUE(absl::IsNotFound(
      storage_.Stat(RevisionPlanKey("film", "rev-0001")).status()));
  EXPECT_OK(storage_.Stat(RevisionPlanKey("film", "rev-0003")));
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(MoviePruningTest, ARunThatHasNotEndedIsKept) {
  v1::GetRunRecordRequest get;
  get.set_run_id(StoryRunId(1));
  ASSERT_OK_AND_ASSIGN(const v1::GetRunRecordResponse record,
                       store().runs.Get(get));
  v1::PutRunRecordRequest put;
  *put.mutable_record() = record.record();
  put.mutable_record()->set_status(v1::RUN_STATUS_WAITING);
  *put.mutable_lease() = TakeFilmLease(store(), "runner-1", StoryRunId(1));
  ASSERT_OK(store().runs.Put(put));
  EXPECT_THAT(Prune(0, 1, 0).run_ids(),
              ElementsAre(StoryRunId(2), StoryRunId(3)));
}

// A take that only an old revision held is garbage once both are pruned.
TEST_F(MoviePruningTest, PrunedTakesAreCollectedAndTheKeptOnesAreNot) {
  Prune(2, 2, 1);
  Collect();
  EXPECT_FALSE(HasBlob("pixels 1"));
  EXPECT_FALSE(HasBlob("pixels 2"));
  EXPECT_TRUE(HasBlob("pixels 3"));  // rev-0003 is kept
  EXPECT_TRUE(HasBlob("pixels 4"));
  EXPECT_THAT(Problems(), IsEmpty());
  // Keeping more later brings nothing back, and does not miss it either.
  Prune(0, 0, 9);
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(MoviePruningTest, WithoutPruningTakesTheirBytesStay) {
  Prune(1, 1, 0);
  Collect();
  EXPECT_TRUE(HasBlob("pixels 1"));
}

// The record decides; a crash right after it leaves the rest to the next call.
TEST_F(MoviePruningTest, WhatACrashLeftIsFinished) {
  RetentionRecord record;
  record.pruned_revisions = {"rev-0001"};
  record.removing_runs = {StoryRunId(1)};
  ASSERT_OK(SaveRetention(storage_, "film", &record));
  Restart();
  EXPECT_THAT(GetRevision("rev-0001"), StatusIs(absl::StatusCode::kNotFound));
  Prune(0, 0, 0);
  EXPECT_THAT(GetRun(1), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_TRUE(absl::IsNotFound(
      storage_.Stat(ManifestKey("film", "rev-0001")).status()));
  EXPECT_THAT(Problems(), IsEmpty());
}

// F: S1-17
TEST_F(MoviePruningTest, AQuotaOfRevisionsPrunesAfterACommit) {
  v1::SetMovieQuotaRequest request;
  request.set_movie_id("film");
  request.mutable_quota()->set_max_revisions(2);
  ASSERT_OK(store().movies.SetQuota(request));
  TellRevision(store(), 5);
  EXPECT_THAT(Listed(), ElementsAre("rev-0004", "rev-0005"));
}

TEST_F(MoviePruningTest, ANegativeNumberIsRefused) {
  v1::PruneMovieRequest request;
  request.set_movie_id("film");
  request.set_keep_takes(-1);
  EXPECT_THAT(
      store().maintenance.PruneMovie(request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("keep_takes")));
}

}  // namespace
}  // namespace kinora
