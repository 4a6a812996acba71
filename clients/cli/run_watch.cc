#include "clients/cli/run_watch.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "clients/cli/connection.h"
#include "clients/cli/interrupt_watch.h"
#include "clients/cli/live_screen.h"
#include "clients/cli/run_eta.h"
#include "clients/cli/run_progress.h"
#include "clients/cli/terminal_text.h"
#include "common/clock.h"
#include "common/config_file.h"
#include "common/json/json_writer.h"
#include "common/json/ledger_json.h"
#include "common/json/proto_json.h"
#include "common/proto_time.h"
#include "common/run_end.h"
#include "common/status.h"

namespace kinora {
namespace {

// Takes ledger events and shows them.
class Screen {
 public:
  virtual ~Screen() = default;
  virtual void Show(const v1::Event& event) = 0;
  // How the run stands where the events begin.
  virtual void Begin(const v1::RunSnapshot& /*run*/) {}
  // Shows nothing further and leaves the cursor at the beginning of a line. Any
  // thread may call it.
  virtual void Leave() {}
};

class JsonScreen final : public Screen {
 public:
  // As `runs show` has it.
  void Begin(const v1::RunSnapshot& run) override {
    JsonObject line;
    line.Add("snapshot", ProtoToJson(run));
    PrintJson(JsonValue(std::move(line)));
  }

  // The flat form of the ledger with its sequence.
  void Show(const v1::Event& event) override {
    JsonValue flat = LedgerEventToJson(event.ledger());
    JsonObject line;
    line.Add("seq", event.sequence());
    for (const JsonMember& member : flat.object()) {
      line.Add(member.key, member.value);
    }
    PrintJson(JsonValue(std::move(line)));
  }
};

class PlainScreen final : public Screen {
 public:
  explicit PlainScreen(const v1::Plan& plan) : progress_(plan) {}

  void Begin(const v1::RunSnapshot& run) override {
    const std::string status = EnumWord(
        *v1::RunStatus_descriptor()->FindValueByNumber(run.record().status()));
    const v1::JobCounts& jobs = run.record().jobs();
    const auto running = std::count_if(
        run.jobs().begin(), run.jobs().end(),
        [](const v1::JobState& job) { return job.status() == "running"; });
    Print(absl::StrFormat(
        "event %d  %s  jobs: %d running, %d called, %d reused, %d failed, %d "
        "blocked, %d clean\n",
        run.last_sequence(), status, running, jobs.succeeded(), jobs.reused(),
        jobs.failed(), jobs.blocked(), jobs.clean()));
  }

  void Show(const v1::Event& event) override {
    const std::string line = progress_.Take(event);
    if (!line.empty()) Print(PrintableLines(line));
    const std::string end = DescribeEnd(event.ledger());
    if (!end.empty()) Print(PrintableLines(end));
  }

 private:
  RunProgress progress_;
};

class TerminalScreen final : public Screen {
 public:
  TerminalScreen(const v1::Plan& plan, const RecordedDurations& recorded,
                 int64_t shown_after)
      : live_(plan, recorded, shown_after, StandardOutput(), RealClock()) {}

  void Show(const v1::Event& event) override { live_.Show(event); }
  void Leave() override { live_.Leave(); }

 private:
  LiveScreen live_;
};

// Bars need a terminal that moves its cursor, and a person who wants them.
bool WantsBars(const Invocation& call) {
  const std::string term = GetEnvironment("TERM").value_or("");
  const std::string no_color = GetEnvironment("NO_COLOR").value_or("");
  return !call.args.Has("plain") && isatty(STDOUT_FILENO) != 0 &&
         term != "dumb" && no_color.empty();
}

// Empty if it cannot be had: a run is shown without it.
v1::Plan LoadPlan(const Invocation& call, absl::string_view movie_id,
                  absl::string_view plan_hash) {
  v1::Plan plan;
  v1::LoadPlanRequest request;
  request.set_movie_id(std::string(movie_id));
  request.set_plan_hash(std::string(plan_hash));
  const absl::StatusOr<std::string> json =
      call.connection.store().plans.Load(request);
  if (!json.ok() || !ParseDocument(*json, &plan).ok()) plan.Clear();
  return plan;
}

// The same.
RecordedDurations LoadDurations(const Invocation& call,
                                const std::string& movie_id) {
  RecordedDurations recorded;
  if (movie_id.empty()) return recorded;
  v1::GetJobDurationsRequest request;
  request.set_movie_id(movie_id);
  const absl::StatusOr<v1::GetJobDurationsResponse> told =
      call.connection.planner().GetJobDurations(request);
  if (!told.ok()) return recorded;
  for (const v1::ProducerDurations& producer : told->producers()) {
    if (!producer.has_median()) continue;
    recorded[producer.producer()] = FromProto(producer.median());
  }
  return recorded;
}

std::unique_ptr<Screen> MakeScreen(const Invocation& call, const v1::Plan& plan,
                                   int64_t after_sequence) {
  if (call.json) return std::make_unique<JsonScreen>();
  if (!WantsBars(call)) return std::make_unique<PlainScreen>(plan);
  return std::make_unique<TerminalScreen>(
      plan, LoadDurations(call, plan.movie_id()), after_sequence);
}

std::string HowToGoOn(absl::string_view run_id) {
  return absl::StrCat("kinora: run ", run_id, " goes on; kinora runs watch ",
                      run_id, " shows it, kinora runs cancel ", run_id,
                      " ends it\n");
}

}  // namespace

absl::StatusOr<int> WatchAndShow(const Invocation& call,
                                 absl::string_view run_id,
                                 int64_t after_sequence, const v1::Plan& plan,
                                 bool snapshot) {
  const std::unique_ptr<Screen> screen = MakeScreen(call, plan, after_sequence);
  // Bars count what went before, too.
  const bool bars = !call.json && WantsBars(call);
  std::optional<InterruptWatch> interrupts;
  if (!call.json) {
    interrupts.emplace([&screen, bars, hint = HowToGoOn(run_id)] {
      screen->Leave();
      // Behind the ^C that the terminal echoes.
      if (!bars && isatty(STDERR_FILENO) != 0) std::fputs("\n", stderr);
      std::fputs(hint.c_str(), stderr);
    });
  }
  // A run that had ended before `after_sequence` shows nothing; its record
  // says how it ended.
  bool ended = false;
  bool completed = false;
  const auto show = [&](const v1::Event& event) {
    screen->Show(event);
    if (IsTerminal(event.ledger())) {
      ended = true;
      completed = event.ledger().has_run_completed();
    }
    return absl::OkStatus();
  };
  RunnerClient& runner = call.connection.runner();
  if (snapshot && !bars) {
    const auto begin = [&](const v1::RunSnapshot& run) {
      screen->Begin(run);
      return absl::OkStatus();
    };
    KINORA_RETURN_IF_ERROR(
        runner.WatchRunWithSnapshot(run_id, after_sequence, begin, show));
  } else {
    KINORA_RETURN_IF_ERROR(
        runner.WatchRun(run_id, bars ? 0 : after_sequence, show));
  }
  if (!ended) {
    v1::GetRunRequest get;
    get.set_run_id(std::string(run_id));
    KINORA_ASSIGN_OR_RETURN(const v1::GetRunResponse run,
                            call.connection.runner().GetRun(get));
    completed = run.run().record().status() == v1::RUN_STATUS_COMPLETED;
  }
  return completed ? kExitOk : kExitFailure;
}

v1::Plan LoadPlanForShow(const Invocation& call, absl::string_view movie_id,
                         absl::string_view plan_hash) {
  return call.json ? v1::Plan() : LoadPlan(call, movie_id, plan_hash);
}

std::optional<absl::Duration> TimeLeft(const Invocation& call,
                                       const v1::RunSnapshot& run) {
  const v1::RunRecord& record = run.record();
  if (record.status() != v1::RUN_STATUS_RUNNING || record.dry_run() ||
      run.last_sequence() == 0) {
    return std::nullopt;
  }
  RunProgress progress(LoadPlan(call, record.movie_id(), record.plan_hash()),
                       LoadDurations(call, record.movie_id()));
  bool read = false;
  const absl::Status watched = call.connection.runner().WatchRun(
      record.run_id(), 0, [&](const v1::Event& event) {
        progress.Take(event);
        read = event.sequence() >= run.last_sequence();
        return read ? absl::CancelledError("that is all so far")
                    : absl::OkStatus();
      });
  if (!watched.ok() && !read) return std::nullopt;
  return progress.View(absl::ToUnixMillis(RealClock().Now())).eta;
}

}  // namespace kinora
