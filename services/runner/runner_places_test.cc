// Runs of one process that share producers, and producers that ask for time,
// are down, or change their version.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/clock.h"
#include "common/testing/status_matchers.h"
#include "services/runner/runner.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

// Nodes that do not know of each other.
std::string Nodes(const std::map<std::string, std::string>& producer_settings) {
  std::string blueprint = R"(
blueprint: beside
inputs:
  Topic: {type: text, default: "sea"}
nodes:
)";
  for (const auto& [name, producer] : producer_settings) {
    absl::StrAppend(&blueprint, "  ", name, ":\n    ", producer,
                    "\n    inputs: {topic: \"Input:Topic\"}\n    outputs: {",
                    name, "Text: text/plain}\n");
  }
  absl::string_view separator = "outputs: [";
  for (const auto& node : producer_settings) {
    absl::StrAppend(&blueprint, separator, node.first, "Text");
    separator = ", ";
  }
  blueprint += "]\n";
  return blueprint;
}

class RunnerPlacesTest : public RunnerFixture {
 protected:
  std::string Start(const std::string& movie_id) {
    v1::StartRunRequest request;
    request.set_movie_id(movie_id);
    absl::StatusOr<v1::StartRunResponse> started = runner().Start(request);
    EXPECT_OK(started);
    return started.ok() ? started->run().run_id() : "";
  }
  v1::RunStatus StatusOf(const std::string& run_id) {
    v1::GetRunRequest get;
    get.set_run_id(run_id);
    absl::StatusOr<v1::GetRunResponse> run = runner().Get(get);
    EXPECT_OK(run);
    return run.ok() ? run->run().record().status() : v1::RUN_STATUS_UNSPECIFIED;
  }
  static std::function<bool(const v1::LedgerEvent&)> Started(
      const std::string& job) {
    return [job](const v1::LedgerEvent& event) {
      return event.step_started().step().step_id() == job;
    };
  }
  // Whether `job` has started when `other` is done, in a run of the movie
  // "other".
  bool HasStarted(const std::string& run_id, const std::string& job,
                  const std::string& other) {
    bool started = false;
    Ledger(
        run_id,
        [&](const v1::LedgerEvent& event) {
          started = started || event.step_started().step().step_id() == job;
          return event.step_completed().step().step_id() == other;
        },
        "other");
    return started;
  }
  static bool IsRetrying(const v1::LedgerEvent& event) {
    return event.job().type() == "retrying";
  }
  v1::ListedProducer Listed(const std::string& name) {
    v1::ListProducersRequest request;
    request.add_names(name);
    absl::StatusOr<v1::ListProducersResponse> listed =
        runner().ListProducers(request);
    EXPECT_OK(listed);
    return listed.ok() && listed->producers_size() == 1 ? listed->producers(0)
                                                        : v1::ListedProducer();
  }
};

// `single` is called once at a time, whoever calls; a run that waits for it
// goes on with the rest, and comes to its turn when the other run ends.
TEST_F(RunnerPlacesTest, RunsShareThePlacesOfAProducer) {
  MakeMovie(
      Nodes({{"A", "producer: single\n    settings: {delay_ms: 600000}"}}));
  MakeMovie(Nodes({{"A", "producer: single"}, {"B", "producer: sim"}}),
            "other");
  const std::string first = Start("film");
  Ledger(first, Started("A"));
  const std::string second = Start("other");
  EXPECT_FALSE(HasStarted(second, "A", "B"));

  v1::CancelRunRequest cancel;
  cancel.set_run_id(first);
  ASSERT_OK(runner().Cancel(cancel));
  Ledger(first);
  Ledger(second, nullptr, "other");
  EXPECT_EQ(StatusOf(second), v1::RUN_STATUS_COMPLETED);
}

// A run that waits for its turn can be cancelled, and is in nobody's way then.
TEST_F(RunnerPlacesTest, ARunThatWaitsForAPlaceCanBeCancelled) {
  const std::string slow =
      Nodes({{"A", "producer: single\n    settings: {delay_ms: 600000}"}});
  MakeMovie(slow);
  MakeMovie(slow, "other");
  MakeMovie(Nodes({{"A", "producer: single"}}), "third");
  const std::string first = Start("film");
  Ledger(first, Started("A"));
  const std::string second = Start("other");
  const std::string third = Start("third");
  v1::CancelRunRequest cancel;
  cancel.set_run_id(second);
  ASSERT_OK(runner().Cancel(cancel));
  Ledger(second, nullptr, "other");
  EXPECT_EQ(StatusOf(second), v1::RUN_STATUS_CANCELLED);
  cancel.set_run_id(first);
  ASSERT_OK(runner().Cancel(cancel));
  Ledger(third, nullptr, "third");
  EXPECT_EQ(StatusOf(third), v1::RUN_STATUS_COMPLETED);
}

// The time stands still but for what the test lets pass.
TEST_F(RunnerPlacesTest, AProducerThatAsksForTimeIsLeftAloneByAllRuns) {
  MakeMovie(Nodes({{"A",
                    "producer: sim\n    settings: {fail_attempts: 1, "
                    "fail_code: RESOURCE_EXHAUSTED, retry_after_ms: 20}"}}));
  MakeMovie(Nodes({{"A", "producer: sim"}, {"B", "producer: single"}}),
            "other");
  const std::string first = Start("film");
  const v1::LedgerEvent retrying = Ledger(first, IsRetrying).back();
  EXPECT_THAT(retrying.job().detail_json(), HasSubstr(R"("retryAfterMs":20)"));
  EXPECT_TRUE(Listed("sim").has_held_back_until());
  const std::string second = Start("other");
  EXPECT_FALSE(HasStarted(second, "A", "B"));
  clock_.Advance(absl::Milliseconds(20));
  Ledger(first);
  Ledger(second, nullptr, "other");
  EXPECT_EQ(StatusOf(first), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(StatusOf(second), v1::RUN_STATUS_COMPLETED);
  EXPECT_FALSE(Listed("sim").has_held_back_until());
}

// A runner that goes on with a run does not run into the same wall.
TEST_F(RunnerPlacesTest, WhatAProducerAskedForOutlivesTheRunner) {
  MakeMovie(Nodes({{"A",
                    "producer: sim\n    settings: {fail_attempts: 1, "
                    "fail_code: RESOURCE_EXHAUSTED, retry_after_ms: 60000}"}}));
  const std::string run_id = Start("film");
  Ledger(run_id, IsRetrying);
  process_.reset();
  process_ = NewProcess();
  clock_.Advance(absl::Seconds(30));  // of the lease, too
  ASSERT_OK(runner().AdoptOpenRuns());
  Ledger(run_id, [](const v1::LedgerEvent& event) {
    return event.run_resumed().reason() == "adopted";
  });
  EXPECT_TRUE(Listed("sim").has_held_back_until());
  EXPECT_EQ(calls(), 0);
}

// Three attempts are all a job has: while the producer is down none is used
// up.
TEST_F(RunnerPlacesTest, AnOutageUsesUpNoAttempts) {
  process_ = std::make_unique<RunnerProcess>(store(), RealClock(),
                                             SimProducerOptions());
  MakeMovie(
      Nodes({{"A", "producer: flaky\n    settings: {lost_attempts: 6}"}}));
  const v1::RunSnapshot run = Finish(Start("film"));
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(calls(), 7);
  EXPECT_EQ(Listed("flaky").targets(0).breaker(), v1::BREAKER_STATE_CLOSED);
}

TEST_F(RunnerPlacesTest, AProducerThatIsDownIsListedAsSuch) {
  MakeMovie(
      Nodes({{"A", "producer: flaky\n    settings: {lost_attempts: 1}"}}));
  const std::string run_id = Start("film");
  Ledger(run_id, IsRetrying);
  const v1::ListedProducer listed = Listed("flaky");
  ASSERT_EQ(listed.targets_size(), 1);
  EXPECT_EQ(listed.targets(0).breaker(), v1::BREAKER_STATE_OPEN);
  EXPECT_EQ(listed.targets(0).failures(), 1u);
  EXPECT_TRUE(listed.targets(0).has_open_until());
  clock_.Advance(absl::Milliseconds(1));
  Ledger(run_id);
  EXPECT_EQ(StatusOf(run_id), v1::RUN_STATUS_COMPLETED);
}

// One of the targets is gone, one has a version that the plan was not made for:
// the third does the work.
TEST_F(RunnerPlacesTest, TheTargetsThatFitTakeTheWork) {
  std::map<std::string, std::string> nodes;
  for (const char* name : {"A", "B", "C", "D", "E", "F"}) {
    nodes[name] = "producer: mixed";
  }
  MakeMovie(Nodes(nodes));
  const v1::RunSnapshot run = Finish(Start("film"));
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED)
      << run.record().error();
  EXPECT_EQ(run.record().jobs().succeeded(), 6);
}

}  // namespace
}  // namespace kinora
