// How a run can be gone on with, for people. Pure.

#ifndef KINORA_CLIENTS_CLI_RECOVERY_TEXT_H_
#define KINORA_CLIENTS_CLI_RECOVERY_TEXT_H_

#include <string>
#include <vector>

#include "kinora/v1/run_record.pb.h"

namespace kinora {

// What there is to say and to do, line by line; none for a run that goes on, or
// has completed.
//
//   recovery: resuming it starts a new run that reuses 3 results of this one
//       kinora runs resume run-01M80A0V2BF8Q2T9EFD5J2XADB
//       not known before: its producers must answer
//   refused: run run-... of movie "film" is active (RUN_ACTIVE)
std::vector<std::string> RecoveryLines(const v1::RunSnapshot& run);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_RECOVERY_TEXT_H_
