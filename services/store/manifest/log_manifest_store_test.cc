#include "services/store/manifest/log_manifest_store.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/json/json.h"
#include "common/testing/status_matchers.h"
#include "services/store/layout.h"
#include "services/store/manifest/log_manifest_store_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

TEST_F(LogManifestStoreTest, AYoungMovieHasNoRevision) {
  EXPECT_EQ(CurrentOf(store()).revision(), "");
  v1::GetManifestRequest request;
  request.set_movie_id("film");
  absl::Status status = core().manifests.Get(request).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound,
                               HasSubstr("no revision yet")));
  EXPECT_EQ(ReasonOf(status), "REVISION_NOT_FOUND");
}

// F: S1-1, S1-2, S1-18, S1-40
TEST_F(LogManifestStoreTest, ACommitPublishesCanonicalBytesUnderTheirHash) {
  const v1::ManifestPointer current = CommitFirst();
  EXPECT_EQ(current.revision(), "rev-0001");
  EXPECT_EQ(current.manifest(), "manifests/rev-0001.json");
  ASSERT_OK_AND_ASSIGN(
      std::string json,
      ReadObject(storage_, "builds/film/manifests/rev-0001.json"));
  EXPECT_EQ(Sha256Of(json).Hex(), current.hash());
  EXPECT_EQ(ManifestJson(store(), "rev-0001"), json);
  EXPECT_EQ(ManifestJson(store()), json);
  EXPECT_THAT(ReadObject(storage_, "builds/film/current.json"),
              IsOkAndHolds("{\"hash\":\"" + current.hash() +
                           "\",\"manifest\":\"manifests/rev-0001.json\","
                           "\"revision\":\"rev-0001\"}"));
  EXPECT_EQ(CurrentOf(store()).hash(), current.hash());
}

// F: S1-39
TEST_F(LogManifestStoreTest, OnlyTheRunsOwnEventsAndEarlierInputsCount) {
  ASSERT_OK(core().events.Append(InputEdit("Input:Topic", "sea")));  // 2
  Make("Artifact:Mine", 'a', "mine");
  Make("Artifact:Theirs", 'b', "theirs", kRun2);
  ASSERT_OK(core().events.Append(InputEdit("Input:Topic", "land")));  // 3
  ASSERT_OK(Commit(CommitOf(lease_, kRun1, "rev-0001", "", 2)));
  ASSERT_OK_AND_ASSIGN(JsonValue json, ParseJson(ManifestJson(store())));
  EXPECT_NE(json.Find("artefacts")->Find("Artifact:Mine"), nullptr);
  EXPECT_EQ(json.Find("artefacts")->Find("Artifact:Theirs"), nullptr);
  EXPECT_EQ(*json.Find("inputs")
                 ->Find("Input:Topic")
                 ->Find("content")
                 ->Find("inline")
                 ->Find("text"),
            JsonValue("sea"));
}

// F: S1-41, S1-28
TEST_F(LogManifestStoreTest, ACommitOnAnotherBaseLosesAndChangesNothing) {
  const v1::ManifestPointer first = CommitFirst();
  Make("Artifact:Script", 'b', "two", kRun2);
  absl::Status status =
      Commit(CommitOf(lease_, kRun2, "rev-0001", "", 1)).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted,
                               HasSubstr("current is rev-0001")));
  EXPECT_EQ(ReasonOf(status), "BASE_CHANGED");
  EXPECT_EQ(MetadataOf(status)["current"], first.hash());
  EXPECT_EQ(CurrentOf(store()).hash(), first.hash());
  EXPECT_OK(Commit(CommitOf(lease_, kRun2, "rev-0002", first.hash(), 1)));
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0002");
}

TEST_F(LogManifestStoreTest, OfTwoCommitsAtOnceOneWins) {
  Make("Artifact:Script", 'a', "one");
  Make("Artifact:Script", 'b', "two", kRun2);
  std::atomic<int> won = 0;
  std::vector<std::thread> threads;
  for (absl::string_view run : {kRun1, kRun2}) {
    threads.emplace_back([this, run, &won] {
      absl::StatusOr<v1::CommitRevisionResponse> response =
          Commit(CommitOf(lease_, run, "rev-0001", "", 1));
      if (response.ok()) {
        ++won;
      } else {
        EXPECT_THAT(response, StatusIs(absl::StatusCode::kAborted));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
}

TEST_F(LogManifestStoreTest, ARepeatedCommitReturnsTheFirstAnswer) {
  const v1::ManifestPointer first = CommitFirst();
  const v1::CommitRevisionRequest request =
      CommitOf(lease_, kRun1, "rev-0001", "", 1);
  ASSERT_OK_AND_ASSIGN(v1::CommitRevisionResponse again, Commit(request));
  EXPECT_TRUE(again.published());
  EXPECT_EQ(again.current().hash(), first.hash());
  Restart();
  ASSERT_OK_AND_ASSIGN(again, Commit(request));
  EXPECT_EQ(again.current().hash(), first.hash());
}

TEST_F(LogManifestStoreTest, ACommitThatChangesNothingPublishesNothing) {
  const v1::ManifestPointer first = CommitFirst();
  Make("Artifact:Script", 'a', "one", kRun2);  // a reuse of the same result
  ASSERT_OK_AND_ASSIGN(
      v1::CommitRevisionResponse response,
      Commit(CommitOf(lease_, kRun2, "rev-0002", first.hash(), 1)));
  EXPECT_FALSE(response.published());
  EXPECT_EQ(response.current().hash(), first.hash());
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0001");
}

// The same content made in another way: other attempts, order, runs, times.
TEST_F(LogManifestStoreTest, TheHashDependsOnContentAlone) {
  const v1::ManifestPointer first = CommitFirst();

  MemoryObjectStorage storage(clock_);
  MemoryEventLog log;
  Core other(storage, log, clock_);
  clock_.Advance(absl::Hours(3));
  MakeFilm(other.store());
  v1::LeaseToken lease = TakeFilmLease(other.store());
  for (char hash : {'b', 'a'}) {
    ASSERT_OK(other.events.Append(
        ArtefactMade("Artifact:Script", hash, "one", lease, kRun2)));
  }
  ASSERT_OK_AND_ASSIGN(
      v1::CommitRevisionResponse response,
      other.manifests.Commit(CommitOf(lease, kRun2, "rev-0001", "", 1)));
  EXPECT_EQ(response.current().hash(), first.hash());
}

TEST_F(LogManifestStoreTest, ARunnerThatLostItsLeaseCannotPublish) {
  Make("Artifact:Script", 'a', "one");
  clock_.Advance(absl::Seconds(7));
  TakeFilmLease(store(), "runner-2", kRun2);
  absl::Status status =
      Commit(CommitOf(lease_, kRun1, "rev-0001", "", 1)).status();
  EXPECT_EQ(ReasonOf(status), "LEASE_LOST");
  EXPECT_EQ(CurrentOf(store()).revision(), "");
}

TEST_F(LogManifestStoreTest, ABlobThatWentMissingStopsTheCommit) {
  v1::AppendEventsRequest request =
      ArtefactMade("Artifact:Image", 'a', "", lease_);
  const v1::BlobRef blob = PutBlob(store(), "pixels");
  *request.mutable_events(0)
       ->mutable_artefact()
       ->mutable_output()
       ->mutable_blob() = blob;
  ASSERT_OK(core().events.Append(request));
  ASSERT_OK(storage_.Delete(BlobKey("film", blob.digest().hash())));
  EXPECT_THAT(
      Commit(CommitOf(lease_, kRun1, "rev-0001", "", 1)),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               HasSubstr("Artifact:Image of movie \"film\" names blob " +
                         blob.digest().hash())));
  EXPECT_EQ(CurrentOf(store()).revision(), "");
}

TEST_F(LogManifestStoreTest, RequestsThatDoNotFollowTheBaseAreRefused) {
  Make("Artifact:Script", 'a', "one");
  const auto refused = [&](const v1::CommitRevisionRequest& request,
                           const std::string& field) {
    EXPECT_THAT(Commit(request),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(field)));
  };
  refused(CommitOf(lease_, kRun1, "rev-0002", "", 1), "must be rev-0001");
  refused(CommitOf(lease_, kRun1, "rev-0001", "", 2),
          "inputs_through_sequence");
  refused(CommitOf(lease_, kRun1, "rev-0001", "", 0),
          "inputs_through_sequence");
  refused(CommitOf(lease_, "run-x", "rev-0001", "", 1), "source.run_id");
  refused(CommitOf(lease_, kRun1, "rev-0001", "abc", 1),
          "source.base_manifest_hash");
}

TEST_F(LogManifestStoreTest, RevisionsAreListedAscendingInPages) {
  v1::ManifestPointer current = CommitFirst();
  Make("Artifact:Script", 'b', "two", kRun2);
  ASSERT_OK(Commit(CommitOf(lease_, kRun2, "rev-0002", current.hash(), 1)));
  v1::ListManifestsRequest request;
  request.set_movie_id("film");
  request.set_page_size(1);
  ASSERT_OK_AND_ASSIGN(v1::ListManifestsResponse page,
                       core().manifests.List(request));
  ASSERT_EQ(page.manifests_size(), 1);
  EXPECT_EQ(page.manifests(0).hash(), current.hash());
  request.set_page_token(page.next_page_token());
  ASSERT_OK_AND_ASSIGN(page, core().manifests.List(request));
  ASSERT_EQ(page.manifests_size(), 1);
  EXPECT_EQ(page.manifests(0).revision(), "rev-0002");
  EXPECT_EQ(page.next_page_token(), "");
  request.set_page_size(1001);
  EXPECT_THAT(
      core().manifests.List(request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_size")));
}

}  // namespace
}  // namespace kinora
