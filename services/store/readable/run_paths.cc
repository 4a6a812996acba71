#include "services/store/readable/run_paths.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/store/checkpoint/log_history.h"
#include "services/store/readable/readable_files.h"

namespace kinora {
namespace {

// The path below `prompts/` at which a result has a file; empty for none.
std::string NamedPath(const v1::Event& event) {
  const std::string& path = event.artefact().readable_path();
  return path.empty() || ReadableFiles::PathOf(event).empty() ? "" : path;
}

bool IsResultOfRun(const v1::Event& event) {
  return event.artefact().status() == v1::ARTEFACT_STATUS_SUCCEEDED &&
         !event.artefact().produced_by().run_id().empty();
}

bool IsReuse(const v1::Event& event) {
  return event.artefact().reused_sequence() != 0;
}

}  // namespace

RunPaths::Claim::~Claim() {
  if (taken_.empty()) return;
  MutexLock lock(movie_->mu);
  Run& run = movie_->run;
  for (const Taken& taken : taken_) {
    if (run.run_id != taken.run_id) continue;
    const auto path = run.artefact_of.find(taken.path);
    if (path == run.artefact_of.end() || path->second != taken.artefact_id) {
      continue;
    }
    run.artefact_of.erase(path);
    run.path_of.erase(taken.artefact_id);
  }
}

absl::StatusOr<std::shared_ptr<RunPaths::Claim>> RunPaths::Take(
    const v1::AppendEventsRequest& request) {
  const std::string& movie_id = request.log().movie_id();
  const bool names_any =
      std::any_of(request.events().begin(), request.events().end(),
                  [](const v1::Event& event) {
                    return !event.artefact().readable_path().empty();
                  });
  const std::shared_ptr<Movie> movie = FindMovie(movie_id, names_any);
  if (movie == nullptr) return nullptr;
  // Before the lock, which it takes on an error.
  auto claim = std::make_shared<Claim>(movie);
  MutexLock lock(movie->mu);
  Run& run = movie->run;
  if (!names_any && run.path_of.empty()) return nullptr;
  absl::Status status;
  for (int i = 0; status.ok() && i < request.events_size(); ++i) {
    const v1::Event& event = request.events(i);
    if (!IsResultOfRun(event)) continue;
    const v1::ArtefactEvent& artefact = event.artefact();
    const std::string& run_id = artefact.produced_by().run_id();
    const std::string path = NamedPath(event);
    if (run.run_id != run_id) {
      if (path.empty()) continue;
      status = Recall(movie_id, run_id, &run);
      if (!status.ok()) break;
    }
    if (!path.empty() && !IsReuse(event)) {
      status = CheckFree(absl::StrCat("events[", i, "].artefact.readable_path"),
                         run, artefact);
    }
    if (status.ok() && Note(event, &run)) {
      claim->taken_.push_back({run_id, path, artefact.artefact_id()});
    }
  }
  if (!status.ok()) return status;
  return claim;
}

absl::Status RunPaths::CheckFree(absl::string_view field, const Run& run,
                                 const v1::ArtefactEvent& artefact) {
  const std::string& path = artefact.readable_path();
  const std::string& id = artefact.artefact_id();
  const auto same = run.artefact_of.find(path);
  if (same != run.artefact_of.end() && same->second != id) {
    return InvalidField(field, path,
                        absl::StrCat(id, " cannot have this file, ",
                                     same->second, " of the same run has it"));
  }
  // A file above it, or one below.
  auto other = run.artefact_of.end();
  for (size_t slash = path.find('/');
       slash != std::string::npos && other == run.artefact_of.end();
       slash = path.find('/', slash + 1)) {
    const auto above = run.artefact_of.find(path.substr(0, slash));
    if (above != run.artefact_of.end() && above->second != id) other = above;
  }
  const std::string directory = absl::StrCat(path, "/");
  for (auto below = run.artefact_of.lower_bound(directory);
       other == run.artefact_of.end() && below != run.artefact_of.end() &&
       absl::StartsWith(below->first, directory);
       ++below) {
    if (below->second != id) other = below;
  }
  if (other == run.artefact_of.end()) return absl::OkStatus();
  return InvalidField(
      field, path,
      absl::StrCat(id, " cannot have this file, ", other->second,
                   " of the same run has ", other->first,
                   ", and a file is no directory"));
}

bool RunPaths::Note(const v1::Event& event, Run* run) {
  const v1::ArtefactEvent& artefact = event.artefact();
  const std::string& id = artefact.artefact_id();
  const std::string path = NamedPath(event);
  const auto had = run->path_of.find(id);
  if (had != run->path_of.end()) {
    if (had->second == path) return false;
    run->artefact_of.erase(had->second);
    run->path_of.erase(had);
  }
  // What is in the log stands: the one that came first has the path.
  if (path.empty() || !CheckFree("", *run, artefact).ok()) return false;
  run->artefact_of[path] = id;
  run->path_of[id] = path;
  return true;
}

absl::Status RunPaths::Recall(absl::string_view movie_id,
                              const std::string& run_id, Run* run) {
  KINORA_ASSIGN_OR_RETURN(int64_t at, last_commit_(movie_id));
  Run recalled;
  recalled.run_id = run_id;
  LogHistory artefacts(log_, storage_, movie_id, v1::LOG_KIND_ARTEFACTS);
  KINORA_RETURN_IF_ERROR(
      artefacts.ForEach(0, &at, [&recalled](const v1::Event& event) {
        if (IsResultOfRun(event) &&
            event.artefact().produced_by().run_id() == recalled.run_id) {
          Note(event, &recalled);
        }
        return absl::OkStatus();
      }));
  *run = std::move(recalled);
  return absl::OkStatus();
}

std::shared_ptr<RunPaths::Movie> RunPaths::FindMovie(absl::string_view movie_id,
                                                     bool make) {
  MutexLock lock(mu_);
  const auto found = movies_.find(movie_id);
  if (found != movies_.end()) return found->second;
  if (!make) return nullptr;
  auto movie = std::make_shared<Movie>();
  movies_[movie_id] = movie;
  return movie;
}

void RunPaths::Forget(absl::string_view movie_id) {
  MutexLock lock(mu_);
  movies_.erase(movie_id);
}

}  // namespace kinora
