// The whole store through a channel: what a RemoteStore gives back is what the
// LocalStore behind the services has, errors with their reasons included.

#include "services/store/store_service.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpcpp/channel.h"
#include "gtest/gtest.h"

#include "clients/cpp/remote_store.h"
#include "common/digest.h"
#include "common/error_reason.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/rpc/unary.h"
#include "common/testing/fake_clock.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/threads/thread_pool.h"
#include "services/store/local_store.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StoreServiceTest : public ::testing::TestWithParam<Transport> {
 protected:
  Store store() { return remote_.store(); }
  Store local() { return local_->store(); }

  FakeClock clock_;
  SeededRandom random_{1};
  ThreadPool executor_{"store", 4};
  std::unique_ptr<LocalStore> local_ =
      LocalStore::Open({}, PosixFileSystem(), clock_, random_, executor_)
          .value();
  StoreServices services_{local_->store(), executor_, {}};
  InProcessServer server_{services_.services()};
  std::shared_ptr<grpc::Channel> channel_ = server_.Channel(GetParam());
  RemoteStore remote_{channel_};
};

INSTANTIATE_TEST_SUITE_P(All, StoreServiceTest,
                         ::testing::Values(Transport::kInProcess,
                                           Transport::kTcp),
                         TransportName);

TEST_P(StoreServiceTest, ARevisionIsMadeThroughTheChannel) {
  MakeFilm(store());
  const v1::LeaseToken lease = TakeFilmLease(store());
  ASSERT_OK(store().events.Append(InputEdit("Input:Topic", "sea")));
  v1::AppendEventsRequest image =
      ArtefactMade("Artifact:Image", 'b', "", lease);
  *image.mutable_events(0)
       ->mutable_artefact()
       ->mutable_output()
       ->mutable_blob() = PutBlob(store(), std::string(3'000'000, 'p'));
  ASSERT_OK(store().events.Append(image));
  ASSERT_OK_AND_ASSIGN(
      const v1::CommitRevisionResponse committed,
      store().manifests.Commit(CommitOf(lease, kRun1, "rev-0001", "", 2)));
  EXPECT_TRUE(committed.published());
  EXPECT_EQ(CurrentOf(store()).hash(), CurrentOf(local()).hash());
  EXPECT_EQ(CurrentOf(store()).hash(), committed.current().hash());
  EXPECT_EQ(ManifestJson(store()), ManifestJson(local()));
  v1::GetManifestRequest get;
  get.set_movie_id("film");
  std::string read;
  ASSERT_OK(store().manifests.Read(get, [&read](absl::string_view piece) {
    absl::StrAppend(&read, piece);
    return absl::OkStatus();
  }));
  EXPECT_EQ(read, ManifestJson(local()));
}

// The step-wise flow: every step is a call of its own. F: S1-61
TEST_P(StoreServiceTest, ARevisionIsBuiltAndThenPublishedThroughTheChannel) {
  MakeFilm(store());
  const v1::LeaseToken lease = TakeFilmLease(store());
  ASSERT_OK(
      store().events.Append(ArtefactMade("Artifact:Script", 'a', "x", lease)));
  v1::SaveProgressRequest progress;
  progress.set_movie_id("film");
  progress.set_target_revision("rev-0001");
  progress.mutable_progress()->set_plan_hash(HashOf('a'));
  progress.mutable_progress()->set_run_id(std::string(kRun1));
  progress.mutable_progress()->add_done_jobs_by_layer(1);
  *progress.mutable_lease() = lease;
  ASSERT_OK(store().plans.SaveProgress(progress));
  v1::LoadProgressRequest load;
  load.set_movie_id("film");
  load.set_target_revision("rev-0001");
  ASSERT_OK_AND_ASSIGN(const v1::LoadProgressResponse loaded,
                       store().plans.LoadProgress(load));
  EXPECT_EQ(loaded.progress().SerializeAsString(),
            progress.progress().SerializeAsString());

  v1::BuildManifestRequest build;
  build.set_movie_id("film");
  *build.mutable_source() = CommitOf(lease, kRun1, "rev-0001", "", 1).source();
  ASSERT_OK_AND_ASSIGN(const StoredManifest built,
                       store().manifests.Build(build));
  v1::PublishManifestHeader header;
  header.set_movie_id("film");
  *header.mutable_lease() = lease;
  ASSERT_OK_AND_ASSIGN(const v1::PublishManifestResponse published,
                       store().manifests.Publish(header, built.json));
  EXPECT_EQ(published.current().hash(), built.pointer.hash());
  EXPECT_EQ(ManifestJson(local()), built.json);

  v1::SetMovieQuotaRequest quota;
  quota.set_movie_id("film");
  quota.mutable_quota()->set_max_revisions(3);
  ASSERT_OK_AND_ASSIGN(const v1::SetMovieQuotaResponse limited,
                       store().movies.SetQuota(quota));
  EXPECT_EQ(limited.movie().quota().max_revisions(), 3);
}

TEST_P(StoreServiceTest, QueriesAnswerAsTheStoreItself) {
  MakeFilm(store());
  const v1::LeaseToken lease = TakeFilmLease(store());
  ASSERT_OK(store().events.Append(InputEdit("Input:Topic", "sea")));
  ASSERT_OK(
      store().events.Append(ArtefactMade("Artifact:Script", 'a', "x", lease)));

  v1::ListInputsRequest inputs;
  inputs.set_movie_id("film");
  EXPECT_EQ(store().events.ListInputs(inputs)->SerializeAsString(),
            local().events.ListInputs(inputs)->SerializeAsString());
  v1::ResolveArtefactsRequest resolve;
  resolve.set_movie_id("film");
  resolve.add_queries()->set_artefact_id("Artifact:Script");
  ASSERT_OK_AND_ASSIGN(const v1::ResolveArtefactsResponse resolved,
                       store().events.ResolveArtefacts(resolve));
  EXPECT_TRUE(resolved.artefacts(0).found());
  v1::GetLogStatusRequest status;
  status.mutable_log()->set_movie_id("film");
  status.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
  EXPECT_EQ(store().events.GetLogStatus(status)->last_sequence(), 2);
  v1::ListMoviesResponse movies = *store().movies.List({});
  ASSERT_EQ(movies.movies_size(), 1);
  EXPECT_EQ(movies.movies(0).movie_id(), "film");
  v1::GetLeaseRequest get;
  get.set_lease_id("movie/film");
  EXPECT_EQ(store().leases.Get(get)->lease().holder(), "runner-1");
}

// Bookmarks pass over what is left out, so that a reader comes to the end.
TEST_P(StoreServiceTest, AFollowerOfOneArtefactGetsItsEventsAndNoOthers) {
  MakeFilm(store());
  const v1::LeaseToken lease = TakeFilmLease(store());
  const auto make = [&](absl::string_view id, char key) {
    ASSERT_OK(store().events.Append(ArtefactMade(id, key, "x", lease)));
  };
  make("Artifact:Image", 'a');
  make("Artifact:Script", 'a');
  make("Artifact:Image", 'b');
  v1::ReadEventsRequest read;
  read.mutable_log()->set_movie_id("film");
  read.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  read.set_artefact_id("Artifact:Script");
  ASSERT_OK_AND_ASSIGN(const v1::ReadEventsResponse page,
                       store().events.ReadPage(read));
  ASSERT_EQ(page.events_size(), 1);
  EXPECT_EQ(page.events(0).sequence(), 2);
  EXPECT_EQ(page.bookmark().sequence(), 3);

  read.set_follow(true);
  read.set_limit(2);
  auto events = v1::EventService::NewStub(channel_);
  grpc::ClientContext context;
  SetTimeout(context, absl::Seconds(60));
  const auto reader = events->ReadEvents(&context, read);
  std::vector<int64_t> sequences;
  v1::ReadEventsResponse response;
  while (reader->Read(&response)) {
    for (const v1::Event& event : response.events()) {
      sequences.push_back(event.sequence());
      if (sequences.size() > 1) continue;
      make("Artifact:Image", 'c');
      make("Artifact:Script", 'b');
    }
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_THAT(sequences, ElementsAre(2, 5));
}

TEST_P(StoreServiceTest, ErrorsKeepTheirReasons) {
  v1::GetMovieRequest movie;
  movie.set_movie_id("none");
  const absl::Status missing = store().movies.Get(movie).status();
  EXPECT_THAT(missing, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(missing, local().movies.Get(movie).status());
  EXPECT_EQ(ReasonOf(missing), "MOVIE_NOT_FOUND");

  MakeFilm(store());
  TakeFilmLease(store(), "runner-1");
  v1::AcquireLeaseRequest acquire;
  acquire.set_lease_id("movie/film");
  acquire.set_holder("runner-2");
  acquire.mutable_ttl()->set_seconds(6);
  const absl::Status held = store().leases.Acquire(acquire).status();
  EXPECT_EQ(ReasonOf(held), "LEASE_HELD");
  EXPECT_EQ(MetadataOf(held)["holder"], "runner-1");

  v1::GetRunRecordRequest run;
  run.set_run_id(std::string(kRun1));
  EXPECT_EQ(ReasonOf(store().runs.Get(run).status()), "RUN_NOT_FOUND");
  v1::LoadPlanRequest plan;
  plan.set_movie_id("film");
  plan.set_plan_hash(HashOf('c'));
  EXPECT_EQ(ReasonOf(store().plans.Load(plan).status()), "PLAN_NOT_FOUND");
  v1::GetManifestRequest manifest;
  manifest.set_movie_id("film");
  manifest.set_revision("rev-0007");
  EXPECT_EQ(ReasonOf(store().manifests.Get(manifest).status()),
            "REVISION_NOT_FOUND");
}

// What a client in another language may get wrong.
TEST_P(StoreServiceTest, ADocumentHasOneHeaderBeforeItsBytes) {
  v1::SavePlanRequest header;
  header.mutable_header()->set_movie_id("film");
  v1::SavePlanRequest bytes;
  bytes.set_data("{}");
  auto stub = v1::PlanService::NewStub(channel_);
  const auto save = [&](const std::vector<v1::SavePlanRequest>& requests) {
    grpc::ClientContext context;
    SetTimeout(context, absl::Seconds(60));
    v1::SavePlanResponse response;
    auto writer = stub->SavePlan(&context, &response);
    for (const v1::SavePlanRequest& request : requests) writer->Write(request);
    writer->WritesDone();
    return FromGrpcStatus(writer->Finish());
  };
  const auto refused = [](absl::string_view why) {
    return StatusIs(absl::StatusCode::kInvalidArgument,
                    HasSubstr(absl::StrCat("header: must come ", why)));
  };
  EXPECT_THAT(save({}), refused("first"));
  EXPECT_THAT(save({bytes, header}), refused("first"));
  EXPECT_THAT(save({header, bytes, header}), refused("once"));
}

TEST_P(StoreServiceTest, AnUploadWithAnotherDigestIsRefused) {
  MakeFilm(store());
  v1::WriteBlobHeader header;
  header.set_movie_id("film");
  header.mutable_expected_digest()->set_hash(HashOf('d'));
  ASSERT_OK_AND_ASSIGN(auto upload, store().blobs.StartUpload(header));
  ASSERT_OK(upload->Append("other bytes"));
  EXPECT_EQ(ReasonOf(upload->Finish().status()), "DIGEST_MISMATCH");
}

// Every way of asking, though nobody has written it.
TEST_P(StoreServiceTest, TheEmptyBlobIsThere) {
  MakeFilm(store());
  BlobStore& blobs = store().blobs;
  v1::Digest empty;
  empty.set_hash(kEmptyDigest.Hex());

  v1::StatBlobRequest stat;
  stat.set_movie_id("film");
  *stat.mutable_digest() = empty;
  ASSERT_OK_AND_ASSIGN(const v1::StatBlobResponse found, blobs.Stat(stat));
  EXPECT_EQ(found.digest().size_bytes(), 0);
  v1::FindMissingBlobsRequest missing;
  missing.set_movie_id("film");
  *missing.add_digests() = empty;
  EXPECT_EQ(blobs.FindMissing(missing)->missing_size(), 0);

  v1::ReadBlobRequest read;
  read.set_movie_id("film");
  *read.mutable_digest() = empty;
  read.set_verify(true);
  EXPECT_OK(blobs.Read(read, [](absl::string_view) {
    return absl::InternalError("there are no bytes");
  }));
  v1::BatchReadBlobsRequest batch;
  batch.set_movie_id("film");
  *batch.add_digests() = empty;
  ASSERT_OK_AND_ASSIGN(const v1::BatchReadBlobsResponse several,
                       blobs.BatchRead(batch));
  EXPECT_EQ(several.results(0).code(), 0);
  EXPECT_EQ(several.results(0).data(), "");

  v1::WriteBlobHeader header;
  header.set_movie_id("film");
  *header.mutable_expected_digest() = empty;
  ASSERT_OK_AND_ASSIGN(auto upload, blobs.StartUpload(header));
  ASSERT_OK_AND_ASSIGN(const v1::WriteBlobResponse written, upload->Finish());
  EXPECT_TRUE(written.existed());
}

// What the server says it takes in one batch it takes, and gives back.
TEST_P(StoreServiceTest, ABatchMayBeAsLargeAsTheServerSays) {
  MakeFilm(store());
  auto stub = v1::BlobService::NewStub(channel_);
  ASSERT_OK_AND_ASSIGN(
      const v1::GetCapabilitiesResponse limits,
      CallUnary(*stub, &v1::BlobService::Stub::GetCapabilities,
                v1::GetCapabilitiesRequest(), absl::Seconds(60)));
  v1::BatchWriteBlobsRequest write;
  write.set_movie_id("film");
  const size_t half = static_cast<size_t>(limits.max_batch_bytes() / 2);
  write.add_blobs()->set_data(std::string(half, 'a'));
  write.add_blobs()->set_data(std::string(half, 'b'));
  ASSERT_OK_AND_ASSIGN(const v1::BatchWriteBlobsResponse written,
                       store().blobs.BatchWrite(write));
  v1::BatchReadBlobsRequest read;
  read.set_movie_id("film");
  for (const v1::BatchBlobResult& result : written.results()) {
    *read.add_digests() = result.digest();
  }
  ASSERT_OK_AND_ASSIGN(const v1::BatchReadBlobsResponse stored,
                       store().blobs.BatchRead(read));
  EXPECT_TRUE(stored.results(1).data() == write.blobs(1).data());

  write.add_blobs()->set_data("c");
  EXPECT_THAT(store().blobs.BatchWrite(write),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr(absl::StrCat("blobs: a batch holds at most ",
                                              limits.max_batch_bytes()))));
}

TEST_P(StoreServiceTest, TheServerSaysWhatItIs) {
  auto blobs = v1::BlobService::NewStub(channel_);
  ASSERT_OK_AND_ASSIGN(
      const v1::GetCapabilitiesResponse capabilities,
      CallUnary(*blobs, &v1::BlobService::Stub::GetCapabilities,
                v1::GetCapabilitiesRequest(), absl::Seconds(60)));
  EXPECT_EQ(capabilities.inline_limit_bytes(), 4096);
  EXPECT_THAT(capabilities.api_versions(), ElementsAre("v1"));

  auto maintenance = v1::MaintenanceService::NewStub(channel_);
  using Stub = v1::MaintenanceService::Stub;
  ASSERT_OK_AND_ASSIGN(
      const v1::GetServerInfoResponse info,
      CallUnary(*maintenance, &Stub::GetServerInfo, v1::GetServerInfoRequest(),
                absl::Seconds(60)));
  EXPECT_FALSE(info.version().empty());
}

}  // namespace
}  // namespace kinora
