// The flat JSON form of ledger events: the one that ledger files hold, that
// `kinora runs watch --json` prints and that the gateway streams.
//
//   {"runId":"run-...","source":"coordinator","occurredAt":1767225600000,
//    "type":"step.started","stepId":"Narration[segment=0]",
//    "kind":"narration","attempt":1,"inputsHash":"..."}
//
// The common members come first, then those of the type. A member without a
// value is left out; when reading, a missing member and null are the same.
// Members and types beyond the shared rules are our own: `run.waiting` and
// `run.resumed` {reason}, `run.budget` {cap}, every `job.*` {jobId, message,
// detail}, and on steps {attempt, inputsHash, reserved, cost, reason,
// heartbeatDetails}; on `log.appended` {channel}. Money is {currencyCode,
// micros}; heartbeatDetails are bytes in Base64.
//
// A log's framing (`seq`, `crc32c`) is no part of the event: it is ignored
// when reading and left to the log when writing.

#ifndef KINORA_COMMON_JSON_LEDGER_JSON_H_
#define KINORA_COMMON_JSON_LEDGER_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/json/json.h"
#include "kinora/v1/ledger.pb.h"
#include "kinora/v1/types.pb.h"

namespace kinora {

// Never fails: text that is not UTF-8 has its bad bytes replaced, numbers that
// are not finite and JSON texts that do not parse are left out. An unknown
// event gives back the object it was read from. An event whose kind is not set
// has the type "".
JsonValue LedgerEventToJson(const v1::LedgerEvent& event);

// INVALID_ARGUMENT naming the member and its value if `json` is not an object,
// has no `runId`, `occurredAt` or `type`, or if a member of a known type is
// of the wrong kind. Members that the type does not have are ignored. An
// unknown type is kept whole in `unknown.raw_json`, so that it round-trips. A
// fraction of a millisecond is dropped.
absl::StatusOr<v1::LedgerEvent> LedgerEventFromJson(const JsonValue& json);

// As costs are in ledger events: {"currencyCode","micros"}.
JsonValue CostToJson(const v1::Cost& cost);

// The cost in the detail of a job event; nothing if it has none.
v1::Cost CostInDetail(const JsonValue& detail, absl::string_view name = "cost");

// The word of a source, such as "worker", and the other way round; "" and
// unspecified belong to all that has none.
absl::string_view LedgerSourceWord(v1::LedgerSource source);
v1::LedgerSource LedgerSourceOf(absl::string_view word);

// The `type` of an event, such as "step.started"; "" if its kind is not set.
std::string LedgerEventType(const v1::LedgerEvent& event);

}  // namespace kinora

#endif  // KINORA_COMMON_JSON_LEDGER_JSON_H_
