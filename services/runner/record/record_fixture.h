// What the tests of run records share.

#ifndef KINORA_SERVICES_RUNNER_RECORD_RECORD_FIXTURE_H_
#define KINORA_SERVICES_RUNNER_RECORD_RECORD_FIXTURE_H_

#include <string>

#include "gtest/gtest.h"

#include "common/ids.h"
#include "common/json/json.h"
#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/faulty_file_system.h"
#include "services/runner/record/memory_topic_log.h"
#include "services/runner/record/run_document.h"

namespace kinora {

// The JSON of a test, in which ' stands for ".
inline JsonValue Json(std::string text) {
  for (char& c : text) c = c == '\'' ? '"' : c;
  absl::StatusOr<JsonValue> json = ParseJson(text);
  EXPECT_TRUE(json.ok()) << json.status() << ": " << text;
  return json.ok() ? *std::move(json) : JsonValue();
}

class RecordTest : public ::testing::Test {
 protected:
  RunDocumentDeps Deps(EventTopicLog* log = nullptr) {
    return {clock_, ids_, files_, log};
  }

  FakeClock clock_;
  SeededRandom random_{1};
  RunIdGenerator ids_{clock_, random_};
  FaultyFileSystem files_;
  MemoryTopicLog log_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_RECORD_FIXTURE_H_
