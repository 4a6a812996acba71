#include "clients/cpp/import/movie_import.h"

#include <string>
#include <vector>

#include "clients/cpp/import/film_folder.h"
#include "clients/cpp/import/lease_probe.h"
#include "clients/cpp/import/revision_folder.h"
#include "common/digest.h"
#include "common/files/file_system.h"
#include "common/json/json.h"
#include "common/testing/status_matchers.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/faulty_object_storage.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MovieImportTest : public CoreFixture {
 protected:
  static absl::StatusOr<std::vector<ImportedRevision>> Import(
      Store store, bool dry_run = false) {
    absl::StatusOr<RevisionFolder> folder =
        ReadRevisionFolder(PosixFileSystem(), FilmFolder());
    if (!folder.ok()) return folder.status();
    return ImportMovie(store, PosixFileSystem(), "film", *folder, dry_run);
  }

  static std::vector<std::string> ManifestsOf(Store store) {
    std::vector<std::string> manifests;
    for (const char* revision : {"rev-0001", "rev-0002", "rev-0003"}) {
      manifests.push_back(ManifestJson(store, revision));
    }
    return manifests;
  }
};

// F: S1-20
TEST_F(MovieImportTest, EveryOldRevisionHasAManifest) {
  ASSERT_OK_AND_ASSIGN(const std::vector<ImportedRevision> imported,
                       Import(store()));
  ASSERT_EQ(imported.size(), 3U);
  EXPECT_EQ(imported[2].folder_revision, "rev-0004");
  EXPECT_EQ(imported[2].revision, "rev-0003");
  EXPECT_EQ(imported[2].hash, CurrentOf(store()).hash());
  EXPECT_EQ(imported[2].removed, 2);
  const std::vector<std::string> manifests = ManifestsOf(store());
  EXPECT_THAT(manifests[0], HasSubstr("the sea"));
  EXPECT_THAT(manifests[1], HasSubstr(Sha256Of("pixels 0").Hex()));
  ASSERT_OK_AND_ASSIGN(const JsonValue last, ParseJson(manifests[2]));
  EXPECT_EQ(last.Find("artefacts")->object().size(), 1U);
  EXPECT_EQ(last.Find("inputs")->object().size(), 3U);  // and the blueprint
  v1::VerifyMovieRequest verify;
  verify.set_movie_id("film");
  ASSERT_OK(store().maintenance.VerifyMovie(
      verify, [](const v1::VerifyMovieResponse& response) {
        EXPECT_THAT(response.problems(), IsEmpty());
        return absl::OkStatus();
      }));
}

TEST_F(MovieImportTest, ADryRunTellsAllAndWritesNothing) {
  ASSERT_OK_AND_ASSIGN(const std::vector<ImportedRevision> told,
                       Import(store(), true));
  EXPECT_EQ(told[0].inputs, 2);
  EXPECT_EQ(told[0].artefacts, 3);
  EXPECT_EQ(told[1].artefacts, 2);
  ASSERT_OK_AND_ASSIGN(const ObjectPage page, storage_.List("builds/", 10, ""));
  EXPECT_THAT(page.prefixes, IsEmpty());
}

// F: S1-20 (cut at any change and repeated, it ends in the same movie)
TEST_F(MovieImportTest, OneThatWasCutShortIsRepeated) {
  ASSERT_OK(Import(store()));
  const std::vector<std::string> wanted = ManifestsOf(store());
  for (int cut = 0;; ++cut) {
    SCOPED_TRACE(cut);
    MemoryObjectStorage storage(clock_);
    MemoryEventLog log;
    FaultyObjectStorage faulty(storage);
    bool done = false;
    {
      Core core(faulty, log, clock_);
      faulty.StopAfter(cut);
      done = Import(core.store()).ok();
    }
    Core core(storage, log, clock_);
    clock_.Advance(absl::Hours(1));
    ASSERT_OK(Import(core.store()));
    ASSERT_EQ(ManifestsOf(core.store()), wanted);
    ASSERT_OK_AND_ASSIGN(const LogExtent inputs,
                         log.Extent("builds/film/events/inputs.log"));
    EXPECT_EQ(inputs.last_sequence, 5);
    ASSERT_OK_AND_ASSIGN(const auto again, Import(core.store()));
    for (const ImportedRevision& revision : again) {
      EXPECT_TRUE(revision.was_there);
    }
    if (done) break;
  }
}

// The same import twice has one lease: whoever ends first takes it from the
// other, which goes on from what there is.
TEST_F(MovieImportTest, TwoSideBySideMakeOneMovie) {
  LeaseProbe probe(store());
  probe.AfterAcquire([this] { EXPECT_OK(Import(store())); });
  ASSERT_OK_AND_ASSIGN(const std::vector<ImportedRevision> imported,
                       Import(probe.store()));
  ASSERT_EQ(imported.size(), 3U);
  EXPECT_EQ(imported[2].hash, CurrentOf(store()).hash());
  ASSERT_OK_AND_ASSIGN(const LogExtent inputs,
                       log_.Extent("builds/film/events/inputs.log"));
  EXPECT_EQ(inputs.last_sequence, 5);  // each once
  const std::vector<std::string> manifests = ManifestsOf(store());
  MemoryObjectStorage storage(clock_);
  MemoryEventLog log;
  Core alone(storage, log, clock_);
  ASSERT_OK(Import(alone.store()));
  EXPECT_EQ(ManifestsOf(alone.store()), manifests);
}

// What it left holds the movie, but not the import that goes on with it.
TEST_F(MovieImportTest, OneThatWasKilledIsRepeatedAtOnce) {
  LeaseProbe probe(store());
  probe.KeepAll();
  ASSERT_OK(Import(probe.store()));
  v1::AcquireLeaseRequest run;
  run.set_lease_id("movie/film");
  run.set_holder("runner-1");
  run.mutable_ttl()->set_seconds(30);
  EXPECT_THAT(store().leases.Acquire(run),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("held by \"kinora-import\" for \"run-")));
  ASSERT_OK(Import(store()));
  Restart();  // also by a store that has started since
  ASSERT_OK(Import(store()));
  clock_.Advance(absl::Minutes(10));
  EXPECT_OK(store().leases.Acquire(run));
}

TEST_F(MovieImportTest, AMovieWithRevisionsOfItsOwnIsLeftAlone) {
  MakeFilm(store());
  EXPECT_THAT(Import(store()), StatusIs(absl::StatusCode::kFailedPrecondition,
                                        HasSubstr("another blueprint")));
  EXPECT_EQ(CurrentOf(store()).revision(), "");
}

}  // namespace
}  // namespace kinora
