// When a run has ended.

#ifndef KINORA_COMMON_RUN_END_H_
#define KINORA_COMMON_RUN_END_H_

#include "absl/strings/string_view.h"

#include "kinora/v1/ledger.pb.h"
#include "kinora/v1/run_record.pb.h"

namespace kinora {

// The reason of run.waiting with which a run's cancellation begins.
inline constexpr absl::string_view kCancelling = "cancelling";

// Completed, failed, cancelled, terminated or timed out.
bool IsTerminal(v1::RunStatus status);

// True for run.completed, run.failed and run.cancelled.
bool IsTerminal(const v1::LedgerEvent& event);

}  // namespace kinora

#endif  // KINORA_COMMON_RUN_END_H_
