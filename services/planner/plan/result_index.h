// A ResultIndex knows the results that a movie's artefact log holds. The pure
// planner asks it what can be reused, many questions at a time: an index may
// have to ask a store.

#ifndef KINORA_SERVICES_PLANNER_PLAN_RESULT_INDEX_H_
#define KINORA_SERVICES_PLANNER_PLAN_RESULT_INDEX_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "common/digest.h"
#include "kinora/v1/types.pb.h"

namespace kinora {

// A succeeded attempt.
struct LoggedResult {
  // The event that records the work; for a reuse, the event it reuses.
  int64_t sequence = 0;
  v1::Content content;
  // The run that made it; null for a reuse, for what no run made, and for what
  // is older than the log that the index was built from.
  std::shared_ptr<const std::string> run_id;
};

// What is asked of one artefact.
struct ResultQuery {
  std::string artefact_id;
  Digest inputs_hash;
};

// A value that a person put in the place of an artefact. It stands as long as
// the key of the artefact's job is `inputs_hash`.
struct HandEdit {
  Digest inputs_hash;
  LoggedResult result;
  int64_t sequence = 0;  // of the event itself, also if it brings a value back
};

// Why attempts at artefacts failed, by artefact id and signature. Texts are cut
// and causes left out.
using LoggedFailures = std::map<std::pair<std::string, Digest>,
                                std::shared_ptr<const v1::Failure>>;

// Thread-compatible.
class ResultIndex {
 public:
  virtual ~ResultIndex() = default;

  // True if there is no result at all, so that nobody need ask.
  virtual bool IsEmpty() const = 0;

  // For each query the latest succeeded attempt with that signature.
  virtual absl::StatusOr<std::vector<std::optional<LoggedResult>>> Find(
      absl::Span<const ResultQuery> queries) const = 0;

  // For each artefact id whether it was ever made, under any signature.
  virtual absl::StatusOr<std::vector<bool>> WereMade(
      absl::Span<const std::string> artefact_ids) const = 0;

  // The failures of attempts since the base revision that a later attempt under
  // the same signature has not made good. Those that say nothing of the job
  // itself are left out (common/job_failure.h).
  virtual const LoggedFailures& Failures() const = 0;

  // False if no attempt failed before the base revision, so that nobody need
  // ask.
  virtual bool MayHaveOlderFailures() const = 0;

  // For each query that Failures() does not answer why the latest attempt with
  // that signature failed before the base revision; null if there is no such
  // failure, or if a later attempt has made it good.
  virtual absl::StatusOr<std::vector<std::shared_ptr<const v1::Failure>>>
  FindOlderFailures(absl::Span<const ResultQuery> queries) const = 0;

  // The latest edit of each artefact by hand since the base revision, by id,
  // but for those that were made anew since under the same signature, or that
  // a revert took back.
  virtual const std::map<std::string, HandEdit>& HandEdits() const = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_RESULT_INDEX_H_
