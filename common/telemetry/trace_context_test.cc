#include "common/telemetry/trace_context.h"

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

constexpr char kHeader[] =
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceContextTest, ParsesAndPrintsTheStandardsExample) {
  const auto trace = TraceContext::Parse(kHeader);
  ASSERT_TRUE(trace.has_value());
  EXPECT_EQ(trace->trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(trace->span_id, "00f067aa0ba902b7");
  EXPECT_TRUE(trace->sampled);
  EXPECT_EQ(trace->ToString(), kHeader);
}

TEST(TraceContextTest, IgnoresWhatIsNoTrace) {
  for (const char* bad :
       {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}) {
    EXPECT_FALSE(TraceContext::Parse(bad).has_value()) << bad;
  }
}

TEST(TraceContextTest, ReadsLaterVersionsAsFarAsKnown) {
  EXPECT_TRUE(TraceContext::Parse(
                  "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-x")
                  .has_value());
}

TEST(TraceContextTest, ChildKeepsTheTraceAndHasASpanOfItsOwn) {
  const TraceContext trace = TraceContext::New();
  const TraceContext child = trace.Child();
  EXPECT_EQ(child.trace_id, trace.trace_id);
  EXPECT_NE(child.span_id, trace.span_id);
  EXPECT_TRUE(TraceContext::Parse(child.ToString()).has_value());
  EXPECT_TRUE(TraceContext().Child().empty());
}

TEST(TraceContextTest, ScopesNestAndBelongToTheirThread) {
  const TraceContext outer = TraceContext::New();
  TraceScope outer_scope(outer);
  {
    TraceScope inner_scope(TraceContext::New());
    EXPECT_NE(CurrentTrace().trace_id, outer.trace_id);
  }
  EXPECT_EQ(CurrentTrace().trace_id, outer.trace_id);
  std::thread([] { EXPECT_TRUE(CurrentTrace().empty()); }).join();
}

}  // namespace
}  // namespace kinora
