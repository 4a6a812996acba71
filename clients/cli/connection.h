// The services a command talks to. Channels are made when first asked for, so
// that a command needs only the services it uses.

#ifndef KINORA_CLIENTS_CLI_CONNECTION_H_
#define KINORA_CLIENTS_CLI_CONNECTION_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

#include "clients/cli/args.h"
#include "clients/cpp/planner_client.h"
#include "clients/cpp/runner_client.h"
#include "services/store/store.h"

namespace kinora {

// HOST:PORT of each service.
struct Addresses {
  std::string store;
  std::string planner;
  std::string runner;

  // `--store-addr` and its kin, else `$KINORA_STORE_ADDR` and its kin, else
  // `--addr`, else `$KINORA_ADDR`, else 127.0.0.1:7400.
  static Addresses Of(const Args& args);
};

// Not thread-safe; what it hands out is.
class Connection {
 public:
  explicit Connection(Addresses addresses);
  ~Connection();

  Store store();
  // What the store's server is.
  absl::StatusOr<v1::GetServerInfoResponse> GetServerInfo();
  Planner& planner();
  RunnerClient& runner();

 private:
  struct Parts;
  const Addresses addresses_;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_CONNECTION_H_
