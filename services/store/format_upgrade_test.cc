// Opens what earlier builds left behind: services/store/testdata/format_1 is
// the data directory of a store of version 1 that was killed after two
// revisions and an edit.

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/files/file_system.h"
#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/threads/thread_pool.h"
#include "services/store/local_store.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

class FormatUpgradeTest : public ::testing::Test {
 protected:
  FormatUpgradeTest() {
    // The test's data are links to files that must not be written.
    std::filesystem::copy(
        "services/store/testdata/format_1", dir_.path(),
        std::filesystem::copy_options::recursive |
            std::filesystem::copy_options::overwrite_existing);
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(dir_.path())) {
      std::filesystem::permissions(entry.path(),
                                   std::filesystem::perms::owner_write,
                                   std::filesystem::perm_options::add);
    }
    Open();
  }

  void Open() {
    store_.reset();
    absl::StatusOr<std::unique_ptr<LocalStore>> opened =
        LocalStore::Open({.data_dir = std::string(dir_.path())},
                         PosixFileSystem(), clock_, SystemRandom(), executor_);
    ASSERT_OK(opened);
    store_ = *std::move(opened);
  }
  std::string Story() {
    absl::StatusOr<v1::ListInputsResponse> inputs =
        store_->store().events.ListInputs(ForFilm<v1::ListInputsRequest>());
    EXPECT_OK(inputs);
    if (!inputs.ok()) return "";
    for (const v1::Event& event : inputs->inputs()) {
      if (event.input().input_id() == "Input:Story") {
        return event.input().content().inline_().data();
      }
    }
    return "";
  }
  template <typename Request>
  static Request ForFilm() {
    Request request;
    request.set_movie_id("film");
    return request;
  }

  TempDir dir_;
  FakeClock clock_;
  ThreadPool executor_{"test", 2};
  std::unique_ptr<LocalStore> store_;
};

TEST_F(FormatUpgradeTest, EverythingOfVersion1IsThereAndGoesOn) {
  const Store store = store_->store();
  ASSERT_OK_AND_ASSIGN(const v1::GetMovieResponse movie,
                       store.movies.Get(ForFilm<v1::GetMovieRequest>()));
  EXPECT_EQ(movie.movie().format_version(), 3u);
  EXPECT_EQ(movie.movie().current_revision(), "rev-0002");
  EXPECT_THAT(ReadFile(PosixFileSystem(),
                       JoinPath(dir_.path(), "builds/film/movie.json")),
              IsOkAndHolds(HasSubstr("\"formatVersion\":3")));
  for (const char* revision : {"rev-0001", "rev-0002"}) {
    EXPECT_THAT(store_->RebuildManifest("film", revision),
                IsOkAndHolds(ManifestJson(store, revision)));
  }
  EXPECT_EQ(Story(), "A third.");
  ASSERT_OK_AND_ASSIGN(const v1::ListRunRecordsResponse runs,
                       store.runs.List(ForFilm<v1::ListRunRecordsRequest>()));
  EXPECT_EQ(runs.records_size(), 2);

  ASSERT_OK(
      store.events.Append(InputEdit("Input:Story", "A fourth.", "rev-0003")));
  Open();
  EXPECT_EQ(Story(), "A fourth.");
}

}  // namespace
}  // namespace kinora
