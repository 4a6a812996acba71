#include "clients/cli/plan_text.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PlanTextTest : public ::testing::Test {
 protected:
  PlanTextTest() : layers_(1) {
    header_.set_target_revision("rev-0002");
    header_.set_base_revision("rev-0001");
    header_.set_plan_hash(std::string(64, 'a'));
    header_.set_saved(true);
  }

  v1::PlannedJob& AddJob(const std::string& id, v1::JobNeed need) {
    v1::PlanSummary& summary = *header_.mutable_summary();
    summary.set_layers(1);
    if (need == v1::JOB_NEED_MUST_RUN) {
      summary.set_must_run_jobs(summary.must_run_jobs() + 1);
    } else {
      summary.set_may_run_jobs(summary.may_run_jobs() + 1);
    }
    v1::PlannedJob& job = *layers_[0].add_jobs();
    job.set_job_id(id);
    job.set_need(need);
    job.mutable_reason()->set_text("input changed: Input:Story");
    return job;
  }
  void Fail(const std::string& message, bool retryable, v1::PlannedJob* job) {
    job->mutable_last_failure()->set_reason(v1::FAILURE_REASON_REJECTED);
    job->mutable_last_failure()->set_message(message);
    job->mutable_last_failure()->set_retryable(retryable);
  }
  std::string Text() const { return PlanText("film", header_, layers_); }

  v1::PlanHeader header_;
  std::vector<v1::PlanLayer> layers_;
};

TEST_F(PlanTextTest, KnownFailuresStandBeforeTheLayers) {
  Fail("refused\nby the provider", false,
       &AddJob("Picture[segment=1]", v1::JOB_NEED_MUST_RUN));
  Fail("try later", true, &AddJob("Clip", v1::JOB_NEED_MUST_RUN));
  const std::string text = Text();
  EXPECT_EQ(text.substr(0, text.find("layer 1\n")),
            "film: rev-0002 on rev-0001, plan aaaaaaaaaaaa\n"
            "1 known failure: another call fails in the same way, and will be "
            "paid for again\n"
            "  Picture[segment=1]                   REJECTED \"refused\\nby "
            "the provider\"\n");
}

TEST_F(PlanTextTest, OfManyKnownFailuresSomeAreNamed) {
  for (const char* id : {"A", "B", "C"}) {
    Fail("no", false, &AddJob(id, v1::JOB_NEED_MUST_RUN));
  }
  const std::string text = KnownFailuresText(layers_, 2);
  EXPECT_THAT(text, HasSubstr("3 known failures: "));
  EXPECT_THAT(text, HasSubstr("  and 1 more\n"));
  EXPECT_THAT(text, Not(HasSubstr("  C ")));
  layers_[0].clear_jobs();
  EXPECT_EQ(KnownFailuresText(layers_, 2), "");
}

TEST_F(PlanTextTest, WhatLeavesIsCountedAndListed) {
  EXPECT_THAT(Text(), Not(HasSubstr("leave")));
  header_.mutable_summary()->set_removed_artefacts(2);
  header_.add_removed_artefact_ids("Artifact:Clip[segment=1]");
  header_.add_removed_artefact_ids("Artifact:Music");
  EXPECT_THAT(Text(),
              HasSubstr("2 artefacts leave: the next revision does not have "
                        "them\n  Artifact:Clip[segment=1]\n"
                        "  Artifact:Music\n"));
}

// F: B-11
TEST_F(PlanTextTest, MayRunIsExplainedWhereAJobMay) {
  AddJob("Script", v1::JOB_NEED_MUST_RUN);
  const std::string words =
      "may run: it reads what a job of this plan makes, and an earlier result "
      "may turn out to be it\n";
  EXPECT_THAT(Text(), Not(HasSubstr(words)));
  AddJob("Film", v1::JOB_NEED_MAY_RUN);
  EXPECT_THAT(Text(), HasSubstr("2 jobs in 1 layer: 1 must run, 1 may run; 0 "
                                "reused, 0 clean\n" +
                                words));
  EXPECT_THAT(Text(), HasSubstr("  Film                                 may "
                                "run   input changed: Input:Story\n"));
}

}  // namespace
}  // namespace kinora
