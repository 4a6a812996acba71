// What a person sees of a run while it goes on. Pure: ledger events in, text
// out; watching and printing are elsewhere.

#ifndef KINORA_CLIENTS_CLI_RUN_PROGRESS_H_
#define KINORA_CLIENTS_CLI_RUN_PROGRESS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "kinora/v1/plan.pb.h"

namespace kinora {

// A RunProgress counts the jobs of one run by node. Not thread-safe.
class RunProgress {
 public:
  // `plan` gives the jobs that are to come; may be empty.
  explicit RunProgress(const v1::Plan& plan);

  // Takes the next event of the ledger. Returns what a log of the run says of
  // it: one line without its end, or empty for events that say nothing new.
  std::string Take(const v1::Event& event);

  // A bar per node, as lines to be drawn over the ones before:
  //   Narration  [##########----------]  2/4  1 running: speaking
  std::vector<std::string> Bars() const;

 private:
  struct Node {
    std::string name;
    int64_t total = 0;
    int64_t done = 0;                        // called and succeeded
    int64_t reused = 0;                      // not called, result existed
    int64_t failed = 0;                      // failed or blocked
    std::map<std::string, int64_t> running;  // job id -> start, in ms
    std::string message;                     // of the job that spoke last
  };

  Node& NodeOf(absl::string_view job_id);
  std::string TakeJob(const v1::LedgerEvent& event);
  void TakeExpansion(const v1::JobEvent& expanded);
  std::string TakeStarted(const v1::StepStartedEvent& started, int64_t at);
  std::string TakeProgress(const v1::StepProgressEvent& progress);
  std::string TakeEnd(const v1::StepIdentity& step, absl::string_view word,
                      absl::string_view detail, int64_t at);

  std::vector<Node> nodes_;  // in the order of the plan
  std::map<std::string, size_t, std::less<>> index_;  // node name -> nodes_
};

// The last line about a run that has ended, from its terminal event; empty if
// `event` is none.
std::string DescribeEnd(const v1::LedgerEvent& event);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_RUN_PROGRESS_H_
