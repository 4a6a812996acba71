#include "services/planner/history/run_diff.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/content.h"
#include "common/digest.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Two runs of one plan: a script of the story, and a picture of the script.
class RunDiffTest : public ::testing::Test {
 protected:
  struct Run {
    v1::RunRecord record;
    v1::Plan plan;
    std::vector<v1::LedgerEvent> ledger;
    std::vector<v1::ArtefactEvent> artefacts;

    ToldRun Told() const {
      ToldRun told(record, plan);
      for (const v1::LedgerEvent& event : ledger) told.AddLedger(event);
      for (const v1::ArtefactEvent& event : artefacts) {
        told.AddArtefact(event);
      }
      return told;
    }
  };

  static Run Begin(const std::string& run_id, const std::string& story,
                   const std::string& tone = "calm") {
    Run run;
    run.record.set_run_id(run_id);
    run.record.set_movie_id("film");
    run.record.set_status(v1::RUN_STATUS_COMPLETED);
    SetInput("Input:Story", story, &run);
    v1::PlanLayer& layer = *run.plan.add_layers();
    for (const char* name : {"Picture", "Script"}) {
      v1::PlannedNode& node = *run.plan.add_nodes();
      node.set_node(name);
      node.mutable_producer()->set_name(name);
      node.mutable_producer()->set_version("1");
      node.set_settings_json(absl::StrCat("{\"tone\":\"", tone, "\"}"));
      node.set_settings_hash(Sha256Of(node.settings_json()).Hex());
      v1::PlannedJob& job = *layer.add_jobs();
      job.set_job_id(name);
      job.set_node(name);
    }
    return run;
  }

  static void SetInput(const std::string& id, const std::string& text,
                       Run* run) {
    v1::PlannedInput& input = *run->plan.add_inputs();
    input.set_input_id(id);
    *input.mutable_content() = InlineContent("text/plain", text);
  }

  // An attempt at `job` that read `text` as `source`, and what it made.
  static v1::ArtefactEvent& Make(const std::string& job, uint32_t attempt,
                                 const std::string& source,
                                 const std::string& text,
                                 const std::string& made, Run* run) {
    const std::string key = Sha256Of(absl::StrCat(job, text)).Hex();
    v1::StepStartedEvent& started =
        *run->ledger.emplace_back().mutable_step_started();
    started.mutable_step()->set_step_id(job);
    started.set_attempt(attempt);
    started.set_inputs_hash(key);
    v1::ArtefactEvent& event = run->artefacts.emplace_back();
    event.set_artefact_id(absl::StrCat("Artifact:", job));
    event.set_inputs_hash(key);
    v1::Dependency& dependency = *event.add_dependencies();
    dependency.set_slot("in");
    dependency.set_source_id(source);
    dependency.set_hash(Sha256Of(text).Hex());
    v1::ProducedBy& by = *event.mutable_produced_by();
    by.set_run_id(run->record.run_id());
    by.set_job_id(job);
    by.set_node(job);
    by.set_attempt(attempt);
    for (const v1::PlannedNode& node : run->plan.nodes()) {
      if (node.node() != job) continue;
      *by.mutable_producer() = node.producer();
      by.set_settings_hash(node.settings_hash());
    }
    event.mutable_duration()->set_seconds(2);
    event.mutable_cost()->set_currency_code("USD");
    event.mutable_cost()->set_micros(100);
    if (made.empty()) {
      event.set_status(v1::ARTEFACT_STATUS_FAILED);
      v1::StepFailedEvent& failed =
          *run->ledger.emplace_back().mutable_step_failed();
      failed.mutable_step()->set_step_id(job);
      failed.set_attempt(attempt);
      failed.set_error("out of paint");
      return event;
    }
    event.set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
    *event.mutable_output() = InlineContent("text/plain", made);
    v1::StepCompletedEvent& completed =
        *run->ledger.emplace_back().mutable_step_completed();
    completed.mutable_step()->set_step_id(job);
    completed.set_attempt(attempt);
    return event;
  }

  // `Input:Story`, `job Script: succeeded -> succeeded`, ...
  static std::vector<std::string> Lines(const RunDiff& diff) {
    std::vector<std::string> lines;
    for (size_t i = 0; i < diff.size(); ++i) {
      const v1::RunDifference difference = diff.At(i);
      if (difference.has_input()) {
        lines.push_back(difference.input().id());
      } else if (difference.has_job()) {
        const v1::JobDifference& job = difference.job();
        lines.push_back(
            absl::StrCat("job ", job.job_id(), ": ",
                         job.has_old() ? job.old().outcome() : "none", " -> ",
                         job.has_new_() ? job.new_().outcome() : "none"));
      } else {
        lines.push_back(difference.artefact().id());
      }
    }
    return lines;
  }
};

// F: S3-23 (a run that is done again is told to be the same one)
TEST_F(RunDiffTest, TheSameWorkDoneTwiceIsIdentical) {
  Run one = Begin("run-1", "a cat");
  Make("Script", 1, "Input:Story", "a cat", "once upon a cat", &one);
  Make("Picture", 1, "Artifact:Script", "once upon a cat", "pixels", &one);
  Run two = Begin("run-2", "a cat");
  Make("Script", 1, "Input:Story", "a cat", "once upon a cat", &two)
      .mutable_duration()
      ->set_seconds(9);
  Make("Picture", 1, "Artifact:Script", "once upon a cat", "pixels", &two)
      .clear_cost();
  const RunDiff diff(one.Told(), two.Told());
  EXPECT_THAT(Lines(diff), IsEmpty());
  EXPECT_TRUE(diff.Summary().identical());
  EXPECT_EQ(diff.Summary().same_jobs(), 2);
  EXPECT_TRUE(diff.Summary().complete_history());

  two.record.set_status(v1::RUN_STATUS_CANCELLED);
  EXPECT_FALSE(RunDiff(one.Told(), two.Told()).Summary().identical());
}

// F: B-12 (names exactly the component of the key that differs)
TEST_F(RunDiffTest, AnotherInputIsFollowedThroughTheKeys) {
  Run one = Begin("run-1", "a cat");
  Make("Script", 1, "Input:Story", "a cat", "once upon a cat", &one);
  Make("Picture", 1, "Artifact:Script", "once upon a cat", "pixels", &one);
  Run two = Begin("run-2", "a dog");
  Make("Script", 1, "Input:Story", "a dog", "once upon a dog", &two);
  Make("Picture", 1, "Artifact:Script", "once upon a dog", "pixels", &two);
  const RunDiff diff(one.Told(), two.Told());
  EXPECT_THAT(Lines(diff),
              ElementsAre("Input:Story", "job Picture: succeeded -> succeeded",
                          "job Script: succeeded -> succeeded"));
  const v1::Difference input = diff.At(0).input();
  EXPECT_EQ(input.old_content().inline_().data(), "a cat");
  EXPECT_EQ(input.new_content().inline_().data(), "a dog");
  const v1::JobDifference picture = diff.At(1).job();
  EXPECT_THAT(picture.outputs(), IsEmpty());  // the same pixels
  ASSERT_EQ(picture.changes_size(), 1);
  EXPECT_EQ(picture.changes(0).part(), v1::KEY_PART_ARTEFACT);
  EXPECT_EQ(picture.changes(0).new_source_id(), "Artifact:Script");
  const v1::JobDifference script = diff.At(2).job();
  ASSERT_EQ(script.changes_size(), 1);
  EXPECT_EQ(script.changes(0).part(), v1::KEY_PART_INPUT);
  EXPECT_EQ(script.changes(0).old_hash(), Sha256Of("a cat").Hex());
  EXPECT_EQ(script.changes(0).new_hash(), Sha256Of("a dog").Hex());
  ASSERT_EQ(script.outputs_size(), 1);
  EXPECT_EQ(script.outputs(0).artefact_id(), "Artifact:Script");
  EXPECT_NE(script.outputs(0).old_hash(), script.outputs(0).new_hash());
  EXPECT_FALSE(diff.Summary().identical());
  EXPECT_EQ(diff.Summary().changed_inputs(), 1);
  EXPECT_EQ(diff.Summary().changed_jobs(), 2);
}

TEST_F(RunDiffTest, ASettingIsNamedWithBothValues) {
  Run one = Begin("run-1", "a cat", "calm");
  Make("Script", 1, "Input:Story", "a cat", "once upon a cat", &one);
  Run two = Begin("run-2", "a cat", "wild");
  Make("Script", 1, "Input:Story", "a cat", "ONCE", &two);
  two.artefacts[0].set_inputs_hash(Sha256Of("another key").Hex());
  const RunDiff diff(one.Told(), two.Told());
  EXPECT_THAT(Lines(diff), ElementsAre("job Script: succeeded -> succeeded"));
  const v1::JobDifference script = diff.At(0).job();
  ASSERT_EQ(script.changes_size(), 1);
  EXPECT_EQ(script.changes(0).part(), v1::KEY_PART_SETTING);
  EXPECT_EQ(script.changes(0).name(), "tone");
  EXPECT_EQ(script.changes(0).old_text(), "\"calm\"");
  EXPECT_EQ(script.changes(0).new_text(), "\"wild\"");
  ASSERT_EQ(diff.Summary().nodes_size(), 2);
  EXPECT_EQ(diff.Summary().nodes(0).node(), "Picture");
  EXPECT_EQ(diff.Summary().nodes(1).settings(0).name(), "tone");
}

TEST_F(RunDiffTest, OutcomesAttemptsCostsAndTimesAreTold) {
  Run one = Begin("run-1", "a cat");
  one.record.set_status(v1::RUN_STATUS_FAILED);
  Make("Script", 1, "Input:Story", "a cat", "once upon a cat", &one);
  Make("Picture", 1, "Artifact:Script", "once upon a cat", "", &one);
  Make("Picture", 2, "Artifact:Script", "once upon a cat", "", &one);
  Run two = Begin("run-2", "a cat");
  // A result that it takes over costs it nothing.
  v1::StepSkippedEvent& skipped =
      *two.ledger.emplace_back().mutable_step_skipped();
  skipped.mutable_step()->set_step_id("Script");
  skipped.set_reason("reused");
  Make("Picture", 1, "Artifact:Script", "once upon a cat", "pixels", &two);
  // What another run made meanwhile is not its own.
  two.artefacts.push_back(one.artefacts[0]);
  const RunDiff diff(one.Told(), two.Told());
  EXPECT_THAT(Lines(diff), ElementsAre("job Picture: failed -> succeeded",
                                       "job Script: succeeded -> reused"));
  const v1::JobDifference picture = diff.At(0).job();
  EXPECT_EQ(picture.old().attempts(), 2u);
  EXPECT_EQ(picture.old().error(), "out of paint");
  EXPECT_EQ(picture.old().duration().seconds(), 4);
  ASSERT_EQ(picture.old().costs_size(), 1);
  EXPECT_EQ(picture.old().costs(0).micros(), 200);
  EXPECT_EQ(picture.new_().attempts(), 1u);
  EXPECT_EQ(picture.new_().error(), "");
  EXPECT_THAT(picture.changes(), IsEmpty());
  EXPECT_EQ(diff.At(1).job().new_().costs_size(), 0);
}

TEST_F(RunDiffTest, AnotherErrorIsADifference) {
  Run one = Begin("run-1", "a cat");
  one.record.set_status(v1::RUN_STATUS_FAILED);
  one.record.set_error("job Script: out of paint");
  Make("Script", 1, "Input:Story", "a cat", "", &one);
  Run two = one;
  two.record.set_run_id("run-2");
  for (v1::ArtefactEvent& event : two.artefacts) {
    event.mutable_produced_by()->set_run_id("run-2");
  }
  EXPECT_TRUE(RunDiff(one.Told(), two.Told()).Summary().identical());

  two.ledger.back().mutable_step_failed()->set_error("out of words");
  const RunDiff diff(one.Told(), two.Told());
  EXPECT_THAT(Lines(diff), ElementsAre("job Script: failed -> failed"));
  EXPECT_EQ(diff.At(0).job().old().error(), "out of paint");
  EXPECT_EQ(diff.At(0).job().new_().error(), "out of words");
  EXPECT_FALSE(diff.Summary().identical());

  // One that no job has.
  Run three = one;
  three.record.set_error("commit: the movie is full");
  EXPECT_FALSE(RunDiff(one.Told(), three.Told()).Summary().identical());
}

TEST_F(RunDiffTest, WhatOutsideWorkersReportIsNoJob) {
  Run one = Begin("run-1", "a cat");
  Make("Script", 1, "Input:Story", "a cat", "once upon a cat", &one);
  Run two = one;
  for (const char* step : {"upload", "Picture"}) {
    v1::LedgerEvent& reported = two.ledger.emplace_back();
    reported.set_source(v1::LEDGER_SOURCE_WORKER);
    reported.mutable_step_completed()->mutable_step()->set_step_id(step);
  }
  EXPECT_TRUE(RunDiff(one.Told(), two.Told()).Summary().identical());
}

TEST_F(RunDiffTest, JobsAndInputsOfOneRunOnlyAreTold) {
  Run one = Begin("run-1", "a cat");
  SetInput("Input:Mood", "grim", &one);
  Run two = Begin("run-2", "a cat");
  two.plan.mutable_layers(0)->mutable_jobs()->DeleteSubrange(0, 1);
  // Nobody knew of it when the plan was made.
  Make("Clip[segment=0]", 1, "Artifact:Script", "x", "moving", &two);
  const RunDiff diff(one.Told(), two.Told());
  EXPECT_THAT(Lines(diff), ElementsAre("Input:Mood",
                                       "job Clip[segment=0]: none -> succeeded",
                                       "job Picture: not_reached -> none"));
  EXPECT_FALSE(diff.At(0).input().has_new_content());
  EXPECT_EQ(diff.Summary().jobs_only_in_old(), 1);
  EXPECT_EQ(diff.Summary().jobs_only_in_new(), 1);
  EXPECT_EQ(diff.Summary().same_jobs(), 1);
}

TEST_F(RunDiffTest, TheManifestsComeLastAndWithoutTheirInputs) {
  Run one = Begin("run-1", "a cat");
  Run two = Begin("run-2", "a cat");
  v1::Manifest before;
  before.set_revision("rev-0001");
  v1::Manifest after;
  after.set_revision("rev-0002");
  const auto put = [](v1::Manifest* manifest, const std::string& id,
                      const std::string& text) {
    v1::ManifestArtefact& artefact = (*manifest->mutable_artefacts())[id];
    artefact.set_node("Script");
    *artefact.mutable_content() = InlineContent("text/plain", text);
  };
  put(&before, "Artifact:Text", "cat");
  put(&after, "Artifact:Text", "dog");
  put(&after, "Artifact:More", "dog");
  *(*after.mutable_inputs())["Input:Story"].mutable_content() =
      InlineContent("text/plain", "a dog");
  RunDiff diff(one.Told(), two.Told());
  EXPECT_FALSE(diff.Summary().has_manifests());
  diff.SetManifests(std::make_shared<const RevisionDiff>(
      RevisionState{std::make_shared<const v1::Manifest>(before), nullptr},
      RevisionState{std::make_shared<const v1::Manifest>(after), nullptr}));
  EXPECT_THAT(Lines(diff), ElementsAre("Artifact:More", "Artifact:Text"));
  EXPECT_EQ(diff.Summary().manifests().changed_artefacts(), 1);
  EXPECT_EQ(diff.Summary().manifests().added_artefacts(), 1);
  EXPECT_FALSE(diff.Summary().identical());
}

}  // namespace
}  // namespace kinora
