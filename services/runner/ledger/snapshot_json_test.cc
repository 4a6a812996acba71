// Corners of normalisation that the shared vectors do not turn.

#include "services/runner/ledger/snapshot_json.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/json/json_writer.h"

namespace kinora {
namespace {

JsonValue Json(const std::string& text) { return *ParseJson(text); }

// A member of the snapshot that `value` means, as JSON; "" for none.
std::string Normalized(const std::string& value, const std::string& fallback,
                       absl::string_view member) {
  const JsonValue snapshot = Json(SnapshotToJson(
      NormalizedSnapshot(Json(value), LedgerInitFromJson(Json(fallback)))));
  const JsonValue* found = snapshot.Find(member);
  return found == nullptr ? "" : ToJson(*found);
}

TEST(NormalizedSnapshotTest, StatusIsAnExceptionToBlankText) {  // F: S2-21
  const std::string fallback = R"({"runId":"r","status":"Pending"})";
  EXPECT_EQ(Normalized("{}", fallback, "status"), R"("queued")");
  EXPECT_EQ(Normalized(R"({"status":null})", fallback, "status"),
            R"("queued")");
  EXPECT_EQ(Normalized(R"({"status":" "})", fallback, "status"),
            R"("unknown")");
  EXPECT_EQ(Normalized(R"({"status":7})", fallback, "status"), R"("unknown")");
  EXPECT_EQ(Normalized(R"({"status":"\u00a0CANCELED\n"})", fallback, "status"),
            R"("cancelled")");
  EXPECT_EQ(Normalized("{}", R"({"runId":"r","status":1})", "status"),
            R"("unknown")");
}

TEST(NormalizedSnapshotTest, ErrorThatIsThereBeatsTheFallback) {  // F: S2-20
  const std::string fallback = R"({"runId":"r","error":"early"})";
  EXPECT_EQ(Normalized("{}", fallback, "error"), R"("early")");
  EXPECT_EQ(Normalized(R"({"error":null})", fallback, "error"), R"("early")");
  EXPECT_EQ(Normalized(R"({"error":" late "})", fallback, "error"),
            R"("late")");
  EXPECT_EQ(Normalized(R"({"error":""})", fallback, "error"), "");
  EXPECT_EQ(Normalized(R"({"error":7})", fallback, "error"), "");
}

TEST(NormalizedSnapshotTest, TimesFallBackInOrder) {  // F: S2-13, S2-19
  EXPECT_EQ(
      Normalized(R"({"startedAt":"5"})",
                 R"({"runId":"r","startedAt":3,"updatedAt":2})", "updatedAt"),
      "2");
  EXPECT_EQ(Normalized(R"({"finishedAt":9,"startedAt":4})",
                       R"({"runId":"r","createdAt":1})", "updatedAt"),
            "9");
  EXPECT_EQ(Normalized(R"({"durationMs":77,"finishedAt":9})",
                       R"({"runId":"r","startedAt":4})", "durationMs"),
            "5");
  EXPECT_EQ(Normalized(R"({"durationMs":77,"finishedAt":9})",
                       R"({"runId":"r"})", "durationMs"),
            "77");
}

TEST(NormalizedSnapshotTest, StepsAreThoseWithAStatus) {  // F: S2-16 to S2-18
  const std::string value = R"({"orderedStepIds":[" a","a"," a","b","c",null],
    "stepsById":{
      " a":{"status":" Running","completedAt":0,"stepId":"other"},
      "b":{"status":"succeeded"},
      "c":[1],
      "\ufeff":{"status":"running"},
      "d":{"status":"skipped","progress":{}},
      "e":{"status":"failed","progress":[1]}}})";
  EXPECT_EQ(Normalized(value, R"({"runId":"r"})", "orderedStepIds"),
            R"([" a"," a"])");
  EXPECT_EQ(Normalized(value, R"({"runId":"r"})", "stepsById"),
            R"({" a":{"stepId":" a","status":"completed","completedAt":0},)"
            R"("d":{"stepId":"d","status":"skipped","progress":{}},)"
            R"("e":{"stepId":"e","status":"failed"}})");
}

// F: S2-26 (where the rules differ from the row, they win)
TEST(NormalizedSnapshotTest, ProgressKeepsSixMembers) {
  const std::string value = R"({"stepsById":{"a":{"status":"running","progress":
    {"completed":1,"total":"2","failed":0,"message":" m ","startedAt":1,
     "completedAt":2,"updatedAt":3,"artefactNamespace":" "}}}})";
  EXPECT_EQ(Normalized(value, R"({"runId":"r"})", "stepsById"),
            R"({"a":{"stepId":"a","status":"running","progress":)"
            R"({"completed":1,"failed":0,"message":"m","updatedAt":3}}})");
}

TEST(NormalizedSnapshotTest, LogIsCutButCounted) {  // F: S2-22, S2-23, S2-24
  std::string lines;
  for (int i = 1; i <= 130; ++i) absl::StrAppend(&lines, "\"l", i, "\",");
  const std::string value =
      absl::StrCat(R"({"logTail":{},"logs":[)", lines,
                   R"(" ",null],"totalLogCount":7,"logsTruncated":1})");
  const LedgerSnapshot snapshot = NormalizedSnapshot(Json(value), {});
  EXPECT_EQ(snapshot.log_tail.size(), kLogTailLines);
  EXPECT_EQ(snapshot.log_tail.back(), " ");
  EXPECT_EQ(snapshot.log_tail.front(), "l32");
  EXPECT_EQ(snapshot.total_log_count, 131);
  EXPECT_FALSE(snapshot.logs_truncated);
  EXPECT_EQ(Normalized(R"({"logTail":["a"],"logs":["b"],"totalLogCount":9})",
                       R"({"runId":"r"})", "totalLogCount"),
            "9");
}

TEST(NormalizedSnapshotTest, WhatIsNoObjectMeansTheFallback) {  // F: S2-15
  for (const std::string value : {"null", "[]", "true", R"("{}")"}) {
    EXPECT_EQ(Normalized(value, R"({"runId":" r ","error":" e "})", "error"),
              R"(" e ")");
  }
  EXPECT_EQ(Normalized("{}", R"({"runId":" r "})", "runId"), R"(" r ")");
  EXPECT_EQ(Normalized(R"({"runId":" q "})", "{}", "runId"), R"("q")");
}

// A snapshot that is written and read is the same, also one that nobody would
// write but that somebody goes on from.
TEST(SnapshotJsonTest, RoundTrips) {  // F: S2-7
  const std::string text =
      R"({"runId":"r","movieId":" ","status":"odd","error":"","createdAt":1.5,)"
      R"("startedAt":2,"updatedAt":3,"finishedAt":4,"durationMs":-1,)"
      R"("orderedStepIds":["b","ghost","b"],"stepsById":{)"
      R"("a":{"stepId":"a","label":"","progress":{}},)"
      R"("b":{"stepId":"b","label":"L","kind":"K","status":"skipped",)"
      R"("artefactNamespace":" N ","startedAt":1,"completedAt":2,)"
      R"("updatedAt":3,"progress":{"completed":1,"total":2,"failed":3,)"
      R"("message":" m ","artefactNamespace":"","startedAt":4,)"
      R"("completedAt":5,"updatedAt":6}}},"logTail":[" x ",""],)"
      R"("totalLogCount":7,"logsTruncated":true,"activeStepId":"ghost",)"
      R"("activeArtefactNamespace":"","resultNamespace":"R",)"
      R"("resultSummary":[null],"result":{"a":{"b":"é"}}})";
  EXPECT_EQ(SnapshotToJson(SnapshotFromJson(Json(text))), text);
}

}  // namespace
}  // namespace kinora
