#include "clients/cpp/import/movie_import.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

#include "clients/cpp/import/import_run.h"
#include "common/content.h"
#include "common/digest.h"
#include "common/error_reason.h"
#include "common/ids.h"
#include "common/status.h"
#include "services/store/manifest/manifest_document.h"

namespace kinora {
namespace {

using Values = std::map<std::string, FolderValue>;

constexpr int kEventsPerAppend = 500;
constexpr uint64_t kReadBytes = uint64_t{1} << 20;
constexpr int kLeaseSeconds = 600;
// At a step, while others take the lease away.
constexpr int kAttempts = 5;
constexpr absl::string_view kBlueprintId = "Input:Blueprint";

// One revision to make.
struct Step {
  ImportedRevision result;
  const FolderRevision* folder = nullptr;
  std::vector<const Values::value_type*> inputs;     // changed
  std::vector<const Values::value_type*> artefacts;  // changed
  std::vector<std::string> removed;
  std::string run_id;
};

std::vector<const Values::value_type*> Changed(const Values* before,
                                               const Values& now) {
  std::vector<const Values::value_type*> changed;
  for (const Values::value_type& entry : now) {
    if (before != nullptr) {
      const auto old = before->find(entry.first);
      if (old != before->end() && old->second.hash == entry.second.hash &&
          old->second.mime_type == entry.second.mime_type) {
        continue;
      }
    }
    changed.push_back(&entry);
  }
  return changed;
}

std::vector<Step> StepsOf(absl::string_view movie_id,
                          const RevisionFolder& folder) {
  std::vector<Step> steps;
  const FolderRevision* before = nullptr;
  Revision revision;
  std::string chain = absl::StrCat("kinora-import-v1 ", movie_id, " ",
                                   Sha256Of(folder.blueprint).Hex());
  for (const FolderRevision& now : folder.revisions) {
    Step& step = steps.emplace_back();
    step.folder = &now;
    step.result.folder_revision = now.name;
    step.inputs = Changed(before ? &before->inputs : nullptr, now.inputs);
    step.artefacts =
        Changed(before ? &before->artefacts : nullptr, now.artefacts);
    if (before != nullptr) {
      for (const auto& entry : before->artefacts) {
        if (now.artefacts.count(entry.first) == 0) {
          step.removed.push_back(entry.first);
        }
      }
    }
    for (const auto* changed : {&step.inputs, &step.artefacts}) {
      for (const Values::value_type* entry : *changed) {
        step.result.bytes += entry->second.size_bytes;
        absl::StrAppend(&chain, "\n", entry->first, " ", entry->second.hash,
                        " ", entry->second.mime_type);
      }
    }
    for (const std::string& id : step.removed) {
      absl::StrAppend(&chain, "\n-", id);
    }
    step.result.inputs = static_cast<int64_t>(step.inputs.size());
    step.result.artefacts = static_cast<int64_t>(step.artefacts.size());
    step.result.removed = static_cast<int64_t>(step.removed.size());
    step.result.was_there = before != nullptr && step.inputs.empty() &&
                            step.artefacts.empty() && step.removed.empty();
    if (!step.result.was_there) revision = revision.Next();
    step.result.revision = revision.ToString();
    const Digest digest = Sha256Of(absl::StrCat(chain, "\n", now.name));
    step.run_id = ImportRunId(digest);
    chain = digest.Hex();
    before = &now;
  }
  return steps;
}

class Import {
 public:
  Import(const Store& store, FileSystem& fs, absl::string_view movie_id,
         const RevisionFolder& folder)
      : store_(store),
        fs_(fs),
        movie_id_(movie_id),
        folder_(folder),
        steps_(StepsOf(movie_id, folder)) {}

  absl::StatusOr<std::vector<ImportedRevision>> Run(bool dry_run) {
    KINORA_RETURN_IF_ERROR(CheckMovie());
    if (!dry_run) {
      KINORA_RETURN_IF_ERROR(CreateMovie());
      for (Step& step : steps_) {
        if (!step.result.was_there) KINORA_RETURN_IF_ERROR(Make(&step));
      }
    }
    std::vector<ImportedRevision> results;
    for (Step& step : steps_) results.push_back(std::move(step.result));
    return results;
  }

 private:
  // Marks the revisions that are there.
  absl::Status CheckMovie() {
    v1::GetMovieRequest get;
    get.set_movie_id(movie_id_);
    const auto movie = store_.movies.Get(get);
    if (absl::IsNotFound(movie.status())) return absl::OkStatus();
    KINORA_RETURN_IF_ERROR(movie.status());
    exists_ = true;
    if (movie->movie().blueprint().digest().hash() !=
        Sha256Of(folder_.blueprint).Hex()) {
      return NotOurs("has another blueprint than blueprint.yaml");
    }
    v1::ListManifestsRequest list;
    list.set_movie_id(movie_id_);
    do {
      KINORA_ASSIGN_OR_RETURN(const v1::ListManifestsResponse page,
                              store_.manifests.List(list));
      for (const v1::ManifestPointer& pointer : page.manifests()) {
        KINORA_RETURN_IF_ERROR(CheckRevision(pointer));
        current_hash_ = pointer.hash();
      }
      list.set_page_token(page.next_page_token());
    } while (!list.page_token().empty());
    return absl::OkStatus();
  }

  absl::Status CheckRevision(const v1::ManifestPointer& pointer) {
    const auto step = std::find_if(
        steps_.begin(), steps_.end(), [&pointer](const Step& candidate) {
          return candidate.result.revision == pointer.revision();
        });
    // After the last one may come some that keep its results
    // (kept_results.h): they have its values, and leaves of them.
    const bool is_further =
        step == steps_.end() && IsAfterLast(pointer.revision());
    if (step == steps_.end() && !is_further) {
      return NotOurs(
          absl::StrCat("has a revision of its own, ", pointer.revision()));
    }
    const FolderRevision& folder =
        is_further ? folder_.revisions.back() : *step->folder;
    KINORA_ASSIGN_OR_RETURN(
        const ManifestDocument document,
        ReadManifest(store_.manifests, movie_id_, pointer.revision()));
    const v1::Manifest& manifest = document.manifest;
    Values inputs;
    for (const auto& entry : manifest.inputs()) {
      if (entry.first == kBlueprintId) continue;
      inputs[entry.first].hash = ContentHash(entry.second.content());
    }
    Values artefacts;
    for (const auto& entry : manifest.artefacts()) {
      artefacts[entry.first].hash = ContentHash(entry.second.content());
    }
    if (!IncludesHashes(inputs, folder.inputs) ||
        !IncludesHashes(artefacts, folder.artefacts) ||
        inputs.size() != folder.inputs.size() ||
        (!is_further && artefacts.size() != folder.artefacts.size())) {
      return NotOurs(absl::StrCat("has another ", pointer.revision(), " than ",
                                  folder.name, " of the folder"));
    }
    if (is_further) return absl::OkStatus();
    step->result.was_there = true;
    step->result.hash = pointer.hash();
    return absl::OkStatus();
  }

  bool IsAfterLast(const std::string& revision) const {
    const absl::StatusOr<Revision> parsed = Revision::Parse(revision);
    const absl::StatusOr<Revision> last =
        Revision::Parse(steps_.back().result.revision);
    return parsed.ok() && last.ok() && *last < *parsed;
  }

  // True if `all` has every value of `some`.
  static bool IncludesHashes(const Values& all, const Values& some) {
    return std::all_of(some.begin(), some.end(), [&all](const auto& value) {
      const auto found = all.find(value.first);
      return found != all.end() && found->second.hash == value.second.hash;
    });
  }

  absl::Status NotOurs(absl::string_view why) const {
    return absl::FailedPreconditionError(absl::StrCat(
        "movie \"", movie_id_, "\" ", why, ": import under another id"));
  }

  absl::Status CreateMovie() {
    if (exists_) return absl::OkStatus();
    v1::CreateMovieRequest request;
    request.set_movie_id(movie_id_);
    request.set_blueprint(folder_.blueprint);
    request.set_request_id(absl::StrCat("import-", movie_id_));
    return store_.movies.Create(request).status();
  }

  absl::Status Make(Step* step) {
    absl::Status made = TryToMake(step);
    // The same import beside this one had the same lease, and gave it back: the
    // step is taken up where they left it, and what is there is not made again.
    for (int i = 1; i < kAttempts && ReasonOf(made) == "LEASE_LOST"; ++i) {
      made = TryToMake(step);
    }
    return made;
  }

  absl::Status TryToMake(Step* step) {
    std::vector<v1::Event> inputs, artefacts;
    KINORA_RETURN_IF_ERROR(MakeEvents(*step, &inputs, &artefacts));
    v1::AcquireLeaseRequest acquire;
    acquire.set_lease_id(absl::StrCat("movie/", movie_id_));
    acquire.set_holder(std::string(kImportHolder));
    // The same for all revisions: repeated after it was killed, the import has
    // the lease that it left, whichever revision it was at.
    acquire.set_purpose(steps_.front().run_id);
    acquire.mutable_ttl()->set_seconds(kLeaseSeconds);
    KINORA_ASSIGN_OR_RETURN(const v1::AcquireLeaseResponse acquired,
                            store_.leases.Acquire(acquire));
    const v1::LeaseToken lease = acquired.lease().token();
    const absl::Cleanup release = [this, &lease] {
      v1::ReleaseLeaseRequest request;
      *request.mutable_token() = lease;
      store_.leases.Release(request).status().IgnoreError();
    };
    KINORA_ASSIGN_OR_RETURN(const int64_t through,
                            Append(*step, v1::LOG_KIND_INPUTS, inputs, lease));
    KINORA_RETURN_IF_ERROR(
        Append(*step, v1::LOG_KIND_ARTEFACTS, artefacts, lease).status());
    v1::CommitRevisionRequest commit;
    commit.set_movie_id(movie_id_);
    *commit.mutable_lease() = lease;
    v1::RevisionSource& source = *commit.mutable_source();
    source.set_target_revision(step->result.revision);
    source.set_base_manifest_hash(current_hash_);
    source.set_run_id(step->run_id);
    source.set_inputs_through_sequence(through);
    for (const std::string& id : step->removed) {
      source.add_removed_artefact_ids(id);
    }
    KINORA_ASSIGN_OR_RETURN(const v1::CommitRevisionResponse committed,
                            store_.manifests.Commit(commit));
    current_hash_ = committed.current().hash();
    step->result.hash = current_hash_;
    return absl::OkStatus();
  }

  absl::Status MakeEvents(const Step& step, std::vector<v1::Event>* inputs,
                          std::vector<v1::Event>* artefacts) {
    for (const Values::value_type* entry : step.inputs) {
      v1::Event& event = inputs->emplace_back();
      event.set_revision(step.result.revision);
      v1::InputEvent& input = *event.mutable_input();
      input.set_input_id(entry->first);
      input.set_edited_by(v1::EDITED_BY_USER);
      KINORA_RETURN_IF_ERROR(PutValue(entry->second, input.mutable_content()));
    }
    for (const Values::value_type* entry : step.artefacts) {
      v1::Event& event = artefacts->emplace_back();
      event.set_revision(step.result.revision);
      v1::ArtefactEvent& artefact = *event.mutable_artefact();
      artefact.set_artefact_id(entry->first);
      artefact.set_inputs_hash(entry->second.hash);
      artefact.set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
      artefact.mutable_produced_by()->set_run_id(step.run_id);
      KINORA_RETURN_IF_ERROR(
          PutValue(entry->second, artefact.mutable_output()));
    }
    return absl::OkStatus();
  }

  // Uploads what is a file or too large to be inline.
  absl::Status PutValue(const FolderValue& value, v1::Content* content) {
    if (value.path.empty() && value.size_bytes <= kDefaultInlineLimitBytes) {
      content->mutable_inline_()->set_data(value.bytes);
      content->mutable_inline_()->set_mime_type(value.mime_type);
      content->mutable_inline_()->set_hash(value.hash);
      return absl::OkStatus();
    }
    v1::BlobRef& blob = *content->mutable_blob();
    blob.set_mime_type(value.mime_type);
    blob.mutable_digest()->set_hash(value.hash);
    blob.mutable_digest()->set_size_bytes(value.size_bytes);
    v1::FindMissingBlobsRequest find;
    find.set_movie_id(movie_id_);
    *find.add_digests() = blob.digest();
    KINORA_ASSIGN_OR_RETURN(const v1::FindMissingBlobsResponse missing,
                            store_.blobs.FindMissing(find));
    if (missing.missing().empty()) return absl::OkStatus();
    v1::WriteBlobHeader header;
    header.set_movie_id(movie_id_);
    *header.mutable_expected_digest() = blob.digest();
    KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<BlobUpload> upload,
                            store_.blobs.StartUpload(header));
    if (value.path.empty()) {
      KINORA_RETURN_IF_ERROR(upload->Append(value.bytes));
    } else {
      KINORA_RETURN_IF_ERROR(AppendFile(value.path, upload.get()));
    }
    // Refused if the file has changed since it was looked at.
    return Annotate(upload->Finish().status(),
                    value.path.empty() ? "a value" : value.path);
  }

  absl::Status AppendFile(const std::string& path, BlobUpload* upload) {
    KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file,
                            fs_.OpenForRead(path));
    std::string piece;
    for (uint64_t offset = 0;; offset += piece.size()) {
      piece.resize(kReadBytes);
      KINORA_ASSIGN_OR_RETURN(const size_t got,
                              file->ReadAt(offset, absl::MakeSpan(piece)));
      if (got == 0) return absl::OkStatus();
      piece.resize(got);
      KINORA_RETURN_IF_ERROR(upload->Append(piece));
    }
  }

  // The last sequence of the log that belongs to the revision.
  absl::StatusOr<int64_t> Append(const Step& step, v1::LogKind kind,
                                 const std::vector<v1::Event>& events,
                                 const v1::LeaseToken& lease) {
    int64_t last = 0;
    v1::AppendEventsRequest request;
    request.mutable_log()->set_movie_id(movie_id_);
    request.mutable_log()->set_kind(kind);
    if (kind == v1::LOG_KIND_ARTEFACTS) *request.mutable_lease() = lease;
    for (size_t i = 0; i < events.size(); ++i) {
      *request.add_events() = events[i];
      if (request.events_size() < kEventsPerAppend && i + 1 < events.size()) {
        continue;
      }
      request.set_request_id(
          absl::StrCat("import-", step.run_id, "-", kind, "-", i));
      KINORA_ASSIGN_OR_RETURN(const v1::AppendEventsResponse appended,
                              store_.events.Append(request));
      last = appended.last_sequence();
      request.clear_events();
    }
    if (last > 0 || kind != v1::LOG_KIND_INPUTS) return last;
    v1::ListInputsRequest list;
    list.set_movie_id(movie_id_);
    KINORA_ASSIGN_OR_RETURN(const v1::ListInputsResponse inputs,
                            store_.events.ListInputs(list));
    return inputs.through_sequence();
  }

  const Store store_;
  FileSystem& fs_;
  const std::string movie_id_;
  const RevisionFolder& folder_;
  std::vector<Step> steps_;
  bool exists_ = false;
  std::string current_hash_;
};

}  // namespace

absl::StatusOr<std::vector<ImportedRevision>> ImportMovie(
    const Store& store, FileSystem& fs, absl::string_view movie_id,
    const RevisionFolder& folder, bool dry_run) {
  KINORA_RETURN_IF_ERROR(ValidateMovieId(movie_id));
  return Import(store, fs, movie_id, folder).Run(dry_run);
}

}  // namespace kinora
