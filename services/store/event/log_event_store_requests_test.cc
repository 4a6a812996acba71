// Appends that are repeated, that hold under a condition, and many at once.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/append_request_logs.h"
#include "services/store/event/log_event_store.h"
#include "services/store/event/log_event_store_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(LogEventStoreTest, ARepeatedRequestIsAnsweredAndNotDoneAgain) {
  v1::AppendEventsRequest request = InputEdit("Input:Topic", "a");
  *request.add_events() = InputEdit("Input:Tone", "b").events(0);
  request.set_request_id("r-1");
  ASSERT_OK_AND_ASSIGN(v1::AppendEventsResponse first, Append(request));
  ASSERT_OK(Append(InputEdit("Input:Topic", "c")));

  ASSERT_OK_AND_ASSIGN(v1::AppendEventsResponse again, Append(request));
  EXPECT_EQ(again.first_sequence(), first.first_sequence());
  EXPECT_EQ(again.last_sequence(), first.last_sequence());

  Restart();
  ASSERT_OK_AND_ASSIGN(v1::AppendEventsResponse after, Append(request));
  EXPECT_EQ(after.first_sequence(), first.first_sequence());
  EXPECT_EQ(after.last_sequence(), first.last_sequence());
  EXPECT_EQ(Page(v1::LOG_KIND_INPUTS).events_size(), 4);
}

TEST_F(LogEventStoreTest, ARequestThatFailedMayBeSentAgain) {
  v1::AppendEventsRequest request = InputEdit("Input:Topic", "a");
  request.set_request_id("r-1");
  request.set_expected_sequence(7);
  EXPECT_THAT(Append(request), StatusIs(absl::StatusCode::kAborted));
  request.set_expected_sequence(1);
  EXPECT_OK(Append(request));
}

TEST_F(LogEventStoreTest, TheSameRequestFromManyThreadsAppendsOnce) {
  v1::AppendEventsRequest request = InputEdit("Input:Topic", "a");
  request.set_request_id("r-1");
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      absl::StatusOr<v1::AppendEventsResponse> response = Append(request);
      if (response.ok() && response->last_sequence() == 2) ++answered;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, 8);
  EXPECT_EQ(Page(v1::LOG_KIND_INPUTS).events_size(), 2);
}

TEST_F(LogEventStoreTest, ARepeatWaitsForTheRequestUnderWay) {
  AppendRequests requests;
  const std::string log = "builds/x/events/inputs.log";
  ASSERT_OK_AND_ASSIGN(AppendRequests::Begun first,
                       requests.Begin(log_, log, "r-1", true));
  ASSERT_FALSE(first.done.has_value());
  ASSERT_OK_AND_ASSIGN(AppendRequests::Begun second,
                       requests.Begin(log_, log, "r-1", false));
  EXPECT_TRUE(second.busy);
  std::atomic<bool> answered = false;
  std::thread repeat([&] {
    absl::StatusOr<AppendRequests::Begun> again =
        requests.Begin(log_, log, "r-1", true);
    EXPECT_TRUE(again.ok() && again->done.has_value());
    answered = true;
  });
  for (int i = 0; i < 2'000 && !answered; ++i) std::this_thread::yield();
  EXPECT_FALSE(answered);
  const AppendedRange range = {1, 1};
  requests.End("r-1", &range);
  repeat.join();
}

TEST_F(LogEventStoreTest, OnlyTheLatestRequestsAreRemembered) {
  const std::string log = "builds/x/events/inputs.log";
  AppendRequests requests;
  const auto done = [&](const std::string& id) {
    return requests.Begin(log_, log, id, true)->done.has_value();
  };
  for (const int64_t last : {int64_t{2}, int64_t{3}, kRememberedEvents + 2}) {
    const std::string id = "r-" + std::to_string(last);
    ASSERT_FALSE(done(id));
    const AppendedRange range = {last - 1, last};
    requests.End(id, &range);
  }
  EXPECT_FALSE(done("r-2"));
  EXPECT_TRUE(done("r-3"));
  EXPECT_TRUE(done("r-" + std::to_string(kRememberedEvents + 2)));
}

// Answering it as done would lose what it holds.
TEST_F(LogEventStoreTest, OtherEventsUnderAKnownRequestIdAreRefused) {
  v1::AppendEventsRequest request = InputEdit("Input:Topic", "a");
  *request.add_events() = InputEdit("Input:Tone", "b").events(0);
  request.set_request_id("r-1");
  ASSERT_OK(Append(request));
  v1::AppendEventsRequest other = request;
  *other.mutable_events(1) = InputEdit("Input:Tone", "c").events(0);
  v1::AppendEventsRequest fewer = request;
  fewer.mutable_events()->RemoveLast();
  v1::AppendEventsRequest later = request;
  for (v1::Event& event : *later.mutable_events()) {
    event.set_revision("rev-0002");
  }
  for (const bool restarted : {false, true}) {
    SCOPED_TRACE(restarted);
    for (const v1::AppendEventsRequest& refused : {other, fewer}) {
      EXPECT_THAT(Append(refused),
                  StatusIs(absl::StatusCode::kInvalidArgument,
                           ::testing::AllOf(
                               HasSubstr("request_id"),
                               HasSubstr("2 to 3 of builds/film/events/"))));
    }
    // Which revision comes next changes.
    EXPECT_OK(Append(later));
    EXPECT_EQ(Page(v1::LOG_KIND_INPUTS).events_size(), 3);
    Restart();
  }
}

TEST_F(LogEventStoreTest, OfManyAppendsEachIsAnsweredForItself) {
  std::vector<v1::AppendEventsRequest> requests = {
      InputEdit("Input:Topic", "a"), InputEdit("no id", "b"),
      InputEdit("Input:Topic", "c"), InputEdit("Input:Topic", "d")};
  requests[2].set_expected_sequence(7);
  requests[3].set_expected_sequence(2);
  const auto answers = store().events.AppendAll(
      {&requests[0], &requests[1], &requests[2], &requests[3]});
  ASSERT_EQ(answers.size(), 4u);
  ASSERT_OK(answers[0].status());
  EXPECT_EQ(answers[0]->first_sequence(), 2);
  EXPECT_THAT(answers[1].status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("events[0].input.input_id")));
  EXPECT_EQ(ReasonOf(answers[2].status()), "SEQUENCE_MISMATCH");
  ASSERT_OK(answers[3].status());
  EXPECT_EQ(answers[3]->first_sequence(), 3);
}

// The repeat of a request must find the first, though both are in one call.
TEST_F(LogEventStoreTest, ARepeatBesideItsFirstIsAnsweredOnce) {
  v1::AppendEventsRequest request = InputEdit("Input:Topic", "a");
  request.set_request_id("r-1");
  std::vector<v1::AppendEventsRequest> requests(3, request);
  const auto answers =
      store().events.AppendAll({&requests[0], &requests[1], &requests[2]});
  for (const auto& answer : answers) {
    ASSERT_OK(answer.status());
    EXPECT_EQ(answer->first_sequence(), 2);
  }
  EXPECT_EQ(Page(v1::LOG_KIND_INPUTS).events_size(), 2);
}

TEST_F(LogEventStoreTest, AnotherSequenceThanExpectedAborts) {
  v1::AppendEventsRequest request = InputEdit("Input:Topic", "a");
  request.set_expected_sequence(0);
  absl::Status status = Append(request).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted,
                               HasSubstr("is at sequence 1, expected 0")));
  EXPECT_EQ(ReasonOf(status), "SEQUENCE_MISMATCH");
  EXPECT_EQ(MetadataOf(status)["current"], "1");
}

// Nobody's edit of an input is lost to another one made from the same view of
// it; other inputs do not matter.
TEST_F(LogEventStoreTest, AnInputThatWasEditedSinceARevisionIsNotOverwritten) {
  ASSERT_OK(Append(InputEdit("Input:Topic", "sea")));
  Publish();
  v1::AppendEventsRequest mine = InputEdit("Input:Topic", "ship", "rev-0002");
  mine.set_inputs_unchanged_since("rev-0001");
  mine.set_request_id("mine");
  ASSERT_OK(Append(mine));
  v1::AppendEventsRequest yours = InputEdit("Input:Tone", "calm", "rev-0002");
  *yours.add_events() = InputEdit("Input:Topic", "ice", "rev-0002").events(0);
  yours.set_inputs_unchanged_since("rev-0001");
  absl::Status late = Append(yours).status();
  EXPECT_THAT(late, StatusIs(absl::StatusCode::kAborted,
                             HasSubstr("Input:Topic was edited since rev-0001: "
                                       "by a user at 20")));
  EXPECT_EQ(ReasonOf(late), "INPUT_CHANGED");
  EXPECT_EQ(MetadataOf(late)["field"], "Input:Topic");
  EXPECT_EQ(MetadataOf(late)["current"], "3");
  EXPECT_EQ(Page(v1::LOG_KIND_INPUTS).events_size(), 3);
  // An answer that got lost: the repeat is no edit by somebody else.
  ASSERT_OK_AND_ASSIGN(v1::AppendEventsResponse again, Append(mine));
  EXPECT_EQ(again.first_sequence(), 3);
  yours.mutable_events()->RemoveLast();
  EXPECT_OK(Append(yours));
}

TEST_F(LogEventStoreTest, AConditionThatCannotHoldIsRefused) {
  v1::AppendEventsRequest request = InputEdit("Input:Topic", "a");
  request.set_inputs_unchanged_since("rev-0001");
  absl::Status unknown = Append(request).status();
  EXPECT_THAT(unknown,
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("\"film\" has no revision rev-0001")));
  EXPECT_EQ(ReasonOf(unknown), "REVISION_NOT_FOUND");
  request.set_inputs_unchanged_since("first");
  EXPECT_THAT(Append(request), StatusIs(absl::StatusCode::kInvalidArgument,
                                        HasSubstr("inputs_unchanged_since")));
  v1::AppendEventsRequest made = ArtefactMade("Artifact:A", 'a', "a", lease_);
  made.set_inputs_unchanged_since("rev-0001");
  EXPECT_THAT(Append(made), StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr("inputs_unchanged_since")));
  EXPECT_EQ(Page(v1::LOG_KIND_INPUTS).events_size(), 1);
}

// Of any number of ledgers: those used last are remembered, and those in use.
TEST_F(LogEventStoreTest, RequestsOfAllLogsHaveABoundTogether) {
  AppendRequestLogs logs({.logs = 50, .requests = 20});
  const auto key = [](int log) {
    return absl::StrCat("builds/x/runs/", log, "/ledger.log");
  };
  const auto append = [&](int log) {
    const std::shared_ptr<AppendRequests> requests = logs.Of(key(log));
    for (int64_t n = 1; n <= 5; ++n) {
      const std::string id = absl::StrCat("r-", n);
      EXPECT_OK(requests->Begin(log_, key(log), id, true));
      const AppendedRange range = {n, n};
      requests->End(id, &range);
    }
    return requests;
  };
  const std::shared_ptr<AppendRequests> held = append(0);
  for (int log = 1; log < 100; ++log) {
    append(log);
    ASSERT_LE(logs.remembered(), 25u);
  }
  EXPECT_EQ(logs.Of(key(0)), held);
  EXPECT_EQ(logs.Of(key(99))->size(), 5u);
  EXPECT_EQ(logs.Of(key(1))->size(), 0u);
  logs.Forget("builds/x/");
  EXPECT_EQ(logs.remembered(), 0u);
}

TEST_F(LogEventStoreTest, OfEditsAtOnceOnTheSameConditionOneGetsThrough) {
  ASSERT_OK(Append(InputEdit("Input:Topic", "sea")));
  Publish();
  std::atomic<int> through = 0;
  std::atomic<int> refused = 0;
  std::vector<std::thread> editors;
  for (int editor = 0; editor < 8; ++editor) {
    editors.emplace_back([&, editor] {
      // Other inputs in between make everybody look again.
      v1::AppendEventsRequest own = InputEdit(absl::StrCat("Input:Own", editor),
                                              "mine alone", "rev-0002");
      own.set_inputs_unchanged_since("rev-0001");
      EXPECT_OK(Append(own));
      v1::AppendEventsRequest shared =
          InputEdit("Input:Topic", absl::StrCat("by ", editor), "rev-0002");
      shared.set_inputs_unchanged_since("rev-0001");
      const absl::Status status = Append(shared).status();
      if (status.ok()) ++through;
      if (ReasonOf(status) == "INPUT_CHANGED") ++refused;
    });
  }
  for (std::thread& editor : editors) editor.join();
  EXPECT_EQ(through, 1);
  EXPECT_EQ(refused, 7);
  EXPECT_EQ(Page(v1::LOG_KIND_INPUTS).events_size(), 2 + 8 + 1);
}

}  // namespace
}  // namespace kinora
