// Watches a run and shows it: bars on a terminal (live_screen.h), plain lines
// in a pipe, on a dumb terminal, with NO_COLOR or --plain, JSON lines with
// --json.

#ifndef KINORA_CLIENTS_CLI_RUN_WATCH_H_
#define KINORA_CLIENTS_CLI_RUN_WATCH_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "clients/cli/args.h"
#include "clients/cli/command.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/run_record.pb.h"

namespace kinora {

// Shows the run from `after_sequence` on until it has ended. kExitOk if it
// completed, kExitFailure if it ended otherwise. `plan` gives the jobs that
// are to come; may be empty. SIGINT and SIGTERM end the process, not the run,
// after saying how to go on; `call` has the flag `plain`. With `snapshot` lines
// begin with how the run stands, and without `after_sequence` have nothing of
// what was before; bars count what was before in any case.
absl::StatusOr<int> WatchAndShow(const Invocation& call,
                                 absl::string_view run_id,
                                 int64_t after_sequence, const v1::Plan& plan,
                                 bool snapshot = false);

// The flag `plain` of commands that watch.
inline constexpr FlagSpec kPlainFlag = {"plain", "", "lines, no bars"};

// The plan of a run; empty if it cannot be had, as it is only for show.
v1::Plan LoadPlanForShow(const Invocation& call, absl::string_view movie_id,
                         absl::string_view plan_hash);

// How long a run that is running goes on, as far as its plan, its ledger and
// what is recorded of its producers tell (run_eta.h). Reads the ledger from its
// beginning.
std::optional<absl::Duration> TimeLeft(const Invocation& call,
                                       const v1::RunSnapshot& run);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_RUN_WATCH_H_
