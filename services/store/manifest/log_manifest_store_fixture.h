// What tests of a LogManifestStore share: a film, its lease, and revisions of
// it.

#ifndef KINORA_SERVICES_STORE_MANIFEST_LOG_MANIFEST_STORE_FIXTURE_H_
#define KINORA_SERVICES_STORE_MANIFEST_LOG_MANIFEST_STORE_FIXTURE_H_

#include "common/testing/status_matchers.h"
#include "services/store/manifest/log_manifest_store.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {

class LogManifestStoreTest : public CoreFixture {
 protected:
  void SetUp() override {
    MakeFilm(store());
    lease_ = TakeFilmLease(store());
  }

  void Make(absl::string_view id, char hash, absl::string_view text,
            absl::string_view run_id = kRun1) {
    ASSERT_OK(
        core().events.Append(ArtefactMade(id, hash, text, lease_, run_id)));
  }

  absl::StatusOr<v1::CommitRevisionResponse> Commit(
      const v1::CommitRevisionRequest& request) {
    return core().manifests.Commit(request);
  }

  // rev-0001 with one artefact.
  v1::ManifestPointer CommitFirst() {
    Make("Artifact:Script", 'a', "one");
    absl::StatusOr<v1::CommitRevisionResponse> response =
        Commit(CommitOf(lease_, kRun1, "rev-0001", "", 1));
    EXPECT_OK(response);
    return response.ok() ? response->current() : v1::ManifestPointer();
  }

  v1::LeaseToken lease_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MANIFEST_LOG_MANIFEST_STORE_FIXTURE_H_
