#include "services/runner/record/trace_identity.h"

#include <string>

#include "gtest/gtest.h"

#include "services/runner/record/record_fixture.h"

namespace kinora {
namespace {

TEST(TraceIdentityTest, SignaturesHaveALabel) {  // F: S4-19
  EXPECT_EQ(SignatureLabel("verified"), "verified");
  EXPECT_EQ(SignatureLabel(Json("{'state':'unsigned'}")), "unsigned");
  EXPECT_EQ(SignatureLabel(Json("{'state':'failed','reason':'key'}")),
            "failed");
  EXPECT_EQ(SignatureLabel(Json("{'Failed':{'reason':'key'}}")), "failed");
  EXPECT_EQ(SignatureLabel("maybe"), std::nullopt);
  EXPECT_EQ(SignatureLabel(7), std::nullopt);
  EXPECT_EQ(SignatureLabel(JsonObject()), std::nullopt);
}

TEST(TraceIdentityTest, TriggerEventThatIsNoneIsNone) {  // F: S4-20
  const auto trigger = TriggerEventOf(
      Json("{'metadata':{'trigger_event':{'id':'e','provider':'cron',"
           "'kind':'tick','trace_id':'t','signature_status':"
           "{'state':'failed','reason':'x'},'headers':{}}}}"));
  ASSERT_TRUE(trigger.has_value());
  EXPECT_EQ(trigger->id, "e");
  EXPECT_EQ(trigger->provider, "cron");
  EXPECT_EQ(trigger->kind, "tick");
  EXPECT_EQ(trigger->trace_id, "t");
  EXPECT_EQ(trigger->signature, "failed");
  for (const char* event :
       {"null", "7", "{}", "{'trace_id':7}", "{'trace_id':'t','id':7}",
        "{'trace_id':'t','signature_status':'odd'}"}) {
    EXPECT_FALSE(TriggerEventOf(Json(std::string("{'metadata':{"
                                                 "'trigger_event':") +
                                     event + "}}"))
                     .has_value())
        << event;
  }
  EXPECT_FALSE(TriggerEventOf(Json("{}")).has_value());
}

TEST(TraceIdentityTest, TheTriggersTraceComesFirst) {  // F: S4-21
  EXPECT_EQ(TraceIdOf(Json("{'metadata':{'trace_id':'m','trigger_event':"
                           "{'trace_id':'t'}}}")),
            "t");
  EXPECT_EQ(TraceIdOf(Json("{'metadata':{'trace_id':'m','trigger_event':7}}")),
            "m");
  EXPECT_EQ(TraceIdOf(Json("{'metadata':{'trace_id':7}}")), std::nullopt);
  EXPECT_EQ(TraceIdOf(Json("{'trace_id':'t'}")), std::nullopt);
  EXPECT_EQ(ReplayOfEventId(Json("{'metadata':{'replay_of_event_id':'e'}}")),
            "e");
  EXPECT_EQ(ReplayOfEventId(Json("{'metadata':{'replay_of_event_id':1}}")),
            std::nullopt);
}

}  // namespace
}  // namespace kinora
