// Random events and status documents of a run, for tests of properties. They
// repeat themselves, contradict each other and come late.

#ifndef KINORA_SERVICES_RUNNER_LEDGER_RANDOM_LEDGER_H_
#define KINORA_SERVICES_RUNNER_LEDGER_RANDOM_LEDGER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/random.h"
#include "kinora/v1/ledger.pb.h"
#include "services/runner/ledger/run_patch.h"

namespace kinora {

class RandomLedger {
 public:
  explicit RandomLedger(uint64_t seed) : random_(seed) {}

  uint64_t Below(uint64_t bound) { return UniformBelow(random_, bound); }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  template <typename T>
  T Any(const std::vector<T>& of) {
    return of[Below(of.size())];
  }

  // Of the run "r", seldom of another. `at` moves on, mostly.
  v1::LedgerEvent Event() {
    v1::LedgerEvent event;
    event.set_run_id(OneIn(30) ? "other" : "r");
    at_ += static_cast<int64_t>(Below(20)) - 3;
    event.set_occurred_at_ms(at_);
    switch (Below(16)) {
      case 0:
        return Created(event);
      case 1:
        event.mutable_run_started()->set_movie_id("m");
        return event;
      case 2:
        return Ended(event);
      case 3:
        event.mutable_run_waiting()->set_reason("question");
        return event;
      case 4:
        event.mutable_run_resumed();
        return event;
      case 5:
        event.mutable_artefacts_summary_updated()->set_namespace_("S");
        return event;
      case 6:
        event.mutable_job()->set_type("in_doubt");
        return event;
      case 7:
      case 8:
        return Logged(event);
      default:
        return OfStep(event);
    }
  }

  v1::StepProgress Progress() {
    v1::StepProgress progress;
    if (OneIn(2)) progress.set_completed(static_cast<double>(Below(4)));
    if (OneIn(2)) progress.set_total(static_cast<double>(Below(4)));
    if (OneIn(4)) progress.set_failed(1);
    if (OneIn(3)) progress.set_message(Any<std::string>({"m", "n"}));
    if (OneIn(4)) progress.set_artefact_namespace("P");
    if (OneIn(4)) progress.set_started_at(static_cast<double>(at_));
    if (OneIn(6)) progress.set_completed_at(static_cast<double>(at_));
    if (OneIn(4)) progress.set_updated_at(static_cast<double>(at_));
    return progress;
  }

  RunPatch Patch() {
    RunPatch patch;
    patch.run_id = "r";
    if (!OneIn(5)) {
      patch.status = Any<std::string>(
          {"queued", "running", "running", "Running", "complete", "failed",
           "canceled", "timeout", "terminated", "waiting"});
    }
    if (OneIn(3)) patch.error = "e";
    if (OneIn(3)) patch.result = "{}";
    if (OneIn(2)) patch.last_checkpoint_at = static_cast<double>(at_);
    if (OneIn(2))
      patch.live_logs_channel_offset = static_cast<double>(Below(9));
    for (uint64_t i = Below(5); i > 0; --i) patch.live_logs.push_back(Line());
    for (const char* id : {"a", "b", "c"}) {
      if (OneIn(2)) continue;
      const v1::StepProgress told = Progress();
      LedgerProgress progress;
      if (told.has_completed()) progress.completed = told.completed();
      if (told.has_total()) progress.total = told.total();
      if (told.has_message()) progress.message = told.message();
      if (told.has_started_at()) progress.started_at = told.started_at();
      if (told.has_completed_at()) progress.completed_at = told.completed_at();
      if (told.has_updated_at()) progress.updated_at = told.updated_at();
      patch.live_node_progress.emplace_back(id, progress);
    }
    return patch;
  }

  std::string Line() {
    return Any<std::string>({"same", "same", " ", "x", absl::StrCat(Below(9))});
  }

 private:
  v1::LedgerEvent Created(v1::LedgerEvent event) {
    v1::RunCreatedEvent* created = event.mutable_run_created();
    if (OneIn(2)) {
      created->set_status(Any<std::string>(
          {"queued", "Pending", "running", "terminated", "timeout", "odd"}));
    }
    return event;
  }

  v1::LedgerEvent Ended(v1::LedgerEvent event) {
    if (!OneIn(3)) return Logged(event);  // it is to go on for a while
    switch (Below(3)) {
      case 0:
        event.mutable_run_completed()->set_result_json("{\"n\":1}");
        break;
      case 1:
        event.mutable_run_failed()->set_error("e");
        break;
      default:
        event.mutable_run_cancelled();
    }
    return event;
  }

  v1::LedgerEvent Logged(v1::LedgerEvent event) {
    v1::LogAppendedEvent* log = event.mutable_log_appended();
    for (uint64_t i = Below(4); i > 0; --i) log->add_lines(Line());
    if (OneIn(2)) log->set_first_seq(static_cast<int64_t>(Below(30)) - 2);
    if (OneIn(3)) log->set_channel_offset(static_cast<int64_t>(Below(30)));
    return event;
  }

  v1::LedgerEvent OfStep(v1::LedgerEvent event) {
    v1::StepIdentity step;
    step.set_step_id(Any<std::string>({"a", "b", "c", "d"}));
    if (OneIn(3)) step.set_artefact_namespace(Any<std::string>({"A", "", "B"}));
    if (OneIn(4)) step.set_label("L");
    switch (Below(5)) {
      case 0:
        *event.mutable_step_completed()->mutable_step() = step;
        break;
      case 1:
        *event.mutable_step_failed()->mutable_step() = step;
        if (OneIn(2)) event.mutable_step_failed()->set_error("e");
        break;
      case 2:
        *event.mutable_step_skipped()->mutable_step() = step;
        break;
      case 3:
        *event.mutable_step_started()->mutable_step() = step;
        break;
      default: {
        v1::StepProgressEvent* told = event.mutable_step_progress();
        *told->mutable_step() = step;
        *told->mutable_progress() = Progress();
        if (OneIn(2)) {
          told->set_status(Any<std::string>(
              {"running", "Completed", "failed", "skipped", "odd"}));
        }
      }
    }
    return event;
  }

  SeededRandom random_;
  int64_t at_ = 1'000;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_LEDGER_RANDOM_LEDGER_H_
