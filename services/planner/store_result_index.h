// A StoreResultIndex is the ResultIndex of a movie in a store: the log since
// the base revision in memory, what is older by asking the store, which costs
// the questions and not the log.

#ifndef KINORA_SERVICES_PLANNER_STORE_RESULT_INDEX_H_
#define KINORA_SERVICES_PLANNER_STORE_RESULT_INDEX_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "services/planner/plan/artefact_log_index.h"
#include "services/planner/plan/result_index.h"
#include "services/store/event/event_store.h"

namespace kinora {

// Not thread-safe while CatchUp() runs.
class StoreResultIndex final : public ResultIndex {
 public:
  // `events` MUST outlive the index.
  StoreResultIndex(EventStore& events, std::string movie_id)
      : events_(events), movie_id_(std::move(movie_id)) {}

  // Brings the tail after `base_revision` up to the log's end; all of the log
  // if that is empty. Errors of the store.
  absl::Status CatchUp(const std::string& base_revision);

  // Forgets what was read.
  void Forget() { started_ = false; }

  bool IsEmpty() const override {
    return base_revision_.empty() && tail_.IsEmpty();
  }
  absl::StatusOr<std::vector<std::optional<LoggedResult>>> Find(
      absl::Span<const ResultQuery> queries) const override;
  absl::StatusOr<std::vector<bool>> WereMade(
      absl::Span<const std::string> artefact_ids) const override;
  const LoggedFailures& Failures() const override { return tail_.Failures(); }
  bool MayHaveOlderFailures() const override { return older_failures_; }
  absl::StatusOr<std::vector<std::shared_ptr<const v1::Failure>>>
  FindOlderFailures(absl::Span<const ResultQuery> queries) const override;
  const std::map<std::string, HandEdit>& HandEdits() const override {
    return tail_.HandEdits();
  }

 private:
  v1::LogName Log() const;
  using Take = absl::FunctionRef<void(const v1::ResolvedArtefact& answer)>;

  // Hands each answer to `take`, in order: results, or failures.
  absl::Status AskStore(absl::Span<const ResultQuery> queries, bool failed,
                        Take take) const;
  // Answers in order; empty for none.
  absl::StatusOr<std::vector<std::optional<LoggedResult>>> OlderResults(
      absl::Span<const ResultQuery> queries) const;
  absl::StatusOr<bool> StoreHasFailures() const;

  EventStore& events_;
  const std::string movie_id_;
  bool started_ = false;
  std::string base_revision_;
  bool older_failures_ = false;
  ArtefactLogIndex tail_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_STORE_RESULT_INDEX_H_
