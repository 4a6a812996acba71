#include "services/runner/record/topic_log.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/runner/record/record_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;

void AppendEvent(MemoryTopicLog& log, const std::string& header,
                 const std::string& payload, size_t times = 1) {
  TopicRecord record;
  record.headers["session_id"] = header;
  record.payload = Json(payload);
  for (size_t i = 0; i < times; ++i) {
    ASSERT_OK(log.Append(SessionTopic("a/b"), record));
  }
}

TEST(TopicLogTest, ReadsPagesUntilAnEmptyOne) {  // F: S4-6
  MemoryTopicLog log;
  for (int i = 0; i < 512; ++i) {
    ASSERT_OK(log.Append("t", {.kind = std::to_string(i)}));
  }
  ASSERT_OK_AND_ASSIGN(const auto records, ReadTopic(log, "t"));
  ASSERT_EQ(records.size(), 512u);
  for (size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].kind, std::to_string(i));
  }
  EXPECT_EQ(log.reads, 3);
  EXPECT_THAT(log.page_sizes, Each(256u));
}

TEST(TopicLogTest, AnErrorIsNotTheEnd) {  // F: S4-6, S4-11
  MemoryTopicLog log;
  for (int i = 0; i < 300; ++i) ASSERT_OK(log.Append("topic", {}));
  log.read_error = absl::UnavailableError("no log");
  log.failing_read = 2;
  EXPECT_THAT(ReadTopic(log, "topic"),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("topic"), HasSubstr("no log"))));
}

TEST(TopicLogTest, IdsThatDoNotIncreaseAreToldAndNotReadForEver) {
  MemoryTopicLog log;
  log.topics["t"] = {{.id = 2}, {.id = 2}};
  EXPECT_THAT(ReadTopic(log, "t"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("record 2")));
}

TEST(TopicLogTest, SessionsHaveTopicsThatAreNames) {  // F: S4-8
  EXPECT_EQ(SessionTopic("aZ0._-"), "observability.agent_events.aZ0._-");
  EXPECT_EQ(SessionTopic("a/b c\n"), "observability.agent_events.a_b_c_");
  EXPECT_EQ(SessionTopic("é本x"), "observability.agent_events.__x");
}

TEST(TopicLogTest, WithoutALogASessionHasNoEvents) {  // F: S4-7
  ASSERT_OK_AND_ASSIGN(const auto events, LoadSessionEvents(nullptr, "s"));
  EXPECT_TRUE(events.empty());
}

TEST(TopicLogTest, OnlyEventsOfTheSessionAreKept) {  // F: S4-9, S4-10
  MemoryTopicLog log;
  const std::string own = "{'event':{'type':'t','session_id':'a/b','n':1}}";
  AppendEvent(log, "a_b", "{'event':7}");  // another session's, damaged
  AppendEvent(log, "a/b", own);
  AppendEvent(log, "a/b", "{'other':1}");
  AppendEvent(log, "a/b", "{'event':{'type':'t','session_id':'a_b'}}");
  AppendEvent(log, "a/b", own);
  ASSERT_OK_AND_ASSIGN(const auto events, LoadSessionEvents(&log, "a/b"));
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].event_id, 2);
  EXPECT_EQ(events[1].event_id, 5);
  EXPECT_EQ(*events[0].event.Find("n"), JsonValue(1));
}

TEST(TopicLogTest, ASessionIsReadUntilAShortPage) {  // F: S4-7, S4-10
  MemoryTopicLog log;
  AppendEvent(log, "other", "{}", 1024);
  AppendEvent(log, "a/b", "{'event':{'type':'t','session_id':'a/b'}}");
  ASSERT_OK_AND_ASSIGN(const auto events, LoadSessionEvents(&log, "a/b"));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].event_id, 1025);
  EXPECT_EQ(log.reads, 2);
  EXPECT_THAT(log.page_sizes, Each(1024u));
}

TEST(TopicLogTest, ErrorsNameTopicOrRecord) {  // F: S4-9, S4-11
  MemoryTopicLog log;
  AppendEvent(log, "a/b", "{'event':{'type':'t','session_id':'a/b'}}");
  AppendEvent(log, "a/b", "{'event':{'session_id':'a/b'}}");
  EXPECT_THAT(LoadSessionEvents(&log, "a/b"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("record 2")));
  log.read_error = absl::PermissionDeniedError("no");
  EXPECT_THAT(LoadSessionEvents(&log, "a/b"),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       HasSubstr("observability.agent_events.a_b")));
}

}  // namespace
}  // namespace kinora
