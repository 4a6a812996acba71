#include "services/store/backup/runs_restoration.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/json/proto_json.h"
#include "common/run_end.h"
#include "common/status.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/run_record.pb.h"
#include "services/store/backup/tar_reader.h"
#include "services/store/layout.h"
#include "services/store/object/checked_document.h"

namespace kinora {
namespace {

template <typename Document>
absl::StatusOr<Document> Parse(const std::string& path,
                               const std::string& bytes) {
  Document document;
  const absl::Status parsed = ParseCheckedDocument(bytes, &document);
  if (!parsed.ok()) return CopyDamaged(path, parsed.message());
  return document;
}

}  // namespace

absl::Status RunsRestoration::Take(const MemberName& name,
                                   const std::string& path,
                                   const std::string& bytes) {
  switch (name.kind) {
    case MemberKind::kPlan:
      return TakePlan(path, name.id, bytes);
    case MemberKind::kRevisionPlan:
      return TakeRevisionPlan(path, name.id, bytes);
    case MemberKind::kProgress:
      return TakeProgress(path, name.id, bytes);
    case MemberKind::kRunRecord:
      return TakeRecord(path, name.id, bytes);
    case MemberKind::kLedger:
      return TakeLedger(path, name.id, bytes);
    default:
      return absl::InternalError(absl::StrCat(path, " is not below runs/"));
  }
}

std::string RunsRestoration::PlanHere(const std::string& hash) const {
  const auto found = renamed_plans_.find(hash);
  return found == renamed_plans_.end() ? hash : found->second;
}

absl::Status RunsRestoration::TakePlan(const std::string& path,
                                       const std::string& hash,
                                       const std::string& bytes) {
  if (Sha256Of(bytes).Hex() != hash) {
    return CopyDamaged(path, "does not have its hash");
  }
  KINORA_ASSIGN_OR_RETURN(v1::Plan plan, Parse<v1::Plan>(path, bytes));
  plan.set_movie_id(movie_id_);
  const absl::Status named = blobs_.AddThoseOf(path, plan);
  if (!named.ok()) return CopyDamaged(path, named.message());
  if (movie_id_ == head_.movie_id) {
    return storage_.Write(PlanKey(movie_id_, hash), bytes);
  }
  const std::string renamed = CanonicalBytes(plan);
  renamed_plans_[hash] = Sha256Of(renamed).Hex();
  return storage_.Write(PlanKey(movie_id_, renamed_plans_[hash]), renamed);
}

absl::Status RunsRestoration::TakeRevisionPlan(const std::string& path,
                                               const std::string& revision,
                                               const std::string& bytes) {
  const std::string hash = PlanHere(Sha256Of(bytes).Hex());
  const absl::StatusOr<std::string> plan =
      ReadObject(storage_, PlanKey(movie_id_, hash));
  if (absl::IsNotFound(plan.status())) {
    return CopyDamaged(path, "is no copy of a plan");
  }
  KINORA_RETURN_IF_ERROR(plan.status());
  return storage_.Write(RevisionPlanKey(movie_id_, revision), *plan);
}

absl::Status RunsRestoration::TakeProgress(const std::string& path,
                                           const std::string& revision,
                                           const std::string& bytes) {
  KINORA_ASSIGN_OR_RETURN(v1::PlanProgress progress,
                          Parse<v1::PlanProgress>(path, bytes));
  progress.set_plan_hash(PlanHere(progress.plan_hash()));
  return storage_.Write(RevisionProgressKey(movie_id_, revision),
                        WithChecksum(CanonicalBytes(progress)));
}

absl::Status RunsRestoration::TakeRecord(const std::string& path,
                                         const std::string& run_id,
                                         const std::string& bytes) {
  KINORA_ASSIGN_OR_RETURN(v1::RunRecord record,
                          Parse<v1::RunRecord>(path, bytes));
  if (record.run_id() != run_id || !head_.ledgers.contains(run_id)) {
    return CopyDamaged(path, "is not the record of a run of this copy");
  }
  if (!head_.run_id.empty() && !IsTerminal(record.status())) {
    return CopyDamaged(path, "has not ended, which an exported run has");
  }
  ++records_;
  if (!IsTerminal(record.status())) open_runs_.push_back(run_id);
  record.set_movie_id(movie_id_);
  record.set_plan_hash(PlanHere(record.plan_hash()));
  return storage_.Write(RunRecordKey(movie_id_, run_id),
                        WithChecksum(CanonicalBytes(record)));
}

absl::Status RunsRestoration::TakeLedger(const std::string& path,
                                         const std::string& run_id,
                                         const std::string& bytes) {
  const auto run = head_.ledgers.find(run_id);
  if (run == head_.ledgers.end()) {
    return CopyDamaged(path, "is of a run that is not in this copy");
  }
  LogRestoration& ledger =
      ledgers_
          .try_emplace(run_id, log_, LedgerLogKey(movie_id_, run_id),
                       v1::LOG_KIND_LEDGER, run->second, /*is_cut=*/false,
                       [](const v1::Event&) { return std::string(); })
          .first->second;
  return ledger.Take(path, bytes);
}

absl::Status RunsRestoration::FinishRecords() const {
  if (records_ == head_.ledgers.size()) return absl::OkStatus();
  return CopyDamaged("runs/", absl::StrCat("has ", records_, " records of ",
                                           head_.ledgers.size(), " runs"));
}

absl::Status RunsRestoration::FinishLedgers() const {
  for (const auto& run : head_.ledgers) {
    const auto ledger = ledgers_.find(run.first);
    if (ledger != ledgers_.end()) {
      KINORA_RETURN_IF_ERROR(ledger->second.Finish());
    } else if (run.second.last_sequence > 0) {
      return CopyDamaged(
          LogPartMember(absl::StrCat("runs/", run.first, "/ledger.log"),
                        run.second.oldest_sequence),
          "is missing");
    }
  }
  return absl::OkStatus();
}

}  // namespace kinora
