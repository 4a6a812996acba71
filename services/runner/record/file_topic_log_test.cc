#include "services/runner/record/file_topic_log.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/faulty_file_system.h"
#include "common/testing/status_matchers.h"
#include "services/runner/record/action_graph.h"
#include "services/runner/record/record_fixture.h"

namespace kinora {
namespace {

TopicRecord Asked(const std::string& prompt) {
  TopicRecord record;
  record.kind = "asked";
  record.headers = {{"run_id", "run-1"}};
  record.payload = Json("{'prompt': '" + prompt + "'}");
  return record;
}

class FileTopicLogTest : public RecordTest {
 protected:
  FileTopicLog log_of_files_{files_, "/topics"};
};

TEST_F(FileTopicLogTest, WhatIsAppendedIsReadInPages) {
  ASSERT_OK_AND_ASSIGN(const auto none, log_of_files_.Read("a", 0, 10));
  EXPECT_TRUE(none.empty());
  ASSERT_OK(log_of_files_.Append("a", Asked("one?")));
  ASSERT_OK(log_of_files_.Append("b", Asked("of another topic")));
  ASSERT_OK_AND_ASSIGN(const int64_t id,
                       log_of_files_.Append("a", Asked("two?")));
  EXPECT_EQ(id, 2);
  FileTopicLog again(files_, "/topics");
  ASSERT_OK_AND_ASSIGN(const auto first, again.Read("a", 0, 1));
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].id, 1);
  EXPECT_EQ(first[0].kind, "asked");
  EXPECT_EQ(first[0].header("run_id"), "run-1");
  EXPECT_EQ(first[0].payload, Json("{'prompt': 'one?'}"));
  ASSERT_OK_AND_ASSIGN(const auto rest, again.Read("a", 1, 10));
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].payload, Json("{'prompt': 'two?'}"));
}

TEST_F(FileTopicLogTest, ATornLineIsNoRecordAndADamagedOneIsToldOf) {
  ASSERT_OK(log_of_files_.Append("a", Asked("one?")));
  ASSERT_OK_AND_ASSIGN(const std::string whole,
                       ReadFile(files_, "/topics/a.jsonl"));
  ASSERT_OK(WriteFileAtomically(files_, "/topics/a.jsonl", whole + "{\"id\""));
  ASSERT_OK_AND_ASSIGN(const auto read, log_of_files_.Read("a", 0, 10));
  EXPECT_EQ(read.size(), 1u);
  ASSERT_OK_AND_ASSIGN(const int64_t id,
                       log_of_files_.Append("a", Asked("two?")));
  EXPECT_EQ(id, 2);

  ASSERT_OK(WriteFileAtomically(files_, "/topics/a.jsonl", whole + "{}\n"));
  EXPECT_EQ(log_of_files_.Read("a", 0, 10).status(),
            absl::DataLossError("/topics/a.jsonl: line 2 is no record"));
  EXPECT_FALSE(log_of_files_.Append("../a", Asked("where?")).ok());
}

TEST_F(FileTopicLogTest, ASavedRecordIsPublished) {  // F: S4-34
  ASSERT_OK(SaveRunDocument(Json("{'id': 'r1', 'status': 'completed'}"),
                            "/runs/r1.json", Deps(&log_of_files_)));
  ASSERT_OK_AND_ASSIGN(
      const auto told,
      log_of_files_.Read(std::string(kActionGraphTopic), 0, 10));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].kind, "action_graph_update");
  EXPECT_EQ(told[0].header("run_id"), "r1");
}

}  // namespace
}  // namespace kinora
