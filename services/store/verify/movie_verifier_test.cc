#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/error_reason.h"
#include "common/file_system.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "common/testing/temp_dir.h"
#include "common/thread_pool.h"
#include "services/store/event/memory_event_log.h"
#include "services/store/local_store.h"
#include "services/store/object/memory_object_storage.h"
#include "services/store/store_core.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/movie_story.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

struct Verified {
  std::vector<v1::VerifyProblem> problems;
  std::string oldest_rebuildable_revision;
  int64_t objects = 0;
  int64_t bytes = 0;
};

Verified Verify(Store store) {
  Verified verified;
  v1::VerifyMovieRequest request;
  request.set_movie_id("film");
  EXPECT_OK(store.maintenance.VerifyMovie(
      request, [&](const v1::VerifyMovieResponse& response) {
        for (const v1::VerifyProblem& problem : response.problems()) {
          verified.problems.push_back(problem);
        }
        verified.oldest_rebuildable_revision =
            response.oldest_rebuildable_revision();
        verified.objects = response.checked_objects();
        verified.bytes = response.checked_bytes();
        return absl::OkStatus();
      }));
  return verified;
}

class MovieVerifierTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Reopen();
    TellMovieStory(store(), 2);
    ASSERT_OK(store().events.Append(
        InputEdit("Input:Topic", "the next sea", "rev-0003")));
  }
  void Reopen() {
    local_.reset();
    LocalStoreOptions options;
    options.data_dir = dir_.path();
    ASSERT_OK_AND_ASSIGN(
        local_, LocalStore::Open(options, fs_, RealClock(), random_, pool_));
  }
  Store store() { return local_->store(); }

  std::string Read(const std::string& path) {
    absl::StatusOr<std::string> bytes = ReadFile(fs_, path);
    EXPECT_OK(bytes);
    return *bytes;
  }
  void Write(const std::string& path, const std::string& bytes) {
    ASSERT_OK(WriteFileAtomically(fs_, path, bytes));
  }
  std::string Film(const std::string& path) {
    return dir_.Sub("builds/film/" + path);
  }

  int64_t InputsEnd() {
    v1::GetLogStatusRequest request;
    request.mutable_log()->set_movie_id("film");
    request.mutable_log()->set_kind(v1::LOG_KIND_INPUTS);
    return store().events.GetLogStatus(request)->last_sequence();
  }

  // Takes all that a log has after the first revision, and what noted it.
  void LoseEnd(const std::string& log) {
    Write(Film("events/" + log + ".log"), "");
    for (const std::string& path : {"events/rev-0002." + log + ".jsonl",
                                    "events/" + log + ".checkpoint"}) {
      std::filesystem::remove(Film(path));
    }
    std::filesystem::remove_all(Film("index"));
  }

  // The files of the movie that are no derived ones, below it.
  std::vector<std::string> Files() {
    std::vector<std::string> paths;
    const std::string root = dir_.Sub("builds/film");
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(root)) {
      if (!entry.is_regular_file() || entry.file_size() == 0) continue;
      std::string path = entry.path().string().substr(root.size() + 1);
      const std::string ext = entry.path().extension().string();
      const bool kept = ext == ".log" || ext == ".jsonl" || ext == ".json" ||
                        ext == ".txt" || path.rfind("blobs/", 0) == 0;
      if (kept && path != "blob-uses.json") paths.push_back(path);
    }
    return paths;
  }

  TempDir dir_;
  FileSystem& fs_ = PosixFileSystem();
  SeededRandom random_{1};
  ThreadPool pool_{"test", 2};
  std::unique_ptr<LocalStore> local_;
};

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
  const std::vector<std::string> files = Files();
  EXPECT_GE(files.size(), 20U);
  for (const std::string& path : files) {
    SCOPED_TRACE(path);
    Reopen();
    EXPECT_THAT(Verify(store()).problems, IsEmpty());
    const std::string good = Read(Film(path));
    std::string bad = good;
    // A record and movie.json have no checksum: break their form.
    const bool has_sum =
        path != "movie.json" && path.find("record.json") == std::string::npos;
    bad[has_sum ? bad.size() / 2 : 0] ^= 0x01;
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

TEST_F(MovieVerifierTest, ADamagedLineIsNamedAndItsMovieQuarantined) {
  const std::string log = Film("events/inputs.log");
  std::string bytes = Read(log);
  bytes[bytes.size() / 2] ^= 0x01;
  Write(log, bytes);
  const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_EQ(problems[0].path(), "events/inputs.log");
  EXPECT_EQ(problems[0].line(), 1);
  EXPECT_THAT(
      store().events.Append(InputEdit("Input:Topic", "no more", "rev-0003")),
      StatusIs(absl::StatusCode::kFailedPrecondition));
  v1::CreateMovieRequest other;
  other.set_movie_id("other");
  other.set_blueprint("name: other\n");
  EXPECT_OK(store().movies.Create(other));
}

TEST_F(MovieVerifierTest, ALogThatLostAcknowledgedLinesIsAProblem) {
  const std::string archive = Film("events/rev-0001.artefacts.jsonl");
  std::string bytes = Read(archive);
  bytes.erase(bytes.rfind('\n', bytes.size() - 2) + 1);
  Write(archive, bytes);
  const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
  ASSERT_THAT(problems, SizeIs(1));
  // The records are missing between two files, each intact.
  EXPECT_EQ(problems[0].path(), "events/artefacts.log");
  EXPECT_THAT(problems[0].message(),
              AllOf(HasSubstr("rev-0001.artefacts.jsonl"),
                    HasSubstr("rev-0002.artefacts.jsonl")));
}

TEST_F(MovieVerifierTest, ALogThatLostItsAcknowledgedEndTakesNoWrites) {
  v1::CheckpointMovieRequest checkpoint;
  checkpoint.set_movie_id("film");
  ASSERT_OK(store().maintenance.CheckpointMovie(checkpoint));
  const std::string log = Film("events/inputs.log");
  Reopen();  // the journal is done with its lines
  local_.reset();
  const std::string good = Read(log);
  ASSERT_FALSE(good.empty());
  Write(log, "");
  for (const bool again : {false, true}) {
    SCOPED_TRACE(again);
    Reopen();
    const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
    ASSERT_THAT(problems, SizeIs(1));
    EXPECT_EQ(problems[0].path(), "events/inputs.log");
    EXPECT_THAT(problems[0].message(), HasSubstr("was acknowledged"));
    EXPECT_EQ(
        ReasonOf(store()
                     .events.Append(InputEdit("Input:Topic", "no", "rev-0003"))
                     .status()),
        "MOVIE_QUARANTINED");
    local_.reset();
  }
  Write(log, good);
  Reopen();
  EXPECT_THAT(Verify(store()).problems, IsEmpty());
  EXPECT_OK(
      store().events.Append(InputEdit("Input:Topic", "more", "rev-0003")));
}

// Also without its own notes: the commit came after the inputs that it took.
TEST_F(MovieVerifierTest, InputsThatACommitTookAreMissedWithoutACheckpoint) {
  Reopen();  // the journal is done with its lines
  local_.reset();
  LoseEnd("inputs");
  Reopen();
  const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_THAT(problems[0].path(), HasSubstr("inputs"));
  EXPECT_THAT(problems[0].message(),
              HasSubstr("was acknowledged, as the commit of rev-0002"));
  EXPECT_EQ(
      ReasonOf(store().events.Append(InputEdit("Input:Topic", "no")).status()),
      "MOVIE_QUARANTINED");
}

// The manifest is all that is left of the revision.
TEST_F(MovieVerifierTest, AManifestThatTheLogDoesNotHoldIsAProblem) {
  Reopen();
  local_.reset();
  LoseEnd("artefacts");
  ASSERT_OK(fs_.Remove(Film("current.json")));
  Reopen();
  // Besides the texts, which are not those of the first revision.
  const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
  ASSERT_THAT(problems, SizeIs(3));
  EXPECT_EQ(problems[0].path(), "manifests/rev-0002.json");
  EXPECT_THAT(problems[0].message(), HasSubstr("artefacts.log"));
}

// F: S3-10
TEST_F(MovieVerifierTest, AnEmptiedArchiveIsNamedAndTheRestIsChecked) {
  const std::string hash = PutBlob(store(), "pixels 1").digest().hash();
  const std::string blob = "blobs/" + hash.substr(0, 2) + "/" + hash;
  Write(Film("events/rev-0001.artefacts.jsonl"), "");
  Write(Film(blob), "other pixels");
  for (const bool reopened : {false, true}) {
    SCOPED_TRACE(reopened);
    if (reopened) Reopen();
    const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
    ASSERT_THAT(problems, SizeIs(2));
    EXPECT_EQ(problems[0].path(), "events/rev-0001.artefacts.jsonl");
    EXPECT_EQ(problems[1].path(), blob);
  }
}

// F: S3-10
TEST_F(MovieVerifierTest, ADamagedRetentionRecordEndsNothingElse) {
  v1::PruneMovieRequest prune;
  prune.set_movie_id("film");
  prune.set_keep_revisions(1);
  ASSERT_OK(store().maintenance.PruneMovie(prune));
  EXPECT_THAT(Verify(store()).problems, IsEmpty());
  for (const std::string& damaged : {std::string(), std::string("?")}) {
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

// F: S3-10, S1-43
TEST_F(MovieVerifierTest, ALostBeginningThatNoCheckpointCoversIsAProblem) {
  const std::string first = "events/rev-0001.inputs.jsonl";
  const std::string archive = Read(Film(first));
  ASSERT_OK(fs_.Remove(Film(first)));
  for (const bool reopened : {false, true}) {
    SCOPED_TRACE(reopened);
    if (reopened) Reopen();
    const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
    ASSERT_THAT(problems, SizeIs(1));
    EXPECT_EQ(problems[0].path(), "events/inputs.log");
    EXPECT_THAT(problems[0].message(), HasSubstr("the records 1 to "));
  }
  // What a checkpoint covers is not missing.
  Write(Film(first), archive);
  Reopen();
  v1::CheckpointMovieRequest checkpoint;
  checkpoint.set_movie_id("film");
  checkpoint.set_remove_covered_logs(true);
  ASSERT_OK(store().maintenance.CheckpointMovie(checkpoint));
  EXPECT_FALSE(std::filesystem::exists(Film(first)));
  EXPECT_THAT(Verify(store()).problems, IsEmpty());
}

// F: S3-10
TEST_F(MovieVerifierTest, ALostArchiveIsNamedByItsRecordsAndItsPlace) {
  for (const bool middle : {true, false}) {
    SCOPED_TRACE(middle);
    const std::string lost = middle ? "events/rev-0002.artefacts.jsonl"
                                    : "events/rev-0003.artefacts.jsonl";
    if (middle) TellRevision(store(), 3);
    const std::string archive = Read(Film(lost));
    ASSERT_OK(fs_.Remove(Film(lost)));
    if (!middle) {
      ASSERT_OK(store().events.Append(
          ArtefactMade("Artifact:Script", 'd', "more", TakeFilmLease(store()),
                       kRun1, "rev-0001")));
    }
    for (const bool reopened : {false, true}) {
      SCOPED_TRACE(reopened);
      if (reopened) Reopen();
      const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
      ASSERT_THAT(problems, SizeIs(1));
      EXPECT_EQ(problems[0].path(), "events/artefacts.log");
      EXPECT_THAT(problems[0].message(), HasSubstr("are missing"));
      EXPECT_THAT(problems[0].message(),
                  HasSubstr(middle ? "between rev-0001.artefacts.jsonl and "
                                     "rev-0003.artefacts.jsonl"
                                   : "between rev-0002.artefacts.jsonl and "
                                     "artefacts.log"));
    }
    Write(Film(lost), archive);
    Reopen();
    EXPECT_THAT(Verify(store()).problems, IsEmpty());
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
  for (const std::string& damaged :
       {std::string(), lease.substr(0, lease.size() / 2),
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

// F: S3-10
TEST_F(MovieVerifierTest, ADamagedArchiveQuarantinesItsMovie) {
  const std::string path = Film("events/rev-0002.inputs.jsonl");
  std::string bytes = Read(path);
  bytes[bytes.size() / 2] ^= 0x01;
  Write(path, bytes);
  Reopen();
  const v1::LeaseToken lease = TakeFilmLease(store(), "runner-2");
  ASSERT_THAT(Verify(store()).problems, SizeIs(1));
  // Also what goes to logs that are intact.
  for (const v1::AppendEventsRequest& append :
       {InputEdit("Input:Topic", "no more", "rev-0003"),
        ArtefactMade("Artifact:Script", 'c', "none", lease, kRun1,
                     "rev-0003")}) {
    const absl::Status refused = store().events.Append(append).status();
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition,
                                  HasSubstr("rev-0002.inputs.jsonl")));
    EXPECT_EQ(ReasonOf(refused), "MOVIE_QUARANTINED");
  }
  v1::BatchWriteBlobsRequest blob;
  blob.set_movie_id("film");
  blob.add_blobs()->set_data("bytes");
  EXPECT_EQ(ReasonOf(store().blobs.BatchWrite(blob).status()),
            "MOVIE_QUARANTINED");
  EXPECT_EQ(CurrentOf(store()).revision(), "rev-0002");
  // Others go on, and the movie itself can be deleted.
  v1::CreateMovieRequest other;
  other.set_movie_id("other");
  other.set_blueprint("name: other\n");
  EXPECT_OK(store().movies.Create(other));
  v1::AppendEventsRequest edit = InputEdit("Input:Topic", "sea");
  edit.mutable_log()->set_movie_id("other");
  EXPECT_OK(store().events.Append(edit));
  v1::ReleaseLeaseRequest release;
  *release.mutable_token() = lease;
  ASSERT_OK(store().leases.Release(release));
  v1::DeleteMovieRequest remove;
  remove.set_movie_id("film");
  EXPECT_OK(store().movies.Delete(remove));
  MakeFilm(store());
  EXPECT_OK(store().events.Append(InputEdit("Input:Topic", "sea")));
}

}  // namespace
}  // namespace kinora
