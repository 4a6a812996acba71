// The handoffs of a run record: work that a run has given to somebody else.
// Each is told twice, in `handoffs` and as an artefact of kind `handoff` that
// has it as its `data`; these are kept in step.

#ifndef KINORA_SERVICES_RUNNER_RECORD_HANDOFFS_H_
#define KINORA_SERVICES_RUNNER_RECORD_HANDOFFS_H_

#include <string>

#include "absl/strings/string_view.h"

#include "common/json/json.h"

namespace kinora {

// A handoff in its one form: texts and the elements of lists trimmed, empty and
// repeated elements and empty links' members dropped, kinds in their known
// words (a target is a persona, human, a2a or worker), `confidence` within 0
// and 1. One without an id gets one from what it says, so that the same handoff
// has the same. REQUIRES: an object.
JsonValue NormalizedHandoff(JsonValue handoff);

// To whom: the target's label, else its id, else `unknown`. Valid as long as
// `handoff`.
absl::string_view HandoffTarget(const JsonValue& handoff);

// Brings `handoffs` and `artifacts` of a record into step. Handoffs of one id
// are one: what the record's list says goes before what its artefacts say, the
// later in each before the earlier, and what one lacks another fills. They are
// sorted by created_at and id, each has the record's run as its parent unless
// it has one, and a link of kind `run_receipt` to the record, with its path if
// that is known. The artefact of a handoff is replaced in its place, but for
// its own id, title and such, or appended; one whose `data` is no handoff is
// left alone. Idempotent. REQUIRES: an object that
// passes CheckRunDocument().
void SyncHandoffs(JsonValue& document);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_HANDOFFS_H_
