#include "services/runner/record/run_recorder.h"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "common/status.h"
#include "common/telemetry/log.h"
#include "common/telemetry/trace_context.h"
#include "common/threads/mutex.h"
#include "services/runner/record/kept_fixture.h"
#include "services/runner/record/read_run_document.h"
#include "services/runner/record/run_document.h"
#include "services/runner/record/topic_log.h"
#include "services/runner/record/transcript_lines.h"

namespace kinora {
namespace {

// Hands what is published of a run to a listener. The store has told all
// questions already: there are none to be read.
class ListenerLog final : public EventTopicLog {
 public:
  ListenerLog(RunListener& listener, const v1::RunRecord& run)
      : listener_(listener), run_(run) {}

  absl::StatusOr<std::vector<TopicRecord>> Read(absl::string_view /*topic*/,
                                                int64_t /*after_id*/,
                                                size_t /*max*/) override {
    return std::vector<TopicRecord>();
  }

  absl::StatusOr<int64_t> Append(absl::string_view topic,
                                 TopicRecord record) override {
    listener_.OnRecord(run_.movie_id(), run_.run_id(), topic, record);
    return 1;
  }

 private:
  RunListener& listener_;
  const v1::RunRecord& run_;
};

Counter* CounterOf(MetricsRegistry* metrics, const char* outcome) {
  if (metrics == nullptr) return nullptr;
  return &metrics->GetCounter("kinora_runner_records_total",
                              "Records of runs that ended, saved or not.",
                              {{"outcome", outcome}});
}

}  // namespace

RunRecorder::RunRecorder(const RunRecorderDeps& deps, std::string directory)
    : deps_(deps),
      directory_(std::move(directory)),
      saved_(CounterOf(deps.metrics, "saved")),
      failed_(CounterOf(deps.metrics, "failed")),
      ids_(deps.clock, deps.random),
      slots_(deps.executor, kAtOnce) {}

void RunRecorder::Save(const v1::RunRecord& run, Executor::Task done) {
  // Of the run only what says which it is: it may wait for long.
  v1::RunRecord which;
  which.set_movie_id(run.movie_id());
  which.set_run_id(run.run_id());
  which.set_traceparent(run.traceparent());
  slots_.Post(
      [this, which = std::move(which), done = std::move(done)]() mutable {
        const absl::Status saved = SaveNow(which);
        Counter* const counter = saved.ok() ? saved_ : failed_;
        if (counter != nullptr) counter->Add();
        if (!saved.ok()) {
          LogWarning("the record of a run is not saved",
                     {{"run", which.run_id()}, {"error", saved}});
        }
        std::move(done)();
      });
}

void RunRecorder::SaveAndWait(const v1::RunRecord& run,
                              absl::Duration patience) {
  struct Signal {
    Mutex mu;
    CondVar cv;
    bool set ABSL_GUARDED_BY(mu) = false;
  };
  // Shared: it may come when nobody waits any more.
  const auto signal = std::make_shared<Signal>();
  Save(run, [signal] {
    MutexLock lock(signal->mu);
    signal->set = true;
    signal->cv.SignalAll();
  });
  const int64_t deadline = DeadlineAfter(RealClock(), patience);
  MutexLock lock(signal->mu);
  while (!signal->set) {
    if (signal->cv.WaitUntil(signal->mu, deadline)) continue;
    if (signal->set) break;
    LogWarning("the record of a run is not waited for any longer",
               {{"run", run.run_id()}});
    return;
  }
}

absl::Status RunRecorder::SaveNow(const v1::RunRecord& run) {
  TraceScope trace(
      TraceContext::Parse(run.traceparent()).value_or(TraceContext()));
  RunDocumentDeps deps{deps_.clock, ids_, deps_.files};
  std::unique_ptr<ListenerLog> log;
  if (deps_.listener != nullptr) {
    log = std::make_unique<ListenerLog>(*deps_.listener, run);
    deps.log = log.get();
  }
  KINORA_ASSIGN_OR_RETURN(JsonValue document,
                          ReadRunDocument(deps_.store, run.run_id()));
  KINORA_ASSIGN_OR_RETURN(
      const std::string path,
      RunDocumentPath(JoinPath(directory_, run.movie_id()), document));
  KINORA_RETURN_IF_ERROR(KeepFixture(path, deps, &document));
  KINORA_RETURN_IF_ERROR(SaveTranscriptLines(document, path, deps.files));
  return SaveRunDocument(document, path, deps).status();
}

}  // namespace kinora
