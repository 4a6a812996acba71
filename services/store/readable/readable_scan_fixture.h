// A film on real files, of which people edit the readable ones.

#ifndef KINORA_SERVICES_STORE_READABLE_READABLE_SCAN_FIXTURE_H_
#define KINORA_SERVICES_STORE_READABLE_READABLE_SCAN_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/threads/thread_pool.h"
#include "services/store/local_store.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {

inline constexpr char kImage[] = "prompts/segment/segment-0001/image.txt";

// A store on real files, with the real clock: files have the times of the disk.
class ReadableScanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Reopen();
    MakeFilm(store());
    lease_ = TakeFilmLease(store());
  }

  void Reopen() {
    local_.reset();
    LocalStoreOptions options;
    options.data_dir = dir_.path();
    ASSERT_OK_AND_ASSIGN(
        local_, LocalStore::Open(options, fs_, RealClock(), random_, pool_));
  }

  Store store() { return local_->store(); }
  std::string PathOf(const std::string& path) {
    return dir_.Sub("builds/film/" + path);
  }
  std::string FileText(const std::string& path) {
    absl::StatusOr<std::string> text = ReadFile(fs_, PathOf(path));
    return text.ok() ? *text : text.status().ToString();
  }
  void EditByHand(const std::string& path, const std::string& text) {
    ASSERT_OK(WriteFileAtomically(fs_, PathOf(path), text));
  }

  v1::AppendEventsRequest Prompt(const std::string& text, char key = 'a') {
    v1::AppendEventsRequest request =
        ArtefactMade("Artifact:Prompt", key, text, lease_);
    request.mutable_events(0)->mutable_artefact()->set_readable_path(
        "segment/segment-0001/image.txt");
    return request;
  }

  void Make(const std::string& id, const std::string& readable_path,
            absl::string_view run_id = kRun1) {
    v1::AppendEventsRequest request = ArtefactMade(id, 'a', id, lease_, run_id);
    request.mutable_events(0)->mutable_artefact()->set_readable_path(
        readable_path);
    ASSERT_OK(store().events.Append(request));
  }

  void EndRun() {
    v1::ReleaseLeaseRequest request;
    *request.mutable_token() = lease_;
    ASSERT_OK(store().leases.Release(request));
  }

  absl::StatusOr<std::vector<std::string>> Scan(bool dry_run = false) {
    v1::ScanReadableFilesRequest request;
    request.set_movie_id("film");
    request.set_dry_run(dry_run);
    absl::StatusOr<v1::ScanReadableFilesResponse> response =
        store().maintenance.ScanReadableFiles(request);
    if (!response.ok()) return response.status();
    skipped_.clear();
    for (const v1::SkippedReadableFile& file : response->skipped()) {
      skipped_.push_back(absl::StrCat(file.path(), " of ", file.artefact_id(),
                                      ": ", file.reason()));
    }
    return std::vector<std::string>(response->artefact_ids().begin(),
                                    response->artefact_ids().end());
  }

  v1::Event Latest(const std::string& id) {
    v1::ResolveArtefactsRequest request;
    request.set_movie_id("film");
    request.add_queries()->set_artefact_id(id);
    absl::StatusOr<v1::ResolveArtefactsResponse> response =
        store().events.ResolveArtefacts(request);
    EXPECT_OK(response);
    return response->artefacts(0).event();
  }

  TempDir dir_;
  FileSystem& fs_ = PosixFileSystem();
  SeededRandom random_{1};
  ThreadPool pool_{"test", 2};
  std::unique_ptr<LocalStore> local_;
  v1::LeaseToken lease_;
  std::vector<std::string> skipped_;  // by the last scan
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_READABLE_READABLE_SCAN_FIXTURE_H_
