// Corners of the reduction that the shared vectors do not turn. Snapshots are
// compared by members, as JSON.

#include "services/runner/ledger/reduce.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/json/json.h"
#include "common/json/json_writer.h"
#include "common/json/ledger_json.h"
#include "common/testing/status_matchers.h"
#include "services/runner/ledger/snapshot_json.h"

namespace kinora {
namespace {

class ReduceTest : public ::testing::Test {
 protected:
  void Begin(const std::string& init) {
    snapshot_ = EmptySnapshot(LedgerInitFromJson(*ParseJson(init)));
  }
  void GoOnFrom(const std::string& snapshot) {
    snapshot_ = SnapshotFromJson(*ParseJson(snapshot));
  }
  // An event of the run "r"; `members` begin with a comma, if there are any.
  void Take(const std::string& type, double at, const std::string& members) {
    TakeRaw(absl::StrCat(R"({"runId":"r","type":")", type, R"(","occurredAt":)",
                         at, members, "}"));
  }
  void TakeRaw(const std::string& event) {
    Reduce(ViewOf(*ParseJson(event)), &snapshot_);
  }
  // The JSON of what a pointer of names leads to; "" for nothing.
  std::string At(std::initializer_list<absl::string_view> path) const {
    const JsonValue json = *ParseJson(SnapshotToJson(snapshot_));
    const JsonValue* at = &json;
    for (const absl::string_view name : path) {
      at = at->Find(name);
      if (at == nullptr) return "";
    }
    return ToJson(*at);
  }
  std::string At(absl::string_view name) const { return At({name}); }
  std::string Step(absl::string_view id, absl::string_view name) const {
    return At({"stepsById", id, name});
  }

  LedgerSnapshot snapshot_ = EmptySnapshot({.run_id = "r"});
};

TEST_F(ReduceTest, OtherRunsAndUnknownTypesChangeNothing) {  // F: S2-28, S2-96
  const std::string before = SnapshotToJson(snapshot_);
  TakeRaw(R"({"runId":"other","type":"run.started","occurredAt":9})");
  Take("run.exploded", 9, "");
  Take("job.in_doubt", 9, R"(,"jobId":"a")");
  TakeRaw(R"({"type":"run.started","occurredAt":9})");
  TakeRaw(R"({"runId":"r","occurredAt":9})");
  EXPECT_EQ(SnapshotToJson(snapshot_), before);
}

// F: S2-29, S2-30, S2-96 (ingestion keeps such events out; no reader falls)
TEST_F(ReduceTest, TimeThatIsNoneOrNegativeCountsAsZero) {
  TakeRaw(R"({"runId":"r","type":"run.started"})");
  EXPECT_EQ(At("startedAt"), "0");
  Take("step.started", -7, R"(,"stepId":"a")");
  EXPECT_EQ(Step("a", "startedAt"), "0");
  TakeRaw(R"({"runId":"r","type":"run.completed","occurredAt":"9"})");
  EXPECT_EQ(At("finishedAt"), "0");
  EXPECT_EQ(At("durationMs"), "0");
}

TEST_F(ReduceTest, FractionsOfMillisecondsAreKept) {
  Take("run.started", 1.5, "");
  Take("run.failed", 4, "");
  EXPECT_EQ(At("durationMs"), "2.5");
}

TEST_F(ReduceTest, BlankTextIsAValueAndNullIsNone) {  // F: S2-35
  Take("step.started", 1, R"(,"stepId":"a","label":"L","kind":"K")");
  Take("step.completed", 2, R"(,"stepId":"a","label":"","kind":null)");
  EXPECT_EQ(Step("a", "label"), R"("")");
  EXPECT_EQ(Step("a", "kind"), R"("K")");
  Take("run.created", 3, R"(,"status":"","movieId":" ")");
  EXPECT_EQ(At("status"), R"("")");
  EXPECT_EQ(At("movieId"), R"(" ")");
}

// As given: a word that ingestion would have put right is no end, either.
TEST_F(ReduceTest, StatusOfACreationIsTakenAsItIs) {  // F: S2-37
  Take("run.created", 1, R"(,"status":"succeeded")");
  Take("run.cancelled", 2, "");
  EXPECT_EQ(At("status"), R"("cancelled")");
  Take("run.created", 3, R"(,"status":"running")");
  EXPECT_EQ(At("status"), R"("running")");
}

TEST_F(ReduceTest, ResultMayBeAnyJson) {  // F: S2-39
  for (const std::string json :
       {R"("")", "0", "false", "[]", "{}", R"({"a":[null,1.5]})"}) {
    Take("run.completed", 1, absl::StrCat(R"(,"result":)", json));
    EXPECT_EQ(At("result"), json);
  }
  Take("run.completed", 2, R"(,"result":null)");
  EXPECT_EQ(At("result"), R"({"a":[null,1.5]})");
}

TEST_F(ReduceTest, SameEndAgainIsReducedButForItsTimes) {  // F: S2-42
  Take("run.failed", 5, R"(,"error":"first")");
  Take("run.failed", 9, R"(,"error":"second")");
  EXPECT_EQ(At("error"), R"("second")");
  EXPECT_EQ(At("finishedAt"), "5");
  EXPECT_EQ(At("updatedAt"), "9");
  EXPECT_EQ(At("totalLogCount"), "0");
}

TEST_F(ReduceTest, OnlyAFailureDemotesACompletion) {  // F: S2-43, S2-44, S2-45
  Take("run.completed", 5, R"(,"result":{"n":1},"resultSummary":2)");
  Take("run.cancelled", 6, "");
  EXPECT_EQ(At("status"), R"("completed")");
  EXPECT_EQ(At("totalLogCount"), "1");
  Take("run.failed", 7, R"(,"error":"cap")");
  EXPECT_EQ(At("status"), R"("failed")");
  EXPECT_EQ(At("finishedAt"), "5");
  EXPECT_EQ(At("result"), R"({"n":1})");
  EXPECT_EQ(At("resultSummary"), "2");
  Take("run.completed", 8, "");
  EXPECT_EQ(At("status"), R"("failed")");
  EXPECT_EQ(At("error"), R"("cap")");
  EXPECT_EQ(At("logTail"),
            R"(["[ledger] conflicting terminal event run.cancelled ignored; )"
            R"(status already completed","[ledger] conflicting terminal event )"
            R"(run.completed ignored; status already failed"])");
}

// F: S2-33, S2-46 (the rules after every event run after a conflict, too)
TEST_F(ReduceTest, ConflictStillFindsTheResult) {
  GoOnFrom(R"({"runId":"r","status":"timed_out","orderedStepIds":["a","b"],
    "stepsById":{"a":{"status":"completed","artefactNamespace":"A"},
                 "b":{"status":"completed","artefactNamespace":" "}}})");
  Take("run.failed", 5, "");
  EXPECT_EQ(At("status"), R"("timed_out")");
  EXPECT_EQ(At("resultNamespace"), R"("A")");
  EXPECT_EQ(At("finishedAt"), "");
}

TEST_F(ReduceTest, NamespaceOfTheResultIsSetOnce) {  // F: S2-33, S2-67
  Take("step.completed", 1, R"(,"stepId":"a","artefactNamespace":"A")");
  EXPECT_EQ(At("resultNamespace"), "");
  Take("artefacts.summary.updated", 2, R"(,"namespace":"S","summary":{"n":1})");
  EXPECT_EQ(At("resultNamespace"), R"("S")");
  Take("artefacts.summary.updated", 3, R"(,"namespace":"T")");
  Take("run.completed", 4, "");
  EXPECT_EQ(At("resultNamespace"), R"("S")");
}

TEST_F(ReduceTest, LateStepOfAnEndedRunMayNameTheResult) {  // F: S2-33
  Take("run.completed", 1, "");
  EXPECT_EQ(At("resultNamespace"), "");
  Take("step.completed", 2, R"(,"stepId":"a","artefactNamespace":"A")");
  Take("step.completed", 3, R"(,"stepId":"b","artefactNamespace":"B")");
  EXPECT_EQ(At("resultNamespace"), R"("A")");
}

TEST_F(ReduceTest, NumberedLinesCountByTheirNumbers) {  // F: S2-69, S2-71
  Take("log.appended", 1, R"(,"lines":["a"," ","b"],"firstSeq":5)");
  EXPECT_EQ(At("totalLogCount"), "6");
  Take("log.appended", 2, R"(,"lines":["c"],"firstSeq":2)");
  EXPECT_EQ(At("totalLogCount"), "6");
  for (const std::string none : {"0", "-3", "null", R"("7")"}) {
    const double before = snapshot_.total_log_count;
    Take("log.appended", 3,
         absl::StrCat(R"(,"lines":["d"],"firstSeq":)", none));
    EXPECT_EQ(snapshot_.total_log_count, before + 1) << none;
  }
  // No lines, but a number: how many there were.
  Take("log.appended", 4, R"(,"lines":[],"firstSeq":100)");
  EXPECT_EQ(At("totalLogCount"), "99");
}

TEST_F(ReduceTest, LinesAreTrimmedOfAllWhiteSpace) {  // F: S2-68
  Take("log.appended", 1,
       R"(,"lines":["\u00a0a\ufeff","\u2003","\u3000\t","\u0085b",7,"c d"])");
  EXPECT_EQ(At("logTail"), "[\"a\",\"\u0085b\",\"c d\"]");
  EXPECT_EQ(At("totalLogCount"), "3");
}

TEST_F(ReduceTest, TailHasTheLastHundredOfOneLongBatch) {  // F: S2-8, S2-73
  std::string lines;
  for (int i = 1; i <= 250; ++i)
    absl::StrAppend(&lines, i > 1 ? "," : "", "\"l", i, "\"");
  Take("log.appended", 1, absl::StrCat(R"(,"lines":[)", lines, "]"));
  EXPECT_EQ(snapshot_.log_tail.size(), kLogTailLines);
  EXPECT_EQ(snapshot_.log_tail.front(), "l151");
  EXPECT_EQ(At("totalLogCount"), "250");
}

TEST_F(ReduceTest, TruncationLatches) {  // F: S2-73
  Take("log.appended", 1, R"(,"lines":[],"logsTruncated":"yes")");
  EXPECT_EQ(At("logsTruncated"), "false");
  Take("log.appended", 1, R"(,"lines":[],"logsTruncated":true)");
  Take("log.appended", 1, R"(,"lines":[],"logsTruncated":false)");
  EXPECT_EQ(At("logsTruncated"), "true");
}

TEST_F(ReduceTest, SkippedStepMayStartAndFailedMayNot) {  // F: S2-48, S2-61
  Take("step.skipped", 1, R"(,"stepId":"a")");
  Take("step.started", 2, R"(,"stepId":"a")");
  EXPECT_EQ(Step("a", "status"), R"("running")");
  Take("step.failed", 3, R"(,"stepId":"a","error":"boom")");
  Take("step.started", 4, R"(,"stepId":"a")");
  Take("step.completed", 5, R"(,"stepId":"a","label":"L")");
  EXPECT_EQ(Step("a", "status"), R"("failed")");
  EXPECT_EQ(Step("a", "completedAt"), "3");
  EXPECT_EQ(Step("a", "updatedAt"), "5");
  EXPECT_EQ(Step("a", "label"), R"("L")");
}

// F: S2-64 (our rule: the step keeps its error, outside the shared form)
TEST_F(ReduceTest, StepKeepsItsError) {
  Take("step.failed", 3, R"(,"stepId":"a","error":"boom")");
  Take("step.failed", 4, R"(,"stepId":"a")");
  EXPECT_EQ(snapshot_.steps.Find("a")->error, "boom");
  EXPECT_EQ(Step("a", "error"), "");
}

TEST_F(ReduceTest, ProgressOverlaysAndNullDoesNotClear) {  // F: S2-52
  Take("step.progress", 1,
       R"(,"stepId":"a","progress":{"completed":1,"total":4,"message":"m"})");
  Take("step.progress", 2,
       R"(,"stepId":"a","progress":{"completed":0,"message":null})");
  EXPECT_EQ(At({"stepsById", "a", "progress"}),
            R"({"completed":0,"total":4,"message":"m","updatedAt":2})");
  // Never the old time of update, whatever the event leaves out.
  Take("step.progress", 3, R"(,"stepId":"a")");
  EXPECT_EQ(At({"stepsById", "a", "progress", "updatedAt"}), "3");
  Take("step.progress", 4, R"(,"stepId":"a","progress":{"updatedAt":1})");
  EXPECT_EQ(At({"stepsById", "a", "progress", "updatedAt"}), "1");
  EXPECT_EQ(Step("a", "updatedAt"), "4");
}

// F: S2-53, S2-54
TEST_F(ReduceTest, AllDoneCompletesOnlyANewStepOrOneSaidToRun) {
  const std::string all = R"("progress":{"completed":4,"total":4})";
  Take("step.progress", 1, R"(,"stepId":"new",)" + all);
  EXPECT_EQ(Step("new", "status"), R"("completed")");
  EXPECT_EQ(Step("new", "completedAt"), "1");
  Take("step.started", 2, R"(,"stepId":"a")");
  Take("step.progress", 3, R"(,"stepId":"a",)" + all);
  EXPECT_EQ(Step("a", "status"), R"("running")");
  Take("step.progress", 4, R"(,"stepId":"a","status":" RUNNING ",)" + all);
  EXPECT_EQ(Step("a", "status"), R"("completed")");
  EXPECT_EQ(Step("a", "completedAt"), "4");
  // Nothing of nothing is not all.
  Take("step.progress", 5,
       R"(,"stepId":"b","progress":{"completed":0,"total":0})");
  EXPECT_EQ(Step("b", "status"), R"("running")");
}

TEST_F(ReduceTest, WordThatIsNoStatusOfAStepSaysNothing) {  // F: S2-11, S2-55
  Take("step.progress", 1, R"(,"stepId":"a","status":"succeeded")");
  EXPECT_EQ(Step("a", "status"), R"("running")");
  Take("step.progress", 2, R"(,"stepId":"a","status":"Skipped ")");
  EXPECT_EQ(Step("a", "status"), R"("skipped")");
  EXPECT_EQ(At("activeStepId"), "");
}

// F: S2-58 (the first time wins, also of a step that keeps another status)
TEST_F(ReduceTest, ProgressSetsTheEndOfAStepOnce) {
  Take("step.failed", 1, R"(,"stepId":"a")");
  Take("step.skipped", 2, R"(,"stepId":"b")");
  for (const std::string id : {"a", "b"}) {
    const std::string step = absl::StrCat(R"(,"stepId":")", id, R"(")");
    Take("step.progress", 3, step + R"(,"progress":{"completedAt":7})");
    Take("step.progress", 4, step + R"(,"progress":{"completedAt":8})");
  }
  EXPECT_EQ(Step("a", "completedAt"), "1");
  EXPECT_EQ(Step("b", "completedAt"), "7");
  EXPECT_EQ(Step("b", "status"), R"("skipped")");
}

// F: S2-59 (only run events and starts of steps set the run's status)
TEST_F(ReduceTest, ProgressDoesNotStartARun) {
  Begin(R"({"runId":"r","status":"waiting"})");
  Take("step.progress", 3, R"(,"stepId":"a","progress":{"startedAt":2})");
  EXPECT_EQ(At("status"), R"("waiting")");
  EXPECT_EQ(At("startedAt"), "");
  EXPECT_EQ(Step("a", "startedAt"), "2");
  Take("step.started", 4, R"(,"stepId":"a")");
  EXPECT_EQ(At("status"), R"("running")");
  EXPECT_EQ(At("startedAt"), "4");
}

TEST_F(ReduceTest, ActiveStepFollowsWhatRuns) {  // F: S2-51, S2-60, S2-65
  Take("step.started", 1, R"(,"stepId":"a","artefactNamespace":"A")");
  Take("step.started", 1, R"(,"stepId":"b","artefactNamespace":"B")");
  Take("step.started", 1, R"(,"stepId":"c")");
  EXPECT_EQ(At("activeStepId"), R"("c")");
  EXPECT_EQ(At("activeArtefactNamespace"), "");
  Take("step.progress", 2, R"(,"stepId":"a")");
  EXPECT_EQ(At("activeStepId"), R"("a")");
  // The last in order, even if another one was active.
  Take("step.completed", 3, R"(,"stepId":"c")");
  EXPECT_EQ(At("activeStepId"), R"("b")");
  EXPECT_EQ(At("activeArtefactNamespace"), R"("B")");
  // Progress that ends the active step falls back to none.
  Take("step.progress", 4, R"(,"stepId":"b","status":"completed")");
  EXPECT_EQ(At("activeStepId"), "");
  EXPECT_EQ(At("activeArtefactNamespace"), "");
  Take("step.skipped", 5, R"(,"stepId":"x")");
  EXPECT_EQ(At("activeStepId"), R"("a")");
  Take("run.cancelled", 6, "");
  EXPECT_EQ(At("activeStepId"), "");
  EXPECT_EQ(Step("a", "status"), R"("running")");
}

// F: S2-34 (a foreign snapshot may name a step twice, or leave it out)
TEST_F(ReduceTest, OrderOfAForeignSnapshotIsKept) {
  GoOnFrom(R"({"runId":"r","status":"running",
    "orderedStepIds":["a","ghost","b","a"],
    "stepsById":{"a":{"status":"running"},"b":{"status":"running"},
                 "c":{"status":"running"}}})");
  Take("step.progress", 1, R"(,"stepId":"ghost")");
  EXPECT_EQ(At("orderedStepIds"), R"(["a","ghost","b","a"])");
  Take("step.completed", 2, R"(,"stepId":"ghost")");
  EXPECT_EQ(At("activeStepId"), R"("a")");
  Take("step.completed", 3, R"(,"stepId":"a")");
  EXPECT_EQ(At("activeStepId"), R"("b")");
  Take("step.progress", 4, R"(,"stepId":"c")");
  EXPECT_EQ(At("orderedStepIds"), R"(["a","ghost","b","a","c"])");
}

TEST_F(ReduceTest, StepIdsAreAnyText) {  // F: S2-94
  for (const std::string id : {"10", "9", " a", "a", "", "__proto__"}) {
    Take("step.started", 1, absl::StrCat(R"(,"stepId":")", id, R"(")"));
  }
  EXPECT_EQ(At("orderedStepIds"), R"(["10","9"," a","a","","__proto__"])");
  EXPECT_EQ(Step(" a", "stepId"), R"(" a")");
}

TEST_F(ReduceTest, TimesDoNotMoveBackForLateEvents) {  // F: S2-30, S2-36
  Take("run.started", 9, "");
  Take("step.started", 9, R"(,"stepId":"a")");
  Take("step.started", 4, R"(,"stepId":"a")");
  Take("run.started", 4, "");
  EXPECT_EQ(At("updatedAt"), "9");
  EXPECT_EQ(At("startedAt"), "9");
  EXPECT_EQ(Step("a", "startedAt"), "9");
  EXPECT_EQ(Step("a", "updatedAt"), "4");
}

// A duration that a snapshot brought along goes with the first event that is
// reduced if its times are not known (F: S2-25, S2-32).
TEST_F(ReduceTest, DurationIsOfKnownTimes) {
  GoOnFrom(R"({"runId":"r","status":"queued","durationMs":77})");
  Take("log.appended", 1, R"(,"lines":[])");
  EXPECT_EQ(At("durationMs"), "");
  GoOnFrom(R"({"runId":"r","startedAt":9,"finishedAt":3,"durationMs":-6})");
  Take("log.appended", 1, R"(,"lines":[])");
  EXPECT_EQ(At("durationMs"), "0");
}

// Events of our own: what the status words cannot tell a run waits for.
TEST_F(ReduceTest, RunWaitsAndGoesOn) {
  Take("run.started", 1, "");
  Take("run.waiting", 2, R"(,"reason":"paused","producer":"painter")");
  EXPECT_EQ(At("status"), R"("running")");
  Take("run.waiting", 3, R"(,"reason":"question")");
  EXPECT_EQ(At("status"), R"("waiting")");
  Take("run.resumed", 4, R"(,"producer":"painter")");
  EXPECT_EQ(At("status"), R"("waiting")");
  Take("run.resumed", 5, "");
  Take("run.waiting", 6, R"(,"reason":"cancelling")");
  EXPECT_EQ(At("status"), R"("running")");
  Take("run.cancelled", 7, "");
  Take("run.waiting", 8, R"(,"reason":"question")");
  Take("run.resumed", 9, "");
  EXPECT_EQ(At("status"), R"("cancelled")");
}

// An event as a message means what its JSON means.
TEST_F(ReduceTest, MessagesAndTheirJsonReduceAlike) {  // F: S2-4, S2-5
  const char* const kEvents[] = {
      R"({"type":"run.created","movieId":"m","status":"queued"})",
      R"({"type":"run.started","movieId":"n"})",
      R"({"type":"run.waiting","reason":"budget"})",
      R"({"type":"run.waiting","producer":"p"})",
      R"({"type":"run.waiting","reason":"cancelling"})",
      R"({"type":"run.resumed"})",
      R"({"type":"step.started","stepId":"a","label":"L","kind":"k",
          "artefactNamespace":"A"})",
      R"({"type":"step.progress","stepId":"a","status":"running","progress":{
          "completed":1,"total":2,"failed":1,"message":"m","startedAt":1,
          "artefactNamespace":"B","completedAt":4,"updatedAt":3}})",
      R"({"type":"step.failed","stepId":"b","error":"e"})",
      R"({"type":"step.skipped","stepId":"c"})",
      R"({"type":"step.completed","stepId":"d"})",
      R"({"type":"log.appended","lines":["x"],"firstSeq":4,
          "logsTruncated":true})",
      R"({"type":"artefacts.summary.updated","namespace":"S"})",
      R"({"type":"run.completed","result":{"a":1},"resultSummary":[2]})",
      R"({"type":"run.cancelled","error":"late"})",
      R"({"type":"run.failed","error":"cap","result":3})",
      R"({"type":"run.unheard","x":1})",
  };
  LedgerSnapshot of_messages = snapshot_;
  double at = 0;
  for (const char* text : kEvents) {
    JsonValue event = *ParseJson(text);
    event.object().Set("runId", "r");
    event.object().Set("occurredAt", ++at);
    Reduce(ViewOf(event), &snapshot_);
    ASSERT_OK_AND_ASSIGN(const v1::LedgerEvent message,
                         LedgerEventFromJson(event));
    Reduce(ViewOf(message), &of_messages);
    EXPECT_EQ(SnapshotToJson(of_messages), SnapshotToJson(snapshot_)) << text;
  }
  EXPECT_EQ(At("status"), R"("failed")");
}

}  // namespace
}  // namespace kinora
