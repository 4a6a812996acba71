// What a runner makes of producers that do not answer when they are asked what
// they are, or not as they must.

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpcpp/support/server_callback.h"
#include "gtest/gtest.h"

#include "clients/cpp/producer/remote_producer_caller.h"
#include "common/clock.h"
#include "common/error_reason.h"
#include "common/random.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "kinora/v1/producer.grpc.pb.h"
#include "services/planner/store_planner.h"
#include "services/runner/runner.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Those called "meeting-..." answer once as many of them are being asked at
// the same time as were told; "silent" never does; "unversioned" does not say
// its version.
class MeetingProducers final : public v1::ProducerService::CallbackService {
 public:
  explicit MeetingProducers(size_t meeting) : meeting_(meeting) {}

  grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context,
                                     const v1::DescribeRequest* request,
                                     v1::DescribeResponse* response) override {
    response->mutable_identity()->set_name(request->producer());
    if (request->producer() == "unversioned") {
      auto* reactor = context->DefaultReactor();
      reactor->Finish(grpc::Status::OK);
      return reactor;
    }
    response->mutable_identity()->set_version("1");
    auto* asked = new Asked(*this);
    MutexLock lock(mu_);
    std::vector<Asked*>& group =
        request->producer() == "silent" ? silent_ : meet_;
    group.push_back(asked);
    if (meet_.size() < meeting_) return asked;
    for (Asked* one : meet_) one->Finish(grpc::Status::OK);
    meet_.clear();
    return asked;
  }

 private:
  class Asked final : public grpc::ServerUnaryReactor {
   public:
    explicit Asked(MeetingProducers& producers) : producers_(producers) {}
    void OnCancel() override {
      if (producers_.Forget(this)) Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }

   private:
    MeetingProducers& producers_;
  };

  // True if it had no answer yet.
  bool Forget(Asked* asked) {
    MutexLock lock(mu_);
    for (std::vector<Asked*>* group : {&silent_, &meet_}) {
      const auto found = std::find(group->begin(), group->end(), asked);
      if (found == group->end()) continue;
      group->erase(found);
      return true;
    }
    return false;
  }

  const size_t meeting_;
  Mutex mu_;
  std::vector<Asked*> silent_ ABSL_GUARDED_BY(mu_);
  std::vector<Asked*> meet_ ABSL_GUARDED_BY(mu_);
};

constexpr int kMeeting = 12;

class RunnerProducersTest : public RunnerFixture {
 protected:
  RunnerProducersTest() {
    process_.reset();
    ProducerConfigs configs;
    for (const char* name : {"silent", "unversioned"}) {
      configs[name].targets = {"there"};
    }
    for (int i = 0; i < kMeeting; ++i) {
      configs[absl::StrCat("meeting-", i)].targets = {"there"};
    }
    RemoteProducerCallerOptions options;
    options.make_channel = [this](const std::string&) {
      return server_.Channel(Transport::kInProcess);
    };
    // Of the silent one this is what the test takes.
    options.describe_timeout = absl::Seconds(3);
    caller_ = std::make_unique<RemoteProducerCaller>(
        configs, store().blobs, executor_, RealClock(), options);
    runner_ =
        std::make_unique<Runner>(RunnerDeps{store(), planner_, *caller_,
                                            executor_, clock_, SystemRandom()},
                                 configs, RunnerOptions());
  }

  absl::Status StartFilmOf(const std::string& producer) {
    MakeMovie(absl::StrCat(R"(
blueprint: film
nodes:
  Plan:
    producer: )",
                           producer, R"(
    outputs: {Plan: text/plain}
outputs: [Plan]
)"));
    return runner_->Start(StartRequest()).status();
  }

  MeetingProducers service_{kMeeting};
  InProcessServer server_{
      {{v1::ProducerService::service_full_name(), &service_}}};
  StorePlanner planner_{store()};
  ThreadPool executor_{"runner", 2};
  std::unique_ptr<RemoteProducerCaller> caller_;
  std::unique_ptr<Runner> runner_;
};

// Asked one after another, none of those that meet would answer.
TEST_F(RunnerProducersTest, ProducersAreAskedSideBySideAndOneThatHangsIsTold) {
  ASSERT_OK_AND_ASSIGN(const v1::ListProducersResponse list,
                       runner_->ListProducers({}));
  ASSERT_EQ(list.producers_size(), kMeeting + 2);
  std::vector<std::string> without_answer;
  for (const v1::ListedProducer& producer : list.producers()) {
    if (producer.reachable()) {
      EXPECT_EQ(producer.description().identity().name(), producer.name());
      continue;
    }
    without_answer.push_back(producer.name());
    EXPECT_THAT(producer.error(),
                HasSubstr(absl::StrCat("producer \"", producer.name(),
                                       "\" at there does not ")));
  }
  EXPECT_THAT(without_answer, ElementsAre("silent", "unversioned"));
}

TEST_F(RunnerProducersTest, AStartIsToldWhichProducerDoesNotAnswer) {
  const absl::Status started = StartFilmOf("silent");
  EXPECT_EQ(ReasonOf(started), "PRODUCER_UNAVAILABLE");
  EXPECT_THAT(started.message(), HasSubstr("producer \"silent\" at there"));
}

// It would fail where the producer takes the first job, when others were paid.
TEST_F(RunnerProducersTest, AProducerThatDoesNotSayItsVersionIsRefusedAtStart) {
  EXPECT_THAT(StartFilmOf("unversioned"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("producer \"unversioned\" at there"),
                             HasSubstr("identity.version is empty"))));
}

}  // namespace
}  // namespace kinora
