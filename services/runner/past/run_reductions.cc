#include "services/runner/past/run_reductions.h"

#include <cstdint>
#include <utility>

#include "google/protobuf/util/message_differencer.h"

#include "common/run_end.h"
#include "common/status.h"
#include "services/runner/past/ledger_fold.h"

namespace kinora {
namespace {

// What a run weighs besides its jobs.
constexpr size_t kWeightOfRun = 1'000;

// Without what a reduction takes from the ledger alone, and what the runner of
// a run that has not ended writes into its record again and again.
v1::RunRecord Beginning(const v1::RunRecord& record) {
  v1::RunRecord beginning = record;
  if (IsTerminal(record.status())) return beginning;
  beginning.clear_status();
  beginning.clear_wait();
  beginning.clear_cost();
  beginning.clear_other_costs();
  return beginning;
}

}  // namespace

absl::StatusOr<v1::RunSnapshot> RunReductions::Reduce(
    const v1::RunRecord& record, RunPast* past) {
  v1::RunSnapshot snapshot;
  KINORA_RETURN_IF_ERROR(Look(
      record, past,
      [&snapshot](const RunReduction& run) { snapshot = run.Snapshot(); }));
  return snapshot;
}

absl::StatusOr<v1::RunStatus> RunReductions::StatusOf(
    const v1::RunRecord& record) {
  v1::RunStatus status = v1::RUN_STATUS_UNSPECIFIED;
  KINORA_RETURN_IF_ERROR(
      Look(record, nullptr,
           [&status](const RunReduction& run) { status = run.status(); }));
  return status;
}

absl::Status RunReductions::Look(
    const v1::RunRecord& record, RunPast* past,
    absl::FunctionRef<void(const RunReduction&)> look) {
  const std::shared_ptr<Kept> kept = Take(record.run_id());
  MutexLock lock(kept->mu);
  // Not by their bytes: those of two equal records differ in the order of their
  // labels.
  v1::RunRecord beginning = Beginning(record);
  if (!kept->reduction.has_value() ||
      !google::protobuf::util::MessageDifferencer::Equals(kept->beginning,
                                                          beginning)) {
    kept->reduction.emplace(record);
    kept->beginning = std::move(beginning);
  }
  RunReduction& reduction = *kept->reduction;
  int64_t through = past == nullptr ? reduction.last_sequence() : 0;
  const auto take = [&reduction, past](const v1::Event& event) {
    if (event.sequence() > reduction.last_sequence()) reduction.Apply(event);
    if (past != nullptr) past->Apply(event.ledger());
  };
  absl::Status read = FoldLedger(events_, record.movie_id(), record.run_id(),
                                 &through, take, &executor_);
  if (absl::IsOutOfRange(read) ||
      (read.ok() && through < reduction.last_sequence())) {
    // The movie was restored from a backup that has less of the run. `past` has
    // been told of all that there is.
    kept->reduction.emplace(record);
    through = 0;
    const auto reduce = [&reduction](const v1::Event& event) {
      reduction.Apply(event);
    };
    read = FoldLedger(events_, record.movie_id(), record.run_id(), &through,
                      reduce, &executor_);
  }
  KINORA_RETURN_IF_ERROR(read);
  {
    MutexLock keeping(mu_);
    kept_.Put(record.run_id(), kept, kWeightOfRun + reduction.job_count());
  }
  look(reduction);
  return absl::OkStatus();
}

std::shared_ptr<RunReductions::Kept> RunReductions::Take(
    const std::string& run_id) {
  MutexLock lock(mu_);
  std::shared_ptr<Kept> kept = kept_.Get(run_id);
  if (kept == nullptr) {
    kept = std::make_shared<Kept>();
    kept_.Put(run_id, kept);
  }
  return kept;
}

}  // namespace kinora
