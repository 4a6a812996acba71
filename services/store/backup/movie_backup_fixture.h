// A film on a disk in memory, of which copies are made.

#ifndef KINORA_SERVICES_STORE_BACKUP_MOVIE_BACKUP_FIXTURE_H_
#define KINORA_SERVICES_STORE_BACKUP_MOVIE_BACKUP_FIXTURE_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "common/threads/thread_pool.h"
#include "services/store/layout.h"
#include "services/store/local_store.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/movie_copies.h"
#include "services/store/testing/movie_story.h"

namespace kinora {

class MovieBackupTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen() {
    local_.reset();
    local_ = Open("/store");
  }
  std::unique_ptr<LocalStore> Open(absl::string_view dir) {
    LocalStoreOptions options;
    options.data_dir = std::string(dir);
    auto opened = LocalStore::Open(options, fs_, clock_, random_, pool_);
    EXPECT_OK(opened);
    return opened.ok() ? *std::move(opened) : nullptr;
  }
  Store store() { return local_->store(); }

  // What is no derived file: it must be the same after a restoration.
  std::map<std::string, std::string> Content(absl::string_view movie_id) {
    std::map<std::string, std::string> content =
        FilesBelow(fs_, absl::StrCat("/store/", MoviePrefix(movie_id)));
    std::erase_if(content, [](const auto& file) {
      return file.first == "blob-uses.json" ||
             absl::StartsWith(file.first, "index/") ||
             absl::EndsWith(file.first, ".checkpoint") || file.second.empty();
    });
    return content;
  }

  // An image of two megabytes, so that a copy comes in several pieces; its
  // blob comes behind all that is no blob.
  void AddLargeImage() {
    const v1::LeaseToken lease =
        TakeFilmLease(store(), "runner-1", StoryRunId(9));
    v1::AppendEventsRequest image = ArtefactMade(
        "Artifact:Large", 'a', "", lease, StoryRunId(9), "rev-0002");
    std::string pixels(2'000'000, 'x');
    for (size_t i = 0; i < pixels.size(); i += 997) pixels[i] = 'y';
    *image.mutable_events(0)
         ->mutable_artefact()
         ->mutable_output()
         ->mutable_blob() = PutBlob(store(), pixels);
    ASSERT_OK(store().events.Append(image));
    v1::ReleaseLeaseRequest release;
    *release.mutable_token() = lease;
    ASSERT_OK(store().leases.Release(release));
  }

  // Does something once, in the middle of a backup.
  absl::Status BackUpAnd(const std::function<absl::Status()>& meanwhile,
                         std::string* copy) {
    v1::BackUpMovieRequest request;
    request.set_movie_id("film");
    bool done = false;
    return store().maintenance.BackUpMovie(request,
                                           [&](absl::string_view bytes) {
                                             absl::StrAppend(copy, bytes);
                                             if (done) return absl::OkStatus();
                                             done = true;
                                             return meanwhile();
                                           });
  }

  absl::StatusOr<v1::PruneMovieResponse> Prune(int64_t keep) {
    v1::PruneMovieRequest prune;
    prune.set_movie_id("film");
    prune.set_keep_revisions(keep);
    prune.set_keep_runs(keep);
    prune.set_keep_takes(1);
    return store().maintenance.PruneMovie(prune);
  }

  absl::Status Collect(int64_t* removed) {
    v1::CollectGarbageRequest request;
    request.set_movie_id("film");
    request.mutable_grace();  // none
    return store().maintenance.CollectGarbage(
        request, [&](const v1::CollectGarbageResponse& response) {
          *removed += response.removed_size();
          return absl::OkStatus();
        });
  }

  FaultyFileSystem fs_;
  FakeClock clock_;
  SeededRandom random_{1};
  ThreadPool pool_{"test", 2};
  std::unique_ptr<LocalStore> local_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_MOVIE_BACKUP_FIXTURE_H_
