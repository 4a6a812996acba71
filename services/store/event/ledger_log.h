// The name of a run's ledger among the logs of a store.

#ifndef KINORA_SERVICES_STORE_EVENT_LEDGER_LOG_H_
#define KINORA_SERVICES_STORE_EVENT_LEDGER_LOG_H_

#include <string>

#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"

namespace kinora {

inline v1::LogName LedgerLog(absl::string_view movie_id,
                             absl::string_view run_id) {
  v1::LogName log;
  log.set_movie_id(std::string(movie_id));
  log.set_kind(v1::LOG_KIND_LEDGER);
  log.set_run_id(std::string(run_id));
  return log;
}

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_LEDGER_LOG_H_
