#include "services/runner/record/transcript.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/runner/record/record_fixture.h"

namespace kinora {
namespace {

TEST(TranscriptTest, SidecarLiesBesideTheRecord) {  // F: S4-22
  EXPECT_EQ(TranscriptSidecarPath("/runs/r.json"),
            "/runs/r-llm/llm_transcript.jsonl");
  EXPECT_EQ(TranscriptSidecarPath("r.json"), "./r-llm/llm_transcript.jsonl");
  EXPECT_EQ(TranscriptSidecarPath("a/b.tar.gz"),
            "a/b.tar-llm/llm_transcript.jsonl");
  EXPECT_EQ(TranscriptSidecarPath("a/.hidden"),
            "a/.hidden-llm/llm_transcript.jsonl");
  EXPECT_EQ(TranscriptSidecarPath("/r"), "/r-llm/llm_transcript.jsonl");
  for (const char* path : {"", "/", "..", "a/..", ".", "a/\xff.json"}) {
    EXPECT_EQ(TranscriptSidecarPath(path), std::nullopt) << path;
  }
}

TEST(TranscriptTest, TellsItsCompactions) {  // F: S4-23, S4-24
  const JsonValue transcript = Json(
      "{'id':'t','events':[{'id':'e0','kind':'message'},"
      "{'id':'e1','kind':'compaction','metadata':{'mode':'auto',"
      "'strategy':'truncate','archived_messages':3,"
      "'estimated_tokens_before':120,'estimated_tokens_after':-1,"
      "'snapshot_asset_id':'a1'}},"
      "{'id':'e2','kind':'compaction','mode':'manual','archived_messages':1.5,"
      "'estimated_tokens_before':'9','snapshot_asset_id':'gone'},"
      "{'kind':'compaction'}],'assets':[{'id':'a1'},{'id':7},3]}");
  EXPECT_EQ(JsonValue(CompactionEvents(
                transcript, {"s", "n", "run.stages[n].transcript", "/r.json"})),
            Json("[{'id':'e1','transcript_id':'t','stage_id':'s','node_id':'n',"
                 "'mode':'auto','strategy':'truncate','archived_messages':3,"
                 "'estimated_tokens_before':120,'estimated_tokens_after':0,"
                 "'snapshot_asset_id':'a1',"
                 "'snapshot_location':'run.stages[n].transcript.assets[a1]',"
                 "'snapshot_path':'/r.json','available':true},"
                 "{'id':'e2','transcript_id':'t','stage_id':'s','node_id':'n',"
                 "'mode':'manual','strategy':'','archived_messages':0,"
                 "'estimated_tokens_before':0,'estimated_tokens_after':0,"
                 "'snapshot_asset_id':'gone',"
                 "'snapshot_location':'run.stages[n].transcript.assets[gone]',"
                 "'snapshot_path':'/r.json','available':false},"
                 "{'id':'','transcript_id':'t','stage_id':'s','node_id':'n',"
                 "'mode':'','strategy':'','archived_messages':0,"
                 "'estimated_tokens_before':0,'estimated_tokens_after':0,"
                 "'snapshot_location':'run.stages[n].transcript',"
                 "'snapshot_path':'/r.json','available':false}]"));
}

TEST(TranscriptTest, WhatIsNoTranscriptHasNoCompactions) {  // F: S4-25
  const TranscriptPlace place = {{}, {}, "run.transcript", {}};
  for (const char* transcript :
       {"null", "7", "{}", "{'events':7}", "{'events':[1,null,'x']}"}) {
    EXPECT_TRUE(CompactionEvents(Json(transcript), place).empty())
        << transcript;
  }
  EXPECT_EQ(
      JsonValue(CompactionEvents(
          Json("{'events':[{'kind':'compaction','snapshot_asset_id':'a'}],"
               "'assets':'a'}"),
          place)),
      Json("[{'id':'','mode':'','strategy':'','archived_messages':0,"
           "'estimated_tokens_before':0,'estimated_tokens_after':0,"
           "'snapshot_asset_id':'a',"
           "'snapshot_location':'run.transcript.assets[a]',"
           "'available':false}]"));
}

TEST(TranscriptTest, TellsWhatDaemonsDid) {  // F: S4-26
  std::string lines =
      "{\"type\":\"daemon_event\",\"daemon_id\":\"d\",\"name\":\"n\","
      "\"kind\":\"triggered\",\"timestamp\":\"1\",\"persist_path\":\"p\","
      "\"payload_summary\":\"s\",\"more\":1}\r\n"
      "\n  \n"
      "not json\n"
      "{\"type\":\"message\",\"kind\":\"spawned\"}\n"
      "{\"type\":\"daemon_event\",\"kind\":\"danced\"}\n"
      "{\"type\":\"daemon_event\",\"daemon_id\":7}\n"
      "7\n\xff\n";
  EXPECT_EQ(JsonValue(DaemonEvents(lines)),
            Json("[{'daemon_id':'d','name':'n','kind':'triggered',"
                 "'timestamp':'1','persist_path':'p',"
                 "'payload_summary':'s'}]"));
  for (const char* kind :
       {"spawned", "triggered", "snapshotted", "resumed", "stopped"}) {
    lines =
        std::string("{\"type\":\"daemon_event\",\"kind\":\"") + kind + "\"}";
    EXPECT_EQ(DaemonEvents(lines).size(), 1u) << kind;
  }
}

TEST(TranscriptTest, NoFileNoDaemons) {  // F: S4-26
  FaultyFileSystem files;
  ASSERT_OK_AND_ASSIGN(const JsonArray none, ReadDaemonEvents(files, "/no"));
  EXPECT_TRUE(none.empty());
  ASSERT_OK(WriteFileAtomically(
      files, "/yes", "{\"type\":\"daemon_event\",\"kind\":\"resumed\"}"));
  ASSERT_OK_AND_ASSIGN(const JsonArray one, ReadDaemonEvents(files, "/yes"));
  EXPECT_EQ(one.size(), 1u);
  files.FailNext(FileOp::kRead, DiskFailure("/yes: broken"));
  EXPECT_THAT(ReadDaemonEvents(files, "/yes"),
              StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace kinora
