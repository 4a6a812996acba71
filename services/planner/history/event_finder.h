// An EventFinder is the ResultHistory of a store's movie, for one explanation.
//
// The event of an artefact is asked of the store by its key, which costs
// nothing that grows with the log. Only if the newest result of a key is not
// the one wanted, as after going back, the log is read once and its keys are
// remembered.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_EVENT_FINDER_H_
#define KINORA_SERVICES_PLANNER_HISTORY_EVENT_FINDER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "services/planner/history/explanation.h"
#include "services/planner/history/revision_reader.h"
#include "services/store/store.h"

namespace kinora {

// Not thread-safe.
class EventFinder final : public ResultHistory {
 public:
  // Both MUST outlive the finder.
  EventFinder(const Store& store, RevisionReader& reader, std::string movie_id)
      : store_(store), reader_(reader), movie_id_(std::move(movie_id)) {}

  absl::StatusOr<std::vector<std::optional<v1::Event>>> Find(
      absl::Span<const ValueQuery> queries) override;

 private:
  using Found = std::vector<std::optional<v1::Event>>;

  absl::Status FindArtefacts(absl::Span<const ValueQuery> queries,
                             Found* found);
  absl::Status FindInputs(absl::Span<const ValueQuery> queries, Found* found);
  absl::Status FindInLog(const ValueQuery& query,
                         std::optional<v1::Event>* found);

  const Store& store_;
  RevisionReader& reader_;
  const std::string movie_id_;
  bool indexed_ = false;
  // Sequences of succeeded events by a hash of artefact, key and value.
  absl::flat_hash_map<size_t, std::vector<int64_t>> sequences_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_EVENT_FINDER_H_
