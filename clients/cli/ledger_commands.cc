// kinora ledger reduce | normalize | patch | slice: filters over the rules of
// the run ledger. They ask no server.

#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"

#include "clients/cli/command.h"
#include "clients/cli/line_reader.h"
#include "common/status.h"
#include "services/runner/ledger/ledger_question.h"
#include "services/runner/ledger/trimmed_text.h"

namespace kinora {
namespace {

absl::StatusOr<std::string> AnswerLine(absl::string_view kind,
                                       absl::string_view line) {
  KINORA_ASSIGN_OR_RETURN(const JsonValue question, ParseJson(line));
  return AnswerLedgerQuestion(kind, question);
}

absl::StatusOr<int> AnswerLines(absl::string_view kind) {
  const auto flush = [] { std::fflush(stdout); };
  LineReader lines(STDIN_FILENO, flush);
  // Nobody reads what a broken stream takes; main.cc says so.
  while (std::ferror(stdout) == 0) {
    KINORA_ASSIGN_OR_RETURN(const std::optional<absl::string_view> line,
                            lines.Next());
    if (!line.has_value()) break;
    if (IsBlankText(*line)) continue;
    absl::StatusOr<std::string> answer = AnswerLine(kind, *line);
    if (!answer.ok()) {
      return Annotate(answer.status(), absl::StrCat("line ", lines.number()));
    }
    answer->push_back('\n');
    std::fwrite(answer->data(), 1, answer->size(), stdout);
  }
  return kExitOk;
}

// One function each: a command has no words of its own at hand.
absl::StatusOr<int> ReduceLines(const Invocation&) {
  return AnswerLines("reduce");
}
absl::StatusOr<int> NormalizeLines(const Invocation&) {
  return AnswerLines("normalize");
}
absl::StatusOr<int> PatchLines(const Invocation&) {
  return AnswerLines("patch");
}
absl::StatusOr<int> SliceLines(const Invocation&) {
  return AnswerLines("slice");
}

}  // namespace

std::vector<Command> LedgerCommands() {
  return {
      {.words = "ledger reduce",
       .usage = "< LINES",
       .help = "the snapshot that events lead to, for each line "
               "{\"initial\" or \"snapshot\",\"events\"}",
       .run = ReduceLines},
      {.words = "ledger normalize",
       .usage = "< LINES",
       .help = "the snapshot that a foreign one means, for each line "
               "{\"value\",\"fallback\"}",
       .run = NormalizeLines},
      {.words = "ledger patch",
       .usage = "< LINES",
       .help = "the events of a status document, for each line "
               "{\"previous\",\"patch\",\"now\"}",
       .run = PatchLines},
      {.words = "ledger slice",
       .usage = "< LINES",
       .help = "the log lines to send next, for each line {\"input\"}",
       .run = SliceLines},
  };
}

}  // namespace kinora
