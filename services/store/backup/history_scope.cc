#include "services/store/backup/history_scope.h"

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"
#include "services/store/backup/history_end.h"

namespace kinora {
namespace {

absl::Status Cut(const char* field, int64_t through, LogExtent* extent) {
  if (through >= 0) return CutExtent(through, extent);
  return InvalidField(field, absl::StrCat(through), "must not be negative");
}

}  // namespace

absl::Status NarrowToHistory(const MovieBackupCores& cores,
                             const std::string& movie_id,
                             const v1::BackUpMovieRequest::HistoryEnd& until,
                             MovieMoment* moment) {
  KINORA_RETURN_IF_ERROR(Cut("until.artefacts_through",
                             until.artefacts_through(), &moment->artefacts));
  KINORA_RETURN_IF_ERROR(
      Cut("until.inputs_through", until.inputs_through(), &moment->inputs));
  KINORA_ASSIGN_OR_RETURN(const std::vector<EventPtr> commits,
                          cores.events.Commits(movie_id));
  RetentionRecord& retention = moment->retention;
  std::string current;
  for (const EventPtr& commit : commits) {
    if (commit->sequence() > moment->artefacts.last_sequence) break;
    if (!current.empty()) retention.pruned_revisions.insert(current);
    current = commit->revision_committed().revision();
  }
  if (!retention.pruned_revisions.empty()) {
    retention.bytes = RetentionText(retention);
  }
  return absl::OkStatus();
}

}  // namespace kinora
