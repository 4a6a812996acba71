#include "services/runner/record/child_runs.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "services/runner/record/record_fixture.h"

namespace kinora {
namespace {

TEST(ChildRunsTest, ComesFromTheWorkerOfAStage) {  // F: S4-1, S4-2, S4-3
  EXPECT_EQ(ChildRunOf(Json("{'id':'s'}")), std::nullopt);
  EXPECT_EQ(ChildRunOf(Json("{'id':'s','metadata':{}}")), std::nullopt);
  EXPECT_EQ(ChildRunOf(Json("{'metadata':{'worker':{'id':''}}}")),
            std::nullopt);
  EXPECT_EQ(ChildRunOf(Json("{'metadata':{'worker':{'name':'n'}}}")),
            std::nullopt);
  EXPECT_EQ(ChildRunOf(Json("{'metadata':{'worker':'w'}}")), std::nullopt);
  EXPECT_EQ(ChildRunOf(Json("{'id':'','metadata':{'worker':{'id':'w'}}}")),
            Json("{'worker_id':'w','worker_name':'worker','task':'',"
                 "'status':'completed','started_at':''}"));
  EXPECT_EQ(
      ChildRunOf(Json(
          "{'id':'s1','metadata':{'worker':{'id':'w','name':'n','task':'t',"
          "'status':'failed','started_at':'a','finished_at':'b',"
          "'audit':{'session_id':'x','parent_session_id':'y',"
          "'mutation_scope':'z','approval_policy':{'auto_deny':['rm']}},"
          "'child_run_id':'r','child_run_path':'r.json','snapshot_path':'p',"
          "'execution':{'cwd':'/w','env':{'A':'1'}},'request':[1],"
          "'provenance':{'by':'me'}}}}")),
      Json("{'worker_id':'w','worker_name':'n','parent_stage_id':'s1',"
           "'session_id':'x','parent_session_id':'y','mutation_scope':'z',"
           "'approval_policy':{'auto_deny':['rm']},'task':'t','request':[1],"
           "'provenance':{'by':'me'},'status':'failed','started_at':'a',"
           "'finished_at':'b','run_id':'r','run_path':'r.json',"
           "'snapshot_path':'p','execution':{'cwd':'/w','env':{'A':'1'}}}"));
}

TEST(ChildRunsTest, PolicyOrExecutionThatIsNoneIsLeftOut) {  // F: S4-3
  for (const char* worker :
       {"{'id':'w','audit':{'approval_policy':'all'}}",
        "{'id':'w','audit':{'approval_policy':{'auto_deny':[1]}}}",
        "{'id':'w','execution':7}", "{'id':'w','execution':{'cwd':7}}",
        "{'id':'w','execution':{'env':{'A':1}}}"}) {
    JsonValue stage = Json("{'metadata':{}}");
    stage.object().Find("metadata")->object().Set("worker", Json(worker));
    EXPECT_EQ(ChildRunOf(stage),
              Json("{'worker_id':'w','worker_name':'worker','task':'',"
                   "'status':'completed','started_at':''}"))
        << worker;
  }
}

TEST(ChildRunsTest, FillsOnlyWhatIsMissing) {  // F: S4-4
  JsonValue document = Json(
      "{'stages':[{'id':'s1','metadata':{'worker':{'id':'w','name':'new',"
      "'task':'new','status':'failed','started_at':'new','finished_at':'new',"
      "'audit':{'session_id':'new','parent_session_id':'new'},"
      "'child_run_id':'new','child_run_path':'new','request':1}}}],"
      "'child_runs':[{'worker_id':'w','worker_name':'','task':'old',"
      "'status':'running','started_at':'','session_id':'',"
      "'parent_session_id':null,'run_id':'old','note':'kept'}]}");
  AddChildRuns(document);
  const JsonValue expected = Json(
      "[{'worker_id':'w','worker_name':'new','task':'old','status':'running',"
      "'started_at':'new','session_id':'','parent_session_id':'new',"
      "'run_id':'old','note':'kept','parent_stage_id':'s1',"
      "'finished_at':'new','run_path':'new','request':1}]");
  EXPECT_EQ(*document.Find("child_runs"), expected);
}

TEST(ChildRunsTest, NewWorkersComeToTheEndInTheOrderOfStages) {  // F: S4-5
  JsonValue document = Json(
      "{'stages':["
      "{'id':'s1','metadata':{'worker':{'id':'b','task':'first'}}},"
      "{'id':'s2','metadata':{'worker':{'id':'a'}}},"
      "{'id':'s3','metadata':{'worker':{'id':'b','task':'second',"
      "'child_run_id':'r'}}}],'child_runs':[{'worker_id':'z'}]}");
  AddChildRuns(document);
  const JsonArray children = document.Find("child_runs")->array();
  ASSERT_EQ(children.size(), 3u);
  EXPECT_EQ(*children[0].Find("worker_id"), JsonValue("z"));
  EXPECT_EQ(*children[1].Find("worker_id"), JsonValue("b"));
  EXPECT_EQ(*children[1].Find("task"), JsonValue("first"));
  EXPECT_EQ(*children[1].Find("parent_stage_id"), JsonValue("s1"));
  EXPECT_EQ(*children[1].Find("run_id"), JsonValue("r"));
  EXPECT_EQ(*children[2].Find("worker_id"), JsonValue("a"));

  const JsonValue once = document;
  AddChildRuns(document);
  EXPECT_EQ(document, once);
}

}  // namespace
}  // namespace kinora
