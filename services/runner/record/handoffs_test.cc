#include "services/runner/record/handoffs.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "services/runner/record/record_fixture.h"

namespace kinora {
namespace {

const JsonValue& Member(const JsonValue& value, const char* key) {
  static const JsonValue kNone;
  const JsonValue* member = value.Find(key);
  return member == nullptr ? kNone : *member;
}

TEST(HandoffsTest, HaveOneForm) {  // F: S4-39
  EXPECT_EQ(
      NormalizedHandoff(Json(
          "{'id':'h','source_persona':' a ','task':' t','confidence':7,"
          "'target_persona_or_human':{'kind':'queue','id':' ','label':'b'},"
          "'open_questions':[' x ','x','',7],"
          "'receipt_links':[{'label':' '},{'kind':'run_receipt'}]}")),
      Json("{'id':'h','source_persona':'a','task':'t','confidence':1,"
           "'target_persona_or_human':{'kind':'worker','label':'b'},"
           "'open_questions':['x',7],'kind':'handoff',"
           "'receipt_links':[{'kind':'run_receipt'}]}"));
  const JsonValue a = NormalizedHandoff(Json("{'task':'t'}"));
  EXPECT_EQ(a, NormalizedHandoff(Json("{'task':' t ','id':''}")));
  EXPECT_NE(Member(a, "id"),
            Member(NormalizedHandoff(Json("{'task':'u'}")), "id"));
}

TEST(HandoffsTest, AreInStepWithTheirArtifacts) {  // F: S4-39
  JsonValue document = Json(
      "{'id':'r','workflow_id':'w','persisted_path':'/r.json',"
      "'handoffs':[{'id':'h2','created_at':'2','task':'list','metadata':"
      "{'a':1},'target_persona_or_human':{'kind':'human','label':'Ann'}}],"
      "'artifacts':[{'id':'x','kind':'image'},"
      "{'id':'mine','kind':'handoff','title':'T','data':{'id':'h2',"
      "'task':'artifact','reason':'why','metadata':{'a':2,'b':3}}},"
      "{'kind':'handoff','data':{'id':'h1','created_at':'1','task':'only'}},"
      "{'kind':'handoff','data':{}}]}");
  SyncHandoffs(document);

  const JsonArray& handoffs = Member(document, "handoffs").array();
  ASSERT_EQ(handoffs.size(), 2u);
  EXPECT_EQ(Member(handoffs[0], "id"), JsonValue("h1"));
  EXPECT_EQ(handoffs[1],
            Json("{'id':'h2','created_at':'2','task':'list','reason':'why',"
                 "'metadata':{'a':1,'b':3},'kind':'handoff',"
                 "'target_persona_or_human':{'kind':'human','label':'Ann'},"
                 "'parent_run_id':'r','receipt_links':[{'kind':'run_receipt',"
                 "'label':'w','run_id':'r','path':'/r.json'}]}"));
  const JsonArray& artifacts = Member(document, "artifacts").array();
  ASSERT_EQ(artifacts.size(), 4u);
  EXPECT_EQ(artifacts[0], Json("{'id':'x','kind':'image'}"));
  EXPECT_EQ(Member(artifacts[1], "id"), JsonValue("mine"));
  EXPECT_EQ(Member(artifacts[1], "title"), JsonValue("T"));
  EXPECT_EQ(Member(artifacts[1], "data"), handoffs[1]);
  EXPECT_EQ(Member(artifacts[1], "metadata"),
            Json("{'handoff_id':'h2','handoff_kind':'handoff',"
                 "'target_kind':'human','target_label':'Ann'}"));
  EXPECT_EQ(Member(artifacts[2], "data"), handoffs[0]);
  EXPECT_EQ(Member(artifacts[2], "id"), JsonValue("artifact_h1"));

  const JsonValue once = document;
  SyncHandoffs(document);
  EXPECT_EQ(document, once);
}

TEST(HandoffsTest, OneThatHasNoArtifactGetsOne) {  // F: S4-39
  JsonValue document = Json("{'id':'r','handoffs':[{'task':'t'}]}");
  SyncHandoffs(document);
  ASSERT_EQ(Member(document, "artifacts").array().size(), 1u);
  EXPECT_EQ(Member(Member(document, "artifacts").array()[0], "data"),
            Member(document, "handoffs").array()[0]);
  const JsonValue once = document;
  SyncHandoffs(document);
  EXPECT_EQ(document, once);
}

TEST(HandoffsTest, TheReceiptFollowsTheRecord) {  // F: S4-39
  JsonValue document = Json("{'id':'r','handoffs':[{'id':'h'}]}");
  SyncHandoffs(document);
  document.object().Set("persisted_path", "/a.json");
  SyncHandoffs(document);
  document.object().Set("persisted_path", "/b.json");
  SyncHandoffs(document);
  EXPECT_EQ(Member(Member(document, "handoffs").array()[0], "receipt_links"),
            Json("[{'kind':'run_receipt','run_id':'r','path':'/b.json'}]"));
}

TEST(HandoffsTest, OfOneIdTheLaterGoesBefore) {  // F: S4-39
  JsonValue document = Json(
      "{'handoffs':[{'id':'h','task':'1','reason':'kept'},"
      "{'id':'h','task':'2'}]}");
  SyncHandoffs(document);
  const JsonArray& handoffs = Member(document, "handoffs").array();
  ASSERT_EQ(handoffs.size(), 1u);
  EXPECT_EQ(Member(handoffs[0], "task"), JsonValue("2"));
  EXPECT_EQ(Member(handoffs[0], "reason"), JsonValue("kept"));
}

TEST(HandoffsTest, AnArtifactThatIsNoHandoffIsLeftAlone) {
  for (const char* data :
       {"7", "null", "{}", "{'id':'h','created_at':7}",
        "{'id':'h','receipt_links':[7]}", "{'id':'h','metadata':[]}"}) {
    const JsonValue before =
        Json(std::string("{'id':'r','artifacts':[{'kind':'handoff','data':") +
             data + "}]}");
    JsonValue document = before;
    SyncHandoffs(document);
    EXPECT_EQ(document, before);
  }
}

TEST(HandoffsTest, ARecordWithoutAnyStaysAsItIs) {
  for (const char* text : {"{'id':'r'}",
                           "{'id':'r','handoffs':[],"
                           "'artifacts':[{'kind':'image'}]}"}) {
    JsonValue document = Json(text);
    SyncHandoffs(document);
    EXPECT_EQ(document, Json(text));
  }
}

}  // namespace
}  // namespace kinora
