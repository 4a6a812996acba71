// Requests to start a run that start none, and what they are told.

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/runner/runner.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

using RunnerStartsTest = RunnerFixture;

TEST_F(RunnerStartsTest, SecondStartIsToldOfTheFirst) {
  MakeMovie(Slow("single", 1, 600'000));
  absl::StatusOr<v1::StartRunResponse> started = runner().Start(StartRequest());
  ASSERT_OK(started);
  absl::StatusOr<v1::StartRunResponse> second = runner().Start(StartRequest());
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr(started->run().run_id())));
  EXPECT_EQ(ReasonOf(second.status()), "RUN_ACTIVE");

  v1::CancelRunRequest cancel;
  cancel.set_run_id(started->run().run_id());
  cancel.set_reason(std::string(1025, 'x'));
  EXPECT_THAT(runner().Cancel(cancel),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("reason: at most 1024 bytes")));
  cancel.set_reason("enough");
  ASSERT_OK(runner().Cancel(cancel));
  v1::RunSnapshot run = Finish(started->run().run_id());
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_EQ(run.record().error(), "enough");
  EXPECT_EQ(CurrentOf(store()).revision(), "");
  EXPECT_THAT(runner().Cancel(cancel),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("ended already")));
}

TEST_F(RunnerStartsTest, PlanOfAnOldBaseIsRefused) {  // F: S1-28
  MakeMovie(Chain("{}"));
  v1::RunSnapshot run = RunToEnd(StartRequest());
  v1::StartRunRequest again = StartRequest();
  again.set_plan_hash(run.record().plan_hash());
  absl::StatusOr<v1::StartRunResponse> second = runner().Start(again);
  EXPECT_THAT(second,
              StatusIs(absl::StatusCode::kAborted, HasSubstr("plan again")));
  EXPECT_EQ(ReasonOf(second.status()), "BASE_CHANGED");
}

TEST_F(RunnerStartsTest, RepeatedRequestIsTheSameRun) {
  MakeMovie(Chain("{}"));
  v1::StartRunRequest request = StartRequest();
  request.set_request_id("r-1");
  absl::StatusOr<v1::StartRunResponse> first = runner().Start(request);
  ASSERT_OK(first);
  Finish(first->run().run_id());
  absl::StatusOr<v1::StartRunResponse> second = runner().Start(request);
  ASSERT_OK(second);
  EXPECT_EQ(second->run().run_id(), first->run().run_id());
  EXPECT_EQ(second->plan().plan_hash(), first->plan().plan_hash());
}

TEST_F(RunnerStartsTest, BadRequestsNameTheFieldAndWriteNothing) {
  MakeMovie(Chain("{}"));
  v1::StartRunRequest bad;
  bad.set_movie_id("../film");
  EXPECT_THAT(runner().Start(bad), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("movie_id")));
  bad.set_movie_id("nobody");
  EXPECT_THAT(runner().Start(bad),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("nobody")));
  EXPECT_THAT(
      runner().Start(StartRequest({{"Nothing", "x"}})),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Nothing")));
  v1::GetRunRequest get;
  get.set_run_id("run-1");
  EXPECT_THAT(runner().Get(get), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("run_id")));
}

// They are in the record and in every list of runs.
TEST_F(RunnerStartsTest, LabelsThatAreTooManyOrTooLongAreRefusedBeforeAnEdit) {
  MakeMovie(Chain("{}"));
  v1::StartRunRequest many = StartRequest({{"Topic", "river"}});
  for (int i = 0; i < 33; ++i) {
    (*many.mutable_labels())[absl::StrCat("label-", i)] = "x";
  }
  EXPECT_THAT(runner().Start(many),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("labels: at most 32 labels, got \"33\"")));
  v1::StartRunRequest large = StartRequest({{"Topic", "river"}});
  (*large.mutable_labels())["short"] = "x";
  (*large.mutable_labels())["why"] = std::string(1'022, 'x');
  EXPECT_THAT(
      runner().Start(large),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("labels: a label has at most 1024 bytes, name and "
                         "value; this one has 1025, got \"why\"")));
  v1::ReadEventsRequest edits;
  edits.mutable_log()->set_movie_id("film");
  edits.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  ASSERT_OK_AND_ASSIGN(const v1::ReadEventsResponse page,
                       store().events.ReadPage(edits));
  for (const v1::Event& event : page.events()) {
    EXPECT_NE(event.input().input_id(), "Input:Topic");
  }
  (*large.mutable_labels())["why"].pop_back();
  EXPECT_EQ(RunToEnd(large).record().labels_size(), 2);
}

TEST_F(RunnerStartsTest, UnknownProducerIsRefusedBeforeTheRun) {
  MakeMovie(Slow("nobody", 1, 0));
  absl::StatusOr<v1::StartRunResponse> started = runner().Start(StartRequest());
  EXPECT_THAT(started, StatusIs(absl::StatusCode::kFailedPrecondition,
                                HasSubstr("nobody")));
  EXPECT_EQ(ReasonOf(started.status()), "PRODUCER_UNKNOWN");
}

}  // namespace
}  // namespace kinora
