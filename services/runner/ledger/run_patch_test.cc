// Corners of status documents that the shared vectors do not turn.

#include "services/runner/ledger/run_patch.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/json/json_writer.h"
#include "common/json/ledger_json.h"
#include "services/runner/ledger/snapshot_json.h"

namespace kinora {
namespace {

// The events, each without what all of them have.
std::string Events(const std::string& previous, const std::string& patch) {
  std::string all;
  for (const PatchEvent& told :
       EventsOfPatch(SnapshotFromJson(*ParseJson(previous)),
                     RunPatchFromJson(*ParseJson(patch)), 50)) {
    JsonValue json = LedgerEventToJson(told.event);
    EXPECT_EQ(json.Find("source")->string_value(), "worker");
    json.object().Remove("source");
    json.object().Remove("runId");
    all += ToJson(json) + "\n";
  }
  return all;
}

TEST(RunPatchTest, NothingButWhereItStandsSaysNothing) {  // F: S2-85, S2-92
  for (const char* status : {"queued", "waiting", "weird", ""}) {
    EXPECT_EQ(
        Events(R"({"runId":"r"})",
               std::string(R"({"runId":"r","status":")") + status + R"("})"),
        "");
  }
  EXPECT_EQ(Events(R"({"runId":"r"})", R"({"runId":"r","status":7})"), "");
}

// F: S2-85 (the time 0 is a time)
TEST(RunPatchTest, RunThatStartedAtZeroHasStarted) {
  EXPECT_EQ(Events(R"({"runId":"r","startedAt":0,"status":"running"})",
                   R"({"runId":"r","status":"running"})"),
            "");
}

TEST(RunPatchTest, EmptyEntryStartsTheRunButNoStep) {  // F: S2-85, S2-87
  EXPECT_EQ(Events(R"({"runId":"r","movieId":"m"})",
                   R"({"runId":"r","movieId":"","liveNodeProgress":{"a":{}}})"),
            "{\"occurredAt\":50,\"type\":\"run.started\",\"movieId\":\"\"}\n");
  EXPECT_EQ(Events(R"({"runId":"r"})",
                   R"({"runId":"r","liveNodeProgress":{" ":{},"a":[]}})"),
            "");
}

TEST(RunPatchTest, EarliestStartCountsAlsoOfStepsOutOfOrder) {  // F: S2-85
  EXPECT_EQ(Events(R"({"runId":"r","stepsById":{"z":{"startedAt":3}}})",
                   R"({"runId":"r","status":"started","lastCheckpointAt":9})"),
            "{\"occurredAt\":3,\"type\":\"run.started\"}\n");
}

TEST(RunPatchTest, EntriesKeepTheOrderOfTheDocument) {  // F: S2-27, S2-94
  const RunPatch patch = RunPatchFromJson(*ParseJson(
      R"({"runId":"r","liveNodeProgress":{"b":{},"10":{"startedAt":1,
          "message":" m ","completed":"3"},"2":{},"a ":null," ":{}}})"));
  std::vector<std::string> ids;
  for (const auto& entry : patch.live_node_progress) ids.push_back(entry.first);
  EXPECT_THAT(ids, ::testing::ElementsAre("b", "10", "2"));
  EXPECT_EQ(patch.live_node_progress[1].second.message, "m");
  EXPECT_EQ(patch.live_node_progress[1].second.completed, std::nullopt);
}

TEST(RunPatchTest, TimeOfTheLastLookIsNoProgress) {  // F: S2-87
  const std::string previous =
      R"({"runId":"r","startedAt":1,"stepsById":{"a":{"status":"running",
          "progress":{"completed":1,"updatedAt":2}}}})";
  EXPECT_EQ(Events(previous, R"({"runId":"r","liveNodeProgress":{"a":
                       {"completed":1,"updatedAt":9}}})"),
            "");
  EXPECT_EQ(Events(previous, R"({"runId":"r","liveNodeProgress":{"a":
                       {"completed":2}}})"),
            "{\"occurredAt\":50,\"type\":\"step.progress\",\"stepId\":\"a\","
            "\"status\":\"running\",\"progress\":{\"completed\":2,"
            "\"updatedAt\":50}}\n");
}

// F: S2-88 (a step that failed is not said to run)
TEST(RunPatchTest, FailedStepStaysFailed) {
  EXPECT_EQ(Events(R"({"runId":"r","startedAt":1,"stepsById":{"a":
                       {"status":"failed","startedAt":1}}})",
                   R"({"runId":"r","liveNodeProgress":{"a":{"startedAt":2,
                       "failed":1,"artefactNamespace":" N "}}})"),
            "{\"occurredAt\":50,\"type\":\"step.progress\",\"stepId\":\"a\","
            "\"status\":\"failed\",\"progress\":{\"failed\":1,"
            "\"artefactNamespace\":\"N\",\"startedAt\":2,\"updatedAt\":50}}\n");
}

// F: S2-81, S2-82
TEST(RunPatchTest, LinesKeepTheirPlacesOnlyWhereTheyHaveThem) {
  const std::string previous = R"({"runId":"r","startedAt":1})";
  EXPECT_EQ(Events(previous,
                   R"({"runId":"r","liveLogs":["\u2003",7," a "],
                       "liveLogsChannelOffset":0})"),
            "{\"occurredAt\":50,\"type\":\"log.appended\",\"lines\":["
            "\"(blank log line)\",\"(blank log line)\",\"a\"],"
            "\"channelOffset\":0}\n");
  for (const char* offset : {"-1", "null", "\"3\""}) {
    EXPECT_EQ(
        Events(previous, std::string(R"({"runId":"r","liveLogs":[""," a "],
                       "liveLogsChannelOffset":)") +
                             offset + "}"),
        "{\"occurredAt\":50,\"type\":\"log.appended\","
        "\"lines\":[\"a\"]}\n");
  }
  EXPECT_EQ(Events(previous, R"({"runId":"r","liveLogs":"a"})"), "");
}

TEST(RunPatchTest, EndIsOfTheLastStep) {  // F: S2-91, S2-93
  const std::string previous =
      R"({"runId":"r","startedAt":1,"status":"running",
          "stepsById":{"a":{"completedAt":8},"b":{"completedAt":3}}})";
  EXPECT_EQ(Events(previous, R"({"runId":"r","status":"Terminated","result":0,
                       "error":""})"),
            "{\"occurredAt\":8,\"type\":\"run.failed\",\"error\":\"\","
            "\"result\":0}\n");
  EXPECT_EQ(Events(previous, R"({"runId":"r","status":"complete",
                       "error":"x","result":false})"),
            "{\"occurredAt\":8,\"type\":\"run.completed\",\"result\":false}\n");
  EXPECT_EQ(Events(R"({"runId":"r","startedAt":1,"status":"completed"})",
                   R"({"runId":"r","status":"failed"})"),
            "");
}

}  // namespace
}  // namespace kinora
