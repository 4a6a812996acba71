#include "services/store/scratch/scratch_movie.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/testing/manual_executor.h"
#include "common/testing/status_matchers.h"
#include "services/store/layout.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/movie_copies.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ScratchMovieTest : public CoreFixture {
 protected:
  // A revision with an artefact that is a blob.
  void SetUp() override {
    MakeFilm(store());
    blob_ = PutBlob(store(), "picture");
    lease_ = TakeFilmLease(store());
    v1::AppendEventsRequest made =
        ArtefactMade("Artifact:Image", 'a', "", lease_);
    *made.mutable_events(0)->mutable_artefact()->mutable_output() =
        v1::Content();
    *made.mutable_events(0)
         ->mutable_artefact()
         ->mutable_output()
         ->mutable_blob() = blob_;
    ASSERT_OK(store().events.Append(made));
    ASSERT_OK(
        store().manifests.Commit(CommitOf(lease_, kRun1, "rev-0001", "", 1)));
  }

  std::unique_ptr<ScratchMovie> Scratch() {
    absl::StatusOr<std::unique_ptr<ScratchMovie>> copy =
        ScratchMovie::CopyOf(store(), "film", clock_, executor_);
    EXPECT_OK(copy);
    return copy.ok() ? *std::move(copy) : nullptr;
  }

  static std::string Bytes(Store store, const v1::BlobRef& blob) {
    v1::ReadBlobRequest read;
    read.set_movie_id("film");
    *read.mutable_digest() = blob.digest();
    std::string bytes;
    EXPECT_OK(store.blobs.Read(read, [&bytes](absl::string_view piece) {
      bytes.append(piece.data(), piece.size());
      return absl::OkStatus();
    }));
    return bytes;
  }

  static std::vector<std::string> Missing(
      Store store, const std::vector<v1::Digest>& asked) {
    v1::FindMissingBlobsRequest find;
    find.set_movie_id("film");
    find.mutable_digests()->Assign(asked.begin(), asked.end());
    absl::StatusOr<v1::FindMissingBlobsResponse> found =
        store.blobs.FindMissing(find);
    EXPECT_OK(found);
    std::vector<std::string> hashes;
    if (!found.ok()) return hashes;
    for (const v1::Digest& digest : found->missing()) {
      hashes.push_back(digest.hash());
    }
    return hashes;
  }

  ManualExecutor executor_{clock_};
  v1::BlobRef blob_;
  v1::LeaseToken lease_;
};

TEST_F(ScratchMovieTest, HasTheHistoryAndReadsBlobsWhereTheyAre) {
  const std::unique_ptr<ScratchMovie> scratch = Scratch();
  ASSERT_NE(scratch, nullptr);
  EXPECT_EQ(CurrentOf(scratch->store()).hash(), CurrentOf(store()).hash());
  EXPECT_EQ(ManifestJson(scratch->store()), ManifestJson(store()));
  EXPECT_EQ(Bytes(scratch->store(), blob_), "picture");
  EXPECT_THAT(Missing(scratch->store(), {blob_.digest()}), IsEmpty());
  v1::BatchReadBlobsRequest batch;
  batch.set_movie_id("film");
  *batch.add_digests() = blob_.digest();
  const v1::BlobRef own = PutBlob(scratch->store(), "own");
  *batch.add_digests() = own.digest();
  ASSERT_OK_AND_ASSIGN(const v1::BatchReadBlobsResponse both,
                       scratch->store().blobs.BatchRead(batch));
  ASSERT_EQ(both.results_size(), 2);
  EXPECT_EQ(both.results(0).data(), "picture");
  EXPECT_EQ(both.results(1).data(), "own");
}

// What is done to the copy, a whole revision, is nothing to the original, whose
// lease somebody else has.
TEST_F(ScratchMovieTest, WhatIsDoneToItStaysThere) {
  ASSERT_OK_AND_ASSIGN(const std::string before, CopyOf(store(), "film"));
  const std::unique_ptr<ScratchMovie> scratch = Scratch();
  ASSERT_NE(scratch, nullptr);
  const Store copy = scratch->store();
  ASSERT_OK(copy.events.Append(InputEdit("Input:Story", "other", "rev-0002")));
  const v1::LeaseToken lease = TakeFilmLease(copy, "dry-run", kRun2);
  ASSERT_OK(copy.events.Append(
      ArtefactMade("Artifact:Text", 'b', "new", lease, kRun2, "rev-0002")));
  ASSERT_OK(copy.manifests.Commit(
      CommitOf(lease, kRun2, "rev-0002", CurrentOf(copy).hash(), 2)));
  EXPECT_EQ(CurrentOf(copy).revision(), "rev-0002");
  EXPECT_THAT(ManifestJson(copy), HasSubstr(blob_.digest().hash()));
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0001");
  EXPECT_THAT(CopyOf(store(), "film"), IsOkAndHolds(before));
}

// What came after that is not in it, so the same numbers are free.
TEST_F(ScratchMovieTest, CanBeTheMovieAsItWas) {
  const std::string first = ManifestJson(store());
  const v1::ManifestPointer pointer = CurrentOf(store());
  v1::GetLogStatusRequest get;
  get.mutable_log()->set_movie_id("film");
  get.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  ASSERT_OK_AND_ASSIGN(const v1::GetLogStatusResponse artefacts,
                       store().events.GetLogStatus(get));
  get.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  ASSERT_OK_AND_ASSIGN(const v1::GetLogStatusResponse inputs,
                       store().events.GetLogStatus(get));
  ASSERT_OK(
      store().events.Append(InputEdit("Input:Story", "other", "rev-0002")));
  ASSERT_OK(store().events.Append(
      ArtefactMade("Artifact:Text", 'b', "new", lease_, kRun2, "rev-0002")));
  ASSERT_OK(store().manifests.Commit(CommitOf(
      lease_, kRun2, "rev-0002", pointer.hash(), inputs.last_sequence() + 1)));
  ASSERT_OK_AND_ASSIGN(
      const std::unique_ptr<ScratchMovie> scratch,
      ScratchMovie::CopyAt(store(), "film",
                           {.artefacts_through = artefacts.last_sequence(),
                            .inputs_through = inputs.last_sequence()},
                           clock_, executor_));
  const Store copy = scratch->store();
  EXPECT_EQ(CurrentOf(copy).revision(), "rev-0001");
  EXPECT_EQ(CurrentOf(copy).hash(), pointer.hash());
  EXPECT_EQ(ManifestJson(copy), first);
  v1::ListInputsRequest list;
  list.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(const v1::ListInputsResponse then,
                       copy.events.ListInputs(list));
  EXPECT_EQ(then.through_sequence(), inputs.last_sequence());
  const v1::LeaseToken lease = TakeFilmLease(copy, "replay", kRun2);
  ASSERT_OK_AND_ASSIGN(
      const v1::AppendEventsResponse next,
      copy.events.Append(ArtefactMade("Artifact:Text", 'c', "again", lease,
                                      kRun2, "rev-0002")));
  EXPECT_EQ(next.first_sequence(), artefacts.last_sequence() + 1);
}

// What came later, runs, and revisions that are not current there are none of
// its business: they may be damaged.
TEST_F(ScratchMovieTest, ReadsNothingThatItDoesNotHold) {
  std::vector<int64_t> ends;  // of the revisions in the log of artefacts
  for (int number = 1; number <= 3; ++number) {
    v1::GetLogStatusRequest get;
    get.mutable_log()->set_movie_id("film");
    get.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
    ASSERT_OK_AND_ASSIGN(const v1::GetLogStatusResponse log,
                         store().events.GetLogStatus(get));
    ends.push_back(log.last_sequence());
    if (number == 3) break;
    const std::string revision = absl::StrCat("rev-000", number + 1);
    const std::string run_id =
        absl::StrCat("run-01KDV3N3C0000000000000000", number + 1);
    ASSERT_OK(store().events.Append(
        ArtefactMade("Artifact:Text", static_cast<char>('b' + number), "new",
                     lease_, run_id, revision)));
    ASSERT_OK(store().manifests.Commit(
        CommitOf(lease_, run_id, revision, CurrentOf(store()).hash(), 1)));
  }
  const std::string second = ManifestJson(store(), "rev-0002");
  for (const std::string& key :
       {ManifestKey("film", "rev-0001"), ManifestKey("film", "rev-0003"),
        RunRecordKey("film", kRun1)}) {
    ASSERT_OK(storage_.Write(key, "damaged"));
  }
  Restart();
  EXPECT_FALSE(CopyOf(store(), "film").ok());
  ASSERT_OK_AND_ASSIGN(
      const std::unique_ptr<ScratchMovie> scratch,
      ScratchMovie::CopyAt(store(), "film",
                           {.artefacts_through = ends[1], .inputs_through = 1},
                           clock_, executor_));
  EXPECT_EQ(CurrentOf(scratch->store()).revision(), "rev-0002");
  EXPECT_EQ(ManifestJson(scratch->store()), second);
  // All results are there that a run may reuse.
  v1::ResolveArtefactsRequest resolve;
  resolve.set_movie_id("film");
  resolve.add_queries()->set_artefact_id("Artifact:Image");
  resolve.add_queries()->set_artefact_id("Artifact:Text");
  ASSERT_OK_AND_ASSIGN(const std::vector<EventPtr> found,
                       scratch->store().events.FindArtefacts(resolve));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_NE(found[0], nullptr);
  ASSERT_NE(found[1], nullptr);
  EXPECT_LE(found[1]->sequence(), ends[1]);
}

TEST_F(ScratchMovieTest, AnEndThatIsNoneIsRefusedByName) {
  v1::BackUpMovieRequest request;
  request.set_movie_id("film");
  request.mutable_until()->set_artefacts_through(1);
  const auto back_up = [&] {
    return store().maintenance.BackUpMovie(
        request, [](absl::string_view) { return absl::OkStatus(); });
  };
  EXPECT_THAT(back_up(), StatusIs(absl::StatusCode::kInvalidArgument,
                                  HasSubstr("until: goes with")));
  request.set_without_blobs(true);
  request.mutable_until()->set_inputs_through(-1);
  EXPECT_THAT(back_up(), StatusIs(absl::StatusCode::kInvalidArgument,
                                  HasSubstr("until.inputs_through")));
}

TEST_F(ScratchMovieTest, CanBeTheMovieBeforeItsFirstRevision) {
  ASSERT_OK_AND_ASSIGN(
      const std::unique_ptr<ScratchMovie> scratch,
      ScratchMovie::CopyAt(store(), "film",
                           {.artefacts_through = 0, .inputs_through = 1},
                           clock_, executor_));
  EXPECT_EQ(CurrentOf(scratch->store()).revision(), "");
  const v1::LeaseToken lease = TakeFilmLease(scratch->store(), "replay", kRun2);
  ASSERT_OK_AND_ASSIGN(const v1::AppendEventsResponse next,
                       scratch->store().events.Append(ArtefactMade(
                           "Artifact:Image", 'c', "again", lease, kRun2)));
  EXPECT_EQ(next.first_sequence(), 1);
}

TEST_F(ScratchMovieTest, AnExpectedBlobCountsAsPresent) {
  const std::unique_ptr<ScratchMovie> scratch = Scratch();
  ASSERT_NE(scratch, nullptr);
  v1::Digest promised;
  promised.set_hash(HashOf('1'));
  promised.set_size_bytes(5);
  v1::Digest unknown;
  unknown.set_hash(HashOf('2'));
  unknown.set_size_bytes(5);
  scratch->Expect(promised);
  EXPECT_THAT(Missing(scratch->store(), {promised, unknown}),
              ElementsAre(HashOf('2')));
  v1::ReadBlobRequest read;
  read.set_movie_id("film");
  *read.mutable_digest() = promised;
  EXPECT_THAT(scratch->store().blobs.Read(
                  read, [](absl::string_view) { return absl::OkStatus(); }),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ScratchMovieTest, ACopyWithoutBlobsIsNoBackup) {
  v1::BackUpMovieRequest request;
  request.set_movie_id("film");
  request.set_without_blobs(true);
  std::string copy;
  ASSERT_OK(store().maintenance.BackUpMovie(
      request, [&copy](absl::string_view bytes) {
        copy.append(bytes.data(), bytes.size());
        return absl::OkStatus();
      }));
  const absl::Status refused = RestoreFrom(store(), "other", copy).status();
  EXPECT_EQ(ReasonOf(refused), "DATA_CORRUPT");
  EXPECT_THAT(refused.message(), HasSubstr("without blobs"));
}

TEST_F(ScratchMovieTest, OfNoMovieThereIsNone) {
  EXPECT_EQ(
      ReasonOf(
          ScratchMovie::CopyOf(store(), "other", clock_, executor_).status()),
      "MOVIE_NOT_FOUND");
}

}  // namespace
}  // namespace kinora
