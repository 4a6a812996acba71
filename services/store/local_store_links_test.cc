// Links that somebody has put among the movies of a store on files.

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "gmock/gmock.h"
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
namespace {

class LocalStoreLinksTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<LocalStore>> Open(FileSystem& fs,
                                                   const std::string& dir) {
    LocalStoreOptions options;
    options.data_dir = dir;
    return LocalStore::Open(options, fs, RealClock(), random_, pool_);
  }

  SeededRandom random_{1};
  ThreadPool pool_{"test", 2};
};

TEST_F(LocalStoreLinksTest, ALinkToNothingKeepsItsDirectoryAndNoOther) {
  TempDir dir;
  FileSystem& fs = PosixFileSystem();
  ASSERT_OK(fs.CreateDirectories(dir.Sub("builds/before")));
  ASSERT_OK(fs.CreateDirectories(dir.Sub("builds/film/blobs")));
  const std::string link = dir.Sub("builds/before/link");
  ASSERT_EQ(symlink(dir.Sub("nowhere").c_str(), link.c_str()), 0);
  ASSERT_OK(Open(fs, dir.path()));
  EXPECT_THAT(fs.List(dir.Sub("builds")),
              IsOkAndHolds(testing::ElementsAre("before")));
}

TEST_F(LocalStoreLinksTest, AMovieMayLieBehindALink) {
  TempDir dir;
  TempDir elsewhere;
  FileSystem& fs = PosixFileSystem();
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<LocalStore> local, Open(fs, dir.path()));
  MakeFilm(local->store());
  local.reset();
  const std::string film = dir.Sub("builds/film");
  const std::string moved = elsewhere.Sub("film");
  std::filesystem::copy(film, moved, std::filesystem::copy_options::recursive);
  std::filesystem::remove_all(film);
  ASSERT_EQ(symlink(moved.c_str(), film.c_str()), 0);
  ASSERT_OK_AND_ASSIGN(local, Open(fs, dir.path()));
  ASSERT_OK_AND_ASSIGN(const v1::ListMoviesResponse movies,
                       local->store().movies.List({}));
  ASSERT_EQ(movies.movies_size(), 1);
  EXPECT_EQ(movies.movies(0).movie_id(), "film");
  EXPECT_EQ(movies.movies(0).problem(), "");
  EXPECT_OK(local->store().events.Append(InputEdit("Input:Topic", "sea")));
  EXPECT_OK(local->store().maintenance.VerifyMovie(
      {}, [](const v1::VerifyMovieResponse& response) {
        EXPECT_EQ(response.problems_size(), 0) << response.DebugString();
        return absl::OkStatus();
      }));
}

}  // namespace
}  // namespace kinora
