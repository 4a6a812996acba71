// Logs that have lost or damaged lines: what is told of them, and that their
// movie takes no writes.

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/files/file_system.h"
#include "common/testing/status_matchers.h"
#include "services/store/testing/core_fixture.h"
#include "services/store/testing/movie_story.h"
#include "services/store/verify/movie_verifier_fixture.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Takes all that a log of the movie in `film` has after the first revision, and
// what noted it.
void LoseEnd(const std::string& film, const std::string& log) {
  ASSERT_OK(WriteFileAtomically(PosixFileSystem(),
                                film + "/events/" + log + ".log", ""));
  for (const std::string& path : {"/events/rev-0002." + log + ".jsonl",
                                  "/events/" + log + ".checkpoint"}) {
    std::filesystem::remove(film + path);
  }
  std::filesystem::remove_all(film + "/index");
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

// The log is whole without it, and all else is verified.
TEST_F(MovieVerifierTest, WhatAStartPutAsideIsToldOf) {
  for (const std::string& log : {std::string("events/inputs.log"),
                                 absl::StrCat("runs/", kRun1, "/ledger.log")}) {
    const std::string aside = log + ".damaged-2";
    std::filesystem::create_directories(
        std::filesystem::path(Film(aside)).parent_path());
    Write(Film(aside), "{}\n");
    const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
    ASSERT_THAT(problems, SizeIs(1));
    EXPECT_EQ(problems[0].path(), aside);
    EXPECT_THAT(problems[0].message(), HasSubstr("put aside by a start"));
    std::filesystem::remove(Film(aside));
    EXPECT_THAT(Verify(store()).problems, IsEmpty());
  }
}

// Nobody has asked for a checkpoint, and all lines that are left are whole.
TEST_F(MovieVerifierTest, LinesCutOffALogAfterACleanEndAreMissed) {
  local_->Close();
  for (const std::string& path : {std::string("events/inputs.log"),
                                  "runs/" + StoryRunId(2) + "/ledger.log"}) {
    SCOPED_TRACE(path);
    local_.reset();
    const std::string good = Read(Film(path));
    std::string cut = good;
    cut.erase(cut.rfind('\n', cut.size() - 2) + 1);
    Write(Film(path), cut);
    Reopen();
    const std::vector<v1::VerifyProblem> problems = Verify(store()).problems;
    ASSERT_THAT(problems, SizeIs(1));
    EXPECT_EQ(problems[0].path(), path);
    EXPECT_THAT(problems[0].message(), HasSubstr("was acknowledged, as "));
    EXPECT_EQ(
        ReasonOf(store()
                     .events.Append(InputEdit("Input:Topic", "no", "rev-0003"))
                     .status()),
        "MOVIE_QUARANTINED");
    Write(Film(path), good);
  }
  Reopen();
  EXPECT_THAT(Verify(store()).problems, IsEmpty());
}

// Also without its own notes: the commit came after the inputs that it took.
TEST_F(MovieVerifierTest, InputsThatACommitTookAreMissedWithoutACheckpoint) {
  Reopen();  // the journal is done with its lines
  local_.reset();
  LoseEnd(dir_.Sub("builds/film"), "inputs");
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

// The commits, in the other log, say that there were some; it is damage however
// it came about, and ends writing to the movie.
TEST_F(MovieVerifierTest, InputsThatAreAllLostQuarantineTheirMovie) {
  Reopen();
  local_.reset();
  LoseEnd(dir_.Sub("builds/film"), "inputs");
  ASSERT_OK(fs_.Remove(Film("events/rev-0001.inputs.jsonl")));
  for (const bool emptied : {true, false}) {
    SCOPED_TRACE(emptied ? "emptied" : "removed");
    if (!emptied) {
      ASSERT_OK(fs_.Remove(Film("events/inputs.log")));
    }
    for (const bool verified_first : {true, false}) {
      SCOPED_TRACE(verified_first);
      Reopen();
      if (verified_first) {
        const std::vector<v1::VerifyProblem> problems =
            Verify(store()).problems;
        ASSERT_THAT(problems, SizeIs(1));
        EXPECT_EQ(problems[0].path(), "events/inputs.log");
        EXPECT_THAT(problems[0].message(),
                    HasSubstr("was acknowledged, as the commit of rev-0002"));
      }
      for (const v1::AppendEventsRequest& append :
           {ArtefactMade("Artifact:Script", 'c', "none", TakeFilmLease(store()),
                         kRun1, "rev-0003"),
            InputEdit("Input:Topic", "no", "rev-0003")}) {
        const absl::Status refused = store().events.Append(append).status();
        EXPECT_EQ(ReasonOf(refused), "MOVIE_QUARANTINED") << refused;
      }
      EXPECT_FALSE(std::filesystem::exists(Film("events/inputs.log")) &&
                   std::filesystem::file_size(Film("events/inputs.log")) > 0);
      local_.reset();
    }
  }
}

// There is no commit left to say so, but what the index has read before.
TEST_F(MovieVerifierTest, ArtefactsThatAreAllLostAreMissedByTheirIndex) {
  v1::CheckpointMovieRequest checkpoint;
  checkpoint.set_movie_id("film");
  ASSERT_OK(store().maintenance.CheckpointMovie(checkpoint));
  Reopen();
  local_.reset();
  for (const char* path :
       {"events/artefacts.log", "events/artefacts.checkpoint",
        "events/rev-0001.artefacts.jsonl", "events/rev-0002.artefacts.jsonl"}) {
    std::filesystem::remove(Film(path));
  }
  Reopen();
  EXPECT_EQ(
      ReasonOf(store().events.Append(InputEdit("Input:Topic", "no")).status()),
      "MOVIE_QUARANTINED");
}

// Whoever comes first, and whatever revision an edit is for: its number was
// given out before.
TEST_F(MovieVerifierTest, TheFirstAppendAfterAStartMissesLostInputs) {
  Reopen();
  local_.reset();
  LoseEnd(dir_.Sub("builds/film"), "inputs");
  Reopen();
  EXPECT_EQ(
      ReasonOf(store().events.Append(InputEdit("Input:Topic", "no")).status()),
      "MOVIE_QUARANTINED");
}

// The manifest is all that is left of the revision.
TEST_F(MovieVerifierTest, AManifestThatTheLogDoesNotHoldIsAProblem) {
  Reopen();
  local_.reset();
  LoseEnd(dir_.Sub("builds/film"), "artefacts");
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
