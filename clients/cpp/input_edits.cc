#include "clients/cpp/input_edits.h"

#include "clients/cpp/content_upload.h"
#include "common/content.h"
#include "common/error_reason.h"
#include "common/status.h"

namespace kinora {

absl::StatusOr<Revision> NextRevision(const Store& store,
                                      absl::string_view movie_id) {
  v1::GetCurrentManifestRequest request;
  request.set_movie_id(std::string(movie_id));
  KINORA_ASSIGN_OR_RETURN(const v1::GetCurrentManifestResponse response,
                          store.manifests.GetCurrent(request));
  if (response.current().revision().empty()) return Revision{}.Next();
  KINORA_ASSIGN_OR_RETURN(const Revision current,
                          Revision::Parse(response.current().revision()));
  return current.Next();
}

absl::StatusOr<v1::AppendEventsResponse> AppendInputEdits(
    const Store& store, absl::string_view movie_id,
    absl::Span<const v1::PendingEdit> edits, absl::string_view request_id,
    absl::string_view unchanged_since) {
  const absl::StatusOr<Revision> revision = NextRevision(store, movie_id);
  // Whose revisions cannot be read, that movie takes no writes.
  if (absl::IsDataLoss(revision.status())) {
    return WithReason(
        absl::FailedPreconditionError(revision.status().message()),
        "MOVIE_QUARANTINED", {{"movie", std::string(movie_id)}});
  }
  KINORA_RETURN_IF_ERROR(revision.status());
  v1::AppendEventsRequest append;
  append.mutable_log()->set_movie_id(std::string(movie_id));
  append.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  append.set_request_id(std::string(request_id));
  append.set_inputs_unchanged_since(std::string(unchanged_since));
  for (const v1::PendingEdit& edit : edits) {
    v1::Event& event = *append.add_events();
    event.set_revision(revision->ToString());
    v1::InputEvent& input = *event.mutable_input();
    input.set_input_id(edit.input_id());
    input.set_edited_by(v1::EDITED_BY_USER);
    *input.mutable_content() = edit.content();
    KINORA_RETURN_IF_ERROR(UploadIfLarge(store.blobs, movie_id,
                                         kDefaultInlineLimitBytes,
                                         input.mutable_content()));
  }
  return store.events.Append(append);
}

}  // namespace kinora
