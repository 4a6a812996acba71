// The JSON form of events in the logs.
//
// A line of inputs.log or artefacts.log is ProtoToJson() of the event without
// its sequence, within the framing that the EventLog adds:
//   {"seq":7,"time":"2026-01-02T03:04:05.678Z","revision":"rev-0001",
//    "input":{"inputId":"Input:Topic","content":{...},"editedBy":"user"},
//    "requestId":"r-1","requestEvents":3,"crc32c":"0badcafe"}
// A line of a ledger is flat (common/json/ledger_json.h); its time is its
// `occurredAt`.
//
// The last event of a batch that came under a request id carries it
// (`requestId`) with the number of events of the batch (`requestEvents`, left
// out if 1), so that a restarted store still knows an append that is repeated.

#ifndef KINORA_SERVICES_STORE_EVENT_EVENT_JSON_H_
#define KINORA_SERVICES_STORE_EVENT_EVENT_JSON_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "services/store/event/event_log.h"

namespace kinora {

// The request that a batch came under.
struct RequestMark {
  std::string request_id;
  int64_t events = 1;
};

// The body to append, one line without framing. `mark` may be null.
std::string EventToBody(const v1::Event& event, const RequestMark* mark);

// The event of a stored line. DATA_LOSS (DATA_CORRUPT) naming log and sequence
// if it does not parse. An event that says `readerMayIgnore` and has a payload
// this build does not know comes back without a payload.
absl::StatusOr<v1::Event> EventFromRecord(absl::string_view log,
                                          v1::LogKind kind,
                                          const LogRecord& record);

// The mark in a stored line; nullopt if there is none.
std::optional<RequestMark> RequestMarkOf(absl::string_view line);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_EVENT_JSON_H_
