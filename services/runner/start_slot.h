// Runner::StartSlot, for the files of Runner only.

#ifndef KINORA_SERVICES_RUNNER_START_SLOT_H_
#define KINORA_SERVICES_RUNNER_START_SLOT_H_

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "services/runner/runner.h"

namespace kinora {

inline absl::Status RunActive(absl::string_view movie_id,
                              absl::string_view run_id) {
  return WithReason(
      absl::FailedPreconditionError(absl::StrCat("run ", run_id, " of movie \"",
                                                 movie_id, "\" is active")),
      "RUN_ACTIVE", {{"movie", movie_id}, {"run", run_id}});
}

// Holds a movie for the time of a start, so that no two starts in this process
// meet under one lease.
class Runner::StartSlot {
 public:
  // RUN_ACTIVE if a run of the movie is active here; UNAVAILABLE if one is just
  // being started, or if the runner is draining.
  static absl::StatusOr<std::unique_ptr<StartSlot>> Take(
      Runner& runner, const std::string& movie_id) {
    MutexLock lock(runner.mu_);
    if (runner.draining_) {
      return absl::UnavailableError("the runner is shutting down");
    }
    for (;;) {
      auto active = runner.active_.find(movie_id);
      if (active == runner.active_.end()) break;
      if (!active->second->closing()) {
        return RunActive(movie_id, active->second->run_id());
      }
      // Who saw the run end and starts the next one must not be turned away.
      runner.ended_cv_.Wait(runner.mu_);
    }
    if (!runner.starting_.insert(movie_id).second) {
      return absl::UnavailableError(absl::StrCat(
          "a run of movie \"", movie_id, "\" is being started; try again"));
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
