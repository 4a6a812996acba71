// What happens to a run until its RunActor takes it up, in its inbox.

#ifndef KINORA_SERVICES_RUNNER_ACTOR_RUN_MESSAGE_H_
#define KINORA_SERVICES_RUNNER_ACTOR_RUN_MESSAGE_H_

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "kinora/v1/planner.pb.h"
#include "kinora/v1/producer.pb.h"
#include "kinora/v1/types.pb.h"
#include "services/runner/calls/producer_caller.h"
#include "services/runner/state/job_waits.h"
#include "services/runner/state/run_state.h"

namespace kinora {

// The run is to be carried out.
struct Begun {};

// Of attempts. One that has ended for the run is not listened to any more.
struct AttemptEnded {
  // What it has made: to be appended still, in the log, or not taken there.
  enum class Outputs { kNew, kDurable, kRefused };

  JobIndex job = 0;
  uint32_t attempt = 0;
  AttemptResult result;
  bool counts = true;    // against max_attempts, if it failed
  int64_t at_nanos = 0;  // when
  Outputs outputs = Outputs::kNew;
};
struct ProgressMade {
  JobIndex job = 0;
  uint32_t attempt = 0;
  v1::Progress progress;
};
// The period is over in which progress came too often.
struct ProgressDue {
  JobIndex job = 0;
  uint32_t attempt = 0;
};
struct LinesLogged {
  JobIndex job = 0;
  uint32_t attempt = 0;
  v1::LogLines lines;
};
struct QuestionAsked {
  JobIndex job = 0;
  uint32_t attempt = 0;
  v1::Question question;
  bool takes_answer = false;
};
struct RetryTimer {
  JobIndex job = 0;
  uint32_t attempt = 0;  // the one that failed
};
struct DoubtLookedUp {
  JobIndex job = 0;
  uint32_t attempt = 0;
  absl::StatusOr<FoundWork> found;
  bool is_paid = false;
};

// What somebody asks of the run.
struct CancelCall {
  std::string reason;
};
struct StopCall {
  bool now = false;
};
struct StepCancel {
  v1::Failure why;
};
struct RetryCall {
  std::vector<JobWait> waits;  // which it cuts short
};
// All answers the job has got so far, and why it fails for want of one, by
// QuestionKey().
struct QuestionAnswered {
  std::string job_id;
  std::vector<v1::Answer> answers;
  std::map<std::string, v1::Failure> failures;
};
// There may be something to say of questions that wait.
struct QuestionsDue {};
struct BudgetSet {};
// There may be more in the run's ledger.
struct HeedCall {};

// The planner's answer.
struct Expanded {
  std::vector<std::string> landed;
  absl::StatusOr<v1::ExpandDeferredGroupResponse> answer;
};
// What calls took before this run, by producer; empty if nobody can tell.
struct DurationsRecalled {
  std::map<std::string, absl::Duration> medians;
};
// The run has waited for them long enough.
struct DurationsLate {};

struct MovieCapRead {};
// Calls that were refused may be made now.
struct PlaceFree {};
struct LeaseLost {};

using RunMessage =
    std::variant<Begun, AttemptEnded, ProgressMade, ProgressDue, LinesLogged,
                 RetryTimer, CancelCall, StopCall, Expanded, DoubtLookedUp,
                 RetryCall, HeedCall, BudgetSet, MovieCapRead, PlaceFree,
                 LeaseLost, StepCancel, QuestionAsked, QuestionAnswered,
                 QuestionsDue, DurationsRecalled, DurationsLate>;

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_ACTOR_RUN_MESSAGE_H_
