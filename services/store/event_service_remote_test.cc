// The client's EventStore over the service.

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "clients/cpp/remote_store.h"
#include "common/rpc/unary.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "services/store/event_service.h"
#include "services/store/event_service_fixture.h"

namespace kinora {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

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

// Such as what a job has made and what its run tells of it: one sync does.
TEST_P(EventServiceTest, AppendsOfOneCallGoTogetherThoughOneIsLarge) {
  for (const int large : {0, 1}) {
    v1::AppendEventsRequest requests[2];
    for (v1::AppendEventsRequest& request : requests) request.add_events();
    requests[large].mutable_events(0)->set_revision(
        std::string(300 << 10, 'x'));
    const size_t messages = events_.batches();
    const auto answers =
        remote_.store().events.AppendAll({&requests[0], &requests[1]});
    ASSERT_THAT(answers, SizeIs(2));
    ASSERT_OK(answers[0].status());
    ASSERT_OK(answers[1].status());
    EXPECT_EQ(answers[0]->first_sequence() + 1, answers[1]->first_sequence());
    EXPECT_EQ(events_.batches(), messages + 1);
  }
}

TEST_P(EventServiceTest, AnAppendOfTooManyEventsHarmsNoOther) {
  v1::AppendEventsRequest one;
  one.add_events();
  v1::AppendEventsRequest many;
  for (int i = 0; i <= kMaxEventsPerAppend; ++i) many.add_events();
  const auto answers = remote_.store().events.AppendAll({&one, &many});
  ASSERT_THAT(answers, SizeIs(2));
  EXPECT_OK(answers[0].status());
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

}  // namespace
}  // namespace kinora
