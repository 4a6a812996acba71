// What a run in the runner's memory needs of DryRuns while it goes on: a seat
// among the few there may be at once, and somebody who hears when it has ended.

#ifndef KINORA_SERVICES_RUNNER_REPLAY_DRY_RUN_WATCH_H_
#define KINORA_SERVICES_RUNNER_REPLAY_DRY_RUN_WATCH_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/run_end.h"
#include "common/status.h"
#include "services/runner/actor/run_listener.h"
#include "services/runner/replay/dry_runs.h"

namespace kinora {

// Of each dry run; they share nothing with the threads of runs that count.
inline constexpr int kDryRunThreads = 2;
// How often it is looked whether a run was given up, which nobody tells.
inline constexpr absl::Duration kDryRunLookPeriod = absl::Seconds(1);

// Hears how a dry run goes on.
class DryRuns::Watch final : public RunListener {
 public:
  explicit Watch(DryRuns& all) : all_(all) {}

  void OnLedger(
      absl::string_view /*movie_id*/, absl::string_view /*run_id*/,
      int64_t /*first_sequence*/,
      const google::protobuf::RepeatedPtrField<v1::Event>& events) override {
    MutexLock lock(all_.mu_);
    for (const v1::Event& event : events) {
      const v1::LedgerEvent& ledger = event.ledger();
      ended_ = ended_ || IsTerminal(ledger);
      if (!ledger.has_run_waiting() ||
          ledger.run_waiting().reason() == kCancelling) {
        continue;
      }
      obstacle_ = ledger.run_waiting().reason();
      const absl::string_view message = ledger.run_waiting().message();
      // Not how to let this run go on, which is gone with its end.
      const absl::string_view why =
          message.substr(0, message.find("; kinora "));
      if (!why.empty()) absl::StrAppend(&obstacle_, ": ", why);
    }
    all_.cv_.SignalAll();
  }

  // Until the run has ended, which one that waits is made to. UNAVAILABLE if it
  // does not come to that.
  absl::Status AwaitEnd(Runner& runner, LeaseStore& leases,
                        const v1::RunRecord& record) {
    bool cancelled = false;
    for (;;) {
      std::string obstacle;
      {
        MutexLock lock(all_.mu_);
        const bool told = ended_ || all_.stopped_ ||
                          (!cancelled && !obstacle_.empty()) ||
                          all_.cv_.WaitFor(all_.mu_, kDryRunLookPeriod);
        if (ended_) return absl::OkStatus();
        if (all_.stopped_) {
          return absl::UnavailableError("the runner is shutting down");
        }
        if (!cancelled) obstacle = obstacle_;
        if (told && obstacle.empty()) continue;
      }
      if (!obstacle.empty()) {
        v1::CancelRunRequest cancel;
        cancel.set_run_id(record.run_id());
        cancel.set_reason(absl::StrCat("a run would wait: ", obstacle));
        // It may have ended by itself.
        runner.Cancel(cancel).IgnoreError();
        cancelled = true;
        continue;
      }
      KINORA_RETURN_IF_ERROR(CheckGoesOn(leases, record));
    }
  }

 private:
  // A run gives its lease up with its end, or without one.
  absl::Status CheckGoesOn(LeaseStore& leases, const v1::RunRecord& record) {
    v1::GetLeaseRequest get;
    get.set_lease_id(absl::StrCat("movie/", record.movie_id()));
    KINORA_ASSIGN_OR_RETURN(const v1::GetLeaseResponse response,
                            leases.Get(get));
    if (response.has_lease()) return absl::OkStatus();
    MutexLock lock(all_.mu_);
    if (ended_) return absl::OkStatus();
    return absl::UnavailableError(
        "the dry run was given up, as the store could not be reached: try "
        "again");
  }

  DryRuns& all_;
  // Guarded by all_.mu_.
  bool ended_ = false;
  std::string obstacle_;
};

// One of the few that may go on at once.
class DryRuns::Seat {
 public:
  static absl::StatusOr<std::unique_ptr<Seat>> Take(DryRuns& all) {
    MutexLock lock(all.mu_);
    if (all.stopped_) {
      return absl::UnavailableError("the runner is shutting down");
    }
    if (all.under_way_ == kMaxAtOnce) {
      return absl::ResourceExhaustedError(absl::StrCat(
          kMaxAtOnce, " dry runs go on: try again when one has ended"));
    }
    ++all.under_way_;
    return std::unique_ptr<Seat>(new Seat(all));
  }

  ~Seat() {
    MutexLock lock(all_.mu_);
    --all_.under_way_;
    all_.cv_.SignalAll();
  }

 private:
  explicit Seat(DryRuns& all) : all_(all) {}

  DryRuns& all_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_REPLAY_DRY_RUN_WATCH_H_
