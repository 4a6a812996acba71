// kinora runs record

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "clients/cli/command.h"
#include "clients/cli/connection.h"
#include "common/clock.h"
#include "common/file_system.h"
#include "common/ids.h"
#include "common/random.h"
#include "common/status.h"
#include "services/runner/record/document_members.h"
#include "services/runner/record/file_topic_log.h"
#include "services/runner/record/read_run_document.h"
#include "services/runner/record/run_document.h"

namespace kinora {
namespace {

// A fixture is made once: the one of the record that was saved before stays,
// and so do its id and time.
absl::Status KeepFixture(const std::string& path, const RunDocumentDeps& deps,
                         JsonValue* document) {
  const absl::StatusOr<JsonValue> saved = LoadRunDocument(path, deps);
  if (absl::IsNotFound(saved.status())) return absl::OkStatus();
  if (!saved.ok()) return saved.status();
  if (TextOrEmpty(*saved, "id") == TextOrEmpty(*document, "id")) {
    SetIfAny(document->object(), "replay_fixture",
             saved->Find("replay_fixture"));
  }
  return absl::OkStatus();
}

absl::StatusOr<int> RecordRun(const Invocation& call) {
  RunIdGenerator ids(RealClock(), SystemRandom());
  RunDocumentDeps deps{RealClock(), ids, PosixFileSystem()};
  std::optional<FileTopicLog> log;
  if (const auto directory = call.args.Get("log"); directory.has_value()) {
    log.emplace(deps.files, *directory);
    deps.log = &*log;
  }
  KINORA_ASSIGN_OR_RETURN(
      JsonValue document,
      ReadRunDocument(call.connection.store(), std::string(call.operand(0))));
  const std::optional<std::string> directory = call.args.Get("dir");
  if (!directory.has_value()) {
    KINORA_ASSIGN_OR_RETURN(const JsonValue normalized,
                            NormalizedRunDocument(std::move(document), deps));
    PrintJson(normalized);
    return kExitOk;
  }
  KINORA_ASSIGN_OR_RETURN(const std::string path,
                          RunDocumentPath(*directory, document));
  KINORA_RETURN_IF_ERROR(KeepFixture(path, deps, &document));
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

}  // namespace

std::vector<Command> RunsRecordCommands() {
  return {
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
