#include "services/runner/record/run_document.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "common/utf8.h"
#include "services/runner/record/action_graph.h"
#include "services/runner/record/child_runs.h"
#include "services/runner/record/document_members.h"
#include "services/runner/record/handoffs.h"
#include "services/runner/record/hitl_questions.h"
#include "services/runner/record/indented_json.h"
#include "services/runner/record/replay_fixture.h"

namespace kinora {
namespace {

constexpr JsonLimits kLimits = {.exact_integers = true};

void SetIfEmpty(JsonValue& document, absl::string_view key,
                absl::string_view text) {
  if (TextOrEmpty(document, key).empty()) document.object().Set(key, text);
}

void AddDefaults(JsonValue& document, const RunDocumentDeps& deps) {
  SetIfEmpty(document, "type", "run_record");
  if (TextOrEmpty(document, "id").empty()) {
    document.object().Set("id", deps.ids.Next());
  }
  SetIfEmpty(document, "started_at", NowText(deps.clock));
  SetIfEmpty(document, "status", "running");
  SetIfEmpty(document, "root_run_id", std::string(TextOrEmpty(document, "id")));
}

void SetObservability(JsonValue& document, const RunDocumentDeps& deps) {
  document.object().Set("observability", Observability(document, deps.files));
}

// What a record is saved as; INVALID_ARGUMENT if it could not be loaded.
absl::StatusOr<std::string> Encoded(const JsonValue& document) {
  std::string text = IndentedJson(document);
  KINORA_RETURN_IF_ERROR(ParseJson(text, kLimits).status());
  if (text.size() > kMaxRunDocumentBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has ", text.size(), " bytes, more than the ",
                     kMaxRunDocumentBytes, " that are read"));
  }
  return text;
}

}  // namespace

absl::StatusOr<JsonValue> NormalizedRunDocument(JsonValue document,
                                                const RunDocumentDeps& deps) {
  AdoptOtherNames(document);
  KINORA_RETURN_IF_ERROR(CheckRunDocument(document));
  AddDefaults(document, deps);
  AddReplayFixture(document, deps.clock, deps.ids);
  KINORA_RETURN_IF_ERROR(MergeQuestions(deps.log, document));
  AddChildRuns(document);
  SyncHandoffs(document);
  if (MemberOf(document, "observability") == nullptr) {
    SetObservability(document, deps);
  }
  return document;
}

absl::StatusOr<JsonValue> RunDocumentToSave(const JsonValue& document,
                                            absl::string_view path,
                                            const RunDocumentDeps& deps) {
  if (path.empty() || !IsValidUtf8(path)) {
    return InvalidField("path", path, "must be a path in UTF-8");
  }
  JsonValue saved = document;
  AdoptOtherNames(saved);
  if (absl::Status checked = CheckRunDocument(saved); !checked.ok()) {
    return Annotate(checked, "encode run record");
  }
  KINORA_RETURN_IF_ERROR(MergeQuestions(deps.log, saved));
  AddChildRuns(saved);
  AddReplayFixture(saved, deps.clock, deps.ids);
  saved.object().Set("persisted_path", path);
  SyncHandoffs(saved);
  SetObservability(saved, deps);
  return saved;
}

absl::StatusOr<std::string> RunDocumentPath(absl::string_view directory,
                                            const JsonValue& document) {
  const absl::string_view id = TextOrEmpty(document, "id");
  if (id.empty()) return InvalidField("id", id, "must not be empty");
  for (const char c : id) {
    if (c == '/' || absl::ascii_iscntrl(c)) {
      return InvalidField("id", id, "must be the name of a file");
    }
  }
  return JoinPath(directory, absl::StrCat(id, ".json"));
}

absl::StatusOr<std::string> SaveRunDocument(const JsonValue& document,
                                            absl::string_view path,
                                            const RunDocumentDeps& deps) {
  KINORA_ASSIGN_OR_RETURN(const JsonValue saved,
                          RunDocumentToSave(document, path, deps));
  const absl::StatusOr<std::string> text = Encoded(saved);
  if (!text.ok()) return Annotate(text.status(), "encode run record");
  KINORA_RETURN_IF_ERROR(Annotate(
      deps.files.CreateDirectories(ParentPath(path)), "create run directory"));
  KINORA_RETURN_IF_ERROR(Annotate(WriteFileAtomically(deps.files, path, *text),
                                  "persist run record"));
  if (deps.log != nullptr) {
    // Best effort: the record is there, and says the same.
    deps.log->Append(kActionGraphTopic, ActionGraphEvent(saved))
        .status()
        .IgnoreError();
  }
  return std::string(path);
}

absl::StatusOr<JsonValue> LoadRunDocument(absl::string_view path,
                                          const RunDocumentDeps& deps) {
  const absl::StatusOr<std::string> text =
      ReadFile(deps.files, path, kMaxRunDocumentBytes);
  if (!text.ok()) return Annotate(text.status(), "read run record");
  absl::StatusOr<JsonValue> document = ParseJson(*text, kLimits);
  if (!document.ok()) return Annotate(document.status(), "parse run record");
  AdoptOtherNames(*document);
  if (absl::Status checked = CheckRunDocument(*document); !checked.ok()) {
    return Annotate(checked, "decode run record");
  }
  AddChildRuns(*document);
  AddReplayFixture(*document, deps.clock, deps.ids);
  if (IsValidUtf8(path)) SetIfEmpty(*document, "persisted_path", path);
  SyncHandoffs(*document);
  SetObservability(*document, deps);
  return document;
}

}  // namespace kinora
