// The exit codes of every program of Kinora. docs/cli.md has the table for
// people, under "Exit codes".

#ifndef KINORA_COMMON_EXIT_CODES_H_
#define KINORA_COMMON_EXIT_CODES_H_

namespace kinora {

// A command did what it was asked for; a server was ended by a signal and has
// drained.
inline constexpr int kExitOk = 0;

// A command failed, or what it watched did not end well; a server could not
// start.
inline constexpr int kExitFailure = 1;

// The command line, the environment or the configuration file is wrong; nothing
// was asked of a server, or started.
inline constexpr int kExitBadUsage = 2;

// A signal ended it before it was done: of a server, the second one. As shells
// tell of a process that a signal killed.
inline constexpr int ExitCodeOfSignal(int signal) { return 128 + signal; }

}  // namespace kinora

#endif  // KINORA_COMMON_EXIT_CODES_H_
