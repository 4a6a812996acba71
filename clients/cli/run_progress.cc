#include "clients/cli/run_progress.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "clients/cli/amounts.h"
#include "clients/cli/question_text.h"
#include "clients/cli/wait_text.h"
#include "common/cost_text.h"
#include "common/json/json.h"
#include "common/json/ledger_json.h"
#include "common/json/proto_json.h"
#include "common/reported_event.h"

namespace kinora {
namespace {

absl::string_view NodeName(absl::string_view job_id) {
  return job_id.substr(0, job_id.find('['));
}

// One line of the log: a word, the job, and what there is to add.
std::string Line(absl::string_view word, absl::string_view job_id,
                 absl::string_view detail) {
  std::string line = absl::StrFormat("  %-8s %s", word, job_id);
  if (!detail.empty()) absl::StrAppend(&line, "  ", detail);
  return line;
}

// What a worker outside says of a step, which is no job of the plan.
std::string ReportedLine(const v1::LedgerEvent& event) {
  switch (event.kind_case()) {
    case v1::LedgerEvent::kStepStarted:
      return Line("reported", event.step_started().step().step_id(), "started");
    case v1::LedgerEvent::kStepCompleted:
      return Line("reported", event.step_completed().step().step_id(), "done");
    case v1::LedgerEvent::kStepSkipped:
      return Line("reported", event.step_skipped().step().step_id(), "skipped");
    case v1::LedgerEvent::kStepFailed:
      return Line("reported", event.step_failed().step().step_id(),
                  absl::StrCat("failed  ", event.step_failed().error()));
    default:
      return "";
  }
}

bool IsOfStep(const v1::LedgerEvent& event) {
  return event.has_step_started() || event.has_step_progress() ||
         event.has_step_completed() || event.has_step_skipped() ||
         event.has_step_failed();
}

// True for what takes a job that was running from its producer for a while.
bool LeavesItsPlace(absl::string_view type) {
  return type == "retrying" || type == "in_doubt" || type == "asking";
}

std::string Seconds(int64_t millis) {
  return absl::StrFormat("%.1f s", static_cast<double>(millis) / 1000.0);
}

std::string JoinLines(const v1::LogAppendedEvent& log) {
  std::string text;
  for (const std::string& line : log.lines()) {
    absl::StrAppend(&text, text.empty() ? "" : "\n",
                    Line("log", log.channel(), line));
  }
  return text;
}

int64_t CountOf(const JsonValue& jobs, absl::string_view name) {
  const JsonValue* count = jobs.Find(name);
  return count == nullptr ? 0 : count->integer_value().value_or(0);
}

std::string DescribeCompletion(const v1::RunCompletedEvent& completed) {
  const absl::StatusOr<JsonValue> result = ParseJson(completed.result_json());
  if (!result.ok()) return "completed";
  std::string text = "completed";
  const JsonValue* revision = result->Find("revision");
  if (revision != nullptr && revision->is_string() &&
      !revision->string_value().empty()) {
    absl::StrAppend(&text, ": ", revision->string_value());
  }
  if (const JsonValue* jobs = result->Find("jobs"); jobs != nullptr) {
    absl::StrAppend(&text, ", ", Counted(CountOf(*jobs, "succeeded"), "job"),
                    " called, ", CountOf(*jobs, "reused"), " reused, ",
                    CountOf(*jobs, "clean"), " clean");
  }
  const JsonValue* hash = result->Find("manifestHash");
  if (hash != nullptr && hash->is_string()) {
    absl::StrAppend(&text, ", manifest ", hash->string_value().substr(0, 12));
  }
  return text;
}

}  // namespace

RunProgress::RunProgress(const v1::Plan& plan,
                         const RecordedDurations& recorded)
    : eta_(plan, recorded) {
  for (const v1::PlanLayer& layer : plan.layers()) {
    for (const v1::PlannedJob& job : layer.jobs()) {
      ++NodeOf(job.job_id()).view.total;
    }
  }
  for (const v1::ReusedJob& job : plan.reused()) {
    ++NodeOf(job.job_id()).view.total;
  }
  grows_ = !plan.deferred().empty();
}

RunProgress::Node& RunProgress::NodeOf(absl::string_view job_id) {
  const absl::string_view name = NodeName(job_id);
  const auto [it, is_new] = index_.emplace(std::string(name), nodes_.size());
  if (is_new) nodes_.emplace_back().view.name = std::string(name);
  return nodes_[it->second];
}

std::string RunProgress::Take(const v1::Event& event) {
  const v1::LedgerEvent& ledger = event.ledger();
  if (IsReported(ledger) && IsOfStep(ledger)) return ReportedLine(ledger);
  const int64_t at = ledger.occurred_at_ms();
  latest_ms_ = std::max(latest_ms_, at);
  switch (ledger.kind_case()) {
    case v1::LedgerEvent::kStepStarted:
      return TakeStarted(ledger.step_started(), at);
    case v1::LedgerEvent::kStepProgress:
      return TakeProgress(ledger.step_progress());
    case v1::LedgerEvent::kStepCompleted: {
      const v1::StepIdentity& step = ledger.step_completed().step();
      ++NodeOf(step.step_id()).view.done;
      TakeCost(ledger.step_completed().cost());
      return TakeEnd(step, "done", "", true, at);
    }
    case v1::LedgerEvent::kStepSkipped: {
      const v1::StepSkippedEvent& skipped = ledger.step_skipped();
      Node& node = NodeOf(skipped.step().step_id());
      ++(skipped.reason() == "blocked" ? node.view.failed : node.view.reused);
      return TakeEnd(skipped.step(), skipped.reason(),
                     skipped.blocked_by().empty()
                         ? ""
                         : absl::StrCat("by ", skipped.blocked_by()),
                     false, at);
    }
    case v1::LedgerEvent::kStepFailed: {
      const v1::StepFailedEvent& failed = ledger.step_failed();
      ++NodeOf(failed.step().step_id()).view.failed;
      TakeCost(failed.cost());
      return TakeEnd(failed.step(), "failed", failed.error(), false, at);
    }
    case v1::LedgerEvent::kLogAppended:
      return JoinLines(ledger.log_appended());
    case v1::LedgerEvent::kJob:
      return TakeJob(ledger);
    case v1::LedgerEvent::kRunWaiting: {
      const v1::RunWaitingEvent& waiting = ledger.run_waiting();
      if (!waiting.producer().empty()) {
        return Line("waiting", waiting.reason(), waiting.producer());
      }
      waiting_ = waiting.reason();
      const std::string until = UntilText(waiting.until_ms());
      if (until.empty()) {
        return Line("waiting", waiting.reason(), waiting.message());
      }
      absl::StrAppend(&waiting_, " ", until);
      return Line("waiting", waiting.reason(),
                  absl::StrCat(waiting.message(), ", ", until));
    }
    case v1::LedgerEvent::kRunResumed:
      if (ledger.run_resumed().producer().empty()) waiting_.clear();
      return Line("resumed", ledger.run_resumed().reason(),
                  ledger.run_resumed().producer());
    case v1::LedgerEvent::kRunBudget:
      return Line("budget",
                  ledger.run_budget().has_cap()
                      ? FormatCost(ledger.run_budget().cap())
                      : "none",
                  "");
    case v1::LedgerEvent::kRunCompleted:
    case v1::LedgerEvent::kRunFailed:
    case v1::LedgerEvent::kRunCancelled:
      grows_ = false;
      waiting_.clear();
      return "";
    default:
      return "";
  }
}

std::string RunProgress::TakeJob(const v1::LedgerEvent& event) {
  const v1::JobEvent& job = event.job();
  // A blocked job is also skipped, which says it already; not so a node whose
  // jobs never came to be.
  if (job.type() == "blocked" && NodeOf(job.job_id()).view.failed > 0) {
    return "";
  }
  if (job.type() == "expanded") TakeExpansion(job);
  TakeChargeOf(job);
  if (LeavesItsPlace(job.type())) {
    NodeOf(job.job_id()).running.erase(job.job_id());
    eta_.Leave(job.job_id(), event.occurred_at_ms());
  }
  // Its question has been shown; that of the run is shown as it waits.
  if (job.type() == "asking" || job.type() == "over_budget") return "";
  const std::string line = Line(job.type(), job.job_id(), job.message());
  if (job.type() != "question") return line;
  v1::PendingQuestion pending;
  pending.set_run_id(event.run_id());
  pending.set_job_id(job.job_id());
  if (!ParseDocument(job.detail_json(), pending.mutable_question()).ok()) {
    return line;
  }
  return absl::StrCat(line, "\n", HowToAnswer(pending));
}

void RunProgress::TakeExpansion(const v1::JobEvent& expanded) {
  const absl::StatusOr<JsonValue> detail = ParseJson(expanded.detail_json());
  const JsonValue* jobs = detail.ok() ? detail->Find("jobsByNode") : nullptr;
  if (jobs == nullptr || !jobs->is_object()) return;
  for (const JsonMember& node : jobs->object()) {
    const int64_t jobs = node.value.integer_value().value_or(0);
    NodeOf(node.key).view.total += jobs;
    eta_.Grow(node.key, jobs);
  }
  const JsonValue* groups = detail->Find("deferredGroups");
  if (groups != nullptr) grows_ = groups->integer_value().value_or(0) > 0;
}

// An attempt that is not the job's end may have cost something, too.
void RunProgress::TakeChargeOf(const v1::JobEvent& job) {
  // The end of the attempt tells it, too.
  if (job.detail_json().empty() || job.type() == "overcharged") return;
  const absl::StatusOr<JsonValue> detail = ParseJson(job.detail_json());
  if (!detail.ok() || !detail->is_object()) return;
  const auto is = [&detail](absl::string_view member) {
    const JsonValue* value = detail->Find(member);
    return value != nullptr && value->is_bool() && value->bool_value();
  };
  if (is("released")) {
    // Its producer knows the work, and tells its cost again once it is called.
    known_works_.insert(job.job_id());
    return;
  }
  const v1::Cost cost = CostInDetail(*detail);
  TakeCost(cost);
  if (is("inDoubt") || job.type() == "charged")
    lost_costs_[job.job_id()] = cost;
}

std::string RunProgress::TakeStarted(const v1::StepStartedEvent& started,
                                     int64_t at) {
  const std::string& job_id = started.step().step_id();
  if (known_works_.erase(job_id) > 0) {
    v1::Cost lost = lost_costs_[job_id];
    lost.set_micros(-lost.micros());
    TakeCost(lost);
  }
  lost_costs_.erase(job_id);
  NodeOf(job_id).running[job_id] = at;
  eta_.Start(job_id, at);
  if (begin_ms_ == 0) begin_ms_ = at;
  return Line(
      "start", job_id,
      started.attempt() > 1 ? absl::StrCat("attempt ", started.attempt()) : "");
}

std::string RunProgress::TakeProgress(const v1::StepProgressEvent& progress) {
  const std::string& job_id = progress.step().step_id();
  const v1::StepProgress& step = progress.progress();
  if (step.has_message()) NodeOf(job_id).view.message = step.message();
  std::string detail;
  if (step.has_completed() && step.has_total() && step.total() > 0) {
    detail = absl::StrFormat("%.0f %%", 100 * step.completed() / step.total());
  }
  if (step.has_message()) {
    absl::StrAppend(&detail, detail.empty() ? "" : "  ", step.message());
  }
  return detail.empty() ? "" : Line("progress", job_id, detail);
}

std::string RunProgress::TakeEnd(const v1::StepIdentity& step,
                                 absl::string_view word,
                                 absl::string_view detail, bool succeeded,
                                 int64_t at) {
  eta_.End(step.step_id(), succeeded, at);
  Node& node = NodeOf(step.step_id());
  std::string text(detail);
  if (auto it = node.running.find(step.step_id()); it != node.running.end()) {
    if (text.empty()) text = Seconds(std::max<int64_t>(0, at - it->second));
    node.running.erase(it);
    ++calls_ended_;
    recent_ends_ms_.push_back(latest_ms_);  // clocks of runners differ
    while (recent_ends_ms_.front() < latest_ms_ - kRateWindowMs) {
      recent_ends_ms_.pop_front();
    }
  }
  if (node.running.empty()) node.view.message.clear();
  return Line(word, step.step_id(), text);
}

void RunProgress::TakeCost(const v1::Cost& cost) {
  if (cost.micros() != 0) cost_micros_[cost.currency_code()] += cost.micros();
}

double RunProgress::RateAt(int64_t now_ms) const {
  const int64_t window_begin = now_ms - kRateWindowMs;
  const int64_t recent = recent_ends_ms_.end() -
                         std::upper_bound(recent_ends_ms_.begin(),
                                          recent_ends_ms_.end(), window_begin);
  // Of a run that is younger than the window, only its own time counts.
  const int64_t since =
      recent > 0 ? std::max(begin_ms_, window_begin) : begin_ms_;
  const int64_t ends = recent > 0 ? recent : calls_ended_;
  constexpr int64_t kLeastMs = 1000;  // a moment says nothing of a rate
  return 1000.0 * static_cast<double>(ends) /
         static_cast<double>(std::max(kLeastMs, now_ms - since));
}

RunView RunProgress::View(int64_t now_ms) const {
  now_ms = std::max(now_ms, latest_ms_);
  RunView view;
  for (const Node& node : nodes_) {
    view.nodes.push_back(node.view);
    view.nodes.back().running = static_cast<int64_t>(node.running.size());
  }
  view.grows = grows_;
  view.waiting = waiting_;
  for (const auto& cost : cost_micros_) {
    v1::Cost& shown = view.costs.emplace_back();
    shown.set_currency_code(cost.first);
    shown.set_micros(cost.second);
  }
  if (calls_ended_ > 0) view.jobs_per_second = RateAt(now_ms);
  view.eta = eta_.At(now_ms);
  return view;
}

std::string DescribeEnd(const v1::LedgerEvent& event) {
  switch (event.kind_case()) {
    case v1::LedgerEvent::kRunCompleted:
      return DescribeCompletion(event.run_completed());
    case v1::LedgerEvent::kRunFailed:
      return absl::StrCat("failed: ", event.run_failed().error());
    case v1::LedgerEvent::kRunCancelled:
      return absl::StrCat("cancelled: ", event.run_cancelled().error());
    default:
      return "";
  }
}

}  // namespace kinora
