// The part of Graph that puts jobs into an order in which each comes after
// those it reads from.

#include <algorithm>
#include <functional>
#include <queue>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "services/planner/blueprint/cycle_text.h"
#include "services/planner/graph/graph.h"

namespace kinora {

absl::Status Graph::Order() {
  for (const std::vector<int>& group : blueprint_->node_groups) {
    int node = group[0];
    bool is_cyclic = group.size() > 1;
    for (const Binding& binding : blueprint_->nodes[node].bindings) {
      auto is_own = [&](const Reference& reference) {
        return !reference.is_input &&
               blueprint_->outputs[reference.target].node == node;
      };
      is_cyclic = is_cyclic || is_own(binding.from) ||
                  (binding.fallback.has_value() && is_own(*binding.fallback));
    }
    if (is_cyclic) {
      KINORA_RETURN_IF_ERROR(OrderGroup(group));
    } else {
      AddToOrder(node, job_begin_[node], job_begin_[node + 1], true);
    }
  }
  return absl::OkStatus();
}

void Graph::AddToOrder(int node, Job first, Job end, bool is_parallel) {
  if (first == end) return;
  if (!order_.empty() && order_.back().node == node &&
      order_.back().end == first) {
    order_.back().end = end;
    return;
  }
  JobRun& run = order_.emplace_back();
  run.node = node;
  run.first = first;
  run.end = end;
  run.is_parallel = is_parallel;
}

// Calls `visit` with the maker of each artefact the job reads.
template <typename Visit>
void Graph::ForEachMaker(int node, Job job, Visit visit) const {
  for (size_t b = 0; b < blueprint_->nodes[node].bindings.size(); ++b) {
    for (Element source : Sources(node, job, b)) {
      if (!IsInput(source)) visit(MakerOf(source));
    }
  }
}

// Kahn's algorithm over the jobs of some nodes; of those that are ready always
// the first, so that jobs of a node stay together.
absl::Status Graph::OrderGroup(const std::vector<int>& group) {
  std::vector<uint32_t> base(blueprint_->nodes.size(), kNobody);
  uint32_t count = 0;
  for (int node : group) {
    base[node] = count;
    count += job_begin_[node + 1] - job_begin_[node];
  }
  // The place of a job in what follows; kNobody for one of another group.
  auto place = [&](Job job) {
    int node = NodeOf(job);
    return base[node] == kNobody ? kNobody
                                 : base[node] + (job - job_begin_[node]);
  };
  auto each_job = [&](auto visit) {
    for (int node : group) {
      for (Job job = job_begin_[node]; job < job_begin_[node + 1]; ++job) {
        visit(node, job);
      }
    }
  };
  // Readers of each job, as compressed rows.
  std::vector<uint32_t> waiting(count, 0);
  std::vector<uint32_t> row(size_t{count} + 1, 0);
  each_job([&](int node, Job job) {
    ForEachMaker(node, job, [&](Job maker) {
      uint32_t at = place(maker);
      if (at == kNobody) return;
      ++row[at + 1];
      ++waiting[place(job)];
    });
  });
  for (uint32_t i = 0; i < count; ++i) row[i + 1] += row[i];
  std::vector<Job> readers(row[count]);
  std::vector<uint32_t> next(row.begin(), row.end() - 1);
  each_job([&](int node, Job job) {
    ForEachMaker(node, job, [&](Job maker) {
      uint32_t at = place(maker);
      if (at != kNobody) readers[next[at]++] = job;
    });
  });
  std::priority_queue<Job, std::vector<Job>, std::greater<Job>> ready;
  each_job([&](int, Job job) {
    if (waiting[place(job)] == 0) ready.push(job);
  });
  uint32_t done = 0;
  while (!ready.empty()) {
    Job job = ready.top();
    ready.pop();
    ++done;
    AddToOrder(NodeOf(job), job, job + 1, false);
    uint32_t at = place(job);
    for (uint32_t i = row[at]; i < row[at + 1]; ++i) {
      if (--waiting[place(readers[i])] == 0) ready.push(readers[i]);
    }
  }
  return done == count ? absl::OkStatus() : CycleError(group, waiting);
}

absl::Status Graph::CycleError(const std::vector<int>& group,
                               const std::vector<uint32_t>& waiting) const {
  std::vector<uint32_t> base(blueprint_->nodes.size(), kNobody);
  uint32_t count = 0;
  Job at = kNobody;
  for (int node : group) {
    base[node] = count;
    for (Job job = job_begin_[node]; job < job_begin_[node + 1]; ++job) {
      if (waiting[count++] > 0 && at == kNobody) at = job;
    }
  }
  auto waits = [&](Job job) {
    int node = NodeOf(job);
    return base[node] != kNobody &&
           waiting[base[node] + (job - job_begin_[node])] > 0;
  };
  // A job that waits reads from one that waits, so walking upstream from any
  // of them runs into a cycle.
  std::vector<Job> path;
  std::vector<Job> next(waiting.size(), kNobody);
  auto mark = [&](Job job) -> Job& {
    int node = NodeOf(job);
    return next[base[node] + (job - job_begin_[node])];
  };
  while (mark(at) == kNobody) {
    Job upstream = kNobody;
    ForEachMaker(NodeOf(at), at, [&](Job maker) {
      if (upstream == kNobody && waits(maker)) upstream = maker;
    });
    mark(at) = upstream;
    at = upstream;
  }
  for (Job job = at; path.empty() || job != at; job = mark(job)) {
    path.push_back(job);
  }
  const std::string text =
      CycleText(&path, [this](Job job) { return JobIdOf(NodeOf(job), job); });
  const NodeDeclaration& first = blueprint_->nodes[NodeOf(path[0])];
  return WithReason(
      absl::FailedPreconditionError(absl::StrCat(
          "line ", first.line, ": nodes.", first.name, ": ", text)),
      "BLUEPRINT_INVALID");
}

}  // namespace kinora
