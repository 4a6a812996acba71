#include "services/store/testing/movie_story.h"

#include "absl/strings/str_cat.h"

#include "common/json/proto_json.h"
#include "common/testing/status_matchers.h"
#include "kinora/v1/plan.pb.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

void AppendBlob(Store store, absl::string_view id, char key,
                absl::string_view bytes, absl::string_view mime_type,
                const v1::LeaseToken& lease, absl::string_view run_id,
                absl::string_view revision) {
  v1::AppendEventsRequest request =
      ArtefactMade(id, key, "", lease, run_id, revision);
  *request.mutable_events(0)
       ->mutable_artefact()
       ->mutable_output()
       ->mutable_blob() = PutBlob(store, bytes, mime_type);
  ASSERT_OK(store.events.Append(request));
}

}  // namespace

std::string StoryRunId(int number) {
  return absl::StrCat("run-01KDV3N3C0000000000000000", number);
}

void TellRevision(Store store, int number) {
  const std::string run_id = StoryRunId(number);
  const std::string revision = absl::StrCat("rev-000", number);
  const v1::LeaseToken lease = TakeFilmLease(store, "runner-1", run_id);
  const char key = static_cast<char>('0' + number);
  ASSERT_OK(store.events.Append(
      InputEdit("Input:Topic", absl::StrCat("sea ", number), revision)));

  v1::Plan plan;
  plan.set_format_version(1);
  plan.set_movie_id("film");
  plan.set_target_revision(revision);
  v1::SavePlanHeader header;
  header.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(const v1::SavePlanResponse saved,
                       store.plans.Save(header, CanonicalBytes(plan)));
  v1::PutRunRecordRequest put;
  *put.mutable_lease() = lease;
  v1::RunRecord& record = *put.mutable_record();
  record.set_run_id(run_id);
  record.set_movie_id("film");
  record.set_plan_hash(saved.plan_hash());
  record.set_target_revision(revision);
  record.set_status(v1::RUN_STATUS_COMPLETED);
  ASSERT_OK(store.runs.Put(put));
  v1::AppendEventsRequest ledger;
  *ledger.mutable_lease() = lease;
  ledger.mutable_log()->set_movie_id("film");
  ledger.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
  ledger.mutable_log()->set_run_id(run_id);
  v1::LedgerEvent& event = *ledger.add_events()->mutable_ledger();
  event.set_run_id(run_id);
  event.set_occurred_at_ms(number);
  event.mutable_run_started();
  ASSERT_OK(store.events.Append(ledger));

  v1::AppendEventsRequest text =
      ArtefactMade("Artifact:Script", key, absl::StrCat("script ", number),
                   lease, run_id, revision);
  text.mutable_events(0)->mutable_artefact()->set_readable_path("script.txt");
  ASSERT_OK(store.events.Append(text));
  AppendBlob(store, "Artifact:Book", key,
             std::string(5000, static_cast<char>('a' + number)), "text/plain",
             lease, run_id, revision);
  AppendBlob(store, "Artifact:Image", key, absl::StrCat("pixels ", number),
             "image/png", lease, run_id, revision);

  v1::ListInputsRequest inputs;
  inputs.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(const v1::ListInputsResponse listed,
                       store.events.ListInputs(inputs));
  ASSERT_OK_AND_ASSIGN(const v1::CommitRevisionResponse committed,
                       store.manifests.Commit(CommitOf(
                           lease, run_id, revision, CurrentOf(store).hash(),
                           listed.through_sequence())));
  ASSERT_TRUE(committed.published());
  v1::ReleaseLeaseRequest release;
  *release.mutable_token() = lease;
  ASSERT_OK(store.leases.Release(release));
}

void TellMovieStory(Store store, int revisions) {
  MakeFilm(store);
  for (int i = 1; i <= revisions; ++i) TellRevision(store, i);
}

}  // namespace kinora
