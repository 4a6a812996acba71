#include "services/store/gc/reachable_blobs.h"

#include <string>
#include <vector>

#include "common/json/proto_json.h"
#include "common/testing/status_matchers.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/runner.pb.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ReachableBlobsTest : public CoreFixture {
 protected:
  void SetUp() override { MakeFilm(store()); }

  // What keeps the blob alive.
  std::vector<std::string> ReasonsOf(const v1::BlobRef& blob) {
    std::vector<std::string> reasons;
    EXPECT_OK(VisitReachableBlobs(storage_, log_, core().manifests, "film",
                                  [&](const BlobReference& reference) {
                                    if (reference.blob.digest().hash() ==
                                        blob.digest().hash()) {
                                      reasons.push_back(reference.Reason());
                                    }
                                    return absl::OkStatus();
                                  }));
    return reasons;
  }

  void Edit(const v1::BlobRef& blob) {
    v1::AppendEventsRequest request = InputEdit("Input:Topic", "");
    *request.mutable_events(0)
         ->mutable_input()
         ->mutable_content()
         ->mutable_blob() = blob;
    ASSERT_OK(store().events.Append(request));
  }

  void Make(const v1::BlobRef& blob, const v1::LeaseToken& lease) {
    v1::AppendEventsRequest request =
        ArtefactMade("Artifact:Film", 'a', "", lease);
    *request.mutable_events(0)
         ->mutable_artefact()
         ->mutable_output()
         ->mutable_blob() = blob;
    ASSERT_OK(store().events.Append(request));
  }
};

TEST_F(ReachableBlobsTest, ABlobThatNothingNamesHasNoReason) {
  EXPECT_THAT(ReasonsOf(PutBlob(store(), "alone")), IsEmpty());
}

// F: S1-55
TEST_F(ReachableBlobsTest, EventsKeepBlobsAliveBeforeAnyManifestDoes) {
  const v1::BlobRef topic = PutBlob(store(), "a topic");
  const v1::BlobRef film = PutBlob(store(), "a film");
  Edit(topic);
  Make(film, TakeFilmLease(store()));
  // The blueprint is the first input.
  EXPECT_THAT(ReasonsOf(topic), ElementsAre("inputs.log 2 Input:Topic"));
  EXPECT_THAT(ReasonsOf(film), ElementsAre("artefacts.log 1 Artifact:Film"));
}

// F: S1-54
TEST_F(ReachableBlobsTest, ManifestsKeepBlobsAlive) {
  const v1::BlobRef topic = PutBlob(store(), "a topic");
  const v1::BlobRef film = PutBlob(store(), "a film");
  const v1::LeaseToken lease = TakeFilmLease(store());
  Edit(topic);
  Make(film, lease);
  ASSERT_OK(
      store().manifests.Commit(CommitOf(lease, kRun1, "rev-0001", "", 2)));
  EXPECT_THAT(ReasonsOf(topic), Contains("manifest rev-0001 Input:Topic"));
  EXPECT_THAT(ReasonsOf(film), ElementsAre("artefacts.log 1 Artifact:Film",
                                           "manifest rev-0001 Artifact:Film"));
}

TEST_F(ReachableBlobsTest, PlansKeepBlobsAliveAndTheirCopiesAreNotReadTwice) {
  v1::Plan plan;
  plan.set_format_version(1);
  plan.set_movie_id("film");
  v1::PlannedSource& source = *plan.add_sources();
  source.set_artefact_id("Artifact:Scene");
  *source.mutable_content()->mutable_blob() = PutBlob(store(), "a scene");
  v1::SavePlanHeader header;
  header.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(v1::SavePlanResponse saved,
                       core().plans.Save(header, CanonicalBytes(plan)));
  ASSERT_OK(storage_.Write("builds/film/runs/rev-0001-plan.json",
                           CanonicalBytes(plan)));
  EXPECT_THAT(ReasonsOf(source.content().blob()),
              ElementsAre("plan runs/plans/" + saved.plan_hash() +
                          ".json Artifact:Scene"));
}

// What a run is to set when its turn comes must be there then.
TEST_F(ReachableBlobsTest, EditsOfQueuedRunsKeepBlobsAlive) {
  const v1::BlobRef topic = PutBlob(store(), "a topic");
  v1::StartRunRequest start;
  start.set_movie_id("film");
  v1::PendingEdit& edit = *start.add_edits();
  edit.set_input_id("Input:Topic");
  *edit.mutable_content()->mutable_blob() = topic;
  v1::PutRunRecordRequest put;
  put.mutable_record()->set_run_id(std::string(kRun1));
  put.mutable_record()->set_movie_id("film");
  put.mutable_record()->set_status(v1::RUN_STATUS_QUEUED);
  put.mutable_record()->set_queued_request_json(CanonicalBytes(start));
  ASSERT_OK(store().runs.Put(put));
  EXPECT_THAT(ReasonsOf(topic),
              ElementsAre("queued " + std::string(kRun1) + " Input:Topic"));
}

TEST_F(ReachableBlobsTest, ADamagedManifestEndsTheWalk) {
  const v1::LeaseToken lease = TakeFilmLease(store());
  Make(PutBlob(store(), "a film"), lease);
  ASSERT_OK(
      store().manifests.Commit(CommitOf(lease, kRun1, "rev-0001", "", 1)));
  ASSERT_OK(storage_.Write("builds/film/manifests/rev-0001.json", "{}"));
  EXPECT_THAT(VisitReachableBlobs(
                  storage_, log_, core().manifests, "film",
                  [](const BlobReference&) { return absl::OkStatus(); }),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(ReachableBlobsTest, AVisitorCanEndTheWalk) {
  Edit(PutBlob(store(), "a topic"));
  EXPECT_THAT(VisitReachableBlobs(storage_, log_, core().manifests, "film",
                                  [](const BlobReference&) {
                                    return absl::CancelledError("enough");
                                  }),
              StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace kinora
