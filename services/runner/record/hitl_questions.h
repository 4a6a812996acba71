// The questions that a run has asked people, as its record lists them.

#ifndef KINORA_SERVICES_RUNNER_RECORD_HITL_QUESTIONS_H_
#define KINORA_SERVICES_RUNNER_RECORD_HITL_QUESTIONS_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/json/json.h"
#include "services/runner/record/topic_log.h"

namespace kinora {

inline constexpr absl::string_view kQuestionsTopic = "hitl.questions";
inline constexpr absl::string_view kQuestionAsked = "hitl.question_asked";

// Merges the questions that `log` has of this run into the record's
// `hitl_questions`: {request_id, prompt, agent, trace_id?, asked_at}. Of one
// request id the log's latest beats its earlier ones, and those beat what the
// record has; other members of that stay. Of the record's own the last of an id
// stays, and those without an id all do. Sorted by time and id, as texts.
//
// Without a log nothing changes, the order neither. Errors: those of the log.
absl::Status MergeQuestions(EventTopicLog* log, JsonValue& document);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_HITL_QUESTIONS_H_
