#include "tests/model/run_truth.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"

namespace kinora {

void RunTruth::Violate(const std::string& job_id, const std::string& what) {
  violations_.push_back(absl::StrCat(job_id, ": ", what));
}

void RunTruth::Appended(const v1::AppendEventsRequest& request,
                        const v1::AppendEventsResponse& answer) {
  int64_t sequence = answer.first_sequence();
  for (const v1::Event& event : request.events()) {
    Take(request.log().kind(), sequence++, event);
  }
}

absl::Status RunTruth::Recovered(const Store& store,
                                 const std::string& movie_id) {
  v1::LogName log;
  log.set_movie_id(movie_id);
  log.set_kind(v1::LOG_KIND_ARTEFACTS);
  KINORA_RETURN_IF_ERROR(Recovered(store, log));
  v1::ListRunRecordsRequest list;
  list.set_movie_id(movie_id);
  KINORA_ASSIGN_OR_RETURN(const v1::ListRunRecordsResponse runs,
                          store.runs.List(list));
  log.set_kind(v1::LOG_KIND_LEDGER);
  for (const v1::RunRecord& record : runs.records()) {
    log.set_run_id(record.run_id());
    KINORA_RETURN_IF_ERROR(Recovered(store, log));
  }
  return absl::OkStatus();
}

absl::Status RunTruth::Recovered(const Store& store, const v1::LogName& log) {
  v1::GetLogStatusRequest get;
  *get.mutable_log() = log;
  KINORA_ASSIGN_OR_RETURN(const v1::GetLogStatusResponse status,
                          store.events.GetLogStatus(get));
  const int64_t known = known_[log.kind()];
  if (status.last_sequence() < known) {
    Violate("the store",
            absl::StrCat("has lost what it had acknowledged: ",
                         v1::LogKind_Name(log.kind()), " ends with ",
                         status.last_sequence(), ", not with ", known));
  }
  v1::ReadEventsRequest read;
  *read.mutable_log() = log;
  read.set_after_sequence(known);
  while (read.after_sequence() < status.last_sequence()) {
    KINORA_ASSIGN_OR_RETURN(const v1::ReadEventsResponse page,
                            store.events.ReadPage(read));
    for (const v1::Event& event : page.events()) {
      Take(log.kind(), event.sequence(), event);
    }
    read.set_after_sequence(page.bookmark().sequence());
  }
  return absl::OkStatus();
}

void RunTruth::Take(v1::LogKind kind, int64_t sequence,
                    const v1::Event& event) {
  int64_t& known = known_[kind];
  if (sequence <= known) return;
  if (sequence != known + 1) {
    Violate("the store", absl::StrCat(v1::LogKind_Name(kind), " goes on with ",
                                      sequence, " after ", known));
  }
  known = sequence;
  if (event.has_ledger()) Take(event.ledger());
  if (event.has_artefact()) Take(event.artefact());
}

void RunTruth::Take(const v1::LedgerEvent& event) {
  switch (event.kind_case()) {
    case v1::LedgerEvent::kStepStarted: {
      const v1::StepStartedEvent& started = event.step_started();
      const std::string& job = started.step().step_id();
      if (in_doubt_.contains(job) && started.step().kind() != "free") {
        Violate(job, "is called again though it may have been paid for");
      }
      if (started.attempt() <= started_[job]) {
        Violate(job, absl::StrCat("begins attempt ", started.attempt(),
                                  " a second time"));
      }
      started_[job] = started.attempt();
      job_by_inputs_hash_[started.inputs_hash()] = job;
      in_doubt_.insert(job);
      doubts_told_.erase(job);
      return;
    }
    case v1::LedgerEvent::kStepCompleted: {
      const std::string& job = event.step_completed().step().step_id();
      if (!completed_.insert(job).second) Violate(job, "is completed twice");
      if (!accepted_.contains(job)) {
        Violate(job, "is completed before its outputs are there");
      }
      in_doubt_.erase(job);
      return;
    }
    case v1::LedgerEvent::kStepSkipped: {
      const std::string& job = event.step_skipped().step().step_id();
      if (accepted_.contains(job))
        Violate(job, "is skipped though it was made");
      return;
    }
    case v1::LedgerEvent::kRunBudget:
      cap_.reset();
      if (event.run_budget().has_cap())
        cap_ = event.run_budget().cap().micros();
      return;
    case v1::LedgerEvent::kStepFailed:
      in_doubt_.erase(event.step_failed().step().step_id());
      return;
    case v1::LedgerEvent::kJob:
      TakeRetry(event.job());
      if (event.job().type() == "answered" &&
          !answered_.insert(event.job().job_id()).second) {
        Violate(event.job().job_id(), "is answered twice");
      }
      if ((event.job().type() == "retrying" ||
           event.job().type() == "asking") &&
          !absl::StrContains(event.job().detail_json(), "\"inDoubt\":true")) {
        in_doubt_.erase(event.job().job_id());
      }
      return;
    default:
      return;
  }
}

// Who has asked for it may not have been told that the ledger has it.
void RunTruth::TakeRetry(const v1::JobEvent& event) {
  if (event.type() == "in_doubt") doubts_told_.insert(event.job_id());
  if (event.type() == "retrying") doubts_told_.erase(event.job_id());
  if (event.type() != "retry") return;
  for (const std::string& job : doubts_told_) {
    if (event.job_id().empty() || event.job_id() == job) in_doubt_.erase(job);
  }
}

void RunTruth::Take(const v1::ArtefactEvent& event) {
  if (event.status() != v1::ARTEFACT_STATUS_SUCCEEDED ||
      event.reused_sequence() > 0) {
    return;
  }
  const std::string& job = event.produced_by().job_id();
  if (!artefacts_.insert(event.artefact_id()).second) {
    Violate(job, absl::StrCat(event.artefact_id(), " is accepted twice"));
  }
  accepted_[job] = event.produced_by().producer().name();
  cost_ += event.cost().micros();
}

void RunTruth::Told(absl::string_view idempotency_key) {
  for (const auto& [hash, job] : job_by_inputs_hash_) {
    if (absl::StrContains(idempotency_key, hash)) in_doubt_.erase(job);
  }
}

void RunTruth::Charged(const std::string& job_id, int64_t micros) {
  charged_ += micros;
  if (!cap_.has_value() || charged_ <= *cap_) return;
  Violate(job_id, absl::StrCat("is paid for beyond the cap: ", charged_, " of ",
                               *cap_, " micros"));
}

void RunTruth::Called(const v1::JobHeader& header) {
  const std::string& job = header.job_id();
  if (completed_.contains(job))
    Violate(job, "is called though it is completed");
  if (accepted_.contains(job)) Violate(job, "is called though it has outputs");
  const auto started = started_.find(job);
  if (started == started_.end() || started->second != header.attempt()) {
    Violate(job, absl::StrCat("attempt ", header.attempt(),
                              " is made before it is in the ledger"));
  }
}

}  // namespace kinora
