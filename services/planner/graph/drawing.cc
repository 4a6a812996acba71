#include "services/planner/graph/drawing.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"

namespace kinora {
namespace {

constexpr size_t kMaxParts = 20'000;

// Puts a drawing together; boxes are known by name until all are there.
class Drawer {
 public:
  Drawer(const Graph& graph, bool folded) : graph_(graph), folded_(folded) {}

  // Nullopt as soon as there are more than `limit` boxes and arrows.
  std::optional<Drawing> Run(size_t limit) {
    const auto& nodes = graph_.blueprint().nodes;
    for (size_t n = 0; n < nodes.size(); ++n) {
      for (Graph::Job job = graph_.FirstJob(n); job < graph_.FirstJob(n + 1);
           ++job) {
        if (!graph_.IsActive(static_cast<int>(n), job)) continue;
        const std::string name = AddJob(static_cast<int>(n), job);
        ++jobs_[name];
        for (size_t b = 0; b < nodes[n].bindings.size(); ++b) {
          for (Graph::Element source :
               graph_.Sources(static_cast<int>(n), job, b)) {
            arrows_.emplace(AddSource(source), name);
            if (boxes_.size() + arrows_.size() > limit) return std::nullopt;
          }
        }
        if (boxes_.size() + arrows_.size() > limit) return std::nullopt;
      }
    }
    return Finish();
  }

 private:
  static std::string Times(uint32_t count) {
    return count == 1 ? "" : absl::StrCat(" x", count);
  }

  std::string AddJob(int node, Graph::Job job) {
    std::string name =
        folded_ ? absl::StrCat("n", node) : absl::StrCat("j", job);
    Box& box = boxes_[name];
    if (!box.name.empty()) return name;
    box.name = name;
    box.label = folded_ ? graph_.blueprint().nodes[node].name
                        : graph_.JobIdOf(node, job);
    return name;
  }

  std::string AddSource(Graph::Element source) {
    if (!graph_.IsInput(source)) {
      const Graph::Job maker = graph_.MakerOf(source);
      return AddJob(graph_.NodeOf(maker), maker);
    }
    const int input = graph_.InputOf(source);
    std::string name =
        folded_ ? absl::StrCat("i", input) : absl::StrCat("i", source);
    Box& box = boxes_[name];
    if (!box.name.empty()) return name;
    box.name = name;
    box.is_input = true;
    box.label =
        folded_ ? absl::StrCat("Input:", graph_.blueprint().inputs[input].name,
                               Times(graph_.FirstInput(input + 1) -
                                     graph_.FirstInput(input)))
                : graph_.ElementIdOf(source);
    return name;
  }

  Drawing Finish() {
    Drawing drawing;
    drawing.title = graph_.blueprint().name;
    drawing.folded = folded_;
    for (auto& [name, box] : boxes_) {
      if (!box.is_input) box.label += Times(jobs_[name]);
      drawing.boxes.push_back(std::move(box));
    }
    // Names of one kind in the order of their numbers.
    std::sort(drawing.boxes.begin(), drawing.boxes.end(),
              [](const Box& a, const Box& b) {
                if (a.is_input != b.is_input) return a.is_input;
                if (a.name.size() != b.name.size()) {
                  return a.name.size() < b.name.size();
                }
                return a.name < b.name;
              });
    std::map<std::string, size_t> at;
    for (size_t i = 0; i < drawing.boxes.size(); ++i) {
      at[drawing.boxes[i].name] = i;
    }
    for (const auto& [from, to] : arrows_) {
      drawing.arrows.emplace_back(at[from], at[to]);
    }
    std::sort(drawing.arrows.begin(), drawing.arrows.end());
    return drawing;
  }

  const Graph& graph_;
  const bool folded_;
  std::map<std::string, Box> boxes_;
  std::map<std::string, uint32_t> jobs_;  // active ones, by box
  std::set<std::pair<std::string, std::string>> arrows_;
};

}  // namespace

absl::StatusOr<Drawing> Draw(const Graph& graph, int fold_above) {
  size_t limit = kMaxParts;
  if (fold_above >= 0) {
    limit = std::min(
        limit,
        static_cast<size_t>(fold_above == 0 ? kDefaultFoldAbove : fold_above));
  }
  std::optional<Drawing> drawing = Drawer(graph, false).Run(limit);
  if (!drawing.has_value() && fold_above >= 0) {
    drawing = Drawer(graph, true).Run(kMaxParts);
  }
  if (drawing.has_value()) return *std::move(drawing);
  return WithReason(
      absl::FailedPreconditionError(absl::StrCat(
          "the graph has more than ", kMaxParts, " boxes and arrows to draw")),
      "LIMIT_EXCEEDED");
}

}  // namespace kinora
