// What tests of the EventService share: a log in memory behind a server, and
// its readers.

#ifndef KINORA_SERVICES_STORE_EVENT_SERVICE_FIXTURE_H_
#define KINORA_SERVICES_STORE_EVENT_SERVICE_FIXTURE_H_

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/channel.h"
#include "gtest/gtest.h"

#include "clients/cpp/remote_store.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "services/store/event_service.h"

namespace kinora {

// A log in memory with pages of three events.
class ScratchEventStore final : public EventStore {
 public:
  static constexpr int kPageEvents = 3;

  absl::StatusOr<v1::AppendEventsResponse> Append(
      const v1::AppendEventsRequest& request) override {
    if (request.events().empty()) {
      return absl::InvalidArgumentError("events: must not be empty");
    }
    std::vector<absl::AnyInvocable<void()>> due;
    v1::AppendEventsResponse response;
    {
      MutexLock lock(mu_);
      request_ids_.push_back(request.request_id());
      response.set_first_sequence(Last() + 1);
      for (const v1::Event& event : request.events()) {
        events_.push_back(event);
        events_.back().set_sequence(static_cast<int64_t>(events_.size()));
      }
      response.set_last_sequence(Last());
      for (auto& waiter : waiters_) due.push_back(std::move(waiter.second));
      waiters_.clear();
    }
    for (auto& callback : due) callback();
    return response;
  }

  std::vector<absl::StatusOr<v1::AppendEventsResponse>> AppendAll(
      absl::Span<v1::AppendEventsRequest* const> requests) override {
    {
      MutexLock lock(mu_);
      ++batches_;
      largest_batch_ = std::max(largest_batch_, requests.size());
    }
    return EventStore::AppendAll(requests);
  }
  // Of appends, however many in each.
  size_t batches() {
    MutexLock lock(mu_);
    return batches_;
  }
  size_t largest_batch() {
    MutexLock lock(mu_);
    return largest_batch_;
  }

  absl::StatusOr<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest& request) override {
    MutexLock lock(mu_);
    ++pages_;
    if (!error_.ok()) return error_;
    v1::ReadEventsResponse page;
    int64_t at = request.after_sequence();
    while (at < Last() && page.events_size() < kPageEvents) {
      if (request.limit() > 0 && page.events_size() >= request.limit()) break;
      const v1::Event& event = events_[static_cast<size_t>(at++)];
      if (event.revision() > request.since_revision()) {
        *page.add_events() = event;
      } else if (at % kPageEvents == 0) {
        break;  // a page may be empty and still not the last
      }
    }
    page.mutable_bookmark()->set_sequence(at);
    return page;
  }

  WaiterId NotifyAfter(const v1::LogName&, int64_t after,
                       absl::AnyInvocable<void()> callback) override {
    {
      MutexLock lock(mu_);
      if (after >= Last()) {
        waiters_.emplace(++next_id_, std::move(callback));
        return next_id_;
      }
    }
    callback();
    return 0;
  }
  void CancelNotify(WaiterId id) override {
    absl::AnyInvocable<void()> dropped;
    MutexLock lock(mu_);
    const auto found = waiters_.find(id);
    if (found == waiters_.end()) return;
    dropped = std::move(found->second);
    waiters_.erase(found);
    if (waiters_.empty()) no_waiters_cv_.SignalAll();
  }

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
    MutexLock lock(mu_);
    v1::GetLogStatusResponse response;
    response.set_last_sequence(Last());
    return response;
  }

  void AppendSome(int count, const std::string& revision = "rev-0001") {
    v1::AppendEventsRequest request;
    for (int i = 0; i < count; ++i) {
      request.add_events()->set_revision(revision);
    }
    ASSERT_OK(Append(request));
  }
  void FailReads(absl::Status error) {
    MutexLock lock(mu_);
    error_ = std::move(error);
  }
  int pages() {
    MutexLock lock(mu_);
    return pages_;
  }
  std::vector<std::string> request_ids() {
    MutexLock lock(mu_);
    return request_ids_;
  }
  void WaitUntilNoWaiters() {
    MutexLock lock(mu_);
    while (!waiters_.empty()) no_waiters_cv_.Wait(mu_);
  }

 private:
  int64_t Last() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return static_cast<int64_t>(events_.size());
  }

  Mutex mu_;
  CondVar no_waiters_cv_;
  std::vector<v1::Event> events_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> request_ids_ ABSL_GUARDED_BY(mu_);
  std::map<WaiterId, absl::AnyInvocable<void()>> waiters_ ABSL_GUARDED_BY(mu_);
  WaiterId next_id_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Status error_ ABSL_GUARDED_BY(mu_);
  int pages_ ABSL_GUARDED_BY(mu_) = 0;
  size_t batches_ ABSL_GUARDED_BY(mu_) = 0;
  size_t largest_batch_ ABSL_GUARDED_BY(mu_) = 0;
};

// One client's ReadEvents.
class Reader {
 public:
  Reader(v1::EventService::Stub& stub, const v1::ReadEventsRequest& request) {
    SetTimeout(context_, absl::Seconds(60));
    reader_ = stub.ReadEvents(&context_, request);
  }

  // The next message; false at the end.
  bool Next(v1::ReadEventsResponse* message) { return reader_->Read(message); }

  // Reads `count` events, and checks that they follow each other.
  void Expect(int count) {
    v1::ReadEventsResponse message;
    while (count > 0) {
      ASSERT_TRUE(Next(&message)) << status().ToString();
      for (const v1::Event& event : message.events()) {
        ASSERT_EQ(event.sequence(), ++last_sequence_);
        --count;
      }
      ASSERT_EQ(message.bookmark().sequence(), last_sequence_);
    }
    ASSERT_EQ(count, 0);
  }
  absl::Status End() {
    v1::ReadEventsResponse message;
    while (Next(&message)) {
      EXPECT_THAT(message.events(), ::testing::IsEmpty());
    }
    return status();
  }
  void Cancel() { context_.TryCancel(); }

 private:
  absl::Status status() { return FromGrpcStatus(reader_->Finish()); }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::ReadEventsResponse>> reader_;
  int64_t last_sequence_ = 0;
};

inline v1::ReadEventsRequest Follow() {
  v1::ReadEventsRequest request;
  request.set_follow(true);
  return request;
}

class EventServiceTest : public ::testing::TestWithParam<Transport> {
 protected:
  EventServiceTest()
      : server_({{v1::EventService::service_full_name(), &service_}}),
        channel_(server_.Channel(GetParam())),
        stub_(v1::EventService::NewStub(channel_)),
        remote_(channel_) {}

  ScratchEventStore events_;
  ThreadPool executor_{"test", 4};
  EventRpcService service_{events_, executor_};
  InProcessServer server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::EventService::Stub> stub_;
  RemoteStore remote_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_SERVICE_FIXTURE_H_
