// Runs in which a producer asks a person something.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/runner/past/run_events.h"
#include "services/runner/questions/run_questions.h"
#include "services/runner/runner.h"
#include "services/runner/testing/runner_questions_fixture.h"

namespace kinora {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RunnerQuestionsTest : public RunnerQuestionsFixture {};

// The producer takes one job at a time, and yet makes E while A waits.
TEST_F(RunnerQuestionsTest, AJobThatAsksHoldsNoPlaceAndGoesOnWithItsAnswer) {
  MakeMovie(Asking(kText));
  const std::string run_id = Start();
  const std::vector<v1::LedgerEvent> events =
      Ledger(run_id, WaitsFor("question"));
  EXPECT_TRUE(std::any_of(events.begin(), events.end(), [](const auto& event) {
    return event.step_completed().step().step_id() == "E";
  }));
  const v1::RunSnapshot waiting = Get(run_id);
  EXPECT_EQ(waiting.record().status(), v1::RUN_STATUS_WAITING);
  EXPECT_THAT(waiting.pending_question_ids(), ElementsAre("sim"));
  EXPECT_THAT(Jobs(waiting), Contains("A asking Which whale?"));
  EXPECT_THAT(Questions(), ElementsAre("A Which whale?"));
  EXPECT_THAT(Questions(run_id, "film"), ElementsAre("A Which whale?"));
  EXPECT_EQ(calls(), 2);

  ASSERT_OK(Answer(run_id, "\"the white one\""));
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_THAT(Output("AText"), HasSubstr("the white one"));
  EXPECT_EQ(calls(), 4);  // A twice
  EXPECT_THAT(Questions(), IsEmpty());
  EXPECT_THAT(run.pending_question_ids(), IsEmpty());
  EXPECT_EQ(Count(run_id, "question"), 1);
  EXPECT_EQ(Count(run_id, "answered"), 1);
  EXPECT_EQ(Count(run_id, "retrying"), 0);
}

TEST_F(RunnerQuestionsTest, OneAnswerIsTakenAndItMustFit) {
  MakeMovie(Asking(
      "{question: 'Go?', question_kind: choice, question_options: [a, b]}"));
  const std::string run_id = Start();
  Ledger(run_id, WaitsFor("question"));
  EXPECT_THAT(Answer(run_id, "\"c\""),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr(R"(answer.value_json: expected one of "a")")));
  EXPECT_EQ(ReasonOf(Answer(run_id, "\"a\"", "other")), "QUESTION_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Answer(std::string(kRun1), "\"a\"")), "RUN_NOT_FOUND");
  EXPECT_THAT(Questions(run_id), ElementsAre("A Go?"));  // as it was
  EXPECT_OK(Answer(run_id, "\"a\""));
  const absl::Status second = Answer(run_id, "\"b\"");
  EXPECT_FALSE(second.ok());
  Finish(run_id);
  EXPECT_THAT(Output("AText"), HasSubstr("answer = \"a\""));
  EXPECT_EQ(Count(run_id, "answered"), 1);
  EXPECT_EQ(ReasonOf(Answer(run_id, "\"b\"")), "RUN_TERMINAL");
}

TEST_F(RunnerQuestionsTest, AQuestionNobodyCouldAnswerFailsTheJob) {
  MakeMovie(Asking("{question: 'Go?', question_kind: choice}"));
  const v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_THAT(run.record().error(), HasSubstr("question.options"));
  EXPECT_EQ(Count(run.record().run_id(), "question"), 0);
}

TEST_F(RunnerQuestionsTest, ARunThatWaitsCanBeCancelled) {
  MakeMovie(Asking(kText));
  const std::string run_id = Start();
  Ledger(run_id, WaitsFor("question"));
  v1::CancelRunRequest cancel;
  cancel.set_run_id(run_id);
  ASSERT_OK(runner().Cancel(cancel));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_THAT(Questions(), IsEmpty());
  EXPECT_EQ(ReasonOf(Answer(run_id, "\"x\"")), "RUN_TERMINAL");
}

// F: S3-23, S3-25 (the run waits through a restart, and nobody is asked twice)
TEST_F(RunnerQuestionsTest, AQuestionOutlivesItsRunner) {
  MakeMovie(Asking(kText));
  const std::string run_id = Start();
  Ledger(run_id, WaitsFor("question"));
  Restart();
  EXPECT_THAT(Questions(run_id), ElementsAre("A Which whale?"));
  ASSERT_OK(Answer(run_id, "\"the white one\""));
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(calls(), 2);  // A with its answer, and B
  EXPECT_EQ(Count(run_id, "question"), 1);
  EXPECT_EQ(Count(run_id, "asking"), 1);
  EXPECT_EQ(Count(run_id, "recovering"), 0);
}

// Dies between the question and the end of the attempt: it asks again, and
// that is the same question.
TEST_F(RunnerQuestionsTest, AnInterruptedAttemptAsksTheSameQuestion) {
  process_ = nullptr;
  const SimProducerOptions sim = {.answers_on_stream = true};
  process_ = NewProcess(sim);
  MakeMovie(Asking(kText));
  const std::string run_id = Start();
  Ledger(run_id, Tells("question"));
  Restart(sim);
  Ledger(run_id, WaitsFor("question"));
  EXPECT_THAT(Questions(run_id), ElementsAre("A Which whale?"));
  ASSERT_OK(Answer(run_id, "\"the white one\""));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Output("AText"), HasSubstr("the white one"));
  EXPECT_EQ(Count(run_id, "question"), 1);
}

// An answer to a run that nobody carries out is kept for whoever adopts it.
TEST_F(RunnerQuestionsTest, AnAnswerIsTakenWhileNoRunnerHasTheRun) {
  MakeMovie(Asking(kText));
  const std::string run_id = Start();
  Ledger(run_id, WaitsFor("question"));
  process_.reset();
  process_ = NewProcess();
  EXPECT_THAT(Questions("", "film"), ElementsAre("A Which whale?"));
  EXPECT_THAT(Answer(run_id, "7"), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("expected a string")));
  ASSERT_OK(Answer(run_id, "\"the white one\""));
  EXPECT_THAT(Questions(), IsEmpty());
  EXPECT_EQ(ReasonOf(Answer(run_id, "\"another\"")), "QUESTION_NOT_FOUND");
  EXPECT_EQ(calls(), 0);
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Output("AText"), HasSubstr("the white one"));
  EXPECT_EQ(calls(), 2);
  EXPECT_EQ(Count(run_id, "question"), 1);
}

TEST_F(RunnerQuestionsTest, AnyRunnerTakesAnAnswer) {
  MakeMovie(Asking(kText));
  const std::string run_id = Start();
  Ledger(run_id, WaitsFor("question"));
  const std::unique_ptr<RunnerProcess> other = NewProcess();
  v1::ListQuestionsRequest list;
  list.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::ListQuestionsResponse listed,
                       other->runner().ListQuestions(list));
  EXPECT_EQ(listed.questions_size(), 1);
  v1::AnswerQuestionRequest request;
  request.set_run_id(run_id);
  request.mutable_answer()->set_question_id("sim");
  request.mutable_answer()->set_value_json("\"x\"");
  ASSERT_OK(other->runner().AnswerQuestion(request));
  // The run may have ended since.
  EXPECT_THAT(ReasonOf(other->runner().AnswerQuestion(request).status()),
              AnyOf("QUESTION_NOT_FOUND", "RUN_TERMINAL"));
  // The runner that has the run sees it in the ledger, now and then.
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(Count(run_id, "answered"), 1);
}

// Dies after the answer is recorded and before the producer has it.
TEST_F(RunnerQuestionsTest, ARecordedAnswerIsDeliveredByTheNextRunner) {
  MakeMovie(Asking(kText));
  const std::string run_id = Start();
  Ledger(run_id, WaitsFor("question"));
  process_.reset();
  // What Answer() writes before it returns.
  v1::LedgerEvent answered;
  *answered.mutable_job() = AnswerOf("\"the white one\"");
  TellAsTheDead(run_id, answered);

  process_ = NewProcess();
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Output("AText"), HasSubstr("the white one"));
  EXPECT_EQ(calls(), 2);
}

// An append may be done although its caller was told nothing: the answer that
// is in the ledger is the one that counts, and the run goes on with it.
TEST_F(RunnerQuestionsTest, AnAnswerThatWasRecordedUnnoticedIsTheAnswer) {
  MakeMovie(Asking(kText));
  const std::string run_id = Start();
  Ledger(run_id, WaitsFor("question"));
  v1::GetLeaseRequest get;
  get.set_lease_id("movie/film");
  ASSERT_OK_AND_ASSIGN(const v1::GetLeaseResponse held,
                       store().leases.Get(get));
  const v1::JobEvent answered = AnswerOf("\"the white one\"");
  v1::Event event = LedgerEventAt({"film", run_id, ""}, 1);
  *event.mutable_ledger()->mutable_job() = answered;
  v1::AppendEventsRequest append = LedgerAppend(
      {"film", run_id, ""}, held.lease().token(), std::move(event));
  append.set_request_id(QuestionRequestId(answered));
  ASSERT_OK(store().events.Append(append));

  // The run may have ended with it since.
  EXPECT_THAT(ReasonOf(Answer(run_id, "\"the black one\"")),
              AnyOf("QUESTION_NOT_FOUND", "RUN_TERMINAL"));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Output("AText"), HasSubstr("the white one"));
  EXPECT_EQ(Count(run_id, "answered"), 1);
}

// The other way to ask: the attempt goes on, and holds its place.
TEST_F(RunnerQuestionsTest, AnOpenStreamGetsItsAnswer) {
  process_ = nullptr;
  process_ = NewProcess({.answers_on_stream = true});
  MakeMovie(Asking(kText));
  const std::string run_id = Start();
  Ledger(run_id, WaitsFor("question"));
  EXPECT_EQ(Get(run_id).record().status(), v1::RUN_STATUS_WAITING);
  EXPECT_THAT(Questions(run_id), ElementsAre("A Which whale?"));
  ASSERT_OK(Answer(run_id, "\"the white one\""));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Output("AText"), HasSubstr("the white one"));
  EXPECT_EQ(calls(), 3);  // once each
  EXPECT_EQ(Count(run_id, "asking"), 0);
}

// Somebody who thinks longer than an attempt may take has not failed it.
TEST_F(RunnerQuestionsTest, AnAttemptWhoseTimeIsUpWaitsWithoutItsPlace) {
  process_ = nullptr;
  process_ = NewProcess({.answers_on_stream = true});
  std::string blueprint = Asking(kText);
  blueprint.insert(blueprint.find("    outputs: {AText"),
                   "    limits: {attempt_timeout_seconds: 1}\n");
  MakeMovie(blueprint);
  const std::string run_id = Start();
  Ledger(run_id, Tells("asking"));
  ASSERT_OK(Answer(run_id, "\"the white one\""));
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(Count(run_id, "question"), 1);
  EXPECT_EQ(Count(run_id, "retrying"), 0);
}

// Nobody has to wait for whoever adopts the run, which does not end by itself.
TEST_F(RunnerQuestionsTest, ARunThatAsksIsCancelledThoughItsRunnerIsGone) {
  MakeMovie(Asking(kText));
  const std::string run_id = Start();
  Ledger(run_id, WaitsFor("question"));
  process_.reset();
  const v1::LeaseToken lease = TakeFilmLease(store(), "dead-runner", run_id);
  process_ = NewProcess();
  v1::CancelRunRequest cancel;
  cancel.set_run_id(run_id);
  cancel.set_reason("enough");
  ASSERT_OK(runner().Cancel(cancel));
  Release(lease);
  ASSERT_OK(runner().AdoptOpenRuns());
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_EQ(run.record().error(), "enough");
}

TEST_F(RunnerQuestionsTest, IdsThatAreMalformedAreNamed) {
  v1::ListQuestionsRequest list;
  list.set_run_id("run-x");
  EXPECT_THAT(
      runner().ListQuestions(list),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("run_id")));
  list.set_run_id("");
  list.set_movie_id("Film!");
  EXPECT_THAT(
      runner().ListQuestions(list),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("movie_id")));
  EXPECT_THAT(Answer(std::string(kRun1), "1", ""),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("answer.question_id")));
}

}  // namespace
}  // namespace kinora
