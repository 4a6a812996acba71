// What the ledger says of a job's questions: the `job.` events with their
// details (proto/kinora/v1/ledger.proto), and the ids of the appends that
// record them, by which each is recorded once. The job's id is in each. Pure.

#ifndef KINORA_SERVICES_RUNNER_QUESTIONS_QUESTION_EVENTS_H_
#define KINORA_SERVICES_RUNNER_QUESTIONS_QUESTION_EVENTS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

#include "kinora/v1/ledger.pb.h"
#include "kinora/v1/producer.pb.h"
#include "services/runner/questions/run_question.h"

namespace kinora {

// Types of v1::JobEvent.
inline constexpr absl::string_view kQuestionEvent = "question";
inline constexpr absl::string_view kAnsweredEvent = "answered";
inline constexpr absl::string_view kVotedEvent = "voted";
inline constexpr absl::string_view kEscalatedEvent = "escalated";
inline constexpr absl::string_view kUnansweredEvent = "unanswered";

// True for the types that others than the run itself may have appended, or that
// end a question.
bool TellsOfQuestion(absl::string_view type);

v1::JobEvent QuestionEvent(const std::string& job_id,
                           const v1::Question& question);

// `in_doubt`: nobody knows what the attempt has paid. `charged` is what it was
// said to have cost.
v1::JobEvent AskingEvent(const std::string& job_id,
                         const v1::Question& question, bool in_doubt,
                         const v1::Cost& charged);

v1::JobEvent AnsweredEvent(const std::string& job_id, const v1::Answer& answer);

// The same of an answer that nobody has given; `assumed` is `deadline` or
// `quorum`.
v1::JobEvent AssumedEvent(const std::string& job_id, const v1::Answer& answer,
                          absl::string_view assumed);

// The same of a question that nobody is asked, as it was answered in an earlier
// run.
v1::JobEvent ApprovedEvent(const std::string& job_id,
                           const v1::Question& question,
                           const v1::Answer& answer,
                           const std::string& approved_in);

// One answer to a question with a quorum.
v1::JobEvent VotedEvent(const std::string& job_id, const v1::Answer& answer);

// The next of its `escalations` are asked, from now on.
v1::JobEvent EscalatedEvent(const RunQuestion& asked, int64_t now_ms);

v1::JobEvent UnansweredEvent(const RunQuestion& asked,
                             const Unanswered& unanswered);

// True for one that ends the run, too.
bool CancelsRun(const v1::JobEvent& unanswered);

// `approved` is the answer that holds no more, `new_hash` what is asked about
// now, and `run_id` the run in which it was given.
v1::JobEvent VoidedEvent(const std::string& job_id, const v1::Answer& approved,
                         const std::string& new_hash,
                         const std::string& run_id);

// Has one of these be about that round of its question.
void SetRound(uint32_t round, v1::JobEvent* event);

// The `request_id` of the append of one of these: the same for all that end the
// question, so that only one of them is recorded; for all votes of one person;
// and for all escalations to the same level. Another one for each content that
// the question is about, and each round. Not for ApprovedEvent().
std::string QuestionRequestId(const v1::JobEvent& event);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_QUESTIONS_QUESTION_EVENTS_H_
