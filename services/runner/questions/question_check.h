// What a question may be, and what answers it.

#ifndef KINORA_SERVICES_RUNNER_QUESTIONS_QUESTION_CHECK_H_
#define KINORA_SERVICES_RUNNER_QUESTIONS_QUESTION_CHECK_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/producer.pb.h"

namespace kinora {

inline constexpr size_t kMaxQuestionIdBytes = 128;
inline constexpr size_t kMaxPromptBytes = 4 * 1024;
inline constexpr int kMaxOptions = 100;
inline constexpr size_t kMaxOptionBytes = 1024;
inline constexpr size_t kMaxAnswerBytes = 64 * 1024;
inline constexpr size_t kMaxMetadataBytes = 16 * 1024;

// INVALID_ARGUMENT naming the field (`question.prompt`) and its value if a
// producer asks what nobody could answer, or more than the limits above.
absl::Status ValidateQuestion(const v1::Question& question);

// The answer as canonical JSON. INVALID_ARGUMENT naming `answer.value_json`,
// the value and what the question allows if it is none:
//   text      a string, as long as it may be, that matches the pattern
//   confirm   true or false
//   choice    one of the options
//   multiple  an array of them, none twice, as many as are wanted
//   JSON      any value that fits its schema, if it has one
// and null of one that is not required.
absl::StatusOr<std::string> CheckAnswer(const v1::Question& question,
                                        absl::string_view value_json);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_QUESTIONS_QUESTION_CHECK_H_
