// CallTurns says which run makes the next call, where the runs of a process
// want to make more calls at once than a producer, or the process, allows.
// Pure: no clock, no I/O, no thread.
//
// A run that is refused stands in the producer's line. What comes free is
// offered to the first in line and kept for it, so that nobody else takes it
// meanwhile; a run that has been granted something and wants more goes to the
// end. So of any two runs that always want to call a producer, neither gets
// two calls between two calls of the other. Where all producers together are
// short, it is the turn of the run whose last grant is the longest ago.
//
// A run that is told of an offer looks what it has to start:
//
//   turns.Look(run);                      // what is offered is known to it
//   while (...) turns.Take(run, ...);     // takes what it wants
//   turns.Settle(run, now);               // gives back what it did not take
//
// Times are nanoseconds of Clock::MonotonicNanos().

#ifndef KINORA_SERVICES_RUNNER_CALLS_CALL_TURNS_H_
#define KINORA_SERVICES_RUNNER_CALLS_CALL_TURNS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/runner/calls/call_rate.h"
#include "services/runner/calls/producer_targets.h"

namespace kinora {

// How one producer may be called.
struct CallLimits {
  uint32_t concurrency = 4;
  CallRate rate;
  size_t targets = 1;
  BreakerOptions breaker;
};

// Not thread-safe.
class CallTurns {
 public:
  using RunKey = uint64_t;

  // A call that may be made or is under way.
  struct Call {
    size_t producer = 0;
    TargetCall at;
    int64_t taken_nanos = 0;  // when it was counted
  };

  // At most `concurrency` calls at once in all, and no more often in all than
  // `rate`; the default limits hold for a producer that is missing from
  // `limits`.
  CallTurns(uint32_t concurrency,
            const std::map<std::string, CallLimits>& limits,
            const CallRate& rate = CallRate());

  // The call the run may make now. If there is none, the run stands in line
  // for one.
  std::optional<Call> Take(RunKey run, const std::string& name,
                           const TargetWish& wish, int64_t now);

  // The call has ended.
  TargetEnd Leave(const Call& call, Contact contact, const std::string& version,
                  int64_t now);

  // The call is not made.
  void Return(const Call& call, int64_t now);

  // A producer's place in Call::producer: that of its name in `limits`; those
  // that are missing there follow.
  size_t IndexOf(const std::string& producer);

  // The producer is not called before `until`.
  void HoldBack(size_t producer, int64_t until);

  // Offers what is free to those in line. Returns the runs that must look, each
  // once. To be called after each change, and when NextAt() has come.
  std::vector<RunKey> Offer(int64_t now);

  // When Offer() may offer something with nothing but time; INT64_MAX for
  // never.
  int64_t NextAt() const;

  // What keeps a producer from being called, whoever wants to.
  struct Hold {
    enum class Why {
      kAsked,    // it asked for that
      kDown,     // its breakers are open, or it is probed
      kRate,     // it, or all of them, may not be called more often
      kAnswers,  // all calls that there may be wait for people's answers
    };
    Why why = Why::kAsked;
    // When that is over; INT64_MAX for what time alone does not end.
    int64_t until = INT64_MAX;
  };
  // None if it may be called, or may be as soon as a call ends.
  std::optional<Hold> HoldOf(const std::string& producer, int64_t now) const;

  // So many of the run's calls to the producer wait for people's answers.
  void SetAsking(RunKey run, const std::string& producer, uint32_t calls);

  void Look(RunKey run);
  void Settle(RunKey run, int64_t now);

  // The run wants nothing more, now and later.
  void Forget(RunKey run, int64_t now);

  // How a producer stands; null if it was never called and has no limits.
  struct Producer {
    CallLimits limits;
    ProducerTargets targets;
    uint32_t running = 0;  // offers included
    int64_t held_until = INT64_MIN;

   private:
    friend class CallTurns;
    struct Want {
      RunKey run = 0;
      uint64_t since = 0;
      std::string version;
    };
    struct Offered {
      Call call;
      bool seen = false;
    };

    explicit Producer(const CallLimits& limits)
        : limits(limits), targets(limits.targets, limits.breaker) {}

    std::deque<Want> line;
    std::map<RunKey, Offered> offers;
    std::map<RunKey, uint32_t> asking;
  };
  const Producer* Find(const std::string& producer) const;

 private:
  bool HasRoom(const Producer& producer, int64_t now) const;
  Call Grant(size_t index, RunKey run, const TargetWish& wish, int64_t now);
  // The producer whose first in line is next; null if nobody can be.
  Producer* NextInTurn(int64_t now);
  uint64_t LastGrant(RunKey run) const;
  static uint32_t AskingOf(const Producer& producer);

  uint32_t concurrency_;
  CallRate rate_;
  std::map<std::string, size_t> index_by_name_;
  std::vector<Producer> producers_;
  std::map<RunKey, uint64_t> last_grant_;  // counts grants
  uint32_t running_ = 0;
  uint64_t grants_ = 0;
  uint64_t wants_ = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_CALLS_CALL_TURNS_H_
