#include "services/store/event_service.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpcpp/channel.h"
#include "gtest/gtest.h"

#include "clients/cpp/remote_store.h"
#include "common/error_reason.h"
#include "common/mutex.h"
#include "common/rpc/tail_stream.h"
#include "common/rpc/unary.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/thread_pool.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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
      absl::Span<v1::AppendEventsRequest> requests) override {
    {
      MutexLock lock(mu_);
      largest_batch_ = std::max(largest_batch_, requests.size());
    }
    return EventStore::AppendAll(requests);
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
      EXPECT_THAT(message.events(), IsEmpty());
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

v1::ReadEventsRequest Follow() {
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

INSTANTIATE_TEST_SUITE_P(All, EventServiceTest,
                         ::testing::Values(Transport::kInProcess,
                                           Transport::kTcp),
                         TransportName);

TEST_P(EventServiceTest, ReadsALogToItsEndAcrossPages) {
  events_.AppendSome(10);
  Reader reader(*stub_, v1::ReadEventsRequest());
  reader.Expect(10);
  EXPECT_OK(reader.End());
}

TEST_P(EventServiceTest, StopsAtTheLimit) {
  events_.AppendSome(10);
  v1::ReadEventsRequest request = Follow();
  request.set_limit(4);
  Reader reader(*stub_, request);
  reader.Expect(4);
  EXPECT_OK(reader.End());
}

// Replay, then live: every event once and in order, however appends and reads
// interleave.
TEST_P(EventServiceTest, AFollowerGetsReplayThenLiveEventsWithoutAGap) {
  events_.AppendSome(20);
  Reader first(*stub_, Follow());
  std::thread appender([this] {
    for (int i = 0; i < 100; ++i) events_.AppendSome(1 + i % 5);
  });
  Reader second(*stub_, Follow());
  first.Expect(20 + 300);
  second.Expect(20 + 300);
  appender.join();
  first.Cancel();
  second.Cancel();
}

TEST_P(EventServiceTest, AnErrorOfTheStoreEndsTheStreamWithItsReason) {
  events_.FailReads(WithReason(absl::OutOfRangeError("trimmed"), "LOG_TRIMMED",
                               {{"oldest", "7"}}));
  Reader reader(*stub_, Follow());
  const absl::Status status = reader.End();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kOutOfRange, "trimmed"));
  EXPECT_EQ(MetadataOf(status)["oldest"], "7");
}

TEST_P(EventServiceTest, AFollowerThatGoesLeavesNoWaiter) {
  events_.AppendSome(1);
  Reader reader(*stub_, Follow());
  reader.Expect(1);
  reader.Cancel();
  EXPECT_THAT(reader.End(), StatusIs(absl::StatusCode::kCancelled));
  events_.WaitUntilNoWaiters();
}

TEST_P(EventServiceTest, ADrainEndsFollowersAtOnce) {
  events_.AppendSome(1);
  Reader reader(*stub_, Follow());
  reader.Expect(1);
  server_.server().Drain(absl::Hours(1));
  EXPECT_THAT(reader.End(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("draining")));
}

// Where nothing filtered in, the bookmark still says how far the reader got.
TEST_P(EventServiceTest, AFilteredReadTellsItsPosition) {
  events_.AppendSome(8);
  v1::ReadEventsRequest request;
  request.set_since_revision("rev-0001");
  Reader reader(*stub_, request);
  v1::ReadEventsResponse message;
  ASSERT_TRUE(reader.Next(&message));
  EXPECT_THAT(message.events(), IsEmpty());
  EXPECT_EQ(message.bookmark().sequence(), 8);
  EXPECT_OK(reader.End());
}

// An in-process channel buffers nothing, so what the server has read of the
// log is what the reader took and the page on its way.
TEST_P(EventServiceTest, AReaderThatStopsCostsOnePage) {
  if (GetParam() == Transport::kTcp) GTEST_SKIP() << "TCP buffers many pages";
  events_.AppendSome(600);
  Reader reader(*stub_, Follow());
  reader.Expect(3);
  EXPECT_LE(events_.pages(), 3);
  reader.Expect(597);
  reader.Cancel();
}

// More requests than the server queues, from a client that reads nothing
// before it has written all.
TEST_P(EventServiceTest, StreamedAppendsAreAnsweredInOrder) {
  constexpr int kBatches = 200;
  grpc::ClientContext context;
  SetTimeout(context, absl::Seconds(60));
  auto stream = stub_->StreamAppendEvents(&context);
  std::thread writer([&stream] {
    for (int i = 0; i < kBatches; ++i) {
      v1::StreamAppendEventsRequest request;
      // Every tenth batch is refused.
      v1::AppendEventsRequest& append = *request.add_appends();
      for (int n = 0; n < i % 10; ++n) append.add_events();
      if (!stream->Write(request)) return;
    }
    stream->WritesDone();
  });
  int64_t last = 0;
  for (int i = 0; i < kBatches; ++i) {
    v1::StreamAppendEventsResponse response;
    if (!stream->Read(&response)) {
      writer.join();
      FAIL() << i << ": " << FromGrpcStatus(stream->Finish());
    }
    ASSERT_THAT(response.outcomes(), SizeIs(1));
    const v1::AppendOutcome& outcome = response.outcomes(0);
    if (i % 10 == 0) {
      EXPECT_EQ(outcome.code(), grpc::StatusCode::INVALID_ARGUMENT);
      EXPECT_EQ(outcome.message(), "events: must not be empty");
      continue;
    }
    EXPECT_EQ(outcome.code(), 0);
    EXPECT_EQ(outcome.appended().first_sequence(), last + 1);
    last = outcome.appended().last_sequence();
    EXPECT_EQ(last - outcome.appended().first_sequence() + 1, i % 10);
  }
  writer.join();
  v1::StreamAppendEventsResponse none;
  EXPECT_FALSE(stream->Read(&none));
  EXPECT_OK(FromGrpcStatus(stream->Finish()));
}

TEST_P(EventServiceTest, ADrainEndsAppendStreams) {
  grpc::ClientContext context;
  SetTimeout(context, absl::Seconds(60));
  auto stream = stub_->StreamAppendEvents(&context);
  v1::StreamAppendEventsRequest request;
  request.add_appends()->add_events();
  ASSERT_TRUE(stream->Write(request));
  v1::StreamAppendEventsResponse response;
  ASSERT_TRUE(stream->Read(&response));
  server_.server().Drain(absl::Hours(1));
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_THAT(FromGrpcStatus(stream->Finish()),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST_P(EventServiceTest, TheRemoteStoreReadsPages) {
  events_.AppendSome(10);
  v1::ReadEventsRequest request;
  request.set_after_sequence(2);
  request.set_limit(5);
  ASSERT_OK_AND_ASSIGN(const v1::ReadEventsResponse page,
                       remote_.store().events.ReadPage(request));
  ASSERT_THAT(page.events(), SizeIs(5));
  EXPECT_EQ(page.events(0).sequence(), 3);
  EXPECT_EQ(page.bookmark().sequence(), 7);
  request.set_after_sequence(10);
  ASSERT_OK_AND_ASSIGN(const v1::ReadEventsResponse end,
                       remote_.store().events.ReadPage(request));
  EXPECT_THAT(end.events(), IsEmpty());
  EXPECT_EQ(end.bookmark().sequence(), 10);
}

// Calls that come while others are handled are taken together, and each still
// has its own answer.
TEST_P(EventServiceTest, AppendsThatComeAtOnceAreTakenTogether) {
  int64_t appended = 0;
  for (int round = 0; round < 1000 && events_.largest_batch() < 2; ++round) {
    std::vector<std::thread> callers;
    Mutex mu;
    std::set<int64_t> sequences;  // guarded by mu
    for (int i = 0; i < 16; ++i) {
      callers.emplace_back([&, i] {
        v1::AppendEventsRequest request;
        for (int n = 0; n < i % 3; ++n) request.add_events();
        const auto answer =
            CallUnary(*stub_, &v1::EventService::Stub::AppendEvents, request,
                      absl::Seconds(60));
        if (i % 3 == 0) {
          EXPECT_THAT(answer.status(),
                      StatusIs(absl::StatusCode::kInvalidArgument));
          return;
        }
        ASSERT_OK(answer.status());
        MutexLock lock(mu);
        sequences.insert(answer->first_sequence());
        sequences.insert(answer->last_sequence());
      });
    }
    for (std::thread& caller : callers) caller.join();
    appended += 15;
    EXPECT_EQ(sequences.size(), 15u);
    EXPECT_EQ(*sequences.rbegin(), appended);
  }
  EXPECT_GE(events_.largest_batch(), 2u);
}

TEST_P(EventServiceTest, TheRemoteStoreNamesEveryAppend) {
  v1::AppendEventsRequest request;
  request.add_events();
  ASSERT_OK(remote_.store().events.Append(request));
  ASSERT_OK(remote_.store().events.Append(request));
  request.set_request_id("mine");
  ASSERT_OK(remote_.store().events.Append(request));
  const std::vector<std::string> ids = events_.request_ids();
  ASSERT_THAT(ids, SizeIs(3));
  EXPECT_FALSE(ids[0].empty());
  EXPECT_NE(ids[0], ids[1]);
  EXPECT_EQ(ids[2], "mine");
}

// A counter of calls to wait for.
class Calls {
 public:
  absl::AnyInvocable<void()> Callback() {
    return [this] {
      MutexLock lock(mu_);
      ++count_;
      cv_.SignalAll();
    };
  }
  void WaitFor(int count) {
    MutexLock lock(mu_);
    while (count_ < count) cv_.Wait(mu_);
  }
  int count() {
    MutexLock lock(mu_);
    return count_;
  }

 private:
  Mutex mu_;
  CondVar cv_;
  int count_ ABSL_GUARDED_BY(mu_) = 0;
};

TEST_P(EventServiceTest, TheRemoteStoreNotifiesOnce) {
  Calls calls;
  EventStore& remote = remote_.store().events;
  events_.AppendSome(1);
  const auto at_once = remote.NotifyAfter(v1::LogName(), 0, calls.Callback());
  calls.WaitFor(1);
  const auto later = remote.NotifyAfter(v1::LogName(), 1, calls.Callback());
  events_.AppendSome(1);
  calls.WaitFor(2);
  events_.AppendSome(1);
  remote.CancelNotify(at_once);
  remote.CancelNotify(later);
  EXPECT_EQ(calls.count(), 2);
}

TEST_P(EventServiceTest, ACancelledWaiterIsNotCalled) {
  Calls calls;
  EventStore& remote = remote_.store().events;
  remote.CancelNotify(remote.NotifyAfter(v1::LogName(), 0, calls.Callback()));
  events_.AppendSome(1);
  events_.WaitUntilNoWaiters();
  EXPECT_EQ(calls.count(), 0);
}

// The server goes: the waiter is told, as it can no longer know.
TEST_P(EventServiceTest, AWaiterIsToldWhenItsServerDrains) {
  Calls calls;
  EventStore& remote = remote_.store().events;
  remote.NotifyAfter(v1::LogName(), 0, calls.Callback());
  // The waiter's stream has been answered once this call has.
  ASSERT_OK(remote.GetLogStatus(v1::GetLogStatusRequest()));
  server_.server().Drain(absl::Hours(1));
  calls.WaitFor(1);
}

// A follower of a quiet log hears from the server now and then.
class HeartbeatService final : public v1::EventService::CallbackService {
 public:
  HeartbeatService(EventStore& events, Executor& executor)
      : events_(events), executor_(executor) {}

  grpc::ServerWriteReactor<v1::ReadEventsResponse>* ReadEvents(
      grpc::CallbackServerContext* context,
      const v1::ReadEventsRequest* request) override {
    return TailStream<v1::ReadEventsResponse>::Start(
        context, executor_, events_, *request,
        [](v1::ReadEventsResponse page, v1::ReadEventsResponse* message) {
          *message = std::move(page);
          // Ends with the event of this revision.
          return !message->events().empty() &&
                 message->events().rbegin()->revision() == "last";
        },
        absl::Milliseconds(5));
  }

 private:
  EventStore& events_;
  Executor& executor_;
};

TEST(TailStreamTest, HeartbeatsCarryTheBookmarkAndTheLastEventEndsTheStream) {
  ScratchEventStore events;
  ThreadPool executor("test", 2);
  HeartbeatService service(events, executor);
  InProcessServer server({{v1::EventService::service_full_name(), &service}});
  auto stub = v1::EventService::NewStub(server.Channel(Transport::kInProcess));
  events.AppendSome(2);
  Reader reader(*stub, Follow());
  reader.Expect(2);
  v1::ReadEventsResponse heartbeat;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(reader.Next(&heartbeat));
    EXPECT_THAT(heartbeat.events(), IsEmpty());
    EXPECT_EQ(heartbeat.bookmark().sequence(), 2);
  }
  events.AppendSome(1, "last");
  reader.Expect(1);
  EXPECT_OK(reader.End());
}

}  // namespace
}  // namespace kinora
