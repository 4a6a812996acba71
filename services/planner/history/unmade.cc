#include "services/planner/history/unmade.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/status.h"
#include "services/planner/blueprint/suggest.h"
#include "services/planner/history/change_reasons.h"
#include "services/planner/history/element_places.h"
#include "services/planner/history/explanation.h"
#include "services/planner/history/results_ahead.h"
#include "services/planner/plan/graph_shape.h"
#include "services/planner/plan/input_values.h"

namespace kinora {
namespace {

// A fan-in may wait for a million.
constexpr size_t kMaxLooks = 10'000;

class UnmadeExplainer {
 public:
  UnmadeExplainer(const RevisionState& ahead, DecidingReader& values,
                  FindResult find)
      : ahead_(ahead),
        rules_(*ahead.blueprint),
        places_(rules_, ahead, nullptr, values),
        results_(ahead, places_, find) {}

  absl::StatusOr<Unmade> Run(const ElementId& id) {
    KINORA_ASSIGN_OR_RETURN(const Standing root, StandingOf(id));
    Unmade unmade;
    if (root == Standing::kRuledOut) {
      unmade.ruled_out_by = std::move(deciders_);
      return unmade;
    }
    next_.push_back({id.ToString(), "", 0});
    seen_.insert(id.ToString());
    while (!next_.empty()) {
      const Step step = std::move(next_.front());
      next_.pop_front();
      KINORA_RETURN_IF_ERROR(Explain(step));
    }
    if (left_out_) response_.add_notes("further causes are left out");
    unmade.explained = std::move(response_);
    return unmade;
  }

 private:
  struct Step {
    std::string id;
    std::string cause_of;
    uint32_t depth = 0;
  };
  enum class Standing : uint8_t { kThere, kWaits, kRuledOut };

  // Whether there is such a thing as things stand; fills in what decides that.
  absl::StatusOr<Standing> StandingOf(const ElementId& id) {
    deciders_.clear();
    KINORA_ASSIGN_OR_RETURN(const std::vector<Obstacle> obstacles,
                            places_.ObstaclesTo(id));
    bool ruled_out = false;
    std::vector<std::string> awaited;
    for (const Obstacle& obstacle : obstacles) {
      if (IsMissing(obstacle.id)) {
        awaited.push_back(obstacle.id);
      } else if (!obstacle.is_guess) {
        ruled_out = true;
        deciders_.push_back(obstacle.id);
      }
    }
    if (ruled_out) return Standing::kRuledOut;
    deciders_ = std::move(awaited);
    if (deciders_.empty()) return Standing::kThere;
    // What would decide may be ruled out itself: then it never comes.
    std::vector<std::string> kept = deciders_;
    for (const std::string& decider : kept) {
      const absl::StatusOr<ElementId> parsed = ElementId::Parse(decider);
      if (!parsed.ok()) continue;
      KINORA_ASSIGN_OR_RETURN(const Standing standing, StandingOf(*parsed));
      if (standing == Standing::kRuledOut) return standing;
    }
    deciders_ = std::move(kept);
    return Standing::kWaits;
  }

  bool IsMissing(const std::string& id) const {
    return !IsInputId(id) && ahead_.FindArtefact(id) == nullptr;
  }

  absl::Status Explain(const Step& step) {
    v1::Cause& cause = *response_.add_causes();
    cause.set_id(step.id);
    cause.set_cause_of(step.cause_of);
    cause.set_depth(step.depth);
    ChangeReasons reasons;
    if (IsInputId(step.id)) {
      reasons.Add(v1::REASON_KIND_MISSING, "not set");
    } else {
      KINORA_ASSIGN_OR_RETURN(const ResultsAhead::Result result,
                              results_.Of(step.id));
      reasons.Add(v1::REASON_KIND_MISSING,
                  !result.is_made    ? "not made yet"
                  : result.is_as_now ? "made, in no revision yet"
                                     : "made, but not of what it reads now");
      if (result.is_as_now) {
        *cause.mutable_reason() = reasons.Build();
        return absl::OkStatus();
      }
      KINORA_ASSIGN_OR_RETURN(const ElementId id, ElementId::Parse(step.id));
      KINORA_ASSIGN_OR_RETURN(const Standing standing, StandingOf(id));
      awaited_ = deciders_;
      if (standing == Standing::kThere) KINORA_RETURN_IF_ERROR(FindSources(id));
      for (const std::string& awaited : awaited_) {
        reasons.AddSubject(v1::REASON_KIND_PROPAGATED, awaited);
        GoOn(awaited, step);
      }
    }
    *cause.mutable_reason() = reasons.Build();
    return absl::OkStatus();
  }

  void GoOn(const std::string& id, const Step& step) {
    if (seen_.contains(id)) return;
    if (seen_.size() == kMaxCauses || step.depth == kMaxCauseDepth) {
      left_out_ = true;
      return;
    }
    seen_.insert(id);
    next_.push_back({id, step.id, step.depth + 1});
  }

  // What its job reads and is not there yet.
  absl::Status FindSources(const ElementId& id) {
    const OutputDeclaration& output =
        rules_.outputs[rules_.FindOutput(id.name)];
    const NodeDeclaration& node = rules_.nodes[output.node];
    ElementPlaces::Point point;
    if (!places_.PlaceAt(output.dimensions, id, &point)) {
      return absl::OkStatus();
    }
    for (const Binding& binding : node.bindings) {
      const std::vector<int>& dimensions = rules_.DimensionsOf(binding.from);
      ElementPlaces::Point there = point;
      std::vector<int> ranges;
      bool outside = false;
      for (size_t i = 0; i < dimensions.size(); ++i) {
        const ReferenceIndex& index = binding.from.indices[i];
        const int dimension = dimensions[i];
        const bool is_own = std::find(node.over.begin(), node.over.end(),
                                      dimension) != node.over.end();
        if (!index.is_constant && !is_own) {
          ranges.push_back(dimension);
          continue;
        }
        const int64_t at = index.At(there[dimension]);
        outside = outside || at < 0;
        there[dimension] = static_cast<uint32_t>(at);
      }
      if (outside) continue;
      KINORA_RETURN_IF_ERROR(FindElements(binding.from, ranges, 0, &there));
    }
    return absl::OkStatus();
  }

  absl::Status FindElements(const Reference& read,
                            const std::vector<int>& ranges, size_t level,
                            ElementPlaces::Point* point) {
    if (looks_ == kMaxLooks || awaited_.size() == kMaxCauses) {
      left_out_ = true;
      return absl::OkStatus();
    }
    ++looks_;
    if (level == ranges.size()) return FindElement(read, *point);
    const int dimension = ranges[level];
    const std::string sizer = places_.SizerAt(dimension, *point);
    if (!sizer.empty() && IsMissing(sizer)) {
      KINORA_ASSIGN_OR_RETURN(const ElementId id, ElementId::Parse(sizer));
      return Await(id, sizer);
    }
    KINORA_ASSIGN_OR_RETURN(const std::optional<uint32_t> size,
                            places_.SizeAt(dimension, *point));
    for (uint32_t i = 0; i < size.value_or(0) && looks_ < kMaxLooks; ++i) {
      (*point)[dimension] = i;
      KINORA_RETURN_IF_ERROR(FindElements(read, ranges, level + 1, point));
    }
    return absl::OkStatus();
  }

  absl::Status FindElement(const Reference& read,
                           const ElementPlaces::Point& point) {
    const std::string id = ElementIdAt(rules_, read, point);
    const bool is_there = read.is_input ? ahead_.FindInput(id) != nullptr
                                        : ahead_.FindArtefact(id) != nullptr;
    if (is_there) return absl::OkStatus();
    KINORA_ASSIGN_OR_RETURN(const ElementId parsed, ElementId::Parse(id));
    return Await(parsed, id);
  }

  // What is ruled out is absent, and not waited for.
  absl::Status Await(const ElementId& parsed, const std::string& id) {
    KINORA_ASSIGN_OR_RETURN(const Standing standing, StandingOf(parsed));
    if (standing != Standing::kRuledOut &&
        std::find(awaited_.begin(), awaited_.end(), id) == awaited_.end()) {
      awaited_.push_back(id);
    }
    return absl::OkStatus();
  }

  const RevisionState& ahead_;
  const Blueprint& rules_;
  ElementPlaces places_;
  ResultsAhead results_;
  v1::ExplainArtefactResponse response_;
  std::deque<Step> next_;
  absl::flat_hash_set<std::string> seen_;
  std::vector<std::string> deciders_;
  std::vector<std::string> awaited_;
  size_t looks_ = 0;
  bool left_out_ = false;
};

}  // namespace

absl::StatusOr<Unmade> ExplainUnmade(const ElementId& id,
                                     const RevisionState& ahead,
                                     DecidingReader& values, FindResult find) {
  return UnmadeExplainer(ahead, values, find).Run(id);
}

absl::StatusOr<std::string> SuggestArtefact(const ElementId& id,
                                            const RevisionState& state,
                                            DecidingReader& values) {
  if (state.blueprint == nullptr) return "";
  const Blueprint& rules = *state.blueprint;
  ElementPlaces places(rules, state, nullptr, values);
  std::vector<std::string> nearest;  // one of each output
  for (size_t i = 0; i < rules.outputs.size(); ++i) {
    const OutputDeclaration& output = rules.outputs[i];
    const Reference element = {.target = static_cast<int>(i)};
    ElementPlaces::Point point(rules.dimensions.size(), 0);
    for (int dimension : output.dimensions) {
      for (const DimensionIndex& index : id.indices) {
        if (index.dimension != rules.dimensions[dimension].name) continue;
        point[dimension] = index.index;
      }
      KINORA_ASSIGN_OR_RETURN(const std::optional<uint32_t> size,
                              places.SizeAt(dimension, point));
      if (!size.has_value() || *size == 0) continue;
      point[dimension] = std::min(point[dimension], *size - 1);
    }
    std::string candidate = ElementIdAt(rules, element, point);
    // Before the first revision, what it may have.
    if (!state.revision().empty() && state.FindArtefact(candidate) == nullptr) {
      candidate =
          ElementIdAt(rules, element, ElementPlaces::Point(point.size(), 0));
      if (state.FindArtefact(candidate) == nullptr) continue;
    }
    nearest.emplace_back(absl::StripPrefix(candidate, "Artifact:"));
    if (output.name == id.name) {
      return absl::StrCat("; did you mean \"", nearest.back(), "\"?");
    }
  }
  return DidYouMean(absl::StripPrefix(id.ToString(), "Artifact:"),
                    {nearest.begin(), nearest.end()});
}

}  // namespace kinora
