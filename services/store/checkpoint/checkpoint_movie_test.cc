#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/manual_executor.h"
#include "common/testing/status_matchers.h"
#include "services/store/layout.h"
#include "services/store/local_store.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/movie_story.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;

class CheckpointMovieTest : public ::testing::Test {
 protected:
  std::unique_ptr<LocalStore> Open(FileSystem& fs) {
    LocalStoreOptions options;
    options.data_dir = "/store";
    options.checkpoint_events = 10;
    auto opened = LocalStore::Open(options, fs, clock_, random_, executor_);
    return opened.ok() ? *std::move(opened) : nullptr;
  }

  static std::string ImageId(int n) {
    return absl::StrCat("Artifact:Image[segment=", n, "]");
  }

  static absl::StatusOr<std::string> Resolved(Store store, int n) {
    v1::ResolveArtefactsRequest request;
    request.set_movie_id("film");
    request.add_queries()->set_artefact_id(ImageId(n));
    auto response = store.events.ResolveArtefacts(request);
    if (!response.ok()) return response.status();
    return response->artefacts(0).event().artefact().output().inline_().data();
  }

  static absl::StatusOr<v1::CheckpointMovieResponse> Checkpoint(
      Store store, bool remove = false) {
    v1::CheckpointMovieRequest request;
    request.set_movie_id("film");
    request.set_remove_covered_logs(remove);
    return store.maintenance.CheckpointMovie(request);
  }

  // What must be the same whatever happened to the logs.
  static std::string WhatIsKnown(LocalStore& local) {
    Store store = local.store();
    std::string known;
    v1::ResolveArtefactsRequest resolve;
    resolve.set_movie_id("film");
    for (const char key : {'1', '2', '3', '4'}) {
      v1::ArtefactQuery& query = *resolve.add_queries();
      query.set_artefact_id("Artifact:Script");
      query.set_inputs_hash(HashOf(key));
    }
    const auto resolved = store.events.ResolveArtefacts(resolve);
    EXPECT_OK(resolved);
    if (resolved.ok()) known += resolved->DebugString();
    v1::ListInputsRequest list;
    list.set_movie_id("film");
    const auto inputs = store.events.ListInputs(list);
    EXPECT_OK(inputs);
    if (inputs.ok()) known += inputs->DebugString();
    for (int n = 1; n <= 4; ++n) {
      known += ManifestJson(store, absl::StrCat("rev-000", n));
    }
    const auto rebuilt = local.RebuildManifest("film", "rev-0004");
    EXPECT_OK(rebuilt);
    if (rebuilt.ok()) known += *rebuilt;
    v1::VerifyMovieRequest verify;
    verify.set_movie_id("film");
    EXPECT_OK(store.maintenance.VerifyMovie(
        verify, [](const v1::VerifyMovieResponse& response) {
          for (const v1::VerifyProblem& problem : response.problems()) {
            ADD_FAILURE() << problem.ShortDebugString();
          }
          return absl::OkStatus();
        }));
    return known;
  }

  FakeClock clock_;
  SeededRandom random_{1};
  ManualExecutor executor_{clock_, 1};
};

// F: S1-43, S0-24
TEST_F(CheckpointMovieTest, ARestartedStoreReadsWhatCameAfterIt) {
  FaultyFileSystem fs;
  std::unique_ptr<LocalStore> local = Open(fs);
  MakeFilm(local->store());
  const v1::LeaseToken lease = TakeFilmLease(local->store());
  for (int n = 0; n < 300; ++n) {
    ASSERT_OK(local->store().events.Append(
        ArtefactMade(ImageId(n), 'a', absl::StrCat("image ", n), lease)));
  }
  ASSERT_OK_AND_ASSIGN(const v1::CheckpointMovieResponse covered,
                       Checkpoint(local->store()));
  EXPECT_EQ(covered.covered_events(), 301);  // and the blueprint's
  EXPECT_EQ(covered.revision(), "");
  ASSERT_OK(local->store().events.Append(
      ArtefactMade(ImageId(300), 'a', "image 300", lease)));
  local = nullptr;
  local = Open(fs);
  // What it covers may even be unreadable: nobody looks at it.
  fs.FlipByte("/store/" + ArtefactsLogKey("film"), 2000);
  EXPECT_THAT(Resolved(local->store(), 200), IsOkAndHolds("image 200"));
  EXPECT_THAT(Resolved(local->store(), 300), IsOkAndHolds("image 300"));
  EXPECT_THAT(Resolved(local->store(), 301), IsOkAndHolds(""));
  v1::ReadEventsRequest read;
  read.mutable_log()->set_movie_id("film");
  read.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  read.set_artefact_id(ImageId(200));
  read.set_after_sequence(100);
  ASSERT_OK_AND_ASSIGN(const v1::ReadEventsResponse page,
                       local->store().events.ReadPage(read));
  ASSERT_EQ(page.events_size(), 1);
  EXPECT_EQ(page.events(0).sequence(), 201);
  EXPECT_EQ(page.bookmark().sequence(), 301);
}

TEST_F(CheckpointMovieTest, AMovieThatIsNotThereIsNamed) {
  FaultyFileSystem fs;
  std::unique_ptr<LocalStore> local = Open(fs);
  EXPECT_EQ(ReasonOf(Checkpoint(local->store()).status()), "MOVIE_NOT_FOUND");
}

// F: S1-43 (a power cut at any change leaves the logs, or what stands for them)
TEST_F(CheckpointMovieTest, ACutAtAnyChangeOfARemovalLosesNothing) {
  for (int cut = 0;; ++cut) {
    SCOPED_TRACE(cut);
    FaultyFileSystem fs;
    std::unique_ptr<LocalStore> local = Open(fs);
    TellMovieStory(local->store(), 2);
    ASSERT_OK(Checkpoint(local->store(), true));
    TellRevision(local->store(), 3);
    TellRevision(local->store(), 4);
    const std::string before = WhatIsKnown(*local);
    fs.StopAfter(cut);
    const absl::StatusOr<v1::CheckpointMovieResponse> removed =
        Checkpoint(local->store(), true);
    local = nullptr;
    fs.Crash(static_cast<uint64_t>(cut));
    local = Open(fs);
    ASSERT_NE(local, nullptr);
    EXPECT_EQ(WhatIsKnown(*local), before);
    ASSERT_OK(Checkpoint(local->store(), true));
    EXPECT_EQ(WhatIsKnown(*local), before);
    TellRevision(local->store(), 5);
    EXPECT_EQ(CurrentOf(local->store()).revision(), "rev-0005");
    if (!removed.ok()) continue;
    EXPECT_THAT(removed->removed_logs(),
                ElementsAre("events/rev-0002.artefacts.jsonl",
                            "events/rev-0002.inputs.jsonl",
                            "events/rev-0003.artefacts.jsonl",
                            "events/rev-0003.inputs.jsonl"));
    break;
  }
}

// F: S1-43 (a crash at any point leaves the movie as it was)
TEST_F(CheckpointMovieTest, ACutAtAnyChangeLosesNothing) {
  for (int cut = 0;; ++cut) {
    SCOPED_TRACE(cut);
    FaultyFileSystem fs;
    std::unique_ptr<LocalStore> local = Open(fs);
    MakeFilm(local->store());
    const v1::LeaseToken lease = TakeFilmLease(local->store());
    for (int round = 0; round < 2; ++round) {
      for (int n = 0; n < 7; ++n) {
        ASSERT_OK(local->store().events.Append(ArtefactMade(
            ImageId(n), 'a', absl::StrCat(round, " image ", n), lease)));
      }
      if (round == 0) {
        ASSERT_OK(Checkpoint(local->store()));
      }
    }
    fs.StopAfter(cut);
    const bool done = Checkpoint(local->store()).ok();
    local = nullptr;
    fs.Crash(static_cast<uint64_t>(cut));
    local = Open(fs);
    ASSERT_NE(local, nullptr);
    for (int n = 0; n < 7; ++n) {
      EXPECT_THAT(Resolved(local->store(), n),
                  IsOkAndHolds(absl::StrCat("1 image ", n)));
    }
    ASSERT_OK(Checkpoint(local->store()));
    if (done) break;
  }
}

}  // namespace
}  // namespace kinora
