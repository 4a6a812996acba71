// A film with runs that publish and runs that do not, which are exported.

#ifndef KINORA_SERVICES_STORE_BACKUP_RUN_SCOPE_FIXTURE_H_
#define KINORA_SERVICES_STORE_BACKUP_RUN_SCOPE_FIXTURE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#include "common/json/proto_json.h"
#include "common/testing/status_matchers.h"
#include "kinora/v1/plan.pb.h"
#include "services/store/backup/movie_backup_fixture.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/movie_story.h"

namespace kinora {

class RunScopeTest : public MovieBackupTest {
 protected:
  absl::StatusOr<std::string> Export(const std::string& run_id) {
    v1::BackUpMovieRequest request;
    request.set_movie_id("film");
    request.set_run_id(run_id);
    std::string copy;
    const absl::Status status =
        store().maintenance.BackUpMovie(request, [&](absl::string_view bytes) {
          absl::StrAppend(&copy, bytes);
          return absl::OkStatus();
        });
    if (!status.ok()) return status;
    return copy;
  }

  // A run on the current revision that makes one image, `pixels N`, and
  // publishes nothing. Its record says `status`; its ledger has begun.
  void TellRunWithoutRevision(int number, v1::RunStatus status) {
    const std::string run_id = StoryRunId(number);
    const v1::LeaseToken lease = TakeFilmLease(store(), "runner-1", run_id);
    v1::Plan plan;
    plan.set_format_version(1);
    plan.set_movie_id("film");
    plan.set_target_revision("rev-0002");
    plan.set_base_revision("rev-0001");
    plan.set_manifest_base_hash(CurrentOf(store()).hash());
    plan.set_inputs_through_sequence(InputsEnd());
    v1::SavePlanHeader header;
    header.set_movie_id("film");
    ASSERT_OK_AND_ASSIGN(const v1::SavePlanResponse saved,
                         store().plans.Save(header, CanonicalBytes(plan)));
    v1::PutRunRecordRequest put;
    *put.mutable_lease() = lease;
    v1::RunRecord& record = *put.mutable_record();
    record.set_run_id(run_id);
    record.set_movie_id("film");
    record.set_plan_hash(saved.plan_hash());
    record.set_target_revision("rev-0002");
    record.set_manifest_base_hash(plan.manifest_base_hash());
    record.set_status(status);
    ASSERT_OK(store().runs.Put(put));
    v1::LedgerEvent started;
    started.mutable_run_started();
    Tell(number, lease, started);
    v1::AppendEventsRequest image =
        ArtefactMade("Artifact:Image", static_cast<char>('0' + number), "",
                     lease, run_id, "rev-0002");
    *image.mutable_events(0)
         ->mutable_artefact()
         ->mutable_output()
         ->mutable_blob() = PutBlob(store(), absl::StrCat("pixels ", number));
    ASSERT_OK(store().events.Append(image));
    v1::ReleaseLeaseRequest release;
    *release.mutable_token() = lease;
    ASSERT_OK(store().leases.Release(release));
  }

  // One line more in a run's ledger.
  void Tell(int number, const v1::LeaseToken& lease,
            const v1::LedgerEvent& event) {
    v1::AppendEventsRequest ledger;
    *ledger.mutable_lease() = lease;
    ledger.mutable_log()->set_movie_id("film");
    ledger.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
    ledger.mutable_log()->set_run_id(StoryRunId(number));
    v1::LedgerEvent& told = *ledger.add_events()->mutable_ledger();
    told = event;
    told.set_run_id(StoryRunId(number));
    told.set_occurred_at_ms(number);
    ASSERT_OK(store().events.Append(ledger));
  }

  int64_t InputsEnd() {
    v1::GetLogStatusRequest request;
    request.mutable_log()->set_movie_id("film");
    request.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
    return store().events.GetLogStatus(request)->last_sequence();
  }

  static v1::RunRecord RecordIn(Store store, int number) {
    v1::GetRunRecordRequest get;
    get.set_run_id(StoryRunId(number));
    const absl::StatusOr<v1::GetRunRecordResponse> found = store.runs.Get(get);
    EXPECT_OK(found);
    return found.ok() ? found->record() : v1::RunRecord();
  }

  static std::vector<v1::LedgerEvent> LedgerIn(Store store, int number) {
    v1::ReadEventsRequest read;
    read.mutable_log()->set_movie_id("film");
    read.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
    read.mutable_log()->set_run_id(StoryRunId(number));
    const absl::StatusOr<v1::ReadEventsResponse> page =
        store.events.ReadPage(read);
    EXPECT_OK(page);
    std::vector<v1::LedgerEvent> events;
    if (!page.ok()) return events;
    for (const v1::Event& event : page->events()) {
      events.push_back(event.ledger());
    }
    return events;
  }
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_RUN_SCOPE_FIXTURE_H_
