#include "clients/cpp/import/kept_results.h"

#include <string>
#include <utility>

#include "clients/cpp/import/import_run.h"
#include "clients/cpp/import/kept_results_fixture.h"
#include "clients/cpp/import/lease_probe.h"
#include "clients/cpp/import/revision_folder.h"
#include "common/testing/status_matchers.h"
#include "services/planner/store_planner.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/faulty_object_storage.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Whoever brings their work along does not pay for it again.
// F: S1-20
TEST_F(KeptResultsTest, ThePlanAfterAnImportHasNothingToMake) {
  ASSERT_OK_AND_ASSIGN(const KeptResults kept,
                       ImportAndKeep(store(), Film(2), all_));
  EXPECT_THAT(kept.artefact_ids, ElementsAre(kImage0, kImage1, kTimeline));
  EXPECT_THAT(kept.not_kept, IsEmpty());
  EXPECT_EQ(kept.revision, "rev-0003");
  const CreatedPlan plan = Plan(all_);
  EXPECT_THAT(plan.layers, IsEmpty());
  EXPECT_EQ(plan.header.summary().clean_jobs(), 3);
  // They hold until what they are made from changes.
  ASSERT_OK(store().events.Append(
      InputEdit("Input:Topic", "the southern sea", "rev-0004")));
  const CreatedPlan edited = Plan(all_);
  ASSERT_EQ(edited.layers.size(), 2U);
  EXPECT_EQ(edited.layers[0].jobs(0).reason().kind(),
            v1::REASON_KIND_INPUT_CHANGED);
}

TEST_F(KeptResultsTest, ARepeatedImportKeepsNothingMore) {
  ASSERT_OK(ImportAndKeep(store(), Film(2), all_));
  const std::string wanted = CurrentOf(store()).hash();
  ASSERT_OK_AND_ASSIGN(const KeptResults again,
                       ImportAndKeep(store(), Film(2), all_));
  EXPECT_THAT(again.artefact_ids, IsEmpty());
  EXPECT_EQ(again.revision, "");
  EXPECT_EQ(CurrentOf(store()).hash(), wanted);
}

TEST_F(KeptResultsTest, AJobWithoutAResultIsMade) {
  // Its last revision has neither the second picture nor a timeline.
  ASSERT_OK_AND_ASSIGN(const KeptResults kept,
                       ImportAndKeep(store(), Film(3), all_));
  EXPECT_THAT(kept.artefact_ids, ElementsAre(kImage0));
  const CreatedPlan plan = Plan(all_);
  ASSERT_EQ(plan.layers.size(), 1U);
  ASSERT_EQ(plan.layers[0].jobs_size(), 1);
  EXPECT_EQ(plan.layers[0].jobs(0).job_id(), "Cut");
}

// A key holds the producer's version: it is not guessed.
TEST_F(KeptResultsTest, AProducerThatIsAwayMayComeLater) {
  ASSERT_OK_AND_ASSIGN(const KeptResults first,
                       ImportAndKeep(store(), Film(2), Producers({"picture"})));
  EXPECT_THAT(first.artefact_ids, ElementsAre(kImage0, kImage1));
  ASSERT_EQ(first.not_kept.size(), 1U);
  EXPECT_EQ(first.not_kept[0].artefact_id, kTimeline);
  EXPECT_THAT(first.not_kept[0].why, HasSubstr("producer cut"));
  const CreatedPlan plan = Plan(all_);
  ASSERT_EQ(plan.layers.size(), 1U);
  EXPECT_EQ(plan.layers[0].jobs(0).reason().text(),
            "imported, and not known what it was made from");
  ASSERT_OK_AND_ASSIGN(const KeptResults second,
                       ImportAndKeep(store(), Film(2), all_));
  EXPECT_THAT(second.artefact_ids, ElementsAre(kTimeline));
  EXPECT_THAT(Plan(all_).layers, IsEmpty());
  // Two revisions later than the folder's last, it is still the folder's movie.
  ASSERT_OK(ImportAndKeep(store(), Film(2), all_));
}

TEST_F(KeptResultsTest, WhatWasEditedSinceIsNotTakenForWhatItWasMadeFrom) {
  ASSERT_OK(ImportAndKeep(store(), Film(2), {}));
  ASSERT_OK(store().events.Append(
      InputEdit("Input:Topic", "the southern sea", "rev-0003")));
  ASSERT_OK_AND_ASSIGN(const KeptResults kept,
                       ImportAndKeep(store(), Film(2), all_));
  EXPECT_THAT(kept.artefact_ids, IsEmpty());
  ASSERT_EQ(kept.not_kept.size(), 3U);
  EXPECT_THAT(kept.not_kept[0].why, HasSubstr("Input:Topic"));
}

TEST_F(KeptResultsTest, AFolderThatLacksAnInputKeepsNothingAndSaysWhich) {
  RevisionFolder folder = Film(1);
  folder.revisions[0].inputs.erase("Input:Topic");
  ASSERT_OK_AND_ASSIGN(const KeptResults kept,
                       ImportAndKeep(store(), folder, all_));
  ASSERT_EQ(kept.not_kept.size(), 3U);
  EXPECT_THAT(kept.not_kept[0].why, HasSubstr("Input:Topic"));
}

TEST_F(KeptResultsTest, LeavesAreTakenOutOfWhatIsKept) {
  const auto producers = Producers({"script", "poster"});
  ASSERT_OK_AND_ASSIGN(
      const KeptResults kept,
      ImportAndKeep(store(), FolderWithLeaves(R"({"title":"Sea"})"),
                    producers));
  EXPECT_THAT(kept.artefact_ids,
              ElementsAre("Artifact:Poster", "Artifact:Script"));
  EXPECT_THAT(Plan(producers).layers, IsEmpty());
  EXPECT_THAT(ManifestJson(store()), HasSubstr("Artifact:Title"));
  // With the leaf it is still the folder's movie.
  ASSERT_OK(ImportAndKeep(store(), FolderWithLeaves(R"({"title":"Sea"})"),
                          producers));
}

TEST_F(KeptResultsTest, WhatTheBlueprintCannotMeanIsNotKept) {
  RevisionFolder folder = FolderWithLeaves(R"({"name":"Sea"})");
  folder.revisions[0].artefacts["Artifact:Sketch"] = Inline("x", "image/png");
  ASSERT_OK_AND_ASSIGN(
      const KeptResults kept,
      ImportAndKeep(store(), folder, Producers({"script", "poster"})));
  EXPECT_THAT(kept.artefact_ids, IsEmpty());
  ASSERT_EQ(kept.not_kept.size(), 3U);
  EXPECT_EQ(kept.not_kept[0].artefact_id, "Artifact:Poster");
  EXPECT_THAT(kept.not_kept[0].why, HasSubstr("Script"));  // it reads from that
  EXPECT_THAT(kept.not_kept[1].why,
              HasSubstr("Artifact:Script has nothing at /title"));
  EXPECT_THAT(kept.not_kept[2].why, HasSubstr("makes no such artefact"));
}

// F: S1-20 (cut at any change and repeated, it keeps the same)
TEST_F(KeptResultsTest, KeepingThatWasCutShortIsRepeated) {
  ASSERT_OK(ImportAndKeep(store(), Film(2), all_));
  const std::string wanted = CurrentOf(store()).hash();
  for (int cut = 0;; ++cut) {
    SCOPED_TRACE(cut);
    MemoryObjectStorage storage(clock_);
    MemoryEventLog log;
    FaultyObjectStorage faulty(storage);
    bool done = false;
    {
      Core core(faulty, log, clock_);
      faulty.StopAfter(cut);
      done = ImportAndKeep(core.store(), Film(2), all_).ok();
    }
    Core core(storage, log, clock_);
    clock_.Advance(absl::Hours(1));
    ASSERT_OK(ImportAndKeep(core.store(), Film(2), all_));
    ASSERT_EQ(CurrentOf(core.store()).hash(), wanted);
    if (done) break;
  }
}

// Whoever finds the movie held is told which import has it; the same one goes
// on at once.
TEST_F(KeptResultsTest, KeepingThatWasKilledIsRepeatedAtOnce) {
  ASSERT_OK(ImportAndKeep(store(), Film(2), {}));
  LeaseProbe probe(store());
  probe.KeepAll();
  StorePlanner planner(store());
  // Nothing of it comes about.
  ASSERT_OK(KeepResults(probe.store(), planner, "film", Producers({"nobody"})));
  ASSERT_EQ(probe.granted().size(), 1U);
  const std::string& granted = probe.granted()[0];
  EXPECT_THAT(granted, StartsWith("kinora-import: run-0000000000"));
  EXPECT_TRUE(IsImportRun(granted.substr(granted.find("run-"))));
  v1::AcquireLeaseRequest run;
  run.set_lease_id("movie/film");
  run.set_holder("runner-1");
  run.mutable_ttl()->set_seconds(30);
  EXPECT_THAT(store().leases.Acquire(run),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr(granted.substr(granted.find("run-")))));
  ASSERT_OK_AND_ASSIGN(const KeptResults kept,
                       KeepResults(store(), planner, "film", all_));
  EXPECT_EQ(kept.artefact_ids.size(), 3U);
  EXPECT_OK(store().leases.Acquire(run));
}

TEST_F(KeptResultsTest, TwoSideBySideKeepTheSame) {
  ASSERT_OK(ImportAndKeep(store(), Film(2), {}));
  StorePlanner planner(store());
  LeaseProbe probe(store());
  KeptResults first;
  probe.AfterAcquire([&] {
    auto kept = KeepResults(store(), planner, "film", all_);
    ASSERT_OK(kept);
    first = *std::move(kept);
  });
  EXPECT_OK(KeepResults(probe.store(), planner, "film", all_));
  EXPECT_EQ(first.artefact_ids.size(), 3U);
  EXPECT_EQ(CurrentOf(store()).revision(), first.revision);
  EXPECT_THAT(Plan(all_).layers, IsEmpty());
}

}  // namespace
}  // namespace kinora
