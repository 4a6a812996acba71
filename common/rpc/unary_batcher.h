// A UnaryBatcher serves unary calls that are cheaper together: what comes while
// earlier calls are being handled waits and is handled in one go, on one
// thread. So no call holds a thread while it waits, say, for a disk. Only calls
// that fill a batch are handled beside another: half as many in each of two
// would cost twice the syncs.

#ifndef KINORA_COMMON_RPC_UNARY_BATCHER_H_
#define KINORA_COMMON_RPC_UNARY_BATCHER_H_

#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"

#include "common/rpc/call_context.h"
#include "common/rpc/status.h"
#include "common/rpc/unary.h"
#include "common/telemetry/trace_context.h"
#include "common/threads/executor.h"
#include "common/threads/mutex.h"

namespace kinora {

struct UnaryBatchLimits {
  // Batches handled at once: enough that one is prepared while another waits.
  int concurrent_batches = 2;
  // A batch holds calls of about this weight together, or one call. With so
  // much it is full.
  size_t batch_weight = 1000;
};

// Thread-safe. MUST outlive the server.
template <typename Request, typename Response>
class UnaryBatcher {
 public:
  // Answers each request, in their order, and may change them. Runs on the
  // executor under the trace of the first call, and may block.
  using Handler = absl::AnyInvocable<std::vector<absl::StatusOr<Response>>(
      absl::Span<Request* const>) const>;

  // What a call counts against the limit of a batch.
  using Weight = size_t (*)(const Request&);

  UnaryBatcher(Executor& executor, const UnaryBatchLimits& limits,
               Weight weight, Handler handler)
      : executor_(executor),
        limits_(limits),
        weight_(weight),
        handler_(std::move(handler)) {}

  // What a service method returns.
  grpc::ServerUnaryReactor* Serve(grpc::CallbackServerContext* context,
                                  const Request* request, Response* response) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    if (absl::Status admitted = AdmitCall(context); !admitted.ok()) {
      reactor->Finish(ToGrpcStatus(admitted));
      return reactor;
    }
    Call call{context,          request, response,
              TraceOf(context), reactor, weight_(*request)};
    {
      MutexLock lock(mu_);
      waiting_weight_ += call.weight;
      waiting_.push_back(std::move(call));
      if (!MayBegin()) return reactor;
      ++batches_;
    }
    PostNext();
    return reactor;
  }

 private:
  struct Call {
    grpc::CallbackServerContext* context;
    const Request* request;
    Response* response;
    TraceContext trace;
    grpc::ServerUnaryReactor* reactor;
    size_t weight;
  };

  // Ends a batch's turn also when a stopped executor drops it.
  class Turn {
   public:
    explicit Turn(UnaryBatcher* batcher) : batcher_(batcher) {}
    Turn(Turn&& other) noexcept
        : batcher_(std::exchange(other.batcher_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (batcher_ != nullptr) batcher_->Drop();
    }
    void operator()() { std::exchange(batcher_, nullptr)->HandleBatch(); }

   private:
    UnaryBatcher* batcher_;
  };

  // A stopped executor drops the turn at once, which takes the lock.
  void PostNext() ABSL_LOCKS_EXCLUDED(mu_) { executor_.Post(Turn(this)); }

  void HandleBatch() {
    std::vector<Call> calls = Take();
    if (!calls.empty()) {
      TraceScope scope(calls.front().trace);
      std::vector<Request*> requests;
      requests.reserve(calls.size());
      // gRPC holds the message for this call alone, and asks no more of it than
      // to be there until the end.
      for (const Call& call : calls) {
        requests.push_back(const_cast<Request*>(call.request));
      }
      std::vector<absl::StatusOr<Response>> answers = handler_(requests);
      for (size_t i = 0; i < calls.size(); ++i) {
        const absl::Status status = answers[i].status();
        if (status.ok()) *calls[i].response = *std::move(answers[i]);
        calls[i].reactor->Finish(ToGrpcStatus(status));
      }
    }
    {
      MutexLock lock(mu_);
      --batches_;
      if (waiting_.empty() || !MayBegin()) return;
      ++batches_;
    }
    PostNext();  // behind what else the executor has to do
  }

  bool MayBegin() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return batches_ == 0 || (batches_ < limits_.concurrent_batches &&
                             waiting_weight_ >= limits_.batch_weight);
  }

  // The calls of the next batch; those whose callers have gone are finished.
  std::vector<Call> Take() {
    std::vector<Call> calls;
    MutexLock lock(mu_);
    for (size_t weight = 0; !waiting_.empty(); waiting_.pop_front()) {
      Call& next = waiting_.front();
      if (next.context->IsCancelled()) {
        waiting_weight_ -= next.weight;
        next.reactor->Finish(
            ToGrpcStatus(absl::CancelledError("the caller has gone")));
        continue;
      }
      weight += next.weight;
      if (!calls.empty() && weight > limits_.batch_weight) break;
      waiting_weight_ -= next.weight;
      calls.push_back(std::move(next));
    }
    return calls;
  }

  void Drop() {
    MutexLock lock(mu_);
    --batches_;
    for (Call& call : waiting_) {
      call.reactor->Finish(
          ToGrpcStatus(absl::UnavailableError("the server is shutting down")));
    }
    waiting_.clear();
    waiting_weight_ = 0;
  }

  Executor& executor_;
  const UnaryBatchLimits limits_;
  const Weight weight_;
  const Handler handler_;

  Mutex mu_;
  int batches_ ABSL_GUARDED_BY(mu_) = 0;  // posted or being handled
  std::deque<Call> waiting_ ABSL_GUARDED_BY(mu_);
  size_t waiting_weight_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_UNARY_BATCHER_H_
