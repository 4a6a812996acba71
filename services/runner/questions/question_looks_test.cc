#include "services/runner/questions/question_looks.h"

#include "gtest/gtest.h"

#include "common/testing/fake_clock.h"
#include "common/testing/manual_executor.h"

namespace kinora {
namespace {

class QuestionLooksTest : public ::testing::Test {
 protected:
  void LookIn(int64_t ms) {
    looks_.LookAt(ms, 0, [this] { ++rung_; });
  }

  FakeClock clock_;
  ManualExecutor executor_{clock_};
  QuestionLooks looks_{executor_};
  int rung_ = 0;
};

TEST_F(QuestionLooksTest, OnlyASoonerOneTakesThePlaceOfALook) {
  LookIn(5000);
  LookIn(9000);
  LookIn(2000);
  executor_.Advance(absl::Seconds(1));
  EXPECT_EQ(rung_, 0);
  executor_.Advance(absl::Seconds(1));
  EXPECT_EQ(rung_, 1);
  executor_.Advance(absl::Seconds(9));
  EXPECT_EQ(rung_, 1);
  looks_.Begin();
  EXPECT_TRUE(looks_.TakeNews());
  LookIn(9000);
  executor_.Advance(absl::Seconds(9));
  EXPECT_EQ(rung_, 2);
}

// The clock that it goes by may be corrected.
TEST_F(QuestionLooksTest, AFarLookIsTakenSooner) {
  LookIn(INT64_MAX - 1);
  executor_.Advance(absl::Minutes(1));
  EXPECT_EQ(rung_, 1);
}

TEST_F(QuestionLooksTest, OneThatIsDueAndFailedIsNotTakenAtOnce) {
  looks_.NoteFailed();
  LookIn(-1);
  executor_.RunUntilIdle();
  EXPECT_EQ(rung_, 0);
  executor_.Advance(absl::Seconds(1));
  EXPECT_EQ(rung_, 1);
  looks_.Begin();
  looks_.NoteRecorded();
  LookIn(-1);
  executor_.Advance(absl::ZeroDuration());
  EXPECT_EQ(rung_, 2);
}

TEST_F(QuestionLooksTest, WhoIsOvertakenTooOftenIsNoLongerCareful) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(looks_.is_careful());
    looks_.NoteOvertaken();
  }
  EXPECT_FALSE(looks_.is_careful());
  looks_.NoteRecorded();
  EXPECT_TRUE(looks_.is_careful());
}

}  // namespace
}  // namespace kinora
