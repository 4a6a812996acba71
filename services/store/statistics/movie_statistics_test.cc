#include <string>

#include "absl/strings/str_replace.h"

#include "common/testing/status_matchers.h"
#include "services/store/layout.h"
#include "services/store/object/checked_document.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/movie_story.h"

namespace kinora {
namespace {

class MovieStatisticsTest : public CoreFixture {
 protected:
  v1::GetStatisticsResponse Statistics() {
    v1::GetStatisticsRequest request;
    request.set_movie_id("film");
    absl::StatusOr<v1::GetStatisticsResponse> response =
        store().maintenance.GetStatistics(request);
    EXPECT_OK(response);
    return response.ok() ? *response : v1::GetStatisticsResponse();
  }

  // An attempt of the job `Cut` with so many outputs.
  void Attempt(const v1::LeaseToken& lease, int attempt, bool succeeded,
               int outputs) {
    v1::AppendEventsRequest request;
    for (int i = 0; i < outputs; ++i) {
      v1::AppendEventsRequest one =
          ArtefactMade("Artifact:Cut" + std::to_string(i), 'a', "cut", lease);
      v1::ArtefactEvent* artefact = one.mutable_events(0)->mutable_artefact();
      artefact->mutable_produced_by()->set_job_id("Cut");
      artefact->mutable_produced_by()->set_attempt(attempt);
      artefact->mutable_produced_by()->mutable_producer()->set_name("cutter");
      artefact->mutable_duration()->set_nanos(600'000'000);
      if (i == 0) {
        artefact->mutable_cost()->set_currency_code("USD");
        artefact->mutable_cost()->set_micros(1000);
      }
      if (!succeeded) {
        artefact->clear_output();
        artefact->set_status(v1::ARTEFACT_STATUS_FAILED);
        artefact->mutable_failure()->set_message("no light");
      }
      if (i == 0) {
        request = one;
      } else {
        *request.add_events() = one.events(0);
      }
    }
    ASSERT_OK(store().events.Append(request));
  }
};

TEST_F(MovieStatisticsTest, CountsWhatAMovieHas) {
  TellMovieStory(store(), 2);
  const v1::GetStatisticsResponse statistics = Statistics();
  EXPECT_EQ(statistics.blobs(), 5);  // two books, two images, the blueprint
  EXPECT_GT(statistics.blob_bytes(), 10000);
  EXPECT_EQ(statistics.revisions(), 2);
  EXPECT_EQ(statistics.runs(), 2);
  EXPECT_EQ(statistics.events(), 3 + 8);
  ASSERT_EQ(statistics.producers_size(), 1);
  EXPECT_EQ(statistics.producers(0).producer(), "writer");
  EXPECT_EQ(statistics.producers(0).succeeded(), 6);
}

// F: S1-10
TEST_F(MovieStatisticsTest, AnAttemptCountsOnceWhateverItsOutputs) {
  MakeFilm(store());
  const v1::LeaseToken lease = TakeFilmLease(store());
  Attempt(lease, 1, false, 2);
  Attempt(lease, 2, true, 2);
  const v1::GetStatisticsResponse statistics = Statistics();
  ASSERT_EQ(statistics.producers_size(), 1);
  const v1::ProducerStatistics& cutter = statistics.producers(0);
  EXPECT_EQ(cutter.producer(), "cutter");
  EXPECT_EQ(cutter.failed(), 1);
  EXPECT_EQ(cutter.succeeded(), 1);
  EXPECT_EQ(cutter.retries(), 1);
  EXPECT_EQ(cutter.cost().micros(), 2000);
  EXPECT_EQ(cutter.cost().currency_code(), "USD");
  EXPECT_EQ(cutter.duration().seconds(), 1);
  EXPECT_EQ(cutter.duration().nanos(), 200'000'000);
}

// F: S1-10
TEST_F(MovieStatisticsTest, AggregatesAreSavedUsedAndMadeAgain) {
  MakeFilm(store());
  const v1::LeaseToken lease = TakeFilmLease(store());
  for (int i = 1; i <= 600; ++i) Attempt(lease, i, true, 2);
  const std::string key = AggregatesKey("film");
  EXPECT_EQ(Statistics().producers(0).succeeded(), 600);
  ASSERT_OK_AND_ASSIGN(const std::string json, ReadObject(storage_, key));
  Attempt(lease, 601, true, 2);
  EXPECT_EQ(Statistics().producers(0).succeeded(), 601);
  // Another value of the same form is not told.
  EXPECT_TRUE(HasChecksum(json));
  ASSERT_OK(storage_.Write(
      key,
      absl::StrReplaceAll(json, {{"\"succeeded\":600", "\"succeeded\":500"}})));
  EXPECT_EQ(Statistics().producers(0).succeeded(), 601);
  ASSERT_OK(storage_.Write(key, "{}"));
  EXPECT_EQ(Statistics().producers(0).succeeded(), 601);
  ASSERT_OK(storage_.Delete(key));
  EXPECT_EQ(Statistics().producers(0).succeeded(), 601);
}

}  // namespace
}  // namespace kinora
