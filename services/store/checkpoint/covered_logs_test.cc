// A movie whose covered logs are removed answers as its twin whose are not.

#include "services/store/checkpoint/covered_logs.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "common/digest.h"
#include "common/error_reason.h"
#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "services/store/checkpoint/revision_checkpoint.h"
#include "services/store/gc/reachable_blobs.h"
#include "services/store/layout.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class CoveredLogsTest : public CoreFixture {
 protected:
  // One store; two of them are given the same requests at the same time.
  struct Twin {
    explicit Twin(Clock& its_clock) : clock(its_clock), storage(its_clock) {
      Restart();
      MakeFilm(store());
    }
    void Restart() { core = std::make_unique<Core>(storage, log, clock); }
    Store store() { return core->store(); }

    Clock& clock;
    MemoryObjectStorage storage;
    MemoryEventLog log;
    std::unique_ptr<Core> core;
    v1::LeaseToken lease;    // of the run at hand, if it was taken
    std::string removed_at;  // the revision; empty if nothing was
  };

  // Two new movies.
  void Begin(uint64_t seed) {
    random_.emplace(seed);
    trimmed_.emplace(clock_);
    whole_.emplace(clock_);
    revisions_.clear();
    current_hash_.clear();
    inputs_through_ = 1;
    inputs_end_ = 1;
  }
  void SetUp() override { Begin(7); }

  int Below(int bound) {
    return static_cast<int>(
        UniformBelow(*random_, static_cast<uint64_t>(bound)));
  }

  template <typename Act>
  void Both(Act act) {
    act(*trimmed_);
    act(*whole_);
  }

  void SetValue(Twin& twin, const std::string& text, bool blob,
                v1::Content* content) {
    if (blob) {
      content->clear_inline_();
      *content->mutable_blob() = PutBlob(twin.store(), text);
    } else {
      content->mutable_inline_()->set_data(text);
    }
  }

  void EditInput() {
    const std::string id = absl::StrCat("Input:Topic", Below(3));
    const std::string text = absl::StrCat("topic ", Below(5));
    const bool blob = Below(3) == 0;
    Both([&](Twin& twin) {
      v1::AppendEventsRequest request = InputEdit(id, text, NextRevision());
      SetValue(twin, text, blob,
               request.mutable_events(0)->mutable_input()->mutable_content());
      ASSERT_OK_AND_ASSIGN(const v1::AppendEventsResponse done,
                           twin.store().events.Append(request));
      inputs_end_ = done.last_sequence();
    });
  }

  void MakeArtefact() {
    const std::string id = absl::StrCat("Artifact:Image[n=", Below(4), "]");
    const char key = static_cast<char>('a' + Below(3));
    const std::string text = absl::StrCat("image ", ++next_text_);
    const bool blob = Below(2) == 0;
    const bool fails = Below(4) == 0;
    const bool readable = !blob && Below(4) == 0;
    const std::string node = absl::StrCat("Painter", Below(2));
    const std::string version = absl::StrCat(Below(3));
    Both([&](Twin& twin) {
      v1::AppendEventsRequest request =
          ArtefactMade(id, key, text, Lease(twin), run_id_, NextRevision());
      v1::ArtefactEvent& artefact =
          *request.mutable_events(0)->mutable_artefact();
      v1::ProducedBy& by = *artefact.mutable_produced_by();
      by.set_node(node);
      by.mutable_producer()->set_version(version);
      by.set_job_id(text);
      if (fails) {
        artefact.clear_output();
        artefact.set_status(v1::ARTEFACT_STATUS_FAILED);
        artefact.mutable_failure()->set_message(text);
        artefact.mutable_failure()->set_reason(
            v1::FAILURE_REASON_PRODUCER_ERROR);
      } else {
        SetValue(twin, text, blob, artefact.mutable_output());
        if (readable) artefact.set_readable_path("image.txt");
      }
      ASSERT_OK(twin.store().events.Append(request));
    });
  }

  void Commit() {
    const int64_t through =
        inputs_through_ +
        Below(static_cast<int>(inputs_end_ - inputs_through_) + 1);
    const bool removes = Below(4) == 0;
    v1::CommitRevisionResponse committed;
    Both([&](Twin& twin) {
      v1::CommitRevisionRequest request = CommitOf(
          Lease(twin), run_id_, NextRevision(), current_hash_, through);
      if (removes) {
        request.mutable_source()->add_removed_artefact_ids(
            "Artifact:Image[n=0]");
      }
      ASSERT_OK_AND_ASSIGN(committed, twin.store().manifests.Commit(request));
    });
    if (committed.published()) {
      current_hash_ = committed.current().hash();
      revisions_.push_back(committed.current().revision());
      inputs_through_ = through;
    }
    NewRun();
  }

  void NewRun() {
    Both([&](Twin& twin) {
      if (twin.lease.lease_id().empty()) return;
      v1::ReleaseLeaseRequest release;
      *release.mutable_token() = std::exchange(twin.lease, {});
      ASSERT_OK(twin.store().leases.Release(release));
    });
    run_id_ = absl::StrFormat("run-01KDV3N3C0%016d", ++next_run_);
  }

  const v1::LeaseToken& Lease(Twin& twin) {
    if (twin.lease.lease_id().empty()) {
      twin.lease = TakeFilmLease(twin.store(), "runner", run_id_);
    }
    return twin.lease;
  }

  std::string NextRevision() const {
    return absl::StrFormat("rev-%04d", revisions_.size() + 1);
  }

  void Prune() {
    v1::PruneMovieRequest request;
    request.set_movie_id("film");
    request.set_keep_takes(Below(3));
    request.set_keep_revisions(Below(3) == 0 ? 3 : 0);
    std::vector<v1::PruneMovieResponse> answers;
    Both([&](Twin& twin) {
      ASSERT_OK_AND_ASSIGN(answers.emplace_back(),
                           twin.store().maintenance.PruneMovie(request));
    });
    EXPECT_EQ(answers[0].SerializeAsString(), answers[1].SerializeAsString());
  }

  absl::Status Remove() {
    v1::CheckpointMovieRequest request;
    request.set_movie_id("film");
    request.set_remove_covered_logs(true);
    const auto done = trimmed_->store().maintenance.CheckpointMovie(request);
    if (done.ok() && Oldest(*trimmed_) > 1)
      trimmed_->removed_at = revisions_.back();
    return done.status();
  }

  static int64_t Oldest(Twin& twin) {
    return std::max(twin.log.Extent(ArtefactsLogKey("film"))->oldest_sequence,
                    twin.log.Extent(InputsLogKey("film"))->oldest_sequence);
  }

  // Everything that can be asked of a movie, as text.
  std::map<std::string, std::string> Answers(Twin& twin) {
    std::map<std::string, std::string> answers;
    v1::ResolveArtefactsRequest resolve;
    resolve.set_movie_id("film");
    for (int n = 0; n < 4; ++n) {
      for (const char key : {'-', 'a', 'b', 'c'}) {
        v1::ArtefactQuery& query = *resolve.add_queries();
        query.set_artefact_id(absl::StrCat("Artifact:Image[n=", n, "]"));
        if (key != '-') query.set_inputs_hash(HashOf(key));
      }
    }
    const auto resolved = twin.store().events.ResolveArtefacts(resolve);
    EXPECT_OK(resolved);
    answers["resolved"] = resolved->DebugString();
    for (int64_t through = inputs_through_; through <= inputs_end_; ++through) {
      v1::ListInputsRequest list;
      list.set_movie_id("film");
      list.set_through_sequence(through);
      const auto inputs = twin.store().events.ListInputs(list);
      EXPECT_OK(inputs);
      answers[absl::StrCat("inputs ", through)] = inputs->DebugString();
    }
    v1::ListManifestsRequest list;
    list.set_movie_id("film");
    const auto manifests = twin.store().manifests.List(list);
    EXPECT_OK(manifests);
    for (const v1::ManifestPointer& pointer : manifests->manifests()) {
      answers[pointer.revision()] =
          ManifestJson(twin.store(), pointer.revision());
      const auto rebuilt =
          twin.core->manifests.Rebuild("film", pointer.revision());
      const std::string name = absl::StrCat("rebuilt ", pointer.revision());
      if (pointer.revision() < trimmed_->removed_at) {
        if (&twin == &*trimmed_) {
          EXPECT_EQ(ReasonOf(rebuilt.status()), "LOG_TRIMMED");
        }
        continue;
      }
      EXPECT_OK(rebuilt);
      answers[name] = rebuilt.ok() ? *rebuilt : "";
    }
    std::set<std::string> reachable;
    EXPECT_OK(VisitReachableBlobs(
        twin.storage, twin.log, twin.core->manifests, "film",
        [&reachable](const BlobReference& reference) {
          reachable.insert(reference.blob.digest().hash());
          return absl::OkStatus();
        }));
    for (const std::string& hash : reachable) answers["blob " + hash] = "";
    v1::GetStatisticsRequest statistics;
    statistics.set_movie_id("film");
    const auto counted = twin.store().maintenance.GetStatistics(statistics);
    EXPECT_OK(counted);
    answers["statistics"] = counted->DebugString();
    return answers;
  }

  void Compare() {
    EXPECT_EQ(Answers(*trimmed_), Answers(*whole_));
    v1::VerifyMovieRequest verify;
    verify.set_movie_id("film");
    EXPECT_OK(trimmed_->store().maintenance.VerifyMovie(
        verify, [&](const v1::VerifyMovieResponse& response) {
          for (const v1::VerifyProblem& problem : response.problems()) {
            ADD_FAILURE() << problem.ShortDebugString();
          }
          const std::string& oldest = response.oldest_rebuildable_revision();
          if (!oldest.empty()) {
            EXPECT_GE(oldest, trimmed_->removed_at);
          }
          return absl::OkStatus();
        }));
  }

  // Drops what the trimmed one has in memory and what it can derive.
  void ForgetDerived() {
    const auto page = trimmed_->storage.List(IndexPrefix("film"), 1000, "");
    ASSERT_OK(page);
    for (const ObjectInfo& object : page->objects) {
      ASSERT_OK(trimmed_->storage.Delete(object.key));
    }
    ASSERT_OK(trimmed_->storage.Delete("builds/film/metrics/aggregates.json"));
    trimmed_->Restart();
  }

  // Revisions with something to drop in them.
  void TellRevisions(int count) {
    for (int i = 0; i < count; ++i) {
      for (int n = 0; n < 3; ++n) EditInput();
      for (int n = 0; n < 8; ++n) MakeArtefact();
      Commit();
    }
  }

  std::optional<SeededRandom> random_;
  std::optional<Twin> trimmed_;
  std::optional<Twin> whole_;
  std::vector<std::string> revisions_;
  std::string run_id_{kRun1};
  std::string current_hash_;
  int64_t inputs_through_ = 1;
  int64_t inputs_end_ = 1;
  int next_text_ = 0;
  int next_run_ = 1;
};

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
