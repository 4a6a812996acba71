// What a person sees of a run while it goes on. Pure: ledger events in, text
// out; watching and printing are elsewhere.

#ifndef KINORA_CLIENTS_CLI_RUN_PROGRESS_H_
#define KINORA_CLIENTS_CLI_RUN_PROGRESS_H_

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "clients/cli/run_bars.h"
#include "clients/cli/run_eta.h"
#include "kinora/v1/event.pb.h"
#include "kinora/v1/plan.pb.h"

namespace kinora {

// A RunProgress counts the jobs of one run by node. Not thread-safe.
class RunProgress {
 public:
  // `plan` gives the jobs that are to come; may be empty.
  explicit RunProgress(const v1::Plan& plan,
                       const RecordedDurations& recorded = {});

  // Takes the next event of the ledger. Returns what a log of the run says of
  // it: one line without its end, or empty for events that say nothing new.
  std::string Take(const v1::Event& event);

  // The run as it is at `now_ms` (since the epoch; by the clock that the events
  // have, or near it).
  //
  // The rate is that of jobs that were called and have ended: within the last
  // kRateWindowMs, or, if there are none, since the run began. The estimate is
  // that of RunEta.
  RunView View(int64_t now_ms) const;

  static constexpr int64_t kRateWindowMs = 30'000;

 private:
  struct Node {
    NodeView view;                           // but for `running`
    std::map<std::string, int64_t> running;  // job id -> start, in ms
  };

  Node& NodeOf(absl::string_view job_id);
  std::string TakeJob(const v1::LedgerEvent& event);
  void TakeExpansion(const v1::JobEvent& expanded);
  void TakeChargeOf(const v1::JobEvent& job);
  std::string TakeStarted(const v1::StepStartedEvent& started, int64_t at);
  std::string TakeProgress(const v1::StepProgressEvent& progress);
  std::string TakeEnd(const v1::StepIdentity& step, absl::string_view word,
                      absl::string_view detail, bool succeeded, int64_t at);
  void TakeCost(const v1::Cost& cost);
  double RateAt(int64_t now_ms) const;

  std::vector<Node> nodes_;  // in the order of the plan
  std::map<std::string, size_t, std::less<>> index_;  // node name -> nodes_
  RunEta eta_;
  bool grows_ = false;
  std::string waiting_;
  std::map<std::string, int64_t> cost_micros_;  // by currency
  std::map<std::string, v1::Cost> lost_costs_;  // of lost attempts, by job
  std::set<std::string> known_works_;           // of those, by their producers
  int64_t begin_ms_ = 0;                        // of the first call
  int64_t latest_ms_ = 0;                       // of the latest event
  int64_t calls_ended_ = 0;
  std::deque<int64_t> recent_ends_ms_;  // within a window of the latest
};

// The last line about a run that has ended, from its terminal event; empty if
// `event` is none.
std::string DescribeEnd(const v1::LedgerEvent& event);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_RUN_PROGRESS_H_
