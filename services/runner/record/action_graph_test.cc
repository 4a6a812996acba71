#include "services/runner/record/action_graph.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/runner/record/record_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class ActionGraphTest : public RecordTest {};

TEST_F(ActionGraphTest, TellsWhoDidWhat) {  // F: S4-21, S4-34
  const JsonValue observability = Observability(
      Json("{'id':'r','workflow_id':'film','status':'completed',"
           "'metadata':{'trigger_event':{'id':'e','kind':'tick',"
           "'provider':'cron','trace_id':'t','signature_status':'verified'},"
           "'replay_of_event_id':'e0'},"
           "'stages':[{'id':'s1','node_id':'script','status':'completed'},"
           "{'id':'s1','node_id':'script'},{'node_id':'image'}],"
           "'child_runs':[{'worker_id':'w','worker_name':'helper',"
           "'parent_stage_id':'s1'},{'worker_id':'v'}],"
           "'hitl_questions':[{'request_id':'q','prompt':'Go on?'},"
           "{'request_id':'p','stage_id':'s1'}],"
           "'handoffs':[{'id':'h','target_persona_or_human':"
           "{'label':'Ann'}}],'artifacts':[{},{}]}"),
      files_);
  EXPECT_EQ(observability,
            Json("{'schema_version':1,'trace_id':'t','replay_of_event_id':'e0',"
                 "'trigger':{'id':'e','kind':'tick','provider':'cron',"
                 "'signature':'verified'},"
                 "'nodes':[{'id':'run:r','kind':'run','label':'film',"
                 "'status':'completed','workflow_id':'film'},"
                 "{'id':'job:s1','kind':'job','label':'script',"
                 "'status':'completed','node_id':'script','stage_id':'s1'},"
                 "{'id':'job:s1#2','kind':'job','label':'script',"
                 "'node_id':'script','stage_id':'s1'},"
                 "{'id':'job:image','kind':'job','label':'image',"
                 "'node_id':'image'},"
                 "{'id':'child_run:w','kind':'child_run','label':'helper',"
                 "'worker_id':'w'},"
                 "{'id':'child_run:v','kind':'child_run','label':'',"
                 "'worker_id':'v'},"
                 "{'id':'question:q','kind':'question','label':'Go on?',"
                 "'request_id':'q'},"
                 "{'id':'question:p','kind':'question','label':'',"
                 "'request_id':'p'},"
                 "{'id':'handoff:h','kind':'handoff','label':'Ann'}],"
                 "'edges':[{'from':'run:r','to':'job:s1','kind':'ran'},"
                 "{'from':'run:r','to':'job:s1#2','kind':'ran'},"
                 "{'from':'run:r','to':'job:image','kind':'ran'},"
                 "{'from':'job:s1','to':'child_run:w','kind':'spawned'},"
                 "{'from':'run:r','to':'child_run:v','kind':'spawned'},"
                 "{'from':'run:r','to':'question:q','kind':'asked'},"
                 "{'from':'job:s1','to':'question:p','kind':'asked'},"
                 "{'from':'run:r','to':'handoff:h','kind':'handed_to'}],"
                 "'counts':{'jobs':3,'child_runs':2,'questions':2,'handoffs':1,"
                 "'artifacts':2,'compactions':0,'daemon_events':0},"
                 "'compaction_events':[],'daemon_events':[]}"));
}

TEST_F(ActionGraphTest, ReadsTranscriptsAndSidecar) {  // F: S4-23, S4-24, S4-26
  ASSERT_OK(files_.CreateDirectories("/d/r-llm"));
  ASSERT_OK(WriteFileAtomically(
      files_, "/d/r-llm/llm_transcript.jsonl",
      "{\"type\":\"daemon_event\",\"kind\":\"stopped\"}\n"));
  const JsonValue document = Json(
      "{'id':'r','persisted_path':'/d/r.json',"
      "'transcript':{'events':[{'kind':'compaction','id':'c2'}]},"
      "'stages':[{'id':'s','node_id':'n','transcript':"
      "{'events':[{'kind':'compaction','id':'c1'}]}}]}");
  JsonValue observability = Observability(document, files_);
  const JsonArray& events = observability.Find("compaction_events")->array();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(*events[0].Find("snapshot_location"),
            JsonValue("run.stages[n].transcript"));
  EXPECT_EQ(*events[0].Find("stage_id"), JsonValue("s"));
  EXPECT_EQ(*events[0].Find("snapshot_path"), JsonValue("/d/r.json"));
  EXPECT_EQ(*events[1].Find("snapshot_location"), JsonValue("run.transcript"));
  EXPECT_EQ(events[1].Find("stage_id"), nullptr);
  EXPECT_EQ(observability.Find("daemon_events")->array().size(), 1u);
  EXPECT_EQ(*observability.Find("transcript_sidecar"),
            Json("{'path':'/d/r-llm/llm_transcript.jsonl',"
                 "'available':true}"));

  // A sidecar that cannot be read is told, and the rest stands.
  files_.FailNext(FileOp::kRead, DiskFailure("broken"));
  observability = Observability(document, files_);
  EXPECT_THAT(
      observability.Find("transcript_sidecar")->Find("error")->string_value(),
      HasSubstr("broken"));
  EXPECT_EQ(observability.Find("compaction_events")->array().size(), 2u);
}

TEST_F(ActionGraphTest, EventTellsOfTheRecord) {  // F: S4-40
  const TopicRecord event = ActionGraphEvent(
      Json("{'id':'r','workflow_id':'w','status':'failed',"
           "'persisted_path':'/r.json','metadata':{'trace_id':'t'},"
           "'observability':{'schema_version':1}}"));
  EXPECT_EQ(event.kind, "action_graph_update");
  EXPECT_THAT(event.headers,
              ElementsAre(Pair("run_id", "r"), Pair("trace_id", "t"),
                          Pair("workflow_id", "w")));
  EXPECT_EQ(event.payload,
            Json("{'run_id':'r','workflow_id':'w','persisted_path':'/r.json',"
                 "'status':'failed','observability':{'schema_version':1}}"));
  EXPECT_THAT(ActionGraphEvent(Json("{'id':'r'}")).headers,
              ElementsAre(Pair("run_id", "r"), Pair("workflow_id", "")));
}

}  // namespace
}  // namespace kinora
