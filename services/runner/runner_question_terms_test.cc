// Runs in which nobody answers in time, or several people have to agree.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/proto_time.h"
#include "common/testing/status_matchers.h"
#include "services/runner/questions/question_events.h"
#include "services/runner/testing/runner_questions_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The clock of the runs stands still, so it is the deadline when a test says
// so; the runner looks at it as often as this.
constexpr char kSoon[] = "timeout: 0.02";

std::string Confirm(const std::string& terms) {
  return Asking(absl::StrCat(
      "{question: 'Go?', question_kind: confirm, question_terms: {", terms,
      "}}"));
}

class RunnerQuestionTermsTest : public RunnerQuestionsFixture {
 protected:
  // Of the wall clock; leases go by the other one.
  void PassTime(absl::Duration time) { clock_.SetNow(clock_.Now() + time); }

  std::string StartAndAsk(const std::string& terms) {
    MakeMovie(Confirm(terms));
    const std::string run_id = Start();
    Ledger(run_id, WaitsFor("question"));
    return run_id;
  }

  v1::PendingQuestion Pending(const std::string& run_id) {
    v1::ListQuestionsRequest request;
    request.set_run_id(run_id);
    absl::StatusOr<v1::ListQuestionsResponse> list =
        runner().ListQuestions(request);
    EXPECT_OK(list);
    if (!list.ok() || list->questions_size() != 1) {
      ADD_FAILURE() << "not one question";
      return v1::PendingQuestion();
    }
    return list->questions(0);
  }
};

TEST_F(RunnerQuestionTermsTest, TheDefaultIsTheAnswerAtTheDeadline) {
  const std::string run_id =
      StartAndAsk(absl::StrCat(kSoon, ", defaultJson: 'true'"));
  EXPECT_EQ(FromProto(Pending(run_id).deadline()),
            clock_.Now() + absl::Milliseconds(20));
  PassTime(absl::Seconds(1));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Output("AText"), HasSubstr("answer = true"));
  EXPECT_EQ(Count(run_id, "answered"), 1);
  EXPECT_EQ(Count(run_id, "unanswered"), 0);
}

TEST_F(RunnerQuestionTermsTest, WithoutADefaultTheJobFailsAtTheDeadline) {
  const std::string run_id = StartAndAsk(kSoon);
  PassTime(absl::Seconds(1));
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_THAT(run.record().error(),
              HasSubstr("job A: nobody answered \"sim\" of job A by "));
  EXPECT_EQ(calls(), 2);  // A once, and E
  EXPECT_EQ(Count(run_id, "unanswered"), 1);
  EXPECT_EQ(Count(run_id, "retrying"), 0);
  EXPECT_THAT(Questions(), IsEmpty());
  EXPECT_EQ(ReasonOf(Answer(run_id, "true")), "RUN_TERMINAL");
}

TEST_F(RunnerQuestionTermsTest, TheRunIsCancelledAtTheDeadline) {
  const std::string run_id =
      StartAndAsk(absl::StrCat(kSoon, ", onDeadline: cancel_run"));
  PassTime(absl::Seconds(1));
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_THAT(run.record().error(), HasSubstr("nobody answered"));
  EXPECT_EQ(Count(run_id, "unanswered"), 1);
}

// The attempt waits on its stream, and is told to end.
TEST_F(RunnerQuestionTermsTest, AnOpenStreamIsCancelledAtTheDeadline) {
  process_ = nullptr;
  process_ = NewProcess({.answers_on_stream = true});
  const std::string run_id = StartAndAsk(kSoon);
  PassTime(absl::Seconds(1));
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_THAT(run.record().error(), HasSubstr("nobody answered"));
  EXPECT_EQ(Count(run_id, "asking"), 0);
}

TEST_F(RunnerQuestionTermsTest, AnAnswerInTimeIsTheAnswer) {
  const std::string run_id =
      StartAndAsk(absl::StrCat(kSoon, ", defaultJson: 'true'"));
  ASSERT_OK(Answer(run_id, "false"));
  PassTime(absl::Seconds(1));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Output("AText"), HasSubstr("answer = false"));
  EXPECT_EQ(Count(run_id, "answered"), 1);
}

// The deadline is the ledger's, whoever carries the run out.
TEST_F(RunnerQuestionTermsTest, ADeadlineThatHasPassedMeanwhileIsActedOnOnce) {
  const std::string run_id = StartAndAsk("timeout: 3600, defaultJson: 'true'");
  const absl::Time deadline = FromProto(Pending(run_id).deadline());
  PassTime(absl::Minutes(30));
  Restart();
  EXPECT_EQ(FromProto(Pending(run_id).deadline()), deadline);
  process_.reset();
  PassTime(absl::Minutes(31));
  process_ = NewProcess();
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Output("AText"), HasSubstr("answer = true"));
  EXPECT_EQ(Count(run_id, "answered"), 1);
  EXPECT_EQ(Count(run_id, "question"), 1);
}

// Dies between the end of the question and that of its job.
TEST_F(RunnerQuestionTermsTest, AnEndThatIsInTheLedgerFailsTheJobAtAdoption) {
  const std::string run_id = StartAndAsk("timeout: 3600");
  process_.reset();
  RunQuestion asked;
  asked.job_id = "A";
  asked.question.set_question_id("sim");
  Unanswered unanswered;
  unanswered.message = "nobody was there";
  v1::LedgerEvent told;
  *told.mutable_job() = UnansweredEvent(asked, unanswered);
  TellAsTheDead(run_id, told);
  process_ = NewProcess();
  ASSERT_OK(runner().AdoptOpenRuns());
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_THAT(run.record().error(), HasSubstr("nobody was there"));
  EXPECT_EQ(calls(), 0);
}

// The question ends before the run that was adopted knows its job again.
TEST_F(RunnerQuestionTermsTest, AJobOfAnExpansionFailsAtAPassedDeadline) {
  MakeMovie(Scenes(R"({text: '["a", "b"]'})",
                   "{question: 'Go?', question_kind: confirm, "
                   "question_terms: {timeout: 3600}}"));
  const std::string run_id = Start();
  Ledger(run_id, WaitsFor("question"));
  process_.reset();
  PassTime(absl::Hours(2));
  process_ = NewProcess();
  ASSERT_OK(runner().AdoptOpenRuns());
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_THAT(run.record().error(), HasSubstr("nobody answered"));
  EXPECT_EQ(Count(run_id, "unanswered"), 2);
  EXPECT_EQ(calls(), 0);
}

TEST_F(RunnerQuestionTermsTest, AQuestionComesToOthersWhenItsTimeIsUp) {
  const std::string run_id =
      StartAndAsk(absl::StrCat(kSoon,
                               ", assignees: [ann], escalations: "
                               "[{assignees: [bob, editors], timeout: 3600}]"));
  EXPECT_THAT(Pending(run_id).assignees(), ElementsAre("ann"));
  PassTime(absl::Seconds(1));
  Ledger(run_id, Tells("escalated"));
  Restart();  // and whoever goes on knows it
  const v1::PendingQuestion pending = Pending(run_id);
  EXPECT_EQ(pending.escalations(), 1u);
  EXPECT_THAT(pending.assignees(), ElementsAre("bob", "editors"));
  EXPECT_EQ(FromProto(pending.deadline()), clock_.Now() + absl::Hours(1));
  ASSERT_OK(Answer(run_id, "true", "sim", "bob"));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(Count(run_id, "escalated"), 1);
}

TEST_F(RunnerQuestionTermsTest, SoManyPeopleMustAgree) {
  const std::string run_id = StartAndAsk("quorum: 2");
  EXPECT_THAT(Answer(run_id, "true", "sim", ""),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("answer.answered_by: must be set")));
  ASSERT_OK(Answer(run_id, "true", "sim", "ann"));
  EXPECT_THAT(Answer(run_id, "false", "sim", "ann"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has answered already, true")));
  ASSERT_EQ(Pending(run_id).votes_size(), 1);
  EXPECT_EQ(Pending(run_id).votes(0).answered_by(), "ann");
  ASSERT_OK(Answer(run_id, "false", "sim", "bob"));
  // The rest is another runner's.
  Restart();
  EXPECT_EQ(Pending(run_id).votes_size(), 2);
  EXPECT_THAT(Answer(run_id, "true", "sim", "bob"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has answered already, false")));
  ASSERT_OK(Answer(run_id, "true", "sim", "cleo"));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Output("AText"), HasSubstr("answer = true"));
  EXPECT_EQ(Count(run_id, "voted"), 3);
  EXPECT_EQ(Count(run_id, "answered"), 1);
}

// The one who decides has told nobody; whoever goes on counts.
TEST_F(RunnerQuestionTermsTest, VotesAreTakenWhileNoRunnerHasTheRun) {
  const std::string run_id = StartAndAsk("quorum: 2");
  process_.reset();
  process_ = NewProcess();
  ASSERT_OK(Answer(run_id, "true", "sim", "ann"));
  EXPECT_THAT(Answer(run_id, "true", "sim", "ann"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("has answered already")));
  ASSERT_OK(Answer(run_id, "true", "sim", "bob"));
  EXPECT_THAT(Questions(run_id), IsEmpty());
  EXPECT_EQ(ReasonOf(Answer(run_id, "true", "sim", "cleo")),
            "QUESTION_NOT_FOUND");
  EXPECT_EQ(calls(), 0);
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(Count(run_id, "answered"), 1);
}

TEST_F(RunnerQuestionTermsTest, WhatNoQuorumCanAgreeToIsANo) {
  const std::string run_id = StartAndAsk("quorum: 2, voters: 2");
  ASSERT_OK(Answer(run_id, "true", "sim", "ann"));
  ASSERT_OK(Answer(run_id, "false", "sim", "bob"));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Output("AText"), HasSubstr("answer = false"));
}

TEST_F(RunnerQuestionTermsTest, TermsThatContradictEachOtherFailTheJob) {
  MakeMovie(Confirm("quorum: 3, voters: 2"));
  const v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_THAT(run.record().error(), HasSubstr("question.voters"));
  EXPECT_EQ(Count(run.record().run_id(), "question"), 0);
}

// F: S3-17
TEST_F(RunnerQuestionTermsTest, TheRunSaysUntilWhenItWaitsForPeople) {
  const std::string run_id = StartAndAsk("timeout: 3600, defaultJson: 'true'");
  const v1::RunWait wait = AwaitRecord(run_id, [](const v1::RunRecord& run) {
                             return run.wait().reason() == "question";
                           }).wait();
  EXPECT_EQ(FromProto(wait.until()), FromProto(Pending(run_id).deadline()));
  EXPECT_EQ(FromProto(Get(run_id).record().wait().until()),
            FromProto(wait.until()));
  ASSERT_OK(Answer(run_id, "true"));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
}

// F: S3-7
TEST_F(RunnerQuestionTermsTest, WhatIsNotRequiredMayBePassedOver) {
  const std::string run_id = StartAndAsk("required: false");
  ASSERT_OK(Answer(run_id, "null"));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Output("AText"), HasSubstr("answer = null"));
  EXPECT_EQ(Count(run_id, "unanswered"), 0);
}

// It shows other content each time it is called, and takes each default.
TEST_F(RunnerQuestionTermsTest, AJobThatAsksAboutOtherContentForEverFails) {
  MakeMovie(Confirm(
      absl::StrCat(kSoon, ", defaultJson: 'true', contentHash: answers")));
  const std::string run_id = Start();
  for (int asked = 1; asked <= 16; ++asked) {
    int seen = 0;
    Ledger(run_id, [&seen, asked](const v1::LedgerEvent& event) {
      return event.job().type() == "question" && ++seen == asked;
    });
    PassTime(absl::Seconds(1));
  }
  const v1::RunSnapshot run = Finish(run_id);
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_THAT(run.record().error(),
              HasSubstr("question \"sim\" was asked about 16 contents"));
  EXPECT_EQ(Count(run_id, "question"), 16);
  EXPECT_EQ(Count(run_id, "retrying"), 0);
}

}  // namespace
}  // namespace kinora
