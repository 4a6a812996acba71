// Runs a program as a child of this process, to its end.

#ifndef KINORA_COMMON_CHILD_COMMAND_H_
#define KINORA_COMMON_CHILD_COMMAND_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace kinora {

struct ChildCommand {
  // The program, looked for in PATH, and its arguments. Not empty.
  std::vector<std::string> argv;
  // Added to this process's environment, or in place of what it has.
  std::map<std::string, std::string> environment;
  std::string standard_input;  // all of it
  absl::Duration timeout = absl::Seconds(10);
};

// Waits until the program has ended. Its standard output and error go to the
// standard error of this process. It is in a process group of its own, which is
// killed as a whole (SIGKILL) when its time is up, and dies with the thread
// that called this, so also with the process.
//
// NOT_FOUND, or another error that names the program, if it cannot be started;
// ABORTED with its exit code or signal if it ended badly; DEADLINE_EXCEEDED if
// it was killed.
absl::Status RunChildCommand(const ChildCommand& command);

// For whoever forks by itself: this process's environment with `added`, and the
// form that exec takes, which points into `texts`.
std::vector<std::string> EnvironmentWith(
    const std::map<std::string, std::string>& added);
std::vector<char*> ExecPointers(std::vector<std::string>& texts);

}  // namespace kinora

#endif  // KINORA_COMMON_CHILD_COMMAND_H_
