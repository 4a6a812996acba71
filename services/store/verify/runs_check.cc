#include "services/store/verify/runs_check.h"

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/digest.h"
#include "common/json/proto_json.h"
#include "common/run_end.h"
#include "common/status.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/run_record.pb.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/object/checked_document.h"
#include "services/store/retention/retention_record.h"

namespace kinora {
namespace {

absl::Status CheckPlan(ObjectStorage& storage, const std::string& movie_id,
                       const std::string& key, bool named_by_hash,
                       VerifyReport& report) {
  absl::StatusOr<std::string> json = ReadObject(storage, key);
  if (absl::IsNotFound(json.status())) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(json.status());
  KINORA_RETURN_IF_ERROR(report.Checked(json->size()));
  const std::string hash = Sha256Of(*json).Hex();
  if (named_by_hash) {
    if (LastPart(key) == absl::StrCat(hash, ".json")) return absl::OkStatus();
    return report.Problem(report.Below(key), 0,
                          absl::StrCat("does not have its hash, but ", hash));
  }
  const absl::Status plan = storage.Stat(PlanKey(movie_id, hash)).status();
  if (!absl::IsNotFound(plan)) return plan;
  return report.Problem(report.Below(key), 0, "is no copy of a plan");
}

// Whether `text`, which holds `message`, is what a store writes for it, now or
// before there were checksums.
bool IsCanonical(const google::protobuf::Message& message,
                 absl::string_view text) {
  const absl::StatusOr<std::string> json = WithoutChecksum(text);
  return json.ok() && *json == CanonicalBytes(message);
}

absl::Status CheckProgress(ObjectStorage& storage, const std::string& key,
                           VerifyReport& report) {
  const absl::StatusOr<std::string> json = ReadObject(storage, key);
  if (absl::IsNotFound(json.status())) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(json.status());
  KINORA_RETURN_IF_ERROR(report.Checked(json->size()));
  v1::PlanProgress progress;
  const absl::Status parsed = ParseCheckedDocument(*json, &progress);
  if (!parsed.ok()) {
    return report.Problem(report.Below(key), 0, parsed.message());
  }
  if (IsCanonical(progress, *json)) return absl::OkStatus();
  return report.Problem(report.Below(key), 0, "is no canonical progress");
}

// A run without a record: what a pruned run has left behind, or one whose
// record is lost. The latter has its ledger still, and its name in the index;
// pruning says so first in `retention`, and takes the name at the end.
absl::Status CheckLostRecord(ObjectStorage& storage,
                             const std::string& movie_id,
                             const std::string& run_id, VerifyReport& report) {
  const absl::StatusOr<ObjectInfo> ledger =
      storage.Stat(LedgerLogKey(movie_id, run_id));
  if (absl::IsNotFound(ledger.status())) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(ledger.status());
  if (ledger->size_bytes == 0) return absl::OkStatus();
  KINORA_ASSIGN_OR_RETURN(const RetentionRecord retention,
                          LoadRetention(storage, movie_id));
  if (retention.removing_runs.contains(run_id)) return absl::OkStatus();
  const absl::StatusOr<std::string> movie =
      ReadObject(storage, RunIndexKey(run_id));
  if (absl::IsNotFound(movie.status())) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(movie.status());
  if (*movie != movie_id) return absl::OkStatus();
  return report.Problem(
      report.Below(RunRecordKey(movie_id, run_id)), 0,
      absl::StrCat("is missing, though there is a ledger of ", run_id));
}

// That a runner finds the run, if it has not ended. What says so is written
// before such a record, and removed after one of a run that has ended. `json`
// is the text of the record.
absl::Status CheckOpenRun(ObjectStorage& storage, const v1::RunRecord& record,
                          absl::string_view json, VerifyReport& report) {
  if (IsTerminal(record.status())) return absl::OkStatus();
  const std::string key = OpenRunKey(record.run_id());
  const absl::Status mark = storage.Stat(key).status();
  if (!absl::IsNotFound(mark)) return mark;
  const absl::StatusOr<std::string> now =
      ReadObject(storage, RunRecordKey(record.movie_id(), record.run_id()));
  if (absl::IsNotFound(now.status())) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(now.status());
  if (*now != json) return absl::OkStatus();
  return report.Problem(
      key, 0,
      absl::StrCat("is missing, though ", record.run_id(),
                   " has not ended: no runner goes on with it"));
}

}  // namespace

absl::Status CheckPlans(ObjectStorage& storage, const std::string& movie_id,
                        VerifyReport& report) {
  const std::string plans = absl::StrCat(RunsPrefix(movie_id), "plans/");
  KINORA_RETURN_IF_ERROR(
      ForEachEntry(storage, plans, [&](const ObjectPage& page) {
        for (const ObjectInfo& object : page.objects) {
          KINORA_RETURN_IF_ERROR(
              CheckPlan(storage, movie_id, object.key, true, report));
        }
        return absl::OkStatus();
      }));
  return ForEachEntry(
      storage, RunsPrefix(movie_id), [&](const ObjectPage& page) {
        for (const ObjectInfo& object : page.objects) {
          if (absl::EndsWith(object.key, "-plan.json")) {
            KINORA_RETURN_IF_ERROR(
                CheckPlan(storage, movie_id, object.key, false, report));
          } else if (absl::EndsWith(object.key, "-progress.json")) {
            KINORA_RETURN_IF_ERROR(CheckProgress(storage, object.key, report));
          }
        }
        return absl::OkStatus();
      });
}

absl::Status CheckRunRecord(ObjectStorage& storage, const std::string& movie_id,
                            const std::string& run_id, bool shares_runs,
                            VerifyReport& report) {
  const std::string key = RunRecordKey(movie_id, run_id);
  absl::StatusOr<std::string> json = ReadObject(storage, key);
  if (absl::IsNotFound(json.status())) {
    return CheckLostRecord(storage, movie_id, run_id, report);
  }
  KINORA_RETURN_IF_ERROR(json.status());
  KINORA_RETURN_IF_ERROR(report.Checked(json->size()));
  v1::RunRecord record;
  const absl::Status parsed = ParseCheckedDocument(*json, &record);
  if (!parsed.ok()) {
    return report.Problem(report.Below(key), 0, parsed.message());
  }
  if (!IsCanonical(record, *json) || record.run_id() != run_id ||
      record.movie_id() != movie_id) {
    return report.Problem(
        report.Below(key), 0,
        absl::StrCat("is not the canonical record of ", run_id));
  }
  if (!record.plan_hash().empty() &&
      absl::IsNotFound(
          storage.Stat(PlanKey(movie_id, record.plan_hash())).status())) {
    return report.Problem(report.Below(key), 0,
                          absl::StrCat("names the plan ", record.plan_hash(),
                                       ", which is missing"));
  }
  absl::StatusOr<std::string> movie = ReadObject(storage, RunIndexKey(run_id));
  if (movie.ok() && *movie == movie_id) {
    return CheckOpenRun(storage, record, *json, report);
  }
  if (!movie.ok() && !absl::IsNotFound(movie.status())) {
    return movie.status();
  }
  if (shares_runs) return absl::OkStatus();
  return report.Problem(RunIndexKey(run_id), 0,
                        absl::StrCat("does not name the movie of ", run_id));
}

}  // namespace kinora
