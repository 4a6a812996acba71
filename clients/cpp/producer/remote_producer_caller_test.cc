// Producers with several targets.

#include "clients/cpp/producer/remote_producer_caller.h"

#include <memory>
#include <string>
#include <vector>

#include "clients/cpp/channel.h"
#include "clients/cpp/sim/sim_producer_service.h"
#include "common/error_reason.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/thread_pool.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

constexpr char kKey[] = "film/0123";

// The targets are `first` and `second`, of versions 1 and 2, and `gone`.
class RemoteProducerCallerTest : public CoreFixture {
 protected:
  RemoteProducerCallerTest()
      : first_(executor_, {"1", 0, &first_record_}),
        second_(executor_, {"2", 0, &second_record_}),
        first_server_({{v1::ProducerService::service_full_name(), &first_}}),
        second_server_({{v1::ProducerService::service_full_name(), &second_}}) {
    RemoteProducerCallerOptions options;
    options.make_channel = [this](const std::string& target) {
      if (target == "gone") return MakeChannel("unix:/nonexistent/socket");
      return (target == "first" ? first_server_ : second_server_)
          .Channel(Transport::kInProcess);
    };
    ProducerConfigs configs;
    configs["both"].targets = {"first", "second"};
    configs["half"].targets = {"gone", "first"};
    configs["none"].targets = {"gone"};
    caller_ = std::make_unique<RemoteProducerCaller>(
        configs, store().blobs, executor_, RealClock(), options);
  }

  std::string VersionOf(const std::string& producer,
                        const std::string& wanted = "") {
    absl::StatusOr<v1::DescribeResponse> described =
        caller_->Describe(producer, wanted);
    EXPECT_OK(described);
    return described.ok() ? described->identity().version() : "";
  }
  FoundWork Find(const std::string& producer) {
    absl::StatusOr<FoundWork> found = caller_->LookUp(producer, kKey);
    EXPECT_OK(found);
    return found.ok() ? *found : FoundWork();
  }

  ThreadPool executor_{"caller", 2};
  SimRecord first_record_;
  SimRecord second_record_;
  SimProducerService first_;
  SimProducerService second_;
  InProcessServer first_server_;
  InProcessServer second_server_;
  std::unique_ptr<RemoteProducerCaller> caller_;
};

TEST_F(RemoteProducerCallerTest, DescribesATargetOfTheVersionThatIsAskedFor) {
  EXPECT_EQ(VersionOf("both"), "1");
  EXPECT_EQ(VersionOf("both", "2"), "2");
  EXPECT_EQ(VersionOf("both", "3"), "1");  // nobody has it
  EXPECT_EQ(VersionOf("half"), "1");
  EXPECT_EQ(ReasonOf(caller_->Describe("none", "").status()),
            "PRODUCER_UNAVAILABLE");
}

TEST_F(RemoteProducerCallerTest, TheTargetThatHasTheWorkIsFound) {
  EXPECT_EQ(Find("both").state, v1::LOOK_UP_STATE_NEVER_STARTED);
  ASSERT_OK(second_record_.Started(kKey));
  EXPECT_EQ(Find("both").state, v1::LOOK_UP_STATE_RUNNING);
  EXPECT_EQ(Find("both").target, size_t{1});
  ASSERT_OK(first_record_.Started(kKey));
  ASSERT_OK(first_record_.Finished(kKey));
  EXPECT_EQ(Find("both").state, v1::LOOK_UP_STATE_FINISHED);
  EXPECT_EQ(Find("both").target, size_t{0});
  EXPECT_EQ(Find("half").target, size_t{1});
}

// One that is silent may have been paid for it.
TEST_F(RemoteProducerCallerTest, WorkIsNotCalledUnknownWhileATargetIsSilent) {
  EXPECT_THAT(caller_->LookUp("half", kKey),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("gone")));
}

}  // namespace
}  // namespace kinora
