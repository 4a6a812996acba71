#include "clients/cpp/append_stream.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpcpp/channel.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "services/store/event_service.h"

namespace kinora {
namespace {

// Counts appends by request id, and lets a test hold the one under way.
class GatedEventStore final : public EventStore {
 public:
  std::vector<absl::StatusOr<v1::AppendEventsResponse>> AppendAll(
      absl::Span<v1::AppendEventsRequest* const> requests) override {
    MutexLock lock(mu_);
    std::vector<std::string>& batch = batches_.emplace_back();
    for (const v1::AppendEventsRequest* request : requests) {
      batch.push_back(request->request_id());
    }
    changed_.SignalAll();
    while (closed_) changed_.Wait(mu_);
    std::vector<absl::StatusOr<v1::AppendEventsResponse>> answers;
    for (const v1::AppendEventsRequest* request : requests) {
      answers.push_back(AppendLocked(*request));
    }
    return answers;
  }

  void Close() { SetClosed(true); }
  void Open() { SetClosed(false); }
  void WaitForBatches(size_t count) {
    MutexLock lock(mu_);
    while (batches_.size() < count) changed_.Wait(mu_);
  }
  // The request ids of each message.
  std::vector<std::vector<std::string>> batches() {
    MutexLock lock(mu_);
    return batches_;
  }
  std::vector<std::string> order() {
    MutexLock lock(mu_);
    return order_;
  }

  absl::StatusOr<v1::AppendEventsResponse> Append(
      const v1::AppendEventsRequest&) override {
    return absl::InternalError("not used");
  }
  absl::StatusOr<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest&) override {
    return absl::InternalError("not used");
  }
  WaiterId NotifyAfter(const v1::LogName&, int64_t,
                       absl::AnyInvocable<void()>) override {
    return 0;
  }
  void CancelNotify(WaiterId) override {}
  absl::StatusOr<v1::ResolveArtefactsResponse> ResolveArtefacts(
      const v1::ResolveArtefactsRequest&) override {
    return absl::InternalError("not used");
  }
  absl::StatusOr<v1::ListInputsResponse> ListInputs(
      const v1::ListInputsRequest&) override {
    return absl::InternalError("not used");
  }
  absl::StatusOr<v1::GetLogStatusResponse> GetLogStatus(
      const v1::GetLogStatusRequest&) override {
    return absl::InternalError("not used");
  }

 private:
  absl::StatusOr<v1::AppendEventsResponse> AppendLocked(
      const v1::AppendEventsRequest& request)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (request.events().empty()) {
      return WithReason(absl::AbortedError("the lease has passed on"),
                        "LEASE_LOST", {{"holder", "another"}});
    }
    // As the store does: a repeat is answered and not done again.
    if (seen_.insert(request.request_id()).second) {
      order_.push_back(request.request_id());
    }
    v1::AppendEventsResponse response;
    response.set_first_sequence(static_cast<int64_t>(order_.size()));
    response.set_last_sequence(static_cast<int64_t>(order_.size()));
    return response;
  }
  void SetClosed(bool closed) {
    MutexLock lock(mu_);
    closed_ = closed;
    changed_.SignalAll();
  }

  Mutex mu_;
  CondVar changed_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::vector<std::string>> batches_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> seen_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> order_ ABSL_GUARDED_BY(mu_);
};

v1::AppendEventsRequest Request(const std::string& id) {
  v1::AppendEventsRequest request;
  request.set_request_id(id);
  request.add_events();
  return request;
}

// Answers to wait for.
class Answers {
 public:
  AppendStream::Done Done() {
    return [this](absl::StatusOr<v1::AppendEventsResponse> answer) {
      MutexLock lock(mu_);
      answers_.push_back(std::move(answer));
      changed_.SignalAll();
    };
  }
  std::vector<absl::StatusOr<v1::AppendEventsResponse>> WaitFor(size_t count) {
    MutexLock lock(mu_);
    while (answers_.size() < count) changed_.Wait(mu_);
    return answers_;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::vector<absl::StatusOr<v1::AppendEventsResponse>> answers_
      ABSL_GUARDED_BY(mu_);
};

class AppendStreamTest : public ::testing::TestWithParam<Transport> {
 protected:
  AppendStreamTest() {
    Serve();
    channel_ = server_->Channel(GetParam());
    stub_ = v1::EventService::NewStub(channel_);
  }

  void Serve() {
    server_ = std::make_unique<InProcessServer>(
        std::vector<RpcService>{
            {v1::EventService::service_full_name(), &service_}},
        options_);
    options_.listen = server_->server().address();
  }

  GatedEventStore events_;
  ThreadPool executor_{"test", 4};
  EventRpcService service_{events_, executor_};
  RpcServerOptions options_;
  std::unique_ptr<InProcessServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::EventService::Stub> stub_;
  Answers answers_;
};

TEST_P(AppendStreamTest, WhatComesMeanwhileSharesAMessageInItsOrder) {
  AppendStream stream(*stub_, absl::Seconds(60));
  events_.Close();
  stream.Append(Request("0"), answers_.Done());
  events_.WaitForBatches(1);
  std::vector<std::string> order = {"0"};
  for (int i = 1; i <= 40; ++i) {
    order.push_back(absl::StrCat(i));
    stream.Append(Request(order.back()), answers_.Done());
  }
  events_.Open();
  for (const auto& answer : answers_.WaitFor(41)) EXPECT_OK(answer.status());
  EXPECT_EQ(events_.order(), order);
  // One message may be on its way behind the first; the rest is one more.
  EXPECT_LE(events_.batches().size(), 3u);
}

// Callers that append again when they have their answer, as threads in a loop
// do, stay together: else one of them would have a message, and a sync, alone.
TEST_P(AppendStreamTest, WhoeverIsAnsweredTogetherAppendsAgainTogether) {
  AppendStream stream(*stub_, absl::Seconds(60));
  events_.Close();
  for (int i = 0; i <= 40; ++i) {
    const std::string id = absl::StrCat(i);
    stream.Append(
        Request(id), [&, id](absl::StatusOr<v1::AppendEventsResponse> answer) {
          EXPECT_OK(answer.status());
          stream.Append(Request(absl::StrCat("again ", id)), answers_.Done());
        });
  }
  events_.Open();
  for (const auto& answer : answers_.WaitFor(41)) EXPECT_OK(answer.status());
  std::map<std::string, size_t> message_of;
  const std::vector<std::vector<std::string>> batches = events_.batches();
  for (size_t i = 0; i < batches.size(); ++i) {
    for (const std::string& id : batches[i]) message_of[id] = i;
  }
  for (const std::vector<std::string>& batch : batches) {
    if (message_of.count(absl::StrCat("again ", batch[0])) == 0) continue;
    for (const std::string& id : batch) {
      if (message_of.count(absl::StrCat("again ", id)) == 0) continue;
      EXPECT_EQ(message_of[absl::StrCat("again ", id)],
                message_of[absl::StrCat("again ", batch[0])])
          << id;
    }
  }
}

// While a message of five is at the store, the next one waits until it is worth
// a sync of its own.
TEST_P(AppendStreamTest, ASecondMessageCarriesAsManyAsTheFirst) {
  AppendStream stream(*stub_, absl::Seconds(60));
  stream.Append(Request("0"),
                [&](const absl::StatusOr<v1::AppendEventsResponse>& answer) {
                  EXPECT_OK(answer.status());
                  events_.Close();
                  for (const char* id : {"a", "b", "c", "d", "e"}) {
                    stream.Append(Request(id), answers_.Done());
                  }
                });
  events_.WaitForBatches(2);
  for (const char* id : {"f", "g", "h", "i", "j"}) {
    stream.Append(Request(id), answers_.Done());
  }
  events_.Open();
  for (const auto& answer : answers_.WaitFor(10)) EXPECT_OK(answer.status());
  const std::vector<std::vector<std::string>> batches = {
      {"0"}, {"a", "b", "c", "d", "e"}, {"f", "g", "h", "i", "j"}};
  EXPECT_EQ(events_.batches(), batches);
}

TEST_P(AppendStreamTest, ThreadsThatWaitAreAnsweredEachForItself) {
  AppendStream stream(*stub_, absl::Seconds(60));
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&stream, t] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_OK(
            stream.AppendAndWait(Request(absl::StrCat(t, "-", i))).status());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(events_.order().size(), 800u);
}

TEST_P(AppendStreamTest, WhatIsGivenTogetherGoesInOneMessage) {
  AppendStream stream(*stub_, absl::Seconds(60));
  v1::AppendEventsRequest refused;
  refused.set_request_id("r");
  const auto answers =
      stream.AppendAllAndWait({Request("0"), refused, Request("1")});
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_OK(answers[0].status());
  EXPECT_EQ(ReasonOf(answers[1].status()), "LEASE_LOST");
  ASSERT_OK(answers[2].status());
  EXPECT_EQ(answers[2]->last_sequence(), 2);
  EXPECT_EQ(events_.batches().size(), 1u);
}

TEST_P(AppendStreamTest, ARefusalKeepsItsReasonAndHarmsNoOther) {
  AppendStream stream(*stub_, absl::Seconds(60));
  v1::AppendEventsRequest refused;
  refused.set_request_id("r");
  const absl::Status status = stream.AppendAndWait(refused).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(ReasonOf(status), "LEASE_LOST");
  EXPECT_OK(stream.AppendAndWait(Request("next")).status());
}

// The server goes while appends wait, and comes back at the same address: each
// is done once.
TEST_P(AppendStreamTest, AppendsSurviveTheServersRestart) {
  if (GetParam() == Transport::kInProcess) {
    GTEST_SKIP() << "an in-process channel ends with its server";
  }
  AppendStream stream(*stub_, absl::Seconds(60));
  ASSERT_OK(stream.AppendAndWait(Request("before")).status());
  events_.Close();
  stream.Append(Request("under way"), answers_.Done());
  events_.WaitForBatches(2);
  stream.Append(Request("waiting"), answers_.Done());
  std::thread restart([this] {
    server_ = nullptr;
    Serve();
  });
  events_.Open();
  restart.join();
  for (const auto& answer : answers_.WaitFor(2)) EXPECT_OK(answer.status());
  std::vector<std::string> order = {"before", "under way", "waiting"};
  EXPECT_EQ(events_.order(), order);
}

TEST_P(AppendStreamTest, ClosingAnswersWhatIsLeft) {
  auto stream = std::make_unique<AppendStream>(*stub_, absl::Seconds(60));
  events_.Close();
  stream->Append(Request("0"), answers_.Done());
  events_.WaitForBatches(1);
  stream->Append(Request("1"), answers_.Done());
  stream = nullptr;
  for (const auto& answer : answers_.WaitFor(2)) {
    EXPECT_THAT(answer.status(), StatusIs(absl::StatusCode::kCancelled));
  }
  events_.Open();
}

TEST_P(AppendStreamTest, WithoutAServerItFailsInTime) {
  if (GetParam() == Transport::kInProcess) GTEST_SKIP() << "needs an address";
  server_->server().Drain(absl::ZeroDuration());
  AppendStream stream(*stub_, absl::Milliseconds(300));
  const absl::Status status = stream.AppendAndWait(Request("0")).status();
  EXPECT_TRUE(absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status))
      << status;
}

INSTANTIATE_TEST_SUITE_P(Transports, AppendStreamTest,
                         ::testing::Values(Transport::kInProcess,
                                           Transport::kTcp),
                         TransportName);

}  // namespace
}  // namespace kinora
