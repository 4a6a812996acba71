// Watches that begin with the run as it stands: what the snapshot covers, and
// which events follow. The test writes the ledger of a run that nobody carries
// out.

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/files/file_system.h"
#include "common/rpc/status.h"
#include "common/rpc/unary.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/threads/thread_pool.h"
#include "services/runner/past/run_events.h"
#include "services/runner/past/run_reduction.h"
#include "services/runner/runner_service.h"
#include "services/runner/testing/runner_process.h"
#include "services/store/layout.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/counting_event_store.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

// What one watcher was sent.
struct Watched {
  v1::WatchRunResponse begin;  // the message with the snapshot
  std::vector<int64_t> events;
  int64_t bookmark = 0;
  int messages = 0;
  absl::Status end;

  int64_t covered() const { return begin.snapshot().last_sequence(); }
};

std::vector<int64_t> Numbers(int64_t first, int64_t last) {
  std::vector<int64_t> numbers;
  for (int64_t i = first; i <= last; ++i) numbers.push_back(i);
  return numbers;
}

class RunnerWatchSnapshotTest
    : public CoreFixture,
      public ::testing::WithParamInterface<Transport> {
 protected:
  RunnerWatchSnapshotTest()
      : counting_(store().events),
        process_(counting_.Within(store()), clock_, {}),
        executor_("service", 4),
        service_(process_.runner(), counting_, executor_, &process_.dry_runs()),
        server_({{v1::RunnerService::service_full_name(), &service_}}),
        stub_(v1::RunnerService::NewStub(server_.Channel(GetParam()))) {}

  void SetUp() override {
    MakeFilm(store());
    lease_ = TakeFilmLease(store());
    v1::PutRunRecordRequest put;
    put.mutable_record()->set_run_id(kRun.run_id);
    put.mutable_record()->set_movie_id(kRun.movie_id);
    put.mutable_record()->set_status(v1::RUN_STATUS_RUNNING);
    *put.mutable_lease() = lease_;
    ASSERT_OK(store().runs.Put(put));
  }

  v1::Event NewEvent() const { return LedgerEventAt(kRun, 1); }

  void Append(std::vector<v1::Event> events) {
    v1::AppendEventsRequest request =
        LedgerAppend(kRun, lease_, std::move(events[0]));
    for (size_t i = 1; i < events.size(); ++i) {
      *request.add_events() = std::move(events[i]);
    }
    absl::StatusOr<v1::AppendEventsResponse> appended =
        store().events.Append(request);
    ASSERT_OK(appended);
  }

  void AppendLines(int count) {
    for (int i = 0; i < count; ++i) {
      v1::Event line = NewEvent();
      line.mutable_ledger()->mutable_log_appended()->add_lines("line");
      Append({std::move(line)});
    }
  }

  void AppendEnd() {
    v1::Event end = NewEvent();
    end.mutable_ledger()->mutable_run_completed();
    Append({std::move(end)});
  }

  // Something that changes the state of the run.
  v1::Event AnyEvent(std::minstd_rand& random) const {
    v1::Event event = NewEvent();
    v1::LedgerEvent& ledger = *event.mutable_ledger();
    const std::string job = absl::StrCat("Part[part=", random() % 20, "]");
    switch (random() % 5) {
      case 0:
        ledger.mutable_step_started()->mutable_step()->set_step_id(job);
        break;
      case 1:
        ledger.mutable_step_completed()->mutable_step()->set_step_id(job);
        break;
      case 2:
        ledger.mutable_step_failed()->mutable_step()->set_step_id(job);
        ledger.mutable_step_failed()->set_error("no");
        break;
      case 3:
        ledger.mutable_run_waiting()->set_reason("producer");
        break;
      default:
        ledger.mutable_log_appended()->add_lines(job);
        break;
    }
    return event;
  }

  // Watches until the stream ends, or has sent so many messages.
  void Watch(const v1::WatchRunRequest& request, Watched* watched,
             int messages = -1) {
    grpc::ClientContext context;
    SetTimeout(context, absl::Seconds(60));
    const auto reader = stub_->WatchRun(&context, request);
    v1::WatchRunResponse message;
    bool cut = messages == 0;
    while (!cut && reader->Read(&message)) {
      cut = --messages == 0;
      ++watched->messages;
      // Only the first message of a stream that asks for it has one.
      EXPECT_EQ(message.has_snapshot(),
                request.with_snapshot() && watched->messages == 1);
      if (message.has_snapshot()) {
        EXPECT_TRUE(message.events().empty());
        watched->begin = message;
      }
      for (const v1::Event& event : message.events()) {
        watched->events.push_back(event.sequence());
      }
      watched->bookmark = message.bookmark().sequence();
    }
    if (cut) {
      context.TryCancel();
      while (reader->Read(&message)) {
      }
    }
    watched->end = FromGrpcStatus(reader->Finish());
    if (cut) watched->end = absl::CancelledError("cut off");
  }

  Watched WatchFrom(int64_t after) {
    Watched watched;
    Watch(Begin(after), &watched);
    return watched;
  }

  v1::WatchRunRequest Begin(int64_t after) const {
    v1::WatchRunRequest request;
    request.set_run_id(kRun.run_id);
    request.set_after_sequence(after);
    request.set_with_snapshot(true);
    return request;
  }

  // The run as its ledger has it up to `last`.
  v1::RunSnapshot FoldedThrough(int64_t last) {
    v1::GetRunRecordRequest get;
    get.set_run_id(kRun.run_id);
    absl::StatusOr<v1::GetRunRecordResponse> record = store().runs.Get(get);
    EXPECT_OK(record);
    if (!record.ok()) return {};
    RunReduction reduction(record->record());
    v1::ReadEventsRequest read;
    *read.mutable_log() = LedgerAppend(kRun, lease_, v1::Event()).log();
    while (read.after_sequence() < last) {
      read.set_limit(last - read.after_sequence());
      const auto page = store().events.ReadPage(read);
      EXPECT_OK(page);
      if (!page.ok() || page->events().empty()) break;
      for (const v1::Event& event : page->events()) reduction.Apply(event);
      read.set_after_sequence(page->bookmark().sequence());
    }
    return reduction.Snapshot();
  }

  const RunIdentity kRun = {"film", std::string(kRun1), "rev-0001"};
  CountingEventStore counting_;
  RunnerProcess process_;
  ThreadPool executor_;
  RunnerRpcService service_;
  InProcessServer server_;
  std::unique_ptr<v1::RunnerService::Stub> stub_;
  v1::LeaseToken lease_;
};

INSTANTIATE_TEST_SUITE_P(Transports, RunnerWatchSnapshotTest,
                         ::testing::Values(Transport::kInProcess,
                                           Transport::kTcp),
                         TransportName);

// F: F3, S3-13: wherever a watch is handed over from the snapshot to the ledger
// and from there to live events, and wherever it breaks, the snapshot is the
// run up to its last event, and every event behind it comes once.
TEST_P(RunnerWatchSnapshotTest, TheSnapshotAndWhatFollowsAreTheRun) {
  constexpr int kWatchers = 8;
  constexpr int64_t kEvents = 600;
  const int64_t kLast = kEvents + 1;  // the end
  std::vector<Watched> watched(kWatchers);
  std::vector<int64_t> after(kWatchers);
  std::vector<std::thread> threads;
  std::thread writer([this] {
    std::minstd_rand random(3);
    for (int64_t left = kEvents; left > 0;) {
      const int64_t count =
          std::min<int64_t>(left, 1 + static_cast<int64_t>(random() % 4));
      std::vector<v1::Event> events;
      for (int64_t i = 0; i < count; ++i) events.push_back(AnyEvent(random));
      Append(std::move(events));
      left -= count;
    }
    AppendEnd();
  });
  for (int i = 0; i < kWatchers; ++i) {
    threads.emplace_back([this, i, &watched, &after] {
      std::minstd_rand random(static_cast<unsigned>(i) + 1);
      // Somewhere in what there is by then, and from each kind of place.
      v1::GetRunRequest get;
      get.set_run_id(kRun.run_id);
      const auto run = process_.runner().Get(get);
      EXPECT_OK(run);
      const int64_t last = run.ok() ? run->run().last_sequence() : 0;
      int64_t& mine = after[static_cast<size_t>(i)];
      mine = i % 4 == 0 ? -1 : i % 4 == 1 ? 0 : last > 0 ? 1 + i * last / 8 : 0;
      mine = std::min(mine, last);
      Watched& seen = watched[static_cast<size_t>(i)];
      Watch(Begin(mine), &seen, 1 + static_cast<int>(random() % 3));
      // Broken off, it goes on behind the bookmark, without a snapshot.
      for (int tries = 0; tries < 10'000 && !seen.end.ok(); ++tries) {
        v1::WatchRunRequest resumed;
        resumed.set_run_id(kRun.run_id);
        resumed.set_after_sequence(seen.bookmark);
        const bool to_the_end = random() % 4 == 0;
        Watch(resumed, &seen,
              to_the_end ? -1 : 1 + static_cast<int>(random() % 5));
      }
    });
  }
  writer.join();
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < watched.size(); ++i) {
    const Watched& seen = watched[i];
    EXPECT_OK(seen.end);
    const int64_t first =
        after[i] == 0 ? seen.covered() : std::max<int64_t>(after[i], 0);
    EXPECT_LE(first, seen.covered());
    EXPECT_EQ(seen.begin.bookmark().sequence(), first);
    EXPECT_EQ(seen.events, Numbers(first + 1, kLast)) << "after " << after[i];
    v1::RunSnapshot told = seen.begin.snapshot();
    told.clear_recovery();  // is not in the ledger alone
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(
        told, FoldedThrough(seen.covered())))
        << told.DebugString();
  }
}

// F: F3 (ends after the terminal event)
TEST_P(RunnerWatchSnapshotTest, OfARunThatHasEndedTheSnapshotIsAll) {
  AppendLines(3);
  AppendEnd();
  const Watched now = WatchFrom(0);
  EXPECT_OK(now.end);
  EXPECT_EQ(now.covered(), 4);
  EXPECT_EQ(now.begin.snapshot().record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(now.bookmark, 4);
  EXPECT_EQ(now.messages, 1);
  // With history it is followed by that.
  for (const int64_t after : {-1, 1, 3, 4}) {
    const Watched seen = WatchFrom(after);
    EXPECT_OK(seen.end);
    EXPECT_EQ(seen.covered(), 4);
    EXPECT_EQ(seen.events, Numbers(std::max<int64_t>(after, 0) + 1, 4));
    EXPECT_EQ(seen.bookmark, 4);
  }
}

TEST_P(RunnerWatchSnapshotTest, ARunWithoutAnEventHasASnapshot) {
  Watched begin;
  Watch(Begin(0), &begin, 1);
  EXPECT_EQ(begin.begin.snapshot().record().run_id(), kRun.run_id);
  EXPECT_EQ(begin.covered(), 0);
  AppendEnd();
  v1::WatchRunRequest resumed;
  resumed.set_run_id(kRun.run_id);
  resumed.set_after_sequence(begin.bookmark);
  Watch(resumed, &begin);
  EXPECT_OK(begin.end);
  EXPECT_EQ(begin.events, Numbers(1, 1));
}

TEST_P(RunnerWatchSnapshotTest, AWatchFromPastTheEndIsToldWhereThatIs) {
  AppendLines(2);
  const Watched past = WatchFrom(3);
  EXPECT_THAT(past.end, StatusIs(absl::StatusCode::kOutOfRange,
                                 HasSubstr("after_sequence: 3 is past the "
                                           "end, 2, of ")));
  EXPECT_EQ(MetadataOf(past.end)["current"], "2");
  EXPECT_EQ(past.messages, 0);
}

// F: F3
TEST_P(RunnerWatchSnapshotTest, TrimmedHistoryIsRefusedWithTheOldestThereIs) {
  AppendLines(4);
  AppendEnd();
  EXPECT_EQ(WatchFrom(0).covered(), 5);
  const std::string ledger = LedgerLogKey("film", kRun.run_id);
  ASSERT_OK(log_.Archive(
      ledger, 2, absl::StrCat(ParentPath(ledger), "/old.ledger.jsonl")));
  ASSERT_OK(log_.Trim(ledger, 2));
  for (const int64_t after : {-1, 1}) {
    const Watched refused = WatchFrom(after);
    EXPECT_THAT(refused.end, StatusIs(absl::StatusCode::kOutOfRange));
    EXPECT_EQ(ReasonOf(refused.end), "LOG_TRIMMED");
    EXPECT_EQ(MetadataOf(refused.end)["oldest"], "3");
  }
  EXPECT_EQ(WatchFrom(2).events, Numbers(3, 5));
}

TEST_P(RunnerWatchSnapshotTest, UnknownRunIsNotFound) {
  v1::WatchRunRequest request = Begin(0);
  request.set_run_id(std::string(kRun2));
  Watched unknown;
  Watch(request, &unknown);
  EXPECT_THAT(unknown.end, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(unknown.messages, 0);
  request.set_run_id("run-x");
  Watched malformed;
  Watch(request, &malformed);
  EXPECT_THAT(malformed.end, StatusIs(absl::StatusCode::kInvalidArgument,
                                      HasSubstr("run_id")));
}

// A long run is not read for each who looks at it.
TEST_P(RunnerWatchSnapshotTest, ManyWatchersReadTheLedgerOnce) {
  AppendLines(300);
  AppendEnd();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(WatchFrom(0).covered(), 301);
  EXPECT_EQ(counting_.delivered(), 301);
}

// Those who follow a run are given the same pages.
TEST_P(RunnerWatchSnapshotTest, WatchersShareThePagesOfARun) {
  AppendLines(10);
  RunLedgers ledgers(process_.runner(), store().events, nullptr);
  v1::ReadEventsRequest read;
  read.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
  read.mutable_log()->set_run_id(kRun.run_id);
  ASSERT_OK_AND_ASSIGN(const EventPagePtr first, ledgers.ReadShared(read));
  ASSERT_OK_AND_ASSIGN(const EventPagePtr second, ledgers.ReadShared(read));
  EXPECT_EQ(first, second);
  EXPECT_EQ(first->page().events_size(), 10);
}

}  // namespace
}  // namespace kinora
