// For what a run waits, and until when, for people. Pure.

#ifndef KINORA_CLIENTS_CLI_WAIT_TEXT_H_
#define KINORA_CLIENTS_CLI_WAIT_TEXT_H_

#include <cstdint>
#include <string>

#include "kinora/v1/run_record.pb.h"

namespace kinora {

// "until 2026-01-01 01:00:00 UTC"; empty for 0. In milliseconds since the
// epoch.
std::string UntilText(int64_t until_ms);

// "producer: tts is down, until 2026-01-01 01:00:00 UTC", or "paused".
std::string WaitText(const v1::RunWait& wait);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_WAIT_TEXT_H_
