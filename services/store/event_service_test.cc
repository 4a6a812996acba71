#include "services/store/event_service.h"

#include <thread>
#include <utility>

#include "gmock/gmock.h"
#include "grpcpp/channel.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/rpc/tail_stream.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/threads/thread_pool.h"
#include "services/store/event_service_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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
