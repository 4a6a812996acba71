#include "services/runner/state/job_time.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

using ::testing::StartsWith;

absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(seconds); }

TEST(JobTimeTest, AttemptsAndTheWaitsBetweenThemCount) {
  JobTime job;
  EXPECT_EQ(job.Used(At(100)), absl::ZeroDuration());
  job.Run(At(100));
  EXPECT_EQ(job.Used(At(107)), absl::Seconds(7));
  job.Wait(At(110), absl::Seconds(5));
  EXPECT_EQ(job.Used(At(112)), absl::Seconds(12));
  job.Run(At(115));
  EXPECT_EQ(job.Used(At(120)), absl::Seconds(20));
}

// Once it is due it waits for its turn only.
TEST(JobTimeTest, AWaitThatIsOverCountsNoLonger) {
  JobTime job;
  job.Run(At(0));
  job.Wait(At(1), absl::Seconds(5));
  EXPECT_EQ(job.Used(At(1000)), absl::Seconds(6));
  job.Run(At(1000));
  EXPECT_EQ(job.Used(At(1002)), absl::Seconds(8));
}

TEST(JobTimeTest, AWaitThatIsCutShortCountsAsLongAsItLasted) {
  JobTime job;
  job.Run(At(0));
  job.Wait(At(1), absl::Seconds(60));
  job.Run(At(3));
  EXPECT_EQ(job.Used(At(4)), absl::Seconds(4));
}

TEST(JobTimeTest, ItStandsStillUntilItGoesOn) {
  JobTime job(absl::Seconds(30));
  job.Run(At(0));
  job.Stop(At(2));
  job.Stop(At(500));
  EXPECT_EQ(job.Used(At(1000)), absl::Seconds(32));
  job.Run(At(1000));
  EXPECT_EQ(job.Used(At(1001)), absl::Seconds(33));
}

// The times in a ledger are those of wall clocks, which may be corrected.
TEST(JobTimeTest, AClockThatGoesBackTakesNothingAway) {
  JobTime job;
  job.Run(At(100));
  EXPECT_EQ(job.Used(At(90)), absl::ZeroDuration());
  job.Wait(At(90), absl::Seconds(1));
  EXPECT_EQ(job.Used(At(200)), absl::Seconds(1));
}

TEST(JobTimeTest, TheFailureSaysWhatIsOverAndHowTheLastAttemptFailed) {
  v1::Failure last;
  last.set_reason(v1::FAILURE_REASON_RATE_LIMITED);
  last.set_message("slow down");
  last.set_retryable(true);
  last.set_provider("openai");
  last.mutable_retry_after()->set_seconds(90);
  const v1::Failure over =
      JobTimeoutFailure(last, absl::Seconds(30), 3, /*early=*/true);
  EXPECT_EQ(over.reason(), v1::FAILURE_REASON_DEADLINE_EXCEEDED);
  EXPECT_EQ(over.message(),
            "job timeout of 30 s is over after 3 attempts, before the next one "
            "is due: slow down");
  EXPECT_EQ(over.provider(), "openai");
  EXPECT_FALSE(over.has_retry_after());
  EXPECT_EQ(
      JobTimeoutFailure(last, absl::Minutes(2), 2, /*early=*/false).message(),
      "job timeout of 120 s is over after 2 attempts: slow down");
  EXPECT_EQ(
      JobTimeoutFailure({}, absl::Seconds(1), 1, /*early=*/false).message(),
      "job timeout of 1 s is over after 1 attempt");
}

TEST(JobTimeTest, ALongFailureIsCutBetweenCharacters) {
  v1::Failure last;
  for (int i = 0; i < 1000; ++i) last.mutable_message()->append("\u20ac");
  const v1::Failure over =
      JobTimeoutFailure(last, absl::Seconds(30), 3, /*early=*/true);
  EXPECT_LE(over.message().size(), 3u * 1024);
  EXPECT_THAT(over.message(), StartsWith("job timeout of 30 s"));
  EXPECT_EQ(over.message().substr(over.message().size() - 3), "\u20ac");
}

}  // namespace
}  // namespace kinora
