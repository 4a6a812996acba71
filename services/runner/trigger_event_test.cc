#include "services/runner/trigger_event.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(TriggerEventTest, AnObjectIsTakenAsItIs) {
  EXPECT_OK(ValidateTriggerEvent("trigger", ""));
  EXPECT_OK(ValidateTriggerEvent("trigger", "{}"));
  EXPECT_OK(ValidateTriggerEvent(
      "trigger", R"({"id": "e-1", "trace_id": "t-1", "body": {"a": [1]}})"));
}

TEST(TriggerEventTest, AnythingElseIsRefusedByName) {
  for (const std::string& json :
       {std::string("[1]"), std::string("\"a\""), std::string("{"),
        std::string("{} x"), std::string(R"({"trace_id": 7})")}) {
    EXPECT_THAT(
        ValidateTriggerEvent("trigger", json),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("trigger")))
        << json;
  }
}

TEST(TriggerEventTest, ItsSizeHasALimit) {
  const auto sized = [](size_t bytes) {
    return "{\"a\":\"" + std::string(bytes - 8, 'x') + "\"}";
  };
  EXPECT_OK(ValidateTriggerEvent("trigger", sized(16384)));
  EXPECT_THAT(ValidateTriggerEvent("trigger", sized(16385)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("16384"), HasSubstr("16385"))));
}

}  // namespace
}  // namespace kinora
