// The part of ReadableFiles that knows which files are needed, and removes the
// others.

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/json/proto_json.h"
#include "common/status.h"
#include "kinora/v1/manifest.pb.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/readable/readable_files.h"

namespace kinora {
namespace {

// Files that are not needed, looked at in one step: appends of texts wait for
// it, and a removal waits for the disk.
constexpr int kFilesPerStep = 32;

}  // namespace

absl::StatusOr<ReadableFiles::Need> ReadableFiles::NeedOf(
    absl::string_view movie_id, Movie& movie, const File& file) {
  const int64_t current = movie.declarations.current.sequence;
  if (file.is_left) return Need::kNo;
  if (file.sequence > current) return Need::kYes;
  if (movie.marked_at != current) {
    KINORA_ASSIGN_OR_RETURN(const bool marked, MarkListed(movie_id, movie));
    if (!marked) return Need::kUnknown;
  }
  return file.listed_at == current ? Need::kYes : Need::kNo;
}

absl::StatusOr<bool> ReadableFiles::MarkListed(absl::string_view movie_id,
                                               Movie& movie) {
  const Commit& current = movie.declarations.current;
  const std::string key = ManifestKey(movie_id, current.revision);
  const absl::StatusOr<std::string> json = ReadObject(storage_, key);
  if (absl::IsNotFound(json.status())) return false;
  KINORA_RETURN_IF_ERROR(json.status());
  if (Sha256Of(*json).Hex() != current.manifest_hash) {
    return DataCorrupt(
        key, absl::StrCat("does not have its hash ", current.manifest_hash));
  }
  v1::Manifest manifest;
  const absl::Status parsed = ParseDocument(*json, &manifest);
  if (!parsed.ok()) return DataCorrupt(key, parsed.message());
  for (const auto& entry : manifest.artefacts()) {
    const auto path = movie.declarations.path_of.find(entry.first);
    if (path == movie.declarations.path_of.end()) continue;
    const std::string& readable = entry.second.readable_path();
    // A manifest entry of a text that got short names no file.
    if (path->second != (readable.empty()
                             ? LargeTextPath(entry.first)
                             : absl::StrCat(kPromptsPath, readable))) {
      continue;
    }
    const auto file = movie.declarations.files.find(path->second);
    if (file == movie.declarations.files.end()) continue;
    if (file->second.artefact_id != entry.first) continue;
    file->second.listed_at = current.sequence;
  }
  movie.marked_at = current.sequence;
  return true;
}

absl::StatusOr<bool> ReadableFiles::Remove(absl::string_view movie_id,
                                           const std::string& path,
                                           absl::Time before, bool dry_run,
                                           File* file) {
  const std::string key = absl::StrCat(MoviePrefix(movie_id), path);
  const absl::StatusOr<ObjectInfo> info = storage_.Stat(key);
  if (info.ok() && info->create_time > before) return false;
  ReadableEdit edit;
  const absl::StatusOr<State> state =
      info.ok() ? Look(movie_id, path, file, &edit) : info.status();
  if (absl::IsNotFound(state.status()) ||
      absl::IsInvalidArgument(state.status()) ||
      absl::IsPermissionDenied(state.status())) {
    return false;
  }
  KINORA_RETURN_IF_ERROR(state.status());
  if (*state != State::kRight && *state != State::kBehind) return false;
  if (dry_run) return true;
  file->written = false;
  KINORA_RETURN_IF_ERROR(storage_.Delete(key));
  return true;
}

absl::StatusOr<ReadableFiles::Collected> ReadableFiles::Collect(
    absl::string_view movie_id, absl::string_view after, absl::Time before,
    bool dry_run) {
  Collected step;
  if (!storage_.KeepsFiles()) return step;
  std::shared_ptr<Movie> movie = MovieOf(movie_id);
  MutexLock lock(movie->mu);
  KINORA_RETURN_IF_ERROR(Refresh(movie_id, *movie));
  int looked_at = 0;
  std::map<std::string, File>& files = movie->declarations.files;
  for (auto entry = files.upper_bound(std::string(after)); entry != files.end();
       ++entry) {
    KINORA_ASSIGN_OR_RETURN(const Need need,
                            NeedOf(movie_id, *movie, entry->second));
    if (need == Need::kUnknown) return step;
    if (need == Need::kYes) continue;
    if (looked_at++ == kFilesPerStep) {
      step.more = true;
      break;
    }
    step.last = entry->first;
    KINORA_ASSIGN_OR_RETURN(
        const bool removed,
        Remove(movie_id, entry->first, before, dry_run, &entry->second));
    if (removed) step.removed.push_back(entry->first);
  }
  return step;
}

}  // namespace kinora
