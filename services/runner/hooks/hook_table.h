// The hooks of a runner: whom it tells what, as a YAML file:
//
//   hooks:
//     - on: [failure, completion]
//       webhook: https://chat.example/hooks/kinora
//       secret_env: KINORA_HOOK_SECRET
//     - on: [question, budget]
//       command: [notify-send, Kinora]

#ifndef KINORA_SERVICES_RUNNER_HOOKS_HOOK_TABLE_H_
#define KINORA_SERVICES_RUNNER_HOOKS_HOOK_TABLE_H_

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/files/file_system.h"
#include "kinora/v1/config.pb.h"

namespace kinora {

// What a hook can be told of, by the words of its `on`.
enum class HookEvent {
  kQuestion,    // `question`: a job asks a person, or the next one
  kFailure,     // `failure`: a job, or the run, failed for good
  kBudget,      // `budget`: the run waits for a higher cap
  kCompletion,  // `completion`: the run has ended, however
  kRecord,      // `record`: the run's record is in its file
};

absl::string_view WordOf(HookEvent event);

// One hook, checked. Either `command` or `webhook` is set.
struct Hook {
  int index = 0;  // in the file, from 0
  std::set<HookEvent> on;
  std::vector<std::string> command;
  std::string webhook;  // an http or https URL
  std::string secret;   // empty for no signature
  absl::Duration timeout = absl::Seconds(10);
};

// Reads one variable of the environment.
using ReadVariable =
    std::function<std::optional<std::string>(const std::string& name)>;

// INVALID_ARGUMENT naming the entry (`hooks[1].on`) and its value if an event
// is unknown or there is none, if there is not exactly one of command and
// webhook, if the URL is neither http nor https, if a secret is not in the
// environment or belongs to no webhook, or a timeout is over one hour.
absl::StatusOr<std::vector<Hook>> CheckHookTable(const v1::HookTable& table,
                                                 const ReadVariable& variable);

// The same from a file; no hooks if `path` is empty. Errors name the file, and
// the line if it is no such table.
absl::StatusOr<std::vector<Hook>> LoadHookTable(FileSystem& files,
                                                absl::string_view path,
                                                const ReadVariable& variable);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_HOOKS_HOOK_TABLE_H_
