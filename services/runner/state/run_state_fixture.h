// What tests of RunState share: plans made in a line, and the facts of a run in
// verbs.

#ifndef KINORA_SERVICES_RUNNER_STATE_RUN_STATE_FIXTURE_H_
#define KINORA_SERVICES_RUNNER_STATE_RUN_STATE_FIXTURE_H_

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/runner/state/run_state.h"

namespace kinora {

inline v1::Content Text(absl::string_view text) {
  v1::Content content;
  content.mutable_inline_()->set_hash(Sha256Of(text).Hex());
  content.mutable_inline_()->set_data(std::string(text));
  return content;
}

// Makes a plan: nodes are producers, jobs have one artefact `Artifact:<id>`.
class PlanBuilder {
 public:
  PlanBuilder() : plan_(std::make_shared<v1::Plan>()) {
    v1::PlannedInput* input = plan_->add_inputs();
    input->set_input_id("Input:Topic");
    *input->mutable_content() = Text("topic");
  }

  PlanBuilder& Job(size_t layer, const std::string& id,
                   const std::vector<std::string>& upstream,
                   const std::string& producer = "sim") {
    while (plan_->layers_size() <= static_cast<int>(layer)) plan_->add_layers();
    if (nodes_.insert(producer).second) {
      v1::PlannedNode* node = plan_->add_nodes();
      node->set_node(producer);
      node->mutable_producer()->set_name(producer);
      node->mutable_producer()->set_version("1");
      node->set_settings_json("{}");
      node->set_settings_hash(Sha256Of("{}").Hex());
    }
    v1::PlannedJob* job =
        plan_->mutable_layers(static_cast<int>(layer))->add_jobs();
    job->set_job_id(id);
    job->set_node(producer);
    job->add_artefacts()->set_artefact_id("Artifact:" + id);
    v1::PlannedBinding* list = job->add_bindings();
    list->set_name("parts");
    list->set_is_list(true);
    for (const std::string& name : upstream) {
      list->add_source_ids("Artifact:" + name);
    }
    v1::PlannedBinding* topic = job->add_bindings();
    topic->set_name("topic");
    topic->add_source_ids("Input:Topic");
    return *this;
  }

  PlanBuilder& Defer(const std::string& node, const std::string& decider) {
    v1::DeferredGroup* group = plan_->add_deferred();
    group->set_node(node);
    group->set_dimension("segment");
    group->set_sized_by_artefact_id("Artifact:" + decider);
    return *this;
  }

  // The same as an answer of the planner.
  std::shared_ptr<const v1::ExpandDeferredGroupResponse> TakeExpansion() {
    auto expansion = std::make_shared<v1::ExpandDeferredGroupResponse>();
    *expansion->mutable_layers() = plan_->layers();
    *expansion->mutable_nodes() = plan_->nodes();
    *expansion->mutable_deferred() = plan_->deferred();
    return expansion;
  }

  v1::Plan& plan() { return *plan_; }
  std::shared_ptr<const v1::Plan> Take() { return plan_; }

 private:
  std::shared_ptr<v1::Plan> plan_;
  std::set<std::string> nodes_;
};

class RunStateTest : public ::testing::Test {
 protected:
  RunState Make(PlanBuilder& builder, const RunStateOptions& options = {}) {
    absl::StatusOr<RunState> state =
        RunState::Create(builder.Take(), options, random_);
    EXPECT_OK(state);
    return *std::move(state);
  }

  // Names of the jobs that start, when no lookup finds anything.
  std::vector<std::string> Start(RunState& state) {
    std::vector<std::string> started;
    for (RunCommands c = state.NextCommands(); !c.empty();
         c = state.NextCommands()) {
      for (JobIndex job : c.look_ups) state.Apply(LookedUp{job, {}});
      for (JobIndex job : c.starts) started.push_back(state.job(job).job_id());
    }
    return started;
  }

  static JobIndex Find(const RunState& state, const std::string& id) {
    for (size_t i = 0; i < state.job_count(); ++i) {
      if (state.job(static_cast<JobIndex>(i)).job_id() == id) {
        return static_cast<JobIndex>(i);
      }
    }
    ADD_FAILURE() << "no job " << id;
    return 0;
  }

  static std::vector<JobChange> Succeed(RunState& state, const std::string& id,
                                        absl::string_view text) {
    return state.Apply(AttemptSucceeded{Find(state, id), {Text(text)}});
  }

  static std::vector<JobChange> Fail(RunState& state, const std::string& id,
                                     bool retryable) {
    v1::Failure failure;
    failure.set_message("boom");
    failure.set_retryable(retryable);
    return state.Apply(AttemptFailed{Find(state, id), failure});
  }

  SeededRandom random_{1};
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_STATE_RUN_STATE_FIXTURE_H_
