#include "services/runner/runner_service.h"

#include <memory>
#include <utility>

#include "common/error_reason.h"
#include "common/rpc/unary.h"
#include "services/runner/run_refusals.h"

namespace kinora {

grpc::ServerUnaryReactor* RunnerRpcService::StartRun(
    grpc::CallbackServerContext* context, const v1::StartRunRequest* request,
    v1::StartRunResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::StartRunRequest& r) {
                      return r.dry_run() && dry_runs_ != nullptr
                                 ? dry_runs_->Start(r)
                                 : runner_.Start(r);
                    });
}

grpc::ServerUnaryReactor* RunnerRpcService::GetRun(
    grpc::CallbackServerContext* context, const v1::GetRunRequest* request,
    v1::GetRunResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::GetRunRequest& r) { return Get(r); });
}

absl::StatusOr<v1::GetRunResponse> RunnerRpcService::Get(
    const v1::GetRunRequest& request) {
  const std::shared_ptr<const EndedDryRun> dry_run =
      dry_runs_ == nullptr ? nullptr : dry_runs_->Find(request.run_id());
  if (dry_run == nullptr) return runner_.Get(request);
  v1::GetRunResponse answer;
  *answer.mutable_run() = dry_run->run;
  return answer;
}

grpc::ServerUnaryReactor* RunnerRpcService::ListRuns(
    grpc::CallbackServerContext* context, const v1::ListRunsRequest* request,
    v1::ListRunsResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::ListRunsRequest& r) { return runner_.List(r); });
}

grpc::ServerUnaryReactor* RunnerRpcService::CancelRun(
    grpc::CallbackServerContext* context, const v1::CancelRunRequest* request,
    v1::CancelRunResponse* response) {
  return ServeUnaryLater(context, executor_, request, response,
                         [this](const v1::CancelRunRequest& r, auto answer) {
                           runner_.Cancel(r, std::move(answer));
                         });
}

grpc::ServerUnaryReactor* RunnerRpcService::PauseRun(
    grpc::CallbackServerContext* context, const v1::PauseRunRequest* request,
    v1::PauseRunResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::PauseRunRequest& r) { return runner_.Pause(r); });
}

grpc::ServerUnaryReactor* RunnerRpcService::ResumeRun(
    grpc::CallbackServerContext* context, const v1::ResumeRunRequest* request,
    v1::ResumeRunResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::ResumeRunRequest& r)
          -> absl::StatusOr<v1::ResumeRunResponse> {
        if (dry_runs_ != nullptr && dry_runs_->Find(r.run_id()) != nullptr) {
          return WasDry(r.run_id());
        }
        return runner_.Resume(r);
      });
}

grpc::ServerUnaryReactor* RunnerRpcService::RetryRun(
    grpc::CallbackServerContext* context, const v1::RetryRunRequest* request,
    v1::RetryRunResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::RetryRunRequest& r) { return runner_.Retry(r); });
}

grpc::ServerUnaryReactor* RunnerRpcService::ListQuestions(
    grpc::CallbackServerContext* context,
    const v1::ListQuestionsRequest* request,
    v1::ListQuestionsResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::ListQuestionsRequest& r) {
                      return runner_.ListQuestions(r);
                    });
}

grpc::ServerUnaryReactor* RunnerRpcService::AnswerQuestion(
    grpc::CallbackServerContext* context,
    const v1::AnswerQuestionRequest* request,
    v1::AnswerQuestionResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::AnswerQuestionRequest& r) {
                      return runner_.AnswerQuestion(r);
                    });
}

grpc::ServerUnaryReactor* RunnerRpcService::SetRunBudget(
    grpc::CallbackServerContext* context,
    const v1::SetRunBudgetRequest* request,
    v1::SetRunBudgetResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::SetRunBudgetRequest& r) {
                      return runner_.SetBudget(r);
                    });
}

grpc::ServerUnaryReactor* RunnerRpcService::IngestLedgerEvents(
    grpc::CallbackServerContext* context,
    const v1::IngestLedgerEventsRequest* request,
    v1::IngestLedgerEventsResponse* response) {
  return ServeUnary(context, reports_, request, response,
                    [this](const v1::IngestLedgerEventsRequest& r) {
                      return runner_.Ingest(r);
                    });
}

grpc::ServerUnaryReactor* RunnerRpcService::ListProducers(
    grpc::CallbackServerContext* context,
    const v1::ListProducersRequest* request,
    v1::ListProducersResponse* response) {
  return ServeUnary(context, executor_, request, response,
                    [this](const v1::ListProducersRequest& r) {
                      return runner_.ListProducers(r);
                    });
}

grpc::ServerUnaryReactor* RunnerRpcService::ReplayRun(
    grpc::CallbackServerContext* context, const v1::ReplayRunRequest* request,
    v1::ReplayRunResponse* response) {
  return ServeUnary(
      context, executor_, request, response,
      [this](const v1::ReplayRunRequest& r)
          -> absl::StatusOr<v1::ReplayRunResponse> {
        if (dry_runs_ != nullptr) return dry_runs_->Replay(r);
        return WithReason(
            absl::UnimplementedError("ReplayRun: this runner makes no replays"),
            "RPC_NOT_IMPLEMENTED");
      });
}

}  // namespace kinora
