// A RevisionDiff compares two revisions of a movie: which inputs and artefacts
// differ, why the second has another value, and what came between them cost.
// Pure: the caller hands it the revisions and the events of the artefact log.
// Takes time and memory linear in the manifests and the events, and keeps only
// what differs.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_REVISION_DIFF_H_
#define KINORA_SERVICES_PLANNER_HISTORY_REVISION_DIFF_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/ids.h"
#include "kinora/v1/event.pb.h"
#include "kinora/v1/planner.pb.h"
#include "services/planner/history/change_reasons.h"
#include "services/planner/history/revision_state.h"
#include "services/planner/plan/deciding_values.h"

namespace kinora {

// First ExplainPlaces(), then Add() for the events, then the rest, which is
// const and thread-safe.
class RevisionDiff {
 public:
  // Compares the manifests. `from` may be newer than `to`. REQUIRES: both have
  // a manifest.
  RevisionDiff(RevisionState from, RevisionState to);

  // Finds out why artefacts came or went; call it first. `values` reads what
  // decides that. Errors are those of the store's blobs.
  absl::Status ExplainPlaces(DecidingReader& values);

  // Takes the next event of the artefact log. Only events meant for revisions
  // after FirstOfInterest() matter; the others may be left out.
  void Add(const v1::Event& event);

  // The revision before the first whose events say something of the diff;
  // empty if all do.
  std::string FirstOfInterest() const;

  // Says that some of those events are gone.
  void SetIncomplete() { complete_ = false; }

  // The differences, inputs before artefacts, each in order of their ids.
  size_t size() const { return inputs_.size() + artefacts_.size(); }
  v1::Difference At(size_t position) const;
  // Everything in numbers.
  v1::RevisionDiff Summary() const;

 private:
  struct Artefact {
    const std::string* id = nullptr;  // of a manifest, which is kept alive
    const v1::ManifestArtefact* before = nullptr;
    const v1::ManifestArtefact* after = nullptr;
    v1::ValueOrigin origin = v1::VALUE_ORIGIN_UNSPECIFIED;
    int run = -1;           // in runs_
    bool is_new = false;    // made or edited after the older revision
    ChangeReasons place;    // of what is in one of them only
    ChangeReasons reasons;  // of what has another value
  };

  void CompareInputs();
  void CompareArtefacts();
  void CompareNodes();
  void Count(const v1::Event& event);
  void Explain(const v1::Event& event, Artefact* artefact);
  void ExplainKey(const v1::ArtefactEvent& event, Artefact* artefact);
  int RunNumber(const std::string& run_id);

  const RevisionState from_;
  const RevisionState to_;
  Revision from_number_;
  Revision to_number_;
  std::vector<std::string> inputs_;  // ids
  std::vector<Artefact> artefacts_;
  absl::flat_hash_map<absl::string_view, size_t> artefact_at_;
  std::vector<std::string> runs_;
  absl::flat_hash_map<std::string, int> run_numbers_;
  v1::RevisionDiff summary_;

  bool complete_ = true;
  std::string last_attempt_;
  std::map<std::string, int64_t> micros_;  // by currency
  absl::Duration duration_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_REVISION_DIFF_H_
