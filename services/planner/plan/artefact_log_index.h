// An ArtefactLogIndex is a ResultIndex built from the events of an artefact
// log, one after another: of all of it, or of its tail after a revision.

#ifndef KINORA_SERVICES_PLANNER_PLAN_ARTEFACT_LOG_INDEX_H_
#define KINORA_SERVICES_PLANNER_PLAN_ARTEFACT_LOG_INDEX_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "common/digest.h"
#include "kinora/v1/event.pb.h"
#include "services/planner/plan/result_index.h"
#include "services/planner/plan/shared_failures.h"

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

  // The same for one query; null if there is none. Valid until the next Add().
  const LoggedResult* FindOne(absl::string_view artefact_id,
                              const Digest& inputs_hash) const;
  bool WasMade(absl::string_view artefact_id) const;

  bool IsEmpty() const override { return artefacts_.empty(); }
  absl::StatusOr<std::vector<std::optional<LoggedResult>>> Find(
      absl::Span<const ResultQuery> queries) const override;
  absl::StatusOr<std::vector<bool>> WereMade(
      absl::Span<const std::string> artefact_ids) const override;
  const LoggedFailures& Failures() const override { return failures_; }
  // Of a log's tail it tells what failed there.
  bool MayHaveOlderFailures() const override { return false; }
  absl::StatusOr<std::vector<std::shared_ptr<const v1::Failure>>>
  FindOlderFailures(absl::Span<const ResultQuery> queries) const override {
    return std::vector<std::shared_ptr<const v1::Failure>>(queries.size());
  }
  const std::map<std::string, HandEdit>& HandEdits() const override {
    return hand_edits_;
  }

 private:
  using Results = absl::flat_hash_map<Digest, LoggedResult>;

  std::shared_ptr<const std::string> RunOf(const v1::ArtefactEvent& attempt);

  int64_t last_sequence_ = 0;
  std::shared_ptr<const std::string> latest_run_;
  absl::node_hash_map<std::string, Results> artefacts_;
  SharedFailures shared_failures_;
  LoggedFailures failures_;
  std::map<std::string, HandEdit> hand_edits_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_ARTEFACT_LOG_INDEX_H_
