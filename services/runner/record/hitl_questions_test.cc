#include "services/runner/record/hitl_questions.h"

#include <algorithm>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/runner/record/record_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

TopicRecord Asked(const std::string& payload) {
  TopicRecord record;
  record.kind = "hitl.question_asked";
  record.payload = Json(payload);
  return record;
}

JsonValue Merged(MemoryTopicLog& log, const std::string& questions) {
  JsonValue document = Json("{'id':'r','hitl_questions':" + questions + "}");
  EXPECT_OK(MergeQuestions(&log, document));
  return *document.Find("hitl_questions");
}

TEST(HitlQuestionsTest, WithoutALogNothingChanges) {  // F: S4-12
  const JsonValue before = Json(
      "{'id':'r','hitl_questions':[{'request_id':'b','asked_at':'2'},"
      "{'request_id':'a','asked_at':'1'},{'request_id':'a'}]}");
  JsonValue document = before;
  EXPECT_OK(MergeQuestions(nullptr, document));
  EXPECT_EQ(document, before);
}

TEST(HitlQuestionsTest, TakesWhatThisRunHasAsked) {  // F: S4-13, S4-14, S4-17
  MemoryTopicLog log;
  TopicRecord by_header = Asked("{'request_id':'q1','payload':{'prompt':'?'}}");
  by_header.headers["run_id"] = "r";
  TopicRecord of_other = by_header;
  of_other.headers["run_id"] = "s";
  of_other.payload = Json("{'request_id':'no','payload':{'prompt':'?'}}");
  TopicRecord of_kind = by_header;
  of_kind.kind = "hitl.question_asked2";
  of_kind.payload = of_other.payload;
  for (const TopicRecord& record :
       {by_header, of_other, of_kind,
        Asked("{'run_id':'r','request_id':'q2','agent':'a','trace_id':'t',"
              "'requested_at':'2026-01-01T00:00:00Z','payload':{'prompt':'!'}"
              "}")}) {
    ASSERT_OK(log.Append("hitl.questions", record));
  }
  ASSERT_OK(log.Append("elsewhere", by_header));
  EXPECT_EQ(Merged(log, "[]"),
            Json("[{'request_id':'q1','prompt':'?','agent':'','asked_at':''},"
                 "{'request_id':'q2','prompt':'!','agent':'a','trace_id':'t',"
                 "'asked_at':'2026-01-01T00:00:00Z'}]"));
}

TEST(HitlQuestionsTest, NeedsAnIdAndAPrompt) {  // F: S4-15
  MemoryTopicLog log;
  TopicRecord by_header = Asked("{'run_id':'r','payload':{'prompt':'?'}}");
  by_header.headers["request_id"] = "h";
  for (const TopicRecord& record :
       {by_header, Asked("{'run_id':'r','payload':{'prompt':'?'}}"),
        Asked("{'run_id':'r','request_id':'x','payload':{'prompt':''}}"),
        Asked("{'run_id':'r','request_id':'x','prompt':'?'}"),
        Asked("{'run_id':'r','request_id':7,'payload':{'prompt':'?'}}")}) {
    ASSERT_OK(log.Append("hitl.questions", record));
  }
  EXPECT_EQ(Merged(log, "[]"),
            Json("[{'request_id':'h','prompt':'?','agent':'',"
                 "'asked_at':''}]"));
}

TEST(HitlQuestionsTest, TheLatestOfTheLogBeatsTheRecord) {  // F: S4-16
  MemoryTopicLog log;
  for (const char* prompt : {"one", "two"}) {
    ASSERT_OK(log.Append(
        "hitl.questions",
        Asked(std::string("{'run_id':'r','request_id':'q','payload':{"
                          "'prompt':'") +
              prompt + "'}}")));
  }
  EXPECT_EQ(Merged(log,
                   "[{'request_id':'old','prompt':'1'},"
                   "{'request_id':'q','prompt':'0','trace_id':'t','mine':1},"
                   "{'request_id':'old','prompt':'2'}]"),
            Json("[{'request_id':'old','prompt':'2'},"
                 "{'request_id':'q','prompt':'two','mine':1,'agent':'',"
                 "'asked_at':''}]"));
}

TEST(HitlQuestionsTest, AreSortedByTimeAndId) {  // F: S4-18
  MemoryTopicLog log;
  EXPECT_EQ(Merged(log,
                   "[{'request_id':'c','asked_at':'2'},"
                   "{'request_id':'b','asked_at':'10'},"
                   "{'request_id':'d','asked_at':'2'},{'request_id':'z'}]"),
            Json("[{'request_id':'z'},{'request_id':'b','asked_at':'10'},"
                 "{'request_id':'c','asked_at':'2'},"
                 "{'request_id':'d','asked_at':'2'}]"));
}

TEST(HitlQuestionsTest, TheOrderOfTheLogIsNoMatterForOtherQuestions) {
  std::vector<int> order = {0, 1, 2, 3, 4};
  std::optional<JsonValue> first;
  do {
    MemoryTopicLog log;
    for (const int i : order) {
      const std::string n = std::to_string(i);
      ASSERT_OK(log.Append("hitl.questions",
                           Asked("{'run_id':'r','request_id':'q" + n +
                                 "','requested_at':'" + std::to_string(i % 2) +
                                 "','payload':{'prompt':'p" + n + "'}}")));
    }
    const JsonValue merged = Merged(log, "[{'request_id':'own'}]");
    if (!first.has_value()) first = merged;
    ASSERT_EQ(merged, *first);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(HitlQuestionsTest, AnErrorOfTheLogIsTold) {  // F: S4-6, S4-11
  MemoryTopicLog log;
  log.read_error = absl::UnavailableError("gone");
  JsonValue document = Json("{'id':'r'}");
  EXPECT_THAT(
      MergeQuestions(&log, document),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr("hitl.questions")));
  EXPECT_EQ(document, Json("{'id':'r'}"));
}

}  // namespace
}  // namespace kinora
