#include "services/planner/history/movie_history.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/element_id.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/json/json_leaf.h"
#include "common/status.h"
#include "services/planner/history/diff_page.h"
#include "services/planner/history/event_finder.h"
#include "services/planner/history/explanation.h"
#include "services/planner/history/leaf_list.h"
#include "services/planner/history/missing_artefact.h"
#include "services/planner/history/take_list.h"
#include "services/planner/plan/deciding_values.h"
#include "services/planner/plan/input_values.h"
#include "services/planner/plan/takes.h"
#include "services/planner/planned_movie.h"

namespace kinora {
namespace {

// Empty stands for the current one.
absl::Status CheckRevision(absl::string_view field,
                           const std::string& revision) {
  if (revision.empty() || Revision::Parse(revision).ok()) {
    return absl::OkStatus();
  }
  return InvalidField(field, revision, "must be a revision such as rev-0001");
}

}  // namespace

absl::StatusOr<std::shared_ptr<const RevisionDiff>> MovieHistory::DiffOf(
    const std::string& movie_id, const v1::ManifestPointer& from,
    const v1::ManifestPointer& to) {
  KINORA_ASSIGN_OR_RETURN(const std::string birth, movies_.BirthOf(movie_id));
  const std::string key =
      absl::StrCat(movie_id, "/", from.hash(), "/", to.hash(), "/", birth);
  {
    MutexLock lock(mu_);
    if (auto diff = diffs_.Get(key)) return diff;
  }
  KINORA_ASSIGN_OR_RETURN(RevisionState before, reader_.Read(movie_id, from));
  KINORA_ASSIGN_OR_RETURN(RevisionState after, reader_.Read(movie_id, to));
  auto diff =
      std::make_shared<RevisionDiff>(std::move(before), std::move(after));
  StoreBlobBytes blobs(store_.blobs, movie_id);
  DecidingReader values(&blobs);
  KINORA_RETURN_IF_ERROR(diff->ExplainPlaces(values));
  bool complete = true;
  KINORA_RETURN_IF_ERROR(reader_.ForEachArtefactEvent(
      movie_id, diff->FirstOfInterest(), 0,
      [&diff](const v1::Event& event) { diff->Add(event); }, &complete));
  if (!complete) diff->SetIncomplete();
  MutexLock lock(mu_);
  diffs_.Put(key, diff);
  return diff;
}

absl::StatusOr<v1::DiffRevisionsResponse> MovieHistory::DiffRevisions(
    const v1::DiffRevisionsRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(request.movie_id()));
  KINORA_ASSIGN_OR_RETURN(const size_t at,
                          PageStart(request.page_size(), request.page_token()));
  if (request.old_revision().empty()) {
    return InvalidField("old_revision", "", "must name a revision");
  }
  KINORA_RETURN_IF_ERROR(CheckRevision("old_revision", request.old_revision()));
  KINORA_RETURN_IF_ERROR(CheckRevision("new_revision", request.new_revision()));
  KINORA_ASSIGN_OR_RETURN(
      const v1::ManifestPointer from,
      reader_.Find(request.movie_id(), request.old_revision()));
  KINORA_ASSIGN_OR_RETURN(
      const v1::ManifestPointer to,
      reader_.Find(request.movie_id(), request.new_revision()));
  KINORA_ASSIGN_OR_RETURN(const std::shared_ptr<const RevisionDiff> diff,
                          DiffOf(request.movie_id(), from, to));
  v1::DiffRevisionsResponse response;
  *response.mutable_summary() = diff->Summary();
  FillPage(*diff, at, request.page_size(), &response);
  return response;
}

absl::StatusOr<RevisionState> MovieHistory::Before(const std::string& movie_id,
                                                   const RevisionState& state) {
  const std::string& base = state.manifest->base_revision();
  if (base.empty()) return RevisionState();
  KINORA_ASSIGN_OR_RETURN(const v1::ManifestPointer pointer,
                          reader_.Find(movie_id, base));
  return reader_.Read(movie_id, pointer);
}

absl::StatusOr<v1::ExplainArtefactResponse> MovieHistory::ExplainArtefact(
    const v1::ExplainArtefactRequest& request) {
  const std::string& movie_id = request.movie_id();
  KINORA_RETURN_IF_ERROR(ValidateMovieId(movie_id));
  KINORA_ASSIGN_OR_RETURN(
      const ElementId parsed,
      ElementId::Parse(request.artefact_id(), ElementId::Kind::kArtefact));
  const std::string id = parsed.ToString();
  if (parsed.kind != ElementId::Kind::kArtefact) {
    return InvalidField("artefact_id", request.artefact_id(),
                        "must be the id of an artefact");
  }
  KINORA_RETURN_IF_ERROR(CheckRevision("revision", request.revision()));
  KINORA_RETURN_IF_ERROR(
      CheckRevision("against_revision", request.against_revision()));
  const absl::StatusOr<v1::ManifestPointer> found =
      reader_.Find(movie_id, request.revision());
  if (request.revision().empty() && request.against_revision().empty() &&
      ReasonOf(found.status()) == "REVISION_NOT_FOUND") {
    return MissingArtefact(store_, movies_, reader_, movie_id, parsed)
        .Explain(RevisionState(), /*current=*/true);
  }
  KINORA_RETURN_IF_ERROR(found.status());
  const v1::ManifestPointer& pointer = *found;
  KINORA_ASSIGN_OR_RETURN(RevisionState now, reader_.Read(movie_id, pointer));
  EventFinder finder(store_, reader_, movie_id);
  RevisionState before;
  std::string note;
  if (!request.against_revision().empty()) {
    KINORA_ASSIGN_OR_RETURN(const v1::ManifestPointer against,
                            reader_.Find(movie_id, request.against_revision()));
    KINORA_ASSIGN_OR_RETURN(before, reader_.Read(movie_id, against));
  } else {
    // If it is as it was long before, that is when the answer lies.
    const v1::ManifestArtefact* artefact = now.FindArtefact(id);
    if (artefact != nullptr) {
      const ValueQuery query = {id, artefact->inputs_hash(), now.HashOf(id),
                                now.revision()};
      KINORA_ASSIGN_OR_RETURN(
          const std::vector<std::optional<v1::Event>> events,
          finder.Find(absl::MakeConstSpan(&query, 1)));
      const std::string since =
          events[0].has_value() ? events[0]->revision() : now.revision();
      const absl::StatusOr<v1::ManifestPointer> then =
          since == now.revision() ? pointer : reader_.Find(movie_id, since);
      if (since != now.revision() && then.ok()) {
        KINORA_ASSIGN_OR_RETURN(RevisionState state,
                                reader_.Read(movie_id, *then));
        if (state.HashOf(id) == now.HashOf(id)) {
          note = absl::StrCat(id, " is the same in ", now.revision(), " as in ",
                              since, ", where it got its value");
          now = std::move(state);
        }
      }
    }
    absl::StatusOr<RevisionState> base = Before(movie_id, now);
    if (!base.ok() && ReasonOf(base.status()) != "REVISION_NOT_FOUND") {
      return base.status();
    }
    if (base.ok()) {
      before = *std::move(base);
    } else {
      note = absl::StrCat(now.manifest->base_revision(),
                          " was pruned, so nothing is known of before");
    }
  }
  if (now.FindArtefact(id) == nullptr && before.FindArtefact(id) == nullptr) {
    return MissingArtefact(store_, movies_, reader_, movie_id, parsed)
        .Explain(now, request.revision().empty());
  }
  StoreBlobBytes blobs(store_.blobs, movie_id);
  DecidingReader values(&blobs);
  KINORA_ASSIGN_OR_RETURN(v1::ExplainArtefactResponse response,
                          Explain(id, before, now, finder, values));
  if (!note.empty()) response.add_notes(note);
  return response;
}

absl::StatusOr<v1::ListTakesResponse> MovieHistory::ListTakes(
    const v1::ListTakesRequest& request) {
  const std::string& movie_id = request.movie_id();
  KINORA_RETURN_IF_ERROR(ValidateMovieId(movie_id));
  const absl::StatusOr<ElementId> artefact =
      ElementId::Parse(request.artefact_id(), ElementId::Kind::kArtefact);
  if (!artefact.ok()) {
    return InvalidField("artefact_id", request.artefact_id(),
                        artefact.status().message());
  }
  KINORA_ASSIGN_OR_RETURN(const MovieSnapshot movie, movies_.Read(movie_id));
  KINORA_ASSIGN_OR_RETURN(
      const ElementId job,
      JobOfArtefact("artefact_id", *movie.blueprint, *artefact));
  v1::ListTakesResponse response;
  response.set_take_input_id(TakeOfJob(job).ToString());
  const auto chosen = movie.inputs.find(response.take_input_id());
  if (chosen != movie.inputs.end()) {
    KINORA_ASSIGN_OR_RETURN(const uint32_t draw, DrawOf(chosen->second));
    response.set_chosen_draw(draw);
  }
  const std::string id = artefact->ToString();
  TakeList takes(id);
  KINORA_RETURN_IF_ERROR(reader_.ForEachAttempt(
      movie_id, id, [&takes](const v1::Event& event) { takes.Add(event); }));
  KINORA_ASSIGN_OR_RETURN(const RevisionState current,
                          reader_.ReadCurrent(movie_id));
  takes.Describe(current.FindArtefact(id), &response);
  return response;
}

absl::StatusOr<v1::ListLeavesResponse> MovieHistory::ListLeaves(
    const v1::ListLeavesRequest& request) {
  const std::string& movie_id = request.movie_id();
  KINORA_RETURN_IF_ERROR(ValidateMovieId(movie_id));
  const absl::StatusOr<ElementId> whole =
      ElementId::Parse(request.artefact_id(), ElementId::Kind::kArtefact);
  if (!whole.ok() || whole->kind != ElementId::Kind::kArtefact) {
    return InvalidField("artefact_id", request.artefact_id(),
                        whole.ok() ? "must be the id of an artefact"
                                   : whole.status().message());
  }
  const std::string id = whole->ToString();
  KINORA_ASSIGN_OR_RETURN(const RevisionState current,
                          reader_.ReadCurrent(movie_id));
  if (current.FindArtefact(id) == nullptr) {
    return WithReason(
        absl::NotFoundError(absl::StrCat("no artefact ", id, " in ",
                                         current.revision().empty()
                                             ? std::string("any revision")
                                             : current.revision(),
                                         " of ", movie_id)),
        "ARTEFACT_NOT_FOUND", {{"artefact", id}});
  }
  v1::ListLeavesResponse response;
  const v1::Content* pinned = current.FindInput(std::string(kBlueprintInputId));
  if (pinned == nullptr) return response;  // then nothing takes leaves out
  KINORA_ASSIGN_OR_RETURN(const std::shared_ptr<const Blueprint> blueprint,
                          movies_.PinnedBlueprint(movie_id, *pinned));
  std::vector<v1::Leaf> leaves =
      LeavesOf(*blueprint, *current.manifest, *whole);
  if (request.has_content() && !leaves.empty()) {
    KINORA_RETURN_IF_ERROR(
        CheckContent(movie_id, id, request.content(), leaves));
  }
  response.mutable_leaves()->Assign(leaves.begin(), leaves.end());
  return response;
}

absl::Status MovieHistory::CheckContent(const std::string& movie_id,
                                        const std::string& id,
                                        const v1::Content& content,
                                        const std::vector<v1::Leaf>& leaves) {
  std::string text = content.inline_().data();
  absl::Status checked;
  if (content.has_blob()) {
    checked = CheckSplitSize(id, content.blob().digest().size_bytes());
    if (checked.ok()) {
      KINORA_ASSIGN_OR_RETURN(
          text, StoreBlobBytes(store_.blobs, movie_id).Read(content.blob()));
    }
  }
  if (checked.ok()) checked = CheckHoldsLeaves(id, text, leaves);
  return checked.ok()
             ? checked
             : WithReason(checked, "INVALID_FIELD", {{"field", "content"}});
}

absl::StatusOr<CallHistory> MovieHistory::Calls(const std::string& movie_id) {
  return CallsSince(movie_id, 0, "");
}

absl::StatusOr<CallHistory> MovieHistory::RecentCalls(
    const std::string& movie_id) {
  v1::GetLogStatusRequest status;
  status.mutable_log()->set_movie_id(movie_id);
  status.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  KINORA_ASSIGN_OR_RETURN(const v1::GetLogStatusResponse extent,
                          store_.events.GetLogStatus(status));
  return CallsSince(movie_id, extent.last_sequence() - kRecentEvents,
                    "/recent");
}

absl::StatusOr<CallHistory> MovieHistory::CallsSince(
    const std::string& movie_id, int64_t after_sequence,
    absl::string_view kept_as) {
  KINORA_ASSIGN_OR_RETURN(const std::string birth, movies_.BirthOf(movie_id));
  const std::string key = absl::StrCat(movie_id, "/", birth, kept_as);
  CallHistory calls;
  {
    MutexLock lock(mu_);
    if (const auto known = calls_.Get(key)) calls = *known;
  }
  if (calls.last_sequence() < after_sequence) calls.SkipTo(after_sequence);
  bool complete = true;
  KINORA_RETURN_IF_ERROR(reader_.ForEachArtefactEvent(
      movie_id, "", calls.last_sequence(),
      [&calls](const v1::Event& event) { calls.Add(event); }, &complete));
  MutexLock lock(mu_);
  calls_.Put(key, std::make_shared<const CallHistory>(calls));
  return calls;
}

}  // namespace kinora
