#include "services/store/run/object_run_record_store.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/ids.h"
#include "common/json/proto_json.h"
#include "common/proto_time.h"
#include "common/run_end.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "common/telemetry/run_labels.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/object/checked_document.h"

namespace kinora {
namespace {

// Records that one page reads.
constexpr int kMaxLooks = 2000;
// By how much the clocks of the runners that named two runs may differ.
constexpr absl::Duration kClockSkew = absl::Hours(1);

absl::Status RunNotFound(absl::string_view run_id) {
  return WithReason(
      absl::NotFoundError(absl::StrCat("there is no run ", run_id)),
      "RUN_NOT_FOUND", {{"run", run_id}});
}

absl::Status CheckRecord(const v1::RunRecord& record) {
  KINORA_RETURN_IF_ERROR(ValidateRunIdField("record.run_id", record.run_id()));
  if (!record.plan_hash().empty()) {
    KINORA_RETURN_IF_ERROR(
        ValidateHash("record.plan_hash", record.plan_hash()));
  }
  if (!record.target_revision().empty()) {
    KINORA_RETURN_IF_ERROR(ValidateRevisionField("record.target_revision",
                                                 record.target_revision()));
  }
  if (!record.parent_run_id().empty()) {
    KINORA_RETURN_IF_ERROR(
        ValidateRunIdField("record.parent_run_id", record.parent_run_id()));
  }
  return ValidateRunLabels("record.labels", record.labels());
}

// True for an error that is of one record and its file, and not of the store.
bool IsOfItsRecord(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsPermissionDenied(status);
}

}  // namespace

absl::StatusOr<v1::PutRunRecordResponse> ObjectRunRecordStore::Put(
    const v1::PutRunRecordRequest& request) {
  const v1::RunRecord& record = request.record();
  KINORA_RETURN_IF_ERROR(movies_.RequireWritable(record.movie_id()));
  KINORA_RETURN_IF_ERROR(CheckRecord(record));
  const absl::StatusOr<v1::RunRecord> before =
      Load(record.movie_id(), record.run_id());
  const bool introduced = absl::IsNotFound(before.status());
  // A damaged record, or one that the disk does not give back, is replaced as a
  // good one is.
  if (!before.ok() && !introduced && !absl::IsDataLoss(before.status())) {
    return before.status();
  }
  LeaseTable::Fence fence;
  const bool is_queued = record.status() == v1::RUN_STATUS_QUEUED;
  if (!introduced || !is_queued || request.has_lease()) {
    KINORA_ASSIGN_OR_RETURN(
        fence,
        leases_.Enter(request.lease(), record.movie_id(), record.run_id()));
  }
  if (introduced) KINORA_RETURN_IF_ERROR(Claim(record));
  // One that was queued gets its plan when its turn comes.
  if (introduced || (before.ok() && before->plan_hash().empty())) {
    KINORA_RETURN_IF_ERROR(NamePlan(record));
  }
  const std::string key = RunRecordKey(record.movie_id(), record.run_id());
  const bool ended = IsTerminal(record.status());
  if (!ended) {
    KINORA_RETURN_IF_ERROR(index_.MarkOpen(record.movie_id(), record.run_id()));
  }
  KINORA_RETURN_IF_ERROR(
      storage_.Write(key, WithChecksum(CanonicalBytes(record))));
  if (introduced) index_.Add(record.movie_id(), record.run_id());
  if (ended) KINORA_RETURN_IF_ERROR(index_.MarkEnded(record.run_id()));
  return v1::PutRunRecordResponse();
}

absl::Status ObjectRunRecordStore::Claim(const v1::RunRecord& record) {
  KINORA_ASSIGN_OR_RETURN(
      const bool claimed,
      ClaimRunId(storage_, record.movie_id(), record.run_id()));
  if (claimed) return absl::OkStatus();
  KINORA_ASSIGN_OR_RETURN(std::string movie_id,
                          ReadObject(storage_, RunIndexKey(record.run_id())));
  return InvalidField("record.run_id", record.run_id(),
                      absl::StrCat("is a run of movie \"", movie_id,
                                   "\", not of \"", record.movie_id(), "\""));
}

absl::Status ObjectRunRecordStore::NamePlan(const v1::RunRecord& record) {
  if (record.plan_hash().empty() || record.target_revision().empty()) {
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> plan =
      ReadObject(storage_, PlanKey(record.movie_id(), record.plan_hash()));
  if (absl::IsNotFound(plan.status())) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(plan.status());
  return storage_.Write(
      RevisionPlanKey(record.movie_id(), record.target_revision()), *plan);
}

absl::StatusOr<v1::GetRunRecordResponse> ObjectRunRecordStore::Get(
    const v1::GetRunRecordRequest& request) {
  KINORA_RETURN_IF_ERROR(ValidateRunIdField("run_id", request.run_id()));
  KINORA_ASSIGN_OR_RETURN(std::string movie_id, MovieOf(request.run_id()));
  absl::StatusOr<v1::RunRecord> record = Load(movie_id, request.run_id());
  const std::string reason = ReasonOf(record.status());
  if (IsOfItsRecord(record.status()) && !reason.empty()) {
    return WithReason(record.status(), reason, {{"movie", movie_id}});
  }
  KINORA_RETURN_IF_ERROR(record.status());
  v1::GetRunRecordResponse response;
  *response.mutable_record() = *std::move(record);
  return response;
}

absl::StatusOr<std::string> ObjectRunRecordStore::MovieOf(
    absl::string_view run_id) {
  absl::StatusOr<std::string> movie_id =
      ReadObject(storage_, RunIndexKey(run_id));
  if (absl::IsNotFound(movie_id.status())) return RunNotFound(run_id);
  if (movie_id.ok() && !ValidateMovieId(*movie_id).ok()) {
    return DataCorrupt(RunIndexKey(run_id), "does not hold a movie's id");
  }
  return movie_id;
}

absl::StatusOr<v1::RunRecord> ObjectRunRecordStore::Load(
    absl::string_view movie_id, absl::string_view run_id) {
  const std::string key = RunRecordKey(movie_id, run_id);
  absl::StatusOr<std::string> json = ReadObject(storage_, key);
  if (absl::IsNotFound(json.status())) return RunNotFound(run_id);
  KINORA_RETURN_IF_ERROR(json.status());
  v1::RunRecord record;
  absl::Status parsed = ParseCheckedDocument(*json, &record);
  if (!parsed.ok()) return DataCorrupt(key, parsed.message());
  return record;
}

absl::StatusOr<v1::RunRecord> ObjectRunRecordStore::LoadListed(
    absl::string_view movie_id, absl::string_view run_id) {
  if (!movie_id.empty()) return Load(movie_id, run_id);
  KINORA_ASSIGN_OR_RETURN(const std::string movie, MovieOf(run_id));
  return Load(movie, run_id);
}

v1::RunRecord ObjectRunRecordStore::UnreadRecord(const std::string& run_id,
                                                 const absl::Status& why) {
  v1::RunRecord record;
  record.set_run_id(run_id);
  const absl::StatusOr<std::string> movie_id = MovieOf(run_id);
  if (movie_id.ok()) record.set_movie_id(*movie_id);
  record.set_error(std::string(why.message()));
  return record;
}

// Once for what is wrong: runners look for open runs all the time.
void ObjectRunRecordStore::TellUnread(const std::string& run_id,
                                      const absl::Status& why) {
  {
    MutexLock lock(mu_);
    std::string& told = told_[run_id];
    if (told == why.message()) return;
    told = std::string(why.message());
  }
  LogWarning(ReasonOf(why) == "DATA_CORRUPT"
                 ? "a run is left out of lists, its record is damaged"
                 : "a run is left out of lists while its record cannot be read",
             {{"run", run_id}, {"error", why}});
}

absl::StatusOr<std::vector<std::string>> ObjectRunRecordStore::Candidates(
    const v1::ListRunRecordsRequest& request, absl::string_view before,
    size_t limit) {
  const bool only_open =
      !request.statuses().empty() &&
      std::none_of(request.statuses().begin(), request.statuses().end(),
                   [](int status) {
                     return IsTerminal(static_cast<v1::RunStatus>(status));
                   });
  if (only_open) return index_.OpenPage(before, limit);
  return index_.Page(request.movie_id(), before, limit);
}

// A child is begun after its parent, and before its parent has ended.
absl::StatusOr<ObjectRunRecordStore::Span> ObjectRunRecordStore::SpanOf(
    const v1::ListRunRecordsRequest& request) {
  const std::string& parent_id = request.parent_run_id();
  if (parent_id.empty()) return Span();
  KINORA_RETURN_IF_ERROR(ValidateRunIdField("parent_run_id", parent_id));
  KINORA_ASSIGN_OR_RETURN(const absl::Time begun, RunIdTime(parent_id));
  Span span;
  span.from = begun - kClockSkew;
  const absl::StatusOr<v1::RunRecord> parent =
      LoadListed(/*movie_id=*/"", parent_id);
  // Of one whose record is gone, or damaged, there may be children all the
  // same.
  if (parent.ok() && parent->has_finish_time()) {
    span.to = FromProto(parent->finish_time()) + kClockSkew;
  }
  return span;
}

absl::StatusOr<v1::ListRunRecordsResponse> ObjectRunRecordStore::List(
    const v1::ListRunRecordsRequest& request) {
  KINORA_ASSIGN_OR_RETURN(int page_size, PageSize(request.page_size()));
  if (!request.page_token().empty()) {
    KINORA_RETURN_IF_ERROR(
        ValidateRunIdField("page_token", request.page_token()));
  }
  if (!request.movie_id().empty()) {
    KINORA_RETURN_IF_ERROR(movies_.Require(request.movie_id()));
  }
  v1::ListRunRecordsResponse response;
  KINORA_ASSIGN_OR_RETURN(const Span span, SpanOf(request));
  std::string before = request.page_token();
  int looks = 0;
  for (;;) {
    const size_t wanted =
        static_cast<size_t>(page_size - response.records_size()) + 1;
    KINORA_ASSIGN_OR_RETURN(const std::vector<std::string> ids,
                            Candidates(request, before, wanted));
    for (const std::string& id : ids) {
      if (response.records_size() == page_size || looks == kMaxLooks) {
        response.set_next_page_token(before);
        return response;
      }
      before = id;
      const absl::StatusOr<absl::Time> begun = RunIdTime(id);
      if (begun.ok() && *begun < span.from) return response;
      if (begun.ok() && *begun > span.to) continue;
      ++looks;
      absl::StatusOr<v1::RunRecord> record = LoadListed(request.movie_id(), id);
      if (absl::IsNotFound(record.status())) continue;
      const auto& statuses = request.statuses();
      const bool is_of_all =
          statuses.empty() && request.parent_run_id().empty();
      if (IsOfItsRecord(record.status()) &&
          (is_of_all || request.movie_id().empty())) {
        if (is_of_all) {
          *response.add_records() = UnreadRecord(id, record.status());
        } else {
          TellUnread(id, record.status());
        }
        continue;
      }
      KINORA_RETURN_IF_ERROR(record.status());
      if (!request.parent_run_id().empty() &&
          record->parent_run_id() != request.parent_run_id()) {
        continue;
      }
      if (statuses.empty() ||
          std::count(statuses.begin(), statuses.end(), record->status()) > 0) {
        *response.add_records() = *std::move(record);
      }
    }
    if (ids.size() < wanted) return response;
  }
}

}  // namespace kinora
