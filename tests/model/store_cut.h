// A StoreCut stands between a runner and its store, and kills the runner at a
// given change: from then on nothing that the runner does has an effect, and
// all it hears is that its lease is lost. The change itself is either made or
// not, but the runner does not learn which.
//
// What counts as a change: appends to the ledger and to the artefact log,
// plans, run records, commits, grants and releases of leases, and calls of
// producers, which a simulated one passes through Change(), too.

#ifndef KINORA_TESTS_MODEL_STORE_CUT_H_
#define KINORA_TESTS_MODEL_STORE_CUT_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "services/store/store.h"
#include "tests/model/model_store.h"
#include "tests/model/run_truth.h"

namespace kinora {

// Where a runner is killed.
struct KillPoint {
  int change = 0;  // counted from 0
  bool is_made = false;
};

// For one thread.
class StoreCut {
 public:
  // References MUST outlive this. Runners are handed `maintenance`, but do
  // none.
  StoreCut(ModelStore& base, MaintenanceStore& maintenance, RunTruth& truth,
           std::optional<KillPoint> kill_point);
  ~StoreCut();

  // The store as the runner sees it.
  Store store();

  // The store behind it, which answers whether this is cut or not.
  ModelStore& base() { return base_; }

  // Kills it now.
  void Cut() { is_cut_ = true; }
  bool is_cut() const { return is_cut_; }

  // Makes a change, or kills the runner instead or after it. True if the runner
  // lives to see it made.
  bool Change(const std::string& what, absl::FunctionRef<void()> make);

  // Called when an append to the ledger has become durable, before anybody has
  // heard of it; the runner or its store may be killed in it.
  void OnLedger(std::function<void()> on_ledger) {
    on_ledger_ = std::move(on_ledger);
  }

  // What was changed so far, or not made.
  const std::vector<std::string>& changes() const { return changes_; }

  // What a runner hears that was cut off.
  static absl::Status Lost();

 private:
  class Movies;
  class Blobs;
  class Events;
  class Manifests;
  class Plans;
  class Leases;
  class Runs;

  ModelStore& base_;
  MaintenanceStore& maintenance_;
  RunTruth& truth_;
  const std::optional<KillPoint> kill_point_;
  std::function<void()> on_ledger_ = [] {};
  bool is_cut_ = false;
  std::vector<std::string> changes_;
  const std::unique_ptr<Movies> movies_;
  const std::unique_ptr<Blobs> blobs_;
  const std::unique_ptr<Events> events_;
  const std::unique_ptr<Manifests> manifests_;
  const std::unique_ptr<Plans> plans_;
  const std::unique_ptr<Leases> leases_;
  const std::unique_ptr<Runs> runs_;
};

}  // namespace kinora

#endif  // KINORA_TESTS_MODEL_STORE_CUT_H_
