// Going back is several appends and a commit. Wherever the power goes off in
// between, the movie is one of its revisions with sound logs, and asking again
// completes it.

#include <memory>
#include <string>

#include "common/json/proto_json.h"
#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/manual_executor.h"
#include "common/testing/status_matchers.h"
#include "services/store/local_store.h"
#include "services/store/manifest/manifest_builder.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

// Two revisions that differ in inputs and artefacts, on a disk of its own.
class RevertedFilm {
 public:
  RevertedFilm() {
    Open();
    MakeFilm(store());
    Revise("sea", kRun1, "rev-0001", 'a');
    Revise("ship", kRun2, "rev-0002", 'b');
  }

  void Open() {
    local_.reset();
    LocalStoreOptions options;
    options.data_dir = "/data";
    absl::StatusOr<std::unique_ptr<LocalStore>> opened =
        LocalStore::Open(options, fs, clock, random_, executor_);
    ASSERT_OK(opened);
    local_ = *std::move(opened);
  }

  void LosePower(uint64_t seed) {
    local_.reset();
    fs.Crash(seed);
    Open();
  }

  absl::StatusOr<v1::RevertRevisionResponse> Revert() {
    v1::RevertRevisionRequest request;
    request.set_movie_id("film");
    request.set_revision("rev-0001");
    return store().manifests.Revert(request);
  }

  // Another topic, and all that is made of it.
  void Revise(const std::string& topic, absl::string_view run_id,
              const std::string& revision, char key) {
    ASSERT_OK(store().events.Append(InputEdit("Input:Topic", topic, revision)));
    const v1::LeaseToken lease = TakeFilmLease(store(), "runner", run_id);
    for (const char* id : {"Artifact:Script", "Artifact:Poem"}) {
      ASSERT_OK(store().events.Append(
          ArtefactMade(id, key, topic, lease, run_id, revision)));
    }
    v1::ListInputsRequest list;
    list.set_movie_id("film");
    ASSERT_OK_AND_ASSIGN(const v1::ListInputsResponse inputs,
                         store().events.ListInputs(list));
    ASSERT_OK(store().manifests.Commit(CommitOf(lease, run_id, revision,
                                                CurrentOf(store()).hash(),
                                                inputs.through_sequence())));
    v1::ReleaseLeaseRequest release;
    *release.mutable_token() = lease;
    ASSERT_OK(store().leases.Release(release));
  }

  v1::Manifest Manifest(const std::string& revision) {
    v1::Manifest manifest;
    EXPECT_OK(ParseDocument(ManifestJson(store(), revision), &manifest));
    return manifest;
  }

  // Every file and every revision is whole, and rebuilt from the logs the same.
  void ExpectSound() {
    v1::VerifyMovieRequest verify;
    verify.set_movie_id("film");
    EXPECT_OK(store().maintenance.VerifyMovie(
        verify, [](const v1::VerifyMovieResponse& response) {
          EXPECT_EQ(response.problems_size(), 0) << response.DebugString();
          return absl::OkStatus();
        }));
    const std::string current = CurrentOf(store()).revision();
    ASSERT_OK_AND_ASSIGN(const std::string rebuilt,
                         local_->RebuildManifest("film", current));
    EXPECT_EQ(rebuilt, ManifestJson(store(), current));
  }

  Store store() { return local_->store(); }

  FaultyFileSystem fs;
  FakeClock clock;

 private:
  SeededRandom random_{1};
  ManualExecutor executor_{clock};
  std::unique_ptr<LocalStore> local_;
};

TEST(ManifestRevertPowerLossTest, CutAnywhereItIsSoundAndCanBeAskedAgain) {
  bool cut_short = true;
  int half_done = 0;
  for (int changes = 0; cut_short; ++changes) {
    SCOPED_TRACE(changes);
    RevertedFilm film;
    film.fs.StopAfter(changes);
    const bool answered = film.Revert().ok();
    cut_short = film.fs.stopped();
    film.LosePower(static_cast<uint64_t>(changes));
    film.ExpectSound();
    const std::string current = CurrentOf(film.store()).revision();
    ASSERT_TRUE(current == "rev-0002" || current == "rev-0003") << current;
    EXPECT_TRUE(!answered || current == "rev-0003");
    v1::GetLogStatusRequest status;
    status.mutable_log()->set_movie_id("film");
    status.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
    ASSERT_OK_AND_ASSIGN(const v1::GetLogStatusResponse log,
                         film.store().events.GetLogStatus(status));
    // Both artefacts and the commit of two revisions, and more.
    if (current == "rev-0002" && log.last_sequence() > 6) ++half_done;

    if (changes % 2 == 0) {
      ASSERT_OK_AND_ASSIGN(const v1::RevertRevisionResponse again,
                           film.Revert());
      EXPECT_EQ(again.current().revision(), "rev-0003");
      EXPECT_TRUE(
          SameContent(film.Manifest("rev-0003"), film.Manifest("rev-0001")));
    } else if (current == "rev-0002") {
      // Nobody asks again. What was appended does not get into a later one.
      // Its lease died with the store.
      film.Revise("ice", "run-01KDV3N3C00000000000000003", "rev-0003", 'c');
      const v1::Manifest manifest = film.Manifest("rev-0003");
      for (const auto& [id, artefact] : manifest.artefacts()) {
        EXPECT_EQ(artefact.content().inline_().data(), "ice") << id;
      }
    }
    film.ExpectSound();
    ASSERT_FALSE(::testing::Test::HasFailure());
  }
  // The cuts between the appends and the commit are among them.
  EXPECT_GE(half_done, 2);
}

}  // namespace
}  // namespace kinora
