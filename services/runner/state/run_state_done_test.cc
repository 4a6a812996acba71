// Jobs taken as done on the word of a ledger.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/runner/state/run_state.h"
#include "services/runner/state/run_state_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RunStateDoneTest : public RunStateTest {
 protected:
  static std::vector<std::string> Names(const RunState& state,
                                        const std::vector<JobIndex>& jobs) {
    std::vector<std::string> names;
    for (JobIndex job : jobs) names.push_back(state.job(job).job_id());
    return names;
  }

  // Takes what is told as done, in the order of the plan but for what was made
  // once more; the result of a job is its id. Returns the jobs whose results
  // are read.
  static std::vector<std::string> Take(
      RunState& state, const std::map<std::string, JobStatus>& told,
      const std::string& made_anew = "") {
    const RunState::DoneJobs done = state.FindDone(
        [&](const std::string& id) -> std::optional<RunState::ToldEnd> {
          const auto found = told.find(id);
          if (found == told.end()) return std::nullopt;
          size_t order = static_cast<size_t>(Find(state, id)) + 1;
          if (id == made_anew) order += state.job_count();
          return RunState::ToldEnd{found->second, order};
        });
    std::vector<std::string> read = Names(state, done.read);
    std::vector<std::vector<v1::Content>> results;
    for (const std::string& id : read) results.push_back({Text(id)});
    state.TakeDone(done, std::move(results));
    return read;
  }
};

TEST_F(RunStateDoneTest, OnlyWhatIsStillReadIsKnown) {
  PlanBuilder plan;
  plan.Job(0, "Script", {}).Job(1, "ClipA", {"Script"});
  plan.Job(1, "ClipB", {"Script"}).Job(2, "SoundA", {"ClipA"});
  plan.Job(3, "Film", {"SoundA", "ClipB"}).Job(4, "Poster", {"Film"});
  RunState state = Make(plan);
  EXPECT_THAT(Take(state, {{"Script", JobStatus::kSucceeded},
                           {"ClipA", JobStatus::kSucceeded},
                           {"ClipB", JobStatus::kReused},
                           {"SoundA", JobStatus::kSucceeded}}),
              ElementsAre("ClipB", "SoundA"));
  EXPECT_EQ(state.count(JobStatus::kSucceeded), 3u);
  EXPECT_EQ(state.count(JobStatus::kReused), 1u);
  EXPECT_EQ(state.unseen_results(), 2u);
  EXPECT_FALSE(state.finished());
  EXPECT_THAT(Start(state), ElementsAre("Film"));

  // It has the key that it would have had in a run that saw it all.
  RunState whole = Make(plan);
  for (const char* id : {"Script", "ClipA", "ClipB", "SoundA"}) {
    Start(whole);
    Succeed(whole, id, id);
  }
  EXPECT_THAT(Start(whole), ElementsAre("Film"));
  EXPECT_EQ(state.key(Find(state, "Film")), whole.key(Find(whole, "Film")));
  Succeed(state, "Film", "film");
  EXPECT_THAT(Start(state), ElementsAre("Poster"));
  Succeed(state, "Poster", "poster");
  EXPECT_TRUE(state.finished());
}

// A result that was lost is made once more, and may come out otherwise.
TEST_F(RunStateDoneTest, WhatReadsAnOpenJobIsNotDone) {
  PlanBuilder plan;
  plan.Job(0, "Script", {}).Job(1, "Clip", {"Script"}).Job(2, "Film", {"Clip"});
  plan.Job(0, "Title", {});
  RunState state = Make(plan);
  EXPECT_THAT(Take(state, {{"Clip", JobStatus::kSucceeded},
                           {"Film", JobStatus::kSucceeded},
                           {"Title", JobStatus::kSucceeded}}),
              IsEmpty());
  EXPECT_EQ(state.unseen_results(), 1u);
  EXPECT_THAT(Start(state), ElementsAre("Script"));
  Succeed(state, "Script", "script");
  EXPECT_THAT(Start(state), ElementsAre("Clip"));
}

// A process before this one was lost between the second result of a job and
// the calls of those that had read the first.
TEST_F(RunStateDoneTest, WhatEndedBeforeSomethingItReadsIsLookedUp) {
  PlanBuilder plan;
  plan.Job(0, "Script", {}).Job(1, "Clip", {"Script"}).Job(2, "Film", {"Clip"});
  plan.Job(0, "Title", {});
  RunState state = Make(plan);
  EXPECT_THAT(Take(state,
                   {{"Script", JobStatus::kSucceeded},
                    {"Clip", JobStatus::kSucceeded},
                    {"Film", JobStatus::kSucceeded},
                    {"Title", JobStatus::kSucceeded}},
                   /*made_anew=*/"Script"),
              ElementsAre("Script"));
  EXPECT_EQ(state.unseen_results(), 1u);
  EXPECT_FALSE(state.finished());
  EXPECT_THAT(Start(state), ElementsAre("Clip"));
}

TEST_F(RunStateDoneTest, ARunOfWhichAllIsDoneIsFinished) {
  PlanBuilder plan;
  plan.Job(0, "Script", {}).Job(1, "Film", {"Script"});
  RunState state = Make(plan, {.layered = true});
  EXPECT_THAT(Take(state, {{"Script", JobStatus::kSucceeded},
                           {"Film", JobStatus::kSucceeded}}),
              IsEmpty());
  EXPECT_TRUE(state.finished());
  EXPECT_TRUE(state.NextCommands().empty());
}

TEST_F(RunStateDoneTest, LayersThatAreDoneOpenTheNext) {
  PlanBuilder plan;
  plan.Job(0, "Script", {}).Job(1, "ClipA", {"Script"});
  plan.Job(1, "ClipB", {"Script"}).Job(2, "Film", {"ClipA"});
  RunState state = Make(plan, {.layered = true});
  EXPECT_THAT(Take(state, {{"Script", JobStatus::kSucceeded},
                           {"ClipA", JobStatus::kSucceeded}}),
              ElementsAre("Script", "ClipA"));
  EXPECT_THAT(Start(state), ElementsAre("ClipB"));
  Succeed(state, "ClipB", "b");
  EXPECT_THAT(Start(state), ElementsAre("Film"));
}

// What is deferred is decided by contents.
TEST_F(RunStateDoneTest, NothingIsTakenUnseenWhileSomethingIsDeferred) {
  PlanBuilder plan;
  plan.Job(0, "Script", {}).Job(0, "Title", {}).Defer("Film", "Script");
  RunState state = Make(plan);
  EXPECT_THAT(Take(state, {{"Title", JobStatus::kSucceeded}}), IsEmpty());
  EXPECT_THAT(Start(state), ElementsAre("Script", "Title"));
}

}  // namespace
}  // namespace kinora
