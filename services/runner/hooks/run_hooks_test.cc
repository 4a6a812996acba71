#include "services/runner/hooks/run_hooks.h"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/random.h"
#include "common/telemetry/trace_context.h"
#include "common/testing/fake_clock.h"
#include "common/testing/manual_executor.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RunHooksTest : public ::testing::Test {
 protected:
  using Events = google::protobuf::RepeatedPtrField<v1::Event>;

  static Hook HookOn(std::set<HookEvent> on) {
    Hook hook;
    hook.on = std::move(on);
    hook.webhook = "http://a.example/";
    return hook;
  }
  RunHooks Make(std::vector<Hook> hooks, const RunHooksOptions& options = {}) {
    for (size_t i = 0; i < hooks.size(); ++i) {
      hooks[i].index = static_cast<int>(i);
    }
    return RunHooks(
        std::move(hooks),
        [this](const Hook& hook, const HookCall& call) {
          sent_.push_back(
              absl::StrCat(hook.index, " ", WordOf(call.event), " ", call.key));
          documents_.push_back(call.json);
          traces_.push_back(call.traceparent);
          return answer_;
        },
        executor_, random_, options);
  }
  v1::LedgerEvent* Add() { return events_.Add()->mutable_ledger(); }
  void Tell(RunHooks& hooks, int64_t first_sequence = 1) {
    hooks.OnLedger("film", "run-1", first_sequence, events_);
    events_.Clear();
  }

  FakeClock clock_;
  ManualExecutor executor_{clock_};
  SeededRandom random_{1};
  Events events_;
  absl::Status answer_;
  std::vector<std::string> sent_;
  std::vector<std::string> documents_;
  std::vector<std::string> traces_;
};

constexpr HookEvent kAll[] = {HookEvent::kQuestion, HookEvent::kFailure,
                              HookEvent::kBudget, HookEvent::kCompletion};

TEST_F(RunHooksTest, EachEventIsToldUnderItsWord) {
  RunHooks hooks = Make({HookOn({std::begin(kAll), std::end(kAll)})});
  Add()->mutable_run_started();
  Add()->mutable_job()->set_type("question");
  Add()->mutable_job()->set_type("retrying");
  Add()->mutable_job()->set_type("over_budget");
  Add()->mutable_run_waiting()->set_reason("in_doubt");
  Add()->mutable_step_failed();
  Add()->mutable_step_completed();
  Add()->mutable_run_cancelled();
  Add()->mutable_job()->set_type("escalated");
  Tell(hooks, 11);
  executor_.RunUntilIdle();
  EXPECT_THAT(sent_, ElementsAre("0 question run-1/12", "0 budget run-1/14",
                                 "0 failure run-1/16", "0 completion run-1/18",
                                 "0 question run-1/19"));
}

// Each call is a span of its own in the trace of the run.
TEST_F(RunHooksTest, CallsAreInTheTraceOfTheRun) {
  RunHooks hooks =
      Make({HookOn({HookEvent::kFailure}), HookOn({HookEvent::kFailure})});
  const TraceContext run = TraceContext::New();
  {
    TraceScope scope(run);
    Add()->mutable_run_failed();
    Tell(hooks);
  }
  Add()->mutable_run_failed();
  Tell(hooks, 2);
  executor_.RunUntilIdle();
  ASSERT_THAT(traces_, SizeIs(4));
  std::set<std::string> spans = {run.span_id};
  for (size_t i = 0; i < 2; ++i) {
    const std::optional<TraceContext> called = TraceContext::Parse(traces_[i]);
    ASSERT_TRUE(called.has_value()) << traces_[i];
    EXPECT_EQ(called->trace_id, run.trace_id);
    spans.insert(called->span_id);
  }
  EXPECT_THAT(spans, SizeIs(3));
  EXPECT_EQ(traces_[2], "");
}

// The failure of a run is both; a hook that wants both hears of it once.
TEST_F(RunHooksTest, AHookHearsOfAnEventOnce) {
  RunHooks hooks =
      Make({HookOn({HookEvent::kFailure, HookEvent::kCompletion}),
            HookOn({HookEvent::kCompletion}), HookOn({HookEvent::kQuestion})});
  Add()->mutable_run_failed()->set_error("no");
  Tell(hooks);
  executor_.RunUntilIdle();
  EXPECT_THAT(sent_, ElementsAre("0 failure run-1/1", "1 completion run-1/1"));
}

TEST_F(RunHooksTest, TheDocumentHasTheEventAsItIsWatched) {
  RunHooks hooks = Make({HookOn({HookEvent::kFailure})});
  v1::LedgerEvent* event = Add();
  event->set_run_id("run-1");
  event->set_occurred_at_ms(5);
  event->mutable_step_failed()->mutable_step()->set_step_id("Clip[i=0]");
  event->mutable_step_failed()->set_error("out of memory");
  Tell(hooks, 17);
  executor_.RunUntilIdle();
  EXPECT_THAT(
      documents_,
      ElementsAre(
          "{\"event\":\"failure\",\"key\":\"run-1/17\",\"ledgerEvent\":"
          "{\"error\":\"out of memory\",\"occurredAt\":5,\"runId\":"
          "\"run-1\",\"seq\":17,\"stepId\":\"Clip[i=0]\",\"type\":"
          "\"step.failed\"},\"movieId\":\"film\",\"runId\":\"run-1\"}"));
}

// F: S4-35, S4-40: a record is told of as it is published, to who asks for it.
TEST_F(RunHooksTest, TheDocumentOfARecordHasWhatIsPublished) {
  RunHooks hooks =
      Make({HookOn({HookEvent::kRecord}), HookOn({HookEvent::kCompletion})});
  TopicRecord event;
  event.kind = "action_graph_update";
  event.headers = {{"run_id", "run-1"}};
  JsonObject payload;
  payload.Add("status", "completed");
  event.payload = JsonValue(std::move(payload));
  hooks.OnRecord("film", "run-1", "observability.action_graph", event);
  executor_.RunUntilIdle();
  EXPECT_THAT(sent_, ElementsAre("0 record run-1/record"));
  EXPECT_THAT(
      documents_,
      ElementsAre("{\"event\":\"record\",\"key\":\"run-1/record\",\"movieId\":"
                  "\"film\",\"record\":{\"headers\":{\"run_id\":\"run-1\"},"
                  "\"kind\":\"action_graph_update\",\"payload\":{\"status\":"
                  "\"completed\"},\"topic\":\"observability.action_graph\"},"
                  "\"runId\":\"run-1\"}"));
}

// The run that tells of it goes on: nothing is sent before it has returned.
TEST_F(RunHooksTest, NothingIsSentOnTheRunsThread) {
  RunHooks hooks = Make({HookOn({HookEvent::kCompletion})});
  Add()->mutable_run_completed();
  Tell(hooks);
  EXPECT_THAT(sent_, IsEmpty());
  executor_.RunUntilIdle();
  EXPECT_THAT(sent_, SizeIs(1));
}

TEST_F(RunHooksTest, WhatMayPassIsSentAgainUnderTheSameKey) {
  RunHooks hooks = Make({HookOn({HookEvent::kCompletion})});
  answer_ = absl::UnavailableError("down");
  Add()->mutable_run_completed();
  Tell(hooks, 9);
  executor_.RunUntilIdle();
  EXPECT_THAT(sent_, SizeIs(1));
  answer_ = absl::OkStatus();
  executor_.Advance(absl::Hours(1));
  EXPECT_THAT(sent_,
              ElementsAre("0 completion run-1/9", "0 completion run-1/9"));
  EXPECT_EQ(documents_[0], documents_[1]);
}

TEST_F(RunHooksTest, ItGivesUpInTheEnd) {
  RunHooks hooks = Make({HookOn({HookEvent::kCompletion})});
  answer_ = absl::UnavailableError("down");
  Add()->mutable_run_completed();
  Tell(hooks);
  executor_.Advance(absl::Hours(1));
  EXPECT_THAT(sent_, SizeIs(5));
}

TEST_F(RunHooksTest, WhatIsRefusedAndCommandsAreNotTriedAgain) {
  Hook command = HookOn({HookEvent::kFailure});
  command.webhook.clear();
  command.command = {"x"};
  RunHooks hooks = Make({HookOn({HookEvent::kCompletion}), command});
  answer_ = absl::FailedPreconditionError("404");
  Add()->mutable_run_completed();
  Tell(hooks);
  executor_.Advance(absl::Hours(1));
  EXPECT_THAT(sent_, SizeIs(1));
  answer_ = absl::DeadlineExceededError("killed");
  Add()->mutable_step_failed();
  Tell(hooks);
  executor_.Advance(absl::Hours(1));
  EXPECT_THAT(sent_, SizeIs(2));
}

TEST_F(RunHooksTest, TooManyAreDroppedAndNotKept) {
  RunHooks hooks = Make({HookOn({HookEvent::kFailure})}, {.max_pending = 3});
  for (int i = 0; i < 10; ++i) Add()->mutable_step_failed();
  Tell(hooks);
  executor_.RunUntilIdle();
  EXPECT_THAT(sent_, SizeIs(3));
  // There is room again.
  Add()->mutable_step_failed();
  Tell(hooks, 11);
  executor_.RunUntilIdle();
  EXPECT_EQ(sent_.back(), "0 failure run-1/11");
}

TEST_F(RunHooksTest, TheEndWaitsForNoFurtherAttempt) {
  RunHooks hooks = Make({HookOn({HookEvent::kCompletion})});
  answer_ = absl::UnavailableError("down");
  Add()->mutable_run_completed();
  Tell(hooks);
  executor_.RunUntilIdle();
  hooks.Drain(absl::Hours(1));  // returns, as nothing is under way
  EXPECT_THAT(sent_, SizeIs(1));
}

}  // namespace
}  // namespace kinora
