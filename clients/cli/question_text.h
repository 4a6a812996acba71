// Questions to people as they are shown, and answers as they are typed. Pure.

#ifndef KINORA_CLIENTS_CLI_QUESTION_TEXT_H_
#define KINORA_CLIENTS_CLI_QUESTION_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "kinora/v1/runner.pb.h"

namespace kinora {

// Below a question's prompt: the default, whom it is for, until when and what
// happens then, who has answered already, what an answer must keep to, and the
// command that answers it with what may stand there, without a line end.
//   kinora answer run-01... tone 'calm' | 'wild'
// Of what the run itself asks, the command with what is proposed; empty if an
// answer does not help: then the prompt says what does.
std::string HowToAnswer(const v1::PendingQuestion& pending);

// What was typed, as JSON: text and choices as they are, yes and no for true
// and false, everything else as JSON. What does not fit is for the runner to
// refuse.
std::string AnswerJson(v1::QuestionKind kind, absl::string_view typed);

// The same of one or more values: of several choices the options as they are.
std::string AnswerJson(v1::QuestionKind kind,
                       absl::Span<const absl::string_view> typed);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_QUESTION_TEXT_H_
