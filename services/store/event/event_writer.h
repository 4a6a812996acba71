// Writes the JSON of events for the logs: the bytes of ProtoToJson(), without
// the tree in between and without reflection, for the payloads that are
// appended often.

#ifndef KINORA_SERVICES_STORE_EVENT_EVENT_WRITER_H_
#define KINORA_SERVICES_STORE_EVENT_EVENT_WRITER_H_

#include <string>

#include "kinora/v1/event.pb.h"

namespace kinora {

// Appends the members of an input or artefact event, from `"time"` on and
// without braces. False, and `out` as it was, for any other payload or an enum
// value this build does not know; those go through ProtoToJson().
bool AppendEventMembers(const v1::Event& event, std::string* out);

// Appends the members of an event of a run's ledger, from `"runId"` on and
// without braces, as LedgerEventToJson() has them: of a step that started,
// completed or was skipped. False, and `out` as it was, for others and for text
// that is not UTF-8.
bool AppendLedgerMembers(const v1::LedgerEvent& event, std::string* out);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_EVENT_WRITER_H_
