#include "services/runner/record/transcript_lines.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/json/canonical_json.h"
#include "common/status.h"
#include "services/runner/record/document_members.h"
#include "services/runner/record/transcript.h"

namespace kinora {
namespace {

void TellUnlessTold(JsonObject& event, absl::string_view key,
                    const std::optional<std::string>& text) {
  if (text.has_value() && event.Find(key) == nullptr) event.Add(key, *text);
}

// Of what has a transcript, which is a job or the record itself.
void AppendLines(const JsonValue& owner,
                 const std::optional<std::string>& stage_id,
                 const std::optional<std::string>& node_id, std::string* out) {
  const JsonValue* transcript = MemberOf(owner, "transcript");
  if (transcript == nullptr) return;
  const std::optional<std::string> id = StringOf(*transcript, "id");
  for (JsonValue event : ElementsOf(*transcript, "events")) {
    if (event.is_object()) {
      TellUnlessTold(event.object(), "transcript_id", id);
      TellUnlessTold(event.object(), "stage_id", stage_id);
      TellUnlessTold(event.object(), "node_id", node_id);
    }
    absl::StrAppend(out, CanonicalJson(event), "\n");
  }
}

}  // namespace

std::string TranscriptLines(const JsonValue& document) {
  std::string lines;
  for (const JsonValue& stage : ElementsOf(document, "stages")) {
    AppendLines(stage, StringOf(stage, "id"), StringOf(stage, "node_id"),
                &lines);
  }
  AppendLines(document, std::nullopt, std::nullopt, &lines);
  return lines;
}

absl::Status SaveTranscriptLines(const JsonValue& document,
                                 absl::string_view run_path,
                                 FileSystem& files) {
  const std::string lines = TranscriptLines(document);
  const std::optional<std::string> path = TranscriptSidecarPath(run_path);
  if (lines.empty() || !path.has_value()) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(Annotate(files.CreateDirectories(ParentPath(*path)),
                                  "create transcript directory"));
  return Annotate(WriteFileAtomically(files, *path, lines),
                  "persist transcript");
}

}  // namespace kinora
