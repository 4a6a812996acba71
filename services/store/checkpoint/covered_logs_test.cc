// A movie whose covered logs are removed answers as its twin whose are not.

#include "services/store/checkpoint/covered_logs.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/store/checkpoint/covered_logs_twins.h"
#include "services/store/checkpoint/revision_checkpoint.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class CoveredLogsTest : public CoveredLogsTwins {};

// F: S1-43, S1-17
TEST_F(CoveredLogsTest, NothingThatCanBeAskedChanges) {
  int removals = 0;
  for (uint64_t seed = 1; seed <= 15 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Begin(seed);
    for (int step = 0; step < 70 && !HasFailure(); ++step) {
      switch (Below(16)) {
        case 0:
        case 1:
        case 2:
          EditInput();
          break;
        case 3:
        case 4:
          Commit();
          break;
        case 5:
          NewRun();  // the run before has come to nothing
          break;
        case 6:
          Prune();
          break;
        case 7:
          ASSERT_OK(Remove());
          break;
        case 8:
          if (Below(2) == 0) ForgetDerived();
          if (Below(3) == 0) Compare();
          break;
        default:
          MakeArtefact();
      }
    }
    Compare();
    if (Oldest(*trimmed_) > 1) ++removals;
  }
  EXPECT_GT(removals, 10);
}

// F: S1-43
TEST_F(CoveredLogsTest, FilesAreLinesThatStandardToolsRead) {
  TellRevisions(3);
  EditInput();
  MakeArtefact();
  ASSERT_OK(Remove());
  ASSERT_OK_AND_ASSIGN(
      const std::string inputs,
      ReadObject(trimmed_->storage, InputsCheckpointKey("film", "rev-0003")));
  ASSERT_OK_AND_ASSIGN(const std::string artefacts,
                       ReadObject(trimmed_->storage,
                                  ArtefactsCheckpointKey("film", "rev-0003")));
  EXPECT_THAT(inputs, HasSubstr("\"revision\":\"rev-0003\""));
  ASSERT_OK_AND_ASSIGN(
      const std::vector<LogRecord> original,
      whole_->log.Read(ArtefactsLogKey("film"), 0, 1000, 1 << 20));
  // Each line is one of the log.
  size_t lines = 0;
  for (const LogRecord& record : original) {
    if (artefacts.find(record.line + "\n") != std::string::npos) ++lines;
  }
  EXPECT_EQ(lines, static_cast<size_t>(
                       std::count(artefacts.begin(), artefacts.end(), '\n')));
  EXPECT_LT(lines, original.size());
  ASSERT_OK_AND_ASSIGN(const auto checkpoint, RevisionCheckpoint::OpenNewest(
                                                  trimmed_->storage, "film"));
  EXPECT_EQ(checkpoint->info().artefact_events, lines);
}

// F: S1-43
TEST_F(CoveredLogsTest, WhatWasRemovedIsSaidWithWhatIsLeft) {
  TellRevisions(2);
  EditInput();
  MakeArtefact();
  ASSERT_OK(Remove());
  v1::ReadEventsRequest read;
  read.mutable_log()->set_movie_id("film");
  read.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  const absl::Status gone = trimmed_->store().events.ReadPage(read).status();
  EXPECT_THAT(gone, StatusIs(absl::StatusCode::kOutOfRange));
  const int64_t oldest =
      trimmed_->log.Extent(ArtefactsLogKey("film"))->oldest_sequence;
  EXPECT_EQ(MetadataOf(gone)["oldest"], absl::StrCat(oldest));
  read.set_include_kept(true);
  ASSERT_OK_AND_ASSIGN(const v1::ReadEventsResponse kept,
                       trimmed_->store().events.ReadPage(read));
  EXPECT_GT(kept.events_size(), 2);
  EXPECT_LT(kept.bookmark().sequence(), oldest);

  v1::ListInputsRequest list;
  list.set_movie_id("film");
  list.set_through_sequence(inputs_through_ - 1);
  const absl::Status unknown =
      trimmed_->store().events.ListInputs(list).status();
  EXPECT_EQ(ReasonOf(unknown), "LOG_TRIMMED");
  EXPECT_EQ(MetadataOf(unknown)["oldest"], absl::StrCat(inputs_through_));

  // Numbers go on.
  const int64_t end =
      whole_->log.Extent(ArtefactsLogKey("film"))->last_sequence;
  MakeArtefact();
  EXPECT_EQ(trimmed_->log.Extent(ArtefactsLogKey("film"))->last_sequence,
            end + 1);
}

// F: S1-43, S1-54
TEST_F(CoveredLogsTest, AKeptEventExplainsItsBlob) {
  Both([&](Twin& twin) {
    v1::AppendEventsRequest request = ArtefactMade(
        "Artifact:Image", 'a', "", Lease(twin), run_id_, NextRevision());
    SetValue(twin, "a take", true,
             request.mutable_events(0)->mutable_artefact()->mutable_output());
    ASSERT_OK(twin.store().events.Append(request));
  });
  TellRevisions(2);
  EditInput();
  MakeArtefact();
  ASSERT_OK(Remove());
  v1::ExplainBlobRequest request;
  request.set_movie_id("film");
  *request.mutable_digest() = PutBlob(trimmed_->store(), "a take").digest();
  ASSERT_OK_AND_ASSIGN(const v1::ExplainBlobResponse explained,
                       trimmed_->store().maintenance.ExplainBlob(request));
  EXPECT_THAT(explained.reached_by(),
              testing::Contains("events/artefacts.checkpoint.rev-0002.jsonl 1 "
                                "Artifact:Image"));
}

// F: S1-43
TEST_F(CoveredLogsTest, ALaterCheckpointTakesThePlaceOfAnEarlierOne) {
  TellRevisions(2);
  ASSERT_OK(Remove());
  TellRevisions(2);
  ASSERT_OK(Remove());
  ASSERT_OK_AND_ASSIGN(const ObjectPage page,
                       trimmed_->storage.List(EventsPrefix("film"), 100, ""));
  std::vector<std::string> keys;
  for (const ObjectInfo& object : page.objects) keys.push_back(object.key);
  EXPECT_THAT(keys, ElementsAre(ArtefactsCheckpointKey("film", "rev-0004"),
                                InputsCheckpointKey("film", "rev-0004")));
  Compare();
}

// F: S1-43
TEST_F(CoveredLogsTest, ADamagedManifestOrCheckpointKeepsTheLogs) {
  TellRevisions(2);
  EditInput();
  MakeArtefact();
  const std::string manifest = ManifestKey("film", "rev-0001");
  ASSERT_OK_AND_ASSIGN(const std::string good,
                       ReadObject(trimmed_->storage, manifest));
  ASSERT_OK(trimmed_->storage.Write(manifest, good + " "));
  EXPECT_THAT(Remove(), StatusIs(absl::StatusCode::kDataLoss,
                                 HasSubstr("rev-0001.json")));
  EXPECT_EQ(Oldest(*trimmed_), 1);
  ASSERT_OK(trimmed_->storage.Write(manifest, good));
  ASSERT_OK(Remove());
  EXPECT_GT(Oldest(*trimmed_), 1);

  for (const std::string& key : {ArtefactsCheckpointKey("film", "rev-0002"),
                                 InputsCheckpointKey("film", "rev-0002")}) {
    SCOPED_TRACE(key);
    ASSERT_OK_AND_ASSIGN(std::string bytes, ReadObject(trimmed_->storage, key));
    const std::string right = bytes;
    bytes[bytes.size() / 2] ^= 1;
    ASSERT_OK(trimmed_->storage.Write(key, bytes));
    trimmed_->Restart();
    std::vector<std::string> problems;
    v1::VerifyMovieRequest verify;
    verify.set_movie_id("film");
    ASSERT_OK(trimmed_->store().maintenance.VerifyMovie(
        verify, [&](const v1::VerifyMovieResponse& response) {
          for (const v1::VerifyProblem& problem : response.problems()) {
            problems.push_back(problem.path());
          }
          return absl::OkStatus();
        }));
    EXPECT_THAT(problems, ElementsAre(key.substr(MoviePrefix("film").size())));
    v1::CollectGarbageRequest collect;
    collect.set_movie_id("film");
    EXPECT_THAT(
        trimmed_->store().maintenance.CollectGarbage(
            collect,
            [](const v1::CollectGarbageResponse&) { return absl::OkStatus(); }),
        Not(IsOk()));
    EXPECT_THAT(Remove(), StatusIs(absl::StatusCode::kDataLoss));
    ASSERT_OK(trimmed_->storage.Write(key, right));
    trimmed_->Restart();
  }
  Compare();
}

TEST_F(CoveredLogsTest, WithoutARevisionNothingIsCovered) {
  EditInput();
  ASSERT_OK(Remove());
  EXPECT_EQ(Oldest(*trimmed_), 1);
}

}  // namespace
}  // namespace kinora
