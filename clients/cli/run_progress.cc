#include "clients/cli/run_progress.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "clients/cli/question_text.h"
#include "common/cost_text.h"
#include "common/json.h"
#include "common/proto_json.h"

namespace kinora {
namespace {

constexpr int kBarWidth = 20;

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
    absl::StrAppend(&text, ", ", CountOf(*jobs, "succeeded"), " jobs called, ",
                    CountOf(*jobs, "reused"), " reused, ",
                    CountOf(*jobs, "clean"), " clean");
  }
  const JsonValue* hash = result->Find("manifestHash");
  if (hash != nullptr && hash->is_string()) {
    absl::StrAppend(&text, ", manifest ", hash->string_value().substr(0, 12));
  }
  return text;
}

}  // namespace

RunProgress::RunProgress(const v1::Plan& plan) {
  for (const v1::PlanLayer& layer : plan.layers()) {
    for (const v1::PlannedJob& job : layer.jobs()) {
      ++NodeOf(job.job_id()).total;
    }
  }
  for (const v1::ReusedJob& job : plan.reused()) {
    ++NodeOf(job.job_id()).total;
  }
}

RunProgress::Node& RunProgress::NodeOf(absl::string_view job_id) {
  const absl::string_view name = NodeName(job_id);
  const auto [it, is_new] = index_.emplace(std::string(name), nodes_.size());
  if (is_new) nodes_.emplace_back().name = std::string(name);
  return nodes_[it->second];
}

std::string RunProgress::Take(const v1::Event& event) {
  const v1::LedgerEvent& ledger = event.ledger();
  const int64_t at = ledger.occurred_at_ms();
  switch (ledger.kind_case()) {
    case v1::LedgerEvent::kStepStarted:
      return TakeStarted(ledger.step_started(), at);
    case v1::LedgerEvent::kStepProgress:
      return TakeProgress(ledger.step_progress());
    case v1::LedgerEvent::kStepCompleted: {
      const v1::StepIdentity& step = ledger.step_completed().step();
      ++NodeOf(step.step_id()).done;
      return TakeEnd(step, "done", "", at);
    }
    case v1::LedgerEvent::kStepSkipped: {
      const v1::StepSkippedEvent& skipped = ledger.step_skipped();
      Node& node = NodeOf(skipped.step().step_id());
      ++(skipped.reason() == "blocked" ? node.failed : node.reused);
      return TakeEnd(skipped.step(), skipped.reason(), "", at);
    }
    case v1::LedgerEvent::kStepFailed: {
      const v1::StepFailedEvent& failed = ledger.step_failed();
      ++NodeOf(failed.step().step_id()).failed;
      return TakeEnd(failed.step(), "failed", failed.error(), at);
    }
    case v1::LedgerEvent::kLogAppended:
      return JoinLines(ledger.log_appended());
    case v1::LedgerEvent::kJob:
      return TakeJob(ledger);
    case v1::LedgerEvent::kRunWaiting: {
      const v1::RunWaitingEvent& waiting = ledger.run_waiting();
      return Line(
          "waiting", waiting.reason(),
          waiting.producer().empty() ? waiting.message() : waiting.producer());
    }
    case v1::LedgerEvent::kRunResumed:
      return Line("resumed", ledger.run_resumed().reason(),
                  ledger.run_resumed().producer());
    case v1::LedgerEvent::kRunBudget:
      return Line("budget",
                  ledger.run_budget().has_cap()
                      ? FormatCost(ledger.run_budget().cap())
                      : "none",
                  "");
    default:
      return "";
  }
}

std::string RunProgress::TakeJob(const v1::LedgerEvent& event) {
  const v1::JobEvent& job = event.job();
  // A blocked job is also skipped, which says it already; not so a node whose
  // jobs never came to be.
  if (job.type() == "blocked" && NodeOf(job.job_id()).failed > 0) return "";
  if (job.type() == "expanded") TakeExpansion(job);
  if (job.type() == "asking") {
    // Its question has been shown.
    NodeOf(job.job_id()).running.erase(job.job_id());
    return "";
  }
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
    NodeOf(node.key).total += node.value.integer_value().value_or(0);
  }
}

std::string RunProgress::TakeStarted(const v1::StepStartedEvent& started,
                                     int64_t at) {
  const std::string& job_id = started.step().step_id();
  NodeOf(job_id).running[job_id] = at;
  return Line(
      "start", job_id,
      started.attempt() > 1 ? absl::StrCat("attempt ", started.attempt()) : "");
}

std::string RunProgress::TakeProgress(const v1::StepProgressEvent& progress) {
  const std::string& job_id = progress.step().step_id();
  const v1::StepProgress& step = progress.progress();
  if (step.has_message()) NodeOf(job_id).message = step.message();
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
                                 absl::string_view detail, int64_t at) {
  Node& node = NodeOf(step.step_id());
  std::string text(detail);
  if (auto it = node.running.find(step.step_id()); it != node.running.end()) {
    if (text.empty()) text = Seconds(std::max<int64_t>(0, at - it->second));
    node.running.erase(it);
  }
  if (node.running.empty()) node.message.clear();
  return Line(word, step.step_id(), text);
}

std::vector<std::string> RunProgress::Bars() const {
  size_t width = 0;
  for (const Node& node : nodes_) width = std::max(width, node.name.size());
  std::vector<std::string> lines;
  for (const Node& node : nodes_) {
    const int64_t ended = node.done + node.reused + node.failed;
    const int64_t total =
        std::max(node.total, ended + static_cast<int64_t>(node.running.size()));
    const int filled =
        total == 0 ? 0 : static_cast<int>(kBarWidth * ended / total);
    std::string line =
        absl::StrFormat("  %-*s [%s%s] %d/%d", static_cast<int>(width),
                        node.name, std::string(filled, '#'),
                        std::string(kBarWidth - filled, '-'), ended, total);
    if (node.reused > 0) absl::StrAppend(&line, "  ", node.reused, " reused");
    if (node.failed > 0) absl::StrAppend(&line, "  ", node.failed, " failed");
    if (!node.running.empty()) {
      absl::StrAppend(&line, "  ", node.running.size(), " running");
      if (!node.message.empty()) absl::StrAppend(&line, ": ", node.message);
    }
    lines.push_back(std::move(line));
  }
  return lines;
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
