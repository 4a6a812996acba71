#include "services/runner/testing/runner_fixture.h"

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/clock.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "services/runner/past/run_events.h"

namespace kinora {

RunnerFixture::RunnerFixture() { process_ = NewProcess(); }

RunnerFixture::~RunnerFixture() { process_.reset(); }

std::unique_ptr<RunnerProcess> RunnerFixture::NewProcess(
    const SimProducerOptions& sim) {
  return std::make_unique<RunnerProcess>(store(), clock_, sim);
}

void RunnerFixture::MakeMovie(const std::string& blueprint,
                              const std::string& movie_id) {
  v1::CreateMovieRequest request;
  request.set_movie_id(movie_id);
  request.set_blueprint(blueprint);
  ASSERT_OK(store().movies.Create(request));
}

v1::StartRunRequest RunnerFixture::StartRequest(
    const std::map<std::string, std::string>& texts) {
  v1::StartRunRequest request;
  request.set_movie_id("film");
  for (const auto& text : texts) {
    v1::PendingEdit* edit = request.add_edits();
    edit->set_input_id("Input:" + text.first);
    v1::InlineValue* value = edit->mutable_content()->mutable_inline_();
    value->set_mime_type("text/plain");
    value->set_data(text.second);
  }
  return request;
}

std::vector<v1::LedgerEvent> RunnerFixture::Ledger(
    const std::string& run_id,
    const std::function<bool(const v1::LedgerEvent&)>& until,
    const std::string& movie_id) {
  v1::ReadEventsRequest read;
  read.mutable_log()->set_movie_id(movie_id);
  read.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
  read.mutable_log()->set_run_id(run_id);
  std::vector<v1::LedgerEvent> events;
  const int64_t deadline = DeadlineAfter(RealClock(), kPatience);
  for (;;) {
    absl::StatusOr<v1::ReadEventsResponse> page = store().events.ReadPage(read);
    EXPECT_OK(page);
    if (!page.ok()) return events;
    for (const v1::Event& event : page->events()) {
      events.push_back(event.ledger());
      const v1::LedgerEvent& last = events.back();
      if (last.has_run_completed() || last.has_run_failed() ||
          last.has_run_cancelled() || (until && until(last))) {
        return events;
      }
    }
    read.set_after_sequence(page->bookmark().sequence());
    if (page->events().empty() && !WaitFor(read, deadline)) return events;
  }
}

v1::RunSnapshot RunnerFixture::Finish(const std::string& run_id) {
  Ledger(run_id);
  v1::GetRunRequest get;
  get.set_run_id(run_id);
  absl::StatusOr<v1::GetRunResponse> run = runner().Get(get);
  EXPECT_OK(run);
  return run.ok() ? run->run() : v1::RunSnapshot();
}

v1::RunSnapshot RunnerFixture::RunToEnd(const v1::StartRunRequest& request) {
  absl::StatusOr<v1::StartRunResponse> started = runner().Start(request);
  EXPECT_OK(started);
  if (!started.ok()) return v1::RunSnapshot();
  return Finish(started->run().run_id());
}

v1::RunRecord RunnerFixture::AwaitRecord(
    const std::string& run_id,
    const std::function<bool(const v1::RunRecord&)>& until) {
  v1::GetRunRecordRequest get;
  get.set_run_id(run_id);
  const int64_t deadline = DeadlineAfter(RealClock(), kPatience);
  for (;;) {
    const absl::StatusOr<v1::GetRunRecordResponse> run = store().runs.Get(get);
    EXPECT_OK(run);
    if (!run.ok()) return v1::RunRecord();
    if (until(run->record())) return run->record();
    if (RealClock().MonotonicNanos() >= deadline) {
      ADD_FAILURE() << run->record().ShortDebugString();
      return run->record();
    }
    std::this_thread::yield();
  }
}

void RunnerFixture::Release(const v1::LeaseToken& lease) {
  v1::ReleaseLeaseRequest release;
  *release.mutable_token() = lease;
  ASSERT_OK(store().leases.Release(release));
}

void RunnerFixture::TellAsTheDead(const std::string& run_id,
                                  const v1::LedgerEvent& told) {
  const v1::LeaseToken lease = TakeFilmLease(store(), "dead-runner", run_id);
  const RunIdentity run = {"film", run_id, ""};
  v1::Event event = LedgerEventAt(run, 1);
  event.mutable_ledger()->MergeFrom(told);
  ASSERT_OK(store().events.Append(LedgerAppend(run, lease, std::move(event))));
  Release(lease);
}

std::set<std::string> RunnerFixture::Jobs(const v1::RunSnapshot& run) {
  std::set<std::string> jobs;
  for (const v1::JobState& job : run.jobs()) {
    jobs.insert(absl::StrCat(job.job_id(), " ", job.status(),
                             job.detail().empty() ? "" : " ", job.detail()));
  }
  return jobs;
}

bool RunnerFixture::WaitFor(const v1::ReadEventsRequest& read,
                            int64_t deadline) {
  // Shared: a waiter may fire while it is being cancelled.
  struct Signal {
    Mutex mu;
    CondVar cv;
    bool set = false;
  };
  auto signal = std::make_shared<Signal>();
  const EventStore::WaiterId id =
      store().events.NotifyAfter(read.log(), read.after_sequence(), [signal] {
        MutexLock lock(signal->mu);
        signal->set = true;
        signal->cv.SignalAll();
      });
  bool set = false;
  {
    MutexLock lock(signal->mu);
    while (!signal->set && signal->cv.WaitUntil(signal->mu, deadline)) {
    }
    set = signal->set;
  }
  store().events.CancelNotify(id);
  EXPECT_TRUE(set) << "nothing happened in " << kPatience;
  return set;
}

std::string Chain(const std::string& a_settings,
                  const std::string& b_settings) {
  return absl::StrCat(R"(
blueprint: chain
inputs:
  Topic: {type: text, default: "sea"}
  Side: {type: text, default: "left"}
nodes:
  A:
    producer: sim
    settings: )",
                      a_settings, R"(
    inputs: {topic: "Input:Topic"}
    outputs: {AText: text/plain}
  B:
    producer: sim
    settings: )",
                      b_settings, R"(
    inputs: {a: AText}
    outputs: {BText: text/plain}
  C:
    producer: sim
    inputs: {b: BText}
    outputs: {CText: text/plain}
  D:
    producer: sim
    inputs: {side: "Input:Side"}
    outputs: {DText: text/plain}
outputs: [CText, DText]
)");
}

std::string Scenes(const std::string& script_settings,
                   const std::string& clip_settings,
                   const std::string& film_settings) {
  return absl::StrCat(R"(
blueprint: scenes
dimensions:
  segment: {size: Scenes}
nodes:
  Script:
    producer: sim
    settings: )",
                      script_settings, R"(
    outputs: {Scenes: application/json}
  Clip:
    producer: sim
    settings: )",
                      clip_settings, R"(
    over: [segment]
    inputs: {scenes: Scenes}
    outputs: {Clip: text/plain}
  Film:
    producer: sim
    settings: )",
                      film_settings, R"(
    inputs: {clips: {all: "Clip[segment]"}}
    outputs: {Film: text/plain}
outputs: [Film]
)");
}

std::string Parts(const std::string& producer, int jobs,
                  const std::string& node) {
  return absl::StrCat(R"(
blueprint: parts
dimensions:
  part: {size: )",
                      jobs, R"(}
nodes:
  Part:
    producer: )",
                      producer, R"(
    over: [part]
    outputs: {Text: text/plain}
)",
                      node, R"(
outputs: [Text]
)");
}

std::string Slow(const std::string& producer, int jobs, int delay_ms) {
  return Parts(producer, jobs,
               absl::StrCat("    settings: {delay_ms: ", delay_ms, "}"));
}

std::string Paid(const std::string& producer, int jobs,
                 const std::string& settings) {
  return Parts(producer, jobs,
               absl::StrCat("    price: {min: 0.01, max: 0.02, currency: USD}\n"
                            "    settings: ",
                            settings));
}

}  // namespace kinora
