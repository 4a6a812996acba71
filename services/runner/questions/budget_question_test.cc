#include "services/runner/questions/budget_question.h"

#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/cost_text.h"
#include "common/error_reason.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

v1::Cost Cost(const std::string& text) {
  return ParseCostText(text).value_or(v1::Cost());
}

RunBudget::Obstacle ObstacleOf(RunBudget::Scope scope) {
  RunBudget::Obstacle obstacle;
  obstacle.scope = scope;
  obstacle.producer = "image";
  obstacle.cap = Cost("USD 5");
  obstacle.spent = Cost("USD 4.50");
  obstacle.reserved = Cost("USD 0.20");
  obstacle.needed = Cost("USD 0.50");
  return obstacle;
}

v1::LedgerEvent Told(const RunBudget::Obstacle& obstacle) {
  v1::LedgerEvent event;
  event.set_occurred_at_ms(17);
  *event.mutable_job() =
      OverBudgetEvent("film", "run-1", "Clip[i=3]", obstacle);
  return event;
}

v1::LedgerEvent CapSet(const std::string& cap) {
  v1::LedgerEvent event;
  event.mutable_run_budget();
  if (!cap.empty()) *event.mutable_run_budget()->mutable_cap() = Cost(cap);
  return event;
}

BudgetQuestion Asked(RunBudget::Scope scope) {
  BudgetQuestion question;
  question.Apply(Told(ObstacleOf(scope)));
  return question;
}

std::string CapOf(const BudgetQuestion& question, const std::string& json) {
  const absl::StatusOr<std::optional<v1::Cost>> cap = question.CapOf(json);
  EXPECT_OK(cap);
  if (!cap.ok()) return "";
  return cap->has_value() ? FormatCost(**cap) : "none";
}

TEST(BudgetQuestionTest, SaysAllAmountsAndWhatWouldDo) {
  const BudgetQuestion question = Asked(RunBudget::Scope::kRun);
  const RunQuestion* asked = question.pending();
  ASSERT_NE(asked, nullptr);
  EXPECT_EQ(asked->job_id, "");
  EXPECT_EQ(asked->asked_at_ms, 17);
  EXPECT_EQ(asked->question.question_id(), "budget");
  EXPECT_EQ(asked->question.prompt(),
            "job Clip[i=3] may cost 0.50 USD; of the budget of the run, 5.00 "
            "USD, 4.50 USD is spent and 0.20 USD reserved; kinora runs budget "
            "run-1 '5.20 USD' lets it go on");
  EXPECT_EQ(asked->question.default_json(), R"("5.20 USD")");
}

TEST(BudgetQuestionTest, ItsAnswerIsACap) {
  const BudgetQuestion question = Asked(RunBudget::Scope::kRun);
  EXPECT_EQ(CapOf(question, "7.25"), "7.25 USD");
  EXPECT_EQ(CapOf(question, R"("5.20")"), "5.20 USD");
  EXPECT_EQ(CapOf(question, R"("USD 12.50")"), "12.50 USD");
  EXPECT_EQ(CapOf(question, R"("none")"), "none");
}

TEST(BudgetQuestionTest, WhatIsNoAmountOrNotEnoughIsNamed) {
  const BudgetQuestion question = Asked(RunBudget::Scope::kRun);
  for (const std::string bad : {R"("a lot")", "-1", R"("-1 USD")", "true",
                                "[7]", "", "{", R"("1e3")"}) {
    EXPECT_THAT(question.CapOf(bad),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("answer.value_json")))
        << bad;
  }
  EXPECT_THAT(question.CapOf("5.19"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("5.19"), HasSubstr("Clip[i=3]"),
                             HasSubstr("5.20 USD"))));
}

TEST(BudgetQuestionTest, AnAnswerSetsNoOtherBudget) {
  const BudgetQuestion movie = Asked(RunBudget::Scope::kMovie);
  EXPECT_EQ(movie.pending()->question.default_json(), "");
  EXPECT_THAT(movie.CapOf("7"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("kinora movie quota film --max-cost")));
  EXPECT_THAT(Asked(RunBudget::Scope::kProducer).CapOf("7"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("producer \"image\"")));
}

TEST(BudgetQuestionTest, AnotherCapSettlesItIfThatWasInTheWay) {
  BudgetQuestion question = Asked(RunBudget::Scope::kRun);
  question.Apply(CapSet("USD 5"));  // as it was
  EXPECT_NE(question.pending(), nullptr);
  question.Apply(CapSet("USD 6"));
  EXPECT_EQ(question.pending(), nullptr);
  question = Asked(RunBudget::Scope::kRun);
  question.Apply(CapSet(""));
  EXPECT_EQ(question.pending(), nullptr);
  question = Asked(RunBudget::Scope::kMovie);
  question.Apply(CapSet("USD 6"));
  EXPECT_NE(question.pending(), nullptr);
}

TEST(BudgetQuestionTest, AStartAndTheEndSettleIt) {
  BudgetQuestion question = Asked(RunBudget::Scope::kMovie);
  v1::LedgerEvent event;
  event.mutable_run_resumed()->set_reason("adopted");
  question.Apply(event);
  event.mutable_step_skipped()->mutable_step()->set_step_id("Clip[i=4]");
  question.Apply(event);
  EXPECT_NE(question.pending(), nullptr);
  event.mutable_step_skipped()->mutable_step()->set_step_id("Clip[i=3]");
  question.Apply(event);
  EXPECT_EQ(question.pending(), nullptr);
  question = Asked(RunBudget::Scope::kMovie);
  event.mutable_step_started()->mutable_step()->set_step_id("Clip[i=4]");
  question.Apply(event);
  EXPECT_EQ(question.pending(), nullptr);
  question = Asked(RunBudget::Scope::kRun);
  event.mutable_run_cancelled();
  question.Apply(event);
  EXPECT_EQ(question.pending(), nullptr);
}

TEST(BudgetQuestionTest, WhatWasAskedBeforeIsNotAnsweredNow) {
  BudgetQuestion question = Asked(RunBudget::Scope::kRun);
  const std::string prompt = question.pending()->question.prompt();
  EXPECT_OK(question.CheckPending(prompt));
  RunBudget::Obstacle other = ObstacleOf(RunBudget::Scope::kRun);
  other.cap = Cost("USD 5.10");
  question.Apply(Told(other));
  EXPECT_EQ(ReasonOf(question.CheckPending(prompt)), "QUESTION_NOT_FOUND");
}

// No amount lets a cap count what is in another currency.
TEST(BudgetQuestionTest, AForeignAmountAsksForNoCapAtAll) {
  RunBudget::Obstacle obstacle = ObstacleOf(RunBudget::Scope::kRun);
  obstacle.foreign = Cost("EUR 1");
  BudgetQuestion question;
  question.Apply(Told(obstacle));
  EXPECT_THAT(question.pending()->question.prompt(),
              HasSubstr("cannot count 1.00 EUR"));
  EXPECT_EQ(question.pending()->question.default_json(), R"("none")");
}

}  // namespace
}  // namespace kinora
