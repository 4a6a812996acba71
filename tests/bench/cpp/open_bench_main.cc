// open_bench: how long it takes until a store with long logs is of use.
//
//   --mode=fill  makes a store in --data whose one log has --events events, and
//                checkpoints it
//   --mode=open  opens it, reads the log's last event and appends one: seconds
//
// Fails unless the event read is the last one.

#include <memory>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"

#include "common/clock.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/threads/thread_pool.h"
#include "services/store/local_store.h"
#include "tests/bench/cpp/bench.h"
#include "tests/bench/cpp/note_requests.h"

ABSL_FLAG(std::string, mode, "open", "fill or open");
ABSL_FLAG(std::string, data, "", "folder of the store");
ABSL_FLAG(int64_t, events, 1'000'000, "of mode fill");

namespace kinora {
namespace {

constexpr int kEventsPerRequest = 1000;

std::unique_ptr<LocalStore> Open(ThreadPool& pool) {
  LocalStoreOptions options;
  options.data_dir = absl::GetFlag(FLAGS_data);
  return Must(LocalStore::Open(options, PosixFileSystem(), RealClock(),
                               SystemRandom(), pool));
}

Figures Fill(Store store) {
  MakeMovies(store, 1);
  NoteRequests notes(0, kEventsPerRequest);
  const Stopwatch watch;
  for (int64_t done = 0; done < absl::GetFlag(FLAGS_events);
       done += notes.events()) {
    Must(store.events.Append(notes.Next()).status());
  }
  v1::CheckpointMovieRequest checkpoint;
  checkpoint.set_movie_id(InputsOf(0).movie_id());
  Must(store.maintenance.CheckpointMovie(checkpoint).status());
  return {{"seconds", watch.Seconds()}};
}

Figures UseAtOnce(ThreadPool& pool) {
  NoteRequests notes(0, 1);
  v1::GetLogStatusRequest status;
  *status.mutable_log() = InputsOf(0);
  v1::ReadEventsRequest read;
  *read.mutable_log() = InputsOf(0);
  const Stopwatch watch;
  const std::unique_ptr<LocalStore> local = Open(pool);
  const double open_s = watch.Seconds();
  EventStore& events = local->store().events;
  const int64_t last = Must(events.GetLogStatus(status)).last_sequence();
  read.set_after_sequence(last - 1);
  const v1::ReadEventsResponse page = Must(events.ReadPage(read));
  Must(events.Append(notes.Next()).status());
  const double seconds = watch.Seconds();
  if (page.events_size() != 1 || page.events(0).sequence() != last) {
    FailBench(absl::DataLossError(
        absl::StrCat("event ", last, " was not read back")));
  }
  return {{"events", static_cast<double>(last)},
          {"open_seconds", open_s},
          {"seconds", seconds}};
}

Figures Run() {
  ThreadPool pool("bench", 4);
  const std::string mode = absl::GetFlag(FLAGS_mode);
  if (mode == "fill") {
    const std::unique_ptr<LocalStore> local = Open(pool);
    return Fill(local->store());
  }
  if (mode == "open") return UseAtOnce(pool);
  FailBench(absl::InvalidArgumentError(absl::StrCat("no mode ", mode)));
}

}  // namespace
}  // namespace kinora

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  kinora::PrintFigures(kinora::Run());
}
