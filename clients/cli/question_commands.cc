// kinora questions | answer

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/question_text.h"
#include "clients/cli/terminal_text.h"
#include "common/status.h"

namespace kinora {
namespace {

absl::StatusOr<v1::ListQuestionsResponse> List(const Invocation& call,
                                               std::string run_id,
                                               std::string movie_id) {
  v1::ListQuestionsRequest request;
  request.set_run_id(std::move(run_id));
  request.set_movie_id(std::move(movie_id));
  return call.connection.runner().ListQuestions(request);
}

absl::StatusOr<int> ListQuestions(const Invocation& call) {
  const std::string run_id =
      call.args.operands().empty() ? "" : std::string(call.operand(0));
  KINORA_ASSIGN_OR_RETURN(
      const v1::ListQuestionsResponse list,
      List(call, run_id, call.args.Get("movie").value_or("")));
  if (call.json) {
    PrintJson(list);
    return kExitOk;
  }
  for (const v1::PendingQuestion& pending : list.questions()) {
    const v1::Question& question = pending.question();
    const std::string how = HowToAnswer(pending);
    // The run itself may ask.
    Print(PrintableLines(absl::StrCat(
        pending.run_id(), "  ",
        pending.job_id().empty() ? question.question_id() : pending.job_id(),
        "  ", question.prompt(), how.empty() ? "" : "\n", how)));
  }
  return kExitOk;
}

absl::StatusOr<int> AnswerQuestion(const Invocation& call) {
  if (call.args.Has("skip") != (call.args.operands().size() == 2)) {
    return BadUsage(InvalidField("VALUE", "", "expected a value or --skip"));
  }
  v1::AnswerQuestionRequest request;
  request.set_run_id(std::string(call.operand(0)));
  request.set_job_id(call.args.Get("job").value_or(""));
  v1::Answer& answer = *request.mutable_answer();
  answer.set_question_id(std::string(call.operand(1)));
  answer.set_answered_by(call.args.Get("by").value_or(""));
  answer.set_content_hash(call.args.Get("about").value_or(""));
  // The form of the answer is the question's. Of one that is not there the
  // runner says so.
  KINORA_ASSIGN_OR_RETURN(const v1::ListQuestionsResponse list,
                          List(call, request.run_id(), ""));
  v1::QuestionKind kind = v1::QUESTION_KIND_TEXT;
  for (const v1::PendingQuestion& pending : list.questions()) {
    if (pending.question().question_id() == answer.question_id() &&
        (request.job_id().empty() || pending.job_id() == request.job_id())) {
      kind = pending.question().kind();
      break;
    }
  }
  const auto& operands = call.args.operands();
  const bool skips = call.args.Has("skip");
  if (skips) answer.set_value_json("null");
  if (operands.size() > 3 && kind != v1::QUESTION_KIND_MULTIPLE) {
    return InvalidField("VALUE", call.operand(3),
                        "the question takes one value: quote it");
  }
  std::vector<absl::string_view> typed;
  for (size_t i = 2; i < operands.size(); ++i) typed.push_back(call.operand(i));
  if (!skips) answer.set_value_json(AnswerJson(kind, typed));
  KINORA_ASSIGN_OR_RETURN(const v1::AnswerQuestionResponse response,
                          call.connection.runner().AnswerQuestion(request));
  if (call.json) PrintJson(response);
  return kExitOk;
}

}  // namespace

std::vector<Command> QuestionCommands() {
  return {
      {.words = "questions",
       .usage = "[RUN] [--movie MOVIE]",
       .help = "lists questions that wait for an answer, the oldest first",
       .flags = {{"movie", "MOVIE", "only those of this movie"}},
       .min_operands = 0,
       .max_operands = 1,
       .run = ListQuestions},
      {.words = "answer",
       .usage = "RUN QUESTION (VALUE [VALUE ...] | --skip) [--job JOB] "
                "[--by NAME] [--about HASH]",
       .help = "answers a question: text, yes or no, options, or JSON",
       .flags = {{"job", "JOB", "the job that asked, if several did"},
                 {"by", "NAME", "who answers, for the ledger"},
                 {"about", "HASH", "only if it is about this content"},
                 {"skip", "", "passes over a question that may be"}},
       .min_operands = 2,
       .max_operands = 102,
       .run = AnswerQuestion},
  };
}

}  // namespace kinora
