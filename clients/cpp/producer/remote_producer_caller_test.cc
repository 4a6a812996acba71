// Producers with several targets.

#include "clients/cpp/producer/remote_producer_caller.h"

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "clients/cpp/channel.h"
#include "clients/cpp/producer/output_check.h"
#include "clients/cpp/sim/sim_producer_service.h"
#include "common/error_reason.h"
#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/threads/thread_pool.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

constexpr char kKey[] = "film/0123";

// The targets are `first` and `second`, of versions 1 and 2, and `gone`.
class RemoteProducerCallerTest : public CoreFixture {
 protected:
  RemoteProducerCallerTest()
      : first_(executor_, {"1", 0, &first_record_, false, {Plan("first")}}),
        second_(executor_, {"2", 0, &second_record_, false, {Plan("second")}}),
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
    absl::StatusOr<FoundWork> found = caller_->LookUp(producer, kKey, stop_);
    EXPECT_OK(found);
    return found.ok() ? *found : FoundWork();
  }

  // An output whose value must be by that maker.
  static v1::DeclaredOutput Plan(const std::string& maker) {
    v1::DeclaredOutput plan;
    plan.set_name("Plan");
    plan.set_mime_type("application/json");
    plan.set_schema_json(
        absl::StrCat(R"({"properties":{"maker":{"const":")", maker, R"("}}})"));
    return plan;
  }
  static JsonObject TextOf(const std::string& text) {
    JsonObject settings;
    settings.Add("text", text);
    return settings;
  }
  // What becomes of such a value if a target makes it; OK if it is accepted.
  absl::Status Make(const JsonObject& settings, size_t target,
                    const std::string& version) {
    class Observer final : public AttemptObserver {
     public:
      void OnProgress(const v1::Progress&) override {}
      void OnLogLines(const v1::LogLines&) override {}
      void OnQuestion(const v1::Question&, bool) override {}
      void OnDone(AttemptResult result) override {
        done.set_value(std::move(result));
      }
      std::promise<AttemptResult> done;
    };
    AttemptRequest request;
    request.header.set_movie_id("film");
    request.header.set_job_id("Plan");
    request.header.set_attempt(1);
    request.header.set_producer("both");
    request.header.set_idempotency_key(absl::StrCat("film/", ++made_));
    request.header.set_settings_json(CanonicalJson(settings));
    v1::ExpectedOutput& output = *request.header.add_outputs();
    output.set_name("Plan");
    output.set_mime_type("application/json");
    output.add_elements()->set_artefact_id("Artifact:Plan");
    request.outputs.push_back(
        {"Artifact:Plan", "Plan", "application/json", "", ""});
    request.producer_version = version;
    request.target = target;
    auto observer = std::make_shared<Observer>();
    const std::unique_ptr<Attempt> attempt =
        caller_->Start(std::move(request), observer);
    const AttemptResult result = observer->done.get_future().get();
    if (!result.failure.has_value()) return absl::OkStatus();
    EXPECT_EQ(result.failure->reason(), v1::FAILURE_REASON_OUTPUT_INVALID);
    return result.failure->retryable()
               ? absl::UnavailableError(result.failure->message())
               : absl::InvalidArgumentError(result.failure->message());
  }

  int made_ = 0;
  ThreadPool executor_{"caller", 2};
  SimRecord first_record_;
  SimRecord second_record_;
  SimProducerService first_;
  SimProducerService second_;
  InProcessServer first_server_;
  InProcessServer second_server_;
  std::unique_ptr<RemoteProducerCaller> caller_;
  CallStop stop_;
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

// Also by targets that nobody has described yet, and of a blob.
TEST_F(RemoteProducerCallerTest, OutputsFitTheSchemaOfTheVersionThatMakesThem) {
  MakeFilm(store());
  EXPECT_OK(Make(TextOf(R"({"maker":"first"})"), 0, "1"));
  EXPECT_OK(Make(TextOf(R"({"maker":"second"})"), 1, "2"));
  const std::string large =
      absl::StrCat(R"(,"notes":")", std::string(100'000, 'x'), "\"}");
  for (const std::string& rest : {std::string("}"), large}) {
    EXPECT_OK(Make(TextOf(R"({"maker":"second")" + rest), 1, "2"));
    EXPECT_THAT(Make(TextOf(R"({"maker":"second")" + rest), 0, "1"),
                StatusIs(absl::StatusCode::kUnavailable,
                         HasSubstr("at /maker: expected \"first\", got "
                                   "\"second\"")));
  }
}

TEST_F(RemoteProducerCallerTest, WhatIsTooLargeToBeCheckedIsRefused) {
  MakeFilm(store());
  JsonObject settings;
  settings.Add("bytes", kMaxCheckedOutputBytes + 1);
  EXPECT_THAT(Make(settings, 0, "1"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("which is checked up to 8388608 bytes")));
}

// One that is silent may have been paid for it.
TEST_F(RemoteProducerCallerTest, WorkIsNotCalledUnknownWhileATargetIsSilent) {
  EXPECT_THAT(caller_->LookUp("half", kKey, stop_),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("gone")));
}

// Whoever looks it up has ended.
TEST_F(RemoteProducerCallerTest, ALookUpThatIsStoppedTellsNothing) {
  ASSERT_OK(first_record_.Started(kKey));
  stop_.Stop();
  EXPECT_THAT(caller_->LookUp("both", kKey, stop_),
              StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace kinora
