// The part of RunnerRpcService whose calls last as long as jobs do.

#include <memory>
#include <utility>
#include <vector>

#include "common/rpc/call_context.h"
#include "common/rpc/drain_watch.h"
#include "common/rpc/status.h"
#include "services/runner/runner_service.h"
#include "services/runner/steps/step_call.h"

namespace kinora {
namespace {

using States = std::vector<v1::JobState>;

void Fill(States states, v1::ExecuteLayerResponse* response) {
  for (v1::JobState& state : states) *response->add_jobs() = std::move(state);
}

void Fill(States states, v1::ExecuteJobResponse* response) {
  *response->mutable_job() = std::move(states[0]);
}

// 1. admitted          -> the runner is given the call
// 2. the runner answers -> Finish
// A caller that has gone cancels the attempts; a drain lets them end.
template <typename Response>
class StepReactor final : public grpc::ServerUnaryReactor {
 public:
  static grpc::ServerUnaryReactor* Start(grpc::CallbackServerContext* context,
                                         Runner& runner,
                                         absl::StatusOr<StepRequest> request,
                                         Response* response) {
    auto* reactor = new StepReactor(context, response);
    reactor->self_.reset(reactor);
    absl::Status refused = AdmitCall(context);
    if (refused.ok()) refused = request.status();
    if (!refused.ok()) {
      reactor->Finish(ToGrpcStatus(refused));
      return reactor;
    }
    reactor->Begin(runner, *std::move(request), TraceOf(context));
    return reactor;
  }

 private:
  StepReactor(grpc::CallbackServerContext* context, Response* response)
      : hold_(HoldServer(context)), drain_(context), response_(response) {}

  void Begin(Runner& runner, StepRequest request, TraceContext trace) {
    // The answer may come before this returns, and the end of the call with it.
    const std::shared_ptr<StepReactor> self = self_;
    auto call = std::make_shared<StepCall>(
        std::move(request), std::move(trace),
        [self](StepCall::Answer answer) { self->End(std::move(answer)); });
    {
      MutexLock lock(mu_);
      call_ = call;
    }
    drain_.Start(self, &StepReactor::Drain);
    runner.Execute(call);
    MutexLock lock(mu_);
    if (gone_) call->Cancel(Gone());
  }

  void End(StepCall::Answer answer) {
    const absl::Status status = answer.status();
    if (status.ok()) Fill(*std::move(answer), response_);
    this->Finish(ToGrpcStatus(status));
  }

  static v1::Failure Gone() {
    v1::Failure why;
    why.set_reason(v1::FAILURE_REASON_CANCELLED);
    why.set_message("the caller has gone");
    why.set_retryable(true);
    return why;
  }

  void Drain(const absl::Status&) {
    if (auto call = Call()) call->Stop(false);
  }

  void OnCancel() override {
    {
      MutexLock lock(mu_);
      gone_ = true;
    }
    if (auto call = Call()) call->Cancel(Gone());
  }

  void OnDone() override { self_.reset(); }

  std::shared_ptr<StepCall> Call() {
    MutexLock lock(mu_);
    return call_.lock();
  }

  std::shared_ptr<StepReactor> self_;  // until OnDone
  const std::shared_ptr<void> hold_;
  DrainWatch drain_;
  Response* const response_;  // valid until Finish

  Mutex mu_;
  std::weak_ptr<StepCall> call_ ABSL_GUARDED_BY(mu_);
  bool gone_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace

grpc::ServerUnaryReactor* RunnerRpcService::ExecuteLayer(
    grpc::CallbackServerContext* context,
    const v1::ExecuteLayerRequest* request,
    v1::ExecuteLayerResponse* response) {
  return StepReactor<v1::ExecuteLayerResponse>::Start(
      context, runner_, StepRequestOf(*request), response);
}

grpc::ServerUnaryReactor* RunnerRpcService::ExecuteJob(
    grpc::CallbackServerContext* context, const v1::ExecuteJobRequest* request,
    v1::ExecuteJobResponse* response) {
  return StepReactor<v1::ExecuteJobResponse>::Start(
      context, runner_, StepRequestOf(*request), response);
}

}  // namespace kinora
