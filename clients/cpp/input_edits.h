// Appends edits of inputs as events: what `kinora input set` and a run with
// `--set` share.

#ifndef KINORA_CLIENTS_CPP_INPUT_EDITS_H_
#define KINORA_CLIENTS_CPP_INPUT_EDITS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "common/ids.h"
#include "kinora/v1/event.pb.h"
#include "kinora/v1/planner.pb.h"
#include "services/store/store.h"

namespace kinora {

// Appends `edits`, which PlannerService.ValidateInputs has put into the form
// the log takes, as edits by the user for the revision after the current one.
// Values beyond the inline limit are uploaded first. All of them or none are
// appended. `request_id` makes the call safe to repeat; may be empty. With
// `unchanged_since`, a revision, ABORTED (INPUT_CHANGED) if one of the inputs
// was edited since.
absl::StatusOr<v1::AppendEventsResponse> AppendInputEdits(
    const Store& store, absl::string_view movie_id,
    absl::Span<const v1::PendingEdit> edits, absl::string_view request_id,
    absl::string_view unchanged_since = "");

// The revision that edits are meant for: the one after the current one.
absl::StatusOr<Revision> NextRevision(const Store& store,
                                      absl::string_view movie_id);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_INPUT_EDITS_H_
