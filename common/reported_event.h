// What of a run's ledger outside workers have reported, and what Kinora says
// itself.

#ifndef KINORA_COMMON_REPORTED_EVENT_H_
#define KINORA_COMMON_REPORTED_EVENT_H_

#include "kinora/v1/ledger.pb.h"

namespace kinora {

// True for an event that came in through RunnerService.IngestLedgerEvents,
// which marks all that it takes. Readers show it; but it proves nothing about
// a job, its attempts, its questions or its money: whoever carries a run out,
// or answers for it, believes the other events only.
inline bool IsReported(const v1::LedgerEvent& event) {
  return event.source() == v1::LEDGER_SOURCE_WORKER ||
         event.source() == v1::LEDGER_SOURCE_EXTERNAL;
}

}  // namespace kinora

#endif  // KINORA_COMMON_REPORTED_EVENT_H_
