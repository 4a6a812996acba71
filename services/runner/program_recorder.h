// What saves the records of runs in a program: a directory, and threads of its
// own, as a disk may hang.

#ifndef KINORA_SERVICES_RUNNER_PROGRAM_RECORDER_H_
#define KINORA_SERVICES_RUNNER_PROGRAM_RECORDER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"

#include "common/telemetry/metrics.h"
#include "common/threads/thread_pool.h"
#include "services/runner/actor/run_listener.h"
#include "services/runner/record/run_recorder.h"
#include "services/store/store.h"

namespace kinora {

// Thread-safe.
class ProgramRecorder {
 public:
  // Makes the directory that is named for records, if one is and it is missing;
  // INVALID_ARGUMENT for the field "records" if that fails. What fails later
  // keeps nobody from starting.
  static absl::Status Prepare(const std::string& directory);

  // Null if `directory` is empty. What it is given MUST outlive it; listener
  // and metrics may be null.
  static std::unique_ptr<ProgramRecorder> Start(const std::string& directory,
                                                const Store& store,
                                                RunListener* listener,
                                                MetricsRegistry* metrics);

  ProgramRecorder(const std::string& directory, const Store& store,
                  RunListener* listener, MetricsRegistry* metrics);

  // Saves what waits.
  ~ProgramRecorder() { executor_.Stop(); }

  RunRecorder* recorder() { return &recorder_; }

 private:
  ThreadPool executor_{"records", RunRecorder::kAtOnce};
  RunRecorder recorder_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_PROGRAM_RECORDER_H_
