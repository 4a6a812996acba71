// Simulated providers in virtual time, and what runners see of them.
//
//   free   costs nothing and keeps no record: whoever calls gets new work
//   paid   charges, and knows its work by the idempotency key: one that calls
//          again joins it or gets what it has made, for the price it paid
//   deaf   charges, and keeps no record
//
// They refuse, are out of reach, break before and after they have taken a job;
// how often, and when, is drawn. No job fails more often than it may. Besides,
// a node's settings may say
//
//   same: true   each output is the same, whatever the job reads
//   blob: true   outputs are blobs
//   flaky: true  the first call of each job is refused
//   asks: true   each job asks a person, and makes something of the answer

#ifndef KINORA_TESTS_MODEL_MODEL_PRODUCERS_H_
#define KINORA_TESTS_MODEL_MODEL_PRODUCERS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/random.h"
#include "common/threads/executor.h"
#include "services/runner/calls/producer_caller.h"
#include "services/runner/calls/producer_table.h"
#include "tests/model/model_store.h"
#include "tests/model/run_truth.h"
#include "tests/model/store_cut.h"

namespace kinora {

// What one job costs where it costs anything.
inline constexpr int64_t kPriceMicros = 250'000;

// As a runner's table has them.
ProducerConfigs ModelProducerConfigs(uint32_t max_attempts);

// The providers. They outlive runners. For one thread.
class ModelProducers {
 public:
  // With `faults` of a hundred calls something goes wrong. References MUST
  // outlive this.
  ModelProducers(Executor& executor, Random& random, ModelStore& store,
                 RunTruth& truth, int faults)
      : executor_(executor),
        random_(random),
        store_(store),
        truth_(truth),
        faults_(faults) {}

  // Called at every lookup, before it is answered.
  void OnLookUp(std::function<void()> on_look_up) {
    on_look_up_ = std::move(on_look_up);
  }

  // Kills the producers, not what providers have written down: calls break, and
  // what was under way is begun anew when it is asked for again, for the price
  // that was paid. They are back a while later.
  void Kill();

  // How often a provider has charged.
  int64_t charges(const std::string& producer) const;
  int64_t calls() const { return calls_; }

 private:
  friend class ModelCaller;

  struct Work {
    bool is_finished = false;
    int life = 0;  // of the producers that are at it
    std::vector<std::function<void()>> waiting;  // until it is
  };

  int Below(int bound);
  absl::Duration Soon(int milliseconds);
  bool GoesWrong() { return Below(100) < faults_; }
  bool is_down() const { return back_at_life_ < life_; }
  // `done` is called when the work is finished.
  void Take(const v1::JobHeader& header, std::function<void()> done);
  AttemptResult Make(const AttemptRequest& request);

  Executor& executor_;
  Random& random_;
  ModelStore& store_;
  RunTruth& truth_;
  const int faults_;
  std::function<void()> on_look_up_ = [] {};
  int64_t calls_ = 0;
  int life_ = 0;                               // how often they were killed
  int back_at_life_ = 0;                       // the last one that came up
  std::vector<std::function<void()>> breaks_;  // of the calls to this one
  std::map<std::string, int> failures_;        // by idempotency key
  std::map<std::string, std::shared_ptr<Work>> record_;  // of paid work
  std::map<std::string, int64_t> charges_;
};

// A runner's way to them, which ends with it.
class ModelCaller final : public ProducerCaller {
 public:
  // Both MUST outlive this.
  ModelCaller(ModelProducers& producers, StoreCut& cut)
      : producers_(producers), cut_(cut) {}

  absl::StatusOr<v1::DescribeResponse> Describe(
      absl::string_view producer, const std::string& version) override;
  absl::StatusOr<FoundWork> LookUp(absl::string_view producer,
                                   const std::string& idempotency_key,
                                   CallStop& stop) override;
  std::unique_ptr<Attempt> Start(
      AttemptRequest request,
      std::shared_ptr<AttemptObserver> observer) override;

 private:
  class Call;

  ModelProducers& producers_;
  StoreCut& cut_;
};

}  // namespace kinora

#endif  // KINORA_TESTS_MODEL_MODEL_PRODUCERS_H_
