// A store whose answer to one append is a long time on its way.

#ifndef KINORA_SERVICES_RUNNER_TESTING_LATE_ANSWER_H_
#define KINORA_SERVICES_RUNNER_TESTING_LATE_ANSWER_H_

#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"

#include "common/mutex.h"
#include "services/store/store.h"

namespace kinora {

class LateAnswer final : public EventStore {
 public:
  using Which = std::function<bool(const v1::Event&)>;

  // `meanwhile` is what happens before the answer arrives to the first append
  // with such an event; it may block, and the store answers others.
  LateAnswer(const Store& base, Which which, std::function<void()> meanwhile)
      : base_(base),
        which_(std::move(which)),
        meanwhile_(std::move(meanwhile)) {}

  Store store() {
    return {base_.movies, base_.blobs,  *this,      base_.manifests,
            base_.plans,  base_.leases, base_.runs, base_.maintenance};
  }

  absl::StatusOr<v1::AppendEventsResponse> Append(
      const v1::AppendEventsRequest& request) override {
    auto answer = base_.events.Append(request);
    for (const v1::Event& event : request.events()) {
      if (!which_(event)) continue;
      std::function<void()> meanwhile;
      {
        MutexLock lock(mu_);
        meanwhile = std::exchange(meanwhile_, nullptr);
      }
      if (meanwhile) meanwhile();
    }
    return answer;
  }
  absl::StatusOr<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest& request) override {
    return base_.events.ReadPage(request);
  }
  WaiterId NotifyAfter(const v1::LogName& log, int64_t after,
                       absl::AnyInvocable<void()> callback) override {
    return base_.events.NotifyAfter(log, after, std::move(callback));
  }
  void CancelNotify(WaiterId id) override { base_.events.CancelNotify(id); }
  absl::StatusOr<v1::ResolveArtefactsResponse> ResolveArtefacts(
      const v1::ResolveArtefactsRequest& request) override {
    return base_.events.ResolveArtefacts(request);
  }
  absl::StatusOr<v1::ListInputsResponse> ListInputs(
      const v1::ListInputsRequest& request) override {
    return base_.events.ListInputs(request);
  }
  absl::StatusOr<v1::GetLogStatusResponse> GetLogStatus(
      const v1::GetLogStatusRequest& request) override {
    return base_.events.GetLogStatus(request);
  }

 private:
  const Store base_;
  const Which which_;
  Mutex mu_;
  std::function<void()> meanwhile_ ABSL_GUARDED_BY(mu_);
};

inline bool TellsOfAStart(const v1::Event& event) {
  return event.ledger().has_step_started();
}

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_TESTING_LATE_ANSWER_H_
