// echo_server: EchoService on bare gRPC, in a process of its own as
// kinora-store is. Prints `echo_server ready HOST:PORT` and serves until
// SIGTERM.

#include <limits>
#include <memory>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

#include "common/rpc/deadline.h"
#include "common/rpc/program.h"
#include "echo.grpc.pb.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:0", "HOST:PORT");
ABSL_FLAG(bool, callbacks, true,
          "answer unary calls by gRPC's callback API instead of a thread");

namespace kinora {
namespace {

using bench::EchoMessage;
using bench::EchoService;

// Streams have a thread each, which is gRPC's fastest way with few of them.
template <typename Base>
class Streams : public Base {
 public:
  grpc::Status Chat(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<EchoMessage, EchoMessage>* stream) override {
    EchoMessage message;
    while (stream->Read(&message)) {
      message.clear_data();
      stream->Write(message);
    }
    return grpc::Status::OK;
  }
  grpc::Status Upload(grpc::ServerContext*,
                      grpc::ServerReader<EchoMessage>* reader,
                      EchoMessage* response) override {
    EchoMessage message;
    uint64_t bytes = 0;
    while (reader->Read(&message)) bytes += message.data().size();
    response->set_number(bytes);
    return grpc::Status::OK;
  }
  grpc::Status Download(grpc::ServerContext*, const EchoMessage* request,
                        grpc::ServerWriter<EchoMessage>* writer) override {
    EchoMessage message;
    message.set_data(std::string(request->data().size(), 'x'));
    for (uint64_t i = 0; i < request->number(); ++i) writer->Write(message);
    return grpc::Status::OK;
  }
};

class ThreadEcho final : public Streams<EchoService::Service> {
 public:
  grpc::Status Echo(grpc::ServerContext*, const EchoMessage* request,
                    EchoMessage* response) override {
    response->set_number(request->number());
    return grpc::Status::OK;
  }
};

class CallbackEcho final
    : public Streams<
          EchoService::WithCallbackMethod_Echo<EchoService::Service>> {
 public:
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context,
                                 const EchoMessage* request,
                                 EchoMessage* response) override {
    response->set_number(request->number());
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

class EchoServer final : public ProgramServer {
 public:
  static absl::StatusOr<std::unique_ptr<ProgramServer>> Start(
      const std::string& listen, bool callbacks) {
    auto echo = std::make_unique<EchoServer>();
    if (callbacks) {
      echo->service_ = std::make_unique<CallbackEcho>();
    } else {
      echo->service_ = std::make_unique<ThreadEcho>();
    }
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &port);
    builder.SetMaxReceiveMessageSize(std::numeric_limits<int>::max());
    builder.RegisterService(echo->service_.get());
    echo->server_ = builder.BuildAndStart();
    if (echo->server_ == nullptr || port == 0) {
      return absl::UnavailableError(absl::StrCat("cannot listen on ", listen));
    }
    echo->address_ =
        absl::StrCat(listen.substr(0, listen.rfind(':')), ":", port);
    return echo;
  }

  std::string address() const override { return address_; }
  void Drain(absl::Duration limit) override {
    server_->Shutdown(GrpcDeadline(limit));
  }

 private:
  std::unique_ptr<grpc::Service> service_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace
}  // namespace kinora

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return kinora::ServeUntilSignal("echo_server", absl::Seconds(1), [] {
    return kinora::EchoServer::Start(absl::GetFlag(FLAGS_listen),
                                     absl::GetFlag(FLAGS_callbacks));
  });
}
