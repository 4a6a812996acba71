#include "tests/model/store_cut.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"

namespace kinora {
namespace {

template <typename Answer>
using Asked = absl::StatusOr<Answer>;

// Reads pass as long as the runner lives.
template <typename Call>
auto Read(const StoreCut& cut, Call call) -> decltype(call()) {
  if (cut.is_cut()) return StoreCut::Lost();
  return call();
}

template <typename Call>
auto Change(StoreCut& cut, const std::string& what, Call call)
    -> decltype(call()) {
  decltype(call()) answer = StoreCut::Lost();
  const bool heard = cut.Change(what, [&] { answer = call(); });
  if (!heard) return StoreCut::Lost();
  return answer;
}

std::string Describe(const v1::AppendEventsRequest& request) {
  std::string what = "append";
  for (const v1::Event& event : request.events()) {
    const v1::LedgerEvent& ledger = event.ledger();
    if (event.has_artefact()) {
      absl::StrAppend(&what, " ", event.artefact().artefact_id());
    } else if (ledger.has_step_started()) {
      absl::StrAppend(&what,
                      " started:", ledger.step_started().step().step_id());
    } else if (ledger.has_step_completed()) {
      absl::StrAppend(&what,
                      " completed:", ledger.step_completed().step().step_id());
    } else if (ledger.has_job()) {
      absl::StrAppend(&what, " ", ledger.job().type(), ":",
                      ledger.job().job_id());
    } else {
      absl::StrAppend(&what, " event ", static_cast<int>(ledger.kind_case()));
    }
  }
  return what;
}

}  // namespace

class StoreCut::Events final : public EventStore {
 public:
  Events(StoreCut& cut, EventStore& base) : cut_(cut), base_(base) {}

  Asked<v1::AppendEventsResponse> Append(
      const v1::AppendEventsRequest& request) override {
    return kinora::Change(cut_, Describe(request), [&] {
      Asked<v1::AppendEventsResponse> answer = base_.Append(request);
      if (answer.ok()) cut_.truth_.Appended(request);
      return answer;
    });
  }
  Asked<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest& request) override {
    return Read(cut_, [&] { return base_.ReadPage(request); });
  }
  WaiterId NotifyAfter(const v1::LogName& log, int64_t after,
                       absl::AnyInvocable<void()> callback) override {
    return base_.NotifyAfter(log, after, std::move(callback));
  }
  void CancelNotify(WaiterId id) override { base_.CancelNotify(id); }
  Asked<v1::ResolveArtefactsResponse> ResolveArtefacts(
      const v1::ResolveArtefactsRequest& request) override {
    return Read(cut_, [&] { return base_.ResolveArtefacts(request); });
  }
  Asked<v1::ListInputsResponse> ListInputs(
      const v1::ListInputsRequest& request) override {
    return Read(cut_, [&] { return base_.ListInputs(request); });
  }
  Asked<v1::GetLogStatusResponse> GetLogStatus(
      const v1::GetLogStatusRequest& request) override {
    return Read(cut_, [&] { return base_.GetLogStatus(request); });
  }

 private:
  StoreCut& cut_;
  EventStore& base_;
};

class StoreCut::Manifests final : public ManifestStore {
 public:
  Manifests(StoreCut& cut, ManifestStore& base) : cut_(cut), base_(base) {}

  Asked<v1::GetCurrentManifestResponse> GetCurrent(
      const v1::GetCurrentManifestRequest& request) override {
    return kinora::Read(cut_, [&] { return base_.GetCurrent(request); });
  }
  Asked<StoredManifest> Get(const v1::GetManifestRequest& request) override {
    return kinora::Read(cut_, [&] { return base_.Get(request); });
  }
  Asked<v1::ManifestPointer> Read(
      const v1::GetManifestRequest& request,
      absl::FunctionRef<absl::Status(absl::string_view)> sink) override {
    return kinora::Read(cut_, [&] { return base_.Read(request, sink); });
  }
  Asked<v1::ListManifestsResponse> List(
      const v1::ListManifestsRequest& request) override {
    return kinora::Read(cut_, [&] { return base_.List(request); });
  }
  Asked<StoredManifest> Build(
      const v1::BuildManifestRequest& request) override {
    return kinora::Read(cut_, [&] { return base_.Build(request); });
  }
  Asked<v1::PublishManifestResponse> Publish(
      const v1::PublishManifestHeader& header,
      absl::string_view json) override {
    return kinora::Change(cut_, "publish",
                          [&] { return base_.Publish(header, json); });
  }
  Asked<v1::CommitRevisionResponse> Commit(
      const v1::CommitRevisionRequest& request) override {
    return kinora::Change(cut_, "commit",
                          [&] { return base_.Commit(request); });
  }
  Asked<v1::RevertRevisionResponse> Revert(
      const v1::RevertRevisionRequest& request) override {
    return kinora::Change(cut_, "revert",
                          [&] { return base_.Revert(request); });
  }

 private:
  StoreCut& cut_;
  ManifestStore& base_;
};

class StoreCut::Plans final : public PlanStore {
 public:
  Plans(StoreCut& cut, PlanStore& base) : cut_(cut), base_(base) {}

  Asked<v1::SavePlanResponse> Save(const v1::SavePlanHeader& header,
                                   absl::string_view json) override {
    return kinora::Change(cut_, "save plan",
                          [&] { return base_.Save(header, json); });
  }
  Asked<std::string> Load(const v1::LoadPlanRequest& request) override {
    return Read(cut_, [&] { return base_.Load(request); });
  }
  Asked<v1::SaveProgressResponse> SaveProgress(
      const v1::SaveProgressRequest& request) override {
    return kinora::Change(cut_, "save progress",
                          [&] { return base_.SaveProgress(request); });
  }
  Asked<v1::LoadProgressResponse> LoadProgress(
      const v1::LoadProgressRequest& request) override {
    return Read(cut_, [&] { return base_.LoadProgress(request); });
  }

 private:
  StoreCut& cut_;
  PlanStore& base_;
};

class StoreCut::Leases final : public LeaseStore {
 public:
  Leases(StoreCut& cut, LeaseStore& base) : cut_(cut), base_(base) {}

  Asked<v1::AcquireLeaseResponse> Acquire(
      const v1::AcquireLeaseRequest& request) override {
    return kinora::Change(cut_, "acquire lease",
                          [&] { return base_.Acquire(request); });
  }
  // Counted by nobody: it changes nothing that lasts.
  Asked<v1::RenewLeaseResponse> Renew(
      const v1::RenewLeaseRequest& request) override {
    return Read(cut_, [&] { return base_.Renew(request); });
  }
  Asked<v1::ReleaseLeaseResponse> Release(
      const v1::ReleaseLeaseRequest& request) override {
    return kinora::Change(cut_, "release lease",
                          [&] { return base_.Release(request); });
  }
  Asked<v1::GetLeaseResponse> Get(const v1::GetLeaseRequest& request) override {
    return Read(cut_, [&] { return base_.Get(request); });
  }

 private:
  StoreCut& cut_;
  LeaseStore& base_;
};

class StoreCut::Runs final : public RunRecordStore {
 public:
  Runs(StoreCut& cut, RunRecordStore& base) : cut_(cut), base_(base) {}

  Asked<v1::PutRunRecordResponse> Put(
      const v1::PutRunRecordRequest& request) override {
    return kinora::Change(cut_, "put record",
                          [&] { return base_.Put(request); });
  }
  Asked<v1::GetRunRecordResponse> Get(
      const v1::GetRunRecordRequest& request) override {
    return Read(cut_, [&] { return base_.Get(request); });
  }
  Asked<v1::ListRunRecordsResponse> List(
      const v1::ListRunRecordsRequest& request) override {
    return Read(cut_, [&] { return base_.List(request); });
  }

 private:
  StoreCut& cut_;
  RunRecordStore& base_;
};

StoreCut::StoreCut(const Store& base, RunTruth& truth,
                   std::optional<KillPoint> kill_point)
    : base_(base),
      truth_(truth),
      kill_point_(kill_point),
      events_(std::make_unique<Events>(*this, base.events)),
      manifests_(std::make_unique<Manifests>(*this, base.manifests)),
      plans_(std::make_unique<Plans>(*this, base.plans)),
      leases_(std::make_unique<Leases>(*this, base.leases)),
      runs_(std::make_unique<Runs>(*this, base.runs)) {}

StoreCut::~StoreCut() = default;

Store StoreCut::store() {
  return {base_.movies, base_.blobs, *events_, *manifests_,
          *plans_,      *leases_,    *runs_,   base_.maintenance};
}

absl::Status StoreCut::Lost() {
  return WithReason(absl::AbortedError("the runner was killed"), "LEASE_LOST");
}

bool StoreCut::Change(const std::string& what, absl::FunctionRef<void()> make) {
  if (is_cut_) return false;
  const bool is_last =
      kill_point_.has_value() &&
      static_cast<size_t>(kill_point_->change) == changes_.size();
  changes_.push_back(what);
  is_cut_ = is_last;
  if (!is_last || kill_point_->is_made) make();
  return !is_last;
}

}  // namespace kinora
