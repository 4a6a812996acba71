#include "clients/cli/run_watch.h"

#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "clients/cli/connection.h"
#include "clients/cli/run_progress.h"
#include "common/json_writer.h"
#include "common/ledger_json.h"
#include "common/proto_json.h"
#include "common/run_end.h"
#include "common/status.h"

namespace kinora {
namespace {

// Takes ledger events and shows them.
class Screen {
 public:
  virtual ~Screen() = default;
  virtual void Show(const v1::Event& event) = 0;
};

class JsonScreen final : public Screen {
 public:
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

  void Show(const v1::Event& event) override {
    const std::string line = progress_.Take(event);
    if (!line.empty()) Print(absl::StrCat(line, "\n"));
    const std::string end = DescribeEnd(event.ledger());
    if (!end.empty()) Print(absl::StrCat(end, "\n"));
  }

 private:
  RunProgress progress_;
};

// Redraws the bars in place. What must stay readable (failures, log lines)
// scrolls by above them.
class TerminalScreen final : public Screen {
 public:
  explicit TerminalScreen(const v1::Plan& plan) : progress_(plan) {}

  void Show(const v1::Event& event) override {
    const std::string line = progress_.Take(event);
    std::string text;
    // Back to the first bar, and away with everything below.
    if (drawn_ > 0) absl::StrAppend(&text, "\033[", drawn_, "A\033[J");
    const v1::LedgerEvent& ledger = event.ledger();
    const bool stays = ledger.has_step_failed() || ledger.has_log_appended() ||
                       ledger.has_job() || ledger.has_run_waiting() ||
                       ledger.has_run_budget();
    if (stays && !line.empty()) absl::StrAppend(&text, line, "\n");
    const std::vector<std::string> bars = progress_.Bars();
    for (const std::string& bar : bars) absl::StrAppend(&text, bar, "\n");
    drawn_ = bars.size();
    const std::string end = DescribeEnd(ledger);
    if (!end.empty()) absl::StrAppend(&text, end, "\n");
    Print(text);
  }

 private:
  RunProgress progress_;
  size_t drawn_ = 0;  // lines of bars on the screen
};

std::unique_ptr<Screen> MakeScreen(const Invocation& call,
                                   const v1::Plan& plan) {
  if (call.json) return std::make_unique<JsonScreen>();
  if (isatty(STDOUT_FILENO) != 0) return std::make_unique<TerminalScreen>(plan);
  return std::make_unique<PlainScreen>(plan);
}

}  // namespace

absl::StatusOr<int> WatchAndShow(const Invocation& call,
                                 absl::string_view run_id,
                                 int64_t after_sequence, const v1::Plan& plan) {
  const std::unique_ptr<Screen> screen = MakeScreen(call, plan);
  // A run that had ended before `after_sequence` shows nothing; its record
  // says how it ended.
  bool ended = false;
  bool completed = false;
  KINORA_RETURN_IF_ERROR(call.connection.runner().WatchRun(
      run_id, after_sequence, [&](const v1::Event& event) {
        screen->Show(event);
        if (IsTerminal(event.ledger())) {
          ended = true;
          completed = event.ledger().has_run_completed();
        }
        return absl::OkStatus();
      }));
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
  v1::Plan plan;
  if (call.json) return plan;
  v1::LoadPlanRequest request;
  request.set_movie_id(std::string(movie_id));
  request.set_plan_hash(std::string(plan_hash));
  const absl::StatusOr<std::string> json =
      call.connection.store().plans.Load(request);
  if (!json.ok() || !ParseDocument(*json, &plan).ok()) plan.Clear();
  return plan;
}

}  // namespace kinora
