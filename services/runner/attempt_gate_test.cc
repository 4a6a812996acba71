#include "services/runner/attempt_gate.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/fake_clock.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Starts nothing that ends by itself.
class HeldCaller final : public ProducerCaller {
 public:
  absl::StatusOr<v1::DescribeResponse> Describe(absl::string_view) override {
    return v1::DescribeResponse();
  }
  absl::StatusOr<v1::LookUpState> LookUp(absl::string_view,
                                         const std::string&) override {
    return v1::LOOK_UP_STATE_RUNNING;
  }
  std::unique_ptr<Attempt> Start(
      AttemptRequest request,
      std::shared_ptr<AttemptObserver> observer) override {
    const std::string job = request.header.job_id();
    started.push_back(job);
    deadlines[job] = absl::FromUnixSeconds(request.header.deadline().seconds());
    observers[job] = std::move(observer);
    return std::make_unique<Held>(*this, job);
  }

  void End(const std::string& job) { observers[job]->OnDone({}); }

  std::vector<std::string> started;
  std::vector<std::string> cancelled;
  std::map<std::string, absl::Time> deadlines;
  std::map<std::string, std::shared_ptr<AttemptObserver>> observers;

 private:
  class Held final : public Attempt {
   public:
    Held(HeldCaller& caller, std::string job)
        : caller_(caller), job_(std::move(job)) {}
    void Cancel() override { caller_.cancelled.push_back(job_); }

   private:
    HeldCaller& caller_;
    const std::string job_;
  };
};

class Listener final : public AttemptObserver {
 public:
  explicit Listener(std::map<std::string, AttemptResult>& ends, std::string job)
      : ends_(ends), job_(std::move(job)) {}
  void OnProgress(const v1::Progress&) override {}
  void OnLogLines(const v1::LogLines&) override {}
  void OnDone(AttemptResult result) override {
    ends_[job_] = std::move(result);
  }

 private:
  std::map<std::string, AttemptResult>& ends_;
  const std::string job_;
};

class AttemptGateTest : public ::testing::Test {
 protected:
  AttemptGateTest() {
    configs_["sim"].concurrency = 2;
    configs_["other"].concurrency = 1;
    gate_ = std::make_unique<AttemptGate>(caller_, configs_, clock_);
  }

  void Start(const std::string& job, const std::string& producer = "sim") {
    AttemptRequest request;
    request.header.set_job_id(job);
    request.header.set_producer(producer);
    request.timeout = absl::Minutes(1);
    attempts_[job] = gate_->Start(std::move(request),
                                  std::make_shared<Listener>(ends_, job));
  }

  FakeClock clock_;
  HeldCaller caller_;
  ProducerConfigs configs_;
  std::map<std::string, AttemptResult> ends_;
  std::unique_ptr<AttemptGate> gate_;
  std::map<std::string, std::unique_ptr<Attempt>> attempts_;
};

TEST_F(AttemptGateTest, AttemptsBeyondTheLimitWaitForTheirTurn) {
  for (const char* job : {"a", "b", "c", "d"}) Start(job);
  Start("elsewhere", "other");
  EXPECT_THAT(caller_.started, ElementsAre("a", "b", "elsewhere"));
  clock_.Advance(absl::Hours(1));
  caller_.End("b");
  EXPECT_THAT(caller_.started, ElementsAre("a", "b", "elsewhere", "c"));
  // The time it has is counted from its turn.
  EXPECT_EQ(caller_.deadlines["c"], clock_.Now() + absl::Minutes(1));
  EXPECT_EQ(ends_.count("b"), 1u);
  caller_.End("a");
  caller_.End("c");
  Start("e");
  Start("f");
  EXPECT_THAT(caller_.started,
              ElementsAre("a", "b", "elsewhere", "c", "d", "e"));
  attempts_["f"]->Cancel();
}

TEST_F(AttemptGateTest, WhatIsCancelledBeforeItsTurnIsNeverCalled) {
  for (const char* job : {"a", "b", "c", "d"}) Start(job);
  attempts_["c"]->Cancel();
  ASSERT_EQ(ends_.count("c"), 1u);
  EXPECT_EQ(ends_["c"].failure->reason(), v1::FAILURE_REASON_CANCELLED);
  EXPECT_THAT(caller_.cancelled, IsEmpty());
  caller_.End("a");
  EXPECT_THAT(caller_.started, ElementsAre("a", "b", "d"));
  attempts_["d"]->Cancel();
  EXPECT_THAT(caller_.cancelled, ElementsAre("d"));
}

// The one who waited is forgotten by its caller, but has its turn.
TEST_F(AttemptGateTest, AttemptsOutliveTheGate) {
  for (const char* job : {"a", "b", "c"}) Start(job);
  attempts_.clear();
  gate_.reset();
  caller_.End("a");
  EXPECT_THAT(caller_.started, ElementsAre("a", "b", "c"));
}

}  // namespace
}  // namespace kinora
