// How errors spell a cycle: "Script -> Film -> Script".

#ifndef KINORA_SERVICES_PLANNER_BLUEPRINT_CYCLE_TEXT_H_
#define KINORA_SERVICES_PLANNER_BLUEPRINT_CYCLE_TEXT_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace kinora {

// `cycle` is what was walked through upstream, each once. It is turned into the
// direction of the data, the least of them first.
template <typename Id, typename NameOf>
std::string CycleText(std::vector<Id>* cycle, NameOf name_of) {
  constexpr size_t kMaxNamed = 20;
  std::reverse(cycle->begin(), cycle->end());
  std::rotate(cycle->begin(), std::min_element(cycle->begin(), cycle->end()),
              cycle->end());
  std::string text = "cycle: ";
  for (size_t i = 0; i < cycle->size() && i < kMaxNamed; ++i) {
    absl::StrAppend(&text, name_of((*cycle)[i]), " -> ");
  }
  if (cycle->size() > kMaxNamed) text += "... -> ";
  return absl::StrCat(text, name_of(cycle->front()));
}

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_BLUEPRINT_CYCLE_TEXT_H_
