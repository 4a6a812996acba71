// kinora ledger reduce | normalize | patch | slice: filters over the rules of
// the run ledger, which ask no server; and ledger ingest, which tells a runner
// what happened in a run.

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "clients/cli/line_reader.h"
#include "clients/cpp/runner_client.h"
#include "common/files/file_system.h"
#include "common/json/json.h"
#include "common/json/ledger_json.h"
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

// A request has at most so many events, and about so many bytes.
constexpr int kEventsOfRequest = 1'000;
constexpr size_t kBytesOfRequest = 1 << 20;

// Takes lines, and sends what they say, many at a time.
class Reporter {
 public:
  // `is_patch`: a line is a status document, else it is an event.
  Reporter(RunnerClient& runner, std::string run_id, bool is_patch)
      : runner_(runner), is_patch_(is_patch) {
    request_.set_run_id(std::move(run_id));
  }

  absl::Status Take(absl::string_view line, int64_t number) {
    if (IsBlankText(line)) return absl::OkStatus();
    if (is_patch_) {
      request_.set_status_patch_json(std::string(line));
      return Annotate(Send(), absl::StrCat("line ", number));
    }
    absl::StatusOr<v1::LedgerEvent> event = EventOf(line);
    if (!event.ok()) {
      return Annotate(event.status(), absl::StrCat("line ", number));
    }
    if (request_.events().empty()) first_ = number;
    last_ = number;
    bytes_ += line.size();
    *request_.add_events() = *std::move(event);
    if (request_.events_size() < kEventsOfRequest && bytes_ < kBytesOfRequest) {
      return absl::OkStatus();
    }
    return SendEvents();
  }

  // What is left. The answer tells how far the ledger goes.
  absl::Status SendEvents() {
    if (request_.events().empty()) return Send();
    return Annotate(Send(), absl::StrCat("lines ", first_, " to ", last_));
  }

  bool has_events() const { return !request_.events().empty(); }
  int64_t last_sequence() const { return last_sequence_; }
  int64_t appended() const { return appended_; }

 private:
  // An event may leave out its run and its time.
  absl::StatusOr<v1::LedgerEvent> EventOf(absl::string_view line) {
    KINORA_ASSIGN_OR_RETURN(JsonValue json, ParseJson(line));
    if (json.is_object()) {
      json.object().Add("runId", request_.run_id());
      json.object().Add("occurredAt", 0);
    }
    return LedgerEventFromJson(json);
  }

  absl::Status Send() {
    KINORA_ASSIGN_OR_RETURN(const v1::IngestLedgerEventsResponse answer,
                            runner_.IngestLedgerEvents(request_));
    last_sequence_ = answer.last_sequence();
    appended_ += answer.appended();
    request_.clear_events();
    request_.clear_status_patch_json();
    bytes_ = 0;
    return absl::OkStatus();
  }

  RunnerClient& runner_;
  const bool is_patch_;
  v1::IngestLedgerEventsRequest request_;
  size_t bytes_ = 0;
  int64_t first_ = 0;  // lines of the request
  int64_t last_ = 0;
  int64_t last_sequence_ = 0;
  int64_t appended_ = 0;
};

absl::Status ReportStdin(Reporter* reporter) {
  // The next line may take for ever: what there is goes out before.
  absl::Status sent;
  const auto send = [&sent, reporter] {
    if (sent.ok() && reporter->has_events()) sent = reporter->SendEvents();
  };
  LineReader lines(STDIN_FILENO, send);
  for (;;) {
    KINORA_ASSIGN_OR_RETURN(const std::optional<absl::string_view> line,
                            lines.Next());
    KINORA_RETURN_IF_ERROR(sent);
    if (!line.has_value()) return absl::OkStatus();
    KINORA_RETURN_IF_ERROR(reporter->Take(*line, lines.number()));
  }
}

absl::Status ReportFile(const std::string& path, Reporter* reporter) {
  KINORA_ASSIGN_OR_RETURN(const std::string text,
                          ReadFile(PosixFileSystem(), path, kMaxLineBytes));
  int64_t number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    KINORA_RETURN_IF_ERROR(reporter->Take(line, ++number));
  }
  return absl::OkStatus();
}

absl::StatusOr<int> IngestLines(const Invocation& call) {
  Reporter reporter(call.connection.runner(), std::string(call.operand(0)),
                    call.args.Has("patch"));
  const bool has_file =
      call.args.operands().size() > 1 && call.operand(1) != "-";
  KINORA_RETURN_IF_ERROR(
      has_file ? ReportFile(std::string(call.operand(1)), &reporter)
               : ReportStdin(&reporter));
  KINORA_RETURN_IF_ERROR(reporter.SendEvents());
  if (call.json) {
    JsonObject answer;
    answer.Add("lastSequence", reporter.last_sequence());
    answer.Add("appended", reporter.appended());
    PrintJson(JsonValue(std::move(answer)));
  } else {
    Print(absl::StrCat(reporter.appended(), " appended, the last event is ",
                       reporter.last_sequence(), "\n"));
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
      {.words = "ledger ingest",
       .usage = "RUN [FILE] [--patch]",
       .help = "tells the run's ledger what happened, one event a line as "
               "`runs watch --json` prints them; with --patch status documents",
       .flags = {{"patch", "", "a line is a status document"}},
       .min_operands = 1,
       .max_operands = 2,
       .run = IngestLines},
  };
}

}  // namespace kinora
