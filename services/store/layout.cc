#include "services/store/layout.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/element_id.h"

namespace kinora {

std::string MoviePrefix(absl::string_view movie_id) {
  return absl::StrCat(kBuildsPrefix, movie_id, "/");
}

std::string MovieKey(absl::string_view movie_id) {
  return absl::StrCat(MoviePrefix(movie_id), "movie.json");
}

std::string CurrentKey(absl::string_view movie_id) {
  return absl::StrCat(MoviePrefix(movie_id), "current.json");
}

std::string RetentionKey(absl::string_view movie_id) {
  return absl::StrCat(MoviePrefix(movie_id), "retention.json");
}

bool IsRetentionKey(absl::string_view key) {
  absl::string_view movie_id = key;
  return absl::ConsumePrefix(&movie_id, kBuildsPrefix) &&
         key == RetentionKey(movie_id.substr(0, movie_id.find('/')));
}

std::string AggregatesKey(absl::string_view movie_id) {
  return absl::StrCat(MoviePrefix(movie_id), "metrics/aggregates.json");
}

std::string ManifestPath(absl::string_view revision) {
  return absl::StrCat("manifests/", revision, ".json");
}

std::string ManifestKey(absl::string_view movie_id,
                        absl::string_view revision) {
  return absl::StrCat(MoviePrefix(movie_id), ManifestPath(revision));
}

std::string ManifestPrefix(absl::string_view movie_id) {
  return absl::StrCat(MoviePrefix(movie_id), "manifests/");
}

std::string BlobPrefix(absl::string_view movie_id) {
  return absl::StrCat(MoviePrefix(movie_id), "blobs/");
}

std::string BlobKey(absl::string_view movie_id, absl::string_view hash) {
  return absl::StrCat(BlobPrefix(movie_id), hash.substr(0, 2), "/", hash);
}

std::string BlobUsesKey(absl::string_view movie_id) {
  return absl::StrCat(MoviePrefix(movie_id), "blob-uses.json");
}

std::string InputsLogKey(absl::string_view movie_id) {
  return absl::StrCat(MoviePrefix(movie_id), "events/inputs.log");
}

std::string ArtefactsLogKey(absl::string_view movie_id) {
  return absl::StrCat(MoviePrefix(movie_id), "events/artefacts.log");
}

std::string LedgerLogKey(absl::string_view movie_id, absl::string_view run_id) {
  return absl::StrCat(RunsPrefix(movie_id), run_id, "/ledger.log");
}

std::string InputsArchiveKey(absl::string_view movie_id,
                             absl::string_view revision) {
  return absl::StrCat(MoviePrefix(movie_id), "events/", revision,
                      ".inputs.jsonl");
}

std::string ArtefactsArchiveKey(absl::string_view movie_id,
                                absl::string_view revision) {
  return absl::StrCat(MoviePrefix(movie_id), "events/", revision,
                      ".artefacts.jsonl");
}

std::string EventsPrefix(absl::string_view movie_id) {
  return absl::StrCat(MoviePrefix(movie_id), "events/");
}

std::string InputsCheckpointKey(absl::string_view movie_id,
                                absl::string_view revision) {
  return absl::StrCat(EventsPrefix(movie_id), "inputs.checkpoint.", revision,
                      ".json");
}

std::string ArtefactsCheckpointKey(absl::string_view movie_id,
                                   absl::string_view revision) {
  return absl::StrCat(EventsPrefix(movie_id), "artefacts.checkpoint.", revision,
                      ".jsonl");
}

std::string IndexPrefix(absl::string_view movie_id) {
  return absl::StrCat(MoviePrefix(movie_id), "index/");
}

std::string RunsPrefix(absl::string_view movie_id) {
  return absl::StrCat(MoviePrefix(movie_id), "runs/");
}

std::string PlanKey(absl::string_view movie_id, absl::string_view plan_hash) {
  return absl::StrCat(RunsPrefix(movie_id), "plans/", plan_hash, ".json");
}

std::string RevisionPlanKey(absl::string_view movie_id,
                            absl::string_view revision) {
  return absl::StrCat(RunsPrefix(movie_id), revision, "-plan.json");
}

std::string RevisionProgressKey(absl::string_view movie_id,
                                absl::string_view revision) {
  return absl::StrCat(RunsPrefix(movie_id), revision, "-progress.json");
}

std::string RunRecordKey(absl::string_view movie_id, absl::string_view run_id) {
  return absl::StrCat(RunsPrefix(movie_id), run_id, "/record.json");
}

std::string RunIndexKey(absl::string_view run_id) {
  return absl::StrCat(kRunIndexPrefix, run_id);
}

std::string OpenRunKey(absl::string_view run_id) {
  return absl::StrCat(kOpenRunPrefix, run_id);
}

std::string LargeTextPath(absl::string_view artefact_id) {
  return absl::StrCat(kArtifactsPath, "text/", FileNameOfId(artefact_id),
                      ".txt");
}

std::string LeaseKey(absl::string_view lease_id) {
  return absl::StrCat("leases/", lease_id, ".json");
}

std::string StepLeasesPrefix(absl::string_view run_id) {
  return absl::StrCat("leases/run/", run_id, "/");
}

std::string DeletionKey(absl::string_view movie_id) {
  return absl::StrCat(kDeletionPrefix, movie_id);
}

std::string RestorationKey(absl::string_view movie_id) {
  return absl::StrCat(kRestorationPrefix, movie_id);
}

}  // namespace kinora
