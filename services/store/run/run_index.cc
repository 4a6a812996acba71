#include "services/store/run/run_index.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/ids.h"
#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

// Movies whose runs are held at a time: 10^5 runs take about 8 MB.
constexpr size_t kMaxListings = 16;

}  // namespace

absl::StatusOr<RunIndex::Ids> RunIndex::ReadIds(absl::string_view prefix) {
  Ids ids;
  const auto take = [&ids](absl::string_view key) {
    absl::string_view id = LastPart(key);
    if (ValidateRunId(id).ok()) ids.emplace(id);
  };
  KINORA_RETURN_IF_ERROR(ForEachEntry(
      storage_, prefix, [&](const ObjectPage& page) -> absl::Status {
        for (const std::string& entry : page.prefixes) take(entry);
        for (const ObjectInfo& object : page.objects) take(object.key);
        return absl::OkStatus();
      }));
  return ids;
}

absl::StatusOr<std::vector<std::string>> RunIndex::Page(
    absl::string_view movie_id, absl::string_view before, size_t limit) {
  MutexLock lock(mu_);
  auto found = ids_by_movie_.find(movie_id);
  if (found == ids_by_movie_.end()) {
    KINORA_ASSIGN_OR_RETURN(
        Ids ids, ReadIds(movie_id.empty() ? std::string(kRunIndexPrefix)
                                          : RunsPrefix(movie_id)));
    if (ids_by_movie_.size() >= kMaxListings) {
      ids_by_movie_.erase(ids_by_movie_.begin());
    }
    found = ids_by_movie_.emplace(std::string(movie_id), std::move(ids)).first;
  }
  return PageOf(found->second, before, limit);
}

std::vector<std::string> RunIndex::PageOf(const Ids& ids,
                                          absl::string_view before,
                                          size_t limit) {
  std::vector<std::string> page;
  auto id = before.empty() ? ids.begin() : ids.upper_bound(std::string(before));
  for (; id != ids.end() && page.size() < limit; ++id) page.push_back(*id);
  return page;
}

absl::StatusOr<std::vector<std::string>> RunIndex::OpenPage(
    absl::string_view before, size_t limit) {
  MutexLock lock(mu_);
  if (!open_.has_value()) {
    KINORA_ASSIGN_OR_RETURN(open_, ReadIds(kOpenRunPrefix));
  }
  return PageOf(*open_, before, limit);
}

absl::Status RunIndex::MarkOpen(absl::string_view movie_id,
                                absl::string_view run_id) {
  KINORA_RETURN_IF_ERROR(
      CreateObject(storage_, OpenRunKey(run_id), movie_id).status());
  MutexLock lock(mu_);
  if (open_.has_value()) open_->emplace(run_id);
  return absl::OkStatus();
}

absl::Status RunIndex::MarkEnded(absl::string_view run_id) {
  KINORA_RETURN_IF_ERROR(storage_.Delete(OpenRunKey(run_id)));
  MutexLock lock(mu_);
  if (open_.has_value()) open_->erase(std::string(run_id));
  return absl::OkStatus();
}

void RunIndex::Add(absl::string_view movie_id, absl::string_view run_id) {
  MutexLock lock(mu_);
  for (absl::string_view listing : {movie_id, absl::string_view()}) {
    const auto found = ids_by_movie_.find(listing);
    if (found != ids_by_movie_.end()) found->second.emplace(run_id);
  }
}

void RunIndex::Forget(absl::string_view movie_id) {
  MutexLock lock(mu_);
  for (absl::string_view listing : {movie_id, absl::string_view()}) {
    const auto found = ids_by_movie_.find(listing);
    if (found != ids_by_movie_.end()) ids_by_movie_.erase(found);
  }
  open_.reset();
}

absl::StatusOr<bool> ClaimRunId(ObjectStorage& storage,
                                absl::string_view movie_id,
                                absl::string_view run_id) {
  const std::string key = RunIndexKey(run_id);
  KINORA_ASSIGN_OR_RETURN(const bool created,
                          CreateObject(storage, key, movie_id));
  if (created) return true;
  KINORA_ASSIGN_OR_RETURN(const std::string found, ReadObject(storage, key));
  return found == movie_id;
}

absl::StatusOr<bool> ReleaseRunId(ObjectStorage& storage,
                                  absl::string_view movie_id,
                                  absl::string_view run_id) {
  const std::string key = RunIndexKey(run_id);
  const absl::StatusOr<std::string> found = ReadObject(storage, key);
  if (absl::IsNotFound(found.status())) return true;
  KINORA_RETURN_IF_ERROR(found.status());
  if (*found != movie_id) return false;
  KINORA_RETURN_IF_ERROR(storage.Delete(OpenRunKey(run_id)));
  KINORA_RETURN_IF_ERROR(storage.Delete(key));
  return true;
}

absl::Status DeleteRunLeases(ObjectStorage& storage, absl::string_view run_id) {
  const std::string lease_id = absl::StrCat("run/", run_id);
  // Those of steps whose runner died.
  KINORA_RETURN_IF_ERROR(
      ForEachEntry(storage, StepLeasesPrefix(run_id),
                   [&storage](const ObjectPage& page) -> absl::Status {
                     std::vector<std::string> keys;
                     for (const ObjectInfo& object : page.objects)
                       keys.push_back(object.key);
                     return storage.DeleteAll(keys);
                   }));
  return storage.Delete(LeaseKey(lease_id));
}

}  // namespace kinora
