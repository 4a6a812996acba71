#include "common/run_end.h"

namespace kinora {

bool IsTerminal(v1::RunStatus status) {
  switch (status) {
    case v1::RUN_STATUS_COMPLETED:
    case v1::RUN_STATUS_FAILED:
    case v1::RUN_STATUS_CANCELLED:
    case v1::RUN_STATUS_TERMINATED:
    case v1::RUN_STATUS_TIMED_OUT:
      return true;
    default:
      return false;
  }
}

bool IsTerminal(const v1::LedgerEvent& event) {
  return event.has_run_completed() || event.has_run_failed() ||
         event.has_run_cancelled();
}

}  // namespace kinora
