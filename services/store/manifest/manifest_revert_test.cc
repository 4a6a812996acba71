// Going back to an earlier revision.

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "common/error_reason.h"
#include "common/json/proto_json.h"
#include "common/testing/status_matchers.h"
#include "services/store/layout.h"
#include "services/store/manifest/log_manifest_store.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ManifestRevertTest : public CoreFixture {
 protected:
  void SetUp() override { MakeFilm(store()); }

  void Set(absl::string_view id, absl::string_view text) {
    ASSERT_OK(core().events.Append(InputEdit(id, text, Next())));
  }
  void Make(absl::string_view id, char key, absl::string_view text,
            absl::string_view node = "Script", absl::string_view tone = "") {
    v1::AppendEventsRequest made =
        ArtefactMade(id, key, text, lease_, run_, Next());
    v1::ProducedBy& by =
        *made.mutable_events(0)->mutable_artefact()->mutable_produced_by();
    by.set_node(std::string(node));
    by.mutable_producer()->set_name("script");
    by.mutable_producer()->set_version(std::string(tone));
    ASSERT_OK(core().events.Append(made));
  }
  // A revision by the run whose id ends with `digit`.
  void Begin(char digit) {
    run_ = std::string(kRun1);
    run_.back() = digit;
    lease_ = TakeFilmLease(store(), "runner", run_);
  }
  void Commit() {
    v1::ListInputsRequest list;
    list.set_movie_id("film");
    ASSERT_OK_AND_ASSIGN(const v1::ListInputsResponse inputs,
                         core().events.ListInputs(list));
    v1::CommitRevisionRequest commit =
        CommitOf(lease_, run_, Next(), CurrentOf(store()).hash(),
                 inputs.through_sequence());
    for (const std::string& id : removed_) {
      commit.mutable_source()->add_removed_artefact_ids(id);
    }
    ASSERT_OK(core().manifests.Commit(commit));
    ++revision_;
    Release();
  }
  void Release() {
    v1::ReleaseLeaseRequest release;
    *release.mutable_token() = lease_;
    ASSERT_OK(core().leases.Release(release));
  }
  std::string Next() const { return absl::StrCat("rev-000", revision_ + 1); }

  // rev-0001: a sea; rev-0002: another topic, a place, one artefact less and
  // one more, of another version.
  void MakeTwoRevisions() {
    Set("Input:Topic", "sea");
    Begin('1');
    Make("Artifact:Script", 'a', "about the sea");
    Make("Artifact:Map", 'b', "a map");
    Commit();
    Set("Input:Topic", "ship");
    Set("Input:Place", "harbour");
    Begin('2');
    Make("Artifact:Script", 'c', "about a ship", "Script", "2");
    Make("Artifact:Poem", 'd', "o ship", "Poem");
    removed_ = {"Artifact:Map"};
    Commit();
    removed_.clear();
  }

  absl::StatusOr<v1::RevertRevisionResponse> Revert(
      const std::string& revision) {
    v1::RevertRevisionRequest request;
    request.set_movie_id("film");
    request.set_revision(revision);
    return core().manifests.Revert(request);
  }

  v1::Manifest Manifest(const std::string& revision) {
    v1::Manifest manifest;
    EXPECT_OK(ParseDocument(ManifestJson(store(), revision), &manifest));
    return manifest;
  }

  v1::LeaseToken lease_;
  std::string run_;
  std::vector<std::string> removed_;
  int revision_ = 0;
};

// Invariant 12: it is made of events, so it comes back with the same bytes.
TEST_F(ManifestRevertTest, PublishesARevisionEqualToAnOldOne) {
  MakeTwoRevisions();
  Set("Input:Topic", "not run yet");
  ASSERT_OK_AND_ASSIGN(const v1::RevertRevisionResponse reverted,
                       Revert("rev-0001"));
  EXPECT_TRUE(reverted.published());
  EXPECT_EQ(reverted.current().revision(), "rev-0003");
  EXPECT_THAT(reverted.input_ids(), ElementsAre("Input:Place", "Input:Topic"));
  EXPECT_EQ(reverted.restored_artefacts(), 2);
  EXPECT_EQ(reverted.removed_artefacts(), 1);
  EXPECT_TRUE(SameContent(Manifest("rev-0003"), Manifest("rev-0001")));
  EXPECT_EQ(Manifest("rev-0003").base_revision(), "rev-0002");
  EXPECT_EQ(CurrentOf(store()).hash(), reverted.current().hash());

  const std::string bytes = ManifestJson(store(), "rev-0003");
  ASSERT_OK(storage_.Delete(ManifestKey("film", "rev-0003")));
  Restart();
  EXPECT_EQ(ManifestJson(store(), "rev-0003"), bytes);
  ASSERT_OK_AND_ASSIGN(const std::string rebuilt,
                       core().manifests.Rebuild("film", "rev-0003"));
  EXPECT_EQ(rebuilt, bytes);
}

TEST_F(ManifestRevertTest, ArtefactsReuseTheEventsThatMadeThem) {
  MakeTwoRevisions();
  ASSERT_OK(Revert("rev-0001"));
  v1::ResolveArtefactsRequest resolve;
  resolve.set_movie_id("film");
  resolve.add_queries()->set_artefact_id("Artifact:Script");
  ASSERT_OK_AND_ASSIGN(const v1::ResolveArtefactsResponse resolved,
                       core().events.ResolveArtefacts(resolve));
  const v1::ArtefactEvent& script = resolved.artefacts(0).event().artefact();
  EXPECT_EQ(script.output().inline_().data(), "about the sea");
  EXPECT_EQ(script.reused_sequence(), 1);
  EXPECT_EQ(script.inputs_hash(), HashOf('a'));
  EXPECT_FALSE(script.has_cost());
  // An input that was not set is not set.
  v1::ListInputsRequest list;
  list.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(const v1::ListInputsResponse inputs,
                       core().events.ListInputs(list));
  ASSERT_EQ(inputs.inputs_size(), 2);
  EXPECT_EQ(inputs.inputs(0).input().input_id(), "Input:Blueprint");
  EXPECT_EQ(inputs.inputs(1).input().content().inline_().data(), "sea");
}

// Of a node that was made by two versions the manifest names the last. When its
// artefacts are gone from the revision, an event of another has to say it.
TEST_F(ManifestRevertTest, ANodeKeepsTheProducerThatTheRevisionNames) {
  Begin('1');
  Make("Artifact:Script", 'a', "a script", "Script", "1");
  Make("Artifact:Map", 'b', "a map", "Script", "2");
  Commit();
  Begin('2');
  removed_ = {"Artifact:Map"};
  Commit();
  removed_.clear();
  Begin('3');
  Make("Artifact:Script", 'c', "another", "Script", "3");
  Commit();
  ASSERT_OK(Revert("rev-0002"));
  EXPECT_TRUE(SameContent(Manifest("rev-0004"), Manifest("rev-0002")));
  EXPECT_EQ(Manifest("rev-0004").nodes().at("Script").producer().version(),
            "2");
}

// F: B-6
TEST_F(ManifestRevertTest, EditsByHandThatNoRunHasTakenUpAreUndone) {
  MakeTwoRevisions();
  Begin('3');
  v1::AppendEventsRequest edit =
      ArtefactMade("Artifact:Script", 'c', "by hand", lease_, "", Next());
  edit.mutable_events(0)
      ->mutable_artefact()
      ->mutable_produced_by()
      ->set_edited_by(v1::EDITED_BY_USER);
  ASSERT_OK(core().events.Append(edit));
  Release();
  ASSERT_OK_AND_ASSIGN(const v1::RevertRevisionResponse reverted,
                       Revert("rev-0002"));
  EXPECT_FALSE(reverted.published());
  EXPECT_EQ(reverted.restored_artefacts(), 1);
  v1::ResolveArtefactsRequest resolve;
  resolve.set_movie_id("film");
  resolve.add_queries()->set_artefact_id("Artifact:Script");
  ASSERT_OK_AND_ASSIGN(const v1::ResolveArtefactsResponse resolved,
                       core().events.ResolveArtefacts(resolve));
  EXPECT_EQ(resolved.artefacts(0).event().artefact().output().inline_().data(),
            "about a ship");
}

TEST_F(ManifestRevertTest, GoesThereAndBackAgain) {
  MakeTwoRevisions();
  ASSERT_OK(Revert("rev-0001"));
  ASSERT_OK(Revert("rev-0002"));
  EXPECT_TRUE(SameContent(Manifest("rev-0004"), Manifest("rev-0002")));
  ASSERT_OK_AND_ASSIGN(const v1::RevertRevisionResponse again,
                       Revert("rev-0001"));
  EXPECT_EQ(again.current().revision(), "rev-0005");
  EXPECT_TRUE(SameContent(Manifest("rev-0005"), Manifest("rev-0001")));
}

TEST_F(ManifestRevertTest, TheBlueprintComesBackToo) {
  Set("Input:Topic", "sea");
  Begin('1');
  Make("Artifact:Script", 'a', "about the sea");
  Commit();
  v1::SetBlueprintRequest pin;
  pin.set_movie_id("film");
  pin.set_blueprint("name: other\n");
  ASSERT_OK(store().movies.SetBlueprint(pin));
  ASSERT_OK_AND_ASSIGN(const v1::RevertRevisionResponse reverted,
                       Revert("rev-0001"));
  EXPECT_THAT(reverted.input_ids(), ElementsAre("Input:Blueprint"));
  // Nothing but an edit that no revision has: no revision for that.
  EXPECT_FALSE(reverted.published());
  EXPECT_EQ(reverted.current().revision(), "rev-0001");
  v1::GetMovieRequest get;
  get.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(const v1::GetMovieResponse movie,
                       store().movies.Get(get));
  EXPECT_EQ(movie.movie().blueprint().digest().hash(),
            Manifest("rev-0001")
                .inputs()
                .at("Input:Blueprint")
                .content()
                .blob()
                .digest()
                .hash());
  // And what is as it was stays untouched.
  ASSERT_OK_AND_ASSIGN(const v1::RevertRevisionResponse nothing,
                       Revert("rev-0001"));
  EXPECT_TRUE(nothing.input_ids().empty());
  EXPECT_FALSE(nothing.published());
}

// A client that was killed left a call behind, and asks again: each call goes
// on as a whole, and one of them publishes.
TEST_F(ManifestRevertTest, OfManyAtOnceOneGoesOnAtATime) {
  MakeTwoRevisions();
  std::atomic<int> published = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([this, &published] {
      const absl::StatusOr<v1::RevertRevisionResponse> reverted =
          Revert("rev-0001");
      EXPECT_OK(reverted);
      if (!reverted.ok()) return;
      EXPECT_EQ(reverted->current().revision(), "rev-0003");
      if (reverted->published()) ++published;
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(published, 1);
  EXPECT_TRUE(SameContent(Manifest("rev-0003"), Manifest("rev-0001")));
  Begin('3');  // nobody holds the movie any more
}

TEST_F(ManifestRevertTest, RefusesWithoutWriting) {
  MakeTwoRevisions();
  const std::string events = *ReadObject(storage_, CurrentKey("film"));
  absl::Status unknown = Revert("rev-0009").status();
  EXPECT_THAT(unknown, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(ReasonOf(unknown), "REVISION_NOT_FOUND");
  EXPECT_THAT(Revert("rev-9"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("rev-9")));
  Begin('3');
  absl::Status busy = Revert("rev-0001").status();
  EXPECT_THAT(busy,
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(run_)));
  EXPECT_EQ(ReasonOf(busy), "RUN_ACTIVE");
  Release();
  EXPECT_EQ(*ReadObject(storage_, CurrentKey("film")), events);
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0002");
  ASSERT_OK(Revert("rev-0001"));
}

}  // namespace
}  // namespace kinora
