#include "clients/cpp/runner_client.h"

#include <string>
#include <utility>

#include "grpcpp/channel.h"

#include "clients/cpp/client_stream.h"
#include "common/clock.h"
#include "common/rpc/unary.h"
#include "common/run_end.h"
#include "common/threads/mutex.h"
#include "kinora/v1/runner.grpc.pb.h"

namespace kinora {
namespace {

// A watch that has not ended by then is resumed: no call is without a deadline.
constexpr absl::Duration kWatchTimeout = absl::Hours(1);
constexpr absl::Duration kResumePause = absl::Milliseconds(200);

void Pause(absl::Duration duration) {
  Mutex mu;
  CondVar never;
  MutexLock lock(mu);
  const int64_t end = DeadlineAfter(RealClock(), duration);
  while (never.WaitUntil(mu, end)) {
  }
}

}  // namespace

struct RunnerClient::Stub {
  using Type = v1::RunnerService::Stub;
  std::unique_ptr<Type> stub;
};

RunnerClient::RunnerClient(std::shared_ptr<grpc::Channel> channel,
                           const RunnerClientOptions& options)
    : stub_(std::make_unique<Stub>()), options_(options) {
  stub_->stub = v1::RunnerService::NewStub(std::move(channel));
}

RunnerClient::~RunnerClient() = default;

absl::StatusOr<v1::StartRunResponse> RunnerClient::StartRun(
    const v1::StartRunRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::StartRun, request,
                   options_.start_timeout);
}

absl::StatusOr<v1::GetRunResponse> RunnerClient::GetRun(
    const v1::GetRunRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::GetRun, request,
                   options_.timeout);
}

absl::StatusOr<v1::ListRunsResponse> RunnerClient::ListRuns(
    const v1::ListRunsRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::ListRuns, request,
                   options_.timeout);
}

absl::StatusOr<v1::CancelRunResponse> RunnerClient::CancelRun(
    const v1::CancelRunRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::CancelRun, request,
                   options_.timeout);
}

absl::StatusOr<v1::PauseRunResponse> RunnerClient::PauseRun(
    const v1::PauseRunRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::PauseRun, request,
                   options_.timeout);
}

absl::StatusOr<v1::ResumeRunResponse> RunnerClient::ResumeRun(
    const v1::ResumeRunRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::ResumeRun, request,
                   options_.start_timeout);
}

absl::StatusOr<v1::RetryRunResponse> RunnerClient::RetryRun(
    const v1::RetryRunRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::RetryRun, request,
                   options_.timeout);
}

absl::StatusOr<v1::ReplayRunResponse> RunnerClient::ReplayRun(
    const v1::ReplayRunRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::ReplayRun, request,
                   options_.start_timeout);
}

absl::StatusOr<v1::ListQuestionsResponse> RunnerClient::ListQuestions(
    const v1::ListQuestionsRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::ListQuestions, request,
                   options_.timeout);
}

absl::StatusOr<v1::AnswerQuestionResponse> RunnerClient::AnswerQuestion(
    const v1::AnswerQuestionRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::AnswerQuestion, request,
                   options_.timeout);
}

absl::StatusOr<v1::ExecuteLayerResponse> RunnerClient::ExecuteLayer(
    const v1::ExecuteLayerRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::ExecuteLayer, request,
                   options_.execute_timeout);
}

absl::StatusOr<v1::ExecuteJobResponse> RunnerClient::ExecuteJob(
    const v1::ExecuteJobRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::ExecuteJob, request,
                   options_.execute_timeout);
}

absl::StatusOr<v1::SetRunBudgetResponse> RunnerClient::SetRunBudget(
    const v1::SetRunBudgetRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::SetRunBudget, request,
                   options_.timeout);
}

absl::StatusOr<v1::ListProducersResponse> RunnerClient::ListProducers(
    const v1::ListProducersRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::ListProducers, request,
                   options_.timeout);
}

absl::StatusOr<v1::IngestLedgerEventsResponse> RunnerClient::IngestLedgerEvents(
    const v1::IngestLedgerEventsRequest& request) {
  return CallUnary(*stub_->stub, &Stub::Type::IngestLedgerEvents, request,
                   options_.timeout);
}

absl::Status RunnerClient::WatchRun(
    absl::string_view run_id, int64_t after_sequence,
    absl::FunctionRef<absl::Status(const v1::Event& event)> on_event) {
  v1::WatchRunRequest request;
  request.set_run_id(std::string(run_id));
  request.set_after_sequence(after_sequence);
  return Watch(
      std::move(request),
      [](const v1::RunSnapshot&) { return absl::OkStatus(); }, on_event);
}

absl::Status RunnerClient::WatchRunWithSnapshot(
    absl::string_view run_id, int64_t after_sequence,
    absl::FunctionRef<absl::Status(const v1::RunSnapshot& run)> on_snapshot,
    absl::FunctionRef<absl::Status(const v1::Event& event)> on_event) {
  v1::WatchRunRequest request;
  request.set_run_id(std::string(run_id));
  request.set_after_sequence(after_sequence);
  request.set_with_snapshot(true);
  return Watch(std::move(request), on_snapshot, on_event);
}

absl::Status RunnerClient::Watch(
    v1::WatchRunRequest request,
    absl::FunctionRef<absl::Status(const v1::RunSnapshot& run)> on_snapshot,
    absl::FunctionRef<absl::Status(const v1::Event& event)> on_event) {
  Clock& clock = RealClock();
  int64_t give_up = DeadlineAfter(clock, options_.resume_timeout);
  for (;;) {
    bool ended = false;
    absl::Status refused;
    const absl::Status status =
        ReadStreamToEnd<Stub::Type, v1::WatchRunRequest, v1::WatchRunResponse>(
            *stub_->stub, &Stub::Type::WatchRun, request, kWatchTimeout,
            [&](v1::WatchRunResponse& page) -> absl::Status {
              give_up = DeadlineAfter(clock, options_.resume_timeout);
              if (page.has_snapshot()) {
                refused = on_snapshot(page.snapshot());
                if (!refused.ok()) return refused;
                // It holds for what comes, also after the watch has broken.
                request.set_with_snapshot(false);
                request.set_after_sequence(page.bookmark().sequence());
              }
              for (const v1::Event& event : page.events()) {
                if (event.sequence() <= request.after_sequence()) continue;
                refused = on_event(event);
                if (!refused.ok()) return refused;
                request.set_after_sequence(event.sequence());
                ended = ended || IsTerminal(event.ledger());
              }
              return absl::OkStatus();
            });
    if (ended || status.ok()) return absl::OkStatus();
    const bool broken =
        absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
    if (!refused.ok() || !broken || clock.MonotonicNanos() >= give_up) {
      return status;
    }
    Pause(kResumePause);
  }
}

}  // namespace kinora
