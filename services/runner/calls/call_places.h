// CallPlaces shares the calls that a process may make between its runs: at most
// so many at once and so often, of each producer and in all, and each run
// in its turn (call_turns.h). It says which target of a producer is called,
// and keeps calls from one that is down (producer_targets.h).

#ifndef KINORA_SERVICES_RUNNER_CALLS_CALL_PLACES_H_
#define KINORA_SERVICES_RUNNER_CALLS_CALL_PLACES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

#include "common/clock.h"
#include "common/telemetry/metrics.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"
#include "services/runner/calls/breaker_metrics.h"
#include "services/runner/calls/call_rate.h"
#include "services/runner/calls/call_turns.h"
#include "services/runner/calls/producer_table.h"

namespace kinora {

struct CallPlacesOptions {
  uint32_t concurrency = 64;           // calls at once in all
  CallRate rate;                       // of all calls
  MetricsRegistry* metrics = nullptr;  // for the breakers; null for none
};

// Thread-safe, and so are its Seats and Places. They keep it alive, as calls
// may end after whoever began them.
class CallPlaces : public std::enable_shared_from_this<CallPlaces> {
 public:
  // A call that may be made, or is under way; the place is free again when it
  // goes. Not thread-safe by itself.
  class Place {
   public:
    Place(Place&&) = default;
    Place& operator=(Place&& other);
    ~Place();

    // The target to call, by its position in the table.
    size_t target() const { return call_.at.target; }

    // The call has ended, and nobody calls the producer before `hold_back` has
    // passed. False if the call says nothing of its job, see TargetEnd::counts.
    bool End(Contact contact, const std::string& version,
             absl::Duration hold_back);

    // The call is not made.
    void Return();

   private:
    friend class CallPlaces;
    Place(std::shared_ptr<CallPlaces> places, CallTurns::Call call)
        : places_(std::move(places)), call_(std::move(call)) {}

    std::shared_ptr<CallPlaces> places_;  // null once it has ended
    CallTurns::Call call_;
  };

  // What one run has of the places. Its turns are given up when it goes; the
  // calls it has begun keep their places.
  class Seat {
   public:
    ~Seat();

    // A place for a call, or none: then the seat is woken when it should be
    // asked again.
    std::optional<Place> Take(const std::string& producer,
                              const TargetWish& wish);

    // To be called before and after the run has looked what it wants to start,
    // also when it wants nothing: what it was woken for and did not take goes
    // to others.
    void Look();
    void Settle();

    // Nobody calls the producer before `delay` has passed.
    void HoldBack(const std::string& producer, absl::Duration delay);

    // What keeps the producer from being called; none if it may be called, or
    // may be as soon as a call ends.
    std::optional<CallTurns::Hold> HoldOf(const std::string& producer);

    // So many of its calls to the producer wait for people's answers: they may
    // keep their places for days.
    void SetAsking(const std::string& producer, uint32_t calls);

   private:
    friend class CallPlaces;
    Seat(std::shared_ptr<CallPlaces> places, CallTurns::RunKey key)
        : places_(std::move(places)), key_(key) {}

    const std::shared_ptr<CallPlaces> places_;
    const CallTurns::RunKey key_;
  };

  // How this process stands with a producer.
  struct Standing {
    struct Target {
      ProducerTargets::State state;
      absl::Duration open_for;  // from now; zero unless it is open
    };
    std::vector<Target> targets;
    absl::Duration held_back;  // from now
  };

  // `executor`, `clock` and the metrics MUST outlive all seats and places.
  static std::shared_ptr<CallPlaces> Create(const ProducerConfigs& producers,
                                            const CallPlacesOptions& options,
                                            Executor& executor, Clock& clock);

  // A seat for a run. `wake` is called on the executor; one that is on its way
  // still comes when the seat has gone.
  std::unique_ptr<Seat> Join(std::function<void()> wake);

  // Of the producer of that name.
  Standing StandingOf(const std::string& name);

 private:
  CallPlaces(const ProducerConfigs& producers, const CallPlacesOptions& options,
             Executor& executor, Clock& clock);

  // Wakes those whose turn it is, and sets the timer for what comes later.
  void Update() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TimerFired();
  void Tell(const CallTurns::Call& call, TargetStatus became);

  Executor& executor_;
  Clock& clock_;
  // Names of producers and of their targets, in the order of `turns_`.
  std::vector<std::pair<std::string, std::vector<std::string>>> names_;

  Mutex mu_;
  CallTurns turns_ ABSL_GUARDED_BY(mu_);
  BreakerMetrics breakers_ ABSL_GUARDED_BY(mu_);
  std::map<CallTurns::RunKey, std::shared_ptr<std::function<void()>>> wakes_
      ABSL_GUARDED_BY(mu_);
  CallTurns::RunKey next_key_ ABSL_GUARDED_BY(mu_) = 1;
  Executor::TimerId timer_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t timer_at_ ABSL_GUARDED_BY(mu_) = INT64_MAX;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_CALLS_CALL_PLACES_H_
