#include "services/store/testing/movie_copies.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/status.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

void AddBlob(Store store, const std::string& movie_id, const v1::Digest& digest,
             std::map<std::string, std::string>* seen) {
  if (digest.hash().empty()) return;
  v1::ReadBlobRequest read;
  read.set_movie_id(movie_id);
  *read.mutable_digest() = digest;
  Sha256 hasher;
  const absl::Status status =
      store.blobs.Read(read, [&hasher](absl::string_view bytes) {
        hasher.Update(bytes);
        return absl::OkStatus();
      });
  // The blob of a take that was pruned is collected.
  const bool sound = status.ok() && hasher.Finish().Hex() == digest.hash();
  (*seen)[absl::StrCat("blob ", digest.hash())] =
      sound ? "sound" : absl::StatusCodeToString(status.code());
}

void AddEvents(Store store, const v1::LogName& log, absl::string_view name,
               std::map<std::string, std::string>* seen) {
  v1::ReadEventsRequest read;
  *read.mutable_log() = log;
  read.set_include_kept(true);
  for (;;) {
    const absl::StatusOr<v1::ReadEventsResponse> page =
        store.events.ReadPage(read);
    EXPECT_OK(page) << name;
    if (!page.ok() || page->events().empty()) return;
    for (const v1::Event& event : page->events()) {
      (*seen)[absl::StrCat(name, " ", event.sequence())] =
          event.ShortDebugString();
      AddBlob(store, log.movie_id(), event.input().content().blob().digest(),
              seen);
      AddBlob(store, log.movie_id(), event.artefact().output().blob().digest(),
              seen);
    }
    read.set_after_sequence(page->bookmark().sequence());
  }
}

}  // namespace

absl::StatusOr<std::string> CopyOf(Store store, absl::string_view movie_id) {
  v1::BackUpMovieRequest request;
  request.set_movie_id(std::string(movie_id));
  std::string copy;
  KINORA_RETURN_IF_ERROR(
      store.maintenance.BackUpMovie(request, [&](absl::string_view bytes) {
        absl::StrAppend(&copy, bytes);
        return absl::OkStatus();
      }));
  return copy;
}

absl::StatusOr<std::string> RestoreFrom(Store store, absl::string_view movie_id,
                                        absl::string_view copy,
                                        size_t piece_bytes) {
  KINORA_ASSIGN_OR_RETURN(const v1::RestoreMovieResponse response,
                          store.maintenance.RestoreMovie(
                              movie_id, [&]() -> absl::StatusOr<std::string> {
                                const absl::string_view piece =
                                    copy.substr(0, piece_bytes);
                                copy.remove_prefix(piece.size());
                                return std::string(piece);
                              }));
  return response.current_revision();
}

std::map<std::string, std::string> SeenOf(Store store,
                                          absl::string_view movie_id) {
  const std::string id(movie_id);
  std::map<std::string, std::string> seen;
  v1::GetCurrentManifestRequest current;
  current.set_movie_id(id);
  const auto pointer = store.manifests.GetCurrent(current);
  EXPECT_OK(pointer);
  if (!pointer.ok()) return seen;
  seen["current"] = pointer->current().hash();

  v1::ListManifestsRequest manifests;
  manifests.set_movie_id(id);
  const auto listed = store.manifests.List(manifests);
  EXPECT_OK(listed);
  for (const v1::ManifestPointer& manifest : listed->manifests()) {
    v1::GetManifestRequest get;
    get.set_movie_id(id);
    get.set_revision(manifest.revision());
    const absl::StatusOr<StoredManifest> stored = store.manifests.Get(get);
    seen[manifest.revision()] =
        stored.ok() ? stored->json : stored.status().ToString();
  }

  v1::LogName log;
  log.set_movie_id(id);
  log.set_kind(v1::LOG_KIND_INPUTS);
  AddEvents(store, log, "inputs", &seen);
  log.set_kind(v1::LOG_KIND_ARTEFACTS);
  AddEvents(store, log, "artefacts", &seen);
  v1::ListRunRecordsRequest list;
  list.set_movie_id(id);
  const auto runs = store.runs.List(list);
  EXPECT_OK(runs);
  for (const v1::RunRecord& record : runs->records()) {
    log.set_kind(v1::LOG_KIND_LEDGER);
    log.set_run_id(record.run_id());
    AddEvents(store, log, record.run_id(), &seen);
  }
  return seen;
}

std::vector<std::string> ProblemsOf(Store store, absl::string_view movie_id) {
  v1::VerifyMovieRequest request;
  request.set_movie_id(std::string(movie_id));
  std::vector<std::string> problems;
  int64_t checked = 0;
  EXPECT_OK(store.maintenance.VerifyMovie(
      request, [&](const v1::VerifyMovieResponse& response) {
        for (const v1::VerifyProblem& problem : response.problems()) {
          problems.push_back(
              absl::StrCat(problem.path(), ": ", problem.message()));
        }
        checked = response.checked_objects();
        return absl::OkStatus();
      }));
  EXPECT_GT(checked, 0);
  return problems;
}

absl::Status DeleteMovie(Store store, absl::string_view movie_id) {
  v1::DeleteMovieRequest request;
  request.set_movie_id(std::string(movie_id));
  return store.movies.Delete(request).status();
}

std::map<std::string, std::string> FilesBelow(FileSystem& fs,
                                              const std::string& directory) {
  std::map<std::string, std::string> files;
  const absl::StatusOr<std::vector<std::string>> names = fs.List(directory);
  if (!names.ok()) return files;
  for (const std::string& name : *names) {
    const std::string path = JoinPath(directory, name);
    const absl::StatusOr<FileInfo> info = fs.Stat(path);
    if (!info.ok()) continue;
    if (info->is_directory) {
      for (auto& below : FilesBelow(fs, path)) {
        files[absl::StrCat(name, "/", below.first)] = std::move(below.second);
      }
      continue;
    }
    const absl::StatusOr<std::string> bytes = ReadFile(fs, path);
    EXPECT_OK(bytes);
    files[name] = bytes.ok() ? *bytes : "";
  }
  return files;
}

}  // namespace kinora
