// Workers that know nothing of ledger events report a status document; this
// turns the difference to the last snapshot into events.

#ifndef KINORA_SERVICES_RUNNER_LEDGER_RUN_PATCH_H_
#define KINORA_SERVICES_RUNNER_LEDGER_RUN_PATCH_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/json/json.h"
#include "kinora/v1/ledger.pb.h"
#include "services/runner/ledger/ledger_snapshot.h"

namespace kinora {

// The status document.
struct RunPatch {
  std::string run_id;
  std::optional<std::string> movie_id;
  std::optional<std::string> status;
  std::optional<std::string> error;
  std::optional<std::string> result;  // JSON
  std::optional<std::string> runtime_backend;
  std::optional<double> last_checkpoint_at;
  std::vector<std::string> live_logs;
  // Lines the worker had emitted before the first of live_logs.
  std::optional<double> live_logs_channel_offset;
  // By step id, in the order of the document (F: S2-94).
  std::vector<std::pair<std::string, LedgerProgress>> live_node_progress;
};

// Reads a document. Entries of `liveNodeProgress` with a blank id or without an
// object are dropped and their texts trimmed; a line that is no text is a blank
// one; any other member of a wrong type counts as missing.
RunPatch RunPatchFromJson(const JsonValue& json);

// An event of a patch. A ledger has whole numbers; a document may not, and
// these are what it said.
struct PatchEvent {
  v1::LedgerEvent event;
  double occurred_at = 0;                // ms
  std::optional<double> channel_offset;  // of log lines
};

// What the patch says beyond `previous`, as events of the patch's run: that it
// started, its log lines, per step that it started, got further and completed,
// and last the run's end. All is compared with `previous`, not with what the
// events before make of it. `now` is for a patch that does not say when it was
// made. Log lines are given whole: which of them are new, and which of the
// events change nothing after all, is for ingestion to find
// (ledger_ingestion.h); so is a patch of another run.
std::vector<PatchEvent> EventsOfPatch(const LedgerSnapshot& previous,
                                      const RunPatch& patch, double now);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_RUN_PATCH_H_
