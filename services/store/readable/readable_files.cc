#include "services/store/readable/readable_files.h"

#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/files/readable_path.h"
#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/status.h"
#include "common/utf8.h"
#include "services/store/checkpoint/log_history.h"
#include "services/store/checks.h"
#include "services/store/event/event_json.h"
#include "services/store/event/event_validator.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

// Times of events are cut to milliseconds, and those of files come from a clock
// that ticks a few times slower.
constexpr absl::Duration kClockSlack = absl::Milliseconds(1);

absl::StatusOr<Digest> HashOf(const v1::Content& content) {
  return Digest::ParseHex(ContentHash(content));
}

// What a value of that type has to be; JSON gets its canonical form.
absl::Status MakeValue(absl::string_view mime_type, std::string* text) {
  if (mime_type == "application/json") {
    absl::StatusOr<JsonValue> json = ParseJson(*text);
    if (!json.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("must be JSON: ", json.status().message()));
    }
    *text = CanonicalJson(*json);
  } else if (!IsValidUtf8(*text)) {
    return absl::InvalidArgumentError("must be UTF-8 text");
  }
  return absl::OkStatus();
}

}  // namespace

std::string ReadableFiles::PathOf(const v1::Event& event) {
  const v1::ArtefactEvent& artefact = event.artefact();
  const v1::Content& value = artefact.output();
  if (artefact.status() != v1::ARTEFACT_STATUS_SUCCEEDED ||
      !IsReadableType(ContentMimeType(value)) ||
      value.blob().digest().size_bytes() > kMaxReadableBytes) {
    return "";
  }
  if (!artefact.readable_path().empty()) {
    return absl::StrCat(kPromptsPath, artefact.readable_path());
  }
  return value.has_blob() ? LargeTextPath(artefact.artefact_id()) : "";
}

std::shared_ptr<ReadableFiles::Movie> ReadableFiles::MovieOf(
    absl::string_view movie_id) {
  MutexLock lock(mu_);
  std::shared_ptr<Movie>& movie = movies_[movie_id];
  if (movie == nullptr) movie = std::make_shared<Movie>();
  return movie;
}

void ReadableFiles::Forget(absl::string_view movie_id) {
  MutexLock lock(mu_);
  movies_.erase(movie_id);
}

absl::Status ReadableFiles::Refresh(absl::string_view movie_id, Movie& movie) {
  LogHistory artefacts(log_, storage_, movie_id, v1::LOG_KIND_ARTEFACTS);
  Declarations* declared = &movie.declarations;
  return artefacts.ForEach(
      0, &movie.through,
      [declared](const v1::Event& event) { return Declare(event, declared); });
}

absl::Status ReadableFiles::Declare(const v1::Event& event,
                                    Declarations* declarations) {
  if (event.has_revision_committed()) {
    const v1::RevisionCommitted& commit = event.revision_committed();
    declarations->current = {event.sequence(), commit.revision(),
                             commit.manifest_hash()};
  }
  const v1::ArtefactEvent& artefact = event.artefact();
  const std::string& id = artefact.artefact_id();
  if (artefact.status() != v1::ARTEFACT_STATUS_SUCCEEDED) {
    return absl::OkStatus();
  }
  std::string path = PathOf(event);
  const auto before = declarations->path_of.find(id);
  if (before != declarations->path_of.end() && before->second != path) {
    // A text that got short stays in the file in which people know it.
    if (path.empty() && artefact.readable_path().empty() &&
        before->second == LargeTextPath(id) &&
        IsReadableType(ContentMimeType(artefact.output()))) {
      path = before->second;
    } else {
      const auto file = declarations->files.find(before->second);
      if (file != declarations->files.end() && file->second.artefact_id == id) {
        file->second.is_left = true;
      }
      declarations->path_of.erase(before);
    }
  }
  if (path.empty()) return absl::OkStatus();
  KINORA_ASSIGN_OR_RETURN(const Digest hash, HashOf(artefact.output()));
  declarations->path_of[id] = path;
  File& file = declarations->files[path];
  if (file.sequence != 0) file.earlier.insert(file.hash);
  file.sequence = event.sequence();
  file.artefact_id = id;
  file.is_left = false;
  file.time = absl::FromUnixSeconds(event.time().seconds()) +
              absl::Nanoseconds(event.time().nanos());
  file.hash = hash;
  declarations->news.insert(std::move(path));
  return absl::OkStatus();
}

absl::StatusOr<v1::Event> ReadableFiles::EventAt(absl::string_view movie_id,
                                                 int64_t sequence) {
  const std::string log = ArtefactsLogKey(movie_id);
  LogHistory artefacts(log_, storage_, movie_id, v1::LOG_KIND_ARTEFACTS);
  KINORA_ASSIGN_OR_RETURN(const std::optional<LogRecord> record,
                          artefacts.At(sequence));
  if (!record.has_value()) {
    return DataCorrupt(log, absl::StrCat("has no record ", sequence));
  }
  return EventFromRecord(log, v1::LOG_KIND_ARTEFACTS, *record);
}

absl::StatusOr<ReadableFiles::State> ReadableFiles::Look(
    absl::string_view movie_id, const std::string& path, File* file,
    ReadableEdit* edit) {
  const std::string key = absl::StrCat(MoviePrefix(movie_id), path);
  absl::StatusOr<ObjectInfo> info = storage_.Stat(key);
  if (absl::IsNotFound(info.status())) return State::kMissing;
  KINORA_RETURN_IF_ERROR(info.status());
  if (info->is_foreign) {
    return absl::InvalidArgumentError(
        "is a link, a FIFO or a device, readable files are plain ones");
  }
  if (info->size_bytes > kMaxReadableBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "has ", info->size_bytes, " bytes, readable files have at most ",
        kMaxReadableBytes));
  }
  absl::StatusOr<std::string> text = ReadObject(storage_, key);
  if (absl::IsNotFound(text.status())) return State::kMissing;
  KINORA_RETURN_IF_ERROR(text.status());
  Digest hash = Sha256Of(*text);
  absl::Status invalid;
  if (hash != file->hash) {
    KINORA_ASSIGN_OR_RETURN(edit->event, EventAt(movie_id, file->sequence));
    invalid =
        MakeValue(ContentMimeType(edit->event.artefact().output()), &*text);
    hash = Sha256Of(*text);
  }
  if (hash == file->hash) {
    file->written = true;
    file->on_disk = hash;
    return State::kRight;
  }
  if (file->written ? hash == file->on_disk
                    : file->earlier.contains(hash) &&
                          info->create_time < file->time + kClockSlack) {
    return State::kBehind;
  }
  edit->path = path;
  edit->text = *std::move(text);
  edit->invalid = std::move(invalid);
  return State::kEdited;
}

absl::Status ReadableFiles::WriteFile(absl::string_view movie_id,
                                      const std::string& path, File* file) {
  KINORA_ASSIGN_OR_RETURN(const v1::Event event,
                          EventAt(movie_id, file->sequence));
  const v1::Content& value = event.artefact().output();
  std::string text = value.inline_().data();
  if (value.has_blob()) {
    const v1::Digest& digest = value.blob().digest();
    text.clear();
    if (digest.size_bytes() > 0) {
      KINORA_ASSIGN_OR_RETURN(
          text, ReadObject(storage_, BlobKey(movie_id, digest.hash())));
    }
  }
  const absl::Status written =
      storage_.Write(absl::StrCat(MoviePrefix(movie_id), path), text);
  if (absl::IsFailedPrecondition(written)) {
    return absl::InvalidArgumentError(
        absl::StrCat("something else has its place: ", written.message()));
  }
  KINORA_RETURN_IF_ERROR(written);
  file->written = true;
  file->on_disk = file->hash;
  return absl::OkStatus();
}

absl::Status ReadableFiles::Restore(absl::string_view movie_id, Movie& movie,
                                    const std::string& path, State state,
                                    File* file) {
  if (state == State::kMissing) {
    KINORA_ASSIGN_OR_RETURN(const Need need, NeedOf(movie_id, movie, *file));
    // What cannot be told is left to a later look.
    if (need != Need::kYes) return absl::OkStatus();
  } else if (state != State::kBehind) {
    return absl::OkStatus();
  }
  return WriteFile(movie_id, path, file);
}

absl::Status ReadableFiles::Visit(absl::string_view movie_id, Movie& movie,
                                  const std::string& path, bool restore,
                                  File* file, ReadableFindings* findings) {
  ReadableEdit edit;
  const absl::StatusOr<State> state = Look(movie_id, path, file, &edit);
  absl::Status status = state.status();
  if (state.ok() && *state == State::kEdited) {
    findings->edits.push_back(std::move(edit));
  }
  if (state.ok() && restore) {
    status = Restore(movie_id, movie, path, *state, file);
  }
  if (!absl::IsInvalidArgument(status) && !absl::IsPermissionDenied(status)) {
    return status;
  }
  findings->skipped.push_back(
      {path, file->artefact_id, std::string(status.message())});
  return absl::OkStatus();
}

absl::StatusOr<std::vector<SkippedReadable>> ReadableFiles::BringUp(
    absl::string_view movie_id) {
  ReadableFindings findings;
  if (!storage_.KeepsFiles()) return findings.skipped;
  std::shared_ptr<Movie> movie = MovieOf(movie_id);
  MutexLock lock(movie->mu);
  absl::Status status = Refresh(movie_id, *movie);
  for (const std::string& path : std::exchange(movie->declarations.news, {})) {
    File& file = movie->declarations.files[path];
    if (file.is_left) continue;
    // One that cannot be brought up does not keep the others behind.
    status.Update(
        Visit(movie_id, *movie, path, /*restore=*/true, &file, &findings));
  }
  KINORA_RETURN_IF_ERROR(status);
  return std::move(findings.skipped);
}

absl::StatusOr<ReadableFindings> ReadableFiles::FindEdits(
    absl::string_view movie_id, bool restore) {
  ReadableFindings findings;
  if (!storage_.KeepsFiles()) return findings;
  std::shared_ptr<Movie> movie = MovieOf(movie_id);
  MutexLock lock(movie->mu);
  KINORA_RETURN_IF_ERROR(Refresh(movie_id, *movie));
  for (auto& entry : movie->declarations.files) {
    if (entry.second.is_left) continue;
    KINORA_RETURN_IF_ERROR(Visit(movie_id, *movie, entry.first, restore,
                                 &entry.second, &findings));
  }
  if (restore) movie->declarations.news.clear();
  return findings;
}

absl::StatusOr<bool> ReadableFiles::DeclaresBelow(absl::string_view movie_id,
                                                  absl::string_view path) {
  const std::string prefix = absl::StrCat(path, "/");
  std::shared_ptr<Movie> movie = MovieOf(movie_id);
  MutexLock lock(movie->mu);
  KINORA_RETURN_IF_ERROR(Refresh(movie_id, *movie));
  const std::map<std::string, File>& files = movie->declarations.files;
  for (auto file = files.lower_bound(prefix);
       file != files.end() && absl::StartsWith(file->first, prefix); ++file) {
    if (!file->second.is_left) return true;
  }
  return false;
}

}  // namespace kinora
