#include "services/store/event/event_json.h"

#include <string>

#include "common/error_reason.h"
#include "common/json/proto_json.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

// What an EventLog makes of a body.
LogRecord Framed(int64_t sequence, const std::string& body) {
  return {sequence, "{\"seq\":" + std::to_string(sequence) + "," +
                        body.substr(1, body.size() - 2) +
                        ",\"crc32c\":\"00000000\"}"};
}

v1::Event InputEvent() {
  v1::Event event;
  event.set_revision("rev-0001");
  event.mutable_time()->set_seconds(1767225600);
  event.mutable_time()->set_nanos(5'000'000);
  event.mutable_input()->set_input_id("Input:Topic");
  event.mutable_input()->set_edited_by(v1::EDITED_BY_USER);
  event.mutable_input()->mutable_content()->mutable_inline_()->set_mime_type(
      "text/plain");
  event.mutable_input()->mutable_content()->mutable_inline_()->set_data("sea");
  return event;
}

// F: S0-6, S1-11
TEST(EventJsonTest, AnInputIsOneReadableLine) {
  EXPECT_EQ(EventToBody(InputEvent(), nullptr),
            R"({"time":"2026-01-01T00:00:00.005Z","revision":"rev-0001",)"
            R"("input":{"inputId":"Input:Topic","content":{"inline":)"
            R"({"mimeType":"text/plain","text":"sea"}},"editedBy":"user"}})");
}

TEST(EventJsonTest, WhatIsWrittenReadsBackAsTheSame) {
  const RequestMark mark = {"r-1", 3};
  const LogRecord record = Framed(7, EventToBody(InputEvent(), &mark));
  ASSERT_OK_AND_ASSIGN(v1::Event event,
                       EventFromRecord("x.log", v1::LOG_KIND_INPUTS, record));
  EXPECT_EQ(event.sequence(), 7);
  event.clear_sequence();
  EXPECT_EQ(CanonicalBytes(event), CanonicalBytes(InputEvent()));
}

TEST(EventJsonTest, ALedgerLineIsFlatAndHasTheTimeItHappened) {
  v1::Event event;
  event.mutable_time()->set_seconds(1);  // not part of a ledger's line
  v1::LedgerEvent& ledger = *event.mutable_ledger();
  ledger.set_run_id("run-1");
  ledger.set_occurred_at_ms(1767225600005);
  ledger.set_source(v1::LEDGER_SOURCE_COORDINATOR);
  ledger.mutable_run_waiting()->set_reason("paused");
  const std::string body = EventToBody(event, nullptr);
  EXPECT_EQ(body, R"({"runId":"run-1","source":"coordinator",)"
                  R"("occurredAt":1767225600005,"type":"run.waiting",)"
                  R"("reason":"paused"})");
  ASSERT_OK_AND_ASSIGN(
      v1::Event read,
      EventFromRecord("x.log", v1::LOG_KIND_LEDGER, Framed(1, body)));
  EXPECT_EQ(read.ledger().run_waiting().reason(), "paused");
  EXPECT_EQ(read.time().seconds(), 1767225600);
  EXPECT_EQ(read.time().nanos(), 5'000'000);
}

TEST(EventJsonTest, TheMarkOfARequestIsFoundAgain) {
  const RequestMark mark = {"r \"1\"", 3};
  std::optional<RequestMark> read =
      RequestMarkOf(EventToBody(InputEvent(), &mark));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->request_id, "r \"1\"");
  EXPECT_EQ(read->events, 3);
  EXPECT_FALSE(RequestMarkOf(EventToBody(InputEvent(), nullptr)).has_value());
}

TEST(EventJsonTest, DamageNamesLogAndSequence) {
  absl::Status status =
      EventFromRecord("builds/film/events/inputs.log", v1::LOG_KIND_INPUTS,
                      {3, R"({"seq":3,"input":{"inputId":5}})"})
          .status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("builds/film/events/inputs.log event 3")));
  EXPECT_EQ(ReasonOf(status), "DATA_CORRUPT");
}

TEST(EventJsonTest, APayloadOfANewerBuildIsKeptOutOnlyIfItMayBe) {
  const std::string may =
      R"({"revision":"rev-0001","readerMayIgnore":true,"later":{"x":1}})";
  ASSERT_OK_AND_ASSIGN(
      v1::Event event,
      EventFromRecord("x.log", v1::LOG_KIND_INPUTS, Framed(1, may)));
  EXPECT_EQ(event.payload_case(), v1::Event::PAYLOAD_NOT_SET);
  EXPECT_EQ(event.revision(), "rev-0001");

  const std::string may_not = R"({"revision":"rev-0001","later":{"x":1}})";
  EXPECT_THAT(EventFromRecord("x.log", v1::LOG_KIND_INPUTS, Framed(1, may_not)),
              StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace kinora
