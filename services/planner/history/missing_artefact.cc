#include "services/planner/history/missing_artefact.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/error_reason.h"
#include "common/failure_text.h"
#include "common/ids.h"
#include "common/status.h"
#include "services/planner/history/explanation.h"
#include "services/planner/history/unmade.h"
#include "services/planner/plan/deciding_values.h"
#include "services/planner/plan/input_values.h"
#include "services/planner/planned_movie.h"

namespace kinora {
namespace {

// The movie as it stands: its inputs and blueprint now, and what `made` has.
RevisionState AheadOf(const RevisionState& made, const MovieSnapshot& movie) {
  auto manifest = made.manifest == nullptr
                      ? std::make_shared<v1::Manifest>()
                      : std::make_shared<v1::Manifest>(*made.manifest);
  manifest->clear_inputs();
  for (const auto& [id, content] : movie.inputs) {
    *(*manifest->mutable_inputs())[id].mutable_content() = content;
  }
  return {std::move(manifest), movie.blueprint};
}

}  // namespace

absl::StatusOr<v1::ExplainArtefactResponse> MissingArtefact::Explain(
    const RevisionState& state, bool current) {
  StoreBlobBytes blobs(store_.blobs, movie_id_);
  DecidingReader values(&blobs);
  KINORA_ASSIGN_OR_RETURN(const std::string elsewhere,
                          WhereElse(state.revision()));
  std::string by;
  RevisionState named = state;
  const absl::StatusOr<MovieSnapshot> movie = movies_.Read(movie_id_);
  // Without a blueprint that holds together nothing is to come.
  if (!movie.ok() && !absl::IsFailedPrecondition(movie.status())) {
    return movie.status();
  }
  if (current && movie.ok()) {
    const RevisionState ahead = AheadOf(state, *movie);
    KINORA_ASSIGN_OR_RETURN(
        Unmade unmade,
        ExplainUnmade(id_, ahead, values, [this](const std::string& artefact) {
          return LatestResult(artefact);
        }));
    if (unmade.explained.causes_size() > 0) {
      if (!elsewhere.empty()) unmade.explained.add_notes(elsewhere);
      KINORA_RETURN_IF_ERROR(NoteFailures(&unmade.explained));
      return std::move(unmade.explained);
    }
    if (unmade.ruled_out_by[0] != kBlueprintInputId) {
      by = absl::StrCat(", ruled out by ",
                        absl::StrJoin(unmade.ruled_out_by, ", "));
    }
    if (state.manifest == nullptr) named = ahead;
  }
  KINORA_ASSIGN_OR_RETURN(const std::string hint,
                          SuggestArtefact(id_, named, values));
  return WithReason(
      absl::NotFoundError(absl::StrCat(
          "no artefact ", text_, " in ",
          state.manifest == nullptr ? ""
                                    : absl::StrCat(state.revision(), " of "),
          movie_id_, by, elsewhere.empty() ? "" : "; ", elsewhere, hint)),
      "ARTEFACT_NOT_FOUND", {{"artefact", text_}});
}

absl::Status MissingArtefact::NoteFailures(
    v1::ExplainArtefactResponse* explained) {
  // Of a fan-in all may have failed in one way.
  constexpr int kMaxNoted = 10;
  int noted = 0;
  for (const v1::Cause& cause : explained->causes()) {
    if (noted == kMaxNoted) break;
    if (IsInputId(cause.id())) continue;
    v1::ArtefactEvent latest;
    KINORA_RETURN_IF_ERROR(reader_.ForEachAttempt(
        movie_id_, cause.id(),
        [&latest](const v1::Event& event) { latest = event.artefact(); }));
    if (latest.status() != v1::ARTEFACT_STATUS_FAILED) continue;
    explained->add_notes(
        absl::StrCat("the latest attempt of ", cause.id(),
                     " failed: ", FailureText(latest.failure())));
    ++noted;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<v1::Event>> MissingArtefact::LatestResult(
    const std::string& artefact_id) {
  v1::ResolveArtefactsRequest request;
  request.set_movie_id(movie_id_);
  request.add_queries()->set_artefact_id(artefact_id);
  KINORA_ASSIGN_OR_RETURN(v1::ResolveArtefactsResponse response,
                          store_.events.ResolveArtefacts(request));
  if (response.artefacts_size() != 1 || !response.artefacts(0).found()) {
    return std::nullopt;
  }
  return std::move(*response.mutable_artefacts(0)->mutable_event());
}

absl::StatusOr<std::string> MissingArtefact::WhereElse(
    const std::string& asked) {
  KINORA_ASSIGN_OR_RETURN(const std::optional<v1::Event> latest,
                          LatestResult(text_));
  if (!latest.has_value()) return "";
  const std::string& revision = latest->revision();
  const absl::StatusOr<v1::ManifestPointer> pointer =
      reader_.Find(movie_id_, revision);
  if (!pointer.ok()) {
    if (ReasonOf(pointer.status()) != "REVISION_NOT_FOUND") {
      return pointer.status();
    }
    return absl::StrCat("it was made for ", revision,
                        ", which is not published or was pruned");
  }
  KINORA_ASSIGN_OR_RETURN(const RevisionState other,
                          reader_.Read(movie_id_, *pointer));
  if (other.FindArtefact(text_) == nullptr) return "";
  std::string text = absl::StrCat(revision, " has it: --revision ", revision,
                                  " explains it there");
  const absl::StatusOr<Revision> number = Revision::Parse(revision);
  const absl::StatusOr<Revision> here = Revision::Parse(asked);
  if (number.ok() && here.ok() && *number < *here) {
    absl::StrAppend(&text, ", --against ", revision, " what became of it");
  }
  return text;
}

}  // namespace kinora
