// ledger_bench: reducing the ledger of a run, in one thread. The ledger is one
// of a runner: 64 jobs at a time, each of which starts, gets on twice, logs a
// line and completes.
//
//   --jobs      jobs of the run; their events are kept in memory
//   --duration  how long to reduce that ledger, again and again
//
// Fails unless every reduction ends with all jobs done. Figures: rate in events
// per second; events of one ledger.

#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "kinora/v1/ledger.pb.h"
#include "services/runner/ledger/reduce.h"
#include "tests/bench/cpp/bench.h"

ABSL_FLAG(int, jobs, 40'000, "jobs of the run");
ABSL_FLAG(absl::Duration, duration, absl::Seconds(2), "how long to measure");

namespace kinora {
namespace {

constexpr int kAtOnce = 64;

class Ledger {
 public:
  explicit Ledger(int jobs) {
    Add().mutable_run_created()->set_status("queued");
    Add().mutable_run_started()->set_movie_id("film");
    for (int first = 0; first < jobs; first += kAtOnce) {
      for (const auto add : {&Ledger::Start, &Ledger::GetOn, &Ledger::Log,
                             &Ledger::GetOn, &Ledger::Complete}) {
        for (int job = first; job < first + kAtOnce && job < jobs; ++job) {
          (this->*add)(job);
        }
      }
    }
    Add().mutable_run_completed()->set_result_json(
        R"({"revision":"rev-0001"})");
  }

  const std::vector<v1::LedgerEvent>& events() const { return events_; }

 private:
  v1::LedgerEvent& Add() {
    v1::LedgerEvent& event = events_.emplace_back();
    event.set_run_id("run-01ARZ3NDEKTSV4RRFFQ69G5FAV");
    event.set_source(v1::LEDGER_SOURCE_COORDINATOR);
    event.set_occurred_at_ms(1'767'225'600'000 +
                             static_cast<int64_t>(events_.size()));
    return event;
  }
  static void Identify(int job, v1::StepIdentity* step) {
    step->set_step_id(absl::StrCat("Narration[segment=", job, "]"));
    step->set_label(step->step_id());
    step->set_kind("narration");
    step->set_artefact_namespace("NarrationAudio");
  }
  void Start(int job) {
    v1::StepStartedEvent* event = Add().mutable_step_started();
    Identify(job, event->mutable_step());
    event->set_attempt(1);
  }
  void GetOn(int job) {
    v1::StepProgressEvent* event = Add().mutable_step_progress();
    Identify(job, event->mutable_step());
    event->mutable_progress()->set_completed(1);
    event->mutable_progress()->set_total(4);
    event->mutable_progress()->set_message("synthesising");
  }
  void Log(int job) {
    v1::LogAppendedEvent* event = Add().mutable_log_appended();
    event->set_channel(absl::StrCat("Narration[segment=", job, "]"));
    event->set_channel_offset(0);
    event->set_first_seq(job + 1);
    event->add_lines("the voice is ready, and begins to read the first line");
  }
  void Complete(int job) {
    Identify(job, Add().mutable_step_completed()->mutable_step());
  }

  std::vector<v1::LedgerEvent> events_;
};

void ReduceAll(const Ledger& ledger) {
  LedgerSnapshot snapshot =
      EmptySnapshot({.run_id = ledger.events().front().run_id()});
  for (const v1::LedgerEvent& event : ledger.events()) {
    Reduce(ViewOf(event), &snapshot);
  }
  const size_t jobs = static_cast<size_t>(absl::GetFlag(FLAGS_jobs));
  if (snapshot.status != "completed" || snapshot.steps.all().size() != jobs ||
      snapshot.steps.LastRunning() != nullptr ||
      snapshot.total_log_count != static_cast<double>(jobs)) {
    FailBench(absl::DataLossError(
        absl::StrCat("the run ended ", snapshot.status, " with ",
                     snapshot.steps.all().size(), " jobs")));
  }
}

Figures Run() {
  const Ledger ledger(absl::GetFlag(FLAGS_jobs));
  const double events = static_cast<double>(ledger.events().size());
  ReduceAll(ledger);  // warms up
  const double seconds = absl::ToDoubleSeconds(absl::GetFlag(FLAGS_duration));
  const Stopwatch watch;
  double reduced = 0;
  do {
    ReduceAll(ledger);
    reduced += events;
  } while (watch.Seconds() < seconds);
  return {{"rate", reduced / watch.Seconds()}, {"events", events}};
}

}  // namespace
}  // namespace kinora

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  kinora::PrintFigures(kinora::Run());
}
