// What a runner says of its runs to whoever else wants to know: listeners, such
// as hooks, and metrics.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/clock.h"
#include "common/run_end.h"
#include "common/telemetry/metrics.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "services/runner/actor/run_listener.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

class RecordingListener final : public RunListener {
 public:
  void OnLedger(
      absl::string_view movie_id, absl::string_view run_id,
      int64_t first_sequence,
      const google::protobuf::RepeatedPtrField<v1::Event>& events) override {
    EXPECT_EQ(movie_id, "film");
    MutexLock lock(mu_);
    for (const v1::Event& event : events) {
      EXPECT_EQ(event.ledger().run_id(), run_id);
      heard_.emplace_back(first_sequence++, event.ledger());
      ended_ = ended_ || IsTerminal(event.ledger());
    }
    cv_.SignalAll();
  }

  // With their sequences, once the run has ended.
  std::vector<std::pair<int64_t, v1::LedgerEvent>> HeardToTheEnd() {
    MutexLock lock(mu_);
    const int64_t deadline = DeadlineAfter(RealClock(), kPatience);
    while (!ended_ && cv_.WaitUntil(mu_, deadline)) {
    }
    return heard_;
  }

 private:
  Mutex mu_;
  CondVar cv_;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::pair<int64_t, v1::LedgerEvent>> heard_ ABSL_GUARDED_BY(mu_);
};

class RunnerListenerTest : public RunnerFixture {
 protected:
  RunnerListenerTest() {
    process_ = std::make_unique<RunnerProcess>(
        store(), clock_, SimProducerOptions(), &metrics_, &listener_);
  }
  ~RunnerListenerTest() override { process_.reset(); }

  MetricsRegistry metrics_;
  RecordingListener listener_;
};

TEST_F(RunnerListenerTest, HearsTheLedgerOnceAndInOrder) {
  MakeMovie(Chain("{fail_attempts: 1, log_lines: 2}"));
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse started,
                       runner().Start(StartRequest()));
  const std::vector<v1::LedgerEvent> ledger = Ledger(started.run().run_id());
  const auto heard = listener_.HeardToTheEnd();
  ASSERT_EQ(heard.size(), ledger.size());
  for (size_t i = 0; i < ledger.size(); ++i) {
    EXPECT_EQ(heard[i].first, static_cast<int64_t>(i) + 1);
    EXPECT_EQ(heard[i].second.kind_case(), ledger[i].kind_case()) << i;
    EXPECT_EQ(heard[i].second.occurred_at_ms(), ledger[i].occurred_at_ms());
  }
}

TEST_F(RunnerListenerTest, CountsWhatHappensToJobs) {
  MakeMovie(Chain("{fail_attempts: 1}"));
  EXPECT_EQ(RunToEnd(StartRequest()).record().status(),
            v1::RUN_STATUS_COMPLETED);
  process_.reset();  // the run is seen to end before it is counted
  const std::string text = metrics_.RenderPrometheus();
  const auto jobs = [](const std::string& event, int count) {
    return HasSubstr(
        absl::StrCat("\nkinora_runner_jobs_total{producer=\"sim\",event=\"",
                     event, "\"} ", count, "\n"));
  };
  EXPECT_THAT(text, jobs("started", 5));
  EXPECT_THAT(text, jobs("retrying", 1));
  EXPECT_THAT(text, jobs("succeeded", 4));
  EXPECT_THAT(text,
              HasSubstr("\nkinora_runner_runs_total{end=\"completed\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nkinora_runner_runs_active 0\n"));
  EXPECT_THAT(text, HasSubstr("\nkinora_runner_dispatch_seconds_count 4\n"));
  EXPECT_THAT(text, HasSubstr("\nkinora_runner_attempt_seconds_count{producer="
                              "\"sim\"} 5\n"));
}

}  // namespace
}  // namespace kinora
