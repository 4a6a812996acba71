#include "common/rpc/server.h"

#include <optional>
#include <thread>

#include "gmock/gmock.h"
#include "grpcpp/channel.h"
#include "grpcpp/impl/client_unary_call.h"
#include "grpcpp/impl/rpc_method.h"
#include "gtest/gtest.h"

#include "clients/cpp/channel.h"
#include "common/error_reason.h"
#include "common/rpc/unary.h"
#include "common/telemetry/metrics.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"
#include "kinora/v1/lease.grpc.pb.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Stub = v1::LeaseService::Stub;

constexpr absl::Duration kTimeout = absl::Seconds(20);

// A gate that calls wait at until the test opens it.
class Gate {
 public:
  void Pass() {
    MutexLock lock(mu_);
    ++waiting_;
    cv_.SignalAll();
    while (!open_) cv_.Wait(mu_);
  }
  void Open() {
    MutexLock lock(mu_);
    open_ = true;
    cv_.SignalAll();
  }
  void WaitForCalls(int calls) {
    MutexLock lock(mu_);
    while (waiting_ < calls) cv_.Wait(mu_);
  }

 private:
  Mutex mu_;
  CondVar cv_;
  bool open_ ABSL_GUARDED_BY(mu_) = false;
  int waiting_ ABSL_GUARDED_BY(mu_) = 0;
};

// GetLease answers at once with the trace it is served under, RenewLease waits
// at the gate, AcquireLease fails; ReleaseLease is not overridden.
class ScratchService final : public v1::LeaseService::CallbackService {
 public:
  explicit ScratchService(Executor& executor) : executor_(executor) {}

  grpc::ServerUnaryReactor* GetLease(grpc::CallbackServerContext* context,
                                     const v1::GetLeaseRequest* request,
                                     v1::GetLeaseResponse* response) override {
    return ServeUnary(
        context, executor_, request, response,
        [this](const v1::GetLeaseRequest&)
            -> absl::StatusOr<v1::GetLeaseResponse> {
          v1::GetLeaseResponse response;
          response.mutable_lease()->set_holder(std::string(answer_bytes_, 'x'));
          response.mutable_lease()->set_purpose(CurrentTrace().ToString());
          return response;
        });
  }
  grpc::ServerUnaryReactor* RenewLease(
      grpc::CallbackServerContext* context,
      const v1::RenewLeaseRequest* request,
      v1::RenewLeaseResponse* response) override {
    return ServeUnary(context, executor_, request, response,
                      [this](const v1::RenewLeaseRequest&)
                          -> absl::StatusOr<v1::RenewLeaseResponse> {
                        gate_.Pass();
                        return v1::RenewLeaseResponse();
                      });
  }
  grpc::ServerUnaryReactor* AcquireLease(
      grpc::CallbackServerContext* context,
      const v1::AcquireLeaseRequest* request,
      v1::AcquireLeaseResponse* response) override {
    return ServeUnary(context, executor_, request, response,
                      [](const v1::AcquireLeaseRequest&)
                          -> absl::StatusOr<v1::AcquireLeaseResponse> {
                        return WithReason(
                            absl::FailedPreconditionError("held by someone"),
                            "LEASE_HELD", {{"holder", "someone"}});
                      });
  }

  Gate& gate() { return gate_; }
  // To be called before it serves.
  void set_answer_bytes(size_t bytes) { answer_bytes_ = bytes; }

 private:
  size_t answer_bytes_ = 0;
  Executor& executor_;
  Gate gate_;
};

class RpcServerTest : public ::testing::TestWithParam<Transport> {
 protected:
  void Serve(RpcServerOptions options = {}) {
    options.metrics = &metrics_;
    server_.emplace(
        std::vector<RpcService>{
            {v1::LeaseService::service_full_name(), &service_}},
        options);
    channel_ = server_->Channel(GetParam());
    stub_ = v1::LeaseService::NewStub(channel_);
  }
  absl::StatusOr<v1::GetLeaseResponse> Get() {
    return CallUnary(*stub_, &Stub::GetLease, v1::GetLeaseRequest(), kTimeout);
  }
  absl::StatusOr<v1::RenewLeaseResponse> Renew() {
    return CallUnary(*stub_, &Stub::RenewLease, v1::RenewLeaseRequest(),
                     kTimeout);
  }

  MetricsRegistry metrics_;
  ThreadPool executor_{"test", 4};
  ScratchService service_{executor_};
  std::optional<InProcessServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Stub> stub_;
};

INSTANTIATE_TEST_SUITE_P(All, RpcServerTest,
                         ::testing::Values(Transport::kInProcess,
                                           Transport::kTcp),
                         TransportName);

TEST_P(RpcServerTest, AnErrorArrivesWithReasonAndMetadata) {
  Serve();
  const absl::Status status = CallUnary(*stub_, &Stub::AcquireLease,
                                        v1::AcquireLeaseRequest(), kTimeout)
                                  .status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               "held by someone"));
  EXPECT_EQ(ReasonOf(status), "LEASE_HELD");
  EXPECT_EQ(MetadataOf(status)["holder"], "someone");
  EXPECT_THAT(
      metrics_.RenderPrometheus(),
      HasSubstr("kinora_rpc_calls_total{method=\"kinora.v1.LeaseService/"
                "AcquireLease\",code=\"FAILED_PRECONDITION\"} 1\n"));
}

TEST_P(RpcServerTest, AnRpcThatTheBuildLacksNamesItself) {
  Serve();
  const absl::Status status = CallUnary(*stub_, &Stub::ReleaseLease,
                                        v1::ReleaseLeaseRequest(), kTimeout)
                                  .status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kUnimplemented,
                       "/kinora.v1.LeaseService/ReleaseLease is part of the "
                       "API but not of this build"));
  EXPECT_EQ(ReasonOf(status), "RPC_NOT_IMPLEMENTED");
}

TEST_P(RpcServerTest, AnUnknownMethodIsRefusedAndTheServerGoesOn) {
  Serve();
  for (const char* name : {"/kinora.v1.MovieService/GetMovie", "/foo.Bar/Baz",
                           "/kinora.v1.LeaseService/Nope", "/"}) {
    const grpc::internal::RpcMethod method(
        name, grpc::internal::RpcMethod::NORMAL_RPC);
    grpc::ClientContext context;
    v1::GetLeaseResponse response;
    const grpc::Status status =
        grpc::internal::BlockingUnaryCall<v1::GetLeaseRequest,
                                          v1::GetLeaseResponse>(
            channel_.get(), method, &context, v1::GetLeaseRequest(), &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << name;
    EXPECT_OK(Get()) << "after " << name;
  }
  // A caller that makes up names does not make up time series.
  const std::string counted = metrics_.RenderPrometheus();
  EXPECT_THAT(counted, HasSubstr("kinora_rpc_latency_seconds_count{method="
                                 "\"kinora.v1.LeaseService/GetLease\"} 4\n"));
  EXPECT_THAT(counted, Not(HasSubstr("Baz")));
  EXPECT_THAT(counted, Not(HasSubstr("Nope")));
}

TEST_P(RpcServerTest, ARequestThatDoesNotParseIsRefusedAsSuch) {
  Serve();
  v1::GetLeaseRequest request;
  request.set_lease_id("\xff\xfe");
  const absl::Status status =
      CallUnary(*stub_, &Stub::GetLease, request, kTimeout).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               AllOf(HasSubstr("LeaseService/GetLease"),
                                     HasSubstr("must be UTF-8"))));
  EXPECT_EQ(ReasonOf(status), "");
}

TEST_P(RpcServerTest, CallsBeyondTheLimitAreRefused) {
  RpcServerOptions options;
  options.max_concurrent_calls = 1;
  Serve(options);
  std::thread first([this] { EXPECT_OK(Renew()); });
  service_.gate().WaitForCalls(1);
  const absl::Status refused = Get().status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(ReasonOf(refused), "LIMIT_EXCEEDED");
  service_.gate().Open();
  first.join();
}

TEST_P(RpcServerTest, AMessageOverTheLimitIsRefused) {
  RpcServerOptions options;
  options.max_message_bytes = 1000;
  Serve(options);
  v1::GetLeaseRequest request;
  request.set_lease_id(std::string(2000, 'x'));
  EXPECT_THAT(CallUnary(*stub_, &Stub::GetLease, request, kTimeout),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_P(RpcServerTest, AnAnswerMayBeLargerThanARequest) {
  service_.set_answer_bytes(20 << 20);
  Serve();
  ASSERT_OK_AND_ASSIGN(const v1::GetLeaseResponse response, Get());
  EXPECT_EQ(response.lease().holder().size(), 20 << 20);
}

TEST_P(RpcServerTest, ADeadlineEndsTheCall) {
  Serve();
  EXPECT_THAT(CallUnary(*stub_, &Stub::RenewLease, v1::RenewLeaseRequest(),
                        absl::Milliseconds(50)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  service_.gate().Open();
}

TEST_P(RpcServerTest, TheCallersTraceReachesTheHandler) {
  Serve();
  const TraceContext trace = TraceContext::New();
  TraceScope scope(trace);
  ASSERT_OK_AND_ASSIGN(const v1::GetLeaseResponse response, Get());
  const auto served = TraceContext::Parse(response.lease().purpose());
  ASSERT_TRUE(served.has_value());
  EXPECT_EQ(served->trace_id, trace.trace_id);
  EXPECT_NE(served->span_id, trace.span_id);
}

TEST_P(RpcServerTest, ACallWithoutATraceGetsOne) {
  Serve();
  ASSERT_OK_AND_ASSIGN(const v1::GetLeaseResponse response, Get());
  EXPECT_TRUE(TraceContext::Parse(response.lease().purpose()).has_value());
}

TEST_P(RpcServerTest, ADrainLetsCallsUnderWayFinishAndRefusesNewOnes) {
  Serve();
  std::thread under_way([this] { EXPECT_OK(Renew()); });
  service_.gate().WaitForCalls(1);
  std::thread drain([this] { server_->server().Drain(absl::Minutes(1)); });
  absl::Status refused;
  do {
    refused = Get().status();
  } while (refused.ok());
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kUnavailable));
  service_.gate().Open();
  under_way.join();
  drain.join();
}

TEST_P(RpcServerTest, ADrainCancelsWhatIsLeftAtItsEnd) {
  Serve();
  std::thread under_way([this] {
    EXPECT_THAT(Renew(), ::testing::Not(IsOk()));
    service_.gate().Open();  // the handler may go now
  });
  service_.gate().WaitForCalls(1);
  server_->server().Drain(absl::ZeroDuration());
  under_way.join();
}

TEST(RpcServerListenTest, PortZeroTakesAFreePort) {
  ASSERT_OK_AND_ASSIGN(auto server, RpcServer::Start({}, {}));
  EXPECT_THAT(server->address(),
              AllOf(HasSubstr("127.0.0.1:"),
                    ::testing::Not(::testing::EndsWith(":0"))));
}

TEST(RpcServerListenTest, APortIsNotShared) {
  ASSERT_OK_AND_ASSIGN(auto server, RpcServer::Start({}, {}));
  RpcServerOptions options;
  options.listen = server->address();
  EXPECT_THAT(
      RpcServer::Start(options, {}),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr(server->address())));
}

TEST(RpcServerListenTest, AMalformedAddressIsNamed) {
  for (const char* bad : {"localhost", ":7401", "localhost:x", "h:70000"}) {
    RpcServerOptions options;
    options.listen = bad;
    EXPECT_THAT(RpcServer::Start(options, {}),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(bad)));
  }
}

}  // namespace
}  // namespace kinora
