#include "clients/cpp/artefact_edits.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "clients/cpp/content_upload.h"
#include "common/content.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/json/json_leaf.h"
#include "common/status.h"
#include "services/planner/blueprint/suggest.h"
#include "services/store/event/derived_event.h"
#include "services/store/lease/movie_lease.h"
#include "services/store/manifest/manifest_document.h"

namespace kinora {
namespace {

// Runs and other edits of the movie wait so long for one that was killed:
// short, and renewed after each step that may take long. An edit that was
// slower all the same, and lost the lease, appends nothing.
constexpr absl::Duration kLeaseTime = absl::Seconds(5);
// What one ResolveArtefacts takes.
constexpr size_t kMaxQueries = 10'000;

// What a manifest says of one of its artefacts, as its latest event would.
v1::ArtefactEvent EventOf(const v1::Manifest& manifest,
                          const std::string& artefact_id,
                          const v1::ManifestArtefact& artefact) {
  v1::ArtefactEvent made;
  made.set_artefact_id(artefact_id);
  made.set_inputs_hash(artefact.inputs_hash());
  made.set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
  *made.mutable_output() = artefact.content();
  made.set_readable_path(artefact.readable_path());
  made.mutable_produced_by()->set_node(artefact.node());
  const auto node = manifest.nodes().find(artefact.node());
  if (node != manifest.nodes().end()) {
    *made.mutable_produced_by()->mutable_producer() = node->second.producer();
    made.mutable_produced_by()->set_settings_hash(node->second.settings_hash());
  }
  return made;
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
               ContentHash(event.artefact().output()) !=
                   ContentHash(latest->artefact().output())) {
      return &event;
    }
  }
  return nullptr;
}

// Where an event of the same key had the leaf's value already, names the work.
void NameWork(const std::vector<v1::Event>& history, v1::ArtefactEvent* leaf) {
  for (const v1::Event& event : history) {
    if (!Succeeded(event) ||
        event.artefact().inputs_hash() != leaf->inputs_hash() ||
        ContentHash(event.artefact().output()) != ContentHash(leaf->output())) {
      continue;
    }
    leaf->set_reused_sequence(WorkOf(event));
  }
}

// The events of an artefact, but for what retention has removed.
absl::StatusOr<std::vector<v1::Event>> ReadAttempts(
    const Store& store, const std::string& movie_id,
    const std::string& artefact_id) {
  v1::ReadEventsRequest request;
  request.mutable_log()->set_movie_id(movie_id);
  request.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  request.set_include_kept(true);
  request.set_artefact_id(artefact_id);
  std::vector<v1::Event> attempts;
  while (true) {
    KINORA_ASSIGN_OR_RETURN(v1::ReadEventsResponse page,
                            store.events.ReadPage(request));
    for (v1::Event& event : *page.mutable_events()) {
      // A server before 0.4 sends all.
      if (event.artefact().artefact_id() != artefact_id) continue;
      attempts.push_back(std::move(event));
    }
    if (page.bookmark().sequence() <= request.after_sequence()) break;
    request.set_after_sequence(page.bookmark().sequence());
  }
  return attempts;
}

}  // namespace

absl::Status ArtefactNotInRevision(const v1::Manifest& manifest,
                                   absl::string_view movie_id,
                                   const std::string& artefact_id) {
  std::vector<absl::string_view> known;
  for (const auto& [id, artefact] : manifest.artefacts()) known.push_back(id);
  // Of equally near ones the first.
  std::sort(known.begin(), known.end());
  return WithReason(
      absl::NotFoundError(
          absl::StrCat("no artefact ", artefact_id, " in ", manifest.revision(),
                       manifest.revision().empty() ? "" : " of ", movie_id,
                       DidYouMeanId(artefact_id, known))),
      "ARTEFACT_NOT_FOUND", {{"artefact", artefact_id}});
}

absl::StatusOr<std::vector<v1::Event>> ArtefactEditor::Replace(
    const std::string& artefact_id, const ValueMaker& value) {
  return Edit(artefact_id, /*is_restore=*/false,
              [&](const Histories&, v1::ArtefactEvent* event) -> absl::Status {
                KINORA_ASSIGN_OR_RETURN(
                    *event->mutable_output(),
                    value(ContentMimeType(event->output())));
                return absl::OkStatus();
              });
}

absl::StatusOr<std::vector<v1::Event>> ArtefactEditor::Restore(
    const std::string& artefact_id, std::optional<int64_t> to) {
  return Edit(artefact_id, /*is_restore=*/true,
              [&](const Histories& histories,
                  v1::ArtefactEvent* event) -> absl::Status {
                const v1::Event* earlier =
                    FindEarlier(histories.at(artefact_id), *event, to);
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

absl::StatusOr<std::vector<v1::Event>> ArtefactEditor::Edit(
    const std::string& artefact_id, bool is_restore, const Change& change) {
  KINORA_ASSIGN_OR_RETURN(const MovieLease lease,
                          MovieLease::Take(store_.leases, movie_id_, holder_,
                                           "edit by hand", kLeaseTime));
  KINORA_ASSIGN_OR_RETURN(
      const ManifestDocument current,
      ReadManifest(store_.manifests, movie_id_, /*revision=*/""));
  KINORA_ASSIGN_OR_RETURN(std::vector<v1::Event> events,
                          EventsNow(current.manifest, {artefact_id}));
  v1::ListLeavesRequest list;
  list.set_movie_id(movie_id_);
  list.set_artefact_id(artefact_id);
  KINORA_ASSIGN_OR_RETURN(const v1::ListLeavesResponse listed,
                          planner_.ListLeaves(list));
  Histories histories;
  if (is_restore) {
    KINORA_ASSIGN_OR_RETURN(histories, ReadHistories(artefact_id, listed));
  }
  KINORA_RETURN_IF_ERROR(Renew(lease.token()));
  KINORA_RETURN_IF_ERROR(change(histories, events[0].mutable_artefact()));
  KINORA_ASSIGN_OR_RETURN(
      std::vector<v1::Event> leaves,
      EditsOfLeaves(current.manifest, listed, events[0].artefact()));
  for (v1::Event& leaf : leaves) {
    if (is_restore) {
      NameWork(histories.at(leaf.artefact().artefact_id()),
               leaf.mutable_artefact());
    }
    events.push_back(std::move(leaf));
  }
  for (v1::Event& event : events) {
    KINORA_RETURN_IF_ERROR(
        UploadIfLarge(store_.blobs, movie_id_, kDefaultInlineLimitBytes,
                      event.mutable_artefact()->mutable_output()));
  }
  KINORA_RETURN_IF_ERROR(Renew(lease.token()));
  KINORA_RETURN_IF_ERROR(Append(lease.token(), &events));
  return events;
}

absl::StatusOr<std::vector<v1::Event>> ArtefactEditor::EditsOfLeaves(
    const v1::Manifest& manifest, const v1::ListLeavesResponse& listed,
    const v1::ArtefactEvent& whole) {
  if (listed.leaves().empty()) return std::vector<v1::Event>();
  KINORA_RETURN_IF_ERROR(
      CheckSplitSize(whole.artefact_id(), ContentSize(whole.output())));
  KINORA_ASSIGN_OR_RETURN(
      const std::string text,
      ReadContent(store_.blobs, movie_id_, whole.output(), kMaxSplitBytes));
  KINORA_ASSIGN_OR_RETURN(const JsonValue document,
                          ParseSplitDocument(whole.artefact_id(), text));
  std::vector<std::string> ids;
  for (const v1::Leaf& leaf : listed.leaves())
    ids.push_back(leaf.artefact_id());
  KINORA_ASSIGN_OR_RETURN(std::vector<v1::Event> now, EventsNow(manifest, ids));
  std::vector<v1::Event> edits;
  for (int i = 0; i < listed.leaves_size(); ++i) {
    const v1::Leaf& leaf = listed.leaves(i);
    KINORA_ASSIGN_OR_RETURN(
        const std::string bytes,
        BytesOfLeaf(document, {leaf.artefact_id(), whole.artefact_id(),
                               leaf.json_pointer(), leaf.mime_type()}));
    v1::Content content = InlineContent(leaf.mime_type(), bytes);
    v1::Content& output = *now[i].mutable_artefact()->mutable_output();
    if (ContentHash(content) == ContentHash(output)) continue;
    output = std::move(content);
    edits.push_back(std::move(now[i]));
  }
  return edits;
}

absl::StatusOr<ArtefactEditor::Histories> ArtefactEditor::ReadHistories(
    const std::string& artefact_id, const v1::ListLeavesResponse& leaves) {
  std::vector<std::string> ids = {artefact_id};
  for (const v1::Leaf& leaf : leaves.leaves())
    ids.push_back(leaf.artefact_id());
  Histories histories;
  for (const std::string& id : ids) {
    KINORA_ASSIGN_OR_RETURN(histories[id], ReadAttempts(store_, movie_id_, id));
  }
  return histories;
}

absl::StatusOr<std::vector<v1::Event>> ArtefactEditor::EventsNow(
    const v1::Manifest& manifest,
    const std::vector<std::string>& artefact_ids) {
  KINORA_ASSIGN_OR_RETURN(const Revision current,
                          Revision::Parse(manifest.revision()));
  std::vector<v1::Event> events;
  while (events.size() < artefact_ids.size()) {
    const size_t first = events.size();
    const size_t end = std::min(artefact_ids.size(), first + kMaxQueries);
    v1::ResolveArtefactsRequest resolve;
    resolve.set_movie_id(movie_id_);
    for (size_t i = first; i < end; ++i) {
      const std::string& id = artefact_ids[i];
      const auto found = manifest.artefacts().find(id);
      if (found == manifest.artefacts().end()) {
        return ArtefactNotInRevision(manifest, movie_id_, id);
      }
      v1::ArtefactQuery& query = *resolve.add_queries();
      query.set_artefact_id(id);
      query.set_inputs_hash(found->second.inputs_hash());
      v1::Event& event = events.emplace_back();
      *event.mutable_artefact() = EventOf(manifest, id, found->second);
      event.set_revision(current.Next().ToString());
    }
    KINORA_ASSIGN_OR_RETURN(const v1::ResolveArtefactsResponse resolved,
                            store_.events.ResolveArtefacts(resolve));
    for (size_t i = first; i < end; ++i) {
      const auto& known = resolved.artefacts(static_cast<int>(i - first));
      v1::ArtefactEvent& made = *events[i].mutable_artefact();
      if (known.found()) made = known.event().artefact();
      BecomeHandEdit(&made);
    }
  }
  return events;
}

absl::Status ArtefactEditor::Renew(const v1::LeaseToken& lease) {
  v1::RenewLeaseRequest request;
  *request.mutable_token() = lease;
  return store_.leases.Renew(request).status();
}

absl::Status ArtefactEditor::Append(const v1::LeaseToken& lease,
                                    std::vector<v1::Event>* events) {
  v1::AppendEventsRequest append;
  append.mutable_log()->set_movie_id(movie_id_);
  append.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  *append.mutable_lease() = lease;
  append.mutable_events()->Assign(events->begin(), events->end());
  KINORA_ASSIGN_OR_RETURN(const v1::AppendEventsResponse appended,
                          store_.events.Append(append));
  int64_t sequence = appended.first_sequence();
  for (v1::Event& event : *events) event.set_sequence(sequence++);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::Event>> ReadArtefactHistory(
    const Store& store, const std::string& movie_id,
    const std::string& artefact_id) {
  KINORA_ASSIGN_OR_RETURN(std::vector<v1::Event> history,
                          ReadAttempts(store, movie_id, artefact_id));
  if (!history.empty()) return history;
  // Retention may have removed them all.
  const absl::StatusOr<ManifestDocument> current =
      ReadManifest(store.manifests, movie_id, /*revision=*/"");
  if (ReasonOf(current.status()) == "REVISION_NOT_FOUND") {
    return ArtefactNotInRevision(v1::Manifest(), movie_id, artefact_id);
  }
  KINORA_RETURN_IF_ERROR(current.status());
  if (!current->manifest.artefacts().contains(artefact_id)) {
    return ArtefactNotInRevision(current->manifest, movie_id, artefact_id);
  }
  return history;
}

}  // namespace kinora
