// The terms on which a question is asked: until when, of whom, how many must
// agree, and what happens if they do not.

#ifndef KINORA_SERVICES_RUNNER_QUESTIONS_QUESTION_TERMS_H_
#define KINORA_SERVICES_RUNNER_QUESTIONS_QUESTION_TERMS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"

#include "kinora/v1/producer.pb.h"

namespace kinora {

inline constexpr int kMaxAssignees = 100;
inline constexpr size_t kMaxPersonBytes = 256;
inline constexpr int kMaxEscalations = 10;
inline constexpr uint32_t kMaxQuorum = 100;
// People who are asked where a question does not say how many.
inline constexpr uint32_t kMaxVotes = 100;

// INVALID_ARGUMENT naming the field (`question.escalations[0].timeout`) and its
// value if the terms contradict each other or go beyond the limits above.
absl::Status ValidateTerms(const v1::Question& question);

// So many equal answers decide; at least 1.
uint32_t QuorumOf(const v1::Question& question);

// So many people are asked at most: `voters`, or without that kMaxVotes, but as
// many as decide between two answers.
uint32_t VotersOf(const v1::Question& question);

// True if people may pass it over: `null` is an answer.
bool MayBePassedOver(const v1::Question& question);

// Sets the deadline of a question that is asked now, unless it has one or waits
// without end. REQUIRES: its terms are valid.
void StampDeadline(int64_t now_ms, v1::Question* question);

// The deadline in milliseconds since the epoch; 0 for none.
int64_t DeadlineMillis(const v1::Question& question);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_QUESTIONS_QUESTION_TERMS_H_
