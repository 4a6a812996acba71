#include "services/runner/record/replay_fixture.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "services/runner/record/record_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ReplayFixtureTest : public RecordTest {
 protected:
  JsonValue FixtureOf(const JsonValue& document) {
    return ReplayFixtureOf(document, clock_, ids_);
  }
};

TEST_F(ReplayFixtureTest, HoldsWhatTheRunCameTo) {  // F: S4-37
  std::string text;
  for (int i = 0; i < 81; ++i) text += "é";
  JsonValue document = Json(
      "{'id':'r','workflow_id':'w','status':'completed','stages':["
      "{'node_id':'a','status':'completed','outcome':'success',"
      "'branch':'yes','artifacts':[{'kind':'image'},{'kind':'text'}]},"
      "{'node_id':'b','status':'failed','visible_text':''}]}");
  document.object().Find("stages")->array()[0].object().Set("visible_text",
                                                            text);
  JsonValue fixture = FixtureOf(document);
  EXPECT_THAT(fixture.Find("id")->string_value(),
              ::testing::StartsWith("fixture-"));
  EXPECT_NE(*FixtureOf(document).Find("id"), *fixture.Find("id"));
  EXPECT_FALSE(fixture.Find("created_at")->string_value().empty());
  fixture.object().Remove("id");
  fixture.object().Remove("created_at");
  JsonValue expected = Json(
      "{'type':'replay_fixture','source_run_id':'r','workflow_id':'w',"
      "'eval_kind':'replay','expected_status':'completed',"
      "'stage_assertions':[{'node_id':'a','expected_status':'completed',"
      "'expected_outcome':'success','expected_branch':'yes',"
      "'required_artifact_kinds':['image','text']},"
      "{'node_id':'b','expected_status':'failed','expected_outcome':'',"
      "'required_artifact_kinds':[]}]}");
  expected.object()
      .Find("stage_assertions")
      ->array()[0]
      .object()
      .Set("visible_text_contains", text.substr(0, 160));
  EXPECT_EQ(fixture, expected);
}

TEST_F(ReplayFixtureTest, TellsAllThatIsOther) {  // F: S4-38
  const JsonValue fixture = Json(
      "{'expected_status':'completed','stage_assertions':["
      "{'node_id':'a','expected_status':'completed',"
      "'expected_outcome':'success','expected_branch':'yes',"
      "'required_artifact_kinds':['image','text'],"
      "'visible_text_contains':'hello'},{'node_id':'gone'}]}");
  EXPECT_THAT(
      EvaluateReplay(
          Json("{'status':'failed','stages':[{'node_id':'a',"
               "'status':'failed','outcome':'error','visible_text':'bye',"
               "'artifacts':[{'kind':'text'}]}]}"),
          fixture),
      ElementsAre(
          "run status mismatch: expected \"completed\", got \"failed\"",
          "stage a status mismatch: expected \"completed\", got \"failed\"",
          "stage a outcome mismatch: expected \"success\", got \"error\"",
          "stage a branch mismatch: expected \"yes\", got none",
          "stage a missing artifact kind \"image\"",
          "stage a visible text does not contain \"hello\"",
          "missing stage gone"));
  EXPECT_THAT(
      EvaluateReplay(
          Json("{'status':'completed','stages':[{'node_id':'gone'},"
               "{'node_id':'a','status':'completed','outcome':'success',"
               "'branch':'yes','visible_text':'oh hello you',"
               "'artifacts':[{'kind':'text'},{'kind':'image'}]}]}"),
          fixture),
      IsEmpty());
}

TEST_F(ReplayFixtureTest, ARunPassesItsOwnFixture) {  // F: S4-38
  // One node twice: a retry that succeeded.
  const JsonValue document = Json(
      "{'status':'completed','stages':[{'node_id':'a','status':'failed'},"
      "{'node_id':'a','status':'completed','visible_text':'x'}]}");
  const JsonValue fixture = FixtureOf(document);
  EXPECT_THAT(EvaluateReplay(document, fixture), IsEmpty());
  EXPECT_THAT(
      EvaluateReplay(Json("{'status':'completed','stages':[{'node_id':'a',"
                          "'status':'completed','visible_text':'x'}]}"),
                     fixture),
      ElementsAre("missing stage a"));
  EXPECT_THAT(EvaluateReplay(JsonValue(7), JsonValue("x")), IsEmpty());
}

TEST_F(ReplayFixtureTest, IsMadeOnceTheRunHasEnded) {  // F: S4-41
  JsonValue document = Json("{'id':'r','status':'running'}");
  AddReplayFixture(document, clock_, ids_);
  EXPECT_EQ(document.Find("replay_fixture"), nullptr);

  document.object().Set("status", "completed");
  AddReplayFixture(document, clock_, ids_);
  ASSERT_NE(document.Find("replay_fixture"), nullptr);
  const JsonValue once = document;
  document.object().Set("status", "failed");
  AddReplayFixture(document, clock_, ids_);
  EXPECT_EQ(*document.Find("replay_fixture"), *once.Find("replay_fixture"));
}

TEST_F(ReplayFixtureTest, OneOfTheRunningRunIsMadeAnew) {  // F: S4-31, S4-41
  const auto status_after = [&](const std::string& fixture) {
    JsonValue document = Json(
        "{'id':'r','status':'completed','replay_fixture':" + fixture + "}");
    AddReplayFixture(document, clock_, ids_);
    return document.Find("replay_fixture")
        ->Find("expected_status")
        ->string_value();
  };
  EXPECT_EQ(status_after("{'source_run_id':'r','expected_status':'running'}"),
            "completed");
  // These are somebody's own.
  EXPECT_EQ(status_after("{'source_run_id':'s','expected_status':'running'}"),
            "running");
  EXPECT_EQ(status_after("{'source_run_id':'r','expected_status':'running',"
                         "'eval_kind':'clarifying_question'}"),
            "running");
  EXPECT_EQ(status_after("{'source_run_id':'r','expected_status':'odd'}"),
            "odd");
}

TEST_F(ReplayFixtureTest, KnowsWhatHasEnded) {
  for (const char* ended :
       {"{'status':'completed'}", "{'status':'Failed'}",
        "{'status':'timed_out'}", "{'status':'done','finished_at':'1'}"}) {
    EXPECT_TRUE(HasEnded(Json(ended))) << ended;
  }
  for (const char* goes_on :
       {"{}", "{'status':'running','finished_at':'1'}", "{'status':'done'}",
        "{'status':'waiting'}", "{'finished_at':'1'}"}) {
    EXPECT_FALSE(HasEnded(Json(goes_on))) << goes_on;
  }
}

}  // namespace
}  // namespace kinora
