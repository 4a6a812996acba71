// A RunRecorder leaves the record of each run that ends, as a document, in a
// directory, beside those of its movie:
//
//   <directory>/<movie>/<run>.json
//   <directory>/<movie>/<run>-llm/llm_transcript.jsonl
//
// the second if jobs of the run have told their transcripts. Whoever ends a run
// has it saved between the run's terminal event and the closing of its record
// in the store: a process that dies in between leaves the run to another, which
// saves it again, under the same name and with the same fixture.

#ifndef KINORA_SERVICES_RUNNER_RECORD_RUN_RECORDER_H_
#define KINORA_SERVICES_RUNNER_RECORD_RUN_RECORDER_H_

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/ids.h"
#include "common/random.h"
#include "common/telemetry/metrics.h"
#include "common/threads/executor.h"
#include "common/threads/task_slots.h"
#include "kinora/v1/run_record.pb.h"
#include "services/runner/actor/run_listener.h"
#include "services/store/store.h"

namespace kinora {

// All MUST outlive the recorder.
struct RunRecorderDeps {
  Store store;
  FileSystem& files;
  Clock& clock;
  Random& random;
  // Its closures block: on the store, which is read, and on the disk.
  Executor& executor;
  RunListener* listener = nullptr;     // null for nobody
  MetricsRegistry* metrics = nullptr;  // null for none
};

// Thread-safe.
//
// What cannot be saved is logged and counted in
//
//   kinora_runner_records_total{outcome}   saved, failed
//
// and keeps no run from ending. A few documents are made at once, each as large
// as the run's own (ReadRunDocument()); others wait, and are no more than their
// ids.
class RunRecorder {
 public:
  // How long whoever ends a run waits for its record, at most: the disk may
  // hang, and the movie has to go on. It is saved later then, if at all.
  static constexpr absl::Duration kPatience = absl::Seconds(10);
  // Documents that are made at once.
  static constexpr int kAtOnce = 2;

  RunRecorder(const RunRecorderDeps& deps, std::string directory);

  RunRecorder(const RunRecorder&) = delete;
  RunRecorder& operator=(const RunRecorder&) = delete;

  // Saves the record of a run whose terminal event is durable, and tells the
  // listener once the file is surely there. Does not block; calls `done` from
  // the executor, whatever came of it.
  void Save(const v1::RunRecord& run, Executor::Task done);

  // The same; waits for it, at most so long.
  void SaveAndWait(const v1::RunRecord& run, absl::Duration patience);

 private:
  absl::Status SaveNow(const v1::RunRecord& run);

  const RunRecorderDeps deps_;
  const std::string directory_;
  Counter* saved_ = nullptr;
  Counter* failed_ = nullptr;
  RunIdGenerator ids_;
  TaskSlots slots_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_RUN_RECORDER_H_
