// Manifests that are gone or damaged, and commits that were cut short.

#include <string>

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/json/json.h"
#include "common/testing/status_matchers.h"
#include "services/store/layout.h"
#include "services/store/manifest/log_manifest_store.h"
#include "services/store/manifest/log_manifest_store_fixture.h"
#include "services/store/testing/faulty_object_storage.h"
#include "services/store/testing/interrupted_log.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

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
  ASSERT_OK(storage_.Write(CurrentKey("film"),
                           "{\"hash\":\"" + HashOf('b') +
                               "\",\"manifest\":\"manifests/rev-0009.json\""
                               ",\"revision\":\"rev-0009\"}"));
  Restart();
  v1::GetCurrentManifestRequest request;
  request.set_movie_id("film");
  EXPECT_THAT(core().manifests.GetCurrent(request),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("rev-0009 \"" + HashOf('b') +
                                 "\", which the log does not hold")));
}

// Its hash is that of the log, and nothing else would look at the rest.
TEST_F(LogManifestStoreTest, APointerWhoseNamesDifferIsReported) {
  CommitFirst();
  ASSERT_OK_AND_ASSIGN(const std::string sound,
                       ReadObject(storage_, CurrentKey("film")));
  for (const char* name : {"manifests/rev-0001", "\"rev-0001"}) {
    SCOPED_TRACE(name);
    std::string damaged = sound;
    const size_t at = damaged.find(name);
    ASSERT_NE(at, std::string::npos);
    damaged[at + 8] ^= 1;
    ASSERT_OK(storage_.Write(CurrentKey("film"), damaged));
    Restart();
    v1::GetCurrentManifestRequest request;
    request.set_movie_id("film");
    EXPECT_THAT(core().manifests.GetCurrent(request),
                StatusIs(absl::StatusCode::kDataLoss,
                         HasSubstr("builds/film/current.json")));
  }
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

}  // namespace
}  // namespace kinora
