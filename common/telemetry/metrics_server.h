// A MetricsServer answers `GET /metrics` with what a registry counts, in the
// text format of Prometheus, and `GET /healthz` with 200 `ok`, or 503
// `draining` once the process takes no further calls. It is plain HTTP without
// identity: for a network that only the operator reaches.

#ifndef KINORA_COMMON_TELEMETRY_METRICS_SERVER_H_
#define KINORA_COMMON_TELEMETRY_METRICS_SERVER_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/telemetry/metrics.h"

struct MHD_Daemon;

namespace kinora {

// Thread-safe. Has one thread of its own, which serves all connections.
class MetricsServer {
 public:
  // Listens on HOST:PORT; port 0 takes a free one, and HOST may be a name, an
  // IPv4 address or one of IPv6 in brackets. `metrics` MUST outlive the server.
  // INVALID_ARGUMENT if `listen` is malformed, UNAVAILABLE if the port cannot
  // be had; both name `metrics_listen` and the value.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> Start(
      absl::string_view listen, const MetricsRegistry& metrics);

  // Closes connections at once.
  ~MetricsServer();

  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  // HOST:PORT with the port that was taken.
  const std::string& address() const { return address_; }

  // From now on `/healthz` says that the process drains.
  void SetDraining() { draining_ = true; }

 private:
  struct Handler;

  MetricsServer(const MetricsRegistry& metrics, std::string address)
      : metrics_(metrics), address_(std::move(address)) {}

  const MetricsRegistry& metrics_;
  const std::string address_;
  std::atomic<bool> draining_ = false;
  MHD_Daemon* daemon_ = nullptr;
};

}  // namespace kinora

#endif  // KINORA_COMMON_TELEMETRY_METRICS_SERVER_H_
