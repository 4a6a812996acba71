#include "services/store/retention/kept_takes.h"

#include <algorithm>

#include "common/status.h"
#include "services/store/event/log_tail.h"
#include "services/store/layout.h"

namespace kinora {

absl::StatusOr<KeptTakes> KeptTakes::Make(EventLog& log,
                                          absl::string_view movie_id,
                                          const std::vector<TakesRule>& rules) {
  KeptTakes takes;
  int64_t through = 0;
  for (const TakesRule& rule : rules) {
    if (rule.keep <= 0) continue;
    takes.kept_.push_back({.rule = rule});
    through = std::max(through, rule.through);
  }
  const std::string key = ArtefactsLogKey(movie_id);
  KINORA_ASSIGN_OR_RETURN(const LogExtent extent, log.Extent(key));
  int64_t at = std::max<int64_t>(extent.oldest_sequence - 1, 0);
  if (at >= through) return takes;
  KINORA_RETURN_IF_ERROR(ReadTail(
      log, key, v1::LOG_KIND_ARTEFACTS, through, &at,
      [&takes](const v1::Event& event) {
        if (event.artefact().status() != v1::ARTEFACT_STATUS_SUCCEEDED) {
          return absl::OkStatus();
        }
        for (Kept& kept : takes.kept_) {
          if (event.sequence() > kept.rule.through) continue;
          std::deque<int64_t>& newest =
              kept.newest[event.artefact().artefact_id()];
          newest.push_back(event.sequence());
          if (static_cast<int64_t>(newest.size()) > kept.rule.keep) {
            newest.pop_front();
          }
        }
        return absl::OkStatus();
      }));
  return takes;
}

bool KeptTakes::Keeps(const v1::Event& event) const {
  for (const Kept& kept : kept_) {
    if (event.sequence() > kept.rule.through) continue;
    const auto found = kept.newest.find(event.artefact().artefact_id());
    if (found != kept.newest.end() &&
        event.sequence() < found->second.front()) {
      return false;
    }
  }
  return true;
}

}  // namespace kinora
