// A film told in files, and what verifying it finds.

#ifndef KINORA_SERVICES_STORE_VERIFY_MOVIE_VERIFIER_FIXTURE_H_
#define KINORA_SERVICES_STORE_VERIFY_MOVIE_VERIFIER_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/threads/thread_pool.h"
#include "services/store/local_store.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/movie_story.h"

namespace kinora {

// What was reported, and counted at the end.
struct Verified {
  std::vector<v1::VerifyProblem> problems;
  std::string oldest_rebuildable_revision;
  int64_t objects = 0;
  int64_t bytes = 0;
};

inline Verified Verify(Store store) {
  Verified verified;
  v1::VerifyMovieRequest request;
  request.set_movie_id("film");
  EXPECT_OK(store.maintenance.VerifyMovie(
      request, [&](const v1::VerifyMovieResponse& response) {
        for (const v1::VerifyProblem& problem : response.problems()) {
          verified.problems.push_back(problem);
        }
        verified.oldest_rebuildable_revision =
            response.oldest_rebuildable_revision();
        verified.objects = response.checked_objects();
        verified.bytes = response.checked_bytes();
        return absl::OkStatus();
      }));
  return verified;
}

class MovieVerifierTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Reopen();
    TellMovieStory(store(), 2);
    ASSERT_OK(store().events.Append(
        InputEdit("Input:Topic", "the next sea", "rev-0003")));
  }
  void Reopen() {
    local_.reset();
    LocalStoreOptions options;
    options.data_dir = dir_.path();
    ASSERT_OK_AND_ASSIGN(
        local_, LocalStore::Open(options, fs_, RealClock(), random_, pool_));
  }
  Store store() { return local_->store(); }

  std::string Read(const std::string& path) {
    absl::StatusOr<std::string> bytes = ReadFile(fs_, path);
    EXPECT_OK(bytes);
    return *bytes;
  }
  void Write(const std::string& path, const std::string& bytes) {
    ASSERT_OK(WriteFileAtomically(fs_, path, bytes));
  }
  std::string Film(const std::string& path) {
    return dir_.Sub("builds/film/" + path);
  }

  int64_t InputsEnd() {
    v1::GetLogStatusRequest request;
    request.mutable_log()->set_movie_id("film");
    request.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
    return store().events.GetLogStatus(request)->last_sequence();
  }

  TempDir dir_;
  FileSystem& fs_ = PosixFileSystem();
  SeededRandom random_{1};
  ThreadPool pool_{"test", 2};
  std::unique_ptr<LocalStore> local_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_VERIFY_MOVIE_VERIFIER_FIXTURE_H_
