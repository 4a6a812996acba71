#include "services/runner/ledger/reported_run.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/json/ledger_json.h"
#include "common/testing/status_matchers.h"
#include "services/runner/ledger/reported_run_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

MATCHER_P(IsInvalid, part, "") {
  return ::testing::ExplainMatchResult(
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(part)), arg,
      result_listener);
}

class ReportedRunTest : public ReportedRunFixture {
 protected:
  absl::Status Refused(const std::string& members) {
    return runners_.Offer(Request({Event(members)})).status();
  }
};

// Whoever carries the run out reads these as facts and requests.
TEST_F(ReportedRunTest, WhatOnlyKinoraSaysIsRefused) {
  for (const std::string type :
       {"job.answered", "job.claimed", "job.charged", "job.anything",
        "run.waiting", "run.resumed", "run.budget"}) {
    const std::string members =
        absl::StrCat(R"("occurredAt":1,"type":")", type, R"(")");
    for (Ledger* ledger : {&runners_, &callers_}) {
      const v1::LedgerEvent good =
          Event(R"("occurredAt":1,"type":"step.started","stepId":"a")");
      EXPECT_THAT(ledger->Offer(Request({good, Event(members)})).status(),
                  IsInvalid(absl::StrCat("events[1]: kind: is said by Kinora "
                                         "alone, got \"",
                                         type)));
    }
  }
}

TEST_F(ReportedRunTest, TheEndOfARunnersRunIsSaidByTheRunner) {
  for (const std::string type : {"run.created", "run.started", "run.completed",
                                 "run.failed", "run.cancelled"}) {
    const std::string members =
        absl::StrCat(R"("occurredAt":1,"type":")", type, R"(")");
    EXPECT_THAT(Refused(members), IsInvalid("events[0]: kind"));
    EXPECT_OK(callers_.Offer(Request({Event(members)})));
  }
}

TEST_F(ReportedRunTest, MoneyAndHeartbeatsAreNotReported) {
  const std::string step = R"("occurredAt":1,"stepId":"a",)";
  const std::string cost = R"({"currencyCode":"USD","micros":7})";
  EXPECT_THAT(Refused(absl::StrCat(step, R"("type":"step.started",)",
                                   R"("reserved":)", cost)),
              IsInvalid("step_started.reserved"));
  EXPECT_THAT(Refused(absl::StrCat(step, R"("type":"step.completed",)",
                                   R"("cost":)", cost)),
              IsInvalid("step_completed.cost"));
  EXPECT_THAT(Refused(absl::StrCat(step, R"("type":"step.failed",)",
                                   R"("cost":)", cost)),
              IsInvalid("step_failed.cost"));
  EXPECT_THAT(Refused(absl::StrCat(step, R"("type":"step.progress",)",
                                   R"("heartbeatDetails":"YQ==")")),
              IsInvalid("heartbeat_details"));
}

TEST_F(ReportedRunTest, AllThatComesInIsMarked) {
  std::vector<std::string> sources;
  for (const std::string source :
       {"worker", "external", "coordinator", "system", "odd"}) {
    const Events taken = runners_.Report(Request({Event(
        absl::StrCat(R"("occurredAt":1,"type":"step.started","source":")",
                     source, R"(","stepId":")", source, "\""))}));
    ASSERT_THAT(taken, SizeIs(1));
    sources.emplace_back(LedgerSourceWord(taken[0].source()));
  }
  EXPECT_THAT(sources, ElementsAre("worker", "external", "external", "external",
                                   "external"));
}

TEST_F(ReportedRunTest, AnEventWithoutARunIsOfThisOne) {
  v1::LedgerEvent event =
      Event(R"("occurredAt":1,"type":"step.started","stepId":"a")");
  event.clear_run_id();
  EXPECT_EQ(runners_.Report(Request({event}))[0].run_id(), "r");
  event.set_run_id("other");
  EXPECT_THAT(runners_.Offer(Request({event})).status(),
              IsInvalid("events[0]: run_id"));
}

// What it is read as behind the ledger's file is what was checked.
TEST_F(ReportedRunTest, AnUnknownTypeIsKeptAndCannotPassForAKnownOne) {
  const Events taken = runners_.Report(Request({Event(
      R"("occurredAt":7,"type":"frame.rendered","seq":9,"frame":{"n":3})")}));
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].unknown().raw_json(),
            R"({"runId":"r","occurredAt":7,"type":"frame.rendered",)"
            R"("frame":{"n":3},"source":"external"})");
  EXPECT_EQ(runners_.events()[0].source(), v1::LEDGER_SOURCE_EXTERNAL);

  v1::LedgerEvent forged = taken[0];
  const auto refused = [&](const std::string& type, const std::string& raw) {
    forged.mutable_unknown()->set_type(type);
    forged.mutable_unknown()->set_raw_json(raw);
    return runners_.Offer(Request({forged})).status();
  };
  EXPECT_THAT(refused("x", R"({"type":"job.answered","jobId":"A"})"),
              IsInvalid("unknown.raw_json.type"));
  EXPECT_THAT(refused("job.answered", R"({"type":"job.answered"})"),
              IsInvalid("unknown.type"));
  EXPECT_THAT(refused("x", R"({"type":"x","runId":"other"})"),
              IsInvalid("unknown.raw_json.runId"));
  EXPECT_THAT(refused("x", R"({"type":"x","requestId":"r/1"})"),
              IsInvalid("unknown.raw_json.requestId"));
  EXPECT_THAT(refused("x", "[]"), IsInvalid("unknown.raw_json"));
  EXPECT_THAT(refused("x", "{"), IsInvalid("unknown.raw_json"));
  // Who it is from is not the worker's to say.
  forged.mutable_unknown()->set_raw_json(
      R"({"type":"x","source":"coordinator","occurredAt":"odd"})");
  forged.set_occurred_at_ms(0);
  runners_.Report(Request({forged}));
  EXPECT_EQ(runners_.events().back().source(), v1::LEDGER_SOURCE_EXTERNAL);
  EXPECT_EQ(runners_.events().back().occurred_at_ms(), kNow);
}

TEST_F(ReportedRunTest, ARequestIsTakenWholeOrNotAtAll) {
  const v1::LedgerEvent good =
      Event(R"("occurredAt":1,"type":"step.started","stepId":"a")");
  const v1::LedgerEvent bad =
      Event(R"("occurredAt":1,"type":"step.started","stepId":" ")");
  EXPECT_THAT(runners_.Offer(Request({good, bad})).status(),
              IsInvalid("events[1]: step_id"));
  v1::IngestLedgerEventsRequest both = Request({good});
  both.set_status_patch_json("{}");
  EXPECT_THAT(runners_.Offer(both).status(), IsInvalid("status_patch_json"));
  EXPECT_THAT(
      runners_.Offer(Request(Events(kMaxReportedEvents + 1, good))).status(),
      IsInvalid("events"));
  EXPECT_THAT(runners_.Report(Request({})), IsEmpty());
}

TEST_F(ReportedRunTest, ADocumentOfARunnersRunDoesNotEndIt) {
  const std::string steps =
      R"("liveNodeProgress":{"a":{"completed":1,"startedAt":3}}})";
  std::vector<std::string> types;
  for (const v1::LedgerEvent& event : runners_.Report(
           Patch(absl::StrCat(R"({"runId":"r","status":"running",)", steps)))) {
    types.push_back(LedgerEventType(event));
  }
  EXPECT_THAT(types, ElementsAre("step.started", "step.progress"));
  EXPECT_THAT(
      runners_.Offer(Patch(absl::StrCat(R"({"status":"succeeded",)", steps)))
          .status(),
      IsInvalid("status_patch_json.status"));
  EXPECT_THAT(runners_.Offer(Patch(R"({"runId":"other"})")).status(),
              IsInvalid("status_patch_json: run_id"));
  EXPECT_THAT(runners_.Offer(Patch(R"({"status":"odd"})")).status(),
              IsInvalid("status_patch_json: status"));
  EXPECT_THAT(runners_.Offer(Patch("7")).status(),
              IsInvalid("status_patch_json"));
  EXPECT_THAT(runners_.Offer(Patch("{")).status(),
              IsInvalid("status_patch_json"));
}

// Most clients could never watch the run beyond it.
TEST_F(ReportedRunTest, AnEventThatIsTooLargeToBeWatchedIsRefused) {
  v1::LedgerEvent event =
      Event(R"("occurredAt":1,"type":"step.completed","stepId":"a")");
  v1::StepIdentity* step = event.mutable_step_completed()->mutable_step();
  step->set_label(std::string(kMaxReportedEventBytes, 'x'));
  EXPECT_THAT(
      callers_.Offer(Request({event})).status(),
      IsInvalid("events[0]: event: an event has at most 2000000 bytes"));
  const std::string result(kMaxReportedEventBytes, 'x');
  EXPECT_THAT(callers_
                  .Offer(Patch(absl::StrCat(
                      R"({"status":"completed","result":")", result, R"("})")))
                  .status(),
              IsInvalid("status_patch_json: an event has at most"));
  step->set_label(std::string(kMaxReportedEventBytes - 1'000, 'x'));
  EXPECT_THAT(callers_.Report(Request({event})), SizeIs(1));
}

TEST_F(ReportedRunTest, ACountThatNoLogHasIsRefused) {
  for (const std::string name : {"channelOffset", "firstSeq"}) {
    EXPECT_THAT(Refused(absl::StrCat(
                    R"("occurredAt":1,"type":"log.appended","lines":["x"],")",
                    name, R"(":9007199254740991)")),
                IsInvalid("must be at most 1000000000000"));
  }
  const std::string patch =
      R"({"liveLogs":["x"],"liveLogsChannelOffset":1e300})";
  EXPECT_THAT(runners_.Offer(Patch(patch)).status(),
              IsInvalid("status_patch_json.liveLogsChannelOffset"));
}

}  // namespace
}  // namespace kinora
