// Runs at the edge of a budget ask whether they may cost more; and requests to
// a run through a runner that does not carry it out.

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/cost_text.h"
#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/runner/runner.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kCent[] = "{cost: 0.01, currency: USD}";
// Is lost with its runner, and nobody knows what became of it.
constexpr char kLost[] = R"(
blueprint: lost
nodes:
  Part:
    producer: sim
    price: {min: 0.01, max: 0.02, currency: USD}
    settings: {cost: 0.01, currency: USD, delay_ms: 600000, slow_attempts: 1}
    outputs: {Text: text/plain}
outputs: [Text]
)";

v1::Cost Cost(const std::string& text) {
  return ParseCostText(text).value_or(v1::Cost());
}

using Until = std::function<bool(const v1::LedgerEvent&)>;

Until Waits(const std::string& reason, int times = 1) {
  return [reason, times, seen = 0](const v1::LedgerEvent& event) mutable {
    seen += event.run_waiting().reason() == reason ? 1 : 0;
    return seen == times;
  };
}

class RunnerBudgetQuestionTest : public RunnerFixture {
 protected:
  std::string StartWith(const std::string& cap) {
    v1::StartRunRequest request = StartRequest();
    if (!cap.empty()) *request.mutable_budget() = Cost(cap);
    const absl::StatusOr<v1::StartRunResponse> started =
        runner().Start(request);
    EXPECT_OK(started);
    return started.ok() ? started->run().run_id() : "";
  }

  // A run that is over its budget at once, and says so.
  std::string AtTheEdge() {
    MakeMovie(Paid("sim", 3, kCent));
    const std::string run_id = StartWith("USD 0.01");
    Ledger(run_id, Waits("budget"));
    return run_id;
  }

  // A run whose job was lost with a runner before this one.
  std::string InDoubt() {
    MakeMovie(kLost);
    const std::string run_id = StartWith("");
    Ledger(run_id, [](const v1::LedgerEvent& event) {
      return event.has_step_started();
    });
    process_.reset();
    process_ = NewProcess();
    EXPECT_OK(runner().AdoptOpenRuns());
    Ledger(run_id, Waits("in_doubt"));
    return run_id;
  }

  static std::vector<v1::PendingQuestion> QuestionsOf(Runner& runner) {
    const absl::StatusOr<v1::ListQuestionsResponse> list =
        runner.ListQuestions(v1::ListQuestionsRequest());
    EXPECT_OK(list);
    if (!list.ok()) return {};
    return {list->questions().begin(), list->questions().end()};
  }

  static absl::Status AnswerAt(Runner& runner, const std::string& run_id,
                               const std::string& value_json) {
    v1::AnswerQuestionRequest request;
    request.set_run_id(run_id);
    request.mutable_answer()->set_question_id("budget");
    request.mutable_answer()->set_value_json(value_json);
    return runner.AnswerQuestion(request).status();
  }

  static absl::StatusOr<v1::SetRunBudgetResponse> SetAt(
      Runner& runner, const std::string& run_id, const std::string& cap) {
    v1::SetRunBudgetRequest request;
    request.set_run_id(run_id);
    *request.mutable_cap() = Cost(cap);
    return runner.SetBudget(request);
  }

  static std::vector<std::string> RetryAt(Runner& runner,
                                          const std::string& run_id) {
    v1::RetryRunRequest request;
    request.set_run_id(run_id);
    const absl::StatusOr<v1::RetryRunResponse> retried = runner.Retry(request);
    EXPECT_OK(retried);
    if (!retried.ok()) return {};
    return {retried->job_ids().begin(), retried->job_ids().end()};
  }

  int TimesAsked(const std::string& run_id, const Until& until = nullptr) {
    int count = 0;
    for (const v1::LedgerEvent& event : Ledger(run_id, until)) {
      count += event.job().type() == "over_budget" ? 1 : 0;
    }
    return count;
  }

  void ExpectCompletedWith(const std::string& cap, const std::string& run_id) {
    const v1::RunSnapshot run = Finish(run_id);
    EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
        << run.record().error();
    EXPECT_EQ(FormatCost(run.record().budget()), cap);
    EXPECT_THAT(run.pending_question_ids(), IsEmpty());
    EXPECT_THAT(QuestionsOf(runner()), IsEmpty());
  }
};

TEST_F(RunnerBudgetQuestionTest, TheEdgeIsAQuestionAndItsAnswerTheNewCap) {
  const std::string run_id = AtTheEdge();
  const std::vector<v1::PendingQuestion> questions = QuestionsOf(runner());
  ASSERT_EQ(questions.size(), 1u);
  EXPECT_EQ(questions[0].run_id(), run_id);
  EXPECT_EQ(questions[0].question().question_id(), "budget");
  EXPECT_THAT(questions[0].question().prompt(),
              AllOf(HasSubstr("may cost 0.02 USD"),
                    HasSubstr("budget of the run, 0.01 USD"),
                    HasSubstr(absl::StrCat("kinora runs budget ", run_id))));
  v1::GetRunRequest get;
  get.set_run_id(run_id);
  ASSERT_OK_AND_ASSIGN(const v1::GetRunResponse waiting, runner().Get(get));
  EXPECT_THAT(waiting.run().pending_question_ids(), ElementsAre("budget"));

  for (const std::string bad : {R"("a lot")", "-1", "0.015"}) {
    EXPECT_THAT(AnswerAt(runner(), run_id, bad),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("answer.value_json")))
        << bad;
  }
  EXPECT_THAT(AnswerAt(runner(), run_id, R"("EUR 5")"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("EUR"), HasSubstr("USD"))));
  EXPECT_EQ(QuestionsOf(runner()).size(), 1u);
  EXPECT_EQ(calls(), 0);

  ASSERT_OK(AnswerAt(runner(), run_id, "0.06"));
  ExpectCompletedWith("0.06 USD", run_id);
  EXPECT_EQ(TimesAsked(run_id), 1);
  EXPECT_EQ(ReasonOf(AnswerAt(runner(), run_id, "1")), "RUN_TERMINAL");
}

TEST_F(RunnerBudgetQuestionTest, ARaiseThatDoesNotReachToTheEndAsksAgain) {
  const std::string run_id = AtTheEdge();
  ASSERT_OK(SetAt(runner(), run_id, "USD 0.02"));
  Ledger(run_id, Waits("budget", 2));
  EXPECT_EQ(calls(), 1);
  const std::vector<v1::PendingQuestion> questions = QuestionsOf(runner());
  ASSERT_EQ(questions.size(), 1u);
  EXPECT_EQ(questions[0].question().default_json(), R"("0.03 USD")");
  ASSERT_OK(SetAt(runner(), run_id, "USD 1"));
  ExpectCompletedWith("1.00 USD", run_id);
  EXPECT_EQ(TimesAsked(run_id), 2);
}

// Who is to decide was told, and need not be told again.
TEST_F(RunnerBudgetQuestionTest, AnAdoptedRunDoesNotAskAnew) {
  const std::string run_id = AtTheEdge();
  process_.reset();
  process_ = NewProcess();
  EXPECT_EQ(QuestionsOf(runner()).size(), 1u);  // of a run that nobody has
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(TimesAsked(run_id, Waits("budget", 2)), 1);
  EXPECT_EQ(QuestionsOf(runner()).size(), 1u);
  ASSERT_OK(AnswerAt(runner(), run_id, R"("USD 0.10")"));
  ExpectCompletedWith("0.10 USD", run_id);
  EXPECT_EQ(TimesAsked(run_id), 1);
}

TEST_F(RunnerBudgetQuestionTest, AProducersBudgetIsNotSetByAnAnswer) {
  MakeMovie(Paid("capped", 6, "{cost: 0.02, currency: USD}"));
  const std::string run_id = StartWith("");
  Ledger(run_id, Waits("budget"));
  ASSERT_EQ(QuestionsOf(runner()).size(), 1u);
  EXPECT_THAT(AnswerAt(runner(), run_id, "5"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("producer \"capped\""),
                             HasSubstr("in its table"))));
  v1::CancelRunRequest cancel;
  cancel.set_run_id(run_id);
  ASSERT_OK(runner().Cancel(cancel));
  Finish(run_id);
  EXPECT_THAT(QuestionsOf(runner()), IsEmpty());
}

TEST_F(RunnerBudgetQuestionTest, AnyRunnerListsAndTakesTheAnswer) {
  const std::string run_id = AtTheEdge();
  const std::unique_ptr<RunnerProcess> other = NewProcess();
  EXPECT_EQ(QuestionsOf(other->runner()).size(), 1u);
  EXPECT_THAT(AnswerAt(other->runner(), run_id, "-1"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-1")));
  ASSERT_OK(AnswerAt(other->runner(), run_id, "0.06"));
  // It is in the ledger, whether or not its runner has seen it.
  EXPECT_THAT(QuestionsOf(other->runner()), IsEmpty());
  ExpectCompletedWith("0.06 USD", run_id);
  EXPECT_EQ(other->calls(), 0);
}

TEST_F(RunnerBudgetQuestionTest, AnyRunnerSetsTheBudget) {
  MakeMovie(Paid("single", 3, kCent));
  const std::string run_id = StartWith("USD 0.02");
  Ledger(run_id, Waits("budget"));  // with 0.01 spent
  const std::unique_ptr<RunnerProcess> other = NewProcess();
  EXPECT_THAT(SetAt(other->runner(), run_id, "USD 0.005"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("0.005"), HasSubstr("0.01 USD"))));
  EXPECT_THAT(SetAt(other->runner(), run_id, "EUR 5"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("EUR"), HasSubstr("USD"))));
  ASSERT_OK_AND_ASSIGN(const v1::SetRunBudgetResponse set,
                       SetAt(other->runner(), run_id, "USD 0.50"));
  EXPECT_EQ(FormatCost(set.spent()), "0.01 USD");
  ExpectCompletedWith("0.50 USD", run_id);
}

TEST_F(RunnerBudgetQuestionTest, AnyRunnerHasAJobInDoubtCalledAgain) {
  const std::string run_id = InDoubt();
  const std::unique_ptr<RunnerProcess> other = NewProcess();
  v1::RetryRunRequest wrong;
  wrong.set_run_id(run_id);
  wrong.set_job_id("Other");
  EXPECT_THAT(
      other->runner().Retry(wrong),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("\"Other\"")));
  EXPECT_THAT(RetryAt(other->runner(), run_id), ElementsAre("Part"));
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(calls(), 1);
  EXPECT_EQ(other->calls(), 0);
}

// Nobody carries the run out when somebody decides.
TEST_F(RunnerBudgetQuestionTest, WhoeverAdoptsARunFindsWhatWasDecided) {
  const std::string run_id = InDoubt();
  process_.reset();
  process_ = NewProcess();
  EXPECT_THAT(RetryAt(runner(), run_id), ElementsAre("Part"));
  ASSERT_OK(runner().AdoptOpenRuns());
  EXPECT_EQ(Finish(run_id).record().status(), v1::RUN_STATUS_COMPLETED);
}

}  // namespace
}  // namespace kinora
