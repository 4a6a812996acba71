#include "services/runner/replay/replay_differences.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/content.h"

namespace kinora {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

// A run of jobs that each make one artefact.
class Recorder {
 public:
  explicit Recorder(v1::RunStatus status = v1::RUN_STATUS_COMPLETED) {
    run_.record.set_status(status);
  }

  Recorder& Made(const std::string& job, const std::string& inputs_hash,
                 const std::string& text) {
    *Step()->mutable_step_completed()->mutable_step() = StepOf(job);
    v1::ArtefactEvent* result = run_.results.emplace_back().mutable_artefact();
    result->set_artefact_id("Artifact:" + job);
    result->set_inputs_hash(inputs_hash);
    result->set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
    *result->mutable_output() = InlineContent("text/plain", text);
    result->mutable_produced_by()->set_job_id(job);
    return *this;
  }
  Recorder& Skipped(const std::string& job, const std::string& reason) {
    v1::StepSkippedEvent* skipped = Step()->mutable_step_skipped();
    *skipped->mutable_step() = StepOf(job);
    skipped->set_reason(reason);
    return *this;
  }
  Recorder& Failed(const std::string& job) {
    *Step()->mutable_step_failed()->mutable_step() = StepOf(job);
    return *this;
  }

  operator const RecordedRun&() const { return run_; }

 private:
  static v1::StepIdentity StepOf(const std::string& job) {
    v1::StepIdentity step;
    step.set_step_id(job);
    return step;
  }
  v1::LedgerEvent* Step() {
    v1::Event& event = run_.steps.emplace_back();
    event.set_sequence(static_cast<int64_t>(run_.steps.size()));
    return event.mutable_ledger();
  }

  RecordedRun run_;
};

TEST(ReplayDifferencesTest, ThereAreNoneBetweenARunAndItself) {
  const Recorder run = Recorder().Made("A", "1", "a").Skipped("B", "reused");
  EXPECT_THAT(DifferencesOf(run, run, std::nullopt, {}), IsEmpty());
}

// After a crash a run finds what it has made, and says that it is reused.
TEST(ReplayDifferencesTest, AResultIsAResult) {
  EXPECT_THAT(
      DifferencesOf(Recorder().Skipped("A", "reused"),
                    Recorder().Skipped("A", "reused"), std::nullopt, {}),
      IsEmpty());
  EXPECT_EQ(JobEndWord(JobEnd::kReused), JobEndWord(JobEnd::kSucceeded));
}

TEST(ReplayDifferencesTest, TellsOfOutputsAndInputsHashes) {
  const auto found =
      DifferencesOf(Recorder().Made("A", "1", "a"),
                    Recorder().Made("A", "2", "b"), std::nullopt, {});
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].kind(), v1::REPLAY_DIFFERENCE_KIND_INPUTS_HASH);
  EXPECT_EQ(found[0].recorded(), "1");
  EXPECT_EQ(found[0].replayed(), "2");
  EXPECT_EQ(found[1].kind(), v1::REPLAY_DIFFERENCE_KIND_OUTPUT);
  EXPECT_EQ(found[1].artefact_id(), "Artifact:A");
  EXPECT_EQ(found[1].recorded(), ContentHash(InlineContent("text/plain", "a")));
}

// Both say the same, but it is not what was published.
TEST(ReplayDifferencesTest, TheManifestDecidesWhatAnOutputWas) {
  v1::Manifest manifest;
  v1::ManifestArtefact& published =
      (*manifest.mutable_artefacts())["Artifact:A"];
  published.set_inputs_hash("1");
  *published.mutable_content() = InlineContent("text/plain", "original");
  const Recorder run = Recorder().Made("A", "1", "forged");
  const auto found = DifferencesOf(run, run, manifest, {});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].kind(), v1::REPLAY_DIFFERENCE_KIND_OUTPUT);
}

TEST(ReplayDifferencesTest, TellsHowJobsEnded) {
  const auto found = DifferencesOf(
      Recorder().Skipped("A", "reused").Skipped("B", "reused"),
      Recorder().Failed("A").Skipped("C", "blocked"), std::nullopt, {});
  ASSERT_THAT(found, SizeIs(3));
  EXPECT_EQ(found[0].recorded(), "succeeded");
  EXPECT_EQ(found[0].replayed(), "failed");
  EXPECT_EQ(found[1].replayed(), "");
  EXPECT_EQ(found[2].job_id(), "C");
  EXPECT_EQ(found[2].recorded(), "");
}

// What it was at when it was cut short is nobody's to know.
TEST(ReplayDifferencesTest, OfARunThatWasCutShortOnlyEndsCount) {
  const auto found =
      DifferencesOf(Recorder(v1::RUN_STATUS_CANCELLED).Made("A", "1", "a"),
                    Recorder(v1::RUN_STATUS_FAILED)
                        .Made("A", "1", "a")
                        .Failed("B")
                        .Skipped("C", "blocked"),
                    std::nullopt, {{"B", "2"}});
  EXPECT_THAT(found, IsEmpty());
}

TEST(ReplayDifferencesTest, WhatIsNotInTheRecordIsToldOnce) {
  const auto found =
      DifferencesOf(Recorder().Made("A", "1", "a"), Recorder().Failed("A"),
                    std::nullopt, {{"A", "2"}});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].kind(), v1::REPLAY_DIFFERENCE_KIND_NOT_RECORDED);
  EXPECT_EQ(found[0].replayed(), "2");
}

}  // namespace
}  // namespace kinora
