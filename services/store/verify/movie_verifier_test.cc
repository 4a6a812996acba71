#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error_reason.h"
#include "common/files/file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/event/memory_event_log.h"
#include "services/store/object/memory_object_storage.h"
#include "services/store/store_core.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/movie_story.h"
#include "services/store/verify/movie_verifier_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// The files of the movie at `root` that are no derived ones, below it.
std::vector<std::string> FilesIn(const std::string& root) {
  std::vector<std::string> paths;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file() || entry.file_size() == 0) continue;
    std::string path = entry.path().string().substr(root.size() + 1);
    const std::string ext = entry.path().extension().string();
    const bool kept = ext == ".log" || ext == ".jsonl" || ext == ".json" ||
                      ext == ".txt" || path.rfind("blobs/", 0) == 0;
    if (kept) paths.push_back(path);
  }
  return paths;
}

// F: invariants 1, 3, 12
TEST_F(MovieVerifierTest, AnIntactMovieHasNoProblems) {
  const Verified verified = Verify(store());
  EXPECT_THAT(verified.problems, IsEmpty());
  EXPECT_EQ(verified.oldest_rebuildable_revision, "rev-0001");
  EXPECT_GE(verified.objects, 20);
  EXPECT_GT(verified.bytes, 10000);
}

// F: invariants 1, 3, 12
TEST_F(MovieVerifierTest, OneFlippedByteInAnyFileIsOneProblemNamingIt) {
  const std::vector<std::string> files = FilesIn(dir_.Sub("builds/film"));
  EXPECT_GE(files.size(), 20U);
  for (const std::string& path : files) {
    SCOPED_TRACE(path);
    Reopen();
    EXPECT_THAT(Verify(store()).problems, IsEmpty());
    const std::string good = Read(Film(path));
    std::string bad = good;
    bad[bad.size() / 2] ^= 0x01;
    Write(Film(path), bad);
    const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
    ASSERT_THAT(problems, SizeIs(1));
    EXPECT_EQ(problems[0].path(), path) << problems[0].message();
    EXPECT_EQ(Read(Film(path)), bad) << "nothing is repaired";
    Write(Film(path), good);
  }
}

TEST_F(MovieVerifierTest, AMissingBlobIsNamedWithWhoNeedsIt) {
  const std::string hash = PutBlob(store(), "pixels 1").digest().hash();
  ASSERT_OK(fs_.Remove(Film("blobs/" + hash.substr(0, 2) + "/" + hash)));
  const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_THAT(problems[0].path(), HasSubstr(hash));
  EXPECT_THAT(problems[0].message(), HasSubstr("Artifact:Image"));
}

// The logs are intact, if empty: but no movie is ever without.
TEST_F(MovieVerifierTest, AMovieWithoutItsBlueprintIsAProblem) {
  MemoryObjectStorage storage(RealClock());
  {
    MemoryEventLog log;
    StoreCore core(storage, log, RealClock());
    MakeFilm(core.store());
    EXPECT_THAT(Verify(core.store()).problems, IsEmpty());
  }
  MemoryEventLog log;
  StoreCore core(storage, log, RealClock());
  const std::vector<v1::VerifyProblem> problems = Verify(core.store()).problems;
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_EQ(problems[0].path(), "events/inputs.log");
  EXPECT_EQ(problems[0].message(), "pins no blueprint");
}

// Of one run the second is refused; of two runs, nobody could tell by then.
TEST_F(MovieVerifierTest, AFileThatTwoArtefactsOfARevisionNameIsTold) {
  const v1::LeaseToken lease =
      TakeFilmLease(store(), "runner-1", StoryRunId(3));
  v1::AppendEventsRequest other =
      ArtefactMade("Artifact:Other", 'f', "another script", lease,
                   StoryRunId(3), "rev-0003");
  other.mutable_events(0)->mutable_artefact()->set_readable_path("script.txt");
  ASSERT_OK(store().events.Append(other));
  // Not before the revision has both: the run may yet move either.
  EXPECT_THAT(Verify(store()).problems, IsEmpty());
  ASSERT_OK(store().manifests.Commit(CommitOf(lease, StoryRunId(3), "rev-0003",
                                              CurrentOf(store()).hash(),
                                              /*inputs_through=*/InputsEnd())));
  const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_EQ(problems[0].path(), "prompts/script.txt");
  EXPECT_THAT(problems[0].message(),
              HasSubstr("is the file of Artifact:Other and Artifact:Script"));
}

// Collections and uploads would fail with it.
TEST_F(MovieVerifierTest, DamagedUsesOfBlobsAreAProblem) {
  for (const char* damaged : {"", "?", "{\"usedThrough\":7}",
                              "{\"usedTill\":\"2026-01-01T00:00:00Z\"}"}) {
    Write(Film("blob-uses.json"), damaged);
    const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
    ASSERT_THAT(problems, SizeIs(1));
    EXPECT_EQ(problems[0].path(), "blob-uses.json");
  }
}

TEST_F(MovieVerifierTest, DamagedProgressIsAProblem) {
  const v1::LeaseToken lease =
      TakeFilmLease(store(), "runner-1", StoryRunId(3));
  v1::SaveProgressRequest save;
  save.set_movie_id("film");
  save.set_target_revision("rev-0003");
  save.mutable_progress()->set_plan_hash(std::string(64, 'a'));
  save.mutable_progress()->set_run_id(StoryRunId(3));
  *save.mutable_lease() = lease;
  ASSERT_OK(store().plans.SaveProgress(save));
  EXPECT_THAT(Verify(store()).problems, IsEmpty());
  const std::string path = "runs/rev-0003-progress.json";
  const std::string good = Read(Film(path));
  std::string another = good;  // of the same form
  another.replace(another.find("aaaa"), 4, "aaba");
  for (const std::string& bad : {std::string(), good + " ", another}) {
    Write(Film(path), bad);
    const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
    ASSERT_THAT(problems, SizeIs(1));
    EXPECT_EQ(problems[0].path(), path);
  }
}

// Lists would just be shorter.
TEST_F(MovieVerifierTest, ARunThatLostItsRecordIsAProblem) {
  const std::string record = "runs/" + StoryRunId(1) + "/record.json";
  ASSERT_OK(fs_.Remove(Film(record)));
  const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_EQ(problems[0].path(), record);
  EXPECT_THAT(problems[0].message(), HasSubstr("is missing"));
}

// It would wait for ever.
TEST_F(MovieVerifierTest, AnOpenRunThatRunnersDoNotFindIsAProblem) {
  const std::string run_id = StoryRunId(3);
  v1::PutRunRecordRequest put;
  *put.mutable_lease() = TakeFilmLease(store(), "runner-1", run_id);
  put.mutable_record()->set_run_id(run_id);
  put.mutable_record()->set_movie_id("film");
  put.mutable_record()->set_status(v1::RUN_STATUS_WAITING);
  ASSERT_OK(store().runs.Put(put));
  EXPECT_THAT(Verify(store()).problems, IsEmpty());
  const std::string mark = "index/open-runs/" + run_id;
  ASSERT_OK(fs_.Remove(dir_.Sub(mark)));
  const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_EQ(problems[0].path(), mark);
  put.mutable_record()->set_status(v1::RUN_STATUS_FAILED);
  ASSERT_OK(store().runs.Put(put));
  EXPECT_THAT(Verify(store()).problems, IsEmpty());
}

// F: S3-10
TEST_F(MovieVerifierTest, ADamagedRetentionRecordEndsNothingElse) {
  v1::PruneMovieRequest prune;
  prune.set_movie_id("film");
  prune.set_keep_revisions(1);
  ASSERT_OK(store().maintenance.PruneMovie(prune));
  EXPECT_THAT(Verify(store()).problems, IsEmpty());
  std::string another = Read(Film("retention.json"));  // of the same form
  another.replace(another.find("rev-0001"), 8, "rev-0002");
  for (const std::string& damaged :
       {std::string(), std::string("?"), another}) {
    Write(Film("retention.json"), damaged);
    const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
    ASSERT_THAT(problems, SizeIs(1));
    EXPECT_EQ(problems[0].path(), "retention.json");
  }
}

TEST_F(MovieVerifierTest, ADirectoryInPlaceOfAFileIsAProblem) {
  for (const char* path : {"current.json", "manifests/rev-0001.json"}) {
    SCOPED_TRACE(path);
    const std::string good = Read(Film(path));
    ASSERT_OK(fs_.Remove(Film(path)));
    std::filesystem::create_directory(Film(path));
    const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
    ASSERT_THAT(problems, SizeIs(1));
    EXPECT_EQ(problems[0].path(), path);
    std::filesystem::remove(Film(path));
    Write(Film(path), good);
  }
}

// F: S3-10
TEST_F(MovieVerifierTest, WhatIsNoBlobIsReported) {
  std::filesystem::create_directories(Film("blobs/zz"));
  std::filesystem::create_directories(Film("blobs/7f/deeper"));
  Write(Film("blobs/stray"), "bytes");
  Write(Film("blobs/zz/notahash"), "bytes");
  Write(Film("blobs/zz/empty"), "");
  ASSERT_EQ(mkfifo(Film("blobs/zz/" + HashOf('a')).c_str(), 0600), 0);
  std::vector<std::string> paths;
  for (const v1::VerifyProblem& problem : Verify(store()).problems) {
    paths.push_back(problem.path());
  }
  EXPECT_THAT(paths, UnorderedElementsAre("blobs/stray", "blobs/7f/deeper",
                                          "blobs/zz/notahash", "blobs/zz/empty",
                                          "blobs/zz/" + HashOf('a')));
}

// A FIFO by a name that a blob may have is neither waited for nor passed over.
TEST_F(MovieVerifierTest, AFifoInPlaceOfABlobIsAProblem) {
  const std::string path = "blobs/aa/" + HashOf('a');
  std::filesystem::create_directories(Film("blobs/aa"));
  ASSERT_EQ(mkfifo(Film(path).c_str(), 0600), 0);
  const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_EQ(problems[0].path(), path);
}

// F: S3-10
TEST_F(MovieVerifierTest, ADirectoryThatLostItsMovieIsAProblemOfTheStore) {
  const auto verify_the_rest = [this] {
    std::vector<std::string> paths;
    EXPECT_OK(store().maintenance.VerifyMovie(
        v1::VerifyMovieRequest(), [&](const v1::VerifyMovieResponse& response) {
          for (const v1::VerifyProblem& problem : response.problems()) {
            EXPECT_THAT(problem.message(), HasSubstr("movie.json"));
            paths.push_back(problem.path());
          }
          return absl::OkStatus();
        }));
    return paths;
  };
  // What a creation leaves that was cut short.
  std::filesystem::create_directories(dir_.Sub("builds/begun"));
  std::filesystem::copy(Film("blobs"), dir_.Sub("builds/begun/blobs"),
                        std::filesystem::copy_options::recursive);
  std::filesystem::create_directories(dir_.Sub("builds/empty/events"));
  EXPECT_THAT(verify_the_rest(), IsEmpty());
  const std::string file = Read(Film("movie.json"));
  ASSERT_OK(fs_.Remove(Film("movie.json")));
  EXPECT_THAT(verify_the_rest(), ElementsAre("builds/film"));
  // Also when its logs are lost as well.
  local_->Close();
  std::filesystem::rename(Film("events"), dir_.Sub("events"));
  Reopen();
  EXPECT_THAT(verify_the_rest(), ElementsAre("builds/film"));
  std::filesystem::rename(dir_.Sub("events"), Film("events"));
  Write(Film("movie.json"), file);
  EXPECT_THAT(verify_the_rest(), IsEmpty());
}

TEST_F(MovieVerifierTest, ASegmentOfTheJournalThatWasPutAsideIsTold) {
  const std::string path = dir_.Sub("journal/0000000007.damaged");
  Write(path, "what it held");
  std::vector<std::string> problems;
  ASSERT_OK(store().maintenance.VerifyMovie(
      v1::VerifyMovieRequest(), [&](const v1::VerifyMovieResponse& response) {
        for (const v1::VerifyProblem& problem : response.problems()) {
          problems.push_back(problem.path() + ": " + problem.message());
        }
        return absl::OkStatus();
      }));
  EXPECT_THAT(problems,
              ElementsAre(AllOf(HasSubstr("journal/0000000007.damaged: "),
                                HasSubstr("lines were lost"))));
}

// F: S3-10
TEST_F(MovieVerifierTest, ADamagedLeaseIsAProblemUntilItIsRemoved) {
  const std::string key = "leases/movie/film.json";
  const v1::LeaseToken before = TakeFilmLease(store());
  const std::string lease = Read(dir_.Sub(key));
  std::string another = lease;  // of the same form
  another.replace(another.find("runner-1"), 8, "runner-9");
  for (const std::string& damaged :
       {std::string(), lease.substr(0, lease.size() / 2), another,
        std::string("{\"holder\":\"runner-1\"}")}) {
    SCOPED_TRACE(damaged);
    Write(dir_.Sub(key), damaged);
    Reopen();
    const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
    ASSERT_THAT(problems, SizeIs(1));
    EXPECT_EQ(problems[0].path(), key);
    v1::AcquireLeaseRequest acquire;
    acquire.set_lease_id("movie/film");
    acquire.set_holder("runner-2");
    acquire.mutable_ttl()->set_seconds(6);
    const absl::Status refused = store().leases.Acquire(acquire).status();
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kDataLoss, HasSubstr(key)));
    EXPECT_EQ(ReasonOf(refused), "DATA_CORRUPT");
  }
  ASSERT_OK(fs_.Remove(dir_.Sub(key)));
  EXPECT_THAT(Verify(store()).problems, IsEmpty());
  EXPECT_GT(TakeFilmLease(store(), "runner-2").fencing_token(),
            before.fencing_token());
  EXPECT_EQ(ReasonOf(store()
                         .events
                         .Append(ArtefactMade("Artifact:Script", 'c', "late",
                                              before, kRun1, "rev-0003"))
                         .status()),
            "LEASE_LOST");
}

}  // namespace
}  // namespace kinora
