// kinora records normalize | save | load | fixture | evaluate: the steps of a
// run record on files, which ask no server; and kinora runs record, which makes
// a record of a run.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/ids.h"
#include "common/random.h"
#include "common/status.h"
#include "services/runner/record/document_form.h"
#include "services/runner/record/file_topic_log.h"
#include "services/runner/record/kept_fixture.h"
#include "services/runner/record/read_run_document.h"
#include "services/runner/record/replay_fixture.h"
#include "services/runner/record/run_document.h"

namespace kinora {
namespace {

RunDocumentDeps Deps(EventTopicLog* log = nullptr) {
  static RunIdGenerator ids(RealClock(), SystemRandom());
  return {RealClock(), ids, PosixFileSystem(), log};
}

// The log that `--log` names, if it does.
std::optional<FileTopicLog> LogOf(const Args& args) {
  const std::optional<std::string> directory = args.Get("log");
  if (!directory.has_value()) return std::nullopt;
  return FileTopicLog(PosixFileSystem(), *directory);
}

EventTopicLog* Given(std::optional<FileTopicLog>& log) {
  return log.has_value() ? &*log : nullptr;
}

// The JSON in a file, whatever it says.
absl::StatusOr<JsonValue> ReadJson(absl::string_view path) {
  KINORA_ASSIGN_OR_RETURN(
      const std::string text,
      ReadFile(PosixFileSystem(), path, kMaxRunDocumentBytes));
  absl::StatusOr<JsonValue> json = ParseJson(text, {.exact_integers = true});
  if (!json.ok()) return Annotate(json.status(), path);
  return json;
}

absl::StatusOr<JsonValue> ReadRecord(absl::string_view path) {
  KINORA_ASSIGN_OR_RETURN(JsonValue document, ReadJson(path));
  AdoptOtherNames(document);
  KINORA_RETURN_IF_ERROR(Annotate(CheckRunDocument(document), path));
  return document;
}

absl::StatusOr<int> PrintNormalized(JsonValue document,
                                    const RunDocumentDeps& deps) {
  KINORA_ASSIGN_OR_RETURN(const JsonValue normalized,
                          NormalizedRunDocument(std::move(document), deps));
  PrintJson(normalized);
  return kExitOk;
}

// Saves the document at `path`, and tells that.
absl::StatusOr<int> SaveAndTell(const Invocation& call,
                                const JsonValue& document,
                                const std::string& path,
                                const RunDocumentDeps& deps) {
  KINORA_ASSIGN_OR_RETURN(const std::string saved,
                          SaveRunDocument(document, path, deps));
  if (call.json) {
    JsonObject json;
    json.Add("path", saved);
    PrintJson(JsonValue(std::move(json)));
  } else {
    Print(absl::StrCat(saved, "\n"));
  }
  return kExitOk;
}

absl::StatusOr<int> NormalizeRecord(const Invocation& call) {
  KINORA_ASSIGN_OR_RETURN(JsonValue document, ReadRecord(call.operand(0)));
  std::optional<FileTopicLog> log = LogOf(call.args);
  return PrintNormalized(std::move(document), Deps(Given(log)));
}

absl::StatusOr<int> SaveRecord(const Invocation& call) {
  const std::optional<std::string> directory = call.args.Get("dir");
  if (!directory.has_value()) {
    return InvalidField("--dir", "", "DIR is required");
  }
  KINORA_ASSIGN_OR_RETURN(const JsonValue document,
                          ReadRecord(call.operand(0)));
  KINORA_ASSIGN_OR_RETURN(const std::string path,
                          RunDocumentPath(*directory, document));
  std::optional<FileTopicLog> log = LogOf(call.args);
  return SaveAndTell(call, document, path, Deps(Given(log)));
}

absl::StatusOr<int> LoadRecord(const Invocation& call) {
  KINORA_ASSIGN_OR_RETURN(const JsonValue document,
                          LoadRunDocument(call.operand(0), Deps()));
  PrintJson(document);
  return kExitOk;
}

absl::StatusOr<int> PrintFixture(const Invocation& call) {
  KINORA_ASSIGN_OR_RETURN(const JsonValue document,
                          ReadRecord(call.operand(0)));
  if (!HasEnded(document)) {
    return absl::FailedPreconditionError(
        absl::StrCat(call.operand(0),
                     ": its run has not ended, so that there is nothing that "
                     "a replay has to come to"));
  }
  const RunDocumentDeps deps = Deps();
  PrintJson(ReplayFixtureOf(document, deps.clock, deps.ids));
  return kExitOk;
}

absl::StatusOr<int> EvaluateRecord(const Invocation& call) {
  const std::optional<std::string> path = call.args.Get("fixture");
  if (!path.has_value()) {
    return InvalidField("--fixture", "", "FIXTURE is required");
  }
  KINORA_ASSIGN_OR_RETURN(const JsonValue document,
                          ReadRecord(call.operand(0)));
  KINORA_ASSIGN_OR_RETURN(const JsonValue fixture, ReadJson(*path));
  KINORA_RETURN_IF_ERROR(Annotate(CheckReplayFixture(fixture), *path));
  const std::vector<std::string> failures = EvaluateReplay(document, fixture);
  if (call.json) {
    JsonArray lines;
    for (const std::string& failure : failures) lines.emplace_back(failure);
    JsonObject json;
    json.Add("failures", std::move(lines));
    json.Add("pass", failures.empty());
    PrintJson(JsonValue(std::move(json)));
  } else {
    for (const std::string& failure : failures) {
      Print(absl::StrCat(failure, "\n"));
    }
    if (failures.empty()) Print("passed\n");
  }
  return failures.empty() ? kExitOk : kExitFailure;
}

absl::StatusOr<int> RecordRun(const Invocation& call) {
  std::optional<FileTopicLog> log = LogOf(call.args);
  const RunDocumentDeps deps = Deps(Given(log));
  KINORA_ASSIGN_OR_RETURN(
      JsonValue document,
      ReadRunDocument(call.connection.store(), std::string(call.operand(0))));
  const std::optional<std::string> directory = call.args.Get("dir");
  if (!directory.has_value()) return PrintNormalized(std::move(document), deps);
  KINORA_ASSIGN_OR_RETURN(const std::string path,
                          RunDocumentPath(*directory, document));
  KINORA_RETURN_IF_ERROR(KeepFixture(path, deps, &document));
  return SaveAndTell(call, document, path, deps);
}

}  // namespace

std::vector<Command> RecordCommands() {
  return {
      {.words = "records normalize",
       .usage = "FILE [--log DIR]",
       .help = "prints a run record with all that a run record has",
       .flags = {{"log", "DIR", "files of topics, of which questions are"}},
       .min_operands = 1,
       .max_operands = 1,
       .run = NormalizeRecord},
      {.words = "records save",
       .usage = "FILE --dir DIR [--log DIR]",
       .help = "saves a run record as DIR/<id>.json, and prints that path",
       .flags = {{"dir", "DIR", "where records are; made if missing"},
                 {"log", "DIR", "files of topics: questions, and who is told"}},
       .min_operands = 1,
       .max_operands = 1,
       .run = SaveRecord},
      {.words = "records load",
       .usage = "FILE",
       .help = "prints the run record that was saved in a file",
       .min_operands = 1,
       .max_operands = 1,
       .run = LoadRecord},
      {.words = "records fixture",
       .usage = "FILE",
       .help = "prints what a replay of a recorded run has to come to",
       .min_operands = 1,
       .max_operands = 1,
       .run = PrintFixture},
      {.words = "records evaluate",
       .usage = "FILE --fixture FIXTURE",
       .help = "tells how a recorded run differs from a replay fixture",
       .flags = {{"fixture", "FIXTURE", "the file of the fixture"}},
       .min_operands = 1,
       .max_operands = 1,
       .run = EvaluateRecord},
      {.words = "runs record",
       .usage = "RUN [--dir DIR] [--log DIR]",
       .help = "prints or saves the run record of a run, to be given away",
       .flags = {{"dir", "DIR", "save it there as RUN.json; made if missing"},
                 {"log", "DIR", "files of topics: questions, and who is told"}},
       .min_operands = 1,
       .max_operands = 1,
       .run = RecordRun},
  };
}

}  // namespace kinora
