#include "services/planner/blueprint/strong_components.h"

#include <algorithm>
#include <cstddef>

namespace kinora {
namespace {

// Tarjan's algorithm.
class Finder {
 public:
  explicit Finder(const std::vector<std::vector<int>>& edges)
      : edges_(edges), state_(edges.size()) {
    found_.of.assign(edges.size(), -1);
    for (size_t i = 0; i < edges_.size(); ++i) {
      if (state_[i].order < 0) Visit(static_cast<int>(i));
    }
  }

  StrongComponents Take() { return std::move(found_); }

 private:
  struct State {
    int order = -1;
    int low = 0;
    size_t next = 0;  // edge to follow
  };

  // Two thousand nodes may be one chain, hence a path of its own.
  void Visit(int root) {
    std::vector<int> path = {root};
    Enter(root);
    while (!path.empty()) {
      State& at = state_[path.back()];
      if (at.next < edges_[path.back()].size()) {
        const int to = edges_[path.back()][at.next++];
        if (state_[to].order < 0) {
          Enter(to);
          path.push_back(to);
        } else if (found_.of[to] < 0) {
          at.low = std::min(at.low, state_[to].order);
        }
        continue;
      }
      const int done = path.back();
      path.pop_back();
      if (at.low == at.order) Close(done);
      if (!path.empty()) {
        state_[path.back()].low = std::min(state_[path.back()].low, at.low);
      }
    }
  }

  void Enter(int vertex) {
    state_[vertex].order = state_[vertex].low = order_++;
    open_.push_back(vertex);
  }

  void Close(int vertex) {
    while (found_.of[vertex] < 0) {
      found_.of[open_.back()] = found_.count;
      open_.pop_back();
    }
    ++found_.count;
  }

  const std::vector<std::vector<int>>& edges_;
  std::vector<State> state_;
  std::vector<int> open_;
  int order_ = 0;
  StrongComponents found_;
};

}  // namespace

StrongComponents FindStrongComponents(
    const std::vector<std::vector<int>>& edges) {
  return Finder(edges).Take();
}

}  // namespace kinora
