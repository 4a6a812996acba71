#include "services/store/testing/core_fixture.h"

#include <utility>

#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

v1::AppendEventsRequest AppendTo(v1::LogKind kind) {
  v1::AppendEventsRequest request;
  request.mutable_log()->set_movie_id("film");
  request.mutable_log()->set_kind(kind);
  return request;
}

void SetText(absl::string_view text, v1::Content* content) {
  content->mutable_inline_()->set_mime_type("text/plain");
  content->mutable_inline_()->set_data(std::string(text));
}

}  // namespace

std::string HashOf(char c) { return std::string(64, c); }

v1::AppendEventsRequest InputEdit(absl::string_view input_id,
                                  absl::string_view text,
                                  absl::string_view revision) {
  v1::AppendEventsRequest request = AppendTo(v1::LOG_KIND_INPUTS);
  v1::Event& event = *request.add_events();
  event.set_revision(std::string(revision));
  event.mutable_input()->set_input_id(std::string(input_id));
  event.mutable_input()->set_edited_by(v1::EDITED_BY_USER);
  SetText(text, event.mutable_input()->mutable_content());
  return request;
}

v1::AppendEventsRequest ArtefactMade(absl::string_view artefact_id,
                                     char inputs_hash, absl::string_view text,
                                     const v1::LeaseToken& lease,
                                     absl::string_view run_id,
                                     absl::string_view revision) {
  v1::AppendEventsRequest request = AppendTo(v1::LOG_KIND_ARTEFACTS);
  *request.mutable_lease() = lease;
  v1::Event& event = *request.add_events();
  event.set_revision(std::string(revision));
  v1::ArtefactEvent& artefact = *event.mutable_artefact();
  artefact.set_artefact_id(std::string(artefact_id));
  artefact.set_inputs_hash(HashOf(inputs_hash));
  artefact.set_status(v1::ARTEFACT_STATUS_SUCCEEDED);
  SetText(text, artefact.mutable_output());
  artefact.mutable_produced_by()->set_run_id(std::string(run_id));
  artefact.mutable_produced_by()->set_node("Writer");
  artefact.mutable_produced_by()->mutable_producer()->set_name("writer");
  artefact.mutable_produced_by()->mutable_producer()->set_version("1");
  artefact.mutable_produced_by()->set_settings_hash(HashOf('e'));
  return request;
}

v1::CommitRevisionRequest CommitOf(const v1::LeaseToken& lease,
                                   absl::string_view run_id,
                                   absl::string_view revision,
                                   absl::string_view base_hash,
                                   int64_t inputs_through) {
  v1::CommitRevisionRequest request;
  request.set_movie_id("film");
  *request.mutable_lease() = lease;
  v1::RevisionSource& source = *request.mutable_source();
  source.set_run_id(std::string(run_id));
  source.set_target_revision(std::string(revision));
  source.set_base_manifest_hash(std::string(base_hash));
  source.set_inputs_through_sequence(inputs_through);
  return request;
}

void MakeFilm(Store store) {
  v1::CreateMovieRequest request;
  request.set_movie_id("film");
  request.set_blueprint("name: film\n");
  ASSERT_OK(store.movies.Create(request));
}

v1::LeaseToken TakeFilmLease(Store store, absl::string_view holder,
                             absl::string_view purpose) {
  v1::AcquireLeaseRequest request;
  request.set_lease_id("movie/film");
  request.set_holder(std::string(holder));
  request.set_purpose(std::string(purpose));
  request.mutable_ttl()->set_seconds(6);
  absl::StatusOr<v1::AcquireLeaseResponse> response =
      store.leases.Acquire(request);
  EXPECT_OK(response);
  return response.ok() ? response->lease().token() : v1::LeaseToken();
}

v1::BlobRef PutBlob(Store store, absl::string_view bytes,
                    absl::string_view mime_type) {
  v1::BatchWriteBlobsRequest request;
  request.set_movie_id("film");
  request.add_blobs()->set_data(std::string(bytes));
  absl::StatusOr<v1::BatchWriteBlobsResponse> response =
      store.blobs.BatchWrite(request);
  EXPECT_OK(response);
  v1::BlobRef blob;
  blob.set_mime_type(std::string(mime_type));
  if (response.ok()) *blob.mutable_digest() = response->results(0).digest();
  return blob;
}

v1::ManifestPointer CurrentOf(Store store) {
  v1::GetCurrentManifestRequest request;
  request.set_movie_id("film");
  absl::StatusOr<v1::GetCurrentManifestResponse> response =
      store.manifests.GetCurrent(request);
  EXPECT_OK(response);
  return response.ok() ? response->current() : v1::ManifestPointer();
}

std::string ManifestJson(Store store, absl::string_view revision) {
  v1::GetManifestRequest request;
  request.set_movie_id("film");
  request.set_revision(std::string(revision));
  absl::StatusOr<StoredManifest> manifest = store.manifests.Get(request);
  EXPECT_OK(manifest);
  return manifest.ok() ? manifest->json : "";
}

CoreFixture::CoreFixture() { Restart(); }

}  // namespace kinora
