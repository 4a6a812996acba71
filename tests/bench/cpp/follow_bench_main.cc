// follow_bench: followers of one log, each from its beginning: first what is
// there (replay), then what is appended meanwhile.
//
//   --mode=fill    makes a store in --data with --events events
//   --mode=local   followers in the process of the store in --data
//   --mode=remote  followers of the kinora-store at --store, each on a stream
//                  and a connection of its own
//
// Fails unless each follower sees every event once and in order. Figures:
//   rate       events replayed per second, over all followers,
//   live_rate  events per second that were appended and reached all followers,
//   events     in the log before.

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"

#include "clients/cpp/channel.h"
#include "clients/cpp/remote_store.h"
#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "kinora/v1/event.grpc.pb.h"
#include "services/store/local_store.h"
#include "tests/bench/cpp/bench.h"
#include "tests/bench/cpp/connection.h"
#include "tests/bench/cpp/note_requests.h"
#include "tests/bench/cpp/progress.h"

ABSL_FLAG(std::string, mode, "local", "fill, local or remote");
ABSL_FLAG(std::string, data, "", "folder of the store, of fill and local");
ABSL_FLAG(std::string, store, "", "HOST:PORT of a kinora-store, of remote");
ABSL_FLAG(int64_t, events, 1'000'000, "of mode fill");
ABSL_FLAG(int, followers, 1, "followers at once");
ABSL_FLAG(int, live_requests, 20,
          "appended after the replay, 1,000 events each");

namespace kinora {
namespace {

constexpr int kEventsPerRequest = 1000;

// Something that can be waited for once.
class Signal {
 public:
  void Happen() {
    MutexLock lock(mu_);
    happened_ = true;
    cv_.SignalAll();
  }
  void Await() {
    MutexLock lock(mu_);
    while (!happened_) cv_.Wait(mu_);
  }

 private:
  Mutex mu_;
  CondVar cv_;
  bool happened_ ABSL_GUARDED_BY(mu_) = false;
};

// Reads on until `last` was seen.
using Follower = std::function<void(int64_t last, Progress& progress)>;

Follower LocalFollower(EventStore& events) {
  return [&events](int64_t last, Progress& progress) {
    v1::ReadEventsRequest request;
    *request.mutable_log() = InputsOf(0);
    for (int64_t seen = 0; seen < last; seen = progress.seen()) {
      request.set_after_sequence(seen);
      const v1::ReadEventsResponse page = Must(events.ReadPage(request));
      progress.Saw(page.events());
      if (!page.events().empty()) continue;
      Signal appended;
      const EventStore::WaiterId waiter = events.NotifyAfter(
          request.log(), seen, [&appended] { appended.Happen(); });
      appended.Await();
      events.CancelNotify(waiter);
    }
  };
}

Follower RemoteFollower() {
  std::shared_ptr<v1::EventService::Stub> stub =
      v1::EventService::NewStub(BareChannel(absl::GetFlag(FLAGS_store)));
  return [stub](int64_t last, Progress& progress) {
    v1::ReadEventsRequest request;
    *request.mutable_log() = InputsOf(0);
    request.set_follow(true);
    grpc::ClientContext context;
    const auto reader = stub->ReadEvents(&context, request);
    v1::ReadEventsResponse page;
    while (progress.seen() < last) {
      if (!reader->Read(&page)) {
        FailBench(absl::UnavailableError(reader->Finish().error_message()));
      }
      progress.Saw(page.events());
    }
    context.TryCancel();
  };
}

void Append(EventStore& events, int64_t count) {
  NoteRequests notes(0, kEventsPerRequest);
  for (int64_t done = 0; done < count; done += notes.events()) {
    Must(events.Append(notes.Next()).status());
  }
}

Figures Follow(EventStore& events,
               const std::function<Follower()>& make_follower) {
  v1::GetLogStatusRequest request;
  *request.mutable_log() = InputsOf(0);
  const int64_t there = Must(events.GetLogStatus(request)).last_sequence();
  const int64_t live =
      int64_t{absl::GetFlag(FLAGS_live_requests)} * kEventsPerRequest;
  const auto count = static_cast<size_t>(absl::GetFlag(FLAGS_followers));
  std::vector<Follower> followers;
  for (size_t i = 0; i < count; ++i) followers.push_back(make_follower());
  std::vector<Progress> progress(count);
  std::vector<std::thread> threads;
  const Stopwatch replay;
  for (size_t i = 0; i < count; ++i) {
    threads.emplace_back([&follower = followers[i], last = there + live,
                          &mine = progress[i]] { follower(last, mine); });
  }
  for (Progress& each : progress) each.AwaitSeen(there);
  const double replay_s = replay.Seconds();
  const Stopwatch watch;
  Append(events, live);
  for (Progress& each : progress) each.AwaitSeen(there + live);
  const double live_s = watch.Seconds();
  for (std::thread& thread : threads) thread.join();
  return {{"events", static_cast<double>(there)},
          {"rate",
           static_cast<double>(there) * static_cast<double>(count) / replay_s},
          {"live_rate", static_cast<double>(live) / live_s}};
}

Figures Run() {
  const std::string mode = absl::GetFlag(FLAGS_mode);
  if (mode == "remote") {
    RemoteStore remote(MakeChannel(absl::GetFlag(FLAGS_store)));
    return Follow(remote.store().events, RemoteFollower);
  }
  if (mode != "fill" && mode != "local") {
    FailBench(absl::InvalidArgumentError(absl::StrCat("no mode ", mode)));
  }
  ThreadPool pool("bench", 4);
  LocalStoreOptions options;
  options.data_dir = absl::GetFlag(FLAGS_data);
  const std::unique_ptr<LocalStore> local = Must(LocalStore::Open(
      options, PosixFileSystem(), RealClock(), SystemRandom(), pool));
  EventStore& events = local->store().events;
  if (mode == "local") {
    return Follow(events, [&events] { return LocalFollower(events); });
  }
  MakeMovies(local->store(), 1);
  const Stopwatch watch;
  Append(events, absl::GetFlag(FLAGS_events));
  return {{"rate",
           static_cast<double>(absl::GetFlag(FLAGS_events)) / watch.Seconds()}};
}

}  // namespace
}  // namespace kinora

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  kinora::PrintFigures(kinora::Run());
}
