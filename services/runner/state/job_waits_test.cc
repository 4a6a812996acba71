#include "services/runner/state/job_waits.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class JobWaitsTest : public ::testing::Test {
 protected:
  std::vector<JobIndex> MeantBy(const std::string& job_id, int64_t sequence) {
    std::vector<JobIndex> jobs;
    for (const JobWait& wait : waits_.ToldBefore(job_id, sequence)) {
      jobs.push_back(wait.job);
    }
    return jobs;
  }

  JobWaits waits_;
};

TEST_F(JobWaitsTest, ARequestMeansTheWaitThatIsToldBeforeIt) {
  waits_.Begin("A", {.job = 0, .attempt = 1}, false);
  EXPECT_THAT(MeantBy("A", 7), IsEmpty());  // nobody can know of it
  waits_.NoteTold("A", 5);
  EXPECT_THAT(MeantBy("A", 7), ElementsAre(0));
  EXPECT_THAT(MeantBy("A", 4), IsEmpty());
  EXPECT_THAT(MeantBy("B", 7), IsEmpty());
}

TEST_F(JobWaitsTest, ARequestDoesNotMeanTheWaitAfterTheOneItMeant) {
  waits_.Begin("A", {.job = 0, .attempt = 1}, false);
  waits_.NoteTold("A", 5);
  waits_.End("A");
  waits_.Begin("A", {.job = 0, .attempt = 2}, false);
  waits_.NoteTold("A", 9);
  EXPECT_THAT(MeantBy("A", 7), IsEmpty());
  EXPECT_THAT(MeantBy("A", 10), ElementsAre(0));
}

TEST_F(JobWaitsTest, OneThatBeginsAfterTheSameAttemptIsAnother) {
  waits_.Begin("A", {.job = 0, .attempt = 1}, false);
  const JobWait first = waits_.Find("A").at("A");
  EXPECT_TRUE(waits_.IsIn("A", first));
  waits_.Begin("A", {.job = 0, .attempt = 1}, false);
  EXPECT_TRUE(waits_.IsIn("A", first));
  waits_.End("A");
  EXPECT_FALSE(waits_.IsIn("A", first));
  waits_.Begin("A", {.job = 0, .attempt = 1}, false);
  EXPECT_FALSE(waits_.IsIn("A", first));
  EXPECT_TRUE(waits_.IsIn("A", waits_.Find("A").at("A")));
}

// A doubt may be told again and again, with what is known by then.
TEST_F(JobWaitsTest, AWaitThatIsToldAgainIsTheSame) {
  waits_.Begin("A", {.job = 0, .attempt = 1}, false);
  waits_.NoteTold("A", 5);
  waits_.Begin("A", {.job = 0, .attempt = 1}, false);
  waits_.NoteTold("A", 9);
  EXPECT_THAT(MeantBy("A", 7), ElementsAre(0));
}

// Whoever asked has read of it in what another process has written.
TEST_F(JobWaitsTest, AWaitThatWasToldBeforeThisProcessIsMeant) {
  waits_.Begin("A", {.job = 0, .attempt = 1}, true);
  EXPECT_THAT(MeantBy("A", 2), ElementsAre(0));
}

TEST_F(JobWaitsTest, OneForAllMeansThoseThatWaitedThen) {
  waits_.Begin("A", {.job = 0, .attempt = 1}, false);
  waits_.Begin("B", {.job = 1, .attempt = 1}, false);
  waits_.NoteTold("A", 5);
  waits_.NoteTold("B", 9);
  EXPECT_THAT(MeantBy("", 7), ElementsAre(0));
  EXPECT_EQ(waits_.Find("").size(), 2u);
  EXPECT_EQ(waits_.Find("B").size(), 1u);
  waits_.Clear();
  EXPECT_TRUE(waits_.Find("").empty());
}

}  // namespace
}  // namespace kinora
