#include "services/runner/state/run_pauses.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RunPausesTest : public ::testing::Test {
 protected:
  void Pause(absl::string_view producer) {
    pauses_.Apply(PauseEvent(true, producer));
  }
  void Resume(absl::string_view producer) {
    pauses_.Apply(PauseEvent(false, producer));
  }

  RunPauses pauses_;
};

TEST_F(RunPausesTest, AProducerIsHeldUntilItIsResumed) {
  EXPECT_TRUE(pauses_.IsChange(true, "tts"));
  EXPECT_FALSE(pauses_.IsChange(false, "tts"));
  Pause("tts");
  EXPECT_TRUE(pauses_.Holds("tts"));
  EXPECT_FALSE(pauses_.Holds("picture"));
  EXPECT_FALSE(pauses_.whole());
  EXPECT_FALSE(pauses_.IsChange(true, "tts"));
  Resume("picture");
  EXPECT_THAT(pauses_.producers(), ElementsAre("tts"));
  Resume("tts");
  EXPECT_FALSE(pauses_.Holds("tts"));
}

TEST_F(RunPausesTest, AWholeRunHoldsAllAndIsResumedAsAWhole) {
  Pause("tts");
  Pause("");
  EXPECT_TRUE(pauses_.Holds("picture"));
  EXPECT_FALSE(pauses_.IsChange(true, ""));
  Resume("tts");
  EXPECT_TRUE(pauses_.Holds("tts"));  // as the run is
  Pause("tts");
  EXPECT_TRUE(pauses_.IsChange(false, ""));
  Resume("");
  EXPECT_FALSE(pauses_.Holds("tts"));
  EXPECT_THAT(pauses_.producers(), IsEmpty());
  EXPECT_FALSE(pauses_.IsChange(false, ""));
}

// What the runner says of a run that stands still is no request: a run in which
// one producer is paused must not come out of an adoption paused as a whole.
TEST_F(RunPausesTest, WhatCameToBeSoIsNoRequest) {
  Pause("tts");
  v1::LedgerEvent told;
  told.mutable_run_waiting()->set_reason("paused");
  pauses_.Apply(told);
  EXPECT_FALSE(pauses_.whole());
  told.mutable_run_resumed()->set_reason("paused");
  pauses_.Apply(told);
  EXPECT_TRUE(pauses_.Holds("tts"));
  told.mutable_run_resumed()->set_reason("adopted");
  pauses_.Apply(told);
  EXPECT_TRUE(pauses_.Holds("tts"));
}

}  // namespace
}  // namespace kinora
