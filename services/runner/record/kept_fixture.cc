#include "services/runner/record/kept_fixture.h"

#include "services/runner/record/document_members.h"

namespace kinora {

absl::Status KeepFixture(absl::string_view path, const RunDocumentDeps& deps,
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

}  // namespace kinora
