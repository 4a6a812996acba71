// Steps whose jobs ask a person something.

#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/runner/testing/runner_steps_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

class RunnerStepQuestionsTest : public RunnerStepsFixture {
 protected:
  void MakeAsking(const std::string& terms) {
    MakeMovie(Chain(absl::StrCat(
        "{question: 'Go?', question_kind: confirm, question_terms: {", terms,
        "}}")));
    planned_ = MakePlan();
    lease_ = TakeFilmLease(store(), "workflow", kRun1);
  }

  // Executes A, which asks for the `times`th time; then `meanwhile` happens.
  template <typename Meanwhile>
  v1::JobState ExecuteAsking(const v1::ExecuteJobRequest& request, int times,
                             const Meanwhile& meanwhile) {
    absl::StatusOr<v1::ExecuteJobResponse> answer;
    std::thread call([&] { answer = client_.ExecuteJob(request); });
    // Its ledger begins with the first call.
    v1::ReadEventsRequest read;
    read.mutable_log()->set_movie_id("film");
    read.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
    read.mutable_log()->set_run_id(std::string(kRun1));
    while (absl::IsNotFound(store().events.ReadPage(read).status())) {
      std::this_thread::yield();
    }
    Ledger(std::string(kRun1), [&times](const v1::LedgerEvent& event) {
      return event.job().type() == "question" && --times == 0;
    });
    meanwhile();
    call.join();
    EXPECT_OK(answer);
    return answer.ok() ? answer->job() : v1::JobState();
  }

  void Answer() {
    v1::AnswerQuestionRequest request;
    request.set_run_id(std::string(kRun1));
    request.set_job_id("A");
    request.mutable_answer()->set_question_id("sim");
    request.mutable_answer()->set_value_json("true");
    EXPECT_OK(runner().AnswerQuestion(request));
  }

  Planned planned_;
  v1::LeaseToken lease_;
};

// The run is its caller's, so it is the job that fails.
TEST_F(RunnerStepQuestionsTest, WhatNobodyAnsweredIsAskedAnewByTheNextCall) {
  MakeAsking("timeout: 0.02, onDeadline: cancel_run");
  const v1::ExecuteJobRequest request = Job(planned_, "A", lease_);
  const v1::JobState failed = ExecuteAsking(
      request, 1, [&] { clock_.SetNow(clock_.Now() + absl::Seconds(1)); });
  EXPECT_EQ(failed.status(), "failed");
  EXPECT_THAT(failed.detail(), HasSubstr("nobody answered \"sim\" of job A"));
  const v1::JobState done = ExecuteAsking(request, 2, [&] { Answer(); });
  EXPECT_EQ(done.status(), "completed") << done.detail();
}

TEST_F(RunnerStepQuestionsTest, ACallThatTimesOutLetsTheNextOneAskAnew) {
  MakeAsking("");
  v1::ExecuteJobRequest request = Job(planned_, "A", lease_);
  request.mutable_timeout()->set_seconds(1);
  EXPECT_EQ(ExecuteAsking(request, 1, [] {}).status(), "failed");
  request.clear_timeout();
  const v1::JobState done = ExecuteAsking(request, 2, [&] { Answer(); });
  EXPECT_EQ(done.status(), "completed") << done.detail();
}

}  // namespace
}  // namespace kinora
