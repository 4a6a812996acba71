#include "services/store/retention/kept_takes.h"

#include <algorithm>

#include "common/status.h"

namespace kinora {

absl::StatusOr<KeptTakes> KeptTakes::Make(LogHistory& artefacts,
                                          const std::vector<TakesRule>& rules) {
  KeptTakes takes;
  int64_t through = 0;
  for (const TakesRule& rule : rules) {
    if (rule.keep <= 0) continue;
    takes.kept_.push_back({.rule = rule});
    through = std::max(through, rule.through);
  }
  if (through == 0) return takes;
  int64_t at = 0;
  KINORA_RETURN_IF_ERROR(
      artefacts.ForEach(through, &at, [&takes](const v1::Event& event) {
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
