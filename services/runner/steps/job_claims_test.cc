#include "services/runner/steps/job_claims.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class JobClaimsTest : public ::testing::Test {
 protected:
  void Claim(const std::string& call, const std::vector<std::string>& jobs) {
    for (const v1::JobEvent& claim : ClaimEvents(call, jobs)) {
      v1::LedgerEvent event;
      *event.mutable_job() = claim;
      claims_.Apply(event);
    }
  }

  JobClaims claims_;
};

TEST_F(JobClaimsTest, TheEarlierClaimOnAJobHolds) {
  Claim("a", {"A", "B"});
  Claim("b", {"B", "C"});
  Claim("c", {"C", "D"});
  EXPECT_THAT(claims_.Before("a", {"A", "B"}), IsEmpty());
  EXPECT_THAT(claims_.Before("b", {"B", "C"}), ElementsAre("a"));
  EXPECT_THAT(claims_.Before("c", {"C", "D"}), ElementsAre("b"));
  // Who has not claimed anything yet comes behind all.
  EXPECT_THAT(claims_.Before("", {"B", "C"}), ElementsAre("a", "b", "c"));
}

TEST_F(JobClaimsTest, WhatACallHadIsFreeWhenItHasEnded) {
  Claim("a", {"A", "B"});
  Claim("b", {"B"});
  claims_.Forget("a", {"B"});
  EXPECT_THAT(claims_.Before("b", {"B"}), IsEmpty());
  EXPECT_THAT(claims_.Before("", {"A"}), ElementsAre("a"));
}

TEST_F(JobClaimsTest, ALargeLayerIsClaimedByEventsOfModestSize) {
  std::vector<std::string> jobs;
  for (int i = 0; i < 1'001; ++i) jobs.push_back("Job" + std::to_string(i));
  EXPECT_EQ(ClaimEvents("a", jobs).size(), 3u);
  Claim("a", jobs);
  Claim("b", {"Job1000"});
  EXPECT_THAT(claims_.Before("b", {"Job1000"}), ElementsAre("a"));
}

TEST_F(JobClaimsTest, WhatIsNoClaimIsLeftOut) {
  v1::LedgerEvent event;
  event.mutable_job()->set_type("claimed");
  event.mutable_job()->set_detail_json(R"({"call":1,"jobs":["A"]})");
  claims_.Apply(event);
  event.mutable_job()->set_detail_json("not json");
  claims_.Apply(event);
  EXPECT_THAT(claims_.Before("", {"A"}), IsEmpty());
}

}  // namespace
}  // namespace kinora
