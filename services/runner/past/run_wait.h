// For what a run waits when nothing of it goes on. Pure.

#ifndef KINORA_SERVICES_RUNNER_PAST_RUN_WAIT_H_
#define KINORA_SERVICES_RUNNER_PAST_RUN_WAIT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/run_budget.h"
#include "kinora/v1/ledger.pb.h"
#include "kinora/v1/run_record.pb.h"
#include "services/runner/calls/call_turns.h"
#include "services/runner/state/run_state.h"

namespace kinora {

// Reasons of run.waiting, beside that of pauses (run_pauses.h).
inline constexpr absl::string_view kBudget = "budget";
inline constexpr absl::string_view kInDoubt = "in_doubt";
inline constexpr absl::string_view kQuestion = "question";
inline constexpr absl::string_view kPlanner = "planner";
inline constexpr absl::string_view kProducer = "producer";

// What is over sooner is not told: the run goes on before anybody wonders.
inline constexpr absl::Duration kLeastWait = absl::Seconds(3);
// An end that has moved by no more is no news: under a rate that many runs
// share, it moves with each call that one of them makes.
inline constexpr absl::Duration kLittleLater = absl::Seconds(5);

// What keeps jobs from being started whose turn it is.
struct HeldStarts {
  bool by_pause = false;
  // The budget: one of the jobs, and what is in its way.
  std::optional<JobIndex> unaffordable;
  RunBudget::Obstacle obstacle;
  // What comes by itself: soon, or when these producers may be called.
  bool for_now = false;
  std::set<std::string> refused;
};

// A job that has failed and is called again by a timer.
struct Retrying {
  int64_t due = 0;     // in nanoseconds of Clock::MonotonicNanos()
  bool asked = false;  // the producer asked for the time
};

struct RunWait {
  std::string reason;  // of run.waiting; empty if the run goes on
  std::string message;
  // When it goes on by itself, in nanoseconds of Clock::MonotonicNanos();
  // INT64_MAX if that takes somebody, or nobody can tell.
  int64_t until = INT64_MAX;

  // True if it is the same that keeps the run waiting, whenever it ends.
  bool IsFor(const RunWait& other) const {
    return reason == other.reason && message == other.message;
  }
  // True if who was told of `told` knows this one.
  bool IsKnownBy(const RunWait& told) const;
};

// How a run stands once it has started what it may.
struct RunStanding {
  bool is_over = false;    // all has ended, or it was cancelled
  bool is_paused = false;  // as a whole
  size_t running = 0;      // attempts under way, but for those that ask
  // Those, and jobs that have left their places to wait for an answer.
  size_t asking = 0;
  // The first deadline of what they ask, in nanoseconds of
  // Clock::MonotonicNanos(); INT64_MAX if they wait without end.
  int64_t answered_by = INT64_MAX;
  size_t in_doubt = 0;  // jobs
  // About some of them a producer could not be asked, but has not been away for
  // long. They hold money, which may turn out to be needed or not.
  bool asks_again_soon = false;
  // Something else is under way and comes back soon: producers are asked what
  // became of attempts, the planner is asked something.
  bool is_answered_soon = false;
  bool lacks_planner = false;  // which has been asked often enough
  // Of jobs whose turn it is.
  bool held_by_pause = false;
  bool held_by_budget = false;
  // Some job goes on soon, without anybody's doing.
  bool goes_on_soon = false;
  // What keeps jobs waiting that go on by themselves, but later.
  std::optional<RunWait> later;

  // Takes a job that goes on by itself with the end of `wait`, now being `now`.
  // What was told stays told to its end, though that may move.
  void WaitsFor(RunWait wait, int64_t now, const RunWait& told);
  // The same of one that waits for its turn among other runs, as the run has
  // done since `since` without a call of its own. Turns come and go, so it is
  // told only of a run that has stood still for kLeastWait.
  void WaitsForTurn(absl::string_view producer, int64_t since, int64_t now,
                    const RunWait& told);
};

// Reason, message and end of what keeps jobs from their producer.
RunWait WaitForProducer(absl::string_view producer,
                        const CallTurns::Hold& hold);
// The same for a job that has failed and is called again, as `producer` can be
// by then; `asked` if it is the producer that asked for the time.
RunWait WaitForRetry(absl::string_view job_id, absl::string_view producer,
                     bool asked, int64_t until);

// The same for a run's record.
v1::RunWait RecordedWait(const v1::RunWaitingEvent& event);

// There may be several things for which a run waits; what is told is the first
// that somebody has to decide, as of the others the run's state tells by
// itself: its questions, jobs in doubt and paused producers. A budget has no
// message yet.
RunWait WaitOf(const RunStanding& standing);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_PAST_RUN_WAIT_H_
