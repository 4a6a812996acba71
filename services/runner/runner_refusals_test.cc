// Runs in which the store refuses what a producer has made.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

class RunnerRefusalsTest : public RunnerFixture {
 protected:
  // The events of artefacts that failed.
  std::vector<v1::ArtefactEvent> Failures() {
    v1::ReadEventsRequest read;
    read.mutable_log()->set_movie_id("film");
    read.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
    const absl::StatusOr<v1::ReadEventsResponse> page =
        store().events.ReadPage(read);
    EXPECT_OK(page);
    std::vector<v1::ArtefactEvent> failures;
    for (const v1::Event& event : page->events()) {
      if (event.artefact().status() == v1::ARTEFACT_STATUS_FAILED) {
        failures.push_back(event.artefact());
      }
    }
    return failures;
  }
};

// B was paid for, and fails as one that made no use of it: once, and with it
// only what reads it.
TEST_F(RunnerRefusalsTest, AResultWhoseFileIsTakenFailsItsJob) {
  MakeMovie(
      Chain("{readable_path: note.txt}",
            "{readable_path: note.txt/b.txt, cost: 0.02, currency: USD}"));
  const v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_THAT(
      run.record().error(),
      AllOf(HasSubstr("job B: the store refuses the output"),
            HasSubstr("Artifact:BText cannot have this file, Artifact:AText "
                      "of the same run has note.txt"),
            HasSubstr("got \"note.txt/b.txt\"")));
  EXPECT_EQ(run.record().jobs().succeeded(), 2);  // A, and D went on
  EXPECT_EQ(run.record().jobs().failed(), 1);
  EXPECT_EQ(run.record().jobs().blocked(), 1);
  EXPECT_EQ(run.record().cost().micros(), 20'000);
  EXPECT_EQ(calls(), 3);
  EXPECT_EQ(CurrentOf(store()).revision(), "");

  const std::vector<v1::ArtefactEvent> failures = Failures();
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].artefact_id(), "Artifact:BText");
  EXPECT_EQ(failures[0].failure().reason(), v1::FAILURE_REASON_OUTPUT_INVALID);
  EXPECT_FALSE(failures[0].failure().retryable());
  EXPECT_EQ(failures[0].cost().micros(), 20'000);

  // With a path of its own only B is made again.
  v1::SetBlueprintRequest mend;
  mend.set_movie_id("film");
  mend.set_blueprint(
      Chain("{readable_path: note.txt}", "{readable_path: b.txt}"));
  ASSERT_OK(store().movies.SetBlueprint(mend));
  EXPECT_EQ(RunToEnd(StartRequest()).record().status(),
            v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(calls(), 5);  // B and C
}

TEST_F(RunnerRefusalsTest, AJobWhoseOwnResultsClashFailsWhole) {
  MakeMovie(R"(
blueprint: film
nodes:
  Pair:
    producer: sim
    settings: {readable_path: same.txt}
    outputs: {Left: text/plain, Right: text/plain}
outputs: [Left, Right]
)");
  const v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_THAT(run.record().error(),
              AllOf(HasSubstr("Artifact:Left"), HasSubstr("Artifact:Right")));
  EXPECT_EQ(Failures().size(), 2u);
  EXPECT_EQ(calls(), 1);
}

// Results that end together are appended together; whoever is not to blame is
// not refused.
TEST_F(RunnerRefusalsTest, OfManyResultsTheFirstStands) {
  MakeMovie(R"(
blueprint: film
dimensions:
  shot: {size: 8}
nodes:
  Note:
    producer: wide
    over: [shot]
    settings: {readable_path: note.txt}
    outputs: {Note: text/plain}
  Title:
    producer: wide
    over: [shot]
    outputs: {Title: text/plain}
outputs: [Note, Title]
)");
  const v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_EQ(run.record().jobs().succeeded(), 9);
  EXPECT_EQ(run.record().jobs().failed(), 7);
  EXPECT_EQ(calls(), 16);
  std::vector<std::string> titles;
  for (int i = 0; i < 8; ++i) {
    titles.push_back(absl::StrCat("Title[shot=", i, "] completed"));
  }
  EXPECT_THAT(Jobs(run), IsSupersetOf(titles));
}

}  // namespace
}  // namespace kinora
