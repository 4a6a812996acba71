// A RunEta says how long a run goes on: by how long its jobs take and by what
// waits for what. Pure: what happens to jobs in, a time out.

#ifndef KINORA_CLIENTS_CLI_RUN_ETA_H_
#define KINORA_CLIENTS_CLI_RUN_ETA_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/job_durations.h"
#include "kinora/v1/plan.pb.h"

namespace kinora {

// What calls took before, by producer.
using RecordedDurations = std::map<std::string, absl::Duration>;

// Times are in milliseconds, by one clock or by clocks that are near. Not
// thread-safe.
class RunEta {
 public:
  // Says nothing without a plan. It need not outlive this.
  RunEta(const v1::Plan& plan, const RecordedDurations& recorded);

  // So many more jobs of a node are to come; what they wait for is not known.
  void Grow(absl::string_view node, int64_t jobs);

  // A job is called.
  void Start(absl::string_view job_id, int64_t at_ms);
  // One that was called leaves its producer for a while.
  void Leave(absl::string_view job_id, int64_t at_ms);
  // A job has ended, called or not.
  void End(absl::string_view job_id, bool succeeded, int64_t at_ms);

  // The longer of the two: the longest chain of what is left, and all that is
  // left at as many jobs at once as of late. Unset while that says nothing:
  // before the first call, while nothing is known of how long most of the jobs
  // take that are left, and when all there is left takes longer than it should.
  std::optional<absl::Duration> At(int64_t now_ms) const;

 private:
  static constexpr size_t kNotPlanned = SIZE_MAX;

  struct Node {
    std::string producer;
    int64_t left = 0;  // jobs that have not ended
    // Of these, those that do not run and whose place is not known.
    int64_t unplanned = 0;
    int64_t likely_ms = 0;
    bool is_known = false;
  };
  struct Job {
    size_t node = 0;
    bool ended = false;
    bool running = false;
    std::vector<size_t> dependants;
    int64_t path_ms = 0;  // to the end of the run, itself included
  };
  struct Running {
    size_t node = 0;
    size_t job = kNotPlanned;
    bool is_unplanned = false;  // counted by its node
    int64_t since_ms = 0;
  };

  size_t NodeOf(absl::string_view name);
  void AddJobs(const v1::Plan& plan);
  void Measure();
  void PassTime(int64_t at_ms);

  JobDurations durations_;  // by producer
  std::vector<Node> nodes_;
  std::map<std::string, size_t, std::less<>> node_by_name_;
  std::vector<Job> jobs_;  // each behind those that it waits for
  absl::flat_hash_map<std::string, size_t> job_by_id_;
  absl::flat_hash_map<std::string, Running> running_;
  bool has_plan_ = false;
  bool has_begun_ = false;
  size_t unmeasured_ = 0;  // calls that have ended since Measure()
  double at_once_ = 0;     // jobs running of late, while any did
  int64_t passed_ms_ = 0;  // up to then that counts it
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_RUN_ETA_H_
