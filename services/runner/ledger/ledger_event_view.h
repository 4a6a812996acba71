// What the reduction reads of a ledger event, wherever the event comes from.

#ifndef KINORA_SERVICES_RUNNER_LEDGER_LEDGER_EVENT_VIEW_H_
#define KINORA_SERVICES_RUNNER_LEDGER_LEDGER_EVENT_VIEW_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "common/json/json.h"
#include "kinora/v1/ledger.pb.h"

namespace kinora {

// Texts are those of the event that the view is of, which MUST outlive it.
struct LedgerEventView {
  enum class Type {
    kOther,  // of no effect, such as `job.*`, or not known
    kRunCreated,
    kRunStarted,
    kRunWaiting,
    kRunResumed,
    kRunCompleted,
    kRunFailed,
    kRunCancelled,
    kStepStarted,
    kStepProgress,
    kStepCompleted,
    kStepFailed,
    kStepSkipped,
    kLogAppended,
    kArtefactsSummaryUpdated,
  };
  using Text = std::optional<absl::string_view>;

  struct Progress {
    std::optional<double> completed;
    std::optional<double> total;
    std::optional<double> failed;
    Text message;
    Text artefact_namespace;
    std::optional<double> started_at;
    std::optional<double> completed_at;
    std::optional<double> updated_at;
  };

  Type type = Type::kOther;
  absl::string_view run_id;
  double occurred_at = 0;
  // Of runs.
  Text movie_id;
  Text status;                                // also of a step's progress
  Text error;                                 // also of a step's failure
  std::optional<std::string> result;          // JSON
  std::optional<std::string> result_summary;  // JSON
  // Of steps.
  absl::string_view step_id;
  Text label;
  Text kind;
  Text artefact_namespace;  // also of the summary: its `namespace`
  Progress progress;
  // Of the log.
  std::vector<absl::string_view> lines;
  double first_seq = 0;
  bool logs_truncated = false;
};

LedgerEventView ViewOf(const v1::LedgerEvent& event);

// Of the flat JSON form (common/json/ledger_json.h). What is not there, null or
// of the wrong type is missing; a missing time is 0, an event without a run
// belongs to the run "". To refuse such events is up to ingestion.
LedgerEventView ViewOf(const JsonValue& event);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_LEDGER_EVENT_VIEW_H_
