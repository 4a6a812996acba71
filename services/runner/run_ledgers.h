// RunLedgers is an EventStore in which the ledger of a run is named by the run
// alone, as callers of WatchRun do: in the store, or of a dry run that has
// ended. Only what a tail needs works.

#ifndef KINORA_SERVICES_RUNNER_RUN_LEDGERS_H_
#define KINORA_SERVICES_RUNNER_RUN_LEDGERS_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

#include "common/threads/mutex.h"
#include "services/runner/replay/dry_runs.h"
#include "services/runner/runner.h"
#include "services/store/event/event_store.h"

namespace kinora {

// Thread-safe.
class RunLedgers final : public EventStore {
 public:
  // All MUST outlive this; `dry_runs` may be null.
  RunLedgers(Runner& runner, EventStore& events, DryRuns* dry_runs)
      : runner_(runner), events_(events), dry_runs_(dry_runs) {}

  // `request.log.run_id` is all that need be set of the log. RUN_NOT_FOUND if
  // there is no such run. Of a dry run, too, what is past the end is
  // OUT_OF_RANGE.
  absl::StatusOr<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest& request) override;

  absl::StatusOr<EventPagePtr> ReadShared(
      const v1::ReadEventsRequest& request) override;

  // REQUIRES: a page of that run was read.
  WaiterId NotifyAfter(const v1::LogName& log, int64_t after,
                       absl::AnyInvocable<void()> callback) override;
  void CancelNotify(WaiterId id) override { events_.CancelNotify(id); }

  // UNIMPLEMENTED, all of these.
  absl::StatusOr<v1::AppendEventsResponse> Append(
      const v1::AppendEventsRequest& request) override;
  absl::StatusOr<v1::ResolveArtefactsResponse> ResolveArtefacts(
      const v1::ResolveArtefactsRequest& request) override;
  absl::StatusOr<v1::ListInputsResponse> ListInputs(
      const v1::ListInputsRequest& request) override;
  absl::StatusOr<v1::GetLogStatusResponse> GetLogStatus(
      const v1::GetLogStatusRequest& request) override;

 private:
  template <typename Page>
  using ReadLog =
      absl::StatusOr<Page> (EventStore::*)(const v1::ReadEventsRequest&);

  // The page by `read`, of the run's ledger where it is.
  template <typename Page>
  absl::StatusOr<Page> Read(const v1::ReadEventsRequest& request,
                            ReadLog<Page> read);
  std::optional<v1::LogName> Known(const std::string& run_id);
  absl::StatusOr<v1::LogName> LookUp(const std::string& run_id);

  Runner& runner_;
  EventStore& events_;
  DryRuns* const dry_runs_;
  Mutex mu_;
  // Where each was last. A run's ledger moves only with its movie: one that was
  // deleted may be imported under another name.
  absl::flat_hash_map<std::string, v1::LogName> known_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RUN_LEDGERS_H_
