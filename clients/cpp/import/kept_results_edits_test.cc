// Edits by hand of what was imported outlive the import that keeps it.

#include <optional>
#include <string>

#include "clients/cpp/artefact_edits.h"
#include "clients/cpp/import/kept_results_fixture.h"
#include "common/digest.h"
#include "common/testing/status_matchers.h"
#include "services/planner/store_planner.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/faulty_object_storage.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The key of its job, which an artefact gets when it is kept, is not the one
// under which it was edited.
TEST_F(KeptResultsTest, AnEditOfWhatWasNotKeptOutlivesTheImportThatKeepsIt) {
  ASSERT_OK(ImportAndKeep(store(), Film(2), {}));
  ASSERT_OK(EditImage(store(), "by hand"));
  ASSERT_OK_AND_ASSIGN(const KeptResults kept,
                       ImportAndKeep(store(), Film(2), all_));
  EXPECT_THAT(kept.artefact_ids, ElementsAre(kImage0, kImage1, kTimeline));
  EXPECT_THAT(kept.edited_ids, ElementsAre(kImage0));
  const v1::ArtefactEvent latest = Latest(store(), kImage0);
  EXPECT_EQ(latest.output().inline_().data(), "by hand");
  EXPECT_EQ(latest.produced_by().edited_by(), v1::EDITED_BY_USER);
  // It is taken, and only what reads it is made anew.
  const CreatedPlan plan = Plan(all_);
  ASSERT_EQ(plan.layers.size(), 1U);
  ASSERT_EQ(plan.layers[0].jobs_size(), 1);
  EXPECT_EQ(plan.layers[0].jobs(0).job_id(), "Cut");
  // The revision has what the folder has, so the import can be repeated.
  ASSERT_OK_AND_ASSIGN(const KeptResults again,
                       ImportAndKeep(store(), Film(2), all_));
  EXPECT_THAT(again.edited_ids, IsEmpty());
}

TEST_F(KeptResultsTest, AnEditThatWasTakenBackIsNotCarried) {
  ASSERT_OK(ImportAndKeep(store(), Film(2), {}));
  ASSERT_OK(EditImage(store(), "by hand"));
  StorePlanner planner(store());
  ArtefactEditor editor(store(), planner, "film", "test");
  ASSERT_OK(editor.Restore(kImage0, std::nullopt));
  ASSERT_OK_AND_ASSIGN(const KeptResults before,
                       ImportAndKeep(store(), Film(2), all_));
  EXPECT_THAT(before.edited_ids, IsEmpty());
  EXPECT_THAT(Plan(all_).layers, IsEmpty());
}

TEST_F(KeptResultsTest, ACarriedEditThatIsTakenBackStaysSo) {
  ASSERT_OK(ImportAndKeep(store(), Film(2), {}));
  ASSERT_OK(EditImage(store(), "by hand"));
  ASSERT_OK(ImportAndKeep(store(), Film(2), all_));
  StorePlanner planner(store());
  ArtefactEditor editor(store(), planner, "film", "test");
  ASSERT_OK(editor.Restore(kImage0, std::nullopt));
  ASSERT_OK_AND_ASSIGN(const KeptResults after,
                       ImportAndKeep(store(), Film(2), all_));
  EXPECT_THAT(after.edited_ids, IsEmpty());
  EXPECT_THAT(Plan(all_).layers, IsEmpty());
}

// Of the document that was imported, as a scan records it, which knows no
// leaves.
void EditScript(Store store, const std::string& text) {
  const v1::LeaseToken lease = TakeFilmLease(store);
  v1::AppendEventsRequest request =
      ArtefactMade("Artifact:Script", 'a', text, lease, "", "rev-0002");
  v1::ArtefactEvent& made = *request.mutable_events(0)->mutable_artefact();
  made.set_inputs_hash(Sha256Of(kScript).Hex());
  made.mutable_output()->mutable_inline_()->set_mime_type("application/json");
  made.mutable_produced_by()->set_edited_by(v1::EDITED_BY_USER);
  ASSERT_OK(store.events.Append(request));
  v1::ReleaseLeaseRequest release;
  *release.mutable_token() = lease;
  ASSERT_OK(store.leases.Release(release));
}

TEST_F(KeptResultsTest, ADocumentThatWasEditedBringsItsLeaves) {
  const auto producers = Producers({"script", "poster"});
  ASSERT_OK(ImportAndKeep(store(), FolderWithLeaves(kScript), {}));
  EditScript(store(), R"({"title":"Sky"})");
  ASSERT_OK_AND_ASSIGN(
      const KeptResults kept,
      ImportAndKeep(store(), FolderWithLeaves(kScript), producers));
  EXPECT_THAT(kept.edited_ids, ElementsAre("Artifact:Script"));
  EXPECT_EQ(Latest(store(), "Artifact:Title").output().inline_().data(), "Sky");
  const CreatedPlan plan = Plan(producers);
  ASSERT_EQ(plan.layers.size(), 1U);
  EXPECT_EQ(plan.layers[0].jobs(0).job_id(), "Poster");
}

TEST_F(KeptResultsTest, AnEditThatLacksALeafIsNotTakenAndSaysWhich) {
  const auto producers = Producers({"script", "poster"});
  ASSERT_OK(ImportAndKeep(store(), FolderWithLeaves(kScript), {}));
  EditScript(store(), R"({"name":"Sky"})");
  ASSERT_OK_AND_ASSIGN(
      const KeptResults kept,
      ImportAndKeep(store(), FolderWithLeaves(kScript), producers));
  EXPECT_THAT(kept.edited_ids, IsEmpty());
  ASSERT_EQ(kept.edits_not_kept.size(), 1U);
  EXPECT_THAT(kept.edits_not_kept[0].why,
              HasSubstr("Artifact:Script has nothing at /title"));
  EXPECT_THAT(Plan(producers).layers, IsEmpty());
}

// F: S1-20 (the edit is not lost either)
TEST_F(KeptResultsTest, CarryingThatWasCutShortIsRepeated) {
  for (int cut = 0;; ++cut) {
    SCOPED_TRACE(cut);
    MemoryObjectStorage storage(clock_);
    MemoryEventLog log;
    FaultyObjectStorage faulty(storage);
    bool done = false;
    {
      Core core(faulty, log, clock_);
      ASSERT_OK(ImportAndKeep(core.store(), Film(2), {}));
      ASSERT_OK(EditImage(core.store(), "by hand"));
      faulty.StopAfter(cut);
      done = ImportAndKeep(core.store(), Film(2), all_).ok();
    }
    Core core(storage, log, clock_);
    clock_.Advance(absl::Hours(1));
    ASSERT_OK(ImportAndKeep(core.store(), Film(2), all_));
    ASSERT_EQ(Latest(core.store(), kImage0).output().inline_().data(),
              "by hand");
    if (done) break;
  }
}

}  // namespace
}  // namespace kinora
