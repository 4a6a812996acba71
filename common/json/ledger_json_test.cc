#include "common/json/ledger_json.h"

#include <string>

#include "google/protobuf/util/message_differencer.h"

#include "common/json/json_writer.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

absl::StatusOr<v1::LedgerEvent> FromText(absl::string_view text) {
  absl::StatusOr<JsonValue> json = ParseJson(text);
  if (!json.ok()) return json.status();
  return LedgerEventFromJson(*json);
}

// Each line is a canonical spelling of one event: reading and writing it
// gives the same bytes.
// Some sources count.
TEST(LedgerJsonTest, ACursorMayBeANumber) {
  const auto event = LedgerEventFromJson(*ParseJson(
      R"({"runId":"r","occurredAt":3,"type":"artefacts.summary.updated",)"
      R"("deltaCursor":7})"));
  ASSERT_OK(event);
  EXPECT_EQ(event->artefacts_summary_updated().delta_cursor(), "7");
  EXPECT_THAT(
      LedgerEventFromJson(
          *ParseJson(
              R"({"runId":"r","occurredAt":3,"type":"artefacts.summary.updated",)"
              R"("deltaCursor":[]})"))
          .status(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("deltaCursor")));
}

TEST(LedgerJsonTest, EveryTypeRoundTrips) {  // F: S2-5, S2-6
  const char* const kEvents[] = {
      R"({"runId":"r","source":"system","occurredAt":1,"type":"run.created",)"
      R"("movieId":"film","status":"queued","runtimeBackend":"kinora"})",
      R"({"runId":"r","occurredAt":1,"type":"run.started","movieId":"film"})",
      R"({"runId":"r","occurredAt":2,"type":"run.completed",)"
      R"("result":{"revision":"rev-0001"},"resultSummary":[1,2]})",
      R"({"runId":"r","occurredAt":2,"type":"run.failed","error":"",)"
      R"("result":null})",
      R"({"runId":"r","occurredAt":2,"type":"run.cancelled","error":"why"})",
      R"({"runId":"r","occurredAt":2,"type":"run.waiting",)"
      R"("reason":"question"})",
      R"({"runId":"r","occurredAt":2,"type":"run.resumed","reason":"budget"})",
      R"({"runId":"r","occurredAt":2,"type":"run.waiting","reason":"paused",)"
      R"("message":"m","producer":"tts","requested":true})",
      R"({"runId":"r","occurredAt":2,"type":"run.resumed","reason":"paused",)"
      R"("producer":"tts","requested":true})",
      R"({"runId":"r","source":"worker","occurredAt":3,"type":"step.started",)"
      R"("stepId":"A[x=0]","label":"","kind":"tts","artefactNamespace":"N",)"
      R"("attempt":2,"inputsHash":"ab"})",
      R"({"runId":"r","occurredAt":3,"type":"step.progress","stepId":"A",)"
      R"("status":"running","progress":{"completed":0.5,"total":2,"failed":0,)"
      R"("message":"m","artefactNamespace":"N","startedAt":1,)"
      R"("completedAt":2,"updatedAt":3}})",
      R"({"runId":"r","occurredAt":3,"type":"step.progress","stepId":"A",)"
      R"("heartbeatDetails":"AP8gew=="})",
      R"({"runId":"r","occurredAt":3,"type":"step.completed","stepId":"A",)"
      R"("attempt":1})",
      R"({"runId":"r","occurredAt":3,"type":"step.failed","stepId":"A",)"
      R"("error":"boom","attempt":3})",
      R"({"runId":"r","occurredAt":3,"type":"job.escalated","jobId":"A",)"
      R"("message":"m","detail":{"assignees":["bob"],"deadlineMs":15700,)"
      R"("level":1,"questionId":"ok"}})",
      R"({"runId":"r","occurredAt":3,"type":"job.voted","jobId":"A",)"
      R"("message":"m","detail":{"answeredBy":"ann","questionId":"ok",)"
      R"("value":[true]}})",
      R"({"runId":"r","occurredAt":2,"type":"run.budget",)"
      R"("cap":{"currencyCode":"USD","micros":12500000}})",
      R"({"runId":"r","occurredAt":2,"type":"run.budget"})",
      R"({"runId":"r","occurredAt":3,"type":"step.started","stepId":"A",)"
      R"("attempt":1,"reserved":{"currencyCode":"USD","micros":50000}})",
      R"({"runId":"r","occurredAt":3,"type":"step.completed","stepId":"A",)"
      R"("attempt":1,"cost":{"micros":40000}})",
      R"({"runId":"r","occurredAt":3,"type":"step.failed","stepId":"A",)"
      R"("attempt":1,"cost":{"currencyCode":"EUR","micros":0}})",
      R"({"runId":"r","occurredAt":3,"type":"step.skipped","stepId":"A",)"
      R"("reason":"reused"})",
      R"({"runId":"r","occurredAt":3,"type":"step.skipped","stepId":"B",)"
      R"("reason":"blocked","blockedBy":"A"})",
      R"({"runId":"r","occurredAt":3,"type":"log.appended","lines":["a",""],)"
      R"("firstSeq":1,"channelOffset":0,"logsTruncated":true,"channel":"A"})",
      R"({"runId":"r","occurredAt":3,"type":"artefacts.summary.updated",)"
      R"("namespace":"N","deltaCursor":"7","summary":{"rows":7}})",
      R"({"runId":"r","occurredAt":3,"type":"run.waiting",)"
      R"("reason":"producer","message":"tts is down","untilMs":1767229200000})",
      R"({"runId":"r","occurredAt":3,"type":"job.retrying","jobId":"A",)"
      R"("message":"again","detail":{"attempt":2}})",
      R"({"later":{"b":[1]},"type":"run.dreamt","occurredAt":3,"runId":"r"})",
  };
  for (std::string text : kEvents) {
    ASSERT_OK_AND_ASSIGN(v1::LedgerEvent event, FromText(text));
    // A null says the same as a missing member and is not written.
    size_t null = text.find(R"(,"result":null)");
    if (null != std::string::npos) text.erase(null, 14);
    EXPECT_EQ(ToJson(LedgerEventToJson(event)), text);
    ASSERT_OK_AND_ASSIGN(v1::LedgerEvent again, FromText(text));
    EXPECT_TRUE(
        google::protobuf::util::MessageDifferencer::Equals(event, again))
        << text;
  }
}

// Members may all be left out; the type alone says what the event is.
TEST(LedgerJsonTest, EventWithoutMembersHasItsType) {
  for (const char* type :
       {"run.created", "run.started", "run.completed", "run.failed",
        "run.cancelled", "run.waiting", "run.resumed", "run.budget",
        "log.appended", "artefacts.summary.updated", "job.retry"}) {
    JsonObject json;
    json.Add("runId", "r");
    json.Add("occurredAt", 1);
    json.Add("type", type);
    ASSERT_OK_AND_ASSIGN(const v1::LedgerEvent event,
                         LedgerEventFromJson(JsonValue(json)));
    EXPECT_FALSE(event.has_unknown()) << type;
    EXPECT_EQ(LedgerEventType(event), type);
  }
}

// The framing belongs to the log: an event that is read from one log and
// written to another must not carry the old position along.
TEST(LedgerJsonTest, FramingIsNoPartOfAnUnknownEvent) {
  ASSERT_OK_AND_ASSIGN(
      v1::LedgerEvent event,
      FromText(R"({"seq":9,"runId":"r","occurredAt":1,"type":"x.y",)"
               R"("crc32c":"00000000"})"));
  EXPECT_EQ(event.unknown().type(), "x.y");
  EXPECT_EQ(ToJson(LedgerEventToJson(event)),
            R"({"runId":"r","occurredAt":1,"type":"x.y"})");
}

TEST(LedgerJsonTest, WrongMemberIsNamedWithItsValue) {
  EXPECT_THAT(FromText("[]"), StatusIs(absl::StatusCode::kInvalidArgument,
                                       HasSubstr("must be an object")));
  EXPECT_THAT(
      FromText(R"({"runId":"r","type":"run.started"})"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("occurredAt")));
  EXPECT_THAT(
      FromText(R"({"runId":"r","occurredAt":"soon","type":"run.started"})"),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("occurredAt"), HasSubstr("soon"))));
  EXPECT_THAT(
      FromText(R"({"runId":"r","occurredAt":1,"type":"step.started"})"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("stepId")));
  EXPECT_THAT(FromText(R"({"runId":"r","occurredAt":1,"type":"step.progress",)"
                       R"("stepId":"A","progress":{"total":"many"}})"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("total"), HasSubstr("many"))));
  EXPECT_THAT(FromText(R"({"runId":"r","occurredAt":1,"type":"step.progress",)"
                       R"("stepId":"A","heartbeatDetails":"~"})"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("heartbeatDetails"), HasSubstr("~"))));
  EXPECT_THAT(FromText(R"({"runId":"r","occurredAt":1,"type":"run.budget",)"
                       R"("cap":{"micros":0.5}})"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("cap"), HasSubstr("0.5"))));
}

TEST(LedgerJsonTest, WhatJsonCannotHoldDoesNotSpoilTheLine) {
  v1::LedgerEvent event;
  event.set_run_id("r");
  event.set_occurred_at_ms(INT64_MAX);
  event.mutable_log_appended()->add_lines("a\xff b");
  JsonValue json = LedgerEventToJson(event);
  ASSERT_OK_AND_ASSIGN(JsonValue parsed, ParseJson(ToJson(json)));
  EXPECT_EQ(parsed.Find("lines")->array()[0].string_value(), "a\xEF\xBF\xBD b");
  EXPECT_EQ(parsed.Find("occurredAt")->integer_value(), kMaxJsonInteger);
}

}  // namespace
}  // namespace kinora
