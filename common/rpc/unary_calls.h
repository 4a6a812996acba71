// UnaryCalls makes unary calls for a client that take no thread while they are
// under way, however many there are. CallUnary() (common/rpc/unary.h) waits
// for one.

#ifndef KINORA_COMMON_RPC_UNARY_CALLS_H_
#define KINORA_COMMON_RPC_UNARY_CALLS_H_

#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"

#include "common/rpc/status.h"
#include "common/rpc/unary.h"
#include "common/threads/mutex.h"

namespace kinora {

// Thread-safe. The stubs it is given MUST outlive it.
class UnaryCalls {
 public:
  UnaryCalls() = default;

  // Cancels what is under way and waits until it has ended. REQUIRES: not
  // called from a callback of gRPC.
  ~UnaryCalls();

  UnaryCalls(const UnaryCalls&) = delete;
  UnaryCalls& operator=(const UnaryCalls&) = delete;

  // Begins a call, which may take `timeout`. `begin` hands its four arguments
  // to the asynchronous method of a generated stub; `done` is told the
  // StatusOr<Response>, once, on a thread of gRPC, and MUST NOT block.
  //
  //   calls_.Start<v1::RenewLeaseResponse>(
  //       request, timeout,
  //       [this](auto... call) {
  //         stub_->async()->RenewLease(std::move(call)...);
  //       },
  //       std::move(done));
  template <typename Response, typename Request, typename Begin, typename Done>
  void Start(Request request, absl::Duration timeout, const Begin& begin,
             Done done);

 private:
  struct Call {
    virtual ~Call() = default;
    grpc::ClientContext context;
  };
  template <typename Request, typename Response, typename Done>
  struct CallOf final : Call {
    CallOf(Request the_request, Done the_done)
        : request(std::move(the_request)), done(std::move(the_done)) {}
    const Request request;
    Response response;
    Done done;
  };

  void Enter(std::shared_ptr<Call> call);
  // The call is no longer to be cancelled; it counts until Left().
  std::shared_ptr<Call> Leave(Call* call);
  void Left();

  Mutex mu_;
  CondVar idle_cv_;
  absl::flat_hash_map<Call*, std::shared_ptr<Call>> calls_ ABSL_GUARDED_BY(mu_);
  int under_way_ ABSL_GUARDED_BY(mu_) = 0;
};

template <typename Response, typename Request, typename Begin, typename Done>
void UnaryCalls::Start(Request request, absl::Duration timeout,
                       const Begin& begin, Done done) {
  using ThisCall = CallOf<Request, Response, Done>;
  auto made = std::make_shared<ThisCall>(std::move(request), std::move(done));
  ThisCall* call = made.get();
  SetTimeout(call->context, timeout);
  Enter(std::move(made));
  begin(&call->context, &call->request, &call->response,
        [this, call](const grpc::Status& status) {
          std::shared_ptr<Call> ended = Leave(call);
          if (status.ok()) {
            call->done(absl::StatusOr<Response>(std::move(call->response)));
          } else {
            call->done(absl::StatusOr<Response>(FromGrpcStatus(status)));
          }
          // Its context holds the channel, which the stub has as well.
          ended.reset();
          Left();
        });
}

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_UNARY_CALLS_H_
