// What a replay of a run has to come to, and whether another run did.

#ifndef KINORA_SERVICES_RUNNER_RECORD_REPLAY_FIXTURE_H_
#define KINORA_SERVICES_RUNNER_RECORD_REPLAY_FIXTURE_H_

#include <string>
#include <vector>

#include "common/clock.h"
#include "common/ids.h"
#include "common/json/json.h"

namespace kinora {

// Whether the run of a record has ended: its status says so, or its status is a
// word that is none of ours and it has a `finished_at`.
bool HasEnded(const JsonValue& document);

// The fixture of a record: the status it expects, and of each stage its node,
// status, outcome, branch, the kinds of its artefacts and how its visible text
// begins (80 characters). With an id and a time of its own.
JsonValue ReplayFixtureOf(const JsonValue& document, Clock& clock,
                          RunIdGenerator& ids);

// Gives `document` a fixture if its run has ended and it has none. One that is
// there stays, but for one that was made of this run before it had ended: that
// would expect it to run for ever.
void AddReplayFixture(JsonValue& document, Clock& clock, RunIdGenerator& ids);

// What in `document` is other than `fixture` expects, a line each; empty if it
// passes. Where several stages are of one node, the last is held to what is
// last expected of it, the one before to what is expected before, and so on: a
// run passes its own fixture. What is of another type than a record and a
// fixture have counts as missing.
std::vector<std::string> EvaluateReplay(const JsonValue& document,
                                        const JsonValue& fixture);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_REPLAY_FIXTURE_H_
