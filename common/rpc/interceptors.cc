#include "common/rpc/interceptors.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/clock.h"
#include "common/error_reason.h"
#include "common/rpc/call_context.h"
#include "common/rpc/rpc_metrics.h"
#include "common/rpc/status.h"
#include "common/telemetry/log.h"
#include "common/telemetry/trace_context.h"

namespace kinora {
namespace {

namespace rpc = grpc::experimental;

class TraceInterceptor final : public rpc::Interceptor {
 public:
  explicit TraceInterceptor(std::string traceparent)
      : traceparent_(std::move(traceparent)) {}

  void Intercept(rpc::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            rpc::InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      methods->GetSendInitialMetadata()->emplace(
          std::string(kTraceparentHeader), traceparent_);
    }
    methods->Proceed();
  }

 private:
  const std::string traceparent_;
};

class TraceInterceptorFactory final
    : public rpc::ClientInterceptorFactoryInterface {
 public:
  rpc::Interceptor* CreateClientInterceptor(rpc::ClientRpcInfo*) override {
    // On the thread that makes the call, whose trace it is.
    if (CurrentTrace().empty()) return nullptr;
    return new TraceInterceptor(CurrentTrace().ToString());
  }
};

class CallInterceptor final : public rpc::Interceptor {
 public:
  CallInterceptor(rpc::ServerRpcInfo* info, RpcMetrics* metrics)
      : info_(info),
        metrics_(metrics),
        begin_nanos_(RealClock().MonotonicNanos()) {}

  void Intercept(rpc::InterceptorBatchMethods* methods) override {
    if (TakesOneRequest() &&
        methods->QueryInterceptionHookPoint(
            rpc::InterceptionHookPoints::POST_RECV_MESSAGE)) {
      unparsed_ = methods->GetRecvMessage() == nullptr;
    }
    if (methods->QueryInterceptionHookPoint(
            rpc::InterceptionHookPoints::PRE_SEND_STATUS)) {
      const absl::Status status = NameRpc(methods);
      const absl::Duration latency =
          absl::Nanoseconds(RealClock().MonotonicNanos() - begin_nanos_);
      if (metrics_ != nullptr) {
        metrics_->Count(info_->method(), status.code(), latency);
      }
      LogCall(status, latency);
    }
    methods->Proceed();
  }

 private:
  // Of a stream of requests, the end looks like one that is not parsed.
  bool TakesOneRequest() const {
    return info_->type() == rpc::ServerRpcInfo::Type::UNARY ||
           info_->type() == rpc::ServerRpcInfo::Type::SERVER_STREAMING;
  }

  // gRPC answers both a method that no class overrides and a request that it
  // cannot parse with a bare UNIMPLEMENTED.
  absl::Status NameRpc(rpc::InterceptorBatchMethods* methods) {
    const grpc::Status status = methods->GetSendStatus();
    if (status.error_code() != grpc::StatusCode::UNIMPLEMENTED ||
        !status.error_message().empty() ||
        !absl::StartsWith(info_->method(), "/kinora.")) {
      return FromGrpcStatus(status);
    }
    const absl::Status named =
        unparsed_
            ? absl::InvalidArgumentError(absl::StrCat(
                  info_->method(),
                  ": the bytes of the request are no message of its type; "
                  "strings must be UTF-8"))
            : WithReason(absl::UnimplementedError(absl::StrCat(
                             info_->method(),
                             " is part of the API but not of this build")),
                         "RPC_NOT_IMPLEMENTED");
    methods->ModifySendStatus(ToGrpcStatus(named));
    return named;
  }

  void LogCall(const absl::Status& status, absl::Duration latency) {
    const LogLevel level = status.ok() ? LogLevel::kDebug : LogLevel::kInfo;
    if (!LogEnabled(level)) return;
    auto* call = dynamic_cast<CallContext*>(info_->server_context());
    Log(level, status.ok() ? "call served" : "call failed",
        {{"method", info_->method()},
         {"code", absl::StatusCodeToString(status.code())},
         {"message", status.message()},
         {"millis", absl::ToInt64Milliseconds(latency)},
         {"trace_id",
          call == nullptr ? std::string() : call->trace().trace_id}});
  }

  rpc::ServerRpcInfo* const info_;
  RpcMetrics* const metrics_;
  const int64_t begin_nanos_;
  // The one request could not be parsed. Set before the handler runs.
  bool unparsed_ = false;
};

class CallInterceptorFactory final
    : public rpc::ServerInterceptorFactoryInterface {
 public:
  explicit CallInterceptorFactory(MetricsRegistry* metrics) {
    if (metrics != nullptr) metrics_ = std::make_unique<RpcMetrics>(*metrics);
  }

  rpc::Interceptor* CreateServerInterceptor(rpc::ServerRpcInfo* info) override {
    return new CallInterceptor(info, metrics_.get());
  }

 private:
  std::unique_ptr<RpcMetrics> metrics_;  // null for none
};

}  // namespace

ClientInterceptors MakeClientInterceptors() {
  ClientInterceptors interceptors;
  interceptors.push_back(std::make_unique<TraceInterceptorFactory>());
  return interceptors;
}

ServerInterceptors MakeServerInterceptors(MetricsRegistry* metrics) {
  ServerInterceptors interceptors;
  interceptors.push_back(std::make_unique<CallInterceptorFactory>(metrics));
  return interceptors;
}

}  // namespace kinora
