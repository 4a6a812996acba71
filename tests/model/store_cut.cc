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
auto Read(StoreCut& cut, Call call)
    -> decltype(call(std::declval<const Store&>())) {
  if (cut.is_cut()) return StoreCut::Lost();
  return cut.base().Ask(call);
}

template <typename Call>
auto Change(StoreCut& cut, const std::string& what, Call call)
    -> decltype(call(std::declval<const Store&>())) {
  decltype(call(std::declval<const Store&>())) answer = StoreCut::Lost();
  const bool heard = cut.Change(what, [&] { answer = cut.base().Ask(call); });
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
  explicit Events(StoreCut& cut) : cut_(cut) {}

  Asked<v1::AppendEventsResponse> Append(
      const v1::AppendEventsRequest& request) override {
    return kinora::Change(cut_, Describe(request), [&](const Store& store) {
      Asked<v1::AppendEventsResponse> answer = store.events.Append(request);
      if (!answer.ok()) return answer;
      cut_.truth_.Appended(request, *answer);
      if (request.log().kind() == v1::LOG_KIND_LEDGER) cut_.on_ledger_();
      return answer;
    });
  }
  Asked<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest& request) override {
    return Read(cut_, [&](const Store& store) {
      return store.events.ReadPage(request);
    });
  }
  WaiterId NotifyAfter(const v1::LogName& log, int64_t after,
                       absl::AnyInvocable<void()> callback) override {
    return cut_.base().NotifyAfter(log, after, std::move(callback));
  }
  void CancelNotify(WaiterId id) override { cut_.base().CancelNotify(id); }
  Asked<v1::ResolveArtefactsResponse> ResolveArtefacts(
      const v1::ResolveArtefactsRequest& request) override {
    return Read(cut_, [&](const Store& store) {
      return store.events.ResolveArtefacts(request);
    });
  }
  Asked<v1::ListInputsResponse> ListInputs(
      const v1::ListInputsRequest& request) override {
    return Read(cut_, [&](const Store& store) {
      return store.events.ListInputs(request);
    });
  }
  Asked<v1::GetLogStatusResponse> GetLogStatus(
      const v1::GetLogStatusRequest& request) override {
    return Read(cut_, [&](const Store& store) {
      return store.events.GetLogStatus(request);
    });
  }

 private:
  StoreCut& cut_;
};

class StoreCut::Manifests final : public ManifestStore {
 public:
  explicit Manifests(StoreCut& cut) : cut_(cut) {}

  Asked<v1::GetCurrentManifestResponse> GetCurrent(
      const v1::GetCurrentManifestRequest& request) override {
    return kinora::Read(cut_, [&](const Store& store) {
      return store.manifests.GetCurrent(request);
    });
  }
  Asked<StoredManifest> Get(const v1::GetManifestRequest& request) override {
    return kinora::Read(
        cut_, [&](const Store& store) { return store.manifests.Get(request); });
  }
  Asked<v1::ManifestPointer> Read(
      const v1::GetManifestRequest& request,
      absl::FunctionRef<absl::Status(absl::string_view)> sink) override {
    return kinora::Read(cut_, [&](const Store& store) {
      return store.manifests.Read(request, sink);
    });
  }
  Asked<v1::ListManifestsResponse> List(
      const v1::ListManifestsRequest& request) override {
    return kinora::Read(cut_, [&](const Store& store) {
      return store.manifests.List(request);
    });
  }
  Asked<StoredManifest> Build(
      const v1::BuildManifestRequest& request) override {
    return kinora::Read(cut_, [&](const Store& store) {
      return store.manifests.Build(request);
    });
  }
  Asked<v1::PublishManifestResponse> Publish(
      const v1::PublishManifestHeader& header,
      absl::string_view json) override {
    return kinora::Change(cut_, "publish", [&](const Store& store) {
      return store.manifests.Publish(header, json);
    });
  }
  Asked<v1::CommitRevisionResponse> Commit(
      const v1::CommitRevisionRequest& request) override {
    return kinora::Change(cut_, "commit", [&](const Store& store) {
      return store.manifests.Commit(request);
    });
  }
  Asked<v1::RevertRevisionResponse> Revert(
      const v1::RevertRevisionRequest& request) override {
    return kinora::Change(cut_, "revert", [&](const Store& store) {
      return store.manifests.Revert(request);
    });
  }

 private:
  StoreCut& cut_;
};

class StoreCut::Plans final : public PlanStore {
 public:
  explicit Plans(StoreCut& cut) : cut_(cut) {}

  Asked<v1::SavePlanResponse> Save(const v1::SavePlanHeader& header,
                                   absl::string_view json) override {
    return kinora::Change(cut_, "save plan", [&](const Store& store) {
      return store.plans.Save(header, json);
    });
  }
  Asked<std::string> Load(const v1::LoadPlanRequest& request) override {
    return Read(cut_,
                [&](const Store& store) { return store.plans.Load(request); });
  }
  Asked<v1::SaveProgressResponse> SaveProgress(
      const v1::SaveProgressRequest& request) override {
    return kinora::Change(cut_, "save progress", [&](const Store& store) {
      return store.plans.SaveProgress(request);
    });
  }
  Asked<v1::LoadProgressResponse> LoadProgress(
      const v1::LoadProgressRequest& request) override {
    return Read(cut_, [&](const Store& store) {
      return store.plans.LoadProgress(request);
    });
  }

 private:
  StoreCut& cut_;
};

class StoreCut::Leases final : public LeaseStore {
 public:
  explicit Leases(StoreCut& cut) : cut_(cut) {}

  Asked<v1::AcquireLeaseResponse> Acquire(
      const v1::AcquireLeaseRequest& request) override {
    return kinora::Change(cut_, "acquire lease", [&](const Store& store) {
      return store.leases.Acquire(request);
    });
  }
  // Counted by nobody: it changes nothing that lasts.
  Asked<v1::RenewLeaseResponse> Renew(
      const v1::RenewLeaseRequest& request) override {
    return Read(
        cut_, [&](const Store& store) { return store.leases.Renew(request); });
  }
  Asked<v1::ReleaseLeaseResponse> Release(
      const v1::ReleaseLeaseRequest& request) override {
    return kinora::Change(cut_, "release lease", [&](const Store& store) {
      return store.leases.Release(request);
    });
  }
  Asked<v1::GetLeaseResponse> Get(const v1::GetLeaseRequest& request) override {
    return Read(cut_,
                [&](const Store& store) { return store.leases.Get(request); });
  }

 private:
  StoreCut& cut_;
};

class StoreCut::Runs final : public RunRecordStore {
 public:
  explicit Runs(StoreCut& cut) : cut_(cut) {}

  Asked<v1::PutRunRecordResponse> Put(
      const v1::PutRunRecordRequest& request) override {
    return kinora::Change(cut_, "put record", [&](const Store& store) {
      return store.runs.Put(request);
    });
  }
  Asked<v1::GetRunRecordResponse> Get(
      const v1::GetRunRecordRequest& request) override {
    return Read(cut_,
                [&](const Store& store) { return store.runs.Get(request); });
  }
  Asked<v1::ListRunRecordsResponse> List(
      const v1::ListRunRecordsRequest& request) override {
    return Read(cut_,
                [&](const Store& store) { return store.runs.List(request); });
  }

 private:
  StoreCut& cut_;
};

class StoreCut::Movies final : public MovieStore {
 public:
  explicit Movies(StoreCut& cut) : cut_(cut) {}

  Asked<v1::CreateMovieResponse> Create(
      const v1::CreateMovieRequest& request) override {
    return kinora::Change(cut_, "create movie", [&](const Store& store) {
      return store.movies.Create(request);
    });
  }
  Asked<v1::GetMovieResponse> Get(const v1::GetMovieRequest& request) override {
    return Read(cut_,
                [&](const Store& store) { return store.movies.Get(request); });
  }
  Asked<v1::ListMoviesResponse> List(
      const v1::ListMoviesRequest& request) override {
    return Read(cut_,
                [&](const Store& store) { return store.movies.List(request); });
  }
  Asked<v1::SetBlueprintResponse> SetBlueprint(
      const v1::SetBlueprintRequest& request) override {
    return kinora::Change(cut_, "set blueprint", [&](const Store& store) {
      return store.movies.SetBlueprint(request);
    });
  }
  Asked<v1::DeleteMovieResponse> Delete(
      const v1::DeleteMovieRequest& request) override {
    return kinora::Change(cut_, "delete movie", [&](const Store& store) {
      return store.movies.Delete(request);
    });
  }
  Asked<v1::SetMovieQuotaResponse> SetQuota(
      const v1::SetMovieQuotaRequest& request) override {
    return kinora::Change(cut_, "set quota", [&](const Store& store) {
      return store.movies.SetQuota(request);
    });
  }

 private:
  StoreCut& cut_;
};

// Providers write their outputs past the cut: what a runner reads.
class StoreCut::Blobs final : public BlobStore {
 public:
  explicit Blobs(StoreCut& cut) : cut_(cut) {}

  Asked<std::unique_ptr<BlobUpload>> StartUpload(
      const v1::WriteBlobHeader&) override {
    return absl::UnimplementedError("no runner uploads in pieces here");
  }
  absl::Status Read(const v1::ReadBlobRequest& request, Sink sink) override {
    return kinora::Read(cut_, [&](const Store& store) {
      return store.blobs.Read(request, sink);
    });
  }
  Asked<v1::BatchWriteBlobsResponse> BatchWrite(
      const v1::BatchWriteBlobsRequest& request) override {
    return kinora::Change(cut_, "write blobs", [&](const Store& store) {
      return store.blobs.BatchWrite(request);
    });
  }
  Asked<v1::BatchReadBlobsResponse> BatchRead(
      const v1::BatchReadBlobsRequest& request) override {
    return kinora::Read(cut_, [&](const Store& store) {
      return store.blobs.BatchRead(request);
    });
  }
  Asked<v1::FindMissingBlobsResponse> FindMissing(
      const v1::FindMissingBlobsRequest& request) override {
    return kinora::Read(cut_, [&](const Store& store) {
      return store.blobs.FindMissing(request);
    });
  }
  Asked<v1::StatBlobResponse> Stat(
      const v1::StatBlobRequest& request) override {
    return kinora::Read(
        cut_, [&](const Store& store) { return store.blobs.Stat(request); });
  }

 private:
  StoreCut& cut_;
};

StoreCut::StoreCut(ModelStore& base, MaintenanceStore& maintenance,
                   RunTruth& truth, std::optional<KillPoint> kill_point)
    : base_(base),
      maintenance_(maintenance),
      truth_(truth),
      kill_point_(kill_point),
      movies_(std::make_unique<Movies>(*this)),
      blobs_(std::make_unique<Blobs>(*this)),
      events_(std::make_unique<Events>(*this)),
      manifests_(std::make_unique<Manifests>(*this)),
      plans_(std::make_unique<Plans>(*this)),
      leases_(std::make_unique<Leases>(*this)),
      runs_(std::make_unique<Runs>(*this)) {}

StoreCut::~StoreCut() = default;

Store StoreCut::store() {
  return {*movies_, *blobs_,  *events_, *manifests_,
          *plans_,  *leases_, *runs_,   maintenance_};
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
  return !is_cut_;
}

}  // namespace kinora
