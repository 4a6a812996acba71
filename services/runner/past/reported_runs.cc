#include "services/runner/past/reported_runs.h"

#include <utility>

#include "services/runner/past/ledger_fold.h"

namespace kinora {
namespace {

// What a run weighs besides its steps.
constexpr size_t kWeightOfRun = 1'000;

}  // namespace

std::shared_ptr<ReportedRuns::Known> ReportedRuns::Find(
    const std::string& run_id) {
  MutexLock lock(mu_);
  std::shared_ptr<Known> known = kept_.Get(run_id);
  if (known == nullptr) {
    known = std::make_shared<Known>();
    kept_.Put(run_id, known);
  }
  return known;
}

absl::Status ReportedRuns::CatchUp(const v1::RunRecord& record, State* state) {
  const auto begin = [&record, state] {
    state->run.emplace(record.run_id(), record.movie_id(), record.stepwise());
    state->through = 0;
  };
  const auto read = [this, &record, state] {
    const auto take = [state](const v1::Event& event) {
      state->run->Recall(event.ledger());
    };
    return FoldLedger(events_, record.movie_id(), record.run_id(),
                      &state->through, take, &executor_);
  };
  if (!state->run.has_value()) begin();
  const absl::Status caught_up = read();
  if (!absl::IsOutOfRange(caught_up) || state->through == 0) return caught_up;
  // The movie was restored from a backup that has less of the run.
  begin();
  return read();
}

void ReportedRuns::Keep(const std::string& run_id, std::shared_ptr<Known> known,
                        size_t weight) {
  MutexLock lock(mu_);
  kept_.Put(run_id, std::move(known), kWeightOfRun + weight);
}

}  // namespace kinora
