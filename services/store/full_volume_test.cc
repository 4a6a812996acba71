// A store on a volume that is full: what it still does, and that it goes on by
// itself once there is room.

#include <string>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/files/file_system.h"
#include "common/status.h"
#include "common/testing/status_matchers.h"
#include "services/store/volume_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;
using Survival = FaultyFileSystem::Survival;

constexpr uint64_t kMuch = uint64_t{8} << 20;
// Too little to go on with, enough for a small file.
constexpr uint64_t kLittle = 4096;

class FullVolumeTest : public VolumeFixture {
 protected:
  // Two revisions, the second with an image that is a blob.
  void TellStory() {
    Open();
    MakeFilm(store());
    lease_ = TakeFilmLease(store());
    ASSERT_OK(Edit("sea"));
    ASSERT_OK(store().events.Append(
        ArtefactMade("Artifact:Script", 'a', "of the sea", lease_)));
    ASSERT_OK(
        store().manifests.Commit(CommitOf(lease_, kRun1, "rev-0001", "", 2)));
    ASSERT_OK(Edit("land", "rev-0002"));
    ASSERT_OK(store().events.Append(ArtefactMade(
        "Artifact:Script", 'b', "of the land", lease_, kRun2, "rev-0002")));
  }
  v1::CommitRevisionRequest SecondCommit() {
    return CommitOf(lease_, kRun2, "rev-0002", CurrentOf(store()).hash(), 3);
  }

  absl::Status Edit(absl::string_view topic,
                    absl::string_view revision = "rev-0001") {
    return store()
        .events.Append(InputEdit("Input:Topic", topic, revision))
        .status();
  }

  // The values of Input:Topic, in order.
  std::string Topics() {
    v1::ReadEventsRequest read;
    read.mutable_log()->set_movie_id("film");
    read.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
    const auto page = store().events.ReadPage(read);
    EXPECT_OK(page);
    std::string topics;
    if (!page.ok()) return topics;
    int64_t sequence = 0;
    for (const v1::Event& event : page->events()) {
      EXPECT_EQ(event.sequence(), ++sequence);
      if (event.input().input_id() == "Input:Topic") {
        absl::StrAppend(&topics, event.input().content().inline_().data(), " ");
      }
    }
    return topics;
  }

  absl::StatusOr<int> CollectGarbage() {
    v1::CollectGarbageRequest request;
    request.set_movie_id("film");
    request.mutable_grace();
    int removed = 0;
    KINORA_RETURN_IF_ERROR(store().maintenance.CollectGarbage(
        request, [&removed](const v1::CollectGarbageResponse& response) {
          removed += response.removed_size();
          return absl::OkStatus();
        }));
    return removed;
  }
};

// Nothing of the logs survived but the journal: what it holds has no room in
// the files, and is read all the same.
TEST_F(FullVolumeTest, AStartAfterACrashReadsAllThatWasAcknowledged) {
  TellStory();
  ASSERT_OK(store().manifests.Commit(SecondCommit()));
  ASSERT_OK(Edit("sky", "rev-0003"));
  const std::string json = ManifestJson(store());
  fs_.Crash(Survival::kNothing, 1);
  fs_.SetRoom(0);
  Open();
  EXPECT_THAT(local_->read_only_reason(),
              ::testing::AllOf(HasSubstr("/data"), HasSubstr("No space left"),
                               HasSubstr("kinora gc")));
  EXPECT_EQ(Topics(), "sea land sky ");
  EXPECT_EQ(ManifestJson(store()), json);
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0002");
  const absl::Status refused = Edit("hill", "rev-0003");
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(ReasonOf(refused), "STORE_READ_ONLY");

  fs_.SetRoom(kMuch);
  // The first write finds out that there is room.
  EXPECT_THAT(Edit("hill", "rev-0003"),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(local_->read_only_reason(), "");
  EXPECT_OK(Edit("wood", "rev-0003"));
  EXPECT_EQ(Topics(), "sea land sky wood ");
  fs_.Crash(Survival::kNothing, 2);
  Open();
  EXPECT_EQ(Topics(), "sea land sky wood ");
  EXPECT_EQ(ManifestJson(store()), json);
}

// For each number of bytes that are left the store starts, answers the same,
// and goes on when there is room.
TEST_F(FullVolumeTest, AStartIsCutShortAnywhereForWantOfRoom) {
  TellStory();
  ASSERT_OK(store().manifests.Commit(SecondCommit()));
  ASSERT_OK(Edit("sky", "rev-0003"));
  const std::string json = ManifestJson(store());
  for (uint64_t room = 0; room < 4000; room += 97) {
    SCOPED_TRACE(room);
    fs_.Crash(Survival::kNothing, room);
    fs_.SetRoom(room);
    Open();
    ASSERT_EQ(ManifestJson(store()), json);
    ASSERT_THAT(Topics(), ::testing::StartsWith("sea land sky "));
    fs_.SetRoom(kMuch);
    Edit("more", "rev-0003").IgnoreError();
    ASSERT_OK(Edit("more", "rev-0003"));
    ASSERT_THAT(Topics(), ::testing::EndsWith("more "));
  }
}

TEST_F(FullVolumeTest, ACollectionMakesRoomAndWritesGoOn) {
  TellStory();
  PutBlob(store(), std::string(3 << 20, 'x'));
  fs_.Crash(Survival::kNothing, 1);
  fs_.SetRoom(0);
  Open();
  ASSERT_NE(local_->read_only_reason(), "");
  EXPECT_THAT(CollectGarbage(), IsOkAndHolds(1));
  EXPECT_EQ(local_->read_only_reason(), "");
  EXPECT_OK(Edit("sky", "rev-0002"));
  EXPECT_EQ(Topics(), "sea land sky ");
}

TEST_F(FullVolumeTest, RevisionsArePrunedWithoutRoomForWrites) {
  TellStory();
  ASSERT_OK(store().manifests.Commit(SecondCommit()));
  fs_.SetRoom(0);
  EXPECT_OK(Edit("sky", "rev-0003"));  // the journal's last
  EXPECT_EQ(ReasonOf(Edit("hill", "rev-0003")), "STORE_READ_ONLY");
  fs_.SetRoom(kLittle);
  v1::PruneMovieRequest prune;
  prune.set_movie_id("film");
  prune.set_keep_revisions(1);
  ASSERT_OK_AND_ASSIGN(const v1::PruneMovieResponse pruned,
                       store().maintenance.PruneMovie(prune));
  EXPECT_THAT(pruned.revisions(), ::testing::ElementsAre("rev-0001"));
  EXPECT_THAT(Exists(fs_, "/data/builds/film/manifests/rev-0001.json"),
              IsOkAndHolds(false));
  EXPECT_EQ(ReasonOf(Edit("hill", "rev-0003")), "STORE_READ_ONLY");
}

// The journal had room reserved, the log's file has none: the append is durable
// and said to be.
TEST_F(FullVolumeTest, AnAppendThatIsJournaledIsAcknowledgedAndRead) {
  TellStory();
  fs_.SetRoom(0);
  EXPECT_OK(Edit("sky", "rev-0002"));
  EXPECT_EQ(Topics(), "sea land sky ");
  EXPECT_EQ(ReasonOf(Edit("hill", "rev-0002")), "STORE_READ_ONLY");
  fs_.SetRoom(kMuch);
  EXPECT_EQ(ReasonOf(Edit("hill", "rev-0002")), "STORE_READ_ONLY");
  EXPECT_OK(Edit("wood", "rev-0002"));
  EXPECT_EQ(Topics(), "sea land sky wood ");
  fs_.Crash(Survival::kNothing, 1);
  Open();
  EXPECT_EQ(Topics(), "sea land sky wood ");
}

// Its record found room, and nothing after it.
TEST_F(FullVolumeTest, ARevisionThatIsDecidedIsReadBeforeItsCommitIsFinished) {
  TellStory();
  const v1::CommitRevisionRequest commit = SecondCommit();
  fs_.SetRoom(0);
  EXPECT_EQ(ReasonOf(store().manifests.Commit(commit).status()),
            "STORE_READ_ONLY");
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0002");
  const std::string json = ManifestJson(store());
  fs_.Crash(Survival::kNothing, 1);
  fs_.SetRoom(0);
  Open();
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0002");
  EXPECT_EQ(ManifestJson(store()), json);
  EXPECT_THAT(Exists(fs_, "/data/builds/film/manifests/rev-0002.json"),
              IsOkAndHolds(false));
  fs_.SetRoom(kMuch);
  Edit("sky", "rev-0003").IgnoreError();
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0002");
  EXPECT_THAT(ReadFile(fs_, "/data/builds/film/manifests/rev-0002.json"),
              IsOkAndHolds(json));
}

// Nobody can tell what a sync that failed has done, also for want of room.
TEST_F(FullVolumeTest, AFailedSyncIsNotAMatterOfRoom) {
  TellStory();
  fs_.FailNext(FileOp::kSync, absl::ResourceExhaustedError("No space left"));
  EXPECT_EQ(ReasonOf(Edit("sky", "rev-0002")), "STORE_READ_ONLY");
  EXPECT_EQ(ReasonOf(Edit("sky", "rev-0002")), "STORE_READ_ONLY");
  EXPECT_THAT(local_->read_only_reason(), HasSubstr("restart the store"));
  EXPECT_THAT(CollectGarbage(), IsOkAndHolds(0));
  Open();
  EXPECT_OK(Edit("hill", "rev-0002"));
}

}  // namespace
}  // namespace kinora
