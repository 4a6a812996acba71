#include "services/store/event/input_index.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace kinora {

void InputIndex::Apply(v1::Event event) {
  through_ = event.sequence();
  if (!event.has_input()) return;  // of a newer build, and ignorable
  auto shared = std::make_shared<const v1::Event>(std::move(event));
  by_id_[shared->input().input_id()].push_back(std::move(shared));
}

EventPtr InputIndex::Latest(absl::string_view input_id) const {
  auto found = by_id_.find(std::string(input_id));
  return found == by_id_.end() ? nullptr : found->second.back();
}

std::vector<EventPtr> InputIndex::LatestThrough(int64_t through) const {
  std::vector<EventPtr> latest;
  for (const auto& entry : by_id_) {
    const std::vector<EventPtr>& edits = entry.second;
    auto after = std::upper_bound(edits.begin(), edits.end(), through,
                                  [](int64_t sequence, const EventPtr& edit) {
                                    return sequence < edit->sequence();
                                  });
    if (after != edits.begin()) latest.push_back(*std::prev(after));
  }
  return latest;
}

}  // namespace kinora
