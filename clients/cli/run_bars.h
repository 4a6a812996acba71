// Draws how far a run is: a bar for each node, and a line of totals. Pure: a
// view of the run and the size of the terminal in, lines out.

#ifndef KINORA_CLIENTS_CLI_RUN_BARS_H_
#define KINORA_CLIENTS_CLI_RUN_BARS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "kinora/v1/types.pb.h"

namespace kinora {

// The jobs of one node.
struct NodeView {
  std::string name;
  int64_t total = 0;   // known so far
  int64_t done = 0;    // called and succeeded
  int64_t reused = 0;  // not called, the result existed
  int64_t failed = 0;  // failed for good, or blocked by what did
  int64_t running = 0;
  std::string message;  // of the job that spoke last

  int64_t ended() const { return done + reused + failed; }
};

// A run at one moment.
struct RunView {
  std::vector<NodeView> nodes;  // in the order of the plan
  // More jobs come as artefacts decide: totals are not the last word.
  bool grows = false;
  std::string waiting;  // for what the run waits; empty if it does not
  double jobs_per_second = 0;
  std::vector<v1::Cost> costs;        // by currency
  std::optional<absl::Duration> eta;  // unset while nobody can tell
};

// In characters.
struct ScreenSize {
  int columns = 80;
  int rows = 24;
};

// At most `rows` - 1 lines, none wider than `columns` - 1, so that drawing them
// neither wraps nor scrolls:
//
//   Script     [####################] 1/1
//   Narration  [##########----------] 2/4  1 reused  2 running: speaking
//   total 3/5  0.4 jobs/s  0.12 USD  ETA 5 s
//
// Where rows are few, the nodes that are at work or have failures come first
// and a line tells of the others. Where columns are few, names are cut, the
// bars shrink and go, and lines end early. No lines for a run without nodes.
std::vector<std::string> DrawRun(const RunView& run, const ScreenSize& screen);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_RUN_BARS_H_
