#include "services/store/readable/readable_scan.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "common/content.h"
#include "common/ids.h"
#include "common/status.h"
#include "services/store/event/derived_event.h"
#include "services/store/lease/lease_table.h"
#include "services/store/lease/movie_lease.h"
#include "services/store/readable/readable_files.h"

namespace kinora {
namespace {

// Long enough for what is read before the first append, which renews it. Nobody
// waits for it after a crash: see kStoreScan.
constexpr absl::Duration kLeaseTime = absl::Seconds(30);

absl::StatusOr<std::string> NextRevision(ManifestStore& manifests,
                                         const std::string& movie_id) {
  v1::GetCurrentManifestRequest request;
  request.set_movie_id(movie_id);
  KINORA_ASSIGN_OR_RETURN(const v1::GetCurrentManifestResponse response,
                          manifests.GetCurrent(request));
  Revision current;
  if (!response.current().revision().empty()) {
    KINORA_ASSIGN_OR_RETURN(current,
                            Revision::Parse(response.current().revision()));
  }
  return current.Next().ToString();
}

absl::Status SetValue(const ReadableScanCores& cores,
                      const std::string& movie_id, const std::string& text,
                      v1::Content* value) {
  const std::string mime_type = ContentMimeType(*value);
  if (static_cast<int64_t>(text.size()) <= cores.events.inline_limit_bytes()) {
    value->mutable_inline_()->Clear();
    value->mutable_inline_()->set_mime_type(mime_type);
    value->mutable_inline_()->set_data(text);
    return absl::OkStatus();
  }
  v1::WriteBlobHeader header;
  header.set_movie_id(movie_id);
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<BlobUpload> upload,
                          cores.blobs.StartUpload(header));
  KINORA_RETURN_IF_ERROR(upload->Append(text));
  KINORA_ASSIGN_OR_RETURN(const v1::WriteBlobResponse stored, upload->Finish());
  *value->mutable_blob()->mutable_digest() = stored.digest();
  value->mutable_blob()->set_mime_type(mime_type);
  return absl::OkStatus();
}

v1::Event EventOfEdit(const ReadableEdit& edit, absl::string_view revision) {
  v1::Event event;
  event.set_revision(std::string(revision));
  *event.mutable_artefact() = edit.event.artefact();
  BecomeHandEdit(event.mutable_artefact());
  return event;
}

absl::Status Record(const ReadableScanCores& cores, const std::string& movie_id,
                    const std::vector<ReadableEdit>& edits,
                    const v1::LeaseToken& lease) {
  KINORA_ASSIGN_OR_RETURN(const std::string revision,
                          NextRevision(cores.manifests, movie_id));
  v1::AppendEventsRequest request;
  request.mutable_log()->set_movie_id(movie_id);
  request.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  *request.mutable_lease() = lease;
  for (const ReadableEdit& edit : edits) {
    v1::Event event = EventOfEdit(edit, revision);
    KINORA_RETURN_IF_ERROR(
        SetValue(cores, movie_id, edit.text,
                 event.mutable_artefact()->mutable_output()));
    *request.add_events() = std::move(event);
    if (request.events_size() < kMaxEventsPerAppend) continue;
    KINORA_RETURN_IF_ERROR(cores.events.Append(request).status());
    request.clear_events();
    v1::RenewLeaseRequest renew;
    *renew.mutable_token() = lease;
    KINORA_RETURN_IF_ERROR(cores.leases.Renew(renew).status());
  }
  if (request.events().empty()) return absl::OkStatus();
  return cores.events.Append(request).status();
}

// Those that are not what their media type says are skipped.
absl::StatusOr<ReadableFindings> FindValidEdits(const ReadableScanCores& cores,
                                                const std::string& movie_id,
                                                bool restore) {
  KINORA_ASSIGN_OR_RETURN(ReadableFindings found,
                          cores.events.readable().FindEdits(movie_id, restore));
  ReadableFindings valid;
  valid.skipped = std::move(found.skipped);
  for (ReadableEdit& edit : found.edits) {
    if (edit.invalid.ok()) {
      valid.edits.push_back(std::move(edit));
      continue;
    }
    valid.skipped.push_back({edit.path, edit.event.artefact().artefact_id(),
                             std::string(edit.invalid.message())});
  }
  std::sort(valid.skipped.begin(), valid.skipped.end(),
            [](const SkippedReadable& a, const SkippedReadable& b) {
              return a.path < b.path;
            });
  return valid;
}

}  // namespace

ScansUnderWay::Turn::Turn(ScansUnderWay& scans, const std::string& movie_id)
    : scans_(scans), movie_id_(movie_id) {
  MutexLock lock(scans_.mu_);
  while (!scans_.movies_.insert(movie_id_).second) {
    scans_.ended_.Wait(scans_.mu_);
  }
}

ScansUnderWay::Turn::~Turn() {
  MutexLock lock(scans_.mu_);
  scans_.movies_.erase(movie_id_);
  scans_.ended_.SignalAll();
}

absl::StatusOr<v1::ScanReadableFilesResponse> ScanReadableFiles(
    const v1::ScanReadableFilesRequest& request, const ReadableScanCores& cores,
    ScansUnderWay& scans) {
  const std::string& movie_id = request.movie_id();
  if (!cores.storage.KeepsFiles()) {
    return absl::FailedPreconditionError(
        "this store keeps movies where there are no files to edit");
  }
  ReadableFindings found;
  if (request.dry_run()) {
    KINORA_ASSIGN_OR_RETURN(found, FindValidEdits(cores, movie_id, false));
  } else {
    const ScansUnderWay::Turn turn(scans, movie_id);
    KINORA_ASSIGN_OR_RETURN(const MovieLease lease,
                            MovieLease::Take(cores.leases, movie_id, kStoreScan,
                                             "scan", kLeaseTime));
    KINORA_ASSIGN_OR_RETURN(found, FindValidEdits(cores, movie_id, true));
    KINORA_RETURN_IF_ERROR(Record(cores, movie_id, found.edits, lease.token()));
  }
  v1::ScanReadableFilesResponse response;
  for (const ReadableEdit& edit : found.edits) {
    response.add_artefact_ids(edit.event.artefact().artefact_id());
  }
  std::sort(response.mutable_artefact_ids()->begin(),
            response.mutable_artefact_ids()->end());
  for (SkippedReadable& skipped : found.skipped) {
    v1::SkippedReadableFile& told = *response.add_skipped();
    told.set_path(std::move(skipped.path));
    told.set_artefact_id(std::move(skipped.artefact_id));
    told.set_reason(std::move(skipped.reason));
  }
  return response;
}

}  // namespace kinora
