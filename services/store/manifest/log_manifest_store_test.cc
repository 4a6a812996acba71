#include "services/store/manifest/log_manifest_store.h"

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/json.h"
#include "common/testing/status_matchers.h"
#include "services/store/layout.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/faulty_object_storage.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

// Calls `before` once, ahead of an append that holds `word`.
class InterruptedLog final : public EventLog {
 public:
  InterruptedLog(EventLog& base, std::string word, std::function<void()> before)
      : base_(base), word_(std::move(word)), before_(std::move(before)) {}

  absl::StatusOr<AppendedRange> Append(absl::string_view log,
                                       absl::Span<const std::string> bodies,
                                       Admit admit) override {
    if (before_ != nullptr && bodies[0].find(word_) != std::string::npos) {
      std::exchange(before_, nullptr)();
    }
    return base_.Append(log, bodies, admit);
  }
  absl::StatusOr<std::vector<LogRecord>> Read(absl::string_view log,
                                              int64_t after, int64_t limit,
                                              int64_t max_bytes) override {
    return base_.Read(log, after, limit, max_bytes);
  }
  WaiterId NotifyAfter(absl::string_view log, int64_t after,
                       absl::AnyInvocable<void()> callback) override {
    return base_.NotifyAfter(log, after, std::move(callback));
  }
  void CancelNotify(WaiterId id) override { base_.CancelNotify(id); }
  absl::StatusOr<LogExtent> Extent(absl::string_view log) override {
    return base_.Extent(log);
  }
  absl::Status Archive(absl::string_view log, int64_t through,
                       absl::string_view archive) override {
    return base_.Archive(log, through, archive);
  }
  absl::Status Checkpoint(absl::string_view log) override {
    return base_.Checkpoint(log);
  }
  absl::Status Trim(absl::string_view log, int64_t through) override {
    return base_.Trim(log, through);
  }
  absl::Status Remove(absl::string_view log) override {
    return base_.Remove(log);
  }
  absl::StatusOr<AppendedRange> Restore(
      absl::string_view log, int64_t first_sequence,
      absl::Span<const std::string> bodies) override {
    return base_.Restore(log, first_sequence, bodies);
  }

 private:
  EventLog& base_;
  const std::string word_;
  std::function<void()> before_;
};

class LogManifestStoreTest : public CoreFixture {
 protected:
  void SetUp() override {
    MakeFilm(store());
    lease_ = TakeFilmLease(store());
  }

  void Make(absl::string_view id, char hash, absl::string_view text,
            absl::string_view run_id = kRun1) {
    ASSERT_OK(
        core().events.Append(ArtefactMade(id, hash, text, lease_, run_id)));
  }

  absl::StatusOr<v1::CommitRevisionResponse> Commit(
      const v1::CommitRevisionRequest& request) {
    return core().manifests.Commit(request);
  }

  // rev-0001 with one artefact.
  v1::ManifestPointer CommitFirst() {
    Make("Artifact:Script", 'a', "one");
    absl::StatusOr<v1::CommitRevisionResponse> response =
        Commit(CommitOf(lease_, kRun1, "rev-0001", "", 1));
    EXPECT_OK(response);
    return response.ok() ? response->current() : v1::ManifestPointer();
  }

  v1::LeaseToken lease_;
};

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

// F: B-1, S1-22, S1-48
TEST_F(LogManifestStoreTest, DeletedManifestsComeBackWithTheSameBytes) {
  v1::ManifestPointer current = CommitFirst();
  ASSERT_OK(core().events.Append(InputEdit("Input:Topic", "sea")));
  Make("Artifact:Script", 'b', "two", kRun2);
  ASSERT_OK(Commit(CommitOf(lease_, kRun2, "rev-0002", current.hash(), 2)));
  const std::string first = ManifestJson(store(), "rev-0001");
  const std::string second = ManifestJson(store(), "rev-0002");
  ASSERT_NE(first, second);

  for (const char* key :
       {"manifests/rev-0001.json", "manifests/rev-0002.json", "current.json"}) {
    ASSERT_OK(storage_.Delete("builds/film/" + std::string(key)));
  }
  Restart();
  EXPECT_THAT(core().manifests.Rebuild("film", "rev-0001"),
              IsOkAndHolds(first));
  EXPECT_THAT(core().manifests.Rebuild("film", "rev-0002"),
              IsOkAndHolds(second));
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0002");
  EXPECT_EQ(ManifestJson(store(), "rev-0001"), first);
  EXPECT_EQ(ManifestJson(store(), "rev-0002"), second);
  EXPECT_THAT(ReadObject(storage_, ManifestKey("film", "rev-0001")),
              IsOkAndHolds(first));
}

// A reader that holds nothing gets the same bytes, from the file or the logs.
TEST_F(LogManifestStoreTest, AManifestIsReadInPieces) {
  CommitFirst();
  const std::string json = ManifestJson(store());
  v1::GetManifestRequest request;
  request.set_movie_id("film");
  for (bool is_gone : {false, true}) {
    if (is_gone) {
      ASSERT_OK(storage_.Delete(ManifestKey("film", "rev-0001")));
    }
    std::string read;
    ASSERT_OK_AND_ASSIGN(
        const v1::ManifestPointer pointer,
        core().manifests.Read(request, [&read](absl::string_view piece) {
          absl::StrAppend(&read, piece);
          return absl::OkStatus();
        }));
    EXPECT_EQ(read, json);
    EXPECT_EQ(pointer.hash(), Sha256Of(json).Hex());
  }
  EXPECT_THAT(core().manifests.Read(request,
                                    [](absl::string_view) {
                                      return absl::AbortedError("enough");
                                    }),
              StatusIs(absl::StatusCode::kAborted, "enough"));
}

TEST_F(LogManifestStoreTest, ADamagedManifestIsReportedNotHealed) {
  CommitFirst();
  ASSERT_OK(storage_.Write(ManifestKey("film", "rev-0001"), "{}"));
  v1::GetManifestRequest request;
  request.set_movie_id("film");
  EXPECT_THAT(core().manifests.Read(
                  request, [](absl::string_view) { return absl::OkStatus(); }),
              StatusIs(absl::StatusCode::kDataLoss));
  absl::Status status = core().manifests.Get(request).status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("builds/film/manifests/rev-0001.json")));
  EXPECT_EQ(ReasonOf(status), "DATA_CORRUPT");
}

// Else a movie with revisions would look like one without.
TEST_F(LogManifestStoreTest, APointerThatIsLostIsReported) {
  EXPECT_EQ(CurrentOf(store()).revision(), "");
  const v1::ManifestPointer current = CommitFirst();
  ASSERT_OK(storage_.Delete(CurrentKey("film")));
  v1::GetCurrentManifestRequest request;
  request.set_movie_id("film");
  const absl::Status status = core().manifests.GetCurrent(request).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss,
                               HasSubstr("builds/film/current.json")));
  EXPECT_EQ(ReasonOf(status), "DATA_CORRUPT");
  Restart();
  EXPECT_EQ(CurrentOf(store()).hash(), current.hash());
}

TEST_F(LogManifestStoreTest, APointerThatTheLogDoesNotHoldIsReported) {
  CommitFirst();
  ASSERT_OK(storage_.Write(
      CurrentKey("film"),
      "{\"hash\":\"" + HashOf('b') + "\",\"revision\":\"rev-0009\"}"));
  Restart();
  v1::GetCurrentManifestRequest request;
  request.set_movie_id("film");
  EXPECT_THAT(core().manifests.GetCurrent(request),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("rev-0009")));
}

// It would be in the log of the revision, but not in the revision.
TEST_F(LogManifestStoreTest, AnEventAppendedDuringACommitStopsIt) {
  Make("Artifact:Script", 'a', "one");
  InterruptedLog log(log_, "revisionCommitted",
                     [this] { Make("Artifact:Script", 'b', "late"); });
  Core core(storage_, log, clock_);
  const v1::CommitRevisionRequest request =
      CommitOf(lease_, kRun1, "rev-0001", "", 1);
  absl::Status status = core.manifests.Commit(request).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(ReasonOf(status), "SEQUENCE_MISMATCH");
  EXPECT_EQ(CurrentOf(core.store()).revision(), "");
  ASSERT_OK(core.manifests.Commit(request));
  EXPECT_THAT(core.manifests.Rebuild("film", "rev-0001"),
              IsOkAndHolds(HasSubstr("late")));
}

// A process that dies between two writes of a commit: whatever was decided is
// finished by the next, whatever was not is not there.
// F: S1-40, S1-38
TEST_F(LogManifestStoreTest, ACommitCutAnywhereIsFinishedByTheNextProcess) {
  const v1::ManifestPointer first = CommitFirst();
  Make("Artifact:Script", 'b', "two", kRun2);
  const v1::CommitRevisionRequest request =
      CommitOf(lease_, kRun2, "rev-0002", first.hash(), 1);
  FaultyObjectStorage faulty(storage_);
  {
    // The record is durable with the append; the manifest's write fails.
    Core core(faulty, log_, clock_);
    ASSERT_EQ(CurrentOf(core.store()).revision(), "rev-0001");
    faulty.StopAfter(0);
    EXPECT_THAT(core.manifests.Commit(request),
                StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_THAT(ReadObject(storage_, CurrentKey("film")),
                IsOkAndHolds(HasSubstr("rev-0001")));
    // The same process goes on, once its storage does.
    faulty.StopAfter(1);  // the manifest, not the pointer
    EXPECT_THAT(core.manifests.Commit(request),
                StatusIs(absl::StatusCode::kUnavailable));
  }
  Restart();
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0002");
  EXPECT_THAT(ManifestJson(store()), HasSubstr("two"));
  ASSERT_OK_AND_ASSIGN(v1::CommitRevisionResponse again, Commit(request));
  EXPECT_EQ(again.current().revision(), "rev-0002");
}

v1::BuildManifestRequest BuildOf(const v1::RevisionSource& source) {
  v1::BuildManifestRequest request;
  request.set_movie_id("film");
  *request.mutable_source() = source;
  return request;
}

v1::PublishManifestHeader HeaderOf(const v1::LeaseToken& lease,
                                   absl::string_view previous_hash) {
  v1::PublishManifestHeader header;
  header.set_movie_id("film");
  header.set_previous_hash(std::string(previous_hash));
  *header.mutable_lease() = lease;
  return header;
}

// F: S1-48, S1-61
TEST_F(LogManifestStoreTest, BuildingGivesWhatACommitWouldAndWritesNothing) {
  Make("Artifact:Script", 'a', "one");
  const v1::CommitRevisionRequest request =
      CommitOf(lease_, kRun1, "rev-0001", "", 1);
  ASSERT_OK_AND_ASSIGN(const StoredManifest built,
                       core().manifests.Build(BuildOf(request.source())));
  EXPECT_EQ(built.pointer.revision(), "rev-0001");
  EXPECT_EQ(CurrentOf(store()).revision(), "");
  ASSERT_OK_AND_ASSIGN(const v1::CommitRevisionResponse committed,
                       Commit(request));
  EXPECT_EQ(committed.current().hash(), built.pointer.hash());
  EXPECT_EQ(ManifestJson(store()), built.json);
  // Also afterwards, when the base is not the last revision any more.
  ASSERT_OK_AND_ASSIGN(const StoredManifest again,
                       core().manifests.Build(BuildOf(request.source())));
  EXPECT_EQ(again.json, built.json);
  v1::RevisionSource unknown = request.source();
  unknown.set_base_manifest_hash(HashOf('9'));
  EXPECT_EQ(ReasonOf(core().manifests.Build(BuildOf(unknown)).status()),
            "BASE_CHANGED");
}

// F: S1-40, S1-41, S1-48
TEST_F(LogManifestStoreTest, WhatWasBuiltIsPublishedAsACommitIs) {
  ASSERT_OK(core().events.Append(InputEdit("Input:Topic", "sea")));
  Make("Artifact:Script", 'a', "one");
  const v1::RevisionSource source =
      CommitOf(lease_, kRun1, "rev-0001", "", 2).source();
  ASSERT_OK_AND_ASSIGN(const StoredManifest built,
                       core().manifests.Build(BuildOf(source)));
  ASSERT_OK_AND_ASSIGN(
      const v1::PublishManifestResponse published,
      core().manifests.Publish(HeaderOf(lease_, ""), built.json));
  EXPECT_EQ(published.current().hash(), built.pointer.hash());
  EXPECT_EQ(CurrentOf(store()).hash(), built.pointer.hash());
  // Lost and rebuilt, it has the same bytes: the logs decide.
  ASSERT_OK(storage_.Delete("builds/film/manifests/rev-0001.json"));
  EXPECT_EQ(ManifestJson(store()), built.json);
  EXPECT_THAT(core().manifests.Rebuild("film", "rev-0001"),
              IsOkAndHolds(built.json));
  // Again, it is current already.
  ASSERT_OK_AND_ASSIGN(
      const v1::PublishManifestResponse again,
      core().manifests.Publish(HeaderOf(lease_, ""), built.json));
  EXPECT_EQ(again.current().hash(), built.pointer.hash());
}

TEST_F(LogManifestStoreTest, TheInputsOfAPublicationAreFoundInTheLog) {
  const v1::ManifestPointer first = CommitFirst();
  const v1::LeaseToken second = [&] {
    v1::ReleaseLeaseRequest release;
    *release.mutable_token() = lease_;
    EXPECT_OK(store().leases.Release(release));
    return TakeFilmLease(store(), "runner-1", kRun2);
  }();
  for (const char* topic : {"sea", "land", "sea", "sky"}) {
    ASSERT_OK(
        core().events.Append(InputEdit("Input:Topic", topic, "rev-0002")));
  }
  v1::RevisionSource source =
      CommitOf(second, kRun2, "rev-0002", first.hash(), 4).source();
  source.add_removed_artefact_ids("Artifact:Script");
  ASSERT_OK_AND_ASSIGN(const StoredManifest built,
                       core().manifests.Build(BuildOf(source)));
  ASSERT_OK(
      core().manifests.Publish(HeaderOf(second, first.hash()), built.json));
  EXPECT_EQ(ManifestJson(store(), "rev-0002"), built.json);
  // What was edited after that moment is not in a revision yet.
  ASSERT_OK_AND_ASSIGN(const std::vector<EventPtr> commits,
                       core().events.Commits("film"));
  EXPECT_EQ(commits.back()->revision_committed().inputs_through_sequence(), 4);
}

TEST_F(LogManifestStoreTest, APublicationIsHeldToTheQuota) {
  const v1::ManifestPointer first = CommitFirst();
  v1::SetMovieQuotaRequest quota;
  quota.set_movie_id("film");
  quota.mutable_quota()->set_max_revisions(1);
  ASSERT_OK(store().movies.SetQuota(quota));
  v1::ReleaseLeaseRequest release;
  *release.mutable_token() = lease_;
  ASSERT_OK(store().leases.Release(release));
  const v1::LeaseToken second = TakeFilmLease(store(), "runner-1", kRun2);
  ASSERT_OK(core().events.Append(InputEdit("Input:Topic", "sky", "rev-0002")));
  const v1::RevisionSource source =
      CommitOf(second, kRun2, "rev-0002", first.hash(), 2).source();
  ASSERT_OK_AND_ASSIGN(const StoredManifest built,
                       core().manifests.Build(BuildOf(source)));
  ASSERT_OK(
      core().manifests.Publish(HeaderOf(second, first.hash()), built.json));
  v1::GetManifestRequest get;
  get.set_movie_id("film");
  get.set_revision("rev-0001");
  EXPECT_THAT(core().manifests.Get(get).status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("was pruned")));
}

// F: S1-41 Invariants 4, 8, 11, 12
TEST_F(LogManifestStoreTest, OnlyWhatTheLogsGiveIsPublished) {
  Make("Artifact:Script", 'a', "one");
  const v1::RevisionSource source =
      CommitOf(lease_, kRun1, "rev-0001", "", 1).source();
  ASSERT_OK_AND_ASSIGN(const StoredManifest built,
                       core().manifests.Build(BuildOf(source)));
  const auto publish = [&](const v1::PublishManifestHeader& header,
                           const std::string& json) {
    return core().manifests.Publish(header, json).status();
  };
  std::string other = built.json;
  const size_t at = other.find("one");
  ASSERT_NE(at, std::string::npos);
  other.replace(at, 3, "two");
  EXPECT_THAT(publish(HeaderOf(lease_, ""), other),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("the logs give another manifest")));
  EXPECT_THAT(
      publish(HeaderOf(lease_, ""), built.json + " "),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("canonical")));
  EXPECT_EQ(ReasonOf(publish(HeaderOf(lease_, HashOf('9')), built.json)),
            "BASE_CHANGED");
  v1::LeaseToken stale = lease_;
  stale.set_fencing_token(stale.fencing_token() - 1);
  EXPECT_EQ(ReasonOf(publish(HeaderOf(stale, ""), built.json)), "LEASE_LOST");
  EXPECT_EQ(CurrentOf(store()).revision(), "");
  EXPECT_THAT(storage_.Stat("builds/film/manifests/rev-0001.json"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_OK(publish(HeaderOf(lease_, ""), built.json));
}

}  // namespace
}  // namespace kinora
