// echo_bench: what bare gRPC does on this machine, against an echo_server.
//
//   --mode=unary     closed loops of calls with --bytes each: calls/s
//   --mode=chat      one stream, messages of --bytes sent without waiting for
//                    the answers: messages/s
//   --mode=upload    --total_bytes in messages of --bytes: bytes/s
//   --mode=download  the other way

#include <memory>
#include <string>
#include <thread>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"

#include "common/rpc/status.h"
#include "echo.grpc.pb.h"
#include "tests/bench/cpp/bench.h"
#include "tests/bench/cpp/connection.h"

ABSL_FLAG(std::string, server, "", "HOST:PORT of an echo_server");
ABSL_FLAG(std::string, mode, "unary", "unary, chat, upload or download");
ABSL_FLAG(int, callers, 1, "threads of mode unary");
ABSL_FLAG(bool, shared_channel, false, "one channel for all callers");
ABSL_FLAG(absl::Duration, warm_up, absl::Milliseconds(300), "before measuring");
ABSL_FLAG(absl::Duration, duration, absl::Seconds(2), "measured time");
ABSL_FLAG(int64_t, bytes, 300, "bytes in a message");
ABSL_FLAG(int64_t, total_bytes, int64_t{1} << 30, "of an upload or download");
ABSL_FLAG(int64_t, messages, 200'000, "of a chat");

namespace kinora {
namespace {

using bench::EchoMessage;
using bench::EchoService;

std::unique_ptr<EchoService::Stub> Connect() {
  return EchoService::NewStub(BareChannel(absl::GetFlag(FLAGS_server)));
}

EchoMessage MessageOfBytes() {
  EchoMessage message;
  message.set_number(1);
  message.set_data(
      std::string(static_cast<size_t>(absl::GetFlag(FLAGS_bytes)), 'x'));
  return message;
}

void Must(const grpc::Status& status) { kinora::Must(FromGrpcStatus(status)); }

Figures MeasureUnary() {
  const LoopTimes times = {absl::GetFlag(FLAGS_warm_up),
                           absl::GetFlag(FLAGS_duration)};
  std::shared_ptr<EchoService::Stub> shared;
  if (absl::GetFlag(FLAGS_shared_channel)) shared = Connect();
  return RunClosedLoops(absl::GetFlag(FLAGS_callers), times, [&](int) -> Loop {
    std::shared_ptr<EchoService::Stub> stub = shared;
    if (stub == nullptr) stub = Connect();
    return [stub, request = MessageOfBytes()] {
      grpc::ClientContext context;
      EchoMessage response;
      Must(stub->Echo(&context, request, &response));
      return int64_t{1};
    };
  });
}

Figures PerSecond(double things, const Stopwatch& watch) {
  const double seconds = watch.Seconds();
  return {{"things", things}, {"seconds", seconds}, {"rate", things / seconds}};
}

Figures MeasureChat() {
  const auto stub = Connect();
  const int64_t messages = absl::GetFlag(FLAGS_messages);
  const EchoMessage request = MessageOfBytes();
  grpc::ClientContext context;
  const Stopwatch watch;
  const auto stream = stub->Chat(&context);
  std::thread writer([&] {
    for (int64_t i = 0; i < messages; ++i) {
      if (!stream->Write(request)) break;
    }
    stream->WritesDone();
  });
  EchoMessage response;
  int64_t read = 0;
  while (stream->Read(&response)) ++read;
  writer.join();
  Must(stream->Finish());
  return PerSecond(static_cast<double>(read), watch);
}

Figures MeasureUpload() {
  const auto stub = Connect();
  const EchoMessage request = MessageOfBytes();
  EchoMessage response;
  grpc::ClientContext context;
  const Stopwatch watch;
  const auto writer = stub->Upload(&context, &response);
  for (int64_t left = absl::GetFlag(FLAGS_total_bytes); left > 0;
       left -= absl::GetFlag(FLAGS_bytes)) {
    if (!writer->Write(request)) break;
  }
  writer->WritesDone();
  Must(writer->Finish());
  return PerSecond(static_cast<double>(response.number()), watch);
}

Figures MeasureDownload() {
  const auto stub = Connect();
  EchoMessage request = MessageOfBytes();
  request.set_number(static_cast<uint64_t>(absl::GetFlag(FLAGS_total_bytes) /
                                           absl::GetFlag(FLAGS_bytes)));
  EchoMessage response;
  grpc::ClientContext context;
  const Stopwatch watch;
  const auto reader = stub->Download(&context, request);
  double bytes = 0;
  while (reader->Read(&response)) {
    bytes += static_cast<double>(response.data().size());
  }
  Must(reader->Finish());
  return PerSecond(bytes, watch);
}

Figures Measure() {
  const std::string mode = absl::GetFlag(FLAGS_mode);
  if (mode == "unary") return MeasureUnary();
  if (mode == "chat") return MeasureChat();
  if (mode == "upload") return MeasureUpload();
  if (mode == "download") return MeasureDownload();
  FailBench(absl::InvalidArgumentError(absl::StrCat("no mode ", mode)));
}

}  // namespace
}  // namespace kinora

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  kinora::PrintFigures(kinora::Measure());
}
