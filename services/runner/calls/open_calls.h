// The blocking calls that somebody has under way on other threads: its end cuts
// them short and waits for them.

#ifndef KINORA_SERVICES_RUNNER_CALLS_OPEN_CALLS_H_
#define KINORA_SERVICES_RUNNER_CALLS_OPEN_CALLS_H_

#include <memory>
#include <set>

#include "absl/functional/any_invocable.h"

#include "common/threads/call_stop.h"
#include "common/threads/mutex.h"

namespace kinora {

// Thread-safe. MUST outlive its calls.
class OpenCalls {
 public:
  // One that is under way until this is destroyed.
  class Call {
   public:
    explicit Call(OpenCalls& calls) : calls_(calls) {}
    ~Call() { calls_.End(this); }

    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    CallStop& stop() { return stop_; }

   private:
    OpenCalls& calls_;
    CallStop stop_;
  };

  // Null once Close() was called: the call MUST NOT be made.
  std::unique_ptr<Call> Begin();

  // Lets no call begin any more and cuts short those under way. `on_none` is
  // called once, when there is none: before this returns, or by the end of the
  // last one. Further calls of Close() do nothing.
  void Close(absl::AnyInvocable<void()> on_none);

 private:
  void End(Call* call);

  Mutex mu_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  std::set<Call*> calls_ ABSL_GUARDED_BY(mu_);
  absl::AnyInvocable<void()> on_none_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_CALLS_OPEN_CALLS_H_
