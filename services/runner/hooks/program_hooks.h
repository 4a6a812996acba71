// The hooks of a program: a table, and what tells them of runs.

#ifndef KINORA_SERVICES_RUNNER_HOOKS_PROGRAM_HOOKS_H_
#define KINORA_SERVICES_RUNNER_HOOKS_PROGRAM_HOOKS_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/threads/thread_pool.h"
#include "services/runner/hooks/hook_table.h"
#include "services/runner/hooks/run_hooks.h"

namespace kinora {

// Thread-safe.
class ProgramHooks {
 public:
  // Null if `path` is empty or its table has no hooks. Errors as of
  // LoadHookTable().
  static absl::StatusOr<std::unique_ptr<ProgramHooks>> Start(
      absl::string_view path);

  explicit ProgramHooks(std::vector<Hook> hooks);

  RunListener* listener() { return &hooks_; }

  // See RunHooks. The destructor waits for calls that are being made.
  void Drain(absl::Duration limit) { hooks_.Drain(limit); }

 private:
  // Calls made at once.
  static constexpr int kThreads = 4;

  // The threads end first: they use the hooks.
  RunHooks hooks_;
  ThreadPool executor_{"hooks", kThreads};
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_HOOKS_PROGRAM_HOOKS_H_
