// A RunnerClient calls a runner over a channel: what the command line uses.

#ifndef KINORA_CLIENTS_CPP_RUNNER_CLIENT_H_
#define KINORA_CLIENTS_CPP_RUNNER_CLIENT_H_

#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "kinora/v1/runner.pb.h"

namespace grpc {
class Channel;
}

namespace kinora {

struct RunnerClientOptions {
  // How long one call may take.
  absl::Duration timeout = absl::Seconds(30);
  // How long StartRun may take: it plans, and may wait for a dead runner's
  // lease to expire.
  absl::Duration start_timeout = absl::Minutes(5);
  // How long ExecuteLayer and ExecuteJob may take, which last as long as their
  // jobs.
  absl::Duration execute_timeout = absl::Hours(1);
  // How long a broken watch is resumed without getting anywhere.
  absl::Duration resume_timeout = absl::Seconds(30);
};

// Thread-safe. Calls block, each with a deadline. Errors are those of
// RunnerService, with their reasons (common/error_reason.h), or UNAVAILABLE
// and DEADLINE_EXCEEDED when the runner does not answer.
class RunnerClient {
 public:
  explicit RunnerClient(std::shared_ptr<grpc::Channel> channel,
                        const RunnerClientOptions& options = {});
  ~RunnerClient();

  absl::StatusOr<v1::StartRunResponse> StartRun(
      const v1::StartRunRequest& request);
  absl::StatusOr<v1::GetRunResponse> GetRun(const v1::GetRunRequest& request);
  absl::StatusOr<v1::ListRunsResponse> ListRuns(
      const v1::ListRunsRequest& request);
  absl::StatusOr<v1::CancelRunResponse> CancelRun(
      const v1::CancelRunRequest& request);
  absl::StatusOr<v1::PauseRunResponse> PauseRun(
      const v1::PauseRunRequest& request);
  // Within `start_timeout`: it may start a run.
  absl::StatusOr<v1::ResumeRunResponse> ResumeRun(
      const v1::ResumeRunRequest& request);
  absl::StatusOr<v1::RetryRunResponse> RetryRun(
      const v1::RetryRunRequest& request);
  // Within `start_timeout`: it goes the way of a whole run.
  absl::StatusOr<v1::ReplayRunResponse> ReplayRun(
      const v1::ReplayRunRequest& request);
  absl::StatusOr<v1::ListQuestionsResponse> ListQuestions(
      const v1::ListQuestionsRequest& request);
  absl::StatusOr<v1::AnswerQuestionResponse> AnswerQuestion(
      const v1::AnswerQuestionRequest& request);
  absl::StatusOr<v1::ExecuteLayerResponse> ExecuteLayer(
      const v1::ExecuteLayerRequest& request);
  absl::StatusOr<v1::ExecuteJobResponse> ExecuteJob(
      const v1::ExecuteJobRequest& request);
  absl::StatusOr<v1::SetRunBudgetResponse> SetRunBudget(
      const v1::SetRunBudgetRequest& request);
  absl::StatusOr<v1::ListProducersResponse> ListProducers(
      const v1::ListProducersRequest& request);

  absl::StatusOr<v1::IngestLedgerEventsResponse> IngestLedgerEvents(
      const v1::IngestLedgerEventsRequest& request);

  // Calls `on_event` for each ledger event after `after_sequence`, once and in
  // order, and returns OK after the terminal one. A watch that breaks is
  // resumed where it broke. An error of `on_event` ends the watch with it.
  absl::Status WatchRun(
      absl::string_view run_id, int64_t after_sequence,
      absl::FunctionRef<absl::Status(const v1::Event& event)> on_event);

  // The same, with the run as it stands first: `on_snapshot` is called once,
  // before the events. `after_sequence` is that of a watch with a snapshot
  // (WatchRunRequest): 0 for the events behind it alone. An error of
  // `on_snapshot`, too, ends the watch.
  absl::Status WatchRunWithSnapshot(
      absl::string_view run_id, int64_t after_sequence,
      absl::FunctionRef<absl::Status(const v1::RunSnapshot& run)> on_snapshot,
      absl::FunctionRef<absl::Status(const v1::Event& event)> on_event);

 private:
  // Resumes `request` until the run has ended.
  absl::Status Watch(
      v1::WatchRunRequest request,
      absl::FunctionRef<absl::Status(const v1::RunSnapshot& run)> on_snapshot,
      absl::FunctionRef<absl::Status(const v1::Event& event)> on_event);

  struct Stub;  // keeps the generated header out of this one
  const std::unique_ptr<Stub> stub_;
  const RunnerClientOptions options_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_RUNNER_CLIENT_H_
