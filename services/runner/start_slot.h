// What the files of Runner share: the names of leases, which runs are of what
// kind, and Runner::StartSlot.

#ifndef KINORA_SERVICES_RUNNER_START_SLOT_H_
#define KINORA_SERVICES_RUNNER_START_SLOT_H_

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"

#include "services/runner/run_refusals.h"
#include "services/runner/runner.h"

namespace kinora {

// True for one that waits for its turn.
inline bool IsQueued(const v1::RunRecord& record) {
  return record.status() == v1::RUN_STATUS_QUEUED &&
         !record.queued_request_json().empty();
}

inline std::string LeaseIdOf(absl::string_view movie_id) {
  return absl::StrCat("movie/", movie_id);
}

// Holds a movie for the time of a start or an adoption, so that no two of them
// in this process meet under one lease.
class Runner::StartSlot {
 public:
  // Waits while another start or adoption holds the movie. RUN_ACTIVE if a run
  // of the movie is active here then; UNAVAILABLE if the runner is draining.
  static absl::StatusOr<std::unique_ptr<StartSlot>> Take(
      Runner& runner, const std::string& movie_id) {
    MutexLock lock(runner.mu_);
    for (;;) {
      if (runner.draining_) {
        return absl::UnavailableError("the runner is shutting down");
      }
      const auto active = runner.active_.find(movie_id);
      if (active != runner.active_.end() && !active->second->closing()) {
        return RunActive(movie_id, active->second->run_id());
      }
      // Who saw the run end and starts the next one must not be turned away.
      if (active == runner.active_.end() &&
          runner.starting_.insert(movie_id).second) {
        break;
      }
      runner.ended_cv_.Wait(runner.mu_);
    }
    return std::unique_ptr<StartSlot>(new StartSlot(runner, movie_id));
  }

  ~StartSlot() {
    MutexLock lock(runner_.mu_);
    runner_.starting_.erase(movie_id_);
    runner_.ended_cv_.SignalAll();
  }

 private:
  StartSlot(Runner& runner, const std::string& movie_id)
      : runner_(runner), movie_id_(movie_id) {}

  Runner& runner_;
  const std::string movie_id_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_START_SLOT_H_
