#include "clients/cli/run_bars.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "clients/cli/amounts.h"
#include "clients/cli/terminal_text.h"

namespace kinora {
namespace {

constexpr int kBarColumns = 20;
constexpr int kShortBarColumns = 8;
// From these on there is room for a bar, and for a long one.
constexpr int kColumnsForShortBar = 36;
constexpr int kColumnsForBar = 60;

int BarColumns(int columns) {
  if (columns >= kColumnsForBar) return kBarColumns;
  return columns >= kColumnsForShortBar ? kShortBarColumns : 0;
}

// Never full before all has ended, nor empty after something has.
std::string Bar(int64_t ended, int64_t total, int columns) {
  int filled = 0;
  if (total > 0) {
    filled = static_cast<int>(static_cast<double>(columns) *
                              static_cast<double>(ended) /
                              static_cast<double>(total));
    if (ended < total) filled = std::min(filled, columns - 1);
    if (ended > 0) filled = std::max(filled, 1);
  }
  return absl::StrCat("[", std::string(static_cast<size_t>(filled), '#'),
                      std::string(static_cast<size_t>(columns - filled), '-'),
                      "] ");
}

// What has ended and what is running counts also if the plan could not be had.
int64_t TotalOf(const NodeView& node) {
  return std::max(node.total, node.ended() + node.running);
}

std::string NodeLine(const NodeView& node, int name_columns, int bar_columns) {
  const int64_t total = TotalOf(node);
  std::string line =
      absl::StrCat("  ", PadText(PrintableText(node.name), name_columns), " ");
  if (bar_columns > 0) {
    absl::StrAppend(&line, Bar(node.ended(), total, bar_columns));
  }
  absl::StrAppend(&line, node.ended(), "/", total);
  if (node.failed > 0) absl::StrAppend(&line, "  ", node.failed, " failed");
  if (node.reused > 0) absl::StrAppend(&line, "  ", node.reused, " reused");
  if (node.running > 0) {
    absl::StrAppend(&line, "  ", node.running, " running");
    if (!node.message.empty()) {
      absl::StrAppend(&line, ": ", PrintableText(node.message));
    }
  }
  return line;
}

// Whole seconds: an estimate is not better than that.
std::string Span(absl::Duration span) {
  if (span < absl::Minutes(1)) {
    return absl::StrCat(absl::ToInt64Seconds(span), " s");
  }
  const absl::Duration unit =
      span < absl::Hours(1) ? absl::Seconds(1) : absl::Minutes(1);
  return absl::FormatDuration(absl::Trunc(span, unit));
}

std::string TotalLine(const RunView& run) {
  int64_t ended = 0;
  int64_t total = 0;
  for (const NodeView& node : run.nodes) {
    ended += node.ended();
    total += TotalOf(node);
  }
  std::string line =
      absl::StrCat("  total ", ended, "/", total, run.grows ? " or more" : "");
  if (!run.waiting.empty()) {
    absl::StrAppend(&line, "  waiting: ", PrintableText(run.waiting));
  }
  if (run.jobs_per_second > 0) {
    line += run.jobs_per_second < 10
                ? absl::StrFormat("  %.1f jobs/s", run.jobs_per_second)
                : absl::StrFormat("  %.0f jobs/s", run.jobs_per_second);
  }
  for (const v1::Cost& cost : run.costs) {
    absl::StrAppend(&line, "  ", FormatCost(cost));
  }
  if (run.eta.has_value() && ended < total) {
    absl::StrAppend(&line, "  ETA ", Span(*run.eta),
                    run.grows ? " or more" : "");
  }
  return line;
}

// Nodes that a person wants to see first come first; 0 is first.
int RankOf(const NodeView& node) {
  if (node.running > 0) return 0;
  if (node.failed > 0) return 1;
  return node.ended() < TotalOf(node) ? 2 : 3;
}

// Indices of the nodes that get a line of their own, in their order.
std::vector<size_t> Chosen(const std::vector<NodeView>& nodes, size_t room) {
  std::vector<size_t> chosen(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) chosen[i] = i;
  if (nodes.size() <= room) return chosen;
  std::stable_sort(chosen.begin(), chosen.end(), [&nodes](size_t a, size_t b) {
    return RankOf(nodes[a]) < RankOf(nodes[b]);
  });
  chosen.resize(room == 0 ? 0 : room - 1);  // one line tells of the others
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

std::string OthersLine(const std::vector<NodeView>& nodes,
                       const std::vector<size_t>& chosen) {
  int64_t ended = 0;
  int64_t total = 0;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (std::binary_search(chosen.begin(), chosen.end(), i)) continue;
    ended += nodes[i].ended();
    total += TotalOf(nodes[i]);
  }
  return absl::StrCat(
      "  and ",
      Counted(static_cast<int64_t>(nodes.size() - chosen.size()), "more node"),
      " ", ended, "/", total);
}

}  // namespace

std::vector<std::string> DrawRun(const RunView& run, const ScreenSize& screen) {
  std::vector<std::string> lines;
  if (run.nodes.empty()) return lines;
  const int columns = std::max(1, screen.columns - 1);
  // The line of totals, and the one that the cursor is on.
  const size_t room = static_cast<size_t>(std::max(0, screen.rows - 2));
  int name_columns = 0;
  for (const NodeView& node : run.nodes) {
    name_columns =
        std::max(name_columns, DisplayWidth(PrintableText(node.name)));
  }
  name_columns = std::min(name_columns, std::max(4, columns / 3));

  const std::vector<size_t> chosen = Chosen(run.nodes, room);
  for (const size_t i : chosen) {
    lines.push_back(NodeLine(run.nodes[i], name_columns, BarColumns(columns)));
  }
  if (chosen.size() < run.nodes.size() && room > 0) {
    lines.push_back(OthersLine(run.nodes, chosen));
  }
  lines.push_back(TotalLine(run));
  for (std::string& line : lines) line = FitText(line, columns);
  return lines;
}

}  // namespace kinora
