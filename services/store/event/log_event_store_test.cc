#include "services/store/event/log_event_store.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/log_event_store_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// F: S0-2, S1-5
TEST_F(LogEventStoreTest, EventsGetDenseSequencesAndTheStoresTime) {
  v1::AppendEventsRequest request = InputEdit("Input:Topic", "a");
  *request.add_events() = InputEdit("Input:Tone", "b").events(0);
  ASSERT_OK_AND_ASSIGN(v1::AppendEventsResponse response, Append(request));
  EXPECT_EQ(response.first_sequence(), 2);  // after Input:Blueprint
  EXPECT_EQ(response.last_sequence(), 3);
  v1::ReadEventsResponse page = Page(v1::LOG_KIND_INPUTS);
  ASSERT_EQ(page.events_size(), 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(page.events(i).sequence(), i + 1);
    EXPECT_EQ(page.events(i).time().seconds(),
              absl::ToUnixSeconds(clock_.Now()));
  }
  EXPECT_EQ(page.bookmark().sequence(), 3);
  v1::ReadEventsResponse end = Page(v1::LOG_KIND_INPUTS, 3);
  EXPECT_EQ(end.events_size(), 0);
  EXPECT_EQ(end.bookmark().sequence(), 3);
}

TEST_F(LogEventStoreTest, OneBadEventRefusesTheBatch) {
  v1::AppendEventsRequest request = InputEdit("Input:Topic", "a");
  *request.add_events() = InputEdit("Topic", "b").events(0);
  EXPECT_THAT(Append(request), StatusIs(absl::StatusCode::kInvalidArgument,
                                        HasSubstr("events[1].input.input_id")));
  EXPECT_EQ(Page(v1::LOG_KIND_INPUTS).events_size(), 1);
}

// F: S0-4
TEST_F(LogEventStoreTest, AnEventWhoseBlobIsMissingIsRefused) {
  v1::AppendEventsRequest request =
      ArtefactMade("Artifact:Image", 'a', "", lease_);
  v1::BlobRef& blob = *request.mutable_events(0)
                           ->mutable_artefact()
                           ->mutable_output()
                           ->mutable_blob();
  blob.mutable_digest()->set_hash(HashOf('b'));
  blob.mutable_digest()->set_size_bytes(9);
  blob.set_mime_type("image/png");
  EXPECT_THAT(Append(request), StatusIs(absl::StatusCode::kInvalidArgument,
                                        HasSubstr(HashOf('b') + "/9")));
  blob = PutBlob(store(), "pixels");
  EXPECT_OK(Append(request));
}

TEST_F(LogEventStoreTest, ARunnerThatLostItsLeaseCannotAppend) {
  ASSERT_OK(Append(ArtefactMade("Artifact:Script", 'a', "mine", lease_)));
  EXPECT_THAT(Append(ArtefactMade("Artifact:Script", 'a', "none", {})),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("lease")));
  clock_.Advance(absl::Seconds(7));
  v1::LeaseToken next = TakeFilmLease(store(), "runner-2", kRun2);
  absl::Status late =
      Append(ArtefactMade("Artifact:Script", 'b', "late", lease_)).status();
  EXPECT_THAT(late, StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(ReasonOf(late), "LEASE_LOST");
  EXPECT_OK(Append(ArtefactMade("Artifact:Script", 'c', "next", next)));
  EXPECT_EQ(Resolved("Artifact:Script"), "next");
}

// Whoever reads since a revision takes it that what follows is no older.
TEST_F(LogEventStoreTest, AnEventIsNotForARevisionBeyondTheNext) {
  const auto refused = [this](const v1::AppendEventsRequest& append,
                              absl::string_view next) {
    EXPECT_THAT(Append(append),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("].revision"),
                               HasSubstr(absl::StrCat(
                                   "revision of movie \"film\" is ", next)))));
  };
  refused(InputEdit("Input:Topic", "a", "rev-0002"), "rev-0001");
  refused(ArtefactMade("Artifact:Script", 'a', "x", lease_, kRun1, "rev-0003"),
          "rev-0001");
  v1::AppendEventsRequest second = InputEdit("Input:Topic", "a");
  *second.add_events() = InputEdit("Input:Tone", "b", "rev-0002").events(0);
  refused(second, "rev-0001");
  EXPECT_EQ(Page(v1::LOG_KIND_INPUTS).bookmark().sequence(), 1);
  Publish();
  for (int i = 0; i < 2; ++i) {
    EXPECT_OK(Append(InputEdit("Input:Topic", "b", "rev-0002")));
    // Of a run that was under way meanwhile.
    EXPECT_OK(Append(InputEdit("Input:Topic", "c", "rev-0001")));
    refused(InputEdit("Input:Topic", "d", "rev-0003"), "rev-0002");
    Restart();
  }
}

TEST_F(LogEventStoreTest, TheLedgerOfARunNobodyKnowsIsNotFound) {
  v1::GetLogStatusRequest request;
  request.mutable_log()->set_movie_id("film");
  request.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
  request.mutable_log()->set_run_id(std::string(kRun1));
  absl::Status status = core().events.GetLogStatus(request).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(ReasonOf(status), "RUN_NOT_FOUND");

  v1::PutRunRecordRequest put;
  put.mutable_record()->set_run_id(std::string(kRun1));
  put.mutable_record()->set_movie_id("film");
  *put.mutable_lease() = lease_;
  ASSERT_OK(core().runs.Put(put));
  ASSERT_OK_AND_ASSIGN(v1::GetLogStatusResponse young,
                       core().events.GetLogStatus(request));
  EXPECT_EQ(young.last_sequence(), 0);

  v1::AppendEventsRequest append;
  *append.mutable_log() = request.log();
  *append.mutable_lease() = lease_;
  v1::LedgerEvent& ledger = *append.add_events()->mutable_ledger();
  ledger.set_run_id(std::string(kRun1));
  ledger.set_occurred_at_ms(5);
  ledger.mutable_run_started();
  append.set_request_id("r-1");
  ASSERT_OK(Append(append));
  ASSERT_OK(Append(append));
  ASSERT_OK_AND_ASSIGN(v1::GetLogStatusResponse known,
                       core().events.GetLogStatus(request));
  EXPECT_EQ(known.last_sequence(), 1);
}

TEST_F(LogEventStoreTest, AWaiterIsToldOfTheNextEvent) {
  v1::LogName log;
  log.set_movie_id("film");
  log.set_kind(v1::LOG_KIND_INPUTS);
  std::atomic<int> told = 0;
  core().events.NotifyAfter(log, 1, [&] { ++told; });
  EXPECT_EQ(told, 0);
  ASSERT_OK(Append(InputEdit("Input:Topic", "a")));
  EXPECT_EQ(told, 1);
  ASSERT_OK(Append(InputEdit("Input:Topic", "b")));
  EXPECT_EQ(told, 1);
}

// F: S1-49
// Many writers, one log: nothing lost, nothing doubled, indexes agree.
TEST_F(LogEventStoreTest, ConcurrentAppendsAllLand) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 25; ++i) {
        EXPECT_OK(Append(ArtefactMade(
            "Artifact:Image[segment=" + std::to_string(t * 25 + i) + "]", 'a',
            "x", lease_)));
        Resolved("Artifact:Image[segment=0]");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Page(v1::LOG_KIND_ARTEFACTS).events_size(), 100);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(Resolved("Artifact:Image[segment=" + std::to_string(i) + "]"),
              "x");
  }
}

TEST_F(LogEventStoreTest, UnknownMoviesAndMalformedQueriesAreNamed) {
  v1::AppendEventsRequest request = InputEdit("Input:Topic", "a");
  request.mutable_log()->set_movie_id("other");
  EXPECT_EQ(ReasonOf(Append(request).status()), "MOVIE_NOT_FOUND");
  v1::ResolveArtefactsRequest resolve;
  resolve.set_movie_id("film");
  resolve.add_queries()->set_artefact_id("Script");
  EXPECT_THAT(core().events.ResolveArtefacts(resolve),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("queries[0].artefact_id")));
  resolve.mutable_queries(0)->set_artefact_id("Artifact:Script");
  resolve.mutable_queries(0)->set_failed(true);
  EXPECT_THAT(core().events.ResolveArtefacts(resolve),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("queries[0].inputs_hash")));
}

}  // namespace
}  // namespace kinora
