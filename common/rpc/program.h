// What the mains of all servers share: configuration, logging, signals, the
// ready line, metrics and the exit code (common/exit_codes.h). A main is then
// wiring only:
//
//   int main(int argc, char** argv) {
//     v1::StoreConfig config;
//     kinora::Program program;
//     program.name = "kinora-store";
//     program.summary = "Keeps movies: blobs, events, manifests, plans.";
//     program.default_listen = "127.0.0.1:7401";
//     return kinora::RunProgram(argc, argv, program, &config, [&] {
//       return StoreServer::Start(config);
//     });
//   }

#ifndef KINORA_COMMON_RPC_PROGRAM_H_
#define KINORA_COMMON_RPC_PROGRAM_H_

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "common/exit_codes.h"
#include "common/rpc/server.h"

namespace google::protobuf {
class Message;
}

namespace kinora {

namespace v1 {
class ServerConfig;
}

struct Program {
  std::string name;            // "kinora-store"
  std::string summary;         // one line for --help
  std::string default_listen;  // "127.0.0.1:7401"
};

// A ProgramServer is everything a main has started. Its members are in the
// order of construction, so that its destructor takes the parts down in the
// right order: server, executor, stores.
class ProgramServer {
 public:
  virtual ~ProgramServer() = default;

  // HOST:PORT that it serves on.
  virtual std::string address() const = 0;

  // Ends serving within `limit`; see RpcServer::Drain().
  virtual void Drain(absl::Duration limit) = 0;
};

// Runs a server until SIGTERM or SIGINT and returns its exit code:
// 1. fills `config` (a config message with a ServerConfig field `server`) from
//    file, environment and flags (common/config_file.h); `--help` prints every
//    option and returns kExitOk;
// 2. sets up logging as the configuration says;
// 3. serves metrics, if `metrics_listen` says so, naming the port in the log,
//    and calls `start`, which reads the configuration;
// 4. prints `<name> ready HOST:PORT` on standard output;
// 5. at the first SIGTERM or SIGINT drains within `drain_seconds`, destroys the
//    server and returns kExitOk. A second signal ends the process at once, with
//    its ExitCodeOfSignal().
// Errors are printed on standard error. Blocks those signals in all threads:
// call it before any other thread is started.
int RunProgram(
    int argc, char** argv, const Program& program,
    google::protobuf::Message* config,
    absl::AnyInvocable<absl::StatusOr<std::unique_ptr<ProgramServer>>()> start);

// Steps 4 and 5 for a program that reads its configuration by itself.
int ServeUntilSignal(
    const std::string& name, absl::Duration drain_limit,
    absl::AnyInvocable<absl::StatusOr<std::unique_ptr<ProgramServer>>()> start);

// What a ServerConfig asks of an RpcServer, defaults filled in.
RpcServerOptions RpcServerOptionsOf(const v1::ServerConfig& config);

// Where the parts of a server count: the process's registry, or null if nobody
// can ask for it, as `metrics_listen` is empty.
MetricsRegistry* MetricsOf(const v1::ServerConfig& config);

// Threads of a service's executor: `worker_threads`, or twice the cores, at
// least 4.
int WorkerThreadsOf(const v1::ServerConfig& config);

}  // namespace kinora

#endif  // KINORA_COMMON_RPC_PROGRAM_H_
