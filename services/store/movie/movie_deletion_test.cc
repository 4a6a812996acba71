#include "services/store/movie/movie_deletion.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/store/layout.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/faulty_object_storage.h"
#include "services/store/testing/interrupted_log.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MovieDeletionTest : public CoreFixture {
 protected:
  // A movie with a revision, a run and an edit beyond it.
  static void MakeRevision(Store store) {
    MakeFilm(store);
    const v1::LeaseToken lease = TakeFilmLease(store);
    v1::PutRunRecordRequest record;
    record.mutable_record()->set_movie_id("film");
    record.mutable_record()->set_run_id(std::string(kRun1));
    *record.mutable_lease() = lease;
    ASSERT_OK(store.runs.Put(record));
    ASSERT_OK(store.events.Append(
        ArtefactMade("Artifact:Script", 'a', "of the sea", lease)));
    ASSERT_OK(
        store.manifests.Commit(CommitOf(lease, kRun1, "rev-0001", "", 1)));
    ASSERT_OK(
        store.events.Append(InputEdit("Input:Topic", "land", "rev-0002")));
    v1::ReleaseLeaseRequest release;
    *release.mutable_token() = lease;
    ASSERT_OK(store.leases.Release(release));
  }
  static absl::Status Delete(Store store, absl::string_view movie_id = "film") {
    v1::DeleteMovieRequest request;
    request.set_movie_id(std::string(movie_id));
    return store.movies.Delete(request).status();
  }
  static absl::Status Get(Store store) {
    v1::GetMovieRequest request;
    request.set_movie_id("film");
    return store.movies.Get(request).status();
  }
  void CollectKeys(const std::string& prefix, std::vector<std::string>* keys) {
    absl::StatusOr<ObjectPage> page = storage_.List(prefix, 1000, "");
    ASSERT_OK(page);
    for (const ObjectInfo& object : page->objects) keys->push_back(object.key);
    for (const std::string& below : page->prefixes) CollectKeys(below, keys);
  }
  std::vector<std::string> Keys() {
    std::vector<std::string> keys;
    for (const char* prefix : {"builds/", "index/", "deleting/", "leases/"}) {
      CollectKeys(prefix, &keys);
    }
    return keys;
  }
};

TEST_F(MovieDeletionTest, NothingIsLeftButTheLeasesTokens) {
  MakeRevision(store());
  // That of a step whose runner died.
  v1::AcquireLeaseRequest step;
  step.set_lease_id("run/" + std::string(kRun1) + "/0123456789abcdef");
  step.set_holder("dead");
  step.mutable_ttl()->set_seconds(6);
  ASSERT_OK(store().leases.Acquire(step));
  ASSERT_OK(Delete(store()));
  EXPECT_THAT(Keys(), ElementsAre("leases/movie/film.json"));
  for (const char* log : {"inputs", "artefacts"}) {
    ASSERT_OK_AND_ASSIGN(
        const LogExtent extent,
        log_.Extent("builds/film/events/" + std::string(log) + ".log"));
    EXPECT_EQ(extent.last_sequence, 0) << log;
  }
  EXPECT_EQ(ReasonOf(Get(store())), "MOVIE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Delete(store())), "MOVIE_NOT_FOUND");
  EXPECT_EQ(
      ReasonOf(store().events.Append(InputEdit("Input:Topic", "x")).status()),
      "MOVIE_NOT_FOUND");
  ASSERT_OK_AND_ASSIGN(const v1::ListMoviesResponse movies,
                       store().movies.List({}));
  EXPECT_THAT(movies.movies(), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const v1::ListRunRecordsResponse runs,
                       store().runs.List({}));
  EXPECT_THAT(runs.records(), IsEmpty());
}

// A query or a checkpoint that was let in before the movie was gone may save
// what it knows of its logs after everything was removed. The next movie of
// that id must not be measured by it.
TEST_F(MovieDeletionTest, WhatIsSavedMeanwhileIsNotInTheWayOfTheNextMovie) {
  FaultyObjectStorage storage(storage_);
  Core core(storage, log_, clock_);
  MakeRevision(core.store());
  for (int n = 0; n < 5; ++n) {
    ASSERT_OK(core.store().events.Append(
        InputEdit("Input:Topic", absl::StrCat("topic ", n), "rev-0002")));
  }
  // Taken up, and not saved yet.
  ASSERT_OK(core.events.FindInput("film", "Input:Topic"));
  // Index tables have gone by then.
  bool saved = false;
  storage.AfterRemovalBelow("builds/film/manifests/", [&] {
    saved = true;
    core.events.SaveIndexes("film").IgnoreError();
  });
  ASSERT_OK(Delete(core.store()));
  ASSERT_TRUE(saved);
  EXPECT_THAT(Keys(), ElementsAre("leases/movie/film.json"));
  MakeFilm(core.store());
  ASSERT_OK(core.store().events.Append(InputEdit("Input:Topic", "new")));
  Core restarted(storage_, log_, clock_);
  for (Core* next : {&core, &restarted}) {
    ASSERT_OK_AND_ASSIGN(const EventPtr found,
                         next->events.FindInput("film", "Input:Topic"));
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->sequence(), 2);
  }
}

// What is pruned by name would be parts of the next movie of that id.
TEST_F(MovieDeletionTest, WaitsForWhatIsBeingRemoved) {
  MakeRevision(store());
  absl::StatusOr<std::unique_ptr<MovieHolds::Hold>> pruning =
      core().catalog.holds().ForRemoval("film");
  ASSERT_OK(pruning);
  absl::Status deleted;
  std::thread other([&] { deleted = Delete(store()); });
  while (Get(store()).ok()) std::this_thread::yield();
  // Decided, and nothing else; however often one looks.
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_OK(storage_.Stat(ManifestKey("film", "rev-0001")));
  }
  v1::PruneMovieRequest late;
  late.set_movie_id("film");
  late.set_keep_revisions(1);
  EXPECT_EQ(ReasonOf(store().maintenance.PruneMovie(late).status()),
            "MOVIE_NOT_FOUND");
  pruning->reset();
  other.join();
  EXPECT_OK(deleted);
  EXPECT_THAT(Keys(), ElementsAre("leases/movie/film.json"));
}

TEST_F(MovieDeletionTest, AnEditOfTheMovieBeforeIsNoneOfTheNext) {
  MakeRevision(store());
  Core* one = nullptr;
  InterruptedLog log(log_, "at sea", [&] {
    ASSERT_OK(Delete(one->store()));
    MakeFilm(one->store());
  });
  Core core(storage_, log, clock_);
  one = &core;
  EXPECT_EQ(ReasonOf(core.store()
                         .events.Append(InputEdit("Input:Topic", "at sea"))
                         .status()),
            "MOVIE_NOT_FOUND");
}

// In the process that deleted it: nothing in memory knows of the first one.
TEST_F(MovieDeletionTest, TheIdStartsClean) {
  MakeRevision(store());
  const std::string json = ManifestJson(store());
  ASSERT_OK(Delete(store()));
  MakeRevision(store());
  EXPECT_EQ(ManifestJson(store()), json);
  v1::ListInputsRequest list;
  list.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(const v1::ListInputsResponse inputs,
                       store().events.ListInputs(list));
  EXPECT_EQ(inputs.through_sequence(), 2);
}

TEST_F(MovieDeletionTest, AMovieInUseStays) {
  MakeFilm(store());
  TakeFilmLease(store(), "runner-1");
  const absl::Status status = Delete(store());
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr("runner-1")));
  EXPECT_EQ(ReasonOf(status), "RUN_ACTIVE");
  EXPECT_EQ(MetadataOf(status)["run"], kRun1);
  EXPECT_OK(Get(store()));
  EXPECT_THAT(Delete(store(), "../x"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

// Neither the next run nor the next attempt waits for a lease to expire.
TEST_F(MovieDeletionTest, OneThatCouldNotBeginHoldsNothing) {
  FaultyObjectStorage faulty(storage_);
  Core core(faulty, log_, clock_);
  MakeRevision(core.store());
  for (const char* key : {"deleting/film", "builds/film/movie.json"}) {
    SCOPED_TRACE(key);
    faulty.FailWritesOf(key, absl::ResourceExhaustedError("the disk is full"));
    EXPECT_THAT(Delete(core.store()),
                StatusIs(absl::StatusCode::kResourceExhausted,
                         HasSubstr("the disk is full")));
    faulty.FailWritesOf("", absl::OkStatus());
    EXPECT_OK(Get(core.store()));
    v1::AcquireLeaseRequest run;
    run.set_lease_id("movie/film");
    run.set_holder("runner-1");
    run.set_purpose(std::string(kRun2));
    run.mutable_ttl()->set_seconds(6);
    ASSERT_OK_AND_ASSIGN(const v1::AcquireLeaseResponse lease,
                         core.store().leases.Acquire(run));
    v1::ReleaseLeaseRequest release;
    *release.mutable_token() = lease.lease().token();
    ASSERT_OK(core.store().leases.Release(release));
  }
  EXPECT_OK(Delete(core.store()));
  EXPECT_EQ(ReasonOf(Get(core.store())), "MOVIE_NOT_FOUND");
}

// Cut short after any number of changes, the movie is whole or gone, and what
// was left of it goes at the next start, or with the next movie of that id.
TEST_F(MovieDeletionTest, ACrashLeavesItWholeOrGone) {
  MakeRevision(store());
  const std::string json = ManifestJson(store());
  FaultyObjectStorage faulty(storage_);
  bool deleted = false;
  int changes = 0;
  for (; !deleted; ++changes) {
    ASSERT_LT(changes, 10);
    Core core(faulty, log_, clock_);
    faulty.StopAfter(changes);
    deleted = Delete(core.store()).ok();
    Restart();
    if (deleted) break;
    EXPECT_EQ(ManifestJson(store()), json) << changes;
    // Its own lease of a minute ago is nobody's any more.
    clock_.Advance(absl::Minutes(2));
  }
  EXPECT_GE(changes, 2);
  // Decided, but all the rest is still to do.
  EXPECT_EQ(ReasonOf(Get(store())), "MOVIE_NOT_FOUND");
  EXPECT_GT(Keys().size(), 3u);
  for (int more = 0; more < 100; ++more) {
    Core core(faulty, log_, clock_);
    faulty.StopAfter(more);  // also what is gone already counts
    const absl::Status finished = core.movies.FinishDeletions();
    EXPECT_EQ(ReasonOf(Get(core.store())), "MOVIE_NOT_FOUND");
    if (finished.ok()) break;
  }
  EXPECT_THAT(Keys(), ElementsAre("leases/movie/film.json"));
  Restart();
  MakeRevision(store());
  EXPECT_EQ(ManifestJson(store()), json);
}

TEST_F(MovieDeletionTest, ANewMovieFinishesTheDeletionBeforeIt) {
  MakeRevision(store());
  const std::string json = ManifestJson(store());
  FaultyObjectStorage faulty(storage_);
  {
    Core core(faulty, log_, clock_);
    faulty.StopAfter(4);
    ASSERT_OK(Delete(core.store()));
  }
  Restart();
  MakeRevision(store());
  EXPECT_EQ(ManifestJson(store()), json);
}

}  // namespace
}  // namespace kinora
