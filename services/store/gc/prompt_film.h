// A film with a prompt for each segment, each with a readable file.

#ifndef KINORA_SERVICES_STORE_GC_PROMPT_FILM_H_
#define KINORA_SERVICES_STORE_GC_PROMPT_FILM_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "common/files/file_system.h"
#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/manual_executor.h"
#include "common/testing/status_matchers.h"
#include "services/store/layout.h"
#include "services/store/local_store.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {

inline constexpr char kGone[] = "(gone)";

inline std::string PromptId(int segment) {
  return absl::StrCat("Artifact:Prompt[segment=", segment, "]");
}
inline std::string PromptPath(int segment) {
  return absl::StrCat("prompts/segment-", segment, "/image.txt");
}
inline std::string PromptText(int segment) {
  return absl::StrCat("sea ", segment);
}
inline std::string PromptRunId(int number) {
  return absl::StrCat("run-01KDV3N3C0", absl::Dec(number, absl::kZeroPad16));
}

class PromptFilm {
 public:
  PromptFilm(FileSystem& fs, FakeClock& clock, std::string data_dir)
      : fs_(fs),
        clock_(clock),
        executor_(clock),
        data_dir_(std::move(data_dir)) {
    Reopen();
    MakeFilm(store());
  }

  void Close() { local_.reset(); }
  void Reopen() {
    Close();
    LocalStoreOptions options;
    options.data_dir = data_dir_;
    ASSERT_OK_AND_ASSIGN(
        local_, LocalStore::Open(options, fs_, clock_, random_, executor_));
  }
  Store store() { return local_->store(); }

  std::string PathOf(const std::string& path) {
    return absl::StrCat(data_dir_, "/", MoviePrefix("film"), path);
  }
  std::string Text(const std::string& path) {
    absl::StatusOr<std::string> text = ReadFile(fs_, PathOf(path));
    return text.ok() ? *text : kGone;
  }
  void Put(const std::string& path, const std::string& text) {
    ASSERT_OK(WriteFileAtomically(fs_, PathOf(path), text));
  }
  void Remove(const std::string& path) { ASSERT_OK(fs_.Remove(PathOf(path))); }

  std::string NextRevision() const {
    return absl::StrCat("rev-", absl::Dec(revisions_ + 1, absl::kZeroPad4));
  }

  // The run makes the prompts of `segments`.
  void Make(int run, const std::vector<int>& segments) {
    Make(run, segments, TakeFilmLease(store(), "runner", PromptRunId(run)));
  }
  void Make(int run, const std::vector<int>& segments,
            const v1::LeaseToken& lease) {
    for (int segment : segments) {
      v1::AppendEventsRequest request =
          ArtefactMade(PromptId(segment), 'a', PromptText(segment), lease,
                       PromptRunId(run), NextRevision());
      request.mutable_events(0)->mutable_artefact()->set_readable_path(
          absl::StrCat("segment-", segment, "/image.txt"));
      ASSERT_OK(store().events.Append(request));
    }
  }

  // The run makes and commits a revision without the prompts of `removed`.
  void Revise(int run, const std::vector<int>& made,
              const std::vector<int>& removed) {
    const v1::LeaseToken lease =
        TakeFilmLease(store(), "runner", PromptRunId(run));
    Make(run, made, lease);
    std::vector<std::string> ids;
    for (int segment : removed) ids.push_back(PromptId(segment));
    Commit(run, ids, lease);
  }
  void Commit(int run, const std::vector<std::string>& removed_ids,
              const v1::LeaseToken& lease) {
    v1::CommitRevisionRequest commit = CommitOf(
        lease, PromptRunId(run), NextRevision(), CurrentOf(store()).hash(),
        /*inputs_through=*/1);
    for (const std::string& id : removed_ids) {
      commit.mutable_source()->add_removed_artefact_ids(id);
    }
    ASSERT_OK_AND_ASSIGN(const v1::CommitRevisionResponse committed,
                         store().manifests.Commit(commit));
    ASSERT_TRUE(committed.published());
    ++revisions_;
    v1::ReleaseLeaseRequest release;
    *release.mutable_token() = lease;
    ASSERT_OK(store().leases.Release(release));
  }

  absl::StatusOr<std::vector<std::string>> Collect(
      const v1::CollectGarbageRequest& request) {
    std::vector<std::string> removed;
    const absl::Status collected = store().maintenance.CollectGarbage(
        request, [&removed](const v1::CollectGarbageResponse& response) {
          removed.insert(removed.end(), response.removed_files().begin(),
                         response.removed_files().end());
          return absl::OkStatus();
        });
    if (!collected.ok()) return collected;
    return removed;
  }
  absl::StatusOr<std::vector<std::string>> Collect(
      absl::Duration grace = absl::ZeroDuration()) {
    v1::CollectGarbageRequest request;
    request.set_movie_id("film");
    request.mutable_grace()->set_seconds(absl::ToInt64Seconds(grace));
    return Collect(request);
  }

  // The artefacts whose edits were recorded. Writes missing files.
  absl::StatusOr<std::vector<std::string>> Scan() {
    v1::ScanReadableFilesRequest request;
    request.set_movie_id("film");
    absl::StatusOr<v1::ScanReadableFilesResponse> response =
        store().maintenance.ScanReadableFiles(request);
    if (!response.ok()) return response.status();
    return std::vector<std::string>(response->artefact_ids().begin(),
                                    response->artefact_ids().end());
  }

 private:
  FileSystem& fs_;
  FakeClock& clock_;
  SeededRandom random_{1};
  ManualExecutor executor_;
  const std::string data_dir_;
  std::unique_ptr<LocalStore> local_;
  int revisions_ = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_GC_PROMPT_FILM_H_
