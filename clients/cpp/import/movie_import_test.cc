#include "clients/cpp/import/movie_import.h"

#include <string>
#include <vector>

#include "clients/cpp/import/film_folder.h"
#include "clients/cpp/import/revision_folder.h"
#include "common/digest.h"
#include "common/file_system.h"
#include "common/json.h"
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

TEST_F(MovieImportTest, AMovieWithRevisionsOfItsOwnIsLeftAlone) {
  MakeFilm(store());
  EXPECT_THAT(Import(store()), StatusIs(absl::StatusCode::kFailedPrecondition,
                                        HasSubstr("another blueprint")));
  EXPECT_EQ(CurrentOf(store()).revision(), "");
}

}  // namespace
}  // namespace kinora
