// A DrainWatch ends a stream, which would not end by itself, when its server
// drains.

#ifndef KINORA_COMMON_RPC_DRAIN_WATCH_H_
#define KINORA_COMMON_RPC_DRAIN_WATCH_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "grpcpp/server_context.h"

#include "common/rpc/call_context.h"

namespace kinora {

// A member of the stream's reactor.
class DrainWatch {
 public:
  explicit DrainWatch(grpc::CallbackServerContext* context)
      : tracker_(TrackerOf(context)) {}
  DrainWatch(const DrainWatch&) = delete;
  DrainWatch& operator=(const DrainWatch&) = delete;
  ~DrainWatch() {
    if (tracker_ != nullptr) tracker_->CancelOnDrain(id_);
  }

  // From now on a drain, also one that has begun, calls `stop`, which MUST be
  // short, with UNAVAILABLE and `message`. Call at most once.
  template <typename Reactor>
  void Start(const std::shared_ptr<Reactor>& reactor,
             void (Reactor::*stop)(const absl::Status&),
             absl::string_view message = "the server is draining") {
    if (tracker_ == nullptr) return;
    std::weak_ptr<Reactor> weak = reactor;
    id_ = tracker_->OnDrain([weak, stop, message = std::string(message)] {
      if (auto alive = weak.lock()) {
        (alive.get()->*stop)(absl::UnavailableError(message));
      }
    });
  }

 private:
  const std::shared_ptr<CallTracker> tracker_;
  uint64_t id_ = 0;
};

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_DRAIN_WATCH_H_
