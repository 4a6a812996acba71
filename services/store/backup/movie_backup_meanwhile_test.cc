// What goes on beside a backup, and what it keeps out.

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "services/store/backup/movie_backup_fixture.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/movie_copies.h"
#include "services/store/testing/movie_story.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A removal does not take from under a copy what it has still to read.
TEST_F(MovieBackupTest, NoLogsAreRemovedMeanwhile) {
  TellMovieStory(store(), 3);
  const std::map<std::string, std::string> seen = SeenOf(store(), "film");
  std::string copy;
  absl::Status refused;
  ASSERT_OK(BackUpAnd(
      [&] {
        v1::CheckpointMovieRequest checkpoint;
        checkpoint.set_movie_id("film");
        checkpoint.set_remove_covered_logs(true);
        refused = store().maintenance.CheckpointMovie(checkpoint).status();
        return absl::OkStatus();
      },
      &copy));
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(RestoreFrom(store(), "other", copy), IsOkAndHolds("rev-0003"));
  EXPECT_EQ(SeenOf(store(), "other"), seen);
  EXPECT_THAT(ProblemsOf(store(), "other"), IsEmpty());
  // The hold ends with the copy.
  v1::CheckpointMovieRequest checkpoint;
  checkpoint.set_movie_id("film");
  checkpoint.set_remove_covered_logs(true);
  ASSERT_OK_AND_ASSIGN(const v1::CheckpointMovieResponse removed,
                       store().maintenance.CheckpointMovie(checkpoint));
  EXPECT_EQ(removed.removed_logs_size(), 4);
}

// Every edit that was acknowledged before is in the copy, and the copy is of
// one moment: a movie without a problem, whatever went on.
TEST_F(MovieBackupTest, WritersAndCommitsGoOnMeanwhile) {
  TellMovieStory(store(), 1);
  std::atomic<bool> stop = false;
  Mutex mu;
  CondVar changed;
  int acknowledged = 0;  // under `mu`
  std::thread writer([&] {
    for (int n = 1; !stop; ++n) {
      EXPECT_OK(store().events.Append(
          InputEdit("Input:Count", absl::StrCat(n), "rev-0002")));
      MutexLock lock(mu);
      acknowledged = n;
      changed.SignalAll();
    }
  });
  std::thread runner([&] {
    for (int n = 2; n <= 6; ++n) TellRevision(store(), n);
  });
  std::vector<std::string> copies;
  std::vector<int> acknowledged_before;
  for (int i = 1; i <= 3; ++i) {
    {
      // Not a copy of a movie that nobody has written to since the last one.
      MutexLock lock(mu);
      const int last =
          acknowledged_before.empty() ? 0 : acknowledged_before.back();
      while (acknowledged == last) changed.Wait(mu);
      acknowledged_before.push_back(acknowledged);
    }
    absl::StatusOr<std::string> copy = CopyOf(store(), "film");
    EXPECT_OK(copy);
    copies.push_back(copy.value_or(""));
  }
  runner.join();
  stop = true;
  writer.join();
  const std::map<std::string, std::string> all = SeenOf(store(), "film");
  for (size_t i = 0; i < copies.size(); ++i) {
    const std::string id = absl::StrCat("copy-", i);
    ASSERT_OK_AND_ASSIGN(const std::string current,
                         RestoreFrom(store(), id, copies[i]));
    EXPECT_THAT(ProblemsOf(store(), id), IsEmpty());
    std::map<std::string, std::string> seen = SeenOf(store(), id);
    int edits = 0;
    for (const auto& entry : seen) {
      if (!absl::StartsWith(entry.first, "inputs ")) continue;
      edits += absl::StrContains(entry.second, "Input:Count") ? 1 : 0;
    }
    EXPECT_GE(edits, acknowledged_before[i]);
    // Whatever it has is what the movie has, up to one moment.
    ASSERT_TRUE(all.contains(current)) << current;
    EXPECT_EQ(seen["current"], Sha256Of(all.at(current)).Hex());
    seen.erase("current");
    for (const auto& entry : seen) {
      const auto same = all.find(entry.first);
      ASSERT_NE(same, all.end()) << entry.first;
      EXPECT_EQ(same->second, entry.second) << entry.first;
    }
  }
}

// F: invariant 10
TEST_F(MovieBackupTest, NothingItReadsIsRemovedMeanwhile) {
  TellMovieStory(store(), 3);
  AddLargeImage();
  const std::map<std::string, std::string> seen = SeenOf(store(), "film");
  PutBlob(store(), "garbage");
  int64_t removed = 0;
  std::string copy;
  ASSERT_OK(BackUpAnd(
      [&] {
        EXPECT_THAT(Prune(1), StatusIs(absl::StatusCode::kFailedPrecondition,
                                       HasSubstr("backed up")));
        return Collect(&removed);
      },
      &copy));
  EXPECT_EQ(removed, 1);
  EXPECT_OK(Prune(1));
  ASSERT_OK(RestoreFrom(store(), "second", copy));
  EXPECT_THAT(ProblemsOf(store(), "second"), IsEmpty());
  EXPECT_EQ(SeenOf(store(), "second"), seen);
}

TEST_F(MovieBackupTest, AMovieDeletedMeanwhileIsNoShorterCopy) {
  TellMovieStory(store(), 1);
  AddLargeImage();
  std::string copy;
  const absl::Status status =
      BackUpAnd([&] { return DeleteMovie(store(), "film"); }, &copy);
  EXPECT_EQ(ReasonOf(status), "MOVIE_NOT_FOUND") << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("backed up"));
  EXPECT_THAT(RestoreFrom(store(), "film", copy),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(MovieBackupTest, AReaderThatGoesEndsIt) {
  TellMovieStory(store(), 1);
  AddLargeImage();
  std::string copy;
  EXPECT_THAT(BackUpAnd([] { return absl::CancelledError("gone"); }, &copy),
              StatusIs(absl::StatusCode::kCancelled, "gone"));
  EXPECT_LT(copy.size(), 2'000'000U);
  EXPECT_OK(Prune(1));  // nothing is held any more
}

}  // namespace
}  // namespace kinora
