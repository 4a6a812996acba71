// What somebody has paused of a run, as its ledger tells it: the whole run, or
// some of its producers. Pure.

#ifndef KINORA_SERVICES_RUNNER_STATE_RUN_PAUSES_H_
#define KINORA_SERVICES_RUNNER_STATE_RUN_PAUSES_H_

#include <functional>
#include <set>
#include <string>

#include "absl/strings/string_view.h"

#include "kinora/v1/ledger.pb.h"

namespace kinora {

// The reason of run.waiting and run.resumed about pauses.
inline constexpr absl::string_view kPaused = "paused";

// Folds ledger events, in their order. Not thread-safe.
//
// A pause is a run.waiting, its end a run.resumed, both with the reason
// `paused` and `requested`; they name a producer, or none for all. One that is
// not requested says that the run has come to a stand because of a pause.
class RunPauses {
 public:
  // Events about anything else change nothing.
  void Apply(const v1::LedgerEvent& event);

  // Whether jobs of this producer must not be called.
  bool Holds(absl::string_view producer) const {
    return whole_ || producers_.find(producer) != producers_.end();
  }

  // Whether a request would change something: to pause, or else to resume, this
  // producer, or all if it is empty.
  bool IsChange(bool pause, absl::string_view producer) const;

  bool whole() const { return whole_; }
  // Paused by their names, whether or not the whole run is.
  const std::set<std::string, std::less<>>& producers() const {
    return producers_;
  }

 private:
  bool whole_ = false;
  std::set<std::string, std::less<>> producers_;
};

// The event of such a request, but for what all events have.
v1::LedgerEvent PauseEvent(bool pause, absl::string_view producer);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_STATE_RUN_PAUSES_H_
