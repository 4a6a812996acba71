// What tests of a LogEventStore share: a film, its lease, and short ways to
// append and to read.

#ifndef KINORA_SERVICES_STORE_EVENT_LOG_EVENT_STORE_FIXTURE_H_
#define KINORA_SERVICES_STORE_EVENT_LOG_EVENT_STORE_FIXTURE_H_

#include <string>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/log_event_store.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {

class LogEventStoreTest : public CoreFixture {
 protected:
  void SetUp() override {
    MakeFilm(store());
    lease_ = TakeFilmLease(store());
  }

  absl::StatusOr<v1::AppendEventsResponse> Append(
      const v1::AppendEventsRequest& request) {
    return core().events.Append(request);
  }

  // rev-0001, with the inputs as they are.
  void Publish() {
    ASSERT_OK(Append(ArtefactMade("Artifact:Script", 'a', "script", lease_)));
    ASSERT_OK(core().manifests.Commit(
        CommitOf(lease_, kRun1, "rev-0001", "",
                 Page(v1::LOG_KIND_INPUTS).bookmark().sequence())));
  }

  v1::ReadEventsResponse Page(v1::LogKind kind, int64_t after = 0,
                              absl::string_view since = "") {
    v1::ReadEventsRequest request;
    request.mutable_log()->set_movie_id("film");
    request.mutable_log()->set_kind(kind);
    request.set_after_sequence(after);
    request.set_since_revision(std::string(since));
    absl::StatusOr<v1::ReadEventsResponse> page =
        core().events.ReadPage(request);
    EXPECT_OK(page);
    return page.ok() ? *page : v1::ReadEventsResponse();
  }

  // The text that the artefact resolves to; "-" if to nothing.
  std::string Resolved(absl::string_view id, absl::string_view hash = "") {
    v1::ResolveArtefactsRequest request;
    request.set_movie_id("film");
    v1::ArtefactQuery& query = *request.add_queries();
    query.set_artefact_id(std::string(id));
    query.set_inputs_hash(std::string(hash));
    absl::StatusOr<v1::ResolveArtefactsResponse> response =
        core().events.ResolveArtefacts(request);
    EXPECT_OK(response);
    if (!response.ok() || !response->artefacts(0).found()) return "-";
    return response->artefacts(0).event().artefact().output().inline_().data();
  }

  // An attempt at the artefact that failed, or one that succeeded.
  void Attempt(const std::string& id, bool succeeds,
               absl::string_view revision = "rev-0001") {
    v1::AppendEventsRequest request =
        ArtefactMade(id, 'a', "text", lease_, kRun1, revision);
    if (!succeeds) {
      v1::ArtefactEvent& artefact =
          *request.mutable_events(0)->mutable_artefact();
      artefact.clear_output();
      artefact.set_status(v1::ARTEFACT_STATUS_FAILED);
      artefact.mutable_failure()->set_message("refused");
      artefact.mutable_failure()->set_reason(v1::FAILURE_REASON_PRODUCER_ERROR);
    }
    ASSERT_OK(Append(request));
  }

  static v1::ReadEventsRequest AttemptsAt(const std::string& id) {
    v1::ReadEventsRequest request;
    request.mutable_log()->set_movie_id("film");
    request.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
    request.set_artefact_id(id);
    return request;
  }

  // The sequences of a page, and after a "|" its bookmark.
  std::string ReadOf(const v1::ReadEventsRequest& request) {
    const auto page = core().events.ReadPage(request);
    if (!page.ok()) return ReasonOf(page.status());
    std::string read;
    for (const v1::Event& event : page->events()) {
      absl::StrAppend(&read, event.sequence(), " ");
    }
    return absl::StrCat(read, "| ", page->bookmark().sequence());
  }

  v1::LeaseToken lease_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_LOG_EVENT_STORE_FIXTURE_H_
