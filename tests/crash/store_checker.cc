#include "tests/crash/store_checker.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/json/proto_json.h"
#include "common/status.h"

namespace kinora {
namespace {

// Small pages, so that most logs take several.
constexpr int64_t kEventsPerPage = 5;

v1::LogName LogOf(absl::string_view movie_id, v1::LogKind kind,
                  absl::string_view run_id = "") {
  v1::LogName log;
  log.set_movie_id(std::string(movie_id));
  log.set_kind(kind);
  log.set_run_id(std::string(run_id));
  return log;
}

struct WholeLog {
  int64_t oldest = 1;
  std::vector<v1::Event> events;
};

absl::StatusOr<WholeLog> ReadLog(Store store, const v1::LogName& name) {
  v1::GetLogStatusRequest status_request;
  *status_request.mutable_log() = name;
  KINORA_ASSIGN_OR_RETURN(v1::GetLogStatusResponse status,
                          store.events.GetLogStatus(status_request));
  WholeLog log;
  log.oldest = std::max<int64_t>(1, status.oldest_sequence());
  v1::ReadEventsRequest request;
  *request.mutable_log() = name;
  request.set_limit(kEventsPerPage);
  request.set_after_sequence(log.oldest - 1);
  for (;;) {
    KINORA_ASSIGN_OR_RETURN(v1::ReadEventsResponse page,
                            store.events.ReadPage(request));
    if (page.events().empty()) break;
    log.events.insert(log.events.end(), page.events().begin(),
                      page.events().end());
    request.set_after_sequence(page.bookmark().sequence());
  }
  const int64_t end = log.oldest + static_cast<int64_t>(log.events.size()) - 1;
  if (end != status.last_sequence() && !log.events.empty()) {
    return absl::InternalError(absl::StrCat(
        "reads end at ", end, ", its status says ", status.last_sequence()));
  }
  return log;
}

// Looks at the movie as its user would; one object per movie and check.
class MovieChecker {
 public:
  MovieChecker(LocalStore& local, std::string movie_id, MovieFacts* facts)
      : local_(local),
        store_(local.store()),
        movie_id_(std::move(movie_id)),
        facts_(*facts) {}

  absl::Status Check() {
    KINORA_RETURN_IF_ERROR(Annotate(CheckExistence(), "existence"));
    if (!exists_) return absl::OkStatus();
    KINORA_RETURN_IF_ERROR(Annotate(CheckLogs(), "logs"));
    KINORA_RETURN_IF_ERROR(Annotate(CheckManifests(), "manifests"));
    KINORA_RETURN_IF_ERROR(Annotate(CheckIndexes(), "indexes"));
    KINORA_RETURN_IF_ERROR(Annotate(CheckBlobs(), "blobs"));
    KINORA_RETURN_IF_ERROR(Annotate(CheckPlans(), "plans"));
    KINORA_RETURN_IF_ERROR(Annotate(CheckRuns(), "run records"));
    return Annotate(CheckLease(), "lease");
  }

  // False: nothing is left of what is known but that it is gone.
  bool exists() const { return exists_; }

 private:
  absl::Status CheckExistence() {
    v1::GetMovieRequest request;
    request.set_movie_id(movie_id_);
    const auto movie = store_.movies.Get(request);
    if (!movie.ok() && !facts_.sure &&
        ReasonOf(movie.status()) == "MOVIE_NOT_FOUND") {
      return absl::OkStatus();
    }
    KINORA_RETURN_IF_ERROR(movie.status());
    exists_ = true;
    facts_.sure = true;
    facts_.blueprint_hash = movie->movie().blueprint().digest().hash();
    return absl::OkStatus();
  }

  absl::Status CheckLogs() {
    KINORA_ASSIGN_OR_RETURN(
        inputs_, ReadLog(store_, LogOf(movie_id_, v1::LOG_KIND_INPUTS)));
    KINORA_RETURN_IF_ERROR(
        Annotate(facts_.inputs.CheckAndSettle(inputs_.oldest, inputs_.events),
                 "inputs"));
    KINORA_ASSIGN_OR_RETURN(
        artefacts_, ReadLog(store_, LogOf(movie_id_, v1::LOG_KIND_ARTEFACTS)));
    KINORA_RETURN_IF_ERROR(Annotate(
        facts_.artefacts.CheckAndSettle(artefacts_.oldest, artefacts_.events),
        "artefacts"));
    if (!facts_.logs_may_be_cut &&
        std::max(inputs_.oldest, artefacts_.oldest) > 1) {
      return absl::InternalError("records were removed, unasked");
    }
    facts_.named_blobs.clear();
    for (const WholeLog* log : {&inputs_, &artefacts_}) {
      if (log == &artefacts_ && facts_.takes_may_be_pruned) break;
      for (const v1::Event& event : log->events) {
        facts_.named_blobs.insert(BlobNamedBy(event));
      }
    }
    for (auto& ledger : facts_.ledgers) {
      KINORA_ASSIGN_OR_RETURN(
          WholeLog log,
          ReadLog(store_, LogOf(movie_id_, v1::LOG_KIND_LEDGER, ledger.first)));
      KINORA_RETURN_IF_ERROR(
          Annotate(ledger.second.CheckAndSettle(log.oldest, log.events),
                   absl::StrCat("ledger of ", ledger.first)));
    }
    return absl::OkStatus();
  }

  absl::Status CheckManifests() {
    // A commit that was under way is decided by its record. Records that were
    // cut off are of revisions that are known.
    for (const v1::Event& event : artefacts_.events) {
      if (!event.has_revision_committed()) continue;
      const v1::RevisionCommitted& commit = event.revision_committed();
      if (!facts_.revisions.empty() &&
          commit.revision() <= facts_.revisions.back().revision) {
        continue;
      }
      facts_.revisions.push_back(
          {.revision = commit.revision(),
           .manifest_hash = commit.manifest_hash(),
           .inputs_through = commit.inputs_through_sequence()});
      facts_.committed_runs.push_back(commit.run_id());
    }
    v1::GetCurrentManifestRequest current_request;
    current_request.set_movie_id(movie_id_);
    KINORA_ASSIGN_OR_RETURN(v1::GetCurrentManifestResponse current,
                            store_.manifests.GetCurrent(current_request));
    const RevisionFact last =
        facts_.revisions.empty() ? RevisionFact() : facts_.revisions.back();
    if (current.current().revision() != last.revision ||
        current.current().hash() != last.manifest_hash) {
      return absl::InternalError(
          absl::StrCat("current is ", current.current().ShortDebugString(),
                       ", not ", last.revision, " ", last.manifest_hash));
    }
    for (RevisionFact& revision : facts_.revisions) {
      KINORA_RETURN_IF_ERROR(
          Annotate(CheckManifest(&revision), revision.revision));
    }
    return absl::OkStatus();
  }

  absl::Status CheckManifest(RevisionFact* revision) {
    v1::GetManifestRequest request;
    request.set_movie_id(movie_id_);
    request.set_revision(revision->revision);
    absl::StatusOr<StoredManifest> read = store_.manifests.Get(request);
    if (revision->may_be_pruned &&
        ReasonOf(read.status()) == "REVISION_NOT_FOUND") {
      return absl::OkStatus();
    }
    KINORA_RETURN_IF_ERROR(read.status());
    const StoredManifest& stored = *read;
    if (Sha256Of(stored.json).Hex() != revision->manifest_hash) {
      return absl::InternalError("its bytes do not have its hash");
    }
    if (!revision->json.empty() && revision->json != stored.json) {
      return absl::InternalError("it has changed");
    }
    revision->json = stored.json;
    const bool is_current = revision == &facts_.revisions.back();
    absl::StatusOr<std::string> rebuilt =
        local_.RebuildManifest(movie_id_, revision->revision);
    if (facts_.logs_may_be_cut && !is_current &&
        absl::IsOutOfRange(rebuilt.status())) {
      return absl::OkStatus();
    }
    KINORA_RETURN_IF_ERROR(rebuilt.status());
    if (*rebuilt != stored.json) {
      return absl::InternalError("rebuilt from the logs it is another");
    }
    return CheckBlobsOf(stored.json);
  }

  // Whatever was pruned, cut and collected, what a manifest names is there.
  absl::Status CheckBlobsOf(const std::string& json) {
    v1::Manifest manifest;
    KINORA_RETURN_IF_ERROR(ParseDocument(json, &manifest));
    v1::FindMissingBlobsRequest request;
    request.set_movie_id(movie_id_);
    const auto note = [&](const v1::Content& content) {
      if (content.has_blob()) {
        *request.add_digests() = content.blob().digest();
      }
    };
    for (const auto& input : manifest.inputs()) note(input.second.content());
    for (const auto& artefact : manifest.artefacts()) {
      note(artefact.second.content());
    }
    KINORA_ASSIGN_OR_RETURN(const v1::FindMissingBlobsResponse response,
                            store_.blobs.FindMissing(request));
    if (response.missing().empty()) return absl::OkStatus();
    return absl::InternalError(
        absl::StrCat("its blob ", response.missing(0).hash(), " is lost"));
  }

  absl::Status CheckIndexes() {
    std::map<std::string, const v1::Event*> latest;
    for (const v1::Event& event : artefacts_.events) {
      if (event.artefact().status() == v1::ARTEFACT_STATUS_SUCCEEDED) {
        latest[event.artefact().artefact_id()] = &event;
      }
    }
    v1::ResolveArtefactsRequest resolve;
    resolve.set_movie_id(movie_id_);
    for (const auto& entry : latest) {
      resolve.add_queries()->set_artefact_id(entry.first);
    }
    if (!latest.empty()) {
      KINORA_ASSIGN_OR_RETURN(v1::ResolveArtefactsResponse resolved,
                              store_.events.ResolveArtefacts(resolve));
      int at = 0;
      for (const auto& entry : latest) {
        const v1::ResolvedArtefact& found = resolved.artefacts(at++);
        if (found.event().SerializeAsString() !=
            entry.second->SerializeAsString()) {
          return absl::InternalError(absl::StrCat(
              entry.first, " resolves to sequence ", found.event().sequence(),
              ", the log says ", entry.second->sequence()));
        }
      }
    }
    std::map<std::string, const v1::Event*> edits;
    for (const v1::Event& event : inputs_.events) {
      edits[event.input().input_id()] = &event;
    }
    v1::ListInputsRequest list;
    list.set_movie_id(movie_id_);
    KINORA_ASSIGN_OR_RETURN(v1::ListInputsResponse listed,
                            store_.events.ListInputs(list));
    std::map<std::string, int64_t> answered;
    for (const v1::Event& event : listed.inputs()) {
      answered[event.input().input_id()] = event.sequence();
    }
    for (const auto& entry : edits) {
      const auto found = answered.find(entry.first);
      if (found == answered.end() ||
          found->second != entry.second->sequence()) {
        return absl::InternalError(absl::StrCat(
            entry.first, " was set at ", entry.second->sequence(),
            ", the store says ", found == answered.end() ? 0 : found->second));
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckBlobs() {
    for (auto blob = facts_.blobs.begin(); blob != facts_.blobs.end();) {
      v1::BatchReadBlobsRequest request;
      request.set_movie_id(movie_id_);
      v1::Digest& digest = *request.add_digests();
      digest.set_hash(blob->first);
      digest.set_size_bytes(static_cast<int64_t>(blob->second.bytes.size()));
      KINORA_ASSIGN_OR_RETURN(v1::BatchReadBlobsResponse response,
                              store_.blobs.BatchRead(request));
      const v1::BatchBlobResult& result = response.results(0);
      if (result.code() == static_cast<int>(absl::StatusCode::kNotFound) &&
          !blob->second.sure) {
        blob = facts_.blobs.erase(blob);
        continue;
      }
      if (result.code() != 0) {
        return absl::InternalError(
            absl::StrCat(blob->first, ": ", result.message()));
      }
      if (result.data() != blob->second.bytes) {
        return absl::InternalError(
            absl::StrCat(blob->first, " has other bytes"));
      }
      blob->second.sure = true;
      ++blob;
    }
    return absl::OkStatus();
  }

  absl::Status CheckPlans() {
    for (auto plan = facts_.plans.begin(); plan != facts_.plans.end();) {
      v1::LoadPlanRequest request;
      request.set_movie_id(movie_id_);
      request.set_plan_hash(plan->first);
      const absl::StatusOr<std::string> json = store_.plans.Load(request);
      if (absl::IsNotFound(json.status()) && !plan->second.sure) {
        plan = facts_.plans.erase(plan);
        continue;
      }
      KINORA_RETURN_IF_ERROR(json.status());
      if (*json != plan->second.bytes) {
        return absl::InternalError(
            absl::StrCat(plan->first, " has other bytes"));
      }
      plan->second.sure = true;
      ++plan;
    }
    return absl::OkStatus();
  }

  absl::Status CheckRuns() {
    for (auto run = facts_.runs.begin(); run != facts_.runs.end();) {
      ReplacedFact& fact = run->second;
      v1::GetRunRecordRequest request;
      request.set_run_id(run->first);
      const auto stored = store_.runs.Get(request);
      if (!stored.ok() && fact.sure.empty() &&
          ReasonOf(stored.status()) == "RUN_NOT_FOUND") {
        run = facts_.runs.erase(run);
        continue;
      }
      KINORA_RETURN_IF_ERROR(stored.status());
      const std::string bytes = CanonicalBytes(stored->record());
      if (bytes != fact.sure &&
          std::find(fact.attempts.begin(), fact.attempts.end(), bytes) ==
              fact.attempts.end()) {
        return absl::InternalError(absl::StrCat(run->first, " is ", bytes,
                                                ", the last acknowledged was ",
                                                fact.sure));
      }
      fact = {.sure = bytes, .attempts = {}};
      ++run;
    }
    return absl::OkStatus();
  }

  absl::Status CheckLease() {
    v1::GetLeaseRequest request;
    request.set_lease_id("movie/" + movie_id_);
    KINORA_ASSIGN_OR_RETURN(v1::GetLeaseResponse response,
                            store_.leases.Get(request));
    if (response.has_lease()) {
      const int64_t token = response.lease().token().fencing_token();
      if (token < facts_.highest_token) {
        return absl::InternalError(absl::StrCat(
            "fencing token ", token, " after ", facts_.highest_token));
      }
      facts_.highest_token = token;
    }
    facts_.lease = response.lease();
    return absl::OkStatus();
  }

  LocalStore& local_;
  Store store_;
  const std::string movie_id_;
  MovieFacts& facts_;
  bool exists_ = false;
  WholeLog inputs_;
  WholeLog artefacts_;
};

// Every file below `directory` is named for its own hash.
absl::Status CheckBlobFiles(FileSystem& fs, const std::string& directory) {
  const absl::StatusOr<std::vector<std::string>> names = fs.List(directory);
  if (absl::IsNotFound(names.status())) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(names.status());
  for (const std::string& name : *names) {
    const std::string path = JoinPath(directory, name);
    KINORA_ASSIGN_OR_RETURN(const FileInfo info, fs.Stat(path));
    if (info.is_directory) {
      KINORA_RETURN_IF_ERROR(CheckBlobFiles(fs, path));
      continue;
    }
    KINORA_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(fs, path));
    if (Sha256Of(bytes).Hex() != name) {
      return absl::InternalError(
          absl::StrCat(path, " does not have the hash of its name"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckStore(LocalStore& local, FileSystem& fs,
                        absl::string_view data_dir, StoreFacts* facts) {
  for (auto movie = facts->movies().begin(); movie != facts->movies().end();) {
    MovieChecker checker(local, movie->first, &movie->second);
    const std::string where = absl::StrCat("movie ", movie->first);
    KINORA_RETURN_IF_ERROR(Annotate(checker.Check(), where));
    KINORA_RETURN_IF_ERROR(Annotate(
        CheckBlobFiles(
            fs, JoinPath(data_dir,
                         absl::StrCat("builds/", movie->first, "/blobs"))),
        where));
    // What an attempt to create it left behind may still turn up.
    if (!checker.exists()) {
      movie->second = {.inputs = std::move(movie->second.inputs)};
    }
    ++movie;
  }
  return absl::OkStatus();
}

absl::Status VerifyStore(LocalStore& local, const StoreFacts& facts) {
  std::vector<std::string> movie_ids = {""};
  for (const auto& movie : facts.movies()) {
    if (movie.second.sure) movie_ids.push_back(movie.first);
  }
  for (const std::string& movie_id : movie_ids) {
    v1::VerifyMovieRequest request;
    request.set_movie_id(movie_id);
    KINORA_RETURN_IF_ERROR(local.store().maintenance.VerifyMovie(
        request, [&](const v1::VerifyMovieResponse& response) {
          if (response.problems().empty()) return absl::OkStatus();
          return absl::InternalError(
              absl::StrCat("verify of \"", movie_id,
                           "\": ", response.problems(0).ShortDebugString()));
        }));
  }
  return absl::OkStatus();
}

}  // namespace kinora
