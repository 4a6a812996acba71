// append_bench: durable appends of events whose log lines have about 300 bytes,
// against a kinora-store.
//
//   --mode=unary   closed loops of AppendEvents, on a bare channel each
//   --mode=client  closed loops of EventStore::Append() of one RemoteStore
//   --mode=bulk    as unary, with --events_per_request and --in_flight calls
//                  of each caller at once on its channel
//   --mode=count   tells how many events were appended by all runs before
//
// With --logs=N, loop i appends to the input log of movie `bench-(i mod N)`:
// those logs need no lease. Fails unless the logs have grown by exactly what
// was acknowledged.

#include <memory>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"

#include "clients/cpp/channel.h"
#include "clients/cpp/remote_store.h"
#include "common/rpc/unary.h"
#include "kinora/v1/event.grpc.pb.h"
#include "tests/bench/cpp/bench.h"
#include "tests/bench/cpp/connection.h"
#include "tests/bench/cpp/note_requests.h"

ABSL_FLAG(std::string, store, "", "HOST:PORT of a kinora-store");
ABSL_FLAG(std::string, mode, "unary", "unary, client, bulk or count");
ABSL_FLAG(int, callers, 1, "callers");
ABSL_FLAG(bool, shared_channel, false, "one channel for all callers");
ABSL_FLAG(int, logs, 1, "logs to append to");
ABSL_FLAG(int, events_per_request, 1000, "of mode bulk");
ABSL_FLAG(int, in_flight, 2, "calls of a caller at once, of mode bulk");
ABSL_FLAG(absl::Duration, warm_up, absl::Milliseconds(300), "before measuring");
ABSL_FLAG(absl::Duration, duration, absl::Seconds(2), "measured time");

namespace kinora {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(30);

// Without the blueprint, which is the first event of each.
int64_t EventsInLogs(Store store, int logs) {
  int64_t events = 0;
  for (int log = 0; log < logs; ++log) {
    v1::GetLogStatusRequest request;
    *request.mutable_log() = InputsOf(log);
    events += Must(store.events.GetLogStatus(request)).last_sequence() - 1;
  }
  return events;
}

// `loops_per_caller` of the loops share one channel.
Figures MeasureCalls(const LoopTimes& times, int events, int loops_per_caller) {
  using Stub = v1::EventService::Stub;
  const int logs = absl::GetFlag(FLAGS_logs);
  const bool shared_channel = absl::GetFlag(FLAGS_shared_channel);
  std::shared_ptr<Stub> stub;
  return RunClosedLoops(
      absl::GetFlag(FLAGS_callers) * loops_per_caller, times,
      [&](int loop) -> Loop {
        if (shared_channel ? loop == 0 : loop % loops_per_caller == 0) {
          stub = v1::EventService::NewStub(
              BareChannel(absl::GetFlag(FLAGS_store)));
        }
        auto requests = std::make_shared<NoteRequests>(loop % logs, events);
        return [stub, requests] {
          Must(CallUnary(*stub, &Stub::AppendEvents, requests->Next(), kTimeout)
                   .status());
          return requests->events();
        };
      });
}

Figures MeasureClient(const LoopTimes& times, Store store) {
  const int logs = absl::GetFlag(FLAGS_logs);
  return RunClosedLoops(
      absl::GetFlag(FLAGS_callers), times, [&](int caller) -> Loop {
        auto requests = std::make_shared<NoteRequests>(caller % logs, 1);
        return [&events = store.events, requests] {
          Must(events.Append(requests->Next()).status());
          return int64_t{1};
        };
      });
}

Figures Measure(const LoopTimes& times, Store store) {
  const std::string mode = absl::GetFlag(FLAGS_mode);
  if (mode == "unary") return MeasureCalls(times, 1, 1);
  if (mode == "client") return MeasureClient(times, store);
  if (mode == "bulk") {
    return MeasureCalls(times, absl::GetFlag(FLAGS_events_per_request),
                        absl::GetFlag(FLAGS_in_flight));
  }
  FailBench(absl::InvalidArgumentError(absl::StrCat("no mode ", mode)));
}

void Run() {
  const int logs = absl::GetFlag(FLAGS_logs);
  RemoteStore remote(MakeChannel(absl::GetFlag(FLAGS_store)));
  const Store store = remote.store();
  MakeMovies(store, logs);
  const int64_t before = EventsInLogs(store, logs);
  if (absl::GetFlag(FLAGS_mode) == "count") {
    return PrintFigures({{"events", static_cast<double>(before)}});
  }
  Figures figures = Measure(
      {absl::GetFlag(FLAGS_warm_up), absl::GetFlag(FLAGS_duration)}, store);
  const int64_t grown = EventsInLogs(store, logs) - before;
  if (static_cast<double>(grown) != figures["things"]) {
    FailBench(absl::DataLossError(absl::StrCat(
        grown, " events in the logs, ", figures["things"], " acknowledged")));
  }
  PrintFigures(figures);
}

}  // namespace
}  // namespace kinora

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  kinora::Run();
}
