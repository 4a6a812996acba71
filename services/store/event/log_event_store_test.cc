#include "services/store/event/log_event_store.h"

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/json.h"
#include "common/testing/status_matchers.h"
#include "services/store/layout.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class LogEventStoreTest : public CoreFixture {
 protected:
  void SetUp() override {
    MakeFilm(store());
    lease_ = TakeFilmLease(store());
  }

  absl::StatusOr<v1::AppendEventsResponse> Append(
      const v1::AppendEventsRequest& request) {
    return core().events.Append(request);
  }

  // rev-0001, with the inputs as they are.
  void Publish() {
    ASSERT_OK(Append(ArtefactMade("Artifact:Script", 'a', "script", lease_)));
    ASSERT_OK(core().manifests.Commit(
        CommitOf(lease_, kRun1, "rev-0001", "",
                 Page(v1::LOG_KIND_INPUTS).bookmark().sequence())));
  }

  v1::ReadEventsResponse Page(v1::LogKind kind, int64_t after = 0,
                              absl::string_view since = "") {
    v1::ReadEventsRequest request;
    request.mutable_log()->set_movie_id("film");
    request.mutable_log()->set_kind(kind);
    request.set_after_sequence(after);
    request.set_since_revision(std::string(since));
    absl::StatusOr<v1::ReadEventsResponse> page =
        core().events.ReadPage(request);
    EXPECT_OK(page);
    return page.ok() ? *page : v1::ReadEventsResponse();
  }

  // The text that the artefact resolves to; "-" if to nothing.
  std::string Resolved(absl::string_view id, absl::string_view hash = "") {
    v1::ResolveArtefactsRequest request;
    request.set_movie_id("film");
    v1::ArtefactQuery& query = *request.add_queries();
    query.set_artefact_id(std::string(id));
    query.set_inputs_hash(std::string(hash));
    absl::StatusOr<v1::ResolveArtefactsResponse> response =
        core().events.ResolveArtefacts(request);
    EXPECT_OK(response);
    if (!response.ok() || !response->artefacts(0).found()) return "-";
    return response->artefacts(0).event().artefact().output().inline_().data();
  }

  // An attempt at the artefact that failed, or one that succeeded.
  void Attempt(const std::string& id, bool succeeds,
               absl::string_view revision = "rev-0001") {
    v1::AppendEventsRequest request =
        ArtefactMade(id, 'a', "text", lease_, kRun1, revision);
    if (!succeeds) {
      v1::ArtefactEvent& artefact =
          *request.mutable_events(0)->mutable_artefact();
      artefact.clear_output();
      artefact.set_status(v1::ARTEFACT_STATUS_FAILED);
      artefact.mutable_failure()->set_message("refused");
      artefact.mutable_failure()->set_reason(v1::FAILURE_REASON_PRODUCER_ERROR);
    }
    ASSERT_OK(Append(request));
  }

  static v1::ReadEventsRequest AttemptsAt(const std::string& id) {
    v1::ReadEventsRequest request;
    request.mutable_log()->set_movie_id("film");
    request.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
    request.set_artefact_id(id);
    return request;
  }

  // The sequences of a page, and after a "|" its bookmark.
  std::string ReadOf(const v1::ReadEventsRequest& request) {
    const auto page = core().events.ReadPage(request);
    if (!page.ok()) return ReasonOf(page.status());
    std::string read;
    for (const v1::Event& event : page->events()) {
      absl::StrAppend(&read, event.sequence(), " ");
    }
    return absl::StrCat(read, "| ", page->bookmark().sequence());
  }

  v1::LeaseToken lease_;
};

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

// A reader with a bookmark of another log would wait for ever, and miss all.
TEST_F(LogEventStoreTest, AReadFromPastTheEndIsOutOfRange) {
  v1::ReadEventsRequest read;
  read.mutable_log()->set_movie_id("film");
  read.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  read.set_after_sequence(1);
  EXPECT_OK(store().events.ReadPage(read));  // the end
  read.set_after_sequence(2);
  const absl::Status past = store().events.ReadPage(read).status();
  EXPECT_THAT(past, StatusIs(absl::StatusCode::kOutOfRange,
                             HasSubstr("after_sequence: 2 is past the end")));
  EXPECT_EQ(MetadataOf(past)["current"], "1");
}

TEST_F(LogEventStoreTest, OfManyAppendsEachIsAnsweredForItself) {
  std::vector<v1::AppendEventsRequest> requests = {
      InputEdit("Input:Topic", "a"), InputEdit("no id", "b"),
      InputEdit("Input:Topic", "c"), InputEdit("Input:Topic", "d")};
  requests[2].set_expected_sequence(7);
  requests[3].set_expected_sequence(2);
  const auto answers = store().events.AppendAll(absl::MakeSpan(requests));
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
  const auto answers = store().events.AppendAll(absl::MakeSpan(requests));
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

// F: S0-3
TEST_F(LogEventStoreTest, SinceRevisionIsStrictlyGreaterAndByNumber) {
  for (const char* revision : {"rev-0002", "rev-9999", "rev-10000"}) {
    // As of a movie with as many revisions.
    ASSERT_OK(core().events.AppendOwn(
        InputsLogKey("film"),
        InputEdit("Input:A", revision, revision).events(0), std::nullopt));
  }
  v1::ReadEventsResponse page = Page(v1::LOG_KIND_INPUTS, 0, "rev-0002");
  ASSERT_EQ(page.events_size(), 2);
  EXPECT_EQ(page.events(0).revision(), "rev-9999");
  EXPECT_EQ(page.events(1).revision(), "rev-10000");
  // Nothing left, but not the end until the bookmark stays.
  page = Page(v1::LOG_KIND_INPUTS, 0, "rev-10000");
  EXPECT_EQ(page.events_size(), 0);
  EXPECT_EQ(page.bookmark().sequence(), 4);
}

// F: S0-3, S0-24
TEST_F(LogEventStoreTest, AReadOfOneArtefactHasAllItsAttemptsAndNoOthers) {
  Attempt("Artifact:Script", false);
  Attempt("Artifact:Image", true);
  Publish();  // events 3 and 4
  Attempt("Artifact:Script", true, "rev-0002");
  Attempt("Artifact:Image", false, "rev-0002");
  Attempt("Artifact:Script", false, "rev-0002");
  v1::ReadEventsRequest request = AttemptsAt("Artifact:Script");
  EXPECT_EQ(ReadOf(request), "1 3 5 7 | 7");
  Attempt("Artifact:Image", true, "rev-0002");
  EXPECT_EQ(ReadOf(request), "1 3 5 7 | 8");
  Restart();
  EXPECT_EQ(ReadOf(request), "1 3 5 7 | 8");
  request.set_limit(2);
  EXPECT_EQ(ReadOf(request), "1 3 | 3");
  request.set_after_sequence(3);
  EXPECT_EQ(ReadOf(request), "5 7 | 7");
  request.set_after_sequence(7);
  EXPECT_EQ(ReadOf(request), "| 8");
  request.set_after_sequence(8);
  EXPECT_EQ(ReadOf(request), "| 8");
  request.set_after_sequence(9);
  EXPECT_EQ(ReadOf(request), "SEQUENCE_MISMATCH");
  request = AttemptsAt("Artifact:Script");
  request.set_since_revision("rev-0001");
  EXPECT_EQ(ReadOf(request), "5 7 | 8");
  EXPECT_EQ(ReadOf(AttemptsAt("Artifact:Never")), "| 8");
}

// A commit is no attempt, and archiving what it took hides nothing.
TEST_F(LogEventStoreTest, AttemptsAreReadAfterACommitAndWhereTheyWereTrimmed) {
  Attempt("Artifact:Script", false);
  Publish();  // events 2 and 3
  Attempt("Artifact:Script", false, "rev-0002");
  EXPECT_EQ(ReadOf(AttemptsAt("Artifact:Script")), "1 2 4 | 4");
  ASSERT_OK(log_.Trim(ArtefactsLogKey("film"), 3));
  EXPECT_EQ(ReadOf(AttemptsAt("Artifact:Script")), "LOG_TRIMMED");
  v1::ReadEventsRequest rest = AttemptsAt("Artifact:Script");
  rest.set_after_sequence(3);
  EXPECT_EQ(ReadOf(rest), "4 | 4");
}

TEST_F(LogEventStoreTest, OnlyTheLogOfArtefactsIsReadByArtefact) {
  v1::ReadEventsRequest request = AttemptsAt("Artifact:Script");
  request.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  EXPECT_THAT(core().events.ReadPage(request),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("artefact_id: must be empty")));
  request.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
  request.mutable_log()->set_run_id(std::string(kRun1));
  EXPECT_THAT(
      core().events.ReadPage(request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("artefact_id")));
  EXPECT_THAT(core().events.ReadPage(AttemptsAt("Input:Topic")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("must be the id of an artefact")));
}

// F: S0-9, S0-10, S0-11; S0-14 (what is missing has an answer, too)
TEST_F(LogEventStoreTest, AnArtefactResolvesToItsLatestSucceededEvent) {
  EXPECT_EQ(Resolved("Artifact:Script"), "-");
  ASSERT_OK(Append(ArtefactMade("Artifact:Script", 'a', "one", lease_)));
  ASSERT_OK(Append(ArtefactMade("Artifact:Script", 'b', "two", lease_)));
  ASSERT_OK(Append(ArtefactMade("Artifact:Other", 'c', "other", lease_)));
  v1::AppendEventsRequest failed =
      ArtefactMade("Artifact:Script", 'd', "", lease_);
  v1::ArtefactEvent& event = *failed.mutable_events(0)->mutable_artefact();
  event.clear_output();
  event.set_status(v1::ARTEFACT_STATUS_FAILED);
  event.mutable_failure()->set_message("no");
  ASSERT_OK(Append(failed));
  EXPECT_EQ(Resolved("Artifact:Script"), "two");
  Restart();
  EXPECT_EQ(Resolved("Artifact:Script"), "two");
}

// After A, B and back to A the latest event is B's, but A's is wanted.
// F: S0-11, B-13
TEST_F(LogEventStoreTest, AfterAnUndoTheExpectedResultIsFoundByItsHash) {
  ASSERT_OK(Append(ArtefactMade("Artifact:Script", 'a', "A", lease_)));
  ASSERT_OK(Append(ArtefactMade("Artifact:Script", 'b', "B", lease_)));
  EXPECT_EQ(Resolved("Artifact:Script", HashOf('a')), "A");
  EXPECT_EQ(Resolved("Artifact:Script", HashOf('b')), "B");
  EXPECT_EQ(Resolved("Artifact:Script", HashOf('c')), "-");
}

TEST_F(LogEventStoreTest, AReuseNamesAnEventThatExists) {
  ASSERT_OK(Append(ArtefactMade("Artifact:Script", 'a', "A", lease_)));
  v1::AppendEventsRequest reuse =
      ArtefactMade("Artifact:Script", 'a', "A", lease_, kRun2);
  reuse.mutable_events(0)->mutable_artefact()->set_reused_sequence(2);
  EXPECT_THAT(Append(reuse), StatusIs(absl::StatusCode::kInvalidArgument,
                                      HasSubstr("the log ends at 1")));
  reuse.mutable_events(0)->mutable_artefact()->set_reused_sequence(1);
  EXPECT_OK(Append(reuse));
}

// F: S1-22
TEST_F(LogEventStoreTest, AnInputGoesBackToAnEventOfItsOwn) {
  ASSERT_OK(Append(InputEdit("Input:Topic", "a")));  // 2
  ASSERT_OK(Append(InputEdit("Input:Tone", "b")));   // 3
  v1::AppendEventsRequest undo = InputEdit("Input:Topic", "a");
  v1::InputEvent& input = *undo.mutable_events(0)->mutable_input();
  for (const int64_t wrong : {3, 4, 9999}) {
    input.set_restored_sequence(wrong);
    const absl::Status refused = Append(undo).status();
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument,
                                  HasSubstr("input.restored_sequence")));
    EXPECT_THAT(refused.message(),
                HasSubstr("\"" + std::to_string(wrong) + "\""));
  }
  input.set_restored_sequence(2);
  EXPECT_OK(Append(undo));
  // To before its first edit.
  input.clear_content();
  input.set_cleared(true);
  input.set_restored_sequence(1);
  EXPECT_OK(Append(undo));
}

TEST_F(LogEventStoreTest, InputsAreThoseInEffectAtASequence) {
  ASSERT_OK(Append(InputEdit("Input:Topic", "first")));   // 2
  ASSERT_OK(Append(InputEdit("Input:Tone", "dry")));      // 3
  ASSERT_OK(Append(InputEdit("Input:Topic", "second")));  // 4
  v1::ListInputsRequest request;
  request.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(v1::ListInputsResponse all,
                       core().events.ListInputs(request));
  ASSERT_EQ(all.inputs_size(), 3);
  EXPECT_EQ(all.inputs(0).input().input_id(), "Input:Blueprint");
  EXPECT_EQ(all.inputs(1).input().input_id(), "Input:Tone");
  EXPECT_EQ(all.inputs(2).input().content().inline_().data(), "second");
  EXPECT_EQ(all.through_sequence(), 4);

  request.set_through_sequence(2);
  ASSERT_OK_AND_ASSIGN(v1::ListInputsResponse early,
                       core().events.ListInputs(request));
  ASSERT_EQ(early.inputs_size(), 2);
  EXPECT_EQ(early.inputs(1).input().content().inline_().data(), "first");
  EXPECT_EQ(early.through_sequence(), 2);
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
}

}  // namespace
}  // namespace kinora
