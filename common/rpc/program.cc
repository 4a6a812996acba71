#include "common/rpc/program.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "google/protobuf/message.h"

#include "common/config_file.h"
#include "common/status.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metrics.h"
#include "common/telemetry/metrics_server.h"
#include "kinora/v1/config.pb.h"

namespace kinora {
namespace {

int Fail(const std::string& name, const absl::Status& status, int code) {
  std::fprintf(stderr, "%s: %s\n", name.c_str(),
               std::string(status.message()).c_str());
  return code;
}

sigset_t EndingSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// Blocked in all threads, so that sigwait() alone takes them.
void BlockEndingSignals() {
  const sigset_t signals = EndingSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

// A write past the limit of the process (ulimit -f) fails as on a bad volume,
// which whoever writes tells, and does not end the server.
void IgnoreFileSizeSignal() { signal(SIGXFSZ, SIG_IGN); }

int WaitForEndingSignal() {
  const sigset_t signals = EndingSignals();
  int signal = 0;
  sigwait(&signals, &signal);
  return signal;
}

absl::Status SetUpLogging(const v1::ServerConfig& config) {
  KINORA_ASSIGN_OR_RETURN(
      const LogLevel level,
      ParseLogLevel(config.log_level() == "warn" ? "warning"
                                                 : config.log_level()));
  if (config.log_format() != "text" && config.log_format() != "json") {
    return InvalidField("log_format", config.log_format(),
                        "must be text or json");
  }
  SetLogLevel(level);
  SetLogFormat(config.log_format() == "json" ? LogFormat::kJson
                                             : LogFormat::kLogfmt);
  return absl::OkStatus();
}

// Whether an option has a value that nobody can start with. What is wrong in a
// file that an option names has the file and the line in front.
bool IsBadOption(const absl::Status& status) {
  const auto payload = status.GetPayload(kFieldPayload);
  if (!absl::IsInvalidArgument(status) || !payload.has_value()) return false;
  const std::string field(*payload);
  return !absl::StrContains(field, ':') &&
         absl::StartsWith(status.message(), absl::StrCat(field, ": "));
}

// A server that is watched from outside while it lives.
class MeasuredServer final : public ProgramServer {
 public:
  MeasuredServer(std::unique_ptr<MetricsServer> metrics,
                 std::unique_ptr<ProgramServer> server)
      : metrics_(std::move(metrics)), server_(std::move(server)) {}

  std::string address() const override { return server_->address(); }
  void Drain(absl::Duration limit) override {
    metrics_->SetDraining();
    server_->Drain(limit);
  }

 private:
  const std::unique_ptr<MetricsServer> metrics_;
  const std::unique_ptr<ProgramServer> server_;
};

const v1::ServerConfig& ServerConfigOf(
    const google::protobuf::Message& config) {
  const auto* field = config.GetDescriptor()->FindFieldByName("server");
  return static_cast<const v1::ServerConfig&>(
      config.GetReflection()->GetMessage(config, field));
}

}  // namespace

int RunProgram(
    int argc, char** argv, const Program& program,
    google::protobuf::Message* config,
    absl::AnyInvocable<absl::StatusOr<std::unique_ptr<ProgramServer>>()>
        start) {
  ConfigSources sources;
  sources.args.assign(argv + std::min(argc, 1), argv + argc);
  sources.env = GetEnvironment;
  sources.defaults = {{"listen", program.default_listen}};
  for (const std::string& arg : sources.args) {
    if (arg != "--help" && arg != "-h") continue;
    std::printf("%s: %s\n\nOptions:\n%s", program.name.c_str(),
                program.summary.c_str(),
                ConfigHelp(*config, sources.defaults).c_str());
    return kExitOk;
  }
  if (absl::Status status = LoadConfig(sources, PosixFileSystem(), config);
      !status.ok()) {
    return Fail(program.name, status, kExitBadUsage);
  }
  const v1::ServerConfig& server = ServerConfigOf(*config);
  if (absl::Status status = SetUpLogging(server); !status.ok()) {
    return Fail(program.name, status, kExitBadUsage);
  }
  // Debian builds Abseil as for debugging: each lock that gRPC takes would be
  // checked against the order of all others.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const absl::Duration drain_limit = absl::Seconds(server.drain_seconds());
  if (server.metrics_listen().empty()) {
    return ServeUntilSignal(program.name, drain_limit, std::move(start));
  }
  return ServeUntilSignal(
      program.name, drain_limit,
      [&]() -> absl::StatusOr<std::unique_ptr<ProgramServer>> {
        KINORA_ASSIGN_OR_RETURN(
            std::unique_ptr<MetricsServer> metrics,
            MetricsServer::Start(server.metrics_listen(), ProcessMetrics()));
        LogInfo("metrics are served", {{"address", metrics->address()}});
        KINORA_ASSIGN_OR_RETURN(std::unique_ptr<ProgramServer> measured,
                                start());
        return std::make_unique<MeasuredServer>(std::move(metrics),
                                                std::move(measured));
      });
}

int ServeUntilSignal(
    const std::string& name, absl::Duration drain_limit,
    absl::AnyInvocable<absl::StatusOr<std::unique_ptr<ProgramServer>>()>
        start) {
  BlockEndingSignals();
  IgnoreFileSizeSignal();
  absl::StatusOr<std::unique_ptr<ProgramServer>> server = start();
  if (!server.ok()) {
    return Fail(name, server.status(),
                IsBadOption(server.status()) ? kExitBadUsage : kExitFailure);
  }
  std::printf("%s ready %s\n", name.c_str(), (*server)->address().c_str());
  std::fflush(stdout);

  const int signal = WaitForEndingSignal();
  LogInfo("draining", {{"signal", signal}});
  // Whoever asks twice does not want to wait.
  std::thread([] { _exit(ExitCodeOfSignal(WaitForEndingSignal())); }).detach();
  (*server)->Drain(drain_limit);
  server->reset();
  LogInfo("stopped");
  return kExitOk;
}

RpcServerOptions RpcServerOptionsOf(const v1::ServerConfig& config) {
  RpcServerOptions options;
  options.listen = config.listen();
  options.metrics = MetricsOf(config);
  if (config.max_message_bytes() > 0) {
    options.max_message_bytes = static_cast<int>(
        std::min<uint32_t>(config.max_message_bytes(), 1u << 30));
  }
  if (config.max_concurrent_calls() > 0) {
    options.max_concurrent_calls = static_cast<int>(
        std::min<uint32_t>(config.max_concurrent_calls(), 1u << 30));
  }
  return options;
}

MetricsRegistry* MetricsOf(const v1::ServerConfig& config) {
  return config.metrics_listen().empty() ? nullptr : &ProcessMetrics();
}

int WorkerThreadsOf(const v1::ServerConfig& config) {
  if (config.worker_threads() > 0) {
    return static_cast<int>(std::min<uint32_t>(config.worker_threads(), 4096));
  }
  return std::max(4, 2 * static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace kinora
