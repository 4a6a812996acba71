#include "services/runner/questions/budget_question.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "common/cost_text.h"
#include "common/error_reason.h"
#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/json/ledger_json.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr absl::string_view kNone = "none";

absl::string_view WordOf(RunBudget::Scope scope) {
  switch (scope) {
    case RunBudget::Scope::kRun:
      return "run";
    case RunBudget::Scope::kProducer:
      return "producer";
    case RunBudget::Scope::kMovie:
      return "movie";
  }
  return "";
}

std::string NameOf(const RunBudget::Obstacle& obstacle) {
  if (obstacle.scope != RunBudget::Scope::kProducer) {
    return std::string(WordOf(obstacle.scope));
  }
  return absl::StrCat("producer \"", obstacle.producer, "\"");
}

// Whom to ask for more; `amount` is the cap that would do.
std::string WayOut(const std::string& movie_id, const std::string& run_id,
                   const RunBudget::Obstacle& obstacle,
                   const std::string& amount) {
  switch (obstacle.scope) {
    case RunBudget::Scope::kRun:
      return absl::StrCat("kinora runs budget ", run_id, " '", amount,
                          "' lets it go on");
    case RunBudget::Scope::kProducer:
      return absl::StrCat(
          "it goes on once the runner was started with another "
          "budget of the producer in its table");
    case RunBudget::Scope::kMovie:
      return absl::StrCat("kinora movie quota ", movie_id, " --max-cost '",
                          amount, "' lets it go on");
  }
  return "";
}

v1::Cost EnoughFor(const RunBudget::Obstacle& obstacle) {
  v1::Cost enough = obstacle.cap;
  enough.set_micros(obstacle.spent.micros() + obstacle.reserved.micros() +
                    obstacle.needed.micros());
  return enough;
}

std::string TextOf(const std::string& movie_id, const std::string& run_id,
                   const std::string& job_id,
                   const RunBudget::Obstacle& obstacle) {
  if (obstacle.foreign.has_value()) {
    return absl::StrCat(
        "job ", job_id, " waits: the budget of the ", NameOf(obstacle), ", ",
        FormatCost(obstacle.cap), ", cannot count ",
        FormatCost(*obstacle.foreign), "; ",
        WayOut(movie_id, run_id, obstacle,
               obstacle.scope == RunBudget::Scope::kRun ? std::string(kNone)
                                                        : "0"));
  }
  return absl::StrCat(
      "job ", job_id, " may cost ", FormatCost(obstacle.needed),
      "; of the budget of the ", NameOf(obstacle), ", ",
      FormatCost(obstacle.cap), ", ", FormatCost(obstacle.spent),
      " is spent and ", FormatCost(obstacle.reserved), " reserved; ",
      WayOut(movie_id, run_id, obstacle, FormatCost(EnoughFor(obstacle))));
}

bool AreEqual(const v1::Cost& a, const v1::Cost& b) {
  return a.micros() == b.micros() && a.currency_code() == b.currency_code();
}

}  // namespace

v1::JobEvent OverBudgetEvent(const std::string& movie_id,
                             const std::string& run_id,
                             const std::string& job_id,
                             const RunBudget::Obstacle& obstacle) {
  v1::JobEvent event;
  event.set_type(std::string(kOverBudget));
  event.set_job_id(job_id);
  event.set_message(TextOf(movie_id, run_id, job_id, obstacle));
  JsonObject detail;
  detail.Add("scope", std::string(WordOf(obstacle.scope)));
  detail.Add("producer", obstacle.producer);
  detail.Add("cap", CostToJson(obstacle.cap));
  detail.Add("spent", CostToJson(obstacle.spent));
  detail.Add("reserved", CostToJson(obstacle.reserved));
  detail.Add("needed", CostToJson(obstacle.needed));
  if (obstacle.foreign.has_value()) {
    detail.Add("foreign", CostToJson(*obstacle.foreign));
  } else {
    detail.Add("enough", CostToJson(EnoughFor(obstacle)));
  }
  event.set_detail_json(CanonicalJson(JsonValue(std::move(detail))));
  return event;
}

void BudgetQuestion::Apply(const v1::LedgerEvent& event) {
  const auto settle_if = [this](bool is_settled) {
    if (is_settled) asked_.reset();
  };
  switch (event.kind_case()) {
    case v1::LedgerEvent::kJob:
      if (event.job().type() == kOverBudget) Take(event);
      return;
    case v1::LedgerEvent::kRunBudget:
      return settle_if(of_run_ && !(event.run_budget().has_cap() &&
                                    AreEqual(event.run_budget().cap(), cap_)));
    case v1::LedgerEvent::kStepCompleted:
      return settle_if(event.step_completed().step().step_id() == job_id_);
    case v1::LedgerEvent::kStepFailed:
      return settle_if(event.step_failed().step().step_id() == job_id_);
    case v1::LedgerEvent::kStepSkipped:
      return settle_if(event.step_skipped().step().step_id() == job_id_);
    case v1::LedgerEvent::kStepStarted:
    case v1::LedgerEvent::kRunCompleted:
    case v1::LedgerEvent::kRunFailed:
    case v1::LedgerEvent::kRunCancelled:
      return settle_if(true);
    default:
      return;
  }
}

void BudgetQuestion::Take(const v1::LedgerEvent& event) {
  const v1::JobEvent& told = event.job();
  const absl::StatusOr<JsonValue> detail = ParseJson(told.detail_json());
  if (!detail.ok() || !detail->is_object()) return;
  const JsonValue* scope = detail->Find("scope");
  of_run_ = scope != nullptr && scope->is_string() &&
            scope->string_value() == WordOf(RunBudget::Scope::kRun);
  job_id_ = told.job_id();
  cap_ = CostInDetail(*detail, "cap");
  enough_.reset();
  if (detail->Find("enough") != nullptr) {
    enough_ = CostInDetail(*detail, "enough");
  }
  RunQuestion& asked = asked_.emplace();
  asked.asked_at_ms = event.occurred_at_ms();
  asked.question.set_question_id(std::string(kBudgetQuestion));
  asked.question.set_prompt(told.message());
  asked.question.set_kind(v1::QUESTION_KIND_TEXT);
  // Of another budget nothing can be proposed: it is not set by an answer.
  if (!of_run_) return;
  asked.question.set_default_json(CanonicalJson(JsonValue(
      enough_.has_value() ? FormatCost(*enough_) : std::string(kNone))));
}

absl::StatusOr<std::optional<v1::Cost>> BudgetQuestion::CapOf(
    absl::string_view value_json) const {
  const auto bad = [value_json](absl::string_view why) {
    return InvalidField("answer.value_json", value_json, why);
  };
  if (!of_run_) {
    return absl::FailedPreconditionError(absl::StrCat(
        "an answer cannot raise that budget: ", asked_->question.prompt()));
  }
  const absl::StatusOr<JsonValue> value = ParseJson(value_json);
  absl::string_view text;
  if (value.ok() && value->is_string()) text = value->string_value();
  if (value.ok() && value->is_number()) {
    text = absl::StripAsciiWhitespace(value_json);
  }
  if (text == kNone) return std::optional<v1::Cost>();
  std::optional<v1::Cost> cap = ParseCostText(text);
  if (!cap.has_value()) {
    return bad("expected the new cap, such as 12.50 or \"USD 12.50\", or none");
  }
  if (cap->currency_code().empty()) {
    cap->set_currency_code(cap_.currency_code());
  }
  if (enough_.has_value() && cap->currency_code() == enough_->currency_code() &&
      cap->micros() < enough_->micros()) {
    return bad(absl::StrCat("not enough: job ", job_id_, " needs a cap of ",
                            FormatCost(*enough_)));
  }
  return cap;
}

absl::Status BudgetQuestion::CheckPending(absl::string_view prompt) const {
  if (asked_.has_value() && asked_->question.prompt() == prompt) {
    return absl::OkStatus();
  }
  return WithReason(
      absl::NotFoundError("no question \"budget\" waits for an answer any "
                          "more: the run has got another budget, or goes on"),
      "QUESTION_NOT_FOUND", {{"question", std::string(kBudgetQuestion)}});
}

}  // namespace kinora
