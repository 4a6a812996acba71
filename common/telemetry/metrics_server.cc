#include "common/telemetry/metrics_server.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/status.h"
#include "microhttpd.h"

namespace kinora {
namespace {

constexpr char kTextFormat[] = "text/plain; version=0.0.4; charset=utf-8";
constexpr char kPlainText[] = "text/plain; charset=utf-8";

// Scrapers are few. One that asks nothing must not hold its place for ever.
constexpr unsigned int kMaxConnections = 32;
constexpr unsigned int kIdleSeconds = 30;
constexpr int kBacklog = 32;

struct HostPort {
  std::string host;  // as given, with brackets
  std::string port;
};

absl::StatusOr<HostPort> Parse(absl::string_view listen) {
  const size_t colon = listen.rfind(':');
  int port = -1;
  if (colon == absl::string_view::npos || colon == 0 ||
      !absl::SimpleAtoi(listen.substr(colon + 1), &port) || port < 0 ||
      port > 65535) {
    return InvalidField("metrics_listen", listen, "must be HOST:PORT");
  }
  return HostPort{std::string(listen.substr(0, colon)), absl::StrCat(port)};
}

absl::Status CannotListen(absl::string_view listen, absl::string_view why) {
  return absl::UnavailableError(
      absl::StrCat("metrics_listen: cannot listen on ", listen, ": ", why));
}

// Zero for one that is neither.
int PortOf(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
}

// A listening socket on one address of the host. Not shared with anybody.
absl::StatusOr<int> Listen(absl::string_view listen, const HostPort& where,
                           int* port) {
  absl::string_view host = where.host;
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(std::string(host).c_str(), where.port.c_str(),
                                &hints, &found);
  if (error != 0) return CannotListen(listen, gai_strerror(error));
  const absl::Cleanup free_found = [found] { freeaddrinfo(found); };

  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return CannotListen(listen, std::strerror(errno));
  const int on = 1;
  sockaddr_storage bound = {};
  socklen_t size = sizeof(bound);
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      bind(fd, found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(fd, kBacklog) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    const absl::Status status = CannotListen(listen, std::strerror(errno));
    close(fd);
    return status;
  }
  *port = PortOf(bound);
  return fd;
}

MHD_Result Answer(MHD_Connection* connection, unsigned int code,
                  const std::string& body, const char* type) {
  // The library only reads the bytes that it copies.
  MHD_Response* response = MHD_create_response_from_buffer(
      body.size(), const_cast<char*>(body.data()), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  if (code == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  }
  const MHD_Result queued = MHD_queue_response(connection, code, response);
  MHD_destroy_response(response);
  return queued;
}

}  // namespace

struct MetricsServer::Handler {
  static MHD_Result Handle(void* self, MHD_Connection* connection,
                           const char* url, const char* method,
                           const char* /*version*/, const char* /*upload*/,
                           size_t* upload_size, void** state) {
    // The first call is for the headers alone; a body is read and dropped.
    static char seen;
    if (*state == nullptr) {
      *state = &seen;
      return MHD_YES;
    }
    if (*upload_size != 0) {
      *upload_size = 0;
      return MHD_YES;
    }
    const auto& server = *static_cast<const MetricsServer*>(self);
    const absl::string_view verb = method;
    const absl::string_view path = url;
    const bool is_metrics = path == "/metrics";
    if (!is_metrics && path != "/healthz") {
      return Answer(connection, MHD_HTTP_NOT_FOUND,
                    "there are /metrics and /healthz\n", kPlainText);
    }
    if (verb != MHD_HTTP_METHOD_GET && verb != MHD_HTTP_METHOD_HEAD) {
      return Answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                    "only GET and HEAD\n", kPlainText);
    }
    if (is_metrics) {
      return Answer(connection, MHD_HTTP_OK, server.metrics_.RenderPrometheus(),
                    kTextFormat);
    }
    return server.draining_
               ? Answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "draining\n",
                        kPlainText)
               : Answer(connection, MHD_HTTP_OK, "ok\n", kPlainText);
  }
};

absl::StatusOr<std::unique_ptr<MetricsServer>> MetricsServer::Start(
    absl::string_view listen, const MetricsRegistry& metrics) {
  KINORA_ASSIGN_OR_RETURN(const HostPort where, Parse(listen));
  int port = 0;
  KINORA_ASSIGN_OR_RETURN(const int fd, Listen(listen, where, &port));
  std::unique_ptr<MetricsServer> server(
      new MetricsServer(metrics, absl::StrCat(where.host, ":", port)));
  // Takes the socket.
  server->daemon_ = MHD_start_daemon(
      MHD_USE_POLL_INTERNAL_THREAD, 0, nullptr, nullptr, &Handler::Handle,
      server.get(), MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
      kMaxConnections, MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds,
      MHD_OPTION_END);
  if (server->daemon_ == nullptr) {
    close(fd);
    return CannotListen(listen, "no thread for it");
  }
  return server;
}

MetricsServer::~MetricsServer() {
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
}

}  // namespace kinora
