// Links and the like in the place of what a movie has: each is told, as who
// counts, collects or deletes follows none.

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "common/files/file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/movie_story.h"
#include "services/store/verify/movie_verifier_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MovieVerifierLinksTest : public MovieVerifierTest {
 protected:
  // Moves what the movie has there to another place, and links to it.
  void LinkAway(const std::string& path) {
    std::filesystem::rename(Film(path), elsewhere_.Sub("moved"));
    std::filesystem::create_symlink(elsewhere_.Sub("moved"), Film(path));
  }
  void MoveBack(const std::string& path) {
    std::filesystem::remove(Film(path));
    std::filesystem::rename(elsewhere_.Sub("moved"), Film(path));
  }
  std::vector<std::string> Paths() {
    std::vector<std::string> paths;
    for (const v1::VerifyProblem& problem : Verify(store()).problems) {
      EXPECT_THAT(problem.message(), HasSubstr("is a link"));
      paths.push_back(problem.path());
    }
    return paths;
  }

  TempDir elsewhere_;
};

TEST_F(MovieVerifierLinksTest, ALinkInPlaceOfADirectoryOrAFileIsOneProblem) {
  const std::string hash = PutBlob(store(), "pixels 1").digest().hash();
  const std::string shard = "blobs/" + hash.substr(0, 2);
  for (const std::string& path :
       {std::string("blobs"), shard, shard + "/" + hash,
        std::string("manifests"), std::string("manifests/rev-0001.json"),
        std::string("current.json"), std::string("events"),
        std::string("events/rev-0001.inputs.jsonl"), std::string("runs"),
        std::string("runs/plans"), "runs/" + StoryRunId(1),
        std::string("prompts"), std::string("artifacts/text")}) {
    SCOPED_TRACE(path);
    local_.reset();
    LinkAway(path);
    Reopen();
    EXPECT_THAT(Paths(), ElementsAre(path));
    local_.reset();
    MoveBack(path);
    Reopen();
    EXPECT_THAT(Paths(), IsEmpty());
  }
}

// Whatever else is missed because of it is not told as well.
TEST_F(MovieVerifierLinksTest, AFifoInPlaceOfAManifestIsOneProblem) {
  ASSERT_OK(fs_.Remove(Film("manifests/rev-0001.json")));
  ASSERT_EQ(mkfifo(Film("manifests/rev-0001.json").c_str(), 0600), 0);
  EXPECT_THAT(Paths(), ElementsAre("manifests/rev-0001.json"));
}

TEST_F(MovieVerifierLinksTest, APersonsOwnLinksAmongTheTextsAreNoProblem) {
  v1::AppendEventsRequest text =
      ArtefactMade("Artifact:Note", 'f', "a note",
                   TakeFilmLease(store(), "runner-1"), kRun1, "rev-0003");
  text.mutable_events(0)->mutable_artefact()->set_readable_path("deep/a.txt");
  ASSERT_OK(store().events.Append(text));
  std::filesystem::create_directory(elsewhere_.Sub("notes"));
  std::filesystem::create_symlink(elsewhere_.Sub("notes"),
                                  Film("prompts/notes"));
  EXPECT_THAT(Paths(), IsEmpty());
  LinkAway("prompts/deep");
  EXPECT_THAT(Paths(), ElementsAre("prompts/deep"));
}

}  // namespace
}  // namespace kinora
