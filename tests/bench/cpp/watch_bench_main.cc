// watch_bench: watchers of one run who have seen all of its ledger, and events
// that are then appended to it.
//
//   --mode=local   in the process of the store in --data, which is made: each
//                  reads pages and waits as a WatchRun stream does, on an
//                  executor and without a thread of its own
//   --mode=remote  RunnerService.WatchRun of the server at --server, which has
//                  store and runner; each on a connection of its own
//
// Fails unless each watcher sees every event once and in order. Figures:
//   rate        deliveries per second: events times watchers, from the first
//               append until all were seen by all,
//   deliveries  how many that were.

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
#include "common/proto_time.h"
#include "common/random.h"
#include "common/threads/thread_pool.h"
#include "kinora/v1/event.pb.h"
#include "kinora/v1/lease.pb.h"
#include "kinora/v1/run_record.pb.h"
#include "kinora/v1/runner.grpc.pb.h"
#include "services/store/local_store.h"
#include "tests/bench/cpp/bench.h"
#include "tests/bench/cpp/connection.h"
#include "tests/bench/cpp/note_requests.h"
#include "tests/bench/cpp/progress.h"

ABSL_FLAG(std::string, mode, "local", "local or remote");
ABSL_FLAG(std::string, data, "", "folder of the store, of local");
ABSL_FLAG(std::string, server, "", "HOST:PORT of `kinora up`, of remote");
ABSL_FLAG(int, watchers, 100, "watchers at once");
ABSL_FLAG(int, events, 20'000, "appended in all");
ABSL_FLAG(int, batch, 100, "appended at once");

namespace kinora {
namespace {

constexpr char kRunId[] = "run-01KDV3N3C00000000000000001";

// Makes a line of the ledger about as long as the entries of the peer.
constexpr size_t kTextBytes = 130;

// A run that nobody carries out: the benchmark writes its ledger.
class BenchRun {
 public:
  explicit BenchRun(const Store& store) : events_(store.events) {
    MakeMovies(store, 1);
    log_ = InputsOf(0);
    log_.set_kind(v1::LOG_KIND_LEDGER);
    log_.set_run_id(kRunId);
    v1::AcquireLeaseRequest acquire;
    acquire.set_lease_id(absl::StrCat("movie/", log_.movie_id()));
    acquire.set_holder("watch_bench");
    acquire.set_purpose(kRunId);
    // No runner is to take the run over meanwhile.
    acquire.mutable_ttl()->set_seconds(600);
    lease_ = Must(store.leases.Acquire(acquire)).lease().token();
    v1::PutRunRecordRequest put;
    put.mutable_record()->set_run_id(kRunId);
    put.mutable_record()->set_movie_id(log_.movie_id());
    put.mutable_record()->set_status(v1::RUN_STATUS_RUNNING);
    *put.mutable_record()->mutable_create_time() = ToProto(RealClock().Now());
    *put.mutable_lease() = lease_;
    Must(store.runs.Put(put).status());
    Append(1);
  }

  const v1::LogName& log() const { return log_; }
  int64_t last() const { return last_; }

  void Append(int count) {
    v1::AppendEventsRequest request;
    *request.mutable_log() = log_;
    *request.mutable_lease() = lease_;
    for (int i = 0; i < count; ++i) {
      v1::LedgerEvent& ledger = *request.add_events()->mutable_ledger();
      ledger.set_run_id(kRunId);
      ledger.set_occurred_at_ms(1'750'000'000'000);
      ledger.set_source(v1::LEDGER_SOURCE_COORDINATOR);
      std::string* line = ledger.mutable_log_appended()->add_lines();
      *line = absl::StrCat("line ", ++line_, " ");
      line->resize(kTextBytes, '.');
      ledger.mutable_log_appended()->set_first_seq(line_);
    }
    last_ = Must(events_.Append(request)).last_sequence();
  }

 private:
  EventStore& events_;
  v1::LogName log_;
  v1::LeaseToken lease_;
  int64_t line_ = 0;
  int64_t last_ = 0;
};

// Sees events up to `last`: a page after the other, then one waiter, as
// TailStream.
class LocalWatcher {
 public:
  LocalWatcher(EventStore& events, Executor& executor, const v1::LogName& log,
               int64_t last, Progress& progress)
      : events_(events), executor_(executor), last_(last), progress_(progress) {
    *request_.mutable_log() = log;
    request_.set_follow(true);
  }

  void Read() {
    for (;;) {
      request_.set_after_sequence(progress_.seen());
      if (request_.after_sequence() == last_) return;
      const EventPagePtr page = Must(events_.ReadShared(request_));
      if (page->page().events().empty()) break;
      progress_.Saw(page->page().events());
    }
    events_.NotifyAfter(request_.log(), request_.after_sequence(),
                        [this] { executor_.Post([this] { Read(); }); });
  }

 private:
  EventStore& events_;
  Executor& executor_;
  const int64_t last_;
  Progress& progress_;
  v1::ReadEventsRequest request_;
};

void WatchRemote(v1::RunnerService::Stub& stub, int64_t last,
                 Progress& progress) {
  v1::WatchRunRequest request;
  request.set_run_id(kRunId);
  request.set_after_sequence(progress.seen());
  grpc::ClientContext context;
  const auto reader = stub.WatchRun(&context, request);
  v1::WatchRunResponse message;
  while (progress.seen() < last) {
    if (!reader->Read(&message)) {
      FailBench(absl::UnavailableError(reader->Finish().error_message()));
    }
    progress.Saw(message.events());
  }
  context.TryCancel();
}

// From the first append on, until all have seen all.
Figures Deliver(BenchRun& run, int64_t last,
                std::vector<std::unique_ptr<Progress>>& watchers) {
  const int64_t before = run.last();
  const int batch = absl::GetFlag(FLAGS_batch);
  const Stopwatch watch;
  while (run.last() < last) run.Append(batch);
  for (const std::unique_ptr<Progress>& each : watchers) each->AwaitSeen(last);
  const double seconds = watch.Seconds();
  const double deliveries =
      static_cast<double>(last - before) * static_cast<double>(watchers.size());
  return {{"deliveries", deliveries}, {"rate", deliveries / seconds}};
}

std::vector<std::unique_ptr<Progress>> ProgressOfAll(int64_t seen) {
  std::vector<std::unique_ptr<Progress>> watchers;
  for (int i = 0; i < absl::GetFlag(FLAGS_watchers); ++i) {
    watchers.push_back(std::make_unique<Progress>(seen));
  }
  return watchers;
}

// Whole batches.
int64_t LastAfter(int64_t seen) {
  const int batch = absl::GetFlag(FLAGS_batch);
  return seen + int64_t{absl::GetFlag(FLAGS_events) / batch} * batch;
}

Figures RunLocal() {
  ThreadPool pool("bench", 4);
  LocalStoreOptions options;
  options.data_dir = absl::GetFlag(FLAGS_data);
  const std::unique_ptr<LocalStore> local = Must(LocalStore::Open(
      options, PosixFileSystem(), RealClock(), SystemRandom(), pool));
  EventStore& events = local->store().events;
  BenchRun run(local->store());
  const int64_t last = LastAfter(run.last());
  std::vector<std::unique_ptr<Progress>> progress = ProgressOfAll(run.last());
  ThreadPool readers("watch", 4);
  std::vector<std::unique_ptr<LocalWatcher>> watchers;
  for (const std::unique_ptr<Progress>& each : progress) {
    watchers.push_back(std::make_unique<LocalWatcher>(events, readers,
                                                      run.log(), last, *each));
    watchers.back()->Read();  // to the end, where it waits
  }
  const Figures figures = Deliver(run, last, progress);
  // What has seen all waits for nothing, but may not have returned yet.
  readers.Stop();
  return figures;
}

Figures RunRemote() {
  const std::string server = absl::GetFlag(FLAGS_server);
  RemoteStore remote(MakeChannel(server));
  BenchRun run(remote.store());
  const int64_t last = LastAfter(run.last());
  // A watch that has seen nothing shows by the first event that it is there.
  std::vector<std::unique_ptr<Progress>> progress = ProgressOfAll(0);
  std::vector<std::unique_ptr<v1::RunnerService::Stub>> stubs;
  std::vector<std::thread> threads;
  for (const std::unique_ptr<Progress>& each : progress) {
    stubs.push_back(v1::RunnerService::NewStub(BareChannel(server)));
    threads.emplace_back([&stub = *stubs.back(), last, &mine = *each] {
      WatchRemote(stub, last, mine);
    });
  }
  for (const std::unique_ptr<Progress>& each : progress) {
    each->AwaitSeen(run.last());
  }
  const Figures figures = Deliver(run, last, progress);
  for (std::thread& thread : threads) thread.join();
  return figures;
}

Figures Run() {
  const std::string mode = absl::GetFlag(FLAGS_mode);
  if (mode == "local") return RunLocal();
  if (mode == "remote") return RunRemote();
  FailBench(absl::InvalidArgumentError(absl::StrCat("no mode ", mode)));
}

}  // namespace
}  // namespace kinora

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  kinora::PrintFigures(kinora::Run());
}
