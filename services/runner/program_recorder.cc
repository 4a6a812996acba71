#include "services/runner/program_recorder.h"

#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/status.h"

namespace kinora {

absl::Status ProgramRecorder::Prepare(const std::string& directory) {
  if (directory.empty()) return absl::OkStatus();
  const absl::Status made = PosixFileSystem().CreateDirectories(directory);
  if (made.ok()) return made;
  return InvalidField("records", directory, made.message());
}

std::unique_ptr<ProgramRecorder> ProgramRecorder::Start(
    const std::string& directory, const Store& store, RunListener* listener,
    MetricsRegistry* metrics) {
  if (directory.empty()) return nullptr;
  return std::make_unique<ProgramRecorder>(directory, store, listener, metrics);
}

ProgramRecorder::ProgramRecorder(const std::string& directory,
                                 const Store& store, RunListener* listener,
                                 MetricsRegistry* metrics)
    : recorder_({store, PosixFileSystem(), RealClock(), SystemRandom(),
                 executor_, listener, metrics},
                directory) {}

}  // namespace kinora
