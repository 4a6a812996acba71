// Unary calls on both sides: ServeUnary() runs a blocking core method for a
// server, CallUnary() makes a call with a deadline for a client.

#ifndef KINORA_COMMON_RPC_UNARY_H_
#define KINORA_COMMON_RPC_UNARY_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"

#include "common/rpc/call_context.h"
#include "common/rpc/status.h"
#include "common/telemetry/trace_context.h"
#include "common/threads/executor.h"

namespace kinora {

// A UnaryFinisher finishes a unary call exactly once: with what it is told,
// or, when it is destroyed before (its task was dropped by a stopped
// executor), with UNAVAILABLE.
class UnaryFinisher {
 public:
  explicit UnaryFinisher(grpc::ServerUnaryReactor* reactor)
      : reactor_(reactor) {}
  UnaryFinisher(UnaryFinisher&& other) noexcept
      : reactor_(std::exchange(other.reactor_, nullptr)) {}
  UnaryFinisher& operator=(UnaryFinisher&&) = delete;
  ~UnaryFinisher() {
    Finish(absl::UnavailableError("the server is shutting down"));
  }

  void Finish(const absl::Status& status) {
    if (auto* reactor = std::exchange(reactor_, nullptr)) {
      reactor->Finish(ToGrpcStatus(status));
    }
  }

 private:
  grpc::ServerUnaryReactor* reactor_;
};

// A UnaryAnswer is called once, with what a unary call is to be answered.
template <typename Response>
class UnaryAnswer {
 public:
  UnaryAnswer(grpc::ServerUnaryReactor* reactor, Response* response)
      : finisher_(reactor), response_(response) {}

  void operator()(absl::StatusOr<Response> answer) {
    if (!answer.ok()) return finisher_.Finish(answer.status());
    *response_ = *std::move(answer);
    finisher_.Finish(absl::OkStatus());
  }

 private:
  UnaryFinisher finisher_;
  Response* const response_;  // valid until the call is finished
};

// As ServeUnary(), for a `handler`, void(const Request&,
// UnaryAnswer<Response>), that may pass the answer on and return: no thread
// waits for it. The request is valid until the answer is called.
template <typename Queue, typename Request, typename Response, typename Handler>
grpc::ServerUnaryReactor* ServeUnaryLater(grpc::CallbackServerContext* context,
                                          Queue&& executor,
                                          const Request* request,
                                          Response* response, Handler handler) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (absl::Status admitted = AdmitCall(context); !admitted.ok()) {
    reactor->Finish(ToGrpcStatus(admitted));
    return reactor;
  }
  executor.Post([context, request, trace = TraceOf(context),
                 handler = std::move(handler),
                 answer = UnaryAnswer<Response>(reactor, response)]() mutable {
    if (context->IsCancelled()) {
      return answer(absl::CancelledError("the caller has gone"));
    }
    TraceScope scope(std::move(trace));
    handler(*request, std::move(answer));
  });
  return reactor;
}

// Runs `handler`, a StatusOr<Response>(const Request&), on `executor` (an
// Executor, or what posts to one, as a Strand does) and finishes the call with
// what it returns. A call that was cancelled or timed out before its turn is
// not run. The call's trace is CurrentTrace() meanwhile.
//
//   grpc::ServerUnaryReactor* GetMovie(grpc::CallbackServerContext* context,
//                                      const v1::GetMovieRequest* request,
//                                      v1::GetMovieResponse* response) override
//   {
//     return ServeUnary(context, executor_, request, response,
//                       [this](const v1::GetMovieRequest& request) {
//                         return movies_.Get(request);
//                       });
//   }
template <typename Queue, typename Request, typename Response, typename Handler>
grpc::ServerUnaryReactor* ServeUnary(grpc::CallbackServerContext* context,
                                     Queue&& executor, const Request* request,
                                     Response* response, Handler handler) {
  return ServeUnaryLater(
      context, executor, request, response,
      [handler = std::move(handler)](const Request& r,
                                     UnaryAnswer<Response> answer) mutable {
        answer(handler(r));
      });
}

// Gives `context` a deadline `timeout` from now. Every call of ours has one.
void SetTimeout(grpc::ClientContext& context, absl::Duration timeout);

// Makes a unary call of a generated stub and waits for its end, at most
// `timeout` long.
//
//   CallUnary(*stub_, &v1::MovieService::Stub::GetMovie, request, timeout)
template <typename Stub, typename Request, typename Response>
absl::StatusOr<Response> CallUnary(
    Stub& stub,
    grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                 Response*),
    const Request& request, absl::Duration timeout) {
  grpc::ClientContext context;
  SetTimeout(context, timeout);
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return FromGrpcStatus(status);
  return response;
}

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_UNARY_H_
