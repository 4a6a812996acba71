// JobWaits are those jobs of a run that wait for their next attempt, after one
// that has failed or was lost, and whose wait somebody may cut short.
//
// Who asks for that means the wait of the moment. A request that comes late, as
// the ledger could not be read for a while, must not cut short the one after:
// that attempt was made, and nobody has asked for another, which may cost
// something.

#ifndef KINORA_SERVICES_RUNNER_STATE_JOB_WAITS_H_
#define KINORA_SERVICES_RUNNER_STATE_JOB_WAITS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "common/threads/mutex.h"
#include "services/runner/state/run_state.h"

namespace kinora {

// The wait that follows an attempt.
struct JobWait {
  JobIndex job = 0;
  uint32_t attempt = 0;
  // Set by JobWaits: no two waits have the same. After one attempt there may be
  // several, such as for its time to come and then for who knows what became of
  // it.
  uint64_t id = 0;
};

// Thread-safe.
class JobWaits {
 public:
  // The job waits, unless it does so already after the same attempt. `is_told`
  // if a ledger that another process has written tells that.
  void Begin(const std::string& job_id, const JobWait& wait, bool is_told);
  void End(const std::string& job_id);
  void Clear();

  // Whether the job is in that very wait.
  bool IsIn(const std::string& job_id, const JobWait& wait) const;

  // The ledger tells of a job's wait at `sequence`, and perhaps earlier too.
  void NoteTold(const std::string& job_id, int64_t sequence);

  // The job's wait, if it waits; all of them if `job_id` is empty. By id.
  std::map<std::string, JobWait> Find(absl::string_view job_id) const;

  // Those of them that the ledger tells of before `sequence`: what a request
  // there can mean.
  std::vector<JobWait> ToldBefore(absl::string_view job_id,
                                  int64_t sequence) const;

 private:
  struct Entry {
    JobWait wait;
    int64_t told = INT64_MAX;  // where first
  };

  template <typename Take>
  void ForEach(absl::string_view job_id, Take take) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  std::map<std::string, Entry, std::less<>> entries_ ABSL_GUARDED_BY(mu_);
  uint64_t begun_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_STATE_JOB_WAITS_H_
