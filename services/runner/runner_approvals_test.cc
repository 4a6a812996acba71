// Runs that ask about content, some of which was approved of before.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/runner/testing/runner_questions_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A asks about content; another topic has it called again.
std::string Reviewing(const std::string& content_hash,
                      const std::string& more_terms = "") {
  return Chain(absl::StrCat("{question: 'Ok?', question_kind: confirm, ",
                            "question_terms: {contentHash: '", content_hash,
                            "'", more_terms, "}}"));
}

class RunnerApprovalsTest : public RunnerQuestionsFixture {
 protected:
  std::string StartWith(const std::string& topic) {
    absl::StatusOr<v1::StartRunResponse> started =
        runner().Start(StartRequest({{"Topic", topic}}));
    EXPECT_OK(started);
    return started.ok() ? started->run().run_id() : "";
  }

  // Starts a run that asks, and answers.
  std::string RunAndAnswer(const std::string& topic,
                           const std::string& value_json) {
    const std::string run_id = StartWith(topic);
    Ledger(run_id, WaitsFor("question"));
    EXPECT_OK(Answer(run_id, value_json));
    EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
    return run_id;
  }

  // Starts a run that is not to ask anybody.
  std::string RunUnasked(const std::string& topic) {
    const std::string run_id = StartWith(topic);
    EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
    EXPECT_EQ(Count(run_id, "question"), 0);
    EXPECT_EQ(Count(run_id, "asking"), 1);
    EXPECT_THAT(Output("AText"), HasSubstr("answer = true"));
    return run_id;
  }

  std::string DetailOf(const std::string& run_id, const std::string& type) {
    for (const v1::LedgerEvent& event : Ledger(run_id)) {
      if (event.job().type() == type) return event.job().detail_json();
    }
    return "";
  }
};

TEST_F(RunnerApprovalsTest, AnApprovalHoldsForTheSameContentInLaterRuns) {
  MakeMovie(Reviewing("sha-1"));
  const std::string first = RunAndAnswer("sea", "true");
  const std::string second = RunUnasked("moon");
  EXPECT_THAT(DetailOf(second, "answered"),
              HasSubstr(absl::StrCat(R"("approvedIn":")", first, "\"")));
  EXPECT_THAT(DetailOf(second, "answered"), HasSubstr(R"("answeredBy":"ann")"));
  // It is no artefact of the movie: nothing is left to do.
  const int64_t before = calls();
  const v1::RunSnapshot third = RunToEnd(StartRequest());
  EXPECT_EQ(third.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(calls(), before);
  // And it is the first one's still, whoever runs.
  Restart();
  EXPECT_THAT(DetailOf(RunUnasked("sun"), "answered"), HasSubstr(first));
}

TEST_F(RunnerApprovalsTest, OfOtherContentItIsVoidAndTheLedgerSaysWhy) {
  MakeMovie(Reviewing("inputs"));
  const std::string first = RunAndAnswer("sea", "true");
  const std::string second = StartWith("moon");
  Ledger(second, WaitsFor("question"));
  EXPECT_THAT(Questions(second), ::testing::ElementsAre("A Ok?"));
  ASSERT_OK(Answer(second, "true"));
  EXPECT_EQ(Finish(second).record().status(), v1::RUN_STATUS_COMPLETED);
  const std::string voided = DetailOf(second, "voided");
  EXPECT_THAT(voided, HasSubstr(R"("contentHash":")"));
  EXPECT_THAT(voided, HasSubstr(R"("newContentHash":")"));
  EXPECT_THAT(voided, HasSubstr(absl::StrCat(R"("runId":")", first, "\"")));
  EXPECT_EQ(Count(first, "voided"), 0);
}

TEST_F(RunnerApprovalsTest, WhatWasRefusedIsAskedAgain) {
  MakeMovie(Reviewing("sha-1"));
  RunAndAnswer("sea", "false");
  const std::string second = RunAndAnswer("moon", "true");
  EXPECT_EQ(Count(second, "voided"), 0);
  RunUnasked("sun");
}

TEST_F(RunnerApprovalsTest, WhatNobodySaidIsNoApproval) {
  MakeMovie(Reviewing("sha-1", ", timeout: 0.02, defaultJson: 'true'"));
  for (const char* topic : {"sea", "moon"}) {
    const std::string run_id = StartWith(topic);
    Ledger(run_id, WaitsFor("question"));
    clock_.SetNow(clock_.Now() + absl::Seconds(1));
    EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
    EXPECT_EQ(Count(run_id, "question"), 1) << topic;
  }
}

TEST_F(RunnerApprovalsTest, AnApprovalOutlivesItsRun) {
  MakeMovie(Reviewing("sha-1"));
  const std::string first = RunAndAnswer("sea", "true");
  RunToEnd(StartRequest({{"Side", "right"}}));
  v1::PruneMovieRequest prune;
  prune.set_movie_id("film");
  prune.set_keep_runs(1);
  prune.set_keep_takes(1);
  ASSERT_OK_AND_ASSIGN(const v1::PruneMovieResponse pruned,
                       store().maintenance.PruneMovie(prune));
  ASSERT_THAT(pruned.run_ids(), ::testing::Contains(first));
  RunUnasked("moon");
}

// Its runner died before it could keep the answer for later runs.
TEST_F(RunnerApprovalsTest, AnAnswerToARunThatNobodyHasIsAnApprovalToo) {
  MakeMovie(Reviewing("sha-1"));
  const std::string first = StartWith("sea");
  Ledger(first, WaitsFor("question"));
  process_.reset();
  process_ = NewProcess();
  ASSERT_OK(Answer(first, "true"));
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(Finish(first).record().status(), v1::RUN_STATUS_COMPLETED);
  RunUnasked("moon");
}

TEST_F(RunnerApprovalsTest, AnAnswerIsRefusedThatIsAboutOtherContent) {
  MakeMovie(Reviewing("sha-2"));
  const std::string run_id = StartWith("sea");
  Ledger(run_id, WaitsFor("question"));
  v1::AnswerQuestionRequest request;
  request.set_run_id(run_id);
  request.mutable_answer()->set_question_id("sim");
  request.mutable_answer()->set_value_json("true");
  request.mutable_answer()->set_content_hash("sha-1");
  const absl::Status refused = runner().AnswerQuestion(request).status();
  EXPECT_EQ(ReasonOf(refused), "QUESTION_NOT_FOUND");
  EXPECT_THAT(refused.message(), HasSubstr("asked about content sha-2"));
  request.mutable_answer()->set_content_hash("sha-2");
  ASSERT_OK(runner().AnswerQuestion(request));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(Questions(), IsEmpty());
}

}  // namespace
}  // namespace kinora
