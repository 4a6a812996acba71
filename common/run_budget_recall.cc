// The part of RunBudget that takes what the ledger tells.

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/json/json.h"
#include "common/json/ledger_json.h"
#include "common/run_budget.h"

namespace kinora {
namespace {

bool IsTrue(const JsonValue& detail, absl::string_view member) {
  const JsonValue* value = detail.Find(member);
  return value != nullptr && value->is_bool() && value->bool_value();
}

}  // namespace

void RunBudget::Recall(const v1::LedgerEvent& event) {
  switch (event.kind_case()) {
    case v1::LedgerEvent::kRunBudget:
      run_.cap.reset();
      if (event.run_budget().has_cap()) run_.cap = event.run_budget().cap();
      return;
    case v1::LedgerEvent::kStepStarted: {
      const v1::StepIdentity& step = event.step_started().step();
      return Hold(step.step_id(), step.kind(), event.step_started().reserved());
    }
    case v1::LedgerEvent::kStepCompleted: {
      const v1::StepIdentity& step = event.step_completed().step();
      Charge(step.step_id(), event.step_completed().cost());
      return Release(step.step_id());
    }
    case v1::LedgerEvent::kStepFailed: {
      const v1::StepIdentity& step = event.step_failed().step();
      Charge(step.step_id(), event.step_failed().cost());
      return GiveUp(step.step_id());
    }
    case v1::LedgerEvent::kJob: {
      const v1::JobEvent& job = event.job();
      // Either may be called again.
      const bool retries = job.type() == "retrying" || job.type() == "asking";
      if (!retries && job.type() != "charged" && job.type() != "recovering") {
        return;
      }
      const absl::StatusOr<JsonValue> parsed = ParseJson(job.detail_json());
      const JsonValue detail = parsed.ok() && parsed->is_object()
                                   ? *parsed
                                   : JsonValue(JsonObject());
      if (job.type() == "recovering") {
        if (IsTrue(detail, "released")) HandOn(job.job_id());
        return;
      }
      const bool is_known = retries && !IsTrue(detail, "inDoubt");
      Settle(job.job_id(), is_known ? End::kFailed : End::kLost,
             CostInDetail(detail));
      return;
    }
    case v1::LedgerEvent::kRunCompleted:
    case v1::LedgerEvent::kRunFailed:
    case v1::LedgerEvent::kRunCancelled:
      return ReleaseAll();
    default:
      return;
  }
}

}  // namespace kinora
