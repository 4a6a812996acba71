// A store to which one append, or whose answer to it, is a long time on its
// way.

#ifndef KINORA_SERVICES_RUNNER_TESTING_LATE_ANSWER_H_
#define KINORA_SERVICES_RUNNER_TESTING_LATE_ANSWER_H_

#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"

#include "common/threads/mutex.h"
#include "services/store/testing/forwarding_event_store.h"

namespace kinora {

class LateAnswer final : public ForwardingEventStore {
 public:
  using Which = std::function<bool(const v1::Event&)>;

  enum class Late { kAnswer, kAppend };

  // `meanwhile` is what happens before the answer arrives to the first append
  // with such an event, or before the append is done; it may block, and the
  // store answers others.
  LateAnswer(const Store& base, Which which, std::function<void()> meanwhile,
             Late late = Late::kAnswer)
      : ForwardingEventStore(base.events),
        base_(base),
        which_(std::move(which)),
        late_(late),
        meanwhile_(std::move(meanwhile)) {}

  Store store() { return Within(base_); }

  absl::StatusOr<v1::AppendEventsResponse> Append(
      const v1::AppendEventsRequest& request) override {
    if (late_ == Late::kAppend) LetHappen(request);
    auto answer = ForwardingEventStore::Append(request);
    if (late_ == Late::kAnswer) LetHappen(request);
    return answer;
  }

 private:
  void LetHappen(const v1::AppendEventsRequest& request) {
    for (const v1::Event& event : request.events()) {
      if (!which_(event)) continue;
      std::function<void()> meanwhile;
      {
        MutexLock lock(mu_);
        meanwhile = std::exchange(meanwhile_, nullptr);
      }
      if (meanwhile) meanwhile();
    }
  }

  const Store base_;
  const Which which_;
  const Late late_;
  Mutex mu_;
  std::function<void()> meanwhile_ ABSL_GUARDED_BY(mu_);
};

inline bool TellsOfAStart(const v1::Event& event) {
  return event.ledger().has_step_started();
}

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_TESTING_LATE_ANSWER_H_
