#include "services/store/gc/collector.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/files/file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/layout.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/faulty_object_storage.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CollectorTest : public CoreFixture {
 protected:
  void SetUp() override { MakeFilm(store()); }

  CollectorParts Parts() { return PartsOn(storage_); }
  CollectorParts PartsOn(ObjectStorage& storage) {
    return CollectorParts{.storage = storage,
                          .log = log_,
                          .catalog = core().catalog,
                          .manifests = core().manifests,
                          .blobs = core().blobs,
                          .readable = core().events.readable(),
                          .clock = clock_};
  }

  static v1::CollectGarbageRequest RequestOf(absl::Duration grace) {
    v1::CollectGarbageRequest request;
    request.set_movie_id("film");
    request.mutable_grace()->set_seconds(absl::ToInt64Seconds(grace));
    return request;
  }

  // The hashes of what a collection removed.
  std::vector<std::string> Collect(const v1::CollectGarbageRequest& request) {
    std::vector<std::string> removed;
    EXPECT_OK(CollectGarbage(
        Parts(), request, [&](const v1::CollectGarbageResponse& response) {
          for (const v1::Digest& digest : response.removed()) {
            removed.push_back(digest.hash());
          }
          last_ = response;
          return absl::OkStatus();
        }));
    return removed;
  }
  std::vector<std::string> Collect(absl::Duration grace) {
    return Collect(RequestOf(grace));
  }

  bool Exists(const v1::BlobRef& blob) {
    return storage_.Stat(BlobKey("film", blob.digest().hash())).ok();
  }

  v1::FindMissingBlobsRequest Question(const v1::BlobRef& blob) {
    v1::FindMissingBlobsRequest request;
    request.set_movie_id("film");
    *request.add_digests() = blob.digest();
    return request;
  }

  void Edit(const v1::BlobRef& blob) {
    v1::AppendEventsRequest request = InputEdit("Input:Topic", "");
    *request.mutable_events(0)
         ->mutable_input()
         ->mutable_content()
         ->mutable_blob() = blob;
    ASSERT_OK(store().events.Append(request));
  }

  v1::CollectGarbageResponse last_;
};

// F: S1-54
TEST_F(CollectorTest, RemovesWhatNothingReachesAndNothingElse) {
  const v1::BlobRef topic = PutBlob(store(), "a topic");
  const v1::BlobRef garbage = PutBlob(store(), "garbage");
  Edit(topic);
  EXPECT_THAT(Collect(absl::ZeroDuration()),
              ElementsAre(garbage.digest().hash()));
  EXPECT_FALSE(Exists(garbage));
  EXPECT_TRUE(Exists(topic));
  EXPECT_EQ(last_.scanned_blobs(), 3);  // with the blueprint
  EXPECT_EQ(last_.freed_bytes(), 7);
  EXPECT_THAT(Collect(absl::ZeroDuration()), IsEmpty());
}

// The collection has read the log before the blueprint is in it; the blob may
// be new then, or have lain there for long.
TEST_F(CollectorTest, ABlueprintThatIsPinnedMeanwhileStays) {
  for (const bool was_there : {false, true}) {
    // The last shard, so that the sweep has not passed it.
    std::string text = was_there ? "name: old 0" : "name: new 0";
    for (int i = 1; !absl::StartsWith(Sha256Of(text).Hex(), "ff"); ++i) {
      text = absl::StrCat(text.substr(0, 10), i);
    }
    if (was_there) PutBlob(store(), text);
    clock_.Advance(absl::Hours(2));
    ASSERT_OK_AND_ASSIGN(
        const auto collection,
        Collection::Begin(Parts(), RequestOf(absl::ZeroDuration())));
    v1::CollectGarbageResponse response;
    for (int step = 0; step < 20; ++step) {
      ASSERT_THAT(collection->Step(&response), IsOkAndHolds(true));
    }
    v1::SetBlueprintRequest request;
    request.set_movie_id("film");
    request.set_blueprint(text);
    ASSERT_OK_AND_ASSIGN(const v1::SetBlueprintResponse pinned,
                         store().movies.SetBlueprint(request));
    ASSERT_TRUE(pinned.changed());
    clock_.Advance(absl::Hours(2));
    absl::StatusOr<bool> more = true;
    while (more.ok() && *more) more = collection->Step(&response);
    ASSERT_OK(more.status());
    EXPECT_TRUE(Exists(pinned.movie().blueprint()));
  }
}

TEST_F(CollectorTest, ADryRunRemovesNothing) {
  const v1::BlobRef garbage = PutBlob(store(), "garbage");
  v1::CollectGarbageRequest request = RequestOf(absl::ZeroDuration());
  request.set_dry_run(true);
  EXPECT_THAT(Collect(request), ElementsAre(garbage.digest().hash()));
  EXPECT_EQ(last_.freed_bytes(), 7);
  EXPECT_TRUE(Exists(garbage));
}

// F: S1-55
TEST_F(CollectorTest, WhatWasWrittenLatelyIsKeptByDefault) {
  const v1::BlobRef blob = PutBlob(store(), "of a job that is under way");
  v1::CollectGarbageRequest request;
  request.set_movie_id("film");
  clock_.Advance(absl::Minutes(59));
  EXPECT_THAT(Collect(request), IsEmpty());
  clock_.Advance(absl::Minutes(2));
  EXPECT_THAT(Collect(request), ElementsAre(blob.digest().hash()));
}

TEST_F(CollectorTest, ABlobFoundPresentStaysForAnotherGracePeriod) {
  const v1::BlobRef asked = PutBlob(store(), "asked for");
  const v1::BlobRef written = PutBlob(store(), "written again");
  v1::CollectGarbageRequest request;
  request.set_movie_id("film");
  clock_.Advance(absl::Minutes(61));
  ASSERT_OK(store().blobs.FindMissing(Question(asked)));
  PutBlob(store(), "written again");
  clock_.Advance(absl::Minutes(60));
  EXPECT_THAT(Collect(request), IsEmpty());
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(Collect(request).size(), 2u);
}

// A use makes a file young without a sync, so a crash may make it old again.
TEST_F(CollectorTest, UsesThatACrashUndidStillCount) {
  const v1::BlobRef blob = PutBlob(store(), "asked for");
  const std::string key = BlobKey("film", blob.digest().hash());
  clock_.Advance(absl::Minutes(61));
  ASSERT_OK(store().blobs.FindMissing(Question(blob)));
  const absl::Time asked = clock_.Now();
  clock_.SetNow(asked - absl::Minutes(61));
  ASSERT_OK(storage_.Renew(key));  // as old as it was
  clock_.SetNow(asked);
  Restart();
  v1::CollectGarbageRequest request;
  request.set_movie_id("film");
  clock_.Advance(absl::Minutes(59));
  EXPECT_THAT(Collect(request), IsEmpty());
  clock_.Advance(absl::Minutes(20));
  EXPECT_EQ(Collect(request).size(), 1u);
}

TEST_F(CollectorTest, ABlobUsedWhileACollectionIsUnderWayIsKeptByIt) {
  const v1::BlobRef blob = PutBlob(store(), "late to the party");
  v1::CollectGarbageRequest request = RequestOf(absl::ZeroDuration());
  ASSERT_OK_AND_ASSIGN(auto collection, Collection::Begin(Parts(), request));
  v1::CollectGarbageResponse response;
  // The logs are walked by now.
  for (int i = 0; i < 4; ++i) ASSERT_OK(collection->Step(&response));
  Edit(blob);
  for (bool more = true; more;) {
    ASSERT_OK_AND_ASSIGN(more, collection->Step(&response));
  }
  EXPECT_THAT(response.removed(), IsEmpty());
  EXPECT_TRUE(Exists(blob));
}

// The upload need not send bytes that exist; they must exist when it is done.
TEST_F(CollectorTest, AnUploadThatFoundItsBlobKeepsIt) {
  const v1::BlobRef blob = PutBlob(store(), "known");
  v1::WriteBlobHeader header;
  header.set_movie_id("film");
  *header.mutable_expected_digest() = blob.digest();
  ASSERT_OK_AND_ASSIGN(auto upload, store().blobs.StartUpload(header));
  EXPECT_THAT(Collect(absl::ZeroDuration()), IsEmpty());
  ASSERT_OK(upload->Append("known"));
  ASSERT_OK(upload->Finish());
  EXPECT_TRUE(Exists(blob));
}

TEST_F(CollectorTest, AReaderInTheMiddleOfABlobReadsOn) {
  const std::string bytes(size_t{3} << 20, 'x');
  v1::ReadBlobRequest request;
  request.set_movie_id("film");
  *request.mutable_digest() = PutBlob(store(), bytes).digest();
  request.set_verify(true);
  size_t read = 0;
  ASSERT_OK(store().blobs.Read(request, [&](absl::string_view piece) {
    if (read == 0) {
      EXPECT_EQ(Collect(absl::ZeroDuration()).size(), 1u);
    }
    read += piece.size();
    return absl::OkStatus();
  }));
  EXPECT_EQ(read, bytes.size());
}

TEST_F(CollectorTest, AMovieHasOneCollectionAtATime) {
  const v1::CollectGarbageRequest request = RequestOf(absl::ZeroDuration());
  ASSERT_OK_AND_ASSIGN(auto first, Collection::Begin(Parts(), request));
  EXPECT_THAT(Collection::Begin(Parts(), request).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("\"film\" is under way")));
  first.reset();
  EXPECT_OK(Collection::Begin(Parts(), request));
}

TEST_F(CollectorTest, ADamagedMovieIsNotCollected) {
  const v1::BlobRef garbage = PutBlob(store(), "garbage");
  const v1::LeaseToken lease = TakeFilmLease(store());
  ASSERT_OK(
      store().events.Append(ArtefactMade("Artifact:Film", 'a', "text", lease)));
  ASSERT_OK(
      store().manifests.Commit(CommitOf(lease, kRun1, "rev-0001", "", 1)));
  ASSERT_OK(storage_.Write(ManifestKey("film", "rev-0001"), "{}"));
  const absl::Status status = CollectGarbage(
      Parts(), RequestOf(absl::ZeroDuration()),
      [](const v1::CollectGarbageResponse&) { return absl::OkStatus(); });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr("rev-0001")));
  EXPECT_EQ(ReasonOf(status), "MOVIE_QUARANTINED");
  EXPECT_TRUE(Exists(garbage));
}

// It may be read the next time.
TEST_F(CollectorTest, ARecordThatTheDiskFailsToReadIsNotADamagedMovie) {
  const v1::BlobRef garbage = PutBlob(store(), "garbage");
  v1::PutRunRecordRequest put;
  put.mutable_record()->set_run_id(std::string(kRun1));
  put.mutable_record()->set_movie_id("film");
  put.mutable_record()->set_status(v1::RUN_STATUS_QUEUED);
  ASSERT_OK(store().runs.Put(put));
  FaultyObjectStorage faulty(storage_);
  faulty.FailReadsOf(RunRecordKey("film", kRun1),
                     DiskFailure("read \"record.json\": Input/output error"));
  const absl::Status status = CollectGarbage(
      PartsOn(faulty), RequestOf(absl::ZeroDuration()),
      [](const v1::CollectGarbageResponse&) { return absl::OkStatus(); });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss,
                               HasSubstr("Input/output error")));
  EXPECT_EQ(ReasonOf(status), "");
  EXPECT_TRUE(Exists(garbage));
}

TEST_F(CollectorTest, BadRequestsAreRefused) {
  v1::CollectGarbageRequest request = RequestOf(-absl::Seconds(1));
  EXPECT_THAT(Collection::Begin(Parts(), request).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("grace")));
  request = RequestOf(absl::Seconds(1));
  request.mutable_grace()->set_nanos(-1);
  EXPECT_THAT(Collection::Begin(Parts(), request).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("grace")));
  request.set_movie_id("other");
  EXPECT_EQ(ReasonOf(Collection::Begin(Parts(), request).status()),
            "MOVIE_NOT_FOUND");
}

TEST_F(CollectorTest, ExplainsWhatKeepsABlob) {
  const v1::BlobRef topic = PutBlob(store(), "a topic");
  Edit(topic);
  v1::ExplainBlobRequest request;
  request.set_movie_id("film");
  *request.mutable_digest() = topic.digest();
  ASSERT_OK_AND_ASSIGN(v1::ExplainBlobResponse response,
                       ExplainBlob(Parts(), request));
  EXPECT_THAT(response.reached_by(),
              ElementsAre("inputs.log 2 Input:Topic",
                          "used lately, kept until 2026-01-01T01:01:00Z"));
  *request.mutable_digest() = PutBlob(store(), "garbage").digest();
  clock_.Advance(absl::Hours(2));
  ASSERT_OK_AND_ASSIGN(response, ExplainBlob(Parts(), request));
  EXPECT_THAT(response.reached_by(), IsEmpty());
  request.mutable_digest()->set_hash(HashOf('a'));
  EXPECT_EQ(ReasonOf(ExplainBlob(Parts(), request).status()), "BLOB_NOT_FOUND");
}

}  // namespace
}  // namespace kinora
