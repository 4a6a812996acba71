// The part of RunActor that reads and writes the logs.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "common/threads/run_beside.h"
#include "services/runner/actor/run_actor.h"
#include "services/runner/past/run_results.h"

namespace kinora {
namespace {

// Bounds of one append; the store takes 10,000 events.
constexpr size_t kMaxAppendEvents = 2'000;
constexpr size_t kMaxAppendBytes = 4 << 20;

// How often lines are numbered anew, while others write into the log.
constexpr int kNumberings = 5;

// Whose results are read at a time.
constexpr size_t kMaxLookUpJobs = 1'000;

// True for what the run has said already, be it in another process.
bool IsOf(const std::string& run_id, const v1::Event& event) {
  return event.artefact().produced_by().run_id() == run_id;
}

// True for what the run has made itself.
bool IsMadeBy(const std::string& run_id, const v1::Event& event) {
  return IsOf(run_id, event) && event.artefact().reused_sequence() == 0;
}

}  // namespace

// A revision takes what the events of its run say, so what the plan takes
// from earlier runs is said again under this one.
absl::Status RunActor::Reuse(const std::vector<const v1::ReusedJob*>& jobs) {
  std::vector<v1::ArtefactQuery> queries;
  for (const v1::ReusedJob* job : jobs) {
    for (const v1::ReusedArtefact& artefact : job->artefacts()) {
      v1::ArtefactQuery query;
      query.set_artefact_id(artefact.artefact_id());
      query.set_inputs_hash(job->inputs_hash());
      queries.push_back(std::move(query));
    }
  }
  KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> events,
                          FindResults(deps_.store.events, movie_id(), queries));
  for (size_t i = 0; i < events.size(); ++i) {
    if (events[i] == nullptr) {
      return absl::FailedPreconditionError(
          absl::StrCat("the plan reuses ", queries[i].artefact_id(),
                       ", which is no longer in the log: plan again"));
    }
    if (past_.has_value() && IsOf(run_id(), *events[i])) continue;
    artefact_events_.push_back(ReusedEvent(identity_, *events[i]));
  }
  size_t next = 0;  // the job's first event
  for (const v1::ReusedJob* job : jobs) {
    const size_t first = next;
    next += static_cast<size_t>(job->artefacts_size());
    // A plan that is expanded once more, for a run that was adopted, finds what
    // the run has made itself.
    if (past_.has_value() && IsMadeBy(run_id(), *events[first])) {
      const v1::ArtefactEvent& made = events[first]->artefact();
      std::optional<v1::Cost> cost;
      if (made.has_cost()) cost = made.cost();
      ReportMade(job->job_id(), made.produced_by(), cost);
      continue;
    }
    ++reused_by_plan_;
    if (IsTold(job->job_id(), JobStatus::kReused)) continue;
    v1::StepSkippedEvent* skipped = AddLedger()->mutable_step_skipped();
    skipped->mutable_step()->set_step_id(job->job_id());
    skipped->mutable_step()->set_label(job->job_id());
    skipped->set_reason("reused");
    meter_.Reused(*job);
  }
  return absl::OkStatus();
}

void RunActor::ReportMade(const std::string& job_id, const v1::ProducedBy& by,
                          const std::optional<v1::Cost>& cost) {
  ++made_before_;
  if (IsTold(job_id, JobStatus::kSucceeded)) return;
  v1::StepCompletedEvent* completed = AddLedger()->mutable_step_completed();
  completed->mutable_step()->set_step_id(job_id);
  completed->mutable_step()->set_label(job_id);
  completed->mutable_step()->set_kind(by.producer().name());
  completed->set_attempt(by.attempt());
  const v1::Cost charged =
      budget_.Settle(job_id, RunBudget::End::kSucceeded, cost);
  if (charged.micros() > 0) *completed->mutable_cost() = charged;
}

// True for what a job that is to be made anew has made already: in this run, or
// in the one that this run resumes.
bool RunActor::IsMadeAnew(const v1::Event& event) const {
  const std::string& resumed = record_.resumes_run_id();
  return IsMadeBy(run_id(), event) ||
         (!resumed.empty() && IsOf(resumed, event));
}

// The results of some jobs are read while those of the jobs before are taken
// in: when a run is adopted, thousands of jobs are looked up at once.
absl::Status RunActor::LookUp(const std::vector<JobIndex>& jobs) {
  if (jobs.empty()) return absl::OkStatus();
  absl::Span<const JobIndex> rest(jobs);
  absl::Span<const JobIndex> these;
  std::vector<EventPtr> events;  // of `these`
  do {
    const absl::Span<const JobIndex> next = rest.subspan(0, kMaxLookUpJobs);
    rest.remove_prefix(next.size());
    const std::vector<v1::ArtefactQuery> queries = OutputQueries(next);
    absl::StatusOr<std::vector<EventPtr>> found;
    if (these.empty()) {
      found = FindOutputs(queries);
    } else {
      absl::Status taken;
      RunBeside(
          deps_.executor, [&] { found = FindOutputs(queries); },
          [&] { taken = TakeOutputs(these, events); });
      KINORA_RETURN_IF_ERROR(taken);
    }
    KINORA_ASSIGN_OR_RETURN(events, std::move(found));
    these = next;
  } while (!rest.empty());
  return TakeOutputs(these, events);
}

std::vector<v1::ArtefactQuery> RunActor::OutputQueries(
    absl::Span<const JobIndex> jobs) const {
  std::vector<v1::ArtefactQuery> queries;
  for (JobIndex job : jobs) {
    for (const v1::PlannedArtefact& artefact : state_.job(job).artefacts()) {
      v1::ArtefactQuery query;
      query.set_artefact_id(artefact.artefact_id());
      query.set_inputs_hash(state_.key(job).Hex());
      queries.push_back(std::move(query));
    }
  }
  return queries;
}

absl::StatusOr<std::vector<EventPtr>> RunActor::FindOutputs(
    const std::vector<v1::ArtefactQuery>& queries) const {
  KINORA_ASSIGN_OR_RETURN(std::vector<EventPtr> events,
                          FindResults(deps_.store.events, movie_id(), queries));
  KINORA_RETURN_IF_ERROR(
      DropLostResults(deps_.store.blobs, movie_id(), &events));
  return events;
}

absl::Status RunActor::TakeOutputs(absl::Span<const JobIndex> jobs,
                                   const std::vector<EventPtr>& events) {
  std::vector<LookedUp> facts;
  facts.reserve(jobs.size());
  size_t next = 0;
  for (JobIndex job : jobs) {
    LookedUp fact{job, {}, false, {}};
    if (past_.has_value()) fact.past = past_->Of(state_.job(job).job_id());
    RecallAsking(job, &fact.past);
    if (past_.has_value() &&
        state_.job_timeout(job) != absl::InfiniteDuration()) {
      fact.past.time_used =
          past_->TimeUsed(state_.job(job).job_id(), deps_.clock.Now());
      times_.Recall(job, fact.past.time_used);
    }
    const size_t count = static_cast<size_t>(state_.job(job).artefacts_size());
    const bool forced = state_.job(job).forced();
    const bool found = std::all_of(
        events.begin() + static_cast<std::ptrdiff_t>(next),
        events.begin() + static_cast<std::ptrdiff_t>(next + count),
        [this, forced](const EventPtr& event) {
          return event != nullptr && (!forced || IsMadeAnew(*event));
        });
    fact.is_own = found && past_.has_value();
    fact.outputs.reserve(found ? count : 0);
    std::optional<v1::Cost> cost;  // its first artefact has it
    for (size_t i = next; found && i < next + count; ++i) {
      const v1::ArtefactEvent& result = events[i]->artefact();
      fact.outputs.push_back(result.output());
      fact.is_own = fact.is_own && IsMadeBy(run_id(), *events[i]);
      if (result.has_cost()) cost = result.cost();
      if (!past_.has_value() || !IsOf(run_id(), *events[i])) {
        artefact_events_.push_back(ReusedEvent(identity_, *events[i]));
      }
    }
    if (fact.is_own) SettleFound(job, cost);
    next += count;
    facts.push_back(std::move(fact));
  }
  KINORA_RETURN_IF_ERROR(FlushArtefacts());
  for (LookedUp& fact : facts) ApplyFact(std::move(fact));
  return absl::OkStatus();
}

absl::Status RunActor::FlushLedger() {
  return Append(v1::LOG_KIND_LEDGER, &ledger_events_);
}

// Where the ledger tells that jobs wait: only behind that a request means it.
void RunActor::NoteTold(const v1::AppendEventsResponse& appended,
                        const v1::AppendEventsRequest& request) {
  int64_t sequence = appended.first_sequence();
  for (const v1::Event& event : request.events()) {
    const v1::JobEvent& job = event.ledger().job();
    if (job.type() == "retrying" || job.type() == "in_doubt") {
      waits_.NoteTold(job.job_id(), sequence);
    }
    ++sequence;
  }
}

v1::AppendEventsRequest RunActor::NewAppend(v1::LogKind kind) {
  v1::AppendEventsRequest request;
  request.mutable_log()->set_movie_id(movie_id());
  request.mutable_log()->set_kind(kind);
  if (kind == v1::LOG_KIND_LEDGER) request.mutable_log()->set_run_id(run_id());
  *request.mutable_lease() = lease_->token();
  // Whoever adopts the run counts anew, under a token of its own; so does each
  // step, under that of its caller.
  request.set_request_id(
      absl::StrCat(run_id(), "/", lease_->token().fencing_token(),
                   step_ == nullptr ? "" : step_->call, "/", ++appends_));
  return request;
}

absl::Status RunActor::Append(v1::LogKind kind,
                              std::vector<v1::Event>* events) {
  if (kind == v1::LOG_KIND_LEDGER && !numbers_lines_) ForgetNumbers();
  if (kind == v1::LOG_KIND_LEDGER && only_if_heeded_ && NumbersLines(*events) &&
      lines_through_ < watch_->through()) {
    if (!LearnReportedLines().ok()) ForgetNumbers();
  }
  size_t next = 0;
  int numberings = kNumberings;
  while (next < events->size()) {
    const size_t first = next;
    const bool is_numbered =
        kind == v1::LOG_KIND_LEDGER && NumbersLines(*events);
    std::vector<v1::AppendEventsRequest> requests;
    requests.reserve(2);
    v1::AppendEventsRequest& request = requests.emplace_back(NewAppend(kind));
    if (kind == v1::LOG_KIND_LEDGER && only_if_heeded_) {
      request.set_expected_sequence(watch_->through());
    } else if (is_numbered) {
      request.set_expected_sequence(lines_through_);
    }
    for (size_t bytes = 0;
         next < events->size() && bytes < kMaxAppendBytes &&
         request.events_size() < static_cast<int>(kMaxAppendEvents);
         ++next) {
      bytes += (*events)[next].ByteSizeLong();
      *request.add_events() = std::move((*events)[next]);
    }
    std::vector<AttemptEnded*> arrivals;
    if (kind == v1::LOG_KIND_LEDGER) arrivals = AddArrivals(&requests);
    std::vector<v1::AppendEventsRequest*> calls;
    for (v1::AppendEventsRequest& each : requests) calls.push_back(&each);
    const std::vector<absl::StatusOr<v1::AppendEventsResponse>> answers =
        deps_.store.events.AppendAll(calls);
    const absl::Status noted = NoteArrivals(arrivals, answers.back().status());
    const absl::StatusOr<v1::AppendEventsResponse>& appended = answers.front();
    if (!appended.ok()) {
      // What is not in the log is left to the caller, without what the store
      // may have filled in.
      for (v1::Event& event : *request.mutable_events()) event.clear_time();
      std::move(request.mutable_events()->begin(),
                request.mutable_events()->end(),
                events->begin() + static_cast<std::ptrdiff_t>(first));
      events->erase(events->begin(),
                    events->begin() + static_cast<std::ptrdiff_t>(first));
      if (is_numbered && ReasonOf(appended.status()) == "SEQUENCE_MISMATCH") {
        if (!LearnReportedLines().ok() || --numberings == 0) ForgetNumbers();
        next = 0;
        if (!only_if_heeded_) continue;
      }
      return Annotate(appended.status(), kind == v1::LOG_KIND_LEDGER
                                             ? "append to the ledger"
                                             : "append to the artefact log");
    }
    if (kind == v1::LOG_KIND_LEDGER && deps_.listener != nullptr) {
      deps_.listener->OnLedger(movie_id(), run_id(), appended->first_sequence(),
                               request.events());
    }
    if (kind == v1::LOG_KIND_LEDGER) {
      NoteTold(*appended, request);
      NoteLines(*appended, request);
      told_through_ = appended->last_sequence();
      // Other steps append meanwhile, and ask nothing.
      if (step_ == nullptr) watch_->NoteAppended(*appended);
    }
    if (!noted.ok()) {
      events->erase(events->begin(),
                    events->begin() + static_cast<std::ptrdiff_t>(next));
      return noted;
    }
  }
  events->clear();
  return absl::OkStatus();
}

}  // namespace kinora
