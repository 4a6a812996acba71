// RecordedProducers stand in for all producers of a runner in a replay: each
// attempt is answered with what the recorded run made of the same job from the
// same inputs. Nobody is called.

#ifndef KINORA_SERVICES_RUNNER_REPLAY_RECORDED_PRODUCERS_H_
#define KINORA_SERVICES_RUNNER_REPLAY_RECORDED_PRODUCERS_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "services/runner/calls/producer_caller.h"
#include "services/runner/replay/recorded_run.h"

namespace kinora {

// The answer to a job under an inputs hash is the last success of the run; if
// there is none, its last failure, which then is for good: what was tried again
// in between is not waited for, nor is a question asked that was answered.
//
// Thread-safe.
class RecordedProducers final : public ProducerCaller {
 public:
  // Without `others` a job that the record does not answer fails, and
  // descriptions are as the plan says, without asking anybody. Else such a job
  // is for `others`, who are asked what producers are and what they take, as
  // far as they answer; `versions` are those that are known, by name. All MUST
  // outlive this.
  RecordedProducers(const RecordedRun& run,
                    std::map<std::string, std::string> versions,
                    Executor& executor, ProducerCaller* others);

  absl::StatusOr<v1::DescribeResponse> Describe(
      absl::string_view producer, const std::string& version) override;
  absl::StatusOr<FoundWork> LookUp(absl::string_view /*producer*/,
                                   const std::string& /*idempotency_key*/,
                                   CallStop& /*stop*/) override {
    return FoundWork();
  }
  std::unique_ptr<Attempt> Start(
      AttemptRequest request,
      std::shared_ptr<AttemptObserver> observer) override;

  // Jobs that were answered from the record.
  std::set<std::string> answered() const;
  // Jobs that were not, with the inputs hash they were asked for under.
  std::map<std::string, std::string> unrecorded() const;

 private:
  // What came of one job from one set of inputs.
  struct Work {
    std::map<std::string, const v1::ArtefactEvent*> made;  // by artefact
    const v1::Failure* failure = nullptr;
  };
  using WorkKey = std::pair<std::string, std::string>;  // job, inputs hash

  std::optional<AttemptResult> ResultOf(const AttemptRequest& request) const;

  std::map<WorkKey, Work> works_;
  const std::map<std::string, std::string> versions_;
  Executor& executor_;
  ProducerCaller* const others_;
  std::map<std::string, v1::DescribeResponse> described_;  // by others
  mutable Mutex mu_;
  std::set<std::string> answered_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::string> unrecorded_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_REPLAY_RECORDED_PRODUCERS_H_
