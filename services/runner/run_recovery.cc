#include "services/runner/run_recovery.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/error_reason.h"
#include "common/proto_time.h"
#include "common/run_end.h"
#include "services/runner/run_refusals.h"

namespace kinora {
namespace {

const std::string& IdOf(const RecoveryFacts& facts) {
  return facts.run.record().run_id();
}

bool IsOver(const RecoveryFacts& facts) {
  return IsTerminal(facts.run.record().status());
}

bool IsPaused(const RecoveryFacts& facts) {
  return facts.run.paused() || facts.run.paused_producers_size() > 0;
}

// Somebody does, or did a moment ago: the lease does not tell which.
bool IsCarriedOut(const RecoveryFacts& facts) {
  if (facts.is_here || !facts.lease.has_value()) return facts.is_here;
  // The caller of a stepwise run says by itself what its lease is for.
  return facts.lease->purpose() == IdOf(facts) || facts.run.record().stepwise();
}

bool IsBaseGone(const RecoveryFacts& facts) {
  return !IsCarriedOut(facts) && !facts.run.record().stepwise() &&
         facts.current.has_value() &&
         facts.current->hash() != facts.run.record().manifest_base_hash();
}

absl::Status BaseGone(const RecoveryFacts& facts) {
  const v1::RunRecord& run = facts.run.record();
  return WithReason(
      absl::AbortedError(absl::StrCat(
          "run ", run.run_id(), " leads to ", run.target_revision(),
          " from a base that is no longer current, ", facts.current->revision(),
          " is: a runner closes it; resume it then")),
      "BASE_CHANGED",
      {{"movie", run.movie_id()}, {"current", facts.current->hash()}});
}

// Jobs that are done, whoever has done them.
int64_t FinishedJobs(const v1::RunSnapshot& run) {
  int64_t finished = 0;
  for (const v1::JobState& job : run.jobs()) {
    if (job.status() == "completed" ||
        (job.status() == "skipped" && job.detail() != "blocked")) {
      ++finished;
    }
  }
  return finished;
}

std::string Results(int64_t count) {
  return absl::StrCat(count, count == 1 ? " result" : " results");
}

void TellEnded(const RecoveryFacts& facts, v1::RunRecovery* recovery) {
  const bool completed =
      facts.run.record().status() == v1::RUN_STATUS_COMPLETED;
  recovery->set_action(v1::RUN_RECOVERY_ACTION_START_ANEW);
  recovery->set_resume_ready(recovery->refusals().empty());
  if (completed) {
    recovery->set_state(v1::RUN_RECOVERY_STATE_NONE);
    recovery->set_message(
        "it has completed; a new run makes what has changed since");
  } else {
    recovery->set_state(recovery->resume_ready()
                            ? v1::RUN_RECOVERY_STATE_AVAILABLE
                            : v1::RUN_RECOVERY_STATE_REFUSED);
    recovery->set_message(
        recovery->finished_jobs() == 0
            ? "resuming it starts a new run"
            : absl::StrCat("resuming it starts a new run that reuses ",
                           Results(recovery->finished_jobs()), " of this one"));
  }
  std::string limit =
      "inputs and blueprint are taken as they are then, and its producers must "
      "answer";
  if (!facts.unknown_producers.empty()) {
    absl::StrAppend(&limit, "; this runner's table lacks ",
                    absl::StrJoin(facts.unknown_producers, ", "),
                    ", which its plan calls");
  }
  recovery->set_known_limit(limit);
}

// Of one that goes on.
std::string WhatItWaitsFor(const v1::RunSnapshot& run) {
  if (run.record().status() != v1::RUN_STATUS_WAITING) return "it goes on";
  const int questions = run.pending_question_ids_size();
  if (run.record().wait().reason() == "question" && questions > 0) {
    return absl::StrCat("it goes on when ", questions,
                        questions == 1 ? " question is" : " questions are",
                        " answered");
  }
  return absl::StrCat("it goes on when it need not wait any more: ",
                      run.record().wait().reason());
}

void TellLeft(const RecoveryFacts& facts, v1::RunRecovery* recovery) {
  recovery->set_state(v1::RUN_RECOVERY_STATE_AVAILABLE);
  recovery->set_action(v1::RUN_RECOVERY_ACTION_ADOPT);
  std::string message =
      absl::StrCat("nobody carries it out: a runner goes on with it from ",
                   Results(recovery->finished_jobs()));
  if (facts.lease.has_value()) {
    absl::StrAppend(&message, ", once the movie's lease for ",
                    facts.lease->purpose(), " is given up or has expired");
  }
  if (!facts.obstacle.empty()) {
    absl::StrAppend(&message, "; it could not yet: ", facts.obstacle);
  }
  recovery->set_message(message);
  recovery->set_known_limit(
      "its producers must answer, and have the versions it was planned with");
}

void TellOpen(const RecoveryFacts& facts, v1::RunRecovery* recovery) {
  const bool is_carried_out = IsCarriedOut(facts);
  if (facts.lease.has_value() && facts.lease->purpose() == IdOf(facts)) {
    *recovery->mutable_lease_expiry() =
        ToProto(facts.now + FromProto(facts.lease->expires_in()));
  }
  if (facts.is_queued) {
    recovery->set_state(v1::RUN_RECOVERY_STATE_NONE);
    recovery->set_message("it waits for its turn");
  } else if (facts.run.record().stepwise()) {
    recovery->set_state(is_carried_out ? v1::RUN_RECOVERY_STATE_NONE
                                       : v1::RUN_RECOVERY_STATE_REFUSED);
    if (!is_carried_out) recovery->set_action(v1::RUN_RECOVERY_ACTION_CLOSE);
    recovery->set_message(is_carried_out
                              ? "its caller carries it out, step by step"
                              : "its caller has given it up: a runner closes "
                                "it; resume it then");
  } else if (IsBaseGone(facts)) {
    recovery->set_state(v1::RUN_RECOVERY_STATE_REFUSED);
    recovery->set_action(v1::RUN_RECOVERY_ACTION_CLOSE);
    recovery->set_message("a runner closes it; resume it then");
  } else if (IsPaused(facts)) {
    recovery->set_state(v1::RUN_RECOVERY_STATE_AVAILABLE);
    recovery->set_action(v1::RUN_RECOVERY_ACTION_RESUME);
    recovery->set_resume_ready(true);
    recovery->set_message(is_carried_out
                              ? "resuming it goes on with it"
                              : "resuming it has a runner go on with it");
  } else if (is_carried_out) {
    recovery->set_state(v1::RUN_RECOVERY_STATE_NONE);
    recovery->set_message(WhatItWaitsFor(facts.run));
  } else {
    TellLeft(facts, recovery);
  }
}

}  // namespace

std::vector<absl::Status> RefusalsOf(const RecoveryFacts& facts) {
  std::vector<absl::Status> refusals;
  const v1::RunRecord& run = facts.run.record();
  if (!facts.damage.ok()) {
    refusals.push_back(facts.damage);
  } else if (run.dry_run()) {
    refusals.push_back(WasDry(run.run_id()));
  } else if (IsOver(facts)) {
    if (!facts.start.ok()) refusals.push_back(facts.start);
    if (!facts.active_run.empty()) {
      refusals.push_back(RunActive(run.movie_id(), facts.active_run));
    }
  } else if (run.stepwise()) {
    refusals.push_back(IsItsCallers(run.run_id(), "cannot be resumed"));
  } else if (!facts.is_queued && IsBaseGone(facts)) {
    refusals.push_back(BaseGone(facts));
  }
  return refusals;
}

absl::Status RefusalOf(const std::vector<absl::Status>& refusals) {
  if (refusals.size() < 2) {
    return refusals.empty() ? absl::OkStatus() : refusals.front();
  }
  std::vector<absl::string_view> messages;
  for (const absl::Status& refusal : refusals) {
    messages.push_back(refusal.message());
  }
  absl::Status all(refusals.front().code(), absl::StrJoin(messages, "; "));
  refusals.front().ForEachPayload(
      [&all](absl::string_view url, const absl::Cord& payload) {
        all.SetPayload(url, payload);
      });
  return all;
}

v1::RunRecovery RecoveryOf(const RecoveryFacts& facts) {
  v1::RunRecovery recovery;
  for (const absl::Status& refusal : RefusalsOf(facts)) {
    v1::RunRefusal* told = recovery.add_refusals();
    told->set_reason(ReasonOf(refusal));
    told->set_message(std::string(refusal.message()));
  }
  if (!facts.damage.ok()) {
    recovery.set_state(v1::RUN_RECOVERY_STATE_QUARANTINED);
    recovery.set_message(
        "nobody goes on with it before what is wrong is put right");
    return recovery;
  }
  recovery.set_finished_jobs(FinishedJobs(facts.run));
  if (facts.run.record().dry_run()) {
    recovery.set_state(v1::RUN_RECOVERY_STATE_REFUSED);
  } else if (IsOver(facts)) {
    TellEnded(facts, &recovery);
  } else {
    TellOpen(facts, &recovery);
  }
  return recovery;
}

}  // namespace kinora
