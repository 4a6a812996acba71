#include "services/runner/record/transcript_lines.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/runner/record/document_members.h"
#include "services/runner/record/record_fixture.h"

namespace kinora {
namespace {

class TranscriptLinesTest : public RecordTest {
 protected:
  std::string Sidecar() {
    const absl::StatusOr<std::string> text =
        ReadFile(files_, "runs/r-llm/llm_transcript.jsonl");
    return text.ok() ? *text : text.status().ToString();
  }
};

// S4-22: one line an event, of jobs and of the run, with where it is from.
TEST_F(TranscriptLinesTest, EachEventIsALine) {
  const JsonValue document = Json(
      "{'stages':["
      "{'id':'s1','node_id':'n','transcript':{'id':'t1','events':["
      "{'kind':'message','text':'hi'},{'stage_id':'own','node_id':7},'raw']}},"
      "{'id':'s2','transcript':'told otherwise'},"
      "{'id':'s3','transcript':{'events':{}}}],"
      "'transcript':{'events':[{'kind':'compaction'}]}}");
  EXPECT_EQ(TranscriptLines(document),
            R"({"kind":"message","node_id":"n","stage_id":"s1",)"
            R"("text":"hi","transcript_id":"t1"})"
            "\n"
            R"({"node_id":7,"stage_id":"own","transcript_id":"t1"})"
            "\n"
            R"("raw")"
            "\n"
            R"({"kind":"compaction"})"
            "\n");
}

// S4-22, S4-26: what the record tells of daemons is what the sidecar says.
TEST_F(TranscriptLinesTest, TheRecordTellsOfWhatIsSavedBesideIt) {
  const JsonValue document = Json(
      "{'id':'r','status':'completed','stages':[{'id':'s1','transcript':"
      "{'id':'t1','events':[{'type':'daemon_event','daemon_id':'d',"
      "'kind':'triggered'}]}}]}");
  ASSERT_OK(SaveTranscriptLines(document, "runs/r.json", files_));
  ASSERT_OK_AND_ASSIGN(const JsonValue saved,
                       RunDocumentToSave(document, "runs/r.json", Deps()));
  const JsonValue& told = *saved.Find("observability");
  EXPECT_EQ(*told.Find("transcript_sidecar"),
            Json("{'path':'runs/r-llm/llm_transcript.jsonl',"
                 "'available':true}"));
  ASSERT_EQ(ElementsOf(told, "daemon_events").size(), 1u);
  EXPECT_EQ(TextOrEmpty(ElementsOf(told, "daemon_events")[0], "kind"),
            "triggered");
}

TEST_F(TranscriptLinesTest, ARunWithoutTranscriptsHasNoSidecar) {
  ASSERT_OK(SaveTranscriptLines(Json("{'id':'r','stages':[{'id':'s1'}]}"),
                                "runs/r.json", files_));
  EXPECT_THAT(Exists(files_, "runs"), IsOkAndHolds(false));
}

// What is there stays whole when the disk does not take the new one.
TEST_F(TranscriptLinesTest, AFailureSaysWhatFailed) {
  const auto document = [](const std::string& text) {
    return Json("{'id':'r','transcript':{'events':['" + text + "']}}");
  };
  ASSERT_OK(SaveTranscriptLines(document("old"), "runs/r.json", files_));
  files_.FailNext(FileOp::kSync, DiskFailure("no"));
  const absl::Status failed =
      SaveTranscriptLines(document("new"), "runs/r.json", files_);
  EXPECT_THAT(std::string(failed.message()),
              ::testing::StartsWith("persist transcript: "));
  EXPECT_EQ(Sidecar(), "\"old\"\n");
  ASSERT_OK(SaveTranscriptLines(document("new"), "runs/r.json", files_));
  files_.Crash(1);
  EXPECT_EQ(Sidecar(), "\"new\"\n");
}

}  // namespace
}  // namespace kinora
