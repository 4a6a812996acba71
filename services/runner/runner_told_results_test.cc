// What an adopted run takes on its ledger's word, and results that are gone.

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/run_end.h"
#include "common/testing/status_matchers.h"
#include "services/runner/runner.h"
#include "services/runner/testing/runner_fixture.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

using ::testing::IsSupersetOf;

// A picture that is a blob, its caption, and a film that is slow at the attempt
// which is interrupted and reads what `film_reads` says.
std::string Pictures(const std::string& film_reads) {
  return absl::StrCat(R"(
blueprint: pictures
nodes:
  Picture:
    producer: sim
    settings: {bytes: 10000}
    outputs: {PictureFile: image/png}
  Caption:
    producer: sim
    inputs: {picture: PictureFile}
    outputs: {CaptionText: text/plain}
  Film:
    producer: sim
    settings: {delay_ms: 600000, slow_attempts: 1}
    inputs: {)",
                      film_reads, R"(}
    outputs: {FilmText: text/plain}
outputs: [FilmText]
)");
}

class RunnerToldResultsTest : public RunnerFixture {
 protected:
  // A run whose runner was lost when only the film was left to be made, and the
  // picture's blob with it.
  std::string LoseThePicture(const std::string& film_reads) {
    MakeMovie(Pictures(film_reads));
    absl::StatusOr<v1::StartRunResponse> started =
        runner().Start(StartRequest());
    EXPECT_OK(started);
    if (!started.ok()) return "";
    const std::string run_id = started->run().run_id();
    Ledger(run_id, [](const v1::LedgerEvent& event) {
      return event.step_started().step().step_id() == "Film";
    });
    while (calls() < 3) std::this_thread::yield();
    process_.reset();
    process_ = NewProcess();
    EXPECT_OK(storage_.Delete(BlobKey("film", PictureHash())));
    return run_id;
  }

  // As a runner does it, again and again.
  void AdoptUntilItEnds(const std::string& run_id) {
    v1::GetRunRequest get;
    get.set_run_id(run_id);
    for (;;) {
      ASSERT_OK(runner().AdoptOpenRuns());
      ASSERT_OK_AND_ASSIGN(const v1::GetRunResponse run, runner().Get(get));
      if (IsTerminal(run.run().record().status())) return;
      std::this_thread::yield();
    }
  }

  std::string PictureHash() {
    v1::ResolveArtefactsRequest request;
    request.set_movie_id("film");
    request.add_queries()->set_artefact_id("Artifact:PictureFile");
    const absl::StatusOr<std::vector<EventPtr>> found =
        store().events.FindArtefacts(request);
    EXPECT_OK(found);
    if (!found.ok() || found->front() == nullptr) return "";
    return found->front()->artefact().output().blob().digest().hash();
  }
};

// Nobody looks at the picture before the commit does.
TEST_F(RunnerToldResultsTest, ALostBlobThatNobodyReadsIsMadeAnewAllTheSame) {
  const std::string run_id = LoseThePicture("caption: CaptionText");
  AdoptUntilItEnds(run_id);
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(calls(), 2);  // the film, then the picture
  EXPECT_THAT(Jobs(run), IsSupersetOf({"Picture completed", "Caption completed",
                                       "Film completed"}));
  EXPECT_OK(storage_.Stat(BlobKey("film", PictureHash())));
}

TEST_F(RunnerToldResultsTest, ALostBlobThatIsReadIsMadeAnewFirst) {
  const std::string run_id =
      LoseThePicture("picture: PictureFile, caption: CaptionText");
  ASSERT_OK(runner().AdoptOpenRuns());
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(calls(), 2);  // the picture, then the film
  EXPECT_THAT(Jobs(run), IsSupersetOf({"Picture completed", "Film completed"}));
  EXPECT_OK(storage_.Stat(BlobKey("film", PictureHash())));
}

}  // namespace
}  // namespace kinora
