#include "services/store/readable/run_paths.h"

#include <string>

#include "absl/strings/str_cat.h"

#include "common/testing/status_matchers.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// In memory, where there are no files: what a run may name does not depend on
// where a movie is kept.
class RunPathsTest : public CoreFixture {
 protected:
  void SetUp() override {
    MakeFilm(store());
    lease_ = TakeFilmLease(store());
  }

  v1::AppendEventsRequest Result(const std::string& id, const std::string& path,
                                 absl::string_view run_id = kRun1) {
    v1::AppendEventsRequest request = ArtefactMade(
        absl::StrCat("Artifact:", id), 'a', id, lease_, run_id, revision_);
    request.mutable_events(0)->mutable_artefact()->set_readable_path(path);
    return request;
  }
  absl::Status Append(const v1::AppendEventsRequest& request) {
    return store().events.Append(request).status();
  }
  absl::Status Make(const std::string& id, const std::string& path,
                    absl::string_view run_id = kRun1) {
    return Append(Result(id, path, run_id));
  }
  void EndRun() {
    v1::ReleaseLeaseRequest release;
    *release.mutable_token() = lease_;
    ASSERT_OK(store().leases.Release(release));
  }
  int64_t LogEnd() {
    v1::GetLogStatusRequest request;
    request.mutable_log()->set_movie_id("film");
    request.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
    return store().events.GetLogStatus(request)->last_sequence();
  }

  v1::LeaseToken lease_;
  std::string revision_ = "rev-0001";
};

TEST_F(RunPathsTest, TwoArtefactsOfARunDoNotShareAFile) {
  ASSERT_OK(Make("A", "a.txt"));
  EXPECT_THAT(Make("B", "a.txt"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("events[0].artefact.readable_path: "
                                       "Artifact:B cannot have this file, "
                                       "Artifact:A of the same run has it"),
                             HasSubstr("got \"a.txt\""))));
  EXPECT_EQ(LogEnd(), 1);
  EXPECT_OK(Make("B", "b.txt"));
}

TEST_F(RunPathsTest, AFileOfARunIsNotTheDirectoryOfAnother) {
  ASSERT_OK(Make("A", "a.txt"));
  EXPECT_THAT(
      Make("B", "a.txt/deep/x.txt"),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("Artifact:B cannot have this file, Artifact:A "
                               "of the same run has a.txt, and a file is no "
                               "directory"),
                     HasSubstr("got \"a.txt/deep/x.txt\""))));
  ASSERT_OK(Make("C", "c/deep/x.txt"));
  EXPECT_THAT(
      Make("D", "c/deep"),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("Artifact:C of the same run has c/deep/x.txt")));
  EXPECT_THAT(Make("D", "c"), StatusIs(absl::StatusCode::kInvalidArgument,
                                       HasSubstr("c/deep/x.txt")));
  // Only whole names lead into a directory.
  EXPECT_OK(Make("E", "a.txt.old"));
  EXPECT_OK(Make("F", "a"));
  EXPECT_OK(Make("G", "c/deep-x.txt"));
}

// All or none, and none keeps no path.
TEST_F(RunPathsTest, OneAppendIsComparedWithItself) {
  v1::AppendEventsRequest both = Result("A", "a.txt");
  *both.add_events() = Result("B", "a.txt/x.txt").events(0);
  EXPECT_THAT(Append(both), StatusIs(absl::StatusCode::kInvalidArgument,
                                     HasSubstr("events[1]")));
  EXPECT_EQ(LogEnd(), 0);
  EXPECT_OK(Make("B", "a.txt/x.txt"));
}

TEST_F(RunPathsTest, AnAppendThatIsRefusedForAnotherReasonTakesNoPath) {
  v1::AppendEventsRequest late = Result("A", "a.txt");
  late.set_expected_sequence(7);
  EXPECT_THAT(Append(late), StatusIs(absl::StatusCode::kAborted));
  EXPECT_OK(Make("B", "a.txt"));
}

// What is in the log still names the path that it had.
TEST_F(RunPathsTest, AMoveThatIsRefusedLeavesTheArtefactItsPath) {
  ASSERT_OK(Make("A", "a.txt"));
  v1::AppendEventsRequest late = Result("A", "moved.txt");
  late.set_expected_sequence(7);
  EXPECT_THAT(Append(late), StatusIs(absl::StatusCode::kAborted));
  late = Result("A", "");
  late.set_expected_sequence(7);
  EXPECT_THAT(Append(late), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(Make("B", "a.txt"), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("Artifact:A")));
  EXPECT_OK(Make("B", "moved.txt"));
}

// Not even for a while: until the move is in the log nobody else has the path.
TEST_F(RunPathsTest, AMoveThatIsNotAnsweredHoldsBothPaths) {
  RunPaths paths(log_, storage_, [](absl::string_view) { return 0; });
  ASSERT_OK_AND_ASSIGN(auto first, paths.Take(Result("A", "a.txt")));
  first->Keep(1);
  ASSERT_OK_AND_ASSIGN(auto move, paths.Take(Result("A", "moved.txt")));
  for (const char* path : {"a.txt", "moved.txt"}) {
    EXPECT_THAT(paths.Take(Result("B", path)),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("Artifact:A of the same run has it")));
  }
  move->Keep(2);
  EXPECT_OK(paths.Take(Result("B", "a.txt")));
  EXPECT_THAT(paths.Take(Result("B", "moved.txt")),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(RunPathsTest, OfTwoAppendsOfAResultEitherKeepsItsPath) {
  RunPaths paths(log_, storage_, [](absl::string_view) { return 0; });
  ASSERT_OK_AND_ASSIGN(auto one, paths.Take(Result("A", "a.txt")));
  ASSERT_OK_AND_ASSIGN(auto two, paths.Take(Result("A", "a.txt")));
  two->Keep(1);
  one = nullptr;
  EXPECT_THAT(paths.Take(Result("B", "a.txt")),
              StatusIs(absl::StatusCode::kInvalidArgument));
  // Told in another order than they are in the log.
  ASSERT_OK_AND_ASSIGN(auto older, paths.Take(Result("A", "older.txt")));
  ASSERT_OK_AND_ASSIGN(auto newer, paths.Take(Result("A", "newer.txt")));
  newer->Keep(3);
  older->Keep(2);
  EXPECT_OK(paths.Take(Result("B", "older.txt")));
  EXPECT_THAT(paths.Take(Result("B", "newer.txt")),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(RunPathsTest, AnAppendUnderWayIsRememberedOverAnotherRun) {
  RunPaths paths(log_, storage_, [](absl::string_view) { return 0; });
  ASSERT_OK_AND_ASSIGN(auto claim, paths.Take(Result("A", "a.txt")));
  ASSERT_OK(paths.Take(Result("B", "a.txt", kRun2)));
  EXPECT_THAT(
      paths.Take(Result("C", "a.txt")),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Artifact:A")));
}

// The append is all or nothing.
TEST_F(RunPathsTest, WithinAnAppendAMoveMakesRoom) {
  ASSERT_OK(Make("A", "a.txt"));
  v1::AppendEventsRequest both = Result("A", "moved.txt");
  *both.add_events() = Result("B", "a.txt").events(0);
  ASSERT_OK(Append(both));
  EXPECT_THAT(Make("C", "a.txt"), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("Artifact:B")));
  EXPECT_THAT(
      Make("C", "moved.txt"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Artifact:A")));
}

TEST_F(RunPathsTest, OfAnArtefactTheNewestResultCounts) {
  ASSERT_OK(Make("A", "a.txt"));
  ASSERT_OK(Make("A", "a.txt"));
  ASSERT_OK(Make("A", "a.txt/x.txt"));  // its own file makes room
  ASSERT_OK(Make("A", ""));
  EXPECT_OK(Make("B", "a.txt"));
}

TEST_F(RunPathsTest, WhatFailedNamesNoFile) {
  v1::AppendEventsRequest failed = Result("A", "a.txt");
  v1::ArtefactEvent& attempt = *failed.mutable_events(0)->mutable_artefact();
  attempt.clear_output();
  attempt.set_status(v1::ARTEFACT_STATUS_FAILED);
  attempt.mutable_failure()->set_message("refused");
  ASSERT_OK(Append(failed));
  EXPECT_OK(Make("B", "a.txt"));
}

// The run may make A anew elsewhere, or drop it: that is not known yet.
TEST_F(RunPathsTest, ResultsOfOtherRunsAreNotCompared) {
  ASSERT_OK(Make("A", "a.txt"));
  EXPECT_OK(Make("B", "a.txt", kRun2));
}

// They were in the log before, and a run that says them again must not fail.
TEST_F(RunPathsTest, WhatIsReusedOrEditedIsLetIn) {
  ASSERT_OK(Make("A", "a.txt"));
  v1::AppendEventsRequest reused = Result("B", "a.txt");
  reused.mutable_events(0)->mutable_artefact()->set_reused_sequence(1);
  EXPECT_OK(Append(reused));
  v1::AppendEventsRequest edit = Result("C", "a.txt/x.txt", "");
  edit.mutable_events(0)
      ->mutable_artefact()
      ->mutable_produced_by()
      ->set_edited_by(v1::EDITED_BY_USER);
  EXPECT_OK(Append(edit));

  reused = Result("D", "d.txt");
  reused.mutable_events(0)->mutable_artefact()->set_reused_sequence(1);
  ASSERT_OK(Append(reused));
  EXPECT_THAT(Make("E", "d.txt"), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("Artifact:D")));
}

TEST_F(RunPathsTest, ARestartForgetsNoPath) {
  ASSERT_OK(Make("A", "a.txt"));
  ASSERT_OK(Make("B", "b.txt"));
  ASSERT_OK(Make("B", "moved.txt"));
  Restart();
  EXPECT_THAT(Make("C", "a.txt"), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("Artifact:A")));
  EXPECT_OK(Make("C", "b.txt"));
}

// Nor does another run that came in between.
TEST_F(RunPathsTest, APathOfARunIsRememberedOverAnotherRun) {
  ASSERT_OK(Make("A", "a.txt"));
  ASSERT_OK(Make("B", "a.txt", kRun2));
  EXPECT_THAT(Make("C", "a.txt"), StatusIs(absl::StatusCode::kInvalidArgument,
                                           HasSubstr("Artifact:A")));
  EXPECT_THAT(
      Make("C", "a.txt", kRun2),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Artifact:B")));
}

TEST_F(RunPathsTest, AMovieThatIsMadeAnewBeginsWithoutPaths) {
  ASSERT_OK(Make("A", "a.txt"));
  EndRun();
  v1::DeleteMovieRequest remove;
  remove.set_movie_id("film");
  ASSERT_OK(store().movies.Delete(remove));
  MakeFilm(store());
  lease_ = TakeFilmLease(store());
  EXPECT_OK(Make("B", "a.txt"));
}

TEST_F(RunPathsTest, AfterACommitTheNextRunNamesWhatItLikes) {
  ASSERT_OK(Make("A", "a.txt"));
  ASSERT_OK(store().manifests.Commit(CommitOf(lease_, kRun1, "rev-0001", "",
                                              /*inputs_through=*/1)));
  EndRun();
  revision_ = "rev-0002";
  Restart();
  lease_ = TakeFilmLease(store(), "runner-1", kRun2);
  ASSERT_OK(Make("B", "a.txt", kRun2));
  EXPECT_THAT(
      Make("C", "a.txt", kRun2),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Artifact:B")));
}

}  // namespace
}  // namespace kinora
