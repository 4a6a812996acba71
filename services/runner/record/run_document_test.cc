#include "services/runner/record/run_document.h"

#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/json/canonical_json.h"
#include "common/testing/status_matchers.h"
#include "services/runner/record/action_graph.h"
#include "services/runner/record/record_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// A run that has ended, of another system, as it might have left it.
constexpr char kEnded[] =
    "{'_type':'run_record','id':'r','workflow_id':'w','status':'completed',"
    "'started_at':'1','root_run_id':'root','unknown':[1,{'a':null}],"
    "'stages':[{'id':'s','node_id':'n','status':'completed',"
    "'metadata':{'worker':{'id':'w1'}}}],'handoffs':[{'id':'h'}]}";

enum class Step { kNormalize, kSave, kLoad };

class RunDocumentTest : public RecordTest {};

// What holds of each step, or is another in each.
class RunDocumentStepTest : public RecordTest,
                            public ::testing::WithParamInterface<Step> {
 protected:
  void Ask(const std::string& run_id) {
    TopicRecord asked;
    asked.kind = "hitl.question_asked";
    asked.payload = Json("{'run_id':'" + run_id +
                         "','request_id':'q','payload':{'prompt':'?'}}");
    ASSERT_OK(log_.Append("hitl.questions", asked));
  }

  // What `document` is after the step; of a save what the file holds.
  JsonValue After(Step step, const JsonValue& document) {
    switch (step) {
      case Step::kNormalize:
        return NormalizedRunDocument(document, Deps(&log_)).value();
      case Step::kSave: {
        EXPECT_OK(SaveRunDocument(document, "/saved.json", Deps(&log_)));
        return ParseJson(ReadFile(files_, "/saved.json").value()).value();
      }
      case Step::kLoad:
        EXPECT_OK(WriteFileAtomically(files_, "/loaded.json",
                                      CanonicalJson(document)));
        return LoadRunDocument("/loaded.json", Deps(&log_)).value();
    }
    return JsonValue();
  }
  JsonValue After(const JsonValue& document) {
    return After(GetParam(), document);
  }
  // What one of three steps does.
  template <typename T>
  T Of(T normalize, T save, T load) const {
    return GetParam() == Step::kNormalize ? normalize
           : GetParam() == Step::kSave    ? save
                                          : load;
  }
};

INSTANTIATE_TEST_SUITE_P(All, RunDocumentStepTest,
                         ::testing::Values(Step::kNormalize, Step::kSave,
                                           Step::kLoad),
                         [](const ::testing::TestParamInfo<Step>& info) {
                           return info.param == Step::kNormalize ? "Normalize"
                                  : info.param == Step::kSave    ? "Save"
                                                                 : "Load";
                         });

TEST_P(RunDocumentStepTest, TheCallersDocumentDoesNotChange) {  // F: S4-27
  const JsonValue document = Json(kEnded);
  const JsonValue after = After(document);
  EXPECT_EQ(document, Json(kEnded));
  EXPECT_EQ(*after.Find("unknown"), Json("[1,{'a':null}]"));
}

TEST_P(RunDocumentStepTest, DefaultsAreForThoseThatHaveNone) {  // F: S4-28
  const JsonValue after = After(Json("{'status':'','root_run_id':null}"));
  const bool is_defaulted = Of(true, false, false);
  for (const char* key : {"type", "id", "started_at"}) {
    EXPECT_EQ(after.Find(key) != nullptr, is_defaulted) << key;
  }
  EXPECT_EQ(*after.Find("status"), JsonValue(is_defaulted ? "running" : ""));
  if (is_defaulted) {
    EXPECT_EQ(*after.Find("type"), JsonValue("run_record"));
    EXPECT_THAT(after.Find("id")->string_value(), StartsWith("run-"));
    EXPECT_EQ(*after.Find("root_run_id"), *after.Find("id"));
    EXPECT_THAT(after.Find("started_at")->string_value(), EndsWith("Z"));
  }
  const JsonValue kept = After(Json(kEnded));
  EXPECT_EQ(*kept.Find("id"), JsonValue("r"));
  EXPECT_EQ(*kept.Find("root_run_id"), JsonValue("root"));
  EXPECT_EQ(*kept.Find("started_at"), JsonValue("1"));
  EXPECT_EQ(*kept.Find("status"), JsonValue("completed"));
}

TEST_P(RunDocumentStepTest, QuestionsAreMergedFromTheLog) {  // F: S4-29
  Ask("r");
  const JsonValue after = After(Json(kEnded));
  EXPECT_EQ(after.Find("hitl_questions") != nullptr, Of(true, true, false));
}

TEST_P(RunDocumentStepTest, ChildRunsComeFromStages) {  // F: S4-30
  const JsonValue after = After(Json(kEnded));
  ASSERT_NE(after.Find("child_runs"), nullptr);
  EXPECT_THAT(after.Find("child_runs")->array(), SizeIs(1));
}

TEST_P(RunDocumentStepTest,
       AFixtureIsMadeAndNeverReplaced) {  // F: S4-31, S4-41
  const JsonValue after = After(Json(kEnded));
  ASSERT_NE(after.Find("replay_fixture"), nullptr);
  EXPECT_EQ(*after.Find("replay_fixture")->Find("source_run_id"),
            JsonValue("r"));
  JsonValue document = Json(kEnded);
  const JsonValue mine = Json("{'expected_status':'failed'}");
  document.object().Set("replay_fixture", mine);
  EXPECT_EQ(*After(document).Find("replay_fixture"), mine);
  document.object().Remove("replay_fixture");
  document.object().Set("status", "running");
  EXPECT_EQ(After(document).Find("replay_fixture"), nullptr);
}

TEST_P(RunDocumentStepTest, KnowsItsPath) {  // F: S4-32
  const JsonValue after = After(Json(kEnded));
  const JsonValue* path = after.Find("persisted_path");
  EXPECT_EQ(path == nullptr, Of(true, false, false));
  if (path != nullptr) {
    EXPECT_EQ(*path, JsonValue(Of("", "/saved.json", "/loaded.json")));
  }
  JsonValue document = Json(kEnded);
  document.object().Set("persisted_path", "/old.json");
  EXPECT_EQ(*After(document).Find("persisted_path"),
            JsonValue(Of("/old.json", "/saved.json", "/old.json")));
}

TEST_P(RunDocumentStepTest, HandoffsAreInStep) {  // F: S4-33
  const JsonValue after = After(Json(kEnded));
  ASSERT_NE(after.Find("artifacts"), nullptr);
  EXPECT_EQ(*after.Find("artifacts")->array()[0].Find("data"),
            after.Find("handoffs")->array()[0]);
}

TEST_P(RunDocumentStepTest, ObservabilityIsMade) {  // F: S4-34
  const JsonValue after = After(Json(kEnded));
  ASSERT_NE(after.Find("observability"), nullptr);
  EXPECT_EQ(*after.Find("observability")->Find("counts")->Find("child_runs"),
            JsonValue(1));
  JsonValue document = Json(kEnded);
  const JsonValue old = Json("{'schema_version':0}");
  document.object().Set("observability", old);
  EXPECT_EQ(*After(document).Find("observability") == old,
            Of(true, false, false));
}

TEST_P(RunDocumentStepTest, TwiceIsOnce) {
  Ask("r");
  const JsonValue once = After(Json(kEnded));
  EXPECT_EQ(After(once), once);
}

TEST_P(RunDocumentStepTest, MembersOfOtherNamesAreAdopted) {
  const JsonValue after =
      After(Json("{'_type':'run_record','id':'r','jobs':[{'node_id':'n'}],"
                 "'child_runs':[{'worker_id':'w','parent_job_id':'s'}]}"));
  EXPECT_EQ(*after.Find("type"), JsonValue("run_record"));
  EXPECT_EQ(*after.Find("stages"), Json("[{'node_id':'n'}]"));
  EXPECT_EQ(after.Find("jobs"), nullptr);
  EXPECT_EQ(*after.Find("child_runs"),
            Json("[{'worker_id':'w','parent_stage_id':'s'}]"));
}

TEST_F(RunDocumentTest, TheMembersTypesAreChecked) {
  const std::pair<const char*, const char*> kDamaged[] = {
      {"[]", "run record"},
      {"{'id':7}", "id"},
      {"{'stages':{}}", "stages"},
      {"{'stages':[{},7]}", "stages[1]"},
      {"{'stages':[{'artifacts':[{'kind':[]}]}]}",
       "stages[0].artifacts[0].kind"},
      {"{'metadata':'m'}", "metadata"},
      {"{'child_runs':[{'worker_id':false}]}", "child_runs[0].worker_id"}};
  for (const auto& damaged : kDamaged) {
    EXPECT_THAT(NormalizedRunDocument(Json(damaged.first), Deps()),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr(std::string(damaged.second) + ": must be")));
  }
  EXPECT_OK(NormalizedRunDocument(
      Json("{'id':null,'stages':null,'metadata':null}"), Deps()));
}

TEST_F(RunDocumentTest, ErrorsOfTheLogAreTold) {  // F: S4-6
  log_.read_error = absl::UnavailableError("gone");
  EXPECT_THAT(NormalizedRunDocument(Json(kEnded), Deps(&log_)),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(SaveRunDocument(Json(kEnded), "/r.json", Deps(&log_)),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(files_.Stat("/r.json"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(RunDocumentTest, SavesIndentedWhereItIsToldTo) {  // F: S4-35
  ASSERT_OK_AND_ASSIGN(const std::string path,
                       RunDocumentPath("/a/b", Json("{'id':'r'}")));
  EXPECT_EQ(path, "/a/b/r.json");
  ASSERT_OK_AND_ASSIGN(const std::string saved,
                       SaveRunDocument(Json(kEnded), path, Deps(&log_)));
  EXPECT_EQ(saved, path);
  const std::string text = ReadFile(files_, path).value();
  EXPECT_THAT(text, AllOf(StartsWith("{\n  \"id\": \"r\",\n"),
                          HasSubstr("\n  \"handoffs\": [\n    {\n"),
                          EndsWith("\n}\n")));
  ASSERT_THAT(log_.topics[std::string(kActionGraphTopic)], SizeIs(1));
  const TopicRecord& event = log_.topics[std::string(kActionGraphTopic)][0];
  EXPECT_EQ(event.header("run_id"), "r");
  EXPECT_EQ(*event.payload.Find("persisted_path"), JsonValue("/a/b/r.json"));
  EXPECT_EQ(*event.payload.Find("observability"),
            *ParseJson(text)->Find("observability"));

  for (const char* id : {"{}", "{'id':''}", "{'id':'a/b'}", "{'id':'a\\n'}"}) {
    EXPECT_THAT(RunDocumentPath("/a", Json(id)),
                StatusIs(absl::StatusCode::kInvalidArgument, StartsWith("id")));
  }
}

TEST_F(RunDocumentTest, PublishesOnlyWhatIsDurable) {  // F: S4-35
  files_.FailNext(FileOp::kSync, DiskFailure("full of holes"));
  EXPECT_THAT(SaveRunDocument(Json(kEnded), "/r.json", Deps(&log_)),
              StatusIs(absl::StatusCode::kDataLoss,
                       StartsWith("persist run record: ")));
  EXPECT_THAT(log_.topics[std::string(kActionGraphTopic)], IsEmpty());
  EXPECT_THAT(files_.List("/").value(), IsEmpty());

  // Whether it could be published is nobody's concern.
  log_.append_error = absl::UnavailableError("gone");
  EXPECT_OK(SaveRunDocument(Json(kEnded), "/r.json", Deps(&log_)));
  EXPECT_OK(LoadRunDocument("/r.json", Deps()));
}

TEST_F(RunDocumentTest, ErrorsSayWhatFailed) {  // F: S4-36
  const auto save = [&](const JsonValue& document) {
    return SaveRunDocument(document, "/d/r.json", Deps()).status();
  };
  const auto load = [&] { return LoadRunDocument("/r.json", Deps()).status(); };
  files_.FailNext(FileOp::kCreateDirectories,
                  absl::PermissionDeniedError("/d: no"));
  EXPECT_THAT(save(Json(kEnded)),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       StartsWith("create run directory: ")));
  EXPECT_THAT(save(Json("{'stages':7}")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       StartsWith("encode run record: stages")));
  JsonValue deep;
  for (int i = 0; i < 300; ++i) deep = JsonArray{std::move(deep)};
  JsonValue too_deep = Json(kEnded);
  too_deep.object().Set("unknown", std::move(deep));
  EXPECT_THAT(save(too_deep), StatusIs(absl::StatusCode::kInvalidArgument,
                                       StartsWith("encode run record: ")));
  EXPECT_THAT(files_.Stat("/d"), StatusIs(absl::StatusCode::kNotFound));
  files_.FailNext(FileOp::kRename, DiskFailure("broken"));
  EXPECT_THAT(save(Json(kEnded)), StatusIs(absl::StatusCode::kDataLoss,
                                           StartsWith("persist run record: ")));

  EXPECT_THAT(load(), StatusIs(absl::StatusCode::kNotFound,
                               StartsWith("read run record: ")));
  ASSERT_OK(WriteFileAtomically(files_, "/r.json", "{\"id\":\"r\""));
  EXPECT_THAT(load(), StatusIs(absl::StatusCode::kInvalidArgument,
                               StartsWith("parse run record: ")));
  ASSERT_OK(WriteFileAtomically(files_, "/r.json", "{\"n\":9007199254740993}"));
  EXPECT_THAT(load(), StatusIs(absl::StatusCode::kOutOfRange,
                               StartsWith("parse run record: ")));
  ASSERT_OK(WriteFileAtomically(files_, "/r.json", "{\"status\":7}"));
  EXPECT_THAT(load(), StatusIs(absl::StatusCode::kInvalidArgument,
                               StartsWith("decode run record: status: ")));
}

TEST_F(RunDocumentTest, WhateverCrashesTheOldOrTheNewIsThere) {  // F: S4-42
  JsonValue changed = Json(kEnded);
  changed.object().Set("workflow_id", "changed");
  for (int stop = 0;; ++stop) {
    FaultyFileSystem files;
    const RunDocumentDeps deps = {clock_, ids_, files};
    ASSERT_OK(SaveRunDocument(Json(kEnded), "/d/r.json", deps));
    files.StopAfter(stop);
    const bool is_saved = SaveRunDocument(changed, "/d/r.json", deps).ok();
    const bool is_cut = files.stopped();
    files.Crash(stop);
    ASSERT_OK_AND_ASSIGN(const JsonValue there,
                         LoadRunDocument("/d/r.json", deps));
    const std::string workflow = there.Find("workflow_id")->string_value();
    EXPECT_THAT(workflow, ::testing::AnyOf("w", "changed")) << stop;
    if (is_saved) {
      EXPECT_EQ(workflow, "changed") << stop;
    }
    ASSERT_OK_AND_ASSIGN(const auto names, files.List("/d"));
    for (const std::string& name : names) {
      EXPECT_TRUE(name == "r.json" || absl::StartsWith(name, "r.json."))
          << name;
    }
    if (!is_cut) break;
    ASSERT_LT(stop, 100);
  }
}

}  // namespace
}  // namespace kinora
