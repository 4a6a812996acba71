#include "services/runner/record/run_document_source.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/runner/record/document_members.h"
#include "services/runner/record/record_fixture.h"
#include "services/runner/record/replay_fixture.h"
#include "services/runner/record/trace_identity.h"

namespace kinora {
namespace {

using ::testing::IsEmpty;

constexpr char kTrace[] = "0af7651916cd43dd8448eb211c80319c";

class RunDocumentSourceTest : public RecordTest {
 protected:
  RunDocumentSourceTest() {
    record_.set_run_id("run-1");
    record_.set_movie_id("film");
    record_.set_status(v1::RUN_STATUS_RUNNING);
    record_.mutable_create_time()->set_seconds(1'000);
    record_.set_traceparent(std::string("00-") + kTrace +
                            "-b7ad6b7169203331-01");
  }

  static v1::LedgerEvent At(int64_t ms) {
    v1::LedgerEvent event;
    event.set_run_id("run-1");
    event.set_occurred_at_ms(ms);
    return event;
  }
  static void Start(RunDocumentSource& source, const std::string& job,
                    int64_t ms, uint32_t attempt = 1) {
    v1::LedgerEvent event = At(ms);
    event.mutable_step_started()->mutable_step()->set_step_id(job);
    event.mutable_step_started()->set_attempt(attempt);
    source.TakeLedger(event);
  }
  static void Complete(RunDocumentSource& source, const std::string& job,
                       int64_t ms) {
    v1::LedgerEvent event = At(ms);
    event.mutable_step_completed()->mutable_step()->set_step_id(job);
    source.TakeLedger(event);
  }
  static void Fail(RunDocumentSource& source, const std::string& job,
                   int64_t ms) {
    v1::LedgerEvent event = At(ms);
    event.mutable_step_failed()->mutable_step()->set_step_id(job);
    event.mutable_step_failed()->set_error("no light");
    source.TakeLedger(event);
  }
  static void Skip(RunDocumentSource& source, const std::string& job,
                   const std::string& reason) {
    v1::LedgerEvent event = At(9'000);
    event.mutable_step_skipped()->mutable_step()->set_step_id(job);
    event.mutable_step_skipped()->set_reason(reason);
    source.TakeLedger(event);
  }
  static void Job(RunDocumentSource& source, const std::string& type,
                  const std::string& job, int64_t ms,
                  const std::string& detail) {
    v1::LedgerEvent event = At(ms);
    event.mutable_job()->set_type(type);
    event.mutable_job()->set_job_id(job);
    event.mutable_job()->set_detail_json(detail);
    source.TakeLedger(event);
  }
  static void Make(RunDocumentSource& source, const std::string& job,
                   const std::string& text, const std::string& notes = "",
                   const std::string& run_id = "run-1") {
    v1::Event event;
    event.mutable_time()->set_seconds(1'005);
    v1::ArtefactEvent* made = event.mutable_artefact();
    made->set_artefact_id("Artifact:Of" + job);
    made->set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
    made->mutable_produced_by()->set_run_id(run_id);
    made->mutable_produced_by()->set_job_id(job);
    made->mutable_output()->mutable_inline_()->set_mime_type("text/plain");
    made->mutable_output()->mutable_inline_()->set_data(text);
    made->set_diagnostics_json(notes);
    source.TakeArtefact(event);
  }
  static void EndWell(RunDocumentSource& source) {
    v1::LedgerEvent event = At(2'000'000);
    event.mutable_run_completed()->set_result_json(
        R"({"revision":"rev-0001","manifestHash":"aa"})");
    source.TakeLedger(event);
  }

  v1::RunRecord record_;
};

TEST_F(RunDocumentSourceTest, TellsWhatJobsDidInTheOrderOfThePlan) {
  v1::Plan plan;
  plan.add_layers()->add_jobs()->set_job_id("Write");
  v1::PlanLayer* second = plan.add_layers();
  second->add_jobs()->set_job_id("Draw[scene=0]");
  second->add_jobs()->set_job_id("Draw[scene=1]");

  RunDocumentSource source(record_);
  source.TakePlan(plan);
  Start(source, "Write", 1'000'000);
  Complete(source, "Write", 1'001'500);
  Start(source, "Draw[scene=1]", 1'002'000);
  Start(source, "Draw[scene=0]", 1'002'000);
  Start(source, "Draw[scene=0]", 1'003'000, 2);  // once more
  Complete(source, "Draw[scene=0]", 1'004'000);
  Fail(source, "Draw[scene=1]", 1'004'000);
  Skip(source, "Later", "blocked");
  Make(source, "Write", "A night in Rome");
  Make(source, "Write", "of another run", "", "run-2");

  const JsonValue document = source.Document();
  EXPECT_OK(CheckRunDocument(document));
  const auto stages = ElementsOf(document, "stages");
  ASSERT_EQ(stages.size(), 4u);
  EXPECT_EQ(stages[0],
            Json("{'id': 'Write', 'node_id': 'Write', 'status': 'completed',"
                 " 'outcome': 'success', 'visible_text': 'A night in Rome',"
                 " 'started_at': '1970-01-01T00:16:40Z',"
                 " 'finished_at': '1970-01-01T00:16:41.5Z', 'attempts': 1,"
                 " 'artifacts': [{'id': 'Artifact:OfWrite',"
                 "   'kind': 'text/plain',"
                 "   'created_at': '1970-01-01T00:16:45Z',"
                 "   'metadata': {'size_bytes': 15}}]}"));
  EXPECT_EQ(TextOrEmpty(stages[1], "id"), "Draw[scene=0]");
  EXPECT_EQ(TextOrEmpty(stages[1], "node_id"), "Draw");
  EXPECT_EQ(TextOrEmpty(stages[1], "started_at"), "1970-01-01T00:16:42Z");
  EXPECT_EQ(*stages[1].Find("attempts"), JsonValue(2));
  EXPECT_EQ(TextOrEmpty(stages[2], "id"), "Draw[scene=1]");
  EXPECT_EQ(TextOrEmpty(stages[2], "status"), "failed");
  EXPECT_EQ(TextOrEmpty(stages[2], "outcome"), "failure");
  EXPECT_EQ(TextOrEmpty(stages[2], "error"), "no light");
  EXPECT_EQ(TextOrEmpty(stages[3], "status"), "skipped");
  EXPECT_EQ(TextOrEmpty(stages[3], "outcome"), "blocked");
}

TEST_F(RunDocumentSourceTest, OutsideWorkersChangeNothingOfJobsOrTheEnd) {
  RunDocumentSource source(record_);
  Start(source, "Write", 1'000'000);
  Fail(source, "Write", 1'001'000);
  v1::LedgerEvent reported = At(1'002'000);
  reported.set_source(v1::LEDGER_SOURCE_WORKER);
  reported.mutable_step_completed()->mutable_step()->set_step_id("Write");
  source.TakeLedger(reported);
  reported.mutable_step_started()->mutable_step()->set_step_id("Theirs");
  source.TakeLedger(reported);
  reported.set_source(v1::LEDGER_SOURCE_EXTERNAL);
  reported.mutable_run_completed()->set_result_json("{}");
  source.TakeLedger(reported);
  const JsonValue document = source.Document();
  EXPECT_EQ(TextOrEmpty(document, "status"), "running");
  const auto stages = ElementsOf(document, "stages");
  ASSERT_EQ(stages.size(), 1u);
  EXPECT_EQ(TextOrEmpty(stages[0], "status"), "failed");
  EXPECT_EQ(TextOrEmpty(stages[0], "outcome"), "failure");
}

TEST_F(RunDocumentSourceTest, OfACallersRunItsWorkersTellTheEnd) {
  record_.set_stepwise(true);
  RunDocumentSource source(record_);
  Start(source, "Write", 1'000'000);
  v1::LedgerEvent reported = At(1'002'000);
  reported.set_source(v1::LEDGER_SOURCE_WORKER);
  reported.mutable_run_failed()->set_error("out of film");
  source.TakeLedger(reported);
  const JsonValue document = source.Document();
  EXPECT_EQ(TextOrEmpty(document, "status"), "failed");
  EXPECT_NE(TextOrEmpty(document, "finished_at"), "");
}

TEST_F(RunDocumentSourceTest, WhatIsReusedIsAsGoodAsMade) {
  RunDocumentSource source(record_);
  Skip(source, "Write", "reused");
  v1::Event by_plan;
  by_plan.mutable_artefact()->set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
  by_plan.mutable_artefact()->set_reused_sequence(7);
  by_plan.mutable_artefact()->mutable_produced_by()->set_run_id("run-1");
  by_plan.mutable_artefact()->mutable_produced_by()->set_job_id("Draw");
  source.TakeArtefact(by_plan);
  const JsonValue document = source.Document();
  const auto stages = ElementsOf(document, "stages");
  ASSERT_EQ(stages.size(), 2u);
  EXPECT_EQ(TextOrEmpty(stages[1], "id"), "Draw");
  EXPECT_EQ(TextOrEmpty(stages[1], "status"), "completed");
  EXPECT_EQ(*stages[1].Find("reused"), JsonValue(true));
  EXPECT_EQ(TextOrEmpty(stages[0], "status"), "completed");
  EXPECT_EQ(TextOrEmpty(stages[0], "outcome"), "success");
  EXPECT_EQ(*stages[0].Find("reused"), JsonValue(true));
}

// What a producer notes of its work: its worker, its handoffs and the rest.
TEST_F(RunDocumentSourceTest, NotesOfProducersComeToTheirPlaces) {
  RunDocumentSource source(record_);
  Start(source, "Write", 1'000'000);
  Complete(source, "Write", 1'001'000);
  Make(source, "Write", "text",
       R"({"worker":{"id":"w1"},"branch":"left","visible_text":"seen",)"
       R"("outcome":7,"transcript":{"id":"t1"},"words":12,)"
       R"("handoffs":[{"id":"h1","task":"cut it"},"none"]})");
  EndWell(source);
  ASSERT_OK_AND_ASSIGN(const JsonValue document,
                       NormalizedRunDocument(source.Document(), Deps()));
  const JsonValue& stage = ElementsOf(document, "stages")[0];
  EXPECT_EQ(TextOrEmpty(stage, "branch"), "left");
  EXPECT_EQ(TextOrEmpty(stage, "visible_text"), "seen");
  EXPECT_EQ(TextOrEmpty(stage, "outcome"), "success");
  EXPECT_EQ(*stage.Find("transcript"), Json("{'id': 't1'}"));
  // What is of another type is a note like others.
  EXPECT_EQ(*stage.Find("metadata"),
            Json("{'worker': {'id': 'w1'}, 'words': 12, 'outcome': 7,"
                 " 'handoffs': ['none']}"));
  ASSERT_EQ(ElementsOf(document, "handoffs").size(), 1u);
  EXPECT_EQ(TextOrEmpty(ElementsOf(document, "handoffs")[0], "id"), "h1");
  ASSERT_EQ(ElementsOf(document, "child_runs").size(), 1u);
  EXPECT_EQ(TextOrEmpty(ElementsOf(document, "child_runs")[0], "worker_id"),
            "w1");
}

TEST_F(RunDocumentSourceTest, AChildRunIsOneWithItsWorker) {
  RunDocumentSource source(record_);
  Start(source, "Write", 1'000'000);
  Complete(source, "Write", 1'001'000);
  Make(source, "Write", "text",
       R"({"worker":{"id":"w1","child_run_id":"run-2","task":"a still"}})");
  v1::RunRecord child;
  child.set_run_id("run-2");
  child.set_movie_id("teaser");
  child.set_parent_job_id("Write");
  child.set_status(v1::RUN_STATUS_FAILED);
  child.mutable_create_time()->set_seconds(1'000);
  source.TakeChild(child);
  child.set_run_id("run-3");
  source.TakeChild(child);

  ASSERT_OK_AND_ASSIGN(const JsonValue document,
                       NormalizedRunDocument(source.Document(), Deps()));
  const auto children = ElementsOf(document, "child_runs");
  ASSERT_EQ(children.size(), 2u);
  EXPECT_EQ(TextOrEmpty(children[0], "worker_id"), "w1");
  EXPECT_EQ(TextOrEmpty(children[0], "run_id"), "run-2");
  EXPECT_EQ(TextOrEmpty(children[0], "task"), "a still");
  EXPECT_EQ(TextOrEmpty(children[0], "status"), "failed");
  EXPECT_EQ(TextOrEmpty(children[0], "parent_stage_id"), "Write");
  EXPECT_EQ(TextOrEmpty(children[1], "worker_id"), "run-3");
}

TEST_F(RunDocumentSourceTest, QuestionsHaveTheirAnswers) {
  RunDocumentSource source(record_);
  Job(source, "question", "B", 1'000'000,
      R"({"questionId":"ok","prompt":"Good?"})");
  Job(source, "question", "A", 1'001'000,
      R"({"questionId":"ok","prompt":"Fine?"})");
  Job(source, "answered", "B", 1'002'000,
      R"({"questionId":"ok","value":true,"answeredBy":"ann"})");
  Job(source, "answered", "C", 1'002'000,  // in an earlier run
      R"({"questionId":"ok","value":true,"approvedIn":"run-0"})");
  const JsonValue document = source.Document();
  const auto questions = ElementsOf(document, "hitl_questions");
  ASSERT_EQ(questions.size(), 2u);
  EXPECT_EQ(questions[0],
            Json("{'request_id': 'ok', 'stage_id': 'B', 'prompt': 'Good?',"
                 " 'agent': 'B', 'asked_at': '1970-01-01T00:16:40Z',"
                 " 'answer': true, 'answered_by': 'ann',"
                 " 'answered_at': '1970-01-01T00:16:42Z'}"));
  EXPECT_EQ(TextOrEmpty(questions[1], "request_id"), "A/ok");
}

TEST_F(RunDocumentSourceTest, TheTriggersTraceComesFirst) {  // F: S4-20, S4-21
  EXPECT_EQ(TraceIdOf(RunDocumentSource(record_).Document()), kTrace);
  record_.set_trigger_event_json(R"({"id":"e1","trace_id":"t-1"})");
  (*record_.mutable_labels())["replay_of_event_id"] = "e0";
  const JsonValue document = RunDocumentSource(record_).Document();
  EXPECT_EQ(TraceIdOf(document), "t-1");
  EXPECT_EQ(ReplayOfEventId(document), "e0");
}

// The record may lag behind the ledger.
TEST_F(RunDocumentSourceTest, TheLedgerSaysHowItEnded) {
  RunDocumentSource source(record_);
  EXPECT_EQ(TextOrEmpty(source.Document(), "status"), "running");
  EndWell(source);
  const JsonValue document = source.Document();
  EXPECT_EQ(TextOrEmpty(document, "status"), "completed");
  EXPECT_EQ(TextOrEmpty(document, "finished_at"), "1970-01-01T00:33:20Z");
  EXPECT_EQ(TextOrEmpty(document, "root_run_id"), "run-1");
  const JsonValue& metadata = *document.Find("metadata");
  EXPECT_EQ(TextOrEmpty(metadata, "revision"), "rev-0001");
  EXPECT_EQ(TextOrEmpty(metadata, "manifest_hash"), "aa");
}

TEST_F(RunDocumentSourceTest, ARunPassesItsOwnFixture) {  // F: S4-37, S4-41
  RunDocumentSource source(record_);
  Start(source, "Write", 1'000'000);
  Complete(source, "Write", 1'001'000);
  Make(source, "Write", "A night in Rome", R"({"branch":"left"})");
  Job(source, "question", "Write", 1'000'500,
      R"({"questionId":"ok","prompt":"Good?"})");
  EndWell(source);
  ASSERT_OK_AND_ASSIGN(const JsonValue once,
                       NormalizedRunDocument(source.Document(), Deps()));
  ASSERT_OK_AND_ASSIGN(const JsonValue twice,
                       NormalizedRunDocument(once, Deps()));
  EXPECT_EQ(once, twice);
  const JsonValue* fixture = once.Find("replay_fixture");
  ASSERT_NE(fixture, nullptr);
  EXPECT_THAT(EvaluateReplay(source.Document(), *fixture), IsEmpty());

  RunDocumentSource other(record_);
  Start(other, "Write", 1'000'000);
  Fail(other, "Write", 1'001'000);
  EXPECT_FALSE(EvaluateReplay(other.Document(), *fixture).empty());
}

}  // namespace
}  // namespace kinora
