// What a run appends together: the ledger's events, and what attempts have made
// meanwhile. Producers are held by the test.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/status.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "services/runner/testing/held_runner_fixture.h"
#include "services/store/testing/forwarding_event_store.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Notes what is appended at once of jobs that have ended, such as "made A" and
// "told A".
class NotingStore final : public ForwardingEventStore {
 public:
  using Answers = std::vector<absl::StatusOr<v1::AppendEventsResponse>>;
  using Words = std::vector<std::string>;

  using ForwardingEventStore::ForwardingEventStore;

  // Called with each note, before it is appended.
  std::function<void(const Words&)> before;
  // The first append of artefacts beside others ends so.
  absl::Status refusal;

  Answers AppendAll(
      absl::Span<v1::AppendEventsRequest* const> requests) override {
    Words words;
    for (const v1::AppendEventsRequest* request : requests) {
      for (const v1::Event& event : request->events()) Note(event, &words);
    }
    if (!words.empty()) {
      if (before) before(words);
      MutexLock lock(mu_);
      notes_.push_back(words);
    }
    Answers answers = ForwardingEventStore::AppendAll(requests.subspan(0, 1));
    if (requests.size() == 1) return answers;
    const absl::Status refused = std::exchange(refusal, absl::OkStatus());
    if (!refused.ok()) {
      answers.emplace_back(refused);
    } else {
      answers.push_back(Append(*requests[1]));
    }
    return answers;
  }

  std::vector<Words> notes() {
    MutexLock lock(mu_);
    return notes_;
  }

 private:
  static void Note(const v1::Event& event, Words* words) {
    if (event.has_artefact()) {
      words->push_back("made " + event.artefact().produced_by().job_id());
    } else if (event.ledger().has_step_completed()) {
      words->push_back("told " +
                       event.ledger().step_completed().step().step_id());
    }
  }

  Mutex mu_;
  std::vector<Words> notes_ ABSL_GUARDED_BY(mu_);
};

class RunnerArrivalsTest : public HeldRunnerFixture {
 protected:
  ~RunnerArrivalsTest() override { carrier_.reset(); }

  // A run of which B ends while what A has made is written.
  v1::RunSnapshot Run() {
    events_.before = [this](const NotingStore::Words& words) {
      if (words.front() == "made A") producers_.Succeed("B");
    };
    CarryOn(events_.Within(store()), executor_);
    const std::string run_id = StartRun(kTwo);
    producers_.WaitForAttempt("A");
    producers_.WaitForAttempt("B");
    producers_.Succeed("A");
    return Finish(run_id);
  }

  NotingStore events_{store().events};
  ThreadPool executor_{"runner", 4};
};

TEST_F(RunnerArrivalsTest, WhatIsMadeMeanwhileIsWrittenBesideTheLedger) {
  const v1::RunSnapshot run = Run();
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(run.record().jobs().succeeded(), 2);
  EXPECT_EQ(producers_.calls(), 2);
  // Of each job: first what it has made, and that it has only behind that.
  EXPECT_THAT(events_.notes(), ElementsAre(ElementsAre("made A"),
                                           ElementsAre("told A", "made B"),
                                           ElementsAre("told B")));
}

TEST_F(RunnerArrivalsTest, WhatIsRefusedBesideTheLedgerIsAppendedByItself) {
  events_.refusal = InvalidField("events[0].artefact.output", "", "is odd");
  const v1::RunSnapshot run = Run();
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_THAT(
      events_.notes(),
      ElementsAre(ElementsAre("made A"), ElementsAre("told A", "made B"),
                  ElementsAre("made B"), ElementsAre("told B")));
}

// Nobody knows what became of that append: it is not made once more.
TEST_F(RunnerArrivalsTest, AnotherErrorOfTheStoreEndsTheRun) {
  events_.refusal = absl::InternalError("odd");
  const v1::RunSnapshot run = Run();
  EXPECT_EQ(run.record().status(), v1::RUN_STATUS_FAILED);
  EXPECT_THAT(run.record().error(), HasSubstr("artefact log: odd"));
  EXPECT_THAT(events_.notes(), ElementsAre(ElementsAre("made A"),
                                           ElementsAre("told A", "made B")));
}

}  // namespace
}  // namespace kinora
