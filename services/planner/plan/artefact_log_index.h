// An ArtefactLogIndex is a ResultIndex built from the events of an artefact
// log, one after another.

#ifndef KINORA_SERVICES_PLANNER_PLAN_ARTEFACT_LOG_INDEX_H_
#define KINORA_SERVICES_PLANNER_PLAN_ARTEFACT_LOG_INDEX_H_

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/digest.h"
#include "kinora/v1/event.pb.h"
#include "services/planner/plan/result_index.h"

namespace kinora {

// Not thread-safe while Add() runs.
class ArtefactLogIndex final : public ResultIndex {
 public:
  // Takes the next event of the log. An event at or before last_sequence() is
  // ignored, so a page may be read again. DATA_LOSS names the sequence of an
  // event that holds no valid hash where it must.
  absl::Status Add(const v1::Event& event);

  // Where to go on reading; 0 for the log's beginning.
  int64_t last_sequence() const { return last_sequence_; }
  void SkipTo(int64_t sequence) { last_sequence_ = sequence; }

  const LoggedResult* Find(absl::string_view artefact_id,
                           const Digest& inputs_hash) const override;
  const AttemptHistory* History(absl::string_view artefact_id) const override;

 private:
  struct Artefact {
    AttemptHistory history;
    absl::flat_hash_map<Digest, LoggedResult> results;
  };

  int64_t last_sequence_ = 0;
  absl::node_hash_map<std::string, Artefact> artefacts_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_ARTEFACT_LOG_INDEX_H_
