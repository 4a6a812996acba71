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
  MutexLock lock(movie_->mu);
  movie_->claims.erase(this);
  Run& run = movie_->run;
  for (const Taken& taken : taken_) {
    if (run.run_id == taken.run_id) {
      Unclaim(taken.artefact_id, taken.path, &run);
    }
  }
}

void RunPaths::Claim::Keep(int64_t first_sequence) {
  MutexLock lock(movie_->mu);
  Run& run = movie_->run;
  for (const Taken& taken : taken_) {
    if (run.run_id != taken.run_id) continue;
    Unclaim(taken.artefact_id, taken.path, &run);
    Note(taken.artefact_id, taken.path, first_sequence + taken.index, &run);
  }
  taken_.clear();
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
  // Before the lock, which it takes at its end.
  auto claim = std::make_shared<Claim>(movie);
  MutexLock lock(movie->mu);
  Run& run = movie->run;
  if (!names_any && run.holds.empty()) return nullptr;
  movie->claims.insert(claim.get());
  Moves moves;
  for (int i = 0; i < request.events_size(); ++i) {
    const v1::Event& event = request.events(i);
    if (!IsResultOfRun(event)) continue;
    const v1::ArtefactEvent& artefact = event.artefact();
    const std::string& run_id = artefact.produced_by().run_id();
    std::string path = NamedPath(event);
    if (!path.empty() && run.run_id != run_id) {
      KINORA_RETURN_IF_ERROR(Recall(movie_id, run_id, *movie));
      moves.clear();
    }
    if (!path.empty()) {
      const absl::Status free =
          CheckFree(absl::StrCat("events[", i, "].artefact.readable_path"), run,
                    moves, artefact);
      // What was in the log before stands: it goes without.
      if (!free.ok() && !IsReuse(event)) return free;
      if (!free.ok()) path.clear();
    }
    if (run.run_id == run_id) {
      moves[artefact.artefact_id()] = path;
      if (!path.empty()) ++run.holds[{path, artefact.artefact_id()}].claims;
    }
    claim->taken_.push_back(
        {i, run_id, std::move(path), artefact.artefact_id()});
  }
  return claim;
}

absl::Status RunPaths::CheckFree(absl::string_view field, const Run& run,
                                 const Moves& moves,
                                 const v1::ArtefactEvent& artefact) {
  const std::string& path = artefact.readable_path();
  const std::string& id = artefact.artefact_id();
  // Not if it is the artefact's own, or of one that the append moves elsewhere.
  const auto is_taken = [&](const PathAndId& held) {
    if (held.second == id) return false;
    const auto moved = moves.find(held.second);
    return moved == moves.end() || moved->second == held.first;
  };
  const auto find = [&](const std::string& wanted) {
    auto held = run.holds.lower_bound({wanted, ""});
    for (; held != run.holds.end() && held->first.first == wanted; ++held) {
      if (is_taken(held->first)) return held;
    }
    return run.holds.end();
  };
  const auto same = find(path);
  if (same != run.holds.end()) {
    return InvalidField(
        field, path,
        absl::StrCat(id, " cannot have this file, ", same->first.second,
                     " of the same run has it"));
  }
  // A file above it, or one below.
  auto other = run.holds.end();
  for (size_t slash = path.find('/');
       slash != std::string::npos && other == run.holds.end();
       slash = path.find('/', slash + 1)) {
    other = find(path.substr(0, slash));
  }
  const std::string directory = absl::StrCat(path, "/");
  for (auto below = run.holds.lower_bound({directory, ""});
       other == run.holds.end() && below != run.holds.end() &&
       absl::StartsWith(below->first.first, directory);
       ++below) {
    if (is_taken(below->first)) other = below;
  }
  if (other == run.holds.end()) return absl::OkStatus();
  return InvalidField(
      field, path,
      absl::StrCat(id, " cannot have this file, ", other->first.second,
                   " of the same run has ", other->first.first,
                   ", and a file is no directory"));
}

void RunPaths::Note(const std::string& id, const std::string& path,
                    int64_t sequence, Run* run) {
  Named& named = run->named[id];
  // Of two appends that were answered in another order than they came in.
  if (sequence <= named.sequence) return;
  const auto had = run->holds.find({named.path, id});
  if (had != run->holds.end()) {
    had->second.in_log = false;
    if (had->second.claims == 0) run->holds.erase(had);
  }
  named = {path, sequence};
  if (!path.empty()) run->holds[{path, id}].in_log = true;
}

void RunPaths::Unclaim(const std::string& id, const std::string& path,
                       Run* run) {
  const auto held = run->holds.find({path, id});
  if (held == run->holds.end()) return;
  if (--held->second.claims == 0 && !held->second.in_log) {
    run->holds.erase(held);
  }
}

absl::Status RunPaths::Recall(absl::string_view movie_id,
                              const std::string& run_id, Movie& movie) {
  KINORA_ASSIGN_OR_RETURN(int64_t at, last_commit_(movie_id));
  Run recalled;
  recalled.run_id = run_id;
  LogHistory artefacts(log_, storage_, movie_id, v1::LOG_KIND_ARTEFACTS);
  KINORA_RETURN_IF_ERROR(
      artefacts.ForEach(0, &at, [&recalled](const v1::Event& event) {
        const v1::ArtefactEvent& artefact = event.artefact();
        if (!IsResultOfRun(event) ||
            artefact.produced_by().run_id() != recalled.run_id) {
          return absl::OkStatus();
        }
        std::string path = NamedPath(event);
        // What is in the log stands: the one that came first has the path.
        if (!path.empty() && !CheckFree("", recalled, {}, artefact).ok()) {
          path.clear();
        }
        Note(artefact.artefact_id(), path, event.sequence(), &recalled);
        return absl::OkStatus();
      }));
  for (const Claim* claim : movie.claims) {
    for (const Claim::Taken& taken : claim->taken_) {
      if (taken.run_id != run_id || taken.path.empty()) continue;
      ++recalled.holds[{taken.path, taken.artefact_id}].claims;
    }
  }
  movie.run = std::move(recalled);
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
