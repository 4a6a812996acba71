// A ModelRun is one film's run from its start to its end in virtual time, in
// one thread: a store, simulated providers, the real planner, and one runner
// after another, each killed where it is said, and so may the store be.
// Everything that may happen next happens in an order drawn from the seed, the
// same way each time.

#ifndef KINORA_TESTS_MODEL_MODEL_RUN_H_
#define KINORA_TESTS_MODEL_MODEL_RUN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/manual_executor.h"
#include "services/planner/store_planner.h"
#include "services/runner/runner.h"
#include "services/store/event/memory_event_log.h"
#include "services/store/object/memory_object_storage.h"
#include "services/store/store_core.h"
#include "tests/model/ledger_follower.h"
#include "tests/model/model_producers.h"
#include "tests/model/model_store.h"
#include "tests/model/run_truth.h"
#include "tests/model/store_cut.h"

namespace kinora {

// Who is killed, all at once.
struct Victims {
  bool runner = false;
  bool store = false;  // REQUIRES: it has a disk
  bool producers = false;
};

struct ModelRunOptions {
  std::string blueprint;
  uint64_t seed = 1;
  int faults = 0;             // of a hundred calls of producers
  uint32_t max_attempts = 3;  // of a job
  int64_t budget_micros = 0;  // of the run; 0 for none
  // By so much a person raises it when the run asks; 0 for nobody.
  int64_t raise_micros = 0;
  bool is_patient = false;  // nobody has lost jobs called again
  bool layered = false;
  bool has_rival = false;  // a second runner lives all the time
  ModelStoreOptions store;
  // Says who is killed at the n-th append to the ledger, counted from 0: that
  // is durable, and nobody has heard of it. Called once for each.
  std::function<Victims(int append)> strike = [](int) { return Victims(); };
};

// For one thread.
class ModelRun {
 public:
  // What a run came to.
  struct End {
    std::string manifest_hash;
    size_t jobs = 0;  // accepted from producers
    int64_t cost_micros = 0;
  };

  explicit ModelRun(const ModelRunOptions& options);
  ~ModelRun();

  // Starts a run and has as many runners killed as there are kill points; one
  // that does not get to its own ends the run. Errors name what was not as it
  // should be.
  absl::StatusOr<End> Play(const std::vector<KillPoint>& kills);

  // The changes that runners made, those of each on its own; the second one's
  // that lives all the time come last.
  std::vector<std::vector<std::string>> changes() const;

  // Appends to the ledger so far.
  int ledger_appends() const { return ledger_appends_; }

  // How the store fared.
  const ModelStore& store() const { return store_; }

 private:
  struct Process;

  static constexpr char kMovie[] = "film";

  static v1::LogName LedgerOf(const v1::RunRecord& record);
  static absl::Status NotAsItShould(const std::string& what);

  int Below(int bound);
  Process& Last();
  std::unique_ptr<Process> NewProcess(std::optional<KillPoint> kill);
  absl::Status Start();
  bool IsLeaseFree();
  // The runner's life, until the run has ended or it was killed. True for the
  // former.
  absl::StatusOr<bool> Live();
  absl::StatusOr<bool> HasEnded();
  absl::StatusOr<v1::RunRecord> Record();
  void Follow(const v1::RunRecord& record);
  // A person looks at the run, and has called again what waits for that: now
  // and then, and sometimes in the moment in which an answer comes.
  void LookAfter();
  void LookNow();
  // Another one answers what the run asks.
  void AnswerNow();
  void RaiseBudget(const std::string& run_id);
  void Strike();

  // model_run_checks.cc
  absl::StatusOr<End> CheckEnd();
  absl::Status CheckLedger(const v1::RunRecord& record);
  absl::Status CheckCharges(const v1::RunRecord& record);
  absl::Status CheckNothingIsLeft();

  const ModelRunOptions options_;
  SeededRandom random_;
  FakeClock clock_;
  ManualExecutor executor_;
  ModelStore store_;
  // What runners are handed for maintenance, of which they do none.
  MemoryObjectStorage no_objects_{clock_};
  MemoryEventLog no_events_;
  StoreCore idle_{no_objects_, no_events_, clock_};
  RunTruth truth_;
  ModelProducers producers_;
  int ledger_appends_ = 0;
  bool was_retried_ = false;
  std::optional<size_t> changes_looked_at_;   // by HasEnded()
  std::unique_ptr<LedgerFollower> follower_;  // once there is a run
  std::unique_ptr<Process> rival_;
  std::vector<std::unique_ptr<Process>> processes_;  // the last one lives
};

// In what a run has not come to the same; empty if it has.
std::string DifferenceOf(const ModelRun::End& undisturbed,
                         const absl::StatusOr<ModelRun::End>& killed);

}  // namespace kinora

#endif  // KINORA_TESTS_MODEL_MODEL_RUN_H_
