#include "clients/cpp/import/kept_results.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "clients/cpp/artefact_edits.h"
#include "clients/cpp/import/film_folder.h"
#include "clients/cpp/import/import_run.h"
#include "clients/cpp/import/lease_probe.h"
#include "clients/cpp/import/movie_import.h"
#include "clients/cpp/import/revision_folder.h"
#include "common/digest.h"
#include "common/file_system.h"
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

constexpr char kTimeline[] = "Artifact:Timeline";
constexpr char kImage0[] = "Artifact:Image[segment=0]";
constexpr char kImage1[] = "Artifact:Image[segment=1]";

FolderValue Inline(const std::string& bytes, const std::string& mime_type) {
  FolderValue value;
  value.bytes = bytes;
  value.mime_type = mime_type;
  value.hash = Sha256Of(bytes).Hex();
  value.size_bytes = static_cast<int64_t>(bytes.size());
  return value;
}

std::vector<v1::ProducerIdentity> Producers(
    const std::vector<std::string>& names) {
  std::vector<v1::ProducerIdentity> producers(names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    producers[i].set_name(names[i]);
    producers[i].set_version("1");
  }
  return producers;
}

class KeptResultsTest : public CoreFixture {
 protected:
  // The film with its first `revisions`.
  static RevisionFolder Film(size_t revisions) {
    RevisionFolder folder =
        ReadRevisionFolder(PosixFileSystem(), FilmFolder()).value();
    folder.revisions.resize(revisions);
    return folder;
  }

  static absl::StatusOr<KeptResults> ImportAndKeep(
      Store store, const RevisionFolder& folder,
      const std::vector<v1::ProducerIdentity>& producers) {
    const auto imported =
        ImportMovie(store, PosixFileSystem(), "film", folder, false);
    if (!imported.ok()) return imported.status();
    StorePlanner planner(store);
    return KeepResults(store, planner, "film", producers);
  }

  static absl::Status EditImage(Store store, const std::string& bytes) {
    StorePlanner planner(store);
    return ArtefactEditor(store, planner, "film", "test")
        .Replace(kImage0,
                 [&bytes](const std::string& mime_type)
                     -> absl::StatusOr<v1::Content> {
                   v1::Content content;
                   content.mutable_inline_()->set_mime_type(mime_type);
                   content.mutable_inline_()->set_data(bytes);
                   return content;
                 })
        .status();
  }
  // What a job would read of the artefact now.
  static v1::ArtefactEvent Latest(Store store, const std::string& id) {
    v1::ResolveArtefactsRequest request;
    request.set_movie_id("film");
    request.add_queries()->set_artefact_id(id);
    return store.events.ResolveArtefacts(request)
        ->artefacts(0)
        .event()
        .artefact();
  }

  CreatedPlan Plan(const std::vector<v1::ProducerIdentity>& producers) {
    StorePlanner planner(store());
    v1::CreatePlanRequest request;
    request.set_movie_id("film");
    request.set_with_layers(true);
    request.mutable_producers()->Assign(producers.begin(), producers.end());
    return planner.CreatePlan(request).value();
  }

  const std::vector<v1::ProducerIdentity> all_ = Producers({"picture", "cut"});
};

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

TEST_F(KeptResultsTest, AFolderThatLacksAnInputKeepsNothingAndSaysWhich) {
  RevisionFolder folder = Film(1);
  folder.revisions[0].inputs.erase("Input:Topic");
  ASSERT_OK_AND_ASSIGN(const KeptResults kept,
                       ImportAndKeep(store(), folder, all_));
  ASSERT_EQ(kept.not_kept.size(), 3U);
  EXPECT_THAT(kept.not_kept[0].why, HasSubstr("Input:Topic"));
}

constexpr char kWithLeaves[] = R"(blueprint: film
inputs:
  Topic: {type: text}
nodes:
  Script:
    producer: script
    inputs: {topic: "Input:Topic"}
    outputs:
      Script:
        type: application/json
        leaves:
          Title: {at: /title, type: text/plain}
  Poster:
    producer: poster
    inputs: {title: "Title"}
    outputs: {Poster: image/png}
outputs: [Poster]
)";

constexpr char kScript[] = R"({"title":"Sea"})";

RevisionFolder FolderWithLeaves(const std::string& script) {
  RevisionFolder folder;
  folder.blueprint = kWithLeaves;
  FolderRevision& revision = folder.revisions.emplace_back();
  revision.name = "rev-0001";
  revision.inputs["Input:Topic"] = Inline("sea", "text/plain");
  revision.artefacts["Artifact:Script"] = Inline(script, "application/json");
  revision.artefacts["Artifact:Poster"] = Inline("pixels", "image/png");
  return folder;
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
