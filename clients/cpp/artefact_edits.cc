#include "clients/cpp/artefact_edits.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "clients/cpp/content_upload.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/proto_json.h"
#include "common/status.h"
#include "services/store/event/derived_event.h"
#include "services/store/lease/movie_lease.h"

namespace kinora {
namespace {

// The store's default; one with a lower limit says so in its error.
constexpr int64_t kInlineLimitBytes = 4096;
// After a crash runs of the movie wait this long.
constexpr absl::Duration kLeaseTime = absl::Seconds(30);

const std::string& HashOf(const v1::Content& content) {
  return content.has_blob() ? content.blob().digest().hash()
                            : content.inline_().hash();
}

const std::string& MimeTypeOf(const v1::Content& content) {
  return content.has_blob() ? content.blob().mime_type()
                            : content.inline_().mime_type();
}

// What the current revision says of an artefact, as an event by the user for
// the next one.
absl::StatusOr<v1::Event> EventNow(const Store& store,
                                   const std::string& movie_id,
                                   const std::string& artefact_id) {
  v1::GetManifestRequest get;
  get.set_movie_id(movie_id);
  KINORA_ASSIGN_OR_RETURN(const StoredManifest stored,
                          store.manifests.Get(get));
  v1::Manifest manifest;
  KINORA_RETURN_IF_ERROR(Annotate(ParseDocument(stored.json, &manifest),
                                  stored.pointer.manifest()));
  const auto found = manifest.artefacts().find(artefact_id);
  if (found == manifest.artefacts().end()) {
    return WithReason(absl::NotFoundError(
                          absl::StrCat("no artefact ", artefact_id, " in ",
                                       manifest.revision(), " of ", movie_id)),
                      "ARTEFACT_NOT_FOUND", {{"artefact", artefact_id}});
  }
  const v1::ManifestArtefact& artefact = found->second;
  v1::ResolveArtefactsRequest resolve;
  resolve.set_movie_id(movie_id);
  v1::ArtefactQuery& query = *resolve.add_queries();
  query.set_artefact_id(artefact_id);
  query.set_inputs_hash(artefact.inputs_hash());
  KINORA_ASSIGN_OR_RETURN(const v1::ResolveArtefactsResponse resolved,
                          store.events.ResolveArtefacts(resolve));
  v1::Event event;
  v1::ArtefactEvent& made = *event.mutable_artefact();
  if (resolved.artefacts(0).found()) {
    made = resolved.artefacts(0).event().artefact();
  } else {
    made.set_artefact_id(artefact_id);
    made.set_inputs_hash(artefact.inputs_hash());
    made.set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
    *made.mutable_output() = artefact.content();
    made.set_readable_path(artefact.readable_path());
    made.mutable_produced_by()->set_node(artefact.node());
    const auto node = manifest.nodes().find(artefact.node());
    if (node != manifest.nodes().end()) {
      *made.mutable_produced_by()->mutable_producer() = node->second.producer();
      made.mutable_produced_by()->set_settings_hash(
          node->second.settings_hash());
    }
  }
  BecomeHandEdit(&made);
  KINORA_ASSIGN_OR_RETURN(const Revision current,
                          Revision::Parse(manifest.revision()));
  event.set_revision(current.Next().ToString());
  return event;
}

// The work an event stands for.
int64_t WorkOf(const v1::Event& event) {
  return event.artefact().reused_sequence() != 0
             ? event.artefact().reused_sequence()
             : event.sequence();
}

bool Succeeded(const v1::Event& event) {
  return event.artefact().status() == v1::ARTEFACT_STATUS_SUCCEEDED;
}

// The event whose value is to come back, or null.
const v1::Event* FindEarlier(const std::vector<v1::Event>& history,
                             const v1::ArtefactEvent& now,
                             std::optional<int64_t> to) {
  if (to.has_value()) {
    for (const v1::Event& event : history) {
      if (event.sequence() == *to && Succeeded(event)) return &event;
    }
    return nullptr;
  }
  // The latest of the key, and what was before it.
  const v1::Event* latest = nullptr;
  for (size_t i = history.size(); i-- > 0;) {
    const v1::Event& event = history[i];
    if (!Succeeded(event) ||
        event.artefact().inputs_hash() != now.inputs_hash()) {
      continue;
    }
    if (latest == nullptr) {
      latest = &event;
    } else if (event.sequence() < WorkOf(*latest) &&
               HashOf(event.artefact().output()) !=
                   HashOf(latest->artefact().output())) {
      return &event;
    }
  }
  return nullptr;
}

// Makes the event under the lease and appends it.
absl::StatusOr<v1::Event> Edit(
    const Store& store, const std::string& movie_id,
    const std::string& artefact_id, const std::string& holder,
    const std::function<absl::Status(v1::ArtefactEvent*)>& change) {
  KINORA_ASSIGN_OR_RETURN(const MovieLease lease,
                          MovieLease::Take(store.leases, movie_id, holder,
                                           "edit by hand", kLeaseTime));
  KINORA_ASSIGN_OR_RETURN(v1::Event event,
                          EventNow(store, movie_id, artefact_id));
  KINORA_RETURN_IF_ERROR(change(event.mutable_artefact()));
  v1::AppendEventsRequest append;
  append.mutable_log()->set_movie_id(movie_id);
  append.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  *append.mutable_lease() = lease.token();
  *append.add_events() = event;
  KINORA_ASSIGN_OR_RETURN(const v1::AppendEventsResponse appended,
                          store.events.Append(append));
  event.set_sequence(appended.first_sequence());
  return event;
}

}  // namespace

absl::StatusOr<v1::Event> ReplaceArtefact(const Store& store,
                                          const std::string& movie_id,
                                          const std::string& artefact_id,
                                          const std::string& holder,
                                          const ValueMaker& value) {
  return Edit(store, movie_id, artefact_id, holder,
              [&](v1::ArtefactEvent* event) -> absl::Status {
                KINORA_ASSIGN_OR_RETURN(*event->mutable_output(),
                                        value(MimeTypeOf(event->output())));
                return UploadIfLarge(store.blobs, movie_id, kInlineLimitBytes,
                                     event->mutable_output());
              });
}

absl::StatusOr<v1::Event> RestoreArtefact(const Store& store,
                                          const std::string& movie_id,
                                          const std::string& artefact_id,
                                          const std::string& holder,
                                          std::optional<int64_t> to) {
  return Edit(store, movie_id, artefact_id, holder,
              [&](v1::ArtefactEvent* event) -> absl::Status {
                KINORA_ASSIGN_OR_RETURN(
                    const std::vector<v1::Event> history,
                    ReadArtefactHistory(store, movie_id, artefact_id));
                const v1::Event* earlier = FindEarlier(history, *event, to);
                if (earlier == nullptr && to.has_value()) {
                  return absl::NotFoundError(
                      absl::StrCat(artefact_id, " has no value at event ", *to,
                                   ": see kinora artefact history"));
                }
                if (earlier == nullptr) {
                  return absl::FailedPreconditionError(absl::StrCat(
                      artefact_id, " has no other value from the same inputs"));
                }
                *event->mutable_output() = earlier->artefact().output();
                event->set_reused_sequence(WorkOf(*earlier));
                return absl::OkStatus();
              });
}

absl::StatusOr<std::vector<v1::Event>> ReadArtefactHistory(
    const Store& store, const std::string& movie_id,
    const std::string& artefact_id) {
  std::vector<v1::Event> history;
  v1::ReadEventsRequest request;
  request.mutable_log()->set_movie_id(movie_id);
  request.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  request.set_include_kept(true);
  while (true) {
    KINORA_ASSIGN_OR_RETURN(v1::ReadEventsResponse page,
                            store.events.ReadPage(request));
    for (v1::Event& event : *page.mutable_events()) {
      if (event.artefact().artefact_id() != artefact_id) continue;
      history.push_back(std::move(event));
    }
    if (page.bookmark().sequence() <= request.after_sequence()) break;
    request.set_after_sequence(page.bookmark().sequence());
  }
  return history;
}

}  // namespace kinora
