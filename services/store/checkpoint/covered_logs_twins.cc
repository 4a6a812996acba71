#include "services/store/checkpoint/covered_logs_twins.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/store/gc/reachable_blobs.h"
#include "services/store/layout.h"

namespace kinora {

void CoveredLogsTwins::Begin(uint64_t seed) {
  random_.emplace(seed);
  trimmed_.emplace(clock_);
  whole_.emplace(clock_);
  revisions_.clear();
  current_hash_.clear();
  inputs_through_ = 1;
  inputs_end_ = 1;
}

int CoveredLogsTwins::Below(int bound) {
  return static_cast<int>(UniformBelow(*random_, static_cast<uint64_t>(bound)));
}

void CoveredLogsTwins::SetValue(Twin& twin, const std::string& text, bool blob,
                                v1::Content* content) {
  if (blob) {
    content->clear_inline_();
    *content->mutable_blob() = PutBlob(twin.store(), text);
  } else {
    content->mutable_inline_()->set_data(text);
  }
}

void CoveredLogsTwins::EditInput() {
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

void CoveredLogsTwins::MakeArtefact() {
  const int n = Below(4);
  const std::string id = absl::StrCat("Artifact:Image[n=", n, "]");
  // Shared with artefacts of other runs; in one run each has its own.
  const std::string path = absl::StrCat("image-", (n + next_run_) % 4, ".txt");
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
      artefact.mutable_failure()->set_reason(v1::FAILURE_REASON_PRODUCER_ERROR);
    } else {
      SetValue(twin, text, blob, artefact.mutable_output());
      if (readable) artefact.set_readable_path(path);
    }
    ASSERT_OK(twin.store().events.Append(request));
  });
}

void CoveredLogsTwins::Commit() {
  const int64_t through =
      inputs_through_ +
      Below(static_cast<int>(inputs_end_ - inputs_through_) + 1);
  const bool removes = Below(4) == 0;
  v1::CommitRevisionResponse committed;
  Both([&](Twin& twin) {
    v1::CommitRevisionRequest request =
        CommitOf(Lease(twin), run_id_, NextRevision(), current_hash_, through);
    if (removes) {
      request.mutable_source()->add_removed_artefact_ids("Artifact:Image[n=0]");
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

void CoveredLogsTwins::NewRun() {
  Both([&](Twin& twin) {
    if (twin.lease.lease_id().empty()) return;
    v1::ReleaseLeaseRequest release;
    *release.mutable_token() = std::exchange(twin.lease, {});
    ASSERT_OK(twin.store().leases.Release(release));
  });
  run_id_ = absl::StrFormat("run-01KDV3N3C0%016d", ++next_run_);
}

const v1::LeaseToken& CoveredLogsTwins::Lease(Twin& twin) {
  if (twin.lease.lease_id().empty()) {
    twin.lease = TakeFilmLease(twin.store(), "runner", run_id_);
  }
  return twin.lease;
}

std::string CoveredLogsTwins::NextRevision() const {
  return absl::StrFormat("rev-%04d", revisions_.size() + 1);
}

void CoveredLogsTwins::Prune() {
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

absl::Status CoveredLogsTwins::Remove() {
  v1::CheckpointMovieRequest request;
  request.set_movie_id("film");
  request.set_remove_covered_logs(true);
  const auto done = trimmed_->store().maintenance.CheckpointMovie(request);
  if (done.ok() && Oldest(*trimmed_) > 1)
    trimmed_->removed_at = revisions_.back();
  return done.status();
}

int64_t CoveredLogsTwins::Oldest(Twin& twin) {
  return std::max(twin.log.Extent(ArtefactsLogKey("film"))->oldest_sequence,
                  twin.log.Extent(InputsLogKey("film"))->oldest_sequence);
}

std::vector<int64_t> CoveredLogsTwins::AttemptsIn(Twin& twin,
                                                  const std::string& id,
                                                  bool indexed) {
  v1::ReadEventsRequest request;
  request.mutable_log()->set_movie_id("film");
  request.mutable_log()->set_kind(v1::LOG_KIND_ARTEFACTS);
  request.set_include_kept(true);
  if (indexed) request.set_artefact_id(id);
  std::vector<int64_t> sequences;
  while (true) {
    const auto page = twin.store().events.ReadPage(request);
    EXPECT_OK(page);
    if (!page.ok()) return sequences;
    for (const v1::Event& event : page->events()) {
      if (event.artefact().artefact_id() != id) continue;
      sequences.push_back(event.sequence());
    }
    if (page->bookmark().sequence() <= request.after_sequence()) break;
    request.set_after_sequence(page->bookmark().sequence());
  }
  return sequences;
}

std::map<std::string, std::string> CoveredLogsTwins::Answers(Twin& twin) {
  std::map<std::string, std::string> answers;
  v1::ResolveArtefactsRequest resolve;
  resolve.set_movie_id("film");
  for (int n = 0; n < 4; ++n) {
    for (const char key : {'-', 'a', 'b', 'c'}) {
      v1::ArtefactQuery& query = *resolve.add_queries();
      query.set_artefact_id(absl::StrCat("Artifact:Image[n=", n, "]"));
      if (key == '-') continue;
      query.set_inputs_hash(HashOf(key));
      *resolve.add_queries() = query;
      resolve.mutable_queries()->rbegin()->set_failed(true);
    }
  }
  const auto resolved = twin.store().events.ResolveArtefacts(resolve);
  EXPECT_OK(resolved);
  answers["resolved"] = resolved->DebugString();
  for (int n = 0; n < 4; ++n) {
    const std::string id = absl::StrCat("Artifact:Image[n=", n, "]");
    EXPECT_EQ(AttemptsIn(twin, id, /*indexed=*/true),
              AttemptsIn(twin, id, /*indexed=*/false));
  }
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
  EXPECT_OK(
      VisitReachableBlobs(twin.storage, twin.log, twin.core->manifests, "film",
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

void CoveredLogsTwins::Compare() {
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

void CoveredLogsTwins::ForgetDerived() {
  const auto page = trimmed_->storage.List(IndexPrefix("film"), 1000, "");
  ASSERT_OK(page);
  for (const ObjectInfo& object : page->objects) {
    ASSERT_OK(trimmed_->storage.Delete(object.key));
  }
  ASSERT_OK(trimmed_->storage.Delete("builds/film/metrics/aggregates.json"));
  trimmed_->Restart();
}

void CoveredLogsTwins::TellRevisions(int count) {
  for (int i = 0; i < count; ++i) {
    for (int n = 0; n < 3; ++n) EditInput();
    for (int n = 0; n < 8; ++n) MakeArtefact();
    Commit();
  }
}

}  // namespace kinora
