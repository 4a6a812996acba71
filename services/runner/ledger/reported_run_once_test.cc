// What is reported again: each thing is in the ledger once, or a gap is.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/json/ledger_json.h"
#include "common/testing/status_matchers.h"
#include "services/runner/ledger/log_lines.h"
#include "services/runner/ledger/random_ledger.h"
#include "services/runner/ledger/reduce.h"
#include "services/runner/ledger/reported_run_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using ReportedRunOnceTest = ReportedRunFixture;

// F: S2-75 to S2-78
TEST_F(ReportedRunOnceTest, ARequestThatIsSentAgainAddsNothing) {
  const v1::IngestLedgerEventsRequest request = Request({
      Event(R"("occurredAt":1,"type":"run.created","status":" Pending ")"),
      Event(R"("occurredAt":2,"type":"step.started","stepId":"a")"),
      Event(R"("occurredAt":3,"type":"log.appended","channel":"w",)"
            R"("channelOffset":0,"lines":["x","x",""])"),
      Event(R"("occurredAt":3,"type":"log.appended","lines":["y","y"])"),
      Event(R"("occurredAt":4,"type":"step.progress","stepId":"a",)"
            R"("status":" RUNNING","progress":{"completed":1.5})"),
      Event(R"("occurredAt":5,"type":"step.failed","stepId":"a",)"
            R"("error":"e","attempt":1)"),
      Event(R"("occurredAt":6,"type":"step.started","stepId":"a",)"
            R"("attempt":2)"),
      Event(R"("occurredAt":6,"type":"artefacts.summary.updated",)"
            R"("namespace":"N","deltaCursor":7,"summary":{"b":1,"a":2.0})"),
      Event(R"("occurredAt":7,"type":"frame.rendered","n":1)"),
      Event(R"("occurredAt":8,"type":"run.completed","result":{"z":1e3})"),
  });
  EXPECT_THAT(callers_.Report(request), SizeIs(10));
  EXPECT_THAT(callers_.Report(request), IsEmpty());
  callers_.Restart();
  EXPECT_THAT(callers_.Report(request), IsEmpty());
}

// A worker whose queue holds an event twice.
TEST_F(ReportedRunOnceTest, AnEventThatIsTwiceInAReportIsTakenOnce) {
  const v1::LedgerEvent done =
      Event(R"("occurredAt":7,"type":"step.completed","stepId":"a")");
  const v1::LedgerEvent later =
      Event(R"("occurredAt":8,"type":"step.completed","stepId":"a")");
  EXPECT_THAT(runners_.Report(Request({done, done, later, done})), SizeIs(2));
  EXPECT_THAT(runners_.Report(Request({done, later})), IsEmpty());
}

TEST_F(ReportedRunOnceTest, EventsWithoutATimeAreToldApartByWhatTheySay) {
  const auto summary = [](int cursor) {
    v1::LedgerEvent event =
        Event(R"("occurredAt":0,"type":"artefacts.summary.updated")");
    event.mutable_artefacts_summary_updated()->set_delta_cursor(
        absl::StrCat(cursor));
    return event;
  };
  EXPECT_THAT(runners_.Report(Request({summary(1)})), SizeIs(1));
  EXPECT_EQ(runners_.events()[0].occurred_at_ms(), kNow);
  EXPECT_THAT(runners_.Report(Request({summary(1), summary(2)})), SizeIs(1));
  // Progress goes up and down.
  const auto progress = [](int completed) {
    v1::LedgerEvent event =
        Event(R"("occurredAt":0,"type":"step.progress","stepId":"a")");
    event.mutable_step_progress()->mutable_progress()->set_completed(completed);
    return event;
  };
  for (const int completed : {1, 2, 1}) {
    EXPECT_THAT(runners_.Report(Request({progress(completed)})), SizeIs(1));
  }
  EXPECT_THAT(runners_.Report(Request({progress(1)})), IsEmpty());
}

// The runner's own channels are those of its jobs, and count by themselves.
TEST_F(ReportedRunOnceTest, AChannelThatIsNamedAsAJobIsAnotherOne) {
  v1::LedgerEvent own =
      Event(R"("occurredAt":1,"source":"coordinator","type":"log.appended",)"
            R"("channel":"A","channelOffset":0,"firstSeq":1,)"
            R"("lines":["one","two"])");
  runners_.Append(own);
  const Events taken = runners_.Report(
      Request({Event(R"("occurredAt":1,"type":"log.appended","channel":"A",)"
                     R"("channelOffset":0,"lines":["eins"])")}));
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_THAT(taken[0].log_appended().lines(), ElementsAre("eins"));
  EXPECT_EQ(taken[0].log_appended().first_seq(), 3);
}

TEST_F(ReportedRunOnceTest, WhatKinoraHasToldAsTheEndStaysIt) {
  const auto end = [](const std::string& type) {
    return Request(
        {Event(absl::StrCat(R"("occurredAt":9,"type":")", type, R"(")"))});
  };
  callers_.Report(end("run.completed"));
  // Accounting by whoever told the end may still fail it.
  EXPECT_THAT(callers_.Report(end("run.failed")), SizeIs(1));

  Ledger closed(/*is_callers=*/true);
  closed.Append(Event(R"("occurredAt":9,"source":"system",)"
                      R"("type":"run.completed")"));
  EXPECT_THAT(closed.Report(end("run.completed")), IsEmpty());
  const absl::Status refused = closed.Offer(end("run.failed")).status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition,
                                HasSubstr("has ended as completed")));
  EXPECT_EQ(ReasonOf(refused), "RUN_TERMINAL");
  EXPECT_THAT(
      closed.Offer(Request({Event(R"("occurredAt":1,"type":"log.appended",)"
                                  R"("lines":["late"])")})),
      IsOkAndHolds(SizeIs(1)));
}

// F: S2-87 to S2-90, S2-93, S2-95
TEST_F(ReportedRunOnceTest, ADocumentIsTakenOnce) {
  const std::string document =
      R"({"runId":"r","status":"completed","lastCheckpointAt":9,)"
      R"("liveLogs":["x",""],"liveLogsChannelOffset":0,"liveNodeProgress":)"
      R"({"a":{"completed":2,"total":2,"startedAt":3,"completedAt":7}}})";
  std::vector<std::string> types;
  for (const v1::LedgerEvent& event : callers_.Report(Patch(document))) {
    types.push_back(LedgerEventType(event));
    EXPECT_EQ(event.source(), v1::LEDGER_SOURCE_WORKER);
  }
  // Its progress says that the step has completed.
  EXPECT_THAT(types, ElementsAre("run.started", "log.appended", "step.started",
                                 "step.progress", "run.completed"));
  EXPECT_THAT(callers_.Report(Patch(document)), IsEmpty());
  callers_.Restart();
  EXPECT_THAT(callers_.Report(Patch(document)), IsEmpty());
  // The run is over; its lines and steps still come in.
  types.clear();
  for (const v1::LedgerEvent& event : callers_.Report(Patch(
           R"({"status":"failed","liveLogs":["y"],"liveLogsChannelOffset":2,)"
           R"("liveNodeProgress":{"b":{"startedAt":3,"completedAt":7}}})"))) {
    types.push_back(LedgerEventType(event));
  }
  EXPECT_THAT(types, ElementsAre("log.appended", "step.progress"));
}

// F: S2-8 (each report tells how many lines there are)
TEST_F(ReportedRunOnceTest, AFullLogEndsWithOneMarkerAndGoesOnCounting) {
  const auto lines = [](int64_t offset, int count) {
    v1::LedgerEvent event = Event(R"("occurredAt":1,"type":"log.appended")");
    v1::LogAppendedEvent* log = event.mutable_log_appended();
    log->set_channel("w");
    log->set_channel_offset(offset);
    for (int i = 0; i < count; ++i)
      log->add_lines(absl::StrCat("l", offset + i));
    return Request({event});
  };
  LedgerSnapshot reader = EmptySnapshot({.run_id = "r"});
  const int64_t total = kMaxStoredLogLines + 123;
  for (int64_t offset = 0; offset < total; offset += 1'000) {
    const auto request = lines(
        offset, static_cast<int>(std::min<int64_t>(1'000, total - offset)));
    runners_.Report(request);
    EXPECT_THAT(runners_.Report(request), IsEmpty());
    if (offset % 3'000 == 0) runners_.Restart();
  }
  runners_.Report(lines(total, 1));
  int64_t stored = 0;
  int markers = 0;
  for (const v1::LedgerEvent& event : runners_.events()) {
    Reduce(ViewOf(event), &reader);
    stored += event.log_appended().lines_size();
    for (const std::string& line : event.log_appended().lines()) {
      markers += absl::StartsWith(line, "[kinora]") ? 1 : 0;
    }
  }
  EXPECT_EQ(stored, kMaxStoredLogLines);
  EXPECT_EQ(markers, 1);
  EXPECT_TRUE(absl::StartsWith(reader.log_tail.back(), "[kinora]"));
  EXPECT_TRUE(reader.logs_truncated);
  EXPECT_EQ(reader.total_log_count, total + 1);
}

// Workers send what they have not been told to be there, again and again, to
// processes that die, while the runner writes lines of its own.
// F: S2-9, S2-76, S2-78, S2-80
TEST_F(ReportedRunOnceTest, EachLineIsThereOnceOrOneGapIs) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    RandomLedger random(seed);
    Ledger ledger(/*is_callers=*/false);
    LogBuffer buffers[2];
    int64_t own = 0;
    for (int i = 0; i < 60; ++i) {
      const uint64_t who = random.Below(2);
      LogBuffer& buffer = buffers[who];
      for (uint64_t n = random.Below(4); n > 0; --n) {
        ++buffer.total_count;
        buffer.lines.push_back(absl::StrCat("w", who, " ", buffer.total_count));
        if (buffer.lines.size() > 8) buffer.lines.erase(buffer.lines.begin());
      }
      if (random.OneIn(3)) {
        v1::LedgerEvent event = Event(
            R"("occurredAt":1,"source":"coordinator","type":"log.appended")");
        event.mutable_log_appended()->add_lines(absl::StrCat("own ", ++own));
        ledger.Append(event);
      }
      if (random.OneIn(5)) ledger.Restart();
      const auto slice = UnsentLines(buffer);
      if (!slice.has_value()) continue;
      v1::LedgerEvent event = Event(R"("occurredAt":1,"type":"log.appended")");
      v1::LogAppendedEvent* lines = event.mutable_log_appended();
      lines->set_channel(absl::StrCat("w", who));
      lines->set_channel_offset(static_cast<int64_t>(slice->channel_offset));
      for (const std::string& line : slice->lines) lines->add_lines(line);
      ledger.Report(Request({event}));
      if (random.OneIn(2)) buffer.sent_count = buffer.total_count;
    }
    LedgerSnapshot reader = EmptySnapshot({.run_id = "r"});
    int64_t next[2] = {1, 1};
    int64_t count = 0;
    for (const v1::LedgerEvent& event : ledger.events()) {
      Reduce(ViewOf(event), &reader);
      const v1::LogAppendedEvent& log = event.log_appended();
      if (log.has_first_seq()) {
        EXPECT_EQ(log.first_seq(), count + 1);
      }
      for (const std::string& line : log.lines()) {
        ++count;
        int who = 0;
        int64_t number = 0;
        if (std::sscanf(line.c_str(), "[kinora] %ld log lines of w%d", &number,
                        &who) == 2) {
          next[who] += number;
        } else if (std::sscanf(line.c_str(), "w%d %ld", &who, &number) == 2) {
          ASSERT_EQ(number, next[who]++);
        }
      }
    }
    EXPECT_EQ(reader.total_log_count, count);
  }
}

}  // namespace
}  // namespace kinora
