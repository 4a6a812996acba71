// RunnerService over gRPC.

#ifndef KINORA_SERVICES_RUNNER_RUNNER_SERVICE_H_
#define KINORA_SERVICES_RUNNER_RUNNER_SERVICE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/support/byte_buffer.h"

#include "common/threads/executor.h"
#include "common/threads/task_slots.h"
// The raw variants of methods hide the typed ones.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverloaded-virtual"
#include "kinora/v1/runner.grpc.pb.h"
#pragma GCC diagnostic pop
#include "services/runner/replay/dry_runs.h"
#include "services/runner/run_ledgers.h"
#include "services/runner/runner.h"
#include "services/store/event/event_store.h"

namespace kinora {

// Watchers of one run are sent the same bytes (common/rpc/data_message.h).
using RunnerWatchesRaw = v1::RunnerService::WithRawCallbackMethod_WatchRun<
    v1::RunnerService::CallbackService>;

// Thread-safe. RPCs that are not here answer UNIMPLEMENTED, naming themselves.
class RunnerRpcService final : public RunnerWatchesRaw {
 public:
  // All MUST outlive the server. Without `dry_runs` there are none.
  RunnerRpcService(Runner& runner, EventStore& events, Executor& executor,
                   DryRuns* dry_runs = nullptr)
      : runner_(runner),
        dry_runs_(dry_runs),
        ledgers_(runner, events, dry_runs),
        executor_(executor),
        reports_(executor, kReports) {}

  grpc::ServerUnaryReactor* StartRun(grpc::CallbackServerContext* context,
                                     const v1::StartRunRequest* request,
                                     v1::StartRunResponse* response) override;
  grpc::ServerUnaryReactor* GetRun(grpc::CallbackServerContext* context,
                                   const v1::GetRunRequest* request,
                                   v1::GetRunResponse* response) override;
  grpc::ServerUnaryReactor* ListRuns(grpc::CallbackServerContext* context,
                                     const v1::ListRunsRequest* request,
                                     v1::ListRunsResponse* response) override;
  // Tails the run's ledger; the message with the terminal event is the last.
  // runner_service_watch.cc.
  grpc::ServerWriteReactor<grpc::ByteBuffer>* WatchRun(
      grpc::CallbackServerContext* context,
      const grpc::ByteBuffer* request) override;
  grpc::ServerUnaryReactor* CancelRun(grpc::CallbackServerContext* context,
                                      const v1::CancelRunRequest* request,
                                      v1::CancelRunResponse* response) override;
  grpc::ServerUnaryReactor* PauseRun(grpc::CallbackServerContext* context,
                                     const v1::PauseRunRequest* request,
                                     v1::PauseRunResponse* response) override;
  grpc::ServerUnaryReactor* ResumeRun(grpc::CallbackServerContext* context,
                                      const v1::ResumeRunRequest* request,
                                      v1::ResumeRunResponse* response) override;
  grpc::ServerUnaryReactor* RetryRun(grpc::CallbackServerContext* context,
                                     const v1::RetryRunRequest* request,
                                     v1::RetryRunResponse* response) override;
  grpc::ServerUnaryReactor* ListQuestions(
      grpc::CallbackServerContext* context,
      const v1::ListQuestionsRequest* request,
      v1::ListQuestionsResponse* response) override;
  grpc::ServerUnaryReactor* AnswerQuestion(
      grpc::CallbackServerContext* context,
      const v1::AnswerQuestionRequest* request,
      v1::AnswerQuestionResponse* response) override;
  // runner_service_steps.cc. No thread waits for the jobs.
  grpc::ServerUnaryReactor* ExecuteLayer(
      grpc::CallbackServerContext* context,
      const v1::ExecuteLayerRequest* request,
      v1::ExecuteLayerResponse* response) override;
  grpc::ServerUnaryReactor* ExecuteJob(
      grpc::CallbackServerContext* context,
      const v1::ExecuteJobRequest* request,
      v1::ExecuteJobResponse* response) override;
  grpc::ServerUnaryReactor* SetRunBudget(
      grpc::CallbackServerContext* context,
      const v1::SetRunBudgetRequest* request,
      v1::SetRunBudgetResponse* response) override;
  grpc::ServerUnaryReactor* IngestLedgerEvents(
      grpc::CallbackServerContext* context,
      const v1::IngestLedgerEventsRequest* request,
      v1::IngestLedgerEventsResponse* response) override;
  grpc::ServerUnaryReactor* ListProducers(
      grpc::CallbackServerContext* context,
      const v1::ListProducersRequest* request,
      v1::ListProducersResponse* response) override;
  grpc::ServerUnaryReactor* ReplayRun(grpc::CallbackServerContext* context,
                                      const v1::ReplayRunRequest* request,
                                      v1::ReplayRunResponse* response) override;

 private:
  absl::StatusOr<v1::GetRunResponse> Get(const v1::GetRunRequest& request);

  // The first message of a watch `with_snapshot`; `watch` goes on behind it.
  // With `history` it stays where it is.
  absl::Status BeginWithSnapshot(bool history, v1::ReadEventsRequest* watch,
                                 grpc::ByteBuffer* message);

  // Reports wait for each other, and for the lease that a dead runner has left
  // on their run: they take no more threads of the executor than this.
  static constexpr int kReports = 2;

  Runner& runner_;
  DryRuns* const dry_runs_;
  RunLedgers ledgers_;
  Executor& executor_;
  TaskSlots reports_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RUNNER_SERVICE_H_
