// What becomes of a question: of its answers, if several people must agree, and
// of its deadline. A function of the ledger and the time, so that whoever
// carries the run out comes to the same. Pure.

#ifndef KINORA_SERVICES_RUNNER_QUESTIONS_QUESTION_VERDICT_H_
#define KINORA_SERVICES_RUNNER_QUESTIONS_QUESTION_VERDICT_H_

#include <cstdint>
#include <optional>

#include "kinora/v1/ledger.pb.h"
#include "kinora/v1/types.pb.h"
#include "services/runner/questions/run_question.h"

namespace kinora {

// The answer that a quorum has given, or a false that it comes to; `answered`,
// for the ledger. Else `unanswered`, if it is the end of the question. None
// while it waits for people.
std::optional<v1::JobEvent> VerdictOfVotes(const RunQuestion& asked);

// What the ledger is to say of an open question next: VerdictOfVotes(), and
// once its deadline has passed `escalated`, `answered` with the default, or
// `unanswered`. None while it waits. A step of a stepwise run may not cancel
// it.
std::optional<v1::JobEvent> VerdictOn(const RunQuestion& asked, int64_t now_ms,
                                      bool may_cancel_run);

// Why the job fails for good. REQUIRES: asked.unanswered.
v1::Failure FailureOf(const RunQuestion& asked);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_QUESTIONS_QUESTION_VERDICT_H_
