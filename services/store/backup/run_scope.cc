#include "services/store/backup/run_scope.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "common/error_reason.h"
#include "common/json/proto_json.h"
#include "common/proto_time.h"
#include "common/reported_event.h"
#include "common/run_budget.h"
#include "common/run_end.h"
#include "common/status.h"
#include "kinora/v1/event.pb.h"
#include "kinora/v1/ledger.pb.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/run_record.pb.h"
#include "services/store/checkpoint/log_history.h"
#include "services/store/checkpoint/revision_checkpoint.h"
#include "services/store/checks.h"
#include "services/store/event/event_json.h"
#include "services/store/event/log_line.h"
#include "services/store/layout.h"
#include "services/store/object/checked_document.h"

namespace kinora {
namespace {

constexpr int64_t kRecordsPerRead = 10'000;
constexpr int64_t kReadBytes = int64_t{4} << 20;

// What a ledger says of the run's end; nothing while it goes on.
struct ToldEnd {
  v1::RunStatus status = v1::RUN_STATUS_UNSPECIFIED;
  std::string error;
  int64_t at_ms = 0;
};

// What a ledger says of a job.
enum class StepEnd { kNone, kSucceeded, kReused, kFailed, kBlocked };

class Narrowing {
 public:
  Narrowing(const MovieBackupCores& cores, const std::string& movie_id,
            const std::string& run_id, MovieMoment& moment)
      : cores_(cores), movie_id_(movie_id), run_id_(run_id), moment_(moment) {}

  absl::Status Run() {
    KINORA_RETURN_IF_ERROR(TakeRun());
    KINORA_RETURN_IF_ERROR(TakePlan());
    KINORA_RETURN_IF_ERROR(FindRevisions());
    KINORA_RETURN_IF_ERROR(CheckKept());
    KINORA_RETURN_IF_ERROR(CutLogs());
    KINORA_RETURN_IF_ERROR(CheckCheckpoint());
    PruneOthers();
    return Close();
  }

 private:
  absl::Status Refuse(absl::string_view why) const {
    return absl::FailedPreconditionError(
        absl::StrCat("run ", run_id_, " cannot be exported: ", why));
  }

  absl::Status TakeRun() {
    const auto run = moment_.runs.find(run_id_);
    if (run == moment_.runs.end()) {
      return WithReason(absl::NotFoundError(absl::StrCat(
                            "movie \"", movie_id_, "\" has no run ", run_id_)),
                        "RUN_NOT_FOUND", {{"run", run_id_}});
    }
    const absl::Status parsed = ParseCheckedDocument(run->second, &record_);
    if (!parsed.ok()) {
      return DataCorrupt(RunRecordKey(movie_id_, run_id_), parsed.message());
    }
    if (record_.plan_hash().empty()) {
      return Refuse(IsTerminal(record_.status())
                        ? "it ended before it had begun"
                        : "it waits for its turn and has not begun");
    }
    std::erase_if(moment_.runs,
                  [this](const auto& other) { return other.first != run_id_; });
    std::erase_if(moment_.ledgers,
                  [this](const auto& other) { return other.first != run_id_; });
    return absl::OkStatus();
  }

  absl::Status TakePlan() {
    const std::string& hash = record_.plan_hash();
    const std::string key = PlanKey(movie_id_, hash);
    if (!moment_.plans.contains(hash)) {
      return DataCorrupt(key, absl::StrCat("is missing, the plan of ", run_id_,
                                           ": verify the movie"));
    }
    KINORA_ASSIGN_OR_RETURN(const std::string json,
                            ReadObject(cores_.storage, key));
    const absl::Status parsed = ParseDocument(json, &plan_);
    if (!parsed.ok()) return DataCorrupt(key, parsed.message());
    moment_.plans = {hash};
    std::erase_if(moment_.progress, [this](const auto& entry) {
      v1::PlanProgress progress;
      return !ParseCheckedDocument(entry.second, &progress).ok() ||
             progress.plan_hash() != record_.plan_hash();
    });
    return absl::OkStatus();
  }

  // What of the movie's commits is the run's own, what it builds on, and which
  // is the first that others have put on top of that.
  absl::Status FindRevisions() {
    KINORA_ASSIGN_OR_RETURN(commits_, cores_.events.Commits(movie_id_));
    std::erase_if(commits_, [this](const EventPtr& commit) {
      return commit->sequence() > moment_.artefacts.last_sequence;
    });
    for (const EventPtr& commit : commits_) {
      if (commit->revision_committed().run_id() != run_id_) continue;
      if (own_.empty())
        base_hash_ = commit->revision_committed().base_manifest_hash();
      own_.push_back(commit);
    }
    if (own_.empty()) base_hash_ = record_.manifest_base_hash();
    for (const EventPtr& commit : commits_) {
      if (!base_hash_.empty() &&
          commit->revision_committed().manifest_hash() == base_hash_) {
        base_ = commit;
        next_ = nullptr;
      } else if (next_ == nullptr && (base_hash_.empty() || base_ != nullptr)) {
        next_ = commit;
      }
    }
    if (base_hash_.empty() || base_ != nullptr) return absl::OkStatus();
    return Refuse("the revision that it builds on is not there any more");
  }

  absl::Status CheckKept() const {
    std::vector<EventPtr> needed = own_;
    if (base_ != nullptr) needed.push_back(base_);
    for (const EventPtr& commit : needed) {
      const std::string& revision = commit->revision_committed().revision();
      if (!moment_.retention.pruned_revisions.contains(revision)) continue;
      return Refuse(absl::StrCat(revision, ", which it ",
                                 commit == base_ ? "builds on" : "published",
                                 ", was pruned"));
    }
    return absl::OkStatus();
  }

  absl::Status CutLogs() {
    int64_t artefacts = 0;
    int64_t inputs = plan_.inputs_through_sequence();
    if (!own_.empty()) {
      artefacts = own_.back()->sequence();
      inputs = own_.back()->revision_committed().inputs_through_sequence();
    } else {
      KINORA_ASSIGN_OR_RETURN(artefacts, EndOfWork());
    }
    if (base_ != nullptr) {
      inputs = std::max(inputs,
                        base_->revision_committed().inputs_through_sequence());
    }
    KINORA_RETURN_IF_ERROR(Cut(artefacts, &moment_.artefacts));
    return Cut(inputs, &moment_.inputs);
  }

  absl::Status Cut(int64_t last, LogExtent* extent) const {
    if (last >= extent->last_sequence) return absl::OkStatus();
    if (last == 0 && extent->oldest_sequence <= 1) {
      *extent = LogExtent();
      return absl::OkStatus();
    }
    if (last < extent->oldest_sequence) return Trimmed();
    extent->last_sequence = last;
    return absl::OkStatus();
  }

  absl::Status Trimmed() const {
    return WithReason(
        absl::OutOfRangeError(absl::StrCat(
            "run ", run_id_,
            " cannot be exported: events of its time were "
            "removed, and what stands for them is of a later revision")),
        "LOG_TRIMMED", {{"run", run_id_}});
  }

  // The last event before those of later runs, of a run without a revision.
  absl::StatusOr<int64_t> EndOfWork() {
    const int64_t last = next_ == nullptr ? moment_.artefacts.last_sequence
                                          : next_->sequence() - 1;
    int64_t at = base_ == nullptr ? 0 : base_->sequence();
    if (at >= last) return last;
    int64_t later = 0;  // the first event of a later run
    LogHistory history(cores_.log, cores_.storage, movie_id_,
                       v1::LOG_KIND_ARTEFACTS);
    KINORA_RETURN_IF_ERROR(
        history.ForEach(last, &at, [&](const v1::Event& event) {
          const std::string& by = event.artefact().produced_by().run_id();
          // Ids of runs ascend with the time at which they were created.
          if (by == run_id_) later = 0;
          if (by > run_id_ && later == 0) later = event.sequence();
          return absl::OkStatus();
        }));
    return later == 0 ? last : later - 1;
  }

  // What stands for the beginning of the logs must not know more than they do.
  absl::Status CheckCheckpoint() const {
    if (moment_.artefacts.oldest_sequence <= 1 &&
        moment_.inputs.oldest_sequence <= 1) {
      return absl::OkStatus();
    }
    KINORA_ASSIGN_OR_RETURN(
        const std::unique_ptr<RevisionCheckpoint> checkpoint,
        RevisionCheckpoint::OpenNewest(cores_.storage, movie_id_));
    if (checkpoint == nullptr) return absl::OkStatus();  // told when copied
    const bool later =
        checkpoint->info().artefacts_through >
            moment_.artefacts.last_sequence ||
        checkpoint->info().inputs_through > moment_.inputs.last_sequence;
    return later ? Trimmed() : absl::OkStatus();
  }

  void PruneOthers() {
    RetentionRecord& retention = moment_.retention;
    retention.removing_runs.clear();
    for (const EventPtr& commit : commits_) {
      if (commit->sequence() > moment_.artefacts.last_sequence) break;
      const v1::RevisionCommitted& revision = commit->revision_committed();
      if (revision.run_id() == run_id_ || commit == base_) continue;
      retention.pruned_revisions.insert(revision.revision());
    }
    if (base_ != nullptr) {
      retention.AddTakesRule({.keep = 1, .through = base_->sequence()});
    }
    if (retention.bytes.has_value() || base_ != nullptr) {
      retention.bytes = RetentionText(retention);
    }
  }

  // The ledger decides; the record may lag.
  absl::StatusOr<ToldEnd> ReadEnd() {
    const std::string key = LedgerLogKey(movie_id_, run_id_);
    const LogExtent& ledger = moment_.ledgers[run_id_];
    ToldEnd end;
    int64_t at = std::max<int64_t>(ledger.oldest_sequence - 1, 0);
    while (at < ledger.last_sequence) {
      const int64_t limit =
          std::min(kRecordsPerRead, ledger.last_sequence - at);
      KINORA_ASSIGN_OR_RETURN(const std::vector<LogRecord> records,
                              cores_.log.Read(key, at, limit, kReadBytes));
      if (records.empty()) break;  // told of when it is copied
      for (const LogRecord& record : records) {
        at = record.sequence;
        KINORA_ASSIGN_OR_RETURN(
            const v1::Event event,
            EventFromRecord(key, v1::LOG_KIND_LEDGER, record));
        TakeEnd(event.ledger(), &end);
        TakeStep(event.ledger());
      }
    }
    return end;
  }

  static void TakeEnd(const v1::LedgerEvent& event, ToldEnd* end) {
    if (!IsTerminal(event)) return;
    // The one end that replaces another.
    const bool demotes =
        event.has_run_failed() && end->status == v1::RUN_STATUS_COMPLETED;
    if (end->status != v1::RUN_STATUS_UNSPECIFIED && !demotes) return;
    end->at_ms = event.occurred_at_ms();
    if (event.has_run_completed()) {
      end->status = v1::RUN_STATUS_COMPLETED;
    } else if (event.has_run_failed()) {
      end->status = v1::RUN_STATUS_FAILED;
      end->error = event.run_failed().error();
    } else {
      end->status = v1::RUN_STATUS_CANCELLED;
      end->error = event.run_cancelled().error();
    }
  }

  void TakeStep(const v1::LedgerEvent& event) {
    // What outside workers tell of steps proves nothing about jobs.
    if (IsReported(event)) return;
    budget_.Recall(event);
    if (event.has_step_started()) {
      steps_[event.step_started().step().step_id()] = StepEnd::kNone;
    } else if (event.has_step_completed()) {
      steps_[event.step_completed().step().step_id()] = StepEnd::kSucceeded;
    } else if (event.has_step_failed()) {
      steps_[event.step_failed().step().step_id()] = StepEnd::kFailed;
    } else if (event.has_step_skipped()) {
      const v1::StepSkippedEvent& skipped = event.step_skipped();
      steps_[skipped.step().step_id()] =
          skipped.reason() == "reused"    ? StepEnd::kReused
          : skipped.reason() == "blocked" ? StepEnd::kBlocked
                                          : StepEnd::kNone;
    }
  }

  // A record has its counts and what the run has cost at its end only.
  void CountJobs() {
    std::map<StepEnd, int64_t> ends;
    for (const auto& step : steps_) ++ends[step.second];
    v1::JobCounts& jobs = *record_.mutable_jobs();
    jobs.set_succeeded(ends[StepEnd::kSucceeded]);
    jobs.set_reused(ends[StepEnd::kReused]);
    jobs.set_failed(ends[StepEnd::kFailed]);
    jobs.set_blocked(ends[StepEnd::kBlocked]);
    jobs.clear_running();
    WriteMoney(budget_, &record_);
  }

  absl::Status Close() {
    if (IsTerminal(record_.status())) return absl::OkStatus();
    if (record_.has_budget()) budget_.RestoreCap(record_.budget());
    KINORA_ASSIGN_OR_RETURN(ToldEnd end, ReadEnd());
    if (end.status == v1::RUN_STATUS_UNSPECIFIED) {
      // Whoever has published has ended well, and not come to say so.
      end.status =
          own_.empty() ? v1::RUN_STATUS_CANCELLED : v1::RUN_STATUS_COMPLETED;
      if (own_.empty()) end.error = std::string(kExportedOpen);
      end.at_ms = absl::ToUnixMillis(cores_.clock.Now());
      AddClosingLine(end);
    }
    record_.set_status(end.status);
    record_.set_error(end.error);
    CountJobs();
    record_.clear_wait();
    record_.clear_queued_request_json();
    *record_.mutable_finish_time() = ToProto(absl::FromUnixMillis(end.at_ms));
    if (!own_.empty()) {
      const v1::RevisionCommitted& commit = own_.back()->revision_committed();
      record_.set_published_revision(commit.revision());
      record_.set_manifest_hash(commit.manifest_hash());
    }
    moment_.runs[run_id_] = WithChecksum(CanonicalBytes(record_));
    return absl::OkStatus();
  }

  void AddClosingLine(const ToldEnd& end) {
    v1::Event event;
    v1::LedgerEvent& ledger = *event.mutable_ledger();
    ledger.set_run_id(run_id_);
    ledger.set_occurred_at_ms(end.at_ms);
    ledger.set_source(v1::LEDGER_SOURCE_SYSTEM);
    if (end.status == v1::RUN_STATUS_CANCELLED) {
      ledger.mutable_run_cancelled()->set_error(end.error);
    } else {
      ledger.mutable_run_completed();
    }
    LogExtent& extent = moment_.ledgers[run_id_];
    extent.oldest_sequence = std::max<int64_t>(extent.oldest_sequence, 1);
    AppendLogLine(++extent.last_sequence, EventToBody(event, nullptr),
                  &moment_.closing_lines[run_id_]);
  }

  const MovieBackupCores& cores_;
  const std::string& movie_id_;
  const std::string& run_id_;
  MovieMoment& moment_;

  v1::RunRecord record_;
  v1::Plan plan_;
  std::vector<EventPtr> commits_;
  std::vector<EventPtr> own_;  // those of the run
  std::string base_hash_;
  EventPtr base_;  // null before the first revision
  EventPtr next_;  // the first commit behind it; null if there is none
  std::map<std::string, StepEnd> steps_;  // of a run that is to be closed
  RunBudget budget_;                      // the same
};

}  // namespace

absl::Status NarrowToRun(const MovieBackupCores& cores,
                         const std::string& movie_id, const std::string& run_id,
                         MovieMoment* moment) {
  return Narrowing(cores, movie_id, run_id, *moment).Run();
}

}  // namespace kinora
