#include "services/runner/hooks/program_hooks.h"

#include "common/config_file.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/status.h"
#include "services/runner/hooks/hook_sender.h"

namespace kinora {

absl::StatusOr<std::unique_ptr<ProgramHooks>> ProgramHooks::Start(
    absl::string_view path) {
  KINORA_ASSIGN_OR_RETURN(
      std::vector<Hook> hooks,
      LoadHookTable(PosixFileSystem(), path, GetEnvironment));
  if (hooks.empty()) return nullptr;
  return std::make_unique<ProgramHooks>(std::move(hooks));
}

ProgramHooks::ProgramHooks(std::vector<Hook> hooks)
    : hooks_(std::move(hooks), SendToHook, executor_, SystemRandom()) {}

}  // namespace kinora
