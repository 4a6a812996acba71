// Whole runs: a store in memory, the real planner, the simulated producer
// behind an in-process channel.

#ifndef KINORA_SERVICES_RUNNER_TESTING_RUNNER_FIXTURE_H_
#define KINORA_SERVICES_RUNNER_TESTING_RUNNER_FIXTURE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "services/runner/runner.h"
#include "services/runner/testing/runner_process.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {

inline constexpr absl::Duration kPatience = absl::Seconds(60);

// The movie is "film".
class RunnerFixture : public CoreFixture {
 protected:
  RunnerFixture();
  ~RunnerFixture() override;

  std::unique_ptr<RunnerProcess> NewProcess(const SimProducerOptions& sim = {});
  Runner& runner() { return process_->runner(); }
  int64_t calls() const { return process_->calls(); }

  void MakeMovie(const std::string& blueprint,
                 const std::string& movie_id = "film");

  static v1::StartRunRequest StartRequest(
      const std::map<std::string, std::string>& texts = {});

  // The run's ledger to its terminal event, or to the first event that `until`
  // accepts.
  std::vector<v1::LedgerEvent> Ledger(
      const std::string& run_id,
      const std::function<bool(const v1::LedgerEvent&)>& until = nullptr,
      const std::string& movie_id = "film");

  v1::RunSnapshot Finish(const std::string& run_id);

  v1::RunSnapshot RunToEnd(const v1::StartRunRequest& request);

  // Waits until the run's record is as `until` says: whoever has the run writes
  // it behind the ledger. Returns the last one that was seen.
  v1::RunRecord AwaitRecord(
      const std::string& run_id,
      const std::function<bool(const v1::RunRecord&)>& until);

  void Release(const v1::LeaseToken& lease);

  // The last that the run's ledger has of a runner which is gone, and whose
  // lease has expired since.
  void TellAsTheDead(const std::string& run_id, const v1::LedgerEvent& told);

  // "Job status[: detail]" of each job of a run.
  static std::set<std::string> Jobs(const v1::RunSnapshot& run);

  std::unique_ptr<RunnerProcess> process_;

 private:
  bool WaitFor(const v1::ReadEventsRequest& read, int64_t deadline);
};

// A chain and a sibling: A -> B -> C, and D beside them.
std::string Chain(const std::string& a_settings,
                  const std::string& b_settings = "{}");

// As many clips as the script's list has scenes.
std::string Scenes(const std::string& script_settings,
                   const std::string& clip_settings = "{}",
                   const std::string& film_settings = "{}");

// So many jobs beside each other; `node` are further lines of their node.
std::string Parts(const std::string& producer, int jobs,
                  const std::string& node);

// Each of them takes its time.
std::string Slow(const std::string& producer, int jobs, int delay_ms);

// One may cost 0.02 USD; `settings` say what it costs.
std::string Paid(const std::string& producer, int jobs,
                 const std::string& settings);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_TESTING_RUNNER_FIXTURE_H_
