// Revisions that are built first, and published later.

#include <string>
#include <vector>

#include "common/error_reason.h"
#include "common/json/json.h"
#include "common/testing/status_matchers.h"
#include "services/store/manifest/log_manifest_store.h"
#include "services/store/manifest/log_manifest_store_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

v1::BuildManifestRequest BuildOf(const v1::RevisionSource& source) {
  v1::BuildManifestRequest request;
  request.set_movie_id("film");
  *request.mutable_source() = source;
  return request;
}

v1::PublishManifestHeader HeaderOf(const v1::LeaseToken& lease,
                                   absl::string_view previous_hash) {
  v1::PublishManifestHeader header;
  header.set_movie_id("film");
  header.set_previous_hash(std::string(previous_hash));
  *header.mutable_lease() = lease;
  return header;
}

// F: S1-48, S1-61
TEST_F(LogManifestStoreTest, BuildingGivesWhatACommitWouldAndWritesNothing) {
  Make("Artifact:Script", 'a', "one");
  const v1::CommitRevisionRequest request =
      CommitOf(lease_, kRun1, "rev-0001", "", 1);
  ASSERT_OK_AND_ASSIGN(const StoredManifest built,
                       core().manifests.Build(BuildOf(request.source())));
  EXPECT_EQ(built.pointer.revision(), "rev-0001");
  EXPECT_EQ(CurrentOf(store()).revision(), "");
  ASSERT_OK_AND_ASSIGN(const v1::CommitRevisionResponse committed,
                       Commit(request));
  EXPECT_EQ(committed.current().hash(), built.pointer.hash());
  EXPECT_EQ(ManifestJson(store()), built.json);
  // Also afterwards, when the base is not the last revision any more.
  ASSERT_OK_AND_ASSIGN(const StoredManifest again,
                       core().manifests.Build(BuildOf(request.source())));
  EXPECT_EQ(again.json, built.json);
  v1::RevisionSource unknown = request.source();
  unknown.set_base_manifest_hash(HashOf('9'));
  EXPECT_EQ(ReasonOf(core().manifests.Build(BuildOf(unknown)).status()),
            "BASE_CHANGED");
}

// F: S1-40, S1-41, S1-48
TEST_F(LogManifestStoreTest, WhatWasBuiltIsPublishedAsACommitIs) {
  ASSERT_OK(core().events.Append(InputEdit("Input:Topic", "sea")));
  Make("Artifact:Script", 'a', "one");
  const v1::RevisionSource source =
      CommitOf(lease_, kRun1, "rev-0001", "", 2).source();
  ASSERT_OK_AND_ASSIGN(const StoredManifest built,
                       core().manifests.Build(BuildOf(source)));
  ASSERT_OK_AND_ASSIGN(
      const v1::PublishManifestResponse published,
      core().manifests.Publish(HeaderOf(lease_, ""), built.json));
  EXPECT_EQ(published.current().hash(), built.pointer.hash());
  EXPECT_EQ(CurrentOf(store()).hash(), built.pointer.hash());
  // Lost and rebuilt, it has the same bytes: the logs decide.
  ASSERT_OK(storage_.Delete("builds/film/manifests/rev-0001.json"));
  EXPECT_EQ(ManifestJson(store()), built.json);
  EXPECT_THAT(core().manifests.Rebuild("film", "rev-0001"),
              IsOkAndHolds(built.json));
  // Again, it is current already.
  ASSERT_OK_AND_ASSIGN(
      const v1::PublishManifestResponse again,
      core().manifests.Publish(HeaderOf(lease_, ""), built.json));
  EXPECT_EQ(again.current().hash(), built.pointer.hash());
}

TEST_F(LogManifestStoreTest, TheInputsOfAPublicationAreFoundInTheLog) {
  const v1::ManifestPointer first = CommitFirst();
  const v1::LeaseToken second = [&] {
    v1::ReleaseLeaseRequest release;
    *release.mutable_token() = lease_;
    EXPECT_OK(store().leases.Release(release));
    return TakeFilmLease(store(), "runner-1", kRun2);
  }();
  for (const char* topic : {"sea", "land", "sea", "sky"}) {
    ASSERT_OK(
        core().events.Append(InputEdit("Input:Topic", topic, "rev-0002")));
  }
  v1::RevisionSource source =
      CommitOf(second, kRun2, "rev-0002", first.hash(), 4).source();
  source.add_removed_artefact_ids("Artifact:Script");
  ASSERT_OK_AND_ASSIGN(const StoredManifest built,
                       core().manifests.Build(BuildOf(source)));
  ASSERT_OK(
      core().manifests.Publish(HeaderOf(second, first.hash()), built.json));
  EXPECT_EQ(ManifestJson(store(), "rev-0002"), built.json);
  // What was edited after that moment is not in a revision yet.
  ASSERT_OK_AND_ASSIGN(const std::vector<EventPtr> commits,
                       core().events.Commits("film"));
  EXPECT_EQ(commits.back()->revision_committed().inputs_through_sequence(), 4);
}

TEST_F(LogManifestStoreTest, APublicationIsHeldToTheQuota) {
  const v1::ManifestPointer first = CommitFirst();
  v1::SetMovieQuotaRequest quota;
  quota.set_movie_id("film");
  quota.mutable_quota()->set_max_revisions(1);
  ASSERT_OK(store().movies.SetQuota(quota));
  v1::ReleaseLeaseRequest release;
  *release.mutable_token() = lease_;
  ASSERT_OK(store().leases.Release(release));
  const v1::LeaseToken second = TakeFilmLease(store(), "runner-1", kRun2);
  ASSERT_OK(core().events.Append(InputEdit("Input:Topic", "sky", "rev-0002")));
  const v1::RevisionSource source =
      CommitOf(second, kRun2, "rev-0002", first.hash(), 2).source();
  ASSERT_OK_AND_ASSIGN(const StoredManifest built,
                       core().manifests.Build(BuildOf(source)));
  ASSERT_OK(
      core().manifests.Publish(HeaderOf(second, first.hash()), built.json));
  v1::GetManifestRequest get;
  get.set_movie_id("film");
  get.set_revision("rev-0001");
  EXPECT_THAT(core().manifests.Get(get).status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("was pruned")));
}

// F: S1-41 Invariants 4, 8, 11, 12
TEST_F(LogManifestStoreTest, OnlyWhatTheLogsGiveIsPublished) {
  Make("Artifact:Script", 'a', "one");
  const v1::RevisionSource source =
      CommitOf(lease_, kRun1, "rev-0001", "", 1).source();
  ASSERT_OK_AND_ASSIGN(const StoredManifest built,
                       core().manifests.Build(BuildOf(source)));
  const auto publish = [&](const v1::PublishManifestHeader& header,
                           const std::string& json) {
    return core().manifests.Publish(header, json).status();
  };
  std::string other = built.json;
  const size_t at = other.find("one");
  ASSERT_NE(at, std::string::npos);
  other.replace(at, 3, "two");
  EXPECT_THAT(publish(HeaderOf(lease_, ""), other),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("the logs give another manifest")));
  EXPECT_THAT(
      publish(HeaderOf(lease_, ""), built.json + " "),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("canonical")));
  EXPECT_EQ(ReasonOf(publish(HeaderOf(lease_, HashOf('9')), built.json)),
            "BASE_CHANGED");
  v1::LeaseToken stale = lease_;
  stale.set_fencing_token(stale.fencing_token() - 1);
  EXPECT_EQ(ReasonOf(publish(HeaderOf(stale, ""), built.json)), "LEASE_LOST");
  EXPECT_EQ(CurrentOf(store()).revision(), "");
  EXPECT_THAT(storage_.Stat("builds/film/manifests/rev-0001.json"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_OK(publish(HeaderOf(lease_, ""), built.json));
}

}  // namespace
}  // namespace kinora
